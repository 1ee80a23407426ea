//! Refusals: one kind of many, now and then, and what is not installed.

use std::time::Duration;

use farwatch::model::fault::FaultKind;
use farwatch::model::health::Health;
use farwatch::model::object::ObjectKind;
use farwatch::source::supervisor::Pace;
use serde_json::json;

use crate::apiserver::{ApiServer, Fault, Options, User, wire};
use crate::console::{Console, kube, pace};

fn failing(console: &Console, kind: FaultKind) -> bool {
    console
        .healths
        .iter()
        .any(|h| matches!(h, Health::Failing { fault, .. } if fault.kind == kind))
}

async fn lists() -> ApiServer {
    let server = ApiServer::start_with(Options {
        version: Some("v1.31.4".into()),
        ..Options::default()
    })
    .await;
    server.put_list(&wire::fixture("kube/nodes.json"));
    server
}

#[tokio::test]
async fn a_busy_server_is_left_alone_as_long_as_it_asks() {
    let server = lists().await;
    server.fault(Fault::too_many("list", "nodes", 3_000).once());
    let mut console = Console::of(&server);
    console
        .until("told", |c| failing(c, FaultKind::RateLimited))
        .await;
    // Its own patience would have let it ask a dozen times.
    console.rest(Duration::from_millis(1_500)).await;
    assert_eq!(server.count("list", "nodes"), 1);
    assert_eq!(console.resets(ObjectKind::Pod), 1, "the others go on");
}

#[tokio::test]
async fn a_cache_that_fills_is_waited_for() {
    let server = lists().await;
    server.fault(Fault::initializing("list", "nodes").once());
    server.fault(Fault::initializing("watch", "nodes").once());
    let mut console = Console::of(&server);
    console
        .until("told", |c| failing(c, FaultKind::RateLimited))
        .await;
    console
        .until("nodes", |c| {
            c.live() && c.names(ObjectKind::Node).len() == 6
        })
        .await;
}

#[tokio::test]
async fn a_failing_server_is_tried_until_it_is_well() {
    let server = lists().await;
    server.fault(Fault::server_error("list", "nodes").times(2));
    server.fault(Fault::unavailable("list", "nodes", None).once());
    server.fault(Fault::garbage("list", "nodes", b"<html>sign in</html>").once());
    let mut console = Console::of(&server);
    console
        .until("nodes", |c| {
            c.live() && c.names(ObjectKind::Node).len() == 6
        })
        .await;
    assert!(failing(&console, FaultKind::Server));
    assert!(failing(&console, FaultKind::BadPayload));
    assert_eq!(server.count("list", "nodes"), 5);
}

#[tokio::test]
async fn a_broken_object_does_not_hide_the_others() {
    let server = lists().await;
    server.put(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "odd"}, "status": {"conditions": "all good"}}));
    let mut console = Console::of(&server);
    console
        .until("nodes", |c| {
            c.live() && c.names(ObjectKind::Node).len() == 6
        })
        .await;
    server.put(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "odd"}, "spec": 7}));
    server.put(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "even"}}));
    console
        .until("the next", |c| c.has(ObjectKind::Node, "even"))
        .await;
    assert!(!console.has(ObjectKind::Node, "odd"));
}

fn quick() -> Pace {
    Pace {
        look: Duration::from_millis(150),
        ..pace()
    }
}

#[tokio::test]
async fn a_resource_that_appears_later_is_found_and_one_that_goes_is_gone() {
    for aggregated in [true, false] {
        let server = ApiServer::start_with(Options {
            aggregated,
            ..Options::default()
        })
        .await;
        let mut console = Console::with(&kube(&server), &quick());
        console.until("live", Console::live).await;
        console.rest(Duration::from_millis(500)).await;
        assert!(server.requests("/ptpconfigs").is_empty(), "probed");
        server.put(json!({"apiVersion": "ptp.openshift.io/v1", "kind": "PtpConfig", "metadata": {"name": "gm", "namespace": "openshift-ptp"}}));
        console
            .until("found", |c| c.has(ObjectKind::PtpConfig, "gm"))
            .await;
        server.install("PtpConfig", false);
        server.cut();
        console
            .until("gone", |c| !c.has(ObjectKind::PtpConfig, "gm"))
            .await;
        console.rest(Duration::from_millis(300)).await;
        server.install("PtpConfig", true);
        console
            .until("back", |c| c.has(ObjectKind::PtpConfig, "gm"))
            .await;
        assert_eq!(console.health.failures, 0, "absence is no fault");
    }
}

#[tokio::test]
async fn every_missing_right_is_named() {
    let server = lists().await;
    server.put_list(&wire::fixture("kube/pods_shop.json"));
    server.put(json!({"apiVersion": "ptp.openshift.io/v1", "kind": "PtpConfig", "metadata": {"name": "gm", "namespace": "openshift-ptp"}}));
    let viewer = User::new("viewer", &["lab-viewers"]);
    let viewer = viewer.allow(
        "get list watch",
        "",
        "pods events services persistentvolumeclaims",
    );
    let viewer = viewer.allow("list", "", "nodes");
    let viewer = viewer.allow("get list watch", "apps", "*");
    let viewer = viewer.allow("get list watch", "batch", "*");
    server.user("lab-view-token", viewer);
    let mut console = Console::of(&server);
    let wanted = [
        "watch nodes",
        "list horizontalpodautoscalers",
        "list ptpconfigs",
    ];
    console
        .until("all three rights", |c| {
            matches!(&c.health.health, Health::Denied { fault, .. }
                if wanted.iter().all(|w| fault.what.contains(w)))
        })
        .await;
    assert_eq!(console.names(ObjectKind::Pod).len(), 6);
    assert_eq!(
        console.names(ObjectKind::Node).len(),
        6,
        "the list was allowed"
    );
}

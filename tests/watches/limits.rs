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
    // Its own patience is a tenth of it.
    let asked = Duration::from_secs(2);
    server.fault(Fault::too_many("list", "nodes", asked.as_secs()).once());
    let mut console = Console::of(&server);
    console
        .until("told", |c| failing(c, FaultKind::RateLimited))
        .await;
    console
        .until("the others go on", |c| c.resets(ObjectKind::Pod) == 1)
        .await;
    console
        .until("nodes", |c| {
            c.live() && c.names(ObjectKind::Node).len() == 6
        })
        .await;
    let lists = server.seen();
    let lists = lists
        .iter()
        .filter(|s| s.verb == "list" && s.plural == "nodes");
    let [refused, answered] = lists.map(|s| s.at).collect::<Vec<_>>()[..] else {
        panic!("asked again and again");
    };
    assert!(answered - refused >= asked, "{:?}", answered - refused);
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

#[tokio::test]
async fn an_object_that_cannot_be_read_any_more_is_not_shown_as_it_was() {
    let server = lists().await;
    let node = |spec: serde_json::Value| json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "odd"}, "spec": spec});
    server.put(node(json!({})));
    let mut console = Console::of(&server);
    console
        .until("as it should be", |c| {
            c.live() && c.has(ObjectKind::Node, "odd")
        })
        .await;
    server.put(node(json!(7)));
    console
        .until("counted", |c| c.live() && c.health.bad_lines == 1)
        .await;
    assert!(!console.has(ObjectKind::Node, "odd"));
    let unread = console.batches.iter().flat_map(|b| &b.unread);
    let names: Vec<&str> = unread.map(|k| k.name.as_ref()).collect();
    assert_eq!(names, ["odd"], "told as unread, not as deleted");
    server.put(node(json!({})));
    console
        .until("again", |c| c.has(ObjectKind::Node, "odd"))
        .await;
}

/// Streams go on while the server as a whole is waited for; what they tell counts as ever.
#[tokio::test]
async fn what_is_told_during_a_wait_counts_too() {
    let server = lists().await;
    let often = farwatch::config::Kube {
        interval: Some(Duration::from_millis(100)),
        ..kube(&server)
    };
    let mut console = Console::with(&often, &pace());
    let node = ObjectKind::Node;
    console
        .until("live", |c| c.live() && c.names(node).len() == 6)
        .await;
    server.fault(Fault::server_error("get", "/version"));
    console
        .until("unwell", |c| failing(c, FaultKind::Server))
        .await;
    server.put(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "odd"}, "spec": 7}));
    console
        .until("told", |c| c.batches.iter().any(|b| !b.unread.is_empty()))
        .await;
    server.clear_faults();
    console
        .until("counted", |c| c.live() && c.health.bad_lines == 1)
        .await;
}

/// The same page as the next one, for ever.
#[tokio::test]
async fn a_list_without_an_end_is_told() {
    let server = lists().await;
    let page = json!({"metadata": {"resourceVersion": "7", "continue": "again"}, "items": null});
    let page = page.to_string();
    let handler: wire::Handler = std::sync::Arc::new(move |_, stream| {
        let page = page.clone();
        Box::pin(
            async move { wire::reply(stream, 200, "application/json", &[], page.as_bytes()).await },
        )
    });
    server.extra("/api/v1/pods", handler.clone());
    server.extra("/api/v1/services", handler);
    let mut console = Console::of(&server);
    console
        .until("told", |c| {
            c.healths.iter().any(|h| {
                matches!(h, Health::Failing { fault, .. }
                if fault.kind == FaultKind::BadPayload && fault.what.contains("list pods: ")
                    && fault.what.contains("the list does not end"))
            })
        })
        .await;
    let server = farwatch::source::kubernetes::Server::new("alpha", &kube(&server));
    let cluster = server.cluster().await.unwrap();
    let path = "/api/v1/services";
    let listed = cluster.list_json::<serde_json::Value>(path, "list services", 10);
    let fault = listed.await.unwrap_err();
    assert!(
        fault.what.contains("list services: ") && fault.what.contains("does not end"),
        "{fault}"
    );
}

#[tokio::test]
async fn a_line_that_does_not_end_is_told() {
    let server = lists().await;
    server.fault(Fault::garbage("watch", "nodes", &vec![b'x'; 33 << 20]).once());
    let mut console = Console::of(&server);
    console
        .until("told", |c| {
            c.healths.iter().any(|h| matches!(h, Health::Failing { fault, .. }
                if fault.what.contains("watch nodes: ") && fault.what.contains("a line of more than 32 MiB")))
        })
        .await;
    console.until("well again", Console::live).await;
}

fn quick() -> Pace {
    Pace {
        look: Duration::from_millis(150),
        ..pace()
    }
}

/// What is installed was looked at twice more: the second tells that the first is over.
async fn looked(server: &ApiServer, console: &mut Console) {
    let looks = || server.requests("/apis").len();
    let before = looks();
    console.until("looks", |_| looks() >= before + 2).await;
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
        console.settled().await;
        looked(&server, &mut console).await;
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
        looked(&server, &mut console).await;
        server.install("PtpConfig", true);
        console
            .until("back", |c| c.has(ObjectKind::PtpConfig, "gm"))
            .await;
        let faults = console.faults();
        assert!(faults.is_empty(), "absence is no fault: {faults:?}");
    }
}

/// What the server does not name was never asked for, and one that it names no longer goes with
/// the next end of its stream.
#[tokio::test]
async fn what_is_not_installed_is_told_to_be_so() {
    let server = ApiServer::start().await;
    server.put_list(&wire::fixture("kube/nodes.json"));
    let mut console = Console::with(&kube(&server), &quick());
    let ptp = ObjectKind::PtpConfig;
    console
        .until("told", |c| {
            c.live() && c.gone(ptp) && c.gone(ObjectKind::Application)
        })
        .await;
    assert!(!console.gone(ObjectKind::Node) && !console.gone(ObjectKind::Pod));
    server.put(json!({"apiVersion": "ptp.openshift.io/v1", "kind": "PtpConfig", "metadata": {"name": "gm", "namespace": "openshift-ptp"}}));
    console.until("found", |c| c.has(ptp, "gm")).await;
    server.install("PtpConfig", false);
    let looks = server.requests("/apis").len();
    console
        .until("two looks", |_| server.requests("/apis").len() >= looks + 2)
        .await;
    assert!(console.has(ptp, "gm"), "its stream still stands");
    server.cut();
    console
        .until("gone", |c| c.gone(ptp) && !c.has(ptp, "gm"))
        .await;
    assert_eq!(console.health.failures, 0, "absence is no fault");
}

#[tokio::test]
async fn jobs_that_succeeded_are_not_asked_for() {
    let server = lists().await;
    let job = |name: &str, succeeded: u64| json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": "shop"}, "status": {"succeeded": succeeded}});
    server.put(job("done", 1));
    server.put(job("runs", 0));
    let mut console = Console::of(&server);
    console
        .until("one job", |c| {
            c.live() && c.names(ObjectKind::Job) == ["runs"]
        })
        .await;
    server.put(job("next", 0));
    server.put(job("runs", 1));
    console
        .until("it succeeded", |c| c.names(ObjectKind::Job) == ["next"])
        .await;
    assert_eq!(console.told("done"), 0);
    let asked = server.requests("/apis/batch/v1/jobs");
    let of = |r: &wire::Request| r.param("fieldSelector").map(str::to_owned);
    let selectors: Vec<_> = asked.iter().map(of).collect();
    assert!(selectors.len() >= 2);
    assert!(
        selectors
            .iter()
            .all(|s| s.as_deref() == Some("status.successful=0")),
        "{selectors:?}"
    );
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

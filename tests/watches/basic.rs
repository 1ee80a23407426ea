//! Lists, watches, refusals.

use farwatch::model::fault::FaultKind;
use farwatch::model::health::Health;
use farwatch::model::object::ObjectKind;
use farwatch::source::kubernetes;

use crate::apiserver::{ApiServer, Fault, User, wire};
use crate::console::{Console, kube};

#[tokio::test]
async fn lists_then_watches() {
    let server = ApiServer::recorded().await;
    let mut console = Console::of(&server);
    console
        .until("everything", |c| {
            c.live()
                && c.names(ObjectKind::Node).len() == 6
                && c.names(ObjectKind::Pod).len() == 6
                && c.names(ObjectKind::Event).len() == 3
                && c.names(ObjectKind::SriovNodeState).len() == 2
        })
        .await;
    assert!(console.version.as_deref().unwrap().starts_with("v1.36"));
    // As a real server told them, with words of every kind.
    for line in String::from_utf8(wire::fixture("kube/watch_pods.jsonl"))
        .unwrap()
        .lines()
    {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        if event["type"] == "ADDED" {
            server.put(event["object"].clone());
        }
    }
    let pod = server.put(serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "late", "namespace": "shop"}}));
    assert!(pod > 0);
    console
        .until("a new pod", |c| c.has(ObjectKind::Pod, "late"))
        .await;
    server.delete("Pod", "shop", "late");
    console
        .until("it is gone", |c| !c.has(ObjectKind::Pod, "late"))
        .await;
    let request = &server.requests("/api/v1/pods")[0];
    assert_eq!(
        request.header("authorization"),
        Some("Bearer lab-view-token")
    );
    let watches = server.requests("/api/v1/pods");
    assert!(
        watches
            .iter()
            .any(|r| r.param("allowWatchBookmarks") == Some("true"))
    );
}

#[tokio::test]
async fn a_missing_right_is_told_and_the_others_go_on() {
    let server = ApiServer::recorded().await;
    server.fault(Fault::forbidden("list", "pods"));
    server.fault(Fault::forbidden("watch", "pods"));
    let mut console = Console::of(&server);
    console
        .until("denied, and nodes", |c| {
            let denied = matches!(&c.health.health, Health::Denied { fault, .. }
                if fault.kind == FaultKind::Forbidden && fault.what.contains("pods: 403")
                    && fault.endpoint.starts_with("context lab (http://127.0.0.1:"));
            denied && c.names(ObjectKind::Node).len() == 6
        })
        .await;
}

#[tokio::test]
async fn an_expired_sign_in_is_told() {
    let server = ApiServer::recorded().await;
    server.fault(Fault::bad_token());
    let mut console = Console::of(&server);
    console
        .until("denied", |c| {
            matches!(&c.health.health, Health::Denied { fault, .. }
                if fault.kind == FaultKind::Auth && fault.what.contains("401"))
        })
        .await;
}

#[tokio::test]
async fn an_absent_crd_is_no_fault() {
    for viewer in [false, true] {
        let server = ApiServer::start().await;
        server.put_list(&wire::fixture("kube/nodes.json"));
        if viewer {
            let user = User::new("viewer", &["lab-viewers"]);
            server.user(
                "lab-view-token",
                user.allow("get list watch", "", "*")
                    .allow("get list watch", "apps", "*")
                    .allow("get list watch", "batch", "*")
                    .allow("get list watch", "autoscaling", "*"),
            );
        }
        let mut console = Console::of(&server);
        console.settled().await;
        let faults = console.faults();
        assert!(faults.is_empty(), "viewer {viewer}: {faults:?}");
    }
}

#[tokio::test]
async fn a_missing_context_names_the_context() {
    let server = ApiServer::start().await;
    let mut kube = kube(&server);
    kube.context = Some("nowhere".into());
    let fault = match kubernetes::Server::new("alpha", &kube).cluster().await {
        Err(fault) => fault,
        Ok(_) => panic!("opened"),
    };
    assert_eq!(fault.kind, FaultKind::Config);
    assert!(fault.to_string().contains("nowhere"), "{fault}");
}

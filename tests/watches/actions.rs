//! Actions at an API server: exact patches, refusals, and the audit file before and after.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farwatch::config::{Cluster, Config, Endpoint, Roles};
use farwatch::model::action::{Action, ActionRequest};
use farwatch::model::gitops::AppKind;
use farwatch::model::id::ClusterId;
use farwatch::model::identity::Role;
use farwatch::model::time::Timestamp;
use farwatch::source::actions::{Actions, Reach};
use farwatch::source::kubernetes::Server;
use farwatch::source::supervisor::Gate;
use serde_json::{Value, json};

use crate::apiserver::{ApiServer, Fault, User, wire};
use crate::console::kube;

struct Desk {
    server: ApiServer,
    actions: Actions,
    folder: tempfile::TempDir,
    /// Which one the operator confirmed.
    alertmanager: String,
}

/// An API server with one application of each tool, and a console that may act.
async fn desk() -> Desk {
    desk_with(true, Role::Operator).await
}

/// One that also has an Alertmanager at this address.
async fn desk_beside(alertmanager: &wire::Server) -> Desk {
    desk_within(alertmanager, Duration::from_secs(20)).await
}

/// The same, which waits no longer for its answer.
async fn desk_within(alertmanager: &wire::Server, timeout: Duration) -> Desk {
    let endpoint = Endpoint {
        url: alertmanager.url(),
        timeout,
        ..Endpoint::default()
    };
    let gate = Gate::new(&endpoint, "alpha", None);
    desk_of(true, Role::Operator, Some(gate)).await
}

async fn desk_with(enabled: bool, default: Role) -> Desk {
    desk_of(enabled, default, None).await
}

async fn desk_of(enabled: bool, default: Role, alertmanager: Option<Gate>) -> Desk {
    let server = ApiServer::start().await;
    for (version, kind, namespace, name) in [
        ("argoproj.io/v1alpha1", "Application", "argocd", "shop"),
        (
            "kustomize.toolkit.fluxcd.io/v1",
            "Kustomization",
            "flux-system",
            "infra",
        ),
    ] {
        server.put(json!({"apiVersion": version, "kind": kind, "metadata": {"namespace": namespace, "name": name, "annotations": {"kept": "yes"}}, "spec": {"prune": true}}));
    }
    let folder = tempfile::tempdir().unwrap();
    let roles = Roles {
        default,
        ..Roles::default()
    };
    let config = Config {
        clusters: vec![Cluster {
            name: "alpha".into(),
            ..Cluster::default()
        }],
        actions: enabled,
        roles,
        ..Config::default()
    };
    let reach = Reach {
        server: Some(Server::new("alpha", &kube(&server))),
        alertmanagers: alertmanager.map(Arc::new).into_iter().collect(),
    };
    let confirmed = reach.alertmanagers.first().map(|gate| gate.shown());
    let audit = folder.path().join("state/actions.jsonl");
    let actions = Actions::new(
        Arc::new(config),
        Arc::new(move |_| reach.clone()),
        Some(audit),
    );
    Desk {
        server,
        actions,
        folder,
        alertmanager: confirmed.unwrap_or_default(),
    }
}

impl Desk {
    fn request(&self, action: Action) -> ActionRequest {
        ActionRequest {
            server: self.alertmanager.clone(),
            ..ActionRequest::new(ClusterId(0), action, "alice")
        }
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("state/actions.jsonl")
    }

    async fn act(&self, action: Action) -> Result<String, farwatch::model::fault::Fault> {
        self.actions.carry_out(self.request(action)).await.result
    }

    fn sent(&self) -> usize {
        self.server
            .seen()
            .iter()
            .filter(|s| s.verb == "patch")
            .count()
    }

    fn stages(&self) -> Vec<String> {
        lines(&self.file())
            .iter()
            .map(|l| l["stage"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

fn sync() -> Action {
    Action::Sync {
        namespace: "argocd".into(),
        name: "shop".into(),
        revision: Some("main".into()),
    }
}

fn refresh() -> Action {
    Action::Refresh {
        namespace: "argocd".into(),
        name: "shop".into(),
        hard: false,
    }
}

#[tokio::test]
async fn what_is_sent_is_what_was_shown() {
    let desk = desk().await;
    let reconcile = Action::Reconcile {
        kind: AppKind::Kustomization,
        namespace: "flux-system".into(),
        name: "infra".into(),
        at: Timestamp(1_795_271_527_000),
    };
    for action in [refresh(), sync(), reconcile] {
        let told = desk.act(action).await.unwrap();
        assert!(told.starts_with("accepted, resourceVersion "), "{told}");
    }
    let seen = desk.server.seen();
    let bodies: Vec<Value> = seen
        .iter()
        .filter(|s| s.verb == "patch")
        .map(|s| {
            assert_eq!(
                s.request.header("content-type"),
                Some("application/merge-patch+json")
            );
            assert_eq!(s.request.param("fieldManager"), Some("farwatch"));
            serde_json::from_slice(&s.request.body).unwrap()
        })
        .collect();
    assert_eq!(
        bodies,
        [
            json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}}),
            json!({"operation": {"initiatedBy": {"username": "alice"}, "sync": {"revision": "main", "prune": false}}}),
            json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "2026-11-21T14:32:07.000000000Z"}}}),
        ]
    );
    let written = lines(&desk.file());
    assert_eq!(
        desk.stages(),
        ["asked", "done", "asked", "done", "asked", "done"]
    );
    for (line, name) in [("cluster", "alpha"), ("user", "alice"), ("method", "PATCH")] {
        assert!(written.iter().all(|l| l[line] == name), "{written:?}");
    }
    assert_eq!(written[2]["action"], "sync");
    assert_eq!(written[2]["subject"], "Application argocd/shop");
    let body: Value = serde_json::from_str(written[2]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body, bodies[1]);
    let mode = std::fs::metadata(desk.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_file_that_others_could_read_is_closed_to_them_and_only_grows() {
    let desk = desk().await;
    std::fs::create_dir_all(desk.file().parent().unwrap()).unwrap();
    std::fs::write(desk.file(), "{\"stage\":\"old\"}\n").unwrap();
    std::fs::set_permissions(desk.file(), PermissionsExt::from_mode(0o644)).unwrap();
    desk.act(refresh()).await.unwrap();
    assert_eq!(desk.stages(), ["old", "asked", "done"]);
    let mode = std::fs::metadata(desk.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// A folder, a link to elsewhere, or no place at all: then nothing is sent.
#[tokio::test]
async fn without_the_audit_file_nothing_is_sent() {
    let desk = desk().await;
    std::fs::create_dir_all(desk.file()).unwrap();
    let fault = desk.act(refresh()).await.unwrap_err();
    assert!(fault.what.contains("nothing was sent"), "{fault}");
    std::fs::remove_dir(desk.file()).unwrap();
    let elsewhere = desk.folder.path().join("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, desk.file()).unwrap();
    desk.act(refresh()).await.unwrap_err();
    assert!(!elsewhere.exists());
    assert_eq!(desk.server.seen().len(), 0, "not even asked");
}

#[tokio::test]
async fn switched_off_or_as_a_viewer_nothing_is_sent() {
    let off = desk_with(false, Role::Admin).await;
    let fault = off.act(sync()).await.unwrap_err();
    assert!(fault.what.contains("actions are off"), "{fault}");
    assert_eq!(off.server.seen().len(), 0);
    let viewer = desk_with(true, Role::Viewer).await;
    let fault = viewer.act(sync()).await.unwrap_err();
    assert!(fault.what.contains("your role here is viewer"), "{fault}");
    assert_eq!(
        (viewer.sent(), viewer.stages()),
        (0, vec!["asked".into(), "refused".into()])
    );
}

#[tokio::test]
async fn the_permission_is_asked_anew_for_the_namespace() {
    let desk = desk().await;
    let text = std::fs::read_to_string(desk.server.kubeconfig()).unwrap();
    let (_, token) = text.split_once("token: ").unwrap();
    let token = token.split('}').next().unwrap();
    let user = User::new("alice", &[]).allow("get list watch", "argoproj.io", "applications");
    desk.server.user(token, user.clone());
    let fault = desk.act(refresh()).await.unwrap_err();
    assert!(
        fault
            .what
            .contains("not permitted: patch applications.argoproj.io in argocd"),
        "{fault}"
    );
    assert_eq!(desk.sent(), 0);
    // Granted meanwhile: no answer of before is believed.
    desk.server
        .user(token, user.allow("patch", "argoproj.io", "applications"));
    desk.act(refresh()).await.unwrap();
    assert_eq!((desk.sent(), desk.stages().len()), (1, 4));
}

#[tokio::test]
async fn a_sync_waits_for_the_operation_before() {
    let desk = desk().await;
    let application = |fields: Value| {
        let mut object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"namespace": "argocd", "name": "shop"}, "spec": {}});
        object
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        object
    };
    for busy in [
        json!({"operation": {"sync": {}}}),
        json!({"status": {"operationState": {"phase": "Running"}}}),
        json!({"status": {"operationState": {"phase": "Terminating"}}}),
    ] {
        desk.server.put(application(busy));
        let fault = desk.act(sync()).await.unwrap_err();
        assert!(fault.what.contains("an operation is under way"), "{fault}");
    }
    assert_eq!(desk.sent(), 0);
    let over = json!({"status": {"operationState": {"phase": "Succeeded"}}});
    desk.server.put(application(over));
    desk.act(sync()).await.unwrap();
    assert_eq!(desk.sent(), 1);
}

#[tokio::test]
async fn refusals_of_the_server_are_told_and_written() {
    let desk = desk().await;
    desk.server
        .fault(Fault::forbidden("patch", "applications").once());
    let fault = desk.act(refresh()).await.unwrap_err();
    assert!(fault.what.contains("403, not permitted"), "{fault}");
    assert!(fault.hint.contains("farwatch-act"), "{fault}");
    let conflict = "the object has been modified; please apply your changes to the latest version";
    desk.server
        .fault(Fault::status("patch", "applications", 409, "Conflict", conflict).once());
    let fault = desk.act(refresh()).await.unwrap_err();
    assert!(
        fault.what.contains("409") && fault.what.contains("modified"),
        "{fault}"
    );
    let gone = Action::Refresh {
        namespace: "argocd".into(),
        name: "gone".into(),
        hard: false,
    };
    let fault = desk.act(gone).await.unwrap_err();
    assert!(fault.what.contains("404, it is not there"), "{fault}");
    assert_eq!(
        desk.stages(),
        ["asked", "failed", "asked", "failed", "asked", "failed"]
    );
    let outcome = lines(&desk.file())[1]["outcome"].clone();
    assert!(outcome.as_str().unwrap().contains("403"), "{outcome}");
    assert_eq!(desk.sent(), 3, "each was sent once");
}

fn silence() -> Action {
    Action::Silence {
        matchers: vec![("alertname".into(), "Noise".into())],
        from: Timestamp(1_795_271_527_000),
        until: Timestamp(1_795_271_528_000),
        comment: "known".into(),
    }
}

/// What an Alertmanager does with a change, and the methods it was asked with.
async fn alertmanager(
    status: u16,
    header: (&'static str, &'static str),
    body: &'static str,
) -> (wire::Server, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = asked.clone();
    let server = wire::Server::start(Arc::new(move |request, stream| {
        noted.lock().unwrap().push(request.method.clone());
        Box::pin(async move {
            match (request.method.as_str(), status) {
                ("GET", _) => wire::reply(stream, 200, "application/json", &[], b"[]").await,
                (_, 0) => wire::never(stream).await,
                _ => {
                    wire::reply(
                        stream,
                        status,
                        "application/json",
                        &[header],
                        body.as_bytes(),
                    )
                    .await
                }
            }
        })
    }));
    (server.await, asked)
}

#[tokio::test]
async fn a_change_follows_no_redirect() {
    for (status, place) in [
        (302, "/elsewhere"),
        (303, "http://localhost:9/"),
        (307, "/elsewhere"),
    ] {
        let (server, asked) = alertmanager(status, ("Location", place), "").await;
        let desk = desk_beside(&server).await;
        for (action, method) in [
            (silence(), "POST"),
            (Action::Expire { id: "a".into() }, "DELETE"),
        ] {
            let fault = desk.act(action).await.unwrap_err();
            assert!(fault.what.contains("redirected to"), "{fault}");
            assert_eq!(*asked.lock().unwrap(), [method], "sent once, {status}");
            asked.lock().unwrap().clear();
        }
        assert_eq!(desk.stages(), ["asked", "failed", "asked", "failed"]);
    }
}

#[tokio::test]
async fn a_silence_without_a_name_is_not_told_as_made() {
    let (server, _) = alertmanager(200, ("x-a", "b"), "{\"silenceID\":\"\"}").await;
    let desk = desk_beside(&server).await;
    let fault = desk.act(silence()).await.unwrap_err();
    assert!(fault.what.contains("names no silence"), "{fault}");
    assert!(fault.what.contains("is not known"), "{fault}");
    assert_eq!(desk.stages(), ["asked", "failed"]);
    let (server, _) = alertmanager(200, ("x-a", "b"), "{\"silenceID\":\"s1\"}").await;
    let desk = desk_beside(&server).await;
    assert_eq!(desk.act(silence()).await.unwrap(), "accepted, silence s1");
}

#[tokio::test]
async fn without_an_answer_nobody_knows_whether_it_was_done() {
    let (server, asked) = alertmanager(0, ("x-a", "b"), "").await;
    let desk = desk_within(&server, Duration::from_secs(3)).await;
    let fault = desk.act(silence()).await.unwrap_err();
    assert!(fault.what.contains("no answer within"), "{fault}");
    assert!(
        fault.what.contains("whether it was done is not known"),
        "{fault}"
    );
    let outcome = lines(&desk.file())[1]["outcome"].clone();
    assert!(
        outcome.as_str().unwrap().contains("is not known"),
        "{outcome}"
    );
    assert_eq!(asked.lock().unwrap().len(), 1);
    // A refusal leaves no doubt.
    let (server, _) = alertmanager(400, ("x-a", "b"), "\"bad matcher\"").await;
    let desk = desk_beside(&server).await;
    let fault = desk.act(silence()).await.unwrap_err();
    assert!(!fault.what.contains("is not known"), "{fault}");
}

#[tokio::test]
async fn only_the_alertmanager_that_was_confirmed_is_asked() {
    let (server, asked) = alertmanager(200, ("x-a", "b"), "{\"silenceID\":\"s1\"}").await;
    let mut desk = desk_beside(&server).await;
    let address = std::mem::replace(&mut desk.alertmanager, "http://former:9093".into());
    let fault = desk.act(silence()).await.unwrap_err();
    assert!(
        fault.what.contains("http://former:9093 was confirmed"),
        "{fault}"
    );
    assert!(asked.lock().unwrap().is_empty());
    assert_eq!(desk.stages(), ["asked", "refused"]);
    desk.alertmanager = address.clone();
    desk.act(silence()).await.unwrap();
    assert_eq!(lines(&desk.file())[3]["server"], address);
}

#[tokio::test]
async fn what_is_under_way_is_waited_for() {
    let desk = desk().await;
    let slow = Fault::slow("patch", "applications", Duration::from_millis(700));
    desk.server.fault(slow.once());
    drop(desk.actions.begin(desk.request(refresh())));
    assert!(!desk.actions.is_idle());
    desk.actions.finish().await;
    assert_eq!(desk.stages(), ["asked", "done"]);
    assert!(desk.actions.is_idle());
}

//! Actions at an API server: exact patches, refusals, and the audit file before and after.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use farwatch::config::{Cluster, Config, Roles};
use farwatch::model::action::{Action, ActionRequest};
use farwatch::model::gitops::AppKind;
use farwatch::model::id::ClusterId;
use farwatch::model::identity::Role;
use farwatch::model::time::Timestamp;
use farwatch::source::actions::{Actions, Reach};
use farwatch::source::kubernetes::Server;
use serde_json::{Value, json};

use crate::apiserver::{ApiServer, Fault, User};
use crate::console::kube;

struct Desk {
    server: ApiServer,
    actions: Actions,
    folder: tempfile::TempDir,
}

/// An API server with one application of each tool, and a console that may act.
async fn desk() -> Desk {
    desk_with(true, Role::Operator).await
}

async fn desk_with(enabled: bool, default: Role) -> Desk {
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
        alertmanager: None,
    };
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
    }
}

impl Desk {
    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("state/actions.jsonl")
    }

    async fn act(&self, action: Action) -> Result<String, farwatch::model::fault::Fault> {
        let request = ActionRequest {
            cluster: ClusterId(0),
            action,
            by: "alice".into(),
        };
        self.actions.carry_out(request).await.result
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

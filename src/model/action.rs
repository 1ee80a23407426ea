//! What the console can change, and nothing else: refresh and sync of Argo CD, reconcile of Flux,
//! silences of Alertmanager. The request that is shown is the request that is sent: both come from
//! [`ActionRequest::wire`].

use serde_json::{Value, json};

use super::api::ApiKind;
use super::chat::RunId;
use super::fault::Fault;
use super::gitops::AppKind;
use super::id::ClusterId;
use super::identity::{Right, Role};
use super::object::ObjectKind;
use super::rights;
use super::time::Timestamp;

/// The role it takes to act.
pub const NEEDED: Role = Role::Operator;

/// Hours that a silence may last.
pub const SILENCE_HOURS: [u8; 5] = [1, 2, 4, 8, 24];

/// A label and the value it must have.
pub type Matcher = (String, String);

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Compares with the repository again; `hard` forgets the rendered manifests too.
    Refresh {
        namespace: String,
        name: String,
        hard: bool,
    },
    /// Deploys what is wanted. Never prunes.
    Sync {
        namespace: String,
        name: String,
        /// `None`: what the application tracks.
        revision: Option<String>,
    },
    Reconcile {
        kind: AppKind,
        namespace: String,
        name: String,
        at: Timestamp,
    },
    Silence {
        matchers: Vec<Matcher>,
        from: Timestamp,
        until: Timestamp,
        comment: String,
    },
    /// Ends a silence.
    Expire { id: String },
}

/// Which server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    Kubernetes,
    Alertmanager,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ActionRequest {
    pub cluster: ClusterId,
    pub action: Action,
    /// The operator's name as it stands in what is written.
    pub by: String,
    /// Address of the server as it was shown: no other is asked.
    pub server: String,
    /// The way there, where it is worth a word.
    pub via: Option<String>,
    /// The agent's call that wants it; `None`: the operator's own.
    pub proposer: Option<Proposer>,
}

/// A call of the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposer {
    pub run: RunId,
    pub call: String,
}

/// The exact request, without the sign-in.
#[derive(Clone, Debug, PartialEq)]
pub struct Wire {
    pub server: Server,
    pub method: &'static str,
    /// Under the address of the server.
    pub path: String,
    pub content_type: Option<&'static str>,
    pub body: Option<String>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Acted {
    pub request: ActionRequest,
    pub result: Result<String, Fault>,
}

impl Action {
    /// `sync`, `silence` …
    pub fn word(&self) -> &'static str {
        match self {
            Self::Refresh { hard: false, .. } => "refresh",
            Self::Refresh { hard: true, .. } => "hard refresh",
            Self::Sync { .. } => "sync",
            Self::Reconcile { .. } => "reconcile",
            Self::Silence { .. } => "silence",
            Self::Expire { .. } => "end silence",
        }
    }

    /// What it is done to: `Application argocd/shop`.
    pub fn subject(&self) -> String {
        match self {
            Self::Refresh {
                namespace, name, ..
            }
            | Self::Sync {
                namespace, name, ..
            } => format!("Application {namespace}/{name}"),
            Self::Reconcile {
                kind,
                namespace,
                name,
                ..
            } => format!("{} {namespace}/{name}", kind.as_str()),
            Self::Silence { matchers, .. } => {
                let of = |(name, value): &Matcher| format!("{name}={value:?}");
                matchers.iter().map(of).collect::<Vec<_>>().join(" ")
            }
            Self::Expire { id } => format!("silence {id}"),
        }
    }

    /// The right that the API server has to grant; Alertmanager knows none.
    pub fn right(&self) -> Option<Right> {
        let (kind, namespace) = match self {
            Self::Refresh { namespace, .. } | Self::Sync { namespace, .. } => {
                (AppKind::Application, namespace)
            }
            Self::Reconcile {
                kind, namespace, ..
            } => (*kind, namespace),
            Self::Silence { .. } | Self::Expire { .. } => return None,
        };
        Some(Right {
            namespace: Some(namespace.clone()),
            ..rights::to_patch(kind)?
        })
    }
}

impl ActionRequest {
    /// To a server that is yet to be named.
    pub fn new(cluster: ClusterId, action: Action, by: &str) -> Self {
        Self {
            cluster,
            action,
            by: by.to_owned(),
            server: String::new(),
            via: None,
            proposer: None,
        }
    }

    pub fn wire(&self) -> Wire {
        match &self.action {
            Action::Refresh {
                namespace,
                name,
                hard,
            } => {
                let how = if *hard { "hard" } else { "normal" };
                let body =
                    json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": how}}});
                patch(AppKind::Application, namespace, name, &body)
            }
            Action::Sync {
                namespace,
                name,
                revision,
            } => {
                let mut sync = json!({"prune": false});
                if let Some(revision) = revision {
                    sync = json!({"revision": revision, "prune": false});
                }
                let body =
                    json!({"operation": {"initiatedBy": {"username": self.by}, "sync": sync}});
                patch(AppKind::Application, namespace, name, &body)
            }
            Action::Reconcile {
                kind,
                namespace,
                name,
                at,
            } => {
                let at = nano(*at);
                let body =
                    json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": at}}});
                patch(*kind, namespace, name, &body)
            }
            Action::Silence {
                matchers,
                from,
                until,
                comment,
            } => {
                let matcher = |(name, value): &Matcher| json!({"name": name, "value": value, "isRegex": false, "isEqual": true});
                let body = json!({
                    "matchers": matchers.iter().map(matcher).collect::<Vec<_>>(),
                    "startsAt": from.rfc3339(),
                    "endsAt": until.rfc3339(),
                    "createdBy": self.by,
                    "comment": comment,
                });
                Wire {
                    server: Server::Alertmanager,
                    method: "POST",
                    path: "/api/v2/silences".into(),
                    content_type: Some("application/json"),
                    body: Some(body.to_string()),
                }
            }
            Action::Expire { id } => Wire {
                server: Server::Alertmanager,
                method: "DELETE",
                path: format!("/api/v2/silence/{}", segment(id)),
                content_type: None,
                body: None,
            },
        }
    }

    /// Path of the object that is patched, for a look at it before.
    pub fn object_path(&self) -> Option<String> {
        let wire = self.wire();
        let path = wire.path.split('?').next().unwrap_or_default();
        (wire.server == Server::Kubernetes).then(|| path.to_owned())
    }
}

/// A merge patch of these fields alone: whatever else changed meanwhile stays as it is.
fn patch(kind: AppKind, namespace: &str, name: &str, body: &Value) -> Wire {
    let ApiKind {
        group,
        version,
        plural,
        ..
    } = ObjectKind::of_app(kind).api();
    let (namespace, name) = (segment(namespace), segment(name));
    Wire {
        server: Server::Kubernetes,
        method: "PATCH",
        path: format!(
            "/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}?fieldManager=farwatch"
        ),
        content_type: Some("application/merge-patch+json"),
        body: Some(body.to_string()),
    }
}

/// One part of a path; what has a meaning in URLs is escaped.
fn segment(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                out.push(char::from(byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// RFC 3339 with nanoseconds, as `flux reconcile` writes it.
fn nano(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(at) => format!("{at:.9}"),
        Err(_) => at.rfc3339(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(action: Action) -> Wire {
        ActionRequest::new(ClusterId(0), action, "alice").wire()
    }

    fn named() -> (String, String) {
        ("argocd".into(), "shop".into())
    }

    #[test]
    fn requests_are_exactly_these() {
        let (namespace, name) = named();
        let refresh = wire(Action::Refresh {
            namespace,
            name,
            hard: true,
        });
        assert_eq!(refresh.method, "PATCH");
        assert_eq!(
            refresh.path,
            "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/shop?fieldManager=farwatch"
        );
        assert_eq!(
            refresh.body.as_deref(),
            Some(r#"{"metadata":{"annotations":{"argocd.argoproj.io/refresh":"hard"}}}"#)
        );
        let (namespace, name) = named();
        let sync = wire(Action::Sync {
            namespace,
            name,
            revision: Some("main".into()),
        });
        assert_eq!(
            sync.body.as_deref(),
            Some(
                r#"{"operation":{"initiatedBy":{"username":"alice"},"sync":{"prune":false,"revision":"main"}}}"#
            )
        );
        let flux = wire(Action::Reconcile {
            kind: AppKind::HelmRelease,
            namespace: "shop".into(),
            name: "cart".into(),
            at: Timestamp(1_795_271_527_123),
        });
        assert_eq!(
            flux.path,
            "/apis/helm.toolkit.fluxcd.io/v2/namespaces/shop/helmreleases/cart?fieldManager=farwatch"
        );
        assert_eq!(
            flux.body.as_deref(),
            Some(
                r#"{"metadata":{"annotations":{"reconcile.fluxcd.io/requestedAt":"2026-11-21T14:32:07.123000000Z"}}}"#
            )
        );
    }

    #[test]
    fn names_from_outside_stay_in_their_place() {
        let expire = wire(Action::Expire {
            id: "../alerts?x=1#".into(),
        });
        assert_eq!(expire.path, "/api/v2/silence/..%2Falerts%3Fx%3D1%23");
        let silence = wire(Action::Silence {
            matchers: vec![("a".into(), "\"},{".into())],
            from: Timestamp(0),
            until: Timestamp(1),
            comment: "\"".into(),
        });
        let body: Value = serde_json::from_str(&silence.body.unwrap()).unwrap();
        assert_eq!(body["matchers"][0]["value"], "\"},{");
        assert_eq!(body["matchers"].as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn each_change_of_an_object_names_its_right() {
        let (namespace, name) = named();
        let action = Action::Sync {
            namespace,
            name,
            revision: None,
        };
        let right = action.right().expect("a right");
        assert_eq!(
            right.to_string(),
            "patch applications.argoproj.io in argocd"
        );
        let expire = Action::Expire { id: "x".into() };
        assert_eq!(expire.right(), None);
    }
}

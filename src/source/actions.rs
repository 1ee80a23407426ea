//! Carries out what the operator confirmed: allowed by the switch, by the role, by the server; told
//! to the audit file before and after; sent once.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::audit::{Audit, Deed, Stage};
use super::door::BODY_LIMIT;
use super::error::{Cause, SourceError};
use super::kubernetes::{Cluster, Server, fault, identity};
use super::supervisor::Gate;
use crate::config::Config;
use crate::model::action::{Acted, Action, ActionRequest, NEEDED, Server as To, Wire};
use crate::model::fault::{Fault, FaultKind};
use crate::model::id::ClusterId;
use crate::model::identity::Role;
use crate::model::text::clean;

const LIMIT: Duration = Duration::from_secs(15);
/// A little longer than one answer may take.
const LEAVING: Duration = Duration::from_secs(16);

/// Ways to the servers of one cluster.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    pub server: Option<Server>,
    pub alertmanagers: Vec<Arc<Gate>>,
}

/// The ways to a cluster as they are now: what was found later counts.
pub type Ways = Arc<dyn Fn(ClusterId) -> Reach + Send + Sync>;

/// Everything that can change a cluster.
#[derive(Clone)]
pub struct Actions {
    config: Arc<Config>,
    ways: Ways,
    audit: Audit,
    /// What is under way.
    begun: TaskTracker,
}

/// Why it was not done, and whether it may have been.
struct Failure {
    stage: Stage,
    fault: Fault,
}

impl Actions {
    /// `audit`: the file; without one nothing is ever sent.
    pub fn new(config: Arc<Config>, ways: Ways, audit: Option<PathBuf>) -> Self {
        Self {
            config,
            ways,
            audit: Audit::new(audit),
            begun: TaskTracker::new(),
        }
    }

    /// Begins it; it goes on whoever still waits for it.
    pub fn begin(&self, request: ActionRequest) -> JoinHandle<Acted> {
        let own = self.clone();
        let work = async move { own.carry_out(request).await };
        self.begun.spawn(work)
    }

    /// Writes down what the agent proposed and nobody let through.
    pub fn refused(&self, request: ActionRequest, why: &'static str) {
        let own = self.clone();
        self.begun.spawn(async move {
            let cluster = own.config.clusters.get(usize::from(request.cluster.0));
            let name = cluster.map(|c| c.name.as_str()).unwrap_or_default();
            let deed = Deed {
                allowed_by: None,
                ..Deed::of(name, &request)
            };
            if let Err(why) = own.audit.write(&deed, Stage::Refused, why).await {
                tracing::warn!(%why, "a refusal is not in the audit file");
            }
        });
    }

    pub fn is_idle(&self) -> bool {
        self.begun.is_empty()
    }

    /// Waits for what is under way, as long as an answer may take.
    pub async fn finish(&self) {
        self.begun.close();
        let _ = tokio::time::timeout(LEAVING, self.begun.wait()).await;
    }

    pub async fn carry_out(&self, request: ActionRequest) -> Acted {
        let result = self.attempt(&request).await;
        Acted { request, result }
    }

    async fn attempt(&self, request: &ActionRequest) -> Result<String, Fault> {
        let name = self.config.clusters.get(usize::from(request.cluster.0));
        let name = name.map(|c| c.name.as_str()).unwrap_or_default();
        let wire = request.wire();
        let refuse = |kind, what: String, hint: &str| Fault {
            kind,
            cluster: name.to_owned(),
            endpoint: wire.path.clone(),
            what,
            hint: hint.to_owned(),
        };
        if !self.config.may_act(request.cluster) {
            let what = "actions are off; nothing was sent".to_owned();
            return Err(refuse(
                FaultKind::Config,
                what,
                "start with --allow-actions",
            ));
        }
        let deed = Deed::of(name, request);
        if let Err(why) = self.audit.write(&deed, Stage::Asked, "").await {
            let what = format!("the audit file cannot be written, so nothing was sent: {why}");
            let hint = "make the file and its folder yours to write";
            return Err(refuse(FaultKind::Config, what, hint));
        }
        let result = self.checked(name, request, &wire).await;
        let (stage, outcome) = match &result {
            Ok(told) => (Stage::Done, told.clone()),
            Err(failure) => (failure.stage, failure.fault.what.clone()),
        };
        let written = self.audit.write(&deed, stage, &outcome).await;
        match (result, written) {
            (Ok(told), Ok(())) => Ok(told),
            (Ok(told), Err(why)) => Ok(format!("{told}; but the audit file lacks it: {why}")),
            (Err(failure), _) => Err(failure.fault),
        }
    }

    async fn checked(
        &self,
        name: &str,
        request: &ActionRequest,
        wire: &Wire,
    ) -> Result<String, Failure> {
        let reach = (self.ways)(request.cluster);
        let refuse = |kind, what: String| Failure {
            stage: Stage::Refused,
            fault: Fault {
                kind,
                cluster: name.to_owned(),
                endpoint: wire.path.clone(),
                what,
                hint: "nothing was sent".into(),
            },
        };
        self.role(&reach, request)
            .await
            .map_err(|fault| Failure {
                stage: Stage::Refused,
                fault,
            })
            .and_then(|role| match role >= NEEDED {
                true => Ok(()),
                false => {
                    let (role, needed) = (role.word(), NEEDED.word());
                    let what = format!("your role here is {role}; {needed} is needed");
                    Err(refuse(FaultKind::Forbidden, what))
                }
            })?;
        match wire.server {
            To::Alertmanager => match the_confirmed(&reach, &request.server) {
                Ok(gate) => to_alertmanager(gate, wire).await,
                Err(what) => Err(refuse(FaultKind::Config, what)),
            },
            To::Kubernetes => {
                let Some(server) = &reach.server else {
                    let what = "no Kubernetes API is configured".to_owned();
                    return Err(refuse(FaultKind::Config, what));
                };
                permitted(server, request, &refuse).await?;
                let cluster = server.cluster().await.map_err(|fault| Failure {
                    stage: Stage::Refused,
                    fault,
                })?;
                idle(&cluster, request, &refuse).await?;
                to_kubernetes(&cluster, request, wire).await
            }
        }
    }

    /// The role as it is now, not as it was when the screen was drawn.
    async fn role(&self, reach: &Reach, request: &ActionRequest) -> Result<Role, Fault> {
        let roles = self.config.roles(request.cluster);
        match &reach.server {
            Some(server) => identity::role(server, roles).await,
            None => Ok(roles.default),
        }
    }
}

/// The Alertmanager of the dialog. Discovery may have found another in its place since.
fn the_confirmed<'r>(reach: &'r Reach, confirmed: &str) -> Result<&'r Gate, String> {
    let all = &reach.alertmanagers;
    if let Some(gate) = all.iter().find(|gate| gate.shown() == confirmed) {
        return Ok(gate);
    }
    let now: Vec<String> = all.iter().map(|gate| gate.shown()).collect();
    Err(match now.is_empty() {
        true => "no Alertmanager is configured".to_owned(),
        false => {
            let now = now.join(" and ");
            format!("the Alertmanager is now {now}, and {confirmed} was confirmed")
        }
    })
}

async fn permitted(
    server: &Server,
    request: &ActionRequest,
    refuse: &impl Fn(FaultKind, String) -> Failure,
) -> Result<(), Failure> {
    let Some(right) = request.action.right() else {
        return Ok(());
    };
    let review = server.review_now(right, request.action.word()).await;
    let why = match review.reason.as_str() {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    match review.allowed {
        Some(true) => Ok(()),
        Some(false) => {
            let what = format!("not permitted: {}{why}", review.right);
            Err(refuse(FaultKind::Forbidden, what))
        }
        None => {
            let what = format!("whether {} is permitted was not told{why}", review.right);
            Err(refuse(FaultKind::Server, what))
        }
    }
}

/// A sync would replace an operation that is under way: looked at once more right before.
async fn idle(
    cluster: &Cluster,
    request: &ActionRequest,
    refuse: &impl Fn(FaultKind, String) -> Failure,
) -> Result<(), Failure> {
    let (Action::Sync { .. }, Some(path)) = (&request.action, request.object_path()) else {
        return Ok(());
    };
    let asked = http::Request::get(path).body(Vec::new());
    let before = |fault| Failure {
        stage: Stage::Refused,
        fault,
    };
    let found = send(cluster, asked, "get").await.map_err(before)?;
    let phase = found.pointer("/status/operationState/phase");
    let phase = phase.and_then(Value::as_str).unwrap_or_default();
    let busy = matches!(phase, "Running" | "Terminating");
    if busy || found.get("operation").is_some_and(|o| !o.is_null()) {
        let what = format!(
            "an operation is under way ({})",
            match phase {
                "" => "asked for",
                phase => phase,
            }
        );
        return Err(refuse(FaultKind::Server, clean(&what, 200)));
    }
    Ok(())
}

async fn to_kubernetes(
    cluster: &Cluster,
    request: &ActionRequest,
    wire: &Wire,
) -> Result<String, Failure> {
    let mut asked = http::Request::builder().method(wire.method).uri(&wire.path);
    if let Some(kind) = wire.content_type {
        asked = asked.header(http::header::CONTENT_TYPE, kind);
    }
    let body = wire.body.clone().unwrap_or_default().into_bytes();
    let doing = request.action.word();
    let answer = send(cluster, asked.body(body), doing).await;
    let answer = answer.map_err(sent)?;
    let version = answer.pointer("/metadata/resourceVersion");
    let Some(version) = version.and_then(Value::as_str) else {
        return Err(sent(Fault {
            kind: FaultKind::BadPayload,
            cluster: cluster.name.clone(),
            endpoint: cluster.place.clone(),
            what: format!("{doing}: the answer is no object"),
            hint: String::new(),
        }));
    };
    Ok(clean(&format!("accepted, resourceVersion {version}"), 200))
}

async fn send(
    cluster: &Cluster,
    request: http::Result<http::Request<Vec<u8>>>,
    doing: &str,
) -> Result<Value, Fault> {
    let told = |e: &kube::Error| of_error(e, cluster, doing);
    let request = request.map_err(|e| told(&kube::Error::HttpError(e)))?;
    match tokio::time::timeout(LIMIT, cluster.client.request::<Value>(request)).await {
        Ok(answer) => answer.map_err(|e| told(&e)),
        Err(_) => Err(fault::timeout(&cluster.name, &cluster.place, LIMIT)),
    }
}

/// What a refusal of a change means is not what a refusal of a watch means.
fn of_error(error: &kube::Error, cluster: &Cluster, doing: &str) -> Fault {
    let general = cluster.fault(error, doing);
    let kube::Error::Api(status) = error else {
        return general;
    };
    let message = clean(status.message.trim(), 300);
    let (what, hint) = match status.code {
        403 => (
            format!("{doing}: 403, not permitted: {message}"),
            "docs/rbac.yaml has the role `farwatch-act`",
        ),
        404 => (
            format!("{doing}: 404, it is not there: {message}"),
            "it was deleted, or its API has another version on this server",
        ),
        409 => (
            format!("{doing}: 409, it was changed at the same time: {message}"),
            "look at it again, then repeat",
        ),
        _ => return general,
    };
    let kind = match status.code {
        // Not one of doubt, as other unexpected statuses are.
        409 => FaultKind::BadQuery,
        _ => general.kind,
    };
    Fault {
        kind,
        what,
        hint: hint.into(),
        ..general
    }
}

async fn to_alertmanager(gate: &Gate, wire: &Wire) -> Result<String, Failure> {
    let before = |error: SourceError| Failure {
        stage: Stage::Refused,
        fault: error.fault(),
    };
    let door = gate.door().await.map_err(before)?;
    let method = match wire.method {
        "DELETE" => Method::DELETE,
        _ => Method::POST,
    };
    let mut request = door.change(method.clone(), &wire.path).map_err(before)?;
    if let (Some(kind), Some(body)) = (wire.content_type, &wire.body) {
        request = request.header(CONTENT_TYPE, kind).body(body.clone());
    }
    let reply = door.whole(request, BODY_LIMIT, false).await;
    let reply = reply.map_err(|error| sent(error.fault()))?;
    if method == Method::DELETE {
        return Ok("accepted".into());
    }
    let told: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    match told.get("silenceID").and_then(Value::as_str) {
        Some(id) if !id.is_empty() => Ok(format!("accepted, silence {}", clean(id, 64))),
        _ => {
            let cause = Cause::Payload("it names no silence".to_owned());
            Err(sent(door.error(&wire.path, cause).fault()))
        }
    }
}

/// It was sent, and failed. Where no server refused it in so many words, it may still be done.
fn sent(fault: Fault) -> Failure {
    use FaultKind::{BadPayload, Server, Timeout, Unreachable};
    let fault = match fault.kind {
        Timeout | Unreachable | BadPayload | Server => Fault {
            what: format!("{}; whether it was done is not known", fault.what),
            hint: "look at it again before you repeat it".into(),
            ..fault
        },
        _ => fault,
    };
    Failure {
        stage: Stage::Failed,
        fault,
    }
}

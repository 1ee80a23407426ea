//! Kubernetes: version, and watches of nodes, pods, events and SR-IOV node states.
//!
//! Sign-in, proxies and certificates are those of the kubeconfig. Objects are state, not a
//! stream: nothing of them is dropped, a slow loop slows the watch.

mod fault;
mod map;
mod watch;

use std::time::Duration;

use k8s_openapi::api::core::v1 as core;
use kube::api::GetParams;
use kube::client::Body;
use kube::config::{ExecInteractiveMode, KubeConfigOptions, Kubeconfig};
use kube::core::{DynamicObject, Status};
use kube::{Api, Client};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::door;
use super::error::quote;
use super::report::Report;
use crate::clock;
use crate::config::Kube;
use crate::model::fault::{Fault, FaultKind};
use crate::model::object::ObjectKind;
use crate::model::telemetry::{self, ClusterFacts};
use crate::model::text;

pub use map::{event, node, pod, sriov_node_state};

use watch::{Told, Watch, sriov_resource};

const READ_VERSION: &str = "read /version";
const CONNECT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(15);
/// A resource that is not installed or not ours to read is looked for again after this.
const ABSENT: Duration = Duration::from_secs(600);
/// A watch is silent by nature: this shows that the server is there.
const VERSION_EVERY: Duration = Duration::from_secs(30);
const TELL_EVERY: Duration = Duration::from_secs(10);

/// A signed-in client and how its place is called in messages.
#[derive(Clone)]
pub struct Cluster {
    pub client: Client,
    pub name: String,
    /// `context NAME (https://host:6443)`.
    pub place: String,
    timeout: Duration,
}

/// Reads the kubeconfig and makes a client; asks the server nothing yet, but a login command may
/// run when the first request needs it.
pub async fn open(name: &str, kube: &Kube) -> Result<Cluster, Fault> {
    let wanted = kube.context.clone();
    let place = match (&wanted, &kube.kubeconfig) {
        (Some(context), _) => format!("context {context}"),
        (None, Some(file)) => file.display().to_string(),
        (None, None) => "current context".to_owned(),
    };
    let wrong = |what: String| Fault {
        kind: FaultKind::Config,
        cluster: name.to_owned(),
        endpoint: text::clean(&place, 200),
        what: text::clean(&what, 300),
        hint:
            "check `kube.context` and `kube.kubeconfig`; `kubectl config get-contexts` lists them"
                .into(),
    };
    let mut kubeconfig = match &kube.kubeconfig {
        Some(file) => Kubeconfig::read_from(file),
        None => Kubeconfig::read(),
    }
    .map_err(|e| wrong(fault::kubeconfig(&e)))?;
    // A login command must never talk to the terminal: the screen is ours.
    for user in &mut kubeconfig.auth_infos {
        if let Some(exec) = user.auth_info.as_mut().and_then(|a| a.exec.as_mut()) {
            exec.interactive_mode = Some(ExecInteractiveMode::Never);
        }
    }
    let options = KubeConfigOptions {
        context: wanted,
        ..KubeConfigOptions::default()
    };
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|e| wrong(fault::kubeconfig(&e)))?;
    config.connect_timeout = Some(CONNECT);
    // We wait ourselves, in sight of the operator.
    config.default_retry = false;
    let host = config.cluster_url.authority().map_or("", |a| a.as_str());
    let host = host.rsplit('@').next().unwrap_or_default();
    let scheme = config.cluster_url.scheme_str().unwrap_or("https");
    let place = text::clean(&format!("{place} ({scheme}://{host})"), 200);
    let client = Client::try_from(config).map_err(|e| fault::of(&e, name, &place, "sign in"))?;
    Ok(Cluster {
        client,
        name: name.to_owned(),
        place,
        timeout: match kube.timeout {
            Duration::ZERO => TIMEOUT,
            set => set,
        },
    })
}

/// What the server says of itself, with how it was got.
pub struct Seen {
    /// `v1.33.4`.
    pub version: String,
    pub latency: Duration,
    /// Server's clock minus ours, from `Date`.
    pub skew_ms: Option<i64>,
}

impl Cluster {
    /// The server's version; also the cheapest sign of life.
    pub async fn version(&self) -> Result<Seen, Fault> {
        match tokio::time::timeout(self.timeout, self.ask_version()).await {
            Ok(Ok(seen)) => Ok(seen),
            Ok(Err(e)) => Err(fault::of(&e, &self.name, &self.place, READ_VERSION)),
            Err(_) => Err(fault::timeout(&self.name, &self.place, self.timeout)),
        }
    }

    /// Asked by hand: the client's own call tells neither the server's clock nor, for an answer
    /// that is no Kubernetes status, the HTTP status.
    async fn ask_version(&self) -> Result<Seen, kube::Error> {
        #[derive(Deserialize)]
        struct Info {
            #[serde(rename = "gitVersion")]
            git_version: String,
        }
        let request = kube::core::Request::new("").get("version", &GetParams::default());
        let request = request.map_err(kube::Error::BuildRequest)?;
        let started = clock::instant();
        let answer = self.client.send(request.map(Body::from)).await?;
        let skew_ms = door::skew(answer.headers(), started.elapsed());
        let status = answer.status();
        let body = answer.into_body().collect_bytes().await?;
        if !status.is_success() {
            let message = quote(&body);
            return Err(kube::Error::Api(
                Status::failure(&message, "")
                    .with_code(status.as_u16())
                    .boxed(),
            ));
        }
        let info: Info = serde_json::from_slice(&body).map_err(kube::Error::SerdeError)?;
        Ok(Seen {
            version: text::clean(&info.git_version, 60),
            latency: started.elapsed(),
            skew_ms,
        })
    }
}

/// Watches until the loop is gone. Every fault is told and tried again.
pub async fn run(name: String, kube: Kube, mut report: Report) {
    loop {
        let fault = match session(&mut report, &name, &kube).await {
            Ok(()) => return,
            Err(fault) => fault,
        };
        tracing::info!(fault = %fault, "kubernetes source ended");
        match report.failed(fault, None).await {
            Some(delay) => report.waits.rest(delay).await,
            None => return,
        }
    }
}

/// From sign-in to the first fault that concerns the whole server. `Ok`: the loop is gone.
async fn session(report: &mut Report, name: &str, kube: &Kube) -> Result<(), Fault> {
    let cluster = open(name, kube).await?;
    if !tell_version(report, &cluster).await? {
        return Ok(());
    }
    let (told, mut heard) = mpsc::channel(8);
    let mut watches = tokio::task::JoinSet::new();
    let client = &cluster.client;
    let waits = || report.waits.again();
    let watch = |kind, resource| Watch::new(&cluster, kind, resource, waits(), told.clone());
    watches.spawn(
        watch(ObjectKind::Node, "nodes").run(Api::<core::Node>::all(client.clone()), map::node),
    );
    watches
        .spawn(watch(ObjectKind::Pod, "pods").run(Api::<core::Pod>::all(client.clone()), map::pod));
    watches.spawn(
        watch(ObjectKind::Event, "events").run(Api::<core::Event>::all(client.clone()), map::event),
    );
    let resource = sriov_resource();
    let api = Api::<DynamicObject>::all_with(client.clone(), &resource);
    watches.spawn(
        watch(ObjectKind::SriovNodeState, "sriovnetworknodestates")
            .optional(ABSENT)
            .run(api, map::sriov_node_state),
    );
    drop(told);
    let every = kube.interval.filter(|i| !i.is_zero());
    let mut version = tokio::time::interval(every.unwrap_or(VERSION_EVERY));
    version.set_missed_tick_behavior(MissedTickBehavior::Delay);
    version.tick().await;
    let mut tell = tokio::time::interval(TELL_EVERY);
    let mut state = State::default();
    loop {
        tokio::select! {
            item = heard.recv() => {
                let Some(item) = item else {
                    return Ok(());
                };
                if !state.take(report, item).await? {
                    return Ok(());
                }
            }
            _ = version.tick() => {
                if !tell_version(report, &cluster).await? {
                    return Ok(());
                }
            }
            _ = tell.tick() => {
                if !report.tell().await {
                    return Ok(());
                }
            }
        }
    }
}

async fn tell_version(report: &mut Report, cluster: &Cluster) -> Result<bool, Fault> {
    let seen = cluster.version().await?;
    let health = &mut report.health;
    health.latency_ms = u32::try_from(seen.latency.as_millis()).ok();
    health.skew_ms = seen.skew_ms.or(health.skew_ms);
    health.version = Some(seen.version.clone());
    report.heard(0);
    let facts = ClusterFacts {
        kubernetes_version: Some(seen.version),
        ..ClusterFacts::default()
    };
    let telemetry = report.wrap(telemetry::Body::Facts(facts));
    Ok(report.outlet.send(telemetry).await)
}

/// Faults of the single watches; the source is as well as the worst of them.
#[derive(Default)]
struct State {
    faults: Vec<(ObjectKind, Fault)>,
    live: bool,
}

impl State {
    /// False when the loop is gone; an error ends the session.
    async fn take(&mut self, report: &mut Report, told: Told) -> Result<bool, Fault> {
        match told {
            Told::Batch(batch) => {
                report.heard(0);
                let kind = batch.kind;
                let telemetry = report.wrap(telemetry::Body::Objects(batch));
                if !report.outlet.send(telemetry).await {
                    return Ok(false);
                }
                let known = self.faults.len();
                self.faults.retain(|(k, _)| *k != kind);
                if self.faults.is_empty() && (!self.live || known > 0) {
                    self.live = true;
                    return Ok(report.live().await);
                }
                Ok(true)
            }
            // Signing in again may help; one missing right leaves the other watches alone.
            Told::Failed(_, fault) if fault.kind == FaultKind::Auth => Err(fault),
            Told::Failed(kind, fault) => {
                self.faults.retain(|(k, _)| *k != kind);
                self.faults.push((kind, fault));
                self.live = false;
                let worst = self
                    .faults
                    .iter()
                    .find(|(_, f)| f.kind != FaultKind::Forbidden)
                    .or(self.faults.first())
                    .map(|(_, f)| f.clone());
                match worst {
                    Some(fault) => Ok(report.failed(fault, None).await.is_some()),
                    None => Ok(true),
                }
            }
        }
    }
}

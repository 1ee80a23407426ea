//! Kubernetes: version, and watches of nodes, pods, events and SR-IOV node states.
//!
//! Sign-in, proxies and certificates are those of the kubeconfig. Objects are state, not a
//! stream: nothing of them is dropped, a slow loop slows the watch.

mod access;
mod ask;
pub(super) mod fault;
mod get;
pub mod identity;
mod logs;
mod map;
mod object;
mod server;
mod watch;

use std::time::Duration;

use k8s_openapi::api::core::v1 as core;
use kube::Api;
use kube::core::DynamicObject;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::report::Report;
use crate::config::Kube;
use crate::model::fault::{Fault, FaultKind};
use crate::model::object::ObjectKind;
use crate::model::telemetry::{self, ClusterFacts};

pub use access::{Cluster, Seen, open};
pub use ask::KubeLookup;
pub use get::Listed;
pub use logs::follow as follow_pod;
pub use map::{event, node, pod, sriov_node_state};
pub use object::text as object_text;
pub use server::Server;

use watch::{Told, Watch, sriov_resource};

/// A resource that is not installed or not ours to read is looked for again after this.
const ABSENT: Duration = Duration::from_secs(600);
/// A watch is silent by nature: this shows that the server is there.
const VERSION_EVERY: Duration = Duration::from_secs(30);
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Watches until the loop is gone. Every fault is told and tried again.
pub async fn run(server: Server, kube: Kube, mut report: Report) {
    loop {
        let fault = match session(&mut report, &server, &kube).await {
            Ok(()) => return,
            Err(fault) => fault,
        };
        tracing::info!(fault = %fault, "kubernetes source ended");
        server.renew().await;
        match report.failed(fault, None).await {
            Some(delay) => report.waits.rest(delay).await,
            None => return,
        }
    }
}

/// From sign-in to the first fault that concerns the whole server. `Ok`: the loop is gone.
async fn session(report: &mut Report, server: &Server, kube: &Kube) -> Result<(), Fault> {
    let cluster = server.cluster().await?;
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

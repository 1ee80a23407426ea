//! Telemetry -> findings -> incidents, within the world.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::detect;
use crate::model::finding::{Finding, Subject};
use crate::model::health::{Health, SourceKind};
use crate::model::id::ClusterId;
use crate::model::object::{ObjectKind, Pod};
use crate::model::serving::Serving;
use crate::model::signal::Group;
use crate::model::time::Timestamp;
use crate::pattern::PatternId;

use super::{ClusterState, World, objects};

/// Bad states of one look whose begin is looked up.
const MOST_DATED: usize = 100;

/// Which knowledge a delivery changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Objects(ObjectKind),
    Alerts,
    Sources,
    /// Time went by: all of it is older.
    All,
}

/// Kinds whose objects are judged. Each is a scope of its own: what is bad in its first list began
/// before, whichever kinds were listed earlier.
const JUDGED: [ObjectKind; 20] = [
    ObjectKind::Node,
    ObjectKind::Pod,
    ObjectKind::SriovNodeState,
    ObjectKind::Deployment,
    ObjectKind::StatefulSet,
    ObjectKind::DaemonSet,
    ObjectKind::Job,
    ObjectKind::Autoscaler,
    ObjectKind::Application,
    ObjectKind::Kustomization,
    ObjectKind::HelmRelease,
    ObjectKind::GitRepository,
    ObjectKind::OciRepository,
    ObjectKind::HelmRepository,
    ObjectKind::HelmChart,
    ObjectKind::Bucket,
    ObjectKind::InferenceService,
    ObjectKind::Claim,
    ObjectKind::ClusterOperator,
    ObjectKind::ClusterVersion,
];

impl Known {
    /// What is judged of a kind may hang on another: on nodes that are down, on pods that wait.
    fn touches(self, kind: ObjectKind) -> bool {
        match self {
            Self::All => true,
            Self::Objects(ObjectKind::Node) if kind == ObjectKind::DaemonSet => true,
            Self::Objects(ObjectKind::Pod) if kind == ObjectKind::Claim => true,
            Self::Objects(told) => told == kind,
            _ => false,
        }
    }
}

impl World {
    /// Judges the readings of a group as they are after a batch.
    pub(super) fn judge_readings(&mut self, id: ClusterId, group: Group, at: Timestamp) -> bool {
        if self.is_watched() {
            return false;
        }
        let Some(cluster) = self.clusters.get(usize::from(id.0)) else {
            return false;
        };
        let any = group == Group::Exporter;
        let mut out = Vec::new();
        let mut take = |scope, mut bad: Vec<detect::Condition>, some: bool| {
            // Each is a search of the held samples: of very many, the first ones.
            let undated = bad.iter_mut().filter(|c| c.since.is_none());
            for condition in undated.take(MOST_DATED) {
                if !self.judge.follows(id, scope, &condition.key) {
                    detect::date(&self.store, id, group, condition);
                }
            }
            self.judge.conditions(id, scope, bad, at, &mut out);
            if some {
                self.judge.heard(id, scope);
            }
        };
        if any || group == Group::Gpu {
            let mut bad = detect::devices(&cluster.gpus);
            bad.extend(detect::fleet(&cluster.gpus, &cluster.nodes, at));
            take("gpu", bad, !cluster.gpus.is_empty());
        }
        if any || group == Group::Ptp {
            take("ptp", detect::ptp(&cluster.ptp), !cluster.ptp.is_empty());
            let trends = detect::ptp_trends(&self.store, id, &cluster.ptp, at);
            take("ptp trends", trends, !cluster.ptp.is_empty());
        }
        if any || group == Group::Sriov {
            take(
                "sriov drops",
                detect::sriov_drops(&cluster.vfs.functions, at),
                true,
            );
            let current_ms = cluster.current_ms(Group::Sriov);
            let lost = detect::dpdk_losses(&cluster.dpdk, at, current_ms);
            take("dpdk", lost, !cluster.dpdk.apps.is_empty());
        }
        if any || group == Group::Serving {
            // A server that nobody tells of any more is gone, and nobody waits for it. (A device
            // stays: often it is the fault itself that silences its exporter.)
            let gone = cluster.serving_until.is_some_and(|until| at > until);
            let now: &[Serving] = if gone { &[] } else { &cluster.serving };
            let bad = detect::serving(now, &cluster.gpus);
            take("serving", bad, !now.is_empty());
        }
        self.take_findings(out)
    }

    /// Judges what is known without samples: objects, alerts, sources. Also as time goes by.
    pub(super) fn judge_known(&mut self, id: ClusterId, known: Known, at: Timestamp) -> bool {
        if self.is_watched() {
            return false;
        }
        let Some(cluster) = self.clusters.get(usize::from(id.0)) else {
            return false;
        };
        let is = |what| known == what || known == Known::All;
        let mut out = Vec::new();
        let mut take = |scope, bad, some: bool| {
            self.judge.conditions(id, scope, bad, at, &mut out);
            if some {
                self.judge.heard(id, scope);
            }
        };
        for kind in JUDGED.into_iter().filter(|k| known.touches(*k)) {
            take(kind.word(), cluster.bad(kind, at), cluster.is_listed(kind));
        }
        if is(Known::Alerts) {
            let mut bad = detect::alerts(cluster.alerts.values());
            bad.extend(detect::heartbeat(&cluster.heartbeats));
            take("alerts", bad, true);
        }
        if is(Known::Sources) {
            let last = cluster.last_sample;
            let bad = detect::sources(cluster.sources.iter(), last, at);
            take("sources", bad, true);
            let ending = detect::credentials(cluster.sources.iter(), at);
            take("credentials", ending, true);
        }
        self.take_findings(out)
    }

    /// Judges the minutes of the log that are over.
    pub(super) fn judge_logs(&mut self, id: ClusterId, at: Timestamp) -> bool {
        if self.is_watched() {
            return false;
        }
        let Some(cluster) = self.clusters.get_mut(usize::from(id.0)) else {
            return false;
        };
        let source = cluster.sources.get(&SourceKind::Loki);
        if source.is_none_or(|s| s.health != Health::Live) {
            cluster.bursts.doubt(at);
        }
        let mut out = Vec::new();
        let miner = &self.miner;
        let template = |pattern| miner.template(PatternId(pattern));
        cluster.bursts.close(id, at, template, &mut out);
        self.take_findings(out)
    }

    pub(super) fn take_findings(&mut self, findings: Vec<Finding>) -> bool {
        if self.is_watched() {
            return false;
        }
        let mut changed = false;
        for finding in findings {
            // Its end is told all the same.
            if !finding.over && self.is_dismissed(&finding) {
                continue;
            }
            let Some(cluster) = self.clusters.get_mut(usize::from(finding.cluster.0)) else {
                continue;
            };
            if !finding.over {
                cluster.note_score(finding.at, finding.score);
            }
            let nodes = cluster.nodes_of(&finding.subject);
            changed |= self.grouper.take(&mut self.incidents, finding, &nodes);
        }
        if changed {
            self.grouper.tick(&mut self.incidents, self.now);
        }
        changed
    }
}

impl ClusterState {
    /// What is bad in the objects of a kind.
    fn bad(&self, kind: ObjectKind, at: Timestamp) -> Vec<detect::Condition> {
        match kind {
            ObjectKind::Node => detect::nodes(self.nodes.values()),
            ObjectKind::Pod => {
                let mut bad = detect::pods(self.pods.values(), at);
                bad.extend(detect::sriov_exhausted(&self.pools, |resource| {
                    let waiting = self.waiting_for(resource).into_iter();
                    let named = |p: &Pod| format!("{}/{}", p.namespace, p.name);
                    waiting.map(|(pod, count)| (named(pod), count)).collect()
                }));
                bad
            }
            ObjectKind::SriovNodeState => detect::sriov(self.sriov.values()),
            ObjectKind::Autoscaler => detect::autoscalers(self.autoscalers.values()),
            ObjectKind::InferenceService => detect::inference(self.inference.values()),
            ObjectKind::Claim => detect::claims(self.claims.values(), &self.waiting_namespaces()),
            ObjectKind::ClusterOperator => detect::operators(self.operators.values()),
            ObjectKind::ClusterVersion => {
                let version = self.version.as_ref();
                detect::version(version).into_iter().collect()
            }
            _ => self.bad_workloads(kind).unwrap_or_else(|| {
                let apps = self.apps.values();
                detect::apps(
                    apps.filter(|a| ObjectKind::of_app(a.kind) == kind)
                        .map(|app| {
                            let drift = self.drift(app).map(|d| (d.since, d.earlier));
                            (app, drift)
                        }),
                )
            }),
        }
    }

    fn bad_workloads(&self, kind: ObjectKind) -> Option<Vec<detect::Condition>> {
        let wanted = objects::workload_kind(kind)?;
        let down = self.nodes.len() - self.capacity.ready_nodes.min(self.nodes.len());
        let own = self.workloads.values().filter(|w| w.kind == wanted);
        Some(detect::workloads(own, down))
    }

    /// Namespaces with a pod that has found no place yet.
    pub fn waiting_namespaces(&self) -> BTreeSet<Arc<str>> {
        let waiting = self.pods.values().filter(|p| p.phase == "Pending");
        waiting.map(|p| p.namespace.clone()).collect()
    }

    /// Nodes that a subject stands on, as far as pods and GPU readings tell.
    pub fn nodes_of(&self, subject: &Subject) -> Vec<Arc<str>> {
        if let Some(node) = subject.node() {
            return if node.is_empty() {
                Vec::new()
            } else {
                vec![node.into()]
            };
        }
        let mut nodes = BTreeSet::new();
        match subject {
            Subject::Pod { namespace, pod } => {
                let key = (Arc::from(namespace.as_str()), Arc::from(pod.as_str()));
                nodes.extend(self.pods.get(&key).and_then(|p| p.node.clone()));
                self.gpu_nodes(&mut nodes, |n, p| n == namespace && p == pod);
            }
            Subject::Workload { namespace, name } => {
                let first = (Arc::from(namespace.as_str()), Arc::from(""));
                let near = self.pods.range(first..).map(|(_, pod)| pod);
                let near = near.take_while(|p| p.namespace.as_ref() == namespace);
                let owned = |p: &&Pod| {
                    let by = p.controller().is_some_and(|(_, owner)| owner == name);
                    by || p.name.as_ref() == name
                };
                let own: BTreeMap<&str, &Pod> =
                    near.filter(owned).map(|p| (p.name.as_ref(), p)).collect();
                nodes.extend(own.values().filter_map(|p| p.node.clone()));
                // Where pods are not listed, their names alone tell whose they are.
                let prefix = format!("{name}-");
                let named = |p: &str| match self.pods.is_empty() {
                    true => p == name || p.starts_with(&prefix),
                    false => own.contains_key(p),
                };
                self.gpu_nodes(&mut nodes, |n, p| n == namespace && named(p));
            }
            // A model runs on the GPUs that pods of its namespace hold.
            Subject::Model { namespace, .. } => {
                self.gpu_nodes(&mut nodes, |n, _| n == namespace);
            }
            _ => {}
        }
        nodes.into_iter().collect()
    }

    fn gpu_nodes(&self, nodes: &mut BTreeSet<Arc<str>>, own: impl Fn(&str, &str) -> bool) {
        for gpu in &self.gpus {
            if gpu.holders.iter().any(|(n, p)| own(n, p)) {
                nodes.insert(gpu.node.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;

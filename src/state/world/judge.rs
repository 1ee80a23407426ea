//! Telemetry -> findings -> incidents, within the world.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::detect;
use crate::model::finding::{Finding, Subject};
use crate::model::id::ClusterId;
use crate::model::signal::Group;
use crate::model::time::Timestamp;

use super::{ClusterState, World};

/// Which knowledge a delivery changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Objects,
    Alerts,
    Sources,
    /// Time went by: all of it is older.
    All,
}

impl World {
    /// Judges the readings of a group as they are after a batch.
    pub(super) fn judge_readings(&mut self, id: ClusterId, group: Group, at: Timestamp) -> bool {
        let Some(cluster) = self.clusters.get(usize::from(id.0)) else {
            return false;
        };
        let any = group == Group::Exporter;
        let mut out = Vec::new();
        let mut take = |scope, mut bad: Vec<detect::Condition>, some: bool| {
            for condition in bad.iter_mut().filter(|c| c.since.is_none()) {
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
            take("gpu", detect::gpus(&cluster.gpus), !cluster.gpus.is_empty());
        }
        if any || group == Group::Ptp {
            take("ptp", detect::ptp(&cluster.ptp), !cluster.ptp.is_empty());
        }
        if any || group == Group::Serving {
            let some = !cluster.serving.is_empty();
            take("serving", detect::serving(&cluster.serving), some);
        }
        self.take_findings(out)
    }

    /// Judges what is known without samples: objects, alerts, sources. Also as time goes by.
    pub(super) fn judge_known(&mut self, id: ClusterId, known: Known, at: Timestamp) -> bool {
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
        if is(Known::Objects) {
            let some = !cluster.nodes.is_empty();
            take("nodes", detect::nodes(cluster.nodes.values()), some);
            let some = !cluster.pods.is_empty();
            take("pods", detect::pods(cluster.pods.values(), at), some);
            let some = !cluster.sriov.is_empty();
            take("sriov", detect::sriov(cluster.sriov.values()), some);
            let down = cluster.nodes.len() - cluster.capacity.ready_nodes.min(cluster.nodes.len());
            let bad = detect::workloads(cluster.workloads.values(), down);
            take("workloads", bad, !cluster.workloads.is_empty());
            let bad = detect::autoscalers(cluster.autoscalers.values());
            take("autoscalers", bad, !cluster.autoscalers.is_empty());
            let drifts = cluster.apps.values().map(|app| {
                let drift = cluster.drift(app).map(|d| (d.since, d.earlier));
                (app, drift)
            });
            take("apps", detect::apps(drifts), !cluster.apps.is_empty());
            let bad = detect::inference(cluster.inference.values());
            take("inference", bad, !cluster.inference.is_empty());
            let bad = detect::claims(cluster.claims.values(), &cluster.waiting_namespaces());
            take("claims", bad, !cluster.claims.is_empty());
            let mut bad = detect::operators(cluster.operators.values());
            bad.extend(detect::version(cluster.version.as_ref()));
            take(
                "operators",
                bad,
                !cluster.operators.is_empty() || cluster.version.is_some(),
            );
        }
        if is(Known::Alerts) {
            take("alerts", detect::alerts(cluster.alerts.values()), true);
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

    pub(super) fn take_findings(&mut self, findings: Vec<Finding>) -> bool {
        let mut changed = false;
        for finding in findings {
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
                let prefix = format!("{name}-");
                let own = |p: &str| p == name || p.starts_with(&prefix);
                let pods = self.pods.values();
                nodes.extend(
                    pods.filter(|p| p.namespace.as_ref() == namespace && own(&p.name))
                        .filter_map(|p| p.node.clone()),
                );
                self.gpu_nodes(&mut nodes, |n, p| n == namespace && own(p));
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
            if gpu.pod.as_ref().is_some_and(|(n, p)| own(n, p)) {
                nodes.insert(gpu.node.clone());
            }
        }
    }
}

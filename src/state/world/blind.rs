//! Where a cluster can't be seen: what no source tells although it should.

use std::collections::BTreeSet;

use crate::model::health::SourceKind;
use crate::model::object::Node;
use crate::model::time::Timestamp;
use crate::model::workload::{Workload, WorkloadKind};

use super::readings::current_until;
use super::{ClusterState, World, is_gpu, score};

/// Words in the names of DaemonSets that carry the nodes' logs away.
const LOG_AGENTS: [&str; 7] = [
    "promtail",
    "fluent",
    "vector",
    "alloy",
    "collector",
    "filebeat",
    "logging-agent",
];

/// One blind spot: what it is, and what to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blind {
    pub what: String,
    pub remedy: &'static str,
}

/// What a node's series told last, and until when that counts as current.
#[derive(Clone, Copy, Debug)]
pub struct NodeValue {
    pub value: f64,
    pub until: Option<Timestamp>,
}

impl World {
    pub fn blind_spots(&self, c: &ClusterState) -> Vec<Blind> {
        let mut found = Vec::new();
        self.sources_missing(c, &mut found);
        self.nodes_without_metrics(c, &mut found);
        for agent in c.workloads.values().filter(|w| is_log_agent(w)) {
            nodes_without_logs(c, agent, &mut found);
        }
        found
    }

    fn sources_missing(&self, c: &ClusterState, found: &mut Vec<Blind>) {
        let exporters = c
            .sources
            .keys()
            .any(|k| matches!(k, SourceKind::Exporter(_) | SourceKind::Edge));
        let parts = [
            (
                SourceKind::Kubernetes,
                "no Kubernetes API: objects and events are not seen",
                false,
            ),
            (
                SourceKind::Prometheus,
                "no Prometheus: no metrics",
                exporters,
            ),
            (SourceKind::Loki, "no Loki: logs are not seen", false),
        ];
        for (kind, what, instead) in parts {
            let down = c.sources.get(&kind).map(|s| score::is_down(s, self.now));
            let what = match down {
                None if !instead => what.to_owned(),
                Some(true) => format!("{kind} is down: what it told is old"),
                _ => continue,
            };
            let remedy = "sources and discovery of this screen say why";
            found.push(Blind { what, remedy });
        }
        self.alertmanagers_missing(c, found);
        let lacks = |prefix: &str| {
            let known = c.facts.capabilities.as_ref();
            known.is_some_and(|all| !all.iter().any(|(name, _)| name.starts_with(prefix)))
        };
        if lacks("kube_") {
            found.push(Blind {
                what: "no series of kube-state-metrics".into(),
                remedy: "is kube-state-metrics scraped?",
            });
        }
    }

    /// Of replicas one that answers is enough to know what there is to know.
    fn alertmanagers_missing(&self, c: &ClusterState, found: &mut Vec<Blind>) {
        let mut blind = |what: String| {
            let remedy = "sources and discovery of this screen say why";
            found.push(Blind { what, remedy });
        };
        if !c.sources.keys().any(|k| k.is_alertmanager()) {
            blind("no Alertmanager: silences are not known".into());
        }
        for (kind, spoken_for) in c.alertmanagers_down(self.now) {
            blind(match spoken_for {
                true => format!("{kind} is down: its replica tells the alerts, alone"),
                false => format!("{kind} is down: what it told is old"),
            });
        }
    }

    /// Nodes without a series although the Prometheus is heard and tells of others.
    fn nodes_without_metrics(&self, c: &ClusterState, found: &mut Vec<Blind>) {
        let live = c
            .sources
            .iter()
            .any(|(kind, s)| matches!(kind, SourceKind::Prometheus) && score::is_up(s, self.now));
        if !live || c.last_sample.is_none() {
            return;
        }
        let told = self.nodes_told(c);
        let silent: Vec<&Node> = c
            .nodes
            .values()
            .filter(|n| !told.contains(n.name.as_ref()))
            .collect();
        if told.is_empty() && !c.nodes.is_empty() {
            found.push(Blind {
                what: "no node reports CPU or memory".into(),
                remedy: "is node_exporter scraped?",
            });
        } else if silent.len() == c.nodes.len() {
            found.push(Blind {
                what: "the nodes' metrics name none of the nodes".into(),
                remedy: "relabel `instance` to the node's name",
            });
        } else {
            found.extend(silent.into_iter().map(|n| Blind {
                what: format!("node {} reports no metrics", n.name),
                remedy: "its node_exporter: running, scraped?",
            }));
        }
        let gpus = |n: &&Node| {
            n.allocatable
                .iter()
                .any(|(name, count)| is_gpu(name) && *count > 0)
        };
        for node in c.nodes.values().filter(gpus) {
            if !c.gpus.iter().any(|g| g.node == node.name) {
                found.push(Blind {
                    what: format!("node {} has GPUs that no exporter speaks for", node.name),
                    remedy: "the DCGM or AMD exporter: running there, scraped?",
                });
            }
        }
    }

    /// Hosts that the nodes' series tell of now.
    fn nodes_told(&self, c: &ClusterState) -> BTreeSet<String> {
        let mut told = BTreeSet::new();
        for signal in ["node_cpu_busy", "node_memory_used"] {
            let all = self.node_values(c, signal).into_iter();
            told.extend(all.map(|(node, _)| node));
        }
        told
    }

    /// Newest value of a signal by node, where it still tells of now; an address with a port stands
    /// for its host.
    pub fn node_values(&self, c: &ClusterState, signal: &str) -> Vec<(String, NodeValue)> {
        let names = ["node", "nodename", "instance", "kubernetes_node"];
        let series = self.current(c.id, signal).into_iter();
        let values = series.filter_map(|(key, sample, interval_ms)| {
            let until = current_until(&[(key, sample, interval_ms)]);
            let node = key.labels.first_of(&names)?;
            let host = node.rsplit_once(':').map_or(node, |(host, _)| host);
            let value = sample.value;
            Some((host.to_owned(), NodeValue { value, until }))
        });
        values.collect()
    }
}

fn is_log_agent(w: &Workload) -> bool {
    w.kind == WorkloadKind::DaemonSet && LOG_AGENTS.iter().any(|word| w.name.contains(word))
}

/// Ready nodes where the agent's pod is there and not ready, or not there although it should be.
fn nodes_without_logs(c: &ClusterState, agent: &Workload, found: &mut Vec<Blind>) {
    if !agent.is_short() {
        return;
    }
    let own = |owner: &(String, String)| owner.0 == "DaemonSet" && owner.1 == *agent.name;
    let pods = c
        .pods
        .values()
        .filter(|p| p.namespace == agent.namespace && p.owner.as_ref().is_some_and(own));
    let bad: BTreeSet<&str> = pods
        .filter(|p| p.is_bad())
        .filter_map(|p| p.node.as_deref())
        .collect();
    let missing = agent.desired.saturating_sub(agent.ready) as usize;
    if bad.is_empty() {
        let name = &agent.name;
        found.push(Blind {
            what: format!("log agent {name} is silent on {missing} nodes"),
            remedy: "its pods and their events",
        });
    }
    found.extend(bad.into_iter().map(|node| Blind {
        what: format!("node {node}: log agent {} is silent", agent.name),
        remedy: "its pod there: previous log, events",
    }));
}

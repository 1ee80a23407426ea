//! What a cluster's nodes have for pods, what the pods ask for, and how much of it is used.
//!
//! Counted when nodes, pods or their series change, not in every frame nor for every pod.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::id::ClusterId;
use crate::model::object::Pod;
use crate::model::sample::{Sample, SeriesKey};
use crate::model::time::Timestamp;

use super::readings::current_until;
use super::{ClusterState, World};

/// One resource.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Amount {
    /// What the nodes can give; `None`: no node says.
    pub allocatable: Option<u64>,
    /// What the pods that run or wait ask for; `None`: pods were not listed.
    pub requested: Option<u64>,
    /// Mean over the nodes whose metrics tell, 0 to 1.
    pub used: Option<f64>,
    /// Nodes that tell it.
    pub told: usize,
    /// After this time `used` is of the past.
    pub until: Option<Timestamp>,
}

impl Amount {
    /// What is used was told a while ago, and nothing since.
    pub fn is_old(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| now > until)
    }

    /// Requests as a share of what there is.
    pub fn asked(&self) -> Option<f64> {
        let all = self.allocatable.filter(|all| *all > 0)?;
        Some(self.requested? as f64 / all as f64)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Capacity {
    pub ready_nodes: usize,
    pub bad_pods: usize,
    /// Thousandths of a core.
    pub cpu: Amount,
    /// Bytes.
    pub memory: Amount,
    /// Pods that run or wait.
    pub pods: Amount,
    /// GPUs, virtual functions, huge pages … by full name.
    pub extended: BTreeMap<Arc<str>, Amount>,
}

impl Capacity {
    /// Whole GPUs and parts of them that the nodes offer and pods ask for, all makes together.
    pub fn gpus(&self) -> Option<Amount> {
        let mut all: Option<Amount> = None;
        for (_, amount) in self.extended.iter().filter(|(name, _)| is_gpu(name)) {
            let sum = all.get_or_insert_default();
            sum.allocatable = add(sum.allocatable, amount.allocatable);
            sum.requested = add(sum.requested, amount.requested);
        }
        all
    }
}

/// Whether a resource is a GPU or a part of one.
pub fn is_gpu(resource: &str) -> bool {
    matches!(
        resource,
        // Of a shared GPU, where the device plugin gives it a name of its own.
        "nvidia.com/gpu"
            | "nvidia.com/gpu.shared"
            | "amd.com/gpu"
            | "gpu.intel.com/i915"
            | "gpu.intel.com/xe"
    ) || resource.starts_with("nvidia.com/mig-")
        || resource == "habana.ai/gaudi"
}

fn add(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (a, b) => a.or(b),
    }
}

/// A pod that has ended asks for nothing any more.
pub fn holds_room(pod: &Pod) -> bool {
    !matches!(pod.phase.as_str(), "Succeeded" | "Failed")
}

impl ClusterState {
    /// After nodes or pods changed.
    pub(super) fn count_capacity(&mut self) {
        let (cpu, memory) = (self.capacity.cpu, self.capacity.memory);
        let mut new = Capacity {
            ready_nodes: self
                .nodes
                .values()
                .filter(|n| n.ready == Some(true))
                .count(),
            bad_pods: self.unhealthy_pods().count(),
            ..Capacity::default()
        };
        for node in self.nodes.values() {
            new.cpu.allocatable = add(new.cpu.allocatable, node.room.cpu_milli);
            new.memory.allocatable = add(new.memory.allocatable, node.room.memory_bytes);
            new.pods.allocatable = add(new.pods.allocatable, node.room.pods.map(u64::from));
            for (name, count) in &node.allocatable {
                let amount = match new.extended.get_mut(name.as_str()) {
                    Some(amount) => amount,
                    None => new.extended.entry(name.as_str().into()).or_default(),
                };
                amount.allocatable = add(amount.allocatable, Some(*count));
            }
        }
        if self.is_listed(crate::model::object::ObjectKind::Pod) {
            let zero = Some(0);
            (new.cpu.requested, new.memory.requested, new.pods.requested) = (zero, zero, zero);
            for amount in new.extended.values_mut() {
                amount.requested = zero;
            }
            for pod in self.pods.values().filter(|p| holds_room(p)) {
                new.cpu.requested = add(new.cpu.requested, Some(pod.requests.cpu_milli));
                new.memory.requested = add(new.memory.requested, Some(pod.requests.memory_bytes));
                new.pods.requested = add(new.pods.requested, Some(1));
                for (name, count) in &pod.requests.extended {
                    let amount = new.extended.entry(name.clone()).or_default();
                    amount.requested = add(amount.requested, Some(*count));
                }
            }
        }
        (new.cpu.used, new.cpu.told, new.cpu.until) = (cpu.used, cpu.told, cpu.until);
        let memory = (memory.used, memory.told, memory.until);
        (new.memory.used, new.memory.told, new.memory.until) = memory;
        self.capacity = new;
        self.capacity_due = false;
        self.count_pools();
    }
}

impl World {
    /// After samples of the nodes came in, and as these age. True when something else is known now.
    pub(super) fn count_used(&mut self, id: ClusterId) -> bool {
        let (mut cpu, mut memory) = match self.cluster(id) {
            Some(cluster) => (cluster.capacity.cpu, cluster.capacity.memory),
            None => return false,
        };
        cpu.mean(&self.current(id, "node_cpu_busy"));
        memory.mean(&self.current(id, "node_memory_used"));
        let Some(cluster) = self.clusters.get_mut(usize::from(id.0)) else {
            return false;
        };
        let held = &mut cluster.capacity;
        let before = (held.cpu, held.memory);
        (held.cpu, held.memory) = (cpu, memory);
        before != (held.cpu, held.memory)
    }
}

impl Amount {
    /// Takes the newest samples of the nodes.
    fn mean(&mut self, all: &[(&SeriesKey, Sample, u32)]) {
        let known = all.iter().map(|(_, s, _)| s.value);
        let known = known.filter(|v| v.is_finite());
        let (sum, count) = known.fold((0.0, 0usize), |(sum, count), v| (sum + v, count + 1));
        self.used = (count > 0).then(|| sum / count as f64);
        self.told = count;
        self.until = current_until(all);
    }
}

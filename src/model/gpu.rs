//! GPU readings of one cluster, NVIDIA, AMD and Intel alike, made from exporter series.

use std::borrow::Cow;
use std::sync::Arc;

use super::label::Labels;
use super::sample::Sample;
use super::time::Timestamp;

mod absent;
mod draft;
mod fields;
mod job;
mod made;
mod measure;
mod read;
pub mod smi;
mod states;
mod usage;
mod waste;

pub use absent::Lacking;
pub use fields::{is_level, names};
pub use job::job_of;
pub use measure::{Measure, cards, power_of};
pub use read::{Drafts, read};
pub use smi::Smi;
pub use states::{
    Action, ClockEvent, Hold, POWER_CAP, about, clock_events, clock_events_source, held_down,
    memory, recovery, recovery_source,
};
pub use usage::{Growth, IDLE_PERCENT};
pub use waste::{Waste, waste};

/// One GPU or one MIG instance / partition of it. A field the exporter lacks is `None`; why, says
/// [`Gpu::absent`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gpu {
    pub node: Arc<str>,
    /// Index on the node as the exporter numbers it; Intel: the bus address.
    pub index: String,
    pub uuid: Option<String>,
    pub model: Option<String>,
    /// `nvidia`, `amd` or `intel`.
    pub vendor: &'static str,
    pub driver: Option<String>,
    pub bus: Option<String>,
    /// MIG profile and instance, or AMD partition.
    pub partition: Option<String>,
    /// Namespace and pod that hold it; of several the first.
    pub pod: Option<(String, String)>,
    /// All pods that hold it, sorted: several where it is shared by time slicing.
    pub holders: Vec<(String, String)>,
    /// Per cent.
    pub utilisation: Option<Sample>,
    /// 0 to 1.
    pub engine_active: Option<Sample>,
    pub tensor_active: Option<Sample>,
    pub dram_active: Option<Sample>,
    /// Share of time in which memory was read or written, per cent: not how full it is.
    pub memory_activity: Option<Sample>,
    /// Per cent.
    pub encoder: Option<Sample>,
    pub decoder: Option<Sample>,
    pub memory_used_mib: Option<Sample>,
    pub memory_total_mib: Option<f64>,
    pub temperature_c: Option<Sample>,
    pub memory_temperature_c: Option<Sample>,
    pub power_w: Option<Sample>,
    pub power_limit_w: Option<f64>,
    /// Per cent of its full speed.
    pub fan: Option<Sample>,
    pub sm_clock_mhz: Option<Sample>,
    pub memory_clock_mhz: Option<Sample>,
    /// Bytes per second.
    pub pcie_sent: Option<Sample>,
    pub pcie_received: Option<Sample>,
    /// Replayed packets per second.
    pub pcie_replays: Option<Sample>,
    /// NVLink, all links and both ways, bytes per second.
    pub link: Option<Sample>,
    /// NVLink errors per second, all kinds.
    pub link_errors: Option<Sample>,
    /// Peers on the node that cannot be reached directly, with what the exporter says.
    pub peers_cut: Vec<String>,
    /// Memory errors since the driver was loaded.
    pub ecc_corrected: Option<f64>,
    pub ecc_uncorrected: Option<f64>,
    /// Rows of memory replaced by spare ones, for either kind of error.
    pub remapped_corrected: Option<f64>,
    pub remapped_uncorrected: Option<f64>,
    /// A row waits for a reset to be replaced.
    pub remap_pending: Option<bool>,
    pub row_remap_failure: Option<bool>,
    /// Last XID and its text, when not 0.
    pub xid: Option<(u32, String)>,
    /// The exporter tells why the clocks are where they are.
    pub reasons_known: bool,
    /// Reasons now in force that hold the clocks down, worst first.
    pub throttle: Vec<&'static str>,
    /// Share of time held down by heat and by power, 0 to 1.
    pub thermal_share: Option<Sample>,
    pub power_share: Option<Sample>,
    /// What the driver asks for, when it asks for something.
    pub recovery: Option<&'static Action>,
    /// AMD `gpu_health`, DCGM health check: false is bad.
    pub healthy: Option<bool>,
    /// Health checks that warn or fail, hardware errors that the exporter names.
    pub checks: Vec<String>,
    /// What `nvidia-smi` told of it, where that is run.
    pub smi: Option<Smi>,
    /// Since when next to nothing runs on it.
    pub idle_since: Option<Timestamp>,
    /// Its memory in use only grows.
    pub growth: Option<Growth>,
}

impl Gpu {
    /// `n1/3` or `n1/3 1g.10gb#7`: unique within the cluster.
    pub fn label(&self) -> String {
        format!("{}/{}", self.node, self.place())
    }

    /// Index and partition: what `Subject::Gpu` says after the node.
    pub fn place(&self) -> String {
        match &self.partition {
            Some(part) => format!("{} {part}", self.index),
            None => self.index.clone(),
        }
    }

    /// Whether this names it: its index and partition, or the card's index alone.
    pub fn is_called(&self, place: &str) -> bool {
        self.index == place || self.place() == place
    }

    /// Reasons in force that hold the clocks down and are not usual: a power cap is, under full load.
    pub fn slowed(&self) -> impl Iterator<Item = &'static str> {
        let low = self.draws_below_cap();
        let held = self.throttle.iter().copied();
        held.filter(move |reason| low || *reason != POWER_CAP)
    }

    /// It draws far less than its power limit: what caps it is another limit.
    pub fn draws_below_cap(&self) -> bool {
        let power = self.power_w.zip(self.power_limit_w);
        power.is_some_and(|(power, limit)| power.value < limit * 0.8)
    }

    /// Newest of its samples.
    pub fn newest(&self) -> Option<Sample> {
        [
            self.temperature_c,
            self.power_w,
            self.utilisation,
            self.memory_used_mib,
        ]
        .into_iter()
        .flatten()
        .max_by_key(|s| s.at)
    }

    /// Share of its memory in use, 0 to 1.
    pub fn memory_share(&self) -> Option<f64> {
        let total = self.memory_total_mib.filter(|t| *t > 0.0)?;
        Some(self.memory_used_mib?.value / total)
    }
}

/// Values that exporters write where the device has none.
pub fn is_blank(value: f64) -> bool {
    value.is_nan()
        || value >= 9.223_372_036_8e18
        || (2_147_483_632.0..=2_147_483_635.0).contains(&value)
        || (140_737_488_355_328.0..=140_737_488_355_331.0).contains(&value)
}

/// The node a GPU series is from.
pub fn node_of(labels: &Labels) -> &str {
    let host = labels
        .first_of(&["Hostname", "hostname", "node", "nodename", "instance"])
        .unwrap_or("");
    host_part(host)
}

/// Name or address without the port.
pub fn host_part(instance: &str) -> &str {
    match instance.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => instance,
    }
}

/// Labels that number a GPU; Intel's exporter has the bus address only.
const INDEX: [&str; 5] = ["gpu", "gpu_id", "minor_number", "gpu_index", "pci_bdf"];

/// Index and partition of the GPU that the labels name: what `Subject::Gpu` says after the node.
pub fn place_of(labels: &Labels) -> Option<Cow<'_, str>> {
    let index = labels.first_of(&INDEX)?;
    Some(match partition(labels) {
        Some(part) => format!("{index} {part}").into(),
        None => index.into(),
    })
}

/// Whether the labels name this GPU.
pub fn is_at(labels: &Labels, node: &str, place: &str) -> bool {
    node_of(labels) == node && place_of(labels).is_some_and(|p| p == place)
}

fn partition(labels: &Labels) -> Option<String> {
    if let Some(profile) = labels.get("GPU_I_PROFILE") {
        let id = labels.get("GPU_I_ID").unwrap_or("?");
        return Some(format!("{profile}#{id}"));
    }
    let kind = labels.get("gpu_compute_partition_type")?;
    if kind.eq_ignore_ascii_case("spx") {
        return None;
    }
    Some(format!(
        "{kind}#{}",
        labels.get("gpu_partition_id").unwrap_or("?")
    ))
}

/// Pod that works on the GPU. Through Prometheus the plain `pod` of a DCGM series is the exporter.
fn workload(labels: &Labels) -> Option<(&str, &str)> {
    let named =
        |namespace: &str, pod: &str| Some((labels.get(namespace).unwrap_or(""), labels.get(pod)?));
    let direct = labels.get("exported_pod").is_none() && labels.get("pod_name").is_none();
    named("exported_namespace", "exported_pod")
        .or_else(|| named("pod_namespace", "pod_name"))
        .or_else(|| direct.then(|| named("namespace", "pod")).flatten())
        .filter(|(_, pod)| !pod.contains("dcgm-exporter") && !pod.contains("metrics-exporter"))
}

#[cfg(test)]
mod tests;

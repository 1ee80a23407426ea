//! GPU readings of one cluster, NVIDIA and AMD alike, made from exporter series.

use std::sync::Arc;

use super::sample::Sample;

/// One GPU or one MIG instance / partition of it. A field the exporter lacks is `None` ("n/a").
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gpu {
    pub node: Arc<str>,
    /// Index on the node as the exporter numbers it.
    pub index: String,
    pub uuid: Option<String>,
    pub model: Option<String>,
    pub vendor: &'static str,
    /// MIG profile and instance, or AMD partition.
    pub partition: Option<String>,
    /// Namespace and pod that hold it.
    pub pod: Option<(String, String)>,
    /// Per cent.
    pub utilisation: Option<Sample>,
    /// 0 to 1.
    pub tensor_active: Option<Sample>,
    pub dram_active: Option<Sample>,
    pub memory_used_mib: Option<Sample>,
    pub memory_total_mib: Option<f64>,
    pub temperature_c: Option<Sample>,
    pub memory_temperature_c: Option<Sample>,
    pub power_w: Option<Sample>,
    pub power_limit_w: Option<f64>,
    pub sm_clock_mhz: Option<Sample>,
    /// Last XID and its text, when not 0.
    pub xid: Option<(u32, String)>,
    /// Decoded clock-event reasons now in force, worst first.
    pub throttle: Vec<&'static str>,
    pub row_remap_failure: Option<bool>,
    /// AMD `gpu_health`: false is bad.
    pub healthy: Option<bool>,
}

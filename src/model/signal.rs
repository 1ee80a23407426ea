//! Signals: what is watched on a cluster, by which query, and what it means.
//!
//! The built-in catalogue is `assets/signals.toml`, read by `config::signal`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::unit::Unit;

/// Which screen a signal serves; also the unit of polling priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Nodes, API server, cluster totals.
    Cluster,
    /// Pods and workloads.
    Workload,
    Gpu,
    /// vLLM and other model servers.
    Serving,
    Ptp,
    Sriov,
    /// A directly scraped exporter: whatever it exposes.
    Exporter,
}

impl Group {
    pub const ALL: [Group; 7] = [
        Group::Cluster,
        Group::Workload,
        Group::Gpu,
        Group::Serving,
        Group::Ptp,
        Group::Sriov,
        Group::Exporter,
    ];

    /// Which screen a metric of an exporter belongs to, by its name.
    pub fn of_metric(name: &str) -> Self {
        let starts = |prefixes: &[&str]| prefixes.iter().any(|p| name.starts_with(p));
        if starts(&[
            "DCGM_",
            "dcgm_",
            "gpu_",
            "amd_gpu_",
            "hw_",
            "habanalabs_",
            "xpum_",
        ]) {
            Self::Gpu
        } else if starts(&["vllm:", "sglang:", "tgi_"]) {
            Self::Serving
        } else if starts(&["openshift_ptp_"]) {
            Self::Ptp
        } else if starts(&["sriov_"]) {
            Self::Sriov
        } else {
            Self::Exporter
        }
    }
}

/// In which direction a signal gets worse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bad {
    High,
    Low,
    #[default]
    Both,
    /// Shown, never judged.
    None,
}

/// A fixed limit: crossing it for `for_s` seconds is a finding whatever the history says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    pub warn: Option<f64>,
    pub crit: Option<f64>,
    /// Seconds the value has to stay beyond the limit.
    #[serde(default)]
    pub for_s: u32,
    /// Beyond means below instead of above.
    #[serde(default)]
    pub below: bool,
    /// Compare the absolute value (offsets).
    #[serde(default)]
    pub absolute: bool,
}

/// One entry of the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// Name of the resulting series when the query drops `__name__`.
    pub name: Arc<str>,
    pub group: Group,
    /// The PromQL sent to the server. Several names may be read by one query.
    pub query: Arc<str>,
    /// What it tells, in words for the operator.
    pub about: Arc<str>,
    #[serde(default)]
    pub unit: Unit,
    #[serde(default)]
    pub bad: Bad,
    /// Compare with its own past (not only with the limit).
    #[serde(default)]
    pub learn: bool,
    pub limit: Option<Limit>,
    /// Smallest change that matters, in the signal's own unit: below it nothing is abnormal.
    #[serde(default)]
    pub floor: f64,
    /// Metric that must exist on the server before the query is sent; of several split by `|` one
    /// is enough.
    pub needs: Option<Arc<str>>,
    /// Ask for the past hour once at start, so that there is a history to judge by.
    #[serde(default)]
    pub backfill: bool,
}

impl Signal {
    /// The metrics of which one must exist; none: the query is always sent.
    pub fn needed(&self) -> impl Iterator<Item = &str> {
        self.needs.iter().flat_map(|needs| needs.split('|'))
    }
}

/// How one metric of a raw query (several names, `__name__` kept) or of a scraped exporter is
/// judged: the series carries the metric's own name instead of the signal's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    pub name: Arc<str>,
    pub about: Arc<str>,
    #[serde(default)]
    pub unit: Unit,
    /// Grows until reset: never charted or judged as it is.
    #[serde(default)]
    pub counter: bool,
    #[serde(default)]
    pub bad: Bad,
    #[serde(default)]
    pub learn: bool,
    pub limit: Option<Limit>,
    #[serde(default)]
    pub floor: f64,
}

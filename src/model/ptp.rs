//! PTP readings of one cluster, made from `openshift_ptp_*` series.

use std::sync::Arc;

use super::sample::Sample;

/// 0 FREERUN, 1 LOCKED, 2 HOLDOVER on the wire; ordered here from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ClockState {
    Locked,
    Holdover,
    Freerun,
}

/// The PTP view of one node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PtpNode {
    pub node: Arc<str>,
    /// Worst of the states that count (telemetry reference, section 6).
    pub state: Option<ClockState>,
    pub clock_class: Option<Sample>,
    pub gnss: Option<Sample>,
    /// (min, max) ns, from the exporter or the default of 100.
    pub threshold_ns: Option<(f64, f64)>,
    pub clocks: Vec<Clock>,
    /// (process, config, up, restarts).
    pub processes: Vec<(String, String, Option<bool>, Option<f64>)>,
}

/// One process on one interface.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clock {
    pub process: String,
    pub interface: String,
    pub state: Option<(ClockState, Sample)>,
    /// `None`: no measurement (sentinel or not exposed).
    pub offset_ns: Option<Sample>,
    pub max_offset_ns: Option<Sample>,
    pub role: Option<String>,
}

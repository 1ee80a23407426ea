//! Judges values and states: what is abnormal, since when, against which expectation.
//!
//! Detectors see one point at a time, in constant time and memory. What they say becomes findings
//! in [`Judge`]; findings that belong together become incidents elsewhere.

use crate::model::alert::Severity;
use crate::model::finding::FindingKind;
use crate::model::time::Timestamp;

mod again;
mod budget;
mod burst;
mod condition;
pub mod ensemble;
mod episode;
mod judge;
mod learned;
mod learnt;
mod past;
mod seam;
mod state;
mod subject;
pub mod threshold;
mod trend;
mod watch;

pub use again::Again;
pub use burst::Bursts;
pub use condition::Condition;
pub use judge::{Arrival, Judge, Rule};
pub use learned::Learned;
pub use learnt::{Known, Learnt, Remembered, pack, unpack};
pub use past::date;
pub use state::{
    alerts, apps, autoscalers, claims, credentials, devices, dpdk_losses, fleet, heartbeat,
    inference, nodes, operators, pods, ptp, ptp_trends, serving, sources, sriov, sriov_drops,
    sriov_exhausted, version, workloads,
};
pub use subject::{subject_of, subject_of_alert};

/// What a detector says after each point.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// How rare the point is for this series: 0 ordinary, 1 never seen. For ranking and heat.
    pub score: f64,
    /// The episode that is on, if one is. For findings.
    pub abnormal: Option<Abnormal>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Abnormal {
    pub kind: FindingKind,
    pub severity: Severity,
    /// First point that showed it.
    pub since: Timestamp,
    /// Low and high end of what was expected.
    pub expected: Option<(f64, f64)>,
    /// What shows it, where that is not the point itself.
    pub seen: Option<f64>,
    /// How it was found, in words.
    pub method: String,
}

impl Abnormal {
    /// What was seen lies beyond what was expected.
    fn is_shown_by(&self, value: f64) -> bool {
        let seen = self.seen.unwrap_or(value);
        let within = |(low, high): (f64, f64)| low < seen && seen < high;
        !self.expected.is_some_and(within)
    }
}

/// Looks at the points of one series in time order, each in constant time.
pub trait Detector {
    /// NaN and infinities are gaps: they change nothing.
    fn observe(&mut self, at: Timestamp, value: f64) -> Verdict;
}

//! Samples and the series they belong to.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::label::Labels;
use super::time::Timestamp;

/// One value of one series. `value` may be NaN or infinite; charts and detectors treat both as gaps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    pub at: Timestamp,
    pub value: f64,
}

/// What a value means over time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SampleKind {
    /// May be charted and watched as it is.
    #[default]
    Gauge,
    /// Only grows, but for resets. Never fed to charts or detectors as it is: rates are.
    Counter,
}

/// Name and labels: what makes a series one series within a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SeriesKey {
    /// `__name__`, or the name of the signal when the query took it away.
    pub name: Arc<str>,
    pub labels: Labels,
}

impl SeriesKey {
    pub fn new(name: impl Into<Arc<str>>, labels: Labels) -> Self {
        Self {
            name: name.into(),
            labels,
        }
    }
}

impl std::fmt::Display for SeriesKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.name, self.labels)
    }
}

/// A poll brings one point of each series: that one needs no memory of its own.
pub type Points = SmallVec<[Sample; 1]>;

/// Points of one series in time order, as one answer or scrape brought them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesSamples {
    pub key: SeriesKey,
    pub kind: SampleKind,
    pub points: Points,
}

/// The least that a reading tells of now, milliseconds.
const CURRENT_MS: u64 = 60_000;

/// How long a reading that comes each `interval_ms` tells of now, milliseconds: for two intervals, a
/// minute at least.
pub fn current_ms(interval_ms: u32) -> u64 {
    (u64::from(interval_ms) * 2 + 1_000).max(CURRENT_MS)
}

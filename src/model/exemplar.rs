//! One observation out of those that a metric counted, with what tells of it: mostly its trace.

use super::label::Labels;
use super::sample::SeriesKey;
use super::time::Timestamp;
use super::trace::TraceId;
use super::trace::mention::of_labels;

#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    pub series: SeriesKey,
    /// Its own labels.
    pub labels: Labels,
    /// What was observed, in the unit of the metric.
    pub value: f64,
    pub at: Timestamp,
}

impl Exemplar {
    pub fn trace(&self) -> Option<TraceId> {
        of_labels(&self.labels)
    }
}

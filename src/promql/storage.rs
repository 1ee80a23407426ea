//! What the evaluator asks for, and of whom.

use std::sync::Arc;

use regex::Regex;

use crate::model::label::Labels;
use crate::model::sample::Sample;

/// The label that holds the name of a metric.
pub const NAME: &str = "__name__";
/// Bits of the value that marks the end of a series: Prometheus' staleness marker.
pub const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// Whether this value says that its series ended.
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_BITS
}

/// A series that a selector found.
#[derive(Clone, Debug)]
pub struct Series {
    /// With the name of the metric under [`NAME`].
    pub labels: Labels,
    /// In time order, one at a time, staleness markers among them. There may be more than was
    /// asked for.
    pub points: Arc<[Sample]>,
}

/// Where the series are.
pub trait Storage {
    /// All series that have points between these times (milliseconds, both included) and that
    /// every matcher holds for.
    fn select(&self, matchers: &[Matcher], start_ms: i64, end_ms: i64) -> Vec<Series>;
}

/// What the value of a label has to be. A label that is missing has the empty value.
#[derive(Clone, Debug)]
pub struct Matcher {
    pub name: String,
    pub rule: Rule,
}

#[derive(Clone, Debug)]
pub enum Rule {
    Is(String),
    IsNot(String),
    /// Anchored at both ends.
    Like(Regex),
    Unlike(Regex),
}

impl Matcher {
    pub fn holds(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.name).unwrap_or_default();
        match &self.rule {
            Rule::Is(wanted) => wanted == value,
            Rule::IsNot(unwanted) => unwanted != value,
            Rule::Like(regex) => regex.is_match(value),
            Rule::Unlike(regex) => !regex.is_match(value),
        }
    }
}

/// Series in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    series: Vec<Series>,
}

impl Memory {
    /// Points of a series have to be in time order, one at a time.
    pub fn new(series: Vec<Series>) -> Self {
        Self { series }
    }
}

impl Storage for Memory {
    fn select(&self, matchers: &[Matcher], start_ms: i64, end_ms: i64) -> Vec<Series> {
        let overlaps = |s: &&Series| match (s.points.first(), s.points.last()) {
            (Some(first), Some(last)) => first.at.0 <= end_ms && last.at.0 >= start_ms,
            _ => false,
        };
        let fits = |s: &&Series| matchers.iter().all(|m| m.holds(&s.labels));
        self.series
            .iter()
            .filter(overlaps)
            .filter(fits)
            .cloned()
            .collect()
    }
}

//! What exporters write, as they write it: counters are counts, buckets are buckets.

use std::sync::Arc;

use super::sample::SeriesKey;
use super::time::Timestamp;

/// What a sample is, by its family's `TYPE` and by its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Class {
    Gauge,
    Counter,
    /// Cumulative bucket of a histogram, label `le`.
    Bucket,
    /// Sum or count of a histogram or summary: grows like a counter.
    Total,
    /// Quantile of a summary, or a bucket of a gauge histogram.
    Other,
    /// When a counter began (`_created`).
    Created,
    /// No `TYPE` told.
    #[default]
    Unknown,
}

impl Class {
    pub const ALL: [Self; 7] = [
        Self::Gauge,
        Self::Counter,
        Self::Bucket,
        Self::Total,
        Self::Other,
        Self::Created,
        Self::Unknown,
    ];

    /// Grows but for resets.
    pub fn is_count(self) -> bool {
        matches!(self, Self::Counter | Self::Bucket | Self::Total)
    }

    /// As a `TYPE` line says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gauge | Self::Created => "gauge",
            Self::Counter | Self::Total => "counter",
            Self::Bucket => "histogram",
            Self::Other => "summary",
            Self::Unknown => "unknown",
        }
    }
}

/// One value of one series.
#[derive(Clone, Debug)]
pub struct Raw {
    /// With the label `instance`.
    pub key: SeriesKey,
    pub class: Class,
    /// Of the scrape, unless the exporter says otherwise.
    pub at: Timestamp,
    pub value: f64,
}

/// One look at one exporter.
#[derive(Clone, Debug)]
pub struct Scrape {
    /// The n-th exporter of the cluster.
    pub exporter: u16,
    /// Its address as it may be shown.
    pub url: Arc<str>,
    /// `host:port`, the label of its series.
    pub instance: Arc<str>,
    /// Time to the next look, milliseconds.
    pub interval_ms: u32,
    pub at: Timestamp,
    pub told: Told,
}

/// What a look brought.
#[derive(Clone, Debug)]
pub enum Told {
    /// All that there is now; what was there before and is missing has ended.
    All(Vec<Raw>),
    /// Some of it: of what is missing nothing is known.
    Some(Vec<Raw>),
    /// It did not answer.
    Nothing,
}

impl Scrape {
    /// What was told, if it was anything.
    pub fn raws(&self) -> &[Raw] {
        match &self.told {
            Told::All(raws) | Told::Some(raws) => raws,
            Told::Nothing => &[],
        }
    }
}

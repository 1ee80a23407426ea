//! How well we hear a source. Not how well the cluster is.

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::time::Timestamp;

/// The kinds of sources a cluster can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    Prometheus,
    Alertmanager,
    Loki,
    Tempo,
    /// The n-th directly scraped exporter of the cluster.
    Exporter(u16),
    Kubernetes,
}

impl std::fmt::Display for SourceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Prometheus => f.write_str("prometheus"),
            Self::Alertmanager => f.write_str("alertmanager"),
            Self::Loki => f.write_str("loki"),
            Self::Tempo => f.write_str("tempo"),
            Self::Exporter(n) => write!(f, "exporter {}", n + 1),
            Self::Kubernetes => f.write_str("kubernetes"),
        }
    }
}

/// State of one source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Health {
    /// Not heard yet.
    #[default]
    Connecting,
    Live,
    /// Fails and is tried again.
    Failing {
        fault: Fault,
        since: Timestamp,
        retry_at: Timestamp,
        /// The breaker is open: this many failures in a row, probes only.
        failures: u32,
    },
    /// Refused for lack of permission or credentials; tried again rarely.
    Denied {
        fault: Fault,
        since: Timestamp,
    },
}

/// What a supervisor says of one source, latest value wins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceHealth {
    pub health: Health,
    /// Round trip of the last answer, milliseconds.
    pub latency_ms: Option<u32>,
    /// When an answer last came in whole.
    pub last_ok: Option<Timestamp>,
    /// Server's clock minus ours, milliseconds, from the HTTP `Date` (resolution 1 s).
    pub skew_ms: Option<i64>,
    /// Version the server says it has.
    pub version: Option<String>,
    /// Answers received, requests failed, bytes read since start.
    pub answers: u64,
    pub failures: u64,
    pub bytes: u64,
    /// Items lost in a full queue, and lines (or native histograms) that could not be read.
    pub dropped: u64,
    pub bad_lines: u64,
    /// Time between two polls now in force, milliseconds; 0 for streams.
    pub interval_ms: u32,
    /// The way there, where it is not simply the configured URL: `via route HOST`.
    #[serde(default)]
    pub via: Option<String>,
}

impl SourceHealth {
    pub fn fault(&self) -> Option<&Fault> {
        match &self.health {
            Health::Failing { fault, .. } | Health::Denied { fault, .. } => Some(fault),
            Health::Connecting | Health::Live => None,
        }
    }

    /// Older than two intervals: said to be live, but nothing comes. Streams are silent by nature.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        let limit = u64::from(self.interval_ms).saturating_mul(2);
        let late = |last| now.age_since_ms(last) > limit.max(2_000);
        limit > 0 && self.last_ok.is_some_and(late)
    }

    /// Server's clock minus ours, milliseconds, where it is more than the measure's own error.
    pub fn clock_off_ms(&self) -> Option<i64> {
        self.skew_ms.filter(|ms| ms.abs() > 2_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_after_two_intervals() {
        let heard = |interval_ms| SourceHealth {
            health: Health::Live,
            last_ok: Some(Timestamp(0)),
            interval_ms,
            ..SourceHealth::default()
        };
        assert!(!heard(15_000).is_stale(Timestamp(30_000)));
        assert!(heard(15_000).is_stale(Timestamp(30_001)));
        assert!(!heard(0).is_stale(Timestamp(9_000_000)), "a stream");
    }
}

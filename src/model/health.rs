//! How well we hear a source. Not how well the cluster is.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fault::{Fault, FaultKind};
use super::time::Timestamp;

/// The kinds of sources a cluster can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub enum SourceKind {
    Prometheus,
    /// The n-th Alertmanager of the cluster; most have one.
    Alertmanager(u16),
    Loki,
    Tempo,
    /// The n-th directly scraped exporter of the cluster.
    Exporter(u16),
    Kubernetes,
    /// `nvidia-smi`, run in a pod of each GPU node.
    NvidiaSmi,
    /// The n-th cloud-event-proxy of the cluster, one a node.
    ClockEvents(u16),
    /// The message bus of the cluster.
    Nats,
    /// Samples of a site without Prometheus, on the team's bus.
    Edge,
}

impl SourceKind {
    pub fn is_alertmanager(self) -> bool {
        matches!(self, Self::Alertmanager(_))
    }

    /// Answers what `wanted` would be asked: where there is no Prometheus, what exporters told is
    /// held and asked as one.
    pub fn answers_for(self, wanted: Self) -> bool {
        let held = matches!(self, Self::Exporter(_) | Self::Edge);
        self == wanted || held && wanted == Self::Prometheus
    }
}

/// As recordings hold it: the first Alertmanager has no number, since it was once the only one.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    Prometheus,
    Alertmanager,
    Loki,
    Tempo,
    Exporter(u16),
    Kubernetes,
    AnotherAlertmanager(u16),
    NvidiaSmi,
    ClockEvents(u16),
    Nats,
    Edge,
}

impl From<Written> for SourceKind {
    fn from(written: Written) -> Self {
        match written {
            Written::Prometheus => Self::Prometheus,
            Written::Alertmanager => Self::Alertmanager(0),
            Written::AnotherAlertmanager(n) => Self::Alertmanager(n),
            Written::Loki => Self::Loki,
            Written::Tempo => Self::Tempo,
            Written::Exporter(n) => Self::Exporter(n),
            Written::Kubernetes => Self::Kubernetes,
            Written::NvidiaSmi => Self::NvidiaSmi,
            Written::ClockEvents(n) => Self::ClockEvents(n),
            Written::Nats => Self::Nats,
            Written::Edge => Self::Edge,
        }
    }
}

impl From<SourceKind> for Written {
    fn from(kind: SourceKind) -> Self {
        match kind {
            SourceKind::Prometheus => Self::Prometheus,
            SourceKind::Alertmanager(0) => Self::Alertmanager,
            SourceKind::Alertmanager(n) => Self::AnotherAlertmanager(n),
            SourceKind::Loki => Self::Loki,
            SourceKind::Tempo => Self::Tempo,
            SourceKind::Exporter(n) => Self::Exporter(n),
            SourceKind::Kubernetes => Self::Kubernetes,
            SourceKind::NvidiaSmi => Self::NvidiaSmi,
            SourceKind::ClockEvents(n) => Self::ClockEvents(n),
            SourceKind::Nats => Self::Nats,
            SourceKind::Edge => Self::Edge,
        }
    }
}

impl std::fmt::Display for SourceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Prometheus => f.write_str("prometheus"),
            Self::Alertmanager(0) => f.write_str("alertmanager"),
            Self::Alertmanager(n) => write!(f, "alertmanager {}", n + 1),
            Self::Loki => f.write_str("loki"),
            Self::Tempo => f.write_str("tempo"),
            Self::Exporter(n) => write!(f, "exporter {}", n + 1),
            Self::Kubernetes => f.write_str("kubernetes"),
            Self::NvidiaSmi => f.write_str("nvidia-smi"),
            Self::ClockEvents(n) => write!(f, "ptp-events {}", n + 1),
            Self::Nats => f.write_str("nats"),
            Self::Edge => f.write_str("edge samples"),
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

/// What lets us in and ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pass {
    ClientCertificate,
    Token,
}

impl std::fmt::Display for Pass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ClientCertificate => "client certificate",
            Self::Token => "token",
        })
    }
}

/// When a credential ends, and from when on that is worth saying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    pub what: Pass,
    pub at: Timestamp,
    pub remind: Timestamp,
}

impl Expiry {
    /// Near enough that the operator should see to it.
    pub fn is_near(&self, now: Timestamp) -> bool {
        now >= self.remind
    }

    /// `client certificate expires in 3 d, on 2026-11-24`.
    pub fn told(&self, now: Timestamp) -> String {
        let on = self.at.rfc3339();
        let (day, time) = on.split_once('T').unwrap_or((on.as_str(), ""));
        let left = self.at.0.saturating_sub(now.0);
        if left <= 0 {
            return format!("{} expired on {day}", self.what);
        }
        let clock = time.get(..5).unwrap_or(time);
        let minutes = left / 60_000;
        let when = match minutes {
            0..60 => format!("in {minutes} min, at {clock} UTC"),
            60..2_880 => format!("in {} h, at {clock} UTC", minutes / 60),
            _ => format!("in {} d, on {day}", minutes / 1_440),
        };
        format!("{} expires {when}", self.what)
    }
}

/// How far a clock may seem off that is right, milliseconds: `Date` has whole seconds, and nobody
/// knows how much of the round trip came before it.
pub const CLOCK_ERROR_MS: i64 = 2_000;

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
    /// Items lost in a full queue, and lines, native histograms or objects that could not be read.
    pub dropped: u64,
    pub bad_lines: u64,
    /// Time between two polls now in force, milliseconds; 0 for streams.
    pub interval_ms: u32,
    /// Address of the server, without secrets. Older recordings lack it.
    #[serde(default)]
    pub place: Arc<str>,
    /// The way there, where it is not simply the configured URL: `via route HOST`.
    #[serde(default)]
    pub via: Option<String>,
    /// When the credential in use ends, where that is known. Older recordings lack it.
    #[serde(default)]
    pub expires: Option<Expiry>,
}

impl SourceHealth {
    pub fn fault(&self) -> Option<&Fault> {
        match &self.health {
            Health::Failing { fault, .. } | Health::Denied { fault, .. } => Some(fault),
            Health::Connecting | Health::Live => None,
        }
    }

    /// What may not be read at a server that has answered since it said so: a gap in what is
    /// known, and no outage.
    pub fn missing_right(&self) -> Option<&Fault> {
        match &self.health {
            Health::Denied { fault, since } if fault.kind == FaultKind::Forbidden => {
                self.last_ok.filter(|at| at > since).map(|_| fault)
            }
            _ => None,
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
        self.skew_ms.filter(|ms| ms.abs() > CLOCK_ERROR_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told_by_how_near_they_are() {
        let at = Timestamp::parse_rfc3339("2026-11-24T10:30:00Z").expect("valid");
        let expiry = Expiry {
            what: Pass::ClientCertificate,
            at,
            remind: at.plus_ms(-7 * 86_400_000),
        };
        let told = |before_ms: i64| expiry.told(at.plus_ms(-before_ms));
        assert_eq!(
            told(3 * 86_400_000),
            "client certificate expires in 3 d, on 2026-11-24"
        );
        assert_eq!(
            told(5 * 3_600_000),
            "client certificate expires in 5 h, at 10:30 UTC"
        );
        assert_eq!(
            told(90_000),
            "client certificate expires in 1 min, at 10:30 UTC"
        );
        assert_eq!(told(0), "client certificate expired on 2026-11-24");
        assert!(!expiry.is_near(at.plus_ms(-8 * 86_400_000)));
        assert!(expiry.is_near(at.plus_ms(-86_400_000)));
    }

    #[test]
    fn the_first_alertmanager_is_written_as_the_only_one_was() {
        let of = |kind| serde_json::to_string(&kind).expect("written");
        assert_eq!(of(SourceKind::Alertmanager(0)), "\"alertmanager\"");
        for kind in [
            SourceKind::Prometheus,
            SourceKind::Alertmanager(0),
            SourceKind::Alertmanager(3),
            SourceKind::Exporter(2),
        ] {
            assert_eq!(
                serde_json::from_str::<SourceKind>(&of(kind)).ok(),
                Some(kind)
            );
        }
        assert_eq!(SourceKind::Alertmanager(1).to_string(), "alertmanager 2");
    }

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

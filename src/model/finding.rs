//! A detector's statement about one subject, with evidence.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::alert::Severity;
use super::gitops::AppKind;
use super::id::ClusterId;
use super::sample::SeriesKey;
use super::time::Timestamp;
use super::unit::Unit;

/// What a finding is about. Ordered from small to large within a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    Gpu {
        node: String,
        gpu: String,
    },
    Clock {
        node: String,
        interface: String,
    },
    Nic {
        node: String,
        interface: String,
    },
    Pod {
        namespace: String,
        pod: String,
    },
    Model {
        namespace: String,
        model: String,
    },
    Workload {
        namespace: String,
        name: String,
    },
    /// Of Argo CD or Flux.
    App {
        kind: AppKind,
        namespace: String,
        name: String,
        /// Where its workloads are, if that is in this cluster and known.
        runs_in: Option<String>,
    },
    Node(String),
    Namespace(String),
    Cluster,
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gpu { node, gpu } => write!(f, "{node} gpu {gpu}"),
            Self::Clock { node, interface } => write!(f, "{node} clock {interface}"),
            Self::Nic { node, interface } => write!(f, "{node} {interface}"),
            Self::Pod { namespace, pod } => write!(f, "{namespace}/{pod}"),
            Self::Model { namespace, model } if namespace.is_empty() => write!(f, "model {model}"),
            Self::Model { namespace, model } => write!(f, "{namespace} model {model}"),
            Self::Workload { namespace, name } => write!(f, "{namespace}/{name}"),
            Self::App {
                kind,
                namespace,
                name,
                ..
            } => write!(f, "{} {namespace}/{name}", kind.as_str()),
            Self::Node(node) => write!(f, "node {node}"),
            Self::Namespace(namespace) => write!(f, "namespace {namespace}"),
            Self::Cluster => f.write_str("cluster"),
        }
    }
}

impl Subject {
    /// The node it stands on, if it names one.
    pub fn node(&self) -> Option<&str> {
        match self {
            Self::Gpu { node, .. } | Self::Clock { node, .. } | Self::Nic { node, .. } => {
                Some(node)
            }
            Self::Node(node) => Some(node),
            _ => None,
        }
    }

    pub fn namespace(&self) -> Option<&str> {
        match self {
            Self::Pod { namespace, .. }
            | Self::Model { namespace, .. }
            | Self::Workload { namespace, .. }
            | Self::Namespace(namespace) => Some(namespace),
            Self::App { runs_in, .. } => runs_in.as_deref(),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    Spike,
    Dip,
    LevelShift,
    /// Moves away slowly: each point is near the one before.
    Drift,
    /// Swings more, or less, than usual.
    Variance,
    /// Comes to a usual value in an unusual way.
    Pattern,
    /// One and the same value on a lively series.
    FlatLine,
    MissingData,
    Threshold,
    /// A state that is bad in itself (XID, FREERUN, sync failed).
    State,
    Alert,
    /// A source that cannot be heard.
    Unreachable,
    LogBurst,
}

impl FindingKind {
    /// In words, for tables and exports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spike => "spike",
            Self::Dip => "dip",
            Self::LevelShift => "level shift",
            Self::Drift => "drift",
            Self::Variance => "variance change",
            Self::Pattern => "pattern break",
            Self::FlatLine => "flat line",
            Self::MissingData => "missing data",
            Self::Threshold => "limit",
            Self::State => "state",
            Self::Alert => "alert",
            Self::Unreachable => "unreachable",
            Self::LogBurst => "log burst",
        }
    }

    /// Told from the course of a series, not from a limit or a state.
    pub fn is_learned(self) -> bool {
        use FindingKind::{Dip, Drift, FlatLine, LevelShift, Pattern, Spike, Variance};
        matches!(
            self,
            Spike | Dip | LevelShift | Drift | Variance | Pattern | FlatLine
        )
    }
}

/// One piece of evidence; the screens can open each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Evidence {
    Series(SeriesKey),
    Alert(Arc<str>),
    Log { at_ns: i64, line: Arc<str> },
    Text(String),
}

/// A statement: this subject, this much off, since then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub cluster: ClusterId,
    pub subject: Subject,
    /// What stays equal while the finding goes on: detector and series or state.
    pub key: Arc<str>,
    pub kind: FindingKind,
    pub severity: Severity,
    /// Calibrated 0 to 1.
    pub score: f64,
    /// First sign.
    pub since: Timestamp,
    /// It began before `since`: the data reaches back no further.
    pub earlier: bool,
    /// Time of the newest value that shows it.
    pub at: Timestamp,
    /// Over now: the condition ended at `at`.
    pub over: bool,
    /// Signal or metric name, or what else was looked at.
    pub signal: Arc<str>,
    pub unit: Unit,
    pub seen: Option<f64>,
    /// Expected range, low and high.
    pub expected: Option<(f64, f64)>,
    /// How it was found (`spike, once in 10^9.3 points …`, `limit 80 C for 60 s` …).
    pub method: String,
    /// One sentence with numbers.
    pub text: String,
    pub evidence: Vec<Evidence>,
}

impl Finding {
    /// The word before its time: `since`, or `before` where the data begins with it.
    pub fn begun(&self) -> &'static str {
        if self.earlier { "before" } else { "since" }
    }
}

#[cfg(test)]
impl Finding {
    /// A bad state of a node of the first cluster.
    pub fn bare(key: &str) -> Self {
        Self {
            cluster: ClusterId(0),
            subject: Subject::Node("n1".into()),
            key: key.into(),
            kind: FindingKind::State,
            severity: Severity::Warning,
            score: 0.7,
            since: Timestamp(0),
            earlier: false,
            at: Timestamp(0),
            over: false,
            signal: key.into(),
            unit: Unit::None,
            seen: None,
            expected: None,
            method: "rule".into(),
            text: key.into(),
            evidence: Vec::new(),
        }
    }
}

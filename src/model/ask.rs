//! Questions to sources and their answers: the one-shot door for operator and agent alike.

use std::sync::Arc;

use super::api::ApiKind;
use super::bus::{Message, Pattern, Start};
use super::exemplar::Exemplar;
use super::fault::Fault;
use super::id::{ClusterId, RequestId};
use super::log::LogLine;
use super::sample::SeriesSamples;
use super::time::Timestamp;
use super::trace::{Summary, Trace, TraceId};

#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// PromQL at one time.
    Instant {
        query: String,
        at: Timestamp,
    },
    /// PromQL over a range; `step_ms` at least 1000.
    Range {
        query: String,
        start: Timestamp,
        end: Timestamp,
        step_ms: u32,
    },
    /// LogQL log query, newest first when `backward`.
    Logs {
        query: String,
        start: Timestamp,
        end: Timestamp,
        limit: u32,
        backward: bool,
    },
    /// Metric names with type, help and unit.
    Metadata,
    LabelNames,
    LabelValues {
        label: String,
    },
    LokiLabelValues {
        label: String,
        /// Only of the streams that this selector keeps.
        query: Option<String>,
    },
    /// Alerting and recording rules with their health.
    Rules,
    /// One object from the API server. An empty namespace of a namespaced kind: wherever the
    /// object of that name is.
    Object {
        kind: ApiKind,
        namespace: String,
        name: String,
    },
    /// What the containers of a pod wrote, straight from the API server.
    PodLogs(PodLogs),
    /// Traces that match TraceQL, newest first.
    Traces {
        query: String,
        start: Timestamp,
        end: Timestamp,
        limit: u32,
    },
    /// All spans of one trace.
    Trace {
        id: TraceId,
    },
    /// Names that TraceQL can ask for.
    TraceTags,
    TraceTagValues {
        tag: String,
    },
    /// Names of the labels that streams have.
    LokiLabelNames,
    /// LogQL that gives numbers, over a range.
    LogSeries {
        query: String,
        start: Timestamp,
        end: Timestamp,
        step_ms: u32,
    },
    /// How many lines of each level a log query finds, in steps of a range.
    LogVolume {
        query: String,
        start: Timestamp,
        end: Timestamp,
        step_ms: u32,
    },
    /// Exemplars of the series in this PromQL.
    Exemplars {
        query: String,
        start: Timestamp,
        end: Timestamp,
    },
    /// What a stream of the bus keeps, oldest first.
    Messages {
        stream: String,
        start: Start,
        /// Of these subjects only.
        filter: Option<Pattern>,
        limit: u32,
    },
}

/// Whose log, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PodLogs {
    pub namespace: String,
    pub pod: String,
    /// `None`: all containers, merged by time.
    pub container: Option<String>,
    /// Of the container that ran before the present one.
    pub previous: bool,
    /// `None`: as far back as the node keeps it.
    pub since_s: Option<u32>,
    /// Newest lines of each container.
    pub lines: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    pub id: RequestId,
    pub cluster: ClusterId,
    pub ask: Ask,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MetricInfo {
    pub name: Arc<str>,
    pub kind: String,
    pub help: String,
    pub unit: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RuleInfo {
    pub group: String,
    pub name: String,
    pub query: String,
    pub health: String,
    pub last_error: String,
    /// Of alerting rules only.
    pub state: String,
    /// How long its last evaluation took; `None`: not told.
    pub evaluation_s: Option<f64>,
    /// `None`: not told, or never evaluated.
    pub evaluated: Option<Timestamp>,
    /// How often its group is evaluated.
    pub interval_s: Option<f64>,
    /// It records a series, and raises no alert.
    pub recording: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Series(Arc<Vec<SeriesSamples>>),
    Logs(Vec<LogLine>),
    Names(Vec<String>),
    Metadata(Vec<MetricInfo>),
    Rules(Vec<RuleInfo>),
    Object(Box<ObjectText>),
    Traces(Vec<Summary>),
    Trace(Arc<Trace>),
    /// Values of a tag, each with what it is: string, int, bool; empty where it is not told.
    TagValues(Vec<(String, String)>),
    /// In the order of the server.
    Exemplars(Vec<Exemplar>),
    Messages(Vec<Message>),
}

/// An object as text for reading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectText {
    /// YAML; where `managedFields` stood, one line tells of them. Values of Secrets are hidden.
    pub yaml: String,
    /// Number of that line and what it stands for, indented to take its place.
    pub managed: Option<(usize, String)>,
    /// What the metadata say: uid, resource version, finalizers, deletion.
    pub facts: Vec<(String, String)>,
    /// Kind and name of its owners.
    pub owners: Vec<(String, String)>,
    /// Size of the answer.
    pub bytes: u64,
}

/// Answer with its provenance.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    pub id: RequestId,
    pub cluster: ClusterId,
    /// What was asked, as shown under `i`.
    pub ask: Ask,
    /// Where it came from: URL without secrets, or `recording FILE`.
    pub origin: String,
    pub at: Timestamp,
    pub latency_ms: u32,
    /// Warnings and infos the server added.
    pub warnings: Vec<String>,
    /// The answer was cut: how many items there were (at least).
    pub cut_from: Option<usize>,
    pub result: Result<Answer, Fault>,
}

/// What the console itself notes of native histograms says, among the warnings.
pub const HISTOGRAMS: &str = " native histograms ";

impl Answered {
    /// The server named nothing that it could not see. What the engine notes of the query, and we of
    /// its histograms, is no gap.
    pub fn is_whole(&self) -> bool {
        let note = |w: &String| w.starts_with("PromQL ") || w.contains(HISTOGRAMS);
        self.warnings.iter().all(note)
    }
}

//! Log lines.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::label::Labels;

/// TRACE to FATAL; `Unknown` where the line does not tell. Greater is worse.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    #[default]
    Unknown,
    Trace,
    Debug,
    Info,
    Warning,
    Error,
    Critical,
}

impl Level {
    pub fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "trace" => Self::Trace,
            "debug" | "dbg" => Self::Debug,
            "info" | "information" | "notice" => Self::Info,
            "warn" | "warning" => Self::Warning,
            "error" | "err" => Self::Error,
            "critical" | "crit" | "fatal" | "panic" | "emerg" | "alert" => Self::Critical,
            _ => Self::Unknown,
        }
    }
}

/// Logs that are followed as they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tail {
    /// A LogQL selector, from Loki.
    Loki(String),
    /// Straight from the API server.
    Pod(PodTail),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodTail {
    pub namespace: String,
    pub pod: String,
    /// `None`: all containers.
    pub container: Option<String>,
}

/// One line. `line` is cleaned (`text::clean`) and cut at the door.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// Nanoseconds since 1970, as Loki gives them.
    pub at_ns: i64,
    pub labels: Labels,
    pub line: Arc<str>,
    pub level: Level,
}

impl LogLine {
    /// Labels that tell where a line comes from, most telling first.
    pub const ORIGINS: [&str; 7] = [
        "pod",
        "k8s_pod_name",
        "kubernetes_pod_name",
        "app",
        "service_name",
        "job",
        "host",
    ];

    pub fn view(&self) -> LineRef<'_> {
        LineRef {
            at_ns: self.at_ns,
            labels: &self.labels,
            line: &self.line,
            level: self.level,
        }
    }

    /// The pod, or the nearest thing to it that the labels tell.
    pub fn origin(&self) -> &str {
        Self::origin_of(&self.labels)
    }

    /// The same of a label set.
    pub fn origin_of(labels: &Labels) -> &str {
        labels.first_of(&Self::ORIGINS).unwrap_or("")
    }
}

/// A line as it lies somewhere: in an answer, or packed in the buffer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LineRef<'a> {
    /// Nanoseconds since 1970.
    pub at_ns: i64,
    pub labels: &'a Labels,
    pub line: &'a str,
    pub level: Level,
}

impl<'a> LineRef<'a> {
    /// As [`LogLine::origin`].
    pub fn origin(&self) -> &'a str {
        LogLine::origin_of(self.labels)
    }

    pub fn to_owned(&self) -> LogLine {
        LogLine {
            at_ns: self.at_ns,
            labels: self.labels.clone(),
            line: self.line.into(),
            level: self.level,
        }
    }
}

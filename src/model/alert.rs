//! Alerts as Alertmanager and the rules API give them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::health::SourceKind;
use super::label::Labels;
use super::time::Timestamp;

/// One order for everything that can be bad. Greater is worse.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    #[default]
    Info,
    Warning,
    Critical,
}

impl Severity {
    /// Mapping of the `severity` label (domain reference, section 8).
    pub fn from_label(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "critical" | "page" | "emergency" => Self::Critical,
            "warning" | "error" | "high" | "major" | "" => Self::Warning,
            _ => Self::Info,
        }
    }

    /// The severity of this name, as a configuration writes it.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Info, Self::Warning, Self::Critical]
            .into_iter()
            .find(|s| s.word() == word)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Words of the label `severity` that mean something else here than usual.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Severities {
    /// In lower case.
    pub words: BTreeMap<String, Severity>,
}

impl Severities {
    pub fn of(&self, word: &str) -> Severity {
        let own = self.words.get(&word.to_lowercase()).copied();
        own.unwrap_or_else(|| Severity::from_label(word))
    }

    /// Gives the alert the severity that its word means.
    pub fn apply(&self, alert: &mut Alert) {
        if !self.words.is_empty() {
            alert.severity = self.of(alert.labels.get("severity").unwrap_or(""));
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    Pending,
    Firing,
    /// Firing, but silenced or inhibited.
    Suppressed,
    Resolved,
}

/// One alert of one cluster; identity is (cluster, fingerprint).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    pub fingerprint: Arc<str>,
    pub name: Arc<str>,
    pub severity: Severity,
    pub state: AlertState,
    pub labels: Labels,
    pub annotations: Labels,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
    pub silenced_by: Vec<String>,
    pub inhibited_by: Vec<String>,
    /// Value at last evaluation and expression, when the rules API told them.
    pub value: Option<f64>,
    pub expression: Option<Arc<str>>,
}

/// A silence that is in force or waits for its time, as the Alertmanager tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    pub id: String,
    /// Who made it, in their own words.
    pub by: String,
    pub comment: String,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// As one writes them: `alertname="X" node=~"a.*"`.
    pub matchers: String,
}

/// The alert `Watchdog`, which always fires, as one source tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Heartbeat {
    pub source: SourceKind,
    /// Since when it is missing; `None`: it fires.
    pub missing: Option<Timestamp>,
    /// It was told once; else there is only a rule for it.
    pub heard: bool,
    pub fingerprint: Option<Arc<str>>,
}

/// A time for which an alert fired; open while it does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spell {
    pub from: Timestamp,
    pub to: Option<Timestamp>,
}

impl Alert {
    /// `summary`, else `message`, else `description`, else nothing.
    pub fn summary(&self) -> &str {
        self.annotations
            .first_of(&["summary", "message", "description"])
            .unwrap_or("")
    }

    /// The pipeline's own heartbeat: always firing, never a problem.
    pub fn is_watchdog(&self) -> bool {
        self.name.as_ref() == "Watchdog"
    }
}

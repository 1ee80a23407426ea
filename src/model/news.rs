//! What a watcher tells of incidents: each change once, in the order in which it came about.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::id::IncidentId;
use super::incident::Incident;
use super::time::Timestamp;

/// What happened; the last token of the subject on which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    IncidentOpened,
    IncidentChanged,
    IncidentResolved,
    /// Another incident took it in, see [`Change::into`].
    IncidentMerged,
    /// See [`Change::finding`].
    FindingBegun,
    FindingEnded,
}

impl Event {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IncidentOpened => "incident_opened",
            Self::IncidentChanged => "incident_changed",
            Self::IncidentResolved => "incident_resolved",
            Self::IncidentMerged => "incident_merged",
            Self::FindingBegun => "finding_begun",
            Self::FindingEnded => "finding_ended",
        }
    }

    /// About an incident as a whole, not one of its findings.
    pub fn is_of_incident(self) -> bool {
        !matches!(self, Self::FindingBegun | Self::FindingEnded)
    }
}

/// A change of an incident, redacted, as it is told to others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The same however often it is told: cluster, incident, revision and, of a finding, its key.
    pub id: String,
    pub event: Event,
    /// Name of the cluster; the numbers of clusters are those of one run.
    pub cluster: Arc<str>,
    /// Which watcher tells it.
    pub by: Arc<str>,
    /// When it was seen, UTC.
    pub at: Timestamp,
    /// Grows by one with each change of this incident, from 1 on, whoever watches it.
    pub revision: u32,
    /// As it is now; of a merged one, as it was last.
    pub incident: Arc<Incident>,
    /// Key of the finding, one of the incident's, where the event is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Arc<str>>,
    /// The incident that took this one in, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<IncidentId>,
    /// It was too large for a message: evidence, and where that was not enough long texts and the
    /// least findings, are left out of the incident.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

impl Change {
    /// Of an incident as a whole; `about` makes it one of a finding.
    pub fn new(
        event: Event,
        cluster: Arc<str>,
        by: Arc<str>,
        revision: u32,
        incident: Arc<Incident>,
        at: Timestamp,
    ) -> Self {
        let id = format!("{}.{:016x}.{revision}", token(&cluster), incident.id.0);
        Self {
            id,
            event,
            cluster,
            by,
            at,
            revision,
            incident,
            finding: None,
            into: None,
            cut: false,
        }
    }

    /// The same of one finding.
    #[must_use]
    pub fn about(mut self, finding: &Finding) -> Self {
        let key = IncidentId::of(&finding.key).0;
        self.id = format!("{}.{}.{key:016x}", self.id, self.event.as_str());
        self.finding = Some(finding.key.clone());
        self
    }

    /// The finding it is about.
    pub fn found(&self) -> Option<&Finding> {
        let key = self.finding.as_ref()?;
        self.incident.findings.iter().find(|f| f.key == *key)
    }

    /// Where it is told: `ai.farwatch.CLUSTER.EVENT`.
    pub fn subject(&self) -> String {
        format!(
            "ai.farwatch.{}.{}",
            token(&self.cluster),
            self.event.as_str()
        )
    }
}

/// What a console hears of the watchers.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// In the order in which they were told.
    Changes(Vec<Change>),
    /// Who watches a cluster, and when that was heard last. Empty: nobody.
    Watched {
        cluster: Arc<str>,
        by: Arc<str>,
        at: Timestamp,
        /// Who is not heard for so long watches it no longer, milliseconds; 0: he did not say.
        life_ms: u64,
    },
    /// Why nothing is heard.
    Fault(String),
}

/// A name as one token of a subject or key: letters, digits, `-` and `_`; anything else is `_`.
pub fn token(name: &str) -> String {
    let plain = |c: char| match c.is_ascii_alphanumeric() || c == '-' || c == '_' {
        true => c,
        false => '_',
    };
    match name.is_empty() {
        true => "_".into(),
        false => name.chars().map(plain).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_token() {
        assert_eq!(token("lyon-1"), "lyon-1");
        assert_eq!(token("a.b *>"), "a_b___");
        assert_eq!(token(""), "_");
    }
}

//! An incident: findings that belong together, and what people did about them.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::alert::Severity;
use super::desk::{Desk, Hand, Mark, What};
use super::finding::{Finding, Subject};
use super::handover::Handed;
use super::id::{ClusterId, IncidentId};
use super::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    Open,
    /// Nothing is wrong any more, kept open for the cool-down.
    Recovering,
    Resolved,
}

impl IncidentState {
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Recovering => "recovering",
            Self::Resolved => "resolved",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    /// Running number as shown: `INC-3`.
    pub number: u32,
    pub cluster: ClusterId,
    pub severity: Severity,
    pub state: IncidentState,
    /// One sentence: what, where, since when, in numbers.
    pub title: String,
    pub opened: Timestamp,
    pub changed: Timestamp,
    pub closed: Option<Timestamp>,
    /// 0 to 1, the greatest of its findings.
    pub score: f64,
    pub subjects: Vec<Subject>,
    /// Nodes on which its subjects stand, as far as known.
    pub nodes: BTreeSet<Arc<str>>,
    /// Earliest first; one per finding key, updated in place.
    pub findings: Vec<Finding>,
    /// What people did about it.
    #[serde(default)]
    pub desk: Desk,
    /// How often its signs came back after it had ended.
    #[serde(default)]
    pub reopened: u32,
    /// Grows with each change; tells what is not kept yet.
    #[serde(skip)]
    pub revision: u32,
    /// Was open when farwatch ended: its signs have until then to show again.
    #[serde(skip)]
    pub awaited: Option<Timestamp>,
    /// Another console found it and handed it over: it stays as its sender saw it, and no detector
    /// of this console changes it. `None`: found here.
    #[serde(skip)]
    pub handed: Option<Arc<Handed>>,
}

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    pub by: Arc<str>,
    pub at: Timestamp,
}

/// What can be done about an incident.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// And once more: takes it back.
    Acknowledge,
    /// Empty: to nobody.
    Assign(String),
    Note(String),
    /// `None`: it counts again.
    Mute(Option<Timestamp>),
    /// And once more: takes it back.
    Pin(String),
}

/// What an operator thinks of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opinion {
    /// It was something.
    True,
    /// Nothing was wrong: the like of it is not told again.
    False,
}

/// A verdict on the findings of one key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    pub opinion: Opinion,
    /// Score of the finding that was judged: a greater one is told again.
    pub score: f64,
    pub stamp: Stamp,
}

impl Incident {
    /// Not closed yet.
    pub fn is_live(&self) -> bool {
        self.state != IncidentState::Resolved
    }

    pub fn is_muted(&self, now: Timestamp) -> bool {
        self.desk.muted().is_some_and(|(end, _)| end > now)
    }

    /// Found by the detectors of this console.
    pub fn is_ours(&self) -> bool {
        self.handed.is_none()
    }

    /// An id of another console as this one holds it: ids come from what an incident is about, so
    /// that both consoles give the same one to what both found.
    pub fn id_of_sender(id: IncidentId) -> IncidentId {
        IncidentId(id.0.wrapping_mul(ELSEWHERE))
    }

    /// How it stands, with what people did about it, in ten letters at most.
    pub fn word(&self, now: Timestamp) -> &'static str {
        match self.state {
            _ if !self.is_ours() => "handed",
            IncidentState::Open | IncidentState::Recovering if self.is_muted(now) => "muted",
            IncidentState::Open if self.desk.acknowledged().is_some() => "acked",
            IncidentState::Open if self.is_growing(now) => "growing",
            IncidentState::Open if self.reopened > 0 => "reopened",
            state => state.word(),
        }
    }

    /// Keys of its findings.
    pub fn keys(&self) -> BTreeSet<Arc<str>> {
        self.findings.iter().map(|f| f.key.clone()).collect()
    }

    /// Something new came to it lately.
    fn is_growing(&self, now: Timestamp) -> bool {
        let newest = self.findings.iter().map(|f| f.since).max();
        newest.is_some_and(|at| at > self.opened && now.age_since_ms(at) < GROWING_MS)
    }

    /// Not closed, nobody muted it, and it is no other console's.
    pub fn counts(&self, now: Timestamp) -> bool {
        self.is_ours() && self.is_live() && !self.is_muted(now)
    }

    /// What somebody did about it; `None`: it was so already.
    pub fn take(&mut self, deed: Deed, hand: &Hand, at: Timestamp) -> Option<Mark> {
        let desk = &mut self.desk;
        let what = match deed {
            Deed::Acknowledge => What::Acknowledged(desk.acknowledged().is_none()),
            Deed::Assign(who) => What::Assigned((!who.is_empty()).then_some(who)),
            Deed::Note(text) => What::Note(text),
            Deed::Mute(until) => What::Muted(until),
            Deed::Pin(text) => What::Pinned {
                on: desk.pins().iter().all(|(_, held)| *held != text),
                text,
            },
        };
        let mark = desk.write(what, hand, at)?;
        self.touch();
        Some(mark)
    }

    /// It is not as it was.
    pub fn touch(&mut self) {
        self.revision = self.revision.wrapping_add(1);
    }
}

/// Turns the ids of incidents of another console into others.
const ELSEWHERE: u64 = 0x9e37_79b9_7f4a_7c15;
/// It grows for so long after a new sign, milliseconds.
const GROWING_MS: u64 = 300_000;

#[cfg(test)]
impl Incident {
    /// An open warning in the first cluster, without findings.
    pub fn bare(id: u64) -> Self {
        Self {
            id: IncidentId(id),
            number: 1,
            cluster: ClusterId(0),
            severity: Severity::Warning,
            state: IncidentState::Open,
            title: String::new(),
            opened: Timestamp(0),
            changed: Timestamp(0),
            closed: None,
            score: 0.5,
            subjects: Vec::new(),
            nodes: BTreeSet::new(),
            findings: Vec::new(),
            desk: Desk::default(),
            reopened: 0,
            revision: 0,
            awaited: None,
            handed: None,
        }
    }
}

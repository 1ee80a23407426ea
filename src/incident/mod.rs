//! Findings -> incidents: what belongs together in object, cluster and time.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::alert::Severity;
use crate::model::finding::{Finding, Subject};
use crate::model::id::{ClusterId, IncidentId};
use crate::model::time::Timestamp;

mod group;
mod title;

pub use group::Grouper;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncidentState {
    Open,
    /// Nothing is wrong any more, kept open for the cool-down.
    Recovering,
    Resolved,
}

#[derive(Clone, Debug)]
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
}

impl Incident {
    /// Not closed yet.
    pub fn is_live(&self) -> bool {
        self.state != IncidentState::Resolved
    }

    /// The finding that names the incident.
    pub fn lead(&self) -> Option<&Finding> {
        title::lead(&self.findings)
    }
}

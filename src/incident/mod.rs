//! Findings -> incidents: what belongs together in object, cluster and time.

use crate::model::alert::Severity;
use crate::model::finding::{Finding, Subject};
use crate::model::id::{ClusterId, IncidentId};
use crate::model::time::Timestamp;

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
    /// Earliest first; one per finding key, updated in place.
    pub findings: Vec<Finding>,
}

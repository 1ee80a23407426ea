//! Findings -> incidents: what belongs together in object, cluster and time.

use crate::model::finding::Finding;

mod alike;
mod group;
mod title;
pub mod told;

pub use crate::model::incident::{Incident, IncidentState};
pub use alike::{alike, signs};
pub use group::{Grouper, forget_closed, sort};

impl Incident {
    /// The finding that names the incident.
    pub fn lead(&self) -> Option<&Finding> {
        title::lead(&self.findings)
    }

    /// It began before `opened`: the data reaches back no further.
    pub fn is_older(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|f| f.earlier && f.since <= self.opened)
    }
}

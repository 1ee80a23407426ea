//! Incidents that watchers found, in place of our own: as they were told last, with who found them
//! and when that watcher was heard.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::World;
use crate::config::{Config, IncidentsFrom};
use crate::incident::Incident;
use crate::model::archive::Past;
use crate::model::desk::Desk;
use crate::model::id::{ClusterId, IncidentId};
use crate::model::news::{Change, Event, Found};
use crate::model::time::Timestamp;
use crate::model::unit;

/// How long a lease lives of a watcher that does not say it, milliseconds.
const LIFE_MS: u64 = 30_000;
/// Revisions of incidents that are no longer listed.
const TOLD: usize = 20_000;

#[derive(Debug, Default)]
pub struct Watchers {
    /// Of each incident: the newest that was told.
    told: BTreeMap<IncidentId, Told>,
    /// Who watches each cluster.
    heard: BTreeMap<ClusterId, Sign>,
    /// What people did about incidents that are not told again yet.
    desks: BTreeMap<IncidentId, Desk>,
    fault: Option<String>,
}

/// Who found an incident.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundBy {
    pub watcher: Arc<str>,
    /// Whoever watches its cluster now.
    pub heard: Ear,
    /// Evidence was left out of it, as the message was too large.
    pub cut: bool,
}

/// Whether whoever watches a cluster is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ear {
    /// So long ago, milliseconds.
    Heard(u64),
    /// The same, and he should have been heard again by now.
    Stale(u64),
    /// Nobody was heard yet.
    Silent,
}

impl Ear {
    pub fn is_fresh(self) -> bool {
        matches!(self, Self::Heard(_))
    }
}

impl std::fmt::Display for Ear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Heard(ms) => write!(f, "{} ago", unit::age(*ms)),
            Self::Stale(ms) => write!(f, "stale {}", unit::age(*ms)),
            Self::Silent => f.write_str("not heard"),
        }
    }
}

/// What an incident was told as last.
#[derive(Debug)]
struct Told {
    revision: u32,
    by: Arc<str>,
    cut: bool,
}

/// A sign of life of whoever watches a cluster.
#[derive(Debug)]
struct Sign {
    at: Timestamp,
    life_ms: u64,
}

impl Watchers {
    /// `None`: incidents are found here.
    pub fn of(config: &Config) -> Option<Self> {
        let team = config.team.as_ref()?;
        (team.incidents == IncidentsFrom::Watchers).then(Self::default)
    }
}

impl World {
    /// Who found it; `None`: we did.
    pub fn found_by(&self, incident: &Incident) -> Option<FoundBy> {
        let watchers = self.watchers.as_ref()?;
        let told = watchers.told.get(&incident.id)?;
        Some(FoundBy {
            watcher: told.by.clone(),
            heard: self.watcher_of(incident.cluster)?,
            cut: told.cut,
        })
    }

    /// Incidents are those of the watchers: nothing is detected here.
    pub fn is_watched(&self) -> bool {
        self.watchers.is_some()
    }

    /// Whether the watcher of this cluster is heard; `None`: incidents are found here.
    pub fn watcher_of(&self, cluster: ClusterId) -> Option<Ear> {
        let watchers = self.watchers.as_ref()?;
        let Some(sign) = watchers.heard.get(&cluster) else {
            return Some(Ear::Silent);
        };
        let age = self.age_ms(sign.at);
        let life = Some(sign.life_ms).filter(|ms| *ms > 0).unwrap_or(LIFE_MS);
        Some(match age <= life {
            true => Ear::Heard(age),
            false => Ear::Stale(age),
        })
    }

    /// Why the watchers are not heard.
    pub fn unheard_watchers(&self) -> Option<&str> {
        self.watchers.as_ref()?.fault.as_deref()
    }

    /// Takes what was heard; a fault that is new comes back.
    pub fn found(&mut self, found: Found) -> Option<String> {
        match found {
            Found::Fault(why) => {
                let watchers = self.watchers.as_mut()?;
                let new = watchers.fault.as_ref() != Some(&why);
                watchers.fault = Some(why.clone());
                return new.then(|| format!("the watchers are not heard: {why}"));
            }
            Found::Watched {
                cluster,
                by,
                at,
                life_ms,
            } => {
                let id = ClusterId(*self.by_name.get(&cluster)? as u16);
                let watchers = self.watchers.as_mut()?;
                watchers.fault = None;
                // Who lets go says nothing of how the cluster is.
                if !by.is_empty() {
                    watchers.heard.insert(id, Sign { at, life_ms });
                }
            }
            Found::Changes(changes) => {
                for change in changes {
                    self.take_change(change);
                }
                crate::incident::sort(&mut self.incidents);
                crate::incident::forget_closed(&mut self.incidents);
                self.forget_told();
            }
        }
        None
    }

    fn take_change(&mut self, change: Change) {
        let id = change.incident.id;
        let known = self.by_name.contains_key(&change.cluster);
        let Some(watchers) = self.watchers.as_mut().filter(|_| known) else {
            return;
        };
        let newest = watchers.told.get(&id).map_or(0, |told| told.revision);
        if !change.event.is_of_incident() || change.revision <= newest {
            return;
        }
        let told = Told {
            revision: change.revision,
            by: change.by,
            cut: change.cut,
        };
        watchers.told.insert(id, told);
        if change.event == Event::IncidentMerged {
            self.incidents.retain(|i| i.id != id);
            return;
        }
        let desk = watchers.desks.remove(&id);
        let mut incident = self.own(Past {
            cluster: change.cluster,
            signs: Vec::new(),
            incident: change.incident.as_ref().clone(),
        });
        self.note_scores(&incident);
        match self.incidents.iter_mut().find(|i| i.id == id) {
            Some(held) => {
                incident.number = held.number;
                let theirs = std::mem::replace(&mut incident.desk, std::mem::take(&mut held.desk));
                incident.desk.merge(&theirs);
                incident.revision = held.revision.wrapping_add(1);
                *held = incident;
            }
            None => {
                // Numbers are those of this console: two watchers may give the same.
                let most = self.incidents.iter().map(|i| i.number).max();
                incident.number = most.unwrap_or(0).saturating_add(1);
                let theirs = std::mem::replace(&mut incident.desk, desk.unwrap_or_default());
                incident.desk.merge(&theirs);
                self.incidents.push(incident);
            }
        }
    }

    /// Of what is no longer listed the revision is known for a while: an old word that comes again
    /// does not bring it back.
    fn forget_told(&mut self) {
        let incidents = &self.incidents;
        let watchers = self.watchers.as_mut();
        if let Some(watchers) = watchers.filter(|w| w.told.len() > incidents.len() + TOLD) {
            let held: BTreeSet<IncidentId> = incidents.iter().map(|i| i.id).collect();
            watchers.told.retain(|id, _| held.contains(id));
        }
    }

    /// The hour of the cluster, as far as its findings tell it.
    fn note_scores(&mut self, incident: &Incident) {
        let Some(cluster) = self.clusters.get_mut(usize::from(incident.cluster.0)) else {
            return;
        };
        for finding in incident.findings.iter().filter(|f| !f.over) {
            cluster.note_score(finding.at, finding.score);
        }
    }

    /// Keeps what people did about it until a watcher tells it; false: incidents are found here, or
    /// it is here already.
    pub(super) fn hold_desk(&mut self, incident: &Incident) -> bool {
        let here = self.incidents.iter().any(|i| i.id == incident.id);
        let Some(watchers) = self.watchers.as_mut().filter(|_| !here) else {
            return false;
        };
        watchers.desks.insert(incident.id, incident.desk.clone());
        true
    }
}

#[cfg(test)]
mod tests;

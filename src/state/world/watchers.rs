//! Incidents that watchers found, in place of our own: as they were told last, with who found them
//! and when that watcher was heard.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::World;
use crate::config::{Config, IncidentsFrom};
use crate::incident::Incident;
use crate::model::archive::Past;
use crate::model::desk::Desk;
use crate::model::id::{ClusterId, IncidentId};
use crate::model::news::{Change, Event, Found};
use crate::model::time::Timestamp;

#[derive(Debug, Default)]
pub struct Watchers {
    /// Of each incident: the newest that was told, and by whom.
    told: BTreeMap<IncidentId, (u32, Arc<str>)>,
    /// Who watches each cluster, and when that was heard last.
    heard: BTreeMap<ClusterId, (Arc<str>, Timestamp)>,
    /// What people did about incidents that are not told again yet.
    desks: BTreeMap<IncidentId, Desk>,
    fault: Option<String>,
}

/// Who found an incident.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundBy {
    pub watcher: Arc<str>,
    /// When whoever watches its cluster was heard last; `None`: not yet.
    pub heard: Option<Timestamp>,
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
        let (_, watcher) = watchers.told.get(&incident.id)?;
        Some(FoundBy {
            watcher: watcher.clone(),
            heard: watchers.heard.get(&incident.cluster).map(|(_, at)| *at),
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
            Found::Watched { cluster, by, at } => {
                let id = ClusterId(*self.by_name.get(&cluster)? as u16);
                let watchers = self.watchers.as_mut()?;
                watchers.fault = None;
                // Who lets go says nothing of how the cluster is.
                if !by.is_empty() {
                    watchers.heard.insert(id, (by, at));
                }
            }
            Found::Changes(changes) => {
                for change in changes {
                    self.take_change(change);
                }
                crate::incident::sort(&mut self.incidents);
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
        let newest = watchers.told.get(&id).map_or(0, |(revision, _)| *revision);
        if !change.event.is_of_incident() || change.revision <= newest {
            return;
        }
        watchers.told.insert(id, (change.revision, change.by));
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
        match self.incidents.iter_mut().find(|i| i.id == id) {
            Some(held) => {
                incident.number = held.number;
                incident.desk = std::mem::take(&mut held.desk);
                incident.revision = held.revision.wrapping_add(1);
                *held = incident;
            }
            None => {
                // Numbers are those of this console: two watchers may give the same.
                let most = self.incidents.iter().map(|i| i.number).max();
                incident.number = most.unwrap_or(0).saturating_add(1);
                incident.desk = desk.unwrap_or(incident.desk);
                self.incidents.push(incident);
            }
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

//! What the consoles of one team share: whose edits are here and not yet there, and the other way
//! round. Without a team nothing waits, and the same edits stay here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::World;
use crate::incident::Incident;
use crate::model::desk::{Desk, Edit, Mark};
use crate::model::id::{ClusterId, IncidentId};
use crate::model::shared::{AHEAD_MS, About, DeskKey, Doc, Line, Odd, Present, Shared};
use crate::model::time::Timestamp;

mod send;

/// Desks of the bucket kept at most, also of incidents that this console has not found (yet).
const DOCS: usize = 4_000;
/// Other consoles that are known of at most.
const CONSOLES: usize = 200;
/// A console that says nothing for so long is gone, milliseconds.
const SILENT_MS: u64 = 35_000;
/// A clock that is off by less is not corrected, milliseconds.
const OFF_MS: i64 = 60_000;

/// The team, as this console knows it.
#[derive(Debug, Default)]
pub struct Team {
    /// `None`: there is no team.
    console: Option<Arc<str>>,
    /// Of edits made without a team.
    nobody: Arc<str>,
    line: Line,
    /// Since when the line is so.
    since: Timestamp,
    /// As they stand in the bucket.
    docs: BTreeMap<DeskKey, Doc>,
    /// Given to the edge, and not seen in the bucket since.
    sent: BTreeMap<DeskKey, Timestamp>,
    /// Incidents that were laid beside all entries, with their revision then.
    adopted: BTreeMap<IncidentId, u32>,
    /// By console, and when it was heard.
    present: BTreeMap<Arc<str>, (Present, Timestamp)>,
    /// The incident in view here, as the others were told; `None`: they were told nothing yet.
    looked: Option<Option<About>>,
    odd: Odd,
    /// How far this console's clock is ahead of the bus's, milliseconds.
    ahead_ms: i64,
    /// Something may have to go out.
    due: bool,
}

impl Team {
    pub fn is_on(&self) -> bool {
        self.console.is_some()
    }

    pub(super) fn console(&self) -> &Arc<str> {
        self.console.as_ref().unwrap_or(&self.nobody)
    }

    /// Something was done here.
    pub(super) fn news(&mut self) {
        self.due = true;
        self.sent.clear();
    }

    /// The time by the bus's clock, where this console's is known to be wrong.
    pub(super) fn now(&self, now: Timestamp) -> Timestamp {
        match self.ahead_ms.saturating_abs() > OFF_MS {
            true => Timestamp(now.0.saturating_sub(self.ahead_ms)),
            false => now,
        }
    }

    /// Why the team is not heard, and since when; `None`: it is, or there is none.
    pub fn unheard(&self) -> Option<(&Line, Timestamp)> {
        let heard = !self.is_on() || self.line == Line::Online;
        (!heard).then_some((&self.line, self.since))
    }

    /// Entries and edits that were left alone.
    pub fn odd(&self) -> &Odd {
        &self.odd
    }

    /// How far this console's clock is ahead of the bus's, where that matters, milliseconds.
    pub fn ahead_ms(&self) -> Option<i64> {
        (self.ahead_ms.saturating_abs() > OFF_MS).then_some(self.ahead_ms)
    }

    /// Desks in the bucket.
    pub fn held(&self) -> usize {
        self.docs.len()
    }

    /// Consoles that are there now, beside this one.
    pub fn consoles(&self, now: Timestamp) -> impl Iterator<Item = &Present> {
        let fresh = move |heard: &Timestamp, p: &Present| {
            now.age_since_ms(*heard).saturating_add(p.age_ms) <= SILENT_MS
        };
        let present = self.present.values();
        present.filter_map(move |(p, heard)| fresh(heard, p).then_some(p))
    }

    fn hold(&mut self, doc: Doc) {
        let key = doc.key();
        self.sent.remove(&key);
        self.docs.insert(key, doc);
        if self.docs.len() > DOCS {
            // Those in which nobody wrote for the longest.
            let last = |doc: &Doc| doc.desk.edits().iter().map(|e| e.mark.ms).max();
            let oldest = self.docs.iter().min_by_key(|(_, doc)| last(doc));
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                self.docs.remove(&key);
            }
        }
    }

    fn meet(&mut self, present: Present, now: Timestamp) {
        let own = self.console.as_ref() == Some(&present.console);
        let known = self.present.contains_key(&present.console);
        if !own && (known || self.present.len() < CONSOLES) {
            self.present.insert(present.console.clone(), (present, now));
        }
    }
}

impl World {
    /// What the edge tells of the team; lines for the operator come back.
    pub fn take_shared(&mut self, told: Shared) -> Vec<String> {
        let now = self.now;
        self.shared.due = true;
        match told {
            Shared::Begun { console } => {
                self.shared.console = Some(console);
                self.shared.since = now;
            }
            Shared::Line(line) => {
                let same =
                    std::mem::discriminant(&line) == std::mem::discriminant(&self.shared.line);
                // What waits between two attempts is still the same outage.
                let trying = line == Line::Connecting && self.shared.line != Line::Online;
                if !same && !trying {
                    self.shared.since = now;
                }
                if !trying {
                    self.shared.line = line;
                }
            }
            Shared::Anew => {
                self.shared.docs.clear();
                self.shared.sent.clear();
                self.shared.adopted.clear();
                self.shared.present.clear();
                // The others may have forgotten it.
                self.shared.looked = None;
            }
            Shared::Docs(docs) => return docs.into_iter().flat_map(|d| self.adopt(d)).collect(),
            Shared::Gone(keys) => {
                self.shared
                    .docs
                    .retain(|k, _| keys.iter().all(|key| key != k.as_str()));
            }
            Shared::LeftAlone(odd) => self.shared.odd = odd,
            Shared::Ahead(ms) => {
                self.shared.ahead_ms = ms;
                self.bring_back();
            }
            Shared::Present(all) => all.into_iter().for_each(|p| self.shared.meet(p, now)),
            Shared::Left(console) => {
                self.shared.present.remove(&console);
            }
        }
        self.shared.present.retain(|_, (_, heard)| {
            // Its word is void long before.
            now.age_since_ms(*heard) <= 10 * SILENT_MS
        });
        Vec::new()
    }

    /// Edits that wait here for the team.
    pub fn waiting(&self) -> usize {
        let incidents = self.incidents.iter().filter(|i| i.is_ours());
        let said = self.desk.verdicts.values();
        let desks = incidents.map(|i| &i.desk).chain(said);
        desks.map(Desk::waiting).sum()
    }

    /// Who else looks at this incident, by name.
    pub fn lookers(&self, incident: &Incident) -> BTreeSet<Arc<str>> {
        if !self.shared.is_on() || self.shared.present.is_empty() {
            return BTreeSet::new();
        }
        let Some(about) = self.shared_about(incident) else {
            return BTreeSet::new();
        };
        let here = |p: &&Present| p.at.as_ref().is_some_and(|at| at.is_same(&about));
        let there = self.shared.consoles(self.now).filter(here);
        there.map(|p| p.by.clone()).collect()
    }

    fn shared_about(&self, incident: &Incident) -> Option<About> {
        let cluster = self.cluster(incident.cluster)?;
        Some(About::incident(incident, &cluster.name, self.now))
    }

    /// An entry of the bucket, as it is now.
    fn adopt(&mut self, doc: Doc) -> Vec<String> {
        let mut told = Vec::new();
        match &doc.about {
            About::Incident { .. } => {
                for place in 0..self.incidents.len() {
                    told.extend(self.lay_beside(place, &doc));
                }
            }
            About::Finding { cluster, key } => {
                if let Some(at) = self.by_name.get(cluster) {
                    let cluster = ClusterId(*at as u16);
                    let said = self
                        .desk
                        .verdicts
                        .entry((cluster, key.clone()))
                        .or_default();
                    let before = lost(said);
                    let news = said.merge(&doc.desk);
                    if said.sent(&doc.desk) || news {
                        let name = format!("finding {key}");
                        told.extend(clashes(said, &before, &name));
                        self.said_of(cluster, &key.clone());
                    }
                }
            }
        }
        self.shared.hold(doc);
        told
    }

    /// Lays an entry beside the incident in this place, if it is about that.
    fn lay_beside(&mut self, place: usize, doc: &Doc) -> Vec<String> {
        let incident = self.incidents.get(place).filter(|i| i.is_ours());
        let about = incident.and_then(|i| self.shared_about(i));
        if about.is_none_or(|about| !about.is_same(&doc.about)) {
            return Vec::new();
        }
        let Some(incident) = self.incidents.get_mut(place) else {
            return Vec::new();
        };
        let before = lost(&incident.desk);
        let news = incident.desk.merge(&doc.desk);
        if !incident.desk.sent(&doc.desk) && !news {
            return Vec::new();
        }
        incident.touch();
        self.shared.adopted.insert(incident.id, incident.revision);
        clashes(&incident.desk, &before, &format!("INC-{}", incident.number))
    }

    /// Entries that came before their incident was found here, or before it was known by its signs.
    pub fn adopt_held(&mut self) -> Vec<String> {
        if !self.shared.is_on() || self.shared.docs.is_empty() {
            return Vec::new();
        }
        let mut told = Vec::new();
        for place in 0..self.incidents.len() {
            let Some(incident) = self.incidents.get(place).filter(|i| i.is_ours()) else {
                continue;
            };
            if self.shared.adopted.get(&incident.id) == Some(&incident.revision) {
                continue;
            }
            let (id, revision) = (incident.id, incident.revision);
            let about = self.shared_about(incident);
            let fitting = self.shared.docs.values().filter(|doc| {
                let about = about.as_ref();
                about.is_some_and(|about| about.is_same(&doc.about))
            });
            let fitting: Vec<Doc> = fitting.cloned().collect();
            self.shared.adopted.insert(id, revision);
            self.shared.due = true;
            told.extend(fitting.iter().flat_map(|doc| self.lay_beside(place, doc)));
        }
        let incidents = &self.incidents;
        if self.shared.adopted.len() > 2 * incidents.len() {
            let held: BTreeSet<IncidentId> = incidents.iter().map(|i| i.id).collect();
            self.shared.adopted.retain(|id, _| held.contains(id));
        }
        told
    }

    /// This console's clock turned out to be ahead: what nobody else has yet is of now.
    fn bring_back(&mut self) {
        if self.shared.ahead_ms <= AHEAD_MS {
            return;
        }
        let now = self.shared.now(self.now);
        let latest = now.plus_ms(AHEAD_MS);
        for incident in self.incidents.iter_mut().filter(|i| i.is_ours()) {
            if incident.desk.bring_back(latest, now) > 0 {
                incident.touch();
            }
        }
        for said in self.desk.verdicts.values_mut() {
            said.bring_back(latest, now);
        }
    }
}

fn lost(desk: &Desk) -> BTreeSet<Mark> {
    let clashes = desk.clashes().into_iter();
    clashes.map(|clash| clash.lost.mark.clone()).collect()
}

/// What gave way just now, in words.
fn clashes(desk: &Desk, before: &BTreeSet<Mark>, name: &str) -> Vec<String> {
    let new = desk.clashes().into_iter();
    let new = new.filter(|clash| !before.contains(&clash.lost.mark));
    new.map(|clash| {
        let (lost, won) = (told(clash.lost), told(clash.won));
        format!("{name}: {lost} gave way to {won}: neither knew of the other")
    })
    .collect()
}

fn told(edit: &Edit) -> String {
    let what = edit.what.words(|at| at.rfc3339());
    format!("`{what}` by {}", edit.mark.by)
}

#[cfg(test)]
mod tests;

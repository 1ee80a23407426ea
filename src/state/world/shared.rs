//! What the consoles of one team share: whose edits are here and not yet there, and the other way
//! round. Without a team nothing waits, and the same edits stay here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::World;
use crate::config::Config;
use crate::incident::Incident;
use crate::model::desk::{Desk, Edit, Mark};
use crate::model::id::{ClusterId, IncidentId};
use crate::model::shared::{AHEAD_MS, About, DeskKey, Doc, Line, Odd, Present, Shared};
use crate::model::time::Timestamp;

mod docs;
mod send;

use docs::Docs;

/// Other consoles that are known of at most.
const CONSOLES: usize = 200;
/// A console that says nothing for so long is gone, milliseconds.
const SILENT_MS: u64 = 35_000;
/// A clock that is off by less is not corrected, milliseconds.
const OFF_MS: i64 = 60_000;

/// The team, as this console knows it.
#[derive(Debug, Default)]
pub struct Team {
    /// The configuration names one.
    wanted: bool,
    /// `None`: nobody works for the team yet.
    console: Option<Arc<str>>,
    /// Of edits made without a team.
    nobody: Arc<str>,
    line: Line,
    /// Since when the line is so.
    since: Timestamp,
    /// As they stand in the bucket.
    docs: Docs,
    /// Given to the edge, and when.
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
    /// When all was looked through last for what has to go out.
    sought: Timestamp,
}

impl Team {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            wanted: config.team.is_some(),
            ..Self::default()
        }
    }

    /// There is a team, whether it is heard or not.
    pub fn is_on(&self) -> bool {
        self.wanted || self.console.is_some()
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
            Shared::Gone(keys) => keys.iter().for_each(|key| self.shared.docs.remove(key)),
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

    /// Who else looks at this incident: names, and on how many consoles each.
    pub fn lookers(&self, incident: &Incident) -> BTreeMap<Arc<str>, usize> {
        let mut lookers = BTreeMap::new();
        let Some(cluster) = self.cluster(incident.cluster) else {
            return lookers;
        };
        let now = self.shared.now(self.now);
        let is_of = |about: &About| about.is_of(incident, &cluster.name, now);
        let there = self.shared.consoles(self.now);
        for one in there.filter(|p| p.at.as_ref().is_some_and(is_of)) {
            *lookers.entry(one.by.clone()).or_default() += 1;
        }
        lookers
    }

    fn shared_about(&self, incident: &Incident) -> Option<About> {
        let cluster = self.cluster(incident.cluster)?;
        let now = self.shared.now(self.now);
        Some(About::incident(incident, &cluster.name, now))
    }

    /// An entry of the bucket, as it is now.
    fn adopt(&mut self, doc: Doc) -> Vec<String> {
        let mut told = Vec::new();
        if let Some(at) = self.by_name.get(doc.about.cluster()) {
            let cluster = ClusterId(*at as u16);
            match &doc.about {
                About::Incident { .. } => {
                    for place in 0..self.incidents.len() {
                        let here = self.incidents.get(place).map(|i| i.cluster);
                        if here == Some(cluster) {
                            told.extend(self.lay_beside(place, &doc));
                        }
                    }
                }
                About::Finding { key, .. } => told = self.hear_said(cluster, key, &doc.desk),
            }
        }
        self.shared.docs.put(doc);
        told
    }

    /// What others said of the findings of this key.
    fn hear_said(&mut self, cluster: ClusterId, key: &Arc<str>, theirs: &Desk) -> Vec<String> {
        let place = (cluster, key.clone());
        let said = self.desk.verdicts.entry(place).or_default();
        let before = lost(said);
        let news = said.merge(theirs);
        if !said.sent(theirs) && !news {
            return Vec::new();
        }
        let told = clashes(said, &before, &format!("finding {key}"));
        self.said_of(cluster, key);
        told
    }

    /// Lays an entry beside the incident in this place, if it is about that.
    fn lay_beside(&mut self, place: usize, doc: &Doc) -> Vec<String> {
        let now = self.shared.now(self.now);
        let of = |world: &Self, i: &Incident| {
            let cluster = world.cluster(i.cluster);
            cluster.is_some_and(|c| i.is_ours() && doc.about.is_of(i, &c.name, now))
        };
        if !self.incidents.get(place).is_some_and(|i| of(self, i)) {
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
        let docs = std::mem::take(&mut self.shared.docs);
        let now = self.shared.now(self.now);
        for place in 0..self.incidents.len() {
            let Some(incident) = self.incidents.get(place).filter(|i| i.is_ours()) else {
                continue;
            };
            let (id, revision) = (incident.id, incident.revision);
            if self.shared.adopted.get(&id) == Some(&revision) {
                continue;
            }
            let cluster = self.cluster(incident.cluster);
            let fitting = cluster.map(|c| docs.of(incident, &c.name, now));
            self.shared.adopted.insert(id, revision);
            self.shared.due = true;
            for doc in fitting.into_iter().flatten() {
                told.extend(self.lay_beside(place, doc));
            }
        }
        self.shared.docs = docs;
        let incidents = &self.incidents;
        if self.shared.adopted.len() > 2 * incidents.len() {
            let held: BTreeSet<IncidentId> = incidents.iter().map(|i| i.id).collect();
            self.shared.adopted.retain(|id, _| held.contains(id));
        }
        told
    }

    /// What was done by a clock far ahead, this console's in this run or an earlier one, nobody
    /// takes: it is of now.
    fn bring_back(&mut self) {
        let now = self.shared.now(self.now);
        // What others did is taken up to an hour ahead by the bus's clock, from which ours may be off.
        let latest = now.plus_ms(AHEAD_MS + 2 * OFF_MS);
        for incident in self.incidents.iter_mut().filter(|i| i.is_ours()) {
            if incident.desk.bring_back(latest, now) > 0 {
                incident.touch();
            }
        }
        let said = self.desk.verdicts.iter_mut();
        let brought = said.filter_map(|((cluster, key), said)| {
            (said.bring_back(latest, now) > 0).then(|| (*cluster, key.clone()))
        });
        for (cluster, key) in brought.collect::<Vec<_>>() {
            self.said_of(cluster, &key);
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

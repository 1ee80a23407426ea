//! What was told of the incidents of one cluster, and what of them is news now.
//!
//! Each change is told once, under an id that stays the same: a watcher that was killed, or another
//! one that takes the cluster over, begins with what was told before it ([`Told::adopt`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::finding::Finding;
use crate::model::id::IncidentId;
use crate::model::incident::Incident;
use crate::model::news::{Change, Event};
use crate::model::time::Timestamp;

/// What is new in words and numbers only is told so often, milliseconds.
const WORDS_MS: u64 = 60_000;
/// After a start, signs that were there have so long to show again, milliseconds.
const PATIENCE_MS: i64 = 600_000;

/// Takes out of an incident what nobody else shall read.
pub type Clean = fn(&Incident) -> Incident;

/// Who tells, of which cluster.
#[derive(Clone, Debug)]
struct Teller {
    cluster: Arc<str>,
    by: Arc<str>,
}

#[derive(Debug)]
pub struct Told {
    teller: Teller,
    clean: Clean,
    /// What ended before this, and was told by nobody, is not told any more.
    begun: Timestamp,
    known: BTreeMap<IncidentId, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// As it was told last.
    incident: Arc<Incident>,
    revision: u32,
    at: Timestamp,
    /// `Incident::revision` of what was told, where it was told by this run.
    looked: Option<u32>,
    /// Until then signs that another run told, and this one has not seen yet, count as going on.
    patience: Option<Timestamp>,
    /// Another one took it in.
    merged: bool,
}

impl Told {
    pub fn new(cluster: Arc<str>, by: Arc<str>, clean: Clean, now: Timestamp) -> Self {
        Self {
            teller: Teller { cluster, by },
            clean,
            begun: now,
            known: BTreeMap::new(),
        }
    }

    /// What was told before this run, in any order: the newest of an incident counts.
    pub fn adopt(&mut self, change: &Change) {
        let id = change.incident.id;
        let held = self.known.get(&id);
        if !change.event.is_of_incident() || held.is_some_and(|e| e.revision >= change.revision) {
            return;
        }
        let entry = Entry {
            incident: change.incident.clone(),
            revision: change.revision,
            at: change.at,
            looked: None,
            patience: Some(self.begun.plus_ms(PATIENCE_MS)),
            merged: change.event == Event::IncidentMerged,
        };
        self.known.insert(id, entry);
    }

    /// What this run begins with.
    pub fn adopted(&self) -> impl Iterator<Item = &Arc<Incident>> {
        let known = self.known.values().filter(|entry| !entry.merged);
        known.map(|entry| &entry.incident)
    }

    /// Another one took it in: it does not come back.
    pub fn is_merged(&self, id: IncidentId) -> bool {
        self.known.get(&id).is_some_and(|entry| entry.merged)
    }

    /// What is new, in the order in which it is to be told.
    pub fn news(&mut self, incidents: &[Incident], now: Timestamp) -> Vec<Change> {
        let mut ours: Vec<&Incident> = incidents.iter().filter(|i| i.is_ours()).collect();
        ours.sort_by_key(|i| (i.opened, i.number));
        let mut out = Vec::new();
        for incident in &ours {
            match self.known.get_mut(&incident.id) {
                Some(entry) => entry.go_on(&self.teller, self.clean, incident, now, &mut out),
                None => self.open(incident, now, &mut out),
            }
        }
        self.gone(&ours, now, &mut out);
        out
    }

    fn open(&mut self, incident: &Incident, now: Timestamp, out: &mut Vec<Change>) {
        let passed = !incident.is_live() && incident.closed.is_none_or(|at| at < self.begun);
        // What an earlier run saw and nobody told waits until it shows again.
        if passed || incident.awaited.is_some() {
            return;
        }
        let clean = Arc::new((self.clean)(incident));
        let live = clean.is_live();
        let say = |event, revision| self.teller.say(event, revision, &clean, now);
        let findings = clean.findings.iter();
        out.push(say(Event::IncidentOpened, 1));
        out.extend(
            findings
                .clone()
                .map(|f| say(Event::FindingBegun, 1).about(f)),
        );
        if !live {
            out.push(say(Event::IncidentResolved, 2));
        }
        let ended: Vec<_> = findings.filter(|f| !live || f.over).collect();
        out.extend(ended.iter().map(|f| say(Event::FindingEnded, 2).about(f)));
        let revision = if live && ended.is_empty() { 1 } else { 2 };
        let entry = Entry {
            incident: clean.clone(),
            revision,
            at: now,
            looked: Some(incident.revision),
            patience: None,
            merged: false,
        };
        self.known.insert(incident.id, entry);
    }

    /// Told ones that are no longer there: a live one was taken in by another, an ended one is old.
    fn gone(&mut self, ours: &[&Incident], now: Timestamp, out: &mut Vec<Change>) {
        let here: BTreeSet<IncidentId> = ours.iter().map(|i| i.id).collect();
        self.known
            .retain(|id, entry| here.contains(id) || entry.merged || entry.incident.is_live());
        let lost = self
            .known
            .iter_mut()
            .filter(|(id, e)| !here.contains(id) && !e.merged);
        for (_, entry) in lost {
            let keys = entry.incident.keys();
            let shared = |i: &&&Incident| i.keys().intersection(&keys).count();
            let taker = ours.iter().filter(|i| i.is_live()).max_by_key(shared);
            let taker = taker.filter(|i| shared(i) > 0);
            entry.merged = true;
            entry.revision += 1;
            let mut change =
                self.teller
                    .say(Event::IncidentMerged, entry.revision, &entry.incident, now);
            change.into = taker.map(|i| i.id);
            out.push(change);
        }
    }
}

impl Entry {
    fn go_on(
        &mut self,
        teller: &Teller,
        clean: Clean,
        incident: &Incident,
        now: Timestamp,
        out: &mut Vec<Change>,
    ) {
        // It stays as it was put away until its signs show again, or are given up.
        let awaited = incident.awaited.is_some() && incident.is_live();
        let same = self.looked == Some(incident.revision) && self.patience.is_none();
        if awaited || same {
            return;
        }
        self.patience = self.patience.filter(|end| *end > now);
        let mut clean = clean(incident);
        self.be_patient(&mut clean);
        let was = &self.incident;
        let event = match (was.is_live(), clean.is_live()) {
            (true, false) => Event::IncidentResolved,
            (false, false) => return,
            _ if essence(was) != essence(&clean) => Event::IncidentChanged,
            _ if now.age_since_ms(self.at) >= WORDS_MS && words(was) != words(&clean) => {
                Event::IncidentChanged
            }
            _ => return,
        };
        let (was, clean) = (was.clone(), Arc::new(clean));
        self.revision += 1;
        let say = |event| teller.say(event, self.revision, &clean, now);
        out.push(say(event));
        let (before, after) = (going_on(&was), going_on(&clean));
        let of = |f: &&Finding, one: &BTreeSet<Arc<str>>, other: &BTreeSet<Arc<str>>| {
            one.contains(&f.key) && !other.contains(&f.key)
        };
        let begun = clean.findings.iter().filter(|f| of(f, &after, &before));
        out.extend(begun.map(|f| say(Event::FindingBegun).about(f)));
        let ended = clean.findings.iter().filter(|f| of(f, &before, &after));
        out.extend(ended.map(|f| say(Event::FindingEnded).about(f)));
        self.incident = clean;
        self.at = now;
        self.looked = Some(incident.revision);
    }

    /// What is over only because this run has not looked at it yet goes on.
    fn be_patient(&self, now: &mut Incident) {
        if self.patience.is_none() || !now.is_live() {
            return;
        }
        for finding in now.findings.iter_mut().filter(|f| f.over) {
            let told = self.incident.findings.iter().find(|f| f.key == finding.key);
            finding.over = told.is_none_or(|f| f.over || finding.at > f.at);
        }
    }
}

impl Teller {
    fn say(&self, event: Event, revision: u32, incident: &Arc<Incident>, at: Timestamp) -> Change {
        Change::new(
            event,
            self.cluster.clone(),
            self.by.clone(),
            revision,
            incident.clone(),
            at,
        )
    }
}

/// Keys of its findings that go on.
fn going_on(incident: &Incident) -> BTreeSet<Arc<str>> {
    let on = incident.findings.iter();
    let on = on.filter(|f| incident.is_live() && !f.over);
    on.map(|f| f.key.clone()).collect()
}

/// What is told at once where it is new.
fn essence(incident: &Incident) -> impl PartialEq + use<> {
    let findings = incident.findings.iter();
    let findings = findings.map(|f| (f.key.clone(), f.kind, f.severity, f.over));
    let mut findings: Vec<_> = findings.collect();
    findings.sort_by(|a, b| a.0.cmp(&b.0));
    let subjects: BTreeSet<_> = incident.subjects.iter().cloned().collect();
    let state = (incident.state, incident.severity, incident.reopened);
    (state, findings, subjects, incident.nodes.clone())
}

/// What moves with each look.
fn words(incident: &Incident) -> (&str, f64) {
    (&incident.title, incident.score)
}

#[cfg(test)]
mod tests;

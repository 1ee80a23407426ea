//! What people do about incidents, and what of that (and of the incidents) is yet to be put away.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::World;
use crate::incident::{Incident, signs};
use crate::model::archive::{Keep, Past};
use crate::model::desk::{Desk as Said, Hand, NAME, What};
use crate::model::finding::Finding;
use crate::model::id::{ClusterId, IncidentId};
use crate::model::incident::{Deed, Opinion, Verdict};
use crate::model::text;
use crate::model::time::Timestamp;

/// An incident that goes on is put away so often, milliseconds; one that opens or ends at once.
const KEEP_MS: u64 = 10_000;
/// Incidents put away in one go.
const KEEP: usize = 32;
/// After a start, what was open has so long to show its signs again, milliseconds.
const AWAITED_MS: i64 = 600_000;
/// A finding counts again when what is left to certainty halved since the verdict.
const GREATER: f64 = 0.5;

/// What stands in the archive already.
#[derive(Clone, Copy, Debug)]
struct Kept {
    revision: u32,
    at: Timestamp,
    live: bool,
}

/// What people said, and how far it is put away.
#[derive(Debug, Default)]
pub struct Desk {
    /// The archive answered: what changes is put away from then on.
    open: bool,
    kept: BTreeMap<IncidentId, Kept>,
    /// Of findings, by their keys.
    pub(super) verdicts: BTreeMap<(ClusterId, Arc<str>), Said>,
    /// Verdicts that are not put away yet.
    said: Vec<Keep>,
}

impl World {
    /// The archive told what an earlier run knew.
    pub fn restore(
        &mut self,
        past: Vec<Past>,
        verdicts: Vec<(Arc<str>, Arc<str>, Said)>,
        numbered: u32,
    ) {
        let at = self.now;
        let mut known = Vec::with_capacity(past.len());
        for one in past {
            let incident = self.own(one);
            if incident.cluster == ELSEWHERE {
                continue;
            }
            let live = incident.is_live();
            if live && self.hold_desk(&incident) {
                continue;
            }
            let revision = incident.revision;
            let kept = Kept { revision, at, live };
            self.desk.kept.insert(incident.id, kept);
            known.push(incident);
        }
        for (cluster, key, said) in verdicts {
            // Those of clusters that are not configured now stay in the file.
            if let Some(at) = self.by_name.get(&cluster) {
                let place = (ClusterId(*at as u16), key);
                self.desk.verdicts.entry(place).or_default().merge(&said);
            }
        }
        let until = self.now.plus_ms(AWAITED_MS);
        self.grouper
            .restore(&mut self.incidents, known, numbered, until);
        self.desk.open = true;
    }

    /// An incident of the archive with the numbers of the clusters of this run.
    pub fn own(&self, past: Past) -> Incident {
        let mut incident = past.incident;
        let place = self.by_name.get(&past.cluster);
        let cluster = place.map_or(ELSEWHERE, |at| ClusterId(*at as u16));
        incident.cluster = cluster;
        for finding in &mut incident.findings {
            finding.cluster = cluster;
        }
        incident
    }

    /// What is said now outlives the program.
    pub fn is_kept(&self) -> bool {
        self.desk.open
    }

    /// What changed since it was put away; `all`: also what changed just now.
    pub fn unkept(&mut self, all: bool) -> Vec<Keep> {
        if !self.desk.open {
            return Vec::new();
        }
        let mut out = std::mem::take(&mut self.desk.said);
        let most = if all { usize::MAX } else { KEEP };
        for incident in self.incidents.iter().filter(|i| i.is_ours()) {
            if out.len() >= most {
                break;
            }
            let live = incident.is_live();
            let due = match self.desk.kept.get(&incident.id) {
                None => true,
                Some(kept) if kept.revision == incident.revision => false,
                Some(kept) => all || kept.live != live || self.now.age_since_ms(kept.at) >= KEEP_MS,
            };
            let Some(cluster) = self.cluster(incident.cluster).filter(|_| due) else {
                continue;
            };
            out.push(Keep::Incident(Box::new(Past {
                cluster: cluster.name.clone(),
                signs: signs(incident),
                incident: incident.clone(),
            })));
            let kept = Kept {
                revision: incident.revision,
                at: self.now,
                live,
            };
            self.desk.kept.insert(incident.id, kept);
        }
        self.let_go(&mut out);
        out
    }

    /// What is no longer here: an ended one grew old, a live one was taken in by another.
    fn let_go(&mut self, out: &mut Vec<Keep>) {
        let incidents = &self.incidents;
        if self.desk.kept.len() <= incidents.len() {
            return;
        }
        self.desk.kept.retain(|id, kept| {
            let here = incidents.iter().any(|i| i.id == *id);
            if !here && kept.live {
                out.push(Keep::Gone(*id));
            }
            here
        });
    }

    /// Whose edits are made here.
    fn hand(&self, by: &Arc<str>) -> Hand {
        Hand {
            by: text::shared(by, NAME),
            console: self.shared.console().clone(),
        }
    }

    /// False: there is no such incident among those of this run.
    pub fn deed(&mut self, id: IncidentId, deed: Deed, by: &Arc<str>) -> bool {
        let (hand, at) = (self.hand(by), self.shared.now(self.now));
        let unmuted = deed == Deed::Mute(None);
        let deed = match deed {
            // All times that are shared are by the bus's clock.
            Deed::Mute(Some(end)) => Deed::Mute(Some(self.shared.now(end))),
            deed => deed,
        };
        let Some(incident) = self.incidents.iter_mut().find(|i| i.id == id) else {
            return false;
        };
        let mark = incident.take(deed, &hand, at);
        if let Some(mark) = mark.filter(|_| self.shared.is_on()) {
            incident.desk.wait(mark);
        }
        if unmuted {
            let (cluster, keys) = (incident.cluster, incident.keys());
            self.unmute(cluster, &keys, &hand, at);
        }
        self.shared.news();
        true
    }

    /// What ended with the same signs passes its mute on no longer.
    fn unmute(
        &mut self,
        cluster: ClusterId,
        keys: &BTreeSet<Arc<str>>,
        hand: &Hand,
        at: Timestamp,
    ) {
        let ended = self.incidents.iter_mut().filter(|i| !i.is_live());
        for incident in ended.filter(|i| i.cluster == cluster && i.desk.muted().is_some()) {
            if !incident.keys().is_disjoint(keys) {
                incident.take(Deed::Mute(None), hand, at);
            }
        }
    }

    /// What somebody thinks of a finding; `None` takes it back.
    pub fn opine(
        &mut self,
        cluster: ClusterId,
        finding: (&Arc<str>, f64),
        opinion: Option<Opinion>,
        by: &Arc<str>,
    ) {
        let (key, score) = finding;
        let (hand, at) = (self.hand(by), self.shared.now(self.now));
        let what = What::Verdict(opinion.map(|opinion| (opinion, score.into())));
        let said = self
            .desk
            .verdicts
            .entry((cluster, key.clone()))
            .or_default();
        let mark = said.write(what, &hand, at);
        if let Some(mark) = mark.filter(|_| self.shared.is_on()) {
            said.wait(mark);
        }
        self.said_of(cluster, key);
        self.shared.news();
    }

    /// Something else is said of the findings of this key: that is put away, and heeded.
    pub(super) fn said_of(&mut self, cluster: ClusterId, key: &Arc<str>) {
        let place = (cluster, key.clone());
        let Some(said) = self.desk.verdicts.get(&place) else {
            return;
        };
        let opinion = said.verdict().map(|v| v.opinion);
        if let Some(of) = self.clusters.get(usize::from(cluster.0)) {
            self.desk.said.push(Keep::Verdict {
                cluster: of.name.clone(),
                key: key.clone(),
                said: said.clone(),
            });
        }
        if opinion == Some(Opinion::False) {
            let at = self.now;
            self.grouper
                .dismiss(&mut self.incidents, (cluster, key.as_ref()), at);
        }
    }

    pub fn verdict(&self, finding: &Finding) -> Option<Verdict> {
        let place = (finding.cluster, finding.key.clone());
        self.desk.verdicts.get(&place)?.verdict()
    }

    /// An operator said that the like of it is nothing, and it is not much greater now.
    pub(super) fn is_dismissed(&self, finding: &Finding) -> bool {
        let verdict = self.verdict(finding).filter(|_| finding.kind.is_learned());
        verdict.is_some_and(|v| {
            v.opinion == Opinion::False && 1.0 - finding.score > (1.0 - v.score) * GREATER
        })
    }
}

/// Of a cluster that is not configured now.
pub const ELSEWHERE: ClusterId = ClusterId(u16::MAX);

#[cfg(test)]
mod tests;

//! Which incident a finding belongs to.
//!
//! Together go findings of one cluster, begun within minutes, on one object or on objects that
//! stand on one node or live in one namespace. Never two clusters; never time alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::alert::Severity;
use crate::model::desk::{Desk, Field};
use crate::model::finding::{Evidence, Finding, FindingKind, Subject};
use crate::model::id::IncidentId;
use crate::model::time::Timestamp;

use super::{Incident, IncidentState, title};

mod again;

use again::{ended, still_muted};

/// Findings begun this far apart can belong together, milliseconds; beyond the scrape interval.
const TOGETHER_MS: i64 = 300_000;
const SCRAPE_MS: i64 = 60_000;
/// Nothing wrong for this long closes an incident, milliseconds.
const COOL_MS: u64 = 300_000;
/// Closed incidents kept.
const CLOSED: usize = 300;
/// Evidence kept on one finding.
const EVIDENCE: usize = 16;

/// Makes incidents out of findings. Same findings in, same incidents out.
#[derive(Debug, Default)]
pub struct Grouper {
    /// Weak findings that open nothing by themselves, with their nodes.
    loose: Vec<(Finding, Vec<Arc<str>>)>,
    numbered: u32,
    /// Of the clusters, by their numbers: these are those of one run, names are everywhere the same.
    names: Vec<Arc<str>>,
}

impl Grouper {
    pub fn of(names: impl Iterator<Item = Arc<str>>) -> Self {
        Self {
            names: names.collect(),
            ..Self::default()
        }
    }

    /// Takes a finding and the nodes its subject stands on. True when an incident changed.
    pub fn take(
        &mut self,
        incidents: &mut Vec<Incident>,
        finding: Finding,
        nodes: &[Arc<str>],
    ) -> bool {
        if let Some(incident) = known(incidents, &finding) {
            incident.update(finding);
            return true;
        }
        if let Some(incident) = ended(incidents, &finding) {
            incident.reopen(finding);
            return true;
        }
        self.loose
            .retain(|(f, _)| f.key != finding.key || f.cluster != finding.cluster);
        if finding.over {
            return false;
        }
        let joined: Vec<usize> = incidents
            .iter()
            .enumerate()
            .filter(|(_, i)| i.is_ours() && i.is_live() && i.takes_in(&finding, nodes))
            .map(|(place, _)| place)
            .collect();
        let oldest = joined
            .iter()
            .copied()
            .min_by_key(|place| incidents.get(*place).map(|i| i.number));
        if let Some(place) = oldest {
            if let Some(incident) = incidents.get_mut(place) {
                incident.add(finding, nodes);
                let number = incident.number;
                merge(incidents, number, &joined);
            }
            return true;
        }
        if finding.severity >= Severity::Warning {
            self.open(incidents, finding, nodes);
            return true;
        }
        self.corroborate(incidents, finding, nodes)
    }

    /// From what it is about and when it began: the same in every replay, and on every console that
    /// saw the same begin. Consoles that did not know each other's by its signs (`model::shared`).
    fn id_of(&self, finding: &Finding) -> IncidentId {
        let cluster = finding.cluster.0;
        let name = self.names.get(usize::from(cluster)).cloned();
        let name = name.unwrap_or_else(|| cluster.to_string().into());
        let (subject, key, since) = (&finding.subject, &finding.key, finding.since.0);
        IncidentId::of(&format!("{name}|{subject}|{key}|{since}"))
    }

    fn open(&mut self, incidents: &mut Vec<Incident>, finding: Finding, nodes: &[Arc<str>]) {
        self.numbered += 1;
        let mut incident = Incident {
            id: self.id_of(&finding),
            number: self.numbered,
            cluster: finding.cluster,
            severity: finding.severity,
            state: IncidentState::Open,
            title: String::new(),
            opened: finding.since,
            changed: finding.at,
            closed: None,
            score: finding.score,
            subjects: Vec::new(),
            nodes: BTreeSet::new(),
            findings: Vec::new(),
            desk: Desk::default(),
            reopened: 0,
            revision: 0,
            awaited: None,
            handed: None,
        };
        if let Some(desk) = still_muted(incidents, &finding) {
            incident.desk.merge_field(Field::Muted, desk);
        }
        incident.add(finding, nodes);
        let held = std::mem::take(&mut self.loose);
        for (weak, places) in held {
            if incident.cluster == weak.cluster
                && incident.is_near(&weak)
                && incident.relates(&weak, &places)
            {
                incident.add(weak, &places);
            } else {
                self.loose.push((weak, places));
            }
        }
        incidents.push(incident);
    }

    /// Two weak signs of different signals on related objects are a strong one.
    fn corroborate(
        &mut self,
        incidents: &mut Vec<Incident>,
        mut finding: Finding,
        nodes: &[Arc<str>],
    ) -> bool {
        let statistical = |f: &Finding| f.kind.is_learned();
        let partner = self.loose.iter().any(|(other, places)| {
            other.cluster == finding.cluster
                && other.signal != finding.signal
                && statistical(other)
                && statistical(&finding)
                && (other.since.0 - finding.since.0).abs() <= TOGETHER_MS
                && related(&other.subject, places, &finding.subject, nodes)
        });
        if !partner {
            self.loose.push((finding, nodes.to_vec()));
            return false;
        }
        finding.severity = Severity::Warning;
        self.open(incidents, finding, nodes);
        true
    }

    /// Closes what has been calm for the cool-down, drops old weak signs, and sorts: open first,
    /// worst first, newest first. True when something changed.
    pub fn tick(&mut self, incidents: &mut Vec<Incident>, now: Timestamp) -> bool {
        self.loose
            .retain(|(f, _)| now.age_since_ms(f.at) <= (TOGETHER_MS + SCRAPE_MS) as u64);
        let mut changed = false;
        for incident in incidents.iter_mut().filter(|i| i.is_ours()) {
            let calm = now.age_since_ms(incident.changed) >= COOL_MS
                && incident.awaited.is_none_or(|end| end <= now);
            if incident.state == IncidentState::Recovering && calm {
                incident.state = IncidentState::Resolved;
                incident.closed = Some(incident.changed);
                incident.revision = incident.revision.wrapping_add(1);
                changed = true;
            }
        }
        sort(incidents);
        forget_closed(incidents);
        changed
    }
}

/// Lets the oldest of those that ended go, where they are many. They are sorted.
pub fn forget_closed(incidents: &mut Vec<Incident>) {
    let closed = incidents.iter().filter(|i| !i.is_live()).count();
    let keep = incidents.len() - closed.saturating_sub(CLOSED);
    incidents.truncate(keep);
}

/// Open first, worst first, newest first; then those that ended.
pub fn sort(incidents: &mut [Incident]) {
    incidents.sort_by_key(|i| {
        let state = match i.state {
            IncidentState::Open => 0,
            IncidentState::Recovering => 1,
            IncidentState::Resolved => 2,
        };
        // A closed one is looked for by its time, an open one by how bad it is.
        let severity = if i.is_live() {
            i.severity
        } else {
            Severity::Info
        };
        (state, std::cmp::Reverse((severity, i.opened, i.number)))
    });
}

fn known<'a>(incidents: &'a mut [Incident], finding: &Finding) -> Option<&'a mut Incident> {
    incidents.iter_mut().find(|i| {
        i.is_ours()
            && i.is_live()
            && i.cluster == finding.cluster
            && i.findings.iter().any(|f| f.key == finding.key)
    })
}

/// A finding that belongs to several incidents shows that they are one: the oldest takes them in.
fn merge(incidents: &mut Vec<Incident>, into: u32, places: &[usize]) {
    let mut others: Vec<usize> = places
        .iter()
        .copied()
        .filter(|p| incidents.get(*p).is_some_and(|i| i.number != into))
        .collect();
    others.sort_unstable_by(|a, b| b.cmp(a));
    let mut taken = Vec::new();
    for place in others {
        taken.push(incidents.remove(place));
    }
    taken.sort_by_key(|i| i.number);
    let Some(incident) = incidents.iter_mut().find(|i| i.number == into) else {
        return;
    };
    for other in taken {
        let nodes: Vec<_> = other.nodes.iter().cloned().collect();
        for finding in other.findings {
            incident.add(finding, &nodes);
        }
        incident.desk.merge(&other.desk);
    }
}

fn related(a: &Subject, a_nodes: &[Arc<str>], b: &Subject, b_nodes: &[Arc<str>]) -> bool {
    a == b
        || a_nodes.iter().any(|n| b_nodes.contains(n))
        || a.namespace()
            .is_some_and(|n| !n.is_empty() && b.namespace() == Some(n))
}

impl Incident {
    fn takes_in(&self, finding: &Finding, nodes: &[Arc<str>]) -> bool {
        self.cluster == finding.cluster
            && (self.is_near(finding) && self.relates(finding, nodes)
                || self.goes_on(&finding.subject))
    }

    /// A device that is ill already: what comes later of it is the same story.
    fn goes_on(&self, subject: &Subject) -> bool {
        let device = matches!(
            subject,
            Subject::Gpu { .. } | Subject::Clock { .. } | Subject::Nic { .. }
        );
        device && self.findings.iter().any(|f| f.subject == *subject)
    }

    fn is_near(&self, finding: &Finding) -> bool {
        let reach = TOGETHER_MS + SCRAPE_MS;
        let from = self.opened.0 - reach;
        let to = self.changed.0.max(self.last_begun().0) + reach;
        // A long incident is not open to all that comes: its last new sign must be near.
        let begun = self.last_begun().0;
        self.cluster == finding.cluster
            && (from..=to).contains(&finding.since.0)
            && (finding.since.0 - begun).abs() <= reach.max(self.spread_ms())
    }

    fn last_begun(&self) -> Timestamp {
        self.findings
            .iter()
            .map(|f| f.since)
            .max()
            .unwrap_or(self.opened)
    }

    fn spread_ms(&self) -> i64 {
        self.last_begun().0 - self.opened.0 + TOGETHER_MS
    }

    fn relates(&self, finding: &Finding, nodes: &[Arc<str>]) -> bool {
        let silent = |f: &Finding| f.kind == FindingKind::Unreachable;
        if finding.subject == Subject::Cluster {
            // What cannot be heard is one story; other cluster-wide signs are another.
            return self
                .findings
                .iter()
                .any(|f| f.subject == Subject::Cluster && silent(f) == silent(finding));
        }
        let own: Vec<Arc<str>> = self.nodes.iter().cloned().collect();
        self.subjects
            .iter()
            .any(|s| *s != Subject::Cluster && related(s, &own, &finding.subject, nodes))
    }

    /// A sign that is in already: as it is now.
    fn update(&mut self, finding: Finding) {
        let at = finding.at;
        if let Some(held) = self.findings.iter_mut().find(|f| f.key == finding.key) {
            if finding.over {
                // What it said last stays; only that it is over is new.
                held.over = true;
                held.at = at;
            } else {
                let first = if finding.since < held.since {
                    &finding
                } else {
                    &*held
                };
                let (since, earlier) = (first.since, first.earlier);
                let mut evidence = std::mem::take(&mut held.evidence);
                for piece in finding.evidence.iter().cloned() {
                    if !evidence.contains(&piece) && evidence.len() < EVIDENCE {
                        evidence.push(piece);
                    }
                }
                let severity = held.severity.max(finding.severity);
                let score = held.score.max(finding.score);
                let within = match (finding.seen, finding.expected) {
                    (Some(seen), Some((low, high))) => (low..=high).contains(&seen),
                    _ => false,
                };
                if within && !held.over {
                    // On its way back: what was bad is what there is to tell.
                    held.at = at;
                } else {
                    *held = finding;
                }
                (held.since, held.earlier, held.evidence) = (since, earlier, evidence);
                (held.severity, held.score) = (severity, score);
            }
        }
        self.settle(at);
    }

    fn add(&mut self, finding: Finding, nodes: &[Arc<str>]) {
        self.nodes.extend(nodes.iter().cloned());
        if !self.subjects.contains(&finding.subject) {
            self.subjects.push(finding.subject.clone());
        }
        self.link_alert(&finding);
        let at = finding.at;
        if self.findings.iter().any(|f| f.key == finding.key) {
            self.update(finding);
            return;
        }
        self.findings.push(finding);
        self.findings
            .sort_by(|a, b| (a.since, &a.key).cmp(&(b.since, &b.key)));
        self.settle(at);
    }

    /// An alert about what was found already is evidence of that.
    fn link_alert(&mut self, finding: &Finding) {
        let alerts = |f: &Finding| f.kind == FindingKind::Alert;
        if alerts(finding) {
            let same = self
                .findings
                .iter_mut()
                .find(|f| !alerts(f) && f.subject == finding.subject);
            if let (Some(same), Some(piece)) = (same, finding.evidence.first())
                && matches!(piece, Evidence::Alert(_))
                && !same.evidence.contains(piece)
                && same.evidence.len() < EVIDENCE
            {
                same.evidence.push(piece.clone());
            }
        }
    }

    /// State, severity, score and title follow from the findings.
    fn settle(&mut self, at: Timestamp) {
        self.revision = self.revision.wrapping_add(1);
        let was = self.state;
        let on = self.findings.iter().any(|f| !f.over);
        self.state = if on {
            self.awaited = None;
            IncidentState::Open
        } else {
            IncidentState::Recovering
        };
        if on || was == IncidentState::Open {
            self.changed = self.changed.max(at);
        }
        self.opened = self
            .findings
            .iter()
            .map(|f| f.since)
            .min()
            .map_or(self.opened, |first| first.min(self.opened));
        let severities = self.findings.iter().map(|f| f.severity);
        self.severity = severities.max().unwrap_or_default().max(Severity::Warning);
        self.score = self
            .findings
            .iter()
            .map(|f| f.score)
            .fold(self.score, f64::max);
        self.title = title::write(&self.findings);
    }
}

#[cfg(test)]
mod tests;

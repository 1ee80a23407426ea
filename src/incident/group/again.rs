//! What was there before: signs that come back, incidents of an earlier run, and what people said
//! that still holds.

use super::{Grouper, sort};
use crate::incident::{Incident, IncidentState};
use crate::model::alert::Severity;
use crate::model::desk::Desk;
use crate::model::finding::Finding;
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;

/// What comes back within this time is the same story, milliseconds.
const REOPEN_MS: i64 = 900_000;

impl Grouper {
    /// Takes back in what an earlier run knew. What was open then has until `until` to show its
    /// signs again; else it ended when it was last seen. Numbers go on after `numbered`.
    pub fn restore(
        &mut self,
        incidents: &mut Vec<Incident>,
        past: Vec<Incident>,
        numbered: u32,
        until: Timestamp,
    ) {
        let most = past.iter().map(|i| i.number).max().unwrap_or(0);
        let first = most.max(numbered);
        // What this run found already came after all of them.
        for incident in incidents.iter_mut() {
            incident.number = incident.number.saturating_add(first);
        }
        self.numbered = self.numbered.saturating_add(first);
        for mut incident in past {
            let same = incidents.iter().position(|i| i.id == incident.id);
            let same = same.or_else(|| incidents.iter().position(|i| i.goes_on_from(&incident)));
            if let Some(now) = same.and_then(|place| incidents.get_mut(place)) {
                // It goes on as what people know; what they did about it stays.
                (now.id, now.number) = (incident.id, incident.number);
                now.opened = now.opened.min(incident.opened);
                now.desk.merge(&incident.desk);
                continue;
            }
            if incident.is_live() {
                incident.state = IncidentState::Recovering;
                incident.awaited = Some(until);
                incident.findings.iter_mut().for_each(|f| f.over = true);
            }
            incidents.push(incident);
        }
        sort(incidents);
    }

    /// Takes in incidents of another console. Numbers of those found here go on after theirs, so
    /// that no number means two.
    pub fn take_over(&mut self, incidents: &mut Vec<Incident>, handed: Vec<Incident>) {
        let most = handed.iter().map(|i| i.number).max().unwrap_or(0);
        if self.numbered < most {
            for incident in incidents.iter_mut().filter(|i| i.is_ours()) {
                incident.number = incident.number.saturating_add(most);
            }
            self.numbered = self.numbered.saturating_add(most);
        }
        incidents.extend(handed);
        sort(incidents);
    }

    /// Somebody says that nothing is wrong there: what is told of this key is over.
    pub fn dismiss(
        &mut self,
        incidents: &mut [Incident],
        (cluster, key): (ClusterId, &str),
        at: Timestamp,
    ) {
        self.loose
            .retain(|(f, _)| f.key.as_ref() != key || f.cluster != cluster);
        let live = incidents
            .iter_mut()
            .filter(|i| i.is_ours() && i.is_live() && i.cluster == cluster);
        for incident in live {
            let held = incident.findings.iter_mut().find(|f| f.key.as_ref() == key);
            if let Some(finding) = held {
                finding.over = true;
                incident.settle(at);
            }
        }
    }
}

impl Incident {
    /// It was open when the earlier run ended, and shows one of its signs: this run sees less of
    /// its begin, or farwatch has made ids from something else since.
    fn goes_on_from(&self, past: &Self) -> bool {
        let shows = |f: &Finding| past.findings.iter().any(|p| p.key == f.key);
        self.is_ours()
            && self.is_live()
            && past.is_live()
            && self.cluster == past.cluster
            && self.findings.iter().any(shows)
    }
}

/// A mute holds for what it was said of: an incident that opens with the same sign is muted too.
pub(super) fn still_muted<'a>(incidents: &'a [Incident], finding: &Finding) -> Option<&'a Desk> {
    let same = incidents.iter().filter(|i| {
        i.is_ours()
            && i.cluster == finding.cluster
            && i.findings.iter().any(|f| f.key == finding.key)
    });
    let muted = same.filter_map(|i| Some((i.desk.muted()?.0, &i.desk)));
    let longest = muted.max_by_key(|(end, _)| *end);
    longest
        .filter(|(end, _)| *end > finding.at)
        .map(|(_, desk)| desk)
}

/// The incident that this sign was part of, where it ended a short while ago, or the sign says
/// that it never did (an alert that was silenced meanwhile).
pub(super) fn ended<'a>(
    incidents: &'a mut [Incident],
    finding: &Finding,
) -> Option<&'a mut Incident> {
    if finding.over || finding.severity < Severity::Warning {
        return None;
    }
    incidents.iter_mut().find(|i| {
        let lately = i
            .closed
            .is_some_and(|at| finding.since.0 - at.0 <= REOPEN_MS);
        let same = |f: &Finding| f.key == finding.key && (lately || f.since == finding.since);
        i.is_ours() && !i.is_live() && i.cluster == finding.cluster && i.findings.iter().any(same)
    })
}

impl Incident {
    /// Its sign is back.
    pub(super) fn reopen(&mut self, finding: Finding) {
        self.closed = None;
        self.reopened = self.reopened.saturating_add(1);
        self.update(finding);
    }
}

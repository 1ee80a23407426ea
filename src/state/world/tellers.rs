//! Which Alertmanagers know an alert or a silence, and which of them are replicas of one.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::alert::{Alert, AlertState, Silence};
use crate::model::health::SourceKind;
use crate::model::time::Timestamp;

use super::{ClusterState, score};

/// What one source says of an alert that several may know.
#[derive(Clone, Debug, PartialEq)]
pub struct Telling {
    pub source: SourceKind,
    pub state: AlertState,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
    silenced_by: Vec<String>,
    inhibited_by: Vec<String>,
}

impl Telling {
    pub(super) fn of(source: SourceKind, alert: &Alert) -> Self {
        Self {
            source,
            state: alert.state,
            starts_at: alert.starts_at,
            ends_at: alert.ends_at,
            silenced_by: alert.silenced_by.clone(),
            inhibited_by: alert.inhibited_by.clone(),
        }
    }
}

/// Gives an alert the standing that all its tellers agree on: what one still notifies of fires.
pub(super) fn merge(alert: &mut Alert, tellings: &[Telling]) {
    let rank = |t: &&Telling| match t.state {
        AlertState::Firing => 0,
        AlertState::Pending => 1,
        AlertState::Suppressed => 2,
        AlertState::Resolved => 3,
    };
    let Some(loudest) = tellings.iter().min_by_key(rank) else {
        return;
    };
    alert.state = loudest.state;
    alert.ends_at = tellings.iter().map(|t| t.ends_at).max().flatten();
    let starts = tellings.iter().map(|t| t.starts_at).min();
    alert.starts_at = starts.unwrap_or(alert.starts_at);
    let all = |of: fn(&Telling) -> &Vec<String>| -> Vec<String> {
        let ids: BTreeSet<&String> = tellings.iter().flat_map(of).collect();
        ids.into_iter().cloned().collect()
    };
    alert.silenced_by = all(|t| &t.silenced_by);
    alert.inhibited_by = all(|t| &t.inhibited_by);
}

impl ClusterState {
    /// Who tells of the alert now, by number; empty where it has ended.
    pub fn tellings(&self, fingerprint: &str) -> &[Telling] {
        self.tellings.get(fingerprint).map_or(&[], Vec::as_slice)
    }

    /// Whether an Alertmanager tells of it, not the rules API of Prometheus.
    pub(super) fn is_managed(&self, fingerprint: &str) -> bool {
        let told = self.tellings(fingerprint).iter();
        told.into_iter().any(|t| t.source.is_alertmanager())
    }

    /// Every Alertmanager of the cluster, replicas of one together, in the order of their numbers.
    pub fn alertmanagers(&self) -> Vec<Vec<SourceKind>> {
        let mut groups: Vec<Vec<SourceKind>> = Vec::new();
        for kind in self.sources.keys().filter(|k| k.is_alertmanager()) {
            let own =
                |group: &Vec<SourceKind>| group.iter().any(|k| self.gossip_together(*k, *kind));
            // One may belong to two that did not know of each other.
            let (mut together, apart): (Vec<_>, Vec<_>) = groups.into_iter().partition(own);
            together.push(vec![*kind]);
            groups = apart;
            groups.push(together.concat());
        }
        groups.iter_mut().for_each(|group| group.sort());
        groups.sort();
        groups
    }

    /// Replicas of one, as they say themselves. Names are new at every start: one that was started
    /// anew while the other is down no longer belongs to it as far as anybody knows.
    pub(super) fn gossip_together(&self, a: SourceKind, b: SourceKind) -> bool {
        let names = |kind| self.gossip.get(&kind);
        a == b
            || names(a)
                .zip(names(b))
                .is_some_and(|(a, b)| !a.is_disjoint(b))
    }

    /// Alertmanagers that do not answer now, each with whether a replica of it does.
    pub fn alertmanagers_down(&self, now: Timestamp) -> Vec<(SourceKind, bool)> {
        let groups = self.alertmanagers();
        let down = |kind: &SourceKind| {
            let source = self.sources.get(kind);
            source.is_some_and(|s| score::is_down(s, now))
        };
        let up = |kind: &SourceKind| {
            let source = self.sources.get(kind);
            source.is_some_and(|s| score::is_up(s, now))
        };
        let mut found = Vec::new();
        for group in &groups {
            let spoken_for = group.iter().any(&up);
            found.extend(group.iter().filter(|k| down(k)).map(|k| (*k, spoken_for)));
        }
        found
    }

    /// Replicas that are down, for which this source speaks too.
    pub(super) fn speaks_for(&self, source: SourceKind, now: Timestamp) -> Vec<SourceKind> {
        let down = self.alertmanagers_down(now).into_iter();
        let own =
            |kind: &SourceKind| source.is_alertmanager() && self.gossip_together(source, *kind);
        let replicas = down.map(|(kind, _)| kind).filter(own);
        replicas.chain([source]).collect()
    }

    /// Where something is to be silenced: of each Alertmanager that knows the alert one replica,
    /// one that answers where there is one. What no Alertmanager knows yet goes to all.
    pub fn to_silence(&self, fingerprint: &str, now: Timestamp) -> Vec<SourceKind> {
        let tellings = self.tellings(fingerprint);
        let knows = |kind: &SourceKind| tellings.iter().any(|t| t.source == *kind);
        let groups = self.alertmanagers();
        let known: Vec<_> = groups.iter().filter(|g| g.iter().any(knows)).collect();
        let chosen = match known.is_empty() {
            true => groups.iter().collect(),
            false => known,
        };
        chosen
            .into_iter()
            .filter_map(|group| self.best(group, now))
            .collect()
    }

    /// Who is asked to end a silence: one that tells of it, or else a replica of one.
    pub fn to_expire(&self, id: &str, now: Timestamp) -> Option<SourceKind> {
        let told = self.silence_tellers.get(id)?;
        let groups = self.alertmanagers();
        let group = groups.iter().find(|g| g.iter().any(|k| told.contains(k)))?;
        self.best(group, now)
    }

    /// Which Alertmanagers tell of the silence.
    pub fn silence_held_at(&self, id: &str) -> Vec<SourceKind> {
        let tellers = self.silence_tellers.get(id).into_iter().flatten();
        tellers.copied().collect()
    }

    fn best(&self, group: &[SourceKind], now: Timestamp) -> Option<SourceKind> {
        let up = |kind: &&SourceKind| {
            let source = self.sources.get(kind);
            source.is_some_and(|s| score::is_up(s, now))
        };
        group.iter().find(up).or_else(|| group.first()).copied()
    }

    pub(super) fn take_gossip(&mut self, source: SourceKind, names: Vec<String>) -> bool {
        let names: BTreeSet<String> = names.into_iter().collect();
        self.gossip
            .insert(source, names.clone())
            .is_none_or(|before| before != names)
    }

    /// All silences that one source has now; what no other has either is over.
    pub(super) fn take_silences(
        &mut self,
        source: SourceKind,
        list: Vec<Silence>,
        now: Timestamp,
    ) -> bool {
        let before = (self.silences.clone(), self.silence_tellers.clone());
        self.forget_silences_of(&self.speaks_for(source, now));
        for silence in list {
            let tellers = self.silence_tellers.entry(silence.id.clone()).or_default();
            tellers.insert(source);
            self.silences.insert(silence.id.clone(), silence);
        }
        before.0 != self.silences || before.1 != self.silence_tellers
    }

    pub(super) fn forget_silences_of(&mut self, sources: &[SourceKind]) {
        self.silence_tellers.retain(|_, tellers| {
            tellers.retain(|kind| !sources.contains(kind));
            !tellers.is_empty()
        });
        let tellers = &self.silence_tellers;
        self.silences.retain(|id, _| tellers.contains_key(id));
    }

    /// Takes back what these sources told of the alert. True when nobody tells of it now.
    pub(super) fn untell(&mut self, fingerprint: &Arc<str>, sources: &[SourceKind]) -> bool {
        let Some(tellings) = self.tellings.get_mut(fingerprint) else {
            return false;
        };
        let before = tellings.len();
        tellings.retain(|t| !sources.contains(&t.source));
        if tellings.len() == before {
            return false;
        }
        if tellings.is_empty() {
            self.tellings.remove(fingerprint);
            return true;
        }
        if let Some(alert) = self.alerts.get_mut(fingerprint) {
            merge(alert, tellings);
        }
        false
    }
}

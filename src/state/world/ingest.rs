//! Telemetry into the world: each body to its place.

use std::collections::BTreeSet;

use crate::detect::Arrival;
use crate::model::health::SourceKind;
use crate::model::id::{ClusterId, SeriesId};
use crate::model::sample::SeriesSamples;
use crate::model::signal::Group;
use crate::model::telemetry::{Body, LogBatch, SampleBatch, Telemetry};
use crate::model::time::Timestamp;
use crate::pattern::{Miner, PatternId};
use crate::store::Origin;

use super::judge::Known;
use super::{ClusterState, World, readings};

impl World {
    /// Takes one delivery. True when something visible may have changed. A delivery for a cluster
    /// that is not known is dropped.
    pub fn ingest(&mut self, telemetry: Telemetry) -> bool {
        let now = self.now.max(telemetry.received);
        let is_watched = self.is_watched();
        let events_most = self.events_most;
        let id = telemetry.cluster;
        let severities = &self.severities;
        let Some(cluster) = self.clusters.get_mut(usize::from(id.0)) else {
            return false;
        };
        let (known, changed) = match telemetry.body {
            Body::Samples(batch) => return self.take_samples(id, &batch),
            Body::Logs(batch) => {
                let at = telemetry.received;
                // Where watchers judge, nothing is counted for that.
                let of = (telemetry.source, at, !is_watched);
                return cluster.take_logs(batch, of, &mut self.miner);
            }
            Body::Facts(facts) => return cluster.take_facts(facts),
            Body::Alerts(mut list) => {
                list.iter_mut().for_each(|a| severities.apply(a));
                let changed = cluster.take_alerts(telemetry.source, list, now);
                (Known::Alerts, changed)
            }
            Body::Silences(list) => {
                return cluster.take_silences(telemetry.source, list, now);
            }
            Body::Gossip(names) => return cluster.take_gossip(telemetry.source, names),
            Body::Clocks(told) => {
                return cluster.take_clocks(telemetry.source, told, telemetry.received);
            }
            Body::Objects(batch) => {
                let kind = batch.kind;
                if batch.reset {
                    // What is bad in it began at some time before.
                    self.judge.look_anew(id, kind.word());
                }
                let changed = cluster.take_objects(batch, telemetry.received, events_most);
                (Known::Objects(kind), changed)
            }
            Body::Discovery(probes) => {
                let changed = cluster.probes != probes;
                cluster.probes = probes;
                return changed;
            }
            Body::Identity(identity) => {
                cluster.identity = Some(*identity);
                return true;
            }
            Body::Bus(survey) => return cluster.bus.take_survey(*survey),
            Body::BusTail(tail) => return cluster.bus.take_tail(*tail, telemetry.received),
            Body::Gone => {
                let silent = cluster.dismiss(telemetry.source);
                self.judge_known(id, Known::Sources, telemetry.received);
                return self.judge_known(id, Known::Alerts, telemetry.received) || silent;
            }
            Body::Health(health) => {
                let place = cluster.sources.entry(telemetry.source).or_default();
                let changed = *place != health;
                let expires = health.expires;
                let before = std::mem::replace(place, health);
                cluster.note_turn(&before, telemetry.source, now);
                if let Some(text) = cluster.remind(telemetry.source, expires, now) {
                    self.notice(true, text);
                }
                (Known::Sources, changed)
            }
        };
        // Judged with the time it came in: the same in every replay, whatever the ticks are.
        self.judge_known(id, known, telemetry.received) || changed
    }

    fn take_samples(&mut self, id: ClusterId, batch: &SampleBatch) -> bool {
        let mut found = Vec::new();
        let (mut newest, mut score) = (None, f64::NAN);
        let mut held_all = 0;
        // Watchers judge: nothing is judged here.
        let judged = !self.is_watched();
        for series in &batch.series {
            let Some(held) = self.keep(id, batch, series) else {
                continue;
            };
            held_all += 1;
            newest = newest.max(series.points.last().map(|s| s.at));
            if !judged {
                continue;
            }
            let arrival = Arrival {
                id: held,
                cluster: id,
                group: batch.group,
                query: &batch.name,
                series,
                quiet: batch.backfill,
                interval_ms: batch.interval_ms,
            };
            score = score.max(self.judge.observe(&arrival, &mut found));
        }
        self.store.enforce();
        if let Some(cluster) = self.clusters.get_mut(usize::from(id.0)) {
            cluster.last_sample = cluster.last_sample.max(newest);
            cluster.note_unheld(batch, held_all);
            let until = newest.map(|at| readings::until(at, batch.interval_ms));
            cluster.samples_until = cluster.samples_until.max(until);
            if !batch.backfill {
                cluster.pace(batch);
            }
            cluster.rebuild(batch.group, &names_of(batch), &self.store);
            if judged {
                cluster.note_score(newest.unwrap_or(batch.at), score);
            }
        }
        if batch.group == Group::Cluster {
            self.count_used(id);
        }
        self.forget_series(batch.at);
        if judged && !batch.backfill {
            let judge = &mut self.judge;
            judge.close(id, &batch.name, batch.at, batch.interval_ms, &mut found);
            self.judge_readings(id, batch.group, batch.at);
        }
        self.take_findings(found);
        newest.is_some()
    }

    fn keep(
        &mut self,
        id: ClusterId,
        batch: &SampleBatch,
        series: &SeriesSamples,
    ) -> Option<SeriesId> {
        let origin = Origin {
            cluster: id,
            group: batch.group,
            kind: series.kind,
            interval_ms: batch.interval_ms,
        };
        let held = self
            .store
            .series(origin, &series.key, *series.points.first()?)?;
        if !batch.backfill {
            self.store.pace(held, batch.interval_ms);
        }
        for point in &series.points {
            self.store.put(held, *point);
        }
        Some(held)
    }

    /// What the store let go is no longer judged.
    pub(super) fn forget_series(&mut self, at: Timestamp) -> bool {
        let removed = self.store.take_removed();
        if !removed.is_empty() {
            self.clusters.iter_mut().for_each(ClusterState::start_anew);
        }
        let mut over = Vec::new();
        self.judge.forget(&removed, at, &mut over);
        self.take_findings(over)
    }
}

/// Names of the series that an answer brought.
fn names_of(batch: &SampleBatch) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let mut last = "";
    for series in &batch.series {
        if *series.key.name != *last {
            last = &series.key.name;
            names.insert(last);
        }
    }
    names
}

impl ClusterState {
    /// How many series of this answer are not in the store: it has its limit, or the answer was
    /// cut before it came here.
    fn note_unheld(&mut self, batch: &SampleBatch, held: usize) {
        if batch.backfill {
            return;
        }
        let told = batch.series.iter().filter(|s| !s.points.is_empty()).count();
        let all = told.max(batch.cut_from.map_or(0, |all| all as usize));
        match all.saturating_sub(held) {
            0 => drop(self.unheld.remove(&batch.name)),
            missing => drop(self.unheld.insert(batch.name.clone(), missing)),
        }
    }

    /// Series that the sources tell and that are not held, as of the last answers: what is on the
    /// screens is not all there is.
    pub fn unheld(&self) -> usize {
        self.unheld.values().sum()
    }

    /// The same in words; `None`: all are held.
    pub fn unheld_words(&self) -> Option<String> {
        match self.unheld() {
            0 => None,
            n => Some(format!("{n} series not held (limit)")),
        }
    }

    fn take_logs(
        &mut self,
        batch: LogBatch,
        (source, at, judged): (SourceKind, Timestamp, bool),
        miner: &mut Miner,
    ) -> bool {
        self.logs.lose(batch.dropped);
        // Of what was asked for beside, or looked back on, nobody knows how much is usual.
        let counted = batch.live && source == SourceKind::Loki;
        if source == SourceKind::Loki && (!batch.live || batch.dropped > 0) {
            self.bursts.doubt(at);
        }
        let mut changed = batch.dropped > 0;
        let newest = batch.lines.iter().map(|l| l.at_ns / 1_000_000).max();
        if let Some(newest) = newest.filter(|_| counted) {
            self.log_lag_ms = Some(at.age_since_ms(Timestamp(newest)));
        }
        for line in &batch.lines {
            let taken = self.logs.push(line, miner);
            changed |= taken.is_some();
            let counted = counted && judged;
            if let Some(pattern) = taken.filter(|p| counted && *p != PatternId::OTHER) {
                self.bursts.count(pattern.0, line.view());
            }
        }
        changed
    }

    /// Forgets a source and what only it could say again.
    fn dismiss(&mut self, source: SourceKind) -> bool {
        self.forget_silences_of(&[source]);
        self.gossip.remove(&source);
        self.forget_alerts_of(source);
        self.sources.remove(&source).is_some()
    }

    /// Facts come from several sources: what one does not know does not erase what another told.
    fn take_facts(&mut self, facts: crate::model::telemetry::ClusterFacts) -> bool {
        let before = self.facts.clone();
        let held = &mut self.facts;
        held.kubernetes_version = facts.kubernetes_version.or(held.kubernetes_version.take());
        held.openshift_version = facts.openshift_version.or(held.openshift_version.take());
        held.prometheus_version = facts.prometheus_version.or(held.prometheus_version.take());
        held.capabilities = facts.capabilities.or(held.capabilities.take());
        held.watchdog = facts.watchdog.or(held.watchdog);
        held.platform = facts.platform.or(held.platform);
        *held != before
    }
}

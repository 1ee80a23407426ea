//! Alerts of one cluster from several tellers: its Alertmanagers (silences, receivers) and the rules
//! API of Prometheus (pending alerts, values, expressions). One alert is kept once.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::alert::{Alert, AlertState, Spell};
use crate::model::health::SourceKind;
use crate::model::time::Timestamp;

use super::ClusterState;
use super::tellers::{Telling, merge};
use super::twins::Twins;

/// How long a resolved alert stays known, milliseconds.
const KEEP_MS: i64 = 24 * 3_600_000;
/// Times that one alert fired that are remembered.
const SPELLS: usize = 50;

impl ClusterState {
    /// Takes the whole list of one source: what it no longer tells, and nobody else does, is
    /// resolved.
    pub(super) fn take_alerts(
        &mut self,
        source: SourceKind,
        list: Vec<Alert>,
        now: Timestamp,
    ) -> bool {
        let before = (self.alerts.clone(), self.heartbeats.clone());
        self.note_heartbeat(source, &list, now);
        let mut told = BTreeSet::new();
        let mut twins = Twins::of(self.alerts.values());
        for alert in list {
            told.insert(self.take_alert(source, alert, &mut twins));
        }
        let speaks_for = self.speaks_for(source, now);
        // Where it tells of the alert itself, its word stands in the place of theirs.
        let others: Vec<SourceKind> = speaks_for
            .iter()
            .filter(|k| **k != source)
            .copied()
            .collect();
        let known: Vec<Arc<str>> = self.tellings.keys().cloned().collect();
        for fingerprint in &known {
            let silent = match told.contains(fingerprint) {
                true => &others,
                false => &speaks_for,
            };
            if self.untell(fingerprint, silent) {
                self.end(fingerprint, now);
            }
        }
        self.note_spells();
        before.0 != self.alerts || before.1 != self.heartbeats
    }

    /// Nobody tells of it any longer.
    fn end(&mut self, fingerprint: &Arc<str>, now: Timestamp) {
        let Some(alert) = self.alerts.get_mut(fingerprint) else {
            return;
        };
        // What waited and never fired is not resolved: it is over and was nothing.
        if alert.state == AlertState::Pending {
            self.alerts.remove(fingerprint);
        } else if alert.state != AlertState::Resolved {
            alert.state = AlertState::Resolved;
            alert.ends_at = Some(now);
        }
    }

    /// When the alert fired, oldest first, as far back as we saw it.
    pub fn spells(&self, fingerprint: &str) -> impl Iterator<Item = Spell> {
        self.spells.get(fingerprint).into_iter().flatten().copied()
    }

    /// How often the alert began or ended since then, as far as we saw it.
    pub fn turns_of(&self, fingerprint: &str, since: Timestamp) -> usize {
        let ends = |s: Spell| [Some(s.from), s.to];
        let turns = self.spells(fingerprint).flat_map(ends).flatten();
        turns.filter(|at| *at >= since).count()
    }

    fn note_spells(&mut self) {
        for (fingerprint, alert) in &self.alerts {
            let fires = matches!(alert.state, AlertState::Firing | AlertState::Suppressed);
            if !fires && !self.spells.contains_key(fingerprint) {
                continue;
            }
            let spells = self.spells.entry(Arc::clone(fingerprint)).or_default();
            if let Some(last) = spells
                .back_mut()
                .filter(|s| fires && s.from == alert.starts_at)
            {
                // It was not told for a while, and had not ended.
                last.to = None;
                continue;
            }
            let open = spells.back_mut().filter(|s| s.to.is_none());
            match (open, fires) {
                // It ended and fired anew between two polls: by then at the latest.
                (Some(open), true) if alert.starts_at > open.from => {
                    open.to = Some(alert.starts_at);
                }
                (Some(_), true) | (None, false) => continue,
                (Some(open), false) => {
                    open.to = alert.ends_at;
                    continue;
                }
                (None, true) => {}
            }
            spells.push_back(Spell {
                from: alert.starts_at,
                to: None,
            });
            if spells.len() > SPELLS {
                spells.pop_front();
            }
        }
    }

    /// Returns the fingerprint under which the alert is kept.
    fn take_alert(&mut self, source: SourceKind, mut alert: Alert, twins: &mut Twins) -> Arc<str> {
        // Alertmanager's labels are Prometheus's and perhaps external ones.
        let managed = source.is_alertmanager();
        let of_other =
            |f: &Arc<str>| self.tellings.contains_key(f) && self.is_managed(f) != managed;
        let twin = twins.find(&self.alerts, (&alert, managed), of_other);
        if managed {
            if let Some(twin) = twin {
                // The rules API told of it first: its value and expression stay.
                if let Some(former) = self.alerts.get(&twin) {
                    alert.value = alert.value.or(former.value);
                    alert.expression = alert.expression.or(former.expression.clone());
                }
                self.alerts.remove(&twin);
                self.tellings.remove(&twin);
                // The two count the beginning of what still fires from different moments.
                if let Some(mut spells) = self.spells.remove(&twin) {
                    spells.retain(|s| s.to.is_some());
                    let place = self.spells.entry(Arc::clone(&alert.fingerprint));
                    place.or_insert(spells);
                }
            }
        } else if let Some(twin) = twin {
            if let Some(kept) = self.alerts.get_mut(&twin) {
                kept.value = alert.value;
                kept.expression = alert.expression;
            }
            return twin;
        }
        if let Some(former) = self.alerts.get(&alert.fingerprint) {
            alert.value = alert.value.or(former.value);
            alert.expression = alert.expression.or(former.expression.clone());
        }
        let fingerprint = alert.fingerprint.clone();
        self.tell(source, &mut alert);
        twins.add(&alert);
        self.alerts.insert(fingerprint.clone(), alert);
        fingerprint
    }

    /// Notes what the source says of the alert, and gives it the standing that all its tellers
    /// agree on.
    fn tell(&mut self, source: SourceKind, alert: &mut Alert) {
        let place = self.tellings.entry(Arc::clone(&alert.fingerprint));
        let tellings = place.or_default();
        tellings.retain(|t| t.source != source);
        tellings.push(Telling::of(source, alert));
        tellings.sort_by_key(|t| t.source);
        merge(alert, tellings);
    }

    /// Forgets what one source told: whether it still holds, nobody says.
    pub(super) fn forget_alerts_of(&mut self, source: SourceKind) {
        self.heartbeats.retain(|h| h.source != source);
        let known: Vec<Arc<str>> = self.tellings.keys().cloned().collect();
        for fingerprint in &known {
            if self.untell(fingerprint, &[source]) {
                self.alerts.remove(fingerprint);
            }
        }
        let alerts = &self.alerts;
        self.spells.retain(|f, _| alerts.contains_key(f));
    }

    /// Forgets alerts that ended long ago. True when one went.
    pub(super) fn forget_alerts(&mut self, now: Timestamp) -> bool {
        let before = self.alerts.len();
        self.alerts.retain(|_, a| {
            a.state != AlertState::Resolved || a.ends_at.is_none_or(|e| now.0 - e.0 < KEEP_MS)
        });
        let alerts = &self.alerts;
        self.spells.retain(|f, _| alerts.contains_key(f));
        before != self.alerts.len()
    }
}

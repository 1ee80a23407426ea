//! Clock states as cloud-event-proxy tells them: what differs from the last word is an event.

use crate::model::change::{Change, ChangeKind, Told};
use crate::model::health::SourceKind;
use crate::model::ptp::ClockTold;
use crate::model::time::Timestamp;

use super::ClusterState;

/// Who tells these.
const BY: &str = "cloud-event-proxy";

impl ClusterState {
    /// Takes all states that one proxy tells now.
    pub(super) fn take_clocks(
        &mut self,
        source: SourceKind,
        told: Vec<ClockTold>,
        now: Timestamp,
    ) -> bool {
        let before = self.clocks_told.insert(source, (now, told.clone()));
        let Some((seen, before)) = before else {
            return true;
        };
        let mut changed = false;
        for state in &told {
            let old = before.iter().find(|old| old.resource == state.resource);
            let Some(old) = old.filter(|old| !old.is_as(state)) else {
                continue;
            };
            changed = true;
            // Dated by the proxy between our two looks; else when we saw it.
            let dated = state.at.filter(|at| seen <= *at && *at <= now);
            self.note_change(Change {
                at: dated.unwrap_or(now),
                kind: ChangeKind::Clock,
                subject: ("Node".into(), state.node().to_owned()),
                namespace: String::new(),
                what: format!("{} {} → {}", state.name(), old.words(), state.words()),
                by: Some(BY.into()),
                told: Told::Object,
                symptom: true,
                unwatched: dated.is_none().then_some(seen),
            });
        }
        changed
    }

    /// States of a node as its proxy told them last, with the time it did.
    pub fn clocks_of(&self, node: &str) -> impl Iterator<Item = (Timestamp, &ClockTold)> {
        let all = self.clocks_told.values();
        let all = all.flat_map(|(at, told)| told.iter().map(|state| (*at, state)));
        all.filter(move |(_, state)| state.node() == node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::model::id::ClusterId;
    use crate::model::ptp::ValueTold;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);
    const PROXY: SourceKind = SourceKind::ClockEvents(0);

    fn told(word: &str, at: Option<Timestamp>) -> Vec<ClockTold> {
        vec![ClockTold {
            resource: "/cluster/node/du-1/sync/ptp-status/lock-state".into(),
            event: String::new(),
            at,
            values: vec![ValueTold {
                address: "/cluster/node/du-1/ens1f0/master".into(),
                measured: false,
                value: word.into(),
            }],
        }]
    }

    #[test]
    fn another_state_is_an_event_and_the_first_word_is_none() {
        let mut cluster = ClusterState::new(ClusterId(0), &config::Cluster::default(), 0);
        let at = |s: i64| NOW.plus_ms(s * 1_000);
        cluster.take_clocks(PROXY, told("LOCKED", None), NOW);
        cluster.take_clocks(PROXY, told("LOCKED", Some(at(14))), at(15));
        assert!(cluster.changes.is_empty());
        cluster.take_clocks(PROXY, told("FREERUN", Some(at(22))), at(30));
        cluster.take_clocks(PROXY, told("SOMETHING-NEW", Some(at(-9_000))), at(45));
        let all: Vec<_> = cluster.changes.iter().map(|c| (c.at, c.words())).collect();
        let head = "clock Node du-1: lock-state";
        let by = "by cloud-event-proxy";
        let first = format!("{head} LOCKED (ens1f0/master) → FREERUN (ens1f0/master) {by}");
        let then = format!("{head} FREERUN (ens1f0/master) → SOMETHING-NEW (ens1f0/master) {by}");
        assert_eq!(all, [(at(22), first), (at(45), then)]);
        let last = cluster.changes.back().expect("there");
        assert_eq!((last.unwatched, last.symptom), (Some(at(30)), true));
        let (seen, state) = cluster.clocks_of("du-1").next().expect("known");
        assert_eq!(
            (seen, state.words()),
            (at(45), "SOMETHING-NEW (ens1f0/master)".into())
        );
        assert_eq!(cluster.clocks_of("du-2").count(), 0);
    }
}

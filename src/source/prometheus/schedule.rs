//! When each signal is asked: what is on the screen often, the rest seldom, within the budget.

use std::time::{Duration, Instant};

use crate::model::signal::{Group, Signal};
use crate::model::time::Timestamp;
use crate::source::supervisor::Wish;

/// Share of the budget's steady flow that planned polls may use; the rest is for questions.
const PLANNED: f64 = 0.9;

/// One entry for each signal of the catalogue.
#[derive(Debug)]
struct Entry {
    group: Group,
    /// The server has the metric that the query needs.
    available: bool,
    interval: Duration,
    asked: Option<Instant>,
    next: Option<Instant>,
    /// Server's time of the newest answer.
    newest: Option<Timestamp>,
}

#[derive(Debug)]
pub(super) struct Schedule {
    entries: Vec<Entry>,
    wish: Wish,
    base: Duration,
    per_minute: u32,
    /// How much longer than wanted the intervals are, to keep the budget.
    stretch: f64,
}

impl Schedule {
    pub(super) fn new(signals: &[Signal], base: Duration, per_minute: u32) -> Self {
        let entries = signals.iter().map(|s| Entry {
            group: s.group,
            available: true,
            interval: base,
            asked: None,
            next: None,
            newest: None,
        });
        let mut schedule = Self {
            entries: entries.collect(),
            wish: Wish::default(),
            base,
            per_minute,
            stretch: 1.0,
        };
        schedule.replan();
        schedule
    }

    /// Takes over what is on the screen; newly shown signals are due at once if they are older
    /// than their new interval.
    pub(super) fn wish(&mut self, wish: &Wish, now: Instant) {
        if self.wish.groups == wish.groups {
            return;
        }
        self.wish = wish.clone();
        self.replan();
        for entry in &mut self.entries {
            if let (Some(asked), Some(next)) = (entry.asked, entry.next) {
                entry.next = Some(next.min((asked + entry.interval).max(now)));
            }
        }
    }

    /// Takes over which metrics exist; `None`: unknown, all are tried.
    pub(super) fn available(
        &mut self,
        signals: &[Signal],
        known: Option<&[(String, u64)]>,
        now: Instant,
    ) {
        for (entry, signal) in self.entries.iter_mut().zip(signals) {
            let available = match (&signal.needs, known) {
                (Some(_), Some(known)) => signal
                    .needed()
                    .any(|needs| known.iter().any(|(n, c)| n == needs && *c > 0)),
                _ => true,
            };
            if available && !entry.available {
                entry.next = Some(now);
            }
            entry.available = available;
        }
        self.replan();
    }

    /// Wanted interval: base for what is shown, twice for the fleet's overview, four times else.
    fn wanted(&self, group: Group) -> Duration {
        if self.wish.groups.contains(&group) {
            self.base
        } else if group == Group::Cluster {
            self.base * 2
        } else {
            self.base * 4
        }
    }

    fn replan(&mut self) {
        let minute = |d: Duration| 60.0 / d.as_secs_f64().max(0.001);
        // Alerts come with each base interval.
        let mut load = minute(self.base);
        for entry in self.entries.iter().filter(|e| e.available) {
            load += minute(self.wanted(entry.group));
        }
        let allowed = super::super::budget::steady(self.per_minute) * 60.0 * PLANNED;
        self.stretch = if self.per_minute == 0 {
            1.0
        } else {
            (load / allowed).max(1.0)
        };
        let intervals: Vec<Duration> = self
            .entries
            .iter()
            .map(|e| self.wanted(e.group).mul_f64(self.stretch))
            .collect();
        for (entry, interval) in self.entries.iter_mut().zip(intervals) {
            entry.interval = interval;
        }
    }

    /// Interval of what is on the screen.
    pub(super) fn fastest(&self) -> Duration {
        self.base.mul_f64(self.stretch)
    }

    pub(super) fn interval(&self, index: usize) -> Duration {
        self.entries.get(index).map_or(self.base, |e| e.interval)
    }

    /// Up to `most` signals that are due, those on the screen first, then the longest due.
    pub(super) fn due(&self, now: Instant, most: usize) -> Vec<usize> {
        let mut due: Vec<(bool, Option<Instant>, usize)> = self
            .entries
            .iter()
            .enumerate()
            .filter(|(_, e)| e.available && e.next.is_none_or(|next| next <= now))
            .map(|(i, e)| (!self.wish.groups.contains(&e.group), e.next, i))
            .collect();
        due.sort_unstable();
        due.truncate(most);
        due.into_iter().map(|(_, _, i)| i).collect()
    }

    /// When the next signal is due; `None`: one never was asked, or there is none.
    pub(super) fn next(&self) -> Option<Instant> {
        let available = || self.entries.iter().filter(|e| e.available);
        if available().any(|e| e.next.is_none()) {
            return Some(crate::clock::instant());
        }
        available().filter_map(|e| e.next).min()
    }

    /// Missed ticks are skipped: the next one is an interval from now or from the planned time.
    pub(super) fn answered(&mut self, index: usize, now: Instant, newest: Option<Timestamp>) {
        if let Some(entry) = self.entries.get_mut(index) {
            let planned = entry.next.unwrap_or(now) + entry.interval;
            entry.next = Some(if planned > now {
                planned
            } else {
                now + entry.interval
            });
            entry.asked = Some(now);
            entry.newest = newest.or(entry.newest);
        }
    }

    /// Trouble with one query: it waits longer than others.
    pub(super) fn failed(&mut self, index: usize, now: Instant) {
        if let Some(entry) = self.entries.get_mut(index) {
            entry.next = Some(now + entry.interval * 4);
            entry.asked = Some(now);
        }
    }

    pub(super) fn all_now(&mut self, now: Instant) {
        for entry in &mut self.entries {
            entry.next = Some(now);
        }
    }

    /// From when on history is missing: the whole of it at first, later what an outage took.
    pub(super) fn gap(&self, index: usize, now: Timestamp, history_ms: i64) -> Option<Timestamp> {
        let entry = self.entries.get(index)?;
        let earliest = now.plus_ms(-history_ms);
        let Some(newest) = entry.newest else {
            return Some(earliest);
        };
        let tolerated = i64::try_from(entry.interval.as_millis() * 2).unwrap_or(i64::MAX);
        let missing = now.0.saturating_sub(newest.0) > tolerated.max(5_000);
        missing.then(|| Timestamp(newest.0.max(earliest.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(name: &str, group: Group, needs: Option<&str>) -> Signal {
        Signal {
            name: name.into(),
            group,
            query: name.into(),
            about: "".into(),
            unit: Default::default(),
            bad: Default::default(),
            learn: false,
            limit: None,
            floor: 0.0,
            needs: needs.map(Into::into),
            backfill: true,
        }
    }

    fn wish(groups: &[Group]) -> Wish {
        Wish {
            groups: groups.to_vec(),
            refresh: 0,
        }
    }

    const BASE: Duration = Duration::from_secs(15);

    #[test]
    fn what_is_shown_comes_first_and_faster() {
        let signals = [
            signal("a", Group::Workload, None),
            signal("b", Group::Gpu, None),
            signal("c", Group::Cluster, None),
        ];
        let mut s = Schedule::new(&signals, BASE, 0);
        let start = crate::clock::instant();
        s.wish(&wish(&[Group::Gpu]), start);
        assert_eq!(s.due(start, 8), [1, 0, 2]);
        for i in 0..3 {
            s.answered(i, start, None);
        }
        let after = |n: u64| s.due(start + Duration::from_secs(n), 8);
        assert_eq!(after(14), Vec::<usize>::new());
        assert_eq!(after(15), [1]);
        assert_eq!(after(30), [1, 2]);
        assert_eq!(after(60), [1, 2, 0]);
        // Another screen: its signal is due as soon as its new interval is over.
        let now = start + Duration::from_secs(20);
        s.wish(&wish(&[Group::Workload]), now);
        assert_eq!(s.due(now, 1), [0]);
    }

    #[test]
    fn intervals_stretch_to_keep_the_budget() {
        let signals: Vec<Signal> = (0..100)
            .map(|i| signal(&i.to_string(), Group::Gpu, None))
            .collect();
        let mut s = Schedule::new(&signals, BASE, 60);
        s.wish(&wish(&[Group::Gpu]), crate::clock::instant());
        let a_minute = 100.0 * 60.0 / s.interval(0).as_secs_f64();
        assert!(a_minute <= 30.0, "{a_minute}");
        assert!(s.fastest() > BASE);
    }

    #[test]
    fn only_what_exists_is_asked() {
        let signals = [
            signal("a", Group::Gpu, Some("x")),
            signal("b", Group::Gpu, Some("y")),
        ];
        let mut s = Schedule::new(&signals, BASE, 0);
        let now = crate::clock::instant();
        s.available(&signals, Some(&[("y".into(), 3)]), now);
        assert_eq!(s.due(now, 8), [1]);
        s.available(&signals, None, now);
        assert_eq!(s.due(now, 8).len(), 2);
    }

    #[test]
    fn gaps_are_found() {
        let signals = [signal("a", Group::Cluster, None)];
        let mut s = Schedule::new(&signals, BASE, 0);
        let now = Timestamp(10_000_000);
        assert_eq!(s.gap(0, now, 3_600_000), Some(Timestamp(6_400_000)));
        s.answered(0, crate::clock::instant(), Some(now));
        assert_eq!(s.gap(0, now.plus_ms(30_000), 3_600_000), None);
        assert_eq!(s.gap(0, now.plus_ms(300_000), 3_600_000), Some(now));
    }
}

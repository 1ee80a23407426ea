//! How much would have been told with another sensitivity: all that is held is judged again, as it
//! is now and as it would be then, a part at a time and off the loop.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::World;
use crate::detect::Again;
use crate::message::{Effect, Work};
use crate::model::sensitivity::{self, Sensitivity};
use crate::model::time::Timestamp;

/// Longest time that is judged again, milliseconds.
pub const SPAN_MS: i64 = 24 * 3_600_000;
/// Points and places looked at on the loop for one part: some tenths of a millisecond.
const POINTS: usize = 50_000;
const PLACES: usize = 2_000;

/// What was told of the series of a signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    pub series: u32,
    pub now: u32,
    pub then: u32,
}

type Counted = Vec<(Arc<str>, Flags)>;

#[derive(Debug)]
pub struct WhatIf {
    pub said: Sensitivity,
    now: Arc<[Sensitivity]>,
    then: Arc<[Sensitivity]>,
    next: usize,
    /// Oldest and newest point.
    span: Option<(Timestamp, Timestamp)>,
    signals: BTreeMap<Arc<str>, Flags>,
    working: Option<Arc<OnceLock<Counted>>>,
    over: bool,
    pub scroll: usize,
}

impl WhatIf {
    pub fn new(world: &World, said: Sensitivity) -> Self {
        let mut then = world.sensitivity.clone();
        then.say(said.clone());
        Self {
            said,
            now: world.sensitivity.all(),
            then: then.all(),
            next: 0,
            span: None,
            signals: BTreeMap::new(),
            working: None,
            over: false,
            scroll: 0,
        }
    }

    /// Takes what was counted, and has the next part counted.
    pub fn work(&mut self, world: &World) -> Vec<Effect> {
        if let Some(working) = &self.working {
            let Some(counted) = working.get() else {
                return Vec::new();
            };
            for (signal, flags) in counted {
                let all = self.signals.entry(signal.clone()).or_default();
                all.series += flags.series;
                all.now += flags.now;
                all.then += flags.then;
            }
            self.working = None;
        }
        if self.over {
            return Vec::new();
        }
        let (part, next) = world.judged_again(self.next);
        for again in &part {
            let (first, last) = (again.points.first(), again.points.last());
            let ends = first.zip(last).map(|(f, l)| (f.at, l.at));
            self.span = match (self.span, ends) {
                (Some(s), Some(e)) => Some((s.0.min(e.0), s.1.max(e.1))),
                (span, ends) => span.or(ends),
            };
        }
        self.next = next.unwrap_or(self.next);
        self.over = next.is_none();
        let made = Arc::new(OnceLock::new());
        self.working = Some(Arc::clone(&made));
        let (now, then) = (Arc::clone(&self.now), Arc::clone(&self.then));
        let names: Vec<Arc<str>> = world.clusters.iter().map(|c| c.name.clone()).collect();
        vec![Effect::Work(Work::new(move || {
            let each = part.iter().map(|again| {
                let name = names.get(usize::from(again.cluster.0));
                let name = name.map_or("", |n| n.as_ref());
                (again.key.name.clone(), flags(again, name, (&now, &then)))
            });
            // Nobody else sets it.
            let _ = made.set(each.collect());
        }))]
    }

    /// All of it is counted.
    pub fn is_done(&self) -> bool {
        self.over && self.working.is_none()
    }

    /// Oldest and newest point that were judged again; `None`: none yet.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.span
    }

    pub fn sum(&self) -> Flags {
        let each = self.signals.values();
        each.fold(Flags::default(), |sum, f| Flags {
            series: sum.series + f.series,
            now: sum.now + f.now,
            then: sum.then + f.then,
        })
    }

    /// Signals of which something was or would be told, the greatest difference first.
    pub fn rows(&self) -> Vec<(&Arc<str>, Flags)> {
        let told = self.signals.iter().filter(|(_, f)| f.now + f.then > 0);
        let mut rows: Vec<(&Arc<str>, Flags)> = told.map(|(name, f)| (name, *f)).collect();
        rows.sort_by_key(|(name, f)| (std::cmp::Reverse(f.now.abs_diff(f.then)), *name));
        rows
    }
}

fn flags(again: &Again, cluster: &str, (now, then): (&[Sensitivity], &[Sensitivity])) -> Flags {
    let level = |all| sensitivity::level(all, cluster, &again.key.name, &again.key.labels);
    let (now, then) = (level(now), level(then));
    let told = again.flags(now);
    Flags {
        series: 1,
        now: told,
        then: match now == then {
            true => told,
            false => again.flags(then),
        },
    }
}

impl World {
    /// What is held of the learned series from this place on, and the place of the next part.
    fn judged_again(&self, from: usize) -> (Vec<Again>, Option<usize>) {
        let since = self.now.plus_ms(-SPAN_MS);
        let (mut part, mut points) = (Vec::new(), 0);
        for place in from..self.judge.places() {
            if points >= POINTS || place >= from + PLACES {
                return (part, Some(place));
            }
            let again = self.judge.again(place, |id| {
                let held = self.store.held(id, since, self.now);
                (held, self.store.interval_ms(id))
            });
            points += again.as_ref().map_or(0, |a| a.points.len());
            part.extend(again);
        }
        (part, None)
    }
}

#[cfg(test)]
mod tests;

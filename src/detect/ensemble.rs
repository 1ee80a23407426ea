//! The engine: how rare each point of a series is, and whether that is worth telling.
//!
//! Constant time and memory, no training phase, no settings: one set of constants for all series.
//! What it says is told at the onset only; each telling raises the bar of its series for some
//! hours, the longer the more often it was told of late.

mod daily;
mod expected;
mod group;
mod novelty;
mod rarity;
mod season;
mod views;
mod week;

pub(super) use expected::Expected;
pub use group::{Group, GroupReading};

use serde::{Deserialize, Serialize};
use std::f32::consts::LN_2;

use crate::model::finding::FindingKind;
use crate::model::signal::Bad;
use crate::model::time::Timestamp;
use daily::Daily;
use views::{Look, Views};

/// Decades that are told where points come each five minutes; more where they come oftener, so
/// that a series is told as often a day whatever its step.
const BAR: f32 = 4.5;
const POINTS_A_DAY: f32 = 288.0;
/// After telling: the bar is higher by so many decades, and by most of what was told above it.
const HABIT: f32 = 1.0;
const HABIT_SHARE: f32 = 0.85;
/// Half the raise is gone after so many hours, and so much more for each telling of late.
const HABIT_H: f32 = 14.0;
const BACK_OFF: f32 = 0.5;
const LATELY_H: f32 = 85.0;
/// The score falls to half in so many hours after its cause.
const HOLD_H: f32 = 0.75;
/// A longer gap is taken as so long, seconds.
const LONGEST_S: f32 = 7.0 * 86_400.0;

/// What the engine says of a point.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// Decades of rarity of this very point: 4 is once in ten thousand points.
    pub surprise: f32,
    /// 0 to 1, for ranking and heat, falling slowly after its cause; 0.5 is worth telling.
    pub score: f32,
    /// Worth telling now. Said at the onset, not on each point.
    pub onset: bool,
    /// What it looks like: of a point that is told, and of a gap.
    pub kind: Option<FindingKind>,
}

/// How often points come. Packed: a byte saved is saved for each series.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[repr(C, packed(4))]
struct Pace {
    last: Timestamp,
    step_s: f32,
}

/// Points in which the distance of points is yet to be found out.
const EARLY: u32 = 20;
/// No point came yet.
const NEVER: Timestamp = Timestamp(i64::MIN);

impl Default for Pace {
    fn default() -> Self {
        Self {
            last: NEVER,
            step_s: 0.0,
        }
    }
}

impl Pace {
    /// Seconds since the point before; none for the first. `seen` came before this one.
    fn take(&mut self, at: Timestamp, seen: u32) -> f32 {
        let last = self.last;
        self.last = at;
        if last == NEVER {
            return 0.0;
        }
        let passed = (at.age_since_ms(last) as f32 / 1000.0).min(LONGEST_S);
        let early = seen <= EARLY;
        // A hole makes a distance longer, nothing makes it shorter: at first the smallest is right.
        if self.step_s == 0.0 || (early && passed > 0.0 && passed < self.step_s) {
            self.step_s = passed;
        } else if passed > 0.0 {
            let near = passed.clamp(0.5 * self.step_s, 2.0 * self.step_s);
            self.step_s += 0.05 * (near - self.step_s);
        }
        passed
    }

    /// Usual distance of points, seconds.
    fn step_s(&self) -> f32 {
        match self.step_s > 0.0 {
            true => self.step_s,
            false => 60.0,
        }
    }
}

/// When to tell, and what to rank by.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Decision {
    /// Decades by which the bar is higher for reasons outside of the series.
    shift: f32,
    /// And after telling.
    raise: f32,
    lately: f32,
    held: f32,
    daily: Daily,
}

fn faded(seconds: f32, half_h: f32) -> f32 {
    (-LN_2 * seconds / 3600.0 / half_h).exp()
}

fn bar(step_s: f32) -> f32 {
    BAR + (86_400.0 / step_s.max(1e-3) / POINTS_A_DAY).log10()
}

impl Decision {
    /// Without what telling has raised.
    fn plain(&self, step_s: f32) -> f32 {
        bar(step_s) + self.shift
    }

    fn bar(&self, step_s: f32) -> f32 {
        self.plain(step_s) + self.raise
    }

    /// Takes a surprise; gives the score, and whether it is told.
    fn take(
        &mut self,
        at: Timestamp,
        surprise: f32,
        (passed_s, step_s): (f32, f32),
    ) -> (f32, bool) {
        // Mostly nothing was told of late.
        if self.raise > 0.0 || self.lately > 0.0 {
            self.raise *= faded(passed_s, HABIT_H * (1.0 + BACK_OFF * self.lately));
            self.lately *= faded(passed_s, LATELY_H);
        }
        self.daily.take(at.0, surprise);
        let plain = self.plain(step_s);
        let bar = plain + self.raise;
        let onset = surprise >= bar && surprise >= bar + self.daily.raise();
        if onset {
            let over = surprise - plain;
            self.raise = self.raise.max(HABIT + HABIT_SHARE * over);
            self.lately += 1.0;
        }
        self.held = (self.held * faded(passed_s, HOLD_H)).max(surprise);
        (self.held / (self.held + plain), onset)
    }
}

/// One series.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ensemble {
    pace: Pace,
    views: Views,
    decision: Decision,
}

impl Default for Ensemble {
    fn default() -> Self {
        Self::new(Bad::Both, 0.0)
    }
}

impl Ensemble {
    /// `bad` is the direction that matters; changes below `floor`, in the series' unit, never do.
    pub fn new(bad: Bad, floor: f64) -> Self {
        Self {
            pace: Pace::default(),
            views: Views::new(bad, floor),
            decision: Decision::default(),
        }
    }

    /// Changes below so many per cent of its level never matter either.
    pub(super) fn but_for(mut self, percent: u8) -> Self {
        self.views.percent = percent;
        self
    }

    /// Raises the bar by so many decades: one less told of ten.
    pub fn shift(&mut self, decades: f32) {
        self.decision.shift = decades;
    }

    pub(super) fn shifted(&self) -> f32 {
        self.decision.shift
    }

    /// Takes the next point. NaN and infinities are gaps: they teach nothing.
    pub fn observe(&mut self, at: Timestamp, value: f64) -> Reading {
        let (look, passed_s) = self.look(at, value);
        let surprise = look.map_or(0.0, |l| l.surprise);
        let (score, onset) = self
            .decision
            .take(at, surprise, (passed_s, self.pace.step_s()));
        Reading {
            surprise,
            score,
            onset,
            kind: match look {
                None if !value.is_finite() => Some(FindingKind::MissingData),
                look => look.filter(|_| onset).map(|l| l.kind),
            },
        }
    }

    fn look(&mut self, at: Timestamp, value: f64) -> (Option<Look>, f32) {
        let passed_s = self.pace.take(at, self.views.seen);
        let step_s = self.pace.step_s();
        let look = match value.is_finite() {
            true => self.views.look(at.0, step_s, value),
            false => None,
        };
        (look, passed_s)
    }

    pub(super) fn is_for(&self, bad: Bad, floor: f64) -> bool {
        self.views.is_for(bad, floor)
    }

    /// Since its newest point; 0: it has none.
    pub(super) fn silent_ms(&self, at: Timestamp) -> u64 {
        match self.pace.last {
            NEVER => 0,
            last => at.age_since_ms(last),
        }
    }

    /// Its level is learned anew.
    pub(super) fn begin_anew(&mut self) {
        self.views.begin_anew();
    }

    /// Finite points seen so far.
    pub fn seen(&self) -> u32 {
        self.views.seen
    }

    /// The range of values that would not be told at this time, by themselves; none while it
    /// learns.
    pub fn band(&self, at: Timestamp) -> Option<(f64, f64)> {
        let expected = self.views.expected(at.0)?;
        Some(expected.band(self.bar()))
    }

    pub(super) fn expected(&self, at: Timestamp) -> Option<Expected> {
        self.views.expected(at.0)
    }

    pub(super) fn level_of_hour(&self, at: Timestamp) -> Option<f64> {
        self.views.level_of_hour(at.0)
    }

    pub(super) fn jitter(&self) -> f32 {
        self.views.jitter()
    }

    /// Decades that are told now.
    pub(super) fn bar(&self) -> f32 {
        self.decision.bar(self.pace.step_s())
    }

    /// Decades that are told where nothing was told of late.
    pub(super) fn plain_bar(&self) -> f32 {
        self.decision.plain(self.pace.step_s())
    }

    /// For how many points it has hung at one value; none where it moves, or seldom moves.
    pub(super) fn flat(&self) -> Option<f32> {
        self.views.flat(self.pace.step_s())
    }

    /// Usual distance of points, seconds.
    pub(super) fn step_s(&self) -> f32 {
        self.pace.step_s()
    }

    /// What was learnt since then is forgotten; what was told is not.
    pub(super) fn forget_since(&mut self, before: Self) {
        self.views = before.views;
    }

    /// Telling the last onset was a mistake: the bar is no higher for it than this.
    pub(super) fn take_back(&mut self, bar: f32) {
        let before = (bar - self.plain_bar()).max(0.0);
        self.decision.raise = self.decision.raise.min(before + HABIT);
        self.decision.lately = (self.decision.lately - 1.0).max(0.0);
    }
}

#[cfg(test)]
pub(super) mod tests;

//! What is expected of a point before it comes.

use super::rarity::{Blocks, Rarity};
use crate::model::signal::Bad;

/// A move is slow of which so large a share shows in the mean of a quarter of an hour already.
const SLOW: f32 = 0.5;

/// What a series usually does, as it was known at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(super) middle: f64,
    pub(super) by_hour: bool,
    pub(super) young: bool,
    pub(super) bad: Bad,
    pub(super) above: Rarity,
    pub(super) below: Rarity,
    pub(super) blocks: Blocks,
    pub(super) floor: f32,
    pub(super) least: f32,
    pub(super) mean_off: f32,
    pub(super) long_off: f32,
    pub(super) usual_jitter: f32,
}

impl Expected {
    /// The level, in the series' unit.
    pub(crate) fn middle(&self) -> f64 {
        self.middle
    }

    /// The level is that of the hour of the day.
    pub(crate) fn is_by_hour(&self) -> bool {
        self.by_hour
    }

    /// How far the newest points were from the level, on average.
    pub(crate) fn mean_off(&self) -> f32 {
        self.mean_off
    }

    /// Of the series no more than some days are known, and a point so far off came there slowly, or
    /// is no farther than others were on the other side: that may be what its days are like.
    pub(crate) fn may_be_the_day(&self, off: f32) -> bool {
        let other = if off > 0.0 { &self.below } else { &self.above };
        self.young && (self.long_off / off > SLOW || off.abs() < other.farthest())
    }

    /// How much it usually moves from point to point.
    pub(crate) fn usual_jitter(&self) -> f32 {
        self.usual_jitter
    }

    /// How far below and above the level a point may be, by itself, without being rarer than that.
    /// Infinite on a side that is not bad.
    pub(crate) fn reach(&self, decades: f32) -> (f32, f32) {
        let of = |side: &Rarity| {
            side.deviation(decades, self.floor, &self.blocks)
                .max(self.least)
        };
        match self.bad {
            Bad::High => (f32::INFINITY, of(&self.above)),
            Bad::Low => (of(&self.below), f32::INFINITY),
            Bad::Both | Bad::None => (of(&self.below), of(&self.above)),
        }
    }

    /// The values that would not be told.
    pub(super) fn band(&self, decades: f32) -> (f64, f64) {
        let (below, above) = self.reach(decades);
        (
            self.middle - f64::from(below),
            self.middle + f64::from(above),
        )
    }
}

//! How rare a deviation is for its own series, in decades.
//!
//! A raw z-score means something else on every series. Here the unit is the series' own habit: the
//! greatest deviation of a block of points, as it usually is, counts as once in a block; beyond it
//! rarity grows with the spread of those greatest values (the block maxima of extreme-value
//! theory). A record is remembered for some days, so that what happened yesterday is no news today.

use serde::{Deserialize, Serialize};
use std::f32::consts::{LN_2, LN_10};

/// Deviations told apart: what is smaller is none, what is greater is alike.
pub(super) const LEAST: f32 = 1e-37;
pub(super) const FARTHEST: f32 = 1e30;
/// Points of the first blocks.
const FIRST_BLOCK: f32 = 10.0;
/// A block is so large a share of what was seen.
const BLOCK_SHARE: f32 = 0.1;
/// The largest block is a day where points come each hour; where they come oftener it is of more
/// points, but of less than a day.
const LARGEST_BLOCK: f32 = 24.0;
const LARGEST_POWER: f32 = 0.7;
/// Weight of a new block.
const RATE: f32 = 0.15;
/// A block moves the usual by at most so much, as a logarithm.
const MOVE: f32 = 1.0;
/// Spread of the greatest values, as a logarithm: at first, and the least that is believed.
const WIDE_FIRST: f32 = 0.5;
const WIDE_LEAST: f32 = 0.25;
/// How far a record lifts what is usual, and how fast it fades, days.
const RECORD: f32 = 0.25;
const RECORD_DAYS: f32 = 5.0;
/// Beyond the usual, rarity grows so much with the logarithm, the rest in proportion.
const LOGARITHMIC: f32 = 0.4;
/// The most that is told: all that is rarer is alike.
const MOST: f32 = 10.0;

/// Counts points into blocks, for all views of a series at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Blocks {
    /// Points of the one that is on, and blocks that are over.
    count: u16,
    closed: u16,
    length: f32,
    /// Logarithm of the length: what counts as once in a block.
    decades: f32,
}

impl Default for Blocks {
    fn default() -> Self {
        Self {
            count: 0,
            length: FIRST_BLOCK,
            closed: 0,
            decades: FIRST_BLOCK.log10(),
        }
    }
}

/// A block that is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closed {
    /// Blocks before this one.
    before: u16,
    days: f32,
    /// How much longer the next one is.
    growth: f32,
}

impl Blocks {
    /// Takes a point, the `seen`th; `step_s` is their usual distance.
    pub(super) fn point(&mut self, seen: u32, step_s: f32) -> Option<Closed> {
        self.count = self.count.saturating_add(1);
        if f32::from(self.count) < self.length.min(f32::from(u16::MAX)) {
            return None;
        }
        let day = 86_400.0 / step_s.max(1e-3);
        let days = f32::from(self.count) / day;
        let largest = (LARGEST_BLOCK * (day / 24.0).powf(LARGEST_POWER)).max(FIRST_BLOCK);
        let wanted = (seen as f32 * BLOCK_SHARE).clamp(FIRST_BLOCK, largest);
        let growth = (wanted / self.length).max(1.0);
        let before = self.closed;
        self.length *= growth;
        self.decades = self.length.log10();
        self.closed = self.closed.saturating_add(1);
        self.count = 0;
        Some(Closed {
            before,
            days,
            growth,
        })
    }
}

/// A number from 0 to 32 in steps that are far finer than what it is used for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Share(u16);

impl Share {
    const ONE: f32 = 2048.0;

    fn of(value: f32) -> Self {
        // A NaN becomes 0; what is greater than all is alike.
        Self((value * Self::ONE).round() as u16)
    }

    fn get(self) -> f32 {
        f32::from(self.0) / Self::ONE
    }
}

/// One view's deviations.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Rarity {
    /// Greatest deviation of this block.
    peak: f32,
    /// Logarithm of the usual peak.
    usual: f32,
    /// The deviation that is seen once in a block.
    mark: f32,
    /// How far the record is above the usual, and the spread of the peaks, as logarithms.
    lift: Share,
    wide: Share,
}

impl Default for Rarity {
    fn default() -> Self {
        Self {
            peak: 0.0,
            usual: 0.0,
            mark: f32::NAN,
            lift: Share::of(0.0),
            wide: Share::of(WIDE_FIRST),
        }
    }
}

impl Rarity {
    /// Decades: 4 means once in ten thousand points, on this series. `floor` is the smallest
    /// deviation that is told from none.
    pub(super) fn of(&self, deviation: f32, floor: f32, blocks: &Blocks) -> f32 {
        if self.mark.is_nan() || deviation <= 0.0 {
            return 0.0;
        }
        let once = blocks.decades;
        let times = deviation / self.mark.max(floor);
        if times.is_nan() || times <= 1.0 {
            return once * times.max(0.0);
        }
        (once + self.beyond(times)).min(MOST)
    }

    fn beyond(&self, times: f32) -> f32 {
        let wide = self.wide.get().max(WIDE_LEAST);
        ((1.0 - LOGARITHMIC) * (times - 1.0) + LOGARITHMIC * times.ln()) / wide / LN_10
    }

    /// The deviation that has this rarity.
    pub(super) fn deviation(&self, decades: f32, floor: f32, blocks: &Blocks) -> f32 {
        let mark = self.mark.max(floor);
        let once = blocks.decades;
        if decades <= once {
            return mark * decades / once;
        }
        let (mut low, mut high) = (1.0, 1e3);
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            match once + self.beyond(middle) < decades {
                true => low = middle,
                false => high = middle,
            }
        }
        mark * high
    }

    /// Takes a deviation; `early` ones make no record.
    pub(super) fn learn(&mut self, deviation: f32, early: bool) {
        if deviation <= self.peak {
            return;
        }
        self.peak = deviation;
        if !early && deviation > self.mark {
            let lift = Share::of(deviation.ln() - self.usual);
            if lift.0 > self.lift.0 {
                self.lift = lift;
                self.set_mark();
            }
        }
    }

    /// The greatest deviation of a block, as it usually is.
    pub(super) fn usually(&self) -> f32 {
        self.usual.exp()
    }

    /// The greatest deviation of late.
    pub(super) fn farthest(&self) -> f32 {
        (self.usual + self.lift.get()).exp().max(self.mark)
    }

    fn set_mark(&mut self) {
        self.mark = (self.usual + RECORD * self.lift.get())
            .exp()
            .clamp(LEAST, FARTHEST);
    }

    pub(super) fn close(&mut self, block: Closed, floor: f32) {
        let floor = floor.clamp(LEAST, FARTHEST).ln();
        let peak = self.peak.max(LEAST).ln().max(floor);
        self.peak = 0.0;
        let record = self.usual + self.lift.get();
        let mut wide = self.wide.get();
        if block.before == 0 {
            self.usual = peak;
        } else {
            self.usual = self.usual.max(floor);
            let rate = RATE.max(1.0 / (f32::from(block.before) + 1.0));
            let off = peak - self.usual;
            self.usual += rate * off.clamp(-MOVE, MOVE);
            wide += rate * (off.abs().min(2.0) - wide);
        }
        let fade = (-LN_2 * block.days / RECORD_DAYS).exp();
        // Before the first block is over nothing is usual, and nothing a record.
        let lift = match block.before {
            0 => 0.0,
            _ => (record - self.usual).max(0.0) * fade,
        };
        let grown = match block.growth > 1.0 {
            true => wide.max(WIDE_LEAST) * block.growth.ln(),
            false => 0.0,
        };
        self.usual += grown;
        self.lift = Share::of(lift - grown);
        self.wide = Share::of(wide);
        self.set_mark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taught(values: impl Iterator<Item = f32>) -> (Rarity, Blocks) {
        let (mut rarity, mut blocks) = (Rarity::default(), Blocks::default());
        for (seen, value) in values.enumerate() {
            rarity.learn(value, false);
            if let Some(closed) = blocks.point(seen as u32, 60.0) {
                rarity.close(closed, 1e-6);
            }
        }
        (rarity, blocks)
    }

    #[test]
    fn a_wide_tail_makes_far_points_less_rare() {
        let usual = |i: u32| (i * 37 % 100) as f32 / 50.0;
        let (narrow, blocks) = taught((0..5000).map(usual));
        let (wide, _) = taught((0..5000).map(|i| if i % 400 == 0 { 15.0 } else { usual(i) }));
        let far = narrow.of(12.0, 0.0, &blocks);
        assert!(far >= 8.0, "{narrow:?} {far}");
        let less = wide.of(12.0, 0.0, &blocks);
        assert!(less < 6.0, "{wide:?} {less}");
        let back = narrow.of(narrow.deviation(6.0, 0.0, &blocks), 0.0, &blocks);
        assert!((back - 6.0).abs() < 1e-3, "{back}");
    }
}

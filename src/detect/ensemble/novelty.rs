//! How often a pair of coarse features was seen: where a series is, and how it came there.
//!
//! Catches what no single value shows: a level that is usual in itself, reached as never before.

use serde::{Deserialize, Serialize};

const LEVELS: usize = 12;
const MOVES: usize = 8;
/// Pairs remembered; then old ones fade.
const MEMORY: u16 = 4_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Novelty {
    seen: [[u8; MOVES]; LEVELS],
    total: u16,
}

impl Default for Novelty {
    fn default() -> Self {
        Self {
            seen: [[0; MOVES]; LEVELS],
            total: 0,
        }
    }
}

/// Where the steps of a level and of a move begin, in spreads: narrow around the middle, as an inverse
/// hyperbolic sine is.
const LEVEL_STEPS: [f32; LEVELS / 2] =
    [0.201336, 0.6366536, 1.175201, 1.904302, 2.942174, 4.457105];
const MOVE_STEPS: [f32; MOVES / 2] = [0.3176112, 1.080992, 2.280561, 4.400353];

/// A value in spreads as one of `count` steps.
fn step(spreads: f32, begins: &[f32], count: usize) -> usize {
    // A NaN is in the middle.
    let far = begins.iter().filter(|b| spreads.abs() >= **b).count();
    let middle = count / 2;
    match spreads < 0.0 {
        true => middle - far,
        false => (middle + far).min(count - 1),
    }
}

impl Novelty {
    /// Pairs that a cell stands for; one that is full, for all that the others do not hold.
    fn held(&self, count: u8) -> f32 {
        if count < u8::MAX {
            return f32::from(count);
        }
        let cells = self.seen.as_flattened().iter();
        let others = cells.map(|c| u32::from(*c)).sum::<u32>() - u32::from(count);
        (f32::from(self.total) - others as f32).max(f32::from(count))
    }

    /// Takes a level and the move that led there, in spreads; says how new the pair is, decades.
    pub(super) fn see(&mut self, level: f32, moved: f32) -> f32 {
        let row = step(level, &LEVEL_STEPS, LEVELS);
        let column = step(moved, &MOVE_STEPS, MOVES);
        let mut near = 0.0_f32;
        let around = |at: usize, count: usize| at.saturating_sub(1)..(at + 2).min(count);
        for r in around(row, LEVELS) {
            for c in around(column, MOVES) {
                let weight = match r.abs_diff(row) + c.abs_diff(column) {
                    0 => 1.0,
                    1 => 0.5,
                    _ => 0.25,
                };
                let count = self.seen.get(r).and_then(|cells| cells.get(c));
                near += weight * self.held(count.copied().unwrap_or(0));
            }
        }
        let novelty = ((f32::from(self.total) + 1.0) / (near + 0.3)).log10();
        let cell = self.seen.get_mut(row).and_then(|r| r.get_mut(column));
        if let Some(cell) = cell {
            *cell = cell.saturating_add(1);
        }
        self.total += 1;
        if self.total > MEMORY {
            self.total /= 2;
            for cell in self.seen.as_flattened_mut() {
                *cell = cell.div_ceil(2);
            }
        }
        novelty.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_way_is_no_news_another_one_is() {
        let mut novelty = Novelty::default();
        for i in 0..3000 {
            let angle = i as f32 * 0.1;
            novelty.see(2.0 * angle.sin(), 2.0 * angle.cos());
        }
        let usual = novelty.see(0.0, 2.0);
        let strange = novelty.see(0.0, 0.0);
        assert!(usual < 2.0 && strange > 3.0, "{usual} {strange}");
        assert!(novelty.see(f32::NAN, f32::INFINITY) >= 0.0);
    }
}

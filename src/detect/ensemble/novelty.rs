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

/// A value in spreads as one of `count` steps, narrow around the middle.
fn step(spreads: f32, count: usize, scale: f32) -> usize {
    let middle = (count / 2) as f32;
    let place = middle + scale * spreads.clamp(-1e6, 1e6).asinh();
    // A NaN becomes 0.
    place.round().clamp(0.0, (count - 1) as f32) as usize
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
        let (row, column) = (step(level, LEVELS, 2.5), step(moved, MOVES, 1.6));
        let mut near = 0.0_f32;
        for (r, cells) in self.seen.iter().enumerate() {
            if r.abs_diff(row) > 1 {
                continue;
            }
            for (c, count) in cells.iter().enumerate() {
                let weight = match r.abs_diff(row) + c.abs_diff(column) {
                    0 => 1.0,
                    1 => 0.5,
                    _ if c.abs_diff(column) == 1 => 0.25,
                    _ => continue,
                };
                near += weight * self.held(*count);
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

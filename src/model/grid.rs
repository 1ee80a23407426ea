//! The times at which a range query is evaluated: whole steps from the epoch on, so that two
//! questions about overlapping ranges meet at the same times.

use super::time::Timestamp;

/// `start`, `start + step`, … up to `end`; both ends are multiples of the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    pub start: Timestamp,
    pub end: Timestamp,
    pub step_ms: u32,
}

impl Grid {
    /// From the step at or before `from` to the one at or before `to`: never into the future.
    pub fn covering(from: Timestamp, to: Timestamp, step_ms: u32) -> Self {
        let step_ms = step_ms.max(1);
        let step = i64::from(step_ms);
        let floor = |at: Timestamp| Timestamp(at.0.div_euclid(step).saturating_mul(step));
        let end = floor(to);
        Self {
            start: floor(from).min(end),
            end,
            step_ms,
        }
    }

    /// How many times it has.
    pub fn len(&self) -> usize {
        let steps = self.end.0.saturating_sub(self.start.0) / i64::from(self.step_ms.max(1));
        usize::try_from(steps.saturating_add(1)).unwrap_or(0)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of the step that this time is nearest to; `None`: outside.
    pub fn slot(&self, at: Timestamp) -> Option<usize> {
        let step = i64::from(self.step_ms.max(1));
        let slot = (at.0.saturating_sub(self.start.0) + step / 2).div_euclid(step);
        usize::try_from(slot).ok().filter(|s| *s < self.len())
    }

    /// The time of a step.
    pub fn at(&self, slot: usize) -> Timestamp {
        let slot = i64::try_from(slot).unwrap_or(i64::MAX);
        self.start
            .plus_ms(slot.saturating_mul(i64::from(self.step_ms)))
    }

    pub fn holds(&self, at: Timestamp) -> bool {
        (self.start..=self.end).contains(&at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_ends_stand_on_the_step() {
        let grid = Grid::covering(Timestamp(61_234), Timestamp(125_999), 15_000);
        assert_eq!((grid.start.0, grid.end.0), (60_000, 120_000));
        assert_eq!(grid.len(), 5);
        assert_eq!(grid.slot(Timestamp(75_000)), Some(1));
        assert_eq!(grid.slot(Timestamp(150_000)), None);
        assert_eq!(grid.at(1), Timestamp(75_000));
    }

    proptest! {
        #[test]
        fn ranges_of_one_step_meet(a in 0_i64..10_000_000, b in 0_i64..10_000_000, step in 1_u32..90_000) {
            let one = Grid::covering(Timestamp(a), Timestamp(a + 3_600_000), step);
            let two = Grid::covering(Timestamp(b), Timestamp(b + 3_600_000), step);
            prop_assert_eq!((two.start.0 - one.start.0) % i64::from(step), 0);
            prop_assert!(one.start.0 <= a && one.end.0 <= a + 3_600_000);
            let last = one.len() - 1;
            prop_assert_eq!(one.at(last), one.end);
            prop_assert_eq!(one.slot(one.end), Some(last));
        }
    }
}

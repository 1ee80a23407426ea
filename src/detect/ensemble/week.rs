//! How the days of a week differ: of each three hours of the week, how far they usually are from
//! what is usual at that time of any day. Known after two weeks, believed only where it says much
//! more than the day.

use serde::{Deserialize, Serialize};

const DAYS: usize = 7;
const PARTS: usize = 8;
const PART_HOURS: i32 = 3;
const HOUR_MS: i64 = 3_600_000;
const PART_MS: i64 = PART_HOURS as i64 * HOUR_MS;
/// Hours that must have been seen before a week is believed: two weeks.
pub(super) const KNOWN: u16 = 2 * 168;
const WEEK_HOURS: u16 = 168;
/// Weight of a new week.
const RATE: f32 = 0.3;
/// Never seen.
const NEVER: i8 = i8::MIN;
/// Steps of the first deviation: others are told from it as finely.
const STEPS: f32 = 32.0;
const MOST_STEPS: f32 = 127.0;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Week {
    /// Deviations, in steps.
    cells: [[i8; PARTS]; DAYS],
    step: f32,
    /// Deviations of the hours of the part that is on, and how many.
    sum: f32,
    count: u8,
    /// Running mean of its absolute error.
    pub(super) error: f32,
}

impl Default for Week {
    fn default() -> Self {
        Self {
            cells: [[NEVER; PARTS]; DAYS],
            step: 0.0,
            sum: 0.0,
            count: 0,
            error: 0.0,
        }
    }
}

fn part(hour: i32) -> usize {
    hour.div_euclid(PART_HOURS)
        .rem_euclid((DAYS * PARTS) as i32) as usize
}

impl Week {
    fn cell(&self, place: usize) -> Option<f32> {
        let cell = *self.cells.as_flattened().get(place % (DAYS * PARTS))?;
        (cell != NEVER).then_some(f32::from(cell) * self.step)
    }

    /// How far this time of the week is from its time of the day; between the middles of two parts
    /// it moves evenly.
    pub(super) fn deviation_at(&self, at_ms: i64) -> Option<f32> {
        let place = at_ms.saturating_sub(PART_MS / 2);
        let first = place.div_euclid(PART_MS).rem_euclid((DAYS * PARTS) as i64) as usize;
        let share = place.rem_euclid(PART_MS) as f32 / PART_MS as f32;
        let (a, b) = (self.cell(first)?, self.cell(first + 1)?);
        Some(a + share * (b - a))
    }

    /// An hour is over that was so far from what is usual at its time of the day; another begins.
    /// `seen` hours are over.
    pub(super) fn close(&mut self, hour: i32, off: f32, next: i32, seen: u16) {
        self.sum += off;
        self.count += 1;
        if part(hour) == part(next) && next.saturating_sub(hour) < PART_HOURS {
            return;
        }
        let mean = self.sum / f32::from(self.count);
        (self.sum, self.count) = (0.0, 0);
        if !mean.is_finite() {
            return;
        }
        let place = part(hour);
        let weeks = f32::from(seen / WEEK_HOURS);
        let level = match self.cell(place) {
            Some(old) => old + RATE.max(1.0 / (weeks + 1.0)) * (mean - old),
            None => mean,
        };
        self.set(place, level);
    }

    fn set(&mut self, place: usize, level: f32) {
        if self.step == 0.0 {
            self.step = level.abs() / STEPS;
        }
        // A power of two, so that scaled series are judged the same.
        let times = (level.abs() / self.step / MOST_STEPS).log2().ceil();
        if self.step > 0.0 && times > 0.0 {
            self.widen(times.exp2());
        }
        let steps = match self.step > 0.0 {
            true => (level / self.step).round(),
            false => 0.0,
        };
        if let Some(cell) = self.cells.as_flattened_mut().get_mut(place) {
            *cell = steps.clamp(-MOST_STEPS, MOST_STEPS) as i8;
        }
    }

    fn widen(&mut self, times: f32) {
        self.step *= times;
        for cell in self.cells.as_flattened_mut() {
            if *cell != NEVER {
                *cell = (f32::from(*cell) / times).round() as i8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many hours of a series that is lower at the weekend.
    fn taught(hours: i32, weekend: f32) -> Week {
        let mut week = Week::default();
        for hour in 0..hours {
            let off = if hour / 24 % 7 < 2 { weekend } else { 1.0 };
            week.close(hour, off, hour + 1, hour as u16);
        }
        week
    }

    #[test]
    fn the_days_of_a_week_are_told_apart() {
        let week = taught(4 * 168, -50.0);
        let at = |day: i64| week.deviation_at((day * 24 + 12) * HOUR_MS);
        for (day, wanted) in [(0, -50.0), (1, -50.0), (3, 1.0), (28, -50.0), (-7, -50.0)] {
            let told = at(day).expect("known");
            assert!((told - wanted).abs() < 1.5, "day {day}: {told}");
        }
        assert_eq!(Week::default().deviation_at(0), None);
    }

    #[test]
    fn a_far_week_widens_the_steps_and_nonsense_is_left_out() {
        let mut week = taught(2 * 168, -50.0);
        for hour in 2 * 168..2 * 168 + 3 {
            week.close(hour, 1e9, hour + 1, 2 * 168);
        }
        let before = week.deviation_at(12 * HOUR_MS).expect("known");
        assert!(before.is_finite());
        for off in [f32::NAN, f32::INFINITY, f32::MAX, f32::MIN, 0.0] {
            for hour in 0..200 {
                week.close(hour, off, hour + 1, u16::MAX);
            }
            week.close(i32::MAX, off, i32::MIN, 0);
            let told = week.deviation_at(12 * HOUR_MS).unwrap_or(0.0);
            assert!(told.is_finite(), "{off}: {told}");
        }
    }

    #[test]
    fn hours_that_were_never_seen_are_not_known() {
        let mut week = Week::default();
        for hour in (0..4 * 168).filter(|h| (9..18).contains(&(h % 24))) {
            let next = if hour % 24 == 17 { hour + 16 } else { hour + 1 };
            week.close(hour, 3.0, next, 400);
        }
        assert_eq!(week.deviation_at(2 * HOUR_MS), None);
        assert!(
            week.deviation_at(13 * HOUR_MS)
                .is_some_and(|d| (d - 3.0).abs() < 0.2)
        );
    }
}

//! What a series usually does at this time of the day, once two days are known.

use crate::model::time::Timestamp;

const BUCKETS: usize = 48;
const BUCKET_MS: i64 = 86_400_000 / BUCKETS as i64;
/// Days that a bucket must have seen before it is believed.
const DAYS: u8 = 2;

#[derive(Clone, Debug)]
pub(crate) struct Season {
    level: [f32; BUCKETS],
    days: [u8; BUCKETS],
    bucket: i64,
    sum: f64,
    count: u32,
    /// Running mean of the absolute error: of the season's level, and of the plain one.
    error: f64,
    plain_error: f64,
}

impl Default for Season {
    fn default() -> Self {
        Self {
            level: [0.0; BUCKETS],
            days: [0; BUCKETS],
            bucket: i64::MIN,
            sum: 0.0,
            count: 0,
            error: 0.0,
            plain_error: 0.0,
        }
    }
}

impl Season {
    /// Level for this time of the day and the usual error, where it beats the plain level.
    pub(crate) fn expect(&self, at: Timestamp) -> Option<(f64, f64)> {
        let level = self.level_at(at)?;
        (self.error < 0.7 * self.plain_error).then_some((level, self.error))
    }

    pub(crate) fn learn(&mut self, at: Timestamp, value: f64, plain: f64) {
        let bucket = at.0.div_euclid(BUCKET_MS);
        if bucket != self.bucket {
            self.close();
            self.bucket = bucket;
        }
        self.sum += value;
        self.count += 1;
        if let Some(level) = self.level_at(at) {
            self.error += 0.01 * ((value - level).abs() - self.error);
            self.plain_error += 0.01 * ((value - plain).abs() - self.plain_error);
        }
    }

    /// Between the middles of two buckets the level moves evenly.
    fn level_at(&self, at: Timestamp) -> Option<f64> {
        let place = (at.0 - BUCKET_MS / 2).rem_euclid(86_400_000);
        let first = (place / BUCKET_MS) as usize;
        let second = (first + 1) % BUCKETS;
        let share = (place % BUCKET_MS) as f64 / BUCKET_MS as f64;
        let known = |i: usize| self.days.get(i).is_some_and(|d| *d >= DAYS);
        if !known(first) || !known(second) {
            return None;
        }
        let (a, b) = (*self.level.get(first)?, *self.level.get(second)?);
        Some(f64::from(a) + share * f64::from(b - a))
    }

    fn close(&mut self) {
        if self.count == 0 {
            return;
        }
        let place = self.bucket.rem_euclid(BUCKETS as i64) as usize;
        let mean = (self.sum / f64::from(self.count)) as f32;
        if let (Some(level), Some(days)) = (self.level.get_mut(place), self.days.get_mut(place)) {
            *level = if *days == 0 {
                mean
            } else {
                *level + 0.3 * (mean - *level)
            };
            *days = days.saturating_add(1);
        }
        (self.sum, self.count) = (0.0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_day_after_two_of_them() {
        let mut season = Season::default();
        let load = |minute: i64| (minute as f64 / 1440.0 * std::f64::consts::TAU).sin() * 100.0;
        for minute in 0..4 * 1440 {
            season.learn(Timestamp(minute * 60_000), load(minute), 0.0);
        }
        assert_eq!(Season::default().expect(Timestamp(0)), None);
        let noon = 4 * 1440 + 360;
        let (level, error) = season.expect(Timestamp(noon * 60_000)).expect("known");
        assert!(
            (level - 100.0).abs() < 5.0 && error < 5.0,
            "{level} {error}"
        );
    }
}

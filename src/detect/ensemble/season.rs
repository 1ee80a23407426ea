//! What a series usually does at this time of the day, once two days are known and only where
//! that says more than the plain level; and of the week, where that says more again.

use serde::{Deserialize, Serialize};

use super::week::{self, Week};

const HOURS: usize = 24;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Hours that must have been seen before they are believed: two of each.
const KNOWN: u16 = 48;
/// Hours after which a day that is like none before is news.
const YOUNG: u16 = 72;
/// Weight of a new day.
const RATE: f32 = 0.1;
/// The season is believed where its error is at most this share of the plain level's.
const BETTER: f32 = 0.6;
/// Weight of a point in the errors.
const ERROR: f32 = 0.01;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Season {
    /// No number: this hour of the day was never seen.
    level: [f32; HOURS],
    /// Hours that are over.
    hours: u16,
    /// The hour that is on, since 1970, and the mean of its values.
    hour: i32,
    mean: f32,
    count: u16,
    /// Running mean of the absolute error: of the season's level, and of the plain one.
    error: f32,
    plain_error: f32,
    week: Week,
}

impl Default for Season {
    fn default() -> Self {
        Self {
            level: [f32::NAN; HOURS],
            hours: 0,
            hour: i32::MIN,
            mean: 0.0,
            count: 0,
            error: 0.0,
            plain_error: 0.0,
            week: Week::default(),
        }
    }
}

impl Season {
    /// Too few days are known to tell what a day is like.
    pub(super) fn is_young(&self) -> bool {
        self.hours < YOUNG
    }

    /// Level for this time of the day or of the week, where it beats the plain level.
    pub(super) fn expect(&self, at_ms: i64) -> Option<f64> {
        let best = self.error.min(self.plain_error);
        let weekly = self.week.error < BETTER * best;
        if !weekly && self.error >= BETTER * self.plain_error {
            return None;
        }
        let day = self.level_at(at_ms)?;
        match self.of_week(at_ms, day).filter(|_| weekly) {
            Some(level) => Some(level),
            None => (self.error < BETTER * self.plain_error).then_some(day),
        }
    }

    pub(super) fn learn(&mut self, at_ms: i64, value: f64, plain: f64) {
        // Only in times that no clock tells it would not fit; then the hour of the day is wrong.
        let hour = at_ms.div_euclid(HOUR_MS) as i32;
        if hour != self.hour {
            self.close(hour);
            self.hour = hour;
        }
        let error = |of: f64| (value - of).abs().min(1e30) as f32;
        if let Some(level) = self.level_at(at_ms) {
            self.error += ERROR * (error(level) - self.error);
            self.plain_error += ERROR * (error(plain) - self.plain_error);
            if let Some(of_week) = self.of_week(at_ms, level) {
                // At first it is as good as the others.
                if self.week.error == 0.0 {
                    self.week.error = self.error.min(self.plain_error);
                }
                self.week.error += ERROR * (error(of_week) - self.week.error);
            }
        }
        self.count = self.count.saturating_add(1);
        let value = value.clamp(-1e30, 1e30);
        let off = value - f64::from(self.mean);
        self.mean += (off / f64::from(self.count)) as f32;
    }

    /// Level for this time of the week; `day` is that for this time of the day.
    fn of_week(&self, at_ms: i64, day: f64) -> Option<f64> {
        let known = self.hours >= week::KNOWN;
        let off = known.then(|| self.week.deviation_at(at_ms)).flatten()?;
        Some(day + f64::from(off))
    }

    /// Between the middles of two hours the level moves evenly.
    fn level_at(&self, at_ms: i64) -> Option<f64> {
        if self.hours < KNOWN {
            return None;
        }
        let place = at_ms.saturating_sub(HOUR_MS / 2).rem_euclid(DAY_MS);
        let first = (place / HOUR_MS) as usize;
        let second = (first + 1) % HOURS;
        let share = (place % HOUR_MS) as f64 / HOUR_MS as f64;
        let (a, b) = (*self.level.get(first)?, *self.level.get(second)?);
        let level = f64::from(a) + share * (f64::from(b) - f64::from(a));
        level.is_finite().then_some(level)
    }

    fn close(&mut self, next: i32) {
        if self.count == 0 {
            return;
        }
        let place = self.hour.rem_euclid(HOURS as i32) as usize;
        let days = self.hours / HOURS as u16;
        if let Some(level) = self.level.get_mut(place) {
            if !level.is_nan() {
                let off = self.mean - *level;
                self.week.close(self.hour, off, next, self.hours);
            }
            let rate = RATE.max(1.0 / (f32::from(days) + 1.0));
            *level = match level.is_nan() {
                true => self.mean,
                false => *level + rate * (self.mean - *level),
            };
        }
        self.hours = self.hours.saturating_add(1);
        (self.mean, self.count) = (0.0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_that_were_never_seen_are_not_known() {
        let mut season = Season::default();
        let office = |minute: i64| (8..18).contains(&(minute / 60 % 24));
        for minute in (0..14 * 1440).filter(|m| office(*m)) {
            season.learn(minute * 60_000, 500.0 + (minute / 60 % 24) as f64, 0.0);
        }
        let at = |hour: i64| season.level_at((14 * 1440 + hour * 60 + 30) * 60_000);
        assert_eq!(at(2), None);
        assert!(at(12).is_some_and(|level| (level - 512.0).abs() < 1.0));
        // An hour that comes late is known by itself, not by a part of it.
        for minute in 14 * 1440..14 * 1440 + 121 {
            season.learn(minute * 60_000, 900.0, 0.0);
        }
        let late = season.level_at((15 * 1440 + 30) * 60_000);
        assert!(
            late.is_some_and(|level| (level - 900.0).abs() < 1.0),
            "{late:?}"
        );
    }

    #[test]
    fn knows_the_day_after_two_of_them() {
        let mut season = Season::default();
        let load = |minute: i64| (minute as f64 / 1440.0 * std::f64::consts::TAU).sin() * 100.0;
        for minute in 0..4 * 1440 {
            season.learn(minute * 60_000, load(minute), 0.0);
        }
        assert_eq!(Season::default().expect(0), None);
        let level = season.expect((4 * 1440 + 360) * 60_000).expect("known");
        assert!((level - 100.0).abs() < 5.0, "{level}");
    }

    #[test]
    fn a_level_that_is_the_same_all_day_needs_no_season() {
        let mut season = Season::default();
        for minute in 0..4 * 1440_i64 {
            season.learn(minute * 60_000, (minute % 7) as f64, 3.0);
        }
        assert_eq!(season.expect(0), None);
    }

    #[test]
    fn a_quiet_weekend_is_expected_and_days_that_are_alike_have_no_week() {
        let office = |minute: i64| {
            if (480..1080).contains(&(minute % 1440)) {
                100.0
            } else {
                10.0
            }
        };
        let weekly = |minute: i64| {
            if minute / 1440 % 7 < 2 {
                10.0
            } else {
                office(minute)
            }
        };
        let taught = |of: &dyn Fn(i64) -> f64| {
            let mut season = Season::default();
            for minute in (0..6 * 7 * 1440_i64).step_by(5) {
                season.learn(minute * 60_000, of(minute), 50.0);
            }
            season
        };
        let noon = |season: &Season, day: i64| season.expect((day * 1440 + 720) * 60_000);
        let (week, day) = (taught(&weekly), taught(&office));
        let quiet = noon(&week, 43).expect("known");
        let busy = noon(&week, 45).expect("known");
        assert!(quiet < 35.0 && busy > 85.0, "{quiet} {busy}");
        let alike = (noon(&day, 43), noon(&day, 45));
        assert!(
            alike.0.is_some_and(|l| (l - 100.0).abs() < 5.0),
            "{alike:?}"
        );
        assert!(
            alike.1.is_some_and(|l| (l - 100.0).abs() < 5.0),
            "{alike:?}"
        );
    }
}

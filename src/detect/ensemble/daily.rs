//! What comes each day at the same hour is no news: a job at night, a report each morning.

use serde::{Deserialize, Serialize};

const HOURS: usize = 24;
const HOUR_MS: i64 = 3_600_000;
/// Surprises are kept in so many parts of a decade.
const PARTS: f32 = 16.0;
/// What is left of a surprise the day after next.
const FADE: f32 = 0.5;
/// So much of what an hour was rarer than the others raises its bar, but for so many decades.
const SHARE: f32 = 0.6;
const BUT_FOR: f32 = 0.5;
/// No hour is on.
const NONE: u8 = u8::MAX;

/// The greatest surprise of each hour of the day, of late.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Daily {
    hours: [u8; HOURS],
    /// Of the hour before this one, as it was a day ago.
    before: u8,
    /// The hour that is on, and its greatest surprise so far.
    hour: u8,
    peak: u8,
}

impl Default for Daily {
    fn default() -> Self {
        Self {
            hours: [0; HOURS],
            before: 0,
            hour: NONE,
            peak: 0,
        }
    }
}

impl Daily {
    /// Takes a surprise, decades.
    pub(super) fn take(&mut self, at_ms: i64, surprise: f32) {
        let hour = at_ms.div_euclid(HOUR_MS).rem_euclid(HOURS as i64) as u8;
        if hour != self.hour {
            if let Some(held) = self.hours.get_mut(usize::from(self.hour)) {
                self.before = *held;
                *held = ((f32::from(*held) * FADE) as u8).max(self.peak);
            }
            (self.hour, self.peak) = (hour, 0);
        }
        // A NaN becomes 0; what is greater than all is alike.
        self.peak = self.peak.max((surprise * PARTS) as u8);
    }

    /// Decades by which the bar is higher now: this hour and its neighbours were rarer than others
    /// on days before.
    pub(super) fn raise(&self) -> f32 {
        let of = |hour: usize| self.hours.get(hour % HOURS).copied().unwrap_or(0);
        let now = usize::from(self.hour);
        let seen = self.before.max(of(now)).max(of(now + 1));
        let all: u32 = self.hours.iter().map(|h| u32::from(*h)).sum();
        let usual = all as f32 / HOURS as f32;
        let over = (f32::from(seen) - usual) / PARTS - BUT_FOR;
        SHARE * over.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_of_yesterday_has_a_higher_bar_and_others_have_not() {
        let mut daily = Daily::default();
        for minute in 0..1440 {
            daily.take(minute * 60_000, if minute == 130 { 9.0 } else { 1.0 });
        }
        let mut raises = Vec::new();
        for minute in 1440..2880 {
            daily.take(minute * 60_000, 1.0);
            if minute % 60 == 30 {
                raises.push(daily.raise());
            }
        }
        assert!(raises[2] > 3.0, "{raises:?}");
        assert!(
            raises[1] > 3.0 && raises[3] > 3.0,
            "its neighbours: {raises:?}"
        );
        let others = raises.iter().skip(4);
        assert!(others.clone().all(|r| *r == 0.0), "{raises:?}");
        daily.take(i64::MIN, f32::NAN);
        daily.take(i64::MAX, f32::INFINITY);
        assert!(daily.raise().is_finite());
    }

    #[test]
    fn what_is_alike_at_all_hours_raises_nothing() {
        let mut daily = Daily::default();
        for minute in 0..4 * 1440_i64 {
            daily.take(minute * 60_000, (minute * 37 % 30) as f32 / 10.0);
            assert!(daily.raise() < 1.6);
        }
        assert_eq!(daily.raise(), 0.0);
    }
}

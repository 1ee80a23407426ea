//! What one GPU did over the last hour, as far as idleness and leaks need it: constant memory.

use crate::model::sample::Sample;
use crate::model::time::Timestamp;

/// Below this utilisation, per cent, nothing that is worth a GPU runs on it (ours).
pub const IDLE_PERCENT: f64 = 5.0;
/// A hole as long as this ends what was seen before it; where samples are rarer, two and a half of
/// their intervals.
const HOLE_MS: u64 = 5 * 60_000;

/// The hole for samples that come each `interval_ms`.
pub(super) fn hole_ms(interval_ms: u32) -> u64 {
    HOLE_MS.max(u64::from(interval_ms) * 5 / 2)
}
/// Memory is judged by the least use of each span: allocators give back and take again.
const SPAN_MS: i64 = 5 * 60_000;
const SPANS: usize = 12;
/// Whole spans that a trend needs.
const LEAST: usize = 7;
/// Growth that can be a matter of measurement, MiB.
const NOISE_MIB: f64 = 8.0;
/// Growth over all spans from which on it matters, MiB.
const MATTERS_MIB: f64 = 256.0;

/// Memory in use that only grows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    pub mib_per_hour: f64,
    /// Start of the first span that shows it.
    pub since: Timestamp,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Usage {
    idle_since: Option<Timestamp>,
    worked: Option<Timestamp>,
    filled: Option<Timestamp>,
    /// Number of the span that is filled now.
    span: i64,
    /// Least use of it, MiB; `None`: not known yet.
    least: Option<f64>,
    /// Least use of the spans before it, oldest first.
    floors: [f64; SPANS],
    count: usize,
}

/// The time goes forward, and nobody looked away for long.
fn follows(seen: Option<Timestamp>, at: Timestamp, hole_ms: u64) -> bool {
    seen.is_none_or(|seen| at.age_since_ms(seen) <= hole_ms)
}

impl Usage {
    pub(super) fn is_new_to_work(&self) -> bool {
        self.worked.is_none()
    }

    pub(super) fn is_new_to_memory(&self) -> bool {
        self.filled.is_none()
    }

    /// Somebody else holds it now: what was before is not theirs.
    pub(super) fn change_hands(&mut self) {
        (self.idle_since, self.least, self.count) = (None, None, 0);
    }

    /// Takes a utilisation, per cent; times that do not go forward are passed over. `hole_ms`: see
    /// [`hole_ms`].
    pub(super) fn work(&mut self, sample: Sample, hole_ms: u64) {
        if self.worked.is_some_and(|seen| sample.at <= seen) {
            return;
        }
        if !follows(self.worked, sample.at, hole_ms) || sample.value >= IDLE_PERCENT {
            self.idle_since = None;
        }
        self.worked = Some(sample.at);
        if sample.value < IDLE_PERCENT {
            self.idle_since.get_or_insert(sample.at);
        }
    }

    /// Takes the memory in use, MiB; times that do not go forward are passed over.
    pub(super) fn memory(&mut self, sample: Sample) {
        if self.filled.is_some_and(|seen| sample.at <= seen) {
            return;
        }
        // Spans without a sample would make the growth look quicker than it is.
        if !follows(self.filled, sample.at, HOLE_MS) {
            (self.count, self.least) = (0, None);
        }
        self.filled = Some(sample.at);
        let span = sample.at.0.div_euclid(SPAN_MS);
        if span != self.span {
            self.close();
            self.span = span;
        }
        self.least = Some(
            self.least
                .map_or(sample.value, |least| least.min(sample.value)),
        );
    }

    fn close(&mut self) {
        let Some(least) = self.least.take() else {
            self.count = 0;
            return;
        };
        if self.count == SPANS {
            self.floors.rotate_left(1);
            self.count -= 1;
        }
        if let Some(place) = self.floors.get_mut(self.count) {
            *place = least;
            self.count += 1;
        }
    }

    pub(super) fn idle_since(&self) -> Option<Timestamp> {
        self.idle_since
    }

    /// Memory that grew in nearly every span, and not less in the later ones: a start-up that
    /// fills a cache slows down, a leak does not.
    pub(super) fn growth(&self) -> Option<Growth> {
        let floors = self.floors.get(..self.count).filter(|f| f.len() >= LEAST)?;
        let (first, last) = (floors.first()?, floors.last()?);
        let steps = floors.len() - 1;
        let rising = floors
            .windows(2)
            .filter(|w| matches!(w, [a, b] if b - a > 1.0));
        let falls = floors
            .windows(2)
            .any(|w| matches!(w, [a, b] if a - b > NOISE_MIB));
        let grown = last - first;
        if falls || rising.count() * 5 < steps * 4 || grown < MATTERS_MIB {
            return None;
        }
        let middle = floors.get(floors.len() / 2)?;
        let (early, late) = (middle - first, last - middle);
        if late < early * 0.5 {
            return None;
        }
        let hours = steps as f64 * SPAN_MS as f64 / 3_600_000.0;
        let whole = i64::try_from(floors.len()).unwrap_or(0);
        Some(Growth {
            mib_per_hour: grown / hours,
            since: Timestamp((self.span - whole) * SPAN_MS),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64, value: f64) -> Sample {
        Sample {
            at: Timestamp(minute * 60_000),
            value,
        }
    }

    fn over(minutes: i64, used: impl Fn(i64) -> f64) -> Usage {
        let mut usage = Usage::default();
        for minute in 0..=minutes {
            usage.memory(at(minute, used(minute)));
        }
        usage
    }

    #[test]
    fn a_leak_is_told_with_its_speed_and_what_only_looks_like_one_is_not() {
        // 100 MiB a minute below the sawtooth of an allocator.
        let saw = |m: i64| f64::from(u32::try_from(m % 3).unwrap()) * 900.0;
        let leak = over(55, |m| 20_000.0 + m as f64 * 100.0 + saw(m));
        let growth = leak.growth().expect("a leak");
        assert!((growth.mib_per_hour - 6_000.0).abs() < 400.0, "{growth:?}");
        assert_eq!(growth.since, Timestamp(0));
        assert_eq!(over(55, |m| 20_000.0 + saw(m)).growth(), None, "a sawtooth");
        assert_eq!(over(55, |_| 70_000.0).growth(), None, "a reservation");
        let start = |m: i64| 60_000.0 * (1.0 - (-m as f64 / 8.0).exp());
        assert_eq!(over(55, start).growth(), None, "a start-up");
        assert_eq!(over(25, |m| m as f64 * 100.0).growth(), None, "too short");
    }

    #[test]
    fn idleness_begins_and_ends_with_the_work_and_a_hole_is_not_idleness() {
        let mut usage = Usage::default();
        for (minute, value) in [(0, 80.0), (1, 0.0), (2, 1.0)] {
            usage.work(at(minute, value), HOLE_MS);
        }
        assert_eq!(usage.idle_since(), Some(Timestamp(60_000)));
        usage.work(at(9, 0.0), HOLE_MS);
        assert_eq!(
            usage.idle_since(),
            Some(Timestamp(9 * 60_000)),
            "nobody saw between"
        );
        usage.work(at(10, 40.0), HOLE_MS);
        assert_eq!(usage.idle_since(), None);
        usage.work(at(11, 0.0), HOLE_MS);
        usage.change_hands();
        usage.work(at(12, 0.0), HOLE_MS);
        assert_eq!(usage.idle_since(), Some(Timestamp(12 * 60_000)));
    }

    #[test]
    fn samples_that_are_rare_by_themselves_leave_no_hole() {
        let mut usage = Usage::default();
        let hole = hole_ms(480_000);
        for step in 0..10 {
            usage.work(at(step * 8, 0.0), hole);
        }
        assert_eq!(usage.idle_since(), Some(Timestamp(0)));
        usage.work(at(72 + 24, 0.0), hole);
        assert_eq!(
            usage.idle_since(),
            Some(Timestamp(96 * 60_000)),
            "two missed"
        );
        assert_eq!(hole_ms(15_000), HOLE_MS);
    }
}

//! The points of one series: a value per step, not-a-number where none came.
//!
//! Times are not kept: slot n stands for `phase + n * step`. Only the newest sample keeps its exact
//! time. Jitter below half a step is absorbed; late points find their slot.

use std::collections::VecDeque;

use crate::model::sample::Sample;
use crate::model::time::Timestamp;

/// Finest grid kept, milliseconds.
const STEP_MIN_MS: i64 = 1_000;
/// Slots that a window grows by.
const CHUNK: usize = 32;

#[derive(Clone, Debug)]
pub(crate) struct Window {
    step_ms: i64,
    phase_ms: i64,
    /// Slot number of `slots[0]`.
    first: i64,
    slots: VecDeque<f64>,
    last: Sample,
}

impl Window {
    pub(crate) fn new(step_ms: u32, sample: Sample) -> Self {
        let step_ms = i64::from(step_ms).max(STEP_MIN_MS);
        let phase_ms = sample.at.0.rem_euclid(step_ms);
        let mut window = Self {
            step_ms,
            phase_ms,
            first: sample.at.0.div_euclid(step_ms),
            slots: VecDeque::new(),
            last: sample,
        };
        window.grow(1);
        window.slots.push_back(sample.value);
        window
    }

    pub(crate) fn last(&self) -> Sample {
        self.last
    }

    pub(crate) fn bytes(&self) -> u64 {
        (self.slots.capacity() * size_of::<f64>()) as u64
    }

    pub(crate) fn step_ms(&self) -> i64 {
        self.step_ms
    }

    /// Puts a sample in its slot; at most `retention_ms` are kept. False: too old.
    pub(crate) fn put(&mut self, sample: Sample, retention_ms: i64) -> bool {
        let slot = self.slot_of(sample.at);
        let most = (retention_ms / self.step_ms).max(1);
        let newest = self.first + self.slots.len() as i64 - 1;
        if sample.at >= self.last.at {
            self.last = sample;
        }
        if slot == newest + 1 {
            self.push(sample.value, most);
        } else if slot > newest {
            self.skip_to(slot, newest, most);
            self.push(sample.value, most);
        } else if slot >= self.first {
            if let Some(value) = self.slots.get_mut((slot - self.first) as usize) {
                *value = sample.value;
            }
        } else if newest - slot < most {
            self.push_front(slot, sample.value);
        } else {
            return false;
        }
        true
    }

    /// Moves to a finer grid; what is held keeps its times.
    pub(crate) fn refine(&mut self, step_ms: u32, retention_ms: i64) {
        let finer = i64::from(step_ms).max(STEP_MIN_MS);
        if finer >= self.step_ms {
            return;
        }
        let held: Vec<Sample> = self
            .points(Timestamp(i64::MIN), Timestamp(i64::MAX))
            .collect();
        let last = self.last;
        let mut points = held.into_iter();
        *self = Self::new(step_ms, points.next().unwrap_or(last));
        for point in points {
            self.put(point, retention_ms);
        }
        self.last = last;
    }

    pub(crate) fn points(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = Sample> + '_ {
        let start = usize::try_from(self.floor_slot(from).saturating_sub(self.first))
            .unwrap_or(0)
            .min(self.slots.len());
        let newest = self.slots.len().saturating_sub(1);
        self.slots
            .range(start..)
            .enumerate()
            .map(move |(i, value)| {
                let at = if start + i == newest && self.last.value.to_bits() == value.to_bits() {
                    self.last.at
                } else {
                    self.time_of(self.first + (start + i) as i64)
                };
                Sample { at, value: *value }
            })
            .skip_while(move |s| s.at < from)
            .take_while(move |s| s.at <= to)
            .filter(|s| !s.value.is_nan())
    }

    fn slot_of(&self, at: Timestamp) -> i64 {
        at.0.saturating_sub(self.phase_ms)
            .saturating_add(self.step_ms / 2)
            .div_euclid(self.step_ms)
    }

    fn floor_slot(&self, at: Timestamp) -> i64 {
        at.0.saturating_sub(self.phase_ms).div_euclid(self.step_ms)
    }

    fn time_of(&self, slot: i64) -> Timestamp {
        Timestamp(
            slot.saturating_mul(self.step_ms)
                .saturating_add(self.phase_ms),
        )
    }

    fn grow(&mut self, more: usize) {
        if self.slots.len() + more > self.slots.capacity() {
            self.slots.reserve_exact(more.max(CHUNK));
        }
    }

    fn push(&mut self, value: f64, most: i64) {
        while self.slots.len() as i64 >= most {
            self.slots.pop_front();
            self.first += 1;
        }
        if self.slots.len() == self.slots.capacity() {
            self.grow(1);
        }
        self.slots.push_back(value);
    }

    /// Leaves the slots between `newest` and `slot` empty.
    fn skip_to(&mut self, slot: i64, newest: i64, most: i64) {
        if slot - newest >= most {
            self.slots.clear();
            self.first = slot;
            return;
        }
        for _ in newest + 1..slot {
            self.push(f64::NAN, most);
        }
    }

    fn push_front(&mut self, slot: i64, value: f64) {
        let missing = (self.first - slot) as usize;
        self.grow(missing);
        for _ in 1..missing {
            self.slots.push_front(f64::NAN);
        }
        self.slots.push_front(value);
        self.first = slot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn sample(at: i64, value: f64) -> Sample {
        Sample {
            at: Timestamp(at),
            value,
        }
    }

    fn all(w: &Window) -> Vec<(i64, f64)> {
        w.points(Timestamp(i64::MIN), Timestamp(i64::MAX))
            .map(|s| (s.at.0, s.value))
            .collect()
    }

    #[test]
    fn keeps_gaps_and_late_points() {
        let mut w = Window::new(15_000, sample(100_000, 1.0));
        assert!(w.put(sample(145_000, 4.0), HOUR));
        assert_eq!(all(&w), [(100_000, 1.0), (145_000, 4.0)]);
        assert!(w.put(sample(115_000, 2.0), HOUR));
        assert!(w.put(sample(70_000, 0.5), HOUR));
        assert_eq!(
            all(&w),
            [
                (70_000, 0.5),
                (100_000, 1.0),
                (115_000, 2.0),
                (145_000, 4.0)
            ]
        );
        assert_eq!(w.last(), sample(145_000, 4.0));
    }

    #[test]
    fn keeps_no_more_than_the_retention() {
        let mut w = Window::new(15_000, sample(0, 0.0));
        for i in 1..1000 {
            w.put(sample(i * 15_000, i as f64), HOUR);
        }
        assert_eq!(all(&w).len(), 240);
        assert_eq!(all(&w).first(), Some(&(760 * 15_000, 760.0)));
        assert!(w.bytes() <= 272 * 8, "{}", w.bytes());
        assert!(!w.put(sample(15_000, 9.0), HOUR), "older than the window");
        w.put(sample(100 * HOUR, 7.0), HOUR);
        assert_eq!(all(&w), [(100 * HOUR, 7.0)]);
    }

    #[test]
    fn newest_keeps_its_exact_time_and_nan_is_a_gap() {
        let mut w = Window::new(15_000, sample(0, 1.0));
        w.put(sample(15_900, 2.0), HOUR);
        assert_eq!(all(&w), [(0, 1.0), (15_900, 2.0)]);
        w.put(sample(30_100, f64::NAN), HOUR);
        assert_eq!(all(&w), [(0, 1.0), (15_000, 2.0)]);
        assert!(w.last().value.is_nan());
    }

    #[test]
    fn refines_without_losing_points() {
        let mut w = Window::new(30_000, sample(0, 1.0));
        w.put(sample(30_000, 2.0), HOUR);
        w.refine(10_000, HOUR);
        w.put(sample(40_000, 3.0), HOUR);
        assert_eq!(all(&w), [(0, 1.0), (30_000, 2.0), (40_000, 3.0)]);
    }
}

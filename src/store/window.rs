//! The points of one series: a value per step, not-a-number where none came.
//!
//! Times are not kept: slot n stands for whole steps before the newest. Only the newest sample keeps its exact
//! time. Jitter below half a step is absorbed; late points find their slot.

use std::collections::VecDeque;

use crate::model::sample::Sample;
use crate::model::time::Timestamp;

/// Finest grid kept, milliseconds.
const STEP_MIN_MS: u32 = 1_000;
/// Slots that a window grows by.
const CHUNK: usize = 32;
/// Newest values kept in the window itself, so that most points touch no memory but its own.
const TAIL: usize = 7;

/// Two cache lines, one beside the next series': appending to all reads memory in its order.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    /// Time that the newest slot stands for; the others lie whole steps before it.
    newest_ms: i64,
    /// All but the values in `tail`, which come after.
    slots: VecDeque<f64>,
    last: Sample,
    step_ms: u32,
    /// Slots kept; 0: no series is here.
    most: u32,
    tail: [f64; TAIL],
    tailed: u8,
}

impl Window {
    pub(crate) fn new(step_ms: u32, sample: Sample, retention_ms: i64) -> Self {
        let step_ms = step_ms.max(STEP_MIN_MS);
        let most = (retention_ms / i64::from(step_ms)).clamp(1, i64::from(u32::MAX));
        let mut slots = VecDeque::new();
        slots.reserve_exact(CHUNK.min(most as usize));
        slots.push_back(sample.value);
        Self {
            newest_ms: sample.at.0,
            slots,
            last: sample,
            step_ms,
            most: most as u32,
            tail: [f64::NAN; TAIL],
            tailed: 0,
        }
    }

    /// The place of a series that was let go.
    pub(crate) fn empty() -> Self {
        Self {
            newest_ms: 0,
            slots: VecDeque::new(),
            last: Sample {
                at: Timestamp(0),
                value: f64::NAN,
            },
            step_ms: 1,
            most: 0,
            tail: [f64::NAN; TAIL],
            tailed: 0,
        }
    }

    pub(crate) fn last(&self) -> Sample {
        self.last
    }

    pub(crate) fn bytes(&self) -> u64 {
        (self.slots.capacity() * size_of::<f64>()) as u64
    }

    pub(crate) fn step_ms(&self) -> u32 {
        self.step_ms
    }

    /// Puts a sample in its slot. False: too old, or nothing is here.
    pub(crate) fn put(&mut self, sample: Sample) -> bool {
        if self.most == 0 {
            return false;
        }
        let step = i64::from(self.step_ms);
        let half = step / 2;
        let ahead = sample.at.0.saturating_sub(self.newest_ms);
        if sample.at >= self.last.at {
            self.last = sample;
        }
        // The usual point is the next one: no division for it.
        if ahead >= step - half && ahead < 2 * step - half {
            self.push(sample.value);
            return true;
        }
        let slots = ahead.saturating_add(half).div_euclid(step);
        if slots > 0 {
            self.skip(slots);
            self.push(sample.value);
            return true;
        }
        self.put_late(slots.unsigned_abs(), sample.value)
    }

    /// A point `back` slots before the newest.
    fn put_late(&mut self, back: u64, value: f64) -> bool {
        if back >= u64::from(self.most) {
            return false;
        }
        let back = back as usize;
        self.settle();
        if back < self.slots.len() {
            let place = self.slots.len() - 1 - back;
            if let Some(slot) = self.slots.get_mut(place) {
                *slot = value;
            }
            return true;
        }
        let missing = back + 1 - self.slots.len();
        self.slots.reserve_exact(missing.max(CHUNK));
        for _ in 1..missing {
            self.slots.push_front(f64::NAN);
        }
        self.slots.push_front(value);
        true
    }

    /// Moves to a finer grid; what is held keeps its times.
    pub(crate) fn refine(&mut self, step_ms: u32, retention_ms: i64) {
        if step_ms.max(STEP_MIN_MS) >= self.step_ms {
            return;
        }
        let held: Vec<Sample> = self
            .points(Timestamp(i64::MIN), Timestamp(i64::MAX))
            .collect();
        let last = self.last;
        let mut points = held.into_iter();
        *self = Self::new(step_ms, points.next().unwrap_or(last), retention_ms);
        for point in points {
            self.put(point);
        }
        self.last = last;
    }

    pub(crate) fn points(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = Sample> + '_ {
        let step = i64::from(self.step_ms);
        let settled = self.slots.len();
        let newest = (settled + usize::from(self.tailed)).saturating_sub(1);
        let back = self.newest_ms.saturating_sub(from.0).div_euclid(step);
        let start = match usize::try_from(back) {
            // One more: the newest keeps its own time, which may be off the grid.
            Ok(back) => newest.saturating_sub(back.saturating_add(1)),
            Err(_) => newest,
        };
        let late = start.saturating_sub(settled);
        self.slots
            .range(start.min(settled)..)
            .chain(self.tail_values().get(late..).unwrap_or_default())
            .enumerate()
            .map(move |(i, value)| {
                let back = (newest - (start + i)) as i64;
                let exact = back == 0 && self.last.value.to_bits() == value.to_bits();
                let at = if exact {
                    self.last.at
                } else {
                    Timestamp(self.newest_ms - back * step)
                };
                Sample { at, value: *value }
            })
            .skip_while(move |s| s.at < from)
            .take_while(move |s| s.at <= to)
            .filter(|s| !s.value.is_nan())
    }

    fn push(&mut self, value: f64) {
        self.newest_ms += i64::from(self.step_ms);
        if usize::from(self.tailed) == TAIL {
            self.settle();
        }
        if self.slots.len() + usize::from(self.tailed) >= self.most as usize
            && self.slots.pop_front().is_none()
        {
            // So few are kept that all of them are in the tail.
            self.tail.rotate_left(1);
            self.tailed -= 1;
        }
        if let Some(place) = self.tail.get_mut(usize::from(self.tailed)) {
            *place = value;
            self.tailed += 1;
        }
    }

    fn tail_values(&self) -> &[f64] {
        self.tail
            .get(..usize::from(self.tailed))
            .unwrap_or_default()
    }

    /// Moves the tail to the slots.
    fn settle(&mut self) {
        let count = usize::from(std::mem::take(&mut self.tailed));
        if self.slots.len() + count > self.slots.capacity() {
            let room = (self.most as usize).saturating_sub(self.slots.len());
            self.slots.reserve_exact(CHUNK.min(room).max(count));
        }
        self.slots.extend(self.tail.iter().take(count));
    }

    /// Leaves the slots between the newest and the one `slots` ahead of it empty.
    fn skip(&mut self, slots: i64) {
        if slots >= i64::from(self.most) {
            self.slots.clear();
            self.tailed = 0;
            self.newest_ms += (slots - 1) * i64::from(self.step_ms);
            return;
        }
        for _ in 1..slots {
            self.push(f64::NAN);
        }
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
        let mut w = Window::new(15_000, sample(100_000, 1.0), HOUR);
        assert!(w.put(sample(145_000, 4.0)));
        assert_eq!(all(&w), [(100_000, 1.0), (145_000, 4.0)]);
        assert!(w.put(sample(115_000, 2.0)));
        assert!(w.put(sample(70_000, 0.5)));
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

    proptest::proptest! {
        /// Against a plain map from slot to value.
        #[test]
        fn is_a_map_of_slots(most in 1_i64..20, steps in proptest::collection::vec(-12_i64..14, 0..80)) {
            let mut window = Window::new(1_000, sample(0, 0.0), most * 1_000);
            let mut plain = std::collections::BTreeMap::from([(0, 0.0)]);
            let mut newest = 0;
            for (i, step) in steps.into_iter().enumerate() {
                let slot = newest + step;
                newest = newest.max(slot);
                let kept = window.put(sample(slot * 1_000, i as f64 + 1.0));
                proptest::prop_assert_eq!(kept, slot > newest - most);
                plain.insert(slot, i as f64 + 1.0);
                plain.retain(|slot, _| *slot > newest - most);
                let held: Vec<(i64, f64)> = plain.iter().map(|(s, v)| (s * 1_000, *v)).collect();
                proptest::prop_assert_eq!(all(&window), held);
                let from = (newest - most / 2) * 1_000;
                let part = window.points(Timestamp(from), Timestamp(i64::MAX)).count();
                proptest::prop_assert_eq!(part, plain.range(newest - most / 2..).count());
            }
        }
    }

    #[test]
    fn keeps_no_more_than_the_retention() {
        let mut w = Window::new(15_000, sample(0, 0.0), HOUR);
        for i in 1..1000 {
            w.put(sample(i * 15_000, i as f64));
        }
        assert_eq!(all(&w).len(), 240);
        assert_eq!(all(&w).first(), Some(&(760 * 15_000, 760.0)));
        assert!(w.bytes() <= 272 * 8, "{}", w.bytes());
        assert!(!w.put(sample(15_000, 9.0)), "older than the window");
        w.put(sample(100 * HOUR, 7.0));
        assert_eq!(all(&w), [(100 * HOUR, 7.0)]);
    }

    #[test]
    fn newest_keeps_its_exact_time_and_nan_is_a_gap() {
        let mut w = Window::new(15_000, sample(0, 1.0), HOUR);
        w.put(sample(15_900, 2.0));
        assert_eq!(all(&w), [(0, 1.0), (15_900, 2.0)]);
        w.put(sample(30_100, f64::NAN));
        assert_eq!(all(&w), [(0, 1.0), (15_000, 2.0)]);
        assert!(w.last().value.is_nan());
    }

    #[test]
    fn refines_without_losing_points() {
        let mut w = Window::new(30_000, sample(0, 1.0), HOUR);
        w.put(sample(30_000, 2.0));
        w.refine(10_000, HOUR);
        w.put(sample(40_000, 3.0));
        assert_eq!(all(&w), [(0, 1.0), (30_000, 2.0), (40_000, 3.0)]);
    }
}

//! The time axis: whole slots of equal length, aligned to the epoch, so that what is drawn over it
//! moves only when a whole slot has passed. Lanes, ribbons and tick labels over it.

use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::text::put;
use crate::model::time::Timestamp;

/// `slots` slots of `slot_ms`; the last one holds the end of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    first: i64,
    pub slots: usize,
    pub slot_ms: i64,
}

/// Lengths of time between two labels that people find even, milliseconds.
const STEPS: [i64; 20] = [
    1_000,
    5_000,
    10_000,
    15_000,
    30_000,
    60_000,
    120_000,
    300_000,
    600_000,
    900_000,
    1_800_000,
    3_600_000,
    7_200_000,
    10_800_000,
    21_600_000,
    43_200_000,
    86_400_000,
    172_800_000,
    604_800_000,
    2_592_000_000,
];

impl Axis {
    pub fn new(from: Timestamp, to: Timestamp, slots: usize) -> Self {
        let slots = slots.max(1);
        let span = to.0.saturating_sub(from.0).max(1);
        let count = i64::try_from(slots).unwrap_or(i64::MAX);
        let slot_ms = (span / count + i64::from(span % count != 0)).max(1);
        let last = to.0.div_euclid(slot_ms);
        Self {
            first: last - (count - 1),
            slots,
            slot_ms,
        }
    }

    /// Where the first slot begins and the last one ends.
    pub fn range(&self) -> (Timestamp, Timestamp) {
        let end = self.first + i64::try_from(self.slots).unwrap_or(i64::MAX);
        (
            Timestamp(self.first.saturating_mul(self.slot_ms)),
            Timestamp(end.saturating_mul(self.slot_ms).saturating_sub(1)),
        )
    }

    pub fn slot(&self, at: Timestamp) -> Option<usize> {
        let slot = at.0.div_euclid(self.slot_ms) - self.first;
        usize::try_from(slot).ok().filter(|s| *s < self.slots)
    }

    /// As [`Axis::slot`], before and after the axis counted on; for lines that leave the picture.
    pub fn slot_beyond(&self, at: Timestamp) -> i64 {
        at.0.div_euclid(self.slot_ms) - self.first
    }

    /// Labels: slot and text, at least `apart` slots from one another.
    pub fn labels(&self, zone: &TimeZone, apart: usize) -> Vec<(usize, String)> {
        let least = self
            .slot_ms
            .saturating_mul(i64::try_from(apart).unwrap_or(i64::MAX));
        let step = STEPS
            .into_iter()
            .find(|s| *s >= least)
            .unwrap_or(least)
            .max(1);
        let (from, to) = self.range();
        let shift = offset_ms(zone, to);
        let mut at = (from.0 + shift).div_euclid(step) * step - shift;
        let mut labels = Vec::new();
        while at <= to.0 && labels.len() <= self.slots {
            if let Some(slot) = self.slot(Timestamp(at)) {
                labels.push((slot, label(zone, Timestamp(at), step)));
            }
            at = at.saturating_add(step);
        }
        labels
    }

    /// Writes the labels into one row, each centred at its slot.
    pub fn draw_labels(&self, zone: &TimeZone, area: Rect, buf: &mut Buffer, style: Style) {
        let columns = usize::from(area.width).max(1);
        let per = self.slots.div_ceil(columns).max(1);
        let mut free = area.x;
        for (slot, text) in self.labels(zone, per * 12) {
            let half = u16::try_from(text.len() / 2).unwrap_or(0);
            let middle = area.x
                + u16::try_from(slot / per)
                    .unwrap_or(u16::MAX)
                    .min(area.width);
            let x = middle.saturating_sub(half).max(area.x);
            let end = x.saturating_add(u16::try_from(text.len()).unwrap_or(0));
            if x >= free && end <= area.right() {
                put(buf, area, x, area.y, &text, style);
                free = end.saturating_add(1);
            }
        }
    }
}

fn offset_ms(zone: &TimeZone, at: Timestamp) -> i64 {
    jiff::Timestamp::from_millisecond(at.0)
        .map_or(0, |t| i64::from(zone.to_offset(t).seconds()) * 1000)
}

fn label(zone: &TimeZone, at: Timestamp, step: i64) -> String {
    if step >= 86_400_000 {
        format_time(zone, at, "%b %d")
    } else if step >= 60_000 {
        format_time(zone, at, "%H:%M")
    } else {
        format_time(zone, at, "%H:%M:%S")
    }
}

/// A point in time in the operator's zone.
pub fn format_time(zone: &TimeZone, at: Timestamp, format: &str) -> String {
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(t) => t.to_zoned(zone.clone()).strftime(format).to_string(),
        Err(_) => "?".into(),
    }
}

/// `HH:MM:SS` in the operator's zone.
pub fn clock(zone: &TimeZone, at: Timestamp) -> String {
    format_time(zone, at, "%H:%M:%S")
}

/// One row over the axis: in each slot the greatest value put there, from 0 (quiet) to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lane {
    levels: Vec<Option<f64>>,
}

impl Lane {
    pub fn new(axis: &Axis) -> Self {
        Self {
            levels: vec![None; axis.slots],
        }
    }

    /// Raises all slots from `from` to `to` to `level`.
    pub fn raise(&mut self, axis: &Axis, from: Timestamp, to: Timestamp, level: f64) {
        let last = i64::try_from(axis.slots).unwrap_or(i64::MAX) - 1;
        let (a, b) = (axis.slot_beyond(from), axis.slot_beyond(to));
        if b < 0 || a > last {
            return;
        }
        for slot in a.clamp(0, last)..=b.clamp(0, last) {
            let slot = usize::try_from(slot).unwrap_or(0);
            if let Some(held) = self.levels.get_mut(slot) {
                *held = Some(held.map_or(level, |h: f64| h.max(level)));
            }
        }
    }

    /// Glyph of each slot.
    pub fn glyphs(&self) -> impl Iterator<Item = (char, Option<f64>)> {
        self.levels.iter().map(|level| match level {
            None => ('─', None),
            Some(l) if *l >= 0.85 => ('█', Some(*l)),
            Some(l) if *l >= 0.6 => ('▓', Some(*l)),
            Some(l) if *l >= 0.35 => ('▒', Some(*l)),
            Some(l) => ('░', Some(*l)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_by_whole_slots_only() {
        let span = 3_600_000;
        let a = Axis::new(Timestamp(10_000_000 - span), Timestamp(10_000_000), 120);
        assert_eq!(a.slot_ms, 30_000);
        let next = (10_000_000 / 30_000 + 1) * 30_000;
        for now in [10_000_001, next - 1] {
            assert_eq!(Axis::new(Timestamp(now - span), Timestamp(now), 120), a);
        }
        let b = Axis::new(Timestamp(next - span), Timestamp(next), 120);
        assert_eq!(b.slot(Timestamp(9_999_999)), Some(118));
        assert_eq!(a.slot(Timestamp(9_999_999)), Some(119));
    }

    #[test]
    fn labels_stand_on_even_times() {
        let end = Timestamp(1_800_000_000_000);
        let axis = Axis::new(end.plus_ms(-3_600_000), end, 120);
        let labels = axis.labels(&TimeZone::UTC, 24);
        assert!(labels.len() >= 3, "{labels:?}");
        for (_, text) in labels {
            assert!(text.ends_with('0') || text.ends_with('5'), "{text}");
        }
    }

    #[test]
    fn lane_keeps_the_worst() {
        let axis = Axis::new(Timestamp(0), Timestamp(100), 10);
        let mut lane = Lane::new(&axis);
        lane.raise(&axis, Timestamp(50), Timestamp(1_000_000), 0.9);
        lane.raise(&axis, Timestamp(50), Timestamp(60), 0.2);
        lane.raise(&axis, Timestamp(-500), Timestamp(-400), 1.0);
        let text: String = lane.glyphs().map(|g| g.0).collect();
        assert!(text.starts_with("──") && text.ends_with("██"), "{text}");
    }
}

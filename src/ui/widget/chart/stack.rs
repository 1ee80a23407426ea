//! Curves on top of one another: at each slot of time what is above nought upwards, what is below
//! it downwards.

use super::{Curve, usual_gap};
use crate::ui::widget::timeline::Axis;

/// Value of each curve in each slot; `None`: it has a gap there.
pub struct Stack {
    curves: Vec<Vec<Option<f64>>>,
    slots: usize,
}

impl Stack {
    pub fn of(curves: &[Curve<'_>], axis: &Axis) -> Self {
        Self {
            slots: axis.slots,
            curves: curves.iter().map(|c| held(c, axis)).collect(),
        }
    }

    /// Least and greatest sum; nought is always within. `None`: there is nothing.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        let mut bounds: Option<(f64, f64)> = None;
        self.layers(|_, _, base, top| {
            let (low, high) = bounds.unwrap_or((0.0, 0.0));
            bounds = Some((low.min(base).min(top), high.max(base).max(top)));
        });
        bounds
    }

    /// Each layer of each slot: slot, curve, lower and upper value.
    pub fn layers(&self, mut each: impl FnMut(usize, usize, f64, f64)) {
        for slot in 0..self.slots {
            let (mut up, mut down) = (0.0, 0.0);
            for (index, curve) in self.curves.iter().enumerate() {
                let Some(value) = curve.get(slot).copied().flatten() else {
                    continue;
                };
                let base = if value < 0.0 { &mut down } else { &mut up };
                each(slot, index, *base, *base + value);
                *base += value;
            }
        }
    }
}

/// A value holds until the next one, not beyond a gap.
fn held(curve: &Curve<'_>, axis: &Axis) -> Vec<Option<f64>> {
    let gap = match curve.gap_ms {
        0 => usual_gap(curve.points),
        gap => gap,
    };
    let mut slots = vec![None; axis.slots];
    for (at, point) in curve.points.iter().enumerate() {
        if !point.value.is_finite() {
            continue;
        }
        let next = curve.points.get(at + 1).map(|p| p.at);
        let own = point.at.plus_ms(gap / 3);
        let until = match next {
            Some(next) if next.0 - point.at.0 <= gap => next.plus_ms(-1),
            Some(_) | None => own,
        };
        let (first, last) = (axis.slot_beyond(point.at), axis.slot_beyond(until));
        for slot in first.max(0)..=last.max(first) {
            let slot = usize::try_from(slot).unwrap_or(usize::MAX);
            match slots.get_mut(slot) {
                Some(place) => *place = Some(point.value),
                None => break,
            }
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sample::Sample;
    use crate::model::time::Timestamp;
    use ratatui::style::Style;

    #[test]
    fn layers_lie_on_one_another_and_gaps_stay() {
        let points = |values: &[(i64, f64)]| -> Vec<Sample> {
            let sample = |&(s, value): &(i64, f64)| Sample {
                at: Timestamp(s * 1000),
                value,
            };
            values.iter().map(sample).collect()
        };
        let a = points(&[(0, 1.0), (1, 2.0), (9, 4.0)]);
        let b = points(&[(0, 10.0), (1, f64::NAN), (2, -3.0)]);
        let curve = |points| Curve {
            points,
            style: Style::default(),
            gap_ms: 3_000,
        };
        let axis = Axis::new(Timestamp(0), Timestamp(9_999), 10);
        let stack = Stack::of(&[curve(&a), curve(&b)], &axis);
        let mut seen = Vec::new();
        stack.layers(|slot, index, base, top| seen.push((slot, index, base, top)));
        assert!(seen.contains(&(0, 1, 1.0, 11.0)), "{seen:?}");
        assert!(seen.contains(&(2, 1, 0.0, -3.0)), "below nought: {seen:?}");
        assert!(!seen.iter().any(|s| s.0 == 1 && s.1 == 1), "NaN is a gap");
        assert!(!seen.iter().any(|s| (4..9).contains(&s.0)), "{seen:?}");
        assert_eq!(stack.bounds(), Some((-3.0, 11.0)));
    }
}

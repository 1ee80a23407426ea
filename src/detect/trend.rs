//! A straight line through noisy points that few wild ones cannot bend: Tukey's resistant line, by
//! the medians of three thirds. Linear in the number of points.

use crate::model::sample::Sample;

/// Fewer points show no line.
const LEAST: usize = 18;
/// The move over the window must be so many times the usual distance from the line.
const CLEAR: f64 = 4.0;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    pub per_s: f64,
    /// Where the line stands at the last point.
    pub now: f64,
    /// Length of what was looked at, seconds.
    pub span_s: f64,
    /// Median distance of the points from the line.
    pub noise: f64,
    /// The middle third lies between the outer ones.
    steady: bool,
}

impl Trend {
    /// Of points in order of time. `None`: too few, or all of one moment.
    pub fn of(points: &[Sample]) -> Option<Self> {
        let finite: Vec<Sample> = points
            .iter()
            .copied()
            .filter(|p| p.value.is_finite())
            .collect();
        if finite.len() < LEAST {
            return None;
        }
        let (first, last) = (finite.first()?.at, finite.last()?.at);
        let seconds = |p: &Sample| (p.at.0 - first.0) as f64 / 1e3;
        let third = finite.len() / 3;
        let left = finite.get(..third)?;
        let middle = finite.get(third..finite.len() - third)?;
        let right = finite.get(finite.len() - third..)?;
        let at = |part: &[Sample]| {
            let x = median(part.iter().map(seconds))?;
            Some((x, median(part.iter().map(|p| p.value))?))
        };
        let ((x0, y0), (_, y1), (x2, y2)) = (at(left)?, at(middle)?, at(right)?);
        if x2 <= x0 {
            return None;
        }
        let per_s = (y2 - y0) / (x2 - x0);
        let base = median(finite.iter().map(|p| p.value - per_s * seconds(p)))?;
        let off = |p: &Sample| (p.value - per_s * seconds(p) - base).abs();
        let span_s = (last.0 - first.0) as f64 / 1e3;
        Some(Self {
            per_s,
            now: base + per_s * span_s,
            span_s,
            noise: median(finite.iter().map(off))?,
            steady: (y0 < y1 && y1 < y2) || (y0 > y1 && y1 > y2),
        })
    }

    /// How far the line moves over what was looked at.
    pub fn moved(&self) -> f64 {
        self.per_s * self.span_s
    }

    /// Whether the points move along the line rather than about it.
    pub fn is_clear(&self) -> bool {
        self.steady && self.moved().abs() > CLEAR * self.noise
    }

    /// Seconds until the line meets `limit`; `None`: it lies behind or the line is level.
    pub fn reaches(&self, limit: f64) -> Option<f64> {
        let left = (limit - self.now) / self.per_s;
        (left.is_finite() && left > 0.0).then_some(left)
    }
}

/// The middle value; of an even number the upper one of the two. `None`: there are none.
pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut all: Vec<f64> = values.collect();
    let middle = all.len() / 2;
    if all.is_empty() {
        return None;
    }
    Some(*all.select_nth_unstable_by(middle, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    fn points(value: impl Fn(i64) -> f64) -> Vec<Sample> {
        let each = (0..40).map(|i| Sample {
            at: Timestamp(1_000_000 + i * 15_000),
            value: value(i),
        });
        each.collect()
    }

    /// The same in every run, between -1 and 1.
    fn noise(i: i64) -> f64 {
        ((i * 7919 % 101) as f64 - 50.0) / 50.0
    }

    #[test]
    fn a_drift_is_found_under_noise_and_wild_points() {
        let drift = points(|i| match i {
            11 | 29 => 5_000.0,
            _ => 10.0 + i as f64 + 4.0 * noise(i),
        });
        let trend = Trend::of(&drift).expect("enough");
        assert!((trend.per_s * 15.0 - 1.0).abs() < 0.15, "{trend:?}");
        assert!((trend.now - 49.0).abs() < 4.0, "{trend:?}");
        assert!(trend.is_clear());
        let left = trend.reaches(100.0).expect("ahead");
        assert!((600.0..900.0).contains(&left), "{left}");
        assert_eq!(trend.reaches(0.0), None, "behind");
    }

    #[test]
    fn noise_a_step_and_a_bump_are_no_drift() {
        let clear = |value: &dyn Fn(i64) -> f64| Trend::of(&points(value)).map(|t| t.is_clear());
        assert_eq!(clear(&|i| 8.0 * noise(i)), Some(false));
        assert_eq!(clear(&|i| if i < 20 { 0.0 } else { 30.0 }), Some(false));
        assert_eq!(clear(&|i| -((i - 20) as f64).powi(2)), Some(false));
        assert_eq!(clear(&|_| 3.0), Some(false));
        assert_eq!(Trend::of(&points(|_| f64::NAN)), None);
        assert_eq!(Trend::of(&points(|i| i as f64)[..17]), None);
    }
}

//! How series grow: rates, differences and straight lines through the points of a window.

use super::kahan::Kahan;
use super::over::Span;
use crate::model::sample::Sample;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Growth {
    /// Of a counter, per second.
    Rate,
    /// Of a counter, in the whole window.
    Increase,
    /// Of a gauge, in the whole window.
    Delta,
}

/// What the points say, stretched to the window: to its ends where they are about one interval
/// away, else by half an interval. A counter is not stretched to where it would be below zero.
pub(super) fn extrapolated(span: &Span, growth: Growth) -> Option<f64> {
    let [first, .., last] = span.points else {
        return None;
    };
    let counter = growth != Growth::Delta;
    let mut grown = last.value - first.value;
    if counter {
        let lost = span.pairs().filter(|(a, b)| b < a).map(|(a, _)| a);
        lost.for_each(|before| grown += before);
    }
    let mut before_s = seconds(first.at.0 - span.start_ms);
    let after_s = seconds(span.end_ms - last.at.0);
    let sampled_s = seconds(last.at.0 - first.at.0);
    let interval_s = sampled_s / (span.points.len() - 1) as f64;
    if counter && grown > 0.0 && first.value >= 0.0 {
        let from_zero_s = sampled_s * (first.value / grown);
        if from_zero_s < before_s {
            before_s = from_zero_s;
        }
    }
    let near_s = interval_s * 1.1;
    let mut stretched_s = sampled_s;
    for gap_s in [before_s, after_s] {
        stretched_s += match gap_s < near_s {
            true => gap_s,
            false => interval_s / 2.0,
        };
    }
    let mut factor = stretched_s / sampled_s;
    if growth == Growth::Rate {
        factor /= length_s(span.end_ms - span.start_ms);
    }
    Some(grown * factor)
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// Whole seconds and the rest apart: rounded as Go rounds a duration.
fn length_s(ms: i64) -> f64 {
    (ms / 1000) as f64 + ((ms % 1000) * 1_000_000) as f64 / 1e9
}

/// What the newest two points say.
pub(super) fn newest(span: &Span, per_second: bool) -> Option<f64> {
    let [.., before, last] = span.points else {
        return None;
    };
    let interval_ms = last.at.0 - before.at.0;
    if interval_ms == 0 {
        return None;
    }
    if !per_second {
        return Some(last.value - before.value);
    }
    let grown = match last.value < before.value {
        true => last.value,
        false => last.value - before.value,
    };
    Some(grown / (interval_ms as f64 / 1000.0))
}

/// Slope of the line through the points, per second.
pub(super) fn slope(span: &Span) -> Option<f64> {
    let [first, _, ..] = span.points else {
        return None;
    };
    // From a time near the points, so that their times stay small numbers.
    Some(line(span.points, first.at.0).0)
}

/// Where the line through the points stands so many seconds after the step.
pub(super) fn predicted(span: &Span) -> Option<f64> {
    if span.points.len() < 2 {
        return None;
    }
    let (slope, now) = line(span.points, span.at_ms);
    Some(slope * span.with[0] + now)
}

/// Least squares: slope, and the value at `zero_ms`.
fn line(points: &[Sample], zero_ms: i64) -> (f64, f64) {
    let first = points.first().map_or(f64::NAN, |p| p.value);
    let [mut x, mut y, mut xy, mut xx] = [Kahan::default(); 4];
    let mut level = true;
    for (index, point) in points.iter().enumerate() {
        level &= index == 0 || point.value == first;
        let at_s = (point.at.0 - zero_ms) as f64 / 1e3;
        x.add(at_s);
        y.add(point.value);
        xy.add(at_s * point.value);
        xx.add(at_s * at_s);
    }
    if level {
        return match first.is_infinite() {
            true => (f64::NAN, f64::NAN),
            false => (0.0, first),
        };
    }
    let n = points.len() as f64;
    let [x, y, xy, xx] = [x, y, xy, xx].map(|sum| sum.total());
    let covariance = xy - x * y / n;
    let variance = xx - x * x / n;
    let slope = covariance / variance;
    (slope, y / n - slope * x / n)
}

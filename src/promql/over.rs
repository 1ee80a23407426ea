//! Functions of the points of one series in a window of time.

use super::buckets::quantile;
use super::error::{Result, evaluation};
use super::kahan::Kahan;
use super::rate::{self, Growth};
use crate::model::sample::Sample;

/// What a window holds, and where it stands.
pub(super) struct Span<'a> {
    /// At least one; no staleness markers.
    pub points: &'a [Sample],
    /// Both ends belong to it, milliseconds.
    pub start_ms: i64,
    pub end_ms: i64,
    /// The step that is evaluated; the window ends earlier when it has an offset.
    pub at_ms: i64,
    /// The scalars that the function was given, in their order.
    pub with: [f64; 2],
}

impl Span<'_> {
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.points.iter().map(|p| p.value)
    }

    /// The window less the first point.
    pub fn pairs(&self) -> impl Iterator<Item = (f64, f64)> {
        self.values().zip(self.values().skip(1))
    }
}

/// `None`: there is no value. Most functions need two points.
pub(super) type Over = fn(&Span) -> Result<Option<f64>>;

/// The function of this name that takes a window.
pub(super) fn named(name: &str) -> Option<Over> {
    Some(match name {
        "rate" => |s| Ok(rate::extrapolated(s, Growth::Rate)),
        "increase" => |s| Ok(rate::extrapolated(s, Growth::Increase)),
        "delta" => |s| Ok(rate::extrapolated(s, Growth::Delta)),
        "irate" => |s| Ok(rate::newest(s, true)),
        "idelta" => |s| Ok(rate::newest(s, false)),
        "deriv" => |s| Ok(rate::slope(s)),
        "predict_linear" => |s| Ok(rate::predicted(s)),
        "holt_winters" | "double_exponential_smoothing" => smoothed,
        "avg_over_time" => |s| Ok(Some(average(s))),
        "sum_over_time" => |s| Ok(Some(sum(s))),
        "count_over_time" => |s| Ok(Some(s.points.len() as f64)),
        "last_over_time" => |s| Ok(s.values().last()),
        "first_over_time" => |s| Ok(s.values().next()),
        "present_over_time" => |_| Ok(Some(1.0)),
        "max_over_time" => |s| Ok(extreme(s, |value, most| value > most)),
        "min_over_time" => |s| Ok(extreme(s, |value, least| value < least)),
        "stddev_over_time" => |s| Ok(Some(variance(s).sqrt())),
        "stdvar_over_time" => |s| Ok(Some(variance(s))),
        "quantile_over_time" => |s| Ok(Some(quantile(s.with[0], s.values().collect()))),
        "mad_over_time" => |s| Ok(Some(deviation(s))),
        "changes" => |s| Ok(Some(changes(s))),
        "resets" => |s| Ok(Some(s.pairs().filter(|(a, b)| b < a).count() as f64)),
        _ => return None,
    })
}

fn sum(span: &Span) -> f64 {
    let mut sum = Kahan::default();
    span.values().for_each(|value| sum.add(value));
    match sum.plain().is_infinite() {
        true => sum.plain(),
        false => sum.total(),
    }
}

/// A running mean: the sum may be too large for a float where the mean is not.
fn average(span: &Span) -> f64 {
    let mut mean = Kahan::default();
    let mut count = 0.0;
    for value in span.values() {
        count += 1.0;
        let so_far = mean.plain();
        if !stays_infinite(so_far, value) {
            mean.add(value / count - so_far / count);
        }
    }
    match mean.plain().is_infinite() {
        true => mean.plain(),
        false => mean.total(),
    }
}

/// An infinite mean stays as it is, except for a NaN or the opposite infinity: taking it away from
/// a value would make a NaN of it.
pub(super) fn stays_infinite(mean: f64, value: f64) -> bool {
    mean.is_infinite() && !value.is_nan() && (value.is_finite() || (mean > 0.0) == (value > 0.0))
}

/// A NaN gives way to any value.
fn extreme(span: &Span, beats: fn(f64, f64) -> bool) -> Option<f64> {
    let better = |best: f64, value: f64| match beats(value, best) || best.is_nan() {
        true => value,
        false => best,
    };
    span.values().reduce(better)
}

/// Welford's, with sums that lose nothing.
fn variance(span: &Span) -> f64 {
    let (mut mean, mut squares) = (Kahan::default(), Kahan::default());
    let mut count = 0.0;
    for value in span.values() {
        count += 1.0;
        let off = value - mean.total();
        mean.add(off / count);
        squares.add(off * (value - mean.total()));
    }
    squares.total() / count
}

/// Median of the distances to the median.
fn deviation(span: &Span) -> f64 {
    let median = quantile(0.5, span.values().collect());
    let distances = span.values().map(|value| (value - median).abs());
    quantile(0.5, distances.collect())
}

fn changes(span: &Span) -> f64 {
    let changed = |(a, b): &(f64, f64)| a != b && !(a.is_nan() && b.is_nan());
    span.pairs().filter(changed).count() as f64
}

/// Double exponential smoothing: of the level by the first factor, of the trend by the second.
fn smoothed(span: &Span) -> Result<Option<f64>> {
    let [level, trend] = span.with;
    for (factor, name, short) in [(level, "smoothing", "sf"), (trend, "trend", "tf")] {
        if factor <= 0.0 || factor >= 1.0 {
            let given = fixed(factor);
            let words = format!("invalid {name} factor. Expected: 0 < {short} < 1, got: {given}");
            return evaluation(words);
        }
    }
    let [first, second, ..] = span.points else {
        return Ok(None);
    };
    let (mut before, mut now) = (0.0, first.value);
    let mut slope = second.value - first.value;
    for (index, point) in span.points.iter().skip(1).enumerate() {
        if index > 0 {
            slope = trend * (now - before) + (1.0 - trend) * slope;
        }
        let next = level * point.value + (1.0 - level) * (now + slope);
        (before, now) = (now, next);
    }
    Ok(Some(now))
}

/// Six decimals, infinities as Go writes them.
fn fixed(value: f64) -> String {
    match value.is_infinite() {
        true if value > 0.0 => "+Inf".into(),
        true => "-Inf".into(),
        false => format!("{value:.6}"),
    }
}

//! What is drawn of the points: runs without gaps, sums of a stack, and the range of values.

use std::collections::BTreeMap;

use crate::model::export::Exported;
use crate::model::sample::Sample;
use crate::model::time::Timestamp;

/// Runs of finite points not farther apart than `gap_ms`; 0: any distance.
pub fn runs(points: &[Sample], gap_ms: i64) -> Vec<&[Sample]> {
    let parts = points.chunk_by(|a, b| {
        let near = gap_ms == 0 || b.at.0 - a.at.0 <= gap_ms;
        near && a.value.is_finite() && b.value.is_finite()
    });
    parts
        .filter(|run| run.iter().all(|p| p.value.is_finite()))
        .collect()
}

/// Each series on top of those before it, at the times at which it has a value itself.
pub fn stack(series: &[Exported]) -> Vec<Vec<Sample>> {
    let mut sums: BTreeMap<Timestamp, f64> = BTreeMap::new();
    let mut out = Vec::with_capacity(series.len());
    for one in series {
        let finite = one.points.iter().filter(|p| p.value.is_finite());
        let on_top = finite.map(|p| {
            let sum = sums.entry(p.at).or_insert(0.0);
            *sum += p.value;
            Sample {
                at: p.at,
                value: *sum,
            }
        });
        out.push(on_top.collect());
    }
    out
}

/// Lowest and highest value with some room; never empty.
pub fn extent(curves: &[Vec<Sample>], from_zero: bool) -> (f64, f64) {
    let finite = || {
        curves
            .iter()
            .flatten()
            .map(|p| p.value)
            .filter(|v| v.is_finite())
    };
    let (mut low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
        (l.min(v), h.max(v))
    });
    if low > high {
        return (0.0, 1.0);
    }
    if from_zero {
        low = low.min(0.0);
    }
    let room = match high - low {
        span if span > 0.0 && span.is_finite() => span * 0.05,
        _ => low.abs().max(1.0) * 0.05,
    };
    // What never falls below nothing is not drawn as if it could.
    let floor = match low >= 0.0 {
        true => (low - room).max(0.0),
        false => low - room,
    };
    // The greatest numbers leave no room for more, and what lies between them is no number.
    let (floor, high) = (floor.max(f64::MIN), (high + room).min(f64::MAX));
    match (high - floor).is_finite() {
        true => (floor, high),
        false => (floor / 2.0, high / 2.0),
    }
}

/// Round times on the axis, milliseconds: at most ten.
pub fn ticks(from: i64, to: i64) -> Vec<i64> {
    const STEPS_S: [i64; 18] = [
        1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
        604_800,
    ];
    let span = to.saturating_sub(from).max(1);
    let fits = |step: &i64| span / step <= 9;
    let steps = STEPS_S.iter().map(|s| s * 1000);
    let step = steps.clone().find(fits).unwrap_or(span / 9 + 1);
    let first = from.div_euclid(step).saturating_add(1).saturating_mul(step);
    (0..10)
        .map(|n| first.saturating_add(step.saturating_mul(n)))
        .take_while(|at| *at < to)
        .collect()
}

/// A time on the axis, UTC.
pub fn time(ms: i64, with_day: bool) -> String {
    let Ok(at) = jiff::Timestamp::from_millisecond(ms) else {
        return String::new();
    };
    let format = if with_day { "%m-%d %H:%M" } else { "%H:%M:%S" };
    at.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::label::Labels;

    fn points(values: &[(i64, f64)]) -> Vec<Sample> {
        let sample = |(at, value): &(i64, f64)| Sample {
            at: Timestamp(*at),
            value: *value,
        };
        values.iter().map(sample).collect()
    }

    fn series(values: &[(i64, f64)]) -> Exported {
        Exported {
            name: String::new(),
            cluster: String::new(),
            metric: String::new(),
            labels: Labels::default(),
            points: points(values).into(),
        }
    }

    #[test]
    fn gaps_part_runs() {
        let all = points(&[(0, 1.0), (10, 2.0), (40, 3.0), (50, f64::NAN), (60, 4.0)]);
        let lengths = |gap| runs(&all, gap).iter().map(|r| r.len()).collect::<Vec<_>>();
        assert_eq!(lengths(15), [2, 1, 1]);
        assert_eq!(lengths(0), [3, 1]);
    }

    #[test]
    fn a_stack_adds_what_is_there() {
        let stacked = stack(&[
            series(&[(0, 1.0), (10, 2.0)]),
            series(&[(10, 5.0), (20, 7.0)]),
            series(&[(0, f64::NAN), (20, 1.0)]),
        ]);
        assert_eq!(stacked[0], points(&[(0, 1.0), (10, 2.0)]));
        assert_eq!(stacked[1], points(&[(10, 7.0), (20, 7.0)]));
        assert_eq!(stacked[2], points(&[(20, 8.0)]));
    }

    #[test]
    fn the_range_is_never_empty() {
        assert_eq!(extent(&[], false), (0.0, 1.0));
        assert_eq!(extent(&[points(&[(0, f64::NAN)])], false), (0.0, 1.0));
        let (low, high) = extent(&[points(&[(0, 0.0)])], false);
        assert!(low == 0.0 && high > 0.0);
        let (low, high) = extent(&[points(&[(0, -5.0), (1, 5.0)])], false);
        assert!(low < -5.0 && high > 5.0);
        assert_eq!(extent(&[points(&[(0, 10.0), (1, 20.0)])], true).0, 0.0);
        assert_eq!(time(1_795_230_000_000, true), "11-21 03:00");
    }

    #[test]
    fn times_on_the_axis_are_round() {
        let hour = ticks(1_795_230_001_000, 1_795_233_601_000);
        let words: Vec<String> = hour.iter().map(|t| time(*t, false)).collect();
        assert_eq!(words.first().map(String::as_str), Some("03:10:00"));
        assert_eq!(words.last().map(String::as_str), Some("04:00:00"));
        for span in [1, 999, 61_000, 86_400_000, 9_000_000_000, i64::MAX] {
            let ticks = ticks(0, span);
            assert!(
                ticks.len() <= 10 && ticks.iter().all(|t| *t < span),
                "{span}"
            );
        }
    }

    #[test]
    fn the_greatest_numbers_have_an_axis() {
        for values in [
            vec![(0, 0.0), (1, f64::MAX)],
            vec![(0, f64::MIN), (1, f64::MAX)],
            vec![(0, f64::MIN)],
        ] {
            let (low, high) = extent(&[points(&values)], false);
            assert!(low < high && (high - low).is_finite(), "{low} {high}");
        }
    }
}

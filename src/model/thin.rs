//! Fewer points for a picture of so many columns, with the least and the greatest value of every
//! column, and with every gap.

use super::sample::Sample;
use super::time::Timestamp;

/// At most four points a column: the first, the least, the greatest and the last one, in order of
/// time. A point that is no number stays as a gap, one for each run of them. Few points stay as
/// they are.
pub fn thin(points: &[Sample], (from, to): (Timestamp, Timestamp), columns: usize) -> Vec<Sample> {
    let columns = columns.max(1);
    if points.len() <= columns.saturating_mul(4) {
        return points.to_vec();
    }
    let span = to.0.saturating_sub(from.0).max(1);
    let count = i64::try_from(columns).unwrap_or(i64::MAX);
    let width = (span / count).max(1);
    let mut out = Vec::with_capacity(columns.saturating_mul(4));
    let mut column: Vec<Sample> = Vec::new();
    let mut number = i64::MIN;
    for point in points {
        let here = point.at.0.saturating_sub(from.0).div_euclid(width);
        if here != number || !point.value.is_finite() {
            flush(&mut column, &mut out);
            number = here;
        }
        if point.value.is_finite() {
            column.push(*point);
        } else if out.last().is_none_or(|l| l.value.is_finite()) {
            out.push(*point);
        }
    }
    flush(&mut column, &mut out);
    out
}

fn flush(column: &mut Vec<Sample>, out: &mut Vec<Sample>) {
    let by_value = |a: &&Sample, b: &&Sample| a.value.total_cmp(&b.value);
    let (first, last) = (column.first(), column.last());
    let (least, most) = (
        column.iter().min_by(by_value),
        column.iter().max_by(by_value),
    );
    let mut kept: Vec<Sample> = [first, least, most, last]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    kept.sort_by_key(|p| p.at);
    kept.dedup_by_key(|p| p.at);
    out.append(&mut kept);
    column.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(values: &[f64]) -> Vec<Sample> {
        (0..)
            .zip(values)
            .map(|(i, value)| Sample {
                at: Timestamp(i * 10),
                value: *value,
            })
            .collect()
    }

    #[test]
    fn few_points_stay() {
        let few = points(&[1.0, f64::NAN, 3.0]);
        let span = (Timestamp(0), Timestamp(30));
        assert_eq!(thin(&few, span, 10).len(), 3);
        let gap = points(&[[1.0; 20], [f64::NAN; 20], [2.0; 20]].concat());
        let thinned = thin(&gap, (Timestamp(0), Timestamp(600)), 3);
        let gaps = thinned.iter().filter(|p| p.value.is_nan()).count();
        assert_eq!(gaps, 1, "{thinned:?}");
    }

    proptest! {
        #[test]
        fn extremes_of_every_column_are_kept(
            values in proptest::collection::vec(-1e6_f64..1e6, 1..400), columns in 1_usize..40
        ) {
            let all = points(&values);
            let to = Timestamp(all.len() as i64 * 10);
            let few = thin(&all, (Timestamp(0), to), columns);
            let width = (to.0 / columns as i64).max(1);
            let extremes = |points: &[Sample], column: i64| {
                let inside = points.iter().filter(|p| p.at.0.div_euclid(width) == column);
                inside.fold(None, |held: Option<(f64, f64)>, p| {
                    let (low, high) = held.unwrap_or((p.value, p.value));
                    Some((low.min(p.value), high.max(p.value)))
                })
            };
            for column in 0..=to.0 / width {
                prop_assert_eq!(extremes(&all, column), extremes(&few, column));
            }
            prop_assert!(few.len() <= all.len().min((columns + 2) * 4).max(columns * 4));
            prop_assert!(few.windows(2).all(|w| w[0].at < w[1].at));
        }
    }
}

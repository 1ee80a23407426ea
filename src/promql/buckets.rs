//! Quantiles: of values, and of classic histograms.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::error::Result;
use super::grid::{Grid, Lane, merged};
use super::storage::NAME;

const BUCKET: &str = "le";

/// Ascending, NaN before all else.
pub(super) fn ascending(a: &f64, b: &f64) -> Ordering {
    let order = a.partial_cmp(b);
    order.unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

/// A quantile outside 0 to 1 lies beyond all values.
fn beyond(q: f64) -> Option<f64> {
    match q {
        _ if q.is_nan() => Some(f64::NAN),
        _ if q < 0.0 => Some(f64::NEG_INFINITY),
        _ if q > 1.0 => Some(f64::INFINITY),
        _ => None,
    }
}

/// Between two values it is their weighted mean.
pub(super) fn quantile(q: f64, mut values: Vec<f64>) -> f64 {
    let most = values.len() as f64 - 1.0;
    if values.is_empty() {
        return f64::NAN;
    }
    if let Some(limit) = beyond(q) {
        return limit;
    }
    values.sort_by(ascending);
    let rank = q * most;
    let lower = rank.floor().max(0.0);
    let upper = (lower + 1.0).min(most);
    let weight = rank - rank.floor();
    let value = |rank: f64| values.get(rank as usize).copied().unwrap_or(f64::NAN);
    value(lower) * (1.0 - weight) + value(upper) * weight
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    upper: f64,
    count: f64,
}

/// `histogram_quantile` over classic buckets: series that differ in `le` alone are one histogram.
pub(super) fn histogram_quantile(q: &[f64], lanes: Vec<Lane>, grid: Grid) -> Result<Vec<Lane>> {
    let mut places = HashMap::new();
    let mut histograms: Vec<(Lane, Vec<(f64, Lane)>)> = Vec::new();
    for lane in lanes {
        let upper = lane.labels.get(BUCKET).and_then(|le| le.parse().ok());
        let Some(upper) = upper else {
            continue;
        };
        let of = lane.labels.without(&[BUCKET]);
        let place = *places.entry(of).or_insert_with_key(|of| {
            let out = Lane::empty(of.without(&[NAME]), grid.steps);
            histograms.push((out, Vec::new()));
            histograms.len() - 1
        });
        if let Some((_, buckets)) = histograms.get_mut(place) {
            buckets.push((upper, lane));
        }
    }
    for (out, lanes) in &mut histograms {
        lanes.sort_by(|a, b| ascending(&a.0, &b.0));
        for (step, q) in q.iter().enumerate() {
            let bucket = |(upper, lane): &(f64, Lane)| {
                let (upper, count) = (*upper, lane.value(step)?);
                Some(Bucket { upper, count })
            };
            let buckets: Vec<Bucket> = lanes.iter().filter_map(bucket).collect();
            if !buckets.is_empty() {
                out.set(step, of_buckets(*q, buckets));
            }
        }
    }
    merged(histograms.into_iter().map(|(out, _)| out).collect())
}

/// Within a bucket values are taken to lie evenly; in the lowest one from zero on, if its bound is
/// above zero. In the highest, it is the bound below.
fn of_buckets(q: f64, buckets: Vec<Bucket>) -> f64 {
    if let Some(limit) = beyond(q) {
        return limit;
    }
    if buckets.last().is_none_or(|b| b.upper != f64::INFINITY) {
        return f64::NAN;
    }
    let buckets = cumulative(buckets);
    let [.., below, highest] = buckets.as_slice() else {
        return f64::NAN;
    };
    if highest.count == 0.0 {
        return f64::NAN;
    }
    let rank = q * highest.count;
    let found = first_with(&buckets, rank);
    let Some(bucket) = buckets.get(found).filter(|_| found + 1 < buckets.len()) else {
        return below.upper;
    };
    let lower = match found.checked_sub(1).and_then(|at| buckets.get(at)) {
        Some(lower) => *lower,
        None if bucket.upper <= 0.0 => return bucket.upper,
        None => Bucket {
            upper: 0.0,
            count: 0.0,
        },
    };
    let share = (rank - lower.count) / (bucket.count - lower.count);
    lower.upper + (bucket.upper - lower.upper) * share
}

/// The first bucket that counts up to `rank`, or the last one. A search by halves, because NaN
/// counts make the answer depend on where one looks.
fn first_with(buckets: &[Bucket], rank: f64) -> usize {
    let (mut low, mut high) = (0, buckets.len() - 1);
    while low < high {
        let middle = (low + high) / 2;
        match buckets.get(middle).is_some_and(|b| b.count >= rank) {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    low
}

/// Equal bounds as one bucket; counts that never fall. They do where buckets were scraped at
/// different times.
fn cumulative(buckets: Vec<Bucket>) -> Vec<Bucket> {
    let mut out: Vec<Bucket> = Vec::with_capacity(buckets.len());
    for bucket in buckets {
        match out.last_mut() {
            Some(last) if last.upper == bucket.upper => last.count += bucket.count,
            _ => out.push(bucket),
        }
    }
    let mut most = out.first().map_or(0.0, |b| b.count);
    for bucket in out.iter_mut().skip(1) {
        if bucket.count > most {
            most = bucket.count;
        } else if bucket.count < most {
            bucket.count = most;
        }
    }
    out
}

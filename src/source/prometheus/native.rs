//! Native histograms as the buckets that classic ones have: a series for each upper bound, with the
//! label `le`, counting all observations up to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::label::Labels;
use crate::model::sample::{Points, Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::time::Timestamp;
use crate::source::decimal;
use crate::source::json::{self, Json};

/// Bounds of one histogram at most; of more, some between are left out, which stays true: each
/// counts all below it.
const BOUNDS: usize = 160;
/// Buckets read of one histogram at one time.
const BUCKETS: usize = 4_096;

/// A histogram at one time.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    at: Timestamp,
    count: f64,
    /// Upper bound and what is in the bucket itself.
    buckets: Vec<(f64, f64)>,
}

/// `[1795230395.684, {"count": "2", "sum": "0.005", "buckets": [[0, "0.1", "0.2", "1"]]}]`
pub(super) fn histogram(json: &mut Json<'_>, out: &mut Vec<Histogram>) -> json::Result<()> {
    let mut found = Histogram::default();
    json.list()?;
    found.at = Timestamp::from_seconds(json.number()?);
    if !json.more()? {
        return json.fail("a histogram without a value");
    }
    json.object(|json, key| match key.as_ref() {
        "count" => {
            found.count = number(json)?;
            Ok(())
        }
        "buckets" if json.null() => Ok(()),
        "buckets" => json.array(|json| bucket(json, &mut found.buckets)),
        _ => json.skip(),
    })?;
    while json.more()? {
        json.skip()?;
    }
    out.push(found);
    Ok(())
}

/// Rule of its bounds, lower and upper bound, count.
fn bucket(json: &mut Json<'_>, out: &mut Vec<(f64, f64)>) -> json::Result<()> {
    let mut values = [0.0; 4];
    let mut read = 0;
    json.array(|json| {
        let value = number(json)?;
        if let Some(place) = values.get_mut(read) {
            *place = value;
        }
        read += 1;
        Ok(())
    })?;
    let [_, _, upper, count] = values;
    if read < 4 || upper.is_nan() {
        return json.fail("a bucket that is none");
    }
    if out.len() < BUCKETS {
        out.push((upper, count));
    }
    Ok(())
}

fn number(json: &mut Json<'_>) -> json::Result<f64> {
    match json.peek() {
        Some(b'"') => match decimal::parse(&json.text()?) {
            Some(value) => Ok(value),
            None => json.fail("no number"),
        },
        _ => json.number(),
    }
}

/// One series for each bound that occurs; at most [`BOUNDS`].
pub(super) fn buckets(key: &SeriesKey, histograms: &[Histogram]) -> Vec<SeriesSamples> {
    let mut bounds: Vec<f64> = histograms
        .iter()
        .flat_map(|h| h.buckets.iter().map(|(upper, _)| *upper))
        .filter(|b| b.is_finite())
        .collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    let every = bounds.len().div_ceil(BOUNDS).max(1);
    let last = bounds.last().copied();
    let mut kept: Vec<f64> = bounds.iter().copied().step_by(every).collect();
    if let Some(last) = last.filter(|l| kept.last() != Some(l)) {
        kept.push(last);
    }
    let mut points: BTreeMap<usize, Points> = BTreeMap::new();
    for histogram in histograms {
        let mut own = histogram.buckets.clone();
        own.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut below = own.iter().peekable();
        let mut sum = 0.0;
        for (place, bound) in kept.iter().enumerate() {
            while let Some((_, count)) = below.next_if(|(upper, _)| upper <= bound) {
                sum += count;
            }
            points.entry(place).or_default().push(Sample {
                at: histogram.at,
                value: sum,
            });
        }
        points.entry(kept.len()).or_default().push(Sample {
            at: histogram.at,
            value: histogram.count,
        });
    }
    let named = points.into_iter().map(|(place, points)| {
        let bound = kept.get(place).copied().unwrap_or(f64::INFINITY);
        SeriesSamples {
            key: SeriesKey::new(Arc::clone(&key.name), with_bound(&key.labels, bound)),
            kind: SampleKind::Gauge,
            points,
        }
    });
    named.collect()
}

fn with_bound(labels: &Labels, bound: f64) -> Labels {
    let text = match bound.is_infinite() {
        true => "+Inf".to_owned(),
        false => bound.to_string(),
    };
    let mut pairs = labels.without(&["le"]).pairs().to_vec();
    pairs.push((Arc::from("le"), Arc::from(text.as_str())));
    Labels::new(pairs)
}

//! Batches of samples as few bytes: keys once, times as distances, values against the last one.

use std::collections::HashMap;
use std::sync::Arc;

use super::BundleError;
use super::frame::{Names, Texts};
use super::wire::{Cursor, put_i64, put_len, put_u64};
use crate::model::id::ClusterId;
use crate::model::label::Labels;
use crate::model::sample::{Points, Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::signal::Group;
use crate::model::telemetry::SampleBatch;
use crate::model::time::Timestamp;

/// How a value is told.
const SAME: u8 = 0;
/// A whole number: the distance to the last one, times 1 or 1000.
const WHOLE: u8 = 1;
const MILLI: u8 = 2;
/// The bits themselves.
const BITS: u8 = 3;
/// Whole numbers up to here are exact as floating point.
const EXACT: f64 = 9e15;

/// Series seen so far and the last value of each; the same on both sides.
#[derive(Debug, Default)]
pub struct SeriesOut {
    ids: HashMap<(ClusterId, SeriesKey), usize>,
    last: Vec<f64>,
}

#[derive(Debug, Default)]
pub struct SeriesIn {
    keys: Vec<SeriesKey>,
    last: Vec<f64>,
}

impl SeriesOut {
    /// Number of the series; a new one is told first.
    pub fn id(
        &mut self,
        cluster: ClusterId,
        key: &SeriesKey,
        names: &mut Names,
        tag: u8,
        out: &mut Vec<u8>,
    ) -> usize {
        if let Some(id) = self.ids.get(&(cluster, key.clone())) {
            return *id;
        }
        let mut definition = vec![tag];
        put_len(&mut definition, names.id(&key.name, out));
        put_len(&mut definition, key.labels.len());
        for (name, value) in key.labels.pairs() {
            put_len(&mut definition, names.id(name, out));
            put_len(&mut definition, names.id(value, out));
        }
        out.extend_from_slice(&definition);
        let id = self.last.len();
        self.last.push(0.0);
        self.ids.insert((cluster, key.clone()), id);
        id
    }

    pub fn put_points(&mut self, out: &mut Vec<u8>, id: usize, at: Timestamp, points: &[Sample]) {
        put_len(out, points.len());
        let mut before = at.0;
        for point in points {
            put_i64(out, point.at.0.wrapping_sub(before));
            before = point.at.0;
            let last = self.last.get_mut(id).map_or(0.0, |slot| {
                let last = *slot;
                *slot = point.value;
                last
            });
            put_value(out, last, point.value);
        }
    }
}

impl SeriesIn {
    pub fn define(&mut self, from: &mut Cursor<'_>, texts: &Texts) -> Result<(), BundleError> {
        let name = texts.get(from.index()?)?;
        let count = from.count(2)?;
        let mut pairs = Vec::with_capacity(count);
        for _ in 0..count {
            pairs.push((texts.get(from.index()?)?, texts.get(from.index()?)?));
        }
        self.keys.push(SeriesKey::new(name, Labels::new(pairs)));
        self.last.push(0.0);
        Ok(())
    }

    fn series(
        &mut self,
        from: &mut Cursor<'_>,
        at: Timestamp,
    ) -> Result<SeriesSamples, BundleError> {
        let id = from.index()?;
        let kind = match from.byte()? {
            0 => SampleKind::Gauge,
            1 => SampleKind::Counter,
            _ => return Err(BundleError::Damaged("unknown kind of sample")),
        };
        let (Some(key), Some(last)) = (self.keys.get(id), self.last.get_mut(id)) else {
            return Err(BundleError::Damaged("a series was never named"));
        };
        let count = from.count(2)?;
        let mut points = Points::with_capacity(count);
        let mut before = at.0;
        for _ in 0..count {
            before = before.wrapping_add(from.i64()?);
            *last = take_value(from, *last)?;
            points.push(Sample {
                at: Timestamp(before),
                value: *last,
            });
        }
        Ok(SeriesSamples {
            key: key.clone(),
            kind,
            points,
        })
    }
}

/// The value as a whole number of units of `1 / scale`, if that loses nothing.
fn whole(value: f64, scale: f64) -> Option<i64> {
    let scaled = (value * scale).round();
    let exact = scaled.abs() < EXACT && (scaled / scale).to_bits() == value.to_bits();
    exact.then_some(scaled as i64)
}

/// What distances are counted from: the last value, as far as it is a number.
fn base(last: f64, scale: f64) -> i64 {
    let scaled = (last * scale).round();
    if scaled.abs() < EXACT {
        scaled as i64
    } else {
        0
    }
}

fn put_value(out: &mut Vec<u8>, last: f64, value: f64) {
    if value.to_bits() == last.to_bits() {
        out.push(SAME);
    } else if let Some(n) = whole(value, 1.0) {
        out.push(WHOLE);
        put_i64(out, n - base(last, 1.0));
    } else if let Some(n) = whole(value, 1000.0) {
        out.push(MILLI);
        put_i64(out, n - base(last, 1000.0));
    } else {
        out.push(BITS);
        out.extend_from_slice(&value.to_be_bytes());
    }
}

fn take_value(from: &mut Cursor<'_>, last: f64) -> Result<f64, BundleError> {
    let scale = match from.byte()? {
        SAME => return Ok(last),
        WHOLE => 1.0,
        MILLI => 1000.0,
        BITS => return Ok(f64::from_be_bytes(from.fixed()?)),
        _ => return Err(BundleError::Damaged("unknown kind of value")),
    };
    let n = from.i64()?.wrapping_add(base(last, scale));
    Ok(n as f64 / scale)
}

pub fn put_batch(
    out: &mut Vec<u8>,
    batch: &SampleBatch,
    (name, query): (usize, usize),
    ids: &[usize],
    series: &mut SeriesOut,
) {
    out.push(
        Group::ALL
            .iter()
            .position(|g| *g == batch.group)
            .unwrap_or(0) as u8,
    );
    put_len(out, name);
    put_len(out, query);
    put_i64(out, batch.at.0);
    put_u64(out, u64::from(batch.interval_ms));
    out.push(u8::from(batch.backfill));
    put_u64(out, batch.cut_from.map_or(0, |n| u64::from(n) + 1));
    put_len(out, batch.series.len());
    for (id, one) in ids.iter().zip(&batch.series) {
        put_len(out, *id);
        out.push(match one.kind {
            SampleKind::Gauge => 0,
            SampleKind::Counter => 1,
        });
        series.put_points(out, *id, batch.at, &one.points);
    }
}

pub fn take_batch(
    from: &mut Cursor<'_>,
    texts: &Texts,
    series: &mut SeriesIn,
) -> Result<SampleBatch, BundleError> {
    let group = Group::ALL
        .get(usize::from(from.byte()?))
        .copied()
        .ok_or(BundleError::Damaged("unknown group"))?;
    let name: Arc<str> = texts.get(from.index()?)?;
    let query: Arc<str> = texts.get(from.index()?)?;
    let at = Timestamp(from.i64()?);
    let interval_ms = from.u32()?;
    let backfill = from.byte()? != 0;
    let cut_from = from.u32()?.checked_sub(1);
    let count = from.count(3)?;
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        all.push(series.series(from, at)?);
    }
    Ok(SampleBatch {
        group,
        name,
        query,
        at,
        interval_ms,
        backfill,
        series: all,
        cut_from,
    })
}

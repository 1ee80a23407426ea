//! How far a series went from its quiet self.

use std::collections::BTreeMap;

use super::aspect::{self, Aspect};
use super::picture::{Picture, Place, Series, Window};

/// A series before and during the incident.
#[derive(Clone, Copy, Debug)]
pub struct Shift {
    pub aspect: Aspect,
    /// Median of the quiet time.
    pub quiet: f64,
    /// Median of the incident.
    pub during: f64,
    /// Signed; 1 is what matters plus what is usual.
    pub size: f64,
    /// What is usual and what matters together.
    pub unit: f64,
}

/// Nothing to compare with is no shift. `when` narrows the incident to the times that matter.
pub fn of(series: &Series, window: &Window, when: &[f64]) -> Option<Shift> {
    let mut quiet = Vec::new();
    let mut during = Vec::new();
    for (at, value) in &series.points {
        if !value.is_finite() {
            continue;
        }
        if window.is_quiet(*at) {
            quiet.push(*value);
        } else if window.is_during(*at) && (when.is_empty() || when.contains(at)) {
            during.push(*value);
        }
    }
    let level = median(&mut quiet)?;
    let now = median(&mut during)?;
    let aspect = Aspect::of(&series.name);
    let usual = spread(&mut quiet, level);
    let unit = usual + aspect::floor(aspect, &series.name, level);
    let size = (now - level) / unit;
    // What quiet times show too is no sign: a tenth of them as far off takes all of it.
    let as_far = |value: &&f64| (**value - level) * size.signum() >= (now - level).abs();
    let alike = quiet.iter().filter(as_far).count() as f64 / quiet.len() as f64;
    let size = size * (1.0 - 10.0 * alike).max(0.0);
    if !size.is_finite() {
        return None;
    }
    Some(Shift {
        aspect,
        quiet: level,
        during: now,
        size,
        unit,
    })
}

/// The middle; sorts what it is given.
pub fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    quantile(values, 0.5)
}

/// Of sorted values, between two of them where it falls there.
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let low = sorted.get(place.floor() as usize)?;
    let high = sorted.get(place.ceil() as usize)?;
    Some(low + (high - low) * place.fract())
}

/// What is usual about a level: the wider of the middle half and the middle nine tenths, as the
/// standard deviation of the normal curve with that width. Needs sorted values.
fn spread(sorted: &mut [f64], level: f64) -> f64 {
    let between = |a: f64, b: f64| {
        let (low, high) = (quantile(sorted, a), quantile(sorted, b));
        high.unwrap_or(level) - low.unwrap_or(level)
    };
    (between(0.25, 0.75) / 1.35).max(between(0.05, 0.95) / 3.29)
}

/// The times within the incident at which the symptom was at least half as far off as at its
/// worst. Empty where no symptom was named, or it shows nothing.
pub fn worst_times(picture: &Picture) -> Vec<f64> {
    let Some((object, noticed)) = picture.symptom else {
        return Vec::new();
    };
    let mut off: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for series in &picture.series {
        if series.place != Place::Object(object) || Aspect::of(&series.name) != noticed {
            continue;
        }
        let Some(whole) = of(series, &picture.window, &[]) else {
            continue;
        };
        for (at, value) in &series.points {
            let size = (value - whole.quiet) / whole.unit * noticed.bad();
            if picture.window.is_during(*at) && size.is_finite() {
                let held = off.entry(at.to_bits()).or_insert((*at, 0.0));
                held.1 = f64::max(held.1, size);
            }
        }
    }
    let worst = off.values().map(|(_, size)| *size).fold(0.0, f64::max);
    let near = off
        .values()
        .filter(|(_, size)| *size >= worst / 2.0 && worst > 0.0);
    near.map(|(at, _)| *at).collect()
}

//! Log patterns and operations that broke with their habit.
//!
//! Numbers follow the load and its mix, so they are compared with those of the same object: two
//! that always went together and do not any more show another way through the program. A line
//! about an error that was never seen before shows the same.

use std::collections::{BTreeMap, BTreeSet};

use super::picture::{Count, Counted, Picture, Window};

/// A habit needs this many sightings to be one.
const HABIT: f64 = 4.0;
/// Natural logs beyond which more of the same says no more.
const MOST: f64 = 4.0;

/// What speaks against an object.
#[derive(Clone, Debug, Default)]
pub struct Broken {
    pub object: usize,
    /// The pattern or operation.
    pub text: String,
    /// Expected and seen in the incident.
    pub expected: f64,
    pub seen: f64,
    /// Twice the log of the likelihood ratio.
    pub surprise: f64,
    pub error: bool,
}

struct Row<'a> {
    count: &'a Count,
    quiet: BTreeMap<u64, f64>,
    before: f64,
    during: f64,
    error: bool,
}

pub fn of(picture: &Picture) -> Vec<Broken> {
    let time = times(picture);
    let mut groups: BTreeMap<(usize, bool), Vec<Row<'_>>> = BTreeMap::new();
    for count in &picture.counts {
        let lines = count.what == Counted::Lines;
        let group = groups.entry((count.object, lines)).or_default();
        group.push(row(count, &picture.window));
    }
    let mut broken: Vec<Broken> = groups
        .values()
        .flat_map(|rows| broken(rows, time))
        .collect();
    // The same line in many objects is the frame's word, not the program's.
    let mut spread: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for count in &picture.counts {
        let objects = spread.entry(count.text.as_str()).or_default();
        if !objects.contains(&count.object) {
            objects.push(count.object);
        }
    }
    for broken in &mut broken {
        let objects = spread.get(broken.text.as_str()).map_or(1, Vec::len);
        broken.surprise = broken.surprise.min(MOST.exp()) / objects as f64;
    }
    broken.sort_by(|a, b| {
        b.surprise
            .total_cmp(&a.surprise)
            .then_with(|| a.text.cmp(&b.text))
    });
    broken
}

/// Natural logs for its object.
pub fn strength(broken: &Broken) -> f64 {
    (1.0 + broken.surprise).ln().min(MOST)
}

/// Steps of the incident over quiet steps, of all that was counted.
fn times(picture: &Picture) -> f64 {
    let (mut quiet, mut during) = (BTreeSet::new(), BTreeSet::new());
    for (at, ..) in picture.counts.iter().flat_map(|c| &c.points) {
        if picture.window.is_quiet(*at) {
            quiet.insert(at.to_bits());
        } else if picture.window.is_during(*at + picture.window.step / 2.0) {
            during.insert(at.to_bits());
        }
    }
    if quiet.is_empty() {
        1.0
    } else {
        during.len() as f64 / quiet.len() as f64
    }
}

fn row<'a>(count: &'a Count, window: &Window) -> Row<'a> {
    let mut quiet = BTreeMap::new();
    let mut during = 0.0;
    for (at, number, _) in &count.points {
        if window.is_quiet(*at) {
            *quiet.entry(at.to_bits()).or_insert(0.0) += number;
        } else if window.is_during(*at + window.step / 2.0) {
            during += number;
        }
    }
    let before = quiet.values().sum();
    Row {
        count,
        quiet,
        before,
        during,
        error: is_error(&count.text),
    }
}

fn broken(rows: &[Row<'_>], time: f64) -> Vec<Broken> {
    // The load as the lines that are no errors tell it.
    let plain = || rows.iter().filter(|r| !r.error);
    let before: f64 = plain().map(|r| r.before).sum();
    let during: f64 = plain().map(|r| r.during).sum();
    let share = if before >= HABIT {
        during / before
    } else {
        time
    };
    let found = rows.iter().map(|row| {
        let error = row.error;
        let (expected, seen) = (expected(row, rows, share), row.during);
        let surprise = surprise(expected, seen);
        // More of what was always there follows from the mix of the load, if it is no error.
        let weight = match (error, seen > expected) {
            (true, true) => 1.0,
            (false, true) => 0.1,
            (true, false) => 0.0,
            (false, false) => 0.5,
        };
        Broken {
            object: row.count.object,
            text: row.count.text.clone(),
            expected,
            seen,
            surprise: surprise * weight,
            error,
        }
    });
    found.filter(|b| b.surprise > 1.0).collect()
}

/// How many were to be expected: from the one that it went with most closely, else from all.
fn expected(row: &Row<'_>, rows: &[Row<'_>], share: f64) -> f64 {
    if row.before < HABIT {
        return (row.before + 0.5) * share;
    }
    let mut best: Option<(f64, f64)> = None;
    for other in rows {
        if std::ptr::eq(other, row) || other.before < HABIT || (row.error && other.error) {
            continue;
        }
        let ratio = row.before / other.before;
        let mut misfit = 0.0;
        let empty = 0.0;
        for (at, number) in &row.quiet {
            misfit += surprise(ratio * other.quiet.get(at).unwrap_or(&empty), *number);
        }
        for (at, number) in &other.quiet {
            if !row.quiet.contains_key(at) {
                misfit += surprise(ratio * number, 0.0);
            }
        }
        // Of those that fit alike the one that is kindest to this row: several ways are open.
        let expected = ratio * other.during;
        let off = surprise(expected, row.during);
        let rank = misfit + 0.2 * off;
        if best.is_none_or(|(held, _)| rank < held) {
            best = Some((rank, expected));
        }
    }
    best.map_or(row.before * share, |(_, expected)| expected)
}

/// Twice the log of the likelihood ratio of two Poisson rates, half a sighting added to each.
fn surprise(expected: f64, seen: f64) -> f64 {
    let (expected, seen) = (expected + 0.5, seen + 0.5);
    let value = 2.0 * (seen * (seen / expected).ln() - (seen - expected));
    if value.is_finite() {
        value.max(0.0)
    } else {
        0.0
    }
}

/// The level a line begins with, or the name of what failed.
fn is_error(text: &str) -> bool {
    let head = text.split_whitespace().take(4);
    let levels = ["error", "fatal", "severe", "panic", "critical", "exception"];
    head.map(str::to_lowercase)
        .any(|word| levels.iter().any(|level| word.contains(level)))
}

//! Long answers -> what a model can hold: numbers that matter, counts, a few samples.

pub mod odd;
pub mod traces;

use std::collections::BTreeMap;

use crate::model::label::Labels;
use crate::model::log::{Level, LogLine};
use crate::model::sample::{Sample, SeriesSamples};
use crate::model::time::Timestamp;

/// Series told in full, per cluster.
const SERIES: usize = 12;
/// Values told of an instant answer, per cluster.
const VALUES: usize = 30;
const POINTS: usize = 8;
const PATTERNS: usize = 8;
const LINES: usize = 12;
const NAMES: usize = 100;
const LINE: usize = 300;

/// Values at one time, greatest first.
pub fn instant(series: &[SeriesSamples]) -> String {
    let mut rows: Vec<(&SeriesSamples, f64)> = series
        .iter()
        .filter_map(|s| Some((s, s.points.last()?.value)))
        .collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut out = String::new();
    for (s, value) in rows.iter().take(VALUES) {
        out.push_str(&format!("{} = {}\n", s.key, number(*value)));
    }
    more(&mut out, rows.len(), VALUES, "series with smaller values");
    out
}

/// A range: the series that changed most first.
pub fn range(series: &[SeriesSamples]) -> String {
    let mut rows: Vec<(&SeriesSamples, Shape)> = series
        .iter()
        .filter_map(|s| Some((s, Shape::of(&s.points)?)))
        .collect();
    rows.sort_by(|a, b| b.1.spread().total_cmp(&a.1.spread()));
    let mut out = String::new();
    for (s, shape) in rows.iter().take(SERIES) {
        out.push_str(&format!("{}\n  {}\n", s.key, shape.text(&s.points)));
    }
    more(&mut out, rows.len(), SERIES, "series that changed less");
    let empty = series.len() - rows.len();
    if empty > 0 {
        out.push_str(&format!("({empty} series have no number in the range)\n"));
    }
    out
}

fn more(out: &mut String, all: usize, shown: usize, what: &str) {
    if all > shown {
        out.push_str(&format!("({} more {what}, not shown)\n", all - shown));
    }
}

/// The course of one series in numbers.
struct Shape {
    first: Sample,
    last: Sample,
    min: Sample,
    max: Sample,
    mean: f64,
    count: usize,
    step: Option<Step>,
}

struct Step {
    at: Timestamp,
    before: f64,
    after: f64,
}

impl Shape {
    fn of(points: &[Sample]) -> Option<Self> {
        let finite: Vec<Sample> = points
            .iter()
            .copied()
            .filter(|p| p.value.is_finite())
            .collect();
        let (first, last) = (*finite.first()?, *finite.last()?);
        let by = |a: &&Sample, b: &&Sample| a.value.total_cmp(&b.value);
        let sum: f64 = finite.iter().map(|p| p.value).sum();
        Some(Self {
            first,
            last,
            min: *finite.iter().min_by(by)?,
            max: *finite.iter().max_by(by)?,
            mean: sum / finite.len() as f64,
            count: finite.len(),
            step: step_of(&finite),
        })
    }

    /// How much it moved, relative to its size.
    fn spread(&self) -> f64 {
        let size = self.max.value.abs().max(self.min.value.abs()).max(1e-9);
        (self.max.value - self.min.value) / size
    }

    fn text(&self, points: &[Sample]) -> String {
        if self.min.value == self.max.value {
            return format!(
                "{} at all {} points, last at {}",
                number(self.last.value),
                self.count,
                clock(self.last.at)
            );
        }
        let mut out = format!(
            "last {} at {}, min {} at {}, max {} at {}, mean {}, first {}, {} points",
            number(self.last.value),
            clock(self.last.at),
            number(self.min.value),
            clock(self.min.at),
            number(self.max.value),
            clock(self.max.at),
            number(self.mean),
            number(self.first.value),
            self.count,
        );
        if let Some(step) = &self.step {
            out.push_str(&format!(
                "; changed at {} from about {} to about {}",
                clock(step.at),
                number(step.before),
                number(step.after)
            ));
        }
        let gaps = points.len() - self.count;
        if gaps > 0 {
            out.push_str(&format!("; {gaps} points are no number"));
        }
        let every = points.len().div_ceil(POINTS).max(1);
        let some: Vec<String> = points
            .iter()
            .step_by(every)
            .map(|p| format!("{}={}", clock(p.at), number(p.value)))
            .collect();
        out.push_str(&format!("; points {}", some.join(" ")));
        out
    }
}

/// The best split into two levels, told only where it explains most of the movement.
fn step_of(points: &[Sample]) -> Option<Step> {
    let n = points.len();
    if n < 6 {
        return None;
    }
    let total: f64 = points.iter().map(|p| p.value).sum();
    let mean = total / n as f64;
    let variance: f64 = points.iter().map(|p| (p.value - mean).powi(2)).sum();
    let (mut left, mut best) = (0.0, None::<(f64, usize, f64, f64)>);
    for (i, point) in points.iter().enumerate().take(n - 2) {
        left += point.value;
        let k = i + 1;
        if k < 2 {
            continue;
        }
        let before = left / k as f64;
        let after = (total - left) / (n - k) as f64;
        let explained = (k * (n - k)) as f64 / n as f64 * (before - after).powi(2);
        if best.is_none_or(|(most, ..)| explained > most) {
            best = Some((explained, k, before, after));
        }
    }
    let (explained, k, before, after) = best?;
    let matters = variance > 0.0 && explained / variance > 0.7;
    matters.then_some(Step {
        at: points.get(k)?.at,
        before,
        after,
    })
}

/// Names, or those that hold some words, and how many rows that is.
pub fn names(all: &[String], contains: Option<String>) -> (usize, String) {
    let wanted = contains.map(|c| c.to_lowercase());
    let fits = |n: &&String| wanted.as_ref().is_none_or(|w| n.to_lowercase().contains(w));
    let found: Vec<&String> = all.iter().filter(fits).collect();
    let told: Vec<String> = found
        .iter()
        .take(NAMES)
        .map(|n| crate::model::text::clean(n, 120))
        .collect();
    let mut out = told.join(", ");
    out.push('\n');
    more(
        &mut out,
        found.len(),
        NAMES,
        "values; `contains` finds some",
    );
    (found.len(), out)
}

/// Counts by level, origin and pattern, then sample lines, worst and newest.
pub fn logs(lines: &[LogLine]) -> String {
    let mut out = String::new();
    let (Some(first), Some(last)) = (
        lines.iter().map(|l| l.at_ns).min(),
        lines.iter().map(|l| l.at_ns).max(),
    ) else {
        return "no line matched\n".into();
    };
    out.push_str(&format!(
        "{} lines from {} to {}\n",
        lines.len(),
        log_clock(first),
        log_clock(last)
    ));
    let levels = counted(
        lines
            .iter()
            .map(|l| format!("{:?}", l.level).to_lowercase()),
    );
    out.push_str(&format!("by level: {}\n", joined(&levels, 7)));
    let origins = counted(
        lines
            .iter()
            .map(|l| l.origin().to_owned())
            .filter(|o| !o.is_empty()),
    );
    if !origins.is_empty() {
        out.push_str(&format!("by origin: {}\n", joined(&origins, 8)));
    }
    let patterns = counted(lines.iter().map(|l| pattern(&l.line)));
    out.push_str("patterns (digits as #):\n");
    for (pattern, count) in patterns.iter().take(PATTERNS) {
        out.push_str(&format!("  {count} x {pattern}\n"));
    }
    more(&mut out, patterns.len(), PATTERNS, "patterns");
    out.push_str("samples, worst first, then newest:\n");
    let mut chosen: Vec<&LogLine> = lines.iter().collect();
    let bad = |l: &LogLine| if l.level >= Level::Error { 1 } else { 0 };
    chosen.sort_by_key(|l| std::cmp::Reverse((bad(l), l.at_ns)));
    for l in chosen.iter().take(LINES) {
        out.push_str(&format!(
            "  {} {} {}\n",
            log_clock(l.at_ns),
            l.origin(),
            crate::model::text::clean(&l.line, LINE)
        ));
    }
    out
}

fn counted(items: impl Iterator<Item = String>) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}

fn joined(counts: &[(String, usize)], most: usize) -> String {
    let mut parts: Vec<String> = counts
        .iter()
        .take(most)
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    if counts.len() > most {
        parts.push(format!("{} more", counts.len() - most));
    }
    parts.join(", ")
}

/// The line with runs of digits as `#`: lines that differ in numbers only are one pattern.
fn pattern(line: &str) -> String {
    let mut out = String::new();
    let mut digits = false;
    for c in line.chars() {
        if c.is_ascii_digit() {
            if !digits {
                out.push('#');
            }
            digits = true;
        } else {
            digits = false;
            out.push(c);
        }
        if out.len() >= 120 {
            out.push('…');
            break;
        }
    }
    out
}

/// Four significant digits; what is no number is named.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN".into()
        } else {
            format!("{value}")
        };
    }
    let magnitude = value.abs();
    if value.fract() == 0.0 && magnitude < 1e12 {
        return format!("{value}");
    }
    if magnitude != 0.0 && !(1e-3..1e9).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let digits = if magnitude >= 1000.0 {
        1
    } else if magnitude >= 10.0 {
        2
    } else {
        4
    };
    let text = format!("{value:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Time of day with seconds, UTC.
pub fn clock(at: Timestamp) -> String {
    let text = at.rfc3339();
    text.get(11..19).map_or(text.clone(), |t| format!("{t}Z"))
}

fn log_clock(ns: i64) -> String {
    Timestamp(ns / 1_000_000).rfc3339()
}

/// Labels as one short text; for tables.
pub fn labels(labels: &Labels) -> String {
    crate::model::text::clean(&labels.to_string(), 300)
}

/// Cuts at a line, and says so.
pub fn cut(text: &str, budget: usize) -> String {
    if text.len() <= budget {
        return text.to_owned();
    }
    let mut end = budget.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = text.get(..end).unwrap_or_default();
    let head = match head.rfind('\n') {
        Some(at) if at > budget / 2 => head.get(..at).unwrap_or_default(),
        _ => head,
    };
    format!(
        "{head}\n(cut: {} of {} characters shown; read_result has the rest)",
        head.len(),
        text.len()
    )
}

#[cfg(test)]
mod tests;

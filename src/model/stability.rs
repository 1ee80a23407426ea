//! How steady a clock is over the time held: TDEV and MTIE (ITU-T G.810, appendix II) of the offsets
//! that its servo tells, beside the limits of `assets/tables/clock_limits.toml`.
//!
//! The servo's own offset is not the measured time error that the limits are made for, and scrapes
//! are seconds apart: what is quicker than two of them is not seen.

use std::collections::VecDeque;
use std::sync::LazyLock;

use serde::Deserialize;

use super::sample::Sample;

const LIMITS: &str = include_str!("../../assets/tables/clock_limits.toml");

/// Missing samples in a row that are filled in.
const MOST_FILLED: i64 = 2;
/// Fewer points say nothing of stability.
const LEAST: usize = 12;

/// Limits of one class of clock, nanoseconds; MTIE and TDEV up to `tau_s`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    pub class: String,
    pub max_te_ns: f64,
    pub constant_te_ns: f64,
    pub mtie_ns: f64,
    pub tdev_ns: f64,
    pub tau_s: f64,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    source: String,
    limit: Vec<Limit>,
}

static FILE: LazyLock<File> = LazyLock::new(|| toml::from_str(LIMITS).unwrap_or_default());

/// Widest class first.
pub fn limits() -> &'static [Limit] {
    &FILE.limit
}

/// Where the limits come from.
pub fn source() -> &'static str {
    &FILE.source
}

/// Over observation times of one length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub tau_s: f64,
    /// `None`: fewer than three such times are held.
    pub tdev_ns: Option<f64>,
    pub mtie_ns: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Stability {
    /// Distance of the samples, seconds.
    pub step_s: f64,
    /// Samples used: the longest stretch without a gap.
    pub samples: usize,
    /// Of these, filled in where one or two were missing.
    pub filled: usize,
    /// Mean offset (constant time error) and the largest one without its sign, nanoseconds.
    pub mean_ns: f64,
    pub max_ns: f64,
    /// By growing observation time.
    pub points: Vec<Point>,
}

impl Stability {
    /// Of samples in order of time; values that are no numbers are gaps. `None`: too few of them.
    pub fn of(samples: &[Sample]) -> Option<Self> {
        let step_ms = usual_step(samples)?;
        let Run {
            values: run,
            filled,
        } = longest_run(samples, step_ms);
        if run.len() < LEAST {
            return None;
        }
        let count = run.len() as f64;
        let step_s = step_ms as f64 / 1e3;
        let lengths = lengths(run.len() - 1);
        Some(Self {
            step_s,
            samples: run.len(),
            filled,
            mean_ns: run.iter().sum::<f64>() / count,
            max_ns: run.iter().fold(0.0, |most: f64, x| most.max(x.abs())),
            points: lengths
                .into_iter()
                .map(|n| Point {
                    tau_s: n as f64 * step_s,
                    tdev_ns: tdev(&run, n),
                    mtie_ns: mtie(&run, n),
                })
                .collect(),
        })
    }

    /// Whether all that was measured lies within a class; `None`: nothing was, up to its time.
    pub fn within(&self, limit: &Limit) -> Option<bool> {
        let mut seen = self.points.iter().filter(|p| p.tau_s <= limit.tau_s);
        seen.clone().next()?;
        let steady = seen.all(|p| {
            p.mtie_ns <= limit.mtie_ns && p.tdev_ns.is_none_or(|tdev| tdev <= limit.tdev_ns)
        });
        let near = self.max_ns <= limit.max_te_ns && self.mean_ns.abs() <= limit.constant_te_ns;
        Some(steady && near)
    }
}

/// The middle one of the distances, milliseconds.
fn usual_step(samples: &[Sample]) -> Option<i64> {
    let pairs = samples.iter().zip(samples.iter().skip(1));
    let mut steps: Vec<i64> = pairs
        .map(|(a, b)| b.at.0.saturating_sub(a.at.0))
        .filter(|step| *step > 0)
        .collect();
    let middle = steps.len() / 2;
    if steps.is_empty() {
        return None;
    }
    Some(*steps.select_nth_unstable(middle).1)
}

/// Values at the usual distance, and how many of them stand on a straight line between two others.
#[derive(Default)]
struct Run {
    values: Vec<f64>,
    filled: usize,
}

/// The longest stretch without a gap, the newest of equally long ones. One or two missing samples
/// are no gap: they are filled in.
fn longest_run(samples: &[Sample], step_ms: i64) -> Run {
    let (mut best, mut run) = (Run::default(), Run::default());
    let mut before: Option<Sample> = None;
    for sample in samples.iter().filter(|s| s.value.is_finite()) {
        let distance = before.map_or(0, |b| sample.at.0.saturating_sub(b.at.0));
        let steps = (distance + step_ms / 2).div_euclid(step_ms);
        match before {
            // Nearer than half a step: the same moment told twice.
            Some(_) if steps < 1 => continue,
            Some(b) if steps <= MOST_FILLED + 1 => {
                for i in 1..steps {
                    let share = i as f64 / steps as f64;
                    run.values.push(b.value + (sample.value - b.value) * share);
                    run.filled += 1;
                }
            }
            _ => {
                if run.values.len() >= best.values.len() {
                    best = std::mem::take(&mut run);
                }
                run = Run::default();
            }
        }
        run.values.push(sample.value);
        before = Some(*sample);
    }
    if run.values.len() >= best.values.len() {
        best = run;
    }
    best
}

/// 1, 2, 3, 5, 7, 10, 15, 20, 30 … steps up to `most`.
fn lengths(most: usize) -> Vec<usize> {
    let mut out: Vec<usize> = Vec::new();
    let mut decade = 1;
    while decade <= most {
        for part in [10, 15, 20, 30, 50, 70] {
            let length = decade * part / 10;
            if length <= most && out.last() != Some(&length) {
                out.push(length);
            }
        }
        decade = decade.saturating_mul(10);
    }
    out
}

/// Time deviation over `n` steps (G.810 II.3): of the second differences of averages over `n`.
fn tdev(x: &[f64], n: usize) -> Option<f64> {
    let count = x.len().checked_sub(3 * n).map(|left| left + 1)?;
    // Sums up to each place, so that the average over any stretch is one difference.
    let mut sums = Vec::with_capacity(x.len() + 1);
    sums.push(0.0);
    sums.extend(x.iter().scan(0.0, |sum, x| {
        *sum += x;
        Some(*sum)
    }));
    let over = |from: usize| Some(sums.get(from + n)? - sums.get(from)?);
    let mut squares = 0.0;
    for j in 0..count {
        let second = over(j + 2 * n)? - 2.0 * over(j + n)? + over(j)?;
        squares += second * second;
    }
    let n = n as f64;
    Some((squares / (6.0 * n * n * count as f64)).sqrt())
}

/// Maximum time interval error over `n` steps (G.810 II.5): the widest swing within any `n` steps.
fn mtie(x: &[f64], n: usize) -> f64 {
    // Places of candidates for the largest and the smallest value within reach.
    let mut high: VecDeque<(usize, f64)> = VecDeque::new();
    let mut low: VecDeque<(usize, f64)> = VecDeque::new();
    let mut most: f64 = 0.0;
    for (at, value) in x.iter().copied().enumerate() {
        while high.back().is_some_and(|(_, held)| *held <= value) {
            high.pop_back();
        }
        while low.back().is_some_and(|(_, held)| *held >= value) {
            low.pop_back();
        }
        high.push_back((at, value));
        low.push_back((at, value));
        for held in [&mut high, &mut low] {
            while held.front().is_some_and(|(place, _)| at - place > n) {
                held.pop_front();
            }
        }
        if let (Some((_, top)), Some((_, bottom))) = (high.front(), low.front()) {
            most = most.max(top - bottom);
        }
    }
    most
}

#[cfg(test)]
mod tests;

//! Aggregations: many series to one for each group.

use std::collections::HashMap;

use super::buckets::quantile;
use super::budget::Budget;
use super::error::{Result, evaluation, quoted};
use super::eval::Evaluator;
use super::grid::{Gathered, Grid, Lane, is_absent};
use super::labels::{but, is_name, only, with};
use super::over::stays_infinite;
use super::plan::{Aggregate, How, Node};
use super::rank::Best;
use crate::model::label::Labels;

pub(super) fn evaluate(
    evaluator: &mut Evaluator,
    aggregate: &Aggregate,
    grid: Grid,
) -> Result<Vec<Lane>> {
    let mut scalar = |node: &Node| evaluator.scalar(node, grid);
    let with = match &aggregate.how {
        How::Largest(node) | How::Smallest(node) | How::First(node) | How::Quantile(node) => {
            scalar(node)?
        }
        _ => Vec::new(),
    };
    let lanes = evaluator.vector(&aggregate.node, grid)?;
    let budget = &mut evaluator.budget;
    budget.visit(lanes.len() * (grid.steps + 1))?;
    let groups = Groups::of(aggregate, &lanes);
    match &aggregate.how {
        How::Largest(_) => ranked(budget, &groups, &lanes, (&with, Some(true))),
        How::Smallest(_) => ranked(budget, &groups, &lanes, (&with, Some(false))),
        How::First(_) => ranked(budget, &groups, &lanes, (&with, None)),
        How::Quantile(_) => quantiles(budget, groups, &lanes, &with),
        How::CountValues(label) => count_values(budget, aggregate, label, (&lanes, grid)),
        how => {
            budget.keep(groups.labels.len(), grid.steps)?;
            Ok(folded(how, groups, &lanes, grid))
        }
    }
}

fn group(aggregate: &Aggregate, labels: &Labels) -> Labels {
    match aggregate.without {
        true => but(labels, &aggregate.by),
        false if aggregate.by.is_empty() => Labels::default(),
        false => only(labels, &aggregate.by),
    }
}

/// The group of each series; groups in the order in which they come.
struct Groups {
    of: Vec<usize>,
    labels: Vec<Labels>,
}

impl Groups {
    fn of(aggregate: &Aggregate, lanes: &[Lane]) -> Self {
        let mut found: HashMap<Labels, usize> = HashMap::new();
        let mut labels = Vec::new();
        let mut of = Vec::with_capacity(lanes.len());
        for lane in lanes {
            let key = group(aggregate, &lane.labels);
            let place = *found.entry(key).or_insert_with_key(|key| {
                labels.push(key.clone());
                labels.len() - 1
            });
            of.push(place);
        }
        Self { of, labels }
    }

    /// The series of each group, each with its place.
    fn members<'l>(&self, lanes: &'l [Lane]) -> Vec<Vec<(usize, &'l Lane)>> {
        let mut members = vec![Vec::new(); self.labels.len()];
        for (index, (lane, group)) in lanes.iter().zip(&self.of).enumerate() {
            if let Some(members) = members.get_mut(*group) {
                members.push((index, lane));
            }
        }
        members
    }
}

/// What one group has come to at one step.
#[derive(Clone, Copy, Default)]
struct Folding {
    count: f64,
    value: f64,
    mean: f64,
}

impl Folding {
    fn add(&mut self, how: &How, value: f64) {
        self.count += 1.0;
        let first = self.count == 1.0;
        match how {
            How::Sum if first => self.value = value,
            How::Sum => self.value += value,
            How::Least if first || self.value > value || self.value.is_nan() => self.value = value,
            How::Most if first || self.value < value || self.value.is_nan() => self.value = value,
            How::Average if first => self.mean = value,
            How::Average if stays_infinite(self.mean, value) => {}
            // Each divided by itself, so that no sum grows too large.
            How::Average => self.mean += value / self.count - self.mean / self.count,
            How::Deviation | How::Variance if first => self.mean = value,
            How::Deviation | How::Variance => {
                let off = value - self.mean;
                self.mean += off / self.count;
                self.value += off * (value - self.mean);
            }
            _ => {}
        }
    }

    fn result(self, how: &How) -> f64 {
        match how {
            How::Average => self.mean,
            How::Count => self.count,
            How::Group => 1.0,
            How::Variance => self.value / self.count,
            How::Deviation => (self.value / self.count).sqrt(),
            _ => self.value,
        }
    }
}

/// Value by value, in the order of the series.
fn folded(how: &How, groups: Groups, lanes: &[Lane], grid: Grid) -> Vec<Lane> {
    let members = groups.members(lanes);
    let mut foldings = vec![Folding::default(); grid.steps];
    let mut out = Vec::with_capacity(members.len());
    for (labels, members) in groups.labels.into_iter().zip(members) {
        foldings.fill(Folding::default());
        for (_, lane) in members {
            for (folding, cell) in foldings.iter_mut().zip(&lane.cells) {
                if !is_absent(*cell) {
                    folding.add(how, *cell);
                }
            }
        }
        let mut lane = Lane::empty(labels, grid.steps);
        for (cell, folding) in lane.cells.iter_mut().zip(&foldings) {
            if folding.count > 0.0 {
                *cell = folding.result(how);
            }
        }
        out.push(lane);
    }
    out
}

fn quantiles(
    budget: &mut Budget,
    groups: Groups,
    lanes: &[Lane],
    with: &[f64],
) -> Result<Vec<Lane>> {
    budget.keep(groups.labels.len(), with.len())?;
    let members = groups.members(lanes);
    let mut out = Vec::with_capacity(members.len());
    for (labels, members) in groups.labels.into_iter().zip(members) {
        let mut lane = Lane::empty(labels, with.len());
        for (step, q) in with.iter().enumerate() {
            let values = members.iter().filter_map(|(_, lane)| lane.value(step));
            let values: Vec<f64> = values.collect();
            if !values.is_empty() {
                lane.set(step, quantile(*q, values));
            }
        }
        out.push(lane);
    }
    Ok(out)
}

/// How many series are wanted; `None`: none.
fn wanted(with: f64) -> Result<Option<usize>> {
    // The largest and smallest floats that Prometheus takes for whole numbers of 64 bits.
    let fits = (-9_223_372_036_854_775_808.0..=9_223_372_036_854_774_784.0).contains(&with);
    if !fits {
        let with = match with {
            with if with.is_nan() => "NaN".into(),
            with if with.is_infinite() && with > 0.0 => "+Inf".into(),
            with if with.is_infinite() => "-Inf".into(),
            with => exponent(with),
        };
        return evaluation(format!("Scalar value {with} overflows int64"));
    }
    Ok(Some(with as usize).filter(|most| *most > 0))
}

/// As Go writes a large float.
fn exponent(value: f64) -> String {
    let written = format!("{value:e}");
    match written.split_once('e') {
        Some((digits, power)) => format!("{digits}e+{power:0>2}"),
        None => written,
    }
}

/// The series themselves, as many of each group as are wanted: the largest, the smallest or, if
/// neither, the first.
fn ranked(
    budget: &mut Budget,
    groups: &Groups,
    lanes: &[Lane],
    (with, largest): (&[f64], Option<bool>),
) -> Result<Vec<Lane>> {
    let members = groups.members(lanes);
    let mut out = Gathered::default();
    for (step, with) in with.iter().enumerate() {
        let Some(most) = wanted(*with)? else {
            continue;
        };
        for members in &members {
            let values = members
                .iter()
                .filter_map(|(i, l)| Some((l.value(step)?, *i)));
            let chosen: Vec<(f64, usize)> = match largest {
                None => values.take(most).collect(),
                Some(largest) => {
                    let mut best = Best::new(largest, most);
                    values.for_each(|(value, from)| best.offer(value, from));
                    best.ranked()
                }
            };
            for (value, from) in chosen {
                let labels = lanes.get(from).map(|lane| &lane.labels);
                let before = out.len();
                let place =
                    labels.map(|l| out.place(l, lanes.get(from).map_or(0, |l| l.cells.len())));
                budget.keep(
                    out.len() - before,
                    lanes.get(from).map_or(0, |l| l.cells.len()),
                )?;
                out.put(place.unwrap_or_default(), step, value)?;
            }
        }
    }
    Ok(out.lanes())
}

/// A series for each value, which counts how many have it.
fn count_values(
    budget: &mut Budget,
    aggregate: &Aggregate,
    label: &str,
    (lanes, grid): (&[Lane], Grid),
) -> Result<Vec<Lane>> {
    if !is_name(label) {
        return evaluation(format!("invalid label name {}", quoted(label)));
    }
    let mut by = aggregate.by.clone();
    if !aggregate.without {
        by.push(label.to_owned());
    }
    let aggregate = |labels: &Labels| match aggregate.without {
        true => but(labels, &by),
        false => only(labels, &by),
    };
    let mut out = Gathered::default();
    let mut counts: HashMap<(usize, usize), f64> = HashMap::new();
    for step in 0..grid.steps {
        for lane in lanes {
            let Some(value) = lane.value(step) else {
                continue;
            };
            budget.visit(lane.labels.len())?;
            let labels = aggregate(&with(&lane.labels, label, &number(value)));
            let before = out.len();
            let place = out.place(&labels, grid.steps);
            budget.keep(out.len() - before, grid.steps)?;
            budget.series(out.len())?;
            *counts.entry((place, step)).or_default() += 1.0;
        }
    }
    for ((place, step), count) in counts {
        out.put(place, step, count)?;
    }
    Ok(out.lanes())
}

/// All its digits, no exponent.
fn number(value: f64) -> String {
    match value.is_infinite() {
        true if value > 0.0 => "+Inf".into(),
        true => "-Inf".into(),
        false => format!("{value}"),
    }
}

//! Operators between two vectors: series that belong together by their labels.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::budget::Budget;
use super::error::{Result, evaluation, quoted};
use super::grid::{Gathered, Grid, Lane, merged};
use super::labels::{but, nameless, only, with};
use super::plan::{Binary, Matching, Side};
use super::value::Op;
use crate::model::label::Labels;

type Sides = (Vec<Lane>, Vec<Lane>);

pub(super) fn evaluate(
    budget: &mut Budget,
    both: &Binary,
    (left, right): Sides,
    grid: Grid,
) -> Result<Vec<Lane>> {
    budget.visit((left.len() + right.len()) * (grid.steps + 1))?;
    let mut groups = Groups::default();
    let left_groups = groups.of(&left, &both.matching);
    let right_groups = groups.of(&right, &both.matching);
    if both.op.is_set() {
        let groups = (left_groups, right_groups, groups.found.len());
        return set(both.op, (left, right), groups, grid);
    }
    // From here on the many stand left, and the one right.
    let swapped = both.matching.side == Side::ManyRight;
    let ((many, many_groups), (one, one_groups)) = match swapped {
        true => ((right, right_groups), (left, left_groups)),
        false => ((left, left_groups), (right, right_groups)),
    };
    let mut join = Join {
        both,
        swapped,
        many: &many,
        one: &one,
        one_at: vec![None; groups.found.len()],
        matched: vec![false; groups.found.len()],
        places: HashMap::new(),
        put_by: HashMap::new(),
        out: Gathered::default(),
        steps: grid.steps,
    };
    for step in 0..grid.steps {
        join.step(budget, step, (&many_groups, &one_groups))?;
    }
    merged(join.out.lanes())
}

/// Numbers for the label sets that series are matched by.
#[derive(Default)]
struct Groups {
    found: HashMap<Labels, usize>,
}

impl Groups {
    fn of(&mut self, lanes: &[Lane], matching: &Matching) -> Vec<usize> {
        let mut group = |lane: &Lane| {
            let next = self.found.len();
            *self
                .found
                .entry(key(&lane.labels, matching))
                .or_insert(next)
        };
        lanes.iter().map(&mut group).collect()
    }
}

fn key(labels: &Labels, matching: &Matching) -> Labels {
    match matching.on {
        true => only(labels, &matching.labels),
        false => but(labels, &matching.labels),
    }
}

/// One series of the many with one series of the one.
struct Join<'a> {
    both: &'a Binary,
    /// The one is the left operand.
    swapped: bool,
    many: &'a [Lane],
    one: &'a [Lane],
    /// Which series of the one has a value in each group, at this step.
    one_at: Vec<Option<usize>>,
    /// Groups that found their match, at this step.
    matched: Vec<bool>,
    /// Where the series that comes of such a pair is kept.
    places: HashMap<(usize, usize), usize>,
    /// Which group put the newest value there.
    put_by: HashMap<usize, usize>,
    out: Gathered,
    steps: usize,
}

impl Join<'_> {
    fn step(
        &mut self,
        budget: &mut Budget,
        step: usize,
        (many_groups, one_groups): (&[usize], &[usize]),
    ) -> Result<()> {
        let any = |lanes: &[Lane]| lanes.iter().any(|lane| lane.value(step).is_some());
        if !any(self.many) || !any(self.one) {
            return Ok(());
        }
        self.one_at.fill(None);
        self.matched.fill(false);
        for (index, (lane, group)) in self.one.iter().zip(one_groups).enumerate() {
            if lane.value(step).is_none() {
                continue;
            }
            let former = self.one_at.get_mut(*group);
            if let Some(former) = former.and_then(|place| place.replace(index)) {
                return self.twice(former, index);
            }
        }
        for (index, (lane, group)) in self.many.iter().zip(many_groups).enumerate() {
            let (Some(value), Some(Some(one))) = (lane.value(step), self.one_at.get(*group)) else {
                continue;
            };
            let one = *one;
            let other = self.one.get(one).and_then(|lane| lane.value(step));
            let Some(result) = other.and_then(|other| self.result(value, other)) else {
                continue;
            };
            if self.both.matching.side == Side::OneToOne
                && let Some(matched) = self.matched.get_mut(*group)
                && std::mem::replace(matched, true)
            {
                return evaluation(
                    "multiple matches for labels: many-to-one matching must be explicit \
                     (group_left/group_right)",
                );
            }
            let place = self.place(budget, index, one)?;
            self.put(place, (step, *group), result)?;
        }
        Ok(())
    }

    fn put(&mut self, place: usize, (step, group): (usize, usize), value: f64) -> Result<()> {
        let put = self.out.put(place, step, value);
        let former = self.put_by.insert(place, group);
        match self.both.matching.side {
            Side::OneToOne => put,
            _ if former != Some(group) => put,
            _ => put.or_else(|_| {
                evaluation(
                    "multiple matches for labels: grouping labels must ensure unique matches",
                )
            }),
        }
    }

    /// `None`: a comparison that takes the value away.
    fn result(&self, many: f64, one: f64) -> Option<f64> {
        let (left, right) = match self.swapped {
            true => (one, many),
            false => (many, one),
        };
        let op = self.both.op;
        match op.compare(left, right) {
            None => Some(op.apply(left, right)),
            Some(holds) if self.both.bool => Some(f64::from(u8::from(holds))),
            Some(holds) => holds.then_some(left),
        }
    }

    fn place(&mut self, budget: &mut Budget, many: usize, one: usize) -> Result<usize> {
        let entry = match self.places.entry((many, one)) {
            Entry::Occupied(found) => return Ok(*found.get()),
            Entry::Vacant(entry) => entry,
        };
        let labels = |lanes: &[Lane], at: usize| lanes.get(at).map(|l| l.labels.clone());
        let many = labels(self.many, many).unwrap_or_default();
        let one = labels(self.one, one).unwrap_or_default();
        let before = self.out.len();
        let place = self.out.place(&joined(self.both, &many, &one), self.steps);
        if self.out.len() > before {
            budget.keep(1, self.steps)?;
            budget.series(self.out.len())?;
        }
        Ok(*entry.insert(place))
    }

    fn twice(&self, former: usize, index: usize) -> Result<()> {
        let labels = |at: usize| self.one.get(at).map(|l| l.labels.clone());
        let (former, new) = (labels(former), labels(index));
        let (former, new) = (former.unwrap_or_default(), new.unwrap_or_default());
        let side = if self.swapped { "left" } else { "right" };
        let group = written(&key(&new, &self.both.matching));
        evaluation(format!(
            "found duplicate series for the match group {group} on the {side} hand-side of the \
             operation: [{}, {}];many-to-many matching not allowed: matching labels must be unique \
             on one side",
            written(&new),
            written(&former)
        ))
    }
}

/// The labels of what comes of two series.
fn joined(both: &Binary, many: &Labels, one: &Labels) -> Labels {
    let matching = &both.matching;
    let mut labels = match both.op.drops_name() {
        true => nameless(many),
        false => many.clone(),
    };
    if matching.side == Side::OneToOne {
        labels = match matching.on {
            true => only(&labels, &matching.labels),
            false => {
                let names: Vec<&str> = matching.labels.iter().map(String::as_str).collect();
                labels.without(&names)
            }
        };
    }
    for name in &matching.include {
        labels = with(&labels, name, one.get(name).unwrap_or_default());
    }
    match both.bool {
        true => nameless(&labels),
        false => labels,
    }
}

fn written(labels: &Labels) -> String {
    let pairs = labels.iter().map(|(n, v)| format!("{n}={}", quoted(v)));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}

/// `and`, `or`, `unless`.
fn set(
    op: Op,
    (mut left, mut right): Sides,
    (left_groups, right_groups, count): (Vec<usize>, Vec<usize>, usize),
    grid: Grid,
) -> Result<Vec<Lane>> {
    let mut there = vec![false; count];
    for step in 0..grid.steps {
        there.fill(false);
        let (seen, seen_groups) = match op {
            Op::Or => (&left, &left_groups),
            _ => (&right, &right_groups),
        };
        for (lane, group) in seen.iter().zip(seen_groups) {
            if lane.value(step).is_some()
                && let Some(there) = there.get_mut(*group)
            {
                *there = true;
            }
        }
        let (cut, cut_groups) = match op {
            Op::Or => (&mut right, &right_groups),
            _ => (&mut left, &left_groups),
        };
        for (lane, group) in cut.iter_mut().zip(cut_groups) {
            if there.get(*group).copied().unwrap_or_default() != (op == Op::And) {
                lane.set(step, super::grid::ABSENT);
            }
        }
    }
    if op == Op::Or {
        left.extend(right);
    }
    merged(left)
}

//! Values of series at the steps of a query.

use std::collections::HashMap;

use super::error::{Result, evaluation};
use super::storage::STALE_BITS;
use crate::model::label::Labels;

/// A step at which a series has no value. No sample reads like this once staleness markers are
/// taken out, and no arithmetic makes it: what it gives for a NaN is a quiet one.
pub(super) const ABSENT: f64 = f64::from_bits(STALE_BITS);

pub(super) fn is_absent(cell: f64) -> bool {
    cell.to_bits() == STALE_BITS
}

/// The times at which an expression is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    pub start_ms: i64,
    pub step_ms: i64,
    pub steps: usize,
}

impl Grid {
    pub fn at(&self, step: usize) -> i64 {
        self.start_ms + self.step_ms * step as i64
    }

    pub fn last(&self) -> i64 {
        self.at(self.steps.saturating_sub(1))
    }

    pub fn times(&self) -> impl Iterator<Item = i64> + use<> {
        let grid = *self;
        (0..grid.steps).map(move |step| grid.at(step))
    }

    /// Its first step alone.
    pub fn first(&self) -> Self {
        Self { steps: 1, ..*self }
    }

    pub fn is_instant(&self) -> bool {
        self.steps == 1
    }
}

/// One series of a vector: a cell for each step, [`ABSENT`] where it has no value.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    pub labels: Labels,
    pub cells: Vec<f64>,
}

impl Lane {
    pub fn empty(labels: Labels, steps: usize) -> Self {
        Self {
            labels,
            cells: vec![ABSENT; steps],
        }
    }

    pub fn cell(&self, step: usize) -> f64 {
        self.cells.get(step).copied().unwrap_or(ABSENT)
    }

    /// The value at this step, if there is one.
    pub fn value(&self, step: usize) -> Option<f64> {
        Some(self.cell(step)).filter(|cell| !is_absent(*cell))
    }

    pub fn set(&mut self, step: usize, value: f64) {
        if let Some(cell) = self.cells.get_mut(step) {
            *cell = value;
        }
    }

    pub fn has_values(&self) -> bool {
        self.cells.iter().any(|cell| !is_absent(*cell))
    }

    /// The same function of each value; `None` takes the value away.
    pub fn each(&mut self, mut f: impl FnMut(usize, f64) -> Option<f64>) {
        for (step, cell) in self.cells.iter_mut().enumerate() {
            if !is_absent(*cell) {
                *cell = f(step, *cell).unwrap_or(ABSENT);
            }
        }
    }
}

const SAME: &str = "vector cannot contain metrics with the same labelset";

/// Series without a value go, and those that came to have the same labels become one, if never two
/// of them have a value at one time.
pub(super) fn merged(mut lanes: Vec<Lane>) -> Result<Vec<Lane>> {
    lanes.retain(Lane::has_values);
    let mut places: HashMap<Labels, usize> = HashMap::with_capacity(lanes.len());
    let mut out: Vec<Lane> = Vec::with_capacity(lanes.len());
    for lane in lanes {
        let Some(kept) = places.get(&lane.labels).and_then(|at| out.get_mut(*at)) else {
            places.insert(lane.labels.clone(), out.len());
            out.push(lane);
            continue;
        };
        for (old, new) in kept.cells.iter_mut().zip(lane.cells) {
            match (is_absent(*old), is_absent(new)) {
                (_, true) => {}
                (true, false) => *old = new,
                (false, false) => return evaluation(SAME),
            }
        }
    }
    Ok(out)
}

/// Series without a value go; no two may have the same labels at all.
pub(super) fn distinct(mut lanes: Vec<Lane>) -> Result<Vec<Lane>> {
    lanes.retain(Lane::has_values);
    let mut seen = std::collections::HashSet::with_capacity(lanes.len());
    match lanes.iter().all(|lane| seen.insert(&lane.labels)) {
        true => Ok(lanes),
        false => evaluation(SAME),
    }
}

/// Series put together step by step, in the order in which they first have a value.
#[derive(Default)]
pub(super) struct Gathered {
    lanes: Vec<Lane>,
    places: HashMap<Labels, usize>,
}

impl Gathered {
    /// The place of the series with these labels, made when it is new.
    pub fn place(&mut self, labels: &Labels, steps: usize) -> usize {
        if let Some(at) = self.places.get(labels) {
            return *at;
        }
        let at = self.lanes.len();
        self.lanes.push(Lane::empty(labels.clone(), steps));
        self.places.insert(labels.clone(), at);
        at
    }

    /// Puts a value there; two at one time are an error.
    pub fn put(&mut self, place: usize, step: usize, value: f64) -> Result<()> {
        let cell = self.lanes.get_mut(place);
        match cell.and_then(|lane| lane.cells.get_mut(step)) {
            Some(cell) if is_absent(*cell) => *cell = value,
            _ => return evaluation(SAME),
        }
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.lanes.len()
    }

    pub fn lanes(self) -> Vec<Lane> {
        self.lanes
    }
}

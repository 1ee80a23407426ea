//! The largest and the smallest: `topk`, `bottomk`, `sort`.

use std::cmp::Ordering;

use super::buckets::ascending;
use super::grid::{Grid, Lane};

/// Whether the first comes before the second on the heap; a NaN comes before all.
fn before(largest: bool, a: f64, b: f64) -> bool {
    a.is_nan() || if largest { a < b } else { a > b }
}

/// The best `most` values with where they came from. Which of equal values are kept depends on how
/// a heap is built: this one is built like that of Go's library.
pub(super) struct Best {
    largest: bool,
    most: usize,
    heap: Vec<(f64, usize)>,
}

impl Best {
    /// `most` is at least one.
    pub fn new(largest: bool, most: usize) -> Self {
        Self {
            largest,
            most,
            heap: Vec::new(),
        }
    }

    pub fn offer(&mut self, value: f64, from: usize) {
        let worst = self.heap.first().map(|(worst, _)| *worst);
        let full = self.heap.len() >= self.most;
        let better =
            worst.is_none_or(|worst| worst.is_nan() || before_strictly(self.largest, worst, value));
        if full && !better {
            return;
        }
        if full && self.most == 1 {
            self.heap = vec![(value, from)];
            return;
        }
        if full {
            self.pop();
        }
        self.heap.push((value, from));
        self.up(self.heap.len() - 1);
    }

    fn less(&self, a: usize, b: usize) -> bool {
        match (self.heap.get(a), self.heap.get(b)) {
            (Some(a), Some(b)) => before(self.largest, a.0, b.0),
            _ => false,
        }
    }

    fn up(&mut self, mut at: usize) {
        while at > 0 {
            let parent = (at - 1) / 2;
            if !self.less(at, parent) {
                break;
            }
            self.heap.swap(at, parent);
            at = parent;
        }
    }

    fn pop(&mut self) {
        let Some(last) = self.heap.len().checked_sub(1) else {
            return;
        };
        self.heap.swap(0, last);
        let mut at = 0;
        loop {
            let left = 2 * at + 1;
            if left >= last {
                break;
            }
            let right = left + 1;
            let child = match right < last && self.less(right, left) {
                true => right,
                false => left,
            };
            if !self.less(child, at) {
                break;
            }
            self.heap.swap(at, child);
            at = child;
        }
        self.heap.truncate(last);
    }

    /// The best first, NaN last.
    pub fn ranked(mut self) -> Vec<(f64, usize)> {
        let largest = self.largest;
        self.heap.sort_by(|a, b| ranked(!largest, &a.0, &b.0));
        self.heap
    }
}

fn before_strictly(largest: bool, a: f64, b: f64) -> bool {
    if largest { a < b } else { a > b }
}

/// In this direction, NaN last in both.
fn ranked(up: bool, a: &f64, b: &f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) if up => ascending(a, b),
        (false, false) => ascending(b, a),
    }
}

/// `sort` and `sort_desc`: the order of a range query is that of its labels, so it is kept there.
pub(super) fn sorted(mut lanes: Vec<Lane>, up: bool, grid: Grid) -> Vec<Lane> {
    if grid.is_instant() {
        lanes.sort_by(|a, b| ranked(up, &a.cell(0), &b.cell(0)));
    }
    lanes
}

//! Evaluates a tree at all steps of a grid at once: a scalar is a number for each step, a vector a
//! lane of cells for each series.

use super::aggregate;
use super::binary;
use super::budget::Budget;
use super::error::{Result, evaluation};
use super::grid::{Grid, Lane, distinct};
use super::labels::nameless;
use super::matching;
use super::plan::{Binary, Kind, Node};
use super::storage::Storage;

pub(super) struct Evaluator<'a> {
    pub storage: &'a dyn Storage,
    pub budget: Budget<'a>,
    /// A value counts for so long, milliseconds.
    pub lookback_ms: i64,
}

impl Evaluator<'_> {
    /// A number for each step.
    pub fn scalar(&mut self, node: &Node, grid: Grid) -> Result<Vec<f64>> {
        self.budget.keep(1, grid.steps)?;
        match node {
            Node::Number(number) => Ok(vec![*number; grid.steps]),
            Node::Once(node) => {
                let cells = self.scalar(node, grid.first())?;
                let first = cells.first().copied().unwrap_or(f64::NAN);
                Ok(vec![first; grid.steps])
            }
            Node::Negate(node) => {
                let cells = self.scalar(node, grid)?;
                Ok(cells.into_iter().map(|cell| -cell).collect())
            }
            Node::Binary(both) => {
                let left = self.scalar(&both.left, grid)?;
                let right = self.scalar(&both.right, grid)?;
                let pairs = left.into_iter().zip(right);
                Ok(pairs.map(|(l, r)| both.op.apply(l, r)).collect())
            }
            Node::Call(call) => self.scalar_call(call, grid),
            _ => evaluation("expected type scalar"),
        }
    }

    /// Series with values, no two with the same labels.
    pub fn vector(&mut self, node: &Node, grid: Grid) -> Result<Vec<Lane>> {
        let lanes = match node {
            Node::Vector(selector) => return self.select(selector, grid),
            Node::Once(node) => {
                let lanes = self.vector(node, grid.first())?;
                lanes.into_iter().map(|lane| spread(lane, grid)).collect()
            }
            Node::Negate(node) => {
                let mut lanes = self.vector(node, grid)?;
                for lane in &mut lanes {
                    lane.labels = nameless(&lane.labels);
                    lane.each(|_, value| Some(-value));
                }
                distinct(lanes)?
            }
            Node::Binary(both) => self.binary(both, grid)?,
            Node::Aggregate(aggregate) => aggregate::evaluate(self, aggregate, grid)?,
            Node::Call(call) => self.vector_call(call, grid)?,
            Node::Number(_) | Node::Text(_) | Node::Window(_) => {
                return evaluation("expected type instant vector");
            }
        };
        self.budget.keep(lanes.len(), grid.steps)?;
        Ok(lanes)
    }

    fn binary(&mut self, both: &Binary, grid: Grid) -> Result<Vec<Lane>> {
        match (both.left.kind(), both.right.kind()) {
            (Kind::Vector, Kind::Vector) => {
                let left = self.vector(&both.left, grid)?;
                let right = self.vector(&both.right, grid)?;
                matching::evaluate(&mut self.budget, both, (left, right), grid)
            }
            (Kind::Vector, _) => {
                let lanes = self.vector(&both.left, grid)?;
                let with = self.scalar(&both.right, grid)?;
                binary::with_scalar(both, lanes, &with, false)
            }
            _ => {
                let with = self.scalar(&both.left, grid)?;
                let lanes = self.vector(&both.right, grid)?;
                binary::with_scalar(both, lanes, &with, true)
            }
        }
    }
}

/// The value of the first step at all of them.
fn spread(lane: Lane, grid: Grid) -> Lane {
    Lane {
        cells: vec![lane.cell(0); grid.steps],
        labels: lane.labels,
    }
}

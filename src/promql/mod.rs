//! PromQL over what is held: a recording, the window of an edge site, the store.
//!
//! [`Query::answer`] reads a text (`parse`), turns it into a tree of ours (`plan`) and evaluates
//! that (`eval`) against a [`Storage`]. It is a function of these: no clock, no I/O, no threads;
//! what it may take is bounded by [`Limits`].
//!
//! Semantics are those of Prometheus 2.42, to the last bit of a float: the tests ask a real one the
//! same questions. What differs, and why:
//!
//! - Native histograms are left out. Functions of them give nothing, as for series without any.
//! - In a range query Prometheus hands the series that an operator gave to the next one in random
//!   order. Where that shows (the last bits of a float sum, which of equal values `topk` takes), its
//!   answers differ from one time to the next; ours take the order of the left side.
//! - `x[5m] @ t` stands still where Prometheus 2.42 lets it slide beside a scalar that changes, and
//!   in `predict_linear` (mended in a later version); `timestamp(x @ t offset 5m)` obeys its offset;
//!   `@` in the parameter of an aggregation counts.
//! - What the parser refuses is worded by it, not by Prometheus.
//! - Regexes are those of the `regex` crate, which knows a little more than Go's.
//! - Left out, and named when asked for: `limit_ratio`, `fill`, `info`, `sort_by_label` and other
//!   experimental functions of Prometheus 3.

mod aggregate;
mod binary;
mod buckets;
mod budget;
mod call;
mod date;
mod error;
mod eval;
mod grid;
mod kahan;
mod labels;
mod matching;
mod needs;
mod over;
mod parse;
mod plan;
mod rank;
mod rate;
mod select;
mod storage;
mod value;

pub use budget::Limits;
pub use error::PromqlError;
pub use needs::Need;
pub use storage::{Matcher, Memory, NAME, Rule, STALE_BITS, Series, Storage, is_stale};

use std::sync::Arc;

use budget::Budget;
use error::{Result, evaluation};
use eval::Evaluator;
use grid::{Grid, Lane};
use plan::{Kind, Node};

use crate::model::sample::Sample;
use crate::model::time::Timestamp;

/// Farthest from 1970 that a query may reach, milliseconds: 100,000 years.
const FARTHEST_MS: i64 = 100_000 * 366 * 86_400_000;

/// A question. Times are milliseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Query<'q> {
    pub text: &'q str,
    pub start_ms: i64,
    /// The same as the start where `step_ms` is 0.
    pub end_ms: i64,
    /// 0: at one time only, where the answer may be of any type.
    pub step_ms: i64,
    /// A value counts for so long; 5 minutes in Prometheus.
    pub lookback_ms: i64,
    /// Step of a subquery that names none; in Prometheus the interval of rules, 1 minute.
    pub subquery_step_ms: i64,
}

/// What a query gives.
#[derive(Clone, Debug)]
pub enum Value {
    Scalar(f64),
    Text(String),
    /// Series with one point each, at the time of the query, in the order of the evaluation.
    Vector(Vec<Series>),
    /// Series with points, of a range query in the order of their labels.
    Matrix(Vec<Series>),
}

impl<'q> Query<'q> {
    /// At one time.
    pub fn instant(text: &'q str, at_ms: i64) -> Self {
        Self::range(text, (at_ms, at_ms), 0)
    }

    /// At each step from a start to an end.
    pub fn range(text: &'q str, (start_ms, end_ms): (i64, i64), step_ms: i64) -> Self {
        Self {
            text,
            start_ms,
            end_ms,
            step_ms,
            lookback_ms: 300_000,
            subquery_step_ms: 60_000,
        }
    }

    /// What the series of `storage` say.
    ///
    /// # Errors
    /// [`PromqlError`]: the text is no query, the data give it no meaning, or it takes too much.
    pub fn answer(&self, storage: &dyn Storage, limits: Limits) -> Result<Value> {
        let budget = Budget::new(limits);
        let grid = self.grid(&budget)?;
        let node = parse::parse(self)?;
        let mut evaluator = Evaluator {
            storage,
            budget,
            lookback_ms: self.lookback_ms,
        };
        match self.step_ms {
            0 => instant(&mut evaluator, &node, grid),
            _ => range(&mut evaluator, &node, grid).map(Value::Matrix),
        }
    }

    /// Which points [`Query::answer`] can see.
    ///
    /// # Errors
    /// [`PromqlError`]: the text is no query, or it has too many steps.
    pub fn needs(&self, limits: Limits) -> Result<Vec<Need>> {
        let grid = self.grid(&Budget::new(limits))?;
        let node = parse::parse(self)?;
        let steps = (grid.start_ms, grid.last());
        Ok(needs::of(&node, steps, self.lookback_ms))
    }

    fn grid(&self, budget: &Budget) -> Result<Grid> {
        let times = [self.start_ms, self.end_ms, self.step_ms];
        let counts = [self.lookback_ms, self.subquery_step_ms];
        let far = |ms: &i64| !(-FARTHEST_MS..=FARTHEST_MS).contains(ms);
        if times.iter().chain(&counts).any(far) {
            return evaluation("a time of the query is out of range");
        }
        if self.end_ms < self.start_ms {
            return evaluation("end timestamp must not be before start time");
        }
        if self.step_ms < 0 {
            return evaluation(
                "zero or negative query resolution step widths are not accepted. Try a positive \
                 integer",
            );
        }
        let step_ms = self.step_ms.max(1);
        let last = match self.step_ms {
            0 => 0,
            step => (self.end_ms - self.start_ms) / step,
        };
        Ok(Grid {
            start_ms: self.start_ms,
            step_ms,
            steps: budget.steps(last + 1)?,
        })
    }
}

fn instant(evaluator: &mut Evaluator, node: &Node, grid: Grid) -> Result<Value> {
    Ok(match (node.kind(), node) {
        (_, Node::Text(text)) => Value::Text(text.clone()),
        (_, Node::Window(window)) => Value::Matrix(evaluator.window(window, grid)?),
        (Kind::Scalar, _) => {
            let cells = evaluator.scalar(node, grid)?;
            Value::Scalar(cells.first().copied().unwrap_or(f64::NAN))
        }
        _ => {
            let lanes = evaluator.vector(node, grid)?;
            Value::Vector(lanes.into_iter().map(|l| series(l, grid)).collect())
        }
    })
}

fn range(evaluator: &mut Evaluator, node: &Node, grid: Grid) -> Result<Vec<Series>> {
    let lanes = match node.kind() {
        Kind::Vector => evaluator.vector(node, grid)?,
        Kind::Scalar => vec![Lane {
            labels: Default::default(),
            cells: evaluator.scalar(node, grid)?,
        }],
        kind @ (Kind::Window | Kind::Text) => {
            let kind = match kind {
                Kind::Window => "range vector",
                _ => "string",
            };
            return evaluation(format!(
                "invalid expression type \"{kind}\" for range query, must be Scalar or instant \
                 Vector"
            ));
        }
    };
    let mut all: Vec<Series> = lanes.into_iter().map(|l| series(l, grid)).collect();
    all.retain(|s| !s.points.is_empty());
    all.sort_by(|a, b| a.labels.cmp(&b.labels));
    Ok(all)
}

fn series(lane: Lane, grid: Grid) -> Series {
    let cells = grid.times().zip(&lane.cells);
    let present = cells.filter(|(_, cell)| !grid::is_absent(**cell));
    let points: Arc<[Sample]> = present
        .map(|(at, value)| Sample {
            at: Timestamp(at),
            value: *value,
        })
        .collect();
    Series {
        labels: lane.labels,
        points,
    }
}

#[cfg(test)]
mod tests;

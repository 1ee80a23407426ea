//! Selectors, windows and subqueries: from the points of a storage to the steps of a grid.

use std::sync::Arc;

use super::error::Result;
use super::eval::Evaluator;
use super::grid::{Grid, Lane};
use super::over::Span;
use super::plan::{Of, Selector, When, Window, Windowed};
use super::storage::{Series, is_stale};
use crate::model::sample::Sample;
use crate::model::time::Timestamp;

impl Evaluator<'_> {
    /// The newest value of each series at each step, if it is not too old and the series goes on.
    pub fn select(&mut self, selector: &Selector, grid: Grid) -> Result<Vec<Lane>> {
        self.select_as(selector, grid, |point| point.value)
    }

    /// The same with something else of the newest point than its value.
    pub fn select_as(
        &mut self,
        selector: &Selector,
        grid: Grid,
        tell: fn(&Sample) -> f64,
    ) -> Result<Vec<Lane>> {
        let lookback_ms = self.lookback_ms;
        let found = self.found(selector, grid, lookback_ms)?;
        let mut lanes = Vec::new();
        for series in found {
            self.budget.keep(1, grid.steps)?;
            let mut lane = Lane::empty(series.labels, grid.steps);
            let mut cursor = Cursor::new(&series.points);
            for (step, at_ms) in grid.times().enumerate() {
                let at_ms = selector.when.of(at_ms);
                let newest = cursor.up_to(at_ms).last();
                let fresh = |p: &&Sample| p.at.0 >= at_ms - lookback_ms && !is_stale(p.value);
                if let Some(point) = newest.filter(fresh) {
                    lane.set(step, tell(point));
                }
            }
            self.budget.visit(grid.steps + cursor.end)?;
            if lane.has_values() {
                lanes.push(lane);
                self.budget.series(lanes.len())?;
            }
        }
        Ok(lanes)
    }

    /// The series of a selector with the points that any step can see, in the order of their labels.
    fn found(&mut self, selector: &Selector, grid: Grid, back_ms: i64) -> Result<Vec<Series>> {
        self.budget.visit(1)?;
        let start_ms = selector.when.of(grid.start_ms) - back_ms;
        let end_ms = selector.when.of(grid.last());
        let mut found = self.storage.select(&selector.matchers, start_ms, end_ms);
        self.budget.series(found.len())?;
        found.sort_by(|a, b| a.labels.cmp(&b.labels));
        for series in &mut found {
            let after = series.points.partition_point(|p| p.at.0 < start_ms);
            // Where most of it was not asked for, it is left behind.
            if after > series.points.len() / 2
                && let Some(points) = series.points.get(after..)
            {
                series.points = Arc::from(points);
            }
        }
        Ok(found)
    }

    /// All points in the window at the first step: the answer to a query that is a window.
    pub fn window(&mut self, window: &Window, grid: Grid) -> Result<Vec<Series>> {
        let (series, when) = self.points(window, grid)?;
        let end_ms = when.of(grid.start_ms);
        let cut = |series: Series| {
            let mut cursor = Cursor::new(&series.points);
            let points = cursor.between(end_ms - window.range_ms, end_ms);
            let kept: Vec<Sample> = points.to_vec();
            (!kept.is_empty()).then(|| Series {
                labels: series.labels,
                points: kept.into(),
            })
        };
        Ok(series.into_iter().filter_map(cut).collect())
    }

    /// A function of what each series has in the window, at each step.
    pub fn over(
        &mut self,
        window: &Window,
        grid: Grid,
        (function, with): (Windowed, &[Vec<f64>]),
    ) -> Result<Vec<Lane>> {
        let (series, when) = self.points(window, grid)?;
        let mut lanes = Vec::with_capacity(series.len());
        for series in series {
            self.budget.keep(1, grid.steps)?;
            let mut lane = Lane::empty(series.labels, grid.steps);
            let mut cursor = Cursor::new(&series.points);
            for (step, at_ms) in grid.times().enumerate() {
                let end_ms = when.of(at_ms);
                let start_ms = end_ms - window.range_ms;
                let points = cursor.between(start_ms, end_ms);
                self.budget.visit(points.len() + 1)?;
                if points.is_empty() {
                    continue;
                }
                let scalar = |index: usize| with.get(index).and_then(|cells| cells.get(step));
                let span = Span {
                    points,
                    start_ms,
                    end_ms,
                    at_ms,
                    with: [0, 1].map(|index| scalar(index).copied().unwrap_or(f64::NAN)),
                };
                if let Some(value) = (function.over)(&span)? {
                    lane.set(step, value);
                }
            }
            lanes.push(lane);
        }
        Ok(lanes)
    }

    /// What a window is over, without staleness markers, and when it is looked at.
    fn points(&mut self, window: &Window, grid: Grid) -> Result<(Vec<Series>, When)> {
        match &window.of {
            Of::Series(selector) => {
                let found = self.found(selector, grid, window.range_ms)?;
                let unstale = |series| self.unstale(series);
                let series: Result<Vec<Series>> = found.into_iter().map(unstale).collect();
                Ok((series?, selector.when))
            }
            Of::Subquery {
                node,
                step_ms,
                when,
            } => {
                let first = when.of(grid.start_ms) - window.range_ms;
                let start_ms = first.div_euclid(*step_ms) * step_ms;
                let start_ms = start_ms + if start_ms < first { *step_ms } else { 0 };
                let end_ms = when.of(grid.last());
                let last = (end_ms - start_ms).div_euclid(*step_ms);
                let inner = Grid {
                    start_ms,
                    step_ms: *step_ms,
                    steps: self.budget.steps(last + 1)?,
                };
                if inner.steps == 0 {
                    return Ok((Vec::new(), *when));
                }
                let lanes = self.vector(node, inner)?;
                Ok((
                    lanes.into_iter().map(|l| pointed(l, inner)).collect(),
                    *when,
                ))
            }
        }
    }

    fn unstale(&mut self, series: Series) -> Result<Series> {
        self.budget.visit(series.points.len())?;
        if !series.points.iter().any(|p| is_stale(p.value)) {
            return Ok(series);
        }
        let points = series.points.iter().filter(|p| !is_stale(p.value));
        Ok(Series {
            points: points.copied().collect(),
            labels: series.labels,
        })
    }
}

/// A lane as a series.
fn pointed(lane: Lane, grid: Grid) -> Series {
    super::series(lane, grid)
}

/// Where windows that only move forward begin and end among the points.
struct Cursor<'p> {
    points: &'p [Sample],
    start: usize,
    end: usize,
}

impl<'p> Cursor<'p> {
    fn new(points: &'p [Sample]) -> Self {
        Self {
            points,
            start: 0,
            end: 0,
        }
    }

    /// All points until then.
    fn up_to(&mut self, end_ms: i64) -> &'p [Sample] {
        while let Some(point) = self.points.get(self.end)
            && point.at <= Timestamp(end_ms)
        {
            self.end += 1;
        }
        self.points.get(..self.end).unwrap_or_default()
    }

    /// Both times belong to it.
    fn between(&mut self, start_ms: i64, end_ms: i64) -> &'p [Sample] {
        self.up_to(end_ms);
        while let Some(point) = self.points.get(self.start)
            && point.at < Timestamp(start_ms)
        {
            self.start += 1;
        }
        self.points.get(self.start..self.end).unwrap_or_default()
    }
}

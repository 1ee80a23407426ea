//! Calls of functions.

use super::buckets;
use super::date::{Date, whole};
use super::error::{Result, evaluation};
use super::eval::Evaluator;
use super::grid::{Grid, Lane, distinct, is_absent, merged};
use super::labels::{Join, Replace, asked_for, nameless};
use super::over::Span;
use super::plan::{Call, Function, Node, Of, Windowed};
use super::rank;
use super::value::{larger, rounded, smaller};
use crate::model::label::Labels;

impl Evaluator<'_> {
    /// A function that gives a number.
    pub fn scalar_call(&mut self, call: &Call, grid: Grid) -> Result<Vec<f64>> {
        match (&call.function, call.args.as_slice()) {
            (Function::Time, _) => Ok(grid.times().map(seconds).collect()),
            (Function::Pi, _) => Ok(vec![std::f64::consts::PI; grid.steps]),
            (Function::Scalar, [node]) => {
                let lanes = self.vector(node, grid)?;
                self.budget.visit(lanes.len() * grid.steps)?;
                let only = |step| {
                    let mut values = lanes.iter().filter_map(|lane| lane.value(step));
                    let first = values.next().filter(|_| values.next().is_none());
                    first.unwrap_or(f64::NAN)
                };
                Ok((0..grid.steps).map(only).collect())
            }
            _ => evaluation("expected type scalar"),
        }
    }

    /// A function that gives series.
    pub fn vector_call(&mut self, call: &Call, grid: Grid) -> Result<Vec<Lane>> {
        match (&call.function, call.args.as_slice()) {
            (Function::Each(each), [node]) => {
                let each = *each;
                self.each(node, grid, |_, value| each(value))
            }
            (Function::Over(windowed), args) => self.windowed(*windowed, args, grid),
            (Function::AbsentOverTime, [node]) => self.absent_over_time(node, grid),
            (Function::Absent, [node]) => {
                let lanes = self.vector(node, grid)?;
                let labels = match node {
                    Node::Vector(selector) => asked_for(&selector.matchers),
                    _ => Labels::default(),
                };
                self.budget.visit(lanes.len() * grid.steps)?;
                Ok(where_none(labels, &lanes, grid))
            }
            (Function::Clamp, [node, least, most]) => self.clamp(node, (least, most), grid),
            (Function::ClampMin, [node, least]) => {
                let least = self.scalar(least, grid)?;
                self.each(node, grid, |step, value| larger(at(&least, step), value))
            }
            (Function::ClampMax, [node, most]) => {
                let most = self.scalar(most, grid)?;
                self.each(node, grid, |step, value| smaller(at(&most, step), value))
            }
            (Function::Round, [node]) => self.each(node, grid, |_, value| rounded(value, 1.0)),
            (Function::Round, [node, to]) => {
                let to = self.scalar(to, grid)?;
                self.each(node, grid, |step, value| rounded(value, at(&to, step)))
            }
            (Function::Date(date), args) => self.date(*date, args, grid),
            (Function::HistogramQuantile, [q, node]) => {
                let q = self.scalar(q, grid)?;
                let lanes = self.vector(node, grid)?;
                self.budget.visit(lanes.len() * grid.steps)?;
                buckets::histogram_quantile(&q, lanes, grid)
            }
            (Function::NativeHistogram, args) => {
                for arg in args {
                    if arg.kind() == super::plan::Kind::Vector {
                        self.vector(arg, grid)?;
                    }
                }
                Ok(Vec::new())
            }
            (Function::Vector, [node]) => Ok(vec![Lane {
                labels: Labels::default(),
                cells: self.scalar(node, grid)?,
            }]),
            (Function::Timestamp, [node]) => self.timestamp(node, grid),
            (Function::Sort(ascending), [node]) => {
                let lanes = self.vector(node, grid)?;
                Ok(rank::sorted(lanes, *ascending, grid))
            }
            (Function::LabelReplace | Function::LabelJoin, args) => {
                self.relabelled(call, args, grid)
            }
            _ => evaluation("wrong number of arguments"),
        }
    }

    /// A function of each value by itself. What it gives is no longer what the metric measures.
    fn each(
        &mut self,
        node: &Node,
        grid: Grid,
        f: impl Fn(usize, f64) -> f64,
    ) -> Result<Vec<Lane>> {
        let mut lanes = self.vector(node, grid)?;
        self.budget.visit(lanes.len() * grid.steps)?;
        for lane in &mut lanes {
            lane.labels = nameless(&lane.labels);
            lane.each(|step, value| Some(f(step, value)));
        }
        merged(lanes)
    }

    fn clamp(&mut self, node: &Node, ends: (&Node, &Node), grid: Grid) -> Result<Vec<Lane>> {
        let mut lanes = self.vector(node, grid)?;
        let least = self.scalar(ends.0, grid)?;
        let most = self.scalar(ends.1, grid)?;
        for lane in &mut lanes {
            lane.labels = nameless(&lane.labels);
            lane.each(|step, value| {
                let (least, most) = (at(&least, step), at(&most, step));
                let apart = most < least;
                (!apart).then(|| larger(least, smaller(most, value)))
            });
        }
        merged(lanes)
    }

    fn date(&mut self, date: Date, args: &[Node], grid: Grid) -> Result<Vec<Lane>> {
        match args {
            [node, ..] => self.each(node, grid, |_, value| date(whole(value))),
            [] => Ok(vec![Lane {
                labels: Labels::default(),
                cells: grid.times().map(|ms| date(ms / 1000)).collect(),
            }]),
        }
    }

    /// Of a selector it is when its points were taken, else when they were evaluated.
    fn timestamp(&mut self, node: &Node, grid: Grid) -> Result<Vec<Lane>> {
        let selector = match node {
            Node::Vector(selector) => Some(selector),
            Node::Once(inner) => match inner.as_ref() {
                Node::Vector(selector) => Some(selector),
                _ => None,
            },
            _ => None,
        };
        let Some(selector) = selector else {
            return self.each(node, grid, |step, _| seconds(grid.at(step)));
        };
        let mut lanes = self.select_as(selector, grid, |point| seconds(point.at.0))?;
        for lane in &mut lanes {
            lane.labels = nameless(&lane.labels);
        }
        merged(lanes)
    }

    fn windowed(&mut self, windowed: Windowed, args: &[Node], grid: Grid) -> Result<Vec<Lane>> {
        let mut window = None;
        let mut with = Vec::new();
        for arg in args {
            match arg {
                Node::Window(found) => window = Some(found),
                scalar => with.push(self.scalar(scalar, grid)?),
            }
        }
        let Some(window) = window else {
            return evaluation("expected type range vector");
        };
        let mut lanes = self.over(window, grid, (windowed, &with))?;
        if !windowed.keeps_name {
            for lane in &mut lanes {
                lane.labels = nameless(&lane.labels);
            }
        }
        distinct(lanes)
    }

    fn absent_over_time(&mut self, node: &Node, grid: Grid) -> Result<Vec<Lane>> {
        let Node::Window(window) = node else {
            return evaluation("expected type range vector");
        };
        let labels = match &window.of {
            Of::Series(selector) => asked_for(&selector.matchers),
            Of::Subquery { .. } => Labels::default(),
        };
        let present = Windowed {
            over: |_: &Span| Ok(Some(1.0)),
            keeps_name: true,
            tells_time: false,
        };
        let lanes = self.over(window, grid, (present, &[]))?;
        Ok(where_none(labels, &lanes, grid))
    }

    fn relabelled(&mut self, call: &Call, args: &[Node], grid: Grid) -> Result<Vec<Lane>> {
        let [node, texts @ ..] = args else {
            return evaluation("wrong number of arguments");
        };
        let texts: Option<Vec<&str>> = texts.iter().map(text).collect();
        let Some(texts) = texts else {
            return evaluation("expected type string");
        };
        let mut lanes = self.vector(node, grid)?;
        match (&call.function, texts.as_slice()) {
            (Function::LabelReplace, [target, to, source, regex]) => {
                let replace = Replace::new([target, to, source, regex])?;
                for lane in &mut lanes {
                    self.budget.visit(1)?;
                    lane.labels = replace.of(&lane.labels);
                }
            }
            (Function::LabelJoin, [target, between, sources @ ..]) => {
                let join = Join::new(target, between, sources.to_vec())?;
                for lane in &mut lanes {
                    self.budget.visit(1)?;
                    lane.labels = join.of(&lane.labels);
                }
            }
            _ => return evaluation("wrong number of arguments"),
        }
        merged(lanes)
    }
}

fn text(node: &Node) -> Option<&str> {
    match node {
        Node::Text(text) => Some(text),
        _ => None,
    }
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

fn at(cells: &[f64], step: usize) -> f64 {
    cells.get(step).copied().unwrap_or(f64::NAN)
}

/// 1 where no series has a value.
fn where_none(labels: Labels, lanes: &[Lane], grid: Grid) -> Vec<Lane> {
    let mut out = Lane::empty(labels, grid.steps);
    for (step, cell) in out.cells.iter_mut().enumerate() {
        if lanes.iter().all(|lane| is_absent(lane.cell(step))) {
            *cell = 1.0;
        }
    }
    match out.has_values() {
        true => vec![out],
        false => Vec::new(),
    }
}

//! A chart of series with its legend, as any screen can show it: series and events go in, cells
//! come out. What is asked, and of whom, is in [`asked`]; how it looks in [`plot`] and the forms.

use std::sync::Arc;

use crate::model::combine::Combined;
use crate::model::id::ClusterId;
use crate::model::sample::{Sample, SampleKind, SeriesKey};
use crate::model::time::Timestamp;
use crate::model::unit::{Unit, age};
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{STALE_MS, name};

pub mod asked;
pub mod curl;
pub mod events;
pub mod exemplars;
pub mod heat;
pub mod keep;
pub mod label;
pub mod legend;
pub mod picture;
pub mod plot;
pub mod series;
pub mod stat;
pub mod status;
pub mod unit;

pub use plot::{Form, Panel};
pub use series::Series;

/// Curves drawn at most: more cannot be told apart.
pub const MOST: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShownId {
    /// `None`: of several clusters together.
    pub cluster: Option<ClusterId>,
    pub key: SeriesKey,
}

/// One series of a picture, with what is told of it.
#[derive(Clone, Debug)]
pub struct Shown {
    pub id: ShownId,
    /// As they came.
    pub kind: SampleKind,
    pub points: Arc<Vec<Sample>>,
    pub unit: Unit,
    pub limits: Vec<f64>,
    /// Expected distance of two points, milliseconds; 0: unknown.
    pub interval_ms: u32,
    pub figures: Figures,
    /// Clusters in it, and steps at which fewer of them had a value; of combined series only.
    pub combined: Option<(usize, usize)>,
}

/// What a legend tells of the points in view.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    pub last: Option<Sample>,
    /// Least, greatest and mean of what is finite.
    pub range: Option<(f64, f64, f64)>,
    /// How far it went from the first to the last finite value.
    pub change: f64,
    /// Points that are no number, and those that are infinite.
    pub nan: usize,
    pub infinite: usize,
}

impl Figures {
    pub fn of(points: &[Sample]) -> Self {
        let mut figures = Self {
            last: points.last().copied(),
            change: -1.0,
            ..Self::default()
        };
        let (mut count, mut sum) = (0.0, 0.0);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut ends: Option<(f64, f64)> = None;
        for value in points.iter().map(|p| p.value) {
            if !value.is_finite() {
                figures.nan += usize::from(value.is_nan());
                figures.infinite += usize::from(value.is_infinite());
                continue;
            }
            count += 1.0;
            sum += value;
            (low, high) = (low.min(value), high.max(value));
            ends = Some((ends.map_or(value, |e| e.0), value));
        }
        if let Some((first, last)) = ends {
            figures.range = Some((low, high, sum / count));
            figures.change = (last - first).abs();
        }
        figures
    }
}

impl Shown {
    pub fn new(id: ShownId, kind: SampleKind, points: Vec<Sample>, unit: Unit) -> Self {
        Self {
            figures: Figures::of(&points),
            id,
            kind,
            points: Arc::new(points),
            unit,
            limits: Vec::new(),
            interval_ms: 0,
            combined: None,
        }
    }

    pub fn of_combined(combined: Combined, unit: Unit, interval_ms: u32) -> Self {
        let id = ShownId {
            cluster: None,
            key: combined.key,
        };
        Self {
            interval_ms,
            combined: Some((combined.clusters, combined.short)),
            ..Self::new(id, SampleKind::Gauge, combined.points, unit)
        }
    }

    /// Two points farther apart are not joined.
    pub fn gap_ms(&self) -> i64 {
        i64::from(self.interval_ms) * 3
    }

    /// The last value; with its age where newer ones were to come: `42 12m~`.
    pub fn last_told(&self, ctx: &Ctx<'_>) -> String {
        let Some(last) = self.figures.last else {
            return "-".to_owned();
        };
        let value = self.unit.write(last.value);
        let old = ctx.world.age_ms(last.at);
        let usual = u64::try_from(self.gap_ms()).unwrap_or(0).max(STALE_MS);
        // A window of the past is as old as it is.
        match old > usual && ctx.window.end.is_none() {
            true => format!("{value} {}~", age(old)),
            false => value,
        }
    }

    /// The value that counts at this time: the newest before it that is not too old.
    pub fn at(&self, at: Timestamp) -> Option<Sample> {
        let end = self.points.partition_point(|p| p.at <= at);
        let point = end.checked_sub(1).and_then(|i| self.points.get(i))?;
        let reach = self.gap_ms().max(1);
        (at.0 - point.at.0 <= reach).then_some(*point)
    }
}

/// Greatest change first where there are too many to be drawn; in doubt in the order of names, so
/// that colours do not jump.
pub fn by_change(shown: &mut [Shown]) {
    if shown.len() > MOST {
        shown.sort_by(|a, b| {
            b.figures
                .change
                .total_cmp(&a.figures.change)
                .then_with(|| a.id.cmp(&b.id))
        });
    }
}

/// What is drawn, in words; for the agent.
pub fn brief(world: &World, shown: &[Shown], title: &str) -> String {
    let mut out = format!("{title}: {} series", shown.len());
    for series in shown.iter().take(MOST) {
        let write = |v: Option<f64>| v.map_or("-".to_owned(), |v| series.unit.write(v));
        let cluster = series.id.cluster.map(|c| name(world, c));
        let range = series.figures.range;
        out.push_str(&format!(
            "\n{} {}: last {} min {} max {} mean {}",
            cluster.unwrap_or("all clusters"),
            series.id.key,
            write(series.figures.last.map(|p| p.value)),
            write(range.map(|r| r.0)),
            write(range.map(|r| r.1)),
            write(range.map(|r| r.2)),
        ));
    }
    out
}

#[cfg(test)]
mod tests;

//! Histograms over time as a heat map: a row a bucket, a column a slot of time, shaded by how many
//! observations fell there.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Shown, unit};
use crate::model::label::Labels;
use crate::model::sample::{Sample, SampleKind};
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::ui::view::common::drawable;
use crate::ui::widget::chart::usual_gap;
use crate::ui::widget::text::{fit_right, put};
use crate::ui::widget::timeline::Axis;

/// Label of the upper bound of a bucket.
const LE: &str = "le";
/// Little to much; a known nothing is a dot.
const SHADES: [char; 5] = ['·', '░', '▒', '▓', '█'];

/// What a cell tells: the buckets of Prometheus hold those below them too.
pub const COUNTS: &str = "a row counts what lies between its bound and the one below";

/// Counts of each bucket in each slot.
#[derive(Clone, Debug, PartialEq)]
pub struct Heat {
    /// Upper bounds, ascending; the last one may be infinite.
    pub bounds: Vec<f64>,
    /// Row a bucket, in the order of the bounds; `None`: nothing is known of that slot.
    pub cells: Vec<Vec<Option<f64>>>,
    pub most: f64,
}

/// The upper bound, if it is a bucket.
pub fn bound(shown: &Shown) -> Option<f64> {
    let bound = shown.id.key.labels.get(LE)?.parse::<f64>().ok()?;
    (!bound.is_nan()).then_some(bound)
}

impl Heat {
    /// `None`: these are no buckets.
    pub fn of(shown: &[&Shown], axis: &Axis) -> Option<Self> {
        let bounds: Option<Vec<f64>> = shown.iter().map(|s| bound(s)).collect();
        let mut bounds = bounds.filter(|b| !b.is_empty())?;
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        let mut cells = vec![vec![None; axis.slots]; bounds.len()];
        // Buckets hold those below them, of each histogram by itself.
        let mut histograms: BTreeMap<(_, Labels), BTreeMap<usize, &Shown>> = BTreeMap::new();
        for one in shown {
            let at = bound(one).and_then(|b| bounds.iter().position(|k| *k == b))?;
            let whose = (one.id.cluster, one.id.key.labels.without(&[LE]));
            histograms.entry(whose).or_default().insert(at, one);
        }
        for buckets in histograms.values() {
            add(buckets, axis, &mut cells);
        }
        let all = cells.iter().flatten().flatten().copied();
        Some(Self {
            most: all.fold(0.0, f64::max),
            bounds,
            cells,
        })
    }
}

/// What each bucket holds that the one below it does not.
fn add(buckets: &BTreeMap<usize, &Shown>, axis: &Axis, cells: &mut [Vec<Option<f64>>]) {
    let mut below: Vec<Option<f64>> = vec![Some(0.0); axis.slots];
    for (at, shown) in buckets {
        let here = slots(shown, axis);
        let Some(row) = cells.get_mut(*at) else {
            continue;
        };
        for (slot, cell) in row.iter_mut().enumerate() {
            let held = here.get(slot).copied().flatten();
            let under = below.get(slot).copied().flatten();
            if let (Some(held), Some(under)) = (held, under) {
                // Buckets of one scrape may be torn apart by a hair.
                *cell = Some(cell.unwrap_or(0.0) + (held - under).max(0.0));
            }
        }
        below = here;
    }
}

/// Counts a second where they only grow, else as they are; mean of what falls into a slot, held
/// over the slots between two points.
fn slots(shown: &Shown, axis: &Axis) -> Vec<Option<f64>> {
    let counter = shown.kind == SampleKind::Counter;
    let points: Vec<Sample> = match counter {
        true => drawable(shown.points.iter().copied(), SampleKind::Counter),
        false => shown.points.to_vec(),
    };
    let step = match i64::from(shown.interval_ms) {
        0 => usual_gap(&points) / 3,
        step => step,
    };
    let mut sums: Vec<(f64, u32)> = vec![(0.0, 0); axis.slots];
    for point in points.iter().filter(|p| p.value.is_finite()) {
        let first = axis.slot_beyond(point.at);
        let last = axis.slot_beyond(point.at.plus_ms(step.saturating_sub(1).max(0)));
        for slot in first.max(0)..=last {
            match usize::try_from(slot).ok().and_then(|s| sums.get_mut(s)) {
                Some((sum, count)) => {
                    *sum += point.value;
                    *count += 1;
                }
                None => break,
            }
        }
    }
    let mean = |(sum, count): (f64, u32)| (count > 0).then(|| sum / f64::from(count));
    sums.into_iter().map(mean).collect()
}

/// How a heat map is drawn.
pub struct Picture<'a> {
    pub heat: &'a Heat,
    pub unit: Unit,
    pub axis: Style,
    pub heat_style: Style,
    pub ascii: bool,
    pub gutter: u16,
}

impl Picture<'_> {
    /// Rows of the plot only; the time axis belongs to the caller.
    pub fn draw(&self, plot: Rect, buf: &mut Buffer) {
        let rows = usize::from(plot.height);
        let buckets = self.heat.bounds.len();
        if rows == 0 || buckets == 0 {
            return;
        }
        let mut labelled = None;
        for row in 0..rows {
            let y = plot.bottom() - 1 - u16::try_from(row).unwrap_or(0);
            // As many rows as buckets, or some rows hold several, or some buckets take several.
            let first = row * buckets / rows;
            let end = ((row + 1) * buckets / rows).max(first + 1);
            let top = end - 1;
            if labelled != Some(top) {
                labelled = Some(top);
                self.label(top, (plot, y), buf);
            }
            for column in 0..usize::from(plot.width) {
                let cells = self.heat.cells.get(first..end).unwrap_or_default();
                let held = cells
                    .iter()
                    .filter_map(|c| c.get(column).copied().flatten());
                let most = held.fold(None, |m: Option<f64>, v| Some(m.map_or(v, |m| m.max(v))));
                let x = plot.x + u16::try_from(column).unwrap_or(0);
                if let (Some(value), Some(cell)) = (most, buf.cell_mut((x, y))) {
                    cell.set_char(self.shade(value)).set_style(self.heat_style);
                }
            }
        }
    }

    /// `≤ 250 ms` before the row that holds this bucket.
    fn label(&self, bucket: usize, (plot, y): (Rect, u16), buf: &mut Buffer) {
        let Some(bound) = self.heat.bounds.get(bucket) else {
            return;
        };
        let text = fit_right(&self.unit.write(*bound), usize::from(self.gutter));
        let x = plot.x.saturating_sub(self.gutter + 2);
        let area = Rect {
            x,
            width: self.gutter + 2,
            ..plot
        };
        put(buf, area, x, y, &format!("{text} ┤"), self.axis);
    }

    /// Nought by itself; the others by the root of their share, so that few are seen beside many.
    fn shade(&self, value: f64) -> char {
        const PLAIN: [char; 5] = ['.', ':', '+', '*', '#'];
        let shades = if self.ascii { PLAIN } else { SHADES };
        let share = match self.heat.most > 0.0 {
            true => (value / self.heat.most).clamp(0.0, 1.0).sqrt(),
            false => 0.0,
        };
        let at = match value > 0.0 {
            true => ((share * 4.0).ceil() as usize).clamp(1, 4),
            false => 0,
        };
        shades.get(at).copied().unwrap_or('#')
    }
}

/// The unit of the bounds: that of the metric, whatever was made of its buckets.
pub fn bounds_unit(world: &World, query: &str) -> Unit {
    unit::of_observations(world, query)
}

/// Where in a plot of so many rows a value lies: the row of its bucket, from the top.
pub fn row_of(heat: &Heat, value: f64, rows: u16) -> Option<u16> {
    let bucket = heat.bounds.iter().position(|b| value <= *b)?;
    let (rows_all, buckets) = (usize::from(rows), heat.bounds.len());
    let row = (0..rows_all)
        .find(|row| ((row + 1) * buckets / rows_all).max(row * buckets / rows_all + 1) > bucket)?;
    rows.checked_sub(u16::try_from(row).ok()? + 1)
}

/// The slot of a column each.
pub fn axis(window: (Timestamp, Timestamp), columns: u16) -> Axis {
    Axis::new(window.0, window.1, usize::from(columns))
}

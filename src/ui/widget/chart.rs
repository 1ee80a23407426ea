//! Line chart in braille (or ASCII) over a snapped time axis.
//!
//! The picture changes only when the data change or a whole dot of time has passed. Gaps stay
//! gaps; NaN and infinities are not drawn.

use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::text::{fit_right, put, width};
use super::timeline::Axis;
use crate::model::sample::Sample;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;

mod band;
mod raster;
mod scale;
mod stack;

pub use band::Band;
use band::USUAL;
use raster::Raster;
pub use raster::SYMBOLS;
pub use scale::Scale;
use stack::Stack;

pub struct Curve<'a> {
    pub points: &'a [Sample],
    pub style: Style,
    /// Two points farther apart than this are not joined; 0: judged from the points.
    pub gap_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    Anomaly,
    Change,
    Alert,
    /// A sample of what was counted, with the id of its trace.
    Exemplar,
    /// A message of the bus.
    Message,
}

impl MarkKind {
    pub fn glyph(self) -> &'static str {
        match self {
            Self::Anomaly => "◆",
            Self::Change => "▼",
            Self::Alert => "!",
            Self::Exemplar => "⇡",
            Self::Message => "·",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Mark {
    pub at: Timestamp,
    pub kind: MarkKind,
    pub style: Style,
}

/// What the operator points at, and how the plot is laid out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Over {
    /// The time cursor.
    pub cursor: Option<(Timestamp, Style)>,
    /// What is selected, from and to.
    pub selection: Option<(Timestamp, Timestamp, Style)>,
    /// Columns of the value axis; `None`: as its labels need. Charts above one another share it.
    pub gutter: Option<u16>,
    /// The curves lie on one another, filled.
    pub stacked: bool,
}

pub struct Chart<'a> {
    pub curves: &'a [Curve<'a>],
    pub band: Option<Band<'a>>,
    pub unit: Unit,
    pub from: Timestamp,
    pub to: Timestamp,
    /// Horizontal lines: limits and thresholds.
    pub limits: &'a [(f64, Style)],
    pub marks: &'a [Mark],
    pub zone: &'a TimeZone,
    pub axis: Style,
    pub ascii: bool,
    pub over: Over,
}

/// Where time runs from left to right in an area, with a value axis of this width.
pub fn plot_in(area: Rect, gutter: u16) -> Rect {
    Rect {
        x: area.x.saturating_add(gutter + 2).min(area.right()),
        width: area.width.saturating_sub(gutter + 2),
        height: plot_rows(area.height),
        ..area
    }
}

/// Two rows belong to the time axis where there is room for it.
fn plot_rows(height: u16) -> u16 {
    if height >= 5 { height - 2 } else { height }
}

/// Where the caller should read points from so that the first dot is whole.
pub fn read_from(from: Timestamp, to: Timestamp) -> Timestamp {
    from.plus_ms(-(to.0.saturating_sub(from.0) / 8))
}

impl Chart<'_> {
    pub fn draw(&self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.width < 8 || area.height < 2 {
            return;
        }
        let rows = plot_rows(area.height);
        // The scale looks at what the axis shows, so both are found with the widest plot first.
        let widest = self.time_axis(area.width);
        let stack = self.over.stacked.then(|| Stack::of(self.curves, &widest));
        let Some(scale) = self.scale(&widest, usize::from(rows), stack.as_ref()) else {
            put(
                buf,
                area,
                area.x + 2,
                area.y + rows / 2,
                "no data in the window",
                self.axis,
            );
            let gutter = self.over.gutter.map_or(0, |g| (g + 2).min(area.width / 2));
            self.draw_time(area, gutter, rows, buf);
            return;
        };
        let gutter = self.draw_values(area, &scale, rows, buf);
        let plot = plot_in(area, gutter);
        if let Some(band) = &self.band {
            band.draw((self.from, self.to), plot, &scale, buf);
        }
        self.draw_limits(plot, &scale, buf);
        match stack {
            Some(_) => self.draw_stack(plot, &scale, buf),
            None => self.draw_curves(plot, &scale, buf),
        }
        self.draw_pointed(plot, buf);
        self.draw_time(area, gutter + 2, rows, buf);
        if self.ascii {
            super::text::fold_ascii(area, buf);
        }
    }

    /// The value axis; gives its width.
    fn draw_values(&self, area: Rect, scale: &Scale, rows: u16, buf: &mut Buffer) -> u16 {
        let ticks = scale.ticks();
        let widest = ticks.iter().map(|t| width(&self.unit.write(*t))).max();
        let widest = u16::try_from(widest.unwrap_or(0).max(5)).unwrap_or(u16::MAX);
        let gutter = self.over.gutter.unwrap_or(widest).min(area.width / 2);
        for tick in ticks {
            let y = area.y + scale.row(tick, rows);
            let text = fit_right(&self.unit.write(tick), usize::from(gutter));
            put(buf, area, area.x, y, &format!("{text} ┤"), self.axis);
        }
        gutter
    }

    /// The cursor and what is selected, over the curves.
    fn draw_pointed(&self, plot: Rect, buf: &mut Buffer) {
        draw_pointed(&self.over, (self.from, self.to), plot, buf);
    }

    fn per_column(&self) -> u16 {
        if self.ascii { 1 } else { 2 }
    }

    fn time_axis(&self, columns: u16) -> Axis {
        Axis::new(self.from, self.to, usize::from(columns * self.per_column()))
    }

    fn scale(&self, axis: &Axis, rows: usize, stack: Option<&Stack>) -> Option<Scale> {
        let mut low = f64::INFINITY;
        let mut high = f64::NEG_INFINITY;
        if let Some(stack) = stack {
            (low, high) = stack.bounds()?;
        }
        let alone = stack.is_none();
        for point in self.curves.iter().filter(|_| alone).flat_map(|c| c.points) {
            if point.value.is_finite() && axis.slot(point.at).is_some() {
                low = low.min(point.value);
                high = high.max(point.value);
            }
        }
        if low > high {
            return None;
        }
        // A limit near the curve belongs into the picture, one far away would flatten it.
        let reach = (high - low).max(high.abs() * 0.2);
        let (least, most) = (low - reach, high + reach);
        let steps = self.band.map_or(&[][..], |b| b.steps).iter();
        let edges = steps.flat_map(|s| [s.low, s.high]);
        for edge in self.limits.iter().map(|(limit, _)| *limit).chain(edges) {
            if (least..=most).contains(&edge) {
                low = low.min(edge);
                high = high.max(edge);
            }
        }
        Some(Scale::around(low, high, self.unit, rows))
    }

    fn draw_limits(&self, plot: Rect, scale: &Scale, buf: &mut Buffer) {
        for (limit, style) in self.limits {
            if limit.is_finite() && scale.holds(*limit) {
                let y = plot.y + scale.row(*limit, plot.height);
                for x in plot.left()..plot.right() {
                    put(buf, plot, x, y, "╌", *style);
                }
            }
        }
    }

    fn draw_curves(&self, plot: Rect, scale: &Scale, buf: &mut Buffer) {
        let axis = self.time_axis(plot.width);
        let mut raster = Raster::new(plot.width, plot.height, self.ascii);
        for (index, curve) in self.curves.iter().enumerate() {
            let gap = if curve.gap_ms > 0 {
                curve.gap_ms
            } else {
                usual_gap(curve.points)
            };
            let mut before: Option<(i64, i64, Timestamp)> = None;
            for point in curve.points {
                if !point.value.is_finite() {
                    before = None;
                    continue;
                }
                let x = axis.slot_beyond(point.at);
                let y = raster.dot_row(scale.share(point.value));
                match before {
                    Some((bx, by, at)) if point.at.0 - at.0 <= gap => {
                        raster.line((bx, by), (x, y), index);
                    }
                    _ => raster.dot(x, y, index),
                }
                before = Some((x, y, point.at));
            }
        }
        self.paint(&raster, plot, buf);
    }

    fn draw_stack(&self, plot: Rect, scale: &Scale, buf: &mut Buffer) {
        let stack = Stack::of(self.curves, &self.time_axis(plot.width));
        let mut raster = Raster::new(plot.width, plot.height, self.ascii);
        stack.layers(|slot, index, base, top| {
            let (base, top) = (
                raster.dot_row(scale.share(base)),
                raster.dot_row(scale.share(top)),
            );
            let x = i64::try_from(slot).unwrap_or(i64::MAX);
            for y in base.min(top)..=base.max(top) {
                raster.dot(x, y, index);
            }
        });
        self.paint(&raster, plot, buf);
    }

    fn paint(&self, raster: &Raster, plot: Rect, buf: &mut Buffer) {
        raster.paint(plot, buf, |index| {
            self.curves.get(index).map(|c| c.style).unwrap_or_default()
        });
    }

    /// The axis with its ticks, marks and labels, in the two rows under the plot.
    fn draw_time(&self, area: Rect, gutter: u16, rows: u16, buf: &mut Buffer) {
        if rows >= area.height || area.width <= gutter {
            return;
        }
        let line = Rect::new(area.x + gutter, area.y + rows, area.width - gutter, 1);
        let axis = self.time_axis(line.width);
        let per = self.per_column();
        put(
            buf,
            line,
            line.x,
            line.y,
            &"─".repeat(usize::from(line.width)),
            self.axis,
        );
        let column = |slot: usize| line.x + u16::try_from(slot).unwrap_or(u16::MAX) / per;
        for (slot, _) in axis.labels(self.zone, 12 * usize::from(per)) {
            put(buf, line, column(slot), line.y, "┴", self.axis);
        }
        for mark in self.marks {
            if let Some(slot) = axis.slot(mark.at) {
                put(
                    buf,
                    line,
                    column(slot),
                    line.y,
                    mark.kind.glyph(),
                    mark.style,
                );
            }
        }
        let labels = Rect {
            y: line.y + 1,
            ..line
        };
        axis.draw_labels(self.zone, labels, buf, self.axis);
    }
}

/// The time axis of this chart under what the caller drew in its plot.
pub fn draw_time_axis(chart: &Chart<'_>, area: Rect, buf: &mut Buffer) {
    let gutter = chart.over.gutter.unwrap_or(0).min(area.width / 2);
    chart.draw_time(area, gutter + 2, plot_rows(area.height), buf);
    if chart.ascii {
        super::text::fold_ascii(area, buf);
    }
}

/// The cursor as a line where no curve is, and what is selected as another ground.
pub fn draw_pointed(over: &Over, (from, to): (Timestamp, Timestamp), plot: Rect, buf: &mut Buffer) {
    let plot = plot.intersection(buf.area);
    if plot.is_empty() {
        return;
    }
    let axis = Axis::new(from, to, usize::from(plot.width));
    let column = |slot: usize| plot.x + u16::try_from(slot).unwrap_or(u16::MAX);
    if let Some((start, end, style)) = over.selection {
        let last = i64::from(plot.width) - 1;
        let (a, b) = (axis.slot_beyond(start), axis.slot_beyond(end));
        if b >= 0 && a <= last {
            let a = u16::try_from(a.clamp(0, last)).unwrap_or(0);
            let b = u16::try_from(b.clamp(0, last)).unwrap_or(0);
            let area = Rect {
                x: plot.x + a,
                width: b - a + 1,
                ..plot
            };
            buf.set_style(area, style);
        }
    }
    if let Some((at, style)) = over.cursor
        && let Some(slot) = axis.slot(at)
    {
        for y in plot.top()..plot.bottom() {
            if let Some(cell) = buf.cell_mut((column(slot), y))
                && [" ", USUAL].contains(&cell.symbol())
            {
                cell.set_symbol("│").set_style(style);
            }
        }
    }
}

/// Three times the usual distance of two points.
pub fn usual_gap(points: &[Sample]) -> i64 {
    let mut steps: Vec<i64> = points
        .iter()
        .zip(points.iter().skip(1))
        .map(|(a, b)| b.at.0 - a.at.0)
        .filter(|d| *d > 0)
        .collect();
    steps.sort_unstable();
    steps
        .get(steps.len() / 2)
        .map_or(i64::MAX, |d| d.saturating_mul(3))
}

#[cfg(test)]
mod tests;

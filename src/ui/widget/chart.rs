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

mod raster;
mod scale;

use raster::Raster;
pub use raster::SYMBOLS;
pub use scale::Scale;

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
}

impl MarkKind {
    pub fn glyph(self) -> &'static str {
        match self {
            Self::Anomaly => "◆",
            Self::Change => "▼",
            Self::Alert => "!",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Mark {
    pub at: Timestamp,
    pub kind: MarkKind,
    pub style: Style,
}

pub struct Chart<'a> {
    pub curves: &'a [Curve<'a>],
    pub unit: Unit,
    pub from: Timestamp,
    pub to: Timestamp,
    /// Horizontal lines: limits and thresholds.
    pub limits: &'a [(f64, Style)],
    pub marks: &'a [Mark],
    pub zone: &'a TimeZone,
    pub axis: Style,
    pub ascii: bool,
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
        let rows = if area.height >= 5 {
            area.height - 2
        } else {
            area.height
        };
        // The scale looks at what the axis shows, so both are found with the widest plot first.
        let widest = self.time_axis(area.width);
        let Some(scale) = self.scale(&widest, usize::from(rows)) else {
            put(
                buf,
                area,
                area.x + 2,
                area.y + rows / 2,
                "no data in the window",
                self.axis,
            );
            self.draw_time(area, 0, rows, buf);
            return;
        };
        let ticks = scale.ticks();
        let gutter = ticks
            .iter()
            .map(|t| width(&self.unit.write(*t)))
            .max()
            .unwrap_or(0)
            .max(5);
        let gutter = u16::try_from(gutter)
            .unwrap_or(u16::MAX)
            .min(area.width / 2);
        for tick in ticks {
            let y = area.y + scale.row(tick, rows);
            let text = fit_right(&self.unit.write(tick), usize::from(gutter));
            put(buf, area, area.x, y, &format!("{text} ┤"), self.axis);
        }
        let plot = Rect::new(
            area.x + gutter + 2,
            area.y,
            area.width.saturating_sub(gutter + 2),
            rows,
        );
        self.draw_limits(plot, &scale, buf);
        self.draw_curves(plot, &scale, buf);
        self.draw_time(area, gutter + 2, rows, buf);
        if self.ascii {
            super::text::fold_ascii(area, buf);
        }
    }

    fn per_column(&self) -> u16 {
        if self.ascii { 1 } else { 2 }
    }

    fn time_axis(&self, columns: u16) -> Axis {
        Axis::new(self.from, self.to, usize::from(columns * self.per_column()))
    }

    fn scale(&self, axis: &Axis, rows: usize) -> Option<Scale> {
        let mut low = f64::INFINITY;
        let mut high = f64::NEG_INFINITY;
        for point in self.curves.iter().flat_map(|c| c.points) {
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
        for (limit, _) in self.limits {
            if limit.is_finite() && *limit <= high + reach && *limit >= low - reach {
                low = low.min(*limit);
                high = high.max(*limit);
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

/// Three times the usual distance of two points.
fn usual_gap(points: &[Sample]) -> i64 {
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

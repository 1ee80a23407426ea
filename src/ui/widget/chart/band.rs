//! What is usual, as an area behind the curves.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Scale;
use crate::model::time::Timestamp;
use crate::model::usual::Step;
use crate::ui::widget::text::put;
use crate::ui::widget::timeline::Axis;

/// Glyph of the area.
pub(super) const USUAL: &str = "░";

/// Each step lasts until the next.
#[derive(Clone, Copy, Debug)]
pub struct Band<'a> {
    pub steps: &'a [Step],
    pub style: Style,
}

impl Band<'_> {
    fn at(&self, at: Timestamp) -> Option<(f64, f64)> {
        let after = self.steps.partition_point(|s| s.at <= at);
        let step = self.steps.get(after.checked_sub(1)?)?;
        Some((step.low, step.high))
    }

    pub(super) fn draw(
        &self,
        (from, to): (Timestamp, Timestamp),
        plot: Rect,
        scale: &Scale,
        buf: &mut Buffer,
    ) {
        let axis = Axis::new(from, to, usize::from(plot.width));
        let (first, _) = axis.range();
        for (slot, x) in (0..).zip(plot.left()..plot.right()) {
            // The end of the column: a step within it counts.
            let Some((low, high)) = self.at(first.plus_ms((slot + 1) * axis.slot_ms - 1)) else {
                continue;
            };
            if high < scale.low || low > scale.high {
                continue;
            }
            let rows = scale.row(high, plot.height)..=scale.row(low, plot.height);
            for row in rows {
                put(buf, plot, x, plot.y + row, USUAL, self.style);
            }
        }
    }
}

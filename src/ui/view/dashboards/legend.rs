//! What the series of a panel are called, and their last values below the picture.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::panel::State;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::panel::keep::names;
use crate::ui::panel::{MOST, Shown};
use crate::ui::view::common::{lines, name, series_style};
use crate::ui::widget::text::{cut, width};

impl State {
    /// Names with their last values, as many as fit.
    pub(super) fn draw_legend(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let names = self.names(ctx.world, MOST);
        let columns = usize::from(area.width);
        let mut rows: Vec<Line<'_>> = vec![Line::default()];
        let mut used = 0;
        for (number, (one, name)) in self.shown().iter().zip(&names).enumerate() {
            let value = match ctx.cursor.at.map(|at| one.at(at)) {
                Some(Some(point)) => one.unit.write(point.value),
                Some(None) => "-".to_owned(),
                None => one.last_told(ctx),
            };
            let text = cut(&format!("{name} {value}"), columns.saturating_sub(4));
            let needs = width(&text) + 4;
            if used + needs > columns && used > 0 {
                rows.push(Line::default());
                used = 0;
            }
            used += needs;
            if let Some(row) = rows.last_mut() {
                row.push_span(Span::styled("■ ", series_style(ctx.theme, number)));
                row.push_span(Span::styled(format!("{text}  "), ctx.theme.muted));
            }
        }
        lines(ctx, area, buf, &rows, 0);
    }

    /// What the first `most` series are called: as their legend says, else by the labels that
    /// differ.
    pub(super) fn names(&self, world: &World, most: usize) -> Vec<String> {
        let series = self.shown();
        let legends = self.asked.iter().any(|(q, _)| !q.legend.is_empty());
        if !legends {
            return names(world, series, series.iter().take(most));
        }
        let first = series.first().and_then(|s| s.id.cluster);
        let several = series.iter().any(|s| s.id.cluster != first);
        let named = |shown: &Shown| match shown.id.cluster.filter(|_| several) {
            Some(cluster) => format!("{} {}", name(world, cluster), shown.id.key.name),
            None => shown.id.key.name.to_string(),
        };
        series.iter().take(most).map(named).collect()
    }
}

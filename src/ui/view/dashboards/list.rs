//! The list of dashboards, and why some of the operator's cannot be read.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{Dashboards, LIST, empty, pane};
use crate::model::dashboard::{Dashboard, Origin};
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{above, lines};
use crate::ui::widget::text::wrap;

/// Room for the mistakes below the table.
fn rows_of_faults(world: &World, area: Rect) -> u16 {
    let faults = u16::try_from(world.dashboard_faults.len()).unwrap_or(u16::MAX);
    match faults {
        0 => 0,
        n => n.saturating_mul(2).saturating_add(2).min(area.height / 2),
    }
}

pub fn table(area: Rect, world: &World) -> Rect {
    above(area, rows_of_faults(world, area)).0
}

impl Dashboards {
    pub(super) fn draw_list(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let (upper, lower) = above(area, rows_of_faults(ctx.world, area));
        let rows = self.rows(ctx.world);
        let title = format!("dashboards {}", rows.len());
        let inner = pane(ctx, upper, buf, &title, "Enter opens", true);
        if rows.is_empty() {
            let why = format!("no dashboard matches \"{}\"", self.list.filter_text());
            empty(ctx, inner, buf, &why);
        }
        self.list.draw(
            ctx,
            inner,
            buf,
            (&LIST, &rows),
            |d| Arc::clone(&d.name),
            |row, column| cell(ctx, row, column),
        );
        if lower.height > 0 {
            let inner = pane(ctx, lower, buf, "cannot be read", "", false);
            let columns = usize::from(inner.width);
            let faults = ctx.world.dashboard_faults.iter();
            let told: Vec<Line<'_>> = faults
                .flat_map(|fault| wrap(fault, columns))
                .map(|part| Line::styled(part, ctx.theme.crit))
                .collect();
            lines(ctx, inner, buf, &told, 0);
        }
    }
}

fn cell<'a>(ctx: &Ctx<'a>, row: &'a Dashboard, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    match column {
        0 => Line::styled(row.name.as_ref(), theme.base),
        1 => Line::styled(row.panels.len().to_string(), theme.base),
        2 => match &row.origin {
            Origin::BuiltIn => Line::styled("built in", theme.muted),
            Origin::File(file) => Line::styled(file.as_str(), theme.base),
        },
        _ => Line::styled(row.about.as_str(), theme.muted),
    }
}

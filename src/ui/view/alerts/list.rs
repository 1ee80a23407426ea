//! The list of the alerts, and the detail beside it.

use std::cmp::Reverse;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::group::{self, Row};
use super::{Alerts, day, detail, silences, tellers};
use crate::model::alert::{AlertState, Severity};
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{above, ago, empty, name, pane, scoped};
use crate::ui::widget::badge;
use crate::ui::widget::table::Column;
use crate::ui::widget::text::wrap;

/// Lines below the list.
const NOTES: usize = 3;
/// Servers that are named in them at most.
const MOST_NOTES: usize = 30;

const COLUMNS: [Column; 8] = [
    Column::new("S", 1, 1),
    Column::new("ALERT", 19, 34),
    Column::new("CLUSTER", 11, 16),
    Column::new("STATE", 8, 10).priority(2),
    Column::new("SINCE", 5, 6),
    Column::new("24 H", day::CELLS as u16, day::CELLS as u16).priority(3),
    Column::new("N", 3, 4).right(),
    Column::new("SHARED LABELS", 17, 80).priority(1),
];

impl Alerts {
    pub(super) fn rows<'a>(&self, world: &'a World) -> Vec<Row<'a>> {
        let mut rows = group::rows(world, self.scope, self.each);
        rows.retain(|row| {
            (!self.problems || row.is_problem()) && self.table.filter().matches(&row.fields(world))
        });
        let (column, reverse) = self.table.order();
        match column {
            Some(1) => rows.sort_by(|a, b| a.name.cmp(b.name)),
            Some(2) => rows.sort_by_key(|r| r.id.cluster),
            Some(3) => rows.sort_by_key(|r| Reverse(r.state)),
            Some(4) => rows.sort_by_key(|r| Reverse(r.since)),
            _ => {}
        }
        if reverse {
            rows.reverse();
        }
        rows
    }

    fn why_empty(&self, world: &World) -> String {
        let filter = self.table.filter_text();
        let known = group::rows(world, self.scope, self.each).len();
        let word = if self.each { "alerts" } else { "groups" };
        match (known, filter, self.problems) {
            (0, ..) => group::why_none(world, self.scope),
            (_, "", true) => {
                let blind = group::unheard(world, self.scope);
                format!("no problem in {known} {word} (! shows all){blind}")
            }
            _ => format!("no alert matches {filter:?} (Esc clears the filter)"),
        }
    }

    pub(super) fn title(&self, world: &World, rows: &[Row<'_>]) -> String {
        let count = |wanted: Severity| {
            rows.iter()
                .filter(|r| r.is_firing() && r.severity == wanted && !r.is_watchdog())
                .map(|r| r.alerts.len())
                .sum::<usize>()
        };
        let kind = if self.each { "alerts" } else { "groups" };
        let broken = match group::broken(world, self.scope) {
            broken if broken.is_empty() => String::new(),
            broken => format!(" · no Watchdog in {}", broken.join(", ")),
        };
        format!(
            "Alerts: {} critical, {} warning, {} info in {} {kind}{}{broken}",
            count(Severity::Critical),
            count(Severity::Warning),
            count(Severity::Info),
            rows.len(),
            if self.problems {
                " · problems only"
            } else {
                ""
            },
        )
    }

    /// What is to be known of the servers that tell of these alerts, as lines below them.
    pub(super) fn notes(&self, world: &World, width: u16) -> Vec<String> {
        let old = group::stale(world, self.scope).into_iter();
        let notes: Vec<String> = old.chain(tellers::down(world, self.scope)).collect();
        if notes.is_empty() {
            return Vec::new();
        }
        // As many as there is room for, and how many more there are.
        let told = |count: usize| {
            let mut parts: Vec<String> = notes.iter().take(count).cloned().collect();
            match notes.len().saturating_sub(count) {
                0 => {}
                more => parts.push(format!("{more} more")),
            }
            wrap(&parts.join(" · "), usize::from(width))
        };
        let mut told = (0..=notes.len().min(MOST_NOTES)).rev().map(told);
        told.find(|lines| lines.len() <= NOTES).unwrap_or_default()
    }

    fn cell<'a>(ctx: &Ctx<'a>, row: &'a Row<'a>, column: usize) -> Line<'a> {
        let (glyph, _, style) = badge::severity(ctx.theme, row.severity);
        let dim = !row.is_firing();
        let base = if dim { ctx.theme.muted } else { ctx.theme.base };
        match column {
            0 => match row.state {
                AlertState::Suppressed => Line::styled(row.suppressed_by(), ctx.theme.muted),
                AlertState::Resolved => Line::styled("✓", ctx.theme.muted),
                _ => Line::styled(glyph, if dim { ctx.theme.muted } else { style }),
            },
            1 => Line::styled(row.name, base),
            2 => Line::styled(name(ctx.world, row.id.cluster), base),
            3 => Line::styled(row.state_word(), base),
            4 => Line::styled(ago(ctx.world, row.ended().unwrap_or(row.since)), base),
            5 => Line::styled(
                day::line(ctx.world, row),
                if dim { ctx.theme.muted } else { style },
            ),
            6 => Line::styled(row.alerts.len().to_string(), base),
            _ => {
                // Why it is hushed comes before what it is about.
                let first = row.alerts.first();
                let mut told = first
                    .map(|a| silences::reasons(ctx, row.id.cluster, a))
                    .unwrap_or_default();
                told.truncate(1);
                told.extend(row.over(ctx.world.now));
                let flaps = row.flapping(ctx.world);
                told.extend(flaps.map(|n| format!("flapping: {n} changes in 1h")));
                told.push(row.shared.clone());
                Line::styled(told.join(" · "), ctx.theme.muted)
            }
        }
    }

    pub(super) fn draw_alerts(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let rows = self.rows(ctx.world);
        let (list, side) = self.layout(area);
        if list.width > 0 {
            let inner = pane(
                ctx,
                list,
                buf,
                &self.title(ctx.world, &rows),
                "Tab silences",
                true,
            );
            let notes = self.notes(ctx.world, inner.width);
            let (inner, below) = above(inner, notes.len() as u16);
            for (y, note) in (below.y..below.bottom()).zip(&notes) {
                ctx.put(buf, (below.x, y), below.width, note, ctx.theme.warn);
            }
            if rows.is_empty() {
                empty(ctx, inner, buf, &self.why_empty(ctx.world));
            }
            self.table.draw(
                ctx,
                inner,
                buf,
                (&scoped(ctx, &COLUMNS, 2), &rows),
                |r| r.id.clone(),
                |row, column| Self::cell(ctx, row, column),
            );
        }
        if let Some(side) = side {
            let inner = pane(ctx, side, buf, "detail", "d", false);
            match self.chosen(&rows) {
                Some(row) => {
                    let (inner, below) = self.curves.place(row, inner);
                    let text = detail::lines(ctx, row, usize::from(inner.width), &self.digest);
                    self.scroll.draw(ctx, inner, buf, &text);
                    self.curves.draw(ctx, row, below, buf);
                }
                None => empty(ctx, inner, buf, "nothing chosen"),
            }
        }
    }
}

//! Alerts of all clusters of the scope: one row for what is one alert, detail beside it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::common::{ago, beside, empty, lines, pane, scoped};
use super::{Ctx, Entry, Focus, Goto, ScreenId, View};
use crate::command::Command;
use crate::message::Effect;
use crate::model::alert::{AlertState, Severity};
use crate::model::id::ClusterId;
use crate::state::world::World;
use crate::ui::widget::badge;
use crate::ui::widget::table::{Column, Table};

mod detail;
mod group;

use group::{Id, Row};

const COLUMNS: [Column; 7] = [
    Column::new("S", 1, 1),
    Column::new("ALERT", 19, 34),
    Column::new("CLUSTER", 11, 16),
    Column::new("STATE", 8, 10).priority(1),
    Column::new("SINCE", 5, 6),
    Column::new("N", 3, 4).right(),
    Column::new("SHARED LABELS", 13, 80).priority(2),
];

/// From this width on the detail stands beside the list.
const WIDE: u16 = 100;

#[derive(Debug)]
pub struct Alerts {
    table: Table<Id>,
    scope: Option<ClusterId>,
    problems: bool,
    /// Every alert a row, not grouped.
    each: bool,
    /// Asked for or put away; `None`: as the width allows.
    detail: Option<bool>,
    scroll: usize,
    area: Rect,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            table: Table::sorted(5),
            scope: None,
            problems: false,
            each: false,
            detail: None,
            scroll: 0,
            area: Rect::ZERO,
        }
    }
}

impl Alerts {
    fn rows<'a>(&self, world: &'a World) -> Vec<Row<'a>> {
        let mut rows = group::rows(world, self.scope, self.each);
        rows.retain(|row| {
            (!self.problems || row.is_problem()) && self.table.filter().matches(&row.fields(world))
        });
        let (column, reverse) = self.table.order();
        match column {
            Some(1) => rows.sort_by(|a, b| a.name.cmp(b.name)),
            Some(2) => rows.sort_by_key(|r| r.id.cluster),
            Some(3) => rows.sort_by_key(|r| std::cmp::Reverse(r.state)),
            Some(4) => rows.sort_by_key(|r| std::cmp::Reverse(r.since)),
            _ => {}
        }
        if reverse {
            rows.reverse();
        }
        rows
    }

    fn chosen<'a>(&self, rows: &'a [Row<'a>]) -> Option<&'a Row<'a>> {
        rows.get(self.table.position(rows, |r| r.id.clone())?)
    }

    fn shows_detail(&self, width: u16) -> bool {
        self.detail.unwrap_or(width >= WIDE)
    }

    fn layout(&self, area: Rect) -> (Rect, Option<Rect>) {
        match self.shows_detail(area.width) {
            false => (area, None),
            true if area.width >= WIDE => beside(area, WIDE, (area.width * 2 / 5).max(42)),
            // Over the list, not beside it.
            true => (Rect { width: 0, ..area }, Some(area)),
        }
    }

    fn title(&self, rows: &[Row<'_>]) -> String {
        let count = |wanted: Severity| {
            rows.iter()
                .filter(|r| r.is_firing() && r.severity == wanted && !r.is_watchdog())
                .map(|r| r.alerts.len())
                .sum::<usize>()
        };
        let kind = if self.each { "alerts" } else { "groups" };
        format!(
            "Alerts: {} critical, {} warning, {} info in {} {kind}{}",
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
            2 => Line::styled(super::common::name(ctx.world, row.id.cluster), base),
            3 => Line::styled(row.state_word(), base),
            4 => Line::styled(ago(ctx.world, row.since), base),
            5 => Line::styled(row.alerts.len().to_string(), base),
            _ => Line::styled(row.shared.as_str(), ctx.theme.muted),
        }
    }
}

impl View for Alerts {
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect> {
        let rows = self.rows(world);
        let mut table = self.table.clone();
        if table.update(&command, &rows, |r| r.id.clone()) {
            drop(rows);
            self.table = table;
            self.scroll = 0;
            return Vec::new();
        }
        match command {
            Command::CopyRow => {
                let text = self.chosen(&rows).map(|row| detail::plain(world, row));
                return text.map(Effect::Copy).into_iter().collect();
            }
            Command::Problems => self.problems = !self.problems,
            Command::Mode => self.each = !self.each,
            Command::Detail => self.detail = Some(!self.shows_detail(self.area.width)),
            Command::Open => self.detail = Some(true),
            Command::NextProblem | Command::PreviousProblem => {
                let forward = command == Command::NextProblem;
                let at = self.table.position(&rows, |r| r.id.clone()).unwrap_or(0);
                let found = group::next_problem(&rows, at, forward).map(|r| r.id.clone());
                drop(rows);
                found.into_iter().for_each(|id| self.table.select(id));
            }
            Command::Right => self.scroll += 1,
            Command::Left => self.scroll = self.scroll.saturating_sub(1),
            Command::Refresh => return vec![Effect::Refresh(self.scope)],
            _ => {}
        }
        Vec::new()
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let rows = self.rows(ctx.world);
        let (list, side) = self.layout(area);
        if list.width > 0 {
            let inner = pane(ctx, list, buf, &self.title(&rows), "", true);
            if rows.is_empty() {
                empty(
                    ctx,
                    inner,
                    buf,
                    &group::why_empty(ctx.world, self.scope, &self.table),
                );
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
                    let text = detail::lines(ctx, row, usize::from(inner.width));
                    let most = text.len().saturating_sub(usize::from(inner.height));
                    lines(ctx, inner, buf, &text, self.scroll.min(most));
                }
                None => empty(ctx, inner, buf, "nothing chosen"),
            }
        }
        if ctx.ascii {
            crate::ui::widget::text::fold_ascii(area, buf);
        }
    }

    fn place(&mut self, area: Rect, _world: &World) {
        self.area = area;
        let (list, _) = self.layout(area);
        self.table.place(Rect {
            x: list.x.saturating_add(1),
            y: list.y.saturating_add(1),
            width: list.width.saturating_sub(2),
            height: list.height.saturating_sub(2),
        });
    }

    fn enter(&mut self, entry: &Entry, world: &World) -> Vec<Effect> {
        self.scope = entry.scope;
        if let Some(Focus::Alert {
            cluster,
            fingerprint,
        }) = &entry.focus
        {
            self.problems = false;
            self.table.set_filter("");
            let rows = group::rows(world, self.scope, self.each);
            let found = rows
                .iter()
                .find(|r| r.id.cluster == *cluster && r.holds(fingerprint))
                .map(|r| r.id.clone());
            found.into_iter().for_each(|id| self.table.select(id));
        }
        Vec::new()
    }

    fn open(&mut self, world: &World) -> Option<Goto> {
        if !self.shows_detail(self.area.width) {
            return None;
        }
        let rows = self.rows(world);
        let row = self.chosen(&rows)?;
        let alert = row.alerts.first()?;
        let query = alert.expression.as_ref().map(|e| group::curve_of(e));
        let screen = match query {
            Some(_) => ScreenId::Metrics,
            None => ScreenId::Cluster,
        };
        Some(Goto {
            screen,
            cluster: Some(row.id.cluster),
            focus: group::subject(row.id.cluster, &alert.labels),
            query,
            window: None,
        })
    }

    fn back(&mut self) -> bool {
        if self.detail == Some(true) && self.area.width < WIDE {
            self.detail = None;
            return true;
        }
        self.table.back() || std::mem::take(&mut self.problems)
    }

    fn depth(&self) -> usize {
        [
            self.detail == Some(true) && self.area.width < WIDE,
            !self.table.filter_text().is_empty(),
            self.problems,
        ]
        .into_iter()
        .filter(|open| *open)
        .count()
    }

    fn focus(&self, world: &World) -> Option<Focus> {
        let rows = self.rows(world);
        let row = self.chosen(&rows)?;
        Some(Focus::Alert {
            cluster: row.id.cluster,
            fingerprint: row.alerts.first()?.fingerprint.to_string(),
        })
    }

    fn filter(&self) -> &str {
        self.table.filter_text()
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("Enter", "open"),
            ("d", "detail"),
            ("m", "each alert"),
            ("!", "problems"),
            ("a", "ask"),
        ]
    }

    fn brief(&self, ctx: &Ctx) -> String {
        let rows = self.rows(ctx.world);
        let mut text = self.title(&rows);
        if let Some(row) = self.chosen(&rows) {
            text.push_str("\nchosen:\n");
            text.push_str(&detail::plain(ctx.world, row));
        }
        text
    }
}

#[cfg(test)]
mod tests;

//! Alerts of all clusters of the scope: one row for what is one alert, detail beside it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::common::{ago, beside, empty, inside, pane, scoped};
use super::scroll::Scroll;
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
mod silences;

use group::{Id, Row};
use silences::{SilenceId, SilenceRow};

const COLUMNS: [Column; 7] = [
    Column::new("S", 1, 1),
    Column::new("ALERT", 19, 34),
    Column::new("CLUSTER", 11, 16),
    Column::new("STATE", 8, 10).priority(2),
    Column::new("SINCE", 5, 6),
    Column::new("N", 3, 4).right(),
    Column::new("SHARED LABELS", 17, 80).priority(1),
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
    scroll: Scroll,
    /// The silences instead of the alerts.
    silences: Option<Table<SilenceId>>,
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
            scroll: Scroll::default(),
            silences: None,
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
            _ => {
                // Why it is hushed comes before what it is about.
                let first = row.alerts.first();
                let mut told = first
                    .map(|a| silences::reasons(ctx, row.id.cluster, a))
                    .unwrap_or_default();
                told.truncate(1);
                told.push(row.shared.clone());
                Line::styled(told.join(" · "), ctx.theme.muted)
            }
        }
    }
}

impl Alerts {
    /// A command while the silences are in view.
    fn update_silences(
        &mut self,
        mut table: Table<SilenceId>,
        command: &Command,
        world: &World,
    ) -> Vec<Effect> {
        let rows = silences::rows(world, self.scope, &table);
        let mut effects = Vec::new();
        let mut stay = true;
        if !table.update(command, &rows, SilenceRow::id) {
            let at = table.position(&rows, SilenceRow::id);
            let chosen = at.and_then(|at| rows.get(at));
            match command {
                Command::NextPane | Command::PreviousPane => stay = false,
                Command::CopyRow => effects.extend(chosen.map(|r| Effect::Copy(r.plain()))),
                Command::Refresh => effects.push(Effect::Refresh(self.scope)),
                // To an alert that it hushes.
                Command::Open => {
                    if let Some((row, alert)) = chosen.and_then(|r| Some((r, r.alert()?))) {
                        let focus = Focus::Alert {
                            cluster: row.id().0,
                            fingerprint: alert.fingerprint.to_string(),
                        };
                        self.show(&focus, world);
                        stay = false;
                    }
                }
                _ => {}
            }
        }
        self.silences = stay.then_some(table);
        effects
    }

    /// Puts the cursor on an alert.
    fn show(&mut self, focus: &Focus, world: &World) {
        let Focus::Alert {
            cluster,
            fingerprint,
        } = focus
        else {
            return;
        };
        self.problems = false;
        self.table.set_filter("");
        let rows = group::rows(world, self.scope, self.each);
        let found = rows
            .iter()
            .find(|r| r.id.cluster == *cluster && r.holds(fingerprint))
            .map(|r| r.id.clone());
        found.into_iter().for_each(|id| self.table.select(id));
    }
}

impl View for Alerts {
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect> {
        if let Some(table) = self.silences.take() {
            return self.update_silences(table, &command, world);
        }
        let rows = self.rows(world);
        let mut table = self.table.clone();
        if table.update(&command, &rows, |r| r.id.clone()) {
            drop(rows);
            self.table = table;
            self.scroll.to_top();
            return Vec::new();
        }
        match command {
            Command::CopyRow => {
                let text = self.chosen(&rows).map(|row| detail::plain(world, row));
                return text.map(Effect::Copy).into_iter().collect();
            }
            Command::NextPane | Command::PreviousPane => {
                drop(rows);
                self.silences = Some(Table::default());
                self.place(self.area, world);
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
            Command::Right | Command::ScrollDown => self.scroll.down(),
            Command::Left | Command::ScrollUp => self.scroll.up(),
            Command::Refresh => return vec![Effect::Refresh(self.scope)],
            _ => {}
        }
        Vec::new()
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        if let Some(table) = &self.silences {
            silences::draw(ctx, self.scope, area, buf, table);
            return;
        }
        let rows = self.rows(ctx.world);
        let (list, side) = self.layout(area);
        if list.width > 0 {
            let inner = pane(ctx, list, buf, &self.title(&rows), "Tab silences", true);
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
                    let text = detail::lines(ctx, row, usize::from(inner.width));
                    self.scroll.draw(ctx, inner, buf, &text);
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
        if let Some(table) = &mut self.silences {
            table.place(inside(area));
        }
        let (list, _) = self.layout(area);
        self.table.place(inside(list));
    }

    fn enter(&mut self, entry: &Entry, world: &World) -> Vec<Effect> {
        self.scope = entry.scope;
        // What leads here is about alerts, whatever was looked at before.
        if entry.focus.is_some() {
            self.silences = None;
            self.place(self.area, world);
        }
        match &entry.focus {
            Some(focus @ Focus::Alert { .. }) => self.show(focus, world),
            // The alerts about a thing: those whose labels name it.
            Some(Focus::Pod { pod: name, .. } | Focus::Node { node: name, .. }) => {
                self.table.set_filter(name);
            }
            Some(Focus::Gpu { node, gpu, .. }) => {
                self.table.set_filter(&format!("{node} gpu={gpu}"));
            }
            _ => {}
        }
        Vec::new()
    }

    fn open(&mut self, world: &World) -> Option<Goto> {
        if self.silences.is_some() {
            return None;
        }
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
        if let Some(table) = &mut self.silences {
            if !table.back() {
                self.silences = None;
            }
            return true;
        }
        if self.detail == Some(true) && self.area.width < WIDE {
            self.detail = None;
            return true;
        }
        self.table.back() || std::mem::take(&mut self.problems)
    }

    fn depth(&self) -> usize {
        [
            self.silences.is_some(),
            self.silences
                .as_ref()
                .is_some_and(|t| !t.filter_text().is_empty()),
            self.detail == Some(true) && self.area.width < WIDE,
            !self.table.filter_text().is_empty(),
            self.problems,
        ]
        .into_iter()
        .filter(|open| *open)
        .count()
    }

    fn focus(&self, world: &World) -> Option<Focus> {
        if let Some(table) = &self.silences {
            let rows = silences::rows(world, self.scope, table);
            let at = table.position(&rows, SilenceRow::id)?;
            let (cluster, id) = rows.get(at)?.id();
            return Some(Focus::Silence { cluster, id });
        }
        let rows = self.rows(world);
        let row = self.chosen(&rows)?;
        Some(Focus::Alert {
            cluster: row.id.cluster,
            fingerprint: row.alerts.first()?.fingerprint.to_string(),
        })
    }

    fn filter(&self) -> &str {
        match &self.silences {
            Some(table) => table.filter_text(),
            None => self.table.filter_text(),
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        if self.silences.is_some() {
            return &[
                ("Enter", "its alert"),
                ("X", "end it"),
                ("Tab", "alerts"),
                ("/", "filter"),
                ("r", "ask again"),
            ];
        }
        &[
            ("Enter", "open"),
            ("d", "detail"),
            ("Tab", "silences"),
            ("M", "mute"),
            ("m", "each alert"),
            ("!", "problems"),
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

//! Metrics: the series the console holds, or what a PromQL query answers, as curves with a legend.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::common::{Numbers, above, empty, focused, inside, pane};
use super::editing::Editing;
use super::{Ctx, Entry, Focus, ScreenId, View};
use crate::command::Command;
use crate::message::Effect;
use crate::model::ask::Answered;
use crate::model::id::ClusterId;
use crate::state::world::World;
use crate::ui::Window;
use crate::ui::widget::table::{Column, Table};

mod asked;
mod changes;
mod complete;
mod graph;
mod label;
mod list;
mod query;

use asked::Asked;
pub use asked::draw_field;
use graph::{Shown, ShownId};

const LIST: [Column; 3] = [
    Column::new("", 1, 1),
    Column::new("SERIES", 12, 60),
    Column::new("N", 3, 5).right(),
];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    List,
    Legend,
}

#[derive(Debug)]
pub struct Metrics {
    list: Table<Arc<str>>,
    legend: Table<ShownId>,
    part: Part,
    scope: Option<ClusterId>,
    window: Window,
    /// Only this curve.
    alone: Option<ShownId>,
    editing: Editing,
    asked: Option<Asked>,
    numbers: Numbers,
    problems: bool,
    /// The change that the cursor stands on.
    change: Option<crate::model::time::Timestamp>,
    area: Rect,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            list: Table::default(),
            legend: Table::default(),
            part: Part::List,
            scope: None,
            window: Window::HOUR,
            alone: None,
            editing: Editing::new(&complete::ABOUT),
            asked: None,
            numbers: Numbers::new(ScreenId::Metrics),
            problems: false,
            change: None,
            area: Rect::ZERO,
        }
    }
}

/// Where the parts stand.
struct Layout {
    list: Rect,
    query: Rect,
    graph: Rect,
    legend: Rect,
}

impl Metrics {
    fn layout(&self, area: Rect) -> Layout {
        let list_width = match area.width {
            w if w >= 160 => 48,
            w if w >= 100 => 36,
            w if w >= 70 => 32,
            w if self.part == Part::List && self.asked.is_none() => w,
            _ => 0,
        };
        let list = Rect {
            width: list_width,
            ..area
        };
        let right = Rect {
            x: list.right(),
            width: area.width - list_width,
            ..area
        };
        let query_rows = if self.editing.is_open() || self.asked.is_some() {
            4
        } else {
            0
        };
        let query = Rect {
            height: query_rows.min(right.height),
            ..right
        };
        let rest = Rect {
            y: query.bottom(),
            height: right.height - query.height,
            ..right
        };
        let legend_rows = if rest.height >= 20 {
            rest.height / 3
        } else {
            6.min(rest.height / 2)
        };
        let (graph, legend) = above(rest, legend_rows);
        Layout {
            list,
            query,
            graph,
            legend,
        }
    }

    fn shown(&self, world: &World) -> Vec<Shown> {
        let mut shown = match &self.asked {
            Some(asked) => asked.shown(),
            None => {
                let rows = self.rows(world);
                let chosen = self.list.position(&rows, |r| Arc::clone(&r.name));
                match chosen.and_then(|at| rows.get(at)) {
                    Some(row) => graph::held(world, self.scope, &row.name, self.window),
                    None => Vec::new(),
                }
            }
        };
        graph::by_change(&mut shown);
        shown
    }

    fn rows(&self, world: &World) -> Vec<list::Row> {
        let mut rows = list::rows(world, self.scope);
        rows.retain(|r| {
            (!self.problems || r.abnormal)
                && self
                    .list
                    .filter()
                    .matches(&[("name", &r.name), ("about", &r.about)])
        });
        rows
    }

    fn move_in_table(&mut self, command: &Command, world: &World) -> bool {
        if self.part == Part::Legend {
            let shown = self.shown(world);
            return self.legend.update(command, &shown, |s| s.id.clone());
        }
        let rows = self.rows(world);
        let done = self.list.update(command, &rows, |r| Arc::clone(&r.name));
        if done {
            self.alone = None;
            self.asked = None;
        }
        done
    }

    fn chosen(&self, world: &World) -> Option<ShownId> {
        let shown = self.shown(world);
        let at = self.legend.position(&shown, |s| s.id.clone())?;
        shown.get(at).map(|s| s.id.clone())
    }

    fn draw_list(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let rows = self.rows(ctx.world);
        let title = format!("series {}", rows.len());
        let right = if self.problems { "abnormal only" } else { "" };
        let here = self.part == Part::List && !self.editing.is_open();
        let inner = pane(ctx, area, buf, &title, right, here);
        if rows.is_empty() {
            empty(
                ctx,
                inner,
                buf,
                &list::why_empty(
                    ctx.world,
                    self.scope,
                    (self.list.filter_text(), self.problems),
                ),
            );
            return;
        }
        let inside = focused(ctx, here);
        self.list.draw(
            &inside,
            inner,
            buf,
            (&LIST, &rows),
            |r| Arc::clone(&r.name),
            |row, column| list::cell(ctx, row, column),
        );
    }
}

impl View for Metrics {
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect> {
        match command {
            Command::Type(press) => return self.type_key(press, world),
            Command::Paste(text) => return self.paste(&text, world),
            Command::Edit => return self.edit(world),
            Command::Recall => return self.recall(world),
            Command::Refresh => {
                return match self.asked.as_ref().map(|a| a.query.clone()) {
                    Some(query) => self.run(&query, world),
                    None => vec![Effect::Refresh(self.scope)],
                };
            }
            Command::CopyRow => {
                let row = self
                    .chosen(world)
                    .map(|id| Effect::Copy(id.key.to_string()));
                return row.into_iter().collect();
            }
            Command::Click { column, row } => {
                let list = self.layout(self.area).list;
                let inside = list.contains((column, row).into());
                self.part = if inside { Part::List } else { Part::Legend };
            }
            _ => {}
        }
        if self.move_in_table(&command, world) {
            return Vec::new();
        }
        match command {
            Command::NextPane | Command::PreviousPane => {
                self.part = match self.part {
                    Part::List => Part::Legend,
                    Part::Legend => Part::List,
                };
            }
            Command::Left | Command::Right => {
                let shown = self.shown(world);
                self.change = changes::moved(world, &shown, self.window, self.change, &command);
            }
            Command::Problems => self.problems = !self.problems,
            Command::Open if self.part == Part::List => self.part = Part::Legend,
            Command::Open => {
                self.alone = match self.alone.take() {
                    Some(_) => None,
                    None => self.chosen(world),
                };
            }
            _ => {}
        }
        Vec::new()
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let parts = self.layout(area);
        if parts.list.width > 0 {
            self.draw_list(ctx, parts.list, buf);
        }
        if parts.query.height > 0 {
            asked::draw(ctx, parts.query, buf, self.asked.as_ref(), &self.editing);
        }
        if parts.graph.width > 0 {
            let all = self.shown(ctx.world);
            let picture = graph::Picture {
                shown: &all,
                alone: self.alone.as_ref(),
                asked: self.asked.is_some(),
                change: self.change,
            };
            picture.draw_graph(ctx, parts.graph, buf);
            let here = self.part == Part::Legend && !self.editing.is_open();
            picture.draw_legend(&focused(ctx, here), parts.legend, buf, &self.legend);
        }
        self.editing.draw_list(ctx, parts.query, area, buf);
        if ctx.ascii {
            crate::ui::widget::text::fold_ascii(area, buf);
        }
    }

    fn place(&mut self, area: Rect, _world: &World) {
        self.area = area;
        let parts = self.layout(area);
        self.list.place(inside(parts.list));
        self.legend.place(inside(parts.legend));
    }

    fn enter(&mut self, entry: &Entry, world: &World) -> Vec<Effect> {
        let moved = self.scope != entry.scope || self.window != entry.window;
        self.scope = entry.scope;
        self.window = entry.window;
        if let Some(query) = &entry.query {
            if let Some(id) = graph::held_by(world, self.scope, query) {
                self.list.set_filter("");
                self.list.select(Arc::clone(&id.key.name));
                self.legend.select(id.clone());
                self.asked = None;
                self.alone = Some(id);
                self.part = Part::Legend;
                return Vec::new();
            }
            self.part = Part::Legend;
            return self.run(query, world);
        }
        match self.asked.as_ref().map(|a| a.query.clone()) {
            Some(query) if moved => self.run(&query, world),
            _ => Vec::new(),
        }
    }

    fn back(&mut self) -> bool {
        if self.editing.back() || self.change.take().is_some() || self.alone.take().is_some() {
            return true;
        }
        if self.asked.take().is_some() {
            self.part = Part::List;
            return true;
        }
        if self.part == Part::Legend {
            self.part = Part::List;
            return true;
        }
        self.list.back() || std::mem::take(&mut self.problems)
    }

    fn depth(&self) -> usize {
        let steps = [
            self.change.is_some(),
            self.alone.is_some(),
            self.asked.is_some(),
            self.part == Part::Legend && self.asked.is_none(),
            !self.list.filter_text().is_empty(),
            self.problems,
        ];
        steps.into_iter().filter(|open| *open).count() + self.editing.depth()
    }

    fn focus(&self, world: &World) -> Option<Focus> {
        let id = self.chosen(world)?;
        Some(Focus::Text {
            cluster: Some(id.cluster),
            text: format!("series {}", id.key),
        })
    }

    fn answer(&mut self, answered: &Answered, world: &World) -> Vec<Effect> {
        if self.editing.take(answered, world, self.scope) {
            return Vec::new();
        }
        if let Some(asked) = &mut self.asked {
            asked.take(answered);
        }
        Vec::new()
    }

    fn typing(&self) -> bool {
        self.editing.is_open()
    }

    fn filter(&self) -> &str {
        self.list.filter_text()
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        match (self.editing.is_open(), self.part) {
            (true, _) => super::editing::HINTS,
            (false, Part::List) => &[
                ("Enter", "legend"),
                ("o", "PromQL"),
                ("/", "filter"),
                ("!", "abnormal"),
                ("h l", "changes"),
            ],
            (false, Part::Legend) => &[
                ("Enter", "isolate"),
                ("o", "PromQL"),
                ("r", "again"),
                ("a", "ask"),
            ],
        }
    }

    fn brief(&self, ctx: &Ctx) -> String {
        graph::brief(
            ctx,
            &self.shown(ctx.world),
            self.asked.as_ref().map(|a| a.query.as_str()),
        )
    }
}

#[cfg(test)]
mod tests;

//! Metrics: the series the console holds, or what a PromQL query answers over many clusters, as a
//! picture with a legend.

use std::collections::BTreeSet;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::common::{Numbers, above, empty, focused, inside, pane};
use super::editing::Editing;
use super::{Ctx, Entry, Focus, Goto, ScreenId, View};
use crate::command::{Command, Jump};
use crate::message::Effect;
use crate::model::ask::Answered;
use crate::model::combine::Combine;
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;
use crate::state::world::World;
use crate::store::answers::Answers;
use crate::ui::Window;
use crate::ui::panel::asked::{Asked, Desk};
use crate::ui::panel::exemplars::Exemplars;
use crate::ui::panel::picture::Picture;
use crate::ui::panel::{Form, ShownId, brief, events, legend};
use crate::ui::widget::table::{Column, Table};

mod choose;
mod complete;
mod head;
mod held;
mod keep;
mod keys;
mod list;
mod picture;
mod query;

use choose::Choice;
use query::Every;

const LIST: [Column<'static>; 3] = [
    Column::new("", 1, 1),
    Column::new("SERIES", 12, 60),
    Column::new("N", 3, 5).right(),
];
/// Most bytes of answers kept for when they are wanted again.
const ANSWERS_BYTES: u64 = 64 << 20;

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
    clusters: Table<ClusterId>,
    part: Part,
    scope: Option<ClusterId>,
    window: Window,
    /// The time cursor of all screens.
    at: Option<Timestamp>,
    /// Only this curve.
    alone: Option<ShownId>,
    hidden: BTreeSet<ShownId>,
    /// `None`: as it suits the series.
    form: Option<Form>,
    editing: Editing,
    choice: Choice,
    combine: Combine,
    asked: Option<Asked>,
    /// Of what was asked.
    picture: Picture,
    exemplars: Exemplars,
    answers: Answers,
    every: Every,
    /// Chosen distance of the points, milliseconds; `None`: as it suits the range.
    step_ms: Option<u32>,
    /// How each cluster answered stands in place of the legend.
    detail: bool,
    numbers: Numbers,
    problems: bool,
    area: Rect,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            list: Table::default(),
            legend: Table::sorted(legend::SORTS),
            clusters: Table::default(),
            part: Part::List,
            scope: None,
            window: Window::HOUR,
            at: None,
            alone: None,
            hidden: BTreeSet::new(),
            form: None,
            editing: Editing::new(&complete::ABOUT),
            choice: Choice::default(),
            combine: Combine::default(),
            asked: None,
            picture: Picture::default(),
            exemplars: Exemplars::default(),
            answers: Answers::new(ANSWERS_BYTES),
            every: Every::default(),
            step_ms: None,
            detail: false,
            numbers: Numbers::new(ScreenId::Metrics),
            problems: false,
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
        let query_rows = match (self.editing.is_open(), self.asked.is_some()) {
            (true, _) => 4,
            (false, true) if area.height >= 30 => 6,
            (false, true) => 5,
            (false, false) => 0,
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

    /// The name under the cursor of the list.
    fn chosen_name(&self, world: &World) -> Option<Arc<str>> {
        let rows = self.rows(world);
        let at = self.list.position(&rows, |r| Arc::clone(&r.name))?;
        rows.get(at).map(|r| Arc::clone(&r.name))
    }

    fn chosen(&self, world: &World) -> Option<ShownId> {
        let ids = self.legend_ids(world);
        let at = self.legend.position(&ids, ShownId::clone)?;
        ids.get(at).cloned()
    }

    fn draw_list(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let rows = self.rows(ctx.world);
        let title = format!("series {}", rows.len());
        let right = if self.problems { "abnormal only" } else { "" };
        let here = self.part == Part::List && !self.editing.is_open();
        let inner = pane(ctx, area, buf, &title, right, here);
        if rows.is_empty() {
            let why = list::why_empty(
                ctx.world,
                self.scope,
                (self.list.filter_text(), self.problems),
            );
            empty(ctx, inner, buf, &why);
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
        self.command(command, world)
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let parts = self.layout(area);
        if parts.list.width > 0 {
            self.draw_list(ctx, parts.list, buf);
        }
        if parts.query.height > 0 {
            self.draw_head(ctx, parts.query, buf);
        }
        if parts.graph.width > 0 {
            self.draw_picture(ctx, (parts.graph, parts.legend), buf);
        }
        self.editing.draw_list(ctx, parts.query, area, buf);
        if self.choice.is_open() {
            self.choice.draw(ctx, area, buf);
        }
        if ctx.ascii {
            crate::ui::widget::text::fold_ascii(area, buf);
        }
    }

    fn place(&mut self, area: Rect, world: &World) {
        self.area = area;
        let parts = self.layout(area);
        self.list.place(inside(parts.list));
        let table = self.form == Some(Form::Table);
        let legend = if table { parts.graph } else { parts.legend };
        self.legend.place(inside(legend));
        self.clusters.place(inside(parts.legend));
        self.choice.place(area, world);
    }

    fn enter(&mut self, entry: &Entry, world: &World) -> Vec<Effect> {
        let moved = self.scope != entry.scope || self.window != entry.window;
        self.scope = entry.scope;
        self.window = entry.window;
        if let Some(query) = &entry.query {
            if let Some(id) = held::held_by(world, self.scope, query) {
                self.list.set_filter("");
                self.list.select(Arc::clone(&id.key.name));
                self.legend.select(id.clone());
                self.close();
                self.alone = Some(id);
                self.part = Part::Legend;
                return Vec::new();
            }
            self.part = Part::Legend;
            return self.run(query, world);
        }
        match moved {
            true => self.ask(false, world),
            false => Vec::new(),
        }
    }

    fn back(&mut self) -> bool {
        if self.editing.back() {
            return true;
        }
        if self.choice.is_open() {
            self.choice.leave();
            return true;
        }
        if std::mem::take(&mut self.detail) || self.alone.take().is_some() || self.legend.back() {
            return true;
        }
        if self.asked.is_some() {
            self.close();
            self.part = Part::List;
            self.exemplars.clear();
            self.hidden.clear();
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
            self.choice.is_open(),
            self.detail,
            self.alone.is_some(),
            !self.legend.filter_text().is_empty(),
            self.asked.is_some(),
            self.part == Part::Legend && self.asked.is_none(),
            !self.list.filter_text().is_empty(),
            self.problems,
        ];
        steps.into_iter().filter(|open| *open).count() + self.editing.depth()
    }

    fn focus(&self, world: &World) -> Option<Focus> {
        let id = self.chosen(world)?;
        Some(keys::focus_of(world, &id))
    }

    fn leads(&self, to: Jump, _world: &World) -> Option<Goto> {
        if to != Jump::Traces || self.asked.is_none() {
            return None;
        }
        let (cluster, exemplar) = self.exemplars.near(self.at)?;
        Some(Goto {
            screen: ScreenId::Traces,
            cluster: Some(cluster),
            query: exemplar.trace().map(|t| t.to_string()),
            ..Goto::default()
        })
    }

    fn answer(&mut self, answered: &Answered, world: &World) -> Vec<Effect> {
        if self.editing.take(answered, world, self.scope) || self.exemplars.take(answered) {
            return Vec::new();
        }
        let mut desk = Desk {
            world,
            numbers: &mut self.numbers,
            answers: &mut self.answers,
        };
        let asked = self.asked.as_mut();
        let more = asked.and_then(|asked| asked.take(answered, &mut desk));
        let Some(mut effects) = more else {
            return Vec::new();
        };
        self.picture.touch();
        effects.extend(self.make());
        effects
    }

    fn time_plots(&self, world: &World) -> Vec<Rect> {
        self.plot(&self.shown(world)).into_iter().collect()
    }

    fn point(&mut self, at: Option<Timestamp>) {
        self.at = at;
    }

    fn beside(&self, at: Option<Timestamp>, on: bool, world: &World) -> Option<Timestamp> {
        let events = self.events(world, &self.shown(world));
        events::beside(&events, at, on)
    }

    fn work(&mut self, world: &World) -> Vec<Effect> {
        let mut effects = self.follow(world);
        effects.extend(self.make());
        effects
    }

    fn cancel(&mut self) -> Option<Vec<Effect>> {
        self.stop()
    }

    fn typing(&self) -> bool {
        self.editing.is_open()
    }

    fn filter(&self) -> &str {
        match (self.choice.is_open(), self.part) {
            (true, _) => self.choice.filter(),
            (false, Part::Legend) => self.legend.filter_text(),
            (false, Part::List) => self.list.filter_text(),
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        keys::hints(self.editing.is_open(), self.choice.is_open(), self.part)
    }

    fn brief(&self, ctx: &Ctx) -> String {
        let title = match &self.asked {
            Some(asked) => format!("PromQL {}", asked.query),
            None => "held by the console".to_owned(),
        };
        brief(ctx.world, &self.shown(ctx.world), &title)
    }
}

#[cfg(test)]
mod tests;

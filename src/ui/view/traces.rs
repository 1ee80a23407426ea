//! Traces: those that a search found, and of the one that is opened the waterfall of its spans.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::common::{Numbers, above, beside, focused, inside, lines, pane};
use super::editing::{Editing, Shown};
use super::{Ctx, Entry, Focus, Goto, ScreenId, View};
use crate::command::{Command, Jump};
use crate::message::Effect;
use crate::model::ask::Answered;
use crate::model::id::ClusterId;
use crate::model::trace::{Node, Trace, TraceId};
use crate::state::world::World;
use crate::ui::Window;
use crate::ui::widget::table::Table;

mod asked;
mod complete;
mod keep;
mod list;
mod map;
mod motion;
mod query;
mod span;
#[cfg(test)]
mod tests;
mod waterfall;
mod whither;

use asked::{Opened, Row, Search};
use map::Map;

#[derive(Debug)]
pub struct Traces {
    list: Table<(ClusterId, TraceId)>,
    search: Option<Search>,
    opened: Option<Opened>,
    /// The service graph, over all else.
    map: Option<Map>,
    /// The pane with all that is known of a span.
    detail: bool,
    /// Only traces with errors.
    problems: bool,
    editing: Editing,
    scope: Option<ClusterId>,
    window: Window,
    numbers: Numbers,
    area: Rect,
}

impl Default for Traces {
    fn default() -> Self {
        Self {
            list: Table::sorted(0),
            search: None,
            opened: None,
            map: None,
            detail: true,
            problems: false,
            editing: Editing::new(&complete::ABOUT),
            scope: None,
            window: Window::HOUR,
            numbers: Numbers::new(ScreenId::Traces),
            area: Rect::ZERO,
        }
    }
}

/// Where the parts stand; a part without height or width is left out.
struct Layout {
    query: Rect,
    list: Rect,
    waterfall: Rect,
    span: Rect,
    map: Rect,
}

/// From this width on the span stands beside the waterfall.
const WIDE: u16 = 110;

impl Traces {
    fn layout(&self, area: Rect) -> Layout {
        let faults = self.search.as_ref().is_some_and(|s| {
            s.query.is_err() || !s.asking.faults.is_empty() || !s.asking.warnings.is_empty()
        });
        let small = area.height < 28;
        let none = Rect { height: 0, ..area };
        let query_rows = match (self.opened.is_some() && small, faults) {
            (true, _) if !self.editing.is_open() => 0,
            (_, true) if !self.editing.is_open() => 6,
            _ if self.editing.is_open() => 5,
            _ => 3,
        };
        let query = Rect {
            height: query_rows.min(area.height),
            ..area
        };
        let (_, rest) = above(area, area.height - query.height);
        if self.opened.is_none() || self.map.is_some() {
            let (list, map) = match self.map.is_some() {
                true => (none, rest),
                false => (rest, none),
            };
            return Layout {
                query,
                list,
                waterfall: none,
                span: none,
                map,
            };
        }
        let (list, low) = match small {
            true => (none, rest),
            false => above(rest, rest.height - (rest.height / 4).clamp(5, 10)),
        };
        let (waterfall, span) = match (self.detail, low.width >= WIDE) {
            (true, true) => {
                let (left, right) = beside(low, WIDE, (low.width / 3).clamp(40, 64));
                (left, right.unwrap_or(none))
            }
            (false, _) => (low, none),
            (true, false) => above(low, low.height / 2),
        };
        Layout {
            query,
            list,
            waterfall,
            span,
            map: none,
        }
    }

    fn rows(&self) -> Vec<Row> {
        let rows = self.search.iter().flat_map(|s| &s.rows);
        let passes = |row: &&Row| {
            let found = &row.found;
            let fields = [
                ("service", found.service.as_str()),
                ("operation", found.operation.as_str()),
                ("trace", &found.id.to_string()),
            ];
            (!self.problems || found.failed() == Some(true)) && self.list.filter().matches(&fields)
        };
        rows.filter(passes).cloned().collect()
    }

    /// The row under the cursor.
    fn chosen(&self) -> Option<Row> {
        let rows = self.rows();
        let at = self.list.position(&rows, Row::id)?;
        rows.get(at).cloned()
    }

    /// The span under the cursor, with its trace and cluster.
    fn under(&self) -> Option<(ClusterId, &Trace, &Node)> {
        let opened = self.opened.as_ref()?;
        let (cluster, trace) = opened.got.as_ref()?;
        let node = trace.nodes.get(opened.under()?)?;
        Some((*cluster, trace, node))
    }

    fn draw_query(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        if self.editing.is_open() {
            self.editing.draw(ctx, area, buf, &Shown::default());
            return;
        }
        let status = match &self.search {
            Some(search) => list::status(search, self.rows().len(), ctx.world.now),
            None => String::new(),
        };
        let inner = pane(ctx, area, buf, "traceql (o edit)", &status, false);
        if let Some(search) = &self.search {
            list::draw_told(ctx, inner, buf, search);
        }
    }

    fn draw_list(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let rows = self.rows();
        let right = if self.problems {
            "with errors only"
        } else {
            ""
        };
        let here = self.opened.is_none() && !self.editing.is_open();
        let inner = pane(ctx, area, buf, "traces", right, here);
        if rows.is_empty() {
            let filtered = self.problems || !self.list.filter_text().is_empty();
            let held = self.search.as_ref().is_some_and(|s| !s.rows.is_empty());
            list::draw_empty(ctx, inner, buf, self.search.as_ref(), filtered && held);
            return;
        }
        list::draw(&focused(ctx, here), inner, buf, (&self.list, &rows));
    }

    fn draw_span(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let (Some(opened), Some((_, trace, node))) = (&self.opened, self.under()) else {
            pane(ctx, area, buf, "span", "", false);
            return;
        };
        let wide = usize::from(area.width.saturating_sub(2));
        let text = span::lines(ctx, trace, node, wide);
        let shown = usize::from(area.height.saturating_sub(2));
        let skip = opened.scroll.min(text.len().saturating_sub(shown));
        let right = match text.len() > shown {
            true => format!("{}/{} J K", skip + shown, text.len()),
            false => "d closes".to_owned(),
        };
        let inner = pane(ctx, area, buf, "span", &right, false);
        lines(ctx, inner, buf, &text, skip);
    }
}

impl View for Traces {
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect> {
        self.command(command, world)
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let parts = self.layout(area);
        if parts.query.height > 0 {
            self.draw_query(ctx, parts.query, buf);
        }
        if parts.list.height > 0 {
            self.draw_list(ctx, parts.list, buf);
        }
        if let Some(opened) = self.opened.as_ref().filter(|_| parts.waterfall.height > 0) {
            let title = waterfall::title(ctx, opened);
            let here = !self.editing.is_open();
            let inner = pane(ctx, parts.waterfall, buf, &title, "█ critical path", here);
            waterfall::draw(&focused(ctx, here), inner, buf, opened);
        }
        if parts.span.height > 0 {
            self.draw_span(ctx, parts.span, buf);
        }
        if let Some(map) = self.map.as_ref().filter(|_| parts.map.height > 0) {
            let here = !self.editing.is_open();
            let inner = pane(ctx, parts.map, buf, "service graph", &map.origin(ctx), here);
            map.draw(&focused(ctx, here), inner, buf);
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
        if let Some(opened) = &mut self.opened {
            let area = waterfall::spans(inside(parts.waterfall), opened);
            opened.table.place(area);
        }
        if let Some(map) = &mut self.map {
            map.table.place(inside(parts.map));
        }
    }

    fn enter(&mut self, entry: &Entry, world: &World) -> Vec<Effect> {
        let moved = self.scope != entry.scope || self.window != entry.window;
        self.scope = entry.scope;
        self.window = entry.window;
        match (&entry.query, self.search.as_ref().map(|s| s.text.clone())) {
            (Some(query), _) => self.run(query, world),
            (None, Some(text)) if moved => self.seek(&text, world),
            (None, None) if self.opened.is_none() => self.seek("", world),
            _ => Vec::new(),
        }
    }

    fn back(&mut self) -> bool {
        if self.editing.back() {
            return true;
        }
        if let Some(map) = &mut self.map {
            if !map.table.back() && !std::mem::take(&mut map.failing) {
                self.map = None;
            }
            return true;
        }
        // Beside the waterfall the span is no step of its own.
        let over = self.opened.is_some() && self.area.width < WIDE;
        if over && std::mem::take(&mut self.detail) {
            return true;
        }
        if self.opened.take().is_some() {
            return true;
        }
        self.list.back() || std::mem::take(&mut self.problems)
    }

    fn depth(&self) -> usize {
        let steps = [
            self.opened.is_some() && self.area.width < WIDE && self.detail,
            self.opened.is_some(),
            !self.list.filter_text().is_empty(),
            self.problems,
            self.map.is_some(),
        ];
        steps.into_iter().filter(|open| *open).count() + self.editing.depth()
    }

    fn focus(&self, _world: &World) -> Option<Focus> {
        self.thing()
    }

    fn leads(&self, to: Jump, _world: &World) -> Option<Goto> {
        self.whither(to)
    }

    fn answer(&mut self, answered: &Answered, world: &World) -> Vec<Effect> {
        if self.editing.take(answered, world, self.scope) {
            return Vec::new();
        }
        let rows = self.search.as_ref().map_or(&[][..], |s| &s.rows);
        if let Some(effects) = self
            .map
            .as_mut()
            .and_then(|map| map.take(answered, rows, &mut self.numbers))
        {
            return effects;
        }
        if let Some(search) = &mut self.search {
            search.take(answered);
        }
        if let Some(opened) = &mut self.opened {
            opened.take(answered);
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
        if self.map.is_some() && !self.editing.is_open() {
            return &[
                ("Enter", "its traces"),
                ("!", "failing"),
                ("/", "filter"),
                ("m", "traces"),
                ("r", "again"),
            ];
        }
        match (self.editing.is_open(), self.opened.is_some()) {
            (true, _) => &[
                ("Enter", "run"),
                ("Tab", "complete"),
                ("Up", "history"),
                ("Esc", "leave"),
            ],
            (false, false) => &[
                ("Enter", "waterfall"),
                ("o", "search"),
                ("m", "service graph"),
                ("!", "errors"),
                ("/", "filter"),
                ("r", "again"),
            ],
            (false, true) => &[
                ("e", "next error"),
                ("z", "fold"),
                ("d", "span"),
                ("xl", "logs"),
                ("xm", "metrics"),
                ("m", "service graph"),
            ],
        }
    }

    fn brief(&self, ctx: &Ctx) -> String {
        self.words(ctx)
    }
}

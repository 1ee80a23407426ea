//! Dashboards: panels of queries over the clusters of the scope, with variables to choose.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::common::{Numbers, empty, inside, pane};
use super::{Ctx, Entry, Focus, Goto, ScreenId, View};
use crate::command::Command;
use crate::message::Effect;
use crate::model::ask::Answered;
use crate::model::dashboard::{Dashboard, Source};
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;
use crate::state::world::World;
use crate::store::answers::Answers;
use crate::ui::Window;
use crate::ui::panel::asked::Desk;
use crate::ui::widget::table::{Column, Table};

mod board;
mod choice;
mod grid;
mod head;
mod legend;
mod list;
mod logs;
mod motion;
mod panel;
mod values;

use board::Board;

/// Most bytes of answers kept for when they are wanted again.
const ANSWERS_BYTES: u64 = 64 << 20;

const LIST: [Column<'static>; 4] = [
    Column::new("DASHBOARD", 12, 40),
    Column::new("PANELS", 6, 6).right(),
    Column::new("FROM", 8, 40).priority(2),
    Column::new("ABOUT", 30, 200).priority(1),
];

#[derive(Debug)]
pub struct Dashboards {
    list: Table<Arc<str>>,
    open: Option<Board>,
    scope: Option<ClusterId>,
    window: Window,
    /// The time cursor of all screens.
    at: Option<Timestamp>,
    answers: Answers,
    numbers: Numbers,
    area: Rect,
}

impl Default for Dashboards {
    fn default() -> Self {
        Self {
            list: Table::default(),
            open: None,
            scope: None,
            window: Window::HOUR,
            at: None,
            answers: Answers::new(ANSWERS_BYTES),
            numbers: Numbers::new(ScreenId::Dashboards),
            area: Rect::ZERO,
        }
    }
}

impl Dashboards {
    /// The board that is open, and what it needs to ask.
    fn at_work<'a>(&'a mut self, world: &'a World) -> Option<(&'a mut Board, Site<'a>)> {
        let site = Site {
            desk: Desk {
                world,
                numbers: &mut self.numbers,
                answers: &mut self.answers,
            },
            scope: self.scope,
            window: self.window,
            at: self.at,
        };
        self.open.as_mut().map(|board| (board, site))
    }

    fn rows<'a>(&self, world: &'a World) -> Vec<&'a Arc<Dashboard>> {
        let fits = |d: &&Arc<Dashboard>| {
            let fields = [("name", d.name.as_ref()), ("about", d.about.as_str())];
            self.list.filter().matches(&fields)
        };
        let mut rows: Vec<_> = world.dashboards.iter().filter(fits).collect();
        // Who types a name means the name.
        rows.sort_by_key(|d| !self.list.filter().matches(&[("name", &d.name)]));
        rows
    }

    fn chosen<'a>(&self, world: &'a World) -> Option<&'a Arc<Dashboard>> {
        let rows = self.rows(world);
        let at = self.list.position(&rows, |d| Arc::clone(&d.name))?;
        rows.get(at).copied()
    }

    fn show(&mut self, board: &Arc<Dashboard>, world: &World) -> Vec<Effect> {
        self.open = Some(Board::new(Arc::clone(board)));
        let area = self.area;
        let Some((board, mut site)) = self.at_work(world) else {
            return Vec::new();
        };
        board.place(area);
        board.begin(&mut site)
    }
}

/// What a board needs to ask.
struct Site<'a> {
    desk: Desk<'a>,
    scope: Option<ClusterId>,
    window: Window,
    /// The time cursor.
    at: Option<Timestamp>,
}

impl View for Dashboards {
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect> {
        if let Some((board, mut site)) = self.at_work(world) {
            return board.update(&command, &mut site);
        }
        if command == Command::Open {
            return match self.chosen(world) {
                Some(board) => self.show(&Arc::clone(board), world),
                None => Vec::new(),
            };
        }
        let rows = self.rows(world);
        self.list.update(&command, &rows, |d| Arc::clone(&d.name));
        Vec::new()
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        match &self.open {
            Some(board) => board.draw(ctx, area, buf),
            None => self.draw_list(ctx, area, buf),
        }
        if ctx.ascii {
            crate::ui::widget::text::fold_ascii(area, buf);
        }
    }

    fn place(&mut self, area: Rect, world: &World) {
        self.area = area;
        self.list.place(inside(list::table(area, world)));
        if let Some(board) = &mut self.open {
            board.place(area);
        }
    }

    fn enter(&mut self, entry: &Entry, world: &World) -> Vec<Effect> {
        let moved = self.scope != entry.scope || self.window != entry.window;
        let other = self.scope != entry.scope;
        (self.scope, self.window) = (entry.scope, entry.window);
        if let Some(name) = &entry.query
            && let Some(board) = world.dashboards.iter().find(|d| *d.name == **name)
        {
            return self.show(&Arc::clone(board), world);
        }
        match self.at_work(world) {
            Some((board, mut site)) if other => board.begin(&mut site),
            Some((board, mut site)) if moved => board.ask(&mut site, false),
            Some((board, mut site)) => board.follow(&mut site),
            None => Vec::new(),
        }
    }

    fn open(&mut self, _world: &World) -> Option<Goto> {
        None
    }

    fn back(&mut self) -> bool {
        let Some(board) = &mut self.open else {
            return self.list.back();
        };
        if !board.back() {
            self.open = None;
        }
        true
    }

    fn depth(&self) -> usize {
        match &self.open {
            Some(board) => board.depth() + 1,
            None => usize::from(!self.list.filter_text().is_empty()),
        }
    }

    fn focus(&self, world: &World) -> Option<Focus> {
        let text = match &self.open {
            Some(board) => board.told_of_panel()?,
            None => format!("dashboard {}", self.chosen(world)?.name),
        };
        Some(Focus::Text {
            cluster: self.scope,
            text,
        })
    }

    fn leads(&self, to: crate::command::Jump, _world: &World) -> Option<Goto> {
        use crate::command::Jump;
        let (query, source) = self.open.as_ref()?.query_of_panel(self.window)?;
        let screen = match (to, source) {
            (Jump::Metrics, Source::Prometheus) => ScreenId::Metrics,
            (Jump::Logs, Source::Loki) => ScreenId::Logs,
            _ => return None,
        };
        Some(Goto {
            screen,
            query: Some(query),
            ..Goto::default()
        })
    }

    fn answer(&mut self, answered: &Answered, world: &World) -> Vec<Effect> {
        match self.at_work(world) {
            Some((board, mut site)) => board.answer(answered, &mut site),
            None => Vec::new(),
        }
    }

    fn time_plots(&self, _world: &World) -> Vec<Rect> {
        self.open.as_ref().map(Board::plots).unwrap_or_default()
    }

    fn point(&mut self, at: Option<Timestamp>) {
        self.at = at;
    }

    fn work(&mut self, world: &World) -> Vec<Effect> {
        match self.at_work(world) {
            Some((board, mut site)) => board.follow(&mut site),
            None => Vec::new(),
        }
    }

    fn cancel(&mut self) -> Option<Vec<Effect>> {
        self.open.as_mut()?.cancel()
    }

    fn typing(&self) -> bool {
        self.open.as_ref().is_some_and(Board::is_typing)
    }

    fn filter(&self) -> &str {
        match &self.open {
            Some(board) => board.filter(),
            None => self.list.filter_text(),
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        match &self.open {
            Some(board) => board.hints(),
            None => &[("Enter", "open"), ("/", "narrow")],
        }
    }

    fn brief(&self, ctx: &Ctx) -> String {
        match &self.open {
            Some(board) => board.brief(ctx.world),
            None => "the list of dashboards".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;

//! The message bus: streams and consumers, what passes on the followed subjects, and one message
//! as a tree.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::common::{Numbers, inside};
use super::scroll::Scroll;
use super::{Ctx, Entry, Focus, Goto, ScreenId, View};
use crate::command::Command;
use crate::message::Effect;
use crate::model::ask::Answered;
use crate::model::bus::Following;
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;
use crate::state::world::World;
use crate::ui::Window;
use crate::ui::widget::table::Table;

mod history;
mod layout;
mod messages;
mod state;
mod streams;
mod tree;

use history::History;
use layout::{Places, places};
use messages::MessageId;
use streams::StreamId;

/// What has the cursor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Streams,
    Messages,
    Tree,
}

impl Part {
    fn next(self, on: bool) -> Self {
        match (self, on) {
            (Self::Streams, true) | (Self::Tree, false) => Self::Messages,
            (Self::Messages, true) | (Self::Streams, false) => Self::Tree,
            (Self::Tree, true) | (Self::Messages, false) => Self::Streams,
        }
    }
}

#[derive(Debug)]
pub struct Bus {
    part: Part,
    streams: Table<StreamId>,
    messages: Table<MessageId>,
    /// What a stream keeps, in place of what passes.
    history: Option<History>,
    /// What the operator wants followed; `None`: as configured.
    wanted: Option<Following>,
    scope: Option<ClusterId>,
    window: Window,
    /// Where the time cursor stands, here or on another screen: what passed later is not shown.
    pointed: Option<Timestamp>,
    problems: bool,
    /// The first bytes as they came, in place of the tree.
    hex: bool,
    scroll: Scroll,
    numbers: Numbers,
    area: Rect,
}

impl Default for Bus {
    fn default() -> Self {
        Self {
            part: Part::default(),
            streams: Table::sorted(streams::COLUMNS.len()),
            messages: Table::default(),
            history: None,
            wanted: None,
            scope: None,
            window: Window::HOUR,
            pointed: None,
            problems: false,
            hex: false,
            scroll: Scroll::default(),
            numbers: Numbers::new(ScreenId::Bus),
            area: Rect::ZERO,
        }
    }
}

impl Bus {
    /// Follows this from now on; `None`: what the configuration says.
    pub fn follow(&mut self, wanted: Option<Following>) {
        self.wanted = wanted;
        self.history = None;
        self.messages = Table::default();
        self.part = Part::Messages;
    }

    /// What the operator wants followed; `None`: as configured.
    pub fn wanted(&self) -> Option<&Following> {
        self.wanted.as_ref()
    }

    /// Up to when messages are shown; `None`: up to now.
    fn until(&self) -> Option<Timestamp> {
        let ends = [self.window.end, self.pointed];
        ends.into_iter().flatten().min()
    }

    fn places(&self, area: Rect) -> Places {
        places(area, self.part)
    }

    /// The table with the cursor; the tree has none.
    fn move_in(&mut self, command: &Command, world: &World) -> bool {
        match self.part {
            Part::Streams => {
                let rows = self.stream_rows(world);
                self.streams.update(command, &rows, streams::id)
            }
            Part::Messages => {
                let mut table = self.messages.clone();
                let rows = self.message_rows(world);
                let moved = table.update(command, &rows, messages::id);
                drop(rows);
                self.messages = table;
                if moved {
                    self.scroll.to_top();
                }
                moved
            }
            Part::Tree => match command {
                Command::Down | Command::PageDown => {
                    self.scroll.down();
                    true
                }
                Command::Up | Command::PageUp => {
                    self.scroll.up();
                    true
                }
                Command::Top => {
                    self.scroll.to_top();
                    true
                }
                Command::Bottom => {
                    self.scroll.to_end();
                    true
                }
                _ => false,
            },
        }
    }

    /// A click chooses the pane it falls into.
    fn choose_part(&mut self, command: &Command) {
        if let Command::Click { column, row } = command {
            let places = self.places(self.area);
            let within = |area: Rect| area.contains((*column, *row).into());
            if within(places.streams) {
                self.part = Part::Streams;
            } else if within(places.messages) {
                self.part = Part::Messages;
            } else if within(places.tree) {
                self.part = Part::Tree;
            }
        }
    }

    fn turn(&mut self, on: bool, world: &World) {
        self.part = self.part.next(on);
        self.place(self.area, world);
    }

    fn copy(&self, world: &World) -> Option<Effect> {
        let text = match self.part {
            Part::Streams => {
                let rows = self.stream_rows(world);
                let at = self.streams.position(&rows, streams::id)?;
                streams::plain(rows.get(at)?)
            }
            Part::Messages | Part::Tree => tree::plain(self.chosen(world)?.message),
        };
        Some(Effect::Copy(text))
    }
}

impl View for Bus {
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect> {
        self.choose_part(&command);
        if self.move_in(&command, world) {
            // What is wrong with another row takes another room.
            self.place(self.area, world);
            return Vec::new();
        }
        match command {
            Command::NextPane => self.turn(true, world),
            Command::PreviousPane => self.turn(false, world),
            Command::Problems => self.problems = !self.problems,
            Command::Fold => {
                self.hex = !self.hex;
                self.scroll.to_top();
            }
            Command::ScrollDown => self.scroll.down(),
            Command::ScrollUp => self.scroll.up(),
            Command::CopyRow => return self.copy(world).into_iter().collect(),
            Command::NextProblem => self.next_problem(true, world),
            Command::PreviousProblem => self.next_problem(false, world),
            Command::Open => match self.part {
                Part::Streams => return self.read_stream(world),
                Part::Messages => self.turn(true, world),
                Part::Tree => {}
            },
            _ => {}
        }
        Vec::new()
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let places = self.places(area);
        if !places.streams.is_empty() {
            self.draw_streams(ctx, places.streams, buf);
        }
        if !places.messages.is_empty() {
            self.draw_messages(ctx, places.messages, buf);
        }
        if !places.tree.is_empty() {
            self.draw_tree(ctx, places.tree, buf);
        }
        if ctx.ascii {
            crate::ui::widget::text::fold_ascii(area, buf);
        }
    }

    fn place(&mut self, area: Rect, world: &World) {
        self.area = area;
        let places = self.places(area);
        let streams = inside(places.streams);
        let notes = self.notes(world, &self.stream_rows(world), streams.width);
        let rows = u16::try_from(notes.len()).unwrap_or(u16::MAX);
        self.streams.place(Rect {
            height: streams.height.saturating_sub(rows),
            ..streams
        });
        let messages = inside(places.messages);
        self.messages.place(Rect {
            height: messages.height.saturating_sub(1),
            ..messages
        });
    }

    fn enter(&mut self, entry: &Entry, world: &World) -> Vec<Effect> {
        self.scope = entry.scope;
        self.window = entry.window;
        self.place(self.area, world);
        Vec::new()
    }

    fn open(&mut self, _world: &World) -> Option<Goto> {
        None
    }

    fn back(&mut self) -> bool {
        if self.part == Part::Tree {
            self.part = Part::Messages;
            return true;
        }
        if self.history.take().is_some() {
            self.messages = Table::default();
            self.part = Part::Streams;
            return true;
        }
        let filtered = match self.part {
            Part::Streams => self.streams.back(),
            Part::Messages | Part::Tree => self.messages.back(),
        };
        if filtered || std::mem::take(&mut self.problems) {
            return true;
        }
        std::mem::take(&mut self.part) != Part::Streams
    }

    fn depth(&self) -> usize {
        [
            self.part == Part::Tree,
            self.history.is_some(),
            !self.filter().is_empty(),
            self.problems,
            self.part == Part::Messages,
        ]
        .into_iter()
        .filter(|open| *open)
        .count()
    }

    fn focus(&self, world: &World) -> Option<Focus> {
        let (cluster, text) = match self.part {
            Part::Streams => {
                let rows = self.stream_rows(world);
                let at = self.streams.position(&rows, streams::id)?;
                let row = rows.get(at)?;
                (row.cluster.id, streams::name(row))
            }
            Part::Messages | Part::Tree => {
                let row = self.chosen(world)?;
                (row.cluster, row.message.subject.to_string())
            }
        };
        Some(Focus::Text {
            cluster: Some(cluster),
            text,
        })
    }

    fn answer(&mut self, answered: &Answered, world: &World) -> Vec<Effect> {
        if let Some(history) = &mut self.history {
            history.take(answered);
        }
        self.place(self.area, world);
        Vec::new()
    }

    fn point(&mut self, at: Option<Timestamp>) {
        self.pointed = at;
    }

    fn beside(&self, at: Option<Timestamp>, on: bool, world: &World) -> Option<Timestamp> {
        let rows = self.message_rows(world);
        let mut times: Vec<Timestamp> = rows.iter().map(|r| r.message.at).collect();
        times.sort_unstable();
        match at {
            None => times.last().copied(),
            Some(at) if on => times.into_iter().find(|t| *t > at),
            Some(at) => times.into_iter().rfind(|t| *t < at),
        }
    }

    fn filter(&self) -> &str {
        match self.part {
            Part::Streams => self.streams.filter_text(),
            Part::Messages | Part::Tree => self.messages.filter_text(),
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        match self.part {
            Part::Streams => &[
                ("Enter", "what it keeps"),
                ("Tab", "messages"),
                ("f", "follow"),
                ("!", "problems"),
                ("/", "filter"),
            ],
            Part::Messages => &[
                ("Enter", "tree"),
                ("Tab", "tree"),
                ("f", "follow"),
                ("p", "hold"),
                ("/", "filter"),
            ],
            Part::Tree => &[
                ("z", "bytes"),
                ("j k", "scroll"),
                ("yy", "copy"),
                ("Esc", "back"),
            ],
        }
    }

    fn brief(&self, ctx: &Ctx) -> String {
        let rows = self.stream_rows(ctx.world);
        let mut text = self.notes(ctx.world, &rows, u16::MAX).join("\n");
        for row in rows.iter().take(20) {
            text.push('\n');
            text.push_str(&streams::plain(row));
        }
        text.push('\n');
        text.push_str(&self.tail_title(ctx.world));
        if let Some(row) = self.chosen(ctx.world) {
            text.push_str("\nchosen:\n");
            text.push_str(&tree::plain(&row.message.masked()));
        }
        text
    }
}

#[cfg(test)]
mod tests;

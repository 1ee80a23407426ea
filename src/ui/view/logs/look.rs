//! Keys for how the lines are looked at, and for what goes beyond them.

use super::{Logs, Mode};
use crate::command::Command;
use crate::message::Effect;
use crate::state::world::World;
use crate::ui::view::View;
use crate::ui::widget::table::Table;

impl Logs {
    /// `None`: the command is none of these.
    pub(super) fn look_command(&mut self, command: &Command, world: &World) -> Option<Vec<Effect>> {
        match command {
            Command::Form => return Some(self.open_form(world)),
            Command::LoadOn => return Some(self.load_on(world)),
            Command::Around => return Some(self.around(world)),
            Command::Only => return Some(self.narrow(false, world)),
            Command::Without => return Some(self.narrow(true, world)),
            Command::Column => return Some(self.toggle_column(world)),
            Command::Bookmark => self.toggle_mark(world),
            Command::NextBookmark => self.next_mark(world),
            Command::Fold => self.unfold(world),
            Command::FoldAll => self.unfold_all(),
            Command::Export(format) => return Some(vec![self.export(*format, world)]),
            Command::Compare(range) => return Some(self.compare(*range, world)),
            Command::Mode => self.next_mode(world),
            Command::Stamps => self.stamps = self.stamps.next(),
            Command::Delta => self.delta = !self.delta,
            Command::Right | Command::ScrollDown => self.scroll_by(1),
            Command::Left | Command::ScrollUp => self.scroll_by(-1),
            _ => return None,
        }
        Some(Vec::new())
    }

    /// Lines, patterns, volume; from the comparison back to the lines.
    fn next_mode(&mut self, world: &World) {
        self.mode = match self.mode {
            Mode::Lines => Mode::Patterns(Table::default()),
            Mode::Patterns(_) => Mode::Volume(Table::default()),
            Mode::Volume(_) | Mode::Compare(_) => Mode::Lines,
        };
        self.place(self.area, world);
    }

    /// The cursor of the detail, or the legend of the curves.
    fn scroll_by(&mut self, by: isize) {
        match &mut self.counted {
            Some(counted) => counted.scroll(by > 0),
            None => self.move_field(by),
        }
    }

    pub(super) fn fields_shown(&self) -> bool {
        self.detail == Some(true) && self.shows_lines()
    }

    /// How the lines are looked at, where it is not the usual way.
    pub(super) fn looks(&self) -> Vec<String> {
        let mut out = Vec::new();
        out.extend(self.aside.as_ref().map(|a| a.by.told().to_owned()));
        out.extend(self.stamps.word().map(|w| format!("times {w}")));
        if self.delta {
            out.push("since the line before".to_owned());
        }
        if !self.columns.is_empty() {
            out.push(self.columns.join(", "));
        }
        if !self.marks.is_empty() {
            out.push(format!("{} marked (B)", self.marks.len()));
        }
        out
    }

    /// Esc: what was opened last on top of the lines.
    pub(super) fn close_one(&mut self) -> bool {
        if self.form.take().is_some() || self.editing.back() {
            return true;
        }
        if self.counted.take().is_some() {
            return true;
        }
        if self.detail == Some(true) {
            self.detail = None;
            return true;
        }
        if !self.shows_lines() {
            self.mode = Mode::Lines;
            return true;
        }
        false
    }
}

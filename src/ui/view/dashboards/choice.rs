//! What a variable may be: a sheet of its values, or a line to type in.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::values::{Value, Values};
use crate::command::Command;
use crate::model::dashboard::Choices;
use crate::ui::Ctx;
use crate::ui::layout::middle;
use crate::ui::view::common::{empty, inside, sheet};
use crate::ui::widget::field::{Field, typed};
use crate::ui::widget::table::{Column, Table};

const COLUMNS: [Column<'static>; 2] = [Column::new("", 3, 3), Column::new("VALUE", 12, 120)];
/// The row that stands for everything.
const ALL: &str = "all";

#[derive(Debug)]
pub struct Choosing {
    /// Place of the variable.
    pub of: usize,
    title: String,
    multi: bool,
    has_all: bool,
    all: bool,
    marked: BTreeSet<String>,
    offered: Vec<String>,
    note: String,
    table: Table<String>,
    /// Typed instead of chosen.
    field: Option<Field>,
}

/// What a command led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Stay,
    /// The sheet closes, and what is marked holds.
    Taken,
}

impl Choosing {
    pub fn new(of: usize, value: &Value) -> Self {
        let text = value.variable.choices == Choices::Text;
        let mut choosing = Self {
            of,
            title: value.variable.title().to_owned(),
            multi: value.variable.multi,
            has_all: value.variable.all.is_some(),
            all: value.all,
            marked: value.chosen.iter().cloned().collect(),
            offered: Vec::new(),
            note: String::new(),
            table: Table::default(),
            field: text.then(|| Field::new(value.chosen.first().map_or("", String::as_str))),
        };
        choosing.hear(value);
        choosing
    }

    fn hear(&mut self, value: &Value) {
        self.offered.clone_from(&value.offered);
        self.note = match (&value.fault, value.is_waiting(), value.cut) {
            (_, true, _) => "asking …".into(),
            (Some(fault), ..) => fault.to_string(),
            (None, false, true) => "not all values are held".into(),
            (None, false, false) => String::new(),
        };
    }

    /// More is known.
    pub fn look(&mut self, values: &Values) {
        if let Some(value) = values.all.get(self.of) {
            self.hear(value);
        }
    }

    pub fn is_typing(&self) -> bool {
        self.field.is_some()
    }

    pub fn filter(&self) -> &str {
        self.table.filter_text()
    }

    fn rows(&self) -> Vec<&str> {
        let all = self.has_all.then_some(ALL);
        let offered = self.offered.iter().map(String::as_str);
        let fits = |v: &&str| self.table.filter().matches(&[("value", v)]);
        all.into_iter().chain(offered).filter(fits).collect()
    }

    pub fn update(&mut self, command: &Command) -> Outcome {
        if let (Some(_), Command::Type(press)) = (&self.field, command) {
            return match typed(&mut self.field, *press) {
                Some(text) => {
                    self.marked = [text].into();
                    Outcome::Taken
                }
                None => Outcome::Stay,
            };
        }
        if let (Some(field), Command::Paste(text)) = (&mut self.field, command) {
            field.paste(text);
            return Outcome::Stay;
        }
        let rows: Vec<String> = self.rows().into_iter().map(str::to_owned).collect();
        let clicked = matches!(command, Command::Click { .. });
        let moved = self.table.update(command, &rows, String::clone);
        let chosen = self.table.position(&rows, String::clone);
        let chosen = chosen.and_then(|at| rows.get(at));
        match command {
            Command::Open if !self.multi => {
                if let Some(chosen) = chosen {
                    self.only(&chosen.clone());
                }
                return Outcome::Taken;
            }
            Command::Open => self.toggle(chosen.cloned()),
            _ if clicked && moved => self.toggle(chosen.cloned()),
            Command::NextPane | Command::PreviousPane => return Outcome::Taken,
            _ => {}
        }
        Outcome::Stay
    }

    /// The row that stands for everything is the first, whatever values are called.
    fn is_all(&self, row: &str) -> bool {
        self.has_all && row == ALL
    }

    fn only(&mut self, row: &str) {
        self.all = self.is_all(row);
        self.marked.clear();
        if !self.all {
            self.marked.insert(row.to_owned());
        }
    }

    fn toggle(&mut self, row: Option<String>) {
        let Some(row) = row else {
            return;
        };
        if self.is_all(&row) || !self.multi {
            return self.only(&row);
        }
        self.all = false;
        if !self.marked.remove(&row) {
            self.marked.insert(row);
        }
        // Nothing at all cannot be asked for.
        self.all |= self.marked.is_empty() && self.has_all;
    }

    /// Puts what is marked into the variable; true: it is something else now.
    pub fn put(self, values: &mut Values) -> bool {
        let Some(value) = values.all.get_mut(self.of) else {
            return false;
        };
        let marked: Vec<String> = self.marked.into_iter().collect();
        if marked.is_empty() && !self.all || (value.all, &value.chosen) == (self.all, &marked) {
            return false;
        }
        (value.all, value.chosen) = (self.all, marked);
        true
    }

    pub fn place(&mut self, area: Rect) {
        let (width, height) = self.size(area);
        self.table.place(inside(middle(area, width, height)));
    }

    fn size(&self, area: Rect) -> (u16, u16) {
        let rows = u16::try_from(self.offered.len()).unwrap_or(u16::MAX);
        let height = match self.field {
            Some(_) => 3,
            None => rows.saturating_add(5).min(area.height).max(6),
        };
        (area.width.min(76), height)
    }

    pub fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let right = match (&self.field, self.multi) {
            (Some(_), _) => "Enter takes it",
            (None, true) => "Enter marks · Tab takes them · / narrows",
            (None, false) => "Enter takes it · / narrows",
        };
        let inner = sheet(ctx, area, self.size(area), buf, &self.title, right);
        if let Some(field) = &self.field {
            return field.draw(ctx, inner, buf);
        }
        let rows = self.rows();
        if self.offered.is_empty() && !self.note.is_empty() {
            empty(ctx, inner, buf, &self.note);
        } else if !self.note.is_empty() {
            let y = inner.bottom().saturating_sub(1);
            ctx.put(buf, (inner.x, y), inner.width, &self.note, ctx.theme.muted);
        }
        self.table.draw(
            ctx,
            inner,
            buf,
            (&COLUMNS, &rows),
            |row| (*row).to_owned(),
            |row, column| self.cell(ctx, row, column),
        );
    }

    fn cell<'a>(&self, ctx: &Ctx<'a>, row: &'a str, column: usize) -> Line<'a> {
        let theme = ctx.theme;
        let marked = match self.is_all(row) {
            true => self.all,
            false => !self.all && self.marked.contains(row),
        };
        match (column, marked) {
            (0, true) => Line::styled("[x]", theme.accent),
            (0, false) => Line::styled("[ ]", theme.muted),
            _ => Line::styled(row.to_owned(), theme.base),
        }
    }
}

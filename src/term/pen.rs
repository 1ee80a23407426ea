//! Cells in the fewest bytes: where the terminal writes, in which style, and what it need not be told.

use std::io::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::caps::{Capabilities, ColorDepth, Multiplexer};
use super::color;

/// How the terminal writes now.
pub(super) struct Pen {
    depth: ColorDepth,
    ascii: bool,
    /// Erasing leaves the background that is set (not so in GNU screen).
    erases_in_colour: bool,
    pub(super) at: Option<(u16, u16)>,
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Pen {
    pub(super) fn new(caps: &Capabilities) -> Self {
        Self {
            depth: caps.depth,
            ascii: caps.ascii,
            erases_in_colour: caps.multiplexer != Multiplexer::Screen,
            at: None,
            fg: Color::Reset,
            bg: Color::Reset,
            modifier: Modifier::empty(),
        }
    }

    /// The terminal was told to reset its style.
    pub(super) fn forget(&mut self) {
        self.at = None;
        (self.fg, self.bg, self.modifier) = (Color::Reset, Color::Reset, Modifier::empty());
    }

    /// Erases a run of blanks if that is shorter than writing them.
    pub(super) fn erase(
        &mut self,
        out: &mut Vec<u8>,
        (column, row): (u16, u16),
        blanks: u16,
        all: &Buffer,
    ) -> bool {
        let Some(first) = all.cell((column, row)).filter(|_| blanks >= ERASE) else {
            return false;
        };
        let bare = color::shade(first.bg, self.depth) == Color::Reset;
        if !bare && !self.erases_in_colour {
            return false;
        }
        self.move_to(out, column, row, all);
        self.style(out, first);
        numbered(out, format_args!("\x1b[{blanks}X"));
        // Erasing does not move the cursor.
        self.at = Some((column, row));
        true
    }

    pub(super) fn put(
        &mut self,
        out: &mut Vec<u8>,
        column: u16,
        row: u16,
        cell: &Cell,
        all: &Buffer,
    ) {
        self.move_to(out, column, row, all);
        self.style(out, cell);
        let room = all.area.width - column;
        let text = if width(cell.symbol()) > room {
            " "
        } else {
            cell.symbol()
        };
        let width = symbol(out, text, self.ascii);
        let end = column.saturating_add(width);
        // Beside the last column terminals differ in where the cursor is.
        self.at = (end < all.area.width).then_some((end, row));
    }

    /// To a cell: along the row with what is there already, if that is shorter.
    fn move_to(&mut self, out: &mut Vec<u8>, column: u16, row: u16, all: &Buffer) {
        let Some((at, at_row)) = self.at else {
            return place(out, column, row);
        };
        if (at, at_row) == (column, row) {
            return;
        }
        if at_row != row || at > column {
            return place(out, column, row);
        }
        let between = (at..column).map(|x| all.cell((x, row)));
        let plain = |cell: Option<&Cell>| {
            cell.is_some_and(|c| self.writes_alike(c) && c.symbol().len() == 1)
        };
        if column - at <= 4 && between.clone().all(plain) {
            for cell in between.flatten() {
                symbol(out, cell.symbol(), self.ascii);
            }
            return;
        }
        match column - at {
            1 => out.extend_from_slice(b"\x1b[C"),
            n => numbered(out, format_args!("\x1b[{n}C")),
        }
    }

    /// What is set now shows this cell as it is meant.
    fn writes_alike(&self, cell: &Cell) -> bool {
        if color::shade(cell.bg, self.depth) != self.bg {
            return false;
        }
        if is_blank(cell) {
            return (self.modifier & SEEN_ON_BLANKS).is_empty();
        }
        color::shade(cell.fg, self.depth) == self.fg && cell.modifier == self.modifier
    }

    fn style(&mut self, out: &mut Vec<u8>, cell: &Cell) {
        if self.writes_alike(cell) {
            return;
        }
        let (fg, bg) = (
            color::shade(cell.fg, self.depth),
            color::shade(cell.bg, self.depth),
        );
        if is_blank(cell) && (self.modifier & SEEN_ON_BLANKS).is_empty() {
            // Nothing to be inked: only the paper changes.
            out.extend_from_slice(b"\x1b[");
            color::write(out, bg, 40);
            out.pop();
            out.push(b'm');
            self.bg = bg;
            return;
        }
        out.extend_from_slice(b"\x1b[");
        let begin = out.len();
        // One by one: a reset would take the colours along.
        for (flags, code) in OFF {
            if self.modifier.difference(cell.modifier).intersects(flags) {
                numbered(out, format_args!("{code};"));
                self.modifier.remove(flags);
            }
        }
        for (flag, code) in MODIFIERS {
            if cell.modifier.contains(flag) && !self.modifier.contains(flag) {
                numbered(out, format_args!("{code};"));
            }
        }
        if fg != self.fg {
            color::write(out, fg, 30);
        }
        if bg != self.bg {
            color::write(out, bg, 40);
        }
        // One semicolon too many: an empty parameter would mean "reset".
        if out.len() > begin {
            out.pop();
        }
        out.push(b'm');
        (self.fg, self.bg, self.modifier) = (fg, bg, cell.modifier);
    }
}

/// From this many blanks on, erasing and moving on is shorter than writing.
const ERASE: u16 = 12;

/// What can be seen of a cell without ink.
const SEEN_ON_BLANKS: Modifier = Modifier::UNDERLINED
    .union(Modifier::REVERSED)
    .union(Modifier::CROSSED_OUT);

/// A cell of which only the background can be seen.
pub(super) fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && !cell.modifier.intersects(SEEN_ON_BLANKS)
}

/// The same to the eye.
pub(super) fn looks_alike(old: &Cell, new: &Cell) -> bool {
    old == new || is_blank(old) && is_blank(new) && old.bg == new.bg
}

const OFF: [(Modifier, u8); 6] = [
    (Modifier::BOLD.union(Modifier::DIM), 22),
    (Modifier::ITALIC, 23),
    (Modifier::UNDERLINED, 24),
    (Modifier::SLOW_BLINK.union(Modifier::RAPID_BLINK), 25),
    (Modifier::REVERSED, 27),
    (Modifier::CROSSED_OUT, 29),
];

const MODIFIERS: [(Modifier, u8); 8] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::RAPID_BLINK, 6),
    (Modifier::REVERSED, 7),
    (Modifier::CROSSED_OUT, 9),
];

fn numbered(out: &mut Vec<u8>, arguments: std::fmt::Arguments<'_>) {
    // Writing into memory does not fail.
    let _ = out.write_fmt(arguments);
}

fn place(out: &mut Vec<u8>, column: u16, row: u16) {
    match (row, column) {
        (0, 0) => out.extend_from_slice(b"\x1b[H"),
        (row, 0) => numbered(out, format_args!("\x1b[{}H", row + 1)),
        (row, column) => numbered(out, format_args!("\x1b[{};{}H", row + 1, column + 1)),
    }
}

/// Columns a symbol takes; quickly for what screens are full of.
pub(super) fn width(symbol: &str) -> u16 {
    match symbol.as_bytes() {
        [] | [_] | [0xe2, 0x94 | 0x95 | 0xa0..=0xa3, _] | [0xe2, 0x96, 0x80..=0x9f] => 1,
        _ => u16::try_from(symbol.width()).unwrap_or(1).clamp(1, 8),
    }
}

/// Writes what a cell holds; returns the columns it takes.
fn symbol(out: &mut Vec<u8>, symbol: &str, ascii: bool) -> u16 {
    let width = width(symbol);
    let safe = !symbol.is_empty() && !symbol.chars().any(char::is_control);
    if safe && (!ascii || symbol.is_ascii()) {
        out.extend_from_slice(symbol.as_bytes());
    } else {
        out.push(if safe { b'?' } else { b' ' });
        out.extend(std::iter::repeat_n(b' ', usize::from(width - 1)));
    }
    width
}

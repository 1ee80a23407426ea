//! Cells -> bytes: only what changed since the frame that was last handed over, in few bytes.
//!
//! Also the last gate: no control character passes, whatever a view drew, and nothing but ASCII
//! where the terminal shows no more.

use std::io::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::caps::ColorDepth;
use super::color;

const SYNC_BEGIN: &[u8] = b"\x1b[?2026h";
const SYNC_END: &[u8] = b"\x1b[?2026l";

pub struct Painter {
    /// What the terminal shows once the last frame is written.
    shown: Buffer,
    next: Buffer,
    whole: bool,
    pen: Pen,
    /// Bytes that go before the next frame.
    control: Vec<u8>,
}

impl Painter {
    pub fn new(columns: u16, rows: u16, depth: ColorDepth, ascii: bool) -> Self {
        let area = Rect::new(0, 0, columns, rows);
        Self {
            shown: Buffer::empty(area),
            next: Buffer::empty(area),
            whole: true,
            pen: Pen::new(depth, ascii),
            control: Vec::new(),
        }
    }

    pub fn size(&self) -> (u16, u16) {
        (self.next.area.width, self.next.area.height)
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        if self.size() != (columns, rows) {
            let area = Rect::new(0, 0, columns, rows);
            self.shown = Buffer::empty(area);
            self.next = Buffer::empty(area);
        }
        self.whole = true;
    }

    /// The terminal may show anything: paint all of it next time.
    pub fn repaint(&mut self) {
        self.whole = true;
    }

    pub fn control(&mut self, bytes: &[u8]) {
        self.control.extend_from_slice(bytes);
    }

    /// Draws and returns what has to be written; nothing when nothing changed.
    pub fn frame(&mut self, draw: impl FnOnce(&mut Buffer)) -> Vec<u8> {
        let mut out = std::mem::take(&mut self.control);
        self.next.reset();
        draw(&mut self.next);
        let begin = out.len();
        out.extend_from_slice(SYNC_BEGIN);
        let empty = out.len();
        if std::mem::take(&mut self.whole) {
            self.shown.reset();
            self.pen.forget();
            out.extend_from_slice(b"\x1b[0m\x1b[2J");
        }
        self.pen.at = None;
        for row in 0..self.next.area.height {
            self.row(&mut out, row);
        }
        if out.len() == empty {
            out.truncate(begin);
        } else {
            out.extend_from_slice(SYNC_END);
        }
        std::mem::swap(&mut self.shown, &mut self.next);
        out
    }

    /// Writes the cells of a row that changed. Where a wide character was overwritten in part,
    /// the terminal does as it likes with the other part: that is written too.
    fn row(&mut self, out: &mut Vec<u8>, row: u16) {
        let columns = self.next.area.width;
        let (mut column, mut doubtful) = (0, 0);
        while column < columns {
            let (Some(old), Some(new)) = (
                self.shown.cell((column, row)),
                self.next.cell((column, row)),
            ) else {
                return;
            };
            let takes = width(new.symbol());
            let end = column.saturating_add(takes);
            if column < doubtful || old != new {
                doubtful = doubtful.max(column + width(old.symbol()));
                for hidden in column + 1..end.min(columns) {
                    let old = self.shown.cell((hidden, row)).map_or("", Cell::symbol);
                    doubtful = doubtful.max(hidden + width(old));
                }
                self.pen.put(out, column, row, new, &self.next);
            }
            column = end;
        }
    }
}

/// How the terminal writes now.
struct Pen {
    depth: ColorDepth,
    ascii: bool,
    at: Option<(u16, u16)>,
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Pen {
    fn new(depth: ColorDepth, ascii: bool) -> Self {
        Self {
            depth,
            ascii,
            at: None,
            fg: Color::Reset,
            bg: Color::Reset,
            modifier: Modifier::empty(),
        }
    }

    fn forget(&mut self) {
        *self = Self::new(self.depth, self.ascii);
    }

    fn put(&mut self, out: &mut Vec<u8>, column: u16, row: u16, cell: &Cell, all: &Buffer) {
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

    fn writes_alike(&self, cell: &Cell) -> bool {
        color::shade(cell.fg, self.depth) == self.fg
            && color::shade(cell.bg, self.depth) == self.bg
            && cell.modifier == self.modifier
    }

    fn style(&mut self, out: &mut Vec<u8>, cell: &Cell) {
        let (fg, bg) = (
            color::shade(cell.fg, self.depth),
            color::shade(cell.bg, self.depth),
        );
        if (fg, bg, cell.modifier) == (self.fg, self.bg, self.modifier) {
            return;
        }
        out.extend_from_slice(b"\x1b[");
        let begin = out.len();
        if !cell.modifier.contains(self.modifier) {
            out.extend_from_slice(b"0;");
            (self.fg, self.bg, self.modifier) = (Color::Reset, Color::Reset, Modifier::empty());
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
fn width(symbol: &str) -> u16 {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::style::Style;

    fn painter() -> Painter {
        Painter::new(40, 5, ColorDepth::True, false)
    }

    fn terminal() -> vt100::Parser {
        let side = |n| std::num::NonZero::new(n).expect("not zero");
        vt100::Parser::new(side(5), side(40), 0)
    }

    fn screen(bytes: &[u8]) -> vt100::Parser {
        let mut parser = terminal();
        parser.process(bytes);
        parser
    }

    #[test]
    fn an_unchanged_frame_is_no_bytes() {
        let mut painter = painter();
        let draw = |b: &mut Buffer| {
            b.set_string(3, 1, "hello", Style::new().fg(Color::Red));
        };
        let first = painter.frame(draw);
        assert!(screen(&first).screen().contents().contains("hello"));
        assert_eq!(painter.frame(draw), b"");
    }

    #[test]
    fn only_what_changed_is_written_in_few_bytes() {
        let mut painter = painter();
        painter.frame(|b| {
            b.set_string(0, 0, "cpu 41 % load 3.5", Style::new());
        });
        let bytes = painter.frame(|b| {
            b.set_string(0, 0, "cpu 42 % load 3.6", Style::new());
        });
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(text, "\x1b[?2026h\x1b[1;6H2\x1b[10C6\x1b[?2026l");
    }

    #[test]
    fn no_escape_passes_and_ascii_holds() {
        let mut painter = Painter::new(20, 1, ColorDepth::None, true);
        let bytes = painter.frame(|b| {
            for (x, symbol) in ["é", "x", "日", "", "\x1b[31m"].into_iter().enumerate() {
                b[(x as u16, 0)]
                    .set_symbol(symbol)
                    .set_fg(Color::Rgb(1, 2, 3));
            }
        });
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(text.is_ascii(), "{text:?}");
        assert!(!text.contains("[31m") && !text.contains("38;"), "{text:?}");
        assert!(text.contains("?x? "), "{text:?}");
    }

    #[derive(Clone, Debug)]
    struct Put(u16, u16, char, Color, Modifier);

    fn puts() -> impl Strategy<Value = Vec<Put>> {
        let color = prop_oneof![
            Just(Color::Reset),
            Just(Color::Red),
            Just(Color::LightBlue),
            Just(Color::Indexed(99)),
            Just(Color::Rgb(1, 200, 3))
        ];
        let modifier = prop_oneof![
            Just(Modifier::empty()),
            Just(Modifier::BOLD),
            Just(Modifier::BOLD | Modifier::REVERSED)
        ];
        let symbol = prop_oneof![Just('a'), Just('日'), Just('⣿'), Just(' '), Just('z')];
        proptest::collection::vec(
            (0u16..39, 0u16..5, symbol, color, modifier)
                .prop_map(|(x, y, c, f, m)| Put(x, y, c, f, m)),
            0..60,
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// A terminal that saw all frames shows the same as one that saw the last one whole.
        #[test]
        fn differences_add_up(frames in proptest::collection::vec(puts(), 1..6)) {
            let mut painter = painter();
            let mut seen = terminal();
            let draw = |puts: &[Put], b: &mut Buffer| {
                for Put(x, y, c, fg, m) in puts {
                    b.set_string(*x, *y, c.to_string(), Style::new().fg(*fg).add_modifier(*m));
                }
            };
            for puts in &frames {
                seen.process(&painter.frame(|b| draw(puts, b)));
            }
            painter.repaint();
            let last = frames.last().cloned().unwrap_or_default();
            let whole = screen(&painter.frame(|b| draw(&last, b)));
            for row in 0..5 {
                for column in 0..40 {
                    // Of a blank only its background can be seen, of the tail of a wide one nothing.
                    let look = |p: &vt100::Parser| {
                        let cell = p.screen().cell(row, column)?;
                        let text = cell.contents().trim().to_owned();
                        let ink = (!text.is_empty()).then(|| (text, cell.fgcolor(), cell.bold()));
                        (!cell.is_wide_continuation()).then(|| (ink, cell.inverse()))
                    };
                    prop_assert_eq!(look(&seen), look(&whole),
                        "row {} column {}", row, column
                    );
                }
            }
        }
    }
}

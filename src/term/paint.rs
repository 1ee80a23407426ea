//! Cells -> bytes: only what changed since the frame that was last handed over, in few bytes.
//!
//! Also the last gate: no control character passes, whatever a view drew, and nothing but ASCII
//! where the terminal shows no more.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;

use super::caps::Capabilities;
use super::pen::{Pen, is_blank, looks_alike, width};

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
    pub fn new(columns: u16, rows: u16, caps: &Capabilities) -> Self {
        let area = Rect::new(0, 0, columns, rows);
        Self {
            shown: Buffer::empty(area),
            next: Buffer::empty(area),
            whole: true,
            pen: Pen::new(caps),
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
            if column < doubtful || !looks_alike(old, new) {
                let blanks = self.blanks(column, row);
                if self.pen.erase(out, (column, row), blanks, &self.next) {
                    column += blanks;
                    continue;
                }
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

    /// Blanks from here on that look alike, where nothing wide was shown.
    fn blanks(&self, column: u16, row: u16) -> u16 {
        let Some(first) = self.next.cell((column, row)).filter(|c| is_blank(c)) else {
            return 0;
        };
        let rest = (column..self.next.area.width).take_while(|x| {
            let narrow = |c: &Cell| width(c.symbol()) == 1;
            let alike = |c: &Cell| is_blank(c) && c.bg == first.bg;
            self.next.cell((*x, row)).is_some_and(alike)
                && self.shown.cell((*x, row)).is_some_and(narrow)
        });
        u16::try_from(rest.count()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::caps::{ColorDepth, Multiplexer};
    use proptest::prelude::*;
    use ratatui::style::{Color, Modifier, Style};

    fn caps(depth: ColorDepth, ascii: bool) -> Capabilities {
        Capabilities {
            depth,
            ascii,
            ..Capabilities::default()
        }
    }

    fn painter() -> Painter {
        Painter::new(40, 5, &caps(ColorDepth::True, false))
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
    fn blanks_are_erased_and_need_no_ink() {
        let mut painter = painter();
        let row = |bg: Color| {
            move |b: &mut Buffer| {
                b.set_style(Rect::new(0, 0, 40, 1), Style::new().bg(bg).fg(Color::White));
                b.set_string(0, 0, "a", Style::new().fg(Color::Red));
                b.set_string(30, 0, "b", Style::new().fg(Color::Green));
            }
        };
        painter.frame(row(Color::Reset));
        let bytes = painter.frame(row(Color::Blue));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(
            text,
            "\x1b[?2026h\x1b[H\x1b[31;44ma\x1b[29X\x1b[29C\x1b[32mb         \x1b[?2026l"
        );
        let seen = screen(&bytes);
        let blue = |x| seen.screen().cell(0, x).map(vt100::Cell::bgcolor);
        assert!((0..40).all(|x| blue(x) == Some(vt100::Color::Idx(4))));

        painter.pen = Pen::new(&Capabilities {
            multiplexer: Multiplexer::Screen,
            ..caps(ColorDepth::True, false)
        });
        let bytes = painter.frame(row(Color::Red));
        assert!(
            !bytes.contains(&b'X'),
            "GNU screen erases to its own colour"
        );
    }

    #[test]
    fn no_escape_passes_and_ascii_holds() {
        let mut painter = Painter::new(20, 1, &caps(ColorDepth::None, true));
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

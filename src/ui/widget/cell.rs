//! What stands in one cell of a table.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::Line;

use super::table::put_line;
use super::text;
use crate::ui::Ctx;

/// Nearly always one piece, for which no list is made.
#[derive(Clone, Debug)]
pub enum Cell<'a> {
    One(Cow<'a, str>, Style),
    Two([(Cow<'a, str>, Style); 2]),
    Line(Line<'a>),
}

impl<'a> Cell<'a> {
    pub fn new(text: impl Into<Cow<'a, str>>, style: Style) -> Self {
        Self::One(text.into(), style)
    }
}

impl<'a> From<Line<'a>> for Cell<'a> {
    fn from(line: Line<'a>) -> Self {
        Self::Line(line)
    }
}

/// Draws it into `width` cells, cut with a mark that says so.
pub fn put_cell(
    ctx: &Ctx,
    buf: &mut Buffer,
    (x, y): (u16, u16),
    width: u16,
    right: bool,
    cell: &Cell,
) {
    let pieces = match cell {
        Cell::Line(line) => return put_line(ctx, buf, (x, y), width, right, line),
        Cell::One(text, style) => &[(text, style)][..],
        Cell::Two([(a, first), (b, second)]) => &[(a, first), (b, second)],
    };
    let wide: usize = pieces.iter().map(|(text, _)| text::width(text)).sum();
    let wide = u16::try_from(wide).unwrap_or(u16::MAX);
    let spare = if right { width.saturating_sub(wide) } else { 0 };
    let (mut at, end) = (x.saturating_add(spare), x.saturating_add(width));
    for (text, style) in pieces {
        at = ctx.put(buf, (at, y), end.saturating_sub(at), text, **style);
    }
}

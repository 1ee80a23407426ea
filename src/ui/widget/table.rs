//! A table: columns that drop out where it is narrow, a selection that follows its row when the
//! order changes, and only the rows in view are drawn.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::cell::{Cell, put_cell};
use super::filter::Filter;
use crate::command::Command;
use crate::ui::Ctx;

/// One column. `priority` 0 always stays; of the others the greatest drops out first.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    pub title: &'a str,
    pub min: u16,
    pub max: u16,
    pub priority: u8,
    pub right: bool,
}

impl<'a> Column<'a> {
    /// A column that always stays.
    pub const fn new(title: &'a str, min: u16, max: u16) -> Self {
        Self {
            title,
            min,
            max,
            priority: 0,
            right: false,
        }
    }

    pub const fn priority(mut self, priority: u8) -> Self {
        self.priority = priority;
        self
    }

    pub const fn right(mut self) -> Self {
        self.right = true;
        self
    }

    /// Not shown at all: what it tells stands elsewhere.
    pub const fn hidden(mut self) -> Self {
        self.max = 0;
        self
    }
}

/// What the operator did to a table: selection, order, filter. The rows are the view's.
#[derive(Clone, Debug)]
pub struct Table<Id> {
    /// The row under the cursor, by id: it stays the same thing when rows move.
    selected: Option<Id>,
    /// It was sent for, not come upon: no other row may stand in for it.
    sought: bool,
    /// Where it was last seen: takes over when it is gone.
    row: usize,
    offset: usize,
    /// 0: the view's own order; n: by column n-1.
    sort: usize,
    reverse: bool,
    /// Number of columns by which the view can sort.
    sorts: usize,
    text: String,
    filter: Filter,
    area: Rect,
}

impl<Id> Default for Table<Id> {
    fn default() -> Self {
        Self::sorted(0)
    }
}

impl<Id> Table<Id> {
    /// A table whose first `sorts` columns can be sorted by.
    pub fn sorted(sorts: usize) -> Self {
        Self {
            selected: None,
            sought: false,
            row: 0,
            offset: 0,
            sort: 0,
            reverse: false,
            sorts,
            text: String::new(),
            filter: Filter::default(),
            area: Rect::ZERO,
        }
    }

    /// Where the table (with its header row) is drawn; paging and the mouse need it.
    pub fn place(&mut self, area: Rect) {
        self.area = area;
    }

    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    pub fn filter_text(&self) -> &str {
        &self.text
    }

    pub fn set_filter(&mut self, text: &str) {
        self.filter = Filter::parse(text);
        text.clone_into(&mut self.text);
    }

    /// The column to sort by (`None`: the view's own order) and whether to turn it round.
    pub fn order(&self) -> (Option<usize>, bool) {
        (self.sort.checked_sub(1), self.reverse)
    }

    /// Undoes one step: the filter. False: there was nothing to undo.
    pub fn back(&mut self) -> bool {
        let had = !self.text.is_empty();
        self.set_filter("");
        had
    }

    fn page(&self) -> usize {
        usize::from(self.area.height.saturating_sub(1)).max(1)
    }
}

impl<Id: Clone + PartialEq> Table<Id> {
    pub fn select(&mut self, id: Id) {
        self.selected = Some(id);
    }

    /// Puts the cursor on a row that is meant and no other: the filter goes, and while the row is
    /// not there the cursor is nowhere.
    pub fn seek(&mut self, id: Id) {
        self.set_filter("");
        self.selected = Some(id);
        self.sought = true;
    }

    /// What was sought is no longer: the list is another one.
    pub fn release(&mut self) {
        self.sought = false;
    }

    /// The row that is sought and not there.
    pub fn missing<R>(&self, rows: &[R], id: impl Fn(&R) -> Id) -> Option<&Id> {
        let wanted = self.selected.as_ref().filter(|_| self.sought)?;
        (!rows.iter().any(|row| id(row) == *wanted)).then_some(wanted)
    }

    pub fn selected_id(&self) -> Option<&Id> {
        self.selected.as_ref()
    }

    /// Position of the cursor among these rows; the first row when nothing was chosen yet, none
    /// while the row that is sought is not there.
    pub fn position<R>(&self, rows: &[R], id: impl Fn(&R) -> Id) -> Option<usize> {
        if rows.is_empty() {
            return None;
        }
        self.selected
            .as_ref()
            .and_then(|wanted| rows.iter().position(|row| id(row) == *wanted))
            .or_else(|| (!self.sought).then(|| self.row.min(rows.len() - 1)))
    }

    /// Whether the command moves the cursor: the others need no rows.
    pub fn moves(command: &Command) -> bool {
        use Command::{Bottom, Click, Down, PageDown, PageUp, Top, Up};
        matches!(
            command,
            Up | Down | PageUp | PageDown | Top | Bottom | Click { .. }
        )
    }

    /// Moves, sorts, filters, clicks. False: the command means nothing to a table.
    pub fn update<R>(&mut self, command: &Command, rows: &[R], id: impl Fn(&R) -> Id) -> bool {
        let held = self.position(rows, &id);
        let at = held.unwrap_or(0);
        let last = rows.len().saturating_sub(1);
        let to = match command {
            Command::Up => at.saturating_sub(1),
            Command::Down if held.is_none() => 0,
            Command::Down => (at + 1).min(last),
            Command::PageUp => at.saturating_sub(self.page()),
            Command::PageDown => (at + self.page()).min(last),
            Command::Top => 0,
            Command::Bottom => last,
            Command::Click { column, row } => match self.row_at(*column, *row, rows.len(), at) {
                Some(to) => to,
                None => return false,
            },
            Command::Sort if self.sorts > 0 => {
                self.sort = (self.sort + 1) % (self.sorts + 1);
                return true;
            }
            Command::ReverseSort => {
                self.reverse = !self.reverse;
                return true;
            }
            Command::Filter(text) => {
                self.set_filter(text);
                return true;
            }
            _ => return false,
        };
        self.selected = rows.get(to).map(&id);
        self.sought = false;
        self.row = to;
        self.offset = window(self.offset, to, rows.len(), self.page());
        true
    }

    fn row_at(&self, column: u16, row: u16, len: usize, cursor: usize) -> Option<usize> {
        let inside = self.area.contains((column, row).into()) && row > self.area.y;
        let start = window(self.offset, cursor, len, self.page());
        let at = start + usize::from(row.saturating_sub(self.area.y + 1));
        (inside && at < len).then_some(at)
    }

    /// Draws header and the rows in view. `cell` is asked for shown columns of shown rows only.
    pub fn draw<'a, R, C: Into<Cell<'a>>>(
        &self,
        ctx: &Ctx,
        area: Rect,
        buf: &mut Buffer,
        (columns, rows): (&[Column<'_>], &'a [R]),
        id: impl Fn(&R) -> Id,
        cell: impl Fn(&'a R, usize) -> C,
    ) {
        if area.is_empty() {
            return;
        }
        let shown = widths(columns, area.width);
        self.draw_header(ctx, area, buf, columns, &shown);
        let height = usize::from(area.height - 1);
        let cursor = self.position(rows, id);
        let start = window(self.offset, cursor.unwrap_or(0), rows.len(), height.max(1));
        for (y, (at, row)) in (area.y + 1..area.bottom()).zip(rows.iter().enumerate().skip(start)) {
            let mut x = area.x;
            for &(index, width) in &shown {
                let right = columns.get(index).is_some_and(|column| column.right);
                put_cell(ctx, buf, (x, y), width, right, &cell(row, index).into());
                x = x.saturating_add(width + 1);
            }
            if cursor == Some(at) && ctx.focus {
                let line = Rect::new(area.x, y, area.width, 1);
                buf.set_style(line, ctx.theme.selected);
            }
        }
    }

    fn draw_header(
        &self,
        ctx: &Ctx,
        area: Rect,
        buf: &mut Buffer,
        columns: &[Column<'_>],
        shown: &[(usize, u16)],
    ) {
        let mut x = area.x;
        for &(index, width) in shown {
            let Some(column) = columns.get(index) else {
                continue;
            };
            let mark = match (self.order().0 == Some(index), self.reverse) {
                (true, false) => "↓",
                (true, true) => "↑",
                (false, _) => "",
            };
            let title = match mark {
                "" => Cow::Borrowed(column.title),
                mark => Cow::Owned(format!("{}{mark}", column.title)),
            };
            let title = Cell::new(title, ctx.theme.muted);
            put_cell(ctx, buf, (x, area.y), width, column.right, &title);
            x = x.saturating_add(width + 1);
        }
    }
}

/// First row in view: moves as little as needed to keep the cursor in view.
pub fn window(offset: usize, cursor: usize, len: usize, height: usize) -> usize {
    let height = height.max(1);
    let most = len.saturating_sub(height);
    let offset = offset.min(most);
    if cursor < offset {
        cursor
    } else if cursor >= offset + height {
        cursor + 1 - height
    } else {
        offset
    }
}

/// Shown columns with their widths. One blank stands between two. Room that is left over goes to
/// all that can use it, a cell each in turn: a long name never keeps the next column cut.
pub fn widths(columns: &[Column<'_>], total: u16) -> Vec<(usize, u16)> {
    let seen = |i: &usize| columns.get(*i).is_some_and(|c| c.max > 0);
    let mut shown: Vec<usize> = (0..columns.len()).filter(seen).collect();
    let min = |i: &usize| columns.get(*i).map_or(0, |c| u32::from(c.min));
    let need =
        |shown: &[usize]| shown.iter().map(min).sum::<u32>() + shown.len().saturating_sub(1) as u32;
    while need(&shown) > u32::from(total) {
        let drop = shown
            .iter()
            .enumerate()
            .filter_map(|(at, i)| columns.get(*i).map(|c| (c.priority, at)))
            .filter(|(priority, _)| *priority > 0)
            .max();
        match drop {
            Some((_, at)) => shown.remove(at),
            None => break,
        };
    }
    let mut spare = u32::from(total).saturating_sub(need(&shown));
    let mut wide: Vec<(usize, u16)> = shown
        .into_iter()
        .map(|i| (i, columns.get(i).map_or(0, |c| c.min.min(total))))
        .collect();
    while spare > 0 {
        let before = spare;
        for (i, width) in &mut wide {
            let most = columns.get(*i).map_or(0, |c| c.max);
            if spare > 0 && *width < most {
                *width += 1;
                spare -= 1;
            }
        }
        if spare == before {
            break;
        }
    }
    wide
}

/// Draws one line of styled text into `width` cells, cut with a mark that says so.
pub fn put_line(
    ctx: &Ctx,
    buf: &mut Buffer,
    (x, y): (u16, u16),
    width: u16,
    right: bool,
    line: &Line,
) {
    let spare = if right {
        width.saturating_sub(u16::try_from(line.width()).unwrap_or(u16::MAX))
    } else {
        0
    };
    let (mut at, end) = (x.saturating_add(spare), x.saturating_add(width));
    let base: Style = line.style;
    for span in &line.spans {
        at = ctx.put(
            buf,
            (at, y),
            end.saturating_sub(at),
            &span.content,
            base.patch(span.style),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column<'static>; 3] = [
        Column::new("NAME", 8, 20),
        Column::new("SITE", 6, 6).priority(2),
        Column::new("AGE", 4, 4).priority(1).right(),
    ];

    #[test]
    fn columns_drop_out_by_priority() {
        assert_eq!(widths(&COLUMNS, 40), [(0, 20), (1, 6), (2, 4)]);
        assert_eq!(widths(&COLUMNS, 21), [(0, 9), (1, 6), (2, 4)]);
        assert_eq!(widths(&COLUMNS, 16), [(0, 11), (2, 4)]);
        assert_eq!(widths(&COLUMNS, 12), [(0, 12)]);
        assert_eq!(widths(&COLUMNS, 3), [(0, 3)]);
    }

    #[test]
    fn spare_room_goes_to_all_and_hidden_columns_take_none() {
        let columns = [
            Column::new("CLUSTER", 8, 30),
            Column::new("GONE", 8, 30).hidden(),
            Column::new("SITE", 6, 10),
        ];
        assert_eq!(widths(&columns, 23), [(0, 12), (2, 10)]);
        assert_eq!(widths(&columns, 60), [(0, 30), (2, 10)]);
    }

    #[test]
    fn selection_follows_the_row() {
        let mut table: Table<u32> = Table::default();
        table.place(Rect::new(0, 0, 10, 4));
        assert!(table.update(&Command::Down, &[1, 2, 3], |r| *r));
        assert_eq!(table.position(&[3, 1, 2], |r| *r), Some(2));
        assert_eq!(table.position(&[3, 1], |r| *r), Some(1), "gone: nearest");
        assert_eq!(table.position(&[], |r: &u32| *r), None);
        assert!(!table.update(&Command::Mode, &[1], |r| *r));
    }

    #[test]
    fn no_row_stands_in_for_one_that_is_sought() {
        let mut table: Table<u32> = Table::default();
        table.set_filter("other");
        table.seek(7);
        assert_eq!(table.filter_text(), "");
        assert_eq!(table.position(&[1, 2], |r| *r), None);
        assert_eq!(table.missing(&[1, 2], |r| *r), Some(&7));
        assert_eq!(table.position(&[1, 7], |r| *r), Some(1), "it came");
        assert_eq!(table.missing(&[1, 7], |r| *r), None);
        table.update(&Command::Down, &[1, 2], |r| *r);
        assert_eq!(table.position(&[3, 1], |r| *r), Some(1), "moved on");
        table.seek(7);
        table.release();
        assert_eq!(table.position(&[1, 2], |r| *r), Some(0));
    }

    #[test]
    fn window_moves_as_little_as_needed() {
        assert_eq!(window(0, 5, 10, 3), 3);
        assert_eq!(window(3, 4, 10, 3), 3);
        assert_eq!(window(9, 0, 10, 3), 0);
        assert_eq!(window(9, 9, 10, 3), 7);
        assert_eq!(window(5, 0, 0, 0), 0);
    }
}

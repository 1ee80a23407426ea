//! Text on a grid of cells: measured, cut, padded, placed; and its ASCII form.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// At most `columns` wide; a cut text ends in `…`.
pub fn cut(text: &str, columns: usize) -> String {
    // A long line is not measured to its end only to be cut.
    let head: String = text.chars().take(columns.saturating_add(1) * 2).collect();
    if head.len() == text.len() && head.width() <= columns {
        return head;
    }
    if columns == 0 {
        return String::new();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in head.chars() {
        let w = c.width().unwrap_or(0);
        if used + w > columns - 1 {
            break;
        }
        used += w;
        out.push(c);
    }
    out.push('…');
    out
}

/// Exactly `columns` wide.
pub fn fit(text: &str, columns: usize) -> String {
    let mut out = cut(text, columns);
    let used = out.width();
    out.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    out
}

/// Exactly `columns` wide, flush right.
pub fn fit_right(text: &str, columns: usize) -> String {
    let cut = cut(text, columns);
    let pad = columns.saturating_sub(cut.width());
    format!("{}{cut}", " ".repeat(pad))
}

/// Parts of at most `columns` columns, broken at blanks where there are any.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut used = 0;
        for word in paragraph.split_inclusive(' ') {
            let w = word.trim_end().width();
            if used + w > columns && used > 0 {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0;
            }
            for c in word.chars() {
                let cw = c.width().unwrap_or(0);
                if used + cw > columns {
                    if c == ' ' {
                        continue;
                    }
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push(c);
                used += cw;
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Writes `text` into one row, cut at the right edge of `area`; gives the column after it.
pub fn put(buf: &mut Buffer, area: Rect, x: u16, y: u16, text: &str, style: Style) -> u16 {
    let area = area.intersection(buf.area);
    if y < area.top() || y >= area.bottom() || x < area.left() || x >= area.right() {
        return x;
    }
    let room = area.right() - x;
    let shown = cut(text, usize::from(room));
    buf.set_stringn(x, y, &shown, usize::from(room), style).0
}

/// A box with a title at the left and one at the right; gives what is inside.
pub struct Pane<'a> {
    pub title: &'a str,
    pub right: &'a str,
    pub border: Style,
    pub title_style: Style,
}

impl Pane<'_> {
    pub fn draw(&self, area: Rect, buf: &mut Buffer) -> Rect {
        let area = area.intersection(buf.area);
        if area.width < 4 || area.height < 3 {
            return area;
        }
        let inside = usize::from(area.width) - 2;
        let bottom = area.bottom() - 1;
        let rule = "─".repeat(inside);
        buf.set_string(area.x, area.y, format!("┌{rule}┐"), self.border);
        buf.set_string(area.x, bottom, format!("└{rule}┘"), self.border);
        for y in area.y + 1..bottom {
            buf.set_string(area.x, y, "│", self.border);
            buf.set_string(area.right() - 1, y, "│", self.border);
        }
        let title = cut(self.title, inside.saturating_sub(4));
        let mut used = 0;
        if !title.is_empty() {
            used = title.width() + 4;
            buf.set_string(area.x + 2, area.y, format!(" {title} "), self.title_style);
        }
        // What stands at the right is told in whole parts, as far as there is room.
        let room = inside.saturating_sub(used + 3);
        let mut right = self.right;
        while right.width() > room
            && let Some((head, _)) = right.rsplit_once(" · ")
        {
            right = head;
        }
        let right = cut(right, room);
        if right.width() > 2 || right == self.right && !right.is_empty() {
            let w = u16::try_from(right.width() + 2).unwrap_or(u16::MAX);
            let x = area.right().saturating_sub(w + 2);
            buf.set_string(x, area.y, format!(" {right} "), self.border);
        }
        Rect::new(area.x + 1, area.y + 1, area.width - 2, area.height - 2)
    }
}

/// Part of a list that is on the screen: the first row for `selected` of `len` in `height` rows.
/// Moves by half a screen, so that a step of the cursor seldom repaints the list.
pub fn first_row(selected: usize, len: usize, height: usize) -> usize {
    if len <= height || height == 0 {
        return 0;
    }
    let half = (height / 2).max(1);
    let quarter = height / 4;
    let first = if selected < height.saturating_sub(quarter) {
        0
    } else {
        ((selected - quarter) / half) * half
    };
    first.min(len - height).min(selected)
}

/// Replaces every character beyond ASCII by the nearest one within.
pub fn fold_ascii(area: Rect, buf: &mut Buffer) {
    let area = area.intersection(buf.area);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            let Some(cell) = buf.cell_mut((x, y)) else {
                continue;
            };
            let symbol = cell.symbol();
            if symbol.is_ascii() {
                continue;
            }
            let c = symbol.chars().next().map_or('?', ascii_of);
            cell.set_char(c);
        }
    }
}

/// The ASCII stand-in of a character that the screens draw.
pub fn ascii_of(c: char) -> char {
    match c {
        c if c.is_ascii() => c,
        '─' | '━' | '╌' | '┄' | '—' | '–' | '∅' => '-',
        '│' | '┃' | '┊' | '▌' | '▏' => '|',
        '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' | '╭' | '╮' | '╰' | '╯' => {
            '+'
        }
        '▁' => '_',
        '▂' | '·' | '░' => '.',
        '▃' | '▒' => ':',
        '▄' => '-',
        '▅' => '=',
        '▆' => '+',
        '▇' | '◆' | '★' | '•' => '*',
        '█' | '■' => '#',
        '▓' => '%',
        '●' | '○' => 'o',
        '▲' => '!',
        '✗' | '✘' | '×' => 'X',
        '▼' | '▾' | '↓' | '✓' => 'v',
        '↑' => '^',
        '▸' | '›' | '→' | '≥' => '>',
        '‹' | '←' | '≤' => '<',
        '…' | '~' => '~',
        '⊘' => 'N',
        '≠' => '!',
        '’' | '‘' => '\'',
        '“' | '”' => '"',
        'µ' => 'u',
        _ => '?',
    }
}

/// The buffer as plain lines, for tests and snapshots.
#[cfg(test)]
pub fn dump(buf: &Buffer) -> String {
    let mut out = String::new();
    for y in buf.area.top()..buf.area.bottom() {
        let mut line = String::new();
        let mut skip = 0;
        for x in buf.area.left()..buf.area.right() {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buf[(x, y)].symbol();
            skip = symbol.width().saturating_sub(1);
            line.push_str(symbol);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_and_pads_by_columns() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("ab", 4), "ab  ");
        assert_eq!(fit_right("ab", 4), "  ab");
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn wraps_at_blanks_and_breaks_long_words() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a\nb", 8), ["a", "b"]);
        assert!(wrap("日本語日本語", 5).iter().all(|l| width(l) <= 5));
    }

    #[test]
    fn shows_the_selected_row() {
        for height in 1..12 {
            for len in 0..40 {
                for selected in 0..len {
                    let first = first_row(selected, len, height);
                    assert!(first <= selected && selected < first + height);
                    assert!(len <= height || first + height <= len);
                }
            }
        }
    }

    #[test]
    fn pane_and_ascii() {
        let area = Rect::new(0, 0, 20, 3);
        let mut buf = Buffer::empty(area);
        let inner = Pane {
            title: "Logs",
            right: "7",
            border: Style::default(),
            title_style: Style::default(),
        }
        .draw(area, &mut buf);
        assert_eq!(inner, Rect::new(1, 1, 18, 1));
        assert_eq!(
            dump(&buf),
            "┌─ Logs ───────── 7 ─┐\n│                  │\n└──────────────────┘\n"
                .replace("┌─ Logs ───────── 7 ─┐", "┌─ Logs ─────── 7 ─┐")
        );
        fold_ascii(area, &mut buf);
        assert!(dump(&buf).is_ascii());
    }

    #[test]
    fn stays_inside() {
        let area = Rect::new(0, 0, 5, 1);
        let mut buf = Buffer::empty(area);
        put(
            &mut buf,
            Rect::new(2, 0, 99, 9),
            2,
            0,
            "hello",
            Style::default(),
        );
        put(&mut buf, area, 0, 7, "x", Style::default());
        assert_eq!(dump(&buf), "  he…\n");
    }
}

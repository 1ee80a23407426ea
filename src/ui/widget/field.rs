//! A line of text being edited: prompts and small inputs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar;

use super::table::put_line;
use crate::model::input::{Key, KeyPress};
use crate::model::text;
use crate::ui::Ctx;

/// Longest text a prompt takes.
const LIMIT: usize = 4_096;

/// Text and cursor; the cursor counts characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    text: String,
    cursor: usize,
    /// Nobody typed this text: another one may be begun in its place.
    proposed: bool,
}

impl Field {
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            cursor: text.chars().count(),
            proposed: false,
        }
    }

    /// A text to be run as it is or gone on with (` == 0`, `[5m]`); a letter begins another one.
    pub fn proposing(text: &str) -> Self {
        Self {
            proposed: !text.is_empty(),
            ..Self::new(text)
        }
    }

    pub fn is_proposed(&self) -> bool {
        self.proposed
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// What is left out before the text so that the cursor is within `room` columns: characters
    /// left out, and the columns from there to the cursor. Wide characters take two.
    pub fn in_view(&self, room: usize) -> (usize, usize) {
        let widths = || {
            let before = self.text.chars().take(self.cursor);
            before.map(|c| c.width().unwrap_or(0))
        };
        let mut before: usize = widths().sum();
        let mut skip = 0;
        for width in widths() {
            if before <= room {
                break;
            }
            before -= width;
            skip += 1;
        }
        (skip, before)
    }

    /// The text with its cursor; a long one is moved so that the cursor is seen.
    pub fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let room = usize::from(area.width.saturating_sub(3)).max(1);
        let (skip, _) = self.in_view(room);
        let chars = self.text.chars();
        let before: String = chars.clone().skip(skip).take(self.cursor - skip).collect();
        let at: String = chars.clone().skip(self.cursor).take(1).collect();
        let after: String = chars.skip(self.cursor + 1).collect();
        let cursor = if at.is_empty() { " ".to_owned() } else { at };
        let line = Line::from(vec![
            Span::styled("› ", ctx.theme.key),
            Span::styled(before, ctx.theme.base),
            Span::styled(cursor, ctx.theme.selected),
            Span::styled(after, ctx.theme.base),
        ]);
        if area.height > 0 {
            put_line(ctx, buf, (area.x, area.y), area.width, false, &line);
        }
    }

    /// Line editing. False: the key means nothing here.
    pub fn press(&mut self, press: KeyPress) -> bool {
        let begins = matches!(press.key, Key::Char(c) if c.is_alphabetic() || c == '(');
        self.settle(begins && !press.ctrl && !press.alt);
        match (press.ctrl, press.key) {
            (false, Key::Char(c)) if !press.alt && !text::is_unsafe(c) => self.insert(c),
            (false, Key::Backspace) | (true, Key::Char('h')) => self.erase_before(1),
            (false, Key::Delete) => self.erase_after(),
            (false, Key::Left) => self.cursor = self.cursor.saturating_sub(1),
            (false, Key::Right) => self.cursor = (self.cursor + 1).min(self.len()),
            (false, Key::Home) | (true, Key::Char('a')) => self.cursor = 0,
            (false, Key::End) | (true, Key::Char('e')) => self.cursor = self.len(),
            (true, Key::Char('u')) => self.erase_before(self.cursor),
            (true, Key::Char('k')) => self.text.truncate(self.byte(self.cursor)),
            (true, Key::Char('w')) => self.erase_word(),
            _ => return false,
        }
        true
    }

    /// The cursor as a place in the text.
    pub fn cursor_byte(&self) -> usize {
        self.byte(self.cursor)
    }

    /// Puts `text` where these bytes are; the cursor stands `back` characters before its end.
    pub fn splice(&mut self, bytes: std::ops::Range<usize>, text: &str, back: usize) {
        let (Some(before), Some(after)) =
            (self.text.get(..bytes.start), self.text.get(bytes.end..))
        else {
            return;
        };
        if before.len() + text.len() + after.len() > LIMIT {
            return;
        }
        let end = before.chars().count() + text.chars().count();
        self.proposed = false;
        self.text = format!("{before}{text}{after}");
        self.cursor = end.saturating_sub(back);
    }

    /// Pasted text goes in as one line.
    pub fn paste(&mut self, pasted: &str) {
        self.settle(true);
        for c in text::clean(pasted, LIMIT).chars() {
            self.insert(c);
        }
    }

    /// A proposed text becomes the operator's own, or goes.
    fn settle(&mut self, goes: bool) {
        if std::mem::take(&mut self.proposed) && goes {
            self.text.clear();
            self.cursor = 0;
        }
    }

    fn insert(&mut self, c: char) {
        if self.text.len() + c.len_utf8() <= LIMIT {
            self.text.insert(self.byte(self.cursor), c);
            self.cursor += 1;
        }
    }

    fn erase_before(&mut self, count: usize) {
        let from = self.cursor.saturating_sub(count);
        self.text
            .replace_range(self.byte(from)..self.byte(self.cursor), "");
        self.cursor = from;
    }

    fn erase_after(&mut self) {
        let to = (self.cursor + 1).min(self.len());
        self.text
            .replace_range(self.byte(self.cursor)..self.byte(to), "");
    }

    fn erase_word(&mut self) {
        let before: Vec<char> = self.text.chars().take(self.cursor).collect();
        let blanks = before
            .iter()
            .rev()
            .take_while(|c| c.is_whitespace())
            .count();
        let letters = before
            .iter()
            .rev()
            .skip(blanks)
            .take_while(|c| !c.is_whitespace())
            .count();
        self.erase_before(blanks + letters);
    }

    fn len(&self) -> usize {
        self.text.chars().count()
    }

    fn byte(&self, at: usize) -> usize {
        self.text
            .char_indices()
            .nth(at)
            .map_or(self.text.len(), |(byte, _)| byte)
    }
}

/// A key for an editor that may be open: Enter ends it and gives its text, Esc ends it.
pub fn typed(editor: &mut Option<Field>, press: KeyPress) -> Option<String> {
    match press.key {
        Key::Enter => editor.take().map(|field| field.text),
        Key::Esc => {
            *editor = None;
            None
        }
        _ => {
            editor.as_mut()?.press(press);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_replaces_a_proposed_text() {
        let key = |key| KeyPress {
            key,
            ctrl: false,
            alt: false,
            shift: false,
        };
        let after = |keys: &[Key]| {
            let mut field = Field::proposing("up");
            keys.iter().for_each(|k| {
                field.press(key(*k));
            });
            field.text
        };
        assert_eq!(after(&[Key::Char('a'), Key::Char('b')]), "ab");
        assert_eq!(after(&[Key::Char('{'), Key::Char('a')]), "up{a");
        assert_eq!(after(&[Key::Left, Key::Char('a')]), "uap");
        assert_eq!(after(&[Key::Backspace, Key::Char('a')]), "ua");
        let mut field = Field::proposing("up");
        field.paste("rate(x)");
        assert_eq!(field.text, "rate(x)");
    }

    #[test]
    fn the_cursor_stands_after_wide_characters() {
        for (text, room, wanted) in [
            ("ab", 10, (0, 2)),
            ("漢字", 10, (0, 4)),
            ("漢字x", 3, (1, 3)),
            ("e\u{301}x", 10, (0, 2)),
            ("", 0, (0, 0)),
            ("abc", 0, (3, 0)),
        ] {
            assert_eq!(Field::new(text).in_view(room), wanted, "{text}");
        }
    }

    #[test]
    fn edits() {
        let mut field = Field::new("rate über");
        field.press(KeyPress::ctrl('w'));
        assert_eq!(field.text(), "rate ");
        field.press(KeyPress::plain(Key::Char('é')));
        field.press(KeyPress::plain(Key::Left));
        field.press(KeyPress::plain(Key::Backspace));
        assert_eq!(field.text(), "rateé");
        field.press(KeyPress::plain(Key::Delete));
        field.press(KeyPress::ctrl('a'));
        field.press(KeyPress::ctrl('k'));
        assert_eq!((field.text(), field.cursor()), ("", 0));
        field.paste("a\n\u{1b}[31mb");
        assert_eq!(field.text(), "a b");
        assert!(!field.press(KeyPress::plain(Key::Enter)));
    }
}

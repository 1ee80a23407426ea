//! The chat pane: the conversation laid out, and the line that is being written.

use std::cell::RefCell;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui_textarea::{CursorMove, TextArea};

use super::Ctx;
use super::common::{lines, pane};
use crate::agent::conversation::Conversation;
use crate::model::chat::RunId;
use crate::model::input::{Key, KeyPress};
use crate::ui::widget::text::fold_ascii;

mod body;
pub mod mention;
mod talk;

/// What the operator did in the pane; the frame carries it out.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatCommand {
    Send(String),
    /// Stop the running answer.
    Cancel(RunId),
    New,
    /// Fold or unfold this part of this message.
    Toggle {
        message: usize,
        part: usize,
    },
    Copy(String),
    /// Open the screen that shows what this call read.
    Evidence {
        message: usize,
        part: usize,
    },
    /// `@` was typed: what can be referred to is wanted.
    Offer,
    /// This was chosen of it.
    Refer(String),
    /// Leave the pane.
    Leave,
}

/// Text sent with one question at most, bytes; a paste may be larger.
const LIMIT: usize = 32 * 1024;

#[derive(Debug, Default)]
pub struct Chat {
    input: TextArea<'static>,
    /// Lines scrolled up from the end; 0 follows the answer.
    up: usize,
    /// Lines scrolled up from where the last question stands at the top: its answer was there at
    /// once, and is read from there. `None`: the end is what is followed.
    from_question: Option<isize>,
    /// Part under the cursor while the conversation, not the input, has the keys.
    chosen: Option<(usize, usize)>,
    /// What can be referred to, while one of it is chosen.
    offers: Option<mention::Offers>,
    /// References in the text.
    chips: Vec<mention::Chip>,
    history: Vec<String>,
    back_in_history: usize,
    laid: RefCell<talk::Kept>,
}

impl Chat {
    /// A key while the pane has the focus.
    pub fn press(&mut self, press: KeyPress, talk: &Conversation) -> Option<ChatCommand> {
        if self.chosen.is_some() {
            return self.press_in_talk(press, talk);
        }
        if let Ok(done) = self.press_in_offers(press) {
            return done;
        }
        match (press.ctrl, press.key) {
            (false, Key::Esc) | (true, Key::Char('c')) => {
                return Some(match talk.running() {
                    Some(run) => ChatCommand::Cancel(run),
                    None => ChatCommand::Leave,
                });
            }
            (false, Key::Enter) if !press.shift && !press.alt => return self.send(),
            (false, Key::Enter) | (true, Key::Char('j')) => self.input.insert_newline(),
            (true, Key::Char('n')) => return Some(ChatCommand::New),
            (false, Key::PageUp) => self.scroll(10),
            (false, Key::PageDown) => self.scroll(-10),
            (false, Key::Up) if self.is_one_line() => self.recall(true),
            (false, Key::Down) if self.is_one_line() => self.recall(false),
            (false, Key::Tab) => self.chosen = body::last_foldable(talk),
            (false, Key::Char('@')) => {
                self.edit(press);
                return self.mentioned().map(|_| ChatCommand::Offer);
            }
            _ => self.edit(press),
        }
        self.keep_offers();
        None
    }

    fn press_in_talk(&mut self, press: KeyPress, talk: &Conversation) -> Option<ChatCommand> {
        let (message, part) = self.chosen?;
        match (press.ctrl, press.key) {
            (false, Key::Esc | Key::Tab) => self.chosen = None,
            (true, Key::Char('c')) => return talk.running().map(ChatCommand::Cancel),
            (false, Key::Enter | Key::Char(' ' | 'z')) => {
                return Some(ChatCommand::Toggle { message, part });
            }
            (false, Key::Char('o')) => return Some(ChatCommand::Evidence { message, part }),
            (false, Key::Char(n @ '1'..='9')) => {
                let number = n.to_digit(10).unwrap_or(0);
                self.chosen = body::cited(talk, message, number).or(self.chosen);
            }
            (false, Key::Up | Key::Char('k')) => {
                self.chosen = body::foldable(talk, (message, part), false).or(self.chosen);
            }
            (false, Key::Down | Key::Char('j')) => {
                self.chosen = body::foldable(talk, (message, part), true);
            }
            (false, Key::PageUp) => self.scroll(10),
            (false, Key::PageDown) => self.scroll(-10),
            (false, Key::Char('y')) => {
                return talk
                    .messages
                    .get(message)
                    .map(|m| ChatCommand::Copy(m.text()));
            }
            _ => {}
        }
        None
    }

    /// Keys worth telling now, best first.
    pub fn hints(&self, talk: &Conversation) -> &'static [(&'static str, &'static str)] {
        if self.is_offering() {
            return &[
                ("Enter", "refer to it"),
                ("Up/Down", "choose"),
                ("Esc", "close"),
            ];
        }
        match (self.chosen.is_some(), talk.running().is_some()) {
            (true, _) => &[
                ("Enter", "unfold"),
                ("o", "open its screen"),
                ("1-9", "citation"),
                ("j/k", "next"),
                ("y", "copy answer"),
                ("Esc", "to the input"),
            ],
            (false, true) => &[
                ("Esc", "stop"),
                ("Enter", "queue"),
                ("Tab", "tool calls"),
                ("PgUp", "scroll"),
            ],
            (false, false) => &[
                ("Enter", "send"),
                ("Esc", "leave"),
                ("@", "refer"),
                ("Tab", "tool calls"),
                ("PgUp", "scroll"),
                ("Ctrl-n", "new"),
            ],
        }
    }

    pub fn paste(&mut self, text: &str) {
        let clean = crate::model::text::clean_lines(text, LIMIT);
        let room = LIMIT.saturating_sub(self.len());
        let cut: String = clean.chars().take(room).collect();
        self.input.insert_str(cut);
    }

    /// Text waiting to be sent.
    pub fn text(&self) -> String {
        self.input.lines().join("\n")
    }

    fn len(&self) -> usize {
        self.input.lines().iter().map(|line| line.len() + 1).sum()
    }

    pub fn set_text(&mut self, text: &str) {
        self.input = TextArea::new(text.split('\n').map(str::to_owned).collect());
        self.input.move_cursor(CursorMove::Bottom);
        self.input.move_cursor(CursorMove::End);
    }

    /// Mouse wheel or page keys of the frame: lines up (positive) or down.
    pub fn scroll(&mut self, lines: isize) {
        match &mut self.from_question {
            Some(up) => *up = up.saturating_add(lines),
            None => self.up = self.up.saturating_add_signed(lines),
        }
    }

    /// The newest line follows again: something was asked.
    pub fn follow(&mut self) {
        self.up = 0;
        self.from_question = None;
    }

    /// The answer is whole already: it is shown from its question on.
    pub fn read_answer(&mut self) {
        self.up = 0;
        self.from_question = Some(0);
    }

    fn send(&mut self) -> Option<ChatCommand> {
        let text = self.text().trim().to_owned();
        if text.is_empty() {
            return None;
        }
        self.history.retain(|h| *h != text);
        self.history.push(text.clone());
        let over = self.history.len().saturating_sub(50);
        self.history.drain(..over);
        self.back_in_history = 0;
        self.set_text("");
        self.follow();
        match text.as_str() {
            "/new" => Some(ChatCommand::New),
            _ => Some(ChatCommand::Send(text)),
        }
    }

    fn is_one_line(&self) -> bool {
        self.input.lines().len() <= 1
    }

    fn recall(&mut self, older: bool) {
        let most = self.history.len();
        self.back_in_history = if older {
            (self.back_in_history + 1).min(most)
        } else {
            self.back_in_history.saturating_sub(1)
        };
        let text = self
            .history
            .get(most - self.back_in_history)
            .cloned()
            .unwrap_or_default();
        self.set_text(&text);
    }

    fn edit(&mut self, press: KeyPress) {
        use ratatui_textarea::{Input, Key as Edit};
        let key = match press.key {
            Key::Char(c) if crate::model::text::is_unsafe(c) => return,
            Key::Char(c) if self.len() < LIMIT => Edit::Char(c),
            Key::Backspace => Edit::Backspace,
            Key::Delete => Edit::Delete,
            Key::Up => Edit::Up,
            Key::Down => Edit::Down,
            Key::Left => Edit::Left,
            Key::Right => Edit::Right,
            Key::Home => Edit::Home,
            Key::End => Edit::End,
            _ => return,
        };
        self.input.input(Input {
            key,
            ctrl: press.ctrl,
            alt: press.alt,
            shift: press.shift,
        });
    }

    /// `configured`: there is a model to ask at all.
    pub fn draw(
        &self,
        ctx: &Ctx<'_>,
        talk: &Conversation,
        configured: bool,
        area: Rect,
        buf: &mut Buffer,
    ) {
        let inner = pane(
            ctx,
            area,
            buf,
            &body::title(talk, configured),
            &body::standing(talk, ctx.world.now),
            true,
        );
        if inner.height < 3 || inner.width < 8 {
            return;
        }
        let written = self.written(usize::from(inner.width.saturating_sub(2)));
        let rows = u16::try_from(written.len()).unwrap_or(u16::MAX);
        let rows = rows.clamp(1, (inner.height / 3).max(1));
        let above = Rect {
            height: inner.height - rows - 1,
            ..inner
        };
        self.draw_talk(ctx, talk, configured, above, buf);
        self.draw_offers(ctx, above, buf);
        let rule = body::rule(talk, ctx.world.now, usize::from(inner.width));
        ctx.put(
            buf,
            (inner.x, above.bottom()),
            inner.width,
            &rule,
            ctx.theme.border,
        );
        let field = Rect {
            y: above.bottom() + 1,
            height: rows,
            ..inner
        };
        self.draw_field(ctx, field, buf, &written);
        if ctx.ascii {
            fold_ascii(area, buf);
        }
    }

    /// The input as rows of at most `columns`; the cursor's row and column last.
    fn written(&self, columns: usize) -> Vec<(String, Option<usize>)> {
        let columns = columns.max(1);
        let cursor = self.input.cursor();
        let mut rows = Vec::new();
        for (index, line) in self.input.lines().iter().enumerate() {
            let letters: Vec<char> = line.chars().collect();
            let here = (index == cursor.0).then_some(cursor.1);
            // The cursor may stand behind the last letter.
            let count = (letters.len() + usize::from(here == Some(letters.len()))).max(1);
            for start in (0..count).step_by(columns) {
                let part: String = letters.iter().skip(start).take(columns).collect();
                let at = here
                    .filter(|c| (start..start + columns).contains(c))
                    .map(|c| c - start);
                rows.push((part, at));
            }
        }
        rows
    }

    fn draw_field(
        &self,
        ctx: &Ctx<'_>,
        area: Rect,
        buf: &mut Buffer,
        written: &[(String, Option<usize>)],
    ) {
        let height = usize::from(area.height);
        let at = written.iter().position(|(_, c)| c.is_some()).unwrap_or(0);
        let skip = (at + 1).saturating_sub(height);
        let mut out = Vec::new();
        for (index, (text, cursor)) in written.iter().enumerate() {
            let mark = if index == 0 { "› " } else { "  " };
            let mut spans = vec![Span::styled(mark, ctx.theme.key)];
            match cursor.filter(|_| ctx.focus && self.chosen.is_none()) {
                Some(column) => {
                    let before: String = text.chars().take(column).collect();
                    let under = text.chars().nth(column).unwrap_or(' ').to_string();
                    let after: String = text.chars().skip(column + 1).collect();
                    spans.extend(mention::styled(&before, ctx.theme.base, ctx.theme.accent));
                    spans.push(Span::styled(under, ctx.theme.selected));
                    spans.push(Span::styled(after, ctx.theme.base));
                }
                None => spans.extend(mention::styled(text, ctx.theme.base, ctx.theme.accent)),
            }
            if written.len() == 1 && text.is_empty() {
                let words = "ask   Enter sends   Ctrl-j new line   Tab tool calls";
                spans.push(Span::styled(words, ctx.theme.muted));
            }
            out.push(Line::from(spans));
        }
        lines(ctx, area, buf, &out, skip);
    }
}

#[cfg(test)]
mod tests;

//! Where the cursor stands, and what of the text is replaced there.

use super::shape::is_closed;
use super::{Kind, Place, Token, Want, What};

/// The cursor, with the part it touches.
pub struct Spot<'t> {
    pub text: &'t str,
    pub cursor: usize,
    pub word: Option<Token>,
    /// The part that follows; empty at the end.
    pub next: &'t str,
}

impl<'t> Spot<'t> {
    /// With the part that `is_word` says is completed; a text whose quote is open is always.
    pub fn new(
        text: &'t str,
        cursor: usize,
        tokens: &[Token],
        is_word: fn(&Token) -> bool,
    ) -> Self {
        let touching = |t: &&Token| t.start < cursor && cursor <= t.end;
        let word = tokens.iter().find(touching).copied().filter(|t| {
            let open = t.kind == Kind::Text && (cursor < t.end || !is_closed(t.of(text)));
            open || is_word(t)
        });
        let from = word.map_or(cursor, |w| w.end);
        let next = tokens
            .iter()
            .find(|t| t.start >= from && t.kind != Kind::Blank);
        Self {
            text,
            cursor,
            word,
            next: next.map_or("", |t| t.of(text)),
        }
    }

    /// Where the part at the cursor begins.
    pub fn start(&self) -> usize {
        self.word.map_or(self.cursor, |w| w.start)
    }

    /// The part at the cursor is replaced.
    pub fn plain(&self, wants: Vec<Want>, eager: bool) -> Place {
        let start = self.start();
        Place {
            start,
            end: self.word.map_or(self.cursor, |w| w.end),
            typed: self.typed(start),
            wants,
            eager,
        }
    }

    fn typed(&self, start: usize) -> String {
        let typed = self.text.get(start..self.cursor);
        typed.unwrap_or_default().to_owned()
    }

    /// A value in double quotes, which are put in where they are missing. Of the alternatives of a
    /// regex only the one at the cursor is replaced.
    pub fn quoted(&self, what: What, regex: bool) -> Option<Place> {
        let quoted = |after| Want {
            before: "",
            quoted: true,
            ..Want::plain(what.clone()).followed(after, 0)
        };
        let Some(word) = self.word else {
            let want = Want {
                before: "\"",
                ..quoted("\"")
            };
            return Some(self.plain(vec![want], true));
        };
        let part = word.of(self.text);
        if word.kind != Kind::Text || !part.starts_with('"') {
            return None;
        }
        let mut start = word.start + 1;
        let typed = self.text.get(start..self.cursor)?;
        if regex && let Some(bar) = typed.rfind('|') {
            start += bar + 1;
        }
        let (end, after) = match is_closed(part) {
            true => (word.end - 1, ""),
            // What follows belongs to the text only as long as the quote is missing.
            false => (self.cursor, "\""),
        };
        let more = self.text.get(self.cursor..end).unwrap_or_default();
        let bar = more.find('|').filter(|_| regex);
        Some(Place {
            start,
            end: bar.map_or(end, |bar| self.cursor + bar),
            typed: self.typed(start),
            wants: vec![quoted(after)],
            eager: true,
        })
    }
}

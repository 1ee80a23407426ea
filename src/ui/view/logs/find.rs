//! Finding in the stream: what matches is marked and counted, nothing is hidden.

use ratatui::style::{Modifier, Style};
use ratatui::text::Span;
use regex::Regex;

use super::Logs;
use crate::state::world::World;
use crate::ui::widget::filter::Filter;
use crate::ui::widget::text::{cut, width};

/// What is looked for; empty: nothing.
#[derive(Debug, Default)]
pub struct Find {
    text: String,
    filter: Filter,
    /// What of a line is marked: a term that excludes, or asks for a label, marks nothing.
    marks: Vec<Regex>,
}

impl Find {
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            filter: Filter::parse(text),
            marks: text.split_whitespace().filter_map(mark).collect(),
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn is_empty(&self) -> bool {
        self.filter.is_empty()
    }

    /// The lines in which it stands.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// What of a line is shown in so many columns: its beginning, or where the first mark stands.
    /// What cannot be seen is not searched for marks.
    pub fn in_view(&self, text: &str, columns: usize) -> String {
        let first = self.marks.iter().filter_map(|mark| mark.find(text));
        let place = first
            .min_by_key(regex::Match::start)
            .filter(|m| width(text.get(..m.end()).unwrap_or_default()) > columns);
        let Some(found) = place else {
            return cut(text, columns);
        };
        // A third of the room tells what stands before it.
        let before = text.get(..found.start()).unwrap_or_default();
        let kept: Vec<char> = before.chars().rev().take(columns / 3).collect();
        let rest = text.get(found.start()..).unwrap_or_default();
        let mut out = String::from("…");
        out.extend(kept.into_iter().rev());
        out.push_str(rest);
        cut(&out, columns)
    }

    /// The text in its style, with what was looked for turned round.
    pub fn spans(&self, text: &str, style: Style) -> Vec<Span<'static>> {
        let found = style.add_modifier(Modifier::REVERSED | Modifier::BOLD);
        let mut places: Vec<(usize, usize)> = self
            .marks
            .iter()
            .flat_map(|mark| mark.find_iter(text))
            .map(|m| (m.start(), m.end()))
            .filter(|(start, end)| start < end)
            .collect();
        places.sort_unstable();
        let mut spans = Vec::new();
        let mut at = 0;
        for (start, end) in places {
            // Places may overlap: what is marked already stays so.
            let start = start.max(at);
            if end <= start {
                continue;
            }
            let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default().to_owned();
            if start > at {
                spans.push(Span::styled(part(at, start), style));
            }
            spans.push(Span::styled(part(start, end), found));
            at = end;
        }
        let rest = text.get(at..).unwrap_or_default();
        spans.push(Span::styled(rest.to_owned(), style));
        spans
    }
}

/// What a term marks, read as the filter reads it.
fn mark(term: &str) -> Option<Regex> {
    let inner = term.strip_prefix('/').and_then(|t| t.strip_suffix('/'));
    let pattern = match inner {
        Some(inner) => inner.to_owned(),
        None if term.starts_with(['!', '~']) || term.contains('=') => return None,
        None => regex::escape(term),
    };
    regex::RegexBuilder::new(&pattern)
        .size_limit(1 << 20)
        .case_insensitive(!term.chars().any(char::is_uppercase))
        .build()
        .ok()
        .filter(|_| !pattern.is_empty())
}

impl Logs {
    /// How many matches there are, and the number of the last one that is not after the cursor.
    pub(super) fn matches(&self, world: &World) -> String {
        let (upto, all, more) = self.found(world).rank(self.cursor.as_ref());
        let sign = if more { "≥ " } else { "" };
        format!("{upto}/{sign}{all}")
    }

    /// To the next match; from the last one on to the first one, and back.
    pub(super) fn go_to_match(&mut self, world: &World, forward: bool) {
        if self.find.is_empty() {
            return;
        }
        let merged = self.found(world);
        let newest = merged.newest_ns();
        let found = match (&self.cursor, forward) {
            (None, false) => merged.before(None, 1).pop(),
            (Some(at), false) => merged
                .before(Some(at), 1)
                .pop()
                .or_else(|| merged.before(None, 1).pop()),
            (Some(at), true) => merged
                .after(at, 1)
                .first()
                .copied()
                .or_else(|| merged.first()),
            (None, true) => merged.first(),
        };
        let found = found.map(|e| e.id());
        if found.is_some() {
            if self.cursor.is_none() {
                self.seen_ns = newest;
            }
            self.cursor = found;
        }
    }
}

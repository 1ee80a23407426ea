//! What selects streams: `{app="a", pod=~"b.*"}`.

use super::read::{Read, Reader};
use super::write::unquoted;
use crate::language::Token;

const EMPTY: &str = "at least one label has to be asked for that is not empty, as in {app=~\".+\"}";

/// Longest regex that is tried out while typing.
const REGEX: usize = 200;

impl Reader<'_> {
    pub(super) fn selector(&mut self) -> Read<()> {
        let first = self.token();
        self.want("{", "a selector such as {app=\"…\"} has to stand here")?;
        // What is left open may still ask for something.
        let mut asks = false;
        while self.part() != "}" {
            asks |= self.matcher()?;
            if !self.eat(",") && self.part() != "}" {
                return self.fail("`,` or `}` has to follow");
            }
        }
        let last = self.token();
        self.step();
        match (first, last) {
            (Some(first), Some(last)) if !asks => self.fail_over(first, last, EMPTY),
            _ => Ok(()),
        }
    }

    /// True: it asks for a label that is not empty, or may do so.
    fn matcher(&mut self) -> Read<bool> {
        self.name("the name of a label has to stand here")?;
        let operator = self.comparison()?;
        let value = self.quoted("the value of a label stands in quotes: \"…\"")?;
        if operator.contains('~') {
            self.regex(value)?;
        }
        let text = unquoted(value.of(self.text));
        Ok(match (operator, text) {
            ("=", Some(text)) => !text.is_empty(),
            ("!=", Some(text)) => text.is_empty(),
            (op, Some(text)) => match whole(&text) {
                Some(regex) => regex.is_match("") == (op == "!~"),
                None => true,
            },
            (_, None) => true,
        })
    }

    /// `=`, `!=`, `=~` or `!~`.
    pub(super) fn comparison(&mut self) -> Read<&'static str> {
        let known = ["=", "!=", "=~", "!~"];
        match known.into_iter().find(|op| *op == self.part()) {
            Some(operator) => {
                self.step();
                Ok(operator)
            }
            None => self.fail("`=`, `!=`, `=~` or `!~` has to stand here"),
        }
    }

    /// A regex that no engine takes. Where ours differs from Loki's (RE2) the server decides.
    pub(super) fn regex(&self, value: Token) -> Read<()> {
        let Some(text) = unquoted(value.of(self.text)) else {
            return Ok(());
        };
        if text.len() > REGEX || text.contains(['[', '\\']) {
            return Ok(());
        }
        let Err(error) = regex::Regex::new(&text) else {
            return Ok(());
        };
        let error = error.to_string();
        let told = [
            ("unclosed group", "`(` of the regex is not closed"),
            ("unopened group", "`)` of the regex closes nothing"),
            (
                "repetition operator missing",
                "what is repeated is missing before `*`, `+` or `?`",
            ),
        ];
        match told.iter().find(|(known, _)| error.contains(known)) {
            Some((_, words)) => self.fail_at(value, words),
            None => Ok(()),
        }
    }
}

/// As Loki reads it: the whole value has to match.
fn whole(text: &str) -> Option<regex::Regex> {
    if text.len() > REGEX {
        return None;
    }
    regex::RegexBuilder::new(&format!("^(?:{text})$"))
        .size_limit(1 << 18)
        .build()
        .ok()
}

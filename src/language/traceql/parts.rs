//! A reader of the parts of a query, one after the other.

use crate::language::shape::closing;
use crate::language::{Kind, Token};

/// Which part is wrong, by its number, and why. Beyond the last part: something is missing.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    pub at: usize,
    pub text: String,
}

pub type Right<T> = Result<T, Wrong>;

#[derive(Debug)]
pub struct Parts<'t> {
    text: &'t str,
    tokens: &'t [Token],
    pub at: usize,
}

impl<'t> Parts<'t> {
    /// Of parts that say something: no blanks, no comments.
    pub fn new(text: &'t str, tokens: &'t [Token]) -> Self {
        Self {
            text,
            tokens,
            at: 0,
        }
    }

    /// The same parts, read from another place.
    pub fn from(&self, at: usize) -> Self {
        Self {
            text: self.text,
            tokens: self.tokens,
            at,
        }
    }

    /// Empty at the end.
    pub fn next(&self) -> &'t str {
        self.ahead(0)
    }

    pub fn ahead(&self, count: usize) -> &'t str {
        let token = self.tokens.get(self.at + count);
        token.map_or("", |t| t.of(self.text))
    }

    pub fn kind(&self) -> Option<Kind> {
        self.tokens.get(self.at).map(|t| t.kind)
    }

    pub fn take(&mut self) -> &'t str {
        let part = self.next();
        self.at += 1;
        part
    }

    pub fn takes(&mut self, part: &str) -> bool {
        let fits = self.next() == part;
        self.at += usize::from(fits);
        fits
    }

    /// This part has to follow.
    pub fn must(&mut self, part: &str) -> Right<()> {
        match (self.takes(part), self.next()) {
            (true, _) => Ok(()),
            (false, "") => Err(self.wrong(format!("`{part}` is missing"))),
            (false, found) => Err(self.wrong(format!("`{found}` stands where `{part}` has to be"))),
        }
    }

    /// The bracket that closes what was opened.
    pub fn close(&mut self, open: &str) -> Right<()> {
        let wanted = closing(open);
        match (self.takes(wanted), self.next()) {
            (true, _) => Ok(()),
            (false, "") => Err(self.wrong(format!("`{wanted}` is missing"))),
            (false, _) => Err(self.unfit()),
        }
    }

    pub fn before(&self) -> &'t str {
        let token = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        token.map_or("", |t| t.of(self.text))
    }

    pub fn wrong(&self, text: String) -> Wrong {
        Wrong { at: self.at, text }
    }

    /// This part may not stand here, or nothing does and something has to.
    pub fn unfit(&self) -> Wrong {
        match (self.next(), self.before()) {
            ("", "") => self.wrong("nothing is asked for".to_owned()),
            ("", before) => self.wrong(format!("something has to follow `{before}`")),
            ("=", "=") => self.wrong("one `=` compares".to_owned()),
            ("!", _) if self.ahead(1).is_empty() => Wrong {
                at: self.at + 1,
                text: "`!` begins an operator: `!=`, `!~`, `!>`".to_owned(),
            },
            (part, _) => self.wrong(format!("`{part}` may not stand here")),
        }
    }
}

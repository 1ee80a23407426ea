//! Walks over the parts of a text that say something, one by one.

use super::scan::scan;
use crate::language::{Kind, Problem, Token};

/// Why reading ended before the text did.
#[derive(Debug)]
pub enum Stop {
    Wrong(Problem),
    /// What stands there is not known here; the server decides.
    Unknown,
}

pub type Read<T> = Result<T, Stop>;

pub struct Reader<'t> {
    pub text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    pub depth: usize,
}

impl<'t> Reader<'t> {
    pub fn new(text: &'t str) -> Self {
        let tokens = scan(text).into_iter();
        let says = |t: &Token| !matches!(t.kind, Kind::Blank | Kind::Comment);
        Self {
            text,
            tokens: tokens.filter(says).collect(),
            at: 0,
            depth: 0,
        }
    }

    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    pub fn place(&self) -> usize {
        self.at
    }

    pub fn go_back(&mut self, place: usize) {
        self.at = place;
    }

    pub fn ended(&self) -> bool {
        self.at >= self.tokens.len()
    }

    pub fn token(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    fn ahead(&self, by: usize) -> Option<Token> {
        self.tokens.get(self.at + by).copied()
    }

    /// The part at the cursor; empty at the end.
    pub fn part(&self) -> &'t str {
        self.token().map_or("", |t| t.of(self.text))
    }

    /// The part after that one.
    pub fn next_part(&self) -> &'t str {
        self.ahead(1).map_or("", |t| t.of(self.text))
    }

    /// The word at the cursor in small letters: the language knows no others.
    pub fn word(&self) -> String {
        self.part().to_ascii_lowercase()
    }

    pub fn is_text(&self) -> bool {
        self.token().is_some_and(|t| t.kind == Kind::Text)
    }

    pub fn is_number(&self) -> bool {
        self.token().is_some_and(|t| t.kind == Kind::Number)
    }

    /// Anything that can be the name of a label.
    pub fn is_name(&self) -> bool {
        self.token().is_some_and(|t| {
            matches!(
                t.kind,
                Kind::Name | Kind::Label | Kind::Keyword | Kind::Function
            ) && !t.of(self.text).starts_with('-')
        })
    }

    pub fn step(&mut self) {
        self.at += 1;
    }

    pub fn eat(&mut self, part: &str) -> bool {
        let here = self.part().eq_ignore_ascii_case(part) && !self.is_text();
        if here {
            self.at += 1;
        }
        here
    }

    /// What has to stand here; `words` tell it.
    pub fn want(&mut self, part: &str, words: &str) -> Read<()> {
        match self.eat(part) {
            true => Ok(()),
            false => self.fail(words),
        }
    }

    /// A text in quotes.
    pub fn quoted(&mut self, words: &str) -> Read<Token> {
        match self.token().filter(|t| t.kind == Kind::Text) {
            Some(token) => {
                self.at += 1;
                Ok(token)
            }
            None => self.fail(words),
        }
    }

    pub fn name(&mut self, words: &str) -> Read<Token> {
        match self.token().filter(|_| self.is_name()) {
            Some(token) => {
                self.at += 1;
                Ok(token)
            }
            None => self.fail(words),
        }
    }

    /// The part at the cursor is wrong; at the end of the text only something is missing.
    pub fn fail<T>(&self, words: &str) -> Read<T> {
        match self.token() {
            Some(token) => self.fail_at(token, words),
            None => {
                let last = self.tokens.last().copied();
                let (start, end) = last.map_or((0, self.text.len()), |t| (t.start, t.end));
                Err(Stop::Wrong(Problem {
                    start,
                    end,
                    text: words.to_owned(),
                    unfinished: true,
                }))
            }
        }
    }

    pub fn fail_at<T>(&self, token: Token, words: &str) -> Read<T> {
        self.fail_over(token, token, words)
    }

    pub fn fail_over<T>(&self, first: Token, last: Token, words: &str) -> Read<T> {
        Err(Stop::Wrong(Problem {
            start: first.start,
            end: last.end,
            text: words.to_owned(),
            unfinished: false,
        }))
    }

    /// Labels in parentheses.
    pub fn labels(&mut self) -> Read<()> {
        self.want("(", "labels stand in parentheses: by (app, pod)")?;
        while !self.eat(")") {
            self.name("the name of a label has to stand here, or `)`")?;
            if !self.eat(",") && self.part() != ")" {
                return self.fail("labels are parted by `,` and end with `)`");
            }
        }
        Ok(())
    }
}

//! What is wrong with a PromQL text, and where.
//!
//! The grammar is that of `promql-parser`, which tells no place. A beginning that some ending makes
//! whole is right so far, so the first part that no ending makes whole is the mistake.

use std::cell::Cell;

use promql_parser::parser::parse;

use super::scan::scan;
use super::words;
use crate::language::shape::{self, closing};
use crate::language::{Kind, Problem, Token};

/// Parts of a text that is checked; a longer one is left to the server.
const PARTS: usize = 400;
/// Bytes handed to the parser for one look at a text: on every key that is some milliseconds at
/// most. Beyond that it is told that there is a mistake, not where.
pub const PARSED: usize = 64 << 10;
/// Longest regex that is tried out while typing.
const REGEX: usize = 100;
/// What the parser says where it has nothing to say.
const NO_REASON: &str = "invalid promql query";

pub fn check(text: &str) -> Option<Problem> {
    looked_at(text).0
}

/// What is wrong, and how many bytes the parser was given to find that out.
pub(super) fn looked_at(text: &str) -> (Option<Problem>, usize) {
    let left = Cell::new(PARSED);
    let problem = look(text, &left);
    (problem, PARSED - left.get())
}

fn look(text: &str, left: &Cell<usize>) -> Option<Problem> {
    let tokens: Vec<Token> = scan(text)
        .into_iter()
        .filter(|t| !matches!(t.kind, Kind::Blank | Kind::Comment))
        .collect();
    if tokens.is_empty() || tokens.len() > PARTS {
        return None;
    }
    if let Some(problem) = shape::check(text, &tokens) {
        return Some(problem);
    }
    let text_of = Parts {
        text,
        tokens: &tokens,
        left,
    };
    // Too much to be parsed at all: left to the server.
    let reason = text_of
        .parsed(&text_of.written(tokens.len(), false))?
        .err()?;
    let Some(at) = text_of.first_wrong() else {
        return Some(somewhere(&tokens, &reason));
    };
    match tokens.get(at) {
        Some(token) => Some(Problem {
            start: token.start,
            end: token.end,
            text: unexpected(token.of(text), &reason),
            unfinished: false,
        }),
        None if text_of.is_syntax(&reason) => Some(unfinished(text, &tokens)),
        None => Some(meant(text, &tokens, &reason)),
    }
}

struct Parts<'t> {
    text: &'t str,
    tokens: &'t [Token],
    /// Bytes that may still be parsed.
    left: &'t Cell<usize>,
}

impl Parts<'_> {
    /// What the parser says; `None`: enough was parsed.
    fn parsed(&self, text: &str) -> Option<Result<(), String>> {
        self.left.set(self.left.get().checked_sub(text.len())?);
        Some(parse(text).map(drop))
    }

    /// The first `count` parts as one text. Where only the grammar is in question, or where it
    /// would take long, what is quoted is left out.
    fn written(&self, count: usize, bare: bool) -> String {
        let mut out = String::new();
        let (mut regex, mut end) = (false, 0);
        for token in self.tokens.iter().take(count) {
            if end < token.start {
                out.push(' ');
            }
            end = token.end;
            let part = token.of(self.text);
            let number = token.kind == Kind::Number && is_long(part);
            let quoted = token.kind == Kind::Text;
            let slow = regex && (part.len() > REGEX || part.contains('{'));
            match (number, quoted) {
                (true, _) => out.push('1'),
                (_, true) if bare || slow => out.push_str("\"x\""),
                _ => out.push_str(part),
            }
            regex = matches!(part, "=~" | "!~");
        }
        out
    }

    fn is_syntax(&self, reason: &str) -> bool {
        let lexical = [
            "unexpected",
            "unclosed",
            "unterminated",
            "no expression",
            "'!'",
        ];
        reason == NO_REASON
            || reason == "ParseError"
            || lexical.iter().any(|l| reason.starts_with(l))
    }

    /// Whether some ending makes the first `count` parts a whole; `None`: enough was parsed.
    fn is_begun(&self, count: usize) -> Option<bool> {
        let begun = self.written(count, true);
        let mut open = Vec::new();
        for token in self.tokens.iter().take(count) {
            match token.of(self.text) {
                part @ ("(" | "{" | "[") => open.push(closing(part)),
                ")" | "}" | "]" => {
                    open.pop();
                }
                _ => {}
            }
        }
        let close: String = open.iter().rev().copied().collect();
        let middles: &[&str] = match open.last() {
            Some(&"}") => &["", "x", "=\"x\"", "\"x\"", " x=\"x\""],
            Some(&"]") => &["", "5m"],
            _ => &["", " x", "(x)", " (x) x", " (x) (x)", " 5m", " 1", "()"],
        };
        let tails: &[&str] = match open.contains(&")") {
            true => &["", " x", " (x)"],
            false => &[""],
        };
        for middle in middles {
            for tail in tails {
                match self.parsed(&format!("{begun}{middle}{close}{tail}"))? {
                    Err(reason) if self.is_syntax(&reason) => {}
                    _ => return Some(true),
                }
            }
        }
        Some(false)
    }

    /// Place of the first part that nothing makes right; their number: there is none. `None`: it
    /// was not found before enough was parsed.
    fn first_wrong(&self) -> Option<usize> {
        let (mut right, mut wrong) = (0, self.tokens.len() + 1);
        while wrong - right > 1 {
            let middle = usize::midpoint(right, wrong);
            match self.is_begun(middle)? {
                true => right = middle,
                false => wrong = middle,
            }
        }
        Some(right)
    }
}

/// A mistake in a text that is too long to be looked through for its place.
fn somewhere(tokens: &[Token], reason: &str) -> Problem {
    let said = reason != NO_REASON && reason != "ParseError";
    Problem {
        start: tokens.first().map_or(0, |t| t.start),
        end: tokens.last().map_or(0, |t| t.end),
        text: match said {
            true => sentence(reason),
            false => "there is a mistake in it; it is too long to be told where".into(),
        },
        unfinished: false,
    }
}

/// Durations beyond what can be reckoned with; the server says so.
fn is_long(number: &str) -> bool {
    number.bytes().filter(u8::is_ascii_digit).count() > 12
        || number.contains(['e', 'E']) && number.parse::<f64>().is_ok_and(|n| n.abs() > 1e9)
}

/// The parser's reason where it names one, else that the part may not stand here.
fn unexpected(part: &str, reason: &str) -> String {
    if part == "=" {
        return "`=` compares labels within `{}`; values are compared by `==`".into();
    }
    match reason == NO_REASON || reason == "ParseError" || !reason.contains(part) {
        true => format!("`{part}` may not stand here"),
        false => sentence(reason),
    }
}

/// Right so far.
fn unfinished(text: &str, tokens: &[Token]) -> Problem {
    let open = shape::open(text, tokens);
    let last = tokens.last().copied().unwrap_or(Token {
        start: 0,
        end: text.len(),
        kind: Kind::Wrong,
    });
    let words = match open.last() {
        Some(open) => format!("`{}` is missing", closing(open.of(text))),
        None if last.kind == Kind::Function || is_aggregation(last.of(text)) => {
            format!("`{}` wants `(…)`", last.of(text))
        }
        None => format!("something has to follow `{}`", last.of(text)),
    };
    Problem {
        start: last.start,
        end: last.end,
        text: words,
        unfinished: true,
    }
}

fn is_aggregation(word: &str) -> bool {
    let mut all = words::AGGREGATIONS.iter();
    all.any(|w| w.text.eq_ignore_ascii_case(word))
}

/// The grammar is right; what it says is not.
fn meant(text: &str, tokens: &[Token], reason: &str) -> Problem {
    let is = |word: &str| {
        tokens
            .iter()
            .find(|t| !word.is_empty() && t.of(text) == word)
    };
    let quoted = || is(reason.split('\'').nth(1).unwrap_or_default());
    let last = || is(reason.rsplit(' ').next().unwrap_or_default());
    let named = match reason.starts_with("illegal regex") {
        true => tokens.iter().find(|t| {
            let part = t.of(text).trim_matches('"');
            t.kind == Kind::Text && reason.ends_with(&format!(" {part}"))
        }),
        false => quoted().or_else(last),
    };
    let whole = (
        tokens.first().map_or(0, |t| t.start),
        tokens.last().map_or(0, |t| t.end),
    );
    let (start, end) = named.map_or(whole, |t| (t.start, t.end));
    Problem {
        start,
        end,
        text: sentence(reason),
        unfinished: false,
    }
}

fn sentence(reason: &str) -> String {
    crate::model::text::clean(reason, 300)
}

//! What all query languages share: texts in quotes, and brackets that have to close.

use super::{Kind, Problem, Token};

/// Depth to which a query may be nested.
const DEPTH: usize = 60;
/// Longest number that is looked at.
const NUMBER: usize = 30;

/// Parts that cover a text exactly: `part` tells of the rest of the text and its first character
/// how long the next one is, and what.
pub fn parts(text: &str, mut part: impl FnMut(&str, char) -> (usize, Kind)) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(rest) = text.get(start..)
        && let Some(first) = rest.chars().next()
    {
        let (length, kind) = part(rest, first);
        let end = start + length.max(first.len_utf8());
        tokens.push(Token { start, end, kind });
        start = end;
    }
    tokens
}

/// Length of a quoted text: to its closing quote, or to the end.
pub fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Whether a quoted text has its closing quote.
pub fn is_closed(text: &str) -> bool {
    let Some(quote) = text.chars().next() else {
        return false;
    };
    let Some(body) = text.strip_prefix(quote).and_then(|b| b.strip_suffix(quote)) else {
        return false;
    };
    let slashes = body.chars().rev().take_while(|c| *c == '\\').count();
    quote == '`' || slashes % 2 == 0
}

pub fn closing(open: &str) -> &'static str {
    match open {
        "(" => ")",
        "{" => "}",
        _ => "]",
    }
}

/// The brackets that are open at the end.
pub fn open<'t>(text: &str, tokens: &'t [Token]) -> Vec<&'t Token> {
    let mut open = Vec::new();
    for token in tokens {
        match token.of(text) {
            "(" | "{" | "[" => open.push(token),
            ")" | "}" | "]" => {
                open.pop();
            }
            _ => {}
        }
    }
    open
}

/// Mistakes that are seen without a grammar.
pub fn check(text: &str, tokens: &[Token]) -> Option<Problem> {
    let problem = |token: &Token, words: String, unfinished| {
        Some(Problem {
            start: token.start,
            end: token.end,
            text: words,
            unfinished,
        })
    };
    let mut open: Vec<&Token> = Vec::new();
    for token in tokens {
        let part = token.of(text);
        match (token.kind, part) {
            (Kind::Wrong, "!") if token.end == text.len() => {
                return problem(token, "`=` or `~` has to follow".into(), true);
            }
            (Kind::Wrong, _) => {
                return problem(token, format!("`{part}` has no meaning here"), false);
            }
            (Kind::Text, _) if !is_closed(part) => {
                return problem(token, "the closing quote is missing".into(), true);
            }
            (Kind::Number, _) if part.len() > NUMBER => {
                return problem(token, "this number is too long".into(), false);
            }
            (_, "(" | "{" | "[") => open.push(token),
            (_, ")" | "}" | "]") => {
                let fits = open.pop().map(|o| closing(o.of(text)));
                match fits {
                    Some(wanted) if wanted == part => {}
                    Some(wanted) => {
                        let words = format!("`{part}` stands where `{wanted}` has to close");
                        return problem(token, words, false);
                    }
                    None => return problem(token, format!("`{part}` closes nothing"), false),
                }
            }
            _ => {}
        }
        if open.len() > DEPTH {
            return problem(token, format!("nested more than {DEPTH} deep"), false);
        }
    }
    None
}

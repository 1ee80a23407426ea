//! The parts of a PromQL text, told apart without understanding it whole: it may be half typed.

use super::words;
use crate::language::shape::{parts, quoted};
use crate::language::{Kind, Token};

/// Parts that cover the text exactly.
pub fn scan(text: &str) -> Vec<Token> {
    let mut brackets = 0usize;
    let mut tokens = parts(text, |rest, first| {
        let next = part(rest, first, brackets > 0);
        match first {
            '[' => brackets += 1,
            ']' => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        next
    });
    name(text, &mut tokens);
    tokens
}

/// Length and kind of the part that the text begins with.
fn part(text: &str, first: char, in_range: bool) -> (usize, Kind) {
    let run = |fits: fn(char) -> bool| text.find(|c| !fits(c)).unwrap_or(text.len());
    match first {
        c if c.is_whitespace() => (run(char::is_whitespace), Kind::Blank),
        '#' => (text.find('\n').unwrap_or(text.len()), Kind::Comment),
        '"' | '\'' | '`' => (quoted(text, first), Kind::Text),
        '0'..='9' => (number(text), Kind::Number),
        '.' if text.chars().nth(1).is_some_and(|c| c.is_ascii_digit()) => {
            (number(text), Kind::Number)
        }
        ':' if in_range => (1, Kind::Operator),
        c if is_name(c) => (run(is_name), Kind::Name),
        '(' | ')' | '{' | '}' | '[' | ']' => (1, Kind::Bracket),
        _ => {
            let two = ["==", "!=", ">=", "<=", "=~", "!~"];
            match two.iter().any(|op| text.starts_with(op)) {
                true => (2, Kind::Operator),
                false if "+-*/%^<>=@,".contains(first) => (1, Kind::Operator),
                false => (first.len_utf8(), Kind::Wrong),
            }
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// A number or a duration.
fn number(text: &str) -> usize {
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let sign = matches!(c, '+' | '-')
            && matches!(before, 'e' | 'E')
            && !text.starts_with("0x")
            && text
                .get(at + 1..)
                .is_some_and(|r| r.chars().next().is_some_and(|c| c.is_ascii_digit()));
        if !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_') || sign) {
            return at;
        }
        before = c;
    }
    text.len()
}

/// What stands in parentheses or braces that are open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    Values,
    Labels,
    Matchers,
    Range,
}

/// Tells what the names are: a word of the language, a label or a metric.
fn name(text: &str, tokens: &mut [Token]) {
    let mut rooms = Vec::new();
    let mut before = "";
    for at in 0..tokens.len() {
        let Some(token) = tokens.get(at).copied() else {
            return;
        };
        let word = token.of(text);
        if matches!(token.kind, Kind::Blank | Kind::Comment) {
            continue;
        }
        match word {
            "(" if words::takes_labels(before) => rooms.push(Room::Labels),
            "(" => rooms.push(Room::Values),
            "{" => rooms.push(Room::Matchers),
            "[" => rooms.push(Room::Range),
            ")" | "}" | "]" => {
                rooms.pop();
            }
            _ if token.kind == Kind::Name => {
                let kind = match rooms.last() {
                    Some(Room::Labels) => Kind::Label,
                    Some(Room::Matchers) if word == "or" && !matches!(before, "{" | ",") => {
                        Kind::Keyword
                    }
                    Some(Room::Matchers) => Kind::Label,
                    _ => kind_of(word, after(text, tokens, at)),
                };
                if let Some(token) = tokens.get_mut(at) {
                    token.kind = kind;
                }
            }
            _ => {}
        }
        before = word;
    }
}

/// The next part that says something.
fn after<'t>(text: &'t str, tokens: &[Token], at: usize) -> &'t str {
    let mut rest = tokens.iter().skip(at + 1);
    let next = rest.find(|t| !matches!(t.kind, Kind::Blank | Kind::Comment));
    next.map_or("", |t| t.of(text))
}

fn kind_of(word: &str, next: &str) -> Kind {
    let lower = word.to_ascii_lowercase();
    let is = |list: &[crate::language::Word]| list.iter().any(|w| w.text == lower);
    match lower.as_str() {
        "inf" | "nan" => Kind::Number,
        _ if words::FUNCTIONS.iter().any(|w| w.text == word) && next == "(" => Kind::Function,
        _ if is(&words::AGGREGATIONS) && (next == "(" || words::groups(next)) => Kind::Function,
        _ if is(&words::KEYWORDS) => Kind::Keyword,
        "fill" | "fill_left" | "fill_right" if next == "(" => Kind::Keyword,
        _ => Kind::Name,
    }
}

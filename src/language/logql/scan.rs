//! The parts of a LogQL text, told apart without understanding it whole: it may be half typed.

use super::words;
use crate::language::shape::{parts, quoted};
use crate::language::{Kind, Token};

/// Parts that cover the text exactly.
pub fn scan(text: &str) -> Vec<Token> {
    let mut tokens = parts(text, part);
    name(text, &mut tokens);
    tokens
}

/// Length and kind of the part that the text begins with.
fn part(text: &str, first: char) -> (usize, Kind) {
    let run = |fits: fn(char) -> bool| text.find(|c| !fits(c)).unwrap_or(text.len());
    let second = text.chars().nth(1);
    match first {
        c if c.is_whitespace() => (run(char::is_whitespace), Kind::Blank),
        '#' => (text.find('\n').unwrap_or(text.len()), Kind::Comment),
        '/' if second == Some('/') => (text.find('\n').unwrap_or(text.len()), Kind::Comment),
        '"' | '`' => (quoted(text, first), Kind::Text),
        '0'..='9' => (number(text), Kind::Number),
        '.' if second.is_some_and(|c| c.is_ascii_digit()) => (number(text), Kind::Number),
        '-' if second == Some('-') && is_flag(text) => {
            let end = text.find(|c: char| !(is_name(c) || c == '-'));
            (end.unwrap_or(text.len()), Kind::Keyword)
        }
        c if is_name(c) => (run(is_name), Kind::Name),
        '(' | ')' | '{' | '}' | '[' | ']' => (1, Kind::Bracket),
        _ => {
            let two = words::TWO.iter().any(|op| text.starts_with(op));
            match two {
                true => (2, Kind::Operator),
                false if "+-*/%^<>=|,".contains(first) => (1, Kind::Operator),
                false => (first.len_utf8(), Kind::Wrong),
            }
        }
    }
}

/// `--strict`
fn is_flag(text: &str) -> bool {
    text.chars().nth(2).is_some_and(char::is_alphabetic)
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A number, a duration or a size: `1.5e3`, `1h30m`, `10MiB`.
fn number(text: &str) -> usize {
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let next = text.get(at + 1..).and_then(|r| r.chars().next());
        let sign = matches!((before, c), ('e' | 'E', '+' | '-'))
            && next.is_some_and(|c| c.is_ascii_digit());
        if !(c.is_alphanumeric() || c == '.' || c == '_' || sign) {
            return at;
        }
        before = c;
    }
    text.len()
}

/// Tells what the names are: a word of the language or a label.
fn name(text: &str, tokens: &mut [Token]) {
    let mut before = String::new();
    for at in 0..tokens.len() {
        let Some(token) = tokens.get(at).copied() else {
            return;
        };
        if matches!(token.kind, Kind::Blank | Kind::Comment) {
            continue;
        }
        let word = token.of(text);
        if token.kind == Kind::Name {
            let next = after(text, tokens, at);
            let kind = kind_of(&word.to_ascii_lowercase(), &before, next);
            if let Some(token) = tokens.get_mut(at) {
                token.kind = kind;
            }
        }
        before.clear();
        before.push_str(word);
    }
}

/// The next part that says something.
fn after<'t>(text: &'t str, tokens: &[Token], at: usize) -> &'t str {
    let mut rest = tokens.iter().skip(at + 1);
    let next = rest.find(|t| !matches!(t.kind, Kind::Blank | Kind::Comment));
    next.map_or("", |t| t.of(text))
}

fn kind_of(word: &str, before: &str, next: &str) -> Kind {
    let compared = ["=", "!=", "=~", "!~", "==", ">", ">=", "<", "<="].contains(&next);
    let calls = next == "(";
    match word {
        _ if matches!(before, "{" | ",") && compared => Kind::Label,
        _ if before == "|" && !compared && words::is_stage(word) => Kind::Keyword,
        _ if (calls || words::groups(next)) && words::is_aggregation(word) => Kind::Function,
        _ if calls && (words::is_range(word) || words::is_call(word)) => Kind::Function,
        "by" | "without" | "on" | "ignoring" | "group_left" | "group_right" if calls => {
            Kind::Keyword
        }
        "and" | "or" | "unless" | "bool" | "offset" if !compared && before != "|" => Kind::Keyword,
        _ => Kind::Label,
    }
}

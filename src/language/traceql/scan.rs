//! The parts of a TraceQL text, told apart without understanding it whole: it may be half typed.

use super::words;
use crate::language::shape::{parts, quoted};
use crate::language::{Kind, Token};

/// Signs of more than one character, the longest first.
const OPERATORS: [&str; 18] = [
    "&>>", "&<<", "!>>", "!<<", "&&", "||", "&>", "&<", "&~", "!=", "!~", "!>", "!<", "=~", ">=",
    "<=", ">>", "<<",
];

/// Parts that cover the text exactly. An attribute with its scope is one part, and so is an
/// intrinsic with its scope.
pub fn scan(text: &str) -> Vec<Token> {
    let mut tokens = parts(text, part);
    call(text, &mut tokens);
    tokens
}

/// Length and kind of the part that the text begins with.
fn part(text: &str, first: char) -> (usize, Kind) {
    let run = |fits: fn(char) -> bool| text.find(|c| !fits(c)).unwrap_or(text.len());
    let digit_next = || text.chars().nth(1).is_some_and(|c| c.is_ascii_digit());
    match first {
        c if c.is_whitespace() => (run(char::is_whitespace), Kind::Blank),
        '/' if text.starts_with("//") => (text.find('\n').unwrap_or(text.len()), Kind::Comment),
        '/' if text.starts_with("/*") => {
            let end = text.find("*/").map_or(text.len(), |at| at + 2);
            (end, Kind::Comment)
        }
        '"' | '`' => (quoted(text, first), Kind::Text),
        '0'..='9' => (number(text), Kind::Number),
        '.' if digit_next() => (number(text), Kind::Number),
        '.' => (
            1 + attribute(text.get(1..).unwrap_or_default()),
            Kind::Label,
        ),
        '(' | ')' | '{' | '}' => (1, Kind::Bracket),
        c if is_word(c) => word(text, run(is_word)),
        _ => sign(text, first),
    }
}

fn sign(text: &str, first: char) -> (usize, Kind) {
    match OPERATORS.iter().find(|op| text.starts_with(*op)) {
        Some(op) => (op.len(), Kind::Operator),
        None if "=<>!~|+-*/%^,".contains(first) => (1, Kind::Operator),
        None => (first.len_utf8(), Kind::Wrong),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A word, with the scope it names and what it names in it.
fn word(text: &str, length: usize) -> (usize, Kind) {
    let (word, rest) = text.split_at_checked(length).unwrap_or((text, ""));
    if rest.starts_with('.')
        && words::SCOPES
            .iter()
            .any(|s| s.text.strip_suffix('.') == Some(word))
    {
        return (
            length + 1 + attribute(rest.get(1..).unwrap_or_default()),
            Kind::Label,
        );
    }
    if let Some(inner) = rest
        .strip_prefix(':')
        .filter(|_| words::is_colon_scope(word))
    {
        let blank = inner.find(|c: char| !c.is_whitespace()).unwrap_or(0);
        let named = inner.get(blank..).unwrap_or_default();
        let name = named.find(|c| !is_word(c)).unwrap_or(named.len());
        let skipped = if name == 0 { 0 } else { blank };
        return (length + 1 + skipped + name, Kind::Name);
    }
    let is = |list: &[crate::language::Word]| list.iter().any(|w| w.text == word);
    let kind = match word {
        _ if is(&words::INTRINSICS) || words::is_old_intrinsic(word) => Kind::Name,
        _ if is(&words::VALUES) || is(&words::STATUSES) || is(&words::KINDS) => Kind::Keyword,
        "by" | "with" => Kind::Keyword,
        "minInt" | "maxInt" => Kind::Number,
        _ => Kind::Wrong,
    };
    (length, kind)
}

/// The name of an attribute: to the next sign that cannot stand in one. Parts of it may be quoted.
fn attribute(text: &str) -> usize {
    let mut at = 0;
    while let Some((rest, c)) = text.get(at..).and_then(|r| Some((r, r.chars().next()?))) {
        at += match c {
            '"' => quoted(rest, '"'),
            c if c.is_whitespace() || "{}()=~!<>&|^,".contains(c) => break,
            c => c.len_utf8(),
        };
    }
    at
}

/// A number or a duration.
fn number(text: &str) -> usize {
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let exponent = matches!(before, 'e' | 'E') && !text.starts_with("0x");
        let signed = matches!(c, '+' | '-') && exponent;
        if !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | 'µ') || signed) {
            return at;
        }
        before = c;
    }
    text.len()
}

/// Words that are followed by a parenthesis and words within those of `with` get their meaning
/// from that.
fn call(text: &str, tokens: &mut [Token]) {
    let said = |t: &&Token| !matches!(t.kind, Kind::Blank | Kind::Comment);
    let mut hints = false;
    let mut before = "";
    for at in 0..tokens.len() {
        let next = tokens.iter().skip(at + 1).find(said);
        let next = next.map_or("", |t| t.of(text));
        let Some(token) = tokens.get_mut(at) else {
            return;
        };
        let part = token.of(text);
        match part {
            "(" if before == "with" => hints = true,
            ")" => hints = false,
            _ if token.kind == Kind::Wrong && words::is_function(part) => {
                token.kind = Kind::Function;
            }
            _ if hints && next == "=" && part.starts_with(is_word) => token.kind = Kind::Label,
            _ => {}
        }
        if said(&&*token) {
            before = part;
        }
    }
}

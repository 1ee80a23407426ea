//! What a search may be written in: TraceQL, or the short form. The first characters tell which.

use super::short::{self, OPERATORS, Word, attribute, is_traceql};
use super::{check, place, scan, words};
use crate::language::{Kind, Place, Problem, Token, Want, What};

/// Parts that cover the text exactly.
pub fn scan(text: &str) -> Vec<Token> {
    match is_traceql(text) {
        true => scan::scan(text),
        false => short_parts(text),
    }
}

pub fn check(text: &str) -> Option<Problem> {
    if is_traceql(text) {
        return check::check(text);
    }
    let (start, end, why) = match short::traceql(text) {
        Err(wrong) => (wrong.start, wrong.end, wrong.text),
        // Only the whole of it can be judged: where the words are wrong together is not told.
        Ok(made) => (0, text.len(), check::check(&made)?.text),
    };
    Some(Problem {
        start,
        end,
        text: why,
        unfinished: end == text.len(),
    })
}

pub fn place(text: &str, cursor: usize) -> Option<Place> {
    text.get(..cursor)?;
    if is_traceql(text) {
        return place::place(text, cursor);
    }
    let all = short::words(text);
    let word = all
        .into_iter()
        .find(|w| w.start < cursor && cursor <= w.end());
    let word = word.unwrap_or(Word {
        start: cursor,
        text: "",
    });
    let begun = text.get(word.start..cursor)?;
    match split(word.text).filter(|(key, sign, _)| key.len() + sign.len() <= begun.len()) {
        Some((key, sign, _)) => value(text, cursor, &word, (key, sign)),
        None => Some(name(text, &word, begun)),
    }
}

/// Name, operator and value of a word.
fn split(word: &str) -> Option<(&str, &str, &str)> {
    let at = word.find(['=', '!', '<', '>']).filter(|at| *at > 0)?;
    let (key, rest) = word.split_at(at);
    let sign = OPERATORS.iter().find(|o| rest.starts_with(**o))?;
    Some((key, sign, rest.strip_prefix(sign)?))
}

/// A service, a word of the form, or the name of a tag.
fn name(text: &str, word: &Word<'_>, typed: &str) -> Place {
    let services = What::Values {
        label: "resource.service.name".to_owned(),
        of: None,
    };
    let mut wants = vec![
        Want::plain(What::Words(&words::SHORT)),
        Want::plain(services).followed(" ", 0),
        Want::plain(What::Labels { of: None }).followed("=", 0),
    ];
    if text.trim().is_empty() {
        wants.push(Want::plain(What::Words(&words::STARTS)));
    }
    Place {
        start: word.start,
        end: word.end(),
        typed: typed.to_owned(),
        wants,
        eager: false,
    }
}

fn value(text: &str, cursor: usize, word: &Word<'_>, (key, sign): (&str, &str)) -> Option<Place> {
    let from = word.start + key.len() + sign.len();
    let quoted = text.get(from..)?.starts_with('"');
    let start = from + usize::from(quoted);
    let label = attribute(key);
    let list = match key {
        "status" => Some(&words::STATUSES[..]),
        "kind" => Some(&words::KINDS[..]),
        "duration" => Some(&words::DURATIONS[..]),
        _ => None,
    };
    let wants = match list {
        Some(list) => vec![Want::plain(What::Words(list))],
        None => {
            let values = What::Values {
                label: label.clone(),
                of: None,
            };
            // In quotes always: a value may hold blanks.
            let text = Want {
                before: if quoted { "" } else { "\"" },
                ..Want::plain(values).followed("\" ", 0)
            };
            let mut wants = vec![text];
            if !quoted {
                wants.push(Want::plain(What::Bare { label }).followed(" ", 0));
            }
            wants
        }
    };
    Some(Place {
        start,
        end: word.end().max(cursor),
        typed: text.get(start..cursor).unwrap_or_default().to_owned(),
        wants,
        eager: true,
    })
}

/// Names, operators and values told apart.
fn short_parts(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut part = |tokens: &mut Vec<Token>, end: usize, kind| {
        if end > at {
            tokens.push(Token {
                start: at,
                end,
                kind,
            });
            at = end;
        }
    };
    for word in short::words(text) {
        part(&mut tokens, word.start, Kind::Blank);
        if let Some((key, sign, value)) = split(word.text) {
            part(&mut tokens, word.start + key.len(), Kind::Label);
            part(
                &mut tokens,
                word.start + key.len() + sign.len(),
                Kind::Operator,
            );
            let number = value.starts_with(|c: char| c.is_ascii_digit());
            let kind = if number { Kind::Number } else { Kind::Text };
            part(&mut tokens, word.end(), kind);
            continue;
        }
        let kind = match word.text {
            "error" => Kind::Keyword,
            t if t.starts_with(['<', '>']) => Kind::Number,
            _ => Kind::Text,
        };
        part(&mut tokens, word.end(), kind);
    }
    part(&mut tokens, text.len(), Kind::Blank);
    tokens
}

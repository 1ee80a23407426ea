//! What is wrong with a TraceQL text, and where. What some version of Tempo takes is let through.

use super::field::{attribute, expression, literal};
use super::parts::{Parts, Right, Wrong};
use super::scan::scan;
use super::typed::Type;
use super::words;
use crate::language::{Kind, Problem, Token, shape};

/// Parts of a text that is checked; a longer one is left to the server.
const PARTS: usize = 1_000;

/// What a stage of a pipeline gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gives {
    Spans,
    /// A number that is written down.
    Constant,
    /// A number of each trace.
    Number,
    /// Numbers over time.
    Series,
}

pub fn check(text: &str) -> Option<Problem> {
    let tokens: Vec<Token> = scan(text)
        .into_iter()
        .filter(|t| !matches!(t.kind, Kind::Blank | Kind::Comment))
        .collect();
    if tokens.is_empty() || tokens.len() > PARTS {
        return None;
    }
    if let Some(problem) = words_unknown(text, &tokens) {
        return Some(problem);
    }
    if let Some(problem) = shape::check(text, &tokens) {
        return Some(problem);
    }
    let Wrong { at, text: why } = query(&mut Parts::new(text, &tokens)).err()?;
    let place = tokens.get(at).or(tokens.last())?;
    Some(Problem {
        start: place.start,
        end: place.end,
        text: why,
        unfinished: at >= tokens.len(),
    })
}

/// A word that is none of the language. At the end it may be half of one.
fn words_unknown(text: &str, tokens: &[Token]) -> Option<Problem> {
    let starts = |t: &&Token| {
        t.of(text)
            .starts_with(|c: char| c.is_alphabetic() || c == '&')
    };
    let token = tokens
        .iter()
        .filter(|t| t.kind == Kind::Wrong)
        .find(starts)?;
    let part = token.of(text);
    let at_end = token.end == text.len();
    Some(Problem {
        start: token.start,
        end: token.end,
        text: match part {
            "&" => "`&&`, or with `>`, `<` or `~` both sides of a structure".to_owned(),
            part => {
                format!("`{part}` is no word of TraceQL: attributes are `.{part}`, `span.{part}`")
            }
        },
        unfinished: at_end,
    })
}

fn query(parts: &mut Parts<'_>) -> Right<()> {
    let gives = pipeline(parts)?;
    while parts.takes("with") {
        hints(parts)?;
    }
    if !parts.next().is_empty() {
        return Err(parts.unfit());
    }
    match gives {
        Gives::Spans | Gives::Series => Ok(()),
        Gives::Number | Gives::Constant => {
            Err(parts.wrong("a comparison has to follow, such as `> 2`".to_owned()))
        }
    }
}

fn pipeline(parts: &mut Parts<'_>) -> Right<Gives> {
    let mut gives = expression_of_sets(parts, 0)?;
    while parts.next() == "|" {
        if matches!(gives, Gives::Number | Gives::Constant) {
            return Err(parts.wrong("before `|` a comparison is missing, such as `> 2`".to_owned()));
        }
        parts.take();
        let series = gives == Gives::Series;
        let second = words::SECOND.iter().any(|w| w.text == parts.next());
        if series && !second && !parts.next().is_empty() {
            let text = "behind a function of metrics only topk() and bottomk() may follow";
            return Err(parts.wrong(text.to_owned()));
        }
        if second && !series {
            let text = format!("`{}` wants a function of metrics before it", parts.next());
            return Err(parts.wrong(text));
        }
        gives = expression_of_sets(parts, 0)?;
    }
    Ok(gives)
}

/// How strongly an operator binds between stages.
fn binds(operator: &str) -> Option<u8> {
    Some(match operator {
        "&&" | "||" => 1,
        "=" | "!=" | ">=" | "<=" | ">" | "<" | ">>" | "<<" | "~" | "!>" | "!<" | "!>>" | "!<<"
        | "!~" | "&>" | "&<" | "&>>" | "&<<" | "&~" => 2,
        "+" | "-" => 3,
        "*" | "/" | "%" => 4,
        "^" => 5,
        _ => return None,
    })
}

/// Sets of spans, numbers and series, joined.
fn expression_of_sets(parts: &mut Parts<'_>, least: u8) -> Right<Gives> {
    let mut left = operand(parts)?;
    while let Some(strength) = binds(parts.next()).filter(|s| *s >= least) {
        let at = parts.at;
        let operator = parts.take();
        let right = match operator {
            "^" => expression_of_sets(parts, strength)?,
            _ => expression_of_sets(parts, strength + 1)?,
        };
        left = joined(left, operator, right).map_err(|text| Wrong { at, text })?;
    }
    Ok(left)
}

fn joined(left: Gives, operator: &str, right: Gives) -> Result<Gives, String> {
    let sets = (left == Gives::Spans, right == Gives::Spans);
    let series = left == Gives::Series || right == Gives::Series;
    match operator {
        "+" | "-" | "*" | "/" | "%" | "^" => match (sets, left, right) {
            ((true, _) | (_, true), ..) => Err(format!("`{operator}` wants numbers, not spans")),
            _ if series => Ok(Gives::Series),
            (_, Gives::Constant, Gives::Constant) => Ok(Gives::Constant),
            _ => Ok(Gives::Number),
        },
        "=" | "!=" | ">=" | "<=" => match sets {
            (false, false) if series => Ok(Gives::Series),
            (false, false) => Ok(Gives::Spans),
            _ => Err(format!(
                "`{operator}` wants numbers, not spans: count() {operator} 2"
            )),
        },
        ">" | "<" => match sets {
            (true, true) => Ok(Gives::Spans),
            (false, false) if series => Ok(Gives::Series),
            (false, false) => Ok(Gives::Spans),
            _ => Err(format!(
                "`{operator}` stands between two sets of spans, or between numbers"
            )),
        },
        _ => match sets {
            (true, true) => Ok(Gives::Spans),
            _ => Err(format!(
                "`{operator}` wants spans on both sides: {{ }} {operator} {{ }}"
            )),
        },
    }
}

fn operand(parts: &mut Parts<'_>) -> Right<Gives> {
    match (parts.next(), parts.kind()) {
        ("(", _) => {
            parts.take();
            let inner = pipeline(parts)?;
            parts.close("(")?;
            Ok(inner)
        }
        ("{", _) => spans(parts),
        ("-", _) => {
            parts.take();
            match operand(parts)? {
                Gives::Spans => Err(parts.wrong("`-` wants a number".to_owned())),
                gives => Ok(gives),
            }
        }
        (word, Some(Kind::Function)) => call(parts, word),
        ("by", _) => {
            parts.take();
            parts.must("(")?;
            expression(parts, 0)?;
            parts.close("(")?;
            Ok(Gives::Spans)
        }
        (_, Some(Kind::Number)) => {
            parts.take();
            Ok(Gives::Constant)
        }
        // Older servers compare any value.
        _ if parts.before().starts_with(['=', '!', '<', '>']) => {
            literal(parts).map(|_| Gives::Constant)
        }
        (_, Some(Kind::Label | Kind::Name)) => {
            Err(parts.wrong("conditions of spans stand in `{ }`".to_owned()))
        }
        _ => Err(parts.unfit()),
    }
}

fn spans(parts: &mut Parts<'_>) -> Right<Gives> {
    parts.must("{")?;
    if parts.takes("}") {
        return Ok(Gives::Spans);
    }
    let from = parts.at;
    let told = expression(parts, 0)?;
    parts.close("{")?;
    match told {
        Type::Any | Type::Truth => Ok(Gives::Spans),
        Type::Nil | Type::Number | Type::Text | Type::Status | Type::Kind => Err(Wrong {
            at: from,
            text: format!("{} is no condition: a comparison is missing", told.word()),
        }),
    }
}

fn call(parts: &mut Parts<'_>, word: &str) -> Right<Gives> {
    parts.take();
    parts.must("(")?;
    let is = |list: &[crate::language::Word]| list.iter().any(|w| w.text == word);
    let gives = match word {
        "count" | "coalesce" | "rate" | "count_over_time" => Ok(()),
        "select" => attributes(parts),
        "topk" | "bottomk" => number(parts),
        "compare" => compare(parts),
        "quantile_over_time" => {
            attribute(parts)?;
            parts.must(",")?;
            numbers(parts)
        }
        _ if is(&words::AGGREGATES) => aggregated(parts, word),
        _ => attribute(parts).map(|_| ()),
    };
    gives?;
    parts.close("(")?;
    if is(&words::AGGREGATES) {
        return Ok(Gives::Number);
    }
    if is(&words::METRICS) && parts.takes("by") {
        parts.must("(")?;
        attributes(parts)?;
        parts.close("(")?;
    }
    match is(&words::METRICS) || is(&words::SECOND) {
        true => Ok(Gives::Series),
        false => Ok(Gives::Spans),
    }
}

fn aggregated(parts: &mut Parts<'_>, word: &str) -> Right<()> {
    let at = parts.at;
    match expression(parts, 0)? {
        Type::Any | Type::Number => Ok(()),
        told => Err(Wrong {
            at,
            text: format!("`{word}` wants a number, not {}", told.word()),
        }),
    }
}

fn attributes(parts: &mut Parts<'_>) -> Right<()> {
    attribute(parts)?;
    while parts.takes(",") {
        attribute(parts)?;
    }
    Ok(())
}

fn number(parts: &mut Parts<'_>) -> Right<()> {
    match (parts.kind(), parts.next()) {
        (Some(Kind::Number), _) => {
            parts.take();
            Ok(())
        }
        (None, _) => Err(parts.unfit()),
        (_, part) => Err(parts.wrong(format!("`{part}` stands where a number has to be"))),
    }
}

fn numbers(parts: &mut Parts<'_>) -> Right<()> {
    number(parts)?;
    while parts.takes(",") {
        number(parts)?;
    }
    Ok(())
}

fn compare(parts: &mut Parts<'_>) -> Right<()> {
    spans(parts)?;
    match parts.takes(",") {
        true => numbers(parts),
        false => Ok(()),
    }
}

fn hints(parts: &mut Parts<'_>) -> Right<()> {
    parts.must("(")?;
    loop {
        if !matches!(parts.kind(), Some(Kind::Label | Kind::Name | Kind::Wrong)) {
            return Err(parts.unfit());
        }
        parts.take();
        parts.must("=")?;
        literal(parts)?;
        if !parts.takes(",") {
            break;
        }
    }
    parts.close("(")
}

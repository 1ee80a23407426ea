//! What stands within braces and parentheses: attributes, values, and what joins them.

use super::parts::{Parts, Right, Wrong};
use super::typed::{Type, binds, joined};
use super::words;
use crate::language::Kind;
use crate::language::shape::is_closed;

/// Longest regex that is tried out while typing.
const REGEX: usize = 200;

/// An expression of fields whose operators bind at least so strongly.
pub fn expression(parts: &mut Parts<'_>, least: u8) -> Right<Type> {
    let mut left = operand(parts)?;
    while let Some(strength) = binds(parts.next()).filter(|s| *s >= least) {
        let at = parts.at;
        let operator = parts.take();
        let value = parts.at;
        // Powers group from the right.
        let right = match operator {
            "^" => expression(parts, strength)?,
            _ => expression(parts, strength + 1)?,
        };
        if matches!(operator, "=~" | "!~") {
            regex(parts, value)?;
        }
        let both = joined(left, operator, right);
        left = both.map_err(|text| Wrong {
            at: if operator.starts_with(['&', '|']) {
                at
            } else {
                value
            },
            text,
        })?;
    }
    Ok(left)
}

/// The value of a regex has to be one text that is a regex.
fn regex(parts: &Parts<'_>, value: usize) -> Right<()> {
    let here = parts.from(value);
    let part = here.next();
    if parts.at != value + 1 || !part.starts_with(['"', '`']) {
        return Err(here.wrong("a regex is a quoted text".to_owned()));
    }
    let body = part.get(1..part.len() - 1).unwrap_or_default();
    let body = match part.starts_with('"') {
        true => body.replace("\\\\", "\\").replace("\\\"", "\""),
        false => body.to_owned(),
    };
    // What only one of the two regex languages knows is left to the server.
    let foreign = ["{", "[", "\\Q", "\\C"].iter().any(|f| body.contains(f));
    match body.len() <= REGEX && !foreign {
        true => regex::Regex::new(&body)
            .map(|_| ())
            .map_err(|_| here.wrong("this is no regex".to_owned())),
        false => Ok(()),
    }
}

fn operand(parts: &mut Parts<'_>) -> Right<Type> {
    let at = parts.at;
    match (parts.next(), parts.kind()) {
        ("(", _) => {
            parts.take();
            let inner = expression(parts, 0)?;
            parts.close("(")?;
            Ok(inner)
        }
        (sign @ ("-" | "!"), _) => {
            parts.take();
            let inner = operand(parts)?;
            let fits = match sign {
                "-" => matches!(inner, Type::Any | Type::Number),
                _ => matches!(inner, Type::Any | Type::Truth),
            };
            let text = format!("`{sign}` does not go with {}", inner.word());
            match fits {
                true => Ok(inner),
                false => Err(Wrong { at, text }),
            }
        }
        (_, Some(Kind::Label | Kind::Name)) => attribute(parts),
        _ => literal(parts),
    }
}

/// A value that is written down.
pub fn literal(parts: &mut Parts<'_>) -> Right<Type> {
    let is = |list: &[crate::language::Word], part: &str| list.iter().any(|w| w.text == part);
    let told = match (parts.next(), parts.kind()) {
        (part, Some(Kind::Text)) if is_closed(part) => match bad_escape(part) {
            Some(escape) => {
                let text = format!("`\\{escape}` means nothing within quotes: `\\\\{escape}`");
                return Err(parts.wrong(text));
            }
            None => Type::Text,
        },
        (_, Some(Kind::Number)) => Type::Number,
        ("true" | "false", _) => Type::Truth,
        ("nil", _) => Type::Nil,
        (part, _) if is(&words::STATUSES, part) => Type::Status,
        (part, _) if is(&words::KINDS, part) => Type::Kind,
        _ => return Err(parts.unfit()),
    };
    parts.take();
    Ok(told)
}

/// What stands behind a backslash and makes no sign with it.
fn bad_escape(part: &str) -> Option<char> {
    let mut signs = part.strip_prefix('"')?.chars();
    while let Some(c) = signs.next() {
        let escaped = (c == '\\').then(|| signs.next()).flatten();
        if let Some(bad) = escaped.filter(|e| !"abfnrtvxuU01234567\\\"".contains(*e)) {
            return Some(bad);
        }
    }
    None
}

/// An attribute with its scope, or an intrinsic.
pub fn attribute(parts: &mut Parts<'_>) -> Right<Type> {
    let part = parts.next();
    match parts.kind() {
        Some(Kind::Label) if part.ends_with('.') => {
            let after = parts.ahead(1).is_empty();
            parts.at += usize::from(after);
            Err(parts.wrong(format!("the name of an attribute has to follow `{part}`")))
        }
        Some(Kind::Label) => {
            parts.take();
            Ok(Type::Any)
        }
        Some(Kind::Name) if is_intrinsic(part) => {
            parts.take();
            Ok(Type::of_intrinsic(part))
        }
        Some(Kind::Name) if parts.ahead(1).is_empty() && begins_intrinsic(part) => {
            parts.take();
            Err(parts.wrong(format!("`{part}` is half a name")))
        }
        Some(Kind::Name) => Err(parts.wrong(format!("there is no `{part}`"))),
        None => Err(parts.unfit()),
        Some(_) => Err(parts.wrong(format!("`{part}` is no attribute"))),
    }
}

fn is_intrinsic(part: &str) -> bool {
    let tight: String = part.chars().filter(|c| !c.is_whitespace()).collect();
    words::INTRINSICS.iter().any(|w| w.text == tight)
        || words::is_old_intrinsic(part)
        || words::is_rare_intrinsic(&tight)
}

fn begins_intrinsic(part: &str) -> bool {
    let mut all = words::INTRINSICS.iter();
    all.any(|w| w.text.starts_with(part))
        || "span:parentID span:childCount link:spanID".contains(part)
}

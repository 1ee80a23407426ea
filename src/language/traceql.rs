//! TraceQL, as Tempo understands it, and the short form of a search that is made into it.

mod asked;
mod check;
mod field;
mod parts;
mod place;
mod scan;
mod short;
mod typed;
mod words;

pub use short::traceql;

use super::Language;

/// As a search is written: in TraceQL or in the short form.
pub static TRACEQL: Language = Language {
    name: "traceql",
    highlight: asked::scan,
    place: asked::place,
    check: asked::check,
};

/// Whether it is a name of the language itself, not of an attribute.
pub fn is_intrinsic(name: &str) -> bool {
    words::INTRINSICS.iter().any(|w| w.text == name) || !name.contains('.')
}

#[cfg(test)]
mod tests;

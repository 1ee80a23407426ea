//! TraceQL, as Tempo understands it, and the short form of a search that is made into it.

mod check;
mod field;
mod parts;
mod place;
mod scan;
mod typed;
mod words;

pub use check::check;
pub use place::place;
pub use scan::scan;

use super::Language;

pub static TRACEQL: Language = Language {
    name: "traceql",
    highlight: scan,
    place,
    check,
};

#[cfg(test)]
mod tests;

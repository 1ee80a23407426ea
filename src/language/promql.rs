//! PromQL.

mod check;
mod place;
mod scan;
mod words;

pub use check::check;
pub use place::place;
pub use scan::scan;

use super::Language;

pub static PROMQL: Language = Language {
    name: "promql",
    highlight: scan,
    place,
    check,
};

#[cfg(test)]
mod tests;

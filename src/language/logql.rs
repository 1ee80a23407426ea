//! LogQL, as Loki 2.9 to 3 read it.

mod check;
mod matcher;
mod place;
mod range;
mod read;
mod scan;
mod stage;
mod words;
pub mod write;

pub use check::{check, is_metric, selector};
pub use place::place;
pub use scan::scan;

use super::Language;

pub static LOGQL: Language = Language {
    name: "logql",
    highlight: scan,
    place,
    check,
};

#[cfg(test)]
mod tests;

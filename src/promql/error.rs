//! Why a query has no answer.

/// Evaluation errors are worded as Prometheus words them, because operators search for them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromqlError {
    /// The text is no PromQL.
    #[error("parse error: {0}")]
    Parse(String),
    /// The query is well formed, and what is held gives it no meaning.
    #[error("{0}")]
    Evaluation(String),
    /// PromQL that this evaluator leaves out.
    #[error("{0} is not evaluated here")]
    Unsupported(String),
    /// It would take more than [`super::Limits`] allow.
    #[error("the query is too big: {0}")]
    TooBig(String),
    /// Who asked wants no answer any more, or the time is up.
    #[error("the query was stopped before it was answered")]
    Stopped,
}

pub(super) type Result<T> = std::result::Result<T, PromqlError>;

pub(super) fn evaluation<T>(words: impl Into<String>) -> Result<T> {
    Err(PromqlError::Evaluation(words.into()))
}

/// A text as Go quotes it.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

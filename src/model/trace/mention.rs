//! Trace ids in what was written about something else: labels and texts of log lines.

use super::TraceId;
use crate::model::label::Labels;

/// Labels and fields that hold a trace id.
const NAMES: [&str; 8] = [
    "trace_id",
    "traceid",
    "traceID",
    "traceId",
    "TraceId",
    "trace.id",
    "otelTraceID",
    "dd.trace_id",
];
/// Shorter runs of hex digits are not taken for an id.
const SHORTEST: usize = 16;

/// The trace that a line belongs to: its labels tell it, else its text.
pub fn of_line(labels: &Labels, text: &str) -> Option<TraceId> {
    of_labels(labels).or_else(|| in_text(text))
}

pub fn of_labels(labels: &Labels) -> Option<TraceId> {
    let plain = labels.first_of(&NAMES).and_then(TraceId::parse);
    plain.or_else(|| labels.first_of(&["traceparent"]).and_then(in_parent))
}

/// The first id that the text calls one: `trace_id=…`, `"traceId": "…"`, `traceparent: 00-…-…`.
/// Hex digits that are not called so may be anything.
pub fn in_text(text: &str) -> Option<TraceId> {
    let lower = text.to_ascii_lowercase();
    lower.match_indices("trace").find_map(|(at, word)| {
        let rest = lower.get(at + word.len()..)?;
        if let Some(rest) = rest.strip_prefix("parent") {
            return in_parent(value(rest)?);
        }
        let rest = rest.trim_start_matches(['_', '-', '.', ' ']);
        let digits = digits(value(rest.strip_prefix("id")?)?);
        (digits.len() >= SHORTEST).then(|| TraceId::parse(digits))?
    })
}

/// What stands behind a name, without the signs between.
fn value(rest: &str) -> Option<&str> {
    let value = rest.trim_start_matches(['"', '\'', '\\', ':', '=', ' ', '[', '(']);
    (value.len() < rest.len()).then_some(value)
}

/// As W3C writes it: version, trace, span, flags.
fn in_parent(text: &str) -> Option<TraceId> {
    let (version, rest) = text.split_once('-')?;
    let (id, _) = rest.split_once('-')?;
    (version.len() == 2 && id.len() == 32).then(|| TraceId::parse(id))?
}

fn digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_hexdigit());
    text.get(..end.unwrap_or(text.len())).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "050b33be48b2e3ba59613f0e9e30dda0";

    #[test]
    fn ids_are_found_as_programs_write_them() {
        let id = TraceId::parse(ID);
        for text in [
            format!("level=error trace_id={ID} msg=x"),
            format!(r#"{{"traceId":"{ID}","msg":"x"}}"#),
            format!(r#"{{"trace.id": "{ID}"}}"#),
            format!("[TraceID: {ID}] boom"),
            format!("trace id {ID}"),
            format!("a trace of it, traceID={}", ID.to_uppercase()),
            format!("traceparent: 00-{ID}-61c2aba77316d27d-01"),
            format!(r#"{{\"trace_id\":\"{ID}\"}}"#),
            format!("trace_id={}", ID.trim_start_matches('0')),
        ] {
            assert_eq!(in_text(&text), id, "{text}");
        }
    }

    #[test]
    fn other_numbers_are_not_ids() {
        for text in [
            format!("sha256 {ID}"),
            format!("span_id={ID}"),
            "trace_id=".to_owned(),
            "trace_id=none".to_owned(),
            "trace_id=00000000000000000000000000000000".to_owned(),
            "trace identifier 12".to_owned(),
            "trace_id=1234".to_owned(),
            format!("trace_id={ID}ff"),
            format!("traceid{ID}"),
        ] {
            assert_eq!(in_text(&text), None, "{text}");
        }
    }

    #[test]
    fn labels_come_first() {
        let labels = Labels::from_pairs([("app", "a"), ("trace_id", ID)]);
        assert_eq!(
            of_line(&labels, "trace_id=1111111111111111"),
            TraceId::parse(ID)
        );
        let none = Labels::from_pairs([("trace_id", "")]);
        assert_eq!(
            of_line(&none, "traceid=11111111111111aa").map(|id| id.0 & 0xff),
            Some(0xaa)
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in any::<String>()) {
            let _ = in_text(&format!("trace{text}trace_id={text}"));
        }
    }
}

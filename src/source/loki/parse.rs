//! Loki's JSON -> log lines, cleaned and cut.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::LINE_LIMIT;
use super::level::{LEVEL_LABELS, level_of_line};
use crate::model::label::Labels;
use crate::model::log::{Level, LogLine};
use crate::model::text;

const LABEL_LIMIT: usize = 300;

#[derive(Debug)]
pub enum ParseError {
    /// The answer is a vector or a matrix: the query counts lines, it does not show them.
    NotLogs(String),
    Json(serde_json::Error),
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    data: Option<Data<'a>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(rename = "resultType")]
    kind: String,
    #[serde(borrow)]
    result: &'a RawValue,
}

#[derive(Deserialize)]
struct Stream {
    #[serde(default)]
    stream: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<Entry>,
}

/// Time in nanoseconds, line, and what `categorize-labels` adds.
#[derive(Deserialize)]
struct Entry(String, String, #[serde(default)] Option<Extra>);

#[derive(Default, Deserialize)]
struct Extra {
    #[serde(default, rename = "structuredMetadata")]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    parsed: BTreeMap<String, String>,
}

/// A frame of the tail.
#[derive(Deserialize)]
struct Frame {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    dropped_entries: Option<Vec<serde::de::IgnoredAny>>,
}

/// Lines of an answer of `query_range`, in the order of the answer.
pub fn streams(body: &[u8]) -> Result<Vec<LogLine>, ParseError> {
    let envelope: Envelope = serde_json::from_slice(body).map_err(ParseError::Json)?;
    let Some(data) = envelope.data else {
        return Ok(Vec::new());
    };
    if data.kind != "streams" {
        return Err(ParseError::NotLogs(text::clean(&data.kind, 40)));
    }
    let streams: Vec<Stream> = serde_json::from_str(data.result.get()).map_err(ParseError::Json)?;
    Ok(lines(streams))
}

/// Lines of a frame of the tail, and how many the server says it dropped.
pub fn frame(payload: &str) -> Result<(Vec<LogLine>, u64), serde_json::Error> {
    let frame: Frame = serde_json::from_str(payload)?;
    let dropped = frame.dropped_entries.map_or(0, |d| d.len() as u64);
    Ok((lines(frame.streams), dropped))
}

fn lines(streams: Vec<Stream>) -> Vec<LogLine> {
    let mut out = Vec::with_capacity(streams.iter().map(|s| s.values.len()).sum());
    for stream in streams {
        let labels = labels(&stream.stream);
        let of_stream = level_of_pairs(&stream.stream);
        for Entry(at, line, extra) in stream.values {
            let Ok(at_ns) = at.parse::<i64>() else {
                continue;
            };
            let extra = extra.unwrap_or_default();
            let level = [level_of_pairs(&extra.metadata), of_stream]
                .into_iter()
                .chain([level_of_pairs(&extra.parsed)])
                .find(|l| *l != Level::Unknown)
                .unwrap_or_else(|| level_of_line(&line));
            out.push(LogLine {
                at_ns,
                labels: labels.clone(),
                line: Arc::from(text::clean(&line, LINE_LIMIT)),
                level,
            });
        }
    }
    out
}

fn labels(pairs: &BTreeMap<String, String>) -> Labels {
    Labels::new(
        pairs
            .iter()
            // What Loki adds by itself says nothing of the origin.
            .filter(|(name, _)| name.as_str() != "detected_level")
            .map(|(name, value)| {
                (
                    Arc::from(text::clean(name, LABEL_LIMIT)),
                    Arc::from(text::clean(value, LABEL_LIMIT)),
                )
            })
            .collect(),
    )
}

fn level_of_pairs(pairs: &BTreeMap<String, String>) -> Level {
    LEVEL_LABELS
        .iter()
        .filter_map(|name| pairs.get(*name))
        .map(|word| Level::from_word(word))
        .find(|level| *level != Level::Unknown)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        std::fs::read(format!("tests/fixtures/loki/{name}")).unwrap()
    }

    #[test]
    fn metadata_is_no_stream_label() {
        let lines = streams(&fixture("query_range_streams_categorize.json")).unwrap();
        assert_eq!(lines.len(), 10);
        let first = &lines[0];
        assert_eq!(first.labels.get("app"), Some("checkout"));
        assert_eq!(first.labels.get("trace_id"), None);
        assert_eq!(first.at_ns, 1_795_227_037_456_607_488);
        assert_eq!(first.level, Level::Info);
        assert_eq!(first.origin(), "checkout-7d9f8c6b5-a");
    }

    #[test]
    fn hostile_lines_are_harmless() {
        let lines = streams(&fixture("query_range_streams_weird.json")).unwrap();
        assert!(!lines.is_empty());
        for line in &lines {
            assert!(line.line.len() <= LINE_LIMIT + 64);
            assert!(!line.line.chars().any(text::is_unsafe));
        }
        assert!(
            lines.iter().any(|l| l.line.contains("bytes)")),
            "20 kB line is cut"
        );
    }

    #[test]
    fn every_recorded_log_answer_is_read() {
        for name in [
            "query_range_default_range.json",
            "query_range_multiline_traceback.json",
            "query_range_streams_forward.json",
            "query_range_streams_json.json",
            "query_range_streams_logfmt.json",
            "query_range_streams_parse_error_label.json",
            "query_range_streams_raw.json",
            "tenant_ok.json",
        ] {
            assert!(!streams(&fixture(name)).unwrap().is_empty(), "{name}");
        }
        assert!(
            streams(&fixture("query_range_empty.json"))
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn metric_answers_are_refused_by_kind() {
        match streams(&fixture("query_range_matrix.json")) {
            Err(ParseError::NotLogs(kind)) => assert_eq!(kind, "matrix"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn tail_frames_are_read() {
        let text = String::from_utf8(fixture("tail_frames_categorize.jsonl")).unwrap();
        let mut seen = Vec::new();
        for line in text.lines() {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            let (lines, dropped) = frame(record["payload"].as_str().unwrap()).unwrap();
            assert_eq!(dropped, 0);
            seen.extend(lines);
        }
        assert!(seen.iter().any(|l| &*l.line == "before connect"));
        assert!(seen.iter().any(|l| l.level == Level::Error));
        assert!(seen.iter().all(|l| l.labels.get("trace_id").is_none()));
    }
}

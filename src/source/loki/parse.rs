//! Loki's JSON -> log lines, cleaned and cut.

use std::borrow::Cow;

use super::LINE_LIMIT;
use super::level::{LEVEL_LABELS, level_of_klog, level_of_line};
use crate::model::label::Labels;
use crate::model::log::{Level, LogLine};
use crate::model::text;
use crate::source::decimal::Plain;
use crate::source::json::{self, Json};

const LABEL_LIMIT: usize = 300;

#[derive(Debug)]
pub enum ParseError {
    /// The answer is a vector or a matrix: the query counts lines, it does not show them.
    NotLogs(String),
    Json(json::Error),
}

type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// Lines of an answer of `query_range`, in the order of the answer.
pub fn streams(body: &[u8]) -> Result<Vec<LogLine>, ParseError> {
    page(body, LINE_LIMIT).map(|(lines, _)| lines)
}

/// The same with lines of up to `limit` bytes, and the number of entries whose time is none.
pub fn page(body: &[u8], limit: usize) -> Result<(Vec<LogLine>, u64), ParseError> {
    let mut reader = Reader {
        limit,
        ..Reader::default()
    };
    // About as many as there may be: a line is seldom shorter with what is around it.
    reader.lines.reserve(body.len() / 256);
    let mut kind = None;
    let read = Json::new(body).and_then(|mut json| {
        json.object(|json, key| match key.as_ref() {
            "data" if json.peek() == Some(b'{') => json.object(|json, key| match key.as_ref() {
                "resultType" => {
                    kind = Some(json.text()?);
                    Ok(())
                }
                // Where its kind is told after it, it is read as lines; the kind decides below.
                "result" if kind.as_deref().is_none_or(|k| k == "streams") => reader.streams(json),
                _ => json.skip(),
            }),
            _ => json.skip(),
        })?;
        json.end()
    });
    match kind {
        Some(kind) if kind != "streams" => Err(ParseError::NotLogs(text::clean(&kind, 40))),
        _ => read
            .map(|()| (reader.lines, reader.unread))
            .map_err(ParseError::Json),
    }
}

/// Lines of a frame of the tail, and how many the server says it dropped.
pub fn frame(payload: &str) -> json::Result<(Vec<LogLine>, u64)> {
    let mut reader = Reader::default();
    let mut dropped = 0;
    let mut json = Json::new(payload.as_bytes())?;
    json.object(|json, key| match key.as_ref() {
        "streams" => reader.streams(json),
        "dropped_entries" if json.peek() == Some(b'[') => json.array(|json| {
            dropped += 1;
            json.skip()
        }),
        _ => json.skip(),
    })?;
    json.end()?;
    Ok((reader.lines, dropped))
}

/// What every line of a stream has.
struct Stream {
    labels: Labels,
    level: Level,
}

struct Reader<'a> {
    lines: Vec<LogLine>,
    /// Entries whose time is none.
    unread: u64,
    /// Longest line kept, bytes.
    limit: usize,
    pairs: Pairs<'a>,
    /// For lines with escapes.
    room: Vec<u8>,
}

impl Default for Reader<'_> {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            unread: 0,
            limit: LINE_LIMIT,
            pairs: Vec::new(),
            room: Vec::new(),
        }
    }
}

impl<'a> Reader<'a> {
    fn streams(&mut self, json: &mut Json<'a>) -> json::Result<()> {
        if json.null() {
            return Ok(());
        }
        json.array(|json| self.stream(json))
    }

    fn stream(&mut self, json: &mut Json<'a>) -> json::Result<()> {
        let (mut stream, mut values) = (None, None);
        json.object(|json, key| match key.as_ref() {
            "stream" => {
                pairs(json, &mut self.pairs)?;
                stream = Some(Stream {
                    labels: labels(&self.pairs),
                    level: level_of_pairs(&self.pairs),
                });
                Ok(())
            }
            "values" => match &stream {
                Some(stream) => self.values(json, stream),
                // Before its labels: they come first.
                None => {
                    values = Some(*json);
                    json.skip()
                }
            },
            _ => json.skip(),
        })?;
        let Some(mut values) = values else {
            return Ok(());
        };
        let none = || Stream {
            labels: Labels::default(),
            level: Level::Unknown,
        };
        self.values(&mut values, &stream.unwrap_or_else(none))
    }

    fn values(&mut self, json: &mut Json<'a>, stream: &Stream) -> json::Result<()> {
        json.array(|json| self.entry(json, stream))
    }

    /// Time in nanoseconds, line, and what `categorize-labels` adds.
    fn entry(&mut self, json: &mut Json<'a>, stream: &Stream) -> json::Result<()> {
        json.list()?;
        let at = json.text()?;
        if !json.more()? {
            return json.fail("an entry without a line");
        }
        let line = json.text_in(&mut self.room)?;
        let (mut told, mut parsed) = (Level::Unknown, Level::Unknown);
        if json.more()? {
            (told, parsed) = self.extra(json)?;
            while json.more()? {
                json.skip()?;
            }
        }
        let Some(at_ns) = Plain::whole(&at).and_then(|ns| i64::try_from(ns).ok()) else {
            self.unread += 1;
            return Ok(());
        };
        let line = match line {
            Some(line) => line,
            None => match std::str::from_utf8(&self.room) {
                Ok(line) => line,
                Err(_) => return json.fail("not UTF-8"),
            },
        };
        // Loki's own detection looks for words: an `I1121 …` that speaks of an error is one to it.
        let level = level_of_klog(line).unwrap_or_else(|| {
            let told = [told, stream.level, parsed].into_iter();
            let mut known = told.filter(|l| *l != Level::Unknown);
            known.next().unwrap_or_else(|| level_of_line(line))
        });
        self.lines.push(LogLine {
            at_ns,
            labels: stream.labels.clone(),
            line: text::shared(line, self.limit),
            level,
        });
        Ok(())
    }
}

impl<'a> Reader<'a> {
    /// Levels as the structured metadata and the parsed labels of an entry tell them.
    fn extra(&mut self, json: &mut Json<'a>) -> json::Result<(Level, Level)> {
        let (mut told, mut parsed) = (Level::Unknown, Level::Unknown);
        if json.peek() != Some(b'{') {
            json.skip()?;
            return Ok((told, parsed));
        }
        json.object(|json, key| {
            let level = match key.as_ref() {
                "structuredMetadata" => &mut told,
                "parsed" => &mut parsed,
                _ => return json.skip(),
            };
            pairs(json, &mut self.pairs)?;
            *level = level_of_pairs(&self.pairs);
            Ok(())
        })?;
        Ok((told, parsed))
    }
}

/// Reads an object of texts; the buffer is used again.
fn pairs<'a>(json: &mut Json<'a>, out: &mut Pairs<'a>) -> json::Result<()> {
    out.clear();
    if json.null() {
        return Ok(());
    }
    json.object(|json, name| {
        out.push((name, json.text()?));
        Ok(())
    })
}

fn labels(pairs: &Pairs<'_>) -> Labels {
    Labels::new(
        pairs
            .iter()
            // What Loki adds by itself says nothing of the origin.
            .filter(|(name, _)| name != "detected_level")
            .map(|(name, value)| {
                (
                    text::shared(name, LABEL_LIMIT),
                    text::shared(value, LABEL_LIMIT),
                )
            })
            .collect(),
    )
}

fn level_of_pairs(pairs: &Pairs<'_>) -> Level {
    LEVEL_LABELS
        .iter()
        .filter_map(|name| pairs.iter().find(|(n, _)| n == name))
        .map(|(_, word)| Level::from_word(word))
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
    fn klog_knows_better_than_the_detection() {
        let body = br#"{"data":{"resultType":"streams","result":[{"stream":{"app":"k","detected_level":"error"},
            "values":[["1","I1121 02:10:37.4 1 a.go:2] no error"],["2","it failed"],["3","In error"]]}]}}"#;
        let levels: Vec<Level> = streams(body).unwrap().iter().map(|l| l.level).collect();
        assert_eq!(levels, [Level::Info, Level::Error, Level::Error]);
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

//! What Loki counts: LogQL that gives numbers, and the lines of each level.

use super::{Loki, QUERY_RANGE, nanoseconds};
use crate::model::sample::SeriesSamples;
use crate::model::time::Timestamp;
use crate::source::door::{BODY_LIMIT, Reply, SourceError};
use crate::source::error::Cause;
use crate::source::prometheus::wire::{QueryAnswer, read_query};

const VOLUME: &str = "/loki/api/v1/index/volume_range";
/// Most series of one answer; Loki's own limit is 500.
const SERIES: usize = 5_000;
/// Lines counted by their level.
pub const COUNTED: &str = "lines";
/// Bytes of all lines of the streams, from the index.
pub const INDEXED: &str = "bytes";

/// Numbers as they came.
#[derive(Debug)]
pub struct Counted {
    pub series: Vec<SeriesSamples>,
    pub cut_from: Option<usize>,
    pub latency_ms: u32,
}

impl Loki {
    /// A metric query over a range.
    pub async fn series(
        &self,
        query: &str,
        span: (Timestamp, Timestamp),
        step_ms: u32,
    ) -> Result<Counted, SourceError> {
        self.counted(QUERY_RANGE, "value", query, span, step_ms)
            .await
    }

    /// Lines of each level that a log query finds, named [`COUNTED`]. Where the server does not
    /// count so much, bytes of the streams from the index of which no level is known, named
    /// [`INDEXED`]: only of a query that asks for whole streams.
    pub async fn volume(
        &self,
        query: &str,
        span: (Timestamp, Timestamp),
        step_ms: u32,
    ) -> Result<Counted, SourceError> {
        let range = u64::from(step_ms / 1000).max(1);
        // A comment at the end of the query must not swallow what follows it.
        let count =
            format!("sum by (level, detected_level) (count_over_time({query}\n[{range}s]))");
        let refused = match self
            .counted(QUERY_RANGE, COUNTED, &count, span, step_ms)
            .await
        {
            Ok(counted) => return Ok(counted),
            Err(error) => error,
        };
        if !is_selector(query.trim()) {
            return Err(refused);
        }
        let indexed = self.counted(VOLUME, INDEXED, query.trim(), span, step_ms);
        indexed.await.map_err(|_| refused)
    }

    async fn counted(
        &self,
        path: &str,
        name: &str,
        query: &str,
        (start, end): (Timestamp, Timestamp),
        step_ms: u32,
    ) -> Result<Counted, SourceError> {
        let builder = self.door.request(reqwest::Method::GET, path).query(&[
            ("query", query),
            ("start", &nanoseconds(start).to_string()),
            ("end", &nanoseconds(end).to_string()),
            (
                "step",
                &format!("{}", f64::from(step_ms.max(1000)) / 1000.0),
            ),
        ]);
        let reply: Reply = self.door.whole(builder, BODY_LIMIT, false).await?;
        let answer: QueryAnswer = match read_query(&reply.body, name, SERIES) {
            Ok(answer) => answer,
            Err(_) if is_lines(&reply.body) => {
                let what = "it gives log lines, not numbers; ask for a rate or a count".to_owned();
                return Err(self.door.error(path, Cause::Query(what)));
            }
            Err(error) => return Err(self.door.not_json(path, &error, &reply.body)),
        };
        Ok(Counted {
            cut_from: (answer.total > SERIES).then_some(answer.total),
            series: answer.series,
            latency_ms: reply.latency_ms(),
        })
    }
}

/// `{…}` and nothing behind it.
fn is_selector(query: &str) -> bool {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in query.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`') => quote = Some(c),
            (None, '}') => return query.starts_with('{') && at + 1 == query.len(),
            (None, _) => {}
        }
    }
    false
}

fn is_lines(body: &[u8]) -> bool {
    let head = body.get(..200).unwrap_or(body);
    String::from_utf8_lossy(head).contains("\"resultType\":\"streams\"")
}

#[cfg(test)]
mod tests {
    use super::is_selector;

    #[test]
    fn whole_streams_are_told_from_some_of_their_lines() {
        for whole in ["{a=\"b\"}", "{a=\"}\\\"}\", b=~`}\\`}"] {
            assert!(is_selector(whole), "{whole}");
        }
        for part in ["{a=\"b\"} |= \"}\"", "{a=\"b\"", "rate({a=\"b\"}[5m])", ""] {
            assert!(!is_selector(part), "{part}");
        }
    }
}

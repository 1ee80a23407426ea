//! Loki: log queries, label values and the live tail.
//!
//! Structured metadata is asked for apart from the stream labels (`categorize-labels`): without
//! that every trace id would make a stream of its own. All errors of Loki are plain text.

mod level;
mod numbers;
pub mod page;
pub mod pages;
mod parse;
mod refusal;
pub mod tail;

use std::time::Duration;

use serde::Deserialize;

use super::door::{BODY_LIMIT, Door, Reply, SourceError};
use super::error::Cause;
use crate::model::log::LogLine;
use crate::model::text;
use crate::model::time::Timestamp;

pub use level::level_of_line;
pub use parse::streams;
pub use tail::follow;

/// Followed where the configuration names no selector.
pub const DEFAULT_SELECTOR: &str = r#"{namespace=~".+"}"#;
/// Longest line kept, bytes.
pub const LINE_LIMIT: usize = text::LIMIT_BYTES;
const QUERY_RANGE: &str = "/loki/api/v1/query_range";
const ENCODING_HEADER: &str = "x-loki-response-encoding-flags";
const ENCODING: &str = "categorize-labels";
/// Loki's own default for `max_entries_limit_per_query`.
const MOST_LINES: u32 = 5_000;
const BUILD_TIMEOUT: Duration = Duration::from_secs(5);

/// One Loki. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Loki {
    door: Door,
}

impl Loki {
    pub fn new(door: Door) -> Self {
        Self { door }
    }

    pub fn door(&self) -> &Door {
        &self.door
    }

    /// A log query over a range; newest first when `backward`, else oldest first.
    pub async fn query_range(
        &self,
        query: &str,
        start: Timestamp,
        end: Timestamp,
        limit: u32,
        backward: bool,
    ) -> Result<(Vec<LogLine>, Reply), SourceError> {
        let (start_ns, end_ns) = (nanoseconds(start), nanoseconds(end));
        self.query_ns(query, start_ns, end_ns, limit, backward)
            .await
    }

    async fn query_ns(
        &self,
        query: &str,
        start_ns: i64,
        end_ns: i64,
        limit: u32,
        backward: bool,
    ) -> Result<(Vec<LogLine>, Reply), SourceError> {
        let direction = if backward { "backward" } else { "forward" };
        let builder = self
            .door
            .request(reqwest::Method::GET, QUERY_RANGE)
            .header(ENCODING_HEADER, ENCODING)
            .query(&[
                ("query", query),
                ("start", &start_ns.to_string()),
                ("end", &end_ns.to_string()),
                ("limit", &limit.clamp(1, MOST_LINES).to_string()),
                ("direction", direction),
            ]);
        let reply = self.door.whole(builder, BODY_LIMIT, false).await?;
        match parse::streams(&reply.body) {
            Ok(mut lines) => {
                lines.sort_by_key(|l| l.at_ns);
                if backward {
                    lines.reverse();
                }
                Ok((lines, reply))
            }
            Err(error) => Err(self.not_lines(error, &reply.body)),
        }
    }

    fn not_lines(&self, error: parse::ParseError, body: &[u8]) -> SourceError {
        match error {
            parse::ParseError::NotLogs(kind) => {
                let what = format!("it gives a {kind}, not log lines; ask for a log query");
                self.door.error(QUERY_RANGE, Cause::Query(what))
            }
            parse::ParseError::Json(error) => self.door.not_json(QUERY_RANGE, &error, body),
        }
    }

    /// Values of a label, of all streams or of those that a selector keeps; none for a label that
    /// Loki does not know.
    pub async fn label_values(
        &self,
        label: &str,
        selector: Option<&str>,
    ) -> Result<(Vec<String>, Reply), SourceError> {
        if !is_label_name(label) {
            let what = format!("`{}` is no name of a label", text::clean(label, 60));
            return Err(self.door.error("", Cause::Query(what)));
        }
        let path = format!("/loki/api/v1/label/{label}/values");
        let query: Vec<(&str, &str)> = selector.map(|s| ("query", s)).into_iter().collect();
        self.names(&path, &query).await
    }

    pub async fn labels(&self) -> Result<(Vec<String>, Reply), SourceError> {
        self.names("/loki/api/v1/labels", &[]).await
    }

    async fn names(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<(Vec<String>, Reply), SourceError> {
        #[derive(Deserialize)]
        struct Names {
            // Absent where there is nothing.
            #[serde(default)]
            data: Option<Vec<String>>,
        }
        let (names, reply): (Names, Reply) = self.door.get_json(path, query).await?;
        let values = names.data.unwrap_or_default();
        let values = values.iter().map(|v| text::clean(v, 300)).collect();
        Ok((values, reply))
    }

    /// What the server says it is; also the cheapest sign of life.
    pub async fn version(&self) -> Result<(Option<String>, Reply), SourceError> {
        #[derive(Deserialize)]
        struct Build {
            #[serde(default)]
            version: Option<String>,
        }
        const PATH: &str = "/loki/api/v1/status/buildinfo";
        let work = self.door.get_json(PATH, &[]);
        let (build, reply): (Build, Reply) = match tokio::time::timeout(BUILD_TIMEOUT, work).await {
            Ok(result) => result?,
            Err(_) => return Err(self.door.error(PATH, Cause::Timeout(BUILD_TIMEOUT))),
        };
        Ok((build.version.map(|v| text::clean(&v, 60)), reply))
    }
}

fn nanoseconds(at: Timestamp) -> i64 {
    at.0.saturating_mul(1_000_000)
}

fn is_label_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 200
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

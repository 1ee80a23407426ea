//! Asks a Loki page after page, with its limits, waits and pauses.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use super::page::{Ask, Astray, Pager, Want};
use super::refusal::refusal;
use super::{ENCODING, ENCODING_HEADER, Loki, QUERY_RANGE, parse};
use crate::model::fault::FaultKind;
use crate::model::log::LogLine;
use crate::model::text;
use crate::source::door::QUERY_LIMIT;
use crate::source::error::{Cause, SourceError};
use crate::source::supervisor::Gate;

/// Longest line of an export, bytes: four times what Loki takes unless told otherwise.
const LINE_LIMIT: usize = 1 << 20;
/// Times that a question is asked again after a fault, and that it is cut in half, in a row.
const TRIES: usize = 6;
const CUTS: u32 = 12;
/// Names of labels are asked for this much of the range: servers limit that too.
const NAMES_NS: i64 = 24 * 3_600 * 1_000_000_000;

/// Lines of one Loki, page after page.
pub struct Pages {
    gate: Arc<Gate>,
    query: String,
    pager: Pager,
    delays: ExponentialBackoff,
    rest: Option<Duration>,
    cuts: u32,
    unread: u64,
}

/// What came of a question.
#[derive(Debug)]
pub enum News {
    /// The next lines, oldest first; may be none.
    Lines(Vec<LogLine>),
    /// The server is asked again after this time.
    Waits(Duration, SourceError),
    /// All is read.
    End,
}

impl Pages {
    pub fn new(gate: Arc<Gate>, query: String, want: Want) -> Self {
        Self {
            gate,
            query,
            pager: Pager::new(want),
            delays: delays(),
            rest: None,
            cuts: 0,
            unread: 0,
        }
    }

    /// Asks once. After an error nothing more comes.
    pub async fn next(&mut self) -> Result<News, SourceError> {
        if let Some(rest) = self.rest.take() {
            tokio::time::sleep(rest).await;
        }
        let Some(ask) = self.pager.ask() else {
            return Ok(News::End);
        };
        let loki = Loki::new(self.gate.door().await?.clone());
        self.gate.budget.take().await;
        let (lines, unread) = match loki.page(&self.query, ask).await {
            Ok(page) => page,
            Err(error) => return self.failed(error),
        };
        self.delays = delays();
        self.cuts = 0;
        self.unread += unread;
        match self.pager.answered(lines, unread) {
            Ok(lines) => Ok(News::Lines(lines)),
            Err(Astray) => {
                let what = "it gives lines of other times than was asked for";
                Err(loki.door().error(QUERY_RANGE, Cause::Payload(what.into())))
            }
        }
    }

    fn failed(&mut self, error: SourceError) -> Result<News, SourceError> {
        if let Some(refusal) = refusal(&error.cause) {
            self.cuts += 1;
            if self.cuts <= CUTS && self.pager.refused(refusal) {
                tracing::info!(%error, ?refusal, "less is asked for");
                return Ok(News::Lines(Vec::new()));
            }
            return Err(error);
        }
        let passes = matches!(
            error.kind(),
            FaultKind::RateLimited | FaultKind::Server | FaultKind::Unreachable
        ) || matches!(error.cause, Cause::Cut(_));
        match self.delays.next() {
            Some(delay) if passes => {
                let wait = error.retry_after().unwrap_or(delay);
                self.rest = Some(wait);
                Ok(News::Waits(wait, error))
            }
            _ => Err(error),
        }
    }

    pub fn pager(&self) -> &Pager {
        &self.pager
    }

    /// Entries without a time that can be read.
    pub fn unread(&self) -> u64 {
        self.unread
    }
}

fn delays() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_secs(1))
        .with_max_delay(Duration::from_secs(30))
        .with_factor(2.0)
        .with_jitter()
        .with_max_times(TRIES)
        .build()
}

impl Loki {
    /// A page with long lines left whole, and the number of entries that were no lines.
    async fn page(&self, query: &str, ask: Ask) -> Result<(Vec<LogLine>, u64), SourceError> {
        let builder = self
            .door
            .request(reqwest::Method::GET, QUERY_RANGE)
            .header(ENCODING_HEADER, ENCODING)
            .query(&[
                ("query", query),
                ("start", &ask.start_ns.to_string()),
                ("end", &ask.end_ns.to_string()),
                ("limit", &ask.limit.to_string()),
                ("direction", "forward"),
            ]);
        let reply = self.door.whole(builder, QUERY_LIMIT, false).await?;
        parse::page(&reply.body, LINE_LIMIT).map_err(|error| self.not_lines(error, &reply.body))
    }

    /// Names of the labels of streams in the last day of this time.
    pub async fn label_names(
        &self,
        start_ns: i64,
        end_ns: i64,
    ) -> Result<Vec<String>, SourceError> {
        self.names_between("/loki/api/v1/labels", start_ns, end_ns)
            .await
    }

    /// Values of a label in the last day of this time. `label` is a name that the server gave.
    pub async fn values_between(
        &self,
        label: &str,
        start_ns: i64,
        end_ns: i64,
    ) -> Result<Vec<String>, SourceError> {
        if !super::is_label_name(label) {
            return Ok(Vec::new());
        }
        let path = format!("/loki/api/v1/label/{label}/values");
        self.names_between(&path, start_ns, end_ns).await
    }

    async fn names_between(
        &self,
        path: &str,
        start_ns: i64,
        end_ns: i64,
    ) -> Result<Vec<String>, SourceError> {
        #[derive(serde::Deserialize)]
        struct Names {
            #[serde(default)]
            data: Option<Vec<String>>,
        }
        let start = start_ns.max(end_ns.saturating_sub(NAMES_NS)).to_string();
        let query = [("start", start.as_str()), ("end", &end_ns.to_string())];
        let (names, _): (Names, _) = self.door.get_json(path, &query).await?;
        let names = names.data.unwrap_or_default();
        Ok(names.iter().map(|v| text::clean(v, 300)).collect())
    }
}

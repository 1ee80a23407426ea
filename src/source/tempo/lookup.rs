//! Questions to Tempo: traces by TraceQL, one trace, names and values of tags.

use std::sync::Arc;

use futures::future::BoxFuture;
use reqwest::Method;
use reqwest::header::ACCEPT;
use serde::de::DeserializeOwned;

use super::collect::Collected;
use super::search::{Found, Tags, Values};
use super::{otlp, proto};
use crate::clock;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::fault::FaultKind;
use crate::model::text;
use crate::model::time::Timestamp;
use crate::model::trace::TraceId;
use crate::source::door::{Door, QUERY_LIMIT, Reply};
use crate::source::error::{Cause, SourceError};
use crate::source::supervisor::Gate;
use crate::source::{Lookup, Told, addressed};

/// Most names of one answer.
const NAMES: usize = 50_000;
/// Most traces of one answer; servers refuse more than they are set to.
const TRACES: u32 = 5_000;
/// Spans told of each trace found: only their number is shown.
const SPANS_EACH: &str = "1";
/// JSON is asked for; gateways that know only protobuf may send that.
const WANTED: &str = "application/json, application/protobuf;q=0.5";

/// Answers questions about traces of one cluster.
#[derive(Clone, Debug)]
pub struct TempoLookup {
    gate: Arc<Gate>,
    shown: String,
}

impl TempoLookup {
    pub fn new(gate: Arc<Gate>) -> Self {
        Self {
            shown: gate.shown(),
            gate,
        }
    }

    async fn find(&self, ask: &Ask) -> Result<Told, SourceError> {
        let door = self.gate.door().await?;
        match ask {
            Ask::Traces {
                query,
                start,
                end,
                limit,
            } => self.search(door, query, (*start, *end), *limit).await,
            Ask::Trace { id } => self.trace(door, *id).await,
            Ask::TraceTags => {
                let new = ("api/v2/search/tags", "api/search/tags");
                let (tags, reply) = self.either::<Tags>(door, new.0, new.1).await?;
                Ok(few(tags.into_names(), &reply, Answer::Names))
            }
            Ask::TraceTagValues { tag } => {
                let (new, old) = tag_paths(tag).ok_or_else(|| {
                    let what = format!("`{}` is no name of a tag", text::clean(tag, 60));
                    door.error("", Cause::Query(what))
                })?;
                let (values, reply) = self.either::<Values>(door, &new, &old).await?;
                Ok(few(values.into_values(), &reply, Answer::TagValues))
            }
            _ => {
                let what = "this question goes to another source".to_owned();
                Err(SourceError::new("", &self.shown, Cause::Bug(what)))
            }
        }
    }

    async fn search(
        &self,
        door: &Door,
        query: &str,
        (start, end): (Timestamp, Timestamp),
        limit: u32,
    ) -> Result<Told, SourceError> {
        const PATH: &str = "api/search";
        let limit = limit.clamp(1, TRACES);
        // Whole seconds; the last one is wanted too.
        let (start, end) = (start.0.div_euclid(1000), end.0.div_euclid(1000) + 1);
        self.gate.budget.charge().await;
        let form = [
            ("q", query),
            ("start", &start.to_string()),
            ("end", &end.to_string()),
            ("limit", &limit.to_string()),
            ("spss", SPANS_EACH),
        ];
        let builder = door.request(Method::GET, PATH).query(&form);
        let reply = door.whole(builder, QUERY_LIMIT, false).await?;
        let latency_ms = reply.latency_ms();
        let found: Found = aside(door, PATH, reply.body, |body| {
            serde_json::from_slice(body).map_err(|e| e.to_string())
        })
        .await?;
        let (traces, warnings) = found.into_facts();
        let full = traces.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(Told {
            cut_from: full.then_some(traces.len()),
            answer: Answer::Traces(traces),
            warnings,
            latency_ms: Some(latency_ms),
        })
    }

    /// From v2, which tells whether the trace is whole; from v1 where there is no v2.
    async fn trace(&self, door: &Door, id: TraceId) -> Result<Told, SourceError> {
        let (new, old) = (format!("api/v2/traces/{id}"), format!("api/traces/{id}"));
        let (v2, path, reply) = match self.get(door, &new).await {
            Err(error) if error.kind() == FaultKind::NotFound => {
                let reply = self.get(door, &old).await;
                (false, &old, reply.map_err(|e| absent(door, &old, id, e))?)
            }
            other => (true, &new, other?),
        };
        let latency_ms = reply.latency_ms();
        let protobuf = reply.content_type.contains("protobuf");
        let read = move |body: &[u8]| {
            let read = match (protobuf, v2) {
                (false, _) => otlp::read(body).map_err(|e| e.to_string()),
                (true, true) => proto::read_v2(body).map_err(|e| e.to_string()),
                (true, false) => proto::read_v1(body).map_err(|e| e.to_string()),
            };
            let (spans, warnings): (Collected, Vec<String>) = read?;
            Ok((spans.trace(id), warnings))
        };
        let (trace, warnings) = aside(door, path, reply.body, read).await?;
        let trace = trace.ok_or_else(|| door.error(path, Cause::Absent(no_trace(id))))?;
        Ok(Told {
            cut_from: trace.cut_from,
            answer: Answer::Trace(Arc::new(trace)),
            warnings,
            latency_ms: Some(latency_ms),
        })
    }

    async fn get(&self, door: &Door, path: &str) -> Result<Reply, SourceError> {
        self.gate.budget.charge().await;
        let builder = door.request(Method::GET, path).header(ACCEPT, WANTED);
        door.whole(builder, QUERY_LIMIT, false).await
    }

    /// From the new place, else from the old one.
    async fn either<T: DeserializeOwned>(
        &self,
        door: &Door,
        new: &str,
        old: &str,
    ) -> Result<(T, Reply), SourceError> {
        self.gate.budget.charge().await;
        match door.get_json(new, &[]).await {
            Err(error) if error.kind() == FaultKind::NotFound => {
                self.gate.budget.charge().await;
                door.get_json(old, &[]).await
            }
            other => other,
        }
    }
}

/// Reads a body on a thread of its own: a trace may be large.
async fn aside<T: Send + 'static>(
    door: &Door,
    path: &str,
    body: Vec<u8>,
    read: impl FnOnce(&[u8]) -> Result<T, String> + Send + 'static,
) -> Result<T, SourceError> {
    let work = tokio::task::spawn_blocking(move || {
        let read = read(&body);
        (read, body)
    });
    match work.await {
        Ok((Ok(value), _)) => Ok(value),
        Ok((Err(what), body)) => Err(door.not_json(path, &what, &body)),
        Err(e) if e.is_cancelled() => Err(door.error(path, Cause::Cancelled)),
        Err(e) => Err(door.error(path, Cause::Bug(e.to_string()))),
    }
}

fn no_trace(id: TraceId) -> String {
    format!("no trace {id} there")
}

/// v1 says 404 for a trace that it does not have, with nothing in it; and so does a server that
/// has no such API, in words.
fn absent(door: &Door, path: &str, id: TraceId, error: SourceError) -> SourceError {
    match &error.cause {
        Cause::NotFound(words) if !words.contains("page not found") => {
            door.error(path, Cause::Absent(no_trace(id)))
        }
        _ => error,
    }
}

fn few<T>(mut all: Vec<T>, reply: &Reply, answer: fn(Vec<T>) -> Answer) -> Told {
    let total = all.len();
    all.truncate(NAMES);
    Told {
        answer: answer(all),
        warnings: Vec::new(),
        cut_from: (total > NAMES).then_some(total),
        latency_ms: Some(reply.latency_ms()),
    }
}

/// Where the values of a tag are, in v2 and v1; `None`: it would lead elsewhere.
fn tag_paths(tag: &str) -> Option<(String, String)> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
    let bare = [
        "resource.",
        "span.",
        "event.",
        "link.",
        "instrumentation.",
        ".",
    ]
    .iter()
    .find_map(|scope| tag.strip_prefix(scope))
    .unwrap_or(tag);
    let fits = tag.len() <= 200 && bare.starts_with(|c: char| c.is_ascii_alphanumeric());
    (fits && tag.chars().all(plain)).then(|| {
        (
            format!("api/v2/search/tag/{tag}/values"),
            format!("api/search/tag/{bare}/values"),
        )
    })
}

impl Lookup for TempoLookup {
    fn ask(&self, question: Question) -> BoxFuture<'_, Answered> {
        Box::pin(async move {
            let started = clock::instant();
            let found = self.find(&question.ask).await;
            addressed(question, &self.shown, started, found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_never_leave_their_place_in_the_path() {
        let (new, old) = tag_paths("resource.service.name").unwrap();
        assert_eq!(new, "api/v2/search/tag/resource.service.name/values");
        assert_eq!(old, "api/search/tag/service.name/values");
        assert!(tag_paths("status").is_some() && tag_paths("span:kind").is_some());
        for bad in ["", "..", "../x", "a/b", "a?b", "span.", "a b", "%2e%2e"] {
            assert!(tag_paths(bad).is_none(), "{bad}");
        }
    }
}

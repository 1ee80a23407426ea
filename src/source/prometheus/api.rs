//! Requests to a Prometheus server, within its budget.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::exemplars;
use super::wire::{Envelope, QueryAnswer, read_query, read_with_buckets, told};
use crate::model::exemplar::Exemplar;
use crate::model::time::Timestamp;
use crate::source::door::{Door, Reply};
use crate::source::error::{Cause, SourceError};
use crate::source::json;
use crate::source::supervisor::{Gate, Heard};

/// From this size on a body is read on a thread of its own.
const LARGE: usize = 256 << 10;

/// Who asks: questions of the operator do not wait behind the polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    Poll,
    Question,
}

/// The HTTP API of one server.
#[derive(Clone, Debug)]
pub(super) struct Api {
    gate: Arc<Gate>,
    urgency: Urgency,
}

/// A range to be asked, in the server's time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub start: Timestamp,
    pub end: Timestamp,
    pub step_ms: u32,
}

impl Api {
    pub(super) fn new(gate: Arc<Gate>, urgency: Urgency) -> Self {
        Self { gate, urgency }
    }

    async fn enter(&self) -> Result<&Door, SourceError> {
        let door = self.gate.door().await?;
        match self.urgency {
            Urgency::Poll => self.gate.budget.take().await,
            Urgency::Question => self.gate.budget.charge().await,
        }
        Ok(door)
    }

    /// PromQL at `at`, or at the server's own time.
    pub(super) async fn instant(
        &self,
        query: &str,
        at: Option<Timestamp>,
        name: &str,
        limit: usize,
    ) -> Result<(QueryAnswer, Heard), SourceError> {
        let time = at.map(seconds);
        let mut form = vec![("query", query)];
        if let Some(time) = &time {
            form.push(("time", time));
        }
        self.query("/api/v1/query", &form, name, limit).await
    }

    pub(super) async fn range(
        &self,
        query: &str,
        span: Span,
        name: &str,
        limit: usize,
    ) -> Result<(QueryAnswer, Heard), SourceError> {
        let (start, end) = (seconds(span.start), seconds(span.end));
        let step = format!("{:.3}", f64::from(span.step_ms.max(1000)) / 1000.0);
        let form = [
            ("query", query),
            ("start", &start),
            ("end", &end),
            ("step", &step),
        ];
        self.query("/api/v1/query_range", &form, name, limit).await
    }

    /// Exemplars of the series that the query selects.
    pub(super) async fn exemplars(
        &self,
        query: &str,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<(Vec<Exemplar>, Vec<String>, Heard), SourceError> {
        let (start, end) = (seconds(start), seconds(end));
        let form = [("query", query), ("start", &start), ("end", &end)];
        let (found, warnings, heard) = self
            .get::<Vec<exemplars::Series>>("/api/v1/query_exemplars", &form)
            .await?;
        Ok((exemplars::read(found), warnings, heard))
    }

    async fn query(
        &self,
        path: &str,
        form: &[(&str, &str)],
        name: &str,
        limit: usize,
    ) -> Result<(QueryAnswer, Heard), SourceError> {
        let door = self.enter().await?;
        let reply = door.post_form(path, form).await?;
        let heard = Heard::from(&reply);
        // What is polled goes into the store, which holds no histograms.
        let how = match self.urgency {
            Urgency::Poll => read_query,
            Urgency::Question => read_with_buckets,
        };
        let answer = read(door, path, reply, (how, name.to_owned(), limit)).await?;
        Ok((answer, heard))
    }

    /// Any other part of the API: its `data`, the warnings, and how it was got.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<(T, Vec<String>, Heard), SourceError> {
        let door = self.enter().await?;
        let (envelope, reply): (Envelope<T>, Reply) = door.get_json(path, query).await?;
        let data = envelope
            .data
            .ok_or_else(|| door.error(path, Cause::Payload("there is no `data`".into())))?;
        let warnings = told(envelope.warnings, envelope.infos);
        Ok((data, warnings, Heard::from(&reply)))
    }
}

type Read = fn(&[u8], &str, usize) -> json::Result<QueryAnswer>;

async fn read(
    door: &Door,
    path: &str,
    reply: Reply,
    (how, name, limit): (Read, String, usize),
) -> Result<QueryAnswer, SourceError> {
    let body = reply.body;
    if body.len() < LARGE {
        return how(&body, &name, limit).map_err(|e| door.not_json(path, &e, &body));
    }
    let work = tokio::task::spawn_blocking(move || {
        let answer = how(&body, &name, limit);
        (answer, body)
    });
    match work.await {
        Ok((Ok(answer), _)) => Ok(answer),
        Ok((Err(e), body)) => Err(door.not_json(path, &e, &body)),
        Err(e) if e.is_cancelled() => Err(door.error(path, Cause::Cancelled)),
        Err(e) => Err(door.error(path, Cause::Bug(e.to_string()))),
    }
}

fn seconds(at: Timestamp) -> String {
    format!("{:.3}", at.seconds())
}

//! cloud-event-proxy, where one is configured: the current state of each clock resource that it
//! publishes, asked for again and again. Nothing is subscribed to: that would change the proxy.
//!
//! What it sends is read from its sources: `v2/routes.go` of redhat-cne/rest-api, `pkg/pubsub` and
//! `pkg/event` of redhat-cne/sdk-go, `docs/rest_api_v1.md` of the former for the first API.

mod read;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use super::budget::Budget;
use super::door::{Door, Reply};
use super::error::{Cause, SourceError};
use super::supervisor::{Gate, Heard, Line, Source};
use crate::clock;
use crate::model::fault::FaultKind;
use crate::model::ptp::ClockTold;
use crate::model::telemetry::Body;

pub use read::{Api, resources, state};

/// Resources of one proxy; it has about eight.
const MOST: usize = 32;
/// The resources are asked for anew after so many rounds.
const LOOK_ROUNDS: u32 = 20;

/// Polls the proxy of one node.
pub struct ClockEventSource {
    gate: Arc<Gate>,
    interval: Duration,
}

impl ClockEventSource {
    pub fn new(gate: Arc<Gate>, interval: Duration) -> Self {
        Self { gate, interval }
    }

    async fn work(&mut self, line: &Line) -> Result<(), SourceError> {
        line.interval(self.interval);
        loop {
            let (api, resources) = self.published(line).await?;
            for _ in 0..LOOK_ROUNDS {
                let next = clock::instant() + self.interval;
                let told = self.round(line, api, &resources).await?;
                line.send(Body::Clocks(told)).await;
                line.rest(next.max(clock::instant())).await;
            }
        }
    }

    async fn published(&self, line: &Line) -> Result<(Api, Vec<String>), SourceError> {
        let door = self.gate.door().await?;
        let found = published(door, Some(&self.gate.budget)).await?;
        line.bad_lines(found.bad);
        line.version(found.api.word());
        Ok((found.api, found.resources))
    }

    /// The state of each. One that nobody subscribed to has none: that is an error only where no
    /// resource has one.
    async fn round(
        &self,
        line: &Line,
        api: Api,
        resources: &[String],
    ) -> Result<Vec<ClockTold>, SourceError> {
        let door = self.gate.door().await?;
        let mut told = Vec::with_capacity(resources.len());
        for resource in resources {
            self.gate.budget.take().await;
            let path = api.path(&format!("{resource}/CurrentState"));
            let reply = match door.get(&path, &[]).await {
                Err(error) if error.kind() == FaultKind::NotFound => continue,
                other => other?,
            };
            let state =
                state(resource, &reply.body).map_err(|e| door.not_json(&path, &e, &reply.body))?;
            told.push(state);
            line.heard(Heard::from(&reply)).await;
        }
        match told.is_empty() {
            false => Ok(told),
            true => Err(unsubscribed(door, api, resources)),
        }
    }
}

/// What a proxy publishes.
pub struct Published {
    pub api: Api,
    pub resources: Vec<String>,
    /// Entries that could not be read.
    pub bad: u64,
    pub reply: Reply,
}

/// Asks the proxy what it publishes; by its second API, else by its first. `budget`: of its requests.
///
/// # Errors
/// [`SourceError`]: it does not answer, or publishes nothing.
pub async fn published(door: &Door, budget: Option<&Budget>) -> Result<Published, SourceError> {
    let mut missing = None;
    for api in [Api::V2, Api::V1] {
        if let Some(budget) = budget {
            budget.take().await;
        }
        let path = api.path("/publishers");
        let reply = match door.get(&path, &[]).await {
            Err(error) if error.kind() == FaultKind::NotFound => {
                missing.get_or_insert(error);
                continue;
            }
            other => other?,
        };
        let (mut found, bad) =
            resources(&reply.body).map_err(|e| door.not_json(&path, &e, &reply.body))?;
        found.truncate(MOST);
        if found.is_empty() {
            let what = "the proxy publishes no clock resource: look at its log, and at \
                        ptpEventConfig of the PtpOperatorConfig";
            return Err(door.error(&path, Cause::Absent(what.into())));
        }
        return Ok(Published {
            api,
            resources: found,
            bad,
            reply,
        });
    }
    Err(missing.unwrap_or_else(|| door.error("", Cause::NotFound(String::new()))))
}

fn unsubscribed(door: &Door, api: Api, resources: &[String]) -> SourceError {
    let path = resources.first().map_or("", String::as_str);
    let what = format!(
        "404 for each of {} resources: the proxy tells a state only once somebody has subscribed to \
         it; let a consumer subscribe (POST {}), or leave `ptp_events` out",
        resources.len(),
        api.path("/subscriptions")
    );
    let path = api.path(&format!("{path}/CurrentState"));
    door.error(&path, Cause::Absent(what))
}

impl Source for ClockEventSource {
    fn run<'a>(&'a mut self, line: &'a Line) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(self.work(line))
    }
}

//! Tempo: whether it answers, its version, and questions about traces.

mod collect;
mod lookup;
mod otlp;
mod proto;
mod search;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde::Deserialize;

use super::door::{Door, Reply};
use super::error::SourceError;
use super::supervisor::{Gate, Heard, Line, Source};
use crate::clock;
use crate::model::fault::FaultKind;

pub use lookup::TempoLookup;

/// Traces come when they are asked for: between that a sign of life is enough.
const SLOWER: u32 = 4;

pub struct TempoSource {
    gate: Arc<Gate>,
    interval: Duration,
    known: bool,
}

impl TempoSource {
    pub fn new(gate: Arc<Gate>, base: Duration) -> Self {
        Self {
            gate,
            interval: base * SLOWER,
            known: false,
        }
    }

    async fn work(&mut self, line: &Line) -> Result<(), SourceError> {
        line.interval(self.interval);
        // After an outage it may be another one.
        self.known = false;
        loop {
            let next = clock::instant() + self.interval;
            let door = self.gate.door().await?;
            self.gate.budget.take().await;
            let reply = sign_of_life(door).await?;
            if !self.known {
                self.gate.budget.take().await;
                if let Some(version) = version(door).await {
                    line.version(&version);
                }
                self.known = true;
            }
            line.heard(Heard::from(&reply)).await;
            line.rest(next.max(clock::instant())).await;
        }
    }
}

impl Source for TempoSource {
    fn run<'a>(&'a mut self, line: &'a Line) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(self.work(line))
    }
}

/// Gateways have no `/ready`, but answer `/api/echo`.
pub async fn sign_of_life(door: &Door) -> Result<Reply, SourceError> {
    match door.get("ready", &[]).await {
        Err(error) if error.kind() == FaultKind::NotFound => door.get("api/echo", &[]).await,
        other => other,
    }
}

/// The version it says it has; pleasant to know, no more.
pub async fn version(door: &Door) -> Option<String> {
    #[derive(Deserialize)]
    struct Build {
        version: Option<String>,
    }
    let told = door.get_json::<Build>("api/status/buildinfo", &[]).await;
    told.ok().and_then(|(build, _)| build.version)
}

//! Scrapes one exporter directly, where no Prometheus stands between.
//!
//! Gauges come as they are, counters as rates named `NAME:rate`; of histograms only the latencies
//! of vLLM, as the catalogue's signals. Each series gets `instance`, as Prometheus would give it.

mod latency;
mod memory;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use super::edge::Held;
use super::error::{Cause, SourceError};
use super::exposition::{Format, Summary};
use super::supervisor::{Gate, Heard, Line, Source};
use crate::clock;
use crate::model::dpdk;
use crate::model::sample::SeriesSamples;
use crate::model::scrape::{Raw, Scrape, Told};
use crate::model::signal::Group;
use crate::model::telemetry::{Body, SampleBatch};
use crate::model::time::Timestamp;
use crate::source::door::Reply;

pub use memory::Memory;

/// Plain text first: OpenMetrics adds nothing that we show.
const ACCEPT: &str =
    "text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1";
/// From this size on a body is read on a thread of its own.
const LARGE: usize = 256 << 10;
const SERIES_LIMIT: usize = 50_000;

/// Polls one exporter.
pub struct ScrapeSource {
    gate: Arc<Gate>,
    interval: Duration,
    memory: Memory,
    /// Where it goes as it was written, and which exporter of the cluster this is.
    held: Option<(Arc<Held>, u16)>,
    instance: Arc<str>,
}

impl ScrapeSource {
    pub fn new(gate: Arc<Gate>, interval: Duration) -> Self {
        let instance = reqwest::Url::parse(gate.url())
            .ok()
            .and_then(|u| Some(format!("{}:{}", u.host_str()?, u.port_or_known_default()?)))
            .unwrap_or_default();
        Self {
            gate,
            interval,
            memory: Memory::new(&instance, SERIES_LIMIT),
            held: None,
            instance: instance.into(),
        }
    }

    /// What is read is held there too, as it was written: the n-th exporter of the cluster.
    pub fn held_in(mut self, held: Arc<Held>, exporter: u16) -> Self {
        self.memory = self.memory.keeping_raws();
        self.held = Some((held, exporter));
        self
    }

    /// Series that count though their exporter does not say so.
    pub fn counting(mut self, names: Arc<dpdk::Names>) -> Self {
        self.memory.names = names;
        self
    }

    pub fn series_limit(mut self, limit: usize) -> Self {
        self.memory.limit = limit.max(1);
        self
    }

    async fn work(&mut self, line: &Line) -> Result<(), SourceError> {
        line.interval(self.interval);
        loop {
            let next = clock::instant() + self.interval;
            let at = clock::now();
            if let Err(error) = self.scrape(line).await {
                if !matches!(error.cause, Cause::Cut(_)) {
                    self.hold(at, Told::Nothing);
                }
                return Err(error);
            }
            line.rest(next.max(clock::instant())).await;
        }
    }

    async fn scrape(&mut self, line: &Line) -> Result<(), SourceError> {
        let door = self.gate.door().await?.clone();
        self.gate.budget.take().await;
        let reply = door.get_partial("", ACCEPT).await?;
        let (heard, complete, size) =
            (Heard::from(&reply), reply.complete, reply.body.len() as u64);
        let at = clock::now();
        let (summary, groups) = match self.read(reply, at).await {
            Ok(read) => read,
            Err(what) => return Err(door.error("", Cause::Bug(what))),
        };
        line.bad_lines(summary.bad_lines as u64);
        if summary.is_nonsense() {
            let what = format!(
                "not a metrics endpoint: {} of {} lines are no samples",
                summary.bad_lines, summary.lines
            );
            return Err(door.error("", Cause::Payload(what)));
        }
        if complete {
            line.heard(heard).await;
        }
        let cut = summary.samples > self.memory.limit;
        let raws = self.memory.take_raws();
        self.hold(at, held(raws, complete && !cut));
        let url: Arc<str> = door.shown().into();
        let interval_ms = self.interval_ms();
        let batches = groups.into_iter().map(|(group, series)| SampleBatch {
            group,
            name: url.clone(),
            query: url.clone(),
            at,
            interval_ms,
            backfill: false,
            series,
            cut_from: cut.then(|| u32::try_from(summary.samples).unwrap_or(u32::MAX)),
        });
        for batch in batches {
            line.send(Body::Samples(batch)).await;
        }
        if complete {
            Ok(())
        } else {
            Err(door.error("", Cause::Cut(size)))
        }
    }

    fn interval_ms(&self) -> u32 {
        u32::try_from(self.interval.as_millis()).unwrap_or(u32::MAX)
    }

    fn hold(&self, at: Timestamp, told: Told) {
        if let Some((held, exporter)) = &self.held {
            held.put(Scrape {
                exporter: *exporter,
                url: self.gate.shown().into(),
                instance: self.instance.clone(),
                interval_ms: self.interval_ms(),
                at,
                told,
            });
        }
    }

    async fn read(&mut self, reply: Reply, at: Timestamp) -> Result<Read, String> {
        let format = Format::from_content_type(&reply.content_type);
        let (body, complete) = (reply.body, reply.complete);
        if body.len() < LARGE {
            return Ok(self.memory.read(&body, format, complete, at));
        }
        let mut memory = std::mem::take(&mut self.memory);
        let work = tokio::task::spawn_blocking(move || {
            let read = memory.read(&body, format, complete, at);
            (memory, read)
        });
        let (memory, read) = work.await.map_err(|e| e.to_string())?;
        self.memory = memory;
        Ok(read)
    }
}

fn held(raws: Vec<Raw>, whole: bool) -> Told {
    match whole {
        true => Told::All(raws),
        false => Told::Some(raws),
    }
}

/// What a body held, and its series by group.
pub type Read = (Summary, Vec<(Group, Vec<SeriesSamples>)>);

impl Source for ScrapeSource {
    fn run<'a>(&'a mut self, line: &'a Line) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(self.work(line))
    }
}

//! Samples of a site, read from the team's bus as if its exporters were scraped here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::DeliverPolicy;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

use super::stream::{self, subject};
use super::{Held, lookup};
use crate::clock;
use crate::config::Team;
use crate::edge::{Decoder, Event, Heard as Read, Wrong};
use crate::model::dpdk;
use crate::model::scrape::{Scrape, Told};
use crate::model::telemetry::{Body, SampleBatch};
use crate::model::text;
use crate::model::time::Timestamp;
use crate::source::error::{Cause, SourceError};
use crate::source::nats::Bus;
use crate::source::nats::history::{Ordered, ordered};
use crate::source::nats::session::Session;
use crate::source::scrape::Memory;
use crate::source::supervisor::{Heard, Line, Source};

/// What the site told so long before we came is read too.
const LOOK_BACK: Duration = Duration::from_secs(3600);
/// A scrape later than our clock by more than this is left out, as Prometheus does, milliseconds.
const AHEAD_MS: i64 = 600_000;
/// What is older than two intervals and this is told afterwards, milliseconds.
pub(super) const LATE_MS: u64 = 60_000;
/// Scrapes come together, so many of them late.
const GATHER: Duration = Duration::from_secs(15);
/// Exporters of one site, and series of all of them that are remembered.
const EXPORTERS: usize = 1_000;
const SERIES: usize = 200_000;

/// Follows the samples of one cluster.
pub struct SampleSource {
    bus: Arc<Bus>,
    team: Team,
    subject: String,
    held: Arc<Held>,
    names: Arc<dpdk::Names>,
    series_limit: usize,
    decoder: Decoder,
    memories: BTreeMap<u16, Remembered>,
    /// Scrapes left out because their time was ahead of ours, and how far the last one was,
    /// milliseconds.
    ahead: (u64, i64),
    /// What the window had left out when it was looked at last.
    left_out: u64,
    /// The last message that was read, and when its stream was made.
    last: Option<(u64, Option<Timestamp>)>,
}

struct Remembered {
    memory: Memory,
    /// Of the last scrape.
    at: Timestamp,
}

impl SampleSource {
    pub fn new(team: &Team, cluster: &str, held: Arc<Held>) -> Self {
        Self {
            bus: Bus::of_team(team),
            team: team.clone(),
            subject: subject(cluster),
            held,
            names: Arc::default(),
            series_limit: 50_000,
            decoder: Decoder::default(),
            memories: BTreeMap::new(),
            ahead: (0, 0),
            left_out: 0,
            last: None,
        }
    }

    /// Series that count though their exporter does not say so.
    pub fn counting(mut self, names: Arc<dpdk::Names>) -> Self {
        self.names = names;
        self
    }

    pub fn series_limit(mut self, limit: usize) -> Self {
        self.series_limit = limit.max(1);
        self
    }

    pub fn shown(&self) -> String {
        self.bus.shown()
    }

    async fn work(&mut self, line: &Line) -> Result<(), SourceError> {
        let session = self.bus.open("farwatch samples").await?;
        line.version(&session.server().version);
        self.follow(&session, line).await
    }

    async fn follow(&mut self, session: &Session, line: &Line) -> Result<(), SourceError> {
        let mut messages = self.open(session).await?;
        let shown = self.shown();
        let fail = |e: &dyn std::fmt::Display| {
            let why = text::clean(&e.to_string(), 200);
            SourceError::new("team", &shown, Cause::Unreachable(why))
        };
        loop {
            // What was taken is told to its end, whatever becomes of the connection.
            let message = tokio::select! {
                biased;
                message = messages.messages.next() => message,
                end = session.ended() => return Err(end),
            };
            let Some(message) = message else {
                return Err(fail(&"the deliveries ended"));
            };
            let message = message.map_err(|e| fail(&e))?;
            let sequence = message.info().map_err(|e| fail(&*e))?.stream_sequence;
            let read = self.decoder.take(&message.payload);
            self.last = Some((sequence, messages.created));
            self.take(read, message.payload.len(), line).await;
        }
    }

    /// From where it was read to; the first time from a while ago.
    async fn open(&self, session: &Session) -> Result<Ordered, SourceError> {
        let ago = i64::try_from(LOOK_BACK.as_millis()).unwrap_or(0);
        let from = clock::now().plus_ms(-ago);
        let start_time = async_nats::datetime::from_nanos(i128::from(from.0) * 1_000_000)
            .map_err(|_| SourceError::new("team", "", Cause::Bug("no such time".into())))?;
        let last = self.last;
        let stream = stream::stream_name(&self.team);
        let opened = ordered(session, &stream, &self.subject, |created| match last {
            // Another stream of the same name counts anew.
            Some((last, of)) if of == created => DeliverPolicy::ByStartSequence {
                start_sequence: last + 1,
            },
            _ => DeliverPolicy::ByStartTime { start_time },
        });
        opened.await.map_err(|error| match error.cause {
            Cause::Absent(_) => stream::absent(&self.team, &self.shown()),
            _ => error,
        })
    }

    async fn take(&mut self, read: Result<Read, Wrong>, bytes: usize, line: &Line) {
        let events = match read {
            Ok(Read::Told(events)) => events,
            Ok(Read::Again | Read::Early) => Vec::new(),
            Err(wrong) => {
                tracing::warn!(subject = %self.subject, "a message with samples is left out: {wrong}");
                line.bad_lines(1);
                return;
            }
        };
        for event in events {
            match event {
                Event::Gap(gap) => {
                    line.lost(gap.scrapes.max(gap.messages));
                    self.held.gap(gap);
                }
                Event::Scrape(scrape) => self.tell(scrape, line).await,
            }
        }
        let via = self.stand(line);
        line.heard(Heard {
            bytes: bytes as u64,
            via: Some(via),
            ..Heard::default()
        })
        .await;
    }

    /// The way, and what of that which came this way is left out; that is counted as lost.
    fn stand(&mut self, line: &Line) -> String {
        let standing = self.held.standing();
        let left_out = standing.late + standing.ahead + standing.refused + self.ahead.0;
        line.lost(left_out.saturating_sub(self.left_out));
        self.left_out = left_out;
        let mut words = vec![format!("via {}", self.subject)];
        if self.ahead.0 > 0 {
            let (n, by) = (self.ahead.0, self.ahead.1 / 60_000);
            words.push(format!(
                "left out: {n} scrapes ahead of our clock, the last by {by} min"
            ));
        }
        words.extend(lookup::left_out(&standing));
        words.join("; ")
    }

    async fn tell(&mut self, scrape: Scrape, line: &Line) {
        let now = clock::now();
        if scrape.at > now.plus_ms(AHEAD_MS) {
            let by = scrape.at.0.saturating_sub(now.0);
            self.ahead = (self.ahead.0 + 1, by);
            return;
        }
        let known = self.memories.contains_key(&scrape.exporter);
        if !known && self.memories.len() >= EXPORTERS {
            line.bad_lines(1);
            return;
        }
        let interval = Duration::from_millis(u64::from(scrape.interval_ms)) + GATHER;
        line.interval(interval);
        let batches = self.batches(&scrape, now);
        self.held.put(scrape);
        for batch in batches {
            line.send(Body::Samples(batch)).await;
        }
    }

    /// What would have been told of it if it were scraped here.
    fn batches(&mut self, scrape: &Scrape, now: Timestamp) -> Vec<SampleBatch> {
        if matches!(scrape.told, Told::Nothing) {
            return Vec::new();
        }
        let (names, limit) = (&self.names, self.series_limit);
        let known = self.memories.entry(scrape.exporter).or_insert_with(|| {
            let mut memory = Memory::new(&scrape.instance, limit);
            memory.names = names.clone();
            let at = scrape.at;
            Remembered { memory, at }
        });
        known.at = scrape.at;
        let (summary, groups) = known.memory.hear(scrape);
        let cut = summary.samples > limit;
        let age = now.age_since_ms(scrape.at);
        let backfill = age > u64::from(scrape.interval_ms) * 2 + LATE_MS;
        let batch = |(group, series)| SampleBatch {
            group,
            name: scrape.url.clone(),
            query: scrape.url.clone(),
            at: scrape.at,
            interval_ms: scrape.interval_ms,
            backfill,
            series,
            cut_from: cut.then(|| u32::try_from(summary.samples).unwrap_or(u32::MAX)),
        };
        let batches = groups.into_iter().map(batch).collect();
        self.forget();
        batches
    }

    /// However many exporters a publisher names, so many series are remembered: who told longest
    /// ago goes first.
    fn forget(&mut self) {
        let held = |all: &BTreeMap<u16, Remembered>| -> usize {
            all.values().map(|known| known.memory.series()).sum()
        };
        while self.memories.len() > 1 && held(&self.memories) > SERIES {
            let oldest = self.memories.iter().min_by_key(|(_, known)| known.at);
            let Some(exporter) = oldest.map(|(exporter, _)| *exporter) else {
                return;
            };
            self.memories.remove(&exporter);
        }
    }
}

impl Source for SampleSource {
    fn run<'a>(&'a mut self, line: &'a Line) -> BoxFuture<'a, Result<(), SourceError>> {
        self.work(line).boxed()
    }
}

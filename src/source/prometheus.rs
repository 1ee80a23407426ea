//! Prometheus (and what speaks its API): polls the signals that the server can answer.
//!
//! What is on the screen is polled at the base interval, the rest slower, all of it within the
//! endpoint's budget. Alerts and rules come along; one wrong query never stops the others.

mod api;
mod exemplars;
mod lookup;
mod native;
pub(crate) mod rules;
mod schedule;
pub(super) mod wire;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::BoxFuture;

use crate::clock;
use crate::model::fault::FaultKind;
use crate::model::sample::{SampleKind, SeriesSamples};
use crate::model::signal::{Metric, Signal};
use crate::model::telemetry::{Body, ClusterFacts, SampleBatch};
use crate::model::time::Timestamp;
use crate::source::error::SourceError;
use crate::source::supervisor::{Gate, Line, Source, Wish, Woken};

use api::{Api, Span, Urgency};
use rules::{Alerts, BuildInfo, Expressions, Rules};
use schedule::Schedule;

pub use lookup::PromLookup;
pub use wire::{QueryAnswer, read_query};

/// How often the server is asked what it has; more often at first, when it may just have started.
const LEARN_EVERY: Duration = Duration::from_secs(300);
/// After this time a part of the API that was refused is tried again.
const REFUSED_FOR: Duration = Duration::from_secs(300);
/// History asked for at start.
const HISTORY_MS: i64 = 3_600_000;
/// Points of history in one delivery: an hour of many series would hold the loop up.
const AT_A_TIME: usize = 5_000;
/// Requests under way at once.
const AT_ONCE: usize = 4;
/// Signals of one round; after it the operator's wish is read again.
const ROUND: usize = 8;
const SERIES_LIMIT: usize = 20_000;

/// Polls one server.
pub struct PromSource {
    api: Api,
    signals: Arc<[Signal]>,
    counters: HashSet<Arc<str>>,
    base: Duration,
    limit: usize,
    schedule: Schedule,
    expressions: Expressions,
    /// There is a rule of this name; `None`: the rules are not known.
    watchdog: Option<bool>,
    version: Option<String>,
    learn_at: Option<Instant>,
    alerts_at: Option<Instant>,
}

/// How one signal's poll ended.
struct Polled {
    index: usize,
    result: Result<Option<Timestamp>, SourceError>,
}

impl PromSource {
    pub fn new(gate: Arc<Gate>, signals: Arc<[Signal]>, base: Duration) -> Self {
        let schedule = Schedule::new(&signals, base, gate.per_minute());
        Self {
            api: Api::new(gate, Urgency::Poll),
            signals,
            counters: HashSet::new(),
            base,
            limit: SERIES_LIMIT,
            schedule,
            expressions: Expressions::new(),
            watchdog: None,
            version: None,
            learn_at: None,
            alerts_at: None,
        }
    }

    pub fn series_limit(mut self, limit: usize) -> Self {
        self.limit = limit.clamp(1, SERIES_LIMIT);
        self
    }

    /// Names of metrics that are counters although nothing in their names says so.
    pub fn counters(mut self, metrics: &[Metric]) -> Self {
        let counters = metrics.iter().filter(|m| m.counter);
        self.counters = counters.map(|m| m.name.clone()).collect();
        self
    }

    async fn work(&mut self, line: &Line) -> Result<(), SourceError> {
        self.schedule.wish(&line.wish(), clock::instant());
        // After an outage the server may be another one.
        self.learn_at = None;
        let mut learn_every = self.base * 2;
        loop {
            if due(self.learn_at) {
                self.learn(line).await?;
                self.learn_at = Some(clock::instant() + learn_every);
                learn_every = (learn_every * 2).min(LEARN_EVERY);
            }
            if due(self.alerts_at) {
                self.alerts_at = Some(clock::instant() + self.schedule.fastest());
                self.alerts(line).await?;
            }
            line.interval(self.schedule.fastest());
            let round = self.schedule.due(clock::instant(), ROUND);
            if !round.is_empty() {
                self.round(&round, line).await?;
            }
            let now = clock::instant();
            let next = [self.schedule.next(), self.alerts_at, self.learn_at];
            let until = next.into_iter().flatten().min().unwrap_or(now + self.base);
            match line.rest(until).await {
                Woken::Due => {}
                Woken::Demand => self.schedule.wish(&line.wish(), clock::instant()),
                Woken::Refresh => self.refresh(&line.wish()),
            }
        }
    }

    fn refresh(&mut self, wish: &Wish) {
        let now = clock::instant();
        self.schedule.wish(wish, now);
        self.schedule.all_now(now);
        self.alerts_at = None;
        self.learn_at = None;
    }

    /// Asks which metrics exist, so that only queries are sent that can have an answer.
    async fn learn(&mut self, line: &Line) -> Result<(), SourceError> {
        let mut needs: Vec<&str> = self.signals.iter().flat_map(Signal::needed).collect();
        needs.sort_unstable();
        needs.dedup();
        let mut capabilities = None;
        if !needs.is_empty() {
            let names = regex::escape(&needs.join("\n")).replace('\n', "|");
            let names = names.replace('\\', "\\\\").replace('"', "\\\"");
            let query = format!("count by (__name__) ({{__name__=~\"{names}\"}})");
            match self.api.instant(&query, None, "count", 10_000).await {
                Ok((answer, heard)) => {
                    line.heard(heard).await;
                    capabilities = Some(counts(&answer.series));
                }
                // A front end that forbids such queries: then every signal is tried.
                Err(e) if e.is_about_query() => tracing::warn!("no list of metrics: {e}"),
                Err(e) => return Err(e),
            }
        }
        self.schedule
            .available(&self.signals, capabilities.as_deref(), clock::instant());
        self.learn_more(line).await?;
        let facts = ClusterFacts {
            prometheus_version: self.version.clone(),
            capabilities,
            watchdog: self.watchdog,
            ..ClusterFacts::default()
        };
        line.send(Body::Facts(facts)).await;
        Ok(())
    }

    /// Version and alert expressions: pleasant to have, missing behind some front ends.
    async fn learn_more(&mut self, line: &Line) -> Result<(), SourceError> {
        let build = self.api.get::<BuildInfo>("/api/v1/status/buildinfo", &[]);
        if let Some((build, heard)) = optional(build.await, line)? {
            let version = crate::model::text::clean(&build.version, 80);
            line.version(&version);
            line.heard(heard).await;
            self.version = Some(version);
        }
        let rules = self.api.get::<Rules>("/api/v1/rules", &[("type", "alert")]);
        if let Some((rules, heard)) = optional(rules.await, line)? {
            line.heard(heard).await;
            self.expressions = rules.expressions();
            self.watchdog = Some(self.expressions.contains_key("Watchdog"));
        }
        Ok(())
    }

    async fn alerts(&mut self, line: &Line) -> Result<(), SourceError> {
        let answer = self.api.get::<Alerts>("/api/v1/alerts", &[]).await;
        match optional(answer, line)? {
            Some((alerts, heard)) => {
                line.heard(heard).await;
                line.send(Body::Alerts(alerts.into_facts(&self.expressions)))
                    .await;
            }
            None => self.alerts_at = Some(clock::instant() + REFUSED_FOR),
        }
        Ok(())
    }

    /// Polls these signals. An error of the server ends the run; trouble with one query, or one
    /// slow answer among good ones, only postpones that signal.
    async fn round(&mut self, round: &[usize], line: &Line) -> Result<(), SourceError> {
        let mut done = Vec::with_capacity(round.len());
        let mut fatal = None;
        {
            let this = &*self;
            let mut polls = futures::stream::iter(round.iter().copied())
                .map(|index| this.poll(index, line))
                .buffer_unordered(AT_ONCE);
            while let Some(polled) = polls.next().await {
                let good = done.iter().any(|p: &Polled| p.result.is_ok());
                let ends = matches!(&polled.result, Err(e) if ends_run(e, good));
                if let (true, Err(e)) = (ends, &polled.result) {
                    fatal = Some(e.clone());
                }
                done.push(polled);
                if ends {
                    break;
                }
            }
        }
        let now = clock::instant();
        for polled in done {
            match polled.result {
                Ok(newest) => self.schedule.answered(polled.index, now, newest),
                Err(error) => {
                    self.schedule.failed(polled.index, now);
                    if fatal.is_none() {
                        line.stumbled();
                        tracing::warn!(signal = ?self.signals.get(polled.index).map(|s| &s.name), "{error}");
                    }
                }
            }
        }
        fatal.map_or(Ok(()), Err)
    }

    async fn poll(&self, index: usize, line: &Line) -> Polled {
        let result = match self.signals.get(index) {
            Some(signal) => self.poll_signal(index, signal, line).await,
            None => Ok(None),
        };
        Polled { index, result }
    }

    async fn poll_signal(
        &self,
        index: usize,
        signal: &Signal,
        line: &Line,
    ) -> Result<Option<Timestamp>, SourceError> {
        if signal.backfill
            && let Some(since) = self.schedule.gap(index, clock::now(), HISTORY_MS)
        {
            self.fill(signal, since, line).await?;
        }
        let query = &signal.query;
        let found = self.api.instant(query, None, &signal.name, self.limit);
        let (answer, heard) = found.await?;
        line.bad_lines(answer.histograms as u64);
        line.heard(heard).await;
        let batch = self.batch(signal, answer, self.schedule.interval(index), false);
        let newest = batch.at;
        line.send(Body::Samples(batch)).await;
        Ok(Some(newest))
    }

    /// History since `since`; a server that cannot give it is no reason to stop.
    async fn fill(
        &self,
        signal: &Signal,
        since: Timestamp,
        line: &Line,
    ) -> Result<(), SourceError> {
        let step = self.base.max(Duration::from_secs(1));
        let span = Span {
            start: since,
            end: self.server_now(line),
            step_ms: u32::try_from(step.as_millis()).unwrap_or(15_000),
        };
        let found = self
            .api
            .range(&signal.query, span, &signal.name, self.limit);
        match found.await {
            Ok((answer, heard)) => {
                line.heard(heard).await;
                if !answer.series.is_empty() {
                    let batch = self.batch(signal, answer, step, true);
                    for part in batch.parts(AT_A_TIME) {
                        line.send(Body::Samples(part)).await;
                    }
                }
                Ok(())
            }
            Err(e) if is_about_answer(&e) => {
                tracing::warn!(signal = %signal.name, "no history: {e}");
                line.stumbled();
                Ok(())
            }
            Err(e) => Err(e),
        }
    }

    /// Our clock, moved to the server's if they differ by more than the resolution of `Date`.
    fn server_now(&self, line: &Line) -> Timestamp {
        clock::now().plus_ms(line.health().clock_off_ms().unwrap_or(0))
    }

    fn batch(
        &self,
        signal: &Signal,
        mut answer: QueryAnswer,
        interval: Duration,
        backfill: bool,
    ) -> SampleBatch {
        for series in &mut answer.series {
            if self.counters.contains(&series.key.name) {
                series.kind = SampleKind::Counter;
            }
        }
        let newest = |s: &SeriesSamples| s.points.last().map(|p| p.at.0);
        let at = answer.series.iter().filter_map(newest).max();
        let cut = answer.total > answer.series.len();
        SampleBatch {
            group: signal.group,
            name: signal.name.clone(),
            query: signal.query.clone(),
            at: at.map_or_else(clock::now, Timestamp),
            interval_ms: u32::try_from(interval.as_millis()).unwrap_or(u32::MAX),
            backfill,
            cut_from: cut.then(|| u32::try_from(answer.total).unwrap_or(u32::MAX)),
            series: answer.series,
        }
    }
}

impl Source for PromSource {
    fn run<'a>(&'a mut self, line: &'a Line) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(self.work(line))
    }
}

fn due(at: Option<Instant>) -> bool {
    at.is_none_or(|at| at <= clock::instant())
}

/// The trouble is with this answer alone, if others come in.
fn is_about_answer(error: &SourceError) -> bool {
    matches!(
        error.kind(),
        FaultKind::BadQuery | FaultKind::Timeout | FaultKind::Server | FaultKind::BadPayload
    )
}

fn ends_run(error: &SourceError, others_answered: bool) -> bool {
    !(error.is_about_query() || others_answered && is_about_answer(error))
}

/// Parts of the API that a front end may lack or forbid: `None` then.
fn optional<T, H>(
    answer: Result<(T, Vec<String>, H), SourceError>,
    line: &Line,
) -> Result<Option<(T, H)>, SourceError> {
    match answer {
        Ok((data, _, heard)) => Ok(Some((data, heard))),
        Err(e) => match e.kind() {
            FaultKind::NotFound | FaultKind::Forbidden | FaultKind::BadQuery => {
                tracing::info!("left out: {e}");
                line.stumbled();
                Ok(None)
            }
            _ => Err(e),
        },
    }
}

fn counts(series: &[SeriesSamples]) -> Vec<(String, u64)> {
    let counts: BTreeMap<String, u64> = series
        .iter()
        .filter_map(|s| {
            let value = s.points.last()?.value;
            Some((s.key.name.to_string(), value.max(0.0) as u64))
        })
        .collect();
    counts.into_iter().collect()
}

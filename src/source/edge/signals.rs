//! The catalogue's signals from the window: a Prometheus would be asked for them.
//!
//! Those of nodes, totals and workloads are computed. What exporters tell of accelerators, clocks,
//! functions and model servers is read from each scrape already.

use std::sync::Arc;
use std::time::Duration;

use super::Held;
use super::read::LATE_MS;
use crate::clock;
use crate::model::sample::SeriesSamples;
use crate::model::signal::{Group, Signal};
use crate::model::telemetry::{Body, SampleBatch};
use crate::model::time::Timestamp;
use crate::source::held::{Asked, NAMELESS};
use crate::source::report::Report;

/// History computed when samples begin to come, or come again after a time without.
const HISTORY_MS: i64 = 3_600_000;
/// Points of history in one delivery: an hour of many series would hold the loop up.
const AT_A_TIME: usize = 5_000;

/// Computes signals as samples come in.
pub struct Signals {
    held: Arc<Held>,
    signals: Vec<Signal>,
    interval_ms: u32,
    limit: usize,
    /// The newest sample that was computed with.
    newest: Option<Timestamp>,
}

impl Signals {
    /// Twice the interval between scrapes lies between two looks, as between two polls of what
    /// the fleet's overview shows; `limit`: series of one signal.
    pub fn new(held: Arc<Held>, signals: &[Signal], scrapes: Duration, limit: usize) -> Self {
        let ours = |s: &&Signal| matches!(s.group, Group::Cluster | Group::Workload);
        let interval = scrapes.saturating_mul(2).max(Duration::from_secs(1));
        Self {
            held,
            signals: signals.iter().filter(ours).cloned().collect(),
            interval_ms: u32::try_from(interval.as_millis()).unwrap_or(u32::MAX),
            limit: limit.max(1),
            newest: None,
        }
    }

    /// Until the program ends, whenever `wanted` says that nobody else tells these signals.
    pub async fn run(mut self, wanted: impl Fn() -> bool, mut report: Report) {
        // The first exporters answer a little after the start.
        let mut wait = Duration::from_secs(2);
        loop {
            report.waits.rest(wait).await;
            wait = Duration::from_millis(u64::from(self.interval_ms));
            if !wanted() {
                self.newest = None;
                continue;
            }
            let work = tokio::task::spawn_blocking(move || {
                let found = self.look(clock::now());
                (self, found)
            });
            let found = match work.await {
                Ok((this, found)) => {
                    self = this;
                    found
                }
                Err(e) => {
                    tracing::error!("signals of the window: {e}");
                    return;
                }
            };
            if self.newest.is_none() {
                wait = Duration::from_secs(2);
            }
            for batch in found {
                if !report.outlet.send(report.wrap(Body::Samples(batch))).await {
                    return;
                }
            }
        }
    }

    /// What came since the last look, as it is known `now`. Takes a while.
    pub fn look(&mut self, now: Timestamp) -> Vec<SampleBatch> {
        let standing = self.held.standing();
        let (Some(since), Some(until)) = (standing.since, standing.until) else {
            return Vec::new();
        };
        if self.newest.is_some_and(|newest| newest >= until) {
            return Vec::new();
        }
        let step_ms = i64::from(self.interval_ms);
        let earliest = since.max(until.plus_ms(-HISTORY_MS));
        let from = match self.newest.replace(until) {
            Some(newest) => newest.plus_ms(step_ms).max(earliest),
            None => earliest,
        };
        let past = (from, until.plus_ms(-step_ms));
        let late = now.age_since_ms(until) > u64::from(self.interval_ms) * 2 + LATE_MS;
        let names = self.held.names();
        let mut out = Vec::new();
        for signal in &self.signals {
            if !has_any(signal, |name| names.contains(name)) {
                continue;
            }
            if signal.backfill && past.1 >= past.0 {
                let batch = self.batch(signal, past, step_ms, true);
                out.extend(batch.into_iter().flat_map(|b| b.parts(AT_A_TIME)));
            }
            out.extend(self.batch(signal, (until, until), 0, late));
        }
        out
    }

    /// A signal at one time (`step_ms` 0), or of a time past; `backfill`: it is told afterwards.
    fn batch(
        &self,
        signal: &Signal,
        (start, end): (Timestamp, Timestamp),
        step_ms: i64,
        backfill: bool,
    ) -> Option<SampleBatch> {
        let asked = Asked {
            query: &signal.query,
            start,
            end,
            step_ms,
        };
        let mut series = match self.held.evaluate(&asked) {
            Ok((series, _)) => series,
            Err(why) => {
                let cluster = self.held.cluster();
                tracing::warn!(cluster, signal = %signal.name, "not computed from the window: {why}");
                return None;
            }
        };
        let total = series.len();
        series.truncate(self.limit);
        series.iter_mut().for_each(|one| name(one, signal));
        // A look that finds nothing tells that what was there is gone; a past without it, nothing.
        if backfill && series.is_empty() {
            return None;
        }
        Some(SampleBatch {
            group: signal.group,
            name: signal.name.clone(),
            query: signal.query.clone(),
            at: end,
            interval_ms: self.interval_ms,
            backfill,
            cut_from: (total > series.len()).then(|| u32::try_from(total).unwrap_or(u32::MAX)),
            series,
        })
    }
}

/// One of the metrics that the signal needs is held.
fn has_any(signal: &Signal, held: impl Fn(&str) -> bool) -> bool {
    signal.needs.is_none() || signal.needed().any(held)
}

fn name(series: &mut SeriesSamples, signal: &Signal) {
    if *series.key.name == *NAMELESS {
        series.key.name = signal.name.clone();
    }
}

#[cfg(test)]
mod tests;

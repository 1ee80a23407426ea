//! What a source holds while it runs: the way into the loop, its health, and what the operator wants.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::clock;
use crate::model::health::{Health, SourceHealth, SourceKind};
use crate::model::id::ClusterId;
use crate::model::signal::Group;
use crate::model::telemetry::{Body, Telemetry};
use crate::model::time::Timestamp;
use crate::source::Outlet;
use crate::source::door::Reply;
use crate::source::error::SourceError;
use crate::source::report::{Report, Waits};

use super::Pace;

/// Health of a source that goes on well is told at most this often.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// What the operator looks at on one cluster, and how often a refresh was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    pub groups: Vec<Group>,
    pub refresh: u64,
}

/// Why a rest ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The time was up.
    Due,
    /// The screen shows something else now.
    Demand,
    /// The operator wants everything anew.
    Refresh,
}

/// Figures of one answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    pub latency_ms: Option<u32>,
    pub skew_ms: Option<i64>,
    pub bytes: u64,
    /// The way the answer took, where it is worth a word.
    pub via: Option<String>,
}

impl From<&Reply> for Heard {
    fn from(reply: &Reply) -> Self {
        Self {
            latency_ms: Some(reply.latency_ms()),
            skew_ms: reply.skew_ms,
            bytes: reply.body.len() as u64,
            via: reply.via.clone(),
        }
    }
}

/// One source's connection to the rest of the program.
#[derive(Debug)]
pub struct Line {
    cluster: ClusterId,
    kind: SourceKind,
    outlet: Outlet,
    wish: watch::Receiver<Wish>,
    seen: Mutex<Wish>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    health: SourceHealth,
    /// Failures in a row.
    streak: u32,
    since: Option<Timestamp>,
    /// When health was told last, and whether it changed since.
    told: Option<Instant>,
    untold: bool,
}

impl Line {
    pub fn new(
        cluster: ClusterId,
        kind: SourceKind,
        outlet: Outlet,
        wish: watch::Receiver<Wish>,
    ) -> Self {
        let seen = wish.borrow().clone();
        Self {
            cluster,
            kind,
            outlet,
            wish,
            seen: Mutex::new(seen),
            state: Mutex::default(),
        }
    }

    /// The same way into the loop, for streams that tell their own health.
    pub(super) fn for_stream(&self, pace: &Pace) -> Report {
        let waits = Waits::heeding(pace, self.wish.clone());
        let mut report = Report::new(self.cluster, self.kind, self.outlet.clone(), waits);
        {
            let state = self.state();
            report.health.place = Arc::clone(&state.health.place);
            report.health.via.clone_from(&state.health.via);
        }
        report
    }

    fn telemetry(&self, body: Body) -> Telemetry {
        Telemetry {
            cluster: self.cluster,
            source: self.kind,
            received: clock::now(),
            body,
        }
    }

    /// Waits for room in the queue. False: the program ends.
    pub async fn send(&self, body: Body) -> bool {
        self.outlet.send(self.telemetry(body)).await
    }

    /// Does not wait; a full queue loses the batch of `items`, which is counted.
    pub fn offer(&self, body: Body, items: u64) -> bool {
        let fits = self.outlet.offer(self.telemetry(body));
        if !fits {
            self.lost(items);
        }
        fits
    }

    /// An answer came in whole: the source is live.
    pub async fn heard(&self, heard: Heard) {
        let now = clock::instant();
        let health = {
            let mut state = self.state();
            let changed = state.health.health != Health::Live;
            state.streak = 0;
            state.since = None;
            let health = &mut state.health;
            health.health = Health::Live;
            health.answers += 1;
            health.bytes += heard.bytes;
            health.last_ok = Some(clock::now());
            health.latency_ms = heard.latency_ms.or(health.latency_ms);
            health.skew_ms = heard.skew_ms.or(health.skew_ms);
            health.via = heard.via.or(health.via.take());
            let health = health.clone();
            let recent = |at| now.saturating_duration_since(at) < TELL_EVERY;
            if !changed && state.told.is_some_and(recent) {
                state.untold = true;
                return;
            }
            state.told = Some(now);
            state.untold = false;
            (changed, health)
        };
        match health {
            (true, health) => {
                self.send(Body::Health(health)).await;
            }
            // The next one brings newer figures.
            (false, health) => {
                let _ = self.outlet.offer(self.telemetry(Body::Health(health)));
            }
        }
    }

    /// Tells figures that were held back.
    fn report(&self) {
        let health = {
            let mut state = self.state();
            if !std::mem::take(&mut state.untold) {
                return;
            }
            state.told = Some(clock::instant());
            state.health.clone()
        };
        let _ = self.outlet.offer(self.telemetry(Body::Health(health)));
    }

    /// The version the server says it has; told with the next health.
    pub fn version(&self, version: &str) {
        self.state().health.version = Some(crate::model::text::clean(version, 80));
    }

    /// The server's address, and the way there until an answer tells it better.
    pub(super) fn leads_to(&self, place: &str, via: Option<String>) {
        let health = &mut self.state().health;
        health.place = place.into();
        health.via = via;
    }

    /// Time between two polls now in force.
    pub fn interval(&self, interval: Duration) {
        self.state().health.interval_ms = u32::try_from(interval.as_millis()).unwrap_or(u32::MAX);
    }

    pub fn lost(&self, items: u64) {
        let health = &mut self.state().health;
        health.dropped = health.dropped.saturating_add(items);
    }

    pub fn bad_lines(&self, lines: u64) {
        self.state().health.bad_lines += lines;
    }

    /// A request failed, but the source goes on (one wrong query of many).
    pub fn stumbled(&self) {
        self.state().health.failures += 1;
    }

    pub fn health(&self) -> SourceHealth {
        self.state().health.clone()
    }

    /// Failures in a row.
    pub fn streak(&self) -> u32 {
        self.state().streak
    }

    /// Counts a failure; the supervisor then says how it goes on with `tell`.
    pub(super) fn failed(&self) -> (u32, Timestamp) {
        let mut state = self.state();
        state.streak = state.streak.saturating_add(1);
        state.health.failures += 1;
        let since = *state.since.get_or_insert_with(clock::now);
        (state.streak, since)
    }

    pub(super) async fn tell(&self, health: Health) {
        let health = {
            let mut state = self.state();
            state.health.health = health;
            state.health.clone()
        };
        self.send(Body::Health(health)).await;
    }

    pub(super) async fn tell_denied(&self, error: &SourceError) {
        let (_, since) = self.failed();
        let fault = error.fault();
        self.tell(Health::Denied { fault, since }).await;
    }

    pub(super) async fn tell_failing(&self, error: &SourceError, wait: Duration) {
        let (failures, since) = self.failed();
        let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        self.tell(Health::Failing {
            fault: error.fault(),
            since,
            retry_at: clock::now().plus_ms(wait),
            failures,
        })
        .await;
    }

    /// What is on the screen of this cluster.
    pub fn wish(&self) -> Wish {
        self.wish.borrow().clone()
    }

    /// Waits until `until`, or until the operator's wish changes.
    pub async fn rest(&self, until: Instant) -> Woken {
        self.report();
        let seen = self.seen().clone();
        let mut wish = self.wish.clone();
        let changed = async {
            if wish.wait_for(|now| *now != seen).await.is_err() {
                // Nobody can wish any more: only time counts.
                std::future::pending::<()>().await;
            }
            wish.borrow().clone()
        };
        tokio::select! {
            now = changed => {
                let woken = if now.refresh == seen.refresh { Woken::Demand } else { Woken::Refresh };
                *self.seen() = now;
                woken
            }
            () = tokio::time::sleep_until(until.into()) => Woken::Due,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self) -> MutexGuard<'_, Wish> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wish_wakes_once() {
        let (wishes, receiver) = watch::channel(Wish::default());
        let (outlet, _queue) = Outlet::new(8);
        let line = Line::new(ClusterId(0), SourceKind::Prometheus, outlet, receiver);
        let soon = || clock::instant() + Duration::from_millis(20);
        assert_eq!(line.rest(soon()).await, Woken::Due);
        wishes.send_modify(|w| w.groups.push(Group::Gpu));
        assert_eq!(line.rest(soon()).await, Woken::Demand);
        assert_eq!(line.rest(soon()).await, Woken::Due);
        wishes.send_modify(|w| w.refresh += 1);
        assert_eq!(line.rest(soon()).await, Woken::Refresh);
    }

    #[tokio::test]
    async fn a_full_queue_is_counted() {
        let (_wishes, receiver) = watch::channel(Wish::default());
        let (outlet, _queue) = Outlet::new(1);
        let line = Line::new(ClusterId(0), SourceKind::Loki, outlet, receiver);
        assert!(line.offer(Body::Alerts(Vec::new()), 5));
        assert!(!line.offer(Body::Alerts(Vec::new()), 5));
        assert_eq!(line.health().dropped, 5);
    }
}

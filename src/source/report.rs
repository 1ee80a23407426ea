//! Health of one streaming source, told into the loop when it changes.

use std::time::Duration;

use backon::ExponentialBackoff;
use tokio::sync::watch;

use crate::clock;
use crate::model::fault::{Fault, FaultKind};
use crate::model::health::{Health, SourceHealth, SourceKind};
use crate::model::id::ClusterId;
use crate::model::telemetry::{Body, Telemetry};

use super::Outlet;
use super::supervisor::{Pace, Wish};

/// Where a source of a cluster tells what it has and how it is.
#[derive(Debug)]
pub struct Report {
    pub cluster: ClusterId,
    pub source: SourceKind,
    pub outlet: Outlet,
    pub health: SourceHealth,
    pub waits: Waits,
    failures: u32,
    quiet: bool,
}

impl Report {
    pub fn new(cluster: ClusterId, source: SourceKind, outlet: Outlet, waits: Waits) -> Self {
        Self {
            cluster,
            source,
            outlet,
            health: SourceHealth::default(),
            waits,
            failures: 0,
            quiet: false,
        }
    }

    /// Tells no health: another report speaks for this source.
    pub fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    pub fn wrap(&self, body: Body) -> Telemetry {
        Telemetry {
            cluster: self.cluster,
            source: self.source,
            received: clock::now(),
            body,
        }
    }

    /// An answer or a batch came in whole.
    pub fn heard(&mut self, bytes: u64) {
        self.health.answers += 1;
        self.health.bytes += bytes;
        self.health.last_ok = Some(clock::now());
    }

    /// The source works: tells so if that is news. False when the loop is gone.
    pub async fn live(&mut self) -> bool {
        self.failures = 0;
        self.waits.reset();
        self.health.health = Health::Live;
        self.tell().await
    }

    /// The source failed; gives the time to wait before the next try, `None` when the loop is gone.
    pub async fn failed(&mut self, fault: Fault, after: Option<Duration>) -> Option<Duration> {
        let now = clock::now();
        self.failures += 1;
        self.health.failures += 1;
        let since = match &self.health.health {
            Health::Failing { since, .. } | Health::Denied { since, .. } => *since,
            Health::Connecting | Health::Live => now,
        };
        let delay = self.waits.after(fault.kind, after);
        self.health.health = if matches!(fault.kind, FaultKind::Auth | FaultKind::Forbidden) {
            Health::Denied { fault, since }
        } else {
            Health::Failing {
                fault,
                since,
                retry_at: now.plus_ms(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX)),
                failures: self.failures,
            }
        };
        self.tell().await.then_some(delay)
    }

    pub async fn tell(&self) -> bool {
        if self.quiet {
            return true;
        }
        let body = Body::Health(self.health.clone());
        self.outlet.send(self.wrap(body)).await
    }

    /// Tells how it is if there is room; for streams, which must not wait.
    pub fn offer(&self) {
        if !self.quiet {
            let body = Body::Health(self.health.clone());
            self.outlet.offer(self.wrap(body));
        }
    }
}

/// How long a stream waits between its tries; the operator's refresh ends a wait.
#[derive(Debug)]
pub struct Waits {
    pace: Pace,
    delays: ExponentialBackoff,
    wish: Option<watch::Receiver<Wish>>,
    /// Refreshes that were seen.
    seen: u64,
}

impl Waits {
    /// Nobody refreshes.
    pub fn new(pace: &Pace) -> Self {
        Self {
            pace: pace.clone(),
            delays: pace.delays(),
            wish: None,
            seen: 0,
        }
    }

    /// Heeds this operator from now on.
    pub fn heeding(pace: &Pace, wish: watch::Receiver<Wish>) -> Self {
        let seen = wish.borrow().refresh;
        Self {
            seen,
            wish: Some(wish),
            ..Self::new(pace)
        }
    }

    /// The same patience for another stream.
    pub fn again(&self) -> Self {
        Self {
            pace: self.pace.clone(),
            delays: self.pace.delays(),
            wish: self.wish.clone(),
            seen: self.seen,
        }
    }

    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    pub fn reset(&mut self) {
        self.delays = self.pace.delays();
    }

    /// What ended now held for so long: longer than the longest wait, and its end is the first again.
    pub fn lasted(&mut self, time: Duration) {
        if time > self.pace.longest {
            self.reset();
        }
    }

    /// The next wait. A missing right rarely comes by itself; a busy server says how long.
    pub fn after(&mut self, kind: FaultKind, told: Option<Duration>) -> Duration {
        if kind == FaultKind::Forbidden {
            return self.pace.denied;
        }
        let longest = self.pace.longest;
        let own = self.delays.next().unwrap_or(longest).min(longest);
        told.map_or(own, |told| told.max(own))
    }

    /// Waits, at most until the operator wants everything anew.
    pub async fn rest(&mut self, delay: Duration) {
        let seen = self.seen;
        let refreshed = async {
            let now = match &mut self.wish {
                Some(wish) => wish.wait_for(|now| now.refresh != seen).await.ok(),
                None => None,
            };
            match now.map(|now| now.refresh) {
                Some(now) => now,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            now = refreshed => self.seen = now,
            () = tokio::time::sleep(delay) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_refresh_ends_a_wait_and_counts_once() {
        let (wishes, receiver) = watch::channel(Wish::default());
        let mut waits = Waits::heeding(&Pace::default(), receiver);
        let hour = Duration::from_secs(3600);
        wishes.send_modify(|w| w.refresh += 1);
        let begin = tokio::time::Instant::now();
        // It came while the stream was busy, and is not lost.
        waits.rest(hour).await;
        assert_eq!(begin.elapsed(), Duration::ZERO);
        waits.rest(hour).await;
        assert_eq!(begin.elapsed(), hour);
        drop(wishes);
        waits.rest(hour).await;
        assert_eq!(begin.elapsed(), 2 * hour);
    }

    #[test]
    fn what_held_long_is_tried_again_at_once() {
        let pace = Pace::default();
        let mut waits = Waits::new(&pace);
        let next = |waits: &mut Waits| waits.after(FaultKind::Unreachable, None);
        let first = next(&mut waits);
        for _ in 0..20 {
            next(&mut waits);
            waits.lasted(pace.longest / 2);
        }
        // Up to twice as long by chance.
        assert!(next(&mut waits) > first * 4, "it does not hold");
        waits.lasted(pace.longest * 2);
        assert!(next(&mut waits) < first * 4);
    }

    #[test]
    fn waits_by_kind() {
        let pace = Pace::default();
        let mut waits = Waits::new(&pace);
        let told = Duration::from_secs(1_000);
        assert_eq!(waits.after(FaultKind::RateLimited, Some(told)), told);
        assert_eq!(waits.after(FaultKind::Forbidden, None), pace.denied);
        for _ in 0..20 {
            assert!(waits.after(FaultKind::Auth, None) <= pace.longest);
        }
    }
}

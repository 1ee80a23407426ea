//! Health of one streaming source, told into the loop when it changes.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::clock;
use crate::model::fault::{Fault, FaultKind};
use crate::model::health::{Health, SourceHealth, SourceKind};
use crate::model::id::ClusterId;
use crate::model::telemetry::{Body, Telemetry};

use super::Outlet;

const FIRST_DELAY: Duration = Duration::from_secs(1);
const LAST_DELAY: Duration = Duration::from_secs(30);
/// A refusal rarely heals by itself; a renewed token should still be noticed.
pub const DENIED_DELAY: Duration = Duration::from_secs(60);

/// Where a source of a cluster tells what it has and how it is.
#[derive(Debug)]
pub struct Report {
    pub cluster: ClusterId,
    pub source: SourceKind,
    pub outlet: Outlet,
    pub health: SourceHealth,
    failures: u32,
    delays: ExponentialBackoff,
}

impl Report {
    pub fn new(cluster: ClusterId, source: SourceKind, outlet: Outlet) -> Self {
        Self {
            cluster,
            source,
            outlet,
            health: SourceHealth::default(),
            failures: 0,
            delays: delays(),
        }
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
        self.delays = delays();
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
        let denied = matches!(fault.kind, FaultKind::Auth | FaultKind::Forbidden);
        let delay = if denied {
            DENIED_DELAY
        } else {
            let own = self.delays.next().unwrap_or(LAST_DELAY).min(LAST_DELAY);
            after.map_or(own, |a| a.max(own).min(LAST_DELAY * 10))
        };
        self.health.health = if denied {
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
        let body = Body::Health(self.health.clone());
        self.outlet.send(self.wrap(body)).await
    }
}

/// Jittered, 1 s doubling to 30 s, without end.
pub fn delays() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_DELAY)
        .with_max_delay(LAST_DELAY)
        .with_jitter()
        .without_max_times()
        .build()
}

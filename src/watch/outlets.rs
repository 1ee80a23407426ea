//! Everything that leaves a watcher beside the bus, started and ended together.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::log::Taken;
use super::serve::{self, Page};
use super::told::Told;
use super::{otlp, remote_write, webhook};
use crate::clock;
use crate::config;
use crate::source::door::{Poster, Untaken};

/// What an outlet may take to give away its last.
const LAST: Duration = Duration::from_secs(3);
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// The newest turn of the loop; `None`: there was none yet.
pub type Hearing = watch::Receiver<Option<Arc<Told>>>;

/// What one outlet counts, since start.
#[derive(Debug, Default)]
pub struct Count {
    /// Alerts, samples or spans that were taken.
    pub sent: AtomicU64,
    /// Requests that failed.
    pub failed: AtomicU64,
    /// What was given up: refused for good, or no room to wait.
    pub dropped: AtomicU64,
    /// What waits now.
    pub pending: AtomicU64,
}

impl Count {
    pub(super) fn took(&self, things: usize) {
        self.sent.fetch_add(things as u64, Ordering::Relaxed);
    }

    pub(super) fn lose(&self, things: usize) {
        self.dropped.fetch_add(things as u64, Ordering::Relaxed);
    }

    pub(super) fn fail(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn wait(&self, things: usize) {
        self.pending.store(things as u64, Ordering::Relaxed);
    }
}

/// When a server that failed is tried again: as it asks, else after ever longer waits.
#[derive(Debug)]
pub(super) struct Patience {
    waits: ExponentialBackoff,
    until: Option<Instant>,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            waits: waits(),
            until: None,
        }
    }
}

impl Patience {
    pub(super) fn is_over(&self) -> bool {
        self.until.is_none_or(|until| clock::instant() >= until)
    }

    /// Says it once, when it begins.
    pub(super) fn fail(&mut self, outlet: &str, untaken: &Untaken) {
        if self.until.is_none() {
            tracing::warn!(outlet, error = %untaken.error, "not taken, tried again");
        }
        // A server may say 0, or a time that is past by our clock.
        let asked = untaken.after.map(|wait| wait.max(SHORTEST));
        let wait = asked.or_else(|| self.waits.next());
        self.until = Some(clock::instant() + wait.unwrap_or(LONGEST));
    }

    pub(super) fn end(&mut self, outlet: &str) {
        if self.until.take().is_some() {
            tracing::info!(outlet, "taken again");
            self.waits = waits();
        }
    }
}

fn waits() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(SHORTEST)
        .with_max_delay(LONGEST)
        .with_factor(2.0)
        .with_jitter()
        .without_max_times()
        .build()
}

/// One outlet with what it needs.
pub struct Outlet {
    pub poster: Poster,
    /// Between two tellings of the same.
    pub every: Duration,
    pub count: Arc<Count>,
    pub ended: CancellationToken,
}

/// All of them, as configured.
pub struct Outlets {
    told: watch::Sender<Option<Arc<Told>>>,
    tasks: JoinSet<()>,
    ended: CancellationToken,
    /// Where `/metrics` is; `None`: nowhere.
    pub address: Option<SocketAddr>,
}

impl Outlets {
    /// Binds and opens what is configured; `Err`: what of it cannot be.
    pub async fn start(config: &config::Watch, taken: Taken) -> Result<Self, String> {
        let (told, hearing) = watch::channel(None);
        let ended = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let mut counts: Vec<(String, Arc<Count>)> = Vec::new();
        let mut outlet = |name: String, endpoint: &config::Endpoint, every: Duration| {
            let count = Arc::<Count>::default();
            counts.push((name.clone(), Arc::clone(&count)));
            let poster = Poster::open(endpoint, "watch");
            let poster = poster.map_err(|e| format!("[watch] {name}: {}", e.cause))?;
            Ok::<_, String>(Outlet {
                poster,
                every: endpoint.interval.unwrap_or(every),
                count,
                ended: ended.clone(),
            })
        };
        for (at, endpoint) in config.webhook.iter().enumerate() {
            let name = match at {
                0 => "webhook".to_owned(),
                _ => format!("webhook {}", at + 1),
            };
            let outlet = outlet(name, endpoint, webhook::EVERY)?;
            tasks.spawn(webhook::run(outlet, hearing.clone()));
        }
        if let Some(endpoint) = &config.remote_write {
            let outlet = outlet("remote_write".into(), endpoint, remote_write::EVERY)?;
            tasks.spawn(remote_write::run(outlet, hearing.clone()));
        }
        if let (Some(endpoint), Some(spans)) = (&config.otlp, taken.spans) {
            let outlet = outlet("otlp".into(), endpoint, otlp::EVERY)?;
            tasks.spawn(otlp::run(outlet, spans));
        }
        let address = match config.listen {
            None => None,
            Some(address) => {
                let listener = TcpListener::bind(address).await;
                let listener = listener.map_err(|e| format!("[watch] listen {address}: {e}"))?;
                let bound = listener.local_addr().map_err(|e| e.to_string())?;
                tracing::info!(address = %bound, "health, readiness and metrics are served");
                let page = Page::new(hearing, counts, taken.lines_lost);
                tasks.spawn(serve::serve(listener, Arc::new(page), ended.clone()));
                Some(bound)
            }
        };
        Ok(Self {
            told,
            tasks,
            ended,
            address,
        })
    }

    /// Never waits: an outlet that is busy hears the newest turn when it is done.
    pub fn tell(&self, told: Told) {
        self.told.send_replace(Some(Arc::new(told)));
    }

    /// Each gives away its last, as far as it is taken in time.
    pub async fn end(mut self) {
        self.ended.cancel();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST, all).await.is_err() {
            tracing::warn!("an outlet could not give away its last");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::error::{Cause, SourceError};

    #[test]
    fn a_server_that_says_at_once_is_not_asked_in_a_loop() {
        let mut patience = Patience::default();
        let untaken = Untaken {
            error: SourceError::new("team", "http://h", Cause::Bug("x".into())),
            passing: true,
            after: Some(Duration::ZERO),
        };
        patience.fail("webhook", &untaken);
        assert!(!patience.is_over());
    }
}

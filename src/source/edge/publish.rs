//! Scrapes as messages on the team's bus, within a budget of bytes, in order, through any outage.
//!
//! One task collects: what exporters tell is packed now and then and put into the spool. Another
//! sends the oldest message of the spool, awaits the promise of the stream to keep it, and goes on.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Held;
use super::collect::{AROUND, Collector, Shared, collect};
use super::spool::Spool;
use super::stream::{self, subject};
use crate::clock;
use crate::config::{Cluster, Rhythm, Team, Watch};
use crate::edge::Bucket;
use crate::source::error::{Cause, SourceError};
use crate::source::nats::Bus;
use crate::source::nats::put::put;
use crate::source::nats::session::Session;
use crate::source::report::Report;

/// A burst: the budget of so many seconds.
const BURST_S: u64 = 10;
const LEAST_BURST: u64 = 16 << 10;

/// What was done so far, and what is left to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Messages that the stream keeps, and their bytes with all around them.
    pub sent: u64,
    pub sent_bytes: u64,
    /// Messages that wait, and the scrapes in them.
    pub waiting: u64,
    pub waiting_scrapes: u64,
    /// Scrapes that were made and are lost.
    pub lost: u64,
}

/// The figures of a publisher, for whoever stands beside it.
#[derive(Debug, Default)]
pub struct Figures(Mutex<Option<Published>>);

impl Figures {
    /// As they are; `None`: nothing is known yet.
    pub fn now(&self) -> Option<Published> {
        *self.held()
    }

    pub(super) fn note(&self, note: impl FnOnce(&mut Published)) {
        note(self.held().get_or_insert_default());
    }

    fn held(&self) -> MutexGuard<'_, Option<Published>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Publishes the samples of one cluster.
pub struct Publisher {
    pub(super) held: Arc<Held>,
    bus: Arc<Bus>,
    team: Team,
    subject: String,
    /// Bytes a second; 0: no bound.
    pub(super) budget: u64,
    folder: Option<PathBuf>,
    spool_bytes: u64,
    pub(super) rhythm: Rhythm,
    pub(super) figures: Arc<Figures>,
}

impl Publisher {
    /// `figures`: kept up to date.
    pub fn new(
        held: Arc<Held>,
        team: &Team,
        watch: &Watch,
        cluster: &Cluster,
        figures: Arc<Figures>,
    ) -> Self {
        let subject = subject(&cluster.name);
        let folder = watch
            .spool
            .as_ref()
            .map(|f| f.join("samples").join(&subject));
        Self {
            held,
            bus: Bus::of_team(team),
            team: team.clone(),
            subject,
            budget: cluster.edge.budget,
            folder,
            spool_bytes: watch.spool_size_bytes,
            rhythm: watch.publishes.unwrap_or_default(),
            figures,
        }
    }

    pub fn shown(&self) -> String {
        self.bus.shown()
    }

    /// Publishes until it is dropped; what is not on the bus by then is in the spool.
    pub async fn run(self, mut report: Report) {
        let spool = match Spool::open(self.folder.as_deref(), self.spool_bytes) {
            Ok(spool) => spool,
            Err(why) => {
                let place = self.folder.clone().unwrap_or_default();
                let cause = Cause::Config(format!("{}: {why}", place.display()));
                let error = SourceError::new("team", &self.shown(), cause);
                // The samples are worth more than the folder: they wait in memory.
                report.failed(error.fault(), None).await;
                tracing::warn!("{error}");
                match Spool::open(None, self.spool_bytes) {
                    Ok(spool) => spool,
                    Err(_) => return,
                }
            }
        };
        let shared = Arc::new(Shared::new(spool, self.figures.clone()));
        let collector = Collector::new(&self, shared.clone());
        tokio::select! {
            () = collect(collector, &self) => {}
            () = send(&self, &shared, &mut report) => {}
        }
    }
}

async fn send(publisher: &Publisher, shared: &Shared, report: &mut Report) {
    let start = clock::instant();
    let burst = (publisher.budget * BURST_S).max(LEAST_BURST);
    let mut bucket = Bucket::new(publisher.budget, burst, 0);
    loop {
        let error = match opened(publisher).await {
            Err(error) => error,
            Ok(session) => {
                if !report.live().await {
                    return;
                }
                let ended = drain(publisher, shared, &session, (&mut bucket, start), report);
                ended.await
            }
        };
        tracing::info!(fault = %error, "samples wait in the spool");
        tell(report, shared, publisher);
        let Some(delay) = report.failed(error.fault(), error.retry_after()).await else {
            return;
        };
        report.waits.rest(delay).await;
    }
}

async fn opened(publisher: &Publisher) -> Result<Session, SourceError> {
    let session = publisher.bus.open("farwatch samples").await?;
    stream::ready(&session, &publisher.team).await?;
    Ok(session)
}

/// Sends what waits, until the connection fails.
async fn drain(
    publisher: &Publisher,
    shared: &Shared,
    session: &Session,
    (bucket, start): (&mut Bucket, std::time::Instant),
    report: &mut Report,
) -> SourceError {
    let stream = stream::stream_name(&publisher.team);
    loop {
        let next = shared.spool().front();
        let (head, body) = match next {
            Ok(Some(next)) => next,
            Ok(None) => {
                tokio::select! {
                    () = shared.news.notified() => continue,
                    end = session.ended() => return end,
                }
            }
            Err(why) => {
                tracing::warn!(%why, "the spool cannot be read");
                give_up(shared);
                continue;
            }
        };
        let size = body.len() + AROUND;
        let wait = bucket.take(size, start.elapsed().as_millis() as i64);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        // A thin line takes its time.
        let within = publisher.bus.timeout() + seconds(size, publisher.budget) * 2;
        let given = put(
            session,
            (&stream, &publisher.subject),
            &head.id(),
            body,
            within,
        )
        .await;
        match given {
            Ok(()) => {
                shared.spool().sent(&head);
                publisher.figures.note(|figures| {
                    figures.sent += 1;
                    figures.sent_bytes += size as u64;
                });
                report.heard(size as u64);
                tell(report, shared, publisher);
            }
            Err(error) if matches!(error.cause, Cause::TooLarge(_)) => {
                tracing::warn!(%error, "a message with samples is too large for the server");
                give_up(shared);
            }
            Err(error) => return error,
        }
    }
}

fn give_up(shared: &Shared) {
    let gap = shared.spool().give_up();
    if let Some(gap) = gap {
        shared.lose(gap);
    }
}

/// How it stands: what waits and what was lost.
fn tell(report: &mut Report, shared: &Shared, publisher: &Publisher) {
    shared.count();
    let now = publisher.figures.now().unwrap_or_default();
    report.health.dropped = now.lost;
    let waits = match now.waiting {
        0 => String::new(),
        n => format!(", {n} messages with {} scrapes wait", now.waiting_scrapes),
    };
    report.health.via = Some(format!("publishes on {}{waits}", publisher.subject));
    report.offer();
}

fn seconds(bytes: usize, per_second: u64) -> Duration {
    Duration::from_secs((bytes as u64).checked_div(per_second).unwrap_or(0))
}

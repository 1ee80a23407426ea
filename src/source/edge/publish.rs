//! Scrapes as messages on the team's bus, within a budget of bytes, in order, through any outage.
//!
//! One task collects: what exporters tell is packed now and then and put into the spool. Another
//! sends the oldest message of the spool, awaits the promise of the stream to keep it, and goes on.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;

use super::Held;
use super::spool::Spool;
use crate::clock;
use crate::config::{Cluster, Rhythm, Team, Watch};
use crate::edge::{Bucket, Encoder, Gap, Thinner};
use crate::model::news::token;
use crate::model::scrape::Scrape;
use crate::source::error::{Cause, SourceError};
use crate::source::nats::Bus;
use crate::source::nats::put::put;
use crate::source::nats::session::Session;
use crate::source::report::Report;

/// Bytes waiting, before they are compressed, that are a message at once.
const FULL: usize = 64 << 10;
/// What a message takes beside its payload: subject, headers, promise, TCP/IP.
const AROUND: usize = 400;
/// A burst: the budget of so many seconds.
const BURST_S: u64 = 10;
const LEAST_BURST: u64 = 16 << 10;

/// The subject of the samples of a cluster; its name as one token.
pub fn subject(cluster: &str) -> String {
    format!("ai.farwatch.{}.samples", token(cluster))
}

/// What was done so far.
#[derive(Debug, Default)]
pub struct Counts {
    /// Messages that the stream keeps, and their bytes with all around them.
    pub sent: AtomicU64,
    pub sent_bytes: AtomicU64,
    /// Scrapes that were made and are lost.
    pub lost: AtomicU64,
    /// Scrapes that were put into messages.
    pub scrapes: AtomicU64,
}

/// Publishes the samples of one cluster.
pub struct Publisher {
    held: Arc<Held>,
    bus: Arc<Bus>,
    subject: String,
    /// Bytes a second; 0: no bound.
    budget: u64,
    folder: Option<PathBuf>,
    spool_bytes: u64,
    rhythm: Rhythm,
    pub counts: Arc<Counts>,
}

/// What both tasks share.
struct Shared {
    spool: Mutex<Spool>,
    news: Notify,
    /// What the spool had to let go, still to be told.
    lost: Mutex<Option<Gap>>,
    /// The next message begins a generation.
    begin: std::sync::atomic::AtomicBool,
}

impl Shared {
    fn spool(&self) -> MutexGuard<'_, Spool> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lose(&self, gap: Gap, counts: &Counts) {
        counts.lost.fetch_add(gap.scrapes, Ordering::Relaxed);
        tracing::warn!(
            scrapes = gap.scrapes,
            from = %gap.from.rfc3339(),
            to = %gap.to.rfc3339(),
            "samples were dropped"
        );
        self.begin.store(true, Ordering::Relaxed);
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let all = lost.get_or_insert(Gap { scrapes: 0, ..gap });
        all.from = all.from.min(gap.from);
        all.to = all.to.max(gap.to);
        all.scrapes += gap.scrapes;
    }

    fn take_lost(&self) -> Option<Gap> {
        self.lost
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Publisher {
    pub fn new(held: Arc<Held>, team: &Team, watch: &Watch, cluster: &Cluster) -> Self {
        let subject = subject(&cluster.name);
        let folder = watch
            .spool
            .as_ref()
            .map(|f| f.join("samples").join(&subject));
        Self {
            held,
            bus: Bus::of_team(team),
            subject,
            budget: cluster.edge.budget,
            folder,
            spool_bytes: watch.spool_size_bytes,
            rhythm: watch.publishes.unwrap_or_default(),
            counts: Arc::default(),
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
        let shared = Arc::new(Shared {
            spool: Mutex::new(spool),
            news: Notify::new(),
            lost: Mutex::default(),
            begin: std::sync::atomic::AtomicBool::new(false),
        });
        let collector = Collector::new(&self, shared.clone());
        tokio::select! {
            () = collect(collector, &self) => {}
            () = send(&self, &shared, &mut report) => {}
        }
    }
}

/// Packs what exporters tell.
struct Collector {
    encoder: Encoder,
    thinner: Thinner,
    shared: Arc<Shared>,
    counts: Arc<Counts>,
    generation: Duration,
    began: std::time::Instant,
    start: std::time::Instant,
}

impl Collector {
    fn new(publisher: &Publisher, shared: Arc<Shared>) -> Self {
        let now = clock::instant();
        Self {
            encoder: Encoder::new(run_id()),
            thinner: Thinner::new(publisher.budget),
            shared,
            counts: publisher.counts.clone(),
            generation: publisher.rhythm.generation,
            began: now,
            start: now,
        }
    }

    fn put(&mut self, scrape: &Scrape) {
        self.encoder.put(scrape, self.thinner.level());
        self.counts.scrapes.fetch_add(1, Ordering::Relaxed);
        if self.encoder.waiting() > FULL {
            self.pack();
        }
    }

    fn miss(&mut self, scrapes: u64) {
        let now = clock::now();
        let gap = Gap {
            from: now,
            to: now,
            scrapes,
            messages: 0,
        };
        self.counts.lost.fetch_add(scrapes, Ordering::Relaxed);
        self.encoder.gap(&gap);
    }

    /// What was put goes into the spool.
    fn pack(&mut self) {
        if let Some(lost) = self.shared.take_lost() {
            self.encoder.gap(&lost);
        }
        let mut made = 0;
        for packed in self.encoder.pack() {
            made += packed.bytes.len() + AROUND;
            let head = packed.head;
            let kept = self.shared.spool().push(packed, clock::now().0);
            match kept {
                Ok(None) => {}
                Ok(Some(gap)) => self.shared.lose(gap, &self.counts),
                Err(why) => {
                    tracing::warn!(%why, "the spool takes nothing");
                    let gap = Gap {
                        from: head.from,
                        to: head.to,
                        scrapes: head.scrapes,
                        messages: 0,
                    };
                    self.shared.lose(gap, &self.counts);
                }
            }
        }
        if made > 0 {
            self.shared.news.notify_one();
        }
        let now = self.start.elapsed().as_millis() as i64;
        if self.thinner.made(made, now) {
            let level = self.thinner.level();
            tracing::warn!(%level, left_out = level.told().as_deref().unwrap_or("nothing"), "samples are thinned to the budget");
        }
        let late = self.began.elapsed() >= self.generation;
        let full = self.shared.spool().is_full() && self.began.elapsed() >= self.least();
        if self.shared.begin.swap(false, Ordering::Relaxed) || late || full {
            self.encoder.begin();
            self.began = clock::instant();
        }
    }

    /// A generation lasts so long at least, whatever the size of the spool.
    fn least(&self) -> Duration {
        self.generation / 15
    }
}

impl Drop for Collector {
    /// The program ends: what was gathered waits for another run.
    fn drop(&mut self) {
        self.pack();
    }
}

async fn collect(mut collector: Collector, publisher: &Publisher) {
    let mut feed = publisher.held.follow();
    let mut due = tokio::time::interval(publisher.rhythm.gather);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            heard = feed.recv() => match heard {
                Ok(scrape) => collector.put(&scrape),
                Err(RecvError::Lagged(missed)) => collector.miss(missed),
                Err(RecvError::Closed) => return,
            },
            _ = due.tick() => collector.pack(),
        }
    }
}

async fn send(publisher: &Publisher, shared: &Shared, report: &mut Report) {
    let start = clock::instant();
    let burst = (publisher.budget * BURST_S).max(LEAST_BURST);
    let mut bucket = Bucket::new(publisher.budget, burst, 0);
    loop {
        let error = match publisher.bus.open("farwatch samples").await {
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

/// Sends what waits, until the connection fails.
async fn drain(
    publisher: &Publisher,
    shared: &Shared,
    session: &Session,
    (bucket, start): (&mut Bucket, std::time::Instant),
    report: &mut Report,
) -> SourceError {
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
                give_up(shared, publisher);
                continue;
            }
        };
        let size = body.len() + AROUND;
        let wait = bucket.take(size, start.elapsed().as_millis() as i64);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        // A thin line takes its time.
        let within = publisher.bus.timeout() + seconds(size, publisher.budget) * 2;
        let given = put(session, &publisher.subject, &head.id(), body, within).await;
        match given {
            Ok(()) => {
                shared.spool().sent(&head);
                publisher.counts.sent.fetch_add(1, Ordering::Relaxed);
                publisher
                    .counts
                    .sent_bytes
                    .fetch_add(size as u64, Ordering::Relaxed);
                report.heard(size as u64);
                tell(report, shared, publisher);
            }
            Err(error) if matches!(error.cause, Cause::TooLarge(_)) => {
                tracing::warn!(%error, "a message with samples is too large for the server");
                give_up(shared, publisher);
            }
            Err(error) => return error,
        }
    }
}

fn give_up(shared: &Shared, publisher: &Publisher) {
    let gap = shared.spool().give_up();
    if let Some(gap) = gap {
        shared.lose(gap, &publisher.counts);
    }
}

/// How it stands: what waits and what was lost.
fn tell(report: &mut Report, shared: &Shared, publisher: &Publisher) {
    let (messages, scrapes) = shared.spool().waiting();
    report.health.dropped = publisher.counts.lost.load(Ordering::Relaxed);
    report.health.via = Some(match messages {
        0 => format!("publishes on {}", publisher.subject),
        n => format!(
            "publishes on {}, {n} messages with {scrapes} scrapes wait",
            publisher.subject
        ),
    });
    report.offer();
}

fn seconds(bytes: usize, per_second: u64) -> Duration {
    Duration::from_secs((bytes as u64).checked_div(per_second).unwrap_or(0))
}

/// No other run has it.
fn run_id() -> u64 {
    use std::hash::BuildHasher;
    let random = std::hash::RandomState::new();
    random.hash_one((clock::now().0, std::process::id()))
}

//! What exporters tell, gathered into messages for the spool.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;

use super::publish::{Figures, Publisher};
use super::spool::Spool;
use crate::clock;
use crate::edge::{Encoder, Gap, Thinner};
use crate::model::scrape::Scrape;

/// Bytes waiting, before they are compressed, that are a message at once.
const FULL: usize = 64 << 10;
/// What a message takes beside its payload: subject, headers, promise, TCP/IP.
pub(super) const AROUND: usize = 400;

/// What both tasks share.
pub(super) struct Shared {
    spool: Mutex<Spool>,
    pub news: Notify,
    /// What the spool had to let go, still to be told.
    lost: Mutex<Option<Gap>>,
    /// The next message begins a generation.
    begin: AtomicBool,
    figures: Arc<Figures>,
}

impl Shared {
    pub fn new(spool: Spool, figures: Arc<Figures>) -> Self {
        let shared = Self {
            spool: Mutex::new(spool),
            news: Notify::new(),
            lost: Mutex::default(),
            begin: AtomicBool::new(false),
            figures,
        };
        shared.count();
        shared
    }

    pub fn spool(&self) -> MutexGuard<'_, Spool> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What waits now.
    pub fn count(&self) {
        let (messages, scrapes) = self.spool().waiting();
        self.figures.note(|figures| {
            figures.waiting = messages as u64;
            figures.waiting_scrapes = scrapes;
        });
    }

    pub fn lose(&self, gap: Gap) {
        self.figures.note(|figures| figures.lost += gap.scrapes);
        tracing::warn!(
            scrapes = gap.scrapes,
            from = %gap.from.rfc3339(),
            to = %gap.to.rfc3339(),
            "samples were dropped"
        );
        {
            let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
            let all = lost.get_or_insert(Gap { scrapes: 0, ..gap });
            all.from = all.from.min(gap.from);
            all.to = all.to.max(gap.to);
            all.scrapes += gap.scrapes;
        }
        // Last: who begins a generation tells what was lost before it.
        self.begin.store(true, Ordering::Release);
    }

    fn take_lost(&self) -> Option<Gap> {
        self.lost
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

/// Packs what exporters tell.
pub(super) struct Collector {
    encoder: Encoder,
    thinner: Thinner,
    shared: Arc<Shared>,
    generation: Duration,
    began: std::time::Instant,
    start: std::time::Instant,
}

impl Collector {
    pub fn new(publisher: &Publisher, shared: Arc<Shared>) -> Self {
        let now = clock::instant();
        Self {
            encoder: Encoder::new(run_id()),
            thinner: Thinner::new(publisher.budget),
            shared,
            generation: publisher.rhythm.generation,
            began: now,
            start: now,
        }
    }

    fn put(&mut self, scrape: &Scrape) {
        self.encoder.put(scrape, self.thinner.level());
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
        self.shared.figures.note(|figures| figures.lost += scrapes);
        self.encoder.gap(&gap);
    }

    /// What was put goes into the spool.
    fn pack(&mut self) {
        let mut made = 0;
        for packed in self.encoder.pack() {
            made += packed.bytes.len() + AROUND;
            let head = packed.head;
            let kept = self.shared.spool().push(packed, clock::now().0);
            match kept {
                Ok(None) => {}
                Ok(Some(gap)) => self.shared.lose(gap),
                Err(why) => {
                    tracing::warn!(%why, "the spool takes nothing");
                    let gap = Gap {
                        from: head.from,
                        to: head.to,
                        scrapes: head.scrapes,
                        messages: 0,
                    };
                    self.shared.lose(gap);
                }
            }
        }
        if made > 0 {
            self.shared.count();
            self.shared.news.notify_one();
        }
        let now = self.start.elapsed().as_millis() as i64;
        if self.thinner.made(made, now) {
            let level = self.thinner.level();
            tracing::warn!(%level, left_out = level.told().as_deref().unwrap_or("nothing"), "samples are thinned to the budget");
        }
        let late = self.began.elapsed() >= self.generation;
        let full = self.shared.spool().is_full() && self.began.elapsed() >= self.least();
        if self.shared.begin.swap(false, Ordering::Acquire) || late || full {
            self.encoder.begin();
            self.began = clock::instant();
            // Who reads on reads from here: told before, it would go with what was lost.
            if let Some(lost) = self.shared.take_lost() {
                self.encoder.gap(&lost);
            }
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

pub(super) async fn collect(mut collector: Collector, publisher: &Publisher) {
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

/// No other run has it.
fn run_id() -> u64 {
    use std::hash::BuildHasher;
    let random = std::hash::RandomState::new();
    random.hash_one((clock::now().0, std::process::id()))
}

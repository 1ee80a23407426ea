//! The thread that works with the file. Nobody waits for it; what it cannot take is counted.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Archive;
use crate::model::archive::{Keep, Recall, Recalled};
use crate::model::id::IncidentId;
use crate::model::talk::SessionId;
use crate::model::time::Timestamp;

/// Orders that may wait for a slow disk.
const WAITING: usize = 64;
/// Changes that wait for a disk that does not take them.
const HELD: usize = 1_000;
/// What ended so lately is on the screen again after a start.
const LATELY_MS: i64 = 7 * 86_400_000;

enum Order {
    Keep(Vec<Keep>),
    Recall(Recall),
}

/// Where the thread says what it read.
pub type Told = Box<dyn Fn(Recalled) + Send>;

pub struct Desk {
    orders: SyncSender<Order>,
    thread: JoinHandle<()>,
    /// What the thread had no room for; it goes with what comes next.
    held: Vec<Keep>,
    /// Changes that nobody had room for.
    lost: Arc<AtomicU64>,
}

impl Desk {
    /// Opens the file on a thread of its own; what was known comes as [`Recalled::Begin`].
    pub fn start(
        path: PathBuf,
        keep: Duration,
        now: Timestamp,
        told: Told,
    ) -> std::io::Result<Self> {
        let (orders, taken) = sync_channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let missed = Arc::clone(&lost);
        let thread = std::thread::Builder::new()
            .name("archive".into())
            .spawn(move || work(&path, (keep, now), &taken, &told, &missed))?;
        Ok(Self {
            orders,
            thread,
            held: Vec::new(),
            lost,
        })
    }

    pub fn keep(&mut self, what: Vec<Keep>) {
        self.held.extend(what);
        let lost = newest(&mut self.held);
        self.lost.fetch_add(lost, Ordering::Relaxed);
        let held = std::mem::take(&mut self.held);
        if let Err(TrySendError::Full(Order::Keep(held))) = self.orders.try_send(Order::Keep(held))
        {
            self.held = held;
        }
    }

    /// Where it has no time for that now, no answer comes.
    pub fn recall(&self, what: Recall) {
        let _ = self.orders.try_send(Order::Recall(what));
    }

    /// Waits until all that was given is written. Blocks.
    pub fn finish(self) {
        if !self.held.is_empty() {
            let _ = self.orders.send(Order::Keep(self.held));
        }
        drop(self.orders);
        let _ = self.thread.join();
    }
}

fn work(
    path: &std::path::Path,
    (keep, now): (Duration, Timestamp),
    orders: &Receiver<Order>,
    told: &Told,
    lost: &AtomicU64,
) {
    let mut archive = match Archive::open(path) {
        Ok(archive) => archive,
        Err(error) => {
            tracing::error!(%error, "archive");
            told(Recalled::Fault(error.to_string()));
            // What comes is taken and let go, so that nobody counts it as waiting.
            while let Ok(order) = orders.recv() {
                if matches!(order, Order::Recall(what) if what.is_asked_for()) {
                    told(Recalled::Fault(error.to_string()));
                }
            }
            return;
        }
    };
    match begin(&mut archive, keep, now) {
        Ok(begun) => told(begun),
        Err(error) => told(fault(&archive, "not read", &error)),
    }
    // What could not be written, as on a full disk, is tried again with what comes next.
    let mut waiting: Vec<Keep> = Vec::new();
    while let Ok(order) = orders.recv() {
        let missed = lost.swap(0, Ordering::Relaxed);
        if missed > 0 {
            told(Recalled::Fault(format!(
                "{}: the disk is slow or full; {missed} changes of incidents were not kept",
                archive.path().display()
            )));
        }
        match order {
            Order::Keep(what) => {
                // It fails each time: it is said once.
                let said = !waiting.is_empty();
                waiting.extend(what);
                lost.fetch_add(newest(&mut waiting), Ordering::Relaxed);
                match archive.keep(&waiting) {
                    Ok(()) => waiting.clear(),
                    Err(_) if said => {}
                    Err(error) => told(fault(&archive, "incidents are not kept", &error)),
                }
            }
            Order::Recall(what) => told(recall(&archive, what)),
        }
    }
}

/// Leaves of each thing what was said of it last, and the newest of all that is too much; how many
/// went for want of room.
fn newest(held: &mut Vec<Keep>) -> u64 {
    let mut known = BTreeSet::new();
    let mut kept: Vec<Keep> = Vec::with_capacity(held.len());
    for one in held.drain(..).rev() {
        if known.insert(about(&one)) {
            kept.push(one);
        }
    }
    let lost = kept.len().saturating_sub(HELD);
    kept.truncate(HELD);
    kept.reverse();
    *held = kept;
    lost as u64
}

/// What a change is about.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum About {
    Incident(IncidentId),
    /// Findings of a key in a cluster.
    Findings(Arc<str>, Arc<str>),
    Session(SessionId),
}

fn about(one: &Keep) -> About {
    match one {
        Keep::Incident(past) => About::Incident(past.incident.id),
        Keep::Gone(id) => About::Incident(*id),
        Keep::Verdict { cluster, key, .. } => About::Findings(cluster.clone(), key.clone()),
        Keep::Session(session) => About::Session(session.head.id),
        Keep::Forget(id) => About::Session(*id),
    }
}

fn begin(archive: &mut Archive, keep: Duration, now: Timestamp) -> rusqlite::Result<Recalled> {
    let keep_ms = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
    archive.purge(Timestamp(now.0.saturating_sub(keep_ms)))?;
    archive.begun(now)
}

impl Archive {
    /// What an earlier run knew, as a console takes it up at its start.
    pub fn begun(&self, now: Timestamp) -> rusqlite::Result<Recalled> {
        let known = self.known(Timestamp(now.0.saturating_sub(LATELY_MS)))?;
        let verdicts = known.verdicts.into_iter();
        Ok(Recalled::Begin {
            incidents: known.incidents,
            verdicts: verdicts
                .map(|(cluster, key, said)| (cluster.into(), key.into(), said))
                .collect(),
            numbered: known.numbered,
        })
    }
}

fn recall(archive: &Archive, what: Recall) -> Recalled {
    let found = match what {
        Recall::Like { id, signs } => archive
            .like(id, &signs)
            .map(|past| Recalled::Like { id, past }),
        Recall::Search(words) => archive
            .search(&words)
            .map(|past| Recalled::Search { words, past }),
        Recall::Sessions(words) => archive
            .sessions(&words)
            .map(|heads| Recalled::Sessions { words, heads }),
        Recall::Session(id) => archive
            .session(id)
            .map(|found| Recalled::Session(found.map(Box::new))),
        Recall::About(id) => archive.about(id).map(|talks| Recalled::About { id, talks }),
    };
    found.unwrap_or_else(|error| fault(archive, "not searched", &error))
}

fn fault(archive: &Archive, what: &str, error: &rusqlite::Error) -> Recalled {
    tracing::error!(%error, what, "archive");
    Recalled::Fault(format!("{}: {what}: {error}", archive.path().display()))
}

#[cfg(test)]
mod tests;

//! The only code that talks to clusters.
//!
//! A `supervisor` task per cluster runs its sources and reports their health; `Outlet` is the
//! bounded way into the loop; `Lookup` answers one-shot questions.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use error::SourceError;
use futures::future::BoxFuture;
use tokio::sync::mpsc;

use crate::model::ask::{Answer, Answered, Question};
use crate::model::telemetry::Telemetry;

pub mod actions;
pub mod alertmanager;
pub mod audit;
pub mod budget;
pub mod clock_events;
pub mod decimal;
pub mod discovery;
pub mod door;
pub mod edge;
pub mod error;
pub mod exposition;
mod held;
#[cfg(test)]
mod hostile;
pub mod json;
pub mod kubernetes;
pub mod loki;
pub mod nats;
pub mod nvidia_smi;
pub mod prometheus;
pub mod replay;
pub mod report;
mod scan;
pub mod scrape;
pub mod supervisor;
pub mod tempo;

/// Target of spans that may leave the process as OTLP traces; nobody listens unless that is configured.
pub const SPAN: &str = "farwatch::span";

/// Answers one question, for operator and agent alike. Live, or from a recording.
pub trait Lookup: Send + Sync {
    fn ask(&self, question: Question) -> BoxFuture<'_, Answered>;
}

/// What a question found, before it is addressed.
pub(crate) struct Told {
    pub answer: Answer,
    pub warnings: Vec<String>,
    /// There is more than this.
    pub cut_from: Option<usize>,
    /// The round trip; `None`: as long as it was waited for.
    pub latency_ms: Option<u32>,
}

/// To whoever asked, from where (without secrets); `asked_at` by the clock of this machine.
pub(crate) fn addressed(
    question: Question,
    origin: &str,
    asked_at: Instant,
    told: Result<Told, SourceError>,
) -> Answered {
    let waited = u32::try_from(asked_at.elapsed().as_millis()).unwrap_or(u32::MAX);
    let (warnings, cut_from, latency, result) = match told {
        Ok(told) => (
            told.warnings,
            told.cut_from,
            told.latency_ms,
            Ok(told.answer),
        ),
        Err(error) => (Vec::new(), None, None, Err(error.fault())),
    };
    Answered {
        id: question.id,
        cluster: question.cluster,
        ask: question.ask,
        origin: origin.to_owned(),
        at: crate::clock::now(),
        latency_ms: latency.unwrap_or(waited),
        warnings,
        cut_from,
        result,
    }
}

/// The bounded way into the loop. Poll results and lists wait for room (`send`); streams lose the
/// batch and count it (`offer`).
#[derive(Clone, Debug)]
pub struct Outlet {
    queue: mpsc::Sender<Telemetry>,
    dropped: Arc<AtomicU64>,
}

impl Outlet {
    /// A queue of `capacity` batches; the receiver goes to the loop.
    pub fn new(capacity: usize) -> (Self, mpsc::Receiver<Telemetry>) {
        let (queue, receiver) = mpsc::channel(capacity);
        let dropped = Arc::new(AtomicU64::new(0));
        (Self { queue, dropped }, receiver)
    }

    /// A queue of its own that leads into this one: who fills it shuts out nobody else.
    pub fn branch(&self, capacity: usize) -> (Self, mpsc::Receiver<Telemetry>) {
        let (queue, receiver) = mpsc::channel(capacity);
        let dropped = self.dropped.clone();
        (Self { queue, dropped }, receiver)
    }

    /// Waits for room. False when the loop is gone.
    pub async fn send(&self, telemetry: Telemetry) -> bool {
        self.queue.send(telemetry).await.is_ok()
    }

    /// Does not wait: a full queue loses the batch and counts it.
    pub fn offer(&self, telemetry: Telemetry) -> bool {
        let fits = self.queue.try_send(telemetry).is_ok();
        if !fits {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        fits
    }

    /// Does not wait, and hands back what found no room.
    pub fn hand(&self, telemetry: Telemetry) -> Result<(), Box<Telemetry>> {
        use mpsc::error::TrySendError;
        self.queue.try_send(telemetry).map_err(|e| match e {
            TrySendError::Full(telemetry) | TrySendError::Closed(telemetry) => Box::new(telemetry),
        })
    }

    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Batches waiting and room in all.
    pub fn depth(&self) -> (usize, usize) {
        let max = self.queue.max_capacity();
        (max - self.queue.capacity(), max)
    }
}

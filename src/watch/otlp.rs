//! Spans of what a watcher does, as OTLP over HTTP in its JSON form.
//!
//! A layer of `tracing` notes them, a bounded queue carries them, a task gives them away in batches.
//! Spans are those of the target [`SPAN`]; where nothing is configured there is no layer, and they
//! cost nothing.

mod layer;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::body::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use tokio::sync::mpsc;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use super::outlets::{Outlet, Patience};
use crate::source::SPAN;

pub use wire::{Finished, Told};

/// Spans are given away at least so often, unless the endpoint says otherwise.
pub const EVERY: Duration = Duration::from_secs(5);
/// Spans in one request.
const BATCH: usize = 512;
/// Spans that wait for the task; what comes on top is lost and counted.
const WAITING: usize = 2_048;
const NAME: &str = "outlet otlp";

/// Where the finished spans come out.
pub struct Spans {
    queue: mpsc::Receiver<Finished>,
    lost: Arc<AtomicU64>,
}

/// A layer that notes our spans, and where they come out.
pub fn layer<S>() -> (impl Layer<S>, Spans)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let (sender, queue) = mpsc::channel(WAITING);
    let lost = Arc::<AtomicU64>::default();
    let noting = layer::Noting::new(sender, Arc::clone(&lost));
    let only = Targets::new().with_target(SPAN, LevelFilter::DEBUG);
    (noting.with_filter(only), Spans { queue, lost })
}

/// Until it is ended; then what waits is given away.
pub async fn run(outlet: Outlet, mut spans: Spans) {
    let mut batch: Vec<Finished> = Vec::with_capacity(BATCH);
    let mut patience = Patience::default();
    let mut due = tokio::time::interval(outlet.every);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let room = BATCH - batch.len();
        let is_due = tokio::select! { biased;
            () = outlet.ended.cancelled() => break,
            _ = due.tick() => true,
            count = spans.queue.recv_many(&mut batch, room), if room > 0 => {
                if count == 0 {
                    break;
                }
                batch.len() == BATCH
            }
        };
        if is_due && !batch.is_empty() && patience.is_over() {
            give(&outlet, &mut batch, &mut patience).await;
        }
        let lost = spans.lost.swap(0, Ordering::Relaxed);
        outlet
            .count
            .lose(usize::try_from(lost).unwrap_or(usize::MAX));
        outlet.count.wait(batch.len() + spans.queue.len());
    }
    spans.queue.close();
    while !batch.is_empty() || spans.queue.recv_many(&mut batch, BATCH).await > 0 {
        give(&outlet, &mut batch, &mut patience).await;
        if !batch.is_empty() {
            break;
        }
    }
}

/// What cannot be given now stays in the batch.
async fn give(outlet: &Outlet, batch: &mut Vec<Finished>, patience: &mut Patience) {
    let body = Bytes::from(wire::body(batch));
    let json = HeaderValue::from_static("application/json");
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, json)]);
    match outlet.poster.post(headers, body).await {
        Ok(answer) => {
            patience.end(NAME);
            let refused = wire::refused(&answer).min(batch.len());
            outlet.count.took(batch.len() - refused);
            outlet.count.lose(refused);
            batch.clear();
        }
        Err(untaken) => {
            outlet.count.fail();
            if untaken.passing {
                patience.fail(NAME, &untaken);
            } else {
                tracing::warn!(outlet = NAME, error = %untaken.error, spans = batch.len(), "refused");
                outlet.count.lose(batch.len());
                batch.clear();
            }
        }
    }
}

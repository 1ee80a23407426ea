//! Notes when our spans begin and end.

use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::mpsc;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::wire::{Finished, Told};
use crate::clock;

/// Values of one span that are kept.
const VALUES: usize = 16;

pub struct Noting {
    queue: mpsc::Sender<Finished>,
    lost: Arc<AtomicU64>,
    /// Random for each process: its keyed hash of a running number is an id nobody else has.
    key: RandomState,
    number: AtomicU64,
}

impl Noting {
    pub fn new(queue: mpsc::Sender<Finished>, lost: Arc<AtomicU64>) -> Self {
        Self {
            queue,
            lost,
            key: RandomState::new(),
            number: AtomicU64::new(0),
        }
    }

    /// Never 0, which means that there is none.
    fn id(&self) -> u64 {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        self.key.hash_one(number).max(1)
    }
}

/// A span that goes on, kept beside it.
struct Open {
    span: Finished,
    begun: Instant,
}

impl<S> Layer<S> for Noting
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let parent = span.parent().and_then(|parent| {
            let kept = parent.extensions();
            kept.get::<Open>()
                .map(|open| (open.span.trace, open.span.id))
        });
        let trace = match parent {
            Some((trace, _)) => trace,
            None => (u128::from(self.id()) << 64) | u128::from(self.id()),
        };
        let mut made = Finished {
            trace,
            id: self.id(),
            parent: parent.map(|(_, id)| id),
            name: attributes.metadata().name(),
            start_ns: i128::from(clock::now().0) * 1_000_000,
            took_ns: 0,
            values: Vec::new(),
        };
        attributes.record(&mut Values(&mut made.values));
        let open = Open {
            span: made,
            begun: clock::instant(),
        };
        span.extensions_mut().insert(open);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            values.record(&mut Values(&mut open.span.values));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let Some(open) = span.extensions_mut().remove::<Open>() else {
            return;
        };
        let took = open.begun.elapsed().as_nanos();
        let done = Finished {
            took_ns: i128::try_from(took).unwrap_or(i128::MAX),
            ..open.span
        };
        if self.queue.try_send(done).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

struct Values<'a>(&'a mut Vec<(&'static str, Told)>);

impl Values<'_> {
    /// A value that is told again replaces the former.
    fn take(&mut self, field: &Field, value: Told) {
        let name = field.name();
        if let Some(known) = self.0.iter_mut().find(|(n, _)| *n == name) {
            known.1 = value;
        } else if self.0.len() < VALUES {
            self.0.push((name, value));
        }
    }
}

impl Visit for Values<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.take(field, Told::Text(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, Told::Text(value.to_owned()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.take(field, Told::Whole(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.take(field, Told::Whole(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, Told::Truth(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.take(field, Told::Number(value));
    }
}

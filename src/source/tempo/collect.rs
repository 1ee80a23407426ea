//! Spans as they come from a trace's answer, JSON or protobuf, within limits that are counted.

use std::sync::Arc;

use crate::model::text;
use crate::model::trace::{
    Attributes, Event, Link, Span, SpanId, SpanKind, Status, Trace, TraceId,
};

/// Most spans of one trace that are kept.
pub const SPANS: usize = 50_000;
/// Most attributes, events and links of one span.
const PARTS: usize = 128;
/// Longest name, bytes.
const NAME: usize = 300;
/// Longest value, bytes: statements and stack traces.
const VALUE: usize = 8 * 1024;
/// Bytes of all texts of one trace.
const TEXTS: usize = 64 << 20;

/// Spans and what was left out of them.
#[derive(Debug, Default)]
pub struct Collected {
    spans: Vec<Span>,
    total: usize,
    bytes: usize,
    id: Option<TraceId>,
}

/// What a server says of the sender of some spans.
#[derive(Debug, Default)]
pub struct Sender {
    service: Arc<str>,
    resource: Arc<Attributes>,
}

impl Sender {
    pub fn new(resource: Attributes) -> Self {
        let service = resource.iter().find(|(name, _)| name == "service.name");
        Self {
            service: service.map_or_else(Arc::default, |(_, value)| Arc::from(value.as_str())),
            resource: Arc::new(resource),
        }
    }
}

impl Collected {
    pub fn add(&mut self, trace: Option<TraceId>, sender: &Sender, mut span: Span) {
        self.total += 1;
        self.id = self.id.or(trace);
        span.service = Arc::clone(&sender.service);
        span.resource = Arc::clone(&sender.resource);
        self.bytes += size(&span);
        if self.spans.len() < SPANS && self.bytes <= TEXTS {
            self.spans.push(span);
        }
    }

    /// `None`: not one span came.
    pub fn trace(self, asked: TraceId) -> Option<Trace> {
        let kept = self.spans.len();
        let mut trace = Trace::new(self.id.unwrap_or(asked), self.spans);
        trace.cut_from = (self.total > kept).then_some(self.total);
        (self.total > 0).then_some(trace)
    }
}

fn size(span: &Span) -> usize {
    let of = |list: &Attributes| {
        list.iter()
            .map(|(n, v)| n.len() + v.len() + 48)
            .sum::<usize>()
    };
    let events: usize = span.events.iter().map(|e| 64 + of(&e.attributes)).sum();
    let links: usize = span.links.iter().map(|l| 64 + of(&l.attributes)).sum();
    256 + of(&span.attributes) + events + links
}

/// A name of a span, an event, an attribute.
pub fn name(raw: &str) -> String {
    text::clean(raw, NAME)
}

/// A value; stack traces keep their lines.
pub fn value(raw: &str) -> String {
    text::clean_lines(raw, VALUE)
}

/// Takes so many as a span may have, and counts the others.
pub fn some<T, U>(all: Vec<T>, dropped: &mut u64, read: impl FnMut(T) -> U) -> Vec<U> {
    *dropped += all.len().saturating_sub(PARTS) as u64;
    all.into_iter().take(PARTS).map(read).collect()
}

pub fn status(code: i64) -> Status {
    match code {
        1 => Status::Ok,
        2 => Status::Error,
        _ => Status::Unset,
    }
}

pub fn kind(code: i64) -> SpanKind {
    match code {
        1 => SpanKind::Internal,
        2 => SpanKind::Server,
        3 => SpanKind::Client,
        4 => SpanKind::Producer,
        5 => SpanKind::Consumer,
        _ => SpanKind::Unknown,
    }
}

pub fn trace_id(bytes: &[u8]) -> Option<TraceId> {
    let id = u128::from_be_bytes(bytes.try_into().ok()?);
    (id != 0).then_some(TraceId(id))
}

pub fn span_id(bytes: &[u8]) -> Option<SpanId> {
    let id = u64::from_be_bytes(bytes.try_into().ok()?);
    (id != 0).then_some(SpanId(id))
}

/// Nanoseconds since 1970; what no clock says counts as not told.
pub fn time(ns: u64) -> i64 {
    i64::try_from(ns).unwrap_or(0)
}

pub fn event(at_ns: u64, raw: &str, attributes: Attributes) -> Event {
    Event {
        at_ns: time(at_ns),
        name: name(raw),
        attributes,
    }
}

/// `None`: it leads nowhere.
pub fn link(trace: &[u8], span: &[u8], attributes: Attributes) -> Option<Link> {
    Some(Link {
        trace: trace_id(trace)?,
        span: span_id(span)?,
        attributes,
    })
}

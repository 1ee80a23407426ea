//! Follows subjects live: every message is counted, a sample is read and told.
//!
//! A plain subscription: nothing is acknowledged, nothing is taken from anyone.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::{HeaderMap, Message as Received, Subject, Subscriber};
use futures::stream::SelectAll;
use futures::{FutureExt, StreamExt};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::bytes::Bytes;

use super::decode::{KEPT, decode};
use super::sample::{Raw, Sample};
use super::session::Session;
use super::words::Words;
use crate::clock;
use crate::model::bus::{Message, Pattern, Reply, Tail};
use crate::model::text;
use crate::source::error::{Cause, SourceError};

/// How often what came is told.
const EVERY: Duration = Duration::from_millis(250);
/// The same where nothing came.
const QUIET: Duration = Duration::from_secs(1);
/// Messages told at a time at most: 40 in a second are more than anyone reads.
const SHOWN: usize = 10;
/// Messages that wait at most for room in the queue.
const WAITING: usize = 200;
/// Messages taken in a row, and at least as many as may wait at the connection.
const BURST: usize = 256;
const BACKLOG: usize = 4_096 * PATTERNS;
/// Bytes looked at before others have their turn; a message counts as so many at least.
const TURN: usize = 1 << 20;
const LEAST: usize = 4 * 1024;
/// Patterns followed at a time.
pub const PATTERNS: usize = 8;
/// Longest subject and reply, headers kept, longest header name and value, bytes.
const SUBJECT: usize = 256;
const HEADERS: usize = 16;
const HEADER: usize = 200;
/// Where JetStream waits for acknowledgements.
const ACK: &str = "$JS.ACK.";

/// What shall be followed.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub patterns: Vec<Pattern>,
    pub words: String,
    /// The connection was lost before: said with the first delivery.
    pub gap: bool,
}

/// Follows until the connection ends; `give` hands back what found no room. The session must serve
/// nothing else: what it received and did not hand over is held for lost.
pub async fn follow(
    session: &Session,
    wanted: &Wanted,
    mut give: impl FnMut(Box<Tail>) -> Result<(), Box<Tail>>,
) -> SourceError {
    let mut denials = session.denials();
    let mut incoming = match subscribe(session, &wanted.patterns).await {
        Ok(incoming) => incoming,
        Err(error) => return error,
    };
    let mut watch = Watch::new(wanted);
    let mut every = interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let end = session.ended();
    tokio::pin!(end);
    let error = loop {
        tokio::select! {
            Some(message) = incoming.next() => {
                watch.take(message);
                watch.drain(&mut incoming, BURST).await;
            }
            _ = every.tick() => {
                let received = session.client.statistics().in_messages.load(Ordering::Relaxed);
                // All that was received by then is drained, or was lost.
                watch.drain(&mut incoming, BACKLOG).await;
                watch.missed(received);
                watch.tell(&mut give);
            }
            Ok(denied) = denials.recv() => {
                if !denied.publish && watch.tail.denied.len() < PATTERNS {
                    watch.tail.denied.push(denied.subject.into());
                }
            }
            error = &mut end => break error,
        }
    };
    watch.drain(&mut incoming, BACKLOG).await;
    watch.tell(&mut give);
    error
}

/// The patterns as they are subscribed. Whoever subscribes to the one subject where a consumer has
/// its messages pushed is taken for its client, and is sent what others should get; by a wildcard
/// nobody is (NATS 2.15). So a single subject is followed with its neighbours, which are left out
/// when they come.
fn safe(patterns: &[Pattern]) -> Vec<Pattern> {
    let wide = |pattern: &Pattern| match pattern.is_literal() {
        true => pattern.widened(),
        false => pattern.clone(),
    };
    let wide: Vec<Pattern> = patterns.iter().take(PATTERNS).map(wide).collect();
    Pattern::reduced(&wide)
}

/// How many subscriptions the patterns take.
pub(super) fn subscriptions(patterns: &[Pattern]) -> usize {
    safe(patterns).len()
}

async fn subscribe(
    session: &Session,
    patterns: &[Pattern],
) -> Result<SelectAll<Subscriber>, SourceError> {
    let mut incoming = SelectAll::new();
    for pattern in safe(patterns) {
        let subject = pattern.as_str().to_owned();
        let subscriber = session.client.subscribe(subject).await.map_err(|e| {
            let why = text::clean(&e.to_string(), SUBJECT);
            session.settings.error(Cause::Query(why))
        })?;
        incoming.push(subscriber);
    }
    // What is said to be followed is on its way to the server.
    let flushed = session.client.flush().await;
    flushed.map_err(|e| {
        let why = text::clean(&e.to_string(), SUBJECT);
        session.settings.error(Cause::Query(why))
    })?;
    Ok(incoming)
}

/// What came since the last delivery, and what waits.
struct Watch {
    words: Words,
    /// Of what comes, the subjects that are wanted; empty: all.
    among: Vec<Pattern>,
    /// What every delivery begins with.
    empty: Tail,
    tail: Tail,
    since: Instant,
    /// Nothing was delivered yet.
    first: bool,
    sample: Sample,
    waiting: VecDeque<Message>,
    /// Handed to us since the connection began, and lost before that.
    handed: u64,
    lost: u64,
}

impl Watch {
    fn new(wanted: &Wanted) -> Self {
        let empty = Tail {
            patterns: Pattern::reduced(&wanted.patterns),
            words: wanted.words.as_str().into(),
            ..Tail::default()
        };
        Self {
            words: Words::new(&wanted.words),
            among: match wanted.patterns.iter().any(Pattern::is_literal) {
                true => empty.patterns.clone(),
                false => Vec::new(),
            },
            tail: Tail {
                gap: wanted.gap,
                ..empty.clone()
            },
            empty,
            since: Instant::now(),
            first: true,
            sample: Sample::new(SHOWN),
            waiting: VecDeque::new(),
            handed: 0,
            lost: 0,
        }
    }

    /// What is there already, up to `most`.
    async fn drain(&mut self, incoming: &mut SelectAll<Subscriber>, most: usize) {
        let mut looked_at = 0;
        for _ in 0..most {
            let next = tokio::task::unconstrained(incoming.next()).now_or_never();
            let Some(Some(message)) = next else {
                return;
            };
            looked_at += message.payload.len().max(LEAST);
            self.take(message);
            if looked_at >= TURN {
                looked_at = 0;
                tokio::task::yield_now().await;
            }
        }
    }

    fn take(&mut self, message: Received) {
        self.handed += 1;
        let wanted = |pattern: &Pattern| pattern.matches(&message.subject);
        if !self.among.is_empty() && !self.among.iter().any(wanted) {
            return;
        }
        self.tail.seen += 1;
        let bytes = message.payload.len() as u64;
        self.tail.bytes += bytes;
        if !self.words.are_in(&message.subject, &message.payload) {
            return;
        }
        self.tail.matched += 1;
        self.sample.offer(|| raw(message));
    }

    /// `received`: by the connection, before all that was there was drained.
    fn missed(&mut self, received: u64) {
        let lost = received.saturating_sub(self.handed).max(self.lost);
        self.tail.dropped += lost - self.lost;
        self.lost = lost;
    }

    /// Reads the sample and delivers; what finds no room waits, the oldest gives way.
    fn tell(&mut self, give: &mut impl FnMut(Box<Tail>) -> Result<(), Box<Tail>>) {
        let (chosen, left_out) = self.sample.take();
        self.tail.sampled_out += left_out;
        self.waiting.extend(chosen.into_iter().map(message));
        while self.waiting.len() > WAITING {
            self.waiting.pop_front();
            self.tail.dropped += 1;
        }
        let since = self.since.elapsed();
        let news = self.tail.seen > 0 || self.tail.dropped > 0 || !self.tail.denied.is_empty();
        if !news && !self.first && since < QUIET {
            return;
        }
        let mut tail = std::mem::replace(&mut self.tail, self.empty.clone());
        tail.span_ms = u32::try_from(since.as_millis()).unwrap_or(u32::MAX);
        tail.messages = std::mem::take(&mut self.waiting).into();
        match give(Box::new(tail)) {
            Ok(()) => {
                self.since = Instant::now();
                self.first = false;
            }
            Err(mut tail) => {
                self.waiting = std::mem::take(&mut tail.messages).into();
                self.tail = *tail;
            }
        }
    }
}

/// So much as may be kept; a copy, since the message is a piece of a larger buffer.
fn raw(message: Received) -> Raw {
    let kept = message.payload.get(..KEPT).unwrap_or(&message.payload);
    Raw {
        kept: Bytes::copy_from_slice(kept),
        bytes: message.payload.len() as u64,
        subject: message.subject.into_string(),
        reply: message.reply.map(Subject::into_string),
        headers: message.headers,
        at: clock::now(),
    }
}

fn message(raw: Raw) -> Message {
    Message {
        // Counted where it is kept: other connections came before this one.
        serial: 0,
        at: raw.at,
        subject: text::shared(&raw.subject, SUBJECT),
        bytes: raw.bytes,
        sequence: None,
        reply: reply(raw.reply.as_deref()),
        headers: raw.headers.as_ref().map(headers).unwrap_or_default(),
        content: decode(&raw.kept, raw.bytes),
    }
}

/// The address of a consumer's acknowledgement is no wish for an answer.
fn reply(reply: Option<&str>) -> Reply {
    match reply {
        None => Reply::None,
        Some(address) if address.starts_with(ACK) => Reply::Acknowledge,
        Some(address) => Reply::Wanted(text::shared(address, SUBJECT)),
    }
}

pub(super) fn headers(map: &HeaderMap) -> Vec<(Arc<str>, Arc<str>)> {
    let each = map.iter().flat_map(|(name, values)| {
        let name = text::shared(name.as_ref(), HEADER);
        values
            .iter()
            .map(move |value| (name.clone(), text::shared(value.as_str(), HEADER)))
    });
    each.take(HEADERS).collect()
}

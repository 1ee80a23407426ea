//! What a stream keeps, read from a point on by a consumer that acknowledges nothing and goes away.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::pull::OrderedConfig;
use async_nats::jetstream::consumer::{Consumer, DeliverPolicy};
use futures::StreamExt;
use tokio::time::timeout;

use super::decode::{KEPT, decode};
use super::session::{Session, Unanswered};
use super::tail::headers;
use super::wire::{Answer, StreamInfo};
use crate::model::bus::{Message, Pattern, Reply, Retention, Start, Stream};
use crate::model::text;
use crate::model::time::Timestamp;
use crate::source::error::{Cause, SourceError};

/// Messages read at a time at most.
pub const MOST: usize = 500;
/// Our consumers bear this name, with a number.
pub const OWNER: &str = "farwatch";
const WORDS: usize = 200;
/// Messages under way to us at a time: they may be large.
const UNDER_WAY: usize = 16;

/// What was read.
#[derive(Debug, Default)]
pub struct Read {
    pub messages: Vec<Message>,
    /// The stream keeps more behind these.
    pub more: bool,
}

/// Up to `most` messages from `start` on, of the subjects of `filter`. A stream whose messages are
/// kept for its consumers is not touched.
pub async fn read(
    session: &Session,
    stream: &str,
    start: Start,
    filter: Option<&Pattern>,
    most: usize,
) -> Result<Read, SourceError> {
    let fail = |cause| session.settings.error(cause);
    let known = info(session, stream).await?;
    match known.retention {
        Retention::Limits => {}
        Retention::WorkQueue => {
            let why = format!(
                "{stream} is a work queue: reading it would take messages from its workers"
            );
            return Err(fail(Cause::Query(why)));
        }
        Retention::Interest | Retention::Other => {
            let why = format!(
                "{stream} keeps messages for its consumers: one more would hold them longer"
            );
            return Err(fail(Cause::Query(why)));
        }
    }
    if known.messages == 0 {
        return Ok(Read::default());
    }
    let most = most.clamp(1, MOST);
    let mut config = config(start, &known, filter, most).map_err(fail)?;
    // The library's random part of an inbox makes a name that nobody else has.
    let inbox = session.client.new_inbox();
    let random = inbox.rsplit('.').next().unwrap_or_default();
    config.name = Some(format!("{OWNER}-{random}"));
    let context = context(session);
    let made = context.create_consumer_on_stream(config, stream);
    let made = session.permitted(made).await?;
    let consumer = made.map_err(|e| fail(of_consumer(&e)))?;
    let name = consumer.cached_info().name.clone();
    let collected = collect(&consumer, most, session.settings.timeout);
    let read = session.permitted(collected).await;
    // It would go by itself after half a minute; a guest tidies up.
    let _ = context.delete_consumer_from_stream(&name, stream).await;
    read?.map_err(fail)
}

/// Deliveries in the order of a stream, without an end.
pub struct Ordered {
    pub messages: jetstream::consumer::pull::Ordered,
    /// When the stream was made: another of the same name counts anew.
    pub created: Option<Timestamp>,
}

/// Everything of `subject` from where `start` says, which is told when the stream was made.
///
/// # Errors
/// [`SourceError`]: the stream is not there, not for us, or keeps its messages for its consumers.
pub async fn ordered(
    session: &Session,
    stream: &str,
    subject: &str,
    start: impl FnOnce(Option<Timestamp>) -> DeliverPolicy,
) -> Result<Ordered, SourceError> {
    let fail = |cause| session.settings.error(cause);
    let known = info(session, stream).await?;
    if known.retention != Retention::Limits {
        let why = format!("{stream} keeps messages for its consumers: it is not read");
        return Err(fail(Cause::Query(why)));
    }
    let inbox = session.client.new_inbox();
    let random = inbox.rsplit('.').next().unwrap_or_default();
    let config = OrderedConfig {
        name: Some(format!("{OWNER}-{random}")),
        description: Some(OWNER.into()),
        deliver_policy: start(known.created),
        filter_subject: subject.to_owned(),
        ..OrderedConfig::default()
    };
    let context = context(session);
    let made = context.create_consumer_on_stream(config, stream);
    let made = session.permitted(made).await?;
    let consumer = made.map_err(|e| fail(of_consumer(&e)))?;
    let messages = consumer.messages().await;
    let odd = |e: &dyn std::fmt::Display| fail(Cause::Payload(text::clean(&e.to_string(), WORDS)));
    Ok(Ordered {
        messages: messages.map_err(|e| odd(&e))?,
        created: known.created,
    })
}

/// `pause`: how long the next message may take.
async fn collect(
    consumer: &Consumer<OrderedConfig>,
    most: usize,
    pause: Duration,
) -> Result<Read, Cause> {
    let mut found = Vec::new();
    let mut more = consumer.cached_info().num_pending > 0;
    if !more {
        return Ok(Read::default());
    }
    let odd = |e: &dyn std::fmt::Display| Cause::Payload(text::clean(&e.to_string(), WORDS));
    let mut messages = consumer.clone().messages().await.map_err(|e| odd(&e))?;
    while found.len() < most {
        let Ok(next) = timeout(pause, messages.next()).await else {
            // Part of it is better than nothing; nothing is not what the stream keeps.
            if found.is_empty() {
                return Err(Cause::Timeout(pause));
            }
            break;
        };
        let Some(next) = next else { break };
        let message = next.map_err(|e| odd(&e))?;
        let info = message.info().map_err(|e| odd(&e))?;
        let (sequence, pending) = (info.stream_sequence, info.pending);
        let at = Timestamp((info.published.unix_timestamp_nanos() / 1_000_000) as i64);
        let payload = &message.payload;
        let kept = payload.get(..KEPT).unwrap_or(payload);
        found.push(Message {
            serial: sequence,
            at,
            subject: text::shared(&message.subject, WORDS),
            bytes: payload.len() as u64,
            sequence: Some(sequence),
            // The address of our own consumer, which acknowledges nothing.
            reply: Reply::None,
            headers: message.headers.as_ref().map(headers).unwrap_or_default(),
            content: decode(kept, payload.len() as u64),
        });
        more = pending > 0;
        if !more {
            break;
        }
    }
    Ok(Read {
        messages: found,
        more,
    })
}

fn config(
    start: Start,
    stream: &Stream,
    filter: Option<&Pattern>,
    most: usize,
) -> Result<OrderedConfig, Cause> {
    let deliver_policy = match start {
        Start::Sequence(start_sequence) => DeliverPolicy::ByStartSequence {
            start_sequence: start_sequence.max(1),
        },
        Start::Last(count) => DeliverPolicy::ByStartSequence {
            start_sequence: (stream.last_sequence.saturating_add(1))
                .saturating_sub(count)
                .max(1),
        },
        Start::Time(at) => DeliverPolicy::ByStartTime {
            start_time: async_nats::datetime::from_nanos(i128::from(at.0) * 1_000_000)
                .map_err(|_| Cause::Query("no such time".into()))?,
        },
    };
    Ok(OrderedConfig {
        description: Some(OWNER.into()),
        deliver_policy,
        filter_subject: filter.map(ToString::to_string).unwrap_or_default(),
        max_batch: i64::try_from(most.min(UNDER_WAY)).unwrap_or(1),
        ..OrderedConfig::default()
    })
}

/// The stream as it is now.
pub(super) async fn info(session: &Session, stream: &str) -> Result<Stream, SourceError> {
    let fail = |cause| session.settings.error(cause);
    let odd_name = |c: char| c.is_whitespace() || c.is_control() || ".*>/\\".contains(c);
    if stream.is_empty() || stream.chars().any(odd_name) {
        return Err(fail(Cause::Query("no such name of a stream".into())));
    }
    let subject = session.settings.api(&format!("STREAM.INFO.{stream}"));
    let answer = session
        .ask(subject, tokio_util::bytes::Bytes::new())
        .await
        .map_err(|e| {
            fail(match e {
                Unanswered::Denied(denied) => Cause::Unpermitted(denied.to_string()),
                Unanswered::Nobody => {
                    Cause::Absent("the server has no JetStream, or not for us".into())
                }
                Unanswered::Late => Cause::Timeout(session.settings.timeout),
                Unanswered::Ended(cause) => cause,
            })
        })?;
    let read: Answer<StreamInfo> = serde_json::from_slice(&answer)
        .map_err(|e| fail(Cause::Payload(text::clean(&e.to_string(), WORDS))))?;
    match (read.error, read.body) {
        (Some(refusal), _) => Err(fail(Cause::Absent(text::clean(
            &refusal.description,
            WORDS,
        )))),
        (None, Some(info)) => Ok(info.fact()),
        (None, None) => Err(fail(Cause::Payload("no stream in the answer".into()))),
    }
}

/// Whether there is such a stream.
///
/// # Errors
/// [`SourceError`]: it is not told.
pub async fn is_there(session: &Session, stream: &str) -> Result<bool, SourceError> {
    match info(session, stream).await {
        Ok(_) => Ok(true),
        Err(error) if is_missing(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The server knows no such stream.
pub(super) fn is_missing(error: &SourceError) -> bool {
    matches!(&error.cause, Cause::Absent(words) if words.contains("stream not found"))
}

pub(super) fn context(session: &Session) -> jetstream::Context {
    let client = session.client.clone();
    let mut context = match &session.settings.domain {
        Some(domain) => jetstream::with_domain(client, domain),
        None => jetstream::new(client),
    };
    context.set_timeout(session.settings.timeout);
    context
}

pub(super) fn of_consumer(error: &jetstream::stream::ConsumerError) -> Cause {
    use jetstream::stream::ConsumerErrorKind as Kind;
    let words = text::clean(&error.to_string(), WORDS);
    match error.kind() {
        Kind::TimedOut => Cause::Unreachable(format!("no answer: {words}")),
        Kind::JetStream(refusal) if refusal.code() == 404 => Cause::Absent(words),
        _ => Cause::Query(words),
    }
}

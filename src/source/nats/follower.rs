//! A durable consumer of our own: acknowledges what was handled, and only that.
//!
//! The server keeps the place. What it delivers again because an acknowledgement was lost with the
//! connection is recognised here and not handled twice; after a crash of ours the handler must
//! recognise it by its id.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::jetstream::{AckKind, Message};
use futures::StreamExt;

use super::history::{OWNER, context, info, of_consumer};
use super::session::{Session, Unanswered};
use super::wire::{Answer, ConsumerInfo};
use crate::model::bus::Pattern;
use crate::model::text;
use crate::model::time::Timestamp;
use crate::source::error::{Cause, SourceError};

/// Sequences of handled messages that are remembered.
const REMEMBERED: usize = 65_536;
const WORDS: usize = 200;
const BATCH: usize = 64;
/// The server says that it is there this often; two silences end the session.
const HEARTBEAT: Duration = Duration::from_secs(5);
const EXPIRES: Duration = Duration::from_secs(30);
/// The header by which a publisher makes a message known.
const ID: &str = "Nats-Msg-Id";

/// What is followed, and how patiently.
#[derive(Clone, Debug)]
pub struct Durable {
    pub stream: String,
    /// Begins with `farwatch-`; nobody else's consumer is ever used.
    pub name: String,
    /// Empty: all subjects of the stream.
    pub filters: Vec<Pattern>,
    /// What the stream held before we came is left out.
    pub only_new: bool,
    /// Time to handle a message before it is delivered again.
    pub ack_wait: Duration,
    /// Deliveries of one message at most.
    pub max_deliver: u32,
}

/// One delivery.
#[derive(Debug)]
pub struct Delivery<'a> {
    /// The publisher's id, or stream and sequence: the same however often it comes.
    pub id: String,
    pub subject: &'a str,
    pub payload: &'a [u8],
    pub sequence: u64,
    /// When the stream took it.
    pub at: Timestamp,
    /// 1 the first time.
    pub deliveries: u32,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// A fault that passes: again after this time, until the deliveries are used up.
    Later(Duration),
    /// It cannot be read, and never will be.
    Never,
}

/// Handles messages.
pub trait Handler: Send {
    fn handle(&mut self, delivery: Delivery<'_>) -> impl Future<Output = Outcome> + Send;
}

/// What was done so far; goes from session to session.
#[derive(Debug, Default)]
pub struct Progress {
    /// When the stream was made: another of the same name counts anew.
    stream: Option<Timestamp>,
    handled: BTreeSet<u64>,
    pub done: u64,
    /// Delivered again though handled, and only acknowledged.
    pub again: u64,
    pub put_off: u64,
    /// Unreadable.
    pub terminated: u64,
    /// Put off until the deliveries were used up: not handled.
    pub given_up: u64,
}

/// Follows until the session ends or the consumer goes.
pub async fn follow(
    session: &Session,
    durable: &Durable,
    progress: &mut Progress,
    handler: &mut impl Handler,
) -> SourceError {
    tokio::select! {
        end = session.ended() => end,
        Err(error) = attend(session, durable, progress, handler) => error,
    }
}

async fn attend(
    session: &Session,
    durable: &Durable,
    progress: &mut Progress,
    handler: &mut impl Handler,
) -> Result<std::convert::Infallible, SourceError> {
    let fail = |cause| session.settings.error(cause);
    let stream = info(session, &durable.stream).await?;
    if progress.stream != stream.created {
        progress.handled.clear();
        progress.stream = stream.created;
    }
    own(session, durable).await?;
    let consumer = context(session)
        .create_consumer_on_stream(config(durable), &durable.stream)
        .await
        .map_err(|e| fail(of_consumer(&e)))?;
    let odd =
        |e: &dyn std::fmt::Display| fail(Cause::Unreachable(text::clean(&e.to_string(), WORDS)));
    let mut messages = consumer
        .stream()
        .max_messages_per_batch(BATCH)
        .heartbeat(HEARTBEAT)
        .expires(EXPIRES)
        .messages()
        .await
        .map_err(|e| odd(&e))?;
    while let Some(message) = messages.next().await {
        let message = message.map_err(|e| odd(&e))?;
        let kind = progress.treat(durable, &message, handler).await;
        message.ack_with(kind).await.map_err(|e| odd(&e))?;
    }
    Err(fail(Cause::Unreachable("the deliveries ended".into())))
}

impl Progress {
    async fn treat(
        &mut self,
        durable: &Durable,
        message: &Message,
        handler: &mut impl Handler,
    ) -> AckKind {
        let Ok(info) = message.info() else {
            self.terminated += 1;
            return AckKind::Term;
        };
        let sequence = info.stream_sequence;
        if self.handled.contains(&sequence) {
            self.again += 1;
            return AckKind::Ack;
        }
        let deliveries = u32::try_from(info.delivered).unwrap_or(1);
        let at = Timestamp((info.published.unix_timestamp_nanos() / 1_000_000) as i64);
        let id = message.headers.as_ref().and_then(|h| h.get(ID));
        let id = id.map_or_else(
            || format!("{}:{sequence}", durable.stream),
            |v| text::clean(v.as_str(), WORDS),
        );
        let delivery = Delivery {
            id,
            subject: &message.subject,
            payload: &message.payload,
            sequence,
            at,
            deliveries,
        };
        match handler.handle(delivery).await {
            Outcome::Done => {
                self.done += 1;
                self.remember(sequence);
                AckKind::Ack
            }
            Outcome::Never => {
                self.terminated += 1;
                self.remember(sequence);
                AckKind::Term
            }
            Outcome::Later(_) if deliveries >= durable.max_deliver => {
                self.given_up += 1;
                AckKind::Term
            }
            Outcome::Later(delay) => {
                self.put_off += 1;
                AckKind::Nak(Some(delay))
            }
        }
    }

    fn remember(&mut self, sequence: u64) {
        self.handled.insert(sequence);
        while self.handled.len() > REMEMBERED {
            self.handled.pop_first();
        }
    }
}

/// A consumer of this name that is there already must be ours.
async fn own(session: &Session, durable: &Durable) -> Result<(), SourceError> {
    let fail = |cause| session.settings.error(cause);
    let (name, stream) = (&durable.name, &durable.stream);
    let ours = name
        .strip_prefix(OWNER)
        .is_some_and(|rest| rest.starts_with('-'));
    if !ours
        || name
            .chars()
            .any(|c| !c.is_ascii_alphanumeric() && !"-_".contains(c))
    {
        let why = format!("a durable consumer of ours is named {OWNER}-…, not {name}");
        return Err(fail(Cause::Config(why)));
    }
    let subject = session
        .settings
        .api(&format!("CONSUMER.INFO.{stream}.{name}"));
    let answer = match session.ask(subject, tokio_util::bytes::Bytes::new()).await {
        Ok(answer) => answer,
        Err(Unanswered::Denied(denied)) => {
            return Err(fail(Cause::Unpermitted(denied.to_string())));
        }
        Err(Unanswered::Nobody) => {
            return Err(fail(Cause::Absent(
                "the server has no JetStream, or not for us".into(),
            )));
        }
        Err(Unanswered::Late) => return Err(fail(Cause::Timeout(session.settings.timeout))),
        Err(Unanswered::Ended(cause)) => return Err(fail(cause)),
    };
    let read: Option<Answer<ConsumerInfo>> = serde_json::from_slice(&answer).ok();
    match read.and_then(|a| a.body) {
        Some(there) if there.description() != Some(OWNER) => {
            let why = format!("the consumer {name} of {stream} belongs to somebody else");
            Err(fail(Cause::Config(why)))
        }
        _ => Ok(()),
    }
}

fn config(durable: &Durable) -> Config {
    Config {
        durable_name: Some(durable.name.clone()),
        description: Some(OWNER.into()),
        deliver_policy: if durable.only_new {
            DeliverPolicy::New
        } else {
            DeliverPolicy::All
        },
        ack_policy: AckPolicy::Explicit,
        ack_wait: durable.ack_wait,
        max_deliver: i64::from(durable.max_deliver),
        filter_subjects: durable.filters.iter().map(ToString::to_string).collect(),
        ..Config::default()
    }
}

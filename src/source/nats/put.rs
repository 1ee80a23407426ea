//! Messages given to a stream, and its promises to keep them awaited.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind as Kind};
use async_nats::jetstream::message::PublishMessage;
use tokio::sync::broadcast;
use tokio_util::bytes::Bytes;
use tracing::Instrument;
use tracing::field::{Empty, display};

use super::fault::{self, Denied};
use super::history::context;
use super::session::Session;
use crate::source::SPAN;
use crate::source::error::{Cause, SourceError};

/// The server's number for a message that is larger than the stream takes.
const TOO_LARGE: u64 = 10_054;

/// A message for the stream that takes its subject.
#[derive(Clone, Debug)]
pub struct Put {
    pub subject: String,
    /// It is taken by this stream only; `None`: by whichever it is.
    pub stream: Option<String>,
    /// The stream takes it once, however often it is given lately.
    pub id: String,
    pub body: Bytes,
}

/// Gives one message to this stream, and to no other that takes its subject.
///
/// # Errors
/// [`SourceError`]: no stream promised to keep it; it may have taken it all the same.
pub async fn put(
    session: &Session,
    (stream, subject): (&str, &str),
    id: &str,
    body: Bytes,
    within: Duration,
) -> Result<(), SourceError> {
    let one = Put {
        subject: subject.into(),
        stream: Some(stream.into()),
        id: id.into(),
        body,
    };
    let done = put_all(session, vec![one], within).await;
    done.into_iter().collect()
}

/// Gives them all, in this order, then awaits each promise. What became of each; it ends with the first
/// that failed for a reason that is not its own ([`is_its_own`]): of those behind it nothing is known.
pub async fn put_all(
    session: &Session,
    messages: Vec<Put>,
    within: Duration,
) -> Vec<Result<(), SourceError>> {
    let count = messages.len();
    let span = tracing::debug_span!(target: SPAN, "publish", messages = count, error = Empty);
    let work = give_all(session, messages, within);
    let done = work.instrument(span.clone()).await;
    if let Some(error) = done.iter().find_map(|one| one.as_ref().err()) {
        span.record("error", display(&error.cause));
    }
    done
}

async fn give_all(
    session: &Session,
    messages: Vec<Put>,
    within: Duration,
) -> Vec<Result<(), SourceError>> {
    let mut context = context(session);
    context.set_timeout(within);
    let mut denials = Denials {
        came: session.denials(),
        subjects: BTreeSet::new(),
    };
    let mut under_way = Vec::with_capacity(messages.len());
    for put in messages {
        let subject = put.subject;
        let mut message = PublishMessage::build().message_id(put.id);
        if let Some(stream) = put.stream {
            message = message.expected_stream(stream);
        }
        let message = message.payload(put.body);
        let given = context.send_publish(subject.clone(), message).await;
        under_way.push((subject, given));
    }
    let mut all = Vec::with_capacity(under_way.len());
    for (subject, given) in under_way {
        let done = kept(session, &subject, given, &mut denials, within).await;
        let is_last = done.as_ref().is_err_and(|error| !is_its_own(error));
        all.push(done);
        if is_last {
            break;
        }
    }
    all
}

/// The bus takes others all the same.
pub fn is_its_own(error: &SourceError) -> bool {
    matches!(error.cause, Cause::Unpermitted(_) | Cause::TooLarge(_))
}

async fn kept(
    session: &Session,
    subject: &str,
    given: Result<PublishAckFuture, PublishError>,
    denials: &mut Denials,
    within: Duration,
) -> Result<(), SourceError> {
    let fail = |error: PublishError| session.error(cause(session, subject, &error, within));
    let mut promise = given.map_err(fail)?.into_future();
    loop {
        if let Some(denied) = denials.of(subject) {
            return Err(session.error(Cause::Unpermitted(denied.to_string())));
        }
        tokio::select! {
            biased;
            () = denials.next() => {}
            done = &mut promise => return done.map(|_| ()).map_err(fail),
            end = session.ended() => return Err(end),
        }
    }
}

/// Subjects on which nothing may be published, as far as the server said so meanwhile.
struct Denials {
    came: broadcast::Receiver<Denied>,
    subjects: BTreeSet<String>,
}

impl Denials {
    fn of(&self, subject: &str) -> Option<Denied> {
        let denied = |subject: &String| Denied {
            publish: true,
            subject: subject.clone(),
        };
        self.subjects.get(subject).map(denied)
    }

    async fn next(&mut self) {
        match self.came.recv().await {
            Ok(denied) if denied.publish => drop(self.subjects.insert(denied.subject)),
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

fn cause(session: &Session, subject: &str, error: &PublishError, within: Duration) -> Cause {
    use std::error::Error;
    let server = error.source();
    let server = server.and_then(|e| e.downcast_ref::<async_nats::jetstream::Error>());
    let most = || usize::try_from(session.server().max_payload).unwrap_or(usize::MAX);
    match error.kind() {
        Kind::TimedOut => Cause::Timeout(within),
        Kind::StreamNotFound => Cause::Absent(format!(
            "no stream takes {subject}: is the team's stream made?"
        )),
        Kind::MaxPayloadExceeded => Cause::TooLarge(most()),
        _ if server.is_some_and(|e| e.error_code().0 == TOO_LARGE) => Cause::TooLarge(most()),
        _ => Cause::Unreachable(fault::chain(error)),
    }
}

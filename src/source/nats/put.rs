//! A message given to a stream, and its promise to keep it awaited.

use std::time::Duration;

use async_nats::jetstream::context::PublishErrorKind as Kind;
use async_nats::jetstream::message::PublishMessage;
use tokio_util::bytes::Bytes;

use super::history::context;
use super::session::Session;
use crate::model::text;
use crate::source::error::{Cause, SourceError};

const WORDS: usize = 200;

/// Gives the message to whichever stream takes its subject. `id`: the stream takes it once, however
/// often it is given lately.
///
/// # Errors
/// [`SourceError`]: no stream promised to keep it; it may have taken it all the same.
pub async fn put(
    session: &Session,
    subject: &str,
    id: &str,
    body: Bytes,
    within: Duration,
) -> Result<(), SourceError> {
    let fail = |cause| session.settings.error(cause);
    let mut context = context(session);
    context.set_timeout(within);
    let mut denials = session.denials();
    let denied = async {
        loop {
            match denials.recv().await {
                Ok(denied) if denied.publish && denied.subject == subject => break denied,
                Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => {
                    std::future::pending().await
                }
            }
        }
    };
    let message = PublishMessage::build().message_id(id).payload(body);
    let given = async {
        let promise = context.send_publish(subject.to_owned(), message).await?;
        promise.await
    };
    tokio::select! {
        biased;
        denied = denied => Err(fail(Cause::Unpermitted(denied.to_string()))),
        given = given => match given {
            Ok(_) => Ok(()),
            Err(error) => {
                let words = text::clean(&error.to_string(), WORDS);
                Err(fail(match error.kind() {
                    Kind::TimedOut => Cause::Timeout(within),
                    Kind::StreamNotFound => {
                        Cause::Absent(format!("no stream takes {subject}: is the team's stream made?"))
                    }
                    Kind::MaxPayloadExceeded => Cause::TooLarge(session.server().max_payload as usize),
                    _ => Cause::Unreachable(words),
                }))
            }
        },
        end = session.ended() => Err(end),
    }
}

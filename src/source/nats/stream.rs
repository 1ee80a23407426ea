//! A stream of our own: made with limits where it is missing and we may, taken as it is otherwise.

use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Config, LastRawMessageErrorKind, Stream};
use tokio_util::bytes::Bytes;

use super::session::Session;
use crate::source::error::{Cause, SourceError};

/// The stream; `None`: there is no such.
///
/// # Errors
/// [`SourceError`]: whether it is there is not known.
pub async fn find(session: &Session, name: &str) -> Result<Option<Stream>, SourceError> {
    let context = session.jetstream();
    let found = session.permitted(context.get_stream(name)).await?;
    match found {
        Ok(stream) => Ok(Some(stream)),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(why) if why.code() == 404 => Ok(None),
            _ => Err(session.odd(&error)),
        },
    }
}

/// Looks whether the stream is there, and makes it where it is not. `create`: we may.
///
/// # Errors
/// [`SourceError`]: it is not there.
pub async fn ready(session: &Session, config: Config, create: bool) -> Result<Stream, SourceError> {
    if let Some(stream) = find(session, &config.name).await? {
        return Ok(stream);
    }
    if !create {
        let why = format!(
            "the stream {} is missing, and `create = false`",
            config.name
        );
        return Err(session.error(Cause::Absent(why)));
    }
    let context = session.jetstream();
    let made = session.permitted(context.create_stream(config)).await?;
    made.map_err(|error| session.odd(&error))
}

/// What the stream took last of a subject; `None`: nothing, as far as it remembers.
///
/// # Errors
/// [`SourceError`]: it is not known.
pub async fn newest(
    session: &Session,
    stream: &Stream,
    subject: &str,
) -> Result<Option<Bytes>, SourceError> {
    let asked = session.permitted(stream.get_last_raw_message_by_subject(subject));
    match asked.await? {
        Ok(message) => Ok(Some(message.payload)),
        Err(error) => match error.kind() {
            LastRawMessageErrorKind::NoMessageFound => Ok(None),
            _ => Err(session.odd(&error)),
        },
    }
}

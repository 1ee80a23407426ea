//! The team's stream: made with limits where it is missing and we may, taken as it is otherwise.

use std::time::Duration;

use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

use crate::config::Team;
use crate::model::text;
use crate::source::error::{Cause, SourceError};
use crate::source::nats::session::Session;

/// Subjects of the stream.
pub const SUBJECTS: &str = "ai.farwatch.>";
/// How long it keeps what is told, and how much of it.
const AGE: Duration = Duration::from_secs(7 * 86_400);
const BYTES: i64 = 256 << 20;
const MESSAGE_BYTES: i32 = 1 << 20;
/// Within this time the stream knows again what it was given.
pub const DUPLICATES: Duration = Duration::from_secs(600);
const WORDS: usize = 200;

/// Looks whether the stream is there, and makes it where it is not.
pub async fn ready(session: &Session, team: &Team) -> Result<(), SourceError> {
    let context = session.jetstream();
    let found = session.permitted(context.get_stream(&team.name)).await?;
    let error = match found {
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    match error.kind() {
        GetStreamErrorKind::JetStream(why) if why.code() == 404 => {}
        _ => return Err(odd(session, &error)),
    }
    if !team.create {
        let why = format!("the stream {} is missing, and `create = false`", team.name);
        return Err(session.error(Cause::Absent(why)));
    }
    let made = session
        .permitted(context.create_stream(config(team)))
        .await?;
    made.map(|_| ()).map_err(|error| odd(session, &error))
}

fn config(team: &Team) -> Config {
    Config {
        name: team.name.clone(),
        description: Some("what watchers tell of incidents (farwatch)".into()),
        subjects: vec![SUBJECTS.into()],
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        storage: StorageType::File,
        max_age: AGE,
        max_bytes: BYTES,
        max_message_size: MESSAGE_BYTES,
        duplicate_window: DUPLICATES,
        num_replicas: usize::from(team.replicas),
        ..Config::default()
    }
}

/// What the library says, with what it wraps.
pub(super) fn odd(session: &Session, error: &(dyn std::error::Error + 'static)) -> SourceError {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !told.contains(&words) {
            told = format!("{told}: {words}");
        }
        cause = inner.source();
    }
    session.error(Cause::Unreachable(text::clean(&told, WORDS)))
}

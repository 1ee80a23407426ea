//! The team's stream: made with limits where it is missing and we may, taken as it is otherwise.

use std::time::Duration;

use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

use crate::config::Team;
use crate::source::error::{Cause, SourceError};
use crate::source::nats::session::Session;

/// Subjects of the stream.
pub const SUBJECTS: &str = "ai.farwatch.>";
/// How long it keeps what is told, and how much of it.
const AGE: Duration = Duration::from_secs(7 * 86_400);
const BYTES: i64 = 256 << 20;
const MESSAGE_BYTES: i32 = 1 << 20;
/// What travels beside the body: subject, id, and what the server adds.
const BESIDE: usize = 4 << 10;
/// The largest body for a stream of ours.
pub const BODY: usize = MESSAGE_BYTES as usize - BESIDE;
/// Within this time the stream knows again what it was given.
pub const DUPLICATES: Duration = Duration::from_secs(600);

/// Looks whether the stream is there, and makes it where it is not. The largest body that it and its
/// server take.
pub async fn ready(session: &Session, team: &Team) -> Result<usize, SourceError> {
    let context = session.jetstream();
    let found = session.permitted(context.get_stream(&team.name)).await?;
    let error = match found {
        Ok(stream) => return Ok(room(session, &stream.cached_info().config)),
        Err(error) => error,
    };
    match error.kind() {
        GetStreamErrorKind::JetStream(why) if why.code() == 404 => {}
        _ => return Err(session.odd(&error)),
    }
    if !team.create {
        let why = format!("the stream {} is missing, and `create = false`", team.name);
        return Err(session.error(Cause::Absent(why)));
    }
    let made = session
        .permitted(context.create_stream(config(team)))
        .await?;
    let made = made.map_err(|error| session.odd(&error))?;
    Ok(room(session, &made.cached_info().config))
}

fn room(session: &Session, stream: &Config) -> usize {
    let server = usize::try_from(session.server().max_payload).unwrap_or(usize::MAX);
    // Nothing, or less: no limit of its own.
    let own = usize::try_from(stream.max_message_size).ok();
    let most = own
        .filter(|most| *most > 0)
        .map_or(server, |own| own.min(server));
    most.saturating_sub(BESIDE)
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

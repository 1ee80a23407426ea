//! The team's stream: what watchers tell of incidents.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

use crate::config::Team;
use crate::source::error::SourceError;
use crate::source::nats::session::Session;
use crate::source::nats::stream;

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
    let stream = stream::ready(session, config(team), team.create).await?;
    Ok(room(session, &stream.cached_info().config))
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

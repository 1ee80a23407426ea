//! Where samples are on the team's bus: a stream of their own, so that however many there are, none
//! pushes an incident out.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

use crate::config::Team;
use crate::edge::Head;
use crate::model::news::token;
use crate::model::time::Timestamp;
use crate::source::error::{Cause, SourceError};
use crate::source::nats::session::Session;
use crate::source::nats::{Bus, stream};

/// Subjects of the stream. Not below `ai.farwatch.`, which the stream of the incidents takes.
const SUBJECTS: &str = "ai.farwatch-samples.>";
/// How long it keeps samples, and how many of them.
const AGE: Duration = Duration::from_secs(86_400);
const BYTES: i64 = 256 << 20;
const MESSAGE_BYTES: i32 = 8 << 20;
/// Within this time the stream knows again what it was given.
const DUPLICATES: Duration = Duration::from_secs(600);

/// The subject of the samples of a cluster; its name as one token.
pub fn subject(cluster: &str) -> String {
    format!("ai.farwatch-samples.{}.told", token(cluster))
}

/// The stream of the samples of a team.
pub fn stream_name(team: &Team) -> String {
    format!("{}-samples", team.name)
}

/// Looks whether the stream is there, and makes it where it is not.
pub(super) async fn ready(session: &Session, team: &Team) -> Result<(), SourceError> {
    let config = Config {
        name: stream_name(team),
        description: Some("samples of sites without Prometheus (farwatch)".into()),
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
    };
    stream::ready(session, config, team.create)
        .await
        .map(|_| ())
}

/// What is on the bus of a cluster's samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnBus {
    /// There is no stream of samples.
    Missing,
    /// The stream holds nothing of this cluster.
    Nothing,
    /// When the newest scrape was; `None`: the newest message is none of ours.
    Until(Option<Timestamp>),
}

/// Looks at the stream and at the newest message of a cluster; changes nothing.
///
/// # Errors
/// [`SourceError`]: the bus does not say.
pub async fn look(team: &Team, cluster: &str) -> Result<(OnBus, String), SourceError> {
    let session = Bus::of_team(team).open("farwatch check").await?;
    let version = session.server().version.to_string();
    let Some(found) = stream::find(&session, &stream_name(team)).await? else {
        return Ok((OnBus::Missing, version));
    };
    let newest = stream::newest(&session, &found, &subject(cluster)).await?;
    let standing = newest.map_or(OnBus::Nothing, |bytes| {
        OnBus::Until(Head::of(&bytes).ok().map(|head| head.to))
    });
    Ok((standing, version))
}

/// Samples go over the team's bus, and none is configured.
pub fn teamless(cluster: &str) -> SourceError {
    let why = "`edge.samples` needs the team's bus: add [team] with its `nats`".to_owned();
    SourceError::new(cluster, "team", Cause::Config(why))
}

/// Says that nothing can be read yet, and who is missed.
pub(super) fn absent(team: &Team, shown: &str) -> SourceError {
    let why = format!(
        "there is no stream {}: no `farwatch watch` has published samples on this bus yet",
        stream_name(team)
    );
    SourceError::new("team", shown, Cause::Absent(why))
}

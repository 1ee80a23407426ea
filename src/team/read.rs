//! What watchers told, read from the team's stream by a consumer that acknowledges nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::OrderedConfig;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::Stream;
use futures::StreamExt;
use tokio::sync::mpsc;

use crate::config::Team;
use crate::model::id::IncidentId;
use crate::model::news::{Change, Event, token};
use crate::model::time::Timestamp;
use crate::source::error::{Cause, SourceError};
use crate::source::nats::session::Session;

/// Events that carry a whole incident.
const WHOLE: [Event; 4] = [
    Event::IncidentOpened,
    Event::IncidentChanged,
    Event::IncidentResolved,
    Event::IncidentMerged,
];
/// How long the next message may take before what came is all.
const PAUSE: Duration = Duration::from_secs(3);
const OWNER: &str = "farwatch";
/// The header by which a message is known again.
const ID: &str = "Nats-Msg-Id";

/// The newest of each incident of these clusters; all of them where none is named.
pub async fn newest(
    session: &Session,
    team: &Team,
    clusters: &[Arc<str>],
) -> Result<Vec<Change>, SourceError> {
    let mut known: BTreeMap<(Arc<str>, IncidentId), Change> = BTreeMap::new();
    let config = OrderedConfig {
        filter_subjects: subjects(clusters),
        deliver_policy: DeliverPolicy::All,
        ..OrderedConfig::default()
    };
    each(session, team, config, |message| {
        if let Some(change) = read(&message.payload) {
            keep(&mut known, change);
        }
    })
    .await?;
    Ok(known.into_values().collect())
}

/// Ids of what the stream took of a cluster's events since this time.
pub async fn ids(
    session: &Session,
    team: &Team,
    since: Timestamp,
) -> Result<BTreeSet<String>, SourceError> {
    let start = async_nats::datetime::from_nanos(i128::from(since.0) * 1_000_000);
    let config = OrderedConfig {
        headers_only: true,
        deliver_policy: match start {
            Ok(start_time) => DeliverPolicy::ByStartTime { start_time },
            Err(_) => DeliverPolicy::All,
        },
        ..OrderedConfig::default()
    };
    let mut found = BTreeSet::new();
    each(session, team, config, |message| {
        let id = message.headers.as_ref().and_then(|h| h.get(ID));
        found.extend(id.map(|id| id.as_str().to_owned()));
    })
    .await?;
    Ok(found)
}

/// Follows what is told of incidents until the session ends; who reads `news` slowly lets the server
/// wait. `last`: sequence of the message that was heard last, 0 for the begin of the stream; each change
/// comes with its own.
pub async fn follow(
    session: &Session,
    team: &Team,
    last: u64,
    news: mpsc::Sender<(u64, Change)>,
) -> SourceError {
    let followed = async {
        let stream = stream(session, team).await?;
        // A stream that was made anew begins anew.
        let known = last > 0 && last <= stream.cached_info().state.last_sequence;
        let config = OrderedConfig {
            filter_subjects: subjects(&[]),
            deliver_policy: match known {
                false => DeliverPolicy::All,
                true => DeliverPolicy::ByStartSequence {
                    start_sequence: last + 1,
                },
            },
            ..ours(session)
        };
        let consumer = session.permitted(stream.create_consumer(config)).await?;
        let consumer = consumer.map_err(|e| session.odd(&e))?;
        let messages = session.permitted(consumer.messages()).await?;
        let mut messages = messages.map_err(|e| session.odd(&e))?;
        loop {
            let next = tokio::select! {
                next = messages.next() => next,
                end = session.ended() => return Err(end),
            };
            let Some(next) = next else {
                return Err(session.ended().await);
            };
            let message = next.map_err(|e| session.odd(&e))?;
            if let Some(change) = read(&message.payload) {
                let sequence = message.info().map_or(0, |info| info.stream_sequence);
                // Nobody listens any more: the session ends with them.
                let _ = news.send((sequence, change)).await;
            }
        }
    };
    let ended: Result<std::convert::Infallible, SourceError> = followed.await;
    match ended {
        Err(error) => error,
        Ok(never) => match never {},
    }
}

/// A change, whoever wrote it; nothing where it is none of ours.
pub fn read(body: &[u8]) -> Option<Change> {
    rmp_serde::from_slice::<Change>(body).ok()
}

fn keep(known: &mut BTreeMap<(Arc<str>, IncidentId), Change>, change: Change) {
    let key = (change.cluster.clone(), change.incident.id);
    if known.get(&key).is_none_or(|k| k.revision < change.revision) {
        known.insert(key, change);
    }
}

/// Events of whole incidents.
fn subjects(clusters: &[Arc<str>]) -> Vec<String> {
    let named: Vec<String> = match clusters {
        [] => vec!["*".into()],
        some => some.iter().map(|name| token(name)).collect(),
    };
    let of = |name: &String| WHOLE.map(|e| format!("ai.farwatch.{name}.{}", e.as_str()));
    named.iter().flat_map(of).collect()
}

fn ours(session: &Session) -> OrderedConfig {
    let inbox = session.jetstream().client().new_inbox();
    let random = inbox.rsplit('.').next().unwrap_or_default();
    OrderedConfig {
        name: Some(format!("{OWNER}-{random}")),
        description: Some(OWNER.into()),
        ..OrderedConfig::default()
    }
}

async fn stream(session: &Session, team: &Team) -> Result<Stream, SourceError> {
    let context = session.jetstream();
    let stream = session.permitted(context.get_stream(&team.name)).await?;
    stream.map_err(|error| match error.kind() {
        GetStreamErrorKind::JetStream(why) if why.code() == 404 => {
            let why = format!(
                "the stream {} is missing: no watcher has made it",
                team.name
            );
            session.error(Cause::Absent(why))
        }
        _ => session.odd(&error),
    })
}

/// All that is there now.
async fn each(
    session: &Session,
    team: &Team,
    config: OrderedConfig,
    mut take: impl FnMut(&async_nats::jetstream::Message),
) -> Result<(), SourceError> {
    let stream = stream(session, team).await?;
    let config = OrderedConfig {
        filter_subjects: config.filter_subjects,
        headers_only: config.headers_only,
        deliver_policy: config.deliver_policy,
        ..ours(session)
    };
    let consumer = session.permitted(stream.create_consumer(config)).await?;
    let consumer = consumer.map_err(|e| session.odd(&e))?;
    let mut left = consumer.cached_info().num_pending;
    let messages = session.permitted(consumer.messages()).await?;
    let mut messages = messages.map_err(|e| session.odd(&e))?;
    while left > 0 {
        let next = tokio::select! {
            next = tokio::time::timeout(PAUSE, messages.next()) => next,
            end = session.ended() => return Err(end),
        };
        let Ok(Some(next)) = next else { break };
        take(&next.map_err(|e| session.odd(&e))?);
        left -= 1;
    }
    // It goes by itself a little after nobody asks it any more.
    Ok(())
}

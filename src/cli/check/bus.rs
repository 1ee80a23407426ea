//! How a bus is asked: as it will be, streams and all; and the one on which the site's agent lives.

use std::sync::Arc;
use std::time::Duration;

use super::probe::NO_CLUSTER;
use super::{Good, Probe, boxed};
use crate::clock;
use crate::config::{Cluster, Nats, NatsAuth, Samples, SiteAgent, Team};
use crate::model::bus::JetStream;
use crate::model::health::SourceKind;
use crate::model::time::Timestamp;
use crate::source::edge::{OnBus, look, stream_name, subject, teamless};
use crate::source::error::{Cause, SourceError, TEAM};
use crate::source::nats::survey::survey;
use crate::source::nats::{Bus, chat};
use crate::team::look;

/// Answers of one look at most: more are asked for at a time, or come in pages.
const ANSWERS: u32 = 8;

pub(super) fn probe<'a>(cluster: &'a Cluster, nats: &'a Nats) -> Probe<'a> {
    let bus = Bus::new(cluster, nats);
    looked(&cluster.name, SourceKind::Nats.to_string(), bus, nats, None)
}

/// The bus of the team, and whether its stream and buckets are there or can be made. None is made.
pub(super) fn team(team: &Team) -> Probe<'_> {
    let bus = Bus::of_team(team);
    looked(NO_CLUSTER, TEAM.into(), bus, &team.nats, Some(team))
}

fn looked<'a>(
    cluster: &'a str,
    source: String,
    bus: Arc<Bus>,
    nats: &'a Nats,
    team: Option<&'a Team>,
) -> Probe<'a> {
    let servers = u32::try_from(nats.urls.len()).unwrap_or(u32::MAX);
    Probe {
        cluster,
        source,
        endpoint: bus.shown(),
        auth: way(nats),
        limit: nats.timeout.saturating_mul(servers.saturating_add(ANSWERS)),
        work: boxed(async move {
            let session = bus.open("farwatch check").await?;
            let found = survey(&session).await?;
            let note = match team {
                Some(team) => look::look(&session, team, &found.survey.jetstream).await?,
                None => note(&found.survey.jetstream),
            };
            Ok(Good {
                version: Some(found.survey.server.version.to_string()).filter(|v| !v.is_empty()),
                latency: Duration::from_millis(found.latency_ms.unwrap_or(0).into()),
                skew_ms: found.skew_ms,
                note,
                ..Good::default()
            })
        }),
    }
}

/// What is on the team's bus of a cluster whose exporters are read there, or published from here;
/// nothing where they go no such way.
pub(super) fn samples<'a>(cluster: &'a Cluster, team: Option<&'a Team>) -> Option<Probe<'a>> {
    let wanted = cluster.edge.samples;
    if wanted == Samples::Own {
        return None;
    }
    let servers = team.map_or(1, |team| team.nats.urls.len() as u32);
    Some(Probe {
        cluster: &cluster.name,
        source: SourceKind::Edge.to_string(),
        endpoint: match team {
            Some(team) => format!("{} {}", Bus::of_team(team).shown(), subject(&cluster.name)),
            None => "team".into(),
        },
        auth: team.map_or("-", |team| way(&team.nats)),
        limit: team.map_or(Duration::from_secs(1), |team| {
            team.nats.timeout.saturating_mul(servers + ANSWERS)
        }),
        work: boxed(async move {
            let Some(team) = team else {
                return Err(teamless(&cluster.name).fault());
            };
            let started = clock::instant();
            let (found, version) = look(team, &cluster.name).await?;
            let note = match stands(found, wanted, team, clock::now()) {
                Ok(note) => note,
                Err(why) => {
                    let shown = Bus::of_team(team).shown();
                    return Err(SourceError::new(&cluster.name, &shown, Cause::Absent(why)).fault());
                }
            };
            Ok(Good {
                version: Some(version).filter(|v| !v.is_empty()),
                latency: started.elapsed(),
                note: Some(note),
                ..Good::default()
            })
        }),
    })
}

/// What there is to say of it; an error: nothing of it can be read.
fn stands(found: OnBus, wanted: Samples, team: &Team, now: Timestamp) -> Result<String, String> {
    let stream = stream_name(team);
    let reads = wanted == Samples::Team;
    match found {
        OnBus::Missing if reads => Err(format!(
            "there is no stream {stream}: no `farwatch watch` has published samples on this bus yet"
        )),
        OnBus::Missing if !team.create => Err(format!(
            "the stream {stream} is missing, and `create = false`"
        )),
        OnBus::Missing => Ok(format!(
            "the stream {stream} is not there yet: `farwatch watch` makes it"
        )),
        OnBus::Nothing if reads => Err(format!(
            "the stream {stream} holds nothing of this cluster: does `farwatch watch` run at the \
             site, with `edge = {{ samples = \"publish\" }}` and the same name of the cluster?"
        )),
        OnBus::Nothing => Ok("nothing is published yet".into()),
        OnBus::Until(None) => Err("the newest message is no sample of farwatch".into()),
        OnBus::Until(Some(at)) => Ok(match at.0 > now.0 {
            true => format!(
                "the newest scrape is {} s ahead of our clock",
                (at.0 - now.0) / 1000
            ),
            false => format!("the newest scrape is {} s old", (now.0 - at.0) / 1000),
        }),
    }
}

/// Whether the site's agent may be asked and heard. It is asked nothing.
pub(super) fn site(site: &SiteAgent) -> Probe<'_> {
    let bus = Bus::apart(&site.bus);
    let user = site.user.as_deref().unwrap_or_default();
    let servers = u32::try_from(site.bus.urls.len()).unwrap_or(u32::MAX);
    Probe {
        cluster: NO_CLUSTER,
        source: "agent".into(),
        endpoint: bus.shown(),
        auth: way(&site.bus),
        limit: site.bus.timeout.saturating_mul(servers.saturating_add(2)),
        work: boxed(async move {
            let session = bus.open("farwatch check").await?;
            let started = clock::instant();
            let known = chat::check(&session, user).await?;
            let subject = chat::asked_on(user);
            let note = format!(
                "whether we may publish on {subject} is not known: the server does not tell"
            );
            Ok(Good {
                version: Some(session.server().version.to_string()).filter(|v| !v.is_empty()),
                latency: started.elapsed(),
                note: (!known).then_some(note),
                ..Good::default()
            })
        }),
    }
}

/// What will not be seen there.
fn note(jetstream: &JetStream) -> Option<String> {
    match jetstream {
        JetStream::On(streams) => streams.missing.first().map(ToString::to_string),
        JetStream::Off(why) => Some(format!("no streams: {why}")),
        JetStream::Denied(why) => Some(format!("streams are not seen: {why}")),
        JetStream::Unknown => None,
    }
}

fn way(nats: &Nats) -> &'static str {
    match &nats.auth {
        NatsAuth::Creds(_) => "creds accepted",
        NatsAuth::Nkey(_) => "nkey accepted",
        NatsAuth::Token(_) => "token accepted",
        NatsAuth::User { .. } => "password accepted",
        NatsAuth::None if nats.client_cert_file.is_some() => "certificate accepted",
        NatsAuth::None => "none needed",
    }
}

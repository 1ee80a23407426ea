//! How a bus is asked: as it will be, streams and all; and the one on which the site's agent lives.

use std::sync::Arc;

use super::probe::NO_CLUSTER;
use super::{Good, Probe, boxed};
use crate::clock;
use crate::config::{Cluster, Nats, NatsAuth, SiteAgent, Team};
use crate::model::bus::JetStream;
use crate::model::health::SourceKind;
use crate::source::nats::survey::survey;
use crate::source::nats::{Bus, chat};

/// Answers of one look at most: more are asked for at a time, or come in pages.
const ANSWERS: u32 = 4;

pub(super) fn probe<'a>(cluster: &'a Cluster, nats: &'a Nats) -> Probe<'a> {
    let bus = Bus::new(cluster, nats);
    looked(&cluster.name, SourceKind::Nats.to_string(), bus, nats)
}

/// The bus of the team, which streams and buckets are there included.
pub(super) fn team(team: &Team) -> Probe<'_> {
    looked(NO_CLUSTER, "team".into(), Bus::of_team(team), &team.nats)
}

fn looked<'a>(cluster: &'a str, source: String, bus: Arc<Bus>, nats: &'a Nats) -> Probe<'a> {
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
            Ok(Good {
                version: Some(found.survey.server.version.to_string()).filter(|v| !v.is_empty()),
                latency: std::time::Duration::from_millis(found.latency_ms.unwrap_or(0).into()),
                skew_ms: found.skew_ms,
                note: note(&found.survey.jetstream),
                ..Good::default()
            })
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

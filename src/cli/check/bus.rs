//! How a bus is asked: as it will be, streams and all.

use super::{Good, Probe, boxed};
use crate::config::{Cluster, Nats, NatsAuth};
use crate::model::bus::JetStream;
use crate::model::health::SourceKind;
use crate::source::nats::Bus;
use crate::source::nats::survey::survey;

/// Answers of one look at most: more are asked for at a time, or come in pages.
const ANSWERS: u32 = 4;

pub(super) fn probe<'a>(cluster: &'a Cluster, nats: &Nats) -> Probe<'a> {
    let bus = Bus::new(cluster, nats);
    let servers = u32::try_from(nats.urls.len()).unwrap_or(u32::MAX);
    Probe {
        cluster: &cluster.name,
        source: SourceKind::Nats.to_string(),
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

//! What is told of incidents and samples: asked only where asking writes nothing, and named where it
//! is not asked.

use super::probe::{NO_CLUSTER, Status, good};
use super::{Good, Row};
use crate::clock;
use crate::config::{Config, Endpoint};
use crate::model::fault::FaultKind;
use crate::source::door::{Door, SourceError};

/// Where an Alertmanager takes alerts, and where it says what it is.
const ALERTS: &str = "/api/v2/alerts";
const STATUS: &str = "api/v2/status";

/// The n-th webhook, from 0.
pub(super) fn called(n: usize) -> String {
    match n {
        0 => "webhook".into(),
        n => format!("webhook {}", n + 1),
    }
}

/// The server behind a webhook, where its URL says how to ask it.
pub(super) fn status_of(webhook: &Endpoint) -> Option<Endpoint> {
    let root = webhook.url.strip_suffix(ALERTS)?;
    Some(Endpoint {
        url: root.to_owned(),
        ..webhook.clone()
    })
}

/// What takes alerts as an Alertmanager does need not say what it is.
pub(super) async fn webhook(door: &Door) -> Result<Good, SourceError> {
    let started = clock::instant();
    match door.get_json::<Status>(STATUS, &[]).await {
        Ok((status, reply)) => {
            let version = status.version_info.and_then(|v| v.version);
            Ok(good(&reply, version))
        }
        Err(error) if error.kind() == FaultKind::NotFound => Ok(Good {
            latency: started.elapsed(),
            note: Some(format!(
                "it answers, and knows no {STATUS}: alerts were not tried"
            )),
            ..Good::default()
        }),
        Err(error) => Err(error),
    }
}

/// What is configured and cannot be asked without writing.
pub(super) fn untried(config: &Config) -> Vec<Row> {
    let row = |source: String, place: &str, why: &str| Row {
        ok: true,
        auth: "not asked".into(),
        advice: why.into(),
        ..Row::new(NO_CLUSTER, source, place.to_owned())
    };
    let mut rows = Vec::new();
    let watch = &config.watch;
    let webhooks = watch.webhook.iter().enumerate();
    let webhooks = webhooks.filter(|(_, e)| status_of(e).is_none());
    rows.extend(webhooks.map(|(n, e)| {
        let why = "only written to: no Alertmanager by its URL";
        row(called(n), &e.url, why)
    }));
    for (name, outlet) in [("remote_write", &watch.remote_write), ("otlp", &watch.otlp)] {
        let why = "only written to: `/metrics` of the watcher counts what it refuses";
        rows.extend(outlet.iter().map(|e| row(name.into(), &e.url, why)));
    }
    rows
}

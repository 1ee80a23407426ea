//! How each kind of server is asked whether it is there, who we are to it, and what it is.

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Good, KUBE_LIMIT, Probe, boxed, bus, cluster, outlets, tools, way};
use crate::config::{Config, Endpoint};
use crate::model::fault::FaultKind;
use crate::model::health::SourceKind;
use crate::model::text::clean;
use crate::source::clock_events::published;
use crate::source::door::{Door, Reply, SourceError};
use crate::source::kubernetes::Server;
use crate::source::tempo;

/// A probe sends up to three requests; each has the endpoint's own limit.
const REQUESTS: u32 = 3;
pub(super) const NO_CLUSTER: &str = "-";

/// One probe for everything that the configuration names.
pub fn all(config: &Config) -> Vec<Probe<'_>> {
    let mut probes = Vec::new();
    for cluster in &config.clusters {
        let name = cluster.name.as_str();
        let kube = cluster.kube.as_ref();
        let server = kube.map(|kube| Server::new(name, kube));
        if let Some((kube, server)) = kube.zip(server.clone()) {
            probes.extend(cluster::all(config, cluster, kube, &server));
        }
        let mut add = |source: String, kind: Kind, endpoint: Option<&'_ Endpoint>| {
            if let Some(endpoint) = endpoint {
                probes.push(http(name, source, kind, endpoint.clone(), server.clone()));
            }
        };
        add(
            "prometheus".into(),
            Kind::Prometheus,
            cluster.prometheus.as_ref(),
        );
        for (n, one) in (0..).zip(&cluster.alertmanagers) {
            let source = SourceKind::Alertmanager(n).to_string();
            add(source, Kind::Alertmanager, Some(one));
        }
        add("loki".into(), Kind::Loki, cluster.loki.as_ref());
        add("tempo".into(), Kind::Tempo, cluster.tempo.as_ref());
        for (n, exporter) in cluster.exporters.iter().enumerate() {
            add(
                format!("exporter {}", n + 1),
                Kind::Exporter,
                Some(exporter),
            );
        }
        for (n, proxy) in (0..).zip(&cluster.ptp_events) {
            let source = SourceKind::ClockEvents(n).to_string();
            add(source, Kind::ClockEvents, Some(proxy));
        }
        probes.extend(cluster.nats.as_ref().map(|nats| bus::probe(cluster, nats)));
        probes.extend(bus::samples(cluster, config.team.as_ref()));
    }
    probes.extend(config.team.as_ref().map(bus::team));
    let site = config.agent.iter().filter_map(|agent| agent.site.as_ref());
    probes.extend(site.map(bus::site));
    let servers = config.agent.iter().flat_map(|agent| &agent.servers);
    for (n, server) in servers.enumerate() {
        let mut endpoint = server.endpoint.clone();
        // With or without `/v1`: the version stands beside it.
        if let Some(root) = endpoint.url.strip_suffix("/v1") {
            endpoint.url = root.to_owned();
        }
        // The limit of a long answer is none for a list of models.
        endpoint.timeout = endpoint.timeout.min(Duration::from_secs(15));
        let wanted = server.model.clone();
        probes.push(http(
            NO_CLUSTER,
            match n {
                0 => "agent".into(),
                n => format!("agent {}", n + 1),
            },
            Kind::Agent(wanted),
            endpoint,
            None,
        ));
    }
    probes.extend(config.mcp.iter().map(tools::probe));
    for (n, webhook) in config.watch.webhook.iter().enumerate() {
        let endpoint = outlets::status_of(webhook);
        let probe = |endpoint| {
            http(
                NO_CLUSTER,
                outlets::called(n),
                Kind::Webhook,
                endpoint,
                None,
            )
        };
        probes.extend(endpoint.map(probe));
    }
    probes
}

enum Kind {
    Prometheus,
    Alertmanager,
    Loki,
    Tempo,
    Exporter,
    ClockEvents,
    /// What is told of incidents; asked nothing but what it is.
    Webhook,
    /// With the model that the configuration names.
    Agent(Option<String>),
}

fn http(
    cluster: &str,
    source: String,
    kind: Kind,
    endpoint: Endpoint,
    server: Option<Server>,
) -> Probe<'_> {
    let via = endpoint.via_words().map(|words| format!(" ({words})"));
    // The way is looked for and signed in to first.
    let extra = if via.is_some() {
        KUBE_LIMIT
    } else {
        Duration::ZERO
    };
    Probe {
        cluster,
        source,
        endpoint: format!("{}{}", endpoint.url, via.unwrap_or_default()),
        auth: way(&endpoint.auth, Some(&endpoint)),
        limit: endpoint.timeout * REQUESTS + extra,
        work: boxed(async move {
            let door = Door::open(&endpoint, cluster, server.as_ref())?;
            let good = match kind {
                Kind::Prometheus => prometheus(&door).await,
                Kind::Alertmanager => alertmanager(&door).await,
                Kind::Loki => loki(&door).await,
                Kind::Tempo => tempo(&door).await,
                Kind::Exporter => exporter(&door).await,
                Kind::ClockEvents => clock_events(&door).await,
                Kind::Webhook => outlets::webhook(&door).await,
                Kind::Agent(wanted) => agent(&door, wanted).await,
            }?;
            Ok(good)
        }),
    }
}

pub(super) fn good(reply: &Reply, version: Option<String>) -> Good {
    Good {
        version: version.map(|v| clean(&v, 60)).filter(|v| !v.is_empty()),
        latency: reply.latency,
        skew_ms: reply.skew_ms,
        ..Good::default()
    }
}

#[derive(Deserialize)]
struct BuildInfo {
    version: Option<String>,
    data: Option<Version>,
}

#[derive(Deserialize)]
pub(super) struct Version {
    pub version: Option<String>,
}

/// What an Alertmanager says of itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    pub version_info: Option<Version>,
}

/// Version from a build-info page; front ends often hide it, which is no failure.
async fn build_info(door: &Door, path: &str) -> Option<String> {
    let (info, _): (BuildInfo, Reply) = door.get_json(path, &[]).await.ok()?;
    info.version.or(info.data.and_then(|d| d.version))
}

/// A query is what will be sent later; the build information may be open to everybody.
async fn prometheus(door: &Door) -> Result<Good, SourceError> {
    #[derive(Deserialize)]
    struct Answer {
        status: String,
    }
    let query = [("query", "vector(1)")];
    let (answer, reply): (Answer, Reply) = door.get_json("api/v1/query", &query).await?;
    let version = build_info(door, "api/v1/status/buildinfo").await;
    Ok(Good {
        note: (answer.status != "success").then(|| "a trivial query fails; read its log".into()),
        ..good(&reply, version)
    })
}

/// Alerts are what is read later; the status may be open to everybody, or to fewer.
async fn alertmanager(door: &Door) -> Result<Good, SourceError> {
    let none = [
        ("active", "false"),
        ("silenced", "false"),
        ("inhibited", "false"),
    ];
    let (_, reply): (Vec<IgnoredAny>, Reply) = door.get_json("api/v2/alerts", &none).await?;
    let status: Option<(Status, Reply)> = door.get_json("api/v2/status", &[]).await.ok();
    let version = status.and_then(|(status, _)| status.version_info);
    Ok(good(&reply, version.and_then(|v| v.version)))
}

/// The list of labels shows whether sign-in and tenant are right; `/ready` is open to everybody.
async fn loki(door: &Door) -> Result<Good, SourceError> {
    let reply = match door.get("loki/api/v1/labels", &[]).await {
        Ok(reply) => reply,
        // "Ingester not ready" explains more than the failed query does.
        Err(error) if error.kind() == FaultKind::Server => {
            door.get("ready", &[]).await?;
            return Err(error);
        }
        Err(error) => return Err(error),
    };
    let version = build_info(door, "loki/api/v1/status/buildinfo").await;
    Ok(good(&reply, version))
}

async fn tempo(door: &Door) -> Result<Good, SourceError> {
    let reply = tempo::sign_of_life(door).await?;
    Ok(good(&reply, tempo::version(door).await))
}

async fn exporter(door: &Door) -> Result<Good, SourceError> {
    let reply = door
        .get_partial("", "text/plain;version=0.0.4, */*;q=0.1")
        .await?;
    let lines = String::from_utf8_lossy(&reply.body)
        .lines()
        .filter(|l| !l.trim().is_empty() && !l.starts_with('#'))
        .count();
    let note = match lines {
        0 => Some("the page holds no metric; check the path, often /metrics".to_owned()),
        _ if !reply.complete => Some("the page was cut; the exporter or a proxy broke off".into()),
        _ => None,
    };
    Ok(Good {
        note,
        ..good(&reply, None)
    })
}

/// What it publishes; its states are told to those alone who subscribed.
async fn clock_events(door: &Door) -> Result<Good, SourceError> {
    let found = published(door, None).await?;
    let version = format!("API {}", found.api.word());
    Ok(good(&found.reply, Some(version)))
}

async fn agent(door: &Door, wanted: Option<String>) -> Result<Good, SourceError> {
    #[derive(Deserialize)]
    struct Models {
        #[serde(default)]
        data: Vec<Model>,
    }
    #[derive(Deserialize)]
    struct Model {
        id: String,
    }
    let (models, reply): (Models, Reply) = door.get_json("v1/models", &[]).await?;
    let names: Vec<String> = models.data.iter().map(|m| clean(&m.id, 120)).collect();
    let note = match wanted {
        _ if names.is_empty() => Some("the server offers no model".to_owned()),
        Some(wanted) if !names.contains(&wanted) => Some(format!(
            "model {wanted} is not offered; there is {}",
            names.join(", ")
        )),
        _ => None,
    };
    let version = build_info(door, "version").await;
    Ok(Good {
        note,
        ..good(&reply, version)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_is_probed() {
        let text = r#"
            [[clusters]]
            name = "alpha"
            kube = { context = "alpha" }
            nvidia_smi = true
            prometheus = { url = "http://127.0.0.1:1" }
            alertmanager = { url = "http://127.0.0.1:1" }
            loki = { url = "http://127.0.0.1:1" }
            tempo = { url = "http://127.0.0.1:1" }
            nats = { url = "nats://127.0.0.1:1" }
            exporters = [{ url = "http://127.0.0.1:1/a" }, { url = "http://127.0.0.1:1/b" }]
            ptp_events = [{ url = "http://127.0.0.1:1" }]
            [watch]
            webhook = [{ url = "http://127.0.0.1:1/api/v2/alerts" }, { url = "http://127.0.0.1:1/x" }]
            remote_write = { url = "http://127.0.0.1:1/api/v1/write" }
            [agent]
            url = "http://127.0.0.1:1/v1"
            [[mcp]]
            name = "tickets"
            command = ["tickets-mcp"]
        "#;
        let config =
            crate::config::load::parse(text, std::path::Path::new("/x/c.toml")).expect("valid");
        let sources: Vec<String> = all(&config).into_iter().map(|p| p.source).collect();
        assert_eq!(
            sources,
            [
                "kubernetes",
                "nvidia-smi",
                "prometheus",
                "alertmanager",
                "loki",
                "tempo",
                "exporter 1",
                "exporter 2",
                "ptp-events 1",
                "nats",
                "agent",
                "mcp tickets",
                "webhook"
            ]
        );
        let untried = outlets::untried(&config);
        let untried: Vec<&str> = untried.iter().map(|row| row.source.as_str()).collect();
        assert_eq!(untried, ["webhook 2", "remote_write"]);
    }
}

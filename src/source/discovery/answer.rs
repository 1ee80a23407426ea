//! Asks an endpoint whether it is what it was taken for; gives its version.

use serde::Deserialize;

use crate::model::discovery::Component;
use crate::model::fault::FaultKind;
use crate::model::text::clean;
use crate::source::alertmanager::Gossip;
use crate::source::door::{Door, Reply, SourceError};
use crate::source::error::Cause;

/// Components that are not asked: what they speak is not HTTP, or Prometheus alone may ask them.
pub fn is_asked(component: Component, port: u16) -> bool {
    match component {
        Component::PtpExporter | Component::SriovExporter => false,
        Component::Nats => port == 8222,
        _ => true,
    }
}

/// What it said of itself.
#[derive(Debug, Default)]
pub struct Told {
    pub version: Option<String>,
    /// Things that only it and its replicas say: two ways to the same share one.
    pub marks: Vec<String>,
}

/// One or two requests.
pub async fn ask(component: Component, door: &Door) -> Result<Told, SourceError> {
    let mut marks = Vec::new();
    let version = match component {
        Component::Prometheus | Component::Thanos => prometheus(door).await?,
        Component::Alertmanager => {
            let told = alertmanager(door).await?;
            marks = told.marks;
            told.version
        }
        Component::Loki => loki(door).await?,
        Component::Tempo => tempo(door).await?,
        Component::Nats => nats(door).await?,
        Component::Dcgm => metrics(door, &["DCGM_FI_", "dcgm_"]).await?,
        Component::AmdExporter => metrics(door, &["gpu_", "amd_gpu_"]).await?,
        Component::Vllm => metrics(door, &["vllm:"]).await?,
        _ => None,
    };
    let version = version.map(|v| clean(&v, 60)).filter(|v| !v.is_empty());
    Ok(Told { version, marks })
}

#[derive(Deserialize)]
struct Build {
    version: Option<String>,
    data: Option<Version>,
}

#[derive(Deserialize)]
struct Version {
    version: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    status: String,
}

/// A query is what will be asked later; the build information may be open to everybody, or closed.
async fn prometheus(door: &Door) -> Result<Option<String>, SourceError> {
    const PATH: &str = "api/v1/status/buildinfo";
    let query = [("query", "vector(1)")];
    let (answer, _): (Status, Reply) = door.get_json("api/v1/query", &query).await?;
    if answer.status != "success" {
        return Err(stranger(door, "api/v1/query", "a trivial query fails"));
    }
    let build = door.get_json::<Build>(PATH, &[]).await;
    Ok(build.ok().and_then(|(b, _)| b.data.and_then(|d| d.version)))
}

async fn alertmanager(door: &Door) -> Result<Told, SourceError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        version_info: Version,
        /// When it started, to the millisecond.
        #[serde(default)]
        uptime: String,
        #[serde(default)]
        cluster: Gossip,
    }
    let (told, _): (Status, Reply) = door.get_json("api/v2/status", &[]).await?;
    let started = Some(clean(&told.uptime, 60)).filter(|text| !text.is_empty());
    Ok(Told {
        version: told.version_info.version,
        marks: started.into_iter().chain(told.cluster.names()).collect(),
    })
}

/// The labels show whether sign-in and tenant are right; `/ready` is open to everybody.
async fn loki(door: &Door) -> Result<Option<String>, SourceError> {
    let (answer, _): (Status, Reply) = door.get_json("loki/api/v1/labels", &[]).await?;
    if answer.status != "success" {
        return Err(stranger(door, "loki/api/v1/labels", "no list of labels"));
    }
    let build = door.get_json::<Build>("loki/api/v1/status/buildinfo", &[]);
    Ok(build.await.ok().and_then(|(build, _)| build.version))
}

/// Not `/ready`: everything has that.
async fn tempo(door: &Door) -> Result<Option<String>, SourceError> {
    let version = || async {
        let told = door.get_json::<Build>("api/status/buildinfo", &[]).await?;
        Ok(told.0.version)
    };
    match door.get("api/echo", &[]).await {
        Ok(reply) if reply.body.trim_ascii() == b"echo" => {
            let told: Result<_, SourceError> = version().await;
            Ok(told.ok().flatten())
        }
        Ok(_) => Err(stranger(door, "api/echo", "it does not echo")),
        Err(error) if error.kind() == FaultKind::NotFound => version().await,
        Err(error) => Err(error),
    }
}

async fn nats(door: &Door) -> Result<Option<String>, SourceError> {
    #[derive(Deserialize)]
    struct Told {
        version: Option<String>,
        #[serde(rename = "server_id")]
        _server: String,
    }
    let (told, _): (Told, Reply) = door.get_json("varz", &[]).await?;
    Ok(told.version)
}

/// The page holds a metric whose name begins so.
async fn metrics(door: &Door, names: &[&str]) -> Result<Option<String>, SourceError> {
    let reply = door.get_partial("", "text/plain;version=0.0.4").await?;
    let page = String::from_utf8_lossy(&reply.body);
    let named = |line: &str| names.iter().any(|name| line.starts_with(name));
    match page.lines().any(named) {
        true => Ok(None),
        false => Err(stranger(door, "", "its page holds no such metrics")),
    }
}

fn stranger(door: &Door, path: &str, what: &str) -> SourceError {
    door.error(path, Cause::Payload(what.to_owned()))
}

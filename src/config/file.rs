//! The configuration file as it is written: one struct a table, unknown keys refused.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::several::Several;
use super::signal::{MetricEdit, SignalEdit};
use crate::model::identity::Role;
use crate::model::persona::Persona;
use crate::model::sensitivity::Sensitivity;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    #[serde(default)]
    pub clusters: Vec<Cluster>,
    pub kubeconfig: Option<Contexts>,
    pub agent: Option<Spanned<super::agent::Written>>,
    #[serde(default)]
    pub mcp: Vec<Spanned<super::mcp::Written>>,
    #[serde(default)]
    pub ui: Ui,
    pub roles: Option<Roles>,
    #[serde(default)]
    pub actions: Actions,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub archive: Archive,
    #[serde(default)]
    pub alerts: Alerts,
    #[serde(default)]
    pub signals: Vec<Spanned<SignalEdit>>,
    #[serde(default)]
    pub metrics: Vec<MetricEdit>,
    #[serde(default)]
    pub queries: Vec<Spanned<Query>>,
    #[serde(default)]
    pub dpdk: super::dpdk::Dpdk,
    #[serde(default)]
    pub sensitivity: Vec<Spanned<Sensitivity>>,
    #[serde(default)]
    pub personas: Vec<Spanned<Persona>>,
    #[serde(default)]
    pub runbooks: Runbooks,
    pub team: Option<super::team::Written>,
    #[serde(default)]
    pub watch: super::watch::Written,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(expecting = "a table: write `runbooks = { folder = \"PATH\" }`")]
pub struct Runbooks {
    pub folder: Option<String>,
}

/// A query kept under a name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    pub name: String,
    pub query: String,
    #[serde(default, deserialize_with = "super::word::word")]
    pub language: super::QueryLanguage,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    pub name: Spanned<String>,
    #[serde(rename = "type", default, deserialize_with = "super::word::given")]
    pub kind: Option<Kind>,
    pub environment: Option<String>,
    pub region: Option<String>,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// For every endpoint of the cluster that sets none of its own.
    pub interval: Option<Span>,
    pub timeout: Option<Span>,
    pub kube: Option<Kube>,
    pub discover: Option<Spanned<bool>>,
    #[serde(default)]
    pub discover_namespaces: Vec<Spanned<String>>,
    pub prometheus: Option<Spanned<Endpoint>>,
    #[serde(default)]
    pub alertmanager: Several,
    pub loki: Option<Spanned<Endpoint>>,
    pub tempo: Option<Spanned<Endpoint>>,
    #[serde(default)]
    pub exporters: Vec<Spanned<Endpoint>>,
    pub edge: Option<Spanned<super::edge::Written>>,
    #[serde(default)]
    pub ptp_events: Vec<Spanned<Endpoint>>,
    pub nats: Option<Spanned<super::nats::Written>>,
    pub log_selector: Option<String>,
    pub roles: Option<Roles>,
    pub actions: Option<bool>,
    pub nvidia_smi: Option<Spanned<bool>>,
    #[serde(default)]
    pub nvidia_smi_namespaces: Vec<Spanned<String>>,
}

/// Groups that make an admin or an operator, and what everybody else is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(expecting = "a table: write `roles = { operator = [\"GROUP\"] }`")]
pub struct Roles {
    pub admin: Option<Vec<String>>,
    pub operator: Option<Vec<String>>,
    #[serde(default, deserialize_with = "super::word::given")]
    pub default: Option<Role>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(expecting = "a table: write `actions = { enabled = true }`")]
pub struct Actions {
    #[serde(default)]
    pub enabled: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Hub,
    Spoke,
    Edge,
    FarEdge,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(expecting = "a table: write `kubeconfig = { contexts = [\"NAME\"] }`")]
pub struct Contexts {
    #[serde(default)]
    pub files: Vec<String>,
    #[serde(default)]
    pub contexts: Vec<String>,
    #[serde(default)]
    pub except: Vec<String>,
}

/// A context of a kubeconfig, or our own pod, or a server with the keys of an endpoint.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(expecting = "a table: write `kube = { context = \"NAME\" }`")]
pub struct Kube {
    pub context: Option<String>,
    pub kubeconfig: Option<String>,
    #[serde(default)]
    pub in_cluster: bool,
    pub server: Option<Spanned<String>>,
    pub bearer_file: Option<String>,
    pub bearer_command: Option<Vec<String>>,
    pub ca_file: Option<String>,
    pub client_cert_file: Option<String>,
    pub client_key_file: Option<String>,
    pub proxy_url: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(expecting = "a table: write `{ url = \"http://host:port\" }`")]
pub struct Endpoint {
    pub url: Option<Spanned<String>>,
    /// `NAMESPACE/NAME:PORT` in the cluster, instead of a URL.
    pub service: Option<Spanned<String>>,
    /// `NAMESPACE/LABELS:PORT`: pods without a service.
    pub pods: Option<Spanned<String>>,
    pub path: Option<String>,
    pub tls: Option<bool>,
    #[serde(default, deserialize_with = "super::word::given")]
    pub via: Option<Way>,
    #[serde(default, deserialize_with = "super::word::given")]
    pub bearer_from: Option<BearerFrom>,
    pub bearer_file: Option<String>,
    pub bearer_command: Option<Vec<String>>,
    pub user: Option<String>,
    pub password_file: Option<String>,
    pub ca_file: Option<String>,
    pub client_cert_file: Option<String>,
    pub client_key_file: Option<String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub interval: Option<Span>,
    pub timeout: Option<Span>,
    pub requests_per_minute: Option<u32>,
}

/// Through the API server.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    PortForward,
    Proxy,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum BearerFrom {
    Kubeconfig,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ui {
    pub theme: Option<String>,
    pub ascii: Option<bool>,
    pub mouse: Option<bool>,
    pub motion: Option<bool>,
    pub max_fps: Option<Spanned<u32>>,
    pub exports: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub series_memory: Option<Size>,
    pub series_per_cluster: Option<u32>,
    pub retention: Option<Span>,
    pub log_memory: Option<Size>,
    pub events: Option<usize>,
    pub queue: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(expecting = "a table: write `archive = { enabled = true }`")]
pub struct Archive {
    pub enabled: Option<bool>,
    pub file: Option<String>,
    pub keep: Option<Span>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alerts {
    /// Word of the label `severity`, and what it means.
    #[serde(default)]
    pub severity: BTreeMap<String, Spanned<String>>,
}

/// A duration as the operator writes it: digits and one of `s m h d w`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

/// Reads `30s`, `10m`, `2h`, `7d`, `1w`. Zero is no duration.
pub fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit = text.chars().last()?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let seconds = digits.parse::<u64>().ok()?.checked_mul(factor)?;
    // A century: far below what arithmetic on time stamps bears.
    (1..=3_155_760_000)
        .contains(&seconds)
        .then(|| Duration::from_secs(seconds))
}

/// An amount of memory: `512MiB`, `1GiB`, `64 MB`, or bytes as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

pub fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

struct SpanVisitor;

impl Visitor<'_> for SpanVisitor {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as \"30s\", \"10m\" or \"2h\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
        duration(text).map(Span).ok_or_else(|| {
            E::custom("not a duration; write for example \"30s\", \"10m\" or \"2h\"")
        })
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(SpanVisitor)
    }
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount of memory such as \"512MiB\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
        size(text)
            .map(Size)
            .ok_or_else(|| E::custom("not an amount of memory; write for example \"512MiB\""))
    }

    fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<Size, E> {
        u64::try_from(bytes)
            .map(Size)
            .map_err(|_| E::custom("an amount of memory is not negative"))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(SizeVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes() {
        assert_eq!(duration("90s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("2h"), Some(Duration::from_secs(7_200)));
        for wrong in [
            "",
            "s",
            "-1s",
            "1",
            "1.5h",
            "0s",
            "10 m",
            "999999999999999999w",
            "5µ",
        ] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
        assert_eq!(size("512MiB"), Some(512 << 20));
        assert_eq!(size("64 MB"), Some(64_000_000));
        for wrong in ["MiB", "1.5GiB", "12 parsecs", "99999999999999 GiB"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
    }
}

//! What the API server says there is, cut down to what discovery looks at.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::text::clean;

/// A Service that other programs can be reached by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    pub namespace: String,
    pub name: String,
    pub labels: BTreeMap<String, String>,
    /// TCP only.
    pub ports: Vec<Port>,
    pub headless: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Port {
    pub number: u16,
    pub name: String,
    /// The service says itself that it speaks TLS there.
    pub tls: bool,
}

impl Service {
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FrontKind {
    Route,
    Ingress,
}

/// A host name outside of the cluster that leads to a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Front {
    pub kind: FrontKind,
    pub namespace: String,
    pub service: String,
    /// Name or number; empty: the only one.
    pub port: String,
    pub host: String,
    /// Empty or begins with a slash.
    pub path: String,
    pub tls: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Meta {
    name: String,
    namespace: String,
    labels: BTreeMap<String, String>,
}

/// A number or a name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Either {
    Number(u32),
    Text(String),
}

impl Either {
    fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RawService {
    metadata: Meta,
    spec: RawServiceSpec,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawServiceSpec {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "clusterIP")]
    cluster_ip: String,
    ports: Vec<RawPort>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawPort {
    port: u16,
    name: String,
    protocol: String,
    app_protocol: String,
}

impl RawService {
    /// `None`: nothing in the cluster stands behind it, or it has no name that can be asked for.
    pub fn read(self) -> Option<Service> {
        let Meta {
            name,
            namespace,
            labels,
        } = self.metadata;
        if self.spec.kind == "ExternalName" || !is_name(&name) || !is_name(&namespace) {
            return None;
        }
        let tcp = |p: &RawPort| p.port > 0 && (p.protocol.is_empty() || p.protocol == "TCP");
        let ports = self.spec.ports.into_iter().filter(tcp).map(|port| Port {
            number: port.port,
            tls: port.app_protocol.eq_ignore_ascii_case("https"),
            name: port.name,
        });
        Some(Service {
            namespace,
            name,
            labels,
            ports: ports.collect(),
            headless: self.spec.cluster_ip == "None",
        })
    }
}

/// A DNS label.
fn is_name(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(inner)
}

/// A host that a URL can carry.
fn is_host(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    (1..=253).contains(&text.len()) && text.bytes().all(inner)
}

/// A path that is no pattern; the root is empty.
fn plain_path(text: &str) -> Option<String> {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    let path = text.trim_end_matches('/');
    let fits = path.is_empty() || path.starts_with('/') && path.bytes().all(inner);
    fits.then(|| path.to_owned())
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RawRoute {
    metadata: Meta,
    spec: RawRouteSpec,
    status: RawRouteStatus,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawRouteSpec {
    host: String,
    path: String,
    to: RawTarget,
    port: Option<RawRoutePort>,
    tls: Option<serde::de::IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawTarget {
    kind: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRoutePort {
    target_port: Option<Either>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawRouteStatus {
    ingress: Vec<RawAdmission>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawAdmission {
    host: String,
    conditions: Vec<RawCondition>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawCondition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

impl RawRoute {
    /// `None`: no router serves it.
    pub fn read(self) -> Option<Front> {
        let admitted = |a: &&RawAdmission| {
            let mut conditions = a.conditions.iter();
            conditions.any(|c| c.kind == "Admitted" && c.status == "True")
        };
        let admission = self.status.ingress.iter().find(admitted)?;
        let host = match admission.host.as_str() {
            "" => self.spec.host,
            host => host.to_owned(),
        };
        let to = self.spec.to;
        if !is_host(&host) || !matches!(to.kind.as_str(), "" | "Service") {
            return None;
        }
        let port = self.spec.port.and_then(|p| p.target_port);
        Some(Front {
            kind: FrontKind::Route,
            namespace: self.metadata.namespace,
            service: to.name,
            port: port.map(|p| p.text()).unwrap_or_default(),
            path: plain_path(&self.spec.path)?,
            tls: self.spec.tls.is_some(),
            host,
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RawIngress {
    metadata: Meta,
    spec: RawIngressSpec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawIngressSpec {
    tls: Vec<RawIngressTls>,
    rules: Vec<RawRule>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawIngressTls {
    hosts: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawRule {
    host: String,
    http: RawHttp,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawHttp {
    paths: Vec<RawPath>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawPath {
    path: String,
    backend: RawBackend,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawBackend {
    service: RawBackendService,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawBackendService {
    name: String,
    port: RawBackendPort,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawBackendPort {
    name: String,
    number: u16,
}

impl RawIngress {
    /// Its hosts that are named, with paths that are no patterns.
    pub fn read(self) -> Vec<Front> {
        let namespace = self.metadata.namespace;
        let secured: Vec<String> = self.spec.tls.into_iter().flat_map(|t| t.hosts).collect();
        let mut fronts = Vec::new();
        for rule in self.spec.rules.into_iter().filter(|r| is_host(&r.host)) {
            for path in rule.http.paths {
                let (Some(plain), service) = (plain_path(&path.path), path.backend.service) else {
                    continue;
                };
                fronts.push(Front {
                    kind: FrontKind::Ingress,
                    namespace: namespace.clone(),
                    port: match service.port.number {
                        0 => service.port.name,
                        number => number.to_string(),
                    },
                    service: service.name,
                    tls: secured.contains(&rule.host),
                    host: rule.host.clone(),
                    path: plain,
                });
            }
        }
        fronts
    }
}

/// The API groups that are served, each with its preferred version first; aggregated or plain.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RawGroups {
    /// Aggregated.
    items: Vec<RawGroup>,
    /// Plain.
    groups: Vec<RawGroup>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawGroup {
    metadata: Meta,
    name: String,
    versions: Vec<RawVersion>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawVersion {
    version: String,
    /// Aggregated only.
    resources: Vec<RawResource>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawResource {
    resource: String,
}

/// The API groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups(pub BTreeMap<String, Group>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The one that the server prefers.
    pub version: String,
    /// Empty: the server does not tell.
    pub resources: Vec<String>,
}

impl Groups {
    pub fn has(&self, group: &str) -> bool {
        self.0.contains_key(group)
    }

    /// `argoproj.io/v1alpha1`, where the group is there and, as far as the server tells, has the
    /// resource.
    pub fn versioned(&self, group: &str, resource: &str) -> Option<String> {
        let told = self.0.get(group)?;
        let has = told.resources.is_empty() || told.resources.iter().any(|r| r == resource);
        has.then(|| format!("{group}/{}", told.version))
    }
}

impl RawGroups {
    pub fn read(self) -> Groups {
        let all = self.items.into_iter().chain(self.groups);
        let one = |group: RawGroup| {
            let name = match group.metadata.name.is_empty() {
                true => group.name,
                false => group.metadata.name,
            };
            let preferred = group.versions.first().map(|v| clean(&v.version, 63));
            let resources = group.versions.into_iter().flat_map(|v| v.resources);
            let group = Group {
                version: preferred.unwrap_or_default(),
                resources: resources.map(|r| r.resource).collect(),
            };
            (clean(&name, 253), group)
        };
        Groups(all.map(one).collect())
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RawVersionStatus {
    status: RawVersions,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawVersions {
    history: Vec<RawUpdate>,
    desired: RawVersion,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawUpdate {
    state: String,
    version: String,
}

impl RawVersionStatus {
    /// The version that runs: the last update that was completed.
    pub fn read(self) -> Option<String> {
        let mut history = self.status.history.into_iter();
        let done = history.find(|u| u.state == "Completed").map(|u| u.version);
        let version = done.unwrap_or(self.status.desired.version);
        Some(clean(&version, 60)).filter(|v| !v.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn front(json: serde_json::Value) -> Option<Front> {
        serde_json::from_value::<RawRoute>(json).unwrap().read()
    }

    #[test]
    fn routes_count_once_a_router_serves_them() {
        let mut route = serde_json::json!({
            "metadata": {"namespace": "openshift-monitoring", "name": "thanos-querier"},
            "spec": {"host": "a.example.org", "path": "/api", "port": {"targetPort": "web"},
                "tls": {"termination": "reencrypt"}, "to": {"kind": "Service", "name": "thanos-querier"}},
            "status": {"ingress": [{"host": "b.example.org",
                "conditions": [{"type": "Admitted", "status": "True"}]}]},
        });
        let read = front(route.clone()).unwrap();
        assert_eq!(
            (read.host.as_str(), read.path.as_str(), read.port.as_str()),
            ("b.example.org", "/api", "web")
        );
        assert!(read.tls && read.service == "thanos-querier");
        route["status"]["ingress"][0]["conditions"][0]["status"] = "False".into();
        assert_eq!(front(route), None);
        assert_eq!(front(serde_json::json!({})), None);
    }

    #[test]
    fn ingresses_without_patterns() {
        let path = |path: &str| {
            serde_json::json!({"path": path, "backend": {"service":
                {"name": "prometheus", "port": {"number": 9090}}}})
        };
        let ingress = serde_json::json!({
            "metadata": {"namespace": "monitoring"},
            "spec": {"tls": [{"hosts": ["m.example.org"]}], "rules": [
                {"host": "m.example.org", "http": {"paths": [path("/prom/"), path("/x(/|$)(.*)")]}},
                {"host": "*.example.org", "http": {"paths": [path("/")]}},
                {"http": {"paths": [path("/")]}},
                {"host": "n.example.org", "http": {"paths": [path("/")]}}]},
        });
        let read = serde_json::from_value::<RawIngress>(ingress)
            .unwrap()
            .read();
        let told: Vec<_> = read
            .iter()
            .map(|f| (f.host.as_str(), f.path.as_str(), f.port.as_str(), f.tls))
            .collect();
        assert_eq!(
            told,
            [
                ("m.example.org", "/prom", "9090", true),
                ("n.example.org", "", "9090", false)
            ]
        );
    }

    #[test]
    fn groups_in_both_layouts() {
        let read = |name: &str| {
            let bytes = std::fs::read(format!("tests/fixtures/kube/{name}")).unwrap();
            serde_json::from_slice::<RawGroups>(&bytes).unwrap().read()
        };
        let (aggregated, plain) = (read("apis_aggregated_discovery.json"), read("apis.json"));
        assert!(aggregated.0.keys().eq(plain.0.keys()));
        for groups in [&aggregated, &plain] {
            assert_eq!(
                groups.versioned("argoproj.io", "applications").as_deref(),
                Some("argoproj.io/v1alpha1")
            );
        }
        assert_eq!(aggregated.versioned("argoproj.io", "workflows"), None);
        assert!(!plain.has("config.openshift.io"));
    }

    #[test]
    fn services_that_can_be_asked() {
        let service = serde_json::json!({
            "metadata": {"namespace": "m", "name": "p", "labels": {"app": "x"}},
            "spec": {"clusterIP": "None", "ports": [
                {"name": "web", "port": 9090, "appProtocol": "HTTPS"},
                {"name": "gossip", "port": 9094, "protocol": "UDP"}]},
        });
        let read = |json| serde_json::from_value::<RawService>(json).unwrap().read();
        let told = read(service.clone()).unwrap();
        assert!(told.headless && told.ports.len() == 1 && told.ports[0].tls);
        let mut elsewhere = service.clone();
        elsewhere["spec"]["type"] = "ExternalName".into();
        assert_eq!(read(elsewhere), None);
        let mut hostile = service;
        hostile["metadata"]["name"] = "../../secrets".into();
        assert_eq!(read(hostile), None);
    }

    #[test]
    fn the_version_that_runs() {
        let text = serde_json::json!({"status": {"desired": {"version": "4.19.2"}, "history": [
            {"state": "Partial", "version": "4.19.2"}, {"state": "Completed", "version": "4.18.9"}]}});
        let read: RawVersionStatus = serde_json::from_value(text).unwrap();
        assert_eq!(read.read().as_deref(), Some("4.18.9"));
    }
}

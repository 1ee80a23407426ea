//! Host names outside of a cluster that lead into it: Routes of OpenShift, and Ingresses.

use serde::Deserialize;

use super::offer::Meta;

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
}

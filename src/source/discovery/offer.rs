//! Services, API groups and versions as the API server tells them, cut down to what discovery
//! looks at.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::config::name::is_label;
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

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Meta {
    pub name: String,
    pub namespace: String,
    labels: BTreeMap<String, String>,
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
        if self.spec.kind == "ExternalName" || !is_label(&name) || !is_label(&namespace) {
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

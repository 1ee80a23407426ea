//! `/version`, `/api` and `/apis`: plain and aggregated.

use serde_json::{Value, json};

use super::store::Resource;
use super::wire::{self, Request};
use super::{Inner, Options, answer::JSON};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const VERBS: [&str; 8] = [
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];

pub fn version(options: &Options) -> Value {
    let mut body: Value = serde_json::from_slice(&wire::fixture("kube/version.json")).unwrap();
    if let Some(version) = &options.version {
        body["gitVersion"] = version.clone().into();
        let minor = version.split('.').nth(1).unwrap_or_default();
        body["minor"] = minor.into();
        body["emulationMinor"] = minor.into();
    }
    body
}

/// The answer and its content type; `None`: not a path of discovery.
pub fn answer(inner: &Inner, request: &Request) -> Option<(Value, &'static str)> {
    let path = request.path.trim_end_matches('/');
    let accept = request.header("accept").unwrap_or_default();
    let aggregated = inner.options.aggregated && accept.contains("as=APIGroupDiscoveryList");
    let store = inner.store.lock().unwrap();
    let installed = store.resources.iter().filter(|r| r.installed);
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts.as_slice() {
        ["api"] if aggregated => {
            let core: Vec<&Resource> = installed.filter(|r| r.group.is_empty()).collect();
            Some((groups(&core), AGGREGATED))
        }
        ["apis"] if aggregated => {
            let others: Vec<&Resource> = installed.filter(|r| !r.group.is_empty()).collect();
            Some((groups(&others), AGGREGATED))
        }
        ["api"] => {
            let body = json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []});
            Some((body, JSON))
        }
        ["apis"] => {
            let others: Vec<&Resource> = installed.filter(|r| !r.group.is_empty()).collect();
            Some((plain(&others), JSON))
        }
        ["api", version] => {
            let of: Vec<&Resource> = installed
                .filter(|r| r.group.is_empty() && r.version == *version)
                .collect();
            Some((resources(&of)?, JSON))
        }
        ["apis", group, version] => {
            let of: Vec<&Resource> = installed
                .filter(|r| r.group == *group && r.version == *version)
                .collect();
            Some((resources(&of)?, JSON))
        }
        _ => None,
    }
}

/// In the order they first appear, each once.
fn names(of: &[&Resource]) -> Vec<(String, String)> {
    let mut names = Vec::new();
    for resource in of {
        let name = (resource.group.clone(), resource.version.clone());
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn groups(of: &[&Resource]) -> Value {
    let one = |resource: &&&Resource| {
        json!({
            "resource": resource.plural,
            "responseKind": {"group": "", "version": "", "kind": resource.kind},
            "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
            "singularResource": resource.kind.to_lowercase(),
            "verbs": VERBS,
        })
    };
    let items: Vec<Value> = names(of)
        .iter()
        .map(|(group, version)| {
            let ours = of.iter().filter(|r| r.group == *group && r.version == *version);
            let resources: Vec<Value> = ours.map(|r| one(&r)).collect();
            json!({"metadata": {"name": group}, "versions": [{"version": version, "resources": resources, "freshness": "Current"}]})
        })
        .collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

fn plain(of: &[&Resource]) -> Value {
    let groups: Vec<Value> = names(of)
        .iter()
        .map(|(group, version)| {
            let named = json!({"groupVersion": format!("{group}/{version}"), "version": version});
            json!({"name": group, "versions": [named], "preferredVersion": named})
        })
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

fn resources(of: &[&Resource]) -> Option<Value> {
    let version = of.first()?.api_version();
    let resources: Vec<Value> = of
        .iter()
        .map(|r| json!({"name": r.plural, "singularName": r.kind.to_lowercase(), "namespaced": r.namespaced, "kind": r.kind, "verbs": VERBS}))
        .collect();
    Some(
        json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}),
    )
}

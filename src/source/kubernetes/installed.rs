//! Which resources the server has: one request for all of them, with an ETag.

use std::collections::HashMap;
use std::sync::Arc;

use http::header::{ACCEPT, ETAG, HeaderValue, IF_NONE_MATCH};
use serde::Deserialize;

use super::Cluster;
use super::call::{Call, Refused};
use super::kinds::Kind;

/// Aggregated discovery (since 1.26), its first version, or only the names of the groups.
const WANTED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// What is known of it; nothing at first.
#[derive(Clone, Debug, Default)]
pub struct Installed {
    /// Rises with every look, also one that was refused.
    pub looks: u64,
    groups: Option<Arc<Groups>>,
    etag: Option<HeaderValue>,
}

/// Versions of each resource by group and plural, the preferred first; where the server names
/// only groups, their versions stand under an empty plural.
type Groups = HashMap<(String, String), Vec<String>>;

impl Installed {
    /// The version to ask for; `None`: it is not there. Where nobody knows, it is tried.
    pub fn version(&self, kind: &Kind) -> Option<String> {
        let Some(groups) = &self.groups else {
            return Some(kind.version.to_owned());
        };
        let find = |plural: &str| groups.get(&(kind.group.to_owned(), plural.to_owned()));
        let versions = find(kind.plural).or_else(|| find(""))?;
        let ours = versions.iter().find(|v| *v == kind.version);
        ours.or(versions.first()).cloned()
    }

    /// The server itself says that it is there.
    pub fn has(&self, kind: &Kind) -> bool {
        let key = (kind.group.to_owned(), kind.plural.to_owned());
        self.groups.as_ref().is_some_and(|g| g.contains_key(&key))
    }

    /// Looks again. A refusal leaves what was known.
    pub async fn look(&mut self, cluster: &Cluster) -> Result<(), Refused> {
        self.looks += 1;
        let call = Call {
            cluster,
            doing: "discover resources",
        };
        let mut request = http::Request::get("/apis")
            .body(Vec::new())
            .map_err(kube::core::request::Error::BuildRequest);
        if let Ok(request) = &mut request {
            let headers = request.headers_mut();
            headers.insert(ACCEPT, HeaderValue::from_static(WANTED));
            if let Some(etag) = &self.etag {
                headers.insert(IF_NONE_MATCH, etag.clone());
            }
        }
        let answer = call.send(request).await?;
        if answer.status().as_u16() == 304 {
            return Ok(());
        }
        let etag = answer.headers().get(ETAG).cloned();
        let body = call.body(answer.into_body()).await?;
        let groups = read(&body).ok_or_else(|| call.unreadable("it is no list of groups"))?;
        self.groups = Some(Arc::new(groups));
        self.etag = etag;
        Ok(())
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    kind: String,
    items: Vec<Item>,
    groups: Vec<Group>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    metadata: Named,
    versions: Vec<Version>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Version {
    version: String,
    resources: Vec<Resource>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resource {
    resource: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Group {
    name: String,
    versions: Vec<Version>,
}

/// Pure: from the body to the versions.
fn read(body: &[u8]) -> Option<Groups> {
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let mut groups = Groups::new();
    match answer.kind.as_str() {
        "APIGroupDiscoveryList" => {
            for item in answer.items {
                for version in item.versions {
                    for resource in version.resources {
                        let key = (item.metadata.name.clone(), resource.resource);
                        groups.entry(key).or_default().push(version.version.clone());
                    }
                }
            }
        }
        "APIGroupList" => {
            for group in answer.groups {
                let versions = group.versions.into_iter().map(|v| v.version);
                groups.insert((group.name, String::new()), versions.collect());
            }
        }
        _ => return None,
    }
    Some(groups)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::kinds::KINDS;
    use super::*;
    use crate::model::object::ObjectKind;
    use crate::source::hostile::{cut, spoilt};

    fn kind(object: ObjectKind) -> &'static Kind {
        KINDS.iter().find(|k| k.object == object).unwrap()
    }

    fn of(file: &str) -> Installed {
        let body = std::fs::read(format!("tests/fixtures/kube/{file}")).unwrap();
        Installed {
            groups: Some(Arc::new(read(&body).unwrap())),
            ..Installed::default()
        }
    }

    #[test]
    fn the_recorded_server_has_what_it_says() {
        let installed = of("apis_aggregated_discovery.json");
        assert!(installed.has(kind(ObjectKind::Deployment)));
        let version = installed.version(kind(ObjectKind::Application));
        assert_eq!(version.as_deref(), Some("v1alpha1"));
        assert_eq!(installed.version(kind(ObjectKind::ClusterVersion)), None);
        // Only groups: what they hold is tried.
        let installed = of("apis.json");
        assert!(!installed.has(kind(ObjectKind::Application)));
        let version = installed.version(kind(ObjectKind::Application));
        assert_eq!(version.as_deref(), Some("v1alpha1"));
        assert_eq!(installed.version(kind(ObjectKind::ClusterVersion)), None);
    }

    #[test]
    fn another_version_is_taken_where_ours_is_not_served() {
        let body = br#"{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"helm.toolkit.fluxcd.io"},"versions":[{"version":"v2beta2","resources":[{"resource":"helmreleases"}]}]}]}"#;
        let installed = Installed {
            groups: Some(Arc::new(read(body).unwrap())),
            ..Installed::default()
        };
        let version = installed.version(kind(ObjectKind::HelmRelease));
        assert_eq!(version.as_deref(), Some("v2beta2"));
    }

    proptest! {
        #[test]
        fn whatever_is_told_is_read_or_not(
            bad in prop::sample::select(vec!["apis_aggregated_discovery.json", "apis.json"])
                .prop_flat_map(|file| spoilt(&document(file))),
        ) {
            if let Some(groups) = read(bad.to_string().as_bytes()) {
                let installed = Installed {
                    groups: Some(Arc::new(groups)),
                    ..Installed::default()
                };
                for kind in &KINDS {
                    let version = installed.version(kind);
                    prop_assert!(version.is_some() || !installed.has(kind));
                }
            }
        }

        #[test]
        fn half_an_answer_is_none(bad in cut(&document("apis.json"))) {
            prop_assert!(read(&bad).is_none());
        }
    }

    fn document(file: &str) -> serde_json::Value {
        let body = std::fs::read(format!("tests/fixtures/kube/{file}")).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    #[test]
    fn strangers_are_not_believed() {
        for body in ["", "{}", "[]", r#"{"kind":"Status"}"#, "<html>"] {
            assert!(read(body.as_bytes()).is_none(), "{body}");
        }
    }
}

//! Whatever the API server tells of groups, Services and fronts: read or left out, and what comes
//! of it can be asked for and shown.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::text::is_unsafe;
use crate::source::hostile::{cut, spoilt};
use front::{Front, RawIngress, RawRoute};
use offer::{Groups, RawGroups, RawService, RawVersionStatus, Service};
use pick::pick;

fn service() -> Value {
    json!({"metadata": {"namespace": "monitoring", "name": "prometheus-k8s",
            "labels": {"app.kubernetes.io/name": "prometheus", "app.kubernetes.io/version": "3.5.0"}},
        "spec": {"type": "ClusterIP", "clusterIP": "10.0.0.9", "ports": [
            {"name": "web", "port": 9090, "protocol": "TCP", "appProtocol": "http"}]}})
}

fn route() -> Value {
    json!({"metadata": {"namespace": "monitoring", "name": "r"},
        "spec": {"host": "a.example.org", "path": "/prom", "port": {"targetPort": "web"},
            "tls": {"termination": "edge"}, "to": {"kind": "Service", "name": "prometheus-k8s"}},
        "status": {"ingress": [{"host": "a.example.org",
            "conditions": [{"type": "Admitted", "status": "True"}]}]}})
}

fn ingress() -> Value {
    json!({"metadata": {"namespace": "monitoring", "name": "i"},
        "spec": {"tls": [{"hosts": ["b.example.org"]}], "rules": [{"host": "b.example.org",
            "http": {"paths": [{"path": "/prom", "backend": {"service":
                {"name": "prometheus-k8s", "port": {"number": 9090}}}}]}}]}})
}

fn groups() -> impl Strategy<Value = Value> {
    let files = ["apis_aggregated_discovery.json", "apis.json"].map(|file| {
        let body = std::fs::read(format!("tests/fixtures/kube/{file}")).unwrap();
        serde_json::from_slice(&body).unwrap()
    });
    prop::sample::select(files.to_vec())
}

fn read<T: serde::de::DeserializeOwned>(json: &Value) -> Option<T> {
    serde_json::from_str(&json.to_string()).ok()
}

fn services(json: &Value) -> Vec<Service> {
    let raw = read::<RawService>(json);
    raw.and_then(RawService::read).into_iter().collect()
}

fn fronts(route: &Value, ingress: &Value) -> Vec<Front> {
    let one = read::<RawRoute>(route).and_then(RawRoute::read);
    let more = read::<RawIngress>(ingress).map(RawIngress::read);
    one.into_iter().chain(more.into_iter().flatten()).collect()
}

/// Everything that would be asked for: a URL each, without a byte that a screen must not get.
fn asked(services: &[Service], fronts: &[Front]) -> usize {
    let cluster = config::Cluster::default();
    let mut count = 0;
    for component in Component::ALL {
        for candidate in pick(component, services, false) {
            assert!(!candidate.place().contains(is_unsafe), "{candidate:?}");
            assert!(candidate.port > 0 && !candidate.paths.is_empty());
            let version = candidate.version.as_deref().unwrap_or_default();
            assert!(
                !version.contains(is_unsafe) && version.len() <= 200,
                "{version}"
            );
            for endpoint in ways::ways(&candidate, fronts, &cluster).iter().flatten() {
                assert!(reqwest::Url::parse(&endpoint.url).is_ok(), "{endpoint:?}");
                assert!(!endpoint.url.contains(is_unsafe), "{endpoint:?}");
                count += 1;
            }
        }
    }
    count
}

#[test]
fn what_is_good_is_asked_by_every_way() {
    let fronts = fronts(&route(), &ingress());
    assert_eq!(fronts.len(), 2);
    assert!(asked(&services(&service()), &fronts) >= 4);
}

proptest! {
    #[test]
    fn spoilt_services_and_fronts(
        service in spoilt(&service()), route in spoilt(&route()), ingress in spoilt(&ingress()),
    ) {
        asked(&services(&service), &fronts(&route, &ingress));
        asked(&services(&self::service()), &fronts(&route, &ingress));
    }

    #[test]
    fn spoilt_groups(bad in groups().prop_flat_map(|good| spoilt(&good))) {
        let groups = read::<RawGroups>(&bad).map(RawGroups::read);
        for (name, group) in &groups.as_ref().map_or(&Groups::default(), |g| g).0 {
            prop_assert!(!name.contains(is_unsafe) && !group.version.contains(is_unsafe));
            prop_assert!(name.len() <= 300 && group.version.len() <= 100);
        }
        for component in Component::ALL {
            let found = installed::installed(component, &groups.clone().unwrap_or_default(), &[]);
            let place = found.and_then(|found| found.place).unwrap_or_default();
            prop_assert!(!place.contains(is_unsafe), "{}", place);
        }
    }

    #[test]
    fn half_of_the_groups_is_none(bad in groups().prop_flat_map(|good| cut(&good))) {
        prop_assert!(serde_json::from_slice::<RawGroups>(&bad).is_err());
    }

    #[test]
    fn spoilt_versions(bad in spoilt(&json!({"status": {"desired": {"version": "4.19.2"},
        "history": [{"state": "Completed", "version": "4.18.9"}]}}))) {
        let version = read::<RawVersionStatus>(&bad).and_then(RawVersionStatus::read);
        let version = version.unwrap_or_default();
        prop_assert!(!version.contains(is_unsafe) && version.len() <= 100, "{}", version);
    }
}

//! Whatever JSON comes in: no reader panics, and what it keeps is clean and bounded.

use proptest::prelude::*;
use serde_json::json;

use super::{Read, items};
use crate::source::hostile::{cut, spoilt};
use crate::source::kubernetes::kinds::KINDS;

const FILES: [&str; 18] = [
    "kube/nodes.json",
    "kube/pods_shop.json",
    "kube/events_shop.json",
    "kube/deployments_shop.json",
    "kube/sriov_nodestates.json",
    "kube/argo_applications.json",
    "kube/flux_kustomizations.json",
    "kube/flux_helmreleases.json",
    "kube/kserve_inferenceservices.json",
    "crds/argocd_application_outofsync_degraded.json",
    "crds/flux_failed.json",
    "crds/flux_ready.json",
    "crds/kserve.json",
    "crds/openshift_clusteroperators.json",
    "crds/openshift_clusterversion.json",
    "crds/ptp.json",
    "crds/sriov_networks.json",
    "crds/sriov_policies.json",
];

/// The first objects of each file.
fn recorded() -> impl Strategy<Value = serde_json::Value> {
    let all = FILES
        .iter()
        .flat_map(|file| items(file).into_iter().take(2));
    prop::sample::select(all.collect::<Vec<_>>())
}

fn readers() -> Vec<Read> {
    KINDS.iter().map(|k| k.read as Read).collect()
}

fn keeps_clean(read: Read, json: &[u8]) {
    let Some(object) = read(json) else { return };
    let kept = serde_json::to_string(&object).unwrap();
    assert!(
        !kept.contains("\\u001b") && !kept.contains("\\u0000"),
        "{kept}"
    );
    assert!(!kept.contains('\u{202e}'), "{kept}");
    assert!(kept.len() < json.len() + 20_000, "grew to {}", kept.len());
    assert!(
        !kept.contains(&"x".repeat(2_000)),
        "kept a text without end"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn spoilt_objects(object in recorded().prop_flat_map(|object| spoilt(&object))) {
        let json = object.to_string();
        for read in readers() {
            keeps_clean(read, json.as_bytes());
        }
    }

    #[test]
    fn cut_objects(json in recorded().prop_flat_map(|object| cut(&object))) {
        for read in readers() {
            prop_assert_eq!(read(&json), None);
        }
    }
}

#[test]
fn nested_without_end() {
    let deep = format!("{}{}", r#"{"metadata":{"name":"#.repeat(10_000), "1");
    for read in readers() {
        assert_eq!(read(deep.as_bytes()), None);
    }
}

#[test]
fn every_kind_reads_its_least_object() {
    for kind in &KINDS {
        let least = json!({"metadata": {"name": "a", "namespace": "b", "creationTimestamp": "2026-11-21T02:46:52Z"}});
        let object = (kind.read)(least.to_string().as_bytes()).expect(kind.plural);
        let key = object.key();
        assert_eq!(key.kind, kind.object);
        assert_eq!(
            &*key.namespace,
            if kind.namespaced { "b" } else { "" },
            "{}",
            kind.plural
        );
    }
}

//! Whatever JSON comes in: no reader panics, and what it keeps is clean and bounded.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Read, items};
use crate::source::kubernetes::kinds::KINDS;

const FILES: [&str; 16] = [
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
];

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!("\u{1b}[31m\u{202e}\0evil\n")),
        Just(json!("9".repeat(400))),
        Just(json!("x".repeat(100_000))),
        Just(json!(-1)),
        Just(json!(u64::MAX)),
        Just(json!(1e308)),
        Just(json!([])),
        Just(json!({})),
        Just(json!([null, {}, [], "a", 7])),
        Just(json!(true)),
        "\\PC{0,20}".prop_map(Value::from),
    ]
}

/// Puts a value at the n-th place of the tree, counted over all.
fn spoil(tree: &mut Value, n: &mut usize, with: &Value) {
    if *n == 0 {
        *tree = with.clone();
    }
    *n = n.wrapping_sub(1);
    match tree {
        Value::Object(fields) => fields.values_mut().for_each(|v| spoil(v, n, with)),
        Value::Array(list) => list.iter_mut().for_each(|v| spoil(v, n, with)),
        _ => {}
    }
}

fn places(tree: &Value) -> usize {
    1 + match tree {
        Value::Object(fields) => fields.values().map(places).sum(),
        Value::Array(list) => list.iter().map(places).sum(),
        _ => 0,
    }
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
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn spoilt_objects(file in 0..FILES.len(), at in any::<u16>(), with in any_value()) {
        let readers = readers();
        for mut object in items(FILES[file]).into_iter().take(2) {
            let mut n = usize::from(at) % places(&object);
            spoil(&mut object, &mut n, &with);
            let json = object.to_string();
            for read in &readers {
                keeps_clean(*read, json.as_bytes());
            }
        }
    }

    #[test]
    fn cut_objects(file in 0..FILES.len(), at in any::<u16>()) {
        let json = items(FILES[file])[0].to_string();
        let cut = &json.as_bytes()[..usize::from(at) % json.len()];
        for read in readers() {
            prop_assert_eq!(read(cut), None);
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

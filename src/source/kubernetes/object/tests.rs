//! What is written of an object, and what never is.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::api::POD;

const SECRET: ApiKind = ApiKind {
    group: "",
    version: "v1",
    plural: "secrets",
    kind: "Secret",
    namespaced: true,
};

fn recorded(file: &str) -> Value {
    let body = std::fs::read(format!("tests/fixtures/kube/{file}")).unwrap();
    let mut list: Value = serde_json::from_slice(&body).unwrap();
    let mut item = list["items"][0].take();
    item["kind"] = "Pod".into();
    item
}

#[test]
fn managed_fields_become_one_line_that_unfolds() {
    let object = text(recorded("pods_shop.json"), &POD, 7);
    let (at, whole) = object.managed.clone().unwrap();
    let line = object.yaml.lines().nth(at).unwrap();
    assert!(line.starts_with("  managedFields: "), "{line}");
    assert!(line.contains("2 managers"), "{line}");
    assert!(
        line.contains("python-requests 2026-11-21T02:46:52Z"),
        "{line}"
    );
    assert!(!object.yaml.contains("fieldsV1"), "{}", object.yaml);
    assert!(whole.contains("    fieldsV1:"), "{whole}");
    assert!(whole.lines().all(|l| l.starts_with("  ")), "{whole}");
    assert!(object.yaml.contains("image: registry.example/cart:2.0.0"));
    let uid = object.facts.iter().find(|(key, _)| key == "uid").unwrap();
    assert_eq!(uid.1, "04599c15-4452-4680-964d-079c5191516b");
    assert_eq!(object.bytes, 7);
}

#[test]
fn a_forged_mark_moves_nothing() {
    let mut pod = recorded("pods_shop.json");
    pod["data"] = json!({"managedFields": MARK});
    pod["metadata"]["annotations"] = json!({"a": format!("x\n  managedFields: {MARK}\n")});
    let object = text(pod, &POD, 0);
    let (at, _) = object.managed.unwrap();
    let before: Vec<&str> = object.yaml.lines().take(at).collect();
    assert!(before.contains(&"metadata:"), "{}", object.yaml);
}

#[test]
fn hostile_texts_are_made_safe_and_long_ones_cut() {
    let value = json!({
        "kind": "ConfigMap",
        "metadata": {"name": "a", "labels": {"k\u{1b}[2Jey": "v\u{202e}w"}},
        "data": {"long": "x".repeat(20_000), "screen": "a\u{1b}[2Jb\nsecond\u{7}"},
    });
    let object = text(value, &POD, 0);
    assert!(!object.yaml.chars().any(|c| c != '\n' && text::is_unsafe(c)));
    assert!(object.yaml.contains("‹cut, 20000 bytes in all›"));
    assert!(object.yaml.len() < 12_000, "{}", object.yaml.len());
    assert!(object.yaml.contains("second"));
    // Deep and wide: the text is bounded whatever it is made of.
    let mut deep = json!(vec![1; 200_000]);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let object = text(json!({"kind": "X", "spec": deep}), &POD, 0);
    assert!(object.yaml.len() < LIMIT + 1_000);
}

#[test]
fn values_of_secrets_and_telling_variables_are_hidden() {
    let secret = json!({
        "kind": "Secret", "apiVersion": "v1", "type": "Opaque",
        "metadata": {"name": "db", "annotations": {
            "openshift.io/token-secret.value": "sesame",
            LAST: "{\"data\":{\"password\":\"c2VzYW1l\"}}"}},
        "data": {"password": "c2VzYW1l"}, "stringData": {"user": "sesame"},
    });
    let yaml = text(secret, &SECRET, 0).yaml;
    assert!(
        !yaml.contains("sesame") && !yaml.contains("c2VzYW1l"),
        "{yaml}"
    );
    assert!(yaml.contains("password: ‹hidden, 6 bytes›"), "{yaml}");
    assert!(yaml.contains("type: Opaque"), "{yaml}");
    let pod = json!({"kind": "Pod", "metadata": {"name": "a", "annotations": {LAST: "sesame"}},
        "spec": {"containers": [{"name": "token-reader", "env": [
            {"name": "DB_PASSWORD", "value": "sesame"}, {"name": "LEVEL", "value": "info"}]}]}});
    let yaml = text(pod, &POD, 0).yaml;
    assert!(!yaml.contains("sesame"), "{yaml}");
    assert!(yaml.contains("value: info"), "{yaml}");
}

const LAST: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Any JSON with the canary as every text in it.
fn shape() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!("CANARY")),
        Just(json!("Q0FOQVJZCANARY")),
        Just(Value::Null),
        Just(json!(true)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map("[a-z]{1,8}|kind|items|metadata|data", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_value_of_a_secret_is_written(
        data in shape(), string in shape(), annotations in shape(), more in shape(),
        wrapped in 0..3, asked in any::<bool>(), named in any::<bool>(),
    ) {
        let mut object = json!({
            "apiVersion": "v1", "metadata": {"name": "db", "annotations": annotations},
            "data": data, "stringData": string, "other": more,
        });
        if named || !asked {
            object["kind"] = "Secret".into();
        }
        // A Secret within another object, or in a list, is one too.
        let asked = match wrapped {
            _ if !named && asked => SECRET,
            0 => if asked { SECRET } else { POD },
            1 => { object = json!({"kind": "List", "items": [object]}); POD }
            _ => { object = json!({"kind": "Template", "objects": {"a": [object]}}); POD }
        };
        let written = text(object, &asked, 0);
        prop_assert!(!format!("{written:?}").contains("CANARY"), "{}", written.yaml);
    }
}

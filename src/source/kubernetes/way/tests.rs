//! Kubeconfigs as nobody should write them: no way, or one that can be gone, and no secret told.

use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::text::is_unsafe;
use crate::source::hostile::{cut, spoilt};

const SECRET: &str = "s3cret-of-the-file";

/// One user of each kind; JSON is YAML.
fn good() -> impl Strategy<Value = Value> {
    let users = vec![
        json!({"token": SECRET}),
        json!({"username": "u", "password": SECRET}),
        json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "login",
            "args": [SECRET], "env": [{"name": "A", "value": SECRET}]}}),
        json!({"client-certificate-data": STANDARD.encode("x"), "client-key-data": STANDARD.encode(SECRET)}),
        json!({"auth-provider": {"name": "oidc", "config": {"id-token": SECRET, "refresh-token": SECRET}}}),
    ];
    prop::sample::select(users).prop_map(|user| {
        json!({"apiVersion": "v1", "kind": "Config", "current-context": "lab",
            "clusters": [{"name": "c", "cluster": {"server": "https://api.example.org:6443",
                "tls-server-name": "api", "insecure-skip-tls-verify": true}}],
            "contexts": [{"name": "lab", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
            "users": [{"name": "u", "user": user}]})
    })
}

fn told(text: &[u8]) -> Result<Way, NoWay> {
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("config");
    std::fs::write(&file, text).unwrap();
    of(&Kube {
        context: Some("lab".into()),
        kubeconfig: vec![file],
        ..Kube::default()
    })
}

fn holds(text: &[u8]) {
    match told(text) {
        Ok(way) => assert!(!way.place.contains(SECRET) && !way.place.contains(is_unsafe)),
        Err(no) => assert!(
            !no.what.contains(SECRET) && !no.place.contains(is_unsafe),
            "{}",
            no.what
        ),
    }
}

proptest! {
    #[test]
    fn a_spoilt_kubeconfig_is_a_way_or_none(bad in good().prop_flat_map(|good| spoilt(&good))) {
        holds(bad.to_string().as_bytes());
    }

    #[test]
    fn half_a_kubeconfig_is_a_way_or_none(bad in good().prop_flat_map(|good| cut(&good))) {
        holds(&bad);
    }

    #[test]
    fn a_whole_one_is_a_way(good in good()) {
        prop_assert!(told(good.to_string().as_bytes()).is_ok());
    }
}

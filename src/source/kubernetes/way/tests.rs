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

#[test]
fn the_service_account_of_a_pod_is_read_from_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let read = |host: &'static str| {
        let variables = move |name: &str| match name {
            "KUBERNETES_SERVICE_HOST" => Some(host.to_owned()),
            "KUBERNETES_SERVICE_PORT" => Some("6443".to_owned()),
            _ => None,
        };
        let mut files = Vec::new();
        let parts = in_cluster(folder.path(), &variables, &mut files);
        parts.map(|parts| (parts, files))
    };
    let missing = read("10.0.0.1").err().unwrap();
    assert!(missing.contains("ca.crt"), "{missing}");
    let ca = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls/ca.pem");
    std::fs::copy(ca, folder.path().join("ca.crt")).unwrap();
    std::fs::write(folder.path().join("namespace"), "watch").unwrap();
    let (parts, files) = read("fd00::1").unwrap();
    assert_eq!(parts.server, "https://[fd00::1]:6443");
    assert_eq!(parts.namespace.as_deref(), Some("watch"));
    // The kubelet puts a new token there in time: the file is read, not its words kept.
    let token = folder.path().join("token");
    let Means::Reference(Auth::BearerFile(path)) = &parts.means else {
        panic!("{:?}", parts.means);
    };
    assert_eq!((path, files.contains(&token)), (&token, true));
    let way = parts.way("service account", &mut []).unwrap();
    assert!(way.config.root_cert.is_some_and(|c| c.len() == 1));
    let nowhere = in_cluster(folder.path(), &|_| None, &mut Vec::new());
    assert!(nowhere.err().unwrap().contains("runs in no pod"));
}

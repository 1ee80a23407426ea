//! Pods: what is wrong with them, and what the scheduler sets aside for them.

use serde_json::Value;

use super::super::pod;
use super::{items, of};
use crate::model::object::{Object, Pod};

#[test]
fn pods_in_trouble_say_why() {
    let pods: Vec<Pod> = ["kube/pods_shop.json", "kube/pods_fieldselector.json"]
        .iter()
        .flat_map(|f| items(f))
        .map(|p| match of(pod, &p) {
            Object::Pod(p) => p,
            other => panic!("{other:?}"),
        })
        .collect();
    let cart = pods.iter().find(|p| p.name.starts_with("cart")).unwrap();
    assert_eq!((cart.ready, cart.containers, cart.restarts), (1, 1, 1));
    assert!(!cart.is_bad());
    assert_eq!(cart.names.len(), 1);
    assert!(cart.images[0].starts_with("registry."));
    let pending = pods.iter().find(|p| p.phase == "Pending").unwrap();
    assert!(pending.is_bad());
    assert_eq!(pending.reason.as_deref(), Some("Unschedulable"));
    let message = pending.message.as_ref().unwrap();
    assert!(message.contains("Insufficient nvidia.com/gpu"));
    let gpus = pending.requests.extended.iter();
    assert!(
        gpus.clone()
            .any(|(name, n)| &**name == "nvidia.com/gpu" && *n > 0)
    );
    let known = ["CrashLoopBackOff", "OOMKilled", "ImagePullBackOff"];
    let told = |p: &Pod| p.reason.as_deref().is_some_and(|r| known.contains(&r));
    assert!(pods.iter().any(told));
}

#[test]
fn requests_are_summed_exactly() {
    let told = serde_json::json!({"metadata": {"name": "p"}, "spec": {"containers": [
        {"name": "a", "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}},
        {"name": "b", "resources": {"requests": {"cpu": "200m", "memory": "64Mi"}}},
        {"name": "c"}]}});
    let Object::Pod(pod) = of(pod, &told) else {
        panic!("no pod");
    };
    assert_eq!(pod.requests.cpu_milli, 300);
    assert_eq!(pod.requests.memory_bytes, 128 << 20);
}

fn requested(spec: Value) -> (u64, u64, Vec<(String, u64)>) {
    let told = serde_json::json!({"metadata": {"name": "p"}, "spec": spec});
    let Object::Pod(pod) = of(pod, &told) else {
        panic!("no pod");
    };
    let extended = pod.requests.extended.iter();
    let extended = extended.map(|(name, n)| (name.to_string(), *n)).collect();
    (
        pod.requests.cpu_milli,
        pod.requests.memory_bytes >> 20,
        extended,
    )
}

/// As the scheduler counts.
#[test]
fn requests_of_sidecars_first_containers_overhead_and_the_pod() {
    let one = |cpu: &str, memory: &str| serde_json::json!({"resources": {"requests": {"cpu": cpu, "memory": memory}}});
    let sidecar = |cpu: &str, memory: &str| {
        let mut container = one(cpu, memory);
        container["restartPolicy"] = "Always".into();
        container
    };
    // A sidecar runs as long as the containers do.
    let spec = serde_json::json!({"containers": [one("100m", "100Mi")], "initContainers": [sidecar("50m", "10Mi")]});
    assert_eq!(requested(spec), (150, 110, vec![]));
    // The first ones run one after the other, each beside the sidecars before it.
    let spec = serde_json::json!({"containers": [one("100m", "100Mi")], "initContainers": [
        one("300m", "1Mi"), sidecar("50m", "10Mi"), one("270m", "500Mi"), sidecar("1m", "1Mi")]});
    assert_eq!(requested(spec), (320, 510, vec![]));
    let spec = serde_json::json!({"containers": [one("100m", "100Mi")], "overhead": {"cpu": "250m", "memory": "120Mi"}});
    assert_eq!(requested(spec), (350, 220, vec![]));
    // What is said for the pod as a whole counts, where it is said.
    let spec = serde_json::json!({"containers": [one("100m", "100Mi")], "resources": {"requests": {"cpu": "1"}},
        "overhead": {"cpu": "250m"}});
    assert_eq!(requested(spec), (1_250, 100, vec![]));
    let gpu = serde_json::json!({"resources": {"requests": {"nvidia.com/gpu": "2"}}});
    let spec = serde_json::json!({"containers": [one("1", "1Mi")], "initContainers": [gpu]});
    assert_eq!(
        requested(spec),
        (1_000, 1, vec![("nvidia.com/gpu".into(), 2)])
    );
}

#[test]
fn processors_of_its_own_are_those_of_whole_containers() {
    let own = |quality: &str, containers: &[&str], sidecars: &[&str]| {
        let each = |cpus: &[&str], policy: Option<&str>| -> Vec<serde_json::Value> {
            let one = |cpu: &&str| {
                serde_json::json!({"name": "c", "restartPolicy": policy,
                    "resources": {"requests": {"cpu": cpu, "memory": "1Gi"}}})
            };
            cpus.iter().map(one).collect()
        };
        let told = serde_json::json!({
            "metadata": {"name": "vdu-0", "namespace": "ran"},
            "spec": {"containers": each(containers, None),
                "initContainers": each(sidecars, Some("Always"))},
            "status": {"phase": "Running", "qosClass": quality}});
        match pod(told.to_string().as_bytes()) {
            Some(Object::Pod(pod)) => pod.requests.exclusive_cpus,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(own("Guaranteed", &["8"], &[]), Some(8));
    assert_eq!(
        own("Guaranteed", &["8", "500m"], &[]),
        Some(8),
        "a log sidecar"
    );
    assert_eq!(own("Guaranteed", &["8", "500m"], &["2", "1500m"]), Some(10));
    assert_eq!(own("Guaranteed", &["1500m", "500m"], &[]), Some(0));
    assert_eq!(own("Burstable", &["8"], &[]), Some(0));
}

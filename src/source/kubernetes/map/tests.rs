//! The mapping on objects as real API servers gave them, and on what no server should give.

mod devices;
mod gitops;
mod gpus;
mod hostile;
mod pods;

use serde_json::Value;

use super::*;
use crate::model::gitops::{App, AppHealth, Automation, Sync};
use crate::model::object::{Node, Object};
use crate::model::sriov::{SriovNetwork, SriovNodeState, SriovPolicy};
use crate::model::time::Timestamp;
use crate::model::workload::Policy;

type Read = fn(&[u8]) -> Option<Object>;

fn bytes(file: &str) -> Vec<u8> {
    std::fs::read(format!("tests/fixtures/{file}")).unwrap()
}

/// Objects of a list, or of a file of several.
fn items(file: &str) -> Vec<Value> {
    let value: Value = serde_json::from_slice(&bytes(file)).unwrap();
    let list = value.get("items").unwrap_or(&value);
    list.as_array().unwrap().clone()
}

fn of(read: Read, value: &Value) -> Object {
    read(value.to_string().as_bytes()).unwrap_or_else(|| panic!("not read: {value}"))
}

fn app(read: Read, value: &Value) -> App {
    match of(read, value) {
        Object::App(app) => *app,
        other => panic!("{other:?}"),
    }
}

fn time(text: &str) -> Option<Timestamp> {
    Some(Timestamp::parse_rfc3339(text).unwrap())
}

#[test]
fn nodes() {
    let nodes: Vec<Node> = items("kube/nodes.json")
        .iter()
        .map(|n| match of(node, n) {
            Object::Node(n) => n,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(nodes.len(), 6);
    let first = &nodes[0];
    assert_eq!(first.name.as_ref(), "cp-0");
    assert_eq!(first.roles, ["control-plane"]);
    assert_eq!(first.ready, Some(true));
    assert_eq!(first.kubelet_version, "v1.36.2");
    assert!(first.room.cpu_milli.is_some_and(|c| c >= 1_000));
    assert!(first.room.memory_bytes.is_some_and(|m| m > 1 << 30));
    assert!(first.room.pods.is_some() && first.created.is_some());
    let gpu = |n: &&Node| n.allocatable.iter().any(|(r, _)| r == "nvidia.com/gpu");
    assert!(nodes.iter().any(|n| gpu(&n)));
    let bad = |n: &&Node| n.ready != Some(true) && !n.problems.is_empty();
    assert!(nodes.iter().any(|n| bad(&n)));
}

#[test]
fn taints_as_kubectl_writes_them() {
    let told = serde_json::json!({"metadata": {"name": "n"}, "spec": {"taints": [
        {"key": "a", "value": "b", "effect": "NoSchedule"}, {"key": "c", "effect": "NoExecute"}]}});
    let Object::Node(node) = of(node, &told) else {
        panic!("no node");
    };
    assert_eq!(node.taints, ["a=b:NoSchedule", "c:NoExecute"]);
    assert_eq!(node.ready, None, "not told, not made up");
    assert_eq!(node.room.cpu_milli, None);
}

#[test]
fn a_vote_in_etcd_is_no_problem() {
    let problems = |status: &str| {
        let told = serde_json::json!({"metadata": {"name": "n"}, "status": {"conditions": [
            {"type": "EtcdIsVoter", "status": status, "message": "said so"}, {"type": "Ready", "status": "True"},
            {"type": "DiskPressure", "status": "False"}]}});
        match of(node, &told) {
            Object::Node(node) => node.problems,
            other => panic!("{other:?}"),
        }
    };
    assert!(problems("True").is_empty());
    assert_eq!(problems("False"), ["etcd member without a vote: said so"]);
}

#[test]
fn events() {
    let events = items("kube/events_shop.json");
    assert_eq!(events.len(), 3);
    let Object::Event(first) = of(event, &events[0]) else {
        panic!("no event");
    };
    assert_eq!(first.count, 31);
    assert_eq!(first.about.0, "Pod");
    assert_eq!(first.reporter, "kubelet");
    assert_eq!(Some(first.at), time("2026-11-21T02:45:52Z"));
}

#[test]
fn workloads_and_what_good_practice_would_change() {
    let all = items("kube/deployments_shop.json");
    let Object::Workload(first) = of(deployment, &all[0]) else {
        panic!("no workload");
    };
    assert!(!first.images.is_empty() && first.generation > 0);
    let told = serde_json::json!({"metadata": {"name": "w", "namespace": "n", "generation": 4,
        "annotations": {"deployment.kubernetes.io/revision": "7", "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:n/w"},
        "labels": {"app.kubernetes.io/instance": "other"}},
        "spec": {"replicas": 3, "template": {"spec": {"securityContext": {"runAsNonRoot": true}, "containers": [
            {"image": "r.example/a:1", "livenessProbe": {}, "readinessProbe": {}, "resources": {"limits": {"memory": "1Gi"}, "requests": {"cpu": "1"}}},
            {"image": "r.example/b", "livenessProbe": {}, "resources": {"requests": {"cpu": 1}}}]}}},
        "status": {"observedGeneration": 3, "readyReplicas": 2, "updatedReplicas": 1}});
    let Object::Workload(w) = of(deployment, &told) else {
        panic!("no workload");
    };
    assert_eq!((w.desired, w.ready, w.updated), (3, 2, 1));
    assert!(!w.observed && w.is_short() && w.is_rolling());
    assert_eq!(w.revision.as_deref(), Some("7"));
    assert_eq!(w.instance.as_deref(), Some("shop"));
    let found = [
        Policy::LatestTag,
        Policy::NoReadinessProbe,
        Policy::NoLimits,
    ];
    assert_eq!(w.policies, found);
    let told = serde_json::json!({"metadata": {"name": "j"}, "spec": {"completions": 2}, "status": {"failed": 4, "succeeded": 1,
        "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}});
    let Object::Workload(job) = of(job, &told) else {
        panic!("no job");
    };
    assert!(job.is_short() && !job.is_rolling());
    let told = serde_json::json!({"metadata": {"name": "d"}, "status": {"desiredNumberScheduled": 4, "numberReady": 3}});
    let Object::Workload(set) = of(daemon_set, &told) else {
        panic!("no set");
    };
    assert_eq!((set.desired, set.ready), (4, 3));
}

#[test]
fn services_claims_and_autoscalers() {
    let told = serde_json::json!({"metadata": {"name": "s", "namespace": "n"}, "spec": {"clusterIP": "None",
        "selector": {"app": "x"}, "ports": [{"name": "web", "port": 9090, "targetPort": "http"}, {"port": 1, "targetPort": 8080}]}});
    let Object::Service(s) = of(service, &told) else {
        panic!("no service");
    };
    assert!(s.headless);
    assert_eq!(s.ports[0], ("web".into(), 9090, "http".into()));
    assert_eq!(s.ports[1], (String::new(), 1, "8080".into()));
    let told = serde_json::json!({"metadata": {"name": "c"}, "spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "10Gi"}}}, "status": {"phase": "Pending"}});
    let Object::Claim(c) = of(claim, &told) else {
        panic!("no claim");
    };
    assert_eq!(
        (c.phase.as_str(), c.capacity.as_deref()),
        ("Pending", Some("10Gi"))
    );
    let told = serde_json::json!({"metadata": {"name": "h"}, "spec": {"maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "w"}},
        "status": {"currentReplicas": 5, "desiredReplicas": 5, "conditions": [{"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric"}]}});
    let Object::Autoscaler(h) = of(autoscaler, &told) else {
        panic!("no autoscaler");
    };
    assert!(h.is_degraded() && h.min == 1 && h.max == 5);
}

#[test]
fn openshift() {
    let all = items("crds/openshift_clusteroperators.json");
    let Object::ClusterOperator(good) = of(cluster_operator, &all[0]) else {
        panic!("no operator");
    };
    assert_eq!(good.version.as_deref(), Some("4.19.6"));
    assert!(!good.is_bad() && !good.is_progressing());
    let Object::ClusterOperator(bad) = of(cluster_operator, &all[1]) else {
        panic!("no operator");
    };
    assert!(bad.is_bad() && bad.is_progressing());
    let all = items("crds/openshift_clusterversion.json");
    let Object::ClusterVersion(idle) = of(cluster_version, &all[0]) else {
        panic!("no version");
    };
    assert_eq!(idle.available_updates, None, "could not be asked");
    assert_eq!(idle.installed(), Some("4.19.6"));
    let Object::ClusterVersion(busy) = of(cluster_version, &all[1]) else {
        panic!("no version");
    };
    assert!(busy.is_updating() && busy.history[0].completed.is_none());
    assert_eq!(busy.desired, "4.19.7");
    assert_eq!(
        busy.available_updates.as_deref(),
        Some(&["4.19.8".to_owned()][..])
    );
}

#[test]
fn bookmarks_are_nothing() {
    let line = br#"{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"366"},"spec":{"containers":null},"status":{}}"#;
    assert_eq!(pod(line), None);
}

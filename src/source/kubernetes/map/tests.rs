//! The mapping on objects as real API servers gave them, and on what no server should give.

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
fn argo_applications() {
    let read = |file: &str| {
        app(
            application,
            &items(&format!("crds/argocd_application_{file}.json"))[0],
        )
    };
    let good = read("synced_healthy");
    assert_eq!((good.sync, good.health), (Sync::Synced, AppHealth::Healthy));
    assert_eq!(good.history.len(), 2);
    assert!(good.history[0].at > good.history[1].at, "newest first");
    assert!(good.attempted.is_none() && good.revision.is_some());
    let bad = read("outofsync_degraded");
    assert_eq!(
        (bad.sync, bad.health),
        (Sync::OutOfSync, AppHealth::Degraded)
    );
    let operation = bad.operation.as_ref().unwrap();
    assert_eq!((operation.phase.as_str(), operation.retries), ("Failed", 5));
    assert_eq!(operation.by.as_deref(), Some("alice@example.net"));
    assert_eq!(bad.state, "SyncError");
    assert!(
        bad.message
            .as_ref()
            .unwrap()
            .starts_with("Failed sync attempt")
    );
    assert_eq!(bad.destination.as_deref(), Some("edge-02"));
    assert_eq!(bad.automation, Some(Automation::default()));
    let status = |name: &str| {
        let found = bad.resources.iter().find(|r| r.name == name);
        found.map(|r| (r.status.as_str(), r.requires_pruning))
    };
    assert_eq!(status("old-routes"), Some(("PruneSkipped", true)));
    assert_eq!(status("llm-gateway-migrate"), Some(("Failed", false)));
    assert_eq!(bad.resource_count, Some(3));
    assert_eq!(
        (bad.revision, bad.attempted.is_some()),
        (None, true),
        "never deployed"
    );
    let running = read("multisource_running");
    assert_eq!(running.state, "Running");
    assert_eq!(running.sources.len(), 2);
    assert_eq!(running.chart, Some(("loki".into(), "6.6.2".into())));
    assert!(
        running
            .attempted
            .as_ref()
            .unwrap()
            .starts_with("6.6.2,77aa")
    );
    assert_eq!(running.resources[0].health, Some(AppHealth::Progressing));
    let broken = read("comparison_error");
    assert_eq!(
        (broken.sync, broken.health),
        (Sync::Unknown, AppHealth::Unknown)
    );
    assert_eq!(broken.state, "ComparisonError");
    assert_eq!(broken.destination, None, "where it stands");
    let new = read("minimal");
    assert_eq!(
        (new.sync, new.health, new.operation),
        (Sync::Unknown, AppHealth::Unknown, None)
    );
}

#[test]
fn flux_pasts_of_both_kinds_and_a_repository_that_is_only_a_name() {
    let told = serde_json::json!({"metadata": {"name": "k", "generation": 1}, "status": {"history": [
        {"digest": "sha256:aa", "firstReconciled": "2025-08-15T10:11:00Z", "lastReconciled": "2025-08-15T11:12:00Z",
         "lastReconciledStatus": "ReconciliationSucceeded", "totalReconciliations": 2, "metadata": {"revision": "main@sha1:4507"}}]}});
    let past = app(kustomization, &told).history;
    assert_eq!(past.len(), 1);
    assert_eq!(past[0].revision, "main@sha1:4507");
    assert_eq!(past[0].at, time("2025-08-15T11:12:00Z"));
    let told = serde_json::json!({"metadata": {"name": "r", "generation": 1}, "spec": {"type": "oci", "url": "oci://ghcr.io/charts"}});
    let named = app(helm_repository, &told);
    assert!(named.observed);
    assert_eq!(
        (named.health, named.state.as_str()),
        (AppHealth::Healthy, "not fetched (oci)")
    );
    let told = serde_json::json!({"metadata": {"name": "r", "generation": 1}, "spec": {"url": "https://charts.example"}});
    assert_eq!(app(helm_repository, &told).health, AppHealth::Progressing);
}

#[test]
fn flux_states() {
    let ready = items("crds/flux_ready.json");
    let reads: [Read; 3] = [git_repository, kustomization, helm_release];
    for (read, told) in reads.into_iter().zip(&ready) {
        let app = app(read, told);
        assert_eq!(
            (app.sync, app.health, app.state.as_str()),
            (Sync::Synced, AppHealth::Healthy, "ready"),
            "{}",
            app.name
        );
        assert!(
            app.revision.is_some() && app.attempted.is_none(),
            "{}",
            app.name
        );
    }
    let bad = items("crds/flux_failed.json");
    let git = app(git_repository, &bad[0]);
    assert_eq!(
        (git.state.as_str(), git.sync),
        ("failing, retrying", Sync::OutOfSync)
    );
    assert_eq!(git.sources[0].target, "main");
    let upf = app(kustomization, &bad[1]);
    assert_eq!(
        (upf.health, upf.sync),
        (AppHealth::Degraded, Sync::OutOfSync)
    );
    assert!(upf.attempted.is_some() && upf.automation.unwrap().prune);
    assert_eq!(upf.sources[0].repository, "GitRepository/fleet");
    let lab = app(kustomization, &bad[2]);
    assert_eq!(
        (lab.state.as_str(), lab.suspended, lab.observed),
        ("suspended", true, false)
    );
    let vllm = app(helm_release, &bad[3]);
    assert_eq!(
        (vllm.state.as_str(), vllm.health),
        ("stalled", AppHealth::Degraded)
    );
    assert_eq!(
        (vllm.revision.as_deref(), vllm.attempted.as_deref()),
        (Some("0.9.0"), Some("0.9.1+3f2b"))
    );
    assert_eq!(vllm.operation.as_ref().unwrap().retries, 3);
    assert_eq!(vllm.chart, Some(("vllm".into(), "0.9.0".into())));
    for file in ["kustomizations", "helmreleases"] {
        let read = if file == "helmreleases" {
            helm_release
        } else {
            kustomization
        };
        for told in items(&format!("kube/flux_{file}.json")) {
            app(read, &told);
        }
    }
}

#[test]
fn ptp_and_serving() {
    let all = items("crds/ptp.json");
    let Object::PtpConfig(gm) = of(ptp_config, &all[1]) else {
        panic!("no config");
    };
    let profile = &gm.profiles[0];
    assert_eq!(profile.role.as_deref(), Some("T-GM"));
    assert_eq!(profile.interfaces, ["ens2f0", "ens2f1"]);
    assert_eq!((profile.domain, profile.priority), (Some(24), Some(4)));
    assert_eq!(
        (profile.threshold_ns, profile.holdover_s),
        (Some((-100.0, 100.0)), Some(14_400))
    );
    assert_eq!(gm.matches, [("worker-gm-0".into(), "grandmaster".into())]);
    let Object::PtpConfig(oc) = of(ptp_config, &all[2]) else {
        panic!("no config");
    };
    assert_eq!(oc.profiles[0].role.as_deref(), Some("OC"));
    assert_eq!(oc.profiles[0].interfaces, ["ens1f0"]);
    let Object::PtpDevices(ports) = of(ptp_devices, &all[3]) else {
        panic!("no ports");
    };
    let up: Vec<Option<bool>> = ports.ports.iter().map(|p| p.link_up).collect();
    assert_eq!(up, [Some(true), Some(false), None]);
    let Object::PtpDevices(none) = of(ptp_devices, &all[4]) else {
        panic!("no ports");
    };
    assert!(none.ports.is_empty());
    let all = items("crds/kserve.json");
    let Object::InferenceService(bad) = of(inference_service, &all[1]) else {
        panic!("no service");
    };
    assert_eq!((bad.ready, bad.gpus), (Some(false), 4));
    assert_eq!(bad.transition.as_deref(), Some("BlockedByFailedLoad"));
    assert!(bad.failure.as_ref().unwrap().contains("OutOfMemory"));
    assert!(
        bad.conditions
            .iter()
            .all(|c| c.kind != "LatestDeploymentReady"),
        "only information"
    );
}

#[test]
fn sriov_states_with_their_odd_spellings() {
    let states: Vec<SriovNodeState> = items("kube/sriov_nodestates.json")
        .iter()
        .map(|s| match of(sriov_node_state, s) {
            Object::SriovNodeState(s) => s,
            other => panic!("{other:?}"),
        })
        .collect();
    let first = &states[0];
    assert_eq!(first.node.as_ref(), "ran-du-0");
    assert_eq!(first.sync_status.as_deref(), Some("Succeeded"));
    assert_eq!(first.last_sync_error, None);
    assert_eq!(first.current_state.as_deref(), Some("Idle"));
    let pf = &first.interfaces[0];
    assert_eq!(
        (pf.num_vfs, pf.total_vfs, pf.desired_vfs, pf.vfs),
        (8, 64, Some(8), 8)
    );
    assert_eq!(pf.vendor, "Intel");
    let last = &pf.functions[7];
    assert_eq!((last.index, last.pci_address.as_str()), (7, "0000:3b:01.7"));
    assert_eq!(last.driver.as_deref(), Some("vfio-pci"));
    assert_eq!(
        (last.mac.clone(), last.vlan),
        (None, None),
        "not told, not made up"
    );
    assert_eq!(pf.groups[0].resource, "sriov_fh");
    assert_eq!(pf.groups[0].range.as_deref(), Some("ens3f0#0-7"));
    let down = &first.interfaces[1];
    assert_eq!((down.is_down(), down.desired_vfs), (true, None));
    for file in ["failed", "inprogress", "succeeded"] {
        for told in items(&format!("crds/sriov_nodestate_{file}.json")) {
            of(sriov_node_state, &told);
        }
    }
}

#[test]
fn policies_and_networks_of_virtual_functions() {
    let policies: Vec<SriovPolicy> = items("crds/sriov_policies.json")
        .iter()
        .map(|p| match of(sriov_policy, p) {
            Object::SriovPolicy(p) => p,
            other => panic!("{other:?}"),
        })
        .collect();
    let [fronthaul, offload] = policies.as_slice() else {
        panic!("{policies:?}");
    };
    assert_eq!(fronthaul.wants(), "8 VFs, vfio-pci, MTU 9000");
    assert_eq!(
        fronthaul.ports.words(),
        "Intel 1593, ens2f0#0-3, 0000:3b:00.0"
    );
    let selector = [(
        "node-role.kubernetes.io/worker-cnf".to_owned(),
        String::new(),
    )];
    assert_eq!(fronthaul.nodes, selector);
    assert_eq!((&*fronthaul.resource, fronthaul.priority), ("fh_dpdk", 10));
    assert_eq!(offload.wants(), "32 VFs, netdevice, switchdev, RDMA");
    assert_eq!(
        (offload.ports.words().as_str(), offload.priority),
        ("NVIDIA 101d", 0)
    );
    // What is asked for and what the recorded nodes have.
    let told = |file: &str| match of(sriov_node_state, &items(file)[0]) {
        Object::SriovNodeState(s) => s,
        other => panic!("{other:?}"),
    };
    let state = told("crds/sriov_nodestate_succeeded.json");
    let selected = state.interfaces.iter().map(|p| fronthaul.ports.refusal(p));
    let refusals: Vec<Option<String>> = selected.collect();
    assert_eq!(refusals[0], None);
    assert_eq!(
        refusals[1].as_deref(),
        Some("is at 0000:3b:00.1, wanted 0000:3b:00.0")
    );
    assert_eq!(refusals[2].as_deref(), Some("is device 1572, wanted 1593"));
    let networks: Vec<SriovNetwork> = items("crds/sriov_networks.json")
        .iter()
        .map(|n| match of(sriov_network, n) {
            Object::SriovNetwork(n) => n,
            other => panic!("{other:?}"),
        })
        .collect();
    let first = &networks[0];
    assert_eq!(
        (first.target(), first.vlan, first.ready),
        ("ran-du", 101, Some(false))
    );
    assert_eq!(first.ipam.as_deref(), Some("whereabouts"));
    assert!(
        first
            .message
            .as_ref()
            .is_some_and(|m| m.contains("does not exist"))
    );
    let second = &networks[1];
    assert_eq!(second.target(), "openshift-sriov-network-operator");
    assert_eq!((second.vlan, second.ready, &second.ipam), (0, None, &None));
}

#[test]
fn bookmarks_are_nothing() {
    let line = br#"{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"366"},"spec":{"containers":null},"status":{}}"#;
    assert_eq!(pod(line), None);
}

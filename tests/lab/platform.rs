//! What runs the lab's pods, and what deploys it: workloads, autoscalers, services, operators, and
//! the objects of Argo CD, Flux, PTP and KServe.

use serde_json::{Value, json};

use super::common::Site;
use super::objects::time;
use super::story::{Pod, RAN_NODES, Story};

/// Resource, kind and API group with version.
pub const KINDS: [(&str, &str, &str); 15] = [
    ("deployments", "Deployment", "apps/v1"),
    ("statefulsets", "StatefulSet", "apps/v1"),
    ("daemonsets", "DaemonSet", "apps/v1"),
    ("jobs", "Job", "batch/v1"),
    (
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        "autoscaling/v2",
    ),
    ("services", "Service", "v1"),
    ("persistentvolumeclaims", "PersistentVolumeClaim", "v1"),
    (
        "clusteroperators",
        "ClusterOperator",
        "config.openshift.io/v1",
    ),
    (
        "clusterversions",
        "ClusterVersion",
        "config.openshift.io/v1",
    ),
    ("applications", "Application", "argoproj.io/v1alpha1"),
    (
        "kustomizations",
        "Kustomization",
        "kustomize.toolkit.fluxcd.io/v1",
    ),
    (
        "gitrepositories",
        "GitRepository",
        "source.toolkit.fluxcd.io/v1",
    ),
    ("ptpconfigs", "PtpConfig", "ptp.openshift.io/v1"),
    ("nodeptpdevices", "NodePtpDevice", "ptp.openshift.io/v1"),
    (
        "inferenceservices",
        "InferenceService",
        "serving.kserve.io/v1beta1",
    ),
];

/// Whether the site has that API at all.
pub fn has(site: Site, group: &str) -> bool {
    let openshift = [
        "config.openshift.io",
        "argoproj.io",
        "ptp.openshift.io",
        "sriovnetwork",
    ];
    let plain = ["kustomize.toolkit", "source.toolkit", "serving.kserve.io"];
    let starts = |all: &[&str]| all.iter().any(|g| group.starts_with(g));
    match site {
        Site::Ran => !starts(&plain),
        Site::Gpu => !starts(&openshift),
    }
}

pub fn all(site: Site, story: &Story, kind: &str, t: f64) -> Vec<Value> {
    match (kind, site) {
        ("deployments", _) => workloads(site, story, "Deployment", t),
        ("statefulsets", _) => workloads(site, story, "StatefulSet", t),
        ("daemonsets", _) => workloads(site, story, "DaemonSet", t),
        ("services", _) => services(site),
        ("horizontalpodautoscalers", Site::Gpu) => vec![autoscaler(story, t)],
        ("clusteroperators", Site::Ran) => operators(story),
        ("clusterversions", Site::Ran) => vec![version(story)],
        ("applications", Site::Ran) => applications(story, t),
        ("ptpconfigs", Site::Ran) => vec![ptp_config(story)],
        ("nodeptpdevices", Site::Ran) => RAN_NODES.iter().map(|n| ptp_devices(story, n)).collect(),
        ("kustomizations", Site::Gpu) => kustomizations(story, t),
        ("gitrepositories", Site::Gpu) => vec![repository(story)],
        ("inferenceservices", Site::Gpu) => vec![inference(story, t)],
        _ => Vec::new(),
    }
}

fn meta(story: &Story, namespace: &str, name: &str, generation: u32) -> Value {
    let mut meta = json!({"name": name, "uid": format!("uid-{namespace}-{name}"), "generation": generation,
        "creationTimestamp": time(story.start - 40.0 * 86_400.0)});
    if !namespace.is_empty() {
        meta["namespace"] = Value::from(namespace);
    }
    meta
}

/// Name of the workload a pod is of: a ReplicaSet is its Deployment.
fn owner(pod: &Pod) -> (&'static str, &'static str) {
    match pod.owner {
        ("ReplicaSet", set) => (
            "Deployment",
            set.rsplit_once('-').map_or(set, |(name, _)| name),
        ),
        other => other,
    }
}

/// The gateway gets a new release well before the fault: a change that is no cause.
fn gateway_tag(story: &Story, t: f64) -> (&'static str, u32) {
    if t < story.fault - 25.0 * 60.0 {
        ("1.8.2", 7)
    } else {
        ("1.9.0", 8)
    }
}

pub fn image(story: &Story, pod: &Pod, t: f64) -> String {
    let tag = match pod.container {
        "gateway" => gateway_tag(story, t).0,
        "vllm" => "v0.32.1",
        "l1" | "l2" => "24.3.7",
        _ => "4.19.6",
    };
    format!("registry.example/{}:{tag}", pod.container)
}

fn workloads(site: Site, story: &Story, kind: &str, t: f64) -> Vec<Value> {
    let pods = site.pods(story);
    let mut names: Vec<(&str, &str)> = pods
        .iter()
        .filter(|p| owner(p).0 == kind)
        .map(|p| (p.namespace, owner(p).1))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(|(namespace, name)| {
            let mine: Vec<&Pod> = pods
                .iter()
                .filter(|p| p.namespace == namespace && owner(p) == (kind, name))
                .collect();
            workload(story, kind, (namespace, name), &mine, t)
        })
        .collect()
}

fn workload(story: &Story, kind: &str, named: (&str, &str), pods: &[&Pod], t: f64) -> Value {
    let wanted = pods.iter().filter(|p| p.there(t)).count();
    let ready = pods.iter().filter(|p| p.ready(story, t)).count();
    let generation = if named.1 == "gateway" {
        gateway_tag(story, t).1
    } else {
        3
    };
    let container = pods.first().map_or("", |p| p.container);
    let image = pods.first().map_or(String::new(), |p| image(story, p, t));
    let probe = json!({"httpGet": {"path": "/health", "port": 8000}});
    let mut one = json!({"name": container, "image": image, "resources": {"requests": {"cpu": "2", "memory": "8Gi"}, "limits": {"memory": "16Gi"}}});
    if container != "gateway" {
        one["livenessProbe"] = probe.clone();
        one["readinessProbe"] = probe;
    }
    let mut metadata = meta(story, named.0, named.1, generation);
    metadata["labels"] = json!({"app": container, "app.kubernetes.io/instance": if named.0 == "ran-du" { "ran-du" } else { named.0 }});
    metadata["annotations"] = json!({"deployment.kubernetes.io/revision": generation.to_string()});
    let template = json!({"metadata": {"labels": {"app": container}}, "spec": {"containers": [one], "securityContext": {"runAsNonRoot": container != "l1"}}});
    let status = if kind == "DaemonSet" {
        json!({"observedGeneration": generation, "desiredNumberScheduled": wanted, "currentNumberScheduled": wanted, "numberReady": ready, "updatedNumberScheduled": wanted, "numberAvailable": ready, "numberMisscheduled": 0})
    } else {
        json!({"observedGeneration": generation, "replicas": wanted, "readyReplicas": ready, "updatedReplicas": wanted, "availableReplicas": ready})
    };
    let mut spec = json!({"selector": {"matchLabels": {"app": container}}, "template": template});
    if kind != "DaemonSet" {
        spec["replicas"] = Value::from(wanted);
    }
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec, "status": status})
}

fn services(site: Site) -> Vec<Value> {
    let table: &[(&str, &str, &str, u16)] = match site {
        Site::Gpu => &[
            ("inference", "vllm-llama-70b", "vllm", 8000),
            ("inference", "gateway", "gateway", 8080),
            ("monitoring", "prometheus-k8s", "prometheus", 9090),
        ],
        Site::Ran => &[("ran-du", "vdu-l2", "l2", 38472)],
    };
    table
        .iter()
        .map(|(namespace, name, app, port)| {
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace, "uid": format!("uid-svc-{name}"), "creationTimestamp": "2026-01-10T00:00:00Z"},
                "spec": {"clusterIP": "172.30.0.10", "selector": {"app": app}, "ports": [{"name": "web", "port": port, "targetPort": port, "protocol": "TCP"}]}})
        })
        .collect()
}

fn autoscaler(story: &Story, t: f64) -> Value {
    let asked = if t >= story.fault + 180.0 && t < story.gpu_lost() {
        4
    } else {
        2
    };
    let limited = if asked > 2 { "True" } else { "False" };
    let condition = |kind: &str, status: &str, reason: &str, message: &str| json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": time(story.fault + 180.0)});
    json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta(story, "inference", "vllm-llama-70b", 1),
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "vllm-llama-70b"}, "minReplicas": 2, "maxReplicas": 2},
        "status": {"currentReplicas": 2, "desiredReplicas": 2, "conditions": [
            condition("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size"),
            condition("ScalingActive", "True", "ValidMetricFound", "the HPA was able to compute the replica count"),
            condition("ScalingLimited", limited, "TooManyReplicas", "the desired replica count is more than the maximum replica count")]}})
}

fn operators(story: &Story) -> Vec<Value> {
    ["authentication", "etcd", "ingress", "kube-apiserver", "machine-config", "monitoring", "network", "storage"]
        .iter()
        .map(|name| {
            let condition = |kind: &str, status: &str| json!({"type": kind, "status": status, "reason": "AsExpected", "message": "", "lastTransitionTime": time(story.start - 86_400.0)});
            json!({"apiVersion": "config.openshift.io/v1", "kind": "ClusterOperator", "metadata": meta(story, "", name, 1), "spec": {},
                "status": {"conditions": [condition("Available", "True"), condition("Progressing", "False"), condition("Degraded", "False"), condition("Upgradeable", "True")],
                    "versions": [{"name": "operator", "version": "4.19.6"}]}})
        })
        .collect()
}

fn version(story: &Story) -> Value {
    let condition = |kind: &str, status: &str, message: &str| json!({"type": kind, "status": status, "message": message, "lastTransitionTime": time(story.start - 9.0 * 86_400.0)});
    json!({"apiVersion": "config.openshift.io/v1", "kind": "ClusterVersion", "metadata": meta(story, "", "version", 4),
        "spec": {"channel": "eus-4.19", "clusterID": "0d1c2b3a-4455-4677-8899-aabbccddeeff"},
        "status": {"observedGeneration": 4, "versionHash": "", "desired": {"version": "4.19.6", "image": ""}, "availableUpdates": null,
            "history": [{"state": "Completed", "version": "4.19.6", "verified": true, "startedTime": time(story.start - 9.1 * 86_400.0), "completionTime": time(story.start - 9.0 * 86_400.0)}],
            "conditions": [condition("Available", "True", "Done applying 4.19.6"), condition("Failing", "False", ""), condition("Progressing", "False", "Cluster version is 4.19.6")]}})
}

/// The change that breaks SR-IOV on one node, and the one that takes it back.
fn platform_release(story: &Story, t: f64) -> (&'static str, f64, u32) {
    if t >= story.sriov_back() - 60.0 {
        (
            "e41b77d09c2f4a63b8d5172f0a9c6e3d4b81f205",
            story.sriov_back() - 60.0,
            14,
        )
    } else if t >= story.sriov_failed() - 45.0 {
        (
            "9f31c2a4d7e85b0c6f12a93be4d5078c1a6fe9b2",
            story.sriov_failed() - 45.0,
            13,
        )
    } else {
        (
            "5c0d8e7f1b2a49638c7d6e5f40a1b2c3d4e5f607",
            story.start - 4.0 * 86_400.0,
            12,
        )
    }
}

fn applications(story: &Story, t: f64) -> Vec<Value> {
    let (revision, at, generation) = platform_release(story, t);
    let broken = story.sriov_is_failed(t);
    let (health, message) = if broken {
        (
            "Degraded",
            "SriovNetworkNodeState du-07-02: syncStatus Failed: cannot allocate 16 VFs",
        )
    } else {
        ("Healthy", "")
    };
    let platform = application(
        story,
        "ran-platform",
        "platform/ran",
        (revision, at, generation),
        ("Synced", health, message),
        t,
    );
    let down = story.cells_down(t);
    let health = if down { "Degraded" } else { "Healthy" };
    let message = if down {
        "StatefulSet \"vdu-l1\" has 2 of 3 replicas ready"
    } else {
        ""
    };
    let settled = (
        "77ab012c4d5e6f708192a3b4c5d6e7f8091a2b3c",
        story.start - 11.0 * 86_400.0,
        5,
    );
    let du = application(
        story,
        "ran-du",
        "apps/ran-du",
        settled,
        ("Synced", health, message),
        t,
    );
    let logging = application(
        story,
        "logging",
        "platform/logging",
        settled,
        ("OutOfSync", "Healthy", ""),
        t,
    );
    vec![platform, du, logging]
}

fn application(
    story: &Story,
    name: &str,
    path: &str,
    (revision, at, generation): (&str, f64, u32),
    (sync, health, message): (&str, &str, &str),
    t: f64,
) -> Value {
    let source = json!({"repoURL": "https://git.example/ran/gitops.git", "path": path, "targetRevision": if name == "logging" { "release-2026.10" } else { "main" }});
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": meta(story, "openshift-gitops", name, generation),
        "spec": {"project": "ran", "source": source, "destination": {"server": "https://kubernetes.default.svc", "namespace": name},
            "syncPolicy": if name == "logging" { json!({}) } else { json!({"automated": {"prune": false, "selfHeal": true}}) }},
        "status": {
            "sync": {"status": sync, "revision": revision, "comparedTo": {"source": source}},
            "health": {"status": health, "message": message, "lastTransitionTime": time(at.max(story.start))},
            "reconciledAt": time((t / 180.0).floor() * 180.0),
            "operationState": {"phase": "Succeeded", "message": "successfully synced (all tasks run)", "startedAt": time(at - 4.0), "finishedAt": time(at),
                "operation": {"initiatedBy": if name == "ran-platform" { json!({"username": "m.ito@example.net"}) } else { json!({"automated": true}) }, "sync": {"revision": revision}},
                "syncResult": {"revision": revision, "source": source, "resources": []}},
            "history": [{"id": generation, "revision": revision, "deployedAt": time(at), "source": source}],
            "resources": [], "summary": {"images": ["registry.example/l1:24.3.7"]}}})
}

fn kustomizations(story: &Story, t: f64) -> Vec<Value> {
    let gateway = t >= story.fault - 25.0 * 60.0;
    let apps = if gateway {
        "main@sha1:4f9c2b7d1f0ab8e0c9a3a6c1de43c0f6a1d2e3b4"
    } else {
        "main@sha1:1be07a3c9d2f4e5860b1c2d3e4f5a6b7c8d9e0f1"
    };
    let at = if gateway {
        story.fault - 25.0 * 60.0
    } else {
        story.start - 86_400.0
    };
    [("inference", apps, at), ("ml-train", apps, at), ("monitoring", apps, at)]
        .iter()
        .map(|(name, revision, at)| {
            json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": meta(story, "flux-system", name, 4),
                "spec": {"interval": "10m0s", "path": format!("./clusters/gpu-train-1/{name}"), "prune": true, "wait": true, "sourceRef": {"kind": "GitRepository", "name": "fleet"}},
                "status": {"observedGeneration": 4, "lastAppliedRevision": revision, "lastAttemptedRevision": revision,
                    "conditions": [{"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", "message": format!("Applied revision: {revision}"), "observedGeneration": 4, "lastTransitionTime": time(*at)}],
                    "inventory": {"entries": [{"id": format!("{name}_gateway_apps_Deployment"), "v": "v1"}]}}})
        })
        .collect()
}

fn repository(story: &Story) -> Value {
    json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": meta(story, "flux-system", "fleet", 2),
        "spec": {"interval": "1m0s", "url": "https://git.example/fleet.git", "ref": {"branch": "main"}},
        "status": {"observedGeneration": 2, "artifact": {"revision": "main@sha1:4f9c2b7d1f0ab8e0c9a3a6c1de43c0f6a1d2e3b4", "lastUpdateTime": time(story.fault - 26.0 * 60.0), "path": "", "url": "", "digest": ""},
            "conditions": [{"type": "Ready", "status": "True", "reason": "Succeeded", "message": "stored artifact", "observedGeneration": 2, "lastTransitionTime": time(story.fault - 26.0 * 60.0)}]}})
}

fn ptp_config(story: &Story) -> Value {
    let matches: Vec<Value> = RAN_NODES
        .iter()
        .map(|n| json!({"nodeName": n, "profile": "boundary"}))
        .collect();
    json!({"apiVersion": "ptp.openshift.io/v1", "kind": "PtpConfig", "metadata": meta(story, "openshift-ptp", "boundary", 3),
        "spec": {"profile": [{"name": "boundary", "ptp4lOpts": "-2 --summary_interval -4", "phc2sysOpts": "-a -r -m -n 24", "ptpClockThreshold": {"holdOverTimeout": 5, "maxOffsetThreshold": 100, "minOffsetThreshold": -100},
                "ptp4lConf": "[ens4f0]\nmasterOnly 0\n[ens4f1]\nmasterOnly 1\n[global]\ndomainNumber 24\n"}],
            "recommend": [{"profile": "boundary", "priority": 4, "match": [{"nodeLabel": "node-role.kubernetes.io/worker"}]}]},
        "status": {"matchList": matches}})
}

fn ptp_devices(story: &Story, node: &str) -> Value {
    let device = |name: &str, at: u8| json!({"name": name, "profile": "boundary", "hardwareInfo": {"pciAddress": format!("0000:5e:00.{at}"), "vendorID": "0x8086", "deviceID": "0x1593", "driverVersion": "ice 1.14.9", "firmwareVersion": "4.40", "linkStatus": "up", "linkSpeed": "25000Mb/s", "fec": "RS"}});
    json!({"apiVersion": "ptp.openshift.io/v1", "kind": "NodePtpDevice", "metadata": meta(story, "openshift-ptp", node, 1), "spec": {},
        "status": {"devices": [device("ens4f0", 0), device("ens4f1", 1)]}})
}

fn inference(story: &Story, t: f64) -> Value {
    let whole = t < story.gpu_lost() || t >= story.replacement_serves();
    let status = if whole { "True" } else { "False" };
    let message = if whole {
        ""
    } else {
        "1 of 2 predictor pods is not ready"
    };
    let condition = |kind: &str| json!({"type": kind, "status": status, "reason": if whole { "" } else { "MinimumReplicasUnavailable" }, "message": message, "lastTransitionTime": time(story.gpu_lost())});
    json!({"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": meta(story, "inference", "llama-70b", 2),
        "spec": {"predictor": {"minReplicas": 2, "maxReplicas": 2, "model": {"modelFormat": {"name": "vLLM"}, "runtime": "vllm-cuda-runtime", "storageUri": "oci://registry.example/models/llama-70b:1", "resources": {"limits": {"nvidia.com/gpu": "4"}}}}},
        "status": {"observedGeneration": 2, "deploymentMode": "RawDeployment", "url": "http://llama-70b.inference.example", "conditions": [condition("PredictorReady"), condition("Ready")],
            "modelStatus": {"transitionStatus": "UpToDate", "states": {"activeModelState": "Loaded", "targetModelState": "Loaded"}, "copies": {"failedCopies": 0, "totalCopies": 2}}}})
}

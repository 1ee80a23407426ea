//! Nodes, pods and Deployments in numbers, each as large as real ones are (a pod is about 6 KB).
#![allow(dead_code)]

use serde_json::{Value, json};

const MADE: &str = "2026-11-20T08:00:00Z";

pub fn node(n: usize) -> Value {
    let images: Vec<Value> = (0..40)
        .map(|i| json!({"names": [format!("registry.example/team-{i}/app@sha256:{:064x}", i * 7919), format!("registry.example/team-{i}/app:1.{i}")], "sizeBytes": 312_000_000 + i}))
        .collect();
    let condition = |kind: &str, status: &str| json!({"type": kind, "status": status, "reason": "KubeletHasSufficient", "message": "kubelet has sufficient room available", "lastHeartbeatTime": MADE, "lastTransitionTime": MADE});
    json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": format!("node-{n:04}"), "uid": format!("n-{n}"), "creationTimestamp": MADE,
            "labels": {"kubernetes.io/hostname": format!("node-{n:04}"), "node-role.kubernetes.io/worker": "", "topology.kubernetes.io/zone": format!("z{}", n % 3), "beta.kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux"}},
        "spec": {},
        "status": {"allocatable": {"cpu": "63500m", "memory": "260000Mi", "pods": "250", "ephemeral-storage": "800Gi"}, "capacity": {"cpu": "64", "memory": "262144Mi", "pods": "250"},
            "conditions": [condition("MemoryPressure", "False"), condition("DiskPressure", "False"), condition("PIDPressure", "False"), condition("Ready", "True")],
            "images": images,
            "nodeInfo": {"kubeletVersion": "v1.33.4", "kernelVersion": "5.14.0", "osImage": "Red Hat Enterprise Linux CoreOS 9.6", "containerRuntimeVersion": "cri-o://1.33.4", "architecture": "amd64", "operatingSystem": "linux", "machineID": "m", "systemUUID": "s", "bootID": "b", "kubeProxyVersion": ""}}})
}

pub fn pod(n: usize, nodes: usize) -> Value {
    let app = n / 3;
    let name = format!("app-{app:04}-6d5f7c9b48-{n:05}");
    let environment: Vec<Value> = (0..20)
        .map(|i| json!({"name": format!("SETTING_NUMBER_{i}"), "value": format!("value of setting {i} of application {app}")}))
        .collect();
    let fields: serde_json::Map<String, Value> = (0..20)
        .map(|i| {
            (
                format!("f:SETTING_NUMBER_{i}"),
                json!({".": {}, "f:name": {}, "f:value": {}}),
            )
        })
        .collect();
    let probe = json!({"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 10, "failureThreshold": 3});
    let container = json!({"name": "app", "image": format!("registry.example/team/app-{app}:1.{}", app % 30), "env": environment, "imagePullPolicy": "IfNotPresent",
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}}, "livenessProbe": probe, "readinessProbe": probe,
        "volumeMounts": [{"name": "config", "mountPath": "/etc/app"}, {"name": "kube-api-access", "readOnly": true, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}],
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"});
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": format!("team-{:02}", app % 40), "uid": format!("p-{n}"), "creationTimestamp": MADE,
            "labels": {"app": format!("app-{app}"), "pod-template-hash": "6d5f7c9b48", "app.kubernetes.io/instance": format!("app-{app}")},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("app-{app:04}-6d5f7c9b48"), "uid": "u", "controller": true, "blockOwnerDeletion": true}],
            "managedFields": [{"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "time": MADE, "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {"f:env": fields}}}}}]},
        "spec": {"containers": [container], "nodeName": format!("node-{:04}", n % nodes.max(1)), "serviceAccountName": "default", "restartPolicy": "Always", "schedulerName": "default-scheduler",
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}, {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}],
            "volumes": [{"name": "config", "configMap": {"name": "app", "defaultMode": 420}}, {"name": "kube-api-access", "projected": {"defaultMode": 420, "sources": [{"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}]}}]},
        "status": {"phase": "Running", "startTime": MADE, "podIP": "10.128.0.1", "hostIP": "192.0.2.1", "qosClass": "Burstable",
            "conditions": [{"type": "Initialized", "status": "True", "lastTransitionTime": MADE}, {"type": "Ready", "status": "True", "lastTransitionTime": MADE}, {"type": "ContainersReady", "status": "True", "lastTransitionTime": MADE}, {"type": "PodScheduled", "status": "True", "lastTransitionTime": MADE}],
            "containerStatuses": [{"name": "app", "ready": true, "started": true, "restartCount": 0, "image": format!("registry.example/team/app-{app}:1.{}", app % 30), "imageID": format!("registry.example/team/app@sha256:{app:064x}"), "containerID": format!("cri-o://{n:064x}"), "state": {"running": {"startedAt": MADE}}, "lastState": {}}]}})
}

pub fn deployment(app: usize) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": format!("app-{app:04}"), "namespace": format!("team-{:02}", app % 40), "uid": format!("d-{app}"), "generation": 2, "creationTimestamp": MADE},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": format!("app-{app}")}}, "template": {"metadata": {"labels": {"app": format!("app-{app}")}}, "spec": {"containers": [{"name": "app", "image": format!("registry.example/team/app-{app}:1.{}", app % 30)}]}}},
        "status": {"observedGeneration": 2, "replicas": 3, "readyReplicas": 3, "updatedReplicas": 3, "availableReplicas": 3}})
}

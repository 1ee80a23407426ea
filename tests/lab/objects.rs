//! Kubernetes objects of the lab as the API server would give them, as they are at a time.

use std::collections::BTreeMap;

use farwatch::model::time::Timestamp;
use serde_json::{Value, json};

use super::common::{Site, allocatable};
use super::platform;
use super::ran::address;
use super::story::{BAD_DU, LOST_POD, Pod, Story};

/// Resource, kind and API group with version.
const OWN: [(&str, &str, &str); 4] = [
    ("nodes", "Node", "v1"),
    ("pods", "Pod", "v1"),
    ("events", "Event", "v1"),
    (
        "sriovnetworknodestates",
        "SriovNetworkNodeState",
        "sriovnetwork.openshift.io/v1",
    ),
];

/// What the API server of the site knows.
pub fn kinds(site: Site) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let all = OWN.into_iter().chain(platform::KINDS);
    all.filter(move |(_, _, group)| platform::has(site, group))
}

pub fn time(t: f64) -> String {
    let text = Timestamp::from_seconds(t.floor()).rfc3339();
    text.replace(".000Z", "Z")
}

/// Objects of a kind by `namespace/name`; the resource version is left to the server.
pub fn all(site: Site, story: &Story, kind: &str, t: f64) -> BTreeMap<String, Value> {
    let list = match (kind, site) {
        ("nodes", _) => site
            .nodes()
            .iter()
            .map(|n| node(site, story, n, t))
            .collect(),
        ("pods", _) => site
            .pods(story)
            .iter()
            .filter(|p| p.there(t) || lingering(story, p, t))
            .map(|p| pod(story, p, t))
            .collect(),
        ("events", _) => super::events::events(site, story)
            .into_iter()
            .filter(|(at, _)| *at <= t && *at > t - 3600.0)
            .map(|(_, e)| e)
            .collect(),
        ("sriovnetworknodestates", Site::Ran) => {
            site.nodes().iter().map(|n| sriov(story, n, t)).collect()
        }
        _ => platform::all(site, story, kind, t),
    };
    list.into_iter()
        .map(|o: Value| {
            let text = |k: &str| o["metadata"][k].as_str().unwrap_or_default().to_owned();
            (format!("{}/{}", text("namespace"), text("name")), o)
        })
        .collect()
}

/// The dead pod stays to be seen for a minute.
fn lingering(story: &Story, pod: &Pod, t: f64) -> bool {
    pod.name == LOST_POD && t >= story.gpu_lost() && t < story.gpu_lost() + 60.0
}

fn node(site: Site, story: &Story, name: &str, t: f64) -> Value {
    let mut resources = serde_json::Map::new();
    for (resource, value) in allocatable(site, story, name, t) {
        let real = resource.replacen("nvidia_com_", "nvidia.com/", 1).replacen(
            "openshift_io_",
            "openshift.io/",
            1,
        );
        resources.insert(real, Value::from(format!("{value:.0}")));
    }
    for (resource, value) in [("cpu", "127500m"), ("memory", "2110Gi"), ("pods", "250")] {
        resources.insert(resource.into(), Value::from(value));
    }
    let role = if site == Site::Ran {
        "node-role.kubernetes.io/master"
    } else {
        "node-role.kubernetes.io/worker"
    };
    let since = time(story.start - 86_400.0);
    let condition = |kind: &str, status: &str, reason: &str| json!({"type": kind, "status": status, "reason": reason, "message": "", "lastHeartbeatTime": since, "lastTransitionTime": since});
    json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "uid": format!("uid-{name}"), "creationTimestamp": since,
            "labels": {"kubernetes.io/hostname": name, role: "", "node-role.kubernetes.io/worker": "", "topology.kubernetes.io/zone": site.name()}},
        "spec": {},
        "status": {"allocatable": resources, "capacity": resources,
            "conditions": [condition("Ready", "True", "KubeletReady"), condition("MemoryPressure", "False", "KubeletHasSufficientMemory"), condition("DiskPressure", "False", "KubeletHasNoDiskPressure")],
            "nodeInfo": {"kubeletVersion": "v1.33.4", "kernelVersion": "5.14.0-570.49.1.el9_6.x86_64", "osImage": "Red Hat Enterprise Linux CoreOS 9.6", "containerRuntimeVersion": "cri-o://1.33.4", "architecture": "amd64", "operatingSystem": "linux", "machineID": "", "systemUUID": "", "bootID": "", "kubeProxyVersion": ""}}})
}

fn pod(story: &Story, pod: &Pod, t: f64) -> Value {
    let dead = pod.name == LOST_POD && t >= story.gpu_lost();
    let ready = pod.ready(story, t) && !dead;
    let pending = pod.pending(t);
    let made = if pod.from > 0.0 {
        pod.from
    } else {
        story.start - 7_200.0
    };
    let starved = pod.name == "vdu-l1-1" && story.cells_down(t);
    let changed = if dead {
        story.gpu_lost()
    } else if starved {
        story.ptp_free() + 60.0
    } else {
        pod.ready_from.max(made)
    };
    let restarts = i32::from(pod.name == "vdu-l1-1" && t >= story.ptp_free() + 60.0);
    let state = if dead {
        json!({"terminated": {"exitCode": 1, "reason": "Error", "message": "EngineCore died: CUDA error", "startedAt": time(made), "finishedAt": time(story.gpu_lost())}})
    } else if starved {
        json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s restarting failed container=l1 pod=vdu-l1-1"}})
    } else {
        json!({"running": {"startedAt": time(made)}})
    };
    let statuses = if pending {
        json!([])
    } else {
        json!([{"name": pod.container, "ready": ready, "started": ready, "restartCount": restarts, "image": platform::image(story, pod, t), "imageID": "", "state": state, "lastState": {}}])
    };
    let mut conditions = vec![
        json!({"type": "Ready", "status": if ready { "True" } else { "False" }, "lastTransitionTime": time(changed)}),
    ];
    if pending {
        conditions.push(json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available: 1 node(s) had untolerated taint {nvidia.com/reserved: batch}, 2 Insufficient nvidia.com/gpu. preemption: 0/3 nodes are available", "lastTransitionTime": time(made)}));
    }
    let mut spec = json!({"containers": [{"name": pod.container, "image": platform::image(story, pod, t), "resources": {"requests": {"cpu": format!("{:.0}m", pod.cpu * 1000.0), "memory": format!("{:.0}Mi", pod.memory_gib * 1024.0)}, "limits": {"nvidia.com/gpu": pod.gpus.len().to_string()}}}]});
    if !pending {
        spec["nodeName"] = Value::from(pod.node);
    }
    let phase = if dead {
        "Failed"
    } else if pending {
        "Pending"
    } else {
        "Running"
    };
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": pod.name, "namespace": pod.namespace, "uid": format!("uid-{}", pod.name), "creationTimestamp": time(made),
            "labels": {"app": pod.container},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": pod.owner.0, "name": pod.owner.1, "uid": "u", "controller": true}]},
        "spec": spec,
        "status": {"phase": phase, "startTime": time(made), "podIP": pod.ip, "conditions": conditions, "containerStatuses": statuses}})
}

fn sriov(story: &Story, node: &str, t: f64) -> Value {
    let bad = node == BAD_DU && story.sriov_is_failed(t);
    let asked = node == BAD_DU && t >= story.sriov_failed() - 20.0 && t < story.sriov_back();
    let wanted = |pf: &str| if asked && pf == "ens3f0" { 16 } else { 8 };
    let pfs = ["ens3f0", "ens3f1"];
    let spec: Vec<Value> = pfs
        .iter()
        .enumerate()
        .map(|(i, pf)| json!({"name": pf, "numVfs": wanted(pf), "pciAddress": format!("0000:3b:00.{i}"), "vfGroups": [{"deviceType": "vfio-pci", "policyName": "fronthaul", "resourceName": "fronthaul_vfio", "vfRange": format!("{pf}#0-7")}]}))
        .collect();
    let status: Vec<Value> = pfs
        .iter()
        .enumerate()
        .map(|(i, pf)| {
            let count = if bad && i == 0 { 2 } else { 8 };
            let vfs: Vec<Value> = (0..count).map(|vf| json!({"vfID": vf, "pciAddress": address(pf, vf), "driver": "vfio-pci", "vendor": "8086", "deviceID": "1889"})).collect();
            json!({"name": pf, "pciAddress": format!("0000:3b:00.{i}"), "vendor": "8086", "deviceID": "1593", "driver": "ice", "mac": format!("b4:96:91:aa:07:{i:02x}"), "mtu": 9000, "linkSpeed": "25000 Mb/s", "linkType": "ETH", "numVfs": vfs.len(), "totalvfs": 64, "Vfs": vfs})
        })
        .collect();
    let (sync, error) = if bad {
        (
            "Failed",
            "cannot allocate 16 VFs on 0000:3b:00.0: device or resource busy",
        )
    } else if asked {
        ("InProgress", "")
    } else {
        ("Succeeded", "")
    };
    json!({"apiVersion": "sriovnetwork.openshift.io/v1", "kind": "SriovNetworkNodeState",
        "metadata": {"name": node, "namespace": "openshift-sriov-network-operator", "uid": format!("uid-sriov-{node}"), "creationTimestamp": time(story.start - 86_400.0),
            "annotations": {"sriovnetwork.openshift.io/current-state": "Idle", "sriovnetwork.openshift.io/desired-state": if bad { "Drain_Required" } else { "Idle" }}},
        "spec": {"interfaces": spec},
        "status": {"syncStatus": sync, "lastSyncError": error, "interfaces": status}})
}

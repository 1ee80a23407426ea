//! Pods in which `nvidia-smi` can be run: the driver's own, the device plugin's, DCGM's.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;

use crate::model::fault::{Fault, FaultKind};
use crate::model::text::clean;
use crate::source::door::is_ready;
use crate::source::kubernetes::Cluster;
use crate::source::kubernetes::exec::Place;

/// Labels by which the GPU Operator, its OpenShift build, and the charts of the device plugin and
/// of the DCGM exporter mark their pods.
const SELECTORS: [&str; 4] = [
    "app in (nvidia-driver-daemonset,nvidia-vgpu-manager-daemonset,nvidia-device-plugin-daemonset,\
     nvidia-dcgm,nvidia-dcgm-exporter)",
    "app.kubernetes.io/component=nvidia-driver",
    "app.kubernetes.io/name in (nvidia-device-plugin,dcgm-exporter)",
    "name=nvidia-device-plugin-ds",
];
/// Namespaces in which none but the cluster's own people run pods: of the GPU Operator, of its
/// OpenShift build, and of the charts where they are not told otherwise.
const OWN: [&str; 4] = [
    "gpu-operator",
    "nvidia-gpu-operator",
    "kube-system",
    "nvidia-device-plugin",
];
/// Pods of one answer, and answers of one list.
const PAGE: u32 = 500;
const PAGES: usize = 8;

/// Pods of each node, the best first.
pub type Nodes = BTreeMap<String, Vec<Place>>;

/// Looks for them in all namespaces, and takes those in the `named` ones; none is named: in those
/// that are the cluster's own.
pub async fn find(cluster: &Cluster, named: &[String]) -> Result<Nodes, Fault> {
    let api: Api<Pod> = Api::all(cluster.client.clone());
    let mut found: BTreeMap<String, Vec<(u8, Place)>> = BTreeMap::new();
    for selector in SELECTORS {
        let mut wanted = ListParams::default().labels(selector).limit(PAGE);
        for _ in 0..PAGES {
            let page = api.list(&wanted).await;
            let page = page.map_err(|e| cluster.fault(&e, "list pods of the GPU driver"))?;
            for pod in page.items.iter().filter(|p| is_ready(p)) {
                if let Some((node, rank, place)) = place(pod) {
                    found.entry(node).or_default().push((rank, place));
                }
            }
            match page.metadata.continue_ {
                Some(next) if !next.is_empty() => wanted = wanted.continue_token(&next),
                _ => break,
            }
        }
    }
    best(found, named).map_err(|elsewhere| none(cluster, named, &elsewhere))
}

/// The best of each node first. Labels are anyone's to write: a pod elsewhere that looks like them
/// is not used at all. Error: the namespaces in which such pods are.
fn best(
    found: BTreeMap<String, Vec<(u8, Place)>>,
    named: &[String],
) -> Result<Nodes, BTreeSet<String>> {
    let trusted = |place: &Place| match named.is_empty() {
        true => OWN.contains(&place.namespace.as_str()),
        false => named.contains(&place.namespace),
    };
    let mut nodes = Nodes::new();
    let mut elsewhere = BTreeSet::new();
    for (node, mut places) in found {
        places.sort_unstable();
        places.dedup();
        for (_, place) in places {
            match trusted(&place) {
                true => nodes.entry(node.clone()).or_default().push(place),
                false => drop(elsewhere.insert(place.namespace)),
            }
        }
    }
    match nodes.is_empty() {
        false => Ok(nodes),
        true => Err(elsewhere),
    }
}

fn none(cluster: &Cluster, named: &[String], elsewhere: &BTreeSet<String>) -> Fault {
    let places: Vec<&str> = match named.is_empty() {
        true => OWN.to_vec(),
        false => named.iter().map(String::as_str).collect(),
    };
    let what = format!(
        "no ready pod of a DaemonSet of the GPU driver, the device plugin or DCGM in {} in which \
         nvidia-smi could be run",
        places.join(", ")
    );
    let hint = match elsewhere.is_empty() {
        true => "look at the GPU Operator, or leave `nvidia_smi` out".to_owned(),
        false => {
            let found: Vec<&str> = elsewhere.iter().take(5).map(String::as_str).collect();
            format!(
                "pods that look like it are in {}: where you trust them, name the namespace in \
                 `nvidia_smi_namespaces`",
                found.join(", ")
            )
        }
    };
    Fault {
        kind: FaultKind::NotFound,
        cluster: cluster.name.clone(),
        endpoint: cluster.place.clone(),
        what,
        hint,
    }
}

/// It came from a DaemonSet, as all of these do.
fn is_of_daemon_set(pod: &Pod) -> bool {
    let mut owners = pod.metadata.owner_references.iter().flatten();
    owners.any(|owner| owner.kind == "DaemonSet" && owner.controller == Some(true))
}

/// Node, rank (0 goes first) and where it would be run.
fn place(pod: &Pod) -> Option<(String, u8, Place)> {
    let spec = pod.spec.as_ref().filter(|_| is_of_daemon_set(pod))?;
    let name = pod.metadata.name.as_deref()?;
    let rank = match name {
        name if name.contains("driver") || name.contains("vgpu-manager") => 0,
        name if name.contains("plugin") => 1,
        name if !name.contains("exporter") => 2,
        _ => 3,
    };
    // Beside sidecars: the one that is called as what the pod is for.
    let mut named = spec.containers.iter();
    let own = named.find(|c| c.name.contains("nvidia"));
    let own = own.or(spec.containers.first())?;
    let place = Place {
        namespace: pod.metadata.namespace.clone()?,
        pod: name.to_owned(),
        container: own.name.clone(),
    };
    let node = clean(spec.node_name.as_deref()?, 253);
    Some((node, rank, place))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(namespace: &str, name: &str, owner: &str) -> Pod {
        let pod = json!({
            "metadata": {"namespace": namespace, "name": name, "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": owner, "name": "x", "uid": "1",
                "controller": true}]},
            "spec": {"nodeName": "n1", "containers": [{"name": "nvidia-smi"}]}});
        serde_json::from_value(pod).expect("a pod")
    }

    fn used(pods: &[Pod], named: &[&str]) -> Result<Vec<String>, BTreeSet<String>> {
        let mut found: BTreeMap<String, Vec<(u8, Place)>> = BTreeMap::new();
        for (node, rank, place) in pods.iter().filter_map(place) {
            found.entry(node).or_default().push((rank, place));
        }
        let named: Vec<String> = named.iter().map(|n| (*n).to_owned()).collect();
        let nodes = best(found, &named)?;
        let each = nodes.values().flatten();
        Ok(each.map(|p| format!("{}/{}", p.namespace, p.pod)).collect())
    }

    #[test]
    fn a_pod_that_only_looks_like_the_drivers_is_not_used() {
        let own = pod("gpu-operator", "nvidia-dcgm-1", "DaemonSet");
        let tenant = pod("team-a", "nvidia-driver-daemonset-1", "DaemonSet");
        let both = [tenant, own];
        let of = |pods: &[Pod], named: &[&str]| used(pods, named).expect("some");
        assert_eq!(of(&both, &[]), ["gpu-operator/nvidia-dcgm-1"]);
        let told = used(&both[..1], &[]).expect_err("only a tenant's");
        assert_eq!(told.into_iter().collect::<Vec<_>>(), ["team-a"]);
        // An operator that was put elsewhere: the operator of the console names it.
        assert_eq!(of(&both, &["team-a"]), ["team-a/nvidia-driver-daemonset-1"]);
        let bare = pod("gpu-operator", "nvidia-driver-daemonset-1", "ReplicaSet");
        assert!(used(&[bare], &[]).expect_err("no DaemonSet").is_empty());
    }
}

//! Pods in which `nvidia-smi` can be run: the driver's own, the device plugin's, DCGM's.

use std::collections::BTreeMap;

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
/// Pods of one answer, and answers of one list.
const PAGE: u32 = 500;
const PAGES: usize = 8;

/// Pods of each node, the best first.
pub type Nodes = BTreeMap<String, Vec<Place>>;

/// Looks for them in all namespaces.
pub async fn find(cluster: &Cluster) -> Result<Nodes, Fault> {
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
    let nodes: Nodes = found
        .into_iter()
        .map(|(node, mut places)| {
            places.sort_unstable();
            places.dedup();
            (node, places.into_iter().map(|(_, place)| place).collect())
        })
        .collect();
    match nodes.is_empty() {
        false => Ok(nodes),
        true => Err(Fault {
            kind: FaultKind::NotFound,
            cluster: cluster.name.clone(),
            endpoint: cluster.place.clone(),
            what: "no ready pod of the GPU driver, the device plugin or DCGM in which nvidia-smi \
                   could be run"
                .into(),
            hint: "look at the GPU Operator, or leave `nvidia_smi` out".into(),
        }),
    }
}

/// Node, rank (0 goes first) and where it would be run.
fn place(pod: &Pod) -> Option<(String, u8, Place)> {
    let spec = pod.spec.as_ref()?;
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

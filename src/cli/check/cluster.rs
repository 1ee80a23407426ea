//! How a cluster itself is asked: its API server, and one of its GPU nodes by `nvidia-smi`.

use super::{Good, KUBE_LIMIT, KUBERNETES, Probe, boxed};
use crate::config::{Cluster, Config, Kube};
use crate::model::health::SourceKind;
use crate::source::kubernetes::{self, Server};
use crate::source::nvidia_smi;

pub(super) fn all<'a>(
    config: &Config,
    cluster: &'a Cluster,
    kube: &Kube,
    server: &Server,
) -> Vec<Probe<'a>> {
    let mut probes = vec![api(cluster, kube, server.clone())];
    if cluster.nvidia_smi {
        probes.push(cards(config, cluster, kube, server.clone()));
    }
    probes
}

fn api<'a>(cluster: &'a Cluster, kube: &Kube, server: Server) -> Probe<'a> {
    Probe {
        cluster: &cluster.name,
        source: KUBERNETES.into(),
        endpoint: kubernetes::called(kube),
        auth: "accepted",
        limit: KUBE_LIMIT,
        work: boxed(async move {
            let seen = server.cluster().await?.version().await?;
            Ok(Good {
                version: Some(seen.version),
                latency: seen.latency,
                skew_ms: seen.skew_ms,
                expires: server.expiry(),
                ..Good::default()
            })
        }),
    }
}

/// Runs `nvidia-smi` on one node, as it will be run on all.
fn cards<'a>(config: &Config, cluster: &'a Cluster, kube: &Kube, server: Server) -> Probe<'a> {
    let setup = nvidia_smi::Setup::new(config, cluster, server);
    Probe {
        cluster: &cluster.name,
        source: SourceKind::NvidiaSmi.to_string(),
        endpoint: format!(
            "{} (by exec in a pod of a GPU node)",
            kubernetes::called(kube)
        ),
        auth: "accepted",
        limit: KUBE_LIMIT + nvidia_smi::TIME,
        work: boxed(async move {
            let (driver, latency) = nvidia_smi::try_once(setup).await?;
            Ok(Good {
                version: Some(driver).filter(|v| !v.is_empty()),
                latency,
                ..Good::default()
            })
        }),
    }
}

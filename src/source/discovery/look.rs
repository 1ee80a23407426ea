//! Asks the API server what there is: groups, Services, Routes, Ingresses, the platform.

use std::collections::BTreeMap;

use super::front::{Front, RawIngress, RawRoute};
use super::offer::{Groups, RawGroups, RawService, RawVersionStatus, Service};
use super::pick::NAMESPACES;
use crate::model::discovery::Platform;
use crate::model::fault::{Fault, FaultKind};
use crate::source::kubernetes::Cluster;

/// Groups of all APIs in one answer, or, from older servers, without their resources.
const GROUPS: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                      application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,\
                      application/json";
/// Services, Routes or Ingresses that are looked at.
const MOST: usize = 10_000;

/// Everything that the API server said.
#[derive(Debug)]
pub struct Seen {
    pub groups: Groups,
    pub platform: Platform,
    /// `None`: no OpenShift, or not ours to read.
    pub openshift_version: Option<String>,
    pub services: Vec<Service>,
    /// What could not be seen of the services, and why.
    pub blind: Option<Blind>,
    pub fronts: Vec<Front>,
    /// What could not be seen of the fronts, and why.
    pub fronts_blind: Option<Blind>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blind {
    pub forbidden: bool,
    pub reason: String,
}

/// A fault here is one of the whole server. `only`: namespaces to be looked at; empty: all.
pub async fn look(cluster: &Cluster, only: &[String]) -> Result<Seen, Fault> {
    let groups = cluster.get_json_as::<RawGroups>("/apis", GROUPS, "list API groups");
    let groups = groups.await?.read();
    let ((services, blind), (fronts, fronts_blind), (platform, openshift_version)) = tokio::join!(
        services(cluster, only),
        fronts(cluster, &groups),
        platform(cluster, &groups),
    );
    Ok(Seen {
        platform,
        openshift_version,
        services,
        blind,
        fronts,
        fronts_blind,
        groups,
    })
}

/// The services that may be seen: all in one list, else namespace by namespace.
async fn services(cluster: &Cluster, only: &[String]) -> (Vec<Service>, Option<Blind>) {
    const DOING: &str = "list services";
    let refused = match only.is_empty() {
        false => None,
        true => match cluster
            .list_json::<RawService>("/api/v1/services", DOING, MOST)
            .await
        {
            Ok(listed) => {
                let blind = listed.cut.then(|| Blind {
                    forbidden: false,
                    reason: format!("only the first {MOST} services were looked at"),
                });
                let read = listed.items.into_iter().filter_map(RawService::read);
                return (read.collect(), blind);
            }
            Err(fault) if fault.kind == FaultKind::Forbidden => Some(fault),
            Err(fault) => return (Vec::new(), Some(blind_of(&fault))),
        },
    };
    let usual = NAMESPACES.map(str::to_owned);
    let namespaces = if only.is_empty() { &usual } else { only };
    let mut found = Vec::new();
    let (mut readable, mut worst) = (Vec::new(), refused.as_ref().map(blind_of));
    for namespace in namespaces {
        let path = format!("/api/v1/namespaces/{namespace}/services");
        match cluster.list_json::<RawService>(&path, DOING, MOST).await {
            Ok(listed) => {
                let read = listed.items.into_iter().filter_map(RawService::read);
                found.extend(read);
                readable.push(namespace.as_str());
            }
            Err(fault) if fault.kind == FaultKind::Forbidden => {
                worst.get_or_insert_with(|| blind_of(&fault));
            }
            // The server itself is unwell: it is not asked twenty times more.
            Err(fault) => {
                worst = Some(blind_of(&fault));
                break;
            }
        }
    }
    if let Some(blind) = worst.as_mut().filter(|_| !found.is_empty()) {
        readable.truncate(6);
        blind.reason = format!("{}; seen were only {}", blind.reason, readable.join(", "));
    }
    (found, worst)
}

fn blind_of(fault: &Fault) -> Blind {
    Blind {
        forbidden: fault.kind == FaultKind::Forbidden,
        reason: fault.what.clone(),
    }
}

/// Names outside of the cluster, and what could not be seen of them.
async fn fronts(cluster: &Cluster, groups: &Groups) -> (Vec<Front>, Option<Blind>) {
    let routes = async {
        if !groups.has("route.openshift.io") {
            return Ok(Vec::new());
        }
        let path = "/apis/route.openshift.io/v1/routes";
        let listed = cluster
            .list_json::<RawRoute>(path, "list routes", MOST)
            .await?;
        let read = listed.items.into_iter().filter_map(RawRoute::read);
        Ok(read.collect())
    };
    let ingresses = async {
        let path = "/apis/networking.k8s.io/v1/ingresses";
        let listed = cluster.list_json::<RawIngress>(path, "list ingresses", MOST);
        let read = listed.await?.items.into_iter().flat_map(RawIngress::read);
        Ok(read.collect())
    };
    let listed: (Result<Vec<Front>, Fault>, Result<Vec<Front>, Fault>) =
        tokio::join!(routes, ingresses);
    let (mut fronts, mut blind) = (Vec::new(), None);
    for listed in [listed.0, listed.1] {
        match listed {
            Ok(some) => fronts.extend(some),
            // What may pass says more than a right that is missing.
            Err(fault) => {
                let seen: &mut Blind = blind.get_or_insert_with(|| blind_of(&fault));
                if seen.forbidden && fault.kind != FaultKind::Forbidden {
                    *seen = blind_of(&fault);
                }
            }
        }
    }
    (fronts, blind)
}

async fn platform(cluster: &Cluster, groups: &Groups) -> (Platform, Option<String>) {
    if groups.has("config.openshift.io") {
        let path = "/apis/config.openshift.io/v1/clusterversions/version";
        let version = cluster.get_json::<RawVersionStatus>(path, "get clusterversion version");
        let version = version.await.ok().and_then(RawVersionStatus::read);
        return (Platform::OpenShift, version);
    }
    if !groups.has("route.openshift.io") {
        return (Platform::Kubernetes, None);
    }
    #[derive(serde::Deserialize)]
    struct Told {
        #[serde(default)]
        data: BTreeMap<String, String>,
    }
    let path = "/api/v1/namespaces/kube-public/configmaps/microshift-version";
    let told = cluster.get_json::<Told>(path, "get configmap kube-public/microshift-version");
    match told.await {
        Ok(told) => {
            let version = told
                .data
                .get("version")
                .map(|v| crate::model::text::clean(v, 60));
            (Platform::MicroShift, version)
        }
        Err(_) => (Platform::Kubernetes, None),
    }
}

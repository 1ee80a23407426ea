//! From a service, or from labels, to one ready pod and the port it listens on.

use k8s_openapi::api::core::v1::{Pod, Service, ServicePort as Port};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::Api;
use kube::api::ListParams;

use super::way::{told, trouble};
use crate::config::{ServicePort, ServiceRef, Target};
use crate::model::fault::FaultKind;
use crate::source::error::Cause;
use crate::source::kubernetes::Cluster;

/// Most pods of a service that are looked at.
const PODS: u32 = 500;

/// Where a forward ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) namespace: String,
    pub(super) pod: String,
    pub(super) port: u16,
}

/// A ready pod; another than `avoid` if there is one.
pub(super) async fn choose(
    cluster: &Cluster,
    target: &Target,
    avoid: Option<&str>,
) -> Result<Chosen, Cause> {
    let (namespace, selector, port) = match target {
        Target::Service(service) => {
            let (selector, port) = behind(cluster, service).await?;
            (&service.namespace, selector, port)
        }
        Target::Pods {
            namespace,
            selector,
            port,
        } => {
            let port = match port {
                ServicePort::Number(port) => IntOrString::Int(i32::from(*port)),
                ServicePort::Name(name) => IntOrString::String(name.clone()),
            };
            (namespace, selector.clone(), port)
        }
    };
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let wanted = ListParams::default().labels(&selector).limit(PODS);
    let pods = api.list(&wanted).await.map_err(|e| {
        let doing = format!("list pods in namespace {namespace}");
        trouble(cluster, &e, &doing)
    })?;
    let all = pods.items.len();
    let mut ready: Vec<Pod> = pods.items.into_iter().filter(is_ready).collect();
    ready.sort_by(|a, b| name(a).cmp(name(b)));
    let other = ready.iter().position(|p| Some(name(p)) != avoid);
    let Some(pod) = ready.get(other.unwrap_or(0)) else {
        let what = format!("no pod of {target} is ready, of {all}");
        let hint = "look at its pods: it is tried again";
        return Err(told(cluster, FaultKind::Unreachable, what, hint));
    };
    let Some(number) = listens(pod, &port) else {
        let what = format!("pod {} has no port {}", name(pod), words(&port));
        let hint = "check the port, and the ports that its containers name";
        return Err(told(cluster, FaultKind::NotFound, what, hint));
    };
    Ok(Chosen {
        namespace: namespace.clone(),
        pod: name(pod).to_owned(),
        port: number,
    })
}

/// Selector of a service's pods, and the port that they are asked on.
async fn behind(cluster: &Cluster, service: &ServiceRef) -> Result<(String, IntOrString), Cause> {
    let api: Api<Service> = Api::namespaced(cluster.client.clone(), &service.namespace);
    let found = api.get(&service.name).await.map_err(|e| {
        let doing = format!("get service {}/{}", service.namespace, service.name);
        trouble(cluster, &e, &doing)
    })?;
    let spec = found.spec.unwrap_or_default();
    let ports = spec.ports.unwrap_or_default();
    let wanted = |p: &&Port| match &service.port {
        ServicePort::Number(number) => p.port == i32::from(*number),
        ServicePort::Name(name) => p.name.as_ref() == Some(name),
    };
    let Some(port) = ports.iter().find(wanted) else {
        let known: Vec<String> = ports
            .iter()
            .map(|p| match &p.name {
                Some(name) => format!("{name} ({})", p.port),
                None => p.port.to_string(),
            })
            .collect();
        let what = format!(
            "service {service} has no such port; it has {}",
            known.join(", ")
        );
        return Err(told(
            cluster,
            FaultKind::NotFound,
            crate::model::text::clean(&what, 250),
            "check the port of `service`",
        ));
    };
    let labels = spec.selector.unwrap_or_default();
    if labels.is_empty() {
        let what = format!("service {service} selects no pods to which a port could be forwarded");
        let hint = "take `via = \"proxy\"`, or name the real place in `url`";
        return Err(told(cluster, FaultKind::NotFound, what, hint));
    }
    let pairs: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    // Of a headless service too: its pods are asked where it says.
    let target = port.target_port.clone();
    let target = target.filter(|t| !matches!(t, IntOrString::Int(0)));
    let target = target.unwrap_or(IntOrString::Int(port.port));
    Ok((pairs.join(","), target))
}

fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default()
}

/// Whether it can be used now.
pub(in crate::source) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|s| s.conditions.as_ref());
    pod.metadata.deletion_timestamp.is_none()
        && conditions
            .into_iter()
            .flatten()
            .any(|c| c.type_ == "Ready" && c.status == "True")
}

/// The number of a port, where a container names it so.
fn listens(pod: &Pod, port: &IntOrString) -> Option<u16> {
    let wanted = match port {
        IntOrString::Int(number) => return u16::try_from(*number).ok().filter(|n| *n > 0),
        IntOrString::String(name) => name,
    };
    let spec = pod.spec.as_ref()?;
    let sidecars = spec.init_containers.iter().flatten();
    let ports = spec.containers.iter().chain(sidecars);
    let mut ports = ports.flat_map(|c| c.ports.iter().flatten());
    let port = ports.find(|p| p.name.as_ref() == Some(wanted))?;
    u16::try_from(port.container_port).ok()
}

fn words(port: &IntOrString) -> String {
    match port {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(name) => crate::model::text::clean(name, 60),
    }
}

//! Kubernetes objects -> what farwatch keeps of them. Pure; every text is cleaned here.

use std::sync::Arc;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::DynamicObject;
use serde::Deserialize;

use crate::model::label::Labels;
use crate::model::object::{Event, Node, Object, Pod, Requests, Room};
use crate::model::sriov::{PhysicalFunction, SriovNodeState, VfGroup, VirtualFunction};
use crate::model::text::clean;
use crate::model::time::Timestamp;

/// VFs of one port that are kept: more than any card has.
const MOST_VFS: usize = 256;
const NAME: usize = 253;
const MESSAGE: usize = 1_024;
const ROLE: &str = "node-role.kubernetes.io/";

/// `None` for an object without a name (a bookmark).
pub fn node(node: &core::Node) -> Option<Object> {
    let name = node.metadata.name.as_deref()?;
    let labels = node.metadata.labels.iter().flatten();
    let status = node.status.as_ref();
    let conditions = status.and_then(|s| s.conditions.as_ref());
    let ready = conditions
        .into_iter()
        .flatten()
        .find(|c| c.type_ == "Ready")
        .map(|c| c.status == "True");
    let problems = conditions
        .into_iter()
        .flatten()
        .filter_map(problem)
        .collect();
    let mut roles: Vec<String> = labels
        .clone()
        .filter_map(|(name, _)| name.strip_prefix(ROLE))
        .map(|r| clean(r, NAME))
        .collect();
    roles.sort();
    Some(Object::Node(Node {
        name: text(name, NAME),
        roles,
        ready,
        unschedulable: node.spec.as_ref().and_then(|s| s.unschedulable) == Some(true),
        problems,
        kubelet_version: status
            .and_then(|s| s.node_info.as_ref())
            .map_or_else(String::new, |i| clean(&i.kubelet_version, 60)),
        labels: Labels::from_pairs(labels.map(|(n, v)| (clean(n, NAME), clean(v, NAME)))),
        allocatable: status
            .and_then(|s| s.allocatable.as_ref())
            .into_iter()
            .flatten()
            .filter(|(name, _)| name.contains('/'))
            .filter_map(|(name, q)| Some((clean(name, NAME), q.0.parse().ok()?)))
            .collect(),
        room: Room::default(),
        taints: Vec::new(),
        os_image: String::new(),
        created: node.metadata.creation_timestamp.as_ref().map(time),
    }))
}

/// A condition that says something bad: not ready, or a pressure that is on.
fn problem(condition: &core::NodeCondition) -> Option<String> {
    let bad = match condition.type_.as_str() {
        "Ready" => condition.status != "True",
        _ => condition.status == "True",
    };
    let kind = if condition.type_ == "Ready" {
        "NotReady"
    } else {
        &condition.type_
    };
    bad.then(|| match &condition.message {
        Some(message) if !message.is_empty() => clean(&format!("{kind}: {message}"), MESSAGE),
        _ => clean(kind, MESSAGE),
    })
}

pub fn pod(pod: &core::Pod) -> Option<Object> {
    let meta = &pod.metadata;
    let name = meta.name.as_deref()?;
    let status = pod.status.as_ref();
    let states: Vec<&core::ContainerStatus> = status
        .and_then(|s| s.container_statuses.as_ref())
        .into_iter()
        .flatten()
        .collect();
    let starting = status.and_then(|s| s.init_container_statuses.as_ref());
    let worst = states
        .iter()
        .copied()
        .chain(starting.into_iter().flatten())
        .find_map(trouble)
        .or_else(|| unscheduled(status?))
        .or_else(|| {
            let reason = status?.reason.clone()?;
            Some((reason, status?.message.clone()))
        });
    let (reason, message) = worst.map_or((None, None), |(r, m)| (Some(r), m));
    let deleted = meta.deletion_timestamp.is_some();
    let phase = status.and_then(|s| s.phase.as_deref()).unwrap_or("Unknown");
    let owner = meta
        .owner_references
        .iter()
        .flatten()
        .find(|o| o.controller == Some(true));
    Some(Object::Pod(Pod {
        namespace: text(meta.namespace.as_deref().unwrap_or_default(), NAME),
        name: text(name, NAME),
        node: pod
            .spec
            .as_ref()
            .and_then(|s| s.node_name.as_deref())
            .map(|n| text(n, NAME)),
        phase: clean(if deleted { "Terminating" } else { phase }, 60),
        reason: reason.map(|r| clean(&r, 200)),
        message: message.map(|m| clean(&m, MESSAGE)),
        ready: count(states.iter().filter(|s| s.ready).count()),
        containers: count(
            pod.spec
                .as_ref()
                .map_or(states.len(), |s| s.containers.len()),
        ),
        restarts: states
            .iter()
            .map(|s| u32::try_from(s.restart_count).unwrap_or(0))
            .fold(0, u32::saturating_add),
        owner: owner.map(|o| (clean(&o.kind, NAME), clean(&o.name, NAME))),
        started: status.and_then(|s| s.start_time.as_ref()).map(time),
        since: ready_since(status),
        images: Vec::new(),
        names: Vec::new(),
        requests: Requests::default(),
    }))
}

/// Why a container does not run, worst first within it.
fn trouble(status: &core::ContainerStatus) -> Option<(String, Option<String>)> {
    let state = status.state.as_ref();
    if let Some(waiting) = state.and_then(|s| s.waiting.as_ref())
        && let Some(reason) = &waiting.reason
        && reason != "ContainerCreating"
        && reason != "PodInitializing"
    {
        return Some((reason.clone(), waiting.message.clone()));
    }
    if let Some(ended) = state.and_then(|s| s.terminated.as_ref())
        && ended.exit_code != 0
    {
        let reason = ended.reason.clone().unwrap_or_else(|| "Error".into());
        let code = format!("exit code {}", ended.exit_code);
        return Some((reason, ended.message.clone().or(Some(code))));
    }
    if !status.ready
        && let Some(last) = status
            .last_state
            .as_ref()
            .and_then(|s| s.terminated.as_ref())
        && let Some(reason) = &last.reason
        && reason != "Completed"
    {
        return Some((reason.clone(), last.message.clone()));
    }
    None
}

fn unscheduled(status: &core::PodStatus) -> Option<(String, Option<String>)> {
    status
        .conditions
        .iter()
        .flatten()
        .find(|c| c.type_ == "PodScheduled" && c.status != "True")
        .map(|c| {
            let reason = c.reason.clone().unwrap_or_else(|| "Unschedulable".into());
            (reason, c.message.clone())
        })
}

fn ready_since(status: Option<&core::PodStatus>) -> Option<Timestamp> {
    let conditions = status?.conditions.as_ref()?;
    ["Ready", "PodScheduled"].iter().find_map(|kind| {
        let condition = conditions.iter().find(|c| c.type_ == *kind)?;
        condition.last_transition_time.as_ref().map(time)
    })
}

pub fn event(event: &core::Event) -> Option<Object> {
    let name = event.metadata.name.as_deref()?;
    let series = event.series.as_ref();
    let at = series
        .and_then(|s| s.last_observed_time.as_ref())
        .map(|t| Timestamp(t.0.as_millisecond()))
        .or_else(|| event.last_timestamp.as_ref().map(time))
        .or_else(|| {
            event
                .event_time
                .as_ref()
                .map(|t| Timestamp(t.0.as_millisecond()))
        })
        .or_else(|| event.first_timestamp.as_ref().map(time))
        .or_else(|| event.metadata.creation_timestamp.as_ref().map(time))?;
    let times = series.and_then(|s| s.count).or(event.count).unwrap_or(1);
    let about = &event.involved_object;
    let reporter = event
        .reporting_component
        .as_deref()
        .filter(|r| !r.is_empty())
        .or_else(|| event.source.as_ref().and_then(|s| s.component.as_deref()))
        .unwrap_or_default();
    Some(Object::Event(Event {
        namespace: text(
            event.metadata.namespace.as_deref().unwrap_or_default(),
            NAME,
        ),
        name: text(name, NAME),
        at,
        warning: event.type_.as_deref() == Some("Warning"),
        reason: clean(event.reason.as_deref().unwrap_or_default(), 200),
        message: clean(event.message.as_deref().unwrap_or_default(), MESSAGE),
        about: (
            clean(about.kind.as_deref().unwrap_or_default(), NAME),
            clean(about.name.as_deref().unwrap_or_default(), NAME),
        ),
        count: u32::try_from(times).unwrap_or(1).max(1),
        reporter: clean(reporter, NAME),
    }))
}

/// The parts of `SriovNetworkNodeState` that are read; the odd spellings are upstream's.
#[derive(Default, Deserialize)]
#[serde(default)]
struct SriovFields {
    spec: SriovSpec,
    status: SriovStatus,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SriovSpec {
    interfaces: Vec<SriovDesired>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SriovDesired {
    pci_address: String,
    num_vfs: u32,
    vf_groups: Vec<SriovGroup>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SriovGroup {
    resource_name: String,
    device_type: Option<String>,
    policy_name: Option<String>,
    vf_range: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SriovVirtual {
    #[serde(rename = "vfID")]
    index: u32,
    pci_address: String,
    driver: Option<String>,
    mac: Option<String>,
    #[serde(rename = "Vlan", alias = "vlan")]
    vlan: Option<u32>,
    mtu: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SriovStatus {
    sync_status: Option<String>,
    last_sync_error: Option<String>,
    interfaces: Vec<SriovInterface>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SriovInterface {
    name: String,
    pci_address: String,
    vendor: String,
    driver: Option<String>,
    mtu: Option<u32>,
    link_speed: Option<String>,
    num_vfs: u32,
    #[serde(rename = "totalvfs")]
    total_vfs: u32,
    #[serde(rename = "Vfs")]
    vfs: Vec<SriovVirtual>,
}

/// `None` for an object without a name, or with fields of other types than the schema's.
pub fn sriov_node_state(object: &DynamicObject) -> Option<Object> {
    let name = object.metadata.name.as_deref()?;
    let fields: SriovFields = serde_json::from_value(object.data.clone()).ok()?;
    let annotation = |what: &str| {
        let key = format!("sriovnetwork.openshift.io/{what}");
        let found = object.metadata.annotations.as_ref()?.get(&key)?;
        Some(clean(found, 100))
    };
    let SriovFields { spec, status } = fields;
    let desired = |address: &str| spec.interfaces.iter().find(|d| d.pci_address == address);
    Some(Object::SriovNodeState(SriovNodeState {
        node: text(name, NAME),
        sync_status: some(status.sync_status, 60),
        last_sync_error: some(status.last_sync_error, MESSAGE),
        desired_state: annotation("desired-state"),
        current_state: annotation("current-state"),
        interfaces: status
            .interfaces
            .iter()
            .map(|i| PhysicalFunction {
                name: clean(&i.name, NAME),
                pci_address: clean(&i.pci_address, 60),
                vendor: vendor(&i.vendor),
                driver: some(i.driver.clone(), 60),
                mtu: i.mtu,
                link_speed: some(i.link_speed.clone(), 60).filter(|s| !s.starts_with('-')),
                num_vfs: i.num_vfs,
                total_vfs: i.total_vfs,
                desired_vfs: desired(&i.pci_address).map(|d| d.num_vfs),
                vfs: u32::from(count(i.vfs.len())),
                functions: i.vfs.iter().take(MOST_VFS).map(virtual_function).collect(),
                groups: desired(&i.pci_address)
                    .map(|d| d.vf_groups.iter().take(MOST_VFS).map(vf_group).collect())
                    .unwrap_or_default(),
            })
            .collect(),
    }))
}

fn virtual_function(told: &SriovVirtual) -> VirtualFunction {
    VirtualFunction {
        index: told.index,
        pci_address: clean(&told.pci_address, 60),
        driver: some(told.driver.clone(), 60),
        mac: some(told.mac.clone(), 60),
        vlan: told.vlan.filter(|v| *v > 0),
        mtu: told.mtu.filter(|m| *m > 0),
    }
}

fn vf_group(told: &SriovGroup) -> VfGroup {
    VfGroup {
        resource: clean(&told.resource_name, NAME),
        device_type: some(told.device_type.clone(), 60),
        policy: some(told.policy_name.clone(), NAME),
        range: some(told.vf_range.clone(), 60),
    }
}

fn vendor(id: &str) -> String {
    match id {
        "8086" => "Intel".into(),
        "15b3" => "NVIDIA".into(),
        "14e4" => "Broadcom".into(),
        "1077" => "Marvell".into(),
        other => clean(other, 20),
    }
}

/// Empty texts say nothing.
fn some(value: Option<String>, limit: usize) -> Option<String> {
    value.filter(|v| !v.is_empty()).map(|v| clean(&v, limit))
}

fn text(value: &str, limit: usize) -> Arc<str> {
    Arc::from(clean(value, limit))
}

fn time(time: &Time) -> Timestamp {
    Timestamp(time.0.as_millisecond())
}

fn count(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;

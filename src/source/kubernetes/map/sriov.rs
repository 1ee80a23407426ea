//! The SR-IOV operator: what it was told (policies, networks), and what it did on a node.

use serde::Deserialize;

use super::common::{Condition, List, MESSAGE, Map, Meta, NAME, SHORT, Text};
use super::common::{conditions, number, read, some, text};
use crate::model::condition;
use crate::model::object::Object;
use crate::model::sriov::{
    NicSelector, PhysicalFunction, SriovNetwork, SriovNodeState, SriovPolicy, VfGroup,
    VirtualFunction,
};
use crate::model::text::clean;

/// VFs of one port that are kept: more than any card has.
const MOST_VFS: usize = 256;
const MOST_PORTS: usize = 256;
/// Names, addresses and labels in a policy that are kept.
const MOST_SELECTED: usize = 256;

/// The odd spellings are upstream's.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    metadata: Meta,
    spec: Option<Spec>,
    status: Option<Status>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    interfaces: List<Desired>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Desired {
    pci_address: Text,
    num_vfs: Option<i64>,
    vf_groups: List<Group>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Group {
    resource_name: Text,
    device_type: Text,
    policy_name: Text,
    vf_range: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Virtual {
    #[serde(rename = "vfID")]
    index: Option<i64>,
    pci_address: Text,
    driver: Text,
    mac: Text,
    #[serde(rename = "Vlan", alias = "vlan")]
    vlan: Option<i64>,
    mtu: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    sync_status: Text,
    last_sync_error: Text,
    interfaces: List<Interface>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Interface {
    name: Text,
    pci_address: Text,
    vendor: Text,
    #[serde(rename = "deviceID")]
    device_id: Text,
    alt_names: List<String>,
    #[serde(rename = "eSwitchMode")]
    eswitch: Text,
    net_filter: Text,
    driver: Text,
    mtu: Option<i64>,
    link_speed: Text,
    num_vfs: Option<i64>,
    #[serde(rename = "totalvfs")]
    total_vfs: Option<i64>,
    #[serde(rename = "Vfs")]
    vfs: List<Virtual>,
}

pub fn sriov_node_state(json: &[u8]) -> Option<Object> {
    let Fields {
        metadata: meta,
        spec,
        status,
    } = read(json)?;
    let spec = spec.unwrap_or_default();
    let status = status.unwrap_or_default();
    let notes = meta.annotations.as_ref();
    let ports = status.interfaces.iter().flatten().take(MOST_PORTS);
    Some(Object::SriovNodeState(SriovNodeState {
        node: meta.name()?,
        sync_status: some(&status.sync_status, SHORT),
        last_sync_error: some(&status.last_sync_error, MESSAGE),
        desired_state: notes.and_then(|n| some(&n.desired_state, 100)),
        current_state: notes.and_then(|n| some(&n.current_state, 100)),
        interfaces: ports.map(|i| physical_function(i, &spec)).collect(),
    }))
}

fn physical_function(told: &Interface, spec: &Spec) -> PhysicalFunction {
    let mut desired = spec.interfaces.iter().flatten();
    let desired = desired.find(|d| d.pci_address == told.pci_address);
    let vfs = told.vfs.as_deref().unwrap_or_default();
    let groups = desired.and_then(|d| d.vf_groups.as_deref());
    PhysicalFunction {
        name: text(&told.name, NAME),
        pci_address: text(&told.pci_address, SHORT),
        vendor: vendor(told.vendor.as_deref().unwrap_or_default()),
        device_id: some(&told.device_id, SHORT),
        alt_names: texts(&told.alt_names),
        eswitch: some(&told.eswitch, SHORT),
        net_filter: some(&told.net_filter, NAME),
        driver: some(&told.driver, SHORT),
        mtu: positive(told.mtu),
        link_speed: some(&told.link_speed, SHORT),
        num_vfs: number(told.num_vfs),
        total_vfs: number(told.total_vfs),
        desired_vfs: desired.map(|d| number(d.num_vfs)),
        vfs: u32::try_from(vfs.len()).unwrap_or(u32::MAX),
        functions: vfs.iter().take(MOST_VFS).map(virtual_function).collect(),
        groups: groups
            .unwrap_or_default()
            .iter()
            .take(MOST_VFS)
            .map(vf_group)
            .collect(),
    }
}

fn positive(value: Option<i64>) -> Option<u32> {
    value.and_then(|v| u32::try_from(v).ok()).filter(|v| *v > 0)
}

fn virtual_function(told: &Virtual) -> VirtualFunction {
    VirtualFunction {
        index: number(told.index),
        pci_address: text(&told.pci_address, SHORT),
        driver: some(&told.driver, SHORT),
        mac: some(&told.mac, SHORT),
        vlan: positive(told.vlan),
        mtu: positive(told.mtu),
    }
}

fn vf_group(told: &Group) -> VfGroup {
    VfGroup {
        resource: text(&told.resource_name, NAME),
        device_type: some(&told.device_type, SHORT),
        policy: some(&told.policy_name, NAME),
        range: some(&told.vf_range, SHORT),
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

fn texts(told: &List<String>) -> Vec<String> {
    let all = told.iter().flatten().take(MOST_SELECTED);
    all.map(|t| clean(t, NAME)).collect()
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PolicyFields {
    metadata: Meta,
    spec: Option<PolicySpec>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PolicySpec {
    resource_name: Text,
    priority: Option<i64>,
    num_vfs: Option<i64>,
    mtu: Option<i64>,
    device_type: Text,
    is_rdma: Option<bool>,
    #[serde(rename = "eSwitchMode")]
    eswitch: Text,
    externally_managed: Option<bool>,
    node_selector: Map<String>,
    nic_selector: Option<Selector>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Selector {
    vendor: Text,
    #[serde(rename = "deviceID")]
    device_id: Text,
    pf_names: List<String>,
    root_devices: List<String>,
    net_filter: Text,
}

pub fn sriov_policy(json: &[u8]) -> Option<Object> {
    let fields: PolicyFields = read(json)?;
    let spec = fields.spec.unwrap_or_default();
    let nodes = spec.node_selector.iter().flatten().take(MOST_SELECTED);
    Some(Object::SriovPolicy(SriovPolicy {
        name: fields.metadata.name()?,
        namespace: fields.metadata.namespace(),
        resource: text(&spec.resource_name, NAME),
        priority: number(spec.priority),
        num_vfs: number(spec.num_vfs),
        mtu: positive(spec.mtu),
        // What the API server fills in.
        device_type: some(&spec.device_type, SHORT).unwrap_or_else(|| "netdevice".into()),
        rdma: spec.is_rdma == Some(true),
        eswitch: some(&spec.eswitch, SHORT),
        external: spec.externally_managed == Some(true),
        nodes: nodes
            .map(|(n, v)| (clean(n, NAME), clean(v, NAME)))
            .collect(),
        ports: selector(&spec.nic_selector.unwrap_or_default()),
    }))
}

fn selector(told: &Selector) -> NicSelector {
    NicSelector {
        vendor: told.vendor.as_deref().filter(|v| !v.is_empty()).map(vendor),
        device_id: some(&told.device_id, SHORT),
        names: texts(&told.pf_names),
        addresses: texts(&told.root_devices),
        net_filter: some(&told.net_filter, NAME),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NetworkFields {
    metadata: Meta,
    spec: Option<NetworkSpec>,
    status: Option<NetworkStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NetworkSpec {
    resource_name: Text,
    network_namespace: Text,
    vlan: Option<i64>,
    spoof_chk: Text,
    trust: Text,
    link_state: Text,
    max_tx_rate: Option<i64>,
    min_tx_rate: Option<i64>,
    ipam: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NetworkStatus {
    conditions: List<Condition>,
}

/// The part of an IPAM configuration that is shown.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Ipam {
    #[serde(rename = "type")]
    kind: Text,
}

pub fn sriov_network(json: &[u8]) -> Option<Object> {
    let fields: NetworkFields = read(json)?;
    let spec = fields.spec.unwrap_or_default();
    let told = fields.status.unwrap_or_default();
    let told = conditions(told.conditions.iter().flatten());
    let ready = condition::find(&told, "Ready");
    let ipam = spec.ipam.as_deref().and_then(|text| read(text.as_bytes()));
    Some(Object::SriovNetwork(SriovNetwork {
        name: fields.metadata.name()?,
        namespace: fields.metadata.namespace(),
        resource: text(&spec.resource_name, NAME),
        target: some(&spec.network_namespace, NAME),
        vlan: number(spec.vlan),
        spoof_check: some(&spec.spoof_chk, SHORT),
        trust: some(&spec.trust, SHORT),
        link_state: some(&spec.link_state, SHORT),
        max_rate: positive(spec.max_tx_rate),
        min_rate: positive(spec.min_tx_rate),
        ipam: ipam.and_then(|i: Ipam| some(&i.kind, SHORT)),
        ready: ready.and_then(|c| c.status),
        message: ready.map(|c| c.message.clone()).filter(|m| !m.is_empty()),
    }))
}

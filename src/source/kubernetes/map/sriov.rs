//! SriovNetworkNodeState: what the operator did on a node.

use serde::Deserialize;

use super::common::{List, MESSAGE, Meta, NAME, SHORT, Text, number, read, some, text};
use crate::model::object::Object;
use crate::model::sriov::{PhysicalFunction, SriovNodeState, VfGroup, VirtualFunction};
use crate::model::text::clean;

/// VFs of one port that are kept: more than any card has.
const MOST_VFS: usize = 256;
const MOST_PORTS: usize = 256;

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
        driver: some(&told.driver, SHORT),
        mtu: positive(told.mtu),
        link_speed: some(&told.link_speed, SHORT).filter(|s| !s.starts_with('-')),
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

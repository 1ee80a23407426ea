//! SR-IOV: desired and actual state of physical and virtual functions.
//! Fields from `SriovNetworkNodeState` (sriovnetwork.openshift.io/v1), counters from
//! sriov-network-metrics-exporter.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

mod fit;
mod policy;
pub mod pool;
mod read;

pub use fit::{Fit, Grade, NodeFit, fits, labels};
pub use policy::{NicSelector, SriovNetwork, SriovPolicy};
pub use pool::{Pool, pool_of};
pub use read::{Function, Holder, Readings, is_level, names, read};

/// One node's SR-IOV state. Three numbers are never mixed: capacity (`total_vfs`), configured
/// (`num_vfs`) and allocated (pods that hold VFs).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SriovNodeState {
    pub node: Arc<str>,
    /// `Succeeded`, `InProgress`, `Failed`, as the operator says it.
    pub sync_status: Option<String>,
    pub last_sync_error: Option<String>,
    /// Annotations: `Idle`, `Drain_Required`, `Draining`, …
    pub desired_state: Option<String>,
    pub current_state: Option<String>,
    pub interfaces: Vec<PhysicalFunction>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PhysicalFunction {
    pub name: String,
    pub pci_address: String,
    /// PCI vendor id in words where known (`15b3` NVIDIA/Mellanox, `8086` Intel).
    pub vendor: String,
    /// PCI device id; recordings of before lack it, as they do what follows.
    #[serde(default)]
    pub device_id: Option<String>,
    /// Other names of the port (`altNames`).
    #[serde(default)]
    pub alt_names: Vec<String>,
    /// `legacy`, `switchdev`.
    #[serde(default)]
    pub eswitch: Option<String>,
    /// The cloud's network that it is plugged into (`netFilter`).
    #[serde(default)]
    pub net_filter: Option<String>,
    pub driver: Option<String>,
    pub mtu: Option<u32>,
    /// As written by the operator: `25000 Mb/s`, `-1 Mb/s` while the link is down. `None`: not told.
    pub link_speed: Option<String>,
    /// Configured VFs (`status.interfaces[].numVfs`).
    pub num_vfs: u32,
    /// Capacity (`totalvfs`).
    pub total_vfs: u32,
    /// Desired VFs (`spec.interfaces[].numVfs`).
    pub desired_vfs: Option<u32>,
    /// VFs that are listed in the status.
    pub vfs: u32,
    /// Those VFs (`status.interfaces[].Vfs`); recordings of before hold their number only.
    #[serde(default)]
    pub functions: Vec<VirtualFunction>,
    /// What the VFs are wanted for (`spec.interfaces[].vfGroups`).
    #[serde(default)]
    pub groups: Vec<VfGroup>,
}

impl PhysicalFunction {
    /// The link is down, and the operator says so.
    pub fn is_down(&self) -> bool {
        let speed = self.link_speed.as_deref();
        speed.is_some_and(|speed| speed.starts_with('-'))
    }

    /// Its speed or `down`; `None`: not told.
    pub fn link(&self) -> Option<&str> {
        let speed = self.link_speed.as_deref()?;
        Some(if self.is_down() { "down" } else { speed })
    }
}

/// One virtual function, as far as the operator writes it down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VirtualFunction {
    pub index: u32,
    pub pci_address: String,
    pub driver: Option<String>,
    pub mac: Option<String>,
    /// `None`: no VLAN, or not told; the operator leaves a zero out.
    pub vlan: Option<u32>,
    pub mtu: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VfGroup {
    pub resource: String,
    /// `netdevice`, `vfio-pci`.
    pub device_type: Option<String>,
    pub policy: Option<String>,
    /// `ens3f0#0-7`, `0-7`
    pub range: Option<String>,
}

impl VfGroup {
    /// Virtual functions in its range; `None`: it has none.
    pub fn count(&self) -> Option<u64> {
        let range = self.range.as_deref()?;
        let range = policy::indices(range.rsplit('#').next()?)?;
        Some(u64::from(range.end() - range.start()) + 1)
    }
}

//! What the SR-IOV operator was told to make, and which nodes and ports that means.
//!
//! The rules are those of `api/v1/helper.go` of k8snetworkplumbingwg/sriov-network-operator.

use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::PhysicalFunction;
use crate::model::object::Node;

/// The operator passes it over: it was made by older ones.
const DEFAULT: &str = "default";

/// `SriovNetworkNodePolicy`: so many VFs of this kind on the ports that it selects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SriovPolicy {
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    /// Name of the pool its VFs go into, without the prefix that the device plugin adds.
    pub resource: String,
    /// 0 to 99; the lower number wins.
    pub priority: u32,
    /// VFs wanted on each port.
    pub num_vfs: u32,
    pub mtu: Option<u32>,
    /// `netdevice`, `vfio-pci`.
    pub device_type: String,
    pub rdma: bool,
    /// `legacy`, `switchdev`; `None`: not told, which means legacy.
    pub eswitch: Option<String>,
    /// The VFs are made by someone else.
    pub external: bool,
    /// Labels that a node must have; none: every node.
    pub nodes: Vec<(String, String)>,
    pub ports: NicSelector,
}

/// Which ports a policy is about; what is not told does not count. All empty: none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NicSelector {
    /// In words where the PCI id is known, as [`PhysicalFunction::vendor`].
    pub vendor: Option<String>,
    pub device_id: Option<String>,
    /// `ens2f0`, `ens2f0#0-3`
    pub names: Vec<String>,
    /// PCI addresses.
    pub addresses: Vec<String>,
    pub net_filter: Option<String>,
}

/// `SriovNetwork`: how pods are attached to VFs of a pool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SriovNetwork {
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    pub resource: String,
    /// Where its NetworkAttachmentDefinition is made; `None`: beside it.
    pub target: Option<String>,
    /// 0: untagged.
    pub vlan: u32,
    /// `on`, `off`; `None`: not told.
    pub spoof_check: Option<String>,
    pub trust: Option<String>,
    /// `auto`, `enable`, `disable`.
    pub link_state: Option<String>,
    /// Mbit/s; `None`: no limit.
    pub max_rate: Option<u32>,
    pub min_rate: Option<u32>,
    /// `type` of its IPAM configuration.
    pub ipam: Option<String>,
    /// Newer operators tell whether it was made: status and message of the condition `Ready`.
    pub ready: Option<bool>,
    pub message: Option<String>,
}

impl SriovNetwork {
    /// Namespace of the attachment that pods name.
    pub fn target(&self) -> &str {
        self.target.as_deref().unwrap_or(&self.namespace)
    }

    /// How a VF of it is set, in words; what is not told is left out.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let mut told = vec![match self.vlan {
            0 => ("VLAN", "untagged".to_owned()),
            vlan => ("VLAN", vlan.to_string()),
        }];
        let mut say = |key, text: Option<String>| told.extend(text.map(|t| (key, t)));
        say("addresses", self.ipam.clone());
        say("trust", self.trust.clone());
        say("spoof check", self.spoof_check.clone());
        say("link", self.link_state.clone());
        say("least rate", self.min_rate.map(|n| format!("{n} Mbit/s")));
        say("most rate", self.max_rate.map(|n| format!("{n} Mbit/s")));
        told
    }
}

impl SriovPolicy {
    /// It says something: it is not the old default one, asks for VFs and selects ports.
    pub fn counts(&self) -> bool {
        &*self.name != DEFAULT && self.num_vfs > 0 && !self.ports.is_empty()
    }

    /// `8 VFs, vfio-pci, MTU 9000` on each port.
    pub fn wants(&self) -> String {
        let mut text = format!("{} VFs, {}", self.num_vfs, self.device_type);
        if let Some(mtu) = self.mtu {
            text.push_str(&format!(", MTU {mtu}"));
        }
        if let Some(eswitch) = &self.eswitch {
            text.push_str(&format!(", {eswitch}"));
        }
        if self.rdma {
            text.push_str(", RDMA");
        }
        if self.external {
            text.push_str(", made by someone else");
        }
        text
    }

    pub fn is_default(&self) -> bool {
        &*self.name == DEFAULT
    }

    pub fn matches(&self, node: &Node) -> bool {
        self.nodes.iter().all(|(name, value)| node.has(name, value))
    }

    /// Indices of the VFs that it takes on this port.
    pub fn range(&self, port: &PhysicalFunction) -> RangeInclusive<u32> {
        let all = 0..=self.num_vfs.saturating_sub(1);
        let named = self.ports.names.iter().map(|n| split(n));
        let mut own = named.filter(|(name, _)| port.is_called(name));
        own.find_map(|(_, range)| range).unwrap_or(all)
    }

    /// Whether its word counts before the other's where both are about the same VFs: the operator
    /// takes them by falling number and rising name, and the last one stays.
    pub fn beats(&self, other: &Self) -> bool {
        let rank = |p: &Self| (std::cmp::Reverse(p.priority), p.name.clone());
        rank(self) > rank(other)
    }
}

impl NicSelector {
    pub fn is_empty(&self) -> bool {
        self.vendor.is_none()
            && self.device_id.is_none()
            && self.names.is_empty()
            && self.addresses.is_empty()
            && self.net_filter.is_none()
    }

    /// The first thing that does not fit; `None`: it selects the port.
    pub fn refusal(&self, port: &PhysicalFunction) -> Option<String> {
        if self.is_empty() {
            return Some("the policy selects no port".into());
        }
        if let Some(vendor) = self.vendor.as_ref().filter(|v| **v != port.vendor) {
            return Some(format!("is of {}, wanted {vendor}", port.vendor));
        }
        let device = |id: &&String| port.device_id.as_ref() != Some(*id);
        if let Some(wanted) = self.device_id.as_ref().filter(device) {
            let is = port.device_id.as_deref().unwrap_or("of an unknown kind");
            return Some(format!("is device {is}, wanted {wanted}"));
        }
        if !self.addresses.is_empty() && !self.addresses.contains(&port.pci_address) {
            return Some(format!(
                "is at {}, wanted {}",
                port.pci_address,
                self.addresses.join(" ")
            ));
        }
        if !self.names.is_empty() && !self.names.iter().any(|n| port.is_called(split(n).0)) {
            return Some(format!("is not called {}", self.names.join(" ")));
        }
        let plain = |text: &str| text.split_whitespace().collect::<String>();
        let other = |wanted: &&String| port.net_filter.as_deref().map(plain) != Some(plain(wanted));
        let wanted = self.net_filter.as_ref().filter(other)?;
        Some(format!("is not on {wanted}"))
    }

    /// What it asks of a port, in a few words.
    pub fn words(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        let card = [self.vendor.as_deref(), self.device_id.as_deref()];
        let card: Vec<&str> = card.into_iter().flatten().collect();
        if !card.is_empty() {
            parts.push(card.join(" "));
        }
        let lists = [&self.names, &self.addresses].into_iter();
        parts.extend(lists.filter(|all| !all.is_empty()).map(|all| all.join(" ")));
        parts.extend(self.net_filter.clone());
        match parts.is_empty() {
            true => "no port".into(),
            false => parts.join(", "),
        }
    }

    /// It names ports, each of which should be there; else it takes what it finds.
    pub fn is_named(&self) -> bool {
        !self.names.is_empty() || !self.addresses.is_empty()
    }

    /// Names a port that is called so, whatever else it asks of it.
    pub fn names_port(&self, port: &PhysicalFunction) -> bool {
        self.addresses.contains(&port.pci_address)
            || self.names.iter().any(|n| port.is_called(split(n).0))
    }
}

impl PhysicalFunction {
    fn is_called(&self, name: &str) -> bool {
        self.name == name || self.alt_names.iter().any(|n| n == name)
    }
}

/// `ens2f0#0-3` → name and indices. A range that is none is left out.
fn split(text: &str) -> (&str, Option<RangeInclusive<u32>>) {
    match text.split_once('#') {
        Some((name, range)) => (name, indices(range)),
        None => (text, None),
    }
}

/// `0-3`
pub(super) fn indices(range: &str) -> Option<RangeInclusive<u32>> {
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then_some(first..=last)
}

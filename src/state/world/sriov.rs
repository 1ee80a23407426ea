//! What the SR-IOV operator was told against what its nodes have, and how long it has been at it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::object::{ObjectKind, Pod};
use crate::model::sriov::{self, Fit, Pool, SriovNodeState, SriovPolicy, pool_of};
use crate::model::time::Timestamp;

use super::capacity::holds_room;
use super::{ClusterState, Named};

/// What the operator says of a node, and since when.
#[derive(Clone, Debug, PartialEq)]
pub struct Sync {
    status: Option<String>,
    pub since: Timestamp,
    /// Its begin was seen; else it is at least that old.
    pub seen: bool,
}

impl ClusterState {
    /// Since when the operator says what it says of the node.
    pub fn sync(&self, node: &str) -> Option<&Sync> {
        self.syncs.get(node)
    }

    /// `watched`: a state that is another one became so just now.
    pub(super) fn note_sync(&mut self, state: &SriovNodeState, watched: bool, seen: Timestamp) {
        let same = |held: &Sync| held.status == state.sync_status;
        if self.syncs.get(&state.node).is_some_and(same) {
            return;
        }
        let sync = Sync {
            status: state.sync_status.clone(),
            since: seen,
            seen: watched,
        };
        self.syncs.insert(state.node.clone(), sync);
    }

    /// Each policy with what is to be said of it, by namespace and name.
    pub fn policies(&self) -> impl Iterator<Item = (&SriovPolicy, &Fit)> {
        let all = self.sriov_policies.iter();
        all.filter_map(|(name, policy)| Some((policy, self.fits.get(name)?)))
    }

    /// After objects of a kind came in. Nodes tell of themselves all the time: what they change is
    /// counted at the next tick, unless they were listed anew.
    pub(super) fn note_fits(&mut self, kind: ObjectKind, reset: bool) {
        match kind {
            ObjectKind::SriovNodeState => {
                let Self { syncs, sriov, .. } = self;
                syncs.retain(|node, _| sriov.contains_key(node));
                self.hold_policies();
            }
            ObjectKind::SriovPolicy => self.hold_policies(),
            ObjectKind::Node if reset => self.hold_policies(),
            ObjectKind::Node => self.fits_due = true,
            _ => {}
        }
    }

    /// Holds the policies against the nodes as they are now.
    pub(super) fn hold_policies(&mut self) {
        self.fits_due = false;
        let policies: Vec<&SriovPolicy> = self.sriov_policies.values().collect();
        let nodes = self.is_listed(ObjectKind::Node).then_some(&self.nodes);
        let states = self.is_listed(ObjectKind::SriovNodeState);
        let fits = sriov::fits(&policies, nodes, states.then_some(&self.sriov));
        let names = self.sriov_policies.keys().cloned();
        self.fits = names.zip(fits).collect::<BTreeMap<Named, Fit>>();
        self.count_pools();
    }

    /// Names of the pools of virtual functions, as policies, networks, the operator and the exporter
    /// tell them; without the prefix of the device plugin.
    pub(super) fn pool_names(&self) -> BTreeSet<&str> {
        let ports = self.sriov.values().flat_map(|s| &s.interfaces);
        let made = ports.flat_map(|p| &p.groups).map(|g| g.resource.as_str());
        let wanted = self.sriov_policies.values().map(|p| p.resource.as_str());
        let named = self.sriov_networks.values().map(|n| n.resource.as_str());
        let held = self.vfs.holders.iter();
        let held = held.filter_map(|h| h.resource.as_deref().map(pool_of));
        made.chain(wanted).chain(named).chain(held).collect()
    }

    /// Counts the pools by node, as nodes and pods tell them. Without nodes what kube-state-metrics
    /// tells stays.
    pub(super) fn count_pools(&mut self) {
        if !self.is_listed(ObjectKind::Node) {
            return;
        }
        let names = self.pool_names();
        let mut pools: BTreeMap<(Arc<str>, Arc<str>), Pool> = BTreeMap::new();
        let pods = self.is_listed(ObjectKind::Pod).then_some(0);
        let empty = |node: &Arc<str>, resource: &Arc<str>| Pool {
            node: node.clone(),
            resource: resource.clone(),
            configured: self.made(node, pool_of(resource)),
            allocatable: None,
            requested: pods,
        };
        for node in self.nodes.values() {
            for (resource, count) in &node.allocatable {
                if names.contains(pool_of(resource)) {
                    let resource: Arc<str> = resource.as_str().into();
                    let mut pool = empty(&node.name, &resource);
                    pool.allocatable = Some(*count);
                    pools.insert((node.name.clone(), resource), pool);
                }
            }
        }
        for pod in self.pods.values().filter(|p| holds_room(p)) {
            let own = pod.requests.extended.iter();
            for (resource, count) in own.filter(|(r, _)| names.contains(pool_of(r))) {
                let Some(node) = &pod.node else { continue };
                let place = (node.clone(), resource.clone());
                let pool = pools.entry(place).or_insert_with(|| empty(node, resource));
                pool.requested = pool.requested.map(|n| n.saturating_add(*count));
            }
        }
        self.pools = pools.into_values().collect();
    }

    /// Virtual functions that the operator made on a node for a pool; `None`: it does not say.
    fn made(&self, node: &str, pool: &str) -> Option<u64> {
        let ports = self.sriov.get(node)?.interfaces.iter();
        let there = ports.filter(|p| p.num_vfs > 0).flat_map(|p| &p.groups);
        let counts = there.filter(|g| g.resource == pool).map(|g| g.count());
        counts.fold(None, |sum: Option<u64>, count| {
            Some(sum.unwrap_or(0).saturating_add(count?))
        })
    }

    /// Pods that ask for a resource and have no node yet, and for how much of it.
    pub fn waiting_for(&self, resource: &str) -> Vec<(&Pod, u64)> {
        let pods = self.pods.values();
        let waits = pods.filter(|p| p.phase == "Pending" && p.node.is_none());
        let asks = waits.filter_map(|pod| {
            let mut own = pod.requests.extended.iter();
            let (_, count) = own.find(|(name, _)| &**name == resource)?;
            Some((pod, *count))
        });
        asks.collect()
    }
}

#[cfg(test)]
mod tests;

//! What the SR-IOV operator was told against what its nodes have, and how long it has been at it.

use std::collections::BTreeMap;

use crate::model::object::ObjectKind;
use crate::model::sriov::{self, Fit, SriovNodeState, SriovPolicy};
use crate::model::time::Timestamp;

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
    }
}

#[cfg(test)]
mod tests;

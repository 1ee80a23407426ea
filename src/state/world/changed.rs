//! The changes of all clusters, for timelines, charts and causes.

use crate::model::change::{Change, ChangeKind};
use crate::model::finding::Subject;
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;

use super::{ClusterState, World};

impl World {
    /// Changes of the scope since then, newest first, at most so many.
    pub fn changes_since(
        &self,
        scope: Option<ClusterId>,
        since: Timestamp,
        most: usize,
    ) -> Vec<(ClusterId, &Change)> {
        let clusters = self.clusters.iter();
        let mut found: Vec<(ClusterId, &Change)> = clusters
            .filter(|c| scope.is_none_or(|s| s == c.id))
            .flat_map(|c| {
                let newest = c.changes.iter().rev().take_while(move |n| n.at >= since);
                newest.take(most).map(|change| (c.id, change))
            })
            .collect();
        found.sort_by_key(|(cluster, change)| (std::cmp::Reverse(change.at), *cluster));
        found.truncate(most);
        found
    }
}

impl ClusterState {
    /// Changes from `from` to `to`, oldest first.
    pub fn changes_between(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl DoubleEndedIterator<Item = &Change> {
        let held = self.changes.iter().skip_while(move |c| c.at < from);
        let held: Vec<&Change> = held.take_while(move |c| c.at <= to).collect();
        held.into_iter()
    }

    /// Whether a change touched what this is about: the thing itself, its namespace or its node.
    pub fn touches(&self, change: &Change, subject: &Subject) -> bool {
        let namespace = subject.namespace().filter(|n| !n.is_empty());
        if namespace.is_some() && namespace == Some(change.namespace.as_str()) {
            return true;
        }
        if let Subject::App {
            namespace, name, ..
        } = subject
            && (&change.namespace, &change.subject.1) == (namespace, name)
        {
            return true;
        }
        if change.kind == ChangeKind::Sync && namespace.is_some() {
            let deploys = self.apps.values().any(|app| {
                app.name.as_ref() == change.subject.1
                    && app.namespace.as_ref() == change.namespace
                    && app.runs_in() == namespace
            });
            if deploys {
                return true;
            }
        }
        let about_node = matches!(change.subject.0.as_str(), "Node" | "SriovNetworkNodeState");
        let nodes = self.nodes_of(subject);
        let on = |node: &str| nodes.iter().any(|n| n.as_ref() == node);
        match change.subject.0.as_str() {
            _ if about_node => on(&change.subject.1),
            "PtpConfig" => {
                let key = (
                    change.namespace.as_str().into(),
                    change.subject.1.as_str().into(),
                );
                let config = self.ptp_configs.get(&key);
                config.is_some_and(|c| c.matches.iter().any(|(node, _)| on(node)))
            }
            _ => *subject == Subject::Cluster,
        }
    }
}

//! Which nodes, pods and events of a cluster are listed, and in which order.

use super::{Cluster, MOST, row};
use crate::model::object::{Event, Node, Pod};
use crate::state::world::ClusterState;

impl Cluster {
    pub(super) fn node_rows<'a>(&self, c: &'a ClusterState) -> Vec<&'a Node> {
        let mut rows: Vec<&Node> = c
            .nodes
            .values()
            .filter(|n| {
                self.nodes
                    .filter()
                    .matches(&[("name", &n.name), ("role", &n.roles.join(","))])
            })
            .collect();
        rows.sort_by_key(|n| (std::cmp::Reverse(row::node_rank(n)), n.name.clone()));
        rows
    }

    pub(super) fn pod_rows<'a>(&self, c: &'a ClusterState) -> Vec<&'a Pod> {
        let mut rows: Vec<&Pod> = c
            .pods
            .values()
            .filter(|p| self.all_pods || p.is_bad() || p.reason.is_some())
            .filter(|p| self.pods.filter().matches(&row::pod_fields(p)))
            .take(MOST)
            .collect();
        let (column, reverse) = self.pods.order();
        rows.sort_by_cached_key(|p| row::pod_key(p, column));
        if reverse {
            rows.reverse();
        }
        rows
    }

    pub(super) fn event_rows<'a>(&self, c: &'a ClusterState) -> Vec<&'a Event> {
        let mut rows: Vec<&Event> = c
            .events
            .iter()
            .rev()
            .filter(|e| {
                let fields = [
                    ("reason", e.reason.as_str()),
                    ("message", &e.message),
                    ("name", &e.about.1),
                ];
                self.events.filter().matches(&fields)
            })
            .take(MOST)
            .collect();
        rows.sort_by_key(|e| std::cmp::Reverse(e.at));
        rows
    }
}

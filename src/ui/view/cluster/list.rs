//! The lists of the cluster screen: which tab they stand in, their columns and titles.

use crate::model::object::ObjectKind;
use crate::state::world::ClusterState;
use crate::ui::widget::table::Column;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum List {
    #[default]
    Problems,
    Nodes,
    Events,
    Sources,
    Pods,
    Workloads,
    Operators,
    Capacity,
    Discovery,
    Rights,
}

impl List {
    pub const COUNT: usize = 10;
    /// The lists of the first tab, in the order of Tab.
    pub const OVERVIEW: [Self; 4] = [Self::Problems, Self::Nodes, Self::Events, Self::Sources];

    pub fn word(self) -> &'static str {
        match self {
            Self::Problems => "problems",
            Self::Nodes => "nodes",
            Self::Events => "events",
            Self::Sources => "sources",
            Self::Pods => "pods",
            Self::Workloads => "workloads",
            Self::Operators => "operators",
            Self::Capacity => "capacity",
            Self::Discovery => "discovery",
            Self::Rights => "rights",
        }
    }

    /// The kinds whose list it is; it is empty for certain when they were listed.
    pub fn kinds(self) -> &'static [ObjectKind] {
        match self {
            Self::Nodes => &[ObjectKind::Node],
            Self::Pods => &[ObjectKind::Pod],
            Self::Events => &[ObjectKind::Event],
            Self::Workloads => &[
                ObjectKind::Deployment,
                ObjectKind::StatefulSet,
                ObjectKind::DaemonSet,
                ObjectKind::Job,
            ],
            Self::Operators => &[ObjectKind::ClusterOperator, ObjectKind::ClusterVersion],
            Self::Problems => &[
                ObjectKind::Node,
                ObjectKind::Pod,
                ObjectKind::Deployment,
                ObjectKind::StatefulSet,
                ObjectKind::DaemonSet,
                ObjectKind::Job,
                ObjectKind::Claim,
                ObjectKind::Autoscaler,
            ],
            Self::Sources | Self::Capacity | Self::Discovery | Self::Rights => &[],
        }
    }

    /// The kinds without which nothing can be said of the list as a whole.
    pub fn needed(self) -> &'static [ObjectKind] {
        let kinds = self.kinds();
        match self {
            // The last two are no more than hints.
            Self::Problems => kinds.get(..6).unwrap_or(kinds),
            Self::Operators => kinds.get(..1).unwrap_or(kinds),
            _ => kinds,
        }
    }

    /// Those of [`List::needed`] that were not listed yet, or may not be.
    pub fn unlisted(self, c: &ClusterState) -> Vec<ObjectKind> {
        let needed = self.needed().iter().copied();
        needed
            .filter(|kind| !c.is_listed(*kind) && !c.is_absent(*kind))
            .collect()
    }

    /// A count in words: `3`; `3+` and `?` where something was not listed.
    pub fn counted(self, c: &ClusterState, count: usize) -> String {
        match (self.unlisted(c).is_empty(), count) {
            (true, count) => count.to_string(),
            (false, 0) => "?".into(),
            (false, count) => format!("{count}+"),
        }
    }

    /// How many objects the list is made of; `None`: there is nothing to count.
    pub fn len(self, c: &ClusterState) -> Option<usize> {
        Some(match self {
            Self::Nodes => c.nodes.len(),
            Self::Pods => c.pods.len(),
            Self::Events => c.events.len(),
            Self::Workloads => c.workloads.len(),
            Self::Operators => c.operators.len(),
            _ => return None,
        })
    }

    pub fn columns(self, full: bool) -> &'static [Column<'static>] {
        match self {
            Self::Problems => &PROBLEMS,
            Self::Nodes if full => &NODES,
            Self::Nodes => &FEW_NODES,
            Self::Events => &EVENTS,
            Self::Sources => &SOURCES,
            Self::Pods => &PODS,
            Self::Workloads => &WORKLOADS,
            Self::Operators => &OPERATORS,
            Self::Capacity => &CAPACITY,
            Self::Discovery => &DISCOVERY,
            Self::Rights => &[],
        }
    }
}

/// `m` goes through them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Overview,
    Only(List),
}

impl Tab {
    pub const ALL: [Self; 9] = [
        Self::Overview,
        Self::Only(List::Pods),
        Self::Only(List::Workloads),
        Self::Only(List::Nodes),
        Self::Only(List::Events),
        Self::Only(List::Operators),
        Self::Only(List::Capacity),
        Self::Only(List::Discovery),
        Self::Only(List::Rights),
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Only(list) => list.word(),
        }
    }

    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|t| *t == self).unwrap_or(0);
        Self::ALL.get(at + 1).copied().unwrap_or_default()
    }
}

const PROBLEMS: [Column; 6] = [
    Column::new("S", 1, 1),
    Column::new("KIND", 4, 8).priority(3),
    Column::new("WHAT", 18, 40),
    Column::new("STATE", 16, 26),
    Column::new("SINCE", 5, 5).priority(2).right(),
    Column::new("FIRST LOOK", 24, 120).priority(1),
];

const FEW_NODES: [Column; 7] = [
    Column::new("S", 1, 1),
    Column::new("NODE", 10, 32),
    Column::new("ROLE", 6, 14).priority(3),
    Column::new("CPU", 5, 6).priority(1).right(),
    Column::new("MEM", 5, 6).priority(1).right(),
    Column::new("PODS", 4, 7).priority(2).right(),
    Column::new("NOTE", 8, 80),
];

const NODES: [Column; 14] = [
    Column::new("S", 1, 1),
    Column::new("NODE", 10, 32),
    Column::new("ROLE", 6, 14).priority(4),
    Column::new("CPU", 4, 5).right(),
    Column::new("MEM", 4, 5).right(),
    Column::new("PODS", 4, 8).priority(1).right(),
    Column::new("NOTE", 12, 60),
    Column::new("CPU req", 7, 7).priority(5).right(),
    Column::new("MEM req", 7, 7).priority(5).right(),
    Column::new("GPU req", 7, 9).priority(3).right(),
    Column::new("PTP", 8, 9).priority(2),
    Column::new("KUBELET", 8, 14).priority(6),
    Column::new("AGE", 5, 5).priority(7).right(),
    Column::new("TAINTS", 10, 80).priority(8),
];

const EVENTS: [Column; 6] = [
    Column::new("TIME", 8, 8),
    Column::new("FIRST", 8, 8).priority(3),
    Column::new("N", 3, 5).priority(2).right(),
    Column::new("REASON", 12, 24),
    Column::new("OBJECT", 12, 40).priority(1),
    Column::new("MESSAGE", 16, 300),
];

const SOURCES: [Column; 8] = [
    Column::new("S", 1, 1),
    Column::new("SOURCE", 12, 14),
    Column::new("STATE", 10, 10),
    Column::new("LATENCY", 7, 8).priority(3).right(),
    Column::new("LAST OK", 7, 9).priority(1).right(),
    Column::new("VERSION", 8, 12).priority(4),
    Column::new("RETRY", 6, 10).priority(2),
    Column::new("WHY, AND WHAT TO TRY", 26, 300),
];

const PODS: [Column; 8] = [
    Column::new("S", 1, 1),
    Column::new("POD", 18, 48),
    Column::new("STATE", 16, 22),
    Column::new("RESTARTS", 8, 8).priority(1).right(),
    Column::new("READY", 5, 5).priority(2),
    Column::new("SINCE", 5, 5).priority(3).right(),
    Column::new("NODE", 8, 24).priority(4),
    Column::new("OWNER", 12, 40).priority(5),
];

const WORKLOADS: [Column; 8] = [
    Column::new("S", 1, 1),
    Column::new("KIND", 6, 11).priority(2),
    Column::new("WORKLOAD", 18, 48),
    Column::new("READY", 7, 9),
    Column::new("UPDATED", 7, 9).priority(3),
    Column::new("ROLLOUT", 14, 40),
    Column::new("AGE", 5, 5).priority(4).right(),
    Column::new("IMAGES", 16, 120).priority(1),
];

const OPERATORS: [Column; 6] = [
    Column::new("S", 1, 1),
    Column::new("OPERATOR", 18, 40),
    Column::new("VERSION", 8, 20).priority(2),
    Column::new("STATE", 12, 30),
    Column::new("SINCE", 5, 5).priority(1).right(),
    Column::new("MESSAGE", 16, 200),
];

const CAPACITY: [Column; 7] = [
    Column::new("S", 1, 1),
    Column::new("RESOURCE", 10, 36),
    Column::new("ALLOCATABLE", 11, 14).priority(2).right(),
    Column::new("REQUESTED", 9, 14).priority(1).right(),
    Column::new("OF IT", 5, 6).right(),
    Column::new("USED", 5, 6).right(),
    Column::new("NOTE", 20, 200),
];

const DISCOVERY: [Column; 8] = [
    Column::new("S", 1, 1),
    Column::new("COMPONENT", 14, 16),
    Column::new("RESULT", 13, 13),
    Column::new("USED", 4, 4).priority(3),
    Column::new("PLACE", 12, 44).priority(2),
    Column::new("VIA", 10, 40).priority(4),
    Column::new("VERSION", 8, 14).priority(5),
    Column::new("WHY", 20, 200).priority(1),
];

//! The figures of the loop, for whoever stands beside it.

use std::sync::Arc;

use crate::model::time::Timestamp;
pub use crate::team::lease::Figures as Leases;
pub use crate::team::publish::Figures as Bus;

/// How the watcher does. Counters grow from its start on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gauges {
    /// Name of this replica.
    pub replica: Arc<str>,
    pub started: Timestamp,
    /// When the loop went round last.
    pub looped: Timestamp,
    /// Clusters of the configuration, and those watched here now.
    pub clusters: usize,
    /// Ours now, those among them included that were not looked at yet.
    pub watched: usize,
    pub held: Vec<Cluster>,
    /// Not resolved, in all clusters watched here.
    pub incidents_open: usize,
    pub incidents_critical: usize,
    /// Changes that were told; each stands for one message on the bus.
    pub told: u64,
    pub bus: Bus,
    pub leases: Leases,
    /// Batches of telemetry lost in full queues.
    pub batches_lost: u64,
}

/// A cluster that is watched here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cluster {
    pub name: Arc<str>,
    pub incidents_open: usize,
    /// Sources that are configured or found, and those among them that fail.
    pub sources: usize,
    pub failing: usize,
    /// The greatest score of its findings that go on, 0 to 1.
    pub score: f64,
}

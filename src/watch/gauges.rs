//! The figures of the loop, for whoever stands beside it.

use std::sync::Arc;

use crate::source::edge::Published;
pub use crate::team::lease::Figures as Leases;
pub use crate::team::publish::Figures as Bus;

/// How the watcher does. Counters grow from its start on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gauges {
    /// Clusters of the configuration, and those watched here now.
    pub clusters: usize,
    /// Ours now, those among them included that were not looked at yet.
    pub watched: usize,
    /// Changes that were told; each stands for one message on the bus.
    pub told: u64,
    pub bus: Bus,
    pub leases: Leases,
    /// Batches of telemetry lost in full queues.
    pub batches_lost: u64,
    /// Samples that go to the team's bus, of each cluster of which that is known.
    pub samples: Vec<(Arc<str>, Published)>,
}

//! What the loop gives to whoever stands beside it: its figures, and what it tells.
//!
//! Both never hold it up: figures are overwritten, and a listener that is late loses the oldest
//! changes and is told how many.

use std::sync::Arc;

use tokio::sync::{broadcast, watch};

use crate::model::news::Change;
use crate::model::time::Timestamp;

/// Deliveries of changes that may wait for a listener.
const WAITING: usize = 256;

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

/// What becomes of what is told on the team's bus.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bus {
    /// A team is configured.
    pub wanted: bool,
    /// Connected, and the stream is there.
    pub ready: bool,
    /// Why it is not, with what to do about it.
    pub fault: Option<Arc<str>>,
    /// Messages that the bus acknowledged.
    pub published: u64,
    /// Messages and bytes that wait in the spool.
    pub pending: u64,
    pub pending_bytes: u64,
    /// Oldest messages that gave way in a full spool.
    pub dropped: u64,
    /// The spool cannot be written: what is told now would not survive the end of this process.
    pub unsafe_spool: Option<Arc<str>>,
}

/// Who shares the clusters out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Leases {
    /// The bucket was heard within the life of a lease; false without a team.
    pub ready: bool,
    pub fault: Option<Arc<str>>,
    /// Live replicas, this one included.
    pub replicas: usize,
    /// Clusters taken and given up since the start.
    pub taken: u64,
    pub given_up: u64,
}

/// The loop's ends of both.
#[derive(Debug)]
pub struct Seams {
    gauges: watch::Sender<Gauges>,
    changes: broadcast::Sender<Arc<[Change]>>,
}

impl Seams {
    pub fn new(first: Gauges) -> Self {
        Self {
            gauges: watch::Sender::new(first),
            changes: broadcast::Sender::new(WAITING),
        }
    }

    /// Figures, the newest.
    pub fn gauges(&self) -> watch::Receiver<Gauges> {
        self.gauges.subscribe()
    }

    /// Changes from now on.
    pub fn changes(&self) -> broadcast::Receiver<Arc<[Change]>> {
        self.changes.subscribe()
    }

    pub fn measure(&self, gauges: Gauges) {
        self.gauges.send_replace(gauges);
    }

    /// Tells whoever listens.
    pub fn tell(&self, changes: &[Change]) {
        if !changes.is_empty() {
            // Nobody listens where no outlet is configured.
            let _ = self.changes.send(changes.into());
        }
    }
}

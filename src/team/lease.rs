//! Which clusters are watched here: leases in a bucket of the team, one a cluster.
//!
//! A lease lives for two intervals after it was renewed last. Others judge that by their own clock
//! that never jumps, from when they saw the renewal; its holder, who counts from before it asked for
//! it, stops a quarter of an interval early. So nobody's clock has to be right, and a cluster has
//! never two watchers that can hear the bus. Who hears it no longer stops what another one could
//! watch, and goes on with what is nobody else's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::config::Team;
use crate::model::news::token;
use crate::source::nats::Bus;
use crate::source::nats::bucket::Shape;

mod duty;
mod keeper;
mod table;

use keeper::Keeper;
pub use table::Lease;
use table::Table;

/// Keys that nobody renews go after this.
const AGE: Duration = Duration::from_secs(3600);
const BYTES: u32 = 64 << 20;
/// The names of 10,000 clusters.
const VALUE_BYTES: u32 = 512 << 10;

/// What is to be done about a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    Watch(Arc<str>),
    /// [`Leases::stopped`] is awaited.
    Stop(Arc<str>),
}

/// How the sharing goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// The bucket is heard; false without a team.
    pub ready: bool,
    /// It was heard once: what is ours is known, though the bus may be away now.
    pub settled: bool,
    pub fault: Option<Arc<str>>,
    /// Live replicas, this one included.
    pub replicas: usize,
    /// Clusters taken and given up since the start.
    pub taken: u64,
    pub given_up: u64,
}

/// Clusters that are watched here, and until when that is sure.
#[derive(Debug, Default)]
struct Held {
    until: BTreeMap<Arc<str>, Instant>,
    /// Clusters that another live replica could watch, when the bucket was heard last.
    shared: BTreeSet<Arc<str>>,
    /// The bucket was heard once.
    met: bool,
}

/// The handle of the tasks.
pub struct Leases {
    figures: watch::Receiver<Figures>,
    stopped: mpsc::UnboundedSender<Arc<str>>,
    ending: CancellationToken,
    task: JoinHandle<()>,
    guard: JoinHandle<()>,
}

impl Leases {
    /// `name`: of this replica; `publishes`: clusters whose samples are published from here. Orders
    /// come through what is returned with it.
    pub fn start(
        team: &Team,
        name: &str,
        interval: Duration,
        clusters: Vec<Arc<str>>,
        publishes: BTreeSet<Arc<str>>,
    ) -> (Self, mpsc::UnboundedReceiver<Order>) {
        let (orders, ordered) = mpsc::unbounded_channel();
        let (stopped, stops) = mpsc::unbounded_channel();
        let (sender, figures) = watch::channel(Figures::default());
        let ending = CancellationToken::new();
        let held = Arc::new(watch::Sender::new(Held::default()));
        let keeper = Keeper {
            bus: Bus::of_team(team),
            team: team.clone(),
            interval,
            table: Table::new(name, interval, clusters.clone(), publishes),
            held: Arc::clone(&held),
            orders: orders.clone(),
            figures: sender,
            releasing: BTreeSet::new(),
        };
        let guard = tokio::spawn(guard(held, orders, interval, clusters));
        let task = tokio::spawn(keeper.run(stops, ending.clone()));
        let leases = Self {
            figures,
            stopped,
            ending,
            task,
            guard,
        };
        (leases, ordered)
    }

    pub fn figures(&self) -> watch::Receiver<Figures> {
        self.figures.clone()
    }

    /// Nothing of this cluster is asked or told here any more.
    pub fn stopped(&self, cluster: Arc<str>) {
        // The task ends with us.
        let _ = self.stopped.send(cluster);
    }

    /// Gives everything back. Nothing may be watched any more.
    pub async fn end(self) {
        self.guard.abort();
        self.ending.cancel();
        let _ = self.task.await;
    }
}

/// Stops what is no longer ours for sure, whatever the bus does meanwhile.
async fn guard(
    held: Arc<watch::Sender<Held>>,
    orders: mpsc::UnboundedSender<Order>,
    interval: Duration,
    clusters: Vec<Arc<str>>,
) {
    let begin = clock::instant();
    loop {
        tokio::time::sleep(interval / 10).await;
        let now = clock::instant();
        held.send_if_modified(|held| {
            if !held.met && held.until.is_empty() && now - begin > interval * 3 {
                tracing::warn!("nobody is heard on the team's bus: all clusters are watched here");
                for cluster in &clusters {
                    held.until.insert(cluster.clone(), now);
                    let _ = orders.send(Order::Watch(cluster.clone()));
                }
            }
            let Held { until, shared, .. } = held;
            until.retain(|cluster, until| {
                let sure = *until > now || !shared.contains(cluster);
                if !sure {
                    tracing::warn!(%cluster, "the lease could not be renewed: no longer watched here");
                    let _ = orders.send(Order::Stop(cluster.clone()));
                }
                sure
            });
            false
        });
    }
}

/// The bucket of the leases.
pub(super) fn shape(team: &Team) -> Shape {
    Shape {
        name: format!("{}-leases", team.name),
        description: "who watches which cluster (farwatch)",
        history: 8,
        max_age: AGE,
        max_bytes: BYTES,
        max_value_bytes: VALUE_BYTES,
        replicas: team.replicas,
        fleeting: false,
    }
}

/// A name that a key can bear.
pub fn replica_name(given: &str) -> String {
    let mut name = token(given);
    name.truncate(60);
    name
}

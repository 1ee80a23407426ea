//! Watches over the sources: one task a cluster, one task a source under it.
//!
//! Nothing a cluster does reaches another: each source has its own connection, time limits, waiting
//! times and health, each cluster its own queue; all lead in turn into the one of the loop.

mod keeper;
mod line;
mod plan;
mod router;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::error::SourceError;
use super::kubernetes::{self, Server};
use super::loki;
use super::report::{Report, Waits};
use super::{Lookup, Outlet};
use crate::config::Config;
use crate::model::health::{Health, SourceKind};
use crate::model::id::ClusterId;
use crate::model::log::Tail;
use crate::model::signal::Group;
use crate::model::telemetry::Telemetry;

pub use line::{Heard, Line, Wish, Woken};
pub use plan::{Gate, interval_of};

/// Fewest and most batches that wait for a cluster.
const SHARE: (usize, usize) = (16, 256);

/// Something that tells about a cluster: a poll, a watch, a tail.
pub trait Source: Send {
    /// Works until it cannot go on. `Ok`: the server ended it in good order. Either way it is
    /// called again after a while; what it keeps in itself stays (but for a panic). Each answer is
    /// told with [`Line::heard`].
    fn run<'a>(&'a mut self, line: &'a Line) -> BoxFuture<'a, Result<(), SourceError>>;
}

/// Makes a source, again after a panic. An error is a mistake in the configuration.
pub type Maker = Box<dyn Fn() -> Result<Box<dyn Source>, SourceError> + Send + Sync>;

/// Runs until the loop is gone; tells its health and waits after faults by itself.
pub type Runner = Box<dyn Fn(Report) -> BoxFuture<'static, ()> + Send + Sync>;

/// What is done for a source.
pub enum Work {
    /// Kept running by the supervisor.
    Kept(Maker),
    /// Keeps itself running (watches, tails); the supervisor forgives its panics only.
    Own(Runner),
}

/// A source to be kept running.
pub struct Plan {
    pub kind: SourceKind,
    /// Cluster and endpoint as they are shown in errors.
    pub cluster: String,
    pub endpoint: String,
    /// The way there, where it is worth a word.
    pub via: Option<String>,
    pub work: Work,
}

/// How patient the supervisor is.
#[derive(Clone, Debug)]
pub struct Pace {
    pub shortest: Duration,
    pub longest: Duration,
    /// After a 403.
    pub denied: Duration,
    /// Failures in a row that open the breaker.
    pub breaker: u32,
    /// Panics of one source that are forgiven.
    pub panics: u32,
}

impl Pace {
    /// Jittered, doubling from the shortest wait to the longest, without end.
    pub(super) fn delays(&self) -> ExponentialBackoff {
        ExponentialBuilder::default()
            .with_min_delay(self.shortest)
            .with_max_delay(self.longest)
            .with_factor(2.0)
            .with_jitter()
            .without_max_times()
            .build()
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            shortest: Duration::from_secs(1),
            longest: Duration::from_secs(30),
            denied: Duration::from_secs(300),
            breaker: 10,
            panics: 3,
        }
    }
}

/// All running sources. Dropping it stops them.
pub struct Fleet {
    wishes: Vec<watch::Sender<Wish>>,
    lookup: Arc<dyn Lookup>,
    /// Where each cluster's logs are, for tails beside the configured one.
    logs: Vec<Option<Arc<Gate>>>,
    /// Each cluster's API server, for the logs of its pods.
    servers: Vec<Option<Server>>,
    /// The queue of each cluster.
    ways: Vec<Outlet>,
    pace: Pace,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Fleet {
    /// Starts every configured source; returns at once. Needs a running tokio runtime.
    pub fn start(config: Arc<Config>, outlet: Outlet) -> Self {
        Self::start_with(config, outlet, Pace::default())
    }

    pub fn start_with(config: Arc<Config>, outlet: Outlet, pace: Pace) -> Self {
        let (plans, routes) = plan::all(&config);
        let logs = routes.iter().map(router::Route::logs).collect();
        let servers = routes.iter().map(|r| r.server.clone()).collect();
        let router = Arc::new(router::Router::new(routes));
        let mut fleet = Self::start_plans(plans, router, outlet, pace);
        fleet.logs = logs;
        fleet.servers = servers;
        fleet
    }

    /// Runs these sources, a list for each cluster.
    pub fn start_plans(
        plans: Vec<Vec<Plan>>,
        lookup: Arc<dyn Lookup>,
        outlet: Outlet,
        pace: Pace,
    ) -> Self {
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let (mut wishes, mut ways) = (Vec::new(), Vec::new());
        let share = outlet.depth().1 / plans.len().max(1);
        for (id, plans) in (0_u16..).zip(plans) {
            let (sender, receiver) = watch::channel(Wish::default());
            wishes.push(sender);
            let (way, queue) = outlet.branch(share.clamp(SHARE.0, SHARE.1));
            let (whole, ended) = (outlet.clone(), stop.clone());
            tasks.spawn(async move {
                tokio::select! {
                    () = ended.cancelled() => {}
                    () = forward(queue, whole) => {}
                }
            });
            let lines = plans
                .into_iter()
                .map(|plan| {
                    let line = Line::new(ClusterId(id), plan.kind, way.clone(), receiver.clone());
                    (plan, line)
                })
                .collect();
            ways.push(way);
            tasks.spawn(watch_over(lines, pace.clone(), stop.clone()));
        }
        tasks.close();
        Self {
            wishes,
            lookup,
            logs: Vec::new(),
            servers: Vec::new(),
            ways,
            pace,
            stop,
            tasks,
        }
    }

    /// What is on the screen: polled first and at the base interval. Replaces the former demand.
    pub fn demand(&self, demand: Vec<(ClusterId, Group)>) {
        let mut wanted: BTreeMap<ClusterId, Vec<Group>> = BTreeMap::new();
        for (cluster, group) in demand {
            wanted.entry(cluster).or_default().push(group);
        }
        for (id, sender) in (0_u16..).zip(&self.wishes) {
            let mut groups = wanted.remove(&ClusterId(id)).unwrap_or_default();
            groups.sort_unstable();
            groups.dedup();
            sender.send_if_modified(|wish| {
                let changed = wish.groups != groups;
                wish.groups = groups;
                changed
            });
        }
    }

    /// Polls this cluster, or all, now; waiting times after failures end too.
    pub fn refresh(&self, cluster: Option<ClusterId>) {
        for (id, sender) in (0_u16..).zip(&self.wishes) {
            if cluster.is_none_or(|c| c == ClusterId(id)) {
                sender.send_modify(|wish| wish.refresh += 1);
            }
        }
    }

    /// Follows these logs beside the configured ones, until the handle aborts it. `None`: the
    /// cluster has no Loki, or no API server.
    pub fn follow(&self, cluster: ClusterId, tail: Tail) -> Option<AbortHandle> {
        let place = usize::from(cluster.0);
        let wish = self.wishes.get(place)?.subscribe();
        let way = self.ways.get(place)?.clone();
        let waits = Waits::heeding(&self.pace, wish);
        let report = |source| Report::new(cluster, source, way, waits).quiet();
        let work = match tail {
            Tail::Loki(selector) => {
                let gate = self.logs.get(place)?.clone()?;
                loki::follow(gate, selector, report(SourceKind::Loki)).boxed()
            }
            Tail::Pod(pod) => {
                let server = self.servers.get(place)?.clone()?;
                kubernetes::follow_pod(server, pod, report(SourceKind::Kubernetes)).boxed()
            }
        };
        let stop = self.stop.clone();
        let task = tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = work => {}
            }
        });
        Some(task.abort_handle())
    }

    /// Batches waiting in the queues of the clusters, and room in all.
    pub fn depth(&self) -> (usize, usize) {
        let depths = self.ways.iter().map(Outlet::depth);
        depths.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    pub fn lookup(&self) -> Arc<dyn Lookup> {
        self.lookup.clone()
    }

    /// Stops everything; waits at most a second for it.
    pub async fn shutdown(self) {
        self.stop.cancel();
        let _ = tokio::time::timeout(Duration::from_secs(1), self.tasks.wait()).await;
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Hands the batches of one cluster over, one at a time: who waits longest is next, so that each
/// cluster gets its turn however much another has to say.
async fn forward(mut queue: mpsc::Receiver<Telemetry>, whole: Outlet) {
    while let Some(telemetry) = queue.recv().await {
        if !whole.send(telemetry).await {
            return;
        }
    }
}

/// The task of one cluster: its sources live and end with it.
async fn watch_over(lines: Vec<(Plan, Line)>, pace: Pace, stop: CancellationToken) {
    let mut sources = JoinSet::new();
    for (plan, line) in lines {
        let pace = pace.clone();
        sources.spawn(async move {
            line.via(plan.via.clone());
            line.tell(Health::Connecting).await;
            keeper::keep(plan, line, pace).await;
        });
    }
    let all = async { while sources.join_next().await.is_some() {} };
    tokio::select! {
        () = stop.cancelled() => {}
        () = all => {}
    }
    sources.shutdown().await;
}

#[cfg(test)]
mod tests;

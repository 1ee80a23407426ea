//! Watches over the sources: one task a cluster, one task a source under it.
//!
//! Nothing a cluster does reaches another: each source has its own connection, time limits, waiting
//! times and health, each cluster its own queue; all lead in turn into the one of the loop.

mod keeper;
mod line;
mod plan;
mod router;
mod site;
mod staff;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::actions::Ways;
use super::edge::Published;
use super::error::SourceError;
use super::kubernetes;
use super::loki;
use super::report::{Report, Waits};
use super::{Lookup, Outlet};
use crate::config::Config;
use crate::model::bus::Following;
use crate::model::health::{Health, SourceKind};
use crate::model::id::ClusterId;
use crate::model::log::Tail;
use crate::model::signal::Group;
use crate::model::telemetry::{Body, Telemetry};

pub use line::{Heard, Line, Wish, Woken};
pub use plan::{Gate, interval_of};
pub use staff::{Doubt, Offer, Staff};

use plan::Crew;
use staff::Order;

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
    /// The same beside a source of its kind, which alone speaks of its health.
    Aside(Runner),
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

impl Plan {
    fn is_aside(&self) -> bool {
        matches!(self.work, Work::Aside(_))
    }
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
    /// After this the server shall end a watch; a little later it is held for dead.
    pub term: Duration,
    /// A list that comes as a stream may pause this long; six times this in all.
    pub listing: Duration,
    /// Between two looks at what a cluster has installed.
    pub look: Duration,
    /// Between two discoveries of what a cluster offers.
    pub discovery: Duration,
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
            term: Duration::from_secs(290),
            listing: Duration::from_secs(20),
            look: Duration::from_secs(180),
            discovery: Duration::from_secs(24 * 3600),
        }
    }
}

/// All running sources. Dropping it stops them.
pub struct Fleet {
    wishes: Vec<watch::Sender<Wish>>,
    lookup: Arc<dyn Lookup>,
    /// Where each cluster's logs are, and its API server, for what is followed beside the sources.
    routes: Vec<router::SharedRoute>,
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
        let crews = plan::all(&config);
        let routes = crews.iter().map(|c| c.route.clone()).collect();
        let router = Arc::new(router::Router::new(routes));
        Self::start_crews(crews, router, outlet, pace)
    }

    /// Runs these sources, a list for each cluster, and no others.
    pub fn start_plans(
        plans: Vec<Vec<Plan>>,
        lookup: Arc<dyn Lookup>,
        outlet: Outlet,
        pace: Pace,
    ) -> Self {
        let crews = plans.into_iter().map(Crew::fixed).collect();
        Self::start_crews(crews, lookup, outlet, pace)
    }

    fn start_crews(crews: Vec<Crew>, lookup: Arc<dyn Lookup>, outlet: Outlet, pace: Pace) -> Self {
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let (mut wishes, mut ways, mut routes) = (Vec::new(), Vec::new(), Vec::new());
        let share = outlet.depth().1 / crews.len().max(1);
        for (id, crew) in (0_u16..).zip(crews) {
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
            let post = Post {
                cluster: ClusterId(id),
                way: way.clone(),
                wish: receiver,
                pace: pace.clone(),
            };
            ways.push(way);
            routes.push(crew.route);
            tasks.spawn(watch_over(post, crew.plans, crew.orders, stop.clone()));
        }
        tasks.close();
        Self {
            wishes,
            lookup,
            routes,
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

    /// Follows these logs beside the usual ones, until the handle aborts it. `None`: the cluster
    /// has no Loki, or no API server.
    pub fn follow(&self, cluster: ClusterId, tail: Tail) -> Option<AbortHandle> {
        let place = usize::from(cluster.0);
        let wish = self.wishes.get(place)?.subscribe();
        let way = self.ways.get(place)?.clone();
        let waits = Waits::heeding(&self.pace, wish);
        let report = |source| Report::new(cluster, source, way, waits).quiet();
        let route = self.routes.get(place)?;
        let work = {
            let route = route.read().unwrap_or_else(PoisonError::into_inner);
            match tail {
                Tail::Loki(selector) => {
                    loki::follow(route.logs()?, selector, report(SourceKind::Loki)).boxed()
                }
                Tail::Pod(pod) => {
                    let server = route.server.clone()?;
                    kubernetes::follow_pod(server, pod, report(SourceKind::Kubernetes)).boxed()
                }
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

    /// Follows these subjects of the buses in place of the former ones; a bus that is not named
    /// follows what its configuration says.
    pub fn follow_bus(&self, wanted: &[(ClusterId, Following)]) {
        for (id, route) in (0_u16..).zip(&self.routes) {
            let route = route.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(bus) = &route.bus {
                let ours = wanted.iter().find(|(c, _)| *c == ClusterId(id));
                bus.follow(ours.map(|(_, following)| following.clone()));
            }
        }
    }

    /// What of the samples of a cluster is on the team's bus; `None`: they do not go there, or it is
    /// not known yet.
    pub fn published(&self, cluster: ClusterId) -> Option<Published> {
        let route = self.routes.get(usize::from(cluster.0))?;
        let route = route.read().unwrap_or_else(PoisonError::into_inner);
        route.published.as_ref()?.now()
    }

    /// Batches waiting in the queues of the clusters, and room in all.
    pub fn depth(&self) -> (usize, usize) {
        let depths = self.ways.iter().map(Outlet::depth);
        depths.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    /// Ways to the servers of each cluster as they are then, for what changes something.
    pub fn reach(&self) -> Ways {
        let routes = self.routes.clone();
        Arc::new(move |cluster| {
            let route = routes.get(usize::from(cluster.0));
            let route = route.map(|r| r.read().unwrap_or_else(PoisonError::into_inner));
            route.map(|route| route.reach()).unwrap_or_default()
        })
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

/// What every source of one cluster is given.
struct Post {
    cluster: ClusterId,
    way: Outlet,
    wish: watch::Receiver<Wish>,
    pace: Pace,
}

impl Post {
    fn line(&self, kind: SourceKind) -> Line {
        Line::new(self.cluster, kind, self.way.clone(), self.wish.clone())
    }

    fn work(&self, plan: Plan) -> impl Future<Output = ()> + Send + 'static {
        let (line, pace) = (self.line(plan.kind), self.pace.clone());
        async move {
            if !plan.is_aside() {
                line.leads_to(&plan.endpoint, plan.via.clone());
                line.tell(Health::Connecting).await;
            }
            keeper::keep(plan, line, pace).await;
        }
    }
}

/// The task of one cluster: its sources live and end with it.
async fn watch_over(
    post: Post,
    plans: Vec<Plan>,
    mut orders: mpsc::UnboundedReceiver<Order>,
    stop: CancellationToken,
) {
    let mut sources = JoinSet::new();
    for plan in plans {
        sources.spawn(post.work(plan));
    }
    let mut hired: BTreeMap<SourceKind, AbortOnDropHandle<()>> = BTreeMap::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(order) = orders.recv() => take(order, &mut hired, &post).await,
            Some(_) = sources.join_next() => {}
        }
    }
    for (_, source) in std::mem::take(&mut hired) {
        source.abort();
        let _ = source.await;
    }
    sources.shutdown().await;
}

async fn take(order: Order, hired: &mut BTreeMap<SourceKind, AbortOnDropHandle<()>>, post: &Post) {
    let kind = match &order {
        Order::Hire(plan) => plan.kind,
        Order::LetGo(kind) => *kind,
    };
    if let Some(former) = hired.remove(&kind) {
        former.abort();
        // What it had under way is said or forgotten before the next word.
        let _ = former.await;
    }
    match order {
        Order::Hire(plan) => {
            let source = tokio::spawn(post.work(plan));
            hired.insert(kind, AbortOnDropHandle::new(source));
        }
        Order::LetGo(kind) => {
            post.line(kind).send(Body::Gone).await;
        }
    }
}

#[cfg(test)]
mod tests;

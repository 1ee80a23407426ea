//! `nvidia-smi -q -x` in a pod of each GPU node, where the operator switched it on: what exporters
//! leave out, read seldom.
//!
//! Each place is written into the audit file before the command first runs there; without that
//! line, without the role and without the right nothing is run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

use super::audit::{Audit, Deed, Stage};
use super::kubernetes::exec::Place;
use super::kubernetes::{Cluster, Server, identity};
use super::report::Report;
use crate::clock;
use crate::config::{self, Config, Roles};
use crate::model::action::NEEDED;
use crate::model::fault::{Fault, FaultKind};
use crate::model::rights;
use crate::model::sample::SeriesSamples;
use crate::model::signal::Group;
use crate::model::telemetry::{Body, SampleBatch};
use crate::model::text::clean;

mod command;
mod pods;
mod read;
mod series;
mod told;

pub use command::COMMAND;
use command::{Ran, one};
use pods::Nodes;
pub use read::{Read, read};
pub use series::series;

/// Watches and reviews go first.
const BEFORE: Duration = Duration::from_secs(2);
/// Between two runs on a node.
const EVERY: Duration = Duration::from_secs(60);
/// Nodes of one round; of more, the others have their turn in the next.
const NODES: usize = 100;
/// Commands under way at a time.
const AT_ONCE: usize = 4;
/// The pods are looked for anew after so many rounds, and after a failure.
const LOOK_ROUNDS: u32 = 5;
/// Without its daemon the driver is loaded for each run, which takes a while.
pub const TIME: Duration = Duration::from_secs(30);
/// Series of one delivery.
const DELIVERY: usize = 4_096;

/// What it takes to run it in one cluster.
#[derive(Clone, Debug)]
pub struct Setup {
    pub server: Server,
    pub roles: Roles,
    pub audit: Audit,
    /// Where its pods are; empty: where the charts put them.
    pub namespaces: Vec<String>,
    /// Longest time for one run.
    pub time: Duration,
}

impl Setup {
    /// Without an audit file nothing is run.
    pub fn new(config: &Config, cluster: &config::Cluster, server: Server) -> Self {
        Self {
            server,
            roles: cluster.roles.as_ref().unwrap_or(&config.roles).clone(),
            audit: Audit::new(config.audit_file.clone()),
            namespaces: cluster.nvidia_smi_namespaces.clone(),
            time: TIME,
        }
    }
}

/// Runs it now and every minute, until the loop is gone.
pub async fn run(setup: Setup, mut report: Report) {
    tokio::time::sleep(BEFORE).await;
    let mut work = Work::new(setup);
    loop {
        let begun = clock::instant();
        let delay = match work.round().await {
            Ok(round) => {
                let every = work.every(begun.elapsed());
                report.health.interval_ms = u32::try_from(every.as_millis()).unwrap_or(u32::MAX);
                if !round.tell(&mut report).await {
                    return;
                }
                EVERY.saturating_sub(begun.elapsed()).max(EVERY / 4)
            }
            Err(fault) => {
                tracing::info!(fault = %fault, "nvidia-smi");
                let Some(delay) = report.failed(fault, Some(EVERY)).await else {
                    return;
                };
                delay
            }
        };
        report.waits.rest(delay).await;
    }
}

/// Runs it once on one node; gives the driver's version and how long it took.
pub async fn try_once(setup: Setup) -> Result<(String, Duration), Fault> {
    let mut work = Work::new(setup);
    let (cluster, user) = work.ready().await?;
    let first = work.nodes.iter().next();
    let first = first.and_then(|(node, places)| Some((node.clone(), places.first()?.clone())));
    let Some((node, place)) = first else {
        return Err(Fault {
            kind: FaultKind::NotFound,
            cluster: cluster.name.clone(),
            endpoint: cluster.place.clone(),
            what: "no GPU node".into(),
            hint: String::new(),
        });
    };
    let begun = clock::instant();
    let told = work.on(&cluster, &user, &node, &place).await?;
    Ok((told.driver, begun.elapsed()))
}

struct Work {
    setup: Setup,
    nodes: Nodes,
    /// Which of its pods is used on a node, counted up with each failure.
    tries: BTreeMap<String, usize>,
    /// Node whose turn is next.
    next: usize,
    rounds: u32,
    audited: tokio::sync::Mutex<BTreeSet<Place>>,
}

/// What the nodes of one round told.
struct Round {
    series: Vec<SeriesSamples>,
    faults: Vec<Fault>,
    asked: usize,
    bytes: u64,
    took: Duration,
}

impl Work {
    fn new(setup: Setup) -> Self {
        Self {
            setup,
            nodes: Nodes::new(),
            tries: BTreeMap::new(),
            next: 0,
            rounds: 0,
            audited: tokio::sync::Mutex::default(),
        }
    }

    /// The role, and the pods. The right is asked for where they are.
    async fn ready(&mut self) -> Result<(Cluster, String), Fault> {
        let cluster = self.setup.server.signed_in().await?;
        let (user, role) = identity::me(&self.setup.server, &self.setup.roles).await?;
        if role < NEEDED {
            let (role, needed) = (role.word(), NEEDED.word());
            let what =
                format!("nvidia-smi is not run: your role here is {role}, {needed} is needed");
            let hint = "roles go by your groups, see `[roles]`; or leave `nvidia_smi` out";
            return Err(fault(&cluster, FaultKind::Forbidden, what, hint));
        }
        if self.rounds.is_multiple_of(LOOK_ROUNDS) {
            self.nodes = pods::find(&cluster, &self.setup.namespaces).await?;
            self.tries.retain(|node, _| self.nodes.contains_key(node));
            let there: BTreeSet<&Place> = self.nodes.values().flatten().collect();
            let mut audited = self.audited.lock().await;
            audited.retain(|place| there.contains(place));
        }
        let spaces: BTreeSet<&str> = self
            .nodes
            .values()
            .flatten()
            .map(|p| p.namespace.as_str())
            .collect();
        let mut refused = None;
        let all = spaces.len();
        let mut denied = 0;
        for namespace in spaces {
            if let Some(what) = self.denied(namespace).await {
                denied += 1;
                refused.get_or_insert(what);
            }
        }
        match refused.filter(|_| denied == all) {
            None => Ok((cluster, user)),
            Some(what) => {
                let hint = "docs/rbac.yaml has the role `farwatch-nvidia-smi`";
                Err(fault(&cluster, FaultKind::Forbidden, what, hint))
            }
        }
    }

    /// What is not permitted there. A server that does not tell is asked to do it.
    async fn denied(&self, namespace: &str) -> Option<String> {
        for right in rights::to_exec(namespace) {
            let review = self.setup.server.review(right, "nvidia-smi").await;
            if review.allowed == Some(false) {
                let why = match review.reason.as_str() {
                    "" => String::new(),
                    reason => format!(": {reason}"),
                };
                return Some(format!(
                    "nvidia-smi is not run, not permitted: {}{why}",
                    review.right
                ));
            }
        }
        None
    }

    async fn round(&mut self) -> Result<Round, Fault> {
        let begun = clock::instant();
        let (cluster, user) = self.ready().await.inspect_err(|_| self.rounds = 0)?;
        self.rounds = self.rounds.wrapping_add(1);
        let turn = self.turn();
        let own = &*self;
        let mut runs: Vec<BoxFuture<'_, _>> = Vec::new();
        for (node, place) in &turn {
            let (cluster, user) = (&cluster, &user);
            let run = async move { (node, own.on(cluster, user, node, place).await) };
            runs.push(run.boxed());
        }
        let mut round = Round {
            series: Vec::new(),
            faults: Vec::new(),
            asked: turn.len(),
            bytes: 0,
            took: Duration::ZERO,
        };
        let mut failed = Vec::new();
        let mut runs = futures::stream::iter(runs).buffer_unordered(AT_ONCE);
        while let Some((node, ran)) = runs.next().await {
            match ran {
                Ok(ran) => {
                    round.bytes += ran.bytes as u64;
                    round.series.extend(ran.series);
                }
                Err(fault) => {
                    tracing::info!(%node, fault = %fault, "nvidia-smi");
                    failed.push(node.clone());
                    round.faults.push(fault);
                }
            }
        }
        drop(runs);
        for node in failed {
            *self.tries.entry(node).or_default() += 1;
            // Its pods may be others by now.
            self.rounds = 0;
        }
        round.took = begun.elapsed();
        Ok(round)
    }

    /// Nodes of this round, each with the pod to use.
    fn turn(&mut self) -> Vec<(String, Place)> {
        let all = self.nodes.len();
        let start = if self.next < all { self.next } else { 0 };
        self.next = if all > NODES { start + NODES } else { 0 };
        let nodes = self.nodes.iter().skip(start).take(NODES);
        nodes
            .filter_map(|(node, places)| {
                let tries = self.tries.get(node).copied().unwrap_or_default();
                let place = places.get(tries % places.len().max(1))?;
                Some((node.clone(), place.clone()))
            })
            .collect()
    }

    /// Time after which a node is read again.
    fn every(&self, took: Duration) -> Duration {
        let rounds = self.nodes.len().div_ceil(NODES).max(1);
        let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
        EVERY.max(took).saturating_mul(rounds)
    }

    async fn on(
        &self,
        cluster: &Cluster,
        user: &str,
        node: &str,
        place: &Place,
    ) -> Result<Ran, Fault> {
        let new = self.note(cluster, user, node, place).await?;
        let ran = one(cluster, node, place, self.setup.time).await;
        if new {
            let (stage, outcome) = match &ran {
                Ok(ran) => (Stage::Done, format!("{} bytes", ran.bytes)),
                Err(fault) if fault.is_refusal() => (Stage::Refused, fault.what.clone()),
                Err(fault) => (Stage::Failed, fault.what.clone()),
            };
            let deed = deed(cluster, user, node, place);
            if let Err(why) = self.setup.audit.write(&deed, stage, &outcome).await {
                tracing::warn!(%why, "the audit file lacks the outcome of nvidia-smi");
            }
        }
        ran
    }

    /// Writes down that it will be run there, if that was not done. True: it was now.
    async fn note(
        &self,
        cluster: &Cluster,
        user: &str,
        node: &str,
        place: &Place,
    ) -> Result<bool, Fault> {
        if self.audited.lock().await.contains(place) {
            return Ok(false);
        }
        let deed = deed(cluster, user, node, place);
        let written = self.setup.audit.write(&deed, Stage::Asked, "").await;
        written.map_err(|why| {
            let what = format!("the audit file cannot be written, so nvidia-smi is not run: {why}");
            let hint = "make the file and its folder yours to write";
            fault(cluster, FaultKind::Config, what, hint)
        })?;
        self.audited.lock().await.insert(place.clone());
        Ok(true)
    }
}

fn deed<'a>(cluster: &'a Cluster, user: &'a str, node: &str, place: &Place) -> Deed<'a> {
    Deed {
        cluster: &cluster.name,
        user,
        proposed_by: None,
        allowed_by: None,
        action: "nvidia-smi",
        subject: format!("Pod {place} on {node}"),
        server: &cluster.place,
        via: None,
        method: "GET",
        path: place.path(&COMMAND),
        body: None,
    }
}

fn fault(cluster: &Cluster, kind: FaultKind, what: String, hint: &str) -> Fault {
    Fault {
        kind,
        cluster: cluster.name.clone(),
        endpoint: cluster.place.clone(),
        what: clean(&what, 300),
        hint: hint.to_owned(),
    }
}

impl Round {
    /// Passes on what was read, and how well. False when the loop is gone.
    async fn tell(self, report: &mut Report) -> bool {
        let mut left = self.series;
        let read = !left.is_empty();
        for part in 1.. {
            if left.is_empty() {
                break;
            }
            let rest = left.split_off(left.len().min(DELIVERY));
            let batch = SampleBatch {
                group: Group::Gpu,
                name: match part {
                    1 => "nvidia-smi".into(),
                    part => format!("nvidia-smi, part {part}").into(),
                },
                query: COMMAND.join(" ").into(),
                at: clock::now(),
                interval_ms: report.health.interval_ms,
                backfill: false,
                series: std::mem::replace(&mut left, rest),
                cut_from: None,
            };
            let telemetry = report.wrap(Body::Samples(batch));
            if !report.outlet.send(telemetry).await {
                return false;
            }
        }
        if read {
            report.heard(self.bytes);
            let nodes = u32::try_from(self.asked).unwrap_or(u32::MAX).max(1);
            let each = self.took / nodes;
            report.health.latency_ms = u32::try_from(each.as_millis()).ok();
        }
        let failed = self.faults.len();
        match self.faults.into_iter().next() {
            None => report.live().await,
            Some(mut first) => {
                if self.asked > 1 {
                    let more = format!(" ({failed} of {} nodes failed)", self.asked);
                    first.what = format!("{}{more}", clean(&first.what, 280 - more.len()));
                }
                report.failed(first, Some(EVERY)).await.is_some()
            }
        }
    }
}

//! What is known: facts of all clusters, changed by telemetry and time only.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use crate::config::{self, ClusterKind};
use crate::detect::{Bursts, Judge};
use crate::incident::{Grouper, Incident};
use crate::message::{LoopGauges, ReplayStatus};
use crate::model::alert::{Alert, Heartbeat, Severities, Severity, Silence, Spell};
use crate::model::change::Change;
use crate::model::dashboard::Dashboard;
use crate::model::discovery::Probe;
use crate::model::dpdk;
use crate::model::gitops::{App, AppKind};
use crate::model::gpu::{Drafts, Gpu};
use crate::model::handover::Handover;
use crate::model::health::{Expiry, SourceHealth, SourceKind};
use crate::model::id::{ClusterId, IncidentId};
use crate::model::identity::Identity;
use crate::model::object::{Event, Node, ObjectKey, ObjectKind, Pod};
use crate::model::openshift::{ClusterOperator, ClusterVersion};
use crate::model::ptp::{ClockTold, PtpConfig, PtpDevices, PtpNode};
use crate::model::runbook::Runbooks;
use crate::model::sensitivity::Chosen;
use crate::model::serving::{InferenceService, Serving};
use crate::model::signal::{Group, Metric, Signal};
use crate::model::sriov::{Fit, Pool, Readings, SriovNetwork, SriovNodeState, SriovPolicy};
use crate::model::telemetry::ClusterFacts;
use crate::model::time::Timestamp;
use crate::model::workload::{Autoscaler, Claim, Service, Workload, WorkloadKind};
use crate::pattern::Miner;
use crate::store::Store;
use crate::store::logs::LogRing;

mod alerts;
pub mod apps;
mod begin;
mod blind;
pub mod bus;
mod capacity;
mod causes;
mod changed;
mod changes;
mod clock_events;
mod data_path;
pub mod desk;
pub mod handover;
mod heartbeat;
mod ingest;
mod judge;
mod known;
pub mod like;
mod objects;
mod readings;
mod runbooks;
mod score;
pub mod shared;
mod skew;
mod sriov;
mod standing;
mod tellers;
mod time;
pub mod timing;
mod twins;
mod usual;
mod watchers;
pub mod whatif;

pub use blind::{Blind, NodeValue};
pub use capacity::{Amount, Capacity, holds_room, is_gpu};
pub use causes::{Asked, Basis, Causes, LEAST, Rankings};
pub use changed::BLAME_MS;
pub use known::{Known, MOST_RELATED, Related, Relation};
pub use runbooks::Fitting;
pub use score::{Reach, Score};
pub use skew::{Apart, Skew};
pub use standing::{AlertCounts, Freshness};
pub use tellers::Telling;
pub use watchers::{Ear, FoundBy};

/// Notices kept.
const NOTICES: usize = 200;
/// Length of one slice of `ClusterState::anomaly`, milliseconds.
const SLICE_MS: i64 = 360_000;

#[derive(Debug, Default)]
pub struct World {
    pub now: Timestamp,
    pub clusters: Vec<ClusterState>,
    pub store: Store,
    /// Open first, worst first, newest first; then the closed ones.
    pub incidents: Vec<Incident>,
    pub replay: Option<ReplayStatus>,
    pub notices: VecDeque<Notice>,
    pub gauges: LoopGauges,
    /// The catalogue in force.
    pub signals: Arc<[Signal]>,
    pub metrics: Arc<[Metric]>,
    /// Queries that the operator keeps.
    pub queries: Arc<[config::Query]>,
    pub dashboards: Arc<[Arc<Dashboard>]>,
    /// Why a dashboard of the operator could not be read.
    pub dashboard_faults: Arc<[String]>,
    pub runbooks: Arc<Runbooks>,
    judge: Judge,
    /// How much is told of which series.
    pub sensitivity: Chosen,
    /// Patterns of the lines of all clusters.
    pub miner: Miner,
    grouper: Grouper,
    desk: desk::Desk,
    /// Incidents are those of the watchers; `None`: they are found here.
    watchers: Option<watchers::Watchers>,
    /// What other consoles of the team did.
    pub shared: shared::Team,
    rankings: Rankings,
    /// Ended incidents that the archive found, as they were asked for last.
    pub past: Vec<Incident>,
    /// What another console handed over with the recording that is played.
    pub handover: Option<Arc<Handover>>,
    /// Whether anything can be changed, and where that is written down.
    pub audit: String,
    severities: Severities,
    events_most: usize,
    words: apps::matrix::Words,
    /// Places in `clusters`, which are never more nor others.
    by_name: HashMap<Arc<str>, usize>,
    ticked: Timestamp,
}

#[derive(Clone, Debug)]
pub struct Notice {
    pub at: Timestamp,
    pub error: bool,
    pub text: String,
    pub count: u32,
}

/// How the cluster is, as far as we can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    Ok,
    Warning,
    Critical,
    /// No source answers (or none has answered yet): nothing can be said.
    Unknown,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }
}

/// Namespace and name.
pub type Named = (Arc<str>, Arc<str>);

#[derive(Debug)]
pub struct ClusterState {
    pub id: ClusterId,
    pub name: Arc<str>,
    pub kind: ClusterKind,
    pub environment: Option<String>,
    pub region: Option<String>,
    pub labels: Vec<(String, String)>,
    pub facts: ClusterFacts,
    /// Every configured source, from the start.
    pub sources: BTreeMap<SourceKind, SourceHealth>,
    pub nodes: BTreeMap<Arc<str>, Node>,
    pub pods: BTreeMap<(Arc<str>, Arc<str>), Pod>,
    /// Oldest first, bounded.
    pub events: VecDeque<Event>,
    pub sriov: BTreeMap<Arc<str>, SriovNodeState>,
    pub sriov_policies: BTreeMap<Named, SriovPolicy>,
    pub sriov_networks: BTreeMap<Named, SriovNetwork>,
    /// How long the operator is at what it is at, by node.
    syncs: BTreeMap<Arc<str>, sriov::Sync>,
    /// What is to be said of each policy.
    fits: BTreeMap<Named, Fit>,
    /// Nodes changed since.
    fits_due: bool,
    /// What exporters tell of virtual functions.
    pub vfs: Readings,
    /// What is told of DPDK applications, and by which series.
    pub dpdk: dpdk::Readings,
    dpdk_names: Arc<dpdk::Names>,
    /// Pools of virtual functions of each node.
    pub pools: Vec<Pool>,
    pub workloads: BTreeMap<(WorkloadKind, Arc<str>, Arc<str>), Workload>,
    pub autoscalers: BTreeMap<Named, Autoscaler>,
    pub claims: BTreeMap<Named, Claim>,
    pub services: BTreeMap<Named, Service>,
    /// OpenShift only.
    pub operators: BTreeMap<Arc<str>, ClusterOperator>,
    pub version: Option<ClusterVersion>,
    /// Argo CD's applications, Flux's and its sources.
    pub apps: BTreeMap<(AppKind, Arc<str>, Arc<str>), App>,
    pub ptp_configs: BTreeMap<Named, PtpConfig>,
    pub ptp_devices: BTreeMap<Arc<str>, PtpDevices>,
    pub inference: BTreeMap<Named, InferenceService>,
    /// Oldest first, bounded.
    pub changes: VecDeque<Change>,
    /// Changes ever taken in, also those that were dropped since.
    pub changes_told: u64,
    /// What was looked for in the cluster; empty: not yet looked.
    pub probes: Vec<Probe>,
    /// Who the operator is there; `None`: not (yet) known.
    pub identity: Option<Identity>,
    /// By fingerprint; resolved ones kept 24 h.
    pub alerts: BTreeMap<Arc<str>, Alert>,
    /// Silences in force or to come, by id, as far as the Alertmanager tells them.
    pub silences: BTreeMap<String, Silence>,
    /// The alert `Watchdog`, by each source that told it or has a rule for it.
    pub heartbeats: Vec<Heartbeat>,
    pub logs: LogRing,
    /// How old the newest line of the live tail was when it came; `None`: none came yet.
    pub log_lag_ms: Option<u64>,
    /// How often each pattern of its lines is said.
    pub(super) bursts: Bursts,
    /// Readings, rebuilt when their samples come in.
    pub gpus: Vec<Gpu>,
    gpu_drafts: Drafts,
    pub ptp: Vec<PtpNode>,
    /// What each proxy of clock events told last, and when.
    clocks_told: BTreeMap<SourceKind, (Timestamp, Vec<ClockTold>)>,
    /// After these times the samples, and the readings made of some, are of the past.
    pub samples_until: Option<Timestamp>,
    pub gpus_until: Option<Timestamp>,
    pub ptp_until: Option<Timestamp>,
    pub serving: Vec<Serving>,
    serving_until: Option<Timestamp>,
    /// Milliseconds between two answers of each group, as it was asked last; by its place.
    paces: [u32; Group::ALL.len()],
    /// Greatest anomaly score per slice of the last hour (10 slices, oldest first); NaN: no data.
    pub anomaly: [f64; 10],
    /// Time of the newest sample of any metric source.
    pub last_sample: Option<Timestamp>,
    /// Counted when nodes, pods or their series change.
    pub capacity: Capacity,
    pub bus: bus::Bus,
    /// When parts went down or came back, oldest first, the last few.
    turns: VecDeque<Timestamp>,
    /// What each source says of an alert that has not ended; they alone may end it.
    tellings: BTreeMap<Arc<str>, Vec<Telling>>,
    /// Which Alertmanagers tell of a silence.
    silence_tellers: BTreeMap<String, BTreeSet<SourceKind>>,
    /// Names that each Alertmanager hears of by gossip, its own among them.
    gossip: BTreeMap<SourceKind, BTreeSet<String>>,
    /// When each alert fired, oldest first, as far as we saw it.
    spells: BTreeMap<Arc<str>, VecDeque<Spell>>,
    anomaly_slice: i64,
    drift: BTreeMap<apps::AppKey, apps::Drift>,
    /// Series of the last answers that are not in the store, by name of the answer.
    unheld: BTreeMap<Arc<str>, usize>,
    /// Kinds that were listed whole, and when each was heard of last; `None`: of another server.
    listed: BTreeMap<ObjectKind, Option<Timestamp>>,
    event_names: BTreeSet<Named>,
    /// Pods changed since [`Self::capacity`] was counted.
    capacity_due: bool,
    /// Kinds that are not installed, as the server says.
    absent: BTreeSet<ObjectKind>,
    /// Objects that are there and could not be read.
    unread: BTreeSet<ObjectKey>,
    /// Ends of credentials that the operator was reminded of.
    reminded: BTreeMap<SourceKind, Timestamp>,
}

impl ClusterState {
    /// Somebody answers what a source of this kind is asked.
    pub fn answers(&self, wanted: SourceKind) -> bool {
        self.sources.keys().any(|kind| kind.answers_for(wanted))
    }

    /// Who is asked in its place.
    pub fn answerer(&self, wanted: SourceKind) -> Option<&SourceHealth> {
        let other = || {
            self.sources
                .iter()
                .find(|(kind, _)| kind.answers_for(wanted))
        };
        self.sources
            .get(&wanted)
            .or_else(|| other().map(|(_, health)| health))
    }

    /// A credential that ends soon, once for each end.
    fn remind(
        &mut self,
        kind: SourceKind,
        expires: Option<Expiry>,
        now: Timestamp,
    ) -> Option<String> {
        let expires = expires.filter(|e| e.is_near(now))?;
        let before = self.reminded.insert(kind, expires.at);
        let told = || format!("{}: {kind}: {}: renew it", self.name, expires.told(now));
        (before != Some(expires.at)).then(told)
    }

    /// Series were let go: what is made of them is made of all that are left, the next time.
    fn start_anew(&mut self) {
        self.gpu_drafts = Drafts::default();
    }

    /// Pods that are neither running whole nor finished as they should.
    pub fn unhealthy_pods(&self) -> impl Iterator<Item = &Pod> {
        self.pods.values().filter(|p| p.is_bad())
    }

    /// Moves the slices of the hour so that the last one holds `at`; notes the score there.
    fn note_score(&mut self, at: Timestamp, score: f64) {
        let slice = at.0.div_euclid(SLICE_MS);
        if slice > self.anomaly_slice {
            let by = usize::try_from(slice - self.anomaly_slice)
                .unwrap_or(10)
                .min(10);
            self.anomaly.rotate_left(by);
            for old in self.anomaly.iter_mut().rev().take(by) {
                *old = f64::NAN;
            }
            self.anomaly_slice = slice;
        }
        let back = usize::try_from(self.anomaly_slice - slice).unwrap_or(10);
        if let Some(place) = self.anomaly.iter_mut().rev().nth(back) {
            // `max` of a number and NaN is the number.
            *place = place.max(score);
        }
    }
}

impl World {
    pub fn cluster(&self, id: ClusterId) -> Option<&ClusterState> {
        self.clusters.get(usize::from(id.0))
    }

    /// A cluster is never without a name on the screen.
    pub fn name_of(&self, id: ClusterId) -> &str {
        self.cluster(id).map_or("?", |c| c.name.as_ref())
    }

    pub fn cluster_by_name(&self, name: &str) -> Option<&ClusterState> {
        self.clusters.get(*self.by_name.get(name)?)
    }

    pub fn incident(&self, id: IncidentId) -> Option<&Incident> {
        let mut all = self.incidents.iter().chain(&self.past);
        all.find(|i| i.id == id)
    }

    /// What a word of the label `severity` means.
    pub fn severity(&self, word: &str) -> Severity {
        self.severities.of(word)
    }

    /// Signal of the catalogue with this name.
    pub fn signal(&self, name: &str) -> Option<&Signal> {
        self.signals.iter().find(|s| s.name.as_ref() == name)
    }

    /// Metric under its own name, as the catalogue describes it.
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|m| m.name.as_ref() == name)
    }

    /// A line for the operator; the same line again is counted.
    pub fn notice(&mut self, error: bool, text: impl Into<String>) {
        let text = text.into();
        match self.notices.back_mut() {
            Some(last) if last.text == text => {
                last.count += 1;
                last.at = self.now;
            }
            _ => self.notices.push_back(Notice {
                at: self.now,
                error,
                text,
                count: 1,
            }),
        }
        while self.notices.len() > NOTICES {
            self.notices.pop_front();
        }
    }
}

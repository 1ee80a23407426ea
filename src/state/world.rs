//! What is known: facts of all clusters, changed by telemetry and time only.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::config::ClusterKind;
use crate::incident::Incident;
use crate::message::{LoopGauges, ReplayStatus};
use crate::model::alert::Alert;
use crate::model::gpu::Gpu;
use crate::model::health::{SourceHealth, SourceKind};
use crate::model::id::ClusterId;
use crate::model::object::{Event, Node, Pod};
use crate::model::ptp::PtpNode;
use crate::model::serving::Serving;
use crate::model::sriov::SriovNodeState;
use crate::model::telemetry::ClusterFacts;
use crate::model::time::Timestamp;
use crate::store::Store;
use crate::store::logs::LogRing;

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
}

#[derive(Clone, Debug)]
pub struct Notice {
    pub at: Timestamp,
    pub error: bool,
    pub text: String,
    pub count: u32,
}

/// How the cluster is, as far as we can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    Ok,
    Warning,
    Critical,
    /// No source answers (or none has answered yet): nothing can be said.
    Unknown,
}

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
    /// By fingerprint; resolved ones kept 24 h.
    pub alerts: BTreeMap<Arc<str>, Alert>,
    pub logs: LogRing,
    /// Readings, rebuilt when their samples come in.
    pub gpus: Vec<Gpu>,
    pub ptp: Vec<PtpNode>,
    pub serving: Vec<Serving>,
    /// Greatest anomaly score per slice of the last hour (10 slices, oldest first); NaN: no data.
    pub anomaly: [f64; 10],
    /// Time of the newest sample of any metric source.
    pub last_sample: Option<Timestamp>,
}

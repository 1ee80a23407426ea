//! What Argo CD and Flux think is deployed: one shape for both, so that they stand side by side.
//!
//! Argo CD: `argoproj.io/v1alpha1` Application. Flux: Kustomization (kustomize.toolkit.fluxcd.io/v1),
//! HelmRelease (helm.toolkit.fluxcd.io/v2) and the sources (source.toolkit.fluxcd.io/v1).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::condition::ObjectCondition;
use super::time::Timestamp;

/// Out of sync for longer than this is a drift that nobody looks after, milliseconds.
pub const DRIFT_MS: u64 = 3_600_000;
/// Progressing for longer than this is stuck, milliseconds.
pub const STUCK_MS: u64 = 1_800_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppKind {
    Application,
    Kustomization,
    HelmRelease,
    GitRepository,
    OciRepository,
    HelmRepository,
    HelmChart,
    Bucket,
}

impl AppKind {
    pub const ALL: [Self; 8] = [
        Self::Application,
        Self::Kustomization,
        Self::HelmRelease,
        Self::GitRepository,
        Self::OciRepository,
        Self::HelmRepository,
        Self::HelmChart,
        Self::Bucket,
    ];

    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Application => "Application",
            Self::Kustomization => "Kustomization",
            Self::HelmRelease => "HelmRelease",
            Self::GitRepository => "GitRepository",
            Self::OciRepository => "OCIRepository",
            Self::HelmRepository => "HelmRepository",
            Self::HelmChart => "HelmChart",
            Self::Bucket => "Bucket",
        }
    }

    /// The kind that the API writes so.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == word)
    }

    pub fn tool(self) -> &'static str {
        match self {
            Self::Application => "argo",
            _ => "flux",
        }
    }

    /// Fetches, but deploys nothing.
    pub fn is_source(self) -> bool {
        !matches!(
            self,
            Self::Application | Self::Kustomization | Self::HelmRelease
        )
    }
}

/// Does what runs agree with what is wanted? Flux: applied and attempted revision are equal.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum Sync {
    Synced,
    OutOfSync,
    #[default]
    Unknown,
}

impl Sync {
    pub fn word(self) -> &'static str {
        match self {
            Self::Synced => "Synced",
            Self::OutOfSync => "OutOfSync",
            Self::Unknown => "Unknown",
        }
    }
}

/// Argo CD's words; Flux: ready is Healthy, failed and stalled are Degraded, reconciling is
/// Progressing.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum AppHealth {
    Healthy,
    Suspended,
    Progressing,
    #[default]
    Unknown,
    Missing,
    Degraded,
}

impl AppHealth {
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Suspended => "Suspended",
            Self::Progressing => "Progressing",
            Self::Unknown => "Unknown",
            Self::Missing => "Missing",
            Self::Degraded => "Degraded",
        }
    }
}

/// Where the wanted state comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AppSource {
    /// URL of the repository without user and password; Flux: `GitRepository/fleet`.
    pub repository: String,
    /// Folder or chart.
    pub path: String,
    /// Branch, tag, or version range that is tracked.
    pub target: String,
}

/// The last or present operation of Argo CD, or reconciliation of Flux.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// `Running`, `Terminating`, `Failed`, `Error`, `Succeeded`; Flux: `install`, `upgrade` …
    pub phase: String,
    pub message: String,
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
    /// Who began it: a user, or `automated`.
    pub by: Option<String>,
    pub retries: u32,
}

/// A resource of an application that is not well or not as wanted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AppResource {
    pub group: String,
    pub kind: String,
    pub namespace: String,
    pub name: String,
    /// `OutOfSync`, `SyncFailed`, `PruneSkipped` …
    pub status: String,
    /// `None`: Argo CD 3 keeps it out of the object (`resourceHealthSource: appTree`).
    pub health: Option<AppHealth>,
    pub message: String,
    pub requires_pruning: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Automation {
    pub prune: bool,
    pub self_heal: bool,
}

/// A revision that was deployed, and when.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Deployed {
    pub revision: String,
    pub at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct App {
    pub kind: AppKind,
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    pub project: Option<String>,
    pub sources: Vec<AppSource>,
    /// Server or cluster name it deploys to; `None`: the cluster it stands in.
    pub destination: Option<String>,
    pub destination_namespace: Option<String>,
    pub sync: Sync,
    pub health: AppHealth,
    /// In the tool's own words: `failing, retrying`, `stalled`, `Ready` …
    pub state: String,
    pub message: Option<String>,
    pub health_since: Option<Timestamp>,
    /// Applied; of several sources joined by commas.
    pub revision: Option<String>,
    /// Wanted or last attempted, where it differs from `revision`.
    pub attempted: Option<String>,
    pub operation: Option<Operation>,
    /// `None`: by hand. Flux always reconciles; then `prune` is the object's own.
    pub automation: Option<Automation>,
    pub suspended: bool,
    pub conditions: Vec<ObjectCondition>,
    /// Those that are not well; how many there are in all stands in `resource_count`.
    pub resources: Vec<AppResource>,
    pub resource_count: Option<u32>,
    pub images: Vec<String>,
    /// Chart name and version, of Helm.
    pub chart: Option<(String, String)>,
    /// When the tool last looked.
    pub reconciled: Option<Timestamp>,
    /// Newest first.
    pub history: Vec<Deployed>,
    /// `metadata.generation`, and whether the controller has seen it.
    pub generation: u64,
    pub observed: bool,
    pub created: Option<Timestamp>,
}

impl App {
    /// One of which only the name is known.
    pub fn new(kind: AppKind, namespace: &str, name: &str) -> Self {
        Self {
            kind,
            namespace: namespace.into(),
            name: name.into(),
            project: None,
            sources: Vec::new(),
            destination: None,
            destination_namespace: None,
            sync: Sync::Unknown,
            health: AppHealth::Unknown,
            state: String::new(),
            message: None,
            health_since: None,
            revision: None,
            attempted: None,
            operation: None,
            automation: None,
            suspended: false,
            conditions: Vec::new(),
            resources: Vec::new(),
            resource_count: None,
            images: Vec::new(),
            chart: None,
            reconciled: None,
            history: Vec::new(),
            generation: 1,
            observed: true,
            created: None,
        }
    }

    /// Namespace of its workloads, where they are in the cluster that the application stands in.
    pub fn runs_in(&self) -> Option<&str> {
        let here = self.deploys_here();
        match self.kind {
            _ if !here || self.kind.is_source() => None,
            AppKind::HelmRelease => Some(
                self.destination_namespace
                    .as_deref()
                    .unwrap_or(&self.namespace),
            ),
            _ => self.destination_namespace.as_deref(),
        }
    }

    /// It deploys to the cluster that it stands in.
    pub fn deploys_here(&self) -> bool {
        match self.destination.as_deref() {
            None => true,
            Some(d) => matches!(d, "" | "in-cluster" | "https://kubernetes.default.svc"),
        }
    }

    /// The last operation ended badly.
    pub fn has_failed(&self) -> bool {
        let failed = |o: &Operation| matches!(o.phase.as_str(), "Failed" | "Error");
        self.operation.as_ref().is_some_and(failed)
    }

    /// Unhealthy, or with a failed operation.
    pub fn is_ill(&self) -> bool {
        matches!(self.health, AppHealth::Degraded | AppHealth::Missing) || self.has_failed()
    }

    /// Ill, or out of sync.
    pub fn is_bad(&self) -> bool {
        self.is_ill() || self.sync == Sync::OutOfSync
    }
}

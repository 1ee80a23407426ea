//! Configuration file -> `Config`. The file format stands in `config.example.toml`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::model::alert::Severities;
use crate::model::dashboard::Dashboard;
use crate::model::dpdk::Names as DpdkNames;
use crate::model::id::ClusterId;
use crate::model::limits::RunLimits;
use crate::model::persona::Persona;
use crate::model::runbook::Runbooks;
use crate::model::sensitivity::Sensitivity;
use crate::model::signal::{Metric, Signal};

pub mod agent;
pub mod build;
mod cluster;
pub mod dashboard;
mod dpdk;
mod edge;
mod endpoint;
pub mod file;
pub mod grafana;
pub mod load;
pub mod mcp;
pub mod name;
mod nats;
pub mod persona;
pub mod roles;
pub mod runbook;
pub mod secret;
mod sensitivity;
mod several;
pub mod signal;
mod team;
mod via;
mod watch;
mod word;

pub use cluster::{Auth, Cluster, ClusterKind, Contexts, Endpoint, Kube};
pub use edge::{Edge, Samples};
pub use load::{ConfigError, load};
pub use nats::{Nats, NatsAuth};
pub use roles::Roles;
pub use team::{IncidentsFrom, Team};
pub use via::{ServicePort, ServiceRef, Target, Via};
pub use watch::{LogForm, Rhythm, Watch};

/// Everything the operator configured, validated; paths are absolute, secrets still references.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file it came from; `None`: defaults only.
    pub file: Option<PathBuf>,
    pub clusters: Vec<Cluster>,
    /// Contexts of a kubeconfig that are clusters too; `None`: only what stands in the file.
    pub contexts: Option<Contexts>,
    pub agent: Option<Agent>,
    /// Servers whose tools the agent may be allowed to call.
    pub mcp: Arc<[McpServer]>,
    pub ui: Ui,
    /// Who is what; a cluster may have its own.
    pub roles: Roles,
    /// Actions are switched on, where a cluster does not say otherwise.
    pub actions: bool,
    /// Where actions are written down; `None`: nowhere, and then nothing can be changed.
    pub audit_file: Option<PathBuf>,
    pub limits: Limits,
    pub archive: Archive,
    /// Who stands behind what is said of incidents: the name on this machine.
    pub operator: Arc<str>,
    /// What words of the label `severity` mean.
    pub severities: Severities,
    /// Built-in catalogue and the operator's own signals.
    pub signals: Arc<[Signal]>,
    /// Judgement of metrics that raw queries and exporters deliver under their own names.
    pub metrics: Arc<[Metric]>,
    /// Which series tell of DPDK applications.
    pub dpdk: Arc<DpdkNames>,
    /// How much is told of some series; the last that fits holds.
    pub sensitivities: Arc<[Sensitivity]>,
    /// Queries that the operator keeps.
    pub queries: Arc<[Query]>,
    /// The agent's; the first is where it begins.
    pub personas: Arc<[Arc<Persona>]>,
    /// Those of the program and the operator's own.
    pub dashboards: Arc<[Arc<Dashboard>]>,
    /// Why a dashboard of the operator could not be read, one sentence each.
    pub dashboard_faults: Arc<[ConfigError]>,
    /// Where the operator's own runbooks are.
    pub runbook_folder: Option<PathBuf>,
    /// Those of the program and the operator's own.
    pub runbooks: Arc<Runbooks>,
    /// Why a runbook of the operator could not be read, one sentence each.
    pub runbook_faults: Arc<[ConfigError]>,
    /// What is shared with other consoles and the watchers, and where.
    pub team: Option<Team>,
    /// What `farwatch watch` does beside watching.
    pub watch: Watch,
}

/// A query kept under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub name: String,
    pub query: String,
    pub language: QueryLanguage,
}

/// In which language a kept query is written: it stands on the screen that speaks it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QueryLanguage {
    #[default]
    Promql,
    Logql,
    Traceql,
}

impl QueryLanguage {
    pub fn name(self) -> &'static str {
        match self {
            Self::Promql => "promql",
            Self::Logql => "logql",
            Self::Traceql => "traceql",
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        let catalogue = signal::built_in();
        Self {
            file: None,
            clusters: Vec::new(),
            contexts: Some(Contexts::default()),
            agent: None,
            mcp: Arc::default(),
            ui: Ui::default(),
            roles: Roles::default(),
            actions: false,
            audit_file: None,
            limits: Limits::default(),
            archive: Archive::default(),
            operator: "operator".into(),
            severities: Severities::default(),
            signals: catalogue.signals.into(),
            metrics: catalogue.metrics.into(),
            dpdk: Arc::default(),
            sensitivities: Arc::default(),
            queries: Arc::default(),
            personas: persona::built_in().into(),
            dashboards: dashboard::built_in().into(),
            dashboard_faults: Arc::default(),
            runbook_folder: None,
            runbooks: Arc::new(Runbooks::new(runbook::built_in())),
            runbook_faults: Arc::default(),
            team: None,
            watch: Watch::default(),
        }
    }
}

impl Config {
    /// Whether anything may be changed there, as far as the operator's own switches say.
    pub fn may_act(&self, cluster: ClusterId) -> bool {
        let cluster = self.clusters.get(usize::from(cluster.0));
        cluster.is_some_and(|c| c.actions.unwrap_or(self.actions))
    }

    /// The role map of a cluster.
    pub fn roles(&self, cluster: ClusterId) -> &Roles {
        let cluster = self.clusters.get(usize::from(cluster.0));
        cluster
            .and_then(|c| c.roles.as_ref())
            .unwrap_or(&self.roles)
    }
}

/// What outlives the process.
#[derive(Clone, Debug, PartialEq)]
pub struct Archive {
    pub enabled: bool,
    /// `None`: nowhere (there is no folder for it).
    pub file: Option<PathBuf>,
    /// Ended incidents are forgotten after this.
    pub keep: Duration,
}

impl Archive {
    /// There is a place for it, and nobody said no.
    pub fn is_wanted(&self) -> bool {
        self.enabled && self.file.is_some()
    }
}

impl Default for Archive {
    fn default() -> Self {
        Self {
            enabled: true,
            file: None,
            keep: Duration::from_secs(180 * 86_400),
        }
    }
}

/// How the agent works, and by which model servers; or where the site's own agent is.
#[derive(Clone, Debug, PartialEq)]
pub struct Agent {
    /// Best first: the next one is asked where one fails. Empty where `site` is given.
    pub servers: Vec<ModelServer>,
    /// Asked in place of the servers.
    pub site: Option<SiteAgent>,
    /// What one run may take unless the operator sets other limits.
    pub limits: RunLimits,
    /// Of one answer.
    pub max_tokens: u32,
    pub temperature: f32,
}

/// An MCP server of the operator.
#[derive(Clone, Debug, PartialEq)]
pub struct McpServer {
    /// Its tools are called `name.tool`.
    pub name: String,
    pub place: McpPlace,
    /// Time an answer may take.
    pub timeout: Duration,
    /// Only these are offered; all where it is empty.
    pub tools: Vec<String>,
    /// Those that may be called where nobody can be asked, and asked of in a replay.
    pub allow: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum McpPlace {
    /// A program with its arguments, started by us.
    Command(Vec<String>),
    Url(Box<Endpoint>),
}

/// The site's own agent, which answers over a bus with tools of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SiteAgent {
    pub bus: Nats,
    /// Who asks; `None`: the operator's name. Made safe as one token of a subject.
    pub user: Option<String>,
    /// Longest silence until its first word, and half of it between two.
    pub patience: Duration,
}

/// An OpenAI-compatible server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelServer {
    pub endpoint: Endpoint,
    /// Asked from the server when `None`.
    pub model: Option<String>,
}

impl Default for Agent {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            site: None,
            limits: RunLimits::default(),
            max_tokens: 2048,
            temperature: 0.3,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Ui {
    pub theme: String,
    pub ascii: bool,
    pub mouse: bool,
    pub motion: bool,
    /// Most frames a second; 15 over SSH unless set.
    pub max_fps: Option<u32>,
    /// Folder for exported files; `None`: where farwatch was started.
    pub exports: Option<PathBuf>,
}

impl Default for Ui {
    fn default() -> Self {
        Self {
            theme: "dark".into(),
            ascii: false,
            mouse: true,
            motion: true,
            max_fps: None,
            exports: None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Memory for series, bytes.
    pub series_bytes: u64,
    pub series_per_cluster: u32,
    /// How long samples are kept.
    pub retention: Duration,
    pub log_bytes: u64,
    pub events: usize,
    /// Batches waiting for the loop.
    pub queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            series_bytes: 512 << 20,
            series_per_cluster: 50_000,
            retention: Duration::from_secs(2 * 3600),
            log_bytes: 64 << 20,
            events: 2_000,
            queue: 1_024,
        }
    }
}

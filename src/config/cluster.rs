//! One cluster: what it is called, where its sources are and how one signs in there.

use std::path::PathBuf;
use std::time::Duration;

use super::{Edge, Nats, Roles, Samples, Via};
use crate::model::health::SourceKind;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cluster {
    pub name: String,
    /// hub, spoke, edge, far-edge.
    pub kind: ClusterKind,
    pub environment: Option<String>,
    pub region: Option<String>,
    pub labels: Vec<(String, String)>,
    pub kube: Option<Kube>,
    /// Looks through the API server what the cluster offers, and uses it.
    pub discover: bool,
    /// Only there; empty: everywhere.
    pub discover_namespaces: Vec<String>,
    pub prometheus: Option<Endpoint>,
    /// Several: replicas of one, or apart from each other.
    pub alertmanagers: Vec<Endpoint>,
    pub loki: Option<Endpoint>,
    pub tempo: Option<Endpoint>,
    pub exporters: Vec<Endpoint>,
    /// What becomes of what exporters tell.
    pub edge: Edge,
    /// cloud-event-proxy, one a node.
    pub ptp_events: Vec<Endpoint>,
    /// Its bus.
    pub nats: Option<Nats>,
    /// LogQL selector followed live for the logs screen and the log signals.
    pub log_selector: Option<String>,
    /// `None`: as for all.
    pub roles: Option<Roles>,
    pub actions: Option<bool>,
    /// Runs `nvidia-smi` in a pod of each GPU node now and then.
    pub nvidia_smi: bool,
    /// Where the pods for it are; empty: where the charts put them.
    pub nvidia_smi_namespaces: Vec<String>,
}

impl Cluster {
    /// Every source that is configured.
    pub fn sources(&self) -> impl Iterator<Item = SourceKind> {
        let one = |there: bool, kind| there.then_some(kind);
        let single = [
            one(self.prometheus.is_some(), SourceKind::Prometheus),
            one(self.loki.is_some(), SourceKind::Loki),
            one(self.tempo.is_some(), SourceKind::Tempo),
            one(self.kube.is_some(), SourceKind::Kubernetes),
            one(self.nvidia_smi, SourceKind::NvidiaSmi),
            one(self.nats.is_some(), SourceKind::Nats),
            one(self.edge.samples == Samples::Team, SourceKind::Edge),
        ];
        let several = |all: &[Endpoint], kind: fn(u16) -> SourceKind| {
            let numbers = 0..u16::try_from(all.len()).unwrap_or(u16::MAX);
            numbers.map(kind)
        };
        let single = single.into_iter().flatten();
        single
            .chain(several(&self.alertmanagers, SourceKind::Alertmanager))
            .chain(several(&self.exporters, SourceKind::Exporter))
            .chain(several(&self.ptp_events, SourceKind::ClockEvents))
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ClusterKind {
    Hub,
    #[default]
    Spoke,
    Edge,
    FarEdge,
}

/// Which contexts of which kubeconfig become clusters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contexts {
    /// Merged in this order; empty: those of `KUBECONFIG`, else `~/.kube/config`.
    pub files: Vec<PathBuf>,
    /// Patterns with `*` and `?`; empty: all.
    pub only: Vec<String>,
    pub except: Vec<String>,
}

/// How the API server of a cluster is reached and signed in to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kube {
    /// `None`: the current context.
    pub context: Option<String>,
    /// Merged in this order; empty: those of `KUBECONFIG`, else `~/.kube/config`.
    pub kubeconfig: Vec<PathBuf>,
    /// As the service account of the pod in which farwatch runs.
    pub in_cluster: bool,
    /// An API server that stands in no kubeconfig.
    pub server: Option<Endpoint>,
    /// Proxy to `server`; `None`: as `HTTPS_PROXY` and `NO_PROXY` say.
    pub proxy_url: Option<String>,
    /// Time between two signs of life; `None`: by cluster type.
    pub interval: Option<Duration>,
    /// Longest wait for an answer; 0: as farwatch finds fit.
    pub timeout: Duration,
}

/// One HTTP endpoint and how to sign in there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Endpoint {
    /// Without user and password. For what is reached through the API server its URL in the
    /// cluster, see [`ServiceRef::url`].
    pub url: String,
    pub via: Via,
    pub auth: Auth,
    pub ca_file: Option<PathBuf>,
    /// PEM certificate and key of the client (mTLS).
    pub client_cert_file: Option<PathBuf>,
    pub client_key_file: Option<PathBuf>,
    /// Extra headers, such as `X-Scope-OrgID`; never secrets.
    pub headers: Vec<(String, String)>,
    /// Time between polls; `None`: by cluster type.
    pub interval: Option<Duration>,
    pub timeout: Duration,
    /// Most requests per minute this endpoint is given.
    pub requests_per_minute: u32,
}

impl Endpoint {
    /// The way there, see [`Via::words`].
    pub fn via_words(&self) -> Option<String> {
        self.via.words(&self.url)
    }
}

/// Secrets by reference only; read when used, again after a 401.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    #[default]
    None,
    BearerFile(PathBuf),
    BearerCommand(Vec<String>),
    /// The token with which the cluster's API server is asked.
    Kubeconfig,
    Basic {
        user: String,
        password_file: PathBuf,
    },
}

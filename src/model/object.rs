//! Kubernetes objects, reduced to what farwatch shows and judges.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::gitops::{App, AppKind};
use super::label::Labels;
use super::openshift::{ClusterOperator, ClusterVersion};
use super::ptp::{PtpConfig, PtpDevices};
use super::serving::InferenceService;
use super::sriov::{SriovNetwork, SriovNodeState, SriovPolicy};
use super::time::Timestamp;
use super::workload::{Autoscaler, Claim, Service, Workload, WorkloadKind};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    Node,
    Pod,
    Event,
    SriovNodeState,
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
    Autoscaler,
    Claim,
    Service,
    ClusterOperator,
    ClusterVersion,
    Application,
    Kustomization,
    HelmRelease,
    GitRepository,
    OciRepository,
    HelmRepository,
    HelmChart,
    Bucket,
    PtpConfig,
    PtpDevices,
    InferenceService,
    SriovPolicy,
    SriovNetwork,
}

impl ObjectKind {
    /// The kind of a workload's objects.
    pub fn of_workload(kind: WorkloadKind) -> Self {
        match kind {
            WorkloadKind::Deployment => Self::Deployment,
            WorkloadKind::StatefulSet => Self::StatefulSet,
            WorkloadKind::DaemonSet => Self::DaemonSet,
            WorkloadKind::Job => Self::Job,
        }
    }

    /// The kind of an application's or a source's objects.
    pub fn of_app(kind: AppKind) -> Self {
        match kind {
            AppKind::Application => Self::Application,
            AppKind::Kustomization => Self::Kustomization,
            AppKind::HelmRelease => Self::HelmRelease,
            AppKind::GitRepository => Self::GitRepository,
            AppKind::OciRepository => Self::OciRepository,
            AppKind::HelmRepository => Self::HelmRepository,
            AppKind::HelmChart => Self::HelmChart,
            AppKind::Bucket => Self::Bucket,
        }
    }
}

/// Namespace is empty for cluster-wide objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectKey {
    pub kind: ObjectKind,
    pub namespace: Arc<str>,
    pub name: Arc<str>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Node {
    pub name: Arc<str>,
    pub roles: Vec<String>,
    pub ready: Option<bool>,
    /// Cordoned: no new pods.
    pub unschedulable: bool,
    /// Conditions that are bad (`MemoryPressure` …), with their messages.
    pub problems: Vec<String>,
    pub kubelet_version: String,
    pub labels: Labels,
    /// Names of its labels without a value, which [`Labels`] does not hold.
    #[serde(default)]
    pub marks: Vec<Arc<str>>,
    /// Allocatable extended resources, by full name (`nvidia.com/gpu` …).
    pub allocatable: Vec<(String, u64)>,
    #[serde(default)]
    pub room: Room,
    /// `key=value:NoSchedule`, as `kubectl` writes them.
    #[serde(default)]
    pub taints: Vec<String>,
    #[serde(default)]
    pub os_image: String,
    #[serde(default)]
    pub created: Option<Timestamp>,
}

impl Node {
    /// Whether it has this label with this value, which may be empty.
    pub fn has(&self, label: &str, value: &str) -> bool {
        match value.is_empty() {
            true => self.marks.iter().any(|m| &**m == label),
            false => self.labels.get(label) == Some(value),
        }
    }
}

/// What a node has for pods; `None`: the node does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Room {
    /// Thousandths of a core.
    pub cpu_milli: Option<u64>,
    pub memory_bytes: Option<u64>,
    pub pods: Option<u32>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pod {
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    pub node: Option<Arc<str>>,
    /// `Running`, `Pending`, … as the server says it.
    pub phase: String,
    /// Waiting or terminated reason of the worst container (`CrashLoopBackOff`, `OOMKilled` …).
    pub reason: Option<String>,
    pub message: Option<String>,
    pub ready: u16,
    pub containers: u16,
    pub restarts: u32,
    /// Kind and name of the owning controller.
    pub owner: Option<(String, String)>,
    pub started: Option<Timestamp>,
    /// When the pod last became unready or changed its reason.
    pub since: Option<Timestamp>,
    /// Images of its containers, in their order.
    #[serde(default)]
    pub images: Vec<Arc<str>>,
    /// Names of its containers, in their order; init containers come after them.
    #[serde(default)]
    pub names: Vec<Arc<str>>,
    /// Sum of the containers' requests.
    #[serde(default)]
    pub requests: Requests,
}

/// What the containers of a pod ask for together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Requests {
    /// Thousandths of a core.
    pub cpu_milli: u64,
    pub memory_bytes: u64,
    /// Extended resources by full name (`nvidia.com/gpu` …), and huge pages in bytes.
    pub extended: Vec<(Arc<str>, u64)>,
    /// Processors that a node with the static CPU policy gives to containers of this pod alone: those
    /// of containers that ask for whole ones, where its quality of service is `Guaranteed`. `None`:
    /// the pod does not say of what quality it is.
    #[serde(default)]
    pub exclusive_cpus: Option<u64>,
}

impl Pod {
    /// The reason; else the phase, or that it runs and is not ready.
    pub fn standing(&self) -> &str {
        match self.reason.as_deref() {
            Some(reason) => reason,
            None if self.phase == "Running" && self.ready < self.containers => "not ready",
            None => &self.phase,
        }
    }

    /// What to look at first (domain reference, section 16).
    pub fn first_look(&self) -> &'static str {
        let reason = self.standing();
        match reason.rsplit(':').next().unwrap_or(reason) {
            "CrashLoopBackOff" => "the process exits: previous log",
            "CreateContainerConfigError" => "ConfigMap or Secret missing: events, references",
            "ImagePullBackOff" | "ErrImagePull" => "image or credentials: tag, pull secret",
            "InvalidImageName" => "the image's name is no name: the template",
            "CreateContainerError" | "RunContainerError" => "the runtime refuses it: events",
            "OOMKilled" => "over its memory limit: limit, working set",
            "Evicted" => "its node ran short: the node's conditions, the pod's requests",
            "Pending" | "Unschedulable" => "no room or volume: node resources, claims",
            "ContainerCreating" | "PodInitializing" => "volumes or network are made ready: events",
            "not ready" => "a probe fails or it still starts: events, log",
            "Failed" | "Error" => "it ended with an error: last log",
            "Unknown" | "NodeLost" => "its node does not report: the node",
            _ => "events, log",
        }
    }

    /// Kind and name of what runs it as people know it: of a ReplicaSet the Deployment, after
    /// which it is named with a hash.
    pub fn controller(&self) -> Option<(&str, &str)> {
        let (kind, name) = self.owner.as_ref()?;
        let deployment = name.rsplit_once('-').filter(|_| kind == "ReplicaSet");
        Some(match deployment {
            Some((name, _)) => ("Deployment", name),
            None => (kind, name),
        })
    }

    /// A pod that is neither running whole nor finished as it should.
    pub fn is_bad(&self) -> bool {
        match self.phase.as_str() {
            "Succeeded" => false,
            "Running" => self.ready < self.containers,
            _ => true,
        }
    }
}

/// A Kubernetes Event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    pub at: Timestamp,
    pub warning: bool,
    pub reason: String,
    pub message: String,
    /// Kind and name of the object it is about.
    pub about: (String, String),
    pub count: u32,
    pub reporter: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Object {
    Node(Node),
    Pod(Pod),
    Event(Event),
    SriovNodeState(SriovNodeState),
    Workload(Workload),
    Autoscaler(Autoscaler),
    Claim(Claim),
    Service(Service),
    ClusterOperator(ClusterOperator),
    ClusterVersion(ClusterVersion),
    App(Box<App>),
    PtpConfig(PtpConfig),
    PtpDevices(PtpDevices),
    InferenceService(InferenceService),
    SriovPolicy(SriovPolicy),
    SriovNetwork(SriovNetwork),
}

impl Object {
    /// When it came to be, for kinds whose objects tell: two of one name and two births are two.
    pub fn created(&self) -> Option<Timestamp> {
        match self {
            Self::Node(n) => n.created,
            Self::Workload(w) => w.created,
            Self::Claim(c) => c.created,
            Self::App(a) => a.created,
            _ => None,
        }
    }

    pub fn key(&self) -> ObjectKey {
        let (kind, namespace, name) = match self {
            Self::Node(n) => (ObjectKind::Node, Arc::from(""), n.name.clone()),
            Self::Pod(p) => (ObjectKind::Pod, p.namespace.clone(), p.name.clone()),
            Self::Event(e) => (ObjectKind::Event, e.namespace.clone(), e.name.clone()),
            Self::SriovNodeState(s) => (ObjectKind::SriovNodeState, Arc::from(""), s.node.clone()),
            Self::Workload(w) => {
                let kind = ObjectKind::of_workload(w.kind);
                (kind, w.namespace.clone(), w.name.clone())
            }
            Self::Autoscaler(a) => (ObjectKind::Autoscaler, a.namespace.clone(), a.name.clone()),
            Self::Claim(c) => (ObjectKind::Claim, c.namespace.clone(), c.name.clone()),
            Self::Service(s) => (ObjectKind::Service, s.namespace.clone(), s.name.clone()),
            Self::ClusterOperator(o) => {
                (ObjectKind::ClusterOperator, Arc::from(""), o.name.clone())
            }
            Self::ClusterVersion(v) => (ObjectKind::ClusterVersion, Arc::from(""), v.name.clone()),
            Self::App(a) => (
                ObjectKind::of_app(a.kind),
                a.namespace.clone(),
                a.name.clone(),
            ),
            Self::PtpConfig(c) => (ObjectKind::PtpConfig, c.namespace.clone(), c.name.clone()),
            Self::PtpDevices(d) => (ObjectKind::PtpDevices, Arc::from(""), d.node.clone()),
            Self::InferenceService(s) => (
                ObjectKind::InferenceService,
                s.namespace.clone(),
                s.name.clone(),
            ),
            Self::SriovPolicy(p) => (ObjectKind::SriovPolicy, p.namespace.clone(), p.name.clone()),
            Self::SriovNetwork(n) => (
                ObjectKind::SriovNetwork,
                n.namespace.clone(),
                n.name.clone(),
            ),
        };
        ObjectKey {
            kind,
            namespace,
            name,
        }
    }
}

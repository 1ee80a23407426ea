//! Kubernetes objects, reduced to what farwatch shows and judges.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::label::Labels;
use super::sriov::SriovNodeState;
use super::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    Node,
    Pod,
    Event,
    SriovNodeState,
}

/// Namespace is empty for cluster-wide objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectKey {
    pub kind: ObjectKind,
    pub namespace: Arc<str>,
    pub name: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// Allocatable extended resources, by full name (`nvidia.com/gpu` …).
    pub allocatable: Vec<(String, u64)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
}

impl Pod {
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
}

impl Object {
    pub fn key(&self) -> ObjectKey {
        let (kind, namespace, name) = match self {
            Self::Node(n) => (ObjectKind::Node, Arc::from(""), n.name.clone()),
            Self::Pod(p) => (ObjectKind::Pod, p.namespace.clone(), p.name.clone()),
            Self::Event(e) => (ObjectKind::Event, e.namespace.clone(), e.name.clone()),
            Self::SriovNodeState(s) => (ObjectKind::SriovNodeState, Arc::from(""), s.node.clone()),
        };
        ObjectKey {
            kind,
            namespace,
            name,
        }
    }
}

//! What runs pods: controllers with their replicas, autoscalers, services and claims.
//! Fields from apps/v1, batch/v1, autoscaling/v2 and core/v1.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::condition::ObjectCondition;
use super::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkloadKind {
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
}

impl WorkloadKind {
    pub const ALL: [Self; 4] = [
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::Job,
    ];

    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
        }
    }
}

/// What good practice would change in a workload's pods; information, no fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// An image without a tag, or with the tag `latest`, and without a digest.
    LatestTag,
    NoLivenessProbe,
    NoReadinessProbe,
    /// A container without a memory limit.
    NoLimits,
    /// A container without requests.
    NoRequests,
    /// A Deployment or StatefulSet of one replica.
    SingleReplica,
    /// Runs as user 0, privileged, or nothing forbids it to.
    RootUser,
}

impl Policy {
    pub fn words(self) -> &'static str {
        match self {
            Self::LatestTag => "image tag is latest",
            Self::NoLivenessProbe => "no liveness probe",
            Self::NoReadinessProbe => "no readiness probe",
            Self::NoLimits => "no memory limit",
            Self::NoRequests => "no requests",
            Self::SingleReplica => "single replica",
            Self::RootUser => "may run as root",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    pub kind: WorkloadKind,
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    /// Replicas wanted; for a DaemonSet the nodes that should run one; for a Job its completions.
    pub desired: u32,
    /// Ready; for a Job succeeded.
    pub ready: u32,
    /// Of the newest template.
    pub updated: u32,
    pub available: u32,
    /// For a Job: failed pods.
    pub failed: u32,
    pub paused: bool,
    /// The controller has seen the newest spec.
    pub observed: bool,
    /// `metadata.generation`: rises with every change of the spec.
    pub generation: u64,
    /// Images of the template's containers, in their order.
    pub images: Vec<Arc<str>>,
    pub conditions: Vec<ObjectCondition>,
    /// `deployment.kubernetes.io/revision`, or the update revision of a StatefulSet.
    pub revision: Option<String>,
    /// `app.kubernetes.io/instance`, or Argo CD's tracking annotation: the application it is of.
    pub instance: Option<String>,
    pub policies: Vec<Policy>,
    pub created: Option<Timestamp>,
}

impl Workload {
    /// Fewer replicas ready than wanted, or a failed Job.
    pub fn is_short(&self) -> bool {
        match self.kind {
            WorkloadKind::Job => self.failed > 0 && self.ready < self.desired,
            _ => self.ready < self.desired,
        }
    }

    /// A new template is on its way to the pods.
    pub fn is_rolling(&self) -> bool {
        self.kind != WorkloadKind::Job && (!self.observed || self.updated < self.desired)
    }
}

/// HorizontalPodAutoscaler (autoscaling/v2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Autoscaler {
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    /// Kind and name of what it scales.
    pub target: (String, String),
    pub min: u32,
    pub max: u32,
    pub current: u32,
    pub desired: u32,
    /// `AbleToScale`, `ScalingActive`, `ScalingLimited`.
    pub conditions: Vec<ObjectCondition>,
}

impl Autoscaler {
    /// Cannot scale or cannot read its metrics.
    pub fn is_degraded(&self) -> bool {
        ["AbleToScale", "ScalingActive"].iter().any(|kind| {
            super::condition::find(&self.conditions, kind).and_then(|c| c.status) == Some(false)
        })
    }
}

/// PersistentVolumeClaim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    /// `Bound`, `Pending`, `Lost`.
    pub phase: String,
    pub class: Option<String>,
    /// As the API writes it: `10Gi`.
    pub capacity: Option<String>,
    pub created: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    /// Labels its pods must have; empty: endpoints are kept by hand, or it has none.
    pub selector: Vec<(Arc<str>, Arc<str>)>,
    /// Name, port and target port (a number or a name).
    pub ports: Vec<(String, u16, String)>,
    /// `clusterIP: None`.
    pub headless: bool,
    pub labels: super::label::Labels,
}

//! What a cluster offers, each result with its reason.

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    Prometheus,
    Thanos,
    Alertmanager,
    Loki,
    Tempo,
    Dcgm,
    AmdExporter,
    Vllm,
    PtpOperator,
    PtpExporter,
    SriovOperator,
    SriovExporter,
    ArgoCd,
    Flux,
    KServe,
    Nats,
}

impl Component {
    pub const ALL: [Self; 16] = [
        Self::Prometheus,
        Self::Thanos,
        Self::Alertmanager,
        Self::Loki,
        Self::Tempo,
        Self::Dcgm,
        Self::AmdExporter,
        Self::Vllm,
        Self::PtpOperator,
        Self::PtpExporter,
        Self::SriovOperator,
        Self::SriovExporter,
        Self::ArgoCd,
        Self::Flux,
        Self::KServe,
        Self::Nats,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Prometheus => "Prometheus",
            Self::Thanos => "Thanos querier",
            Self::Alertmanager => "Alertmanager",
            Self::Loki => "Loki",
            Self::Tempo => "Tempo",
            Self::Dcgm => "DCGM exporter",
            Self::AmdExporter => "AMD exporter",
            Self::Vllm => "vLLM",
            Self::PtpOperator => "PTP operator",
            Self::PtpExporter => "PTP exporter",
            Self::SriovOperator => "SR-IOV operator",
            Self::SriovExporter => "SR-IOV exporter",
            Self::ArgoCd => "Argo CD",
            Self::Flux => "Flux",
            Self::KServe => "KServe",
            Self::Nats => "NATS",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Found,
    NotFound,
    NoPermission,
    Error,
}

/// One component looked for in one cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    pub component: Component,
    pub outcome: Outcome,
    /// Why: what was looked for and what was said. Never empty.
    pub reason: String,
    /// `monitoring/prometheus-k8s:9090`, or a CRD.
    pub place: Option<String>,
    /// How it is reached: `route HOST`, `port-forward to prometheus-k8s-0`, `service proxy`.
    pub via: Option<String>,
    pub version: Option<String>,
    /// A source of its own was started for it.
    pub used: bool,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    OpenShift,
    Kubernetes,
    MicroShift,
}

impl Platform {
    pub fn word(self) -> &'static str {
        match self {
            Self::OpenShift => "OpenShift",
            Self::Kubernetes => "Kubernetes",
            Self::MicroShift => "MicroShift",
        }
    }
}

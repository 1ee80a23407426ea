//! Arguments of the tools that look at what the console holds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rules, one_of};

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneCluster {
    pub cluster: String,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompareClusters {
    pub cluster_1: String,
    pub cluster_2: String,
    /// Signals of the console such as node_cpu_busy; empty: the usual ones
    #[serde(default)]
    pub metrics: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfNamespace {
    pub cluster: String,
    #[serde(default)]
    pub namespace: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TopConsumers {
    pub cluster: String,
    /// cpu, memory or gpu
    pub resource: String,
    /// 10 if left out, at most 50
    #[serde(default)]
    pub limit: Option<u32>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CnfWorkloads {
    #[serde(default)]
    pub clusters: Vec<String>,
    /// vDU, vCU, UPF, AMF, SMF or NRF
    #[serde(default)]
    pub cnf_type: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PodIssues {
    #[serde(default)]
    pub clusters: Vec<String>,
    #[serde(default)]
    pub namespace: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RootCause {
    pub cluster: String,
    /// How far back incidents are looked at (60)
    #[serde(default)]
    pub time_window_minutes: Option<u32>,
    /// Only incidents that hold this: INC-3, an alert, an object
    #[serde(default)]
    pub trigger: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    pub cluster: String,
    /// Such as Pod, Deployment, Node, Service
    pub kind: String,
    /// Empty for nodes
    #[serde(default)]
    pub namespace: Option<String>,
    pub name: String,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportArgs {
    /// summary, detailed, incident (the worst that is open) or capacity
    pub report_type: String,
    #[serde(default)]
    pub clusters: Vec<String>,
    /// How far back (24, at most 720)
    #[serde(default)]
    pub hours: Option<u32>,
}

impl Rules for ReportArgs {
    fn rules(&self) -> Result<(), String> {
        let kinds = ["summary", "detailed", "incident", "capacity"];
        one_of("report_type", Some(&self.report_type), &kinds)
    }
}

impl Rules for OneCluster {}
impl Rules for Nothing {}
impl Rules for CompareClusters {}
impl Rules for OfNamespace {}
impl Rules for PodIssues {}
impl Rules for RootCause {}
impl Rules for Topology {}

impl Rules for TopConsumers {
    fn rules(&self) -> Result<(), String> {
        one_of("resource", Some(&self.resource), &["cpu", "memory", "gpu"])
    }
}

impl Rules for CnfWorkloads {
    fn rules(&self) -> Result<(), String> {
        let kinds = ["vDU", "vCU", "UPF", "AMF", "SMF", "NRF"];
        one_of("cnf_type", self.cnf_type.as_deref(), &kinds)
    }
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SimilarIncidents {
    /// Such as INC-3
    pub incident: String,
}

impl Rules for SimilarIncidents {}

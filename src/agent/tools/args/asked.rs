//! Arguments of the tools that ask servers of one cluster or many.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rules;
use crate::model::trace::TraceId;

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricLabels {
    /// Such as namespace; __name__ gives the names of metrics
    pub label_name: String,
    #[serde(default)]
    pub clusters: Vec<String>,
    /// Only values that hold this
    #[serde(default)]
    pub contains: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricTrends {
    pub cluster: String,
    /// PromQL
    pub metric: String,
    /// 1h (if left out), 6h, 24h, 7d or 30d
    #[serde(default)]
    pub period: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorLogs {
    pub cluster: String,
    #[serde(default)]
    pub namespace: Option<String>,
    /// Begin of the pods' names
    #[serde(default)]
    pub service: Option<String>,
    /// Regular expression; left out: words such as error, fatal, panic
    #[serde(default)]
    pub error_pattern: Option<String>,
    /// How far back (1, at most 168)
    #[serde(default)]
    pub hours: Option<u32>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchTraces {
    #[serde(default)]
    pub service_name: Option<String>,
    #[serde(default)]
    pub operation_name: Option<String>,
    #[serde(default)]
    pub min_duration_ms: Option<u64>,
    #[serde(default)]
    pub max_duration_ms: Option<u64>,
    /// Only those with a failed span
    #[serde(default)]
    pub failed: Option<bool>,
    #[serde(default)]
    pub clusters: Vec<String>,
    /// RFC 3339, Unix seconds, or back from now: -1h (the default)
    #[serde(default)]
    pub start: Option<String>,
    /// Most traces per cluster (20, at most 100)
    #[serde(default)]
    pub limit: Option<u32>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetTrace {
    /// Hexadecimal
    pub trace_id: String,
    /// Left out: all are asked
    #[serde(default)]
    pub cluster: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DetectAnomalies {
    pub cluster: String,
    /// PromQL
    pub metric: String,
    /// How far back (1, at most 168); what is before it teaches what is usual
    #[serde(default)]
    pub hours: Option<u32>,
}

impl Rules for MetricLabels {
    fn rules(&self) -> Result<(), String> {
        let name = self.label_name.as_str();
        let right = name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-'));
        match right && !name.is_empty() {
            true => Ok(()),
            false => Err(format!("{name:?} is no name of a label")),
        }
    }
}

impl Rules for MetricTrends {
    fn rules(&self) -> Result<(), String> {
        if self.metric.trim().is_empty() {
            return Err("`metric` is empty: write PromQL".into());
        }
        let periods = ["1h", "6h", "24h", "7d", "30d"];
        super::one_of("period", self.period.as_deref(), &periods)
    }
}

impl Rules for ErrorLogs {
    fn rules(&self) -> Result<(), String> {
        hours(self.hours)
    }
}

impl Rules for SearchTraces {
    fn rules(&self) -> Result<(), String> {
        super::window(
            self.start.as_deref(),
            None,
            crate::model::time::Timestamp(0),
        )
        .map(|_| ())
    }
}

impl Rules for GetTrace {
    fn rules(&self) -> Result<(), String> {
        match TraceId::parse(&self.trace_id) {
            Some(_) => Ok(()),
            None => Err(format!(
                "{:?} is no trace id: up to 32 hexadecimal digits",
                self.trace_id
            )),
        }
    }
}

impl Rules for DetectAnomalies {
    fn rules(&self) -> Result<(), String> {
        if self.metric.trim().is_empty() {
            return Err("`metric` is empty: write PromQL".into());
        }
        hours(self.hours)
    }
}

fn hours(hours: Option<u32>) -> Result<(), String> {
    match hours {
        Some(0 | 169..) => Err("`hours` may be 1 to 168".into()),
        _ => Ok(()),
    }
}

/// The tool that opens a result; the run carries it out itself.
pub const READ_RESULT: &str = "read_result";

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadResult {
    /// The n of [n]
    pub number: u32,
    /// Only rows that hold this
    #[serde(default)]
    pub contains: Option<String>,
    /// First row (1)
    #[serde(default)]
    pub from: Option<u32>,
}

impl Rules for ReadResult {}

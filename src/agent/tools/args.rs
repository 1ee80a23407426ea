//! Arguments of the tools as types, and the rules that a type cannot say.

pub mod act;
pub mod asked;
pub mod look;
pub mod runbook;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::time::Timestamp;

/// What must hold beyond the shape.
pub trait Rules {
    fn rules(&self) -> Result<(), String> {
        Ok(())
    }
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListClusters {
    /// Only this environment, such as production
    #[serde(default)]
    pub environment: Option<String>,
    /// hub, spoke, edge or far-edge
    #[serde(default)]
    pub cluster_type: Option<String>,
    /// ok, warning, critical or unknown
    #[serde(default)]
    pub state: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryMetrics {
    /// PromQL
    pub query: String,
    #[serde(default)]
    pub clusters: Vec<String>,
    /// RFC 3339, Unix seconds, or back from now: -1h
    #[serde(default)]
    pub start: Option<String>,
    /// As start; now if left out
    #[serde(default)]
    pub end: Option<String>,
    /// Such as 1m
    #[serde(default)]
    pub step: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryLogs {
    /// LogQL log query
    pub query: String,
    #[serde(default)]
    pub clusters: Vec<String>,
    /// RFC 3339, Unix seconds, or back from now: -1h (the default)
    #[serde(default)]
    pub start: Option<String>,
    /// As start; now if left out
    #[serde(default)]
    pub end: Option<String>,
    /// Most lines per cluster (100, at most 1000)
    #[serde(default)]
    pub limit: Option<u32>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PodLogsArgs {
    /// Of the pod
    pub namespace: String,
    pub pod: String,
    /// The cluster it is in
    pub clusters: Vec<String>,
    /// Left out: all
    #[serde(default)]
    pub container: Option<String>,
    /// The run before this one, after a crash
    #[serde(default)]
    pub previous: Option<bool>,
    /// Such as 15m (1h if left out)
    #[serde(default)]
    pub since: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum AlertStateArg {
    Firing,
    Pending,
    Suppressed,
    Resolved,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum SeverityArg {
    Critical,
    Warning,
    Info,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alerts {
    #[serde(default)]
    pub clusters: Vec<String>,
    /// Left out: firing, pending and suppressed
    #[serde(default)]
    pub state: Option<AlertStateArg>,
    #[serde(default)]
    pub severity: Option<SeverityArg>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clusters {
    #[serde(default)]
    pub clusters: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dpdk {
    #[serde(default)]
    pub clusters: Vec<String>,
    #[serde(default)]
    pub namespace: Option<String>,
    /// Only pods whose name holds this
    #[serde(default)]
    pub pod_name: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GitOps {
    #[serde(default)]
    pub clusters: Vec<String>,
    /// Only applications whose name holds this
    #[serde(default)]
    pub name: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    #[serde(default)]
    pub clusters: Vec<String>,
    #[serde(default)]
    pub namespace: Option<String>,
    /// sync, rollout, scale, node, config, upgrade or clock
    #[serde(default)]
    pub kind: Option<String>,
    /// How far back, minutes; left out: 120
    #[serde(default)]
    pub minutes: Option<u32>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Events {
    #[serde(default)]
    pub clusters: Vec<String>,
    #[serde(default)]
    pub namespace: Option<String>,
    /// Only warnings
    #[serde(default)]
    pub warnings: Option<bool>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Incidents {
    #[serde(default)]
    pub clusters: Vec<String>,
    /// Also those that are over
    #[serde(default)]
    pub closed: Option<bool>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeNow {
    /// Ignored: times are UTC
    #[serde(default)]
    pub timezone: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NatsStreams {
    #[serde(default)]
    pub clusters: Vec<String>,
    /// Only streams and consumers whose name holds this
    #[serde(default)]
    pub name: Option<String>,
}

impl Rules for Alerts {}
impl Rules for Clusters {}
impl Rules for Dpdk {}
impl Rules for GitOps {}
impl Rules for Events {}
impl Rules for Incidents {}
impl Rules for NatsStreams {}
impl Rules for TimeNow {}

impl Rules for Changes {
    fn rules(&self) -> Result<(), String> {
        let kinds = [
            "sync", "rollout", "scale", "node", "config", "upgrade", "clock",
        ];
        one_of("kind", self.kind.as_deref(), &kinds)
    }
}

impl Rules for ListClusters {
    fn rules(&self) -> Result<(), String> {
        one_of(
            "cluster_type",
            self.cluster_type.as_deref(),
            &["hub", "spoke", "edge", "far-edge"],
        )?;
        one_of(
            "state",
            self.state.as_deref(),
            &["ok", "warning", "critical", "unknown"],
        )
    }
}

impl Rules for QueryMetrics {
    fn rules(&self) -> Result<(), String> {
        if self.query.trim().is_empty() {
            return Err("`query` is empty: write PromQL".into());
        }
        window(self.start.as_deref(), self.end.as_deref(), Timestamp(0))?;
        self.step
            .as_deref()
            .map(duration_ms)
            .transpose()
            .map(|_| ())
    }
}

impl Rules for QueryLogs {
    fn rules(&self) -> Result<(), String> {
        if !self.query.trim_start().starts_with('{') {
            return Err("`query` must begin with a selector such as {namespace=\"x\"}".into());
        }
        window(self.start.as_deref(), self.end.as_deref(), Timestamp(0)).map(|_| ())
    }
}

impl Rules for PodLogsArgs {
    fn rules(&self) -> Result<(), String> {
        if self.namespace.is_empty() || self.pod.is_empty() || self.clusters.len() != 1 {
            return Err("name the namespace, the pod and its one cluster".into());
        }
        self.since
            .as_deref()
            .map(duration_ms)
            .transpose()
            .map(|_| ())
    }
}

fn one_of(field: &str, value: Option<&str>, allowed: &[&str]) -> Result<(), String> {
    match value {
        Some(value) if !allowed.iter().any(|a| a.eq_ignore_ascii_case(value)) => Err(format!(
            "`{field}` is {value:?}; it may be {}",
            allowed.join(", ")
        )),
        _ => Ok(()),
    }
}

/// Start (if told) and end of a window. An end that is told must not lie before the start.
pub fn window(
    start: Option<&str>,
    end: Option<&str>,
    now: Timestamp,
) -> Result<(Option<Timestamp>, Timestamp), String> {
    let start_at = start.map(|text| moment(text, now)).transpose()?;
    let end_at = end.map(|text| moment(text, now)).transpose()?;
    if let (Some(from), Some(to)) = (start_at, end_at)
        && relative(start.unwrap_or_default()) == relative(end.unwrap_or_default())
        && to <= from
    {
        return Err("`end` must be later than `start`".into());
    }
    Ok((start_at, end_at.unwrap_or(now)))
}

fn relative(text: &str) -> bool {
    !text.contains('T') && text.trim().parse::<f64>().is_err()
}

/// A point in time: `now`, `-1h`, `now-1h`, `1h` (ago), Unix seconds or milliseconds, RFC 3339.
pub fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("now") || text == "now()" {
        return Ok(now);
    }
    if let Some(at) = Timestamp::parse_rfc3339(text) {
        return Ok(at);
    }
    if let Ok(number) = text.parse::<f64>()
        && number.is_finite()
        && number > 1e8
    {
        let seconds = if number > 1e11 {
            number / 1000.0
        } else {
            number
        };
        return Ok(Timestamp::from_seconds(seconds));
    }
    let back = text
        .strip_prefix("now")
        .map(str::trim_start)
        .unwrap_or(text)
        .trim_start_matches('-')
        .trim_end_matches("ago");
    match duration_ms(back.trim()) {
        Ok(ms) => Ok(now.plus_ms(-i64::from(ms))),
        Err(_) => Err(format!(
            "{text:?} is no time: write RFC 3339 (2026-11-21T03:00:00Z), Unix seconds, or -1h"
        )),
    }
}

/// `30s`, `5m`, `1h30m`, `2d`, or seconds as a number; at most 30 days.
pub fn duration_ms(text: &str) -> Result<u32, String> {
    let wrong = || format!("{text:?} is no duration: write 30s, 5m, 1h or 2d");
    if let Ok(seconds) = text.trim().parse::<u32>() {
        return seconds
            .checked_mul(1000)
            .filter(|ms| *ms > 0)
            .ok_or_else(wrong);
    }
    let (mut total, mut number, mut rest) = (0u64, String::new(), text.trim());
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        let unit = match c {
            'm' if rest.starts_with('s') => {
                rest = rest.get(1..).unwrap_or_default();
                1
            }
            's' => 1_000,
            'm' => 60_000,
            'h' => 3_600_000,
            'd' => 86_400_000,
            'w' => 604_800_000,
            _ => return Err(wrong()),
        };
        let count: u64 = number.parse().map_err(|_| wrong())?;
        number.clear();
        total = total.saturating_add(count.saturating_mul(unit));
    }
    if !number.is_empty() || total == 0 || total > 30 * 86_400_000 {
        return Err(wrong());
    }
    u32::try_from(total).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_models_write_them() {
        let now = Timestamp(1_795_227_000_000);
        let hour = now.plus_ms(-3_600_000);
        for text in ["-1h", "now-1h", "now - 60m", "1h", "1h ago", "-3600"] {
            assert_eq!(moment(text, now), Ok(hour), "{text}");
        }
        assert_eq!(moment("1795227000", now), Ok(now));
        assert_eq!(moment("1795227000000", now), Ok(now));
        assert_eq!(moment("now", now), Ok(now));
        assert!(moment("yesterday", now).is_err());
        assert_eq!(duration_ms("1h30m"), Ok(5_400_000));
        assert!(
            duration_ms("0s").is_err() && duration_ms("5x").is_err() && duration_ms("").is_err()
        );
        assert!(
            window(
                Some("2026-11-21T03:00:00Z"),
                Some("2026-11-21T02:00:00Z"),
                now
            )
            .is_err()
        );
    }
}

//! Alertmanager v2: the alerts it holds, also silenced and inhibited ones, and its version.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use serde::Deserialize;

use super::error::SourceError;
use super::prometheus::rules;
use super::supervisor::{Gate, Heard, Line, Source};
use crate::clock;
use crate::model::alert::{Alert, AlertState};
use crate::model::telemetry::Body;
use crate::model::text::clean;
use crate::model::time::Timestamp;

/// How often the version is asked for.
const STATUS_EVERY: Duration = Duration::from_secs(300);

/// Polls one Alertmanager.
pub struct AlertmanagerSource {
    gate: Arc<Gate>,
    interval: Duration,
    status_at: Option<Instant>,
}

impl AlertmanagerSource {
    pub fn new(gate: Arc<Gate>, interval: Duration) -> Self {
        Self {
            gate,
            interval,
            status_at: None,
        }
    }

    async fn work(&mut self, line: &Line) -> Result<(), SourceError> {
        line.interval(self.interval);
        loop {
            let next = clock::instant() + self.interval;
            self.poll(line).await?;
            if self.status_at.is_none_or(|at| at <= clock::instant()) {
                self.status(line).await?;
                self.status_at = Some(clock::instant() + STATUS_EVERY);
            }
            line.rest(next.max(clock::instant())).await;
        }
    }

    async fn poll(&self, line: &Line) -> Result<(), SourceError> {
        let door = self.gate.door().await?;
        self.gate.budget.take().await;
        let all = [
            ("active", "true"),
            ("silenced", "true"),
            ("inhibited", "true"),
        ];
        let (told, reply): (Vec<Told>, _) = door.get_json("/api/v2/alerts", &all).await?;
        line.heard(Heard::from(&reply)).await;
        let alerts = told.into_iter().filter_map(Told::into_fact).collect();
        line.send(Body::Alerts(alerts)).await;
        Ok(())
    }

    async fn status(&self, line: &Line) -> Result<(), SourceError> {
        let door = self.gate.door().await?;
        self.gate.budget.take().await;
        let (status, reply): (Status, _) = door.get_json("/api/v2/status", &[]).await?;
        if let Some(version) = status.version_info.and_then(|v| v.version) {
            line.version(&version);
        }
        line.heard(Heard::from(&reply)).await;
        Ok(())
    }
}

impl Source for AlertmanagerSource {
    fn run<'a>(&'a mut self, line: &'a Line) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(self.work(line))
    }
}

#[derive(Deserialize)]
struct Status {
    #[serde(rename = "versionInfo")]
    version_info: Option<VersionInfo>,
}

#[derive(Deserialize)]
struct VersionInfo {
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    fingerprint: String,
    #[serde(default)]
    starts_at: String,
    #[serde(default)]
    ends_at: String,
    status: Option<ToldStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldStatus {
    #[serde(default)]
    state: String,
    #[serde(default)]
    silenced_by: Vec<String>,
    #[serde(default)]
    inhibited_by: Vec<String>,
}

impl Told {
    /// `None` without a start: such an alert cannot be placed in time.
    fn into_fact(self) -> Option<Alert> {
        let mut alert = rules::alert(&self.labels, &self.annotations);
        alert.starts_at = Timestamp::parse_rfc3339(&self.starts_at)?;
        // `endsAt` lies ahead while the alert is firing: then it is only the time of giving up.
        alert.ends_at = Timestamp::parse_rfc3339(&self.ends_at);
        alert.fingerprint = if self.fingerprint.is_empty() {
            rules::fingerprint(&self.labels).into()
        } else {
            clean(&self.fingerprint, 64).into()
        };
        if let Some(status) = self.status {
            let ids = |ids: Vec<String>| ids.iter().map(|id| clean(id, 64)).collect::<Vec<_>>();
            alert.silenced_by = ids(status.silenced_by);
            alert.inhibited_by = ids(status.inhibited_by);
            let hushed = !(alert.silenced_by.is_empty() && alert.inhibited_by.is_empty());
            if hushed || status.state == "suppressed" {
                alert.state = AlertState::Suppressed;
            }
        }
        Some(alert)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(version: &str) -> Vec<Alert> {
        let root = env!("CARGO_MANIFEST_DIR");
        let path = format!("{root}/tests/fixtures/alertmanager/{version}/alerts.json");
        let told: Vec<Told> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        told.into_iter().filter_map(Told::into_fact).collect()
    }

    #[test]
    fn reads_what_both_versions_tell() {
        for version in ["v0.25", "v0.32"] {
            let alerts = read(version);
            assert!(alerts.iter().any(|a| a.state == AlertState::Firing));
            let hushed: Vec<&Alert> = alerts
                .iter()
                .filter(|a| a.state == AlertState::Suppressed)
                .collect();
            assert!(!hushed.is_empty(), "{version}");
            assert!(
                hushed
                    .iter()
                    .all(|a| !a.silenced_by.is_empty() || !a.inhibited_by.is_empty())
            );
            assert!(
                alerts
                    .iter()
                    .all(|a| !a.fingerprint.is_empty() && a.starts_at.0 > 0)
            );
        }
    }
}

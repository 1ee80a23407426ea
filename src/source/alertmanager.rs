//! Alertmanager v2: the alerts it holds, also silenced and inhibited ones, and its version.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use serde::Deserialize;

use super::error::SourceError;
use super::prometheus::rules;
use super::supervisor::{Gate, Heard, Line, Source, Woken};
use crate::clock;
use crate::model::alert::{Alert, AlertState, Silence};
use crate::model::fault::FaultKind;
use crate::model::telemetry::Body;
use crate::model::text::clean;
use crate::model::time::Timestamp;

/// How often the version and the peers are asked for.
const STATUS_EVERY: Duration = Duration::from_secs(60);

/// Peers that are remembered; a pair or three are usual.
const PEERS: usize = 32;

/// How often the silences are asked for; at once when an alert names one that is not known.
const SILENCES_EVERY: Duration = Duration::from_secs(60);

/// Polls one Alertmanager.
pub struct AlertmanagerSource {
    gate: Arc<Gate>,
    interval: Duration,
    status_at: Option<Instant>,
    silences_at: Option<Instant>,
    /// Silences that alerts named when they were last asked for.
    named: BTreeSet<String>,
}

impl AlertmanagerSource {
    pub fn new(gate: Arc<Gate>, interval: Duration) -> Self {
        Self {
            gate,
            interval,
            status_at: None,
            silences_at: None,
            named: BTreeSet::new(),
        }
    }

    async fn work(&mut self, line: &Line) -> Result<(), SourceError> {
        line.interval(self.interval);
        loop {
            let next = clock::instant() + self.interval;
            let named = self.poll(line).await?;
            let due = self.silences_at.is_none_or(|at| at <= clock::instant());
            if due || !named.is_subset(&self.named) {
                self.silences(line).await?;
                self.silences_at = Some(clock::instant() + SILENCES_EVERY);
                self.named = named;
            }
            if self.status_at.is_none_or(|at| at <= clock::instant()) {
                self.status(line).await?;
                self.status_at = Some(clock::instant() + STATUS_EVERY);
            }
            if line.rest(next.max(clock::instant())).await == Woken::Refresh {
                // All of it anew: a silence may just have been made.
                (self.silences_at, self.status_at) = (None, None);
            }
        }
    }

    /// Tells the alerts; gives the silences that they name.
    async fn poll(&self, line: &Line) -> Result<BTreeSet<String>, SourceError> {
        let door = self.gate.door().await?;
        self.gate.budget.take().await;
        let all = [
            ("active", "true"),
            ("silenced", "true"),
            ("inhibited", "true"),
        ];
        let (told, reply): (Vec<Told>, _) = door.get_json("/api/v2/alerts", &all).await?;
        line.heard(Heard::from(&reply)).await;
        let alerts: Vec<Alert> = told.into_iter().filter_map(Told::into_fact).collect();
        let named = alerts.iter().flat_map(|a| a.silenced_by.iter().cloned());
        let named = named.collect();
        line.send(Body::Alerts(alerts)).await;
        Ok(named)
    }

    /// Who silenced what, and until when. A server or a token that tells alerts and no silences is
    /// no fault of the source: what they are stays unknown.
    async fn silences(&self, line: &Line) -> Result<(), SourceError> {
        let door = self.gate.door().await?;
        self.gate.budget.take().await;
        let Ok((told, reply)) = door
            .get_json::<Vec<ToldSilence>>("/api/v2/silences", &[])
            .await
        else {
            return Ok(());
        };
        line.heard(Heard::from(&reply)).await;
        let silences = told.into_iter().filter_map(ToldSilence::into_fact);
        line.send(Body::Silences(silences.collect())).await;
        Ok(())
    }

    /// Version and replicas. Who may read alerts may not read this everywhere: then both stay
    /// unknown.
    async fn status(&self, line: &Line) -> Result<(), SourceError> {
        let door = self.gate.door().await?;
        self.gate.budget.take().await;
        let (status, reply): (Status, _) = match door.get_json("/api/v2/status", &[]).await {
            Err(e) if matches!(e.kind(), FaultKind::Forbidden | FaultKind::NotFound) => {
                return Ok(());
            }
            told => told?,
        };
        let cluster = status.cluster.unwrap_or_default();
        if let Some(version) = status.version_info.and_then(|v| v.version) {
            line.version(&version);
        }
        line.heard(Heard::from(&reply)).await;
        line.send(Body::Gossip(cluster.names())).await;
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
    cluster: Option<Gossip>,
}

/// Of whom it hears by gossip.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Gossip {
    name: String,
    peers: Vec<Peer>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Peer {
    name: String,
}

impl Gossip {
    /// All that belong together, itself among them; none where it gossips with nobody.
    pub fn names(self) -> Vec<String> {
        let peers = self.peers.into_iter().map(|p| p.name).take(PEERS);
        let names = std::iter::once(self.name).chain(peers);
        let names: BTreeSet<String> = names.map(|n| clean(&n, 100)).collect();
        names.into_iter().filter(|n| !n.is_empty()).collect()
    }
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct ToldSilence {
    id: String,
    status: ToldStanding,
    created_by: String,
    comment: String,
    starts_at: String,
    ends_at: String,
    matchers: Vec<ToldMatcher>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ToldStanding {
    state: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ToldMatcher {
    name: String,
    value: String,
    is_regex: bool,
    /// Old servers do not tell it: there was equality only.
    is_equal: Option<bool>,
}

impl ToldSilence {
    /// `None`: it is over, or says not when it will be.
    fn into_fact(self) -> Option<Silence> {
        if self.status.state == "expired" {
            return None;
        }
        let matchers: Vec<String> = self
            .matchers
            .iter()
            .map(|m| {
                let sign = match (m.is_equal.unwrap_or(true), m.is_regex) {
                    (true, false) => "=",
                    (true, true) => "=~",
                    (false, false) => "!=",
                    (false, true) => "!~",
                };
                format!("{}{sign}{:?}", m.name, m.value)
            })
            .collect();
        Some(Silence {
            id: clean(&self.id, 64),
            by: clean(&self.created_by, 100),
            comment: clean(&self.comment, 1_000),
            starts_at: Timestamp::parse_rfc3339(&self.starts_at)?,
            ends_at: Timestamp::parse_rfc3339(&self.ends_at)?,
            matchers: clean(&matchers.join(" "), 1_000),
        })
    }
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
    fn silences_say_who_until_when_and_why() {
        for version in ["v0.25", "v0.32"] {
            let root = env!("CARGO_MANIFEST_DIR");
            let path = format!("{root}/tests/fixtures/alertmanager/{version}/silences.json");
            let told: Vec<ToldSilence> =
                serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            let silences: Vec<Silence> = told
                .into_iter()
                .filter_map(ToldSilence::into_fact)
                .collect();
            let first = silences.iter().find(|s| s.comment == "maintenance window");
            let first = first.expect("one in force");
            assert_eq!(first.by, "operator");
            assert_eq!(
                first.matchers,
                "alertname=\"PtpClockNotLocked\" node=~\"ran-du-.*\""
            );
            assert!(first.ends_at > first.starts_at, "{version}");
            let named: Vec<String> = read(version)
                .iter()
                .flat_map(|a| a.silenced_by.clone())
                .collect();
            assert!(named.contains(&first.id), "{version}");
        }
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

//! Alerts to rows: copies that replicas raised are folded, alerts of one name counted.

use std::collections::BTreeMap;

use crate::model::alert::{Alert, AlertState, Severity};
use crate::model::health::{Health, SourceHealth, SourceKind};
use crate::model::id::ClusterId;
use crate::model::label::Labels;
use crate::model::time::Timestamp;
use crate::model::unit::age;
use crate::state::world::{ClusterState, World};
use crate::ui::view::Focus;
use crate::ui::view::common::clusters;

/// Labels that tell which replica of a pair spoke, not what is wrong.
const REPLICA: [&str; 5] = [
    "prometheus_replica",
    "prometheus",
    "replica",
    "__replica__",
    "thanos_replica",
];

/// An alert that begins and ends this often within that time flaps.
const FLAPS: usize = 4;
const FLAPS_IN_MS: i64 = 3_600_000;

#[derive(Clone, Debug, PartialEq)]
pub struct Id {
    pub cluster: ClusterId,
    name: String,
    severity: Severity,
    standing: Standing,
    /// Only where every alert is a row.
    labels: Option<Labels>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Firing,
    Pending,
    Suppressed,
    Resolved,
}

#[derive(Debug)]
pub struct Row<'a> {
    pub id: Id,
    pub name: &'a str,
    pub severity: Severity,
    pub state: AlertState,
    /// The oldest of its alerts.
    pub since: Timestamp,
    pub shared: String,
    /// Without the copies of replicas.
    pub alerts: Vec<&'a Alert>,
    /// How many copies were folded.
    pub copies: usize,
    /// Fingerprints of the copies, to be found by them.
    folded: Vec<&'a str>,
}

impl Row<'_> {
    pub fn is_firing(&self) -> bool {
        self.state == AlertState::Firing
    }

    pub fn is_watchdog(&self) -> bool {
        self.alerts.iter().all(|a| a.is_watchdog())
    }

    /// When the last of it ended, where all of it is over.
    pub fn ended(&self) -> Option<Timestamp> {
        let ends = self.alerts.iter().map(|a| a.ends_at);
        (self.state == AlertState::Resolved)
            .then(|| ends.max().flatten())
            .flatten()
    }

    /// `ended 5m ago after 12m`.
    pub fn over(&self, now: Timestamp) -> Option<String> {
        let ended = self.ended()?;
        let lasted = age(ended.age_since_ms(self.since));
        Some(format!(
            "ended {} ago after {lasted}",
            age(now.age_since_ms(ended))
        ))
    }

    /// How often one of its alerts began or ended in the last hour, where that is often.
    pub fn flapping(&self, world: &World) -> Option<usize> {
        let cluster = world.cluster(self.id.cluster)?;
        let since = world.now.plus_ms(-FLAPS_IN_MS);
        let turns = self
            .alerts
            .iter()
            .map(|a| cluster.turns_of(&a.fingerprint, since));
        turns.max().filter(|n| *n >= FLAPS)
    }

    pub fn is_problem(&self) -> bool {
        matches!(self.state, AlertState::Firing | AlertState::Pending)
            && self.severity >= Severity::Warning
    }

    pub fn holds(&self, fingerprint: &str) -> bool {
        self.alerts
            .iter()
            .any(|a| a.fingerprint.as_ref() == fingerprint)
            || self.folded.contains(&fingerprint)
    }

    pub fn state_word(&self) -> &'static str {
        match self.state {
            AlertState::Pending => "pending",
            AlertState::Firing => "firing",
            AlertState::Suppressed if self.suppressed_by() == "h" => "inhibited",
            AlertState::Suppressed => "silenced",
            AlertState::Resolved => "resolved",
        }
    }

    /// `s` silenced, `h` inhibited.
    pub fn suppressed_by(&self) -> &'static str {
        let inhibited = self
            .alerts
            .iter()
            .all(|a| a.silenced_by.is_empty() && !a.inhibited_by.is_empty());
        if inhibited { "h" } else { "s" }
    }

    pub fn fields<'b>(&'b self, world: &'b World) -> Vec<(&'b str, &'b str)> {
        let mut fields = vec![
            ("alertname", self.name),
            (
                "cluster",
                super::super::common::name(world, self.id.cluster),
            ),
            ("severity", self.severity.word()),
            ("state", self.state_word()),
        ];
        for alert in &self.alerts {
            fields.extend(alert.labels.iter());
        }
        fields
    }
}

/// Worst first: firing before pending before suppressed, then by severity, then the newest.
pub fn rows(world: &World, scope: Option<ClusterId>, each: bool) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for cluster in clusters(world, scope) {
        for copies in folded(cluster.alerts.values()) {
            let Some(alert) = copies.first().copied() else {
                continue;
            };
            let id = Id {
                cluster: cluster.id,
                name: alert.name.to_string(),
                severity: alert.severity,
                standing: standing(alert.state),
                labels: each.then(|| alert.labels.clone()),
            };
            let place = match rows.iter().position(|r| r.id == id) {
                Some(place) => place,
                None => {
                    rows.push(row(id, alert));
                    rows.len() - 1
                }
            };
            if let Some(row) = rows.get_mut(place) {
                row.since = row.since.min(alert.starts_at);
                row.copies += copies.len() - 1;
                row.folded
                    .extend(copies.iter().map(|c| c.fingerprint.as_ref()));
                row.alerts.push(alert);
            }
        }
    }
    for row in &mut rows {
        row.alerts.sort_by_key(|a| a.starts_at);
        row.shared = shared(&row.alerts);
    }
    rows.sort_by_key(|r| {
        let last = r.is_watchdog();
        (
            last,
            r.id.standing,
            std::cmp::Reverse(r.severity),
            std::cmp::Reverse(r.since),
        )
    });
    rows
}

fn standing(state: AlertState) -> Standing {
    match state {
        AlertState::Firing => Standing::Firing,
        AlertState::Pending => Standing::Pending,
        AlertState::Suppressed => Standing::Suppressed,
        AlertState::Resolved => Standing::Resolved,
    }
}

fn row<'a>(id: Id, alert: &'a Alert) -> Row<'a> {
    Row {
        id,
        name: &alert.name,
        severity: alert.severity,
        state: alert.state,
        since: alert.starts_at,
        shared: String::new(),
        alerts: Vec::new(),
        copies: 0,
        folded: Vec::new(),
    }
}

/// Alerts that differ only in who of a pair of replicas raised them. One that fires counts more than
/// its copy that waits or has ended: those that stand alike come first.
fn folded<'a>(alerts: impl Iterator<Item = &'a Alert>) -> Vec<Vec<&'a Alert>> {
    let mut folded: BTreeMap<_, Vec<&Alert>> = BTreeMap::new();
    for alert in alerts {
        folded
            .entry(alert.labels.without(&REPLICA))
            .or_default()
            .push(alert);
    }
    let mut folded: Vec<_> = folded.into_values().collect();
    for copies in &mut folded {
        copies.sort_by_key(|a| (standing(a.state), a.starts_at));
    }
    folded
}

/// Labels that all alerts of a row have alike, but for what the row says anyway.
fn shared(alerts: &[&Alert]) -> String {
    let Some((first, rest)) = alerts.split_first() else {
        return String::new();
    };
    let mut pairs: Vec<(&str, &str)> = first
        .labels
        .iter()
        .filter(|(n, _)| !["alertname", "severity", "cluster"].contains(n) && !REPLICA.contains(n))
        .filter(|(n, v)| rest.iter().all(|a| a.labels.get(n) == Some(*v)))
        .collect();
    // What it is about stands before who measured it.
    pairs.sort_by_key(|(n, _)| {
        let order = [
            "node",
            "hostname",
            "Hostname",
            "gpu",
            "model_name",
            "iface",
            "process",
            "pf",
            "pod",
            "namespace",
        ];
        order.iter().position(|o| o == n).unwrap_or(order.len())
    });
    let texts: Vec<String> = pairs.iter().map(|(n, v)| format!("{n}={v}")).collect();
    texts.join(" ")
}

pub fn next_problem<'a>(rows: &'a [Row<'a>], at: usize, forward: bool) -> Option<&'a Row<'a>> {
    if forward {
        rows.iter().skip(at + 1).find(|r| r.is_problem())
    } else {
        rows.get(..at)?.iter().rev().find(|r| r.is_problem())
    }
}

/// The thing an alert is about, as far as its labels name it.
pub fn subject(cluster: ClusterId, labels: &Labels) -> Option<Focus> {
    if let (Some(namespace), Some(pod)) = (labels.get("namespace"), labels.get("pod")) {
        return Some(Focus::Pod {
            cluster,
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
        });
    }
    labels
        .first_of(&["node", "Hostname", "nodename"])
        .map(|node| Focus::Node {
            cluster,
            node: node.to_owned(),
        })
}

/// The sources of a cluster that tell of alerts.
fn tellers(cluster: &ClusterState) -> impl Iterator<Item = &SourceHealth> {
    let tells = |kind: &SourceKind| *kind == SourceKind::Prometheus || kind.is_alertmanager();
    let sources = cluster.sources.iter();
    sources.filter(move |(kind, _)| tells(kind)).map(|(_, s)| s)
}

/// Somebody tells of the cluster's alerts now.
pub fn is_heard(cluster: &ClusterState, now: Timestamp) -> bool {
    tellers(cluster).any(|source| source.health == Health::Live && !source.is_stale(now))
}

/// How many clusters of the scope tell of alerts, and those that do not.
fn heard(world: &World, scope: Option<ClusterId>) -> (usize, Vec<&str>) {
    let mut heard = 0;
    let mut silent = Vec::new();
    for cluster in clusters(world, scope) {
        if is_heard(cluster, world.now) {
            heard += 1;
        } else {
            silent.push(cluster.name.as_ref());
        }
    }
    (heard, silent)
}

/// Why no alert is known: nobody answered, or really nothing.
pub fn why_none(world: &World, scope: Option<ClusterId>) -> String {
    let (heard, silent) = heard(world, scope);
    let down = super::tellers::down(world, scope);
    match (heard, silent.is_empty()) {
        (0, _) => why_unheard(world, scope),
        (_, true) if !down.is_empty() => format!("no alerts are told of; {}", down.join(" · ")),
        (_, true) => "no alerts: every source answered and none is firing".into(),
        _ => {
            let word = if heard == 1 { "cluster" } else { "clusters" };
            let silent = silent.join(", ");
            format!("no alerts in {heard} {word}; unknown in {silent}")
        }
    }
}

/// Nobody answers: what the first says that failed, where one did.
fn why_unheard(world: &World, scope: Option<ClusterId>) -> String {
    let mut asked = clusters(world, scope).flat_map(tellers).peekable();
    if asked.peek().is_none() {
        return "no cluster of the scope has an Alertmanager or a Prometheus".into();
    }
    match asked.find_map(|source| source.fault()) {
        Some(fault) => format!("{fault}; no alerts are known"),
        None => {
            "no alerts known: no Alertmanager or Prometheus of the scope has answered yet".into()
        }
    }
}

/// Clusters whose alerts are shown as they were, since nobody tells them now: `stale 90s: edge-1`.
pub fn stale(world: &World, scope: Option<ClusterId>) -> Vec<String> {
    let old = clusters(world, scope).filter(|c| !is_heard(c, world.now));
    let old = old.filter(|c| c.alerts.values().any(|a| a.state != AlertState::Resolved));
    old.filter_map(|c| {
        let last = tellers(c).filter_map(|source| source.last_ok).max()?;
        let since = age(world.now.age_since_ms(last));
        Some(format!("stale {since}: {}", c.name))
    })
    .collect()
}

/// `; unknown in edge-1`, to go behind what is said of the others.
pub fn unheard(world: &World, scope: Option<ClusterId>) -> String {
    match heard(world, scope).1 {
        silent if silent.is_empty() => String::new(),
        silent => format!("; unknown in {}", silent.join(", ")),
    }
}

/// Clusters whose alerting pipeline has lost its heartbeat.
pub fn broken(world: &World, scope: Option<ClusterId>) -> Vec<&str> {
    clusters(world, scope)
        .filter(|c| c.heartbeats.iter().any(|h| h.heard && h.missing.is_some()))
        .map(|c| c.name.as_ref())
        .collect()
}

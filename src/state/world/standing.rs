//! What can be said of a cluster in one word, and why.

use crate::incident::{Incident, IncidentState};
use crate::model::alert::{AlertState, Severity};
use crate::model::fault::Fault;
use crate::model::health::{Health, SourceKind};
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;
use crate::ui::widget::badge::age;

use super::{ClusterState, Status, World};

/// How old a value is, measured by the distance at which the next was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    Fresh,
    /// Older than two intervals.
    Stale,
    /// Older than ten intervals (and five minutes): it tells nothing of now.
    Gone,
}

/// Alerts now in force, the pipeline's heartbeat left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlertCounts {
    pub critical: usize,
    pub warning: usize,
    pub info: usize,
    pub pending: usize,
    /// Silenced or inhibited.
    pub suppressed: usize,
}

impl AlertCounts {
    pub fn firing(self) -> usize {
        self.critical + self.warning + self.info
    }
}

impl ClusterState {
    pub fn alert_counts(&self) -> AlertCounts {
        let mut counts = AlertCounts::default();
        for alert in self.alerts.values().filter(|a| !a.is_watchdog()) {
            match (alert.state, alert.severity) {
                (AlertState::Pending, _) => counts.pending += 1,
                (AlertState::Suppressed, _) => counts.suppressed += 1,
                (AlertState::Firing, Severity::Critical) => counts.critical += 1,
                (AlertState::Firing, Severity::Warning) => counts.warning += 1,
                (AlertState::Firing, Severity::Info) => counts.info += 1,
                (AlertState::Resolved, _) => {}
            }
        }
        counts
    }

    /// At least one source answers, and did so lately.
    pub fn is_heard(&self, now: Timestamp) -> bool {
        self.sources.values().any(|s| s.is_heard(now))
    }
}

impl World {
    pub fn age_ms(&self, at: Timestamp) -> u64 {
        self.now.age_since_ms(at)
    }

    /// How fresh a sample is, given the expected distance between samples.
    pub fn fresh(&self, at: Timestamp, interval_ms: u32) -> Freshness {
        let age = self.age_ms(at);
        let interval = u64::from(interval_ms.max(1_000));
        if age <= 2 * interval + 1_000 {
            Freshness::Fresh
        } else if age <= (10 * interval).max(300_000) {
            Freshness::Stale
        } else {
            Freshness::Gone
        }
    }

    pub fn status(&self, id: ClusterId) -> Status {
        self.judged(id).0
    }

    /// Status and the reason for it in a few words.
    pub fn standing(&self, id: ClusterId) -> (Status, String) {
        let (status, why) = self.judged(id);
        let text = match why {
            Why::Unconfigured => "not configured".into(),
            Why::Sourceless => "no source is configured".into(),
            Why::Silent(cluster) => self.silence(cluster),
            Why::Incident(incident) => incident.title.clone(),
            Why::Critical(count) => format!("{count} critical alerts firing"),
            Why::Warning(count) => format!("{count} alerts firing"),
            Why::Deaf(kind, fault) => format!("{kind}: {}", fault.what),
            Why::Calm => "nothing abnormal".into(),
        };
        (status, text)
    }

    /// The status is asked for in every row of every frame: words only for those who read them.
    fn judged(&self, id: ClusterId) -> (Status, Why<'_>) {
        let Some(cluster) = self.cluster(id) else {
            return (Status::Unknown, Why::Unconfigured);
        };
        if cluster.sources.is_empty() {
            return (Status::Unknown, Why::Sourceless);
        }
        if !cluster.is_heard(self.now) {
            return (Status::Unknown, Why::Silent(cluster));
        }
        let worst = self
            .incidents
            .iter()
            .filter(|i| i.cluster == id && i.state == IncidentState::Open)
            .max_by(|a, b| {
                (a.severity, a.score)
                    .partial_cmp(&(b.severity, b.score))
                    .unwrap_or(std::cmp::Ordering::Equal)
            });
        let counts = cluster.alert_counts();
        match worst {
            Some(i) if i.severity == Severity::Critical => (Status::Critical, Why::Incident(i)),
            _ if counts.critical > 0 => (Status::Critical, Why::Critical(counts.critical)),
            Some(i) if i.severity == Severity::Warning => (Status::Warning, Why::Incident(i)),
            _ if counts.warning > 0 => (Status::Warning, Why::Warning(counts.warning)),
            _ => calm(cluster),
        }
    }

    fn silence(&self, cluster: &ClusterState) -> String {
        let fault = cluster
            .sources
            .iter()
            .find_map(|(k, s)| s.fault().map(|f| (k, f)));
        let since = match cluster.last_sample {
            Some(at) => format!(", last sample {} ago", age(self.age_ms(at))),
            None => String::new(),
        };
        match fault {
            Some((kind, fault)) if fault.is_refusal() => {
                format!("refused: {kind}: {}{since}", fault.what)
            }
            Some((kind, fault)) => format!("unreachable: {kind}: {}{since}", fault.what),
            None if cluster.sources.values().any(|s| s.health == Health::Live) => {
                format!("answers are late{since}")
            }
            None => format!("connecting{since}"),
        }
    }
}

/// What a status stands on.
enum Why<'a> {
    Unconfigured,
    Sourceless,
    Silent(&'a ClusterState),
    Incident(&'a Incident),
    Critical(usize),
    Warning(usize),
    Deaf(SourceKind, &'a Fault),
    Calm,
}

/// Nothing is wrong; unless a source is missing, all is well.
fn calm(cluster: &ClusterState) -> (Status, Why<'_>) {
    let deaf = cluster
        .sources
        .iter()
        .find_map(|(k, s)| s.fault().map(|f| (*k, f)));
    match deaf {
        Some((kind, fault)) => (Status::Warning, Why::Deaf(kind, fault)),
        None => (Status::Ok, Why::Calm),
    }
}

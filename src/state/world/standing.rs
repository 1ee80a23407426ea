//! What can be said of a cluster in one word, and why.

use crate::incident::{Incident, IncidentState};
use crate::model::alert::{AlertState, Severity};
use crate::model::fault::Fault;
use crate::model::health::{Health, SourceKind};
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;
use crate::ui::widget::badge::age;

use super::watchers::Ear;
use super::{ClusterState, Status, World, score};

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
        self.sources.values().any(|s| score::is_up(s, now))
    }

    /// That source is live, and answered lately.
    pub fn hears(&self, kind: SourceKind, now: Timestamp) -> bool {
        let source = self.sources.get(&kind);
        source.is_some_and(|s| s.health == Health::Live && !s.is_stale(now))
    }
}

impl World {
    pub fn age_ms(&self, at: Timestamp) -> u64 {
        self.now.age_since_ms(at)
    }

    /// Readings that were current until then are of the past.
    pub fn is_old(&self, until: Option<Timestamp>) -> bool {
        until.is_some_and(|until| self.now > until)
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
        self.judged(id, self.worst(id)).0
    }

    /// Status of each cluster, in their order; the incidents are gone through once.
    pub fn statuses(&self) -> Vec<Status> {
        let mut worst: Vec<Option<&Incident>> = vec![None; self.clusters.len()];
        for incident in self.loud() {
            if let Some(place) = worst.get_mut(usize::from(incident.cluster.0))
                && place.is_none_or(|held| is_worse(incident, held))
            {
                *place = Some(incident);
            }
        }
        let judged = self.clusters.iter().zip(worst);
        judged
            .map(|(c, worst)| self.judged(c.id, worst).0)
            .collect()
    }

    /// Incidents in which something is wrong now and that nobody muted.
    fn loud(&self) -> impl Iterator<Item = &Incident> {
        let open = self.incidents.iter();
        open.filter(|i| i.state == IncidentState::Open && !i.is_muted(self.now))
    }

    fn worst(&self, id: ClusterId) -> Option<&Incident> {
        let open = self.loud().filter(|i| i.cluster == id);
        open.reduce(|held, i| if is_worse(i, held) { i } else { held })
    }

    /// Status and the reason for it in a few words.
    pub fn standing(&self, id: ClusterId) -> (Status, String) {
        let (status, why) = self.judged(id, self.worst(id));
        let text = match why {
            Why::Unconfigured => "not configured".into(),
            Why::Sourceless => "no source is configured".into(),
            Why::Silent(cluster) => self.silence(cluster),
            Why::Incident(incident) => match self.watcher_of(id) {
                Some(ear) => format!("watcher {ear}: {}", incident.title),
                None => incident.title.clone(),
            },
            Why::Unwatched(ear) => format!("watcher {ear}"),
            Why::Told(ear) => format!("watcher {ear}: nothing abnormal; not heard here"),
            Why::Critical(count) => format!("{count} critical alerts firing"),
            Why::Warning(count) => format!("{count} alerts firing"),
            Why::Deaf(kind, fault) => format!("{kind}: {}", fault.what),
            Why::Late(kind) => format!("{kind}: answers are late"),
            Why::Awaited(kind) => format!("{kind} is not heard yet"),
            Why::Calm => "nothing abnormal".into(),
        };
        (status, text)
    }

    /// The status is asked for in every row of every frame: words only for those who read them.
    fn judged<'a>(&'a self, id: ClusterId, worst: Option<&'a Incident>) -> (Status, Why<'a>) {
        let Some(cluster) = self.cluster(id) else {
            return (Status::Unknown, Why::Unconfigured);
        };
        let is = |i: &Incident, severity| i.severity == severity;
        let heard = cluster.is_heard(self.now);
        let ear = self.watcher_of(id);
        // What a watcher tells holds whether or not this console hears the cluster itself.
        let told = worst.filter(|_| heard || ear.is_some());
        let counts = match heard {
            true => cluster.alert_counts(),
            false => AlertCounts::default(),
        };
        match (told, ear) {
            (Some(i), _) if is(i, Severity::Critical) => (Status::Critical, Why::Incident(i)),
            _ if counts.critical > 0 => (Status::Critical, Why::Critical(counts.critical)),
            (Some(i), _) if is(i, Severity::Warning) => (Status::Warning, Why::Incident(i)),
            _ if counts.warning > 0 => (Status::Warning, Why::Warning(counts.warning)),
            (_, Some(ear)) if !ear.is_fresh() => (Status::Unknown, Why::Unwatched(ear)),
            (_, Some(ear)) if !heard => (Status::Unknown, Why::Told(ear)),
            _ if cluster.sources.is_empty() => (Status::Unknown, Why::Sourceless),
            _ if !heard => (Status::Unknown, Why::Silent(cluster)),
            _ => calm(cluster, self.now),
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

/// The later of equals counts, as the list is sorted newest first.
fn is_worse(a: &Incident, b: &Incident) -> bool {
    (a.severity, a.score) >= (b.severity, b.score)
}

/// What a status stands on.
enum Why<'a> {
    Unconfigured,
    Sourceless,
    Silent(&'a ClusterState),
    Incident(&'a Incident),
    /// Incidents are found by watchers, and this cluster's is late or was never heard.
    Unwatched(Ear),
    /// Its watcher is heard and tells of nothing; this console does not hear the cluster.
    Told(Ear),
    Critical(usize),
    Warning(usize),
    Deaf(SourceKind, &'a Fault),
    Late(SourceKind),
    Awaited(SourceKind),
    Calm,
}

/// Nothing is wrong; unless a source is missing, all is well.
fn calm(cluster: &ClusterState, now: Timestamp) -> (Status, Why<'_>) {
    let down = cluster
        .sources
        .iter()
        .filter(|(_, s)| score::is_down(s, now));
    let mut down = down.map(|(kind, s)| (*kind, s.fault()));
    match down.next() {
        Some((kind, Some(fault))) => (Status::Warning, Why::Deaf(kind, fault)),
        Some((kind, None)) => (Status::Warning, Why::Late(kind)),
        None => unsure(cluster),
    }
}

/// Every part answers: well, as far as it may be read, and once all were heard.
fn unsure(cluster: &ClusterState) -> (Status, Why<'_>) {
    let mut awaited = None;
    for (kind, source) in &cluster.sources {
        if let Some(fault) = source.missing_right() {
            return (Status::Unknown, Why::Deaf(*kind, fault));
        }
        if source.health == Health::Connecting {
            awaited = awaited.or(Some(*kind));
        }
    }
    match awaited {
        Some(kind) => (Status::Unknown, Why::Awaited(kind)),
        None => (Status::Ok, Why::Calm),
    }
}

//! What the outlets tell: plain values of one turn of the loop, so that none looks into the world.
//!
//! Texts come from clusters and leave for other programs: they are cut and redacted here, once for
//! each change of an incident.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::Gauges;
use crate::clock;
use crate::model::alert::Severity;
use crate::model::finding::{Finding, FindingKind};
use crate::model::health::{Health, SourceHealth};
use crate::model::id::{ClusterId, IncidentId};
use crate::model::incident::{Incident, IncidentState};
use crate::model::redact::redact;
use crate::model::text::clean;
use crate::model::time::Timestamp;
use crate::state::world::{ClusterState, World};

/// Findings of one incident that are told; the worst are.
const FINDINGS: usize = 50;
/// Longest text of each, bytes.
const TEXT: usize = 512;

/// One turn of the loop.
#[derive(Clone, Debug)]
pub struct Told {
    pub at: Timestamp,
    /// When everything had last gone round, by the clock that never jumps.
    pub turned: Instant,
    /// The clusters that we watch.
    pub clusters: Vec<ClusterTold>,
    /// Not closed yet, of these clusters.
    pub incidents: Vec<Arc<IncidentTold>>,
    pub gauges: Gauges,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterTold {
    pub name: Arc<str>,
    pub environment: Option<String>,
    pub region: Option<String>,
    /// Every configured source.
    pub sources: Vec<Heard>,
    /// 0 (offline) to 100; `None`: not known (yet).
    pub score: Option<u8>,
}

/// How a source is heard, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Heard {
    Connecting,
    Live,
    /// Said to be live, and nothing has come for two intervals.
    Late,
    Failing,
    Denied,
}

impl Heard {
    pub const ALL: [Self; 5] = [
        Self::Connecting,
        Self::Live,
        Self::Late,
        Self::Failing,
        Self::Denied,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Late => "late",
            Self::Failing => "failing",
            Self::Denied => "denied",
        }
    }

    fn of(source: &SourceHealth, now: Timestamp) -> Self {
        match source.health {
            Health::Connecting => Self::Connecting,
            Health::Live if source.is_stale(now) => Self::Late,
            Health::Live => Self::Live,
            Health::Failing { .. } => Self::Failing,
            Health::Denied { .. } => Self::Denied,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct IncidentTold {
    pub id: IncidentId,
    pub cluster: Arc<str>,
    /// As shown: `INC-3`.
    pub number: u32,
    pub severity: Severity,
    pub state: IncidentState,
    pub opened: Timestamp,
    /// 0 to 1.
    pub score: f64,
    pub title: String,
    /// What it is about, as many as there is room for.
    pub subjects: String,
    /// Who looks after it.
    pub acknowledged: Option<String>,
    pub assigned: Option<String>,
    /// Those that go on, worst first.
    pub findings: Vec<FindingTold>,
}

impl IncidentTold {
    /// The same on every watcher and console.
    pub fn name(&self) -> String {
        format!("{:016x}", self.id.0)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct FindingTold {
    pub signal: String,
    pub subject: String,
    pub kind: FindingKind,
    pub severity: Severity,
    /// 0 to 1.
    pub score: f64,
    pub text: String,
}

/// Tells turn after turn; what did not change is not written again.
#[derive(Debug, Default)]
pub struct Teller {
    kept: HashMap<IncidentId, (u32, Arc<IncidentTold>)>,
}

impl Teller {
    /// `is_ours`: which clusters we watch.
    pub fn tell(
        &mut self,
        world: &World,
        is_ours: impl Fn(ClusterId) -> bool,
        gauges: Gauges,
    ) -> Told {
        let live = world.incidents.iter();
        let live = live.filter(|i| i.is_live() && i.is_ours() && is_ours(i.cluster));
        let mut kept = HashMap::with_capacity(self.kept.len());
        let mut incidents = Vec::new();
        for incident in live {
            let before = self.kept.remove(&incident.id);
            let same = before.filter(|(revision, _)| *revision == incident.revision);
            let told = match same {
                Some((_, told)) => told,
                None => Arc::new(incident_told(incident, world)),
            };
            incidents.push(Arc::clone(&told));
            kept.insert(incident.id, (incident.revision, told));
        }
        self.kept = kept;
        let clusters = world.clusters.iter().filter(|c| is_ours(c.id));
        Told {
            at: world.now,
            turned: clock::instant(),
            clusters: clusters.map(|c| cluster_told(c, world.now)).collect(),
            incidents,
            gauges,
        }
    }
}

fn cluster_told(cluster: &ClusterState, now: Timestamp) -> ClusterTold {
    ClusterTold {
        name: Arc::clone(&cluster.name),
        environment: cluster.environment.clone(),
        region: cluster.region.clone(),
        sources: cluster
            .sources
            .values()
            .map(|s| Heard::of(s, now))
            .collect(),
        score: cluster.score(now).points,
    }
}

fn incident_told(incident: &Incident, world: &World) -> IncidentTold {
    let subjects: Vec<String> = incident.subjects.iter().map(ToString::to_string).collect();
    let desk = &incident.desk;
    let mut findings: Vec<&Finding> = incident.findings.iter().filter(|f| !f.over).collect();
    findings.sort_by(|a, b| {
        (b.severity, b.score)
            .partial_cmp(&(a.severity, a.score))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    IncidentTold {
        id: incident.id,
        cluster: world.name_of(incident.cluster).into(),
        number: incident.number,
        severity: incident.severity,
        state: incident.state,
        opened: incident.opened,
        score: incident.score,
        title: safe(&incident.title),
        subjects: safe(&subjects.join(", ")),
        acknowledged: desk.acknowledged().map(|stamp| safe(&stamp.by)),
        assigned: desk.assigned().map(|(who, _)| safe(who)),
        findings: findings
            .into_iter()
            .take(FINDINGS)
            .map(finding_told)
            .collect(),
    }
}

fn finding_told(finding: &Finding) -> FindingTold {
    FindingTold {
        signal: safe(&finding.signal),
        subject: safe(&finding.subject.to_string()),
        kind: finding.kind,
        severity: finding.severity,
        score: finding.score,
        text: safe(&finding.text),
    }
}

fn safe(text: &str) -> String {
    clean(&redact(text), TEXT)
}

#[cfg(test)]
pub(super) mod tests;

//! What is known, put together for another console; and what another console handed over, taken in
//! beside what is found here.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{ClusterState, World};
use crate::incident::Incident;
use crate::model::handover::{HandedIncident, Handover, Parcel, RecordedCluster};
use crate::model::id::{ClusterId, IncidentId};
use crate::model::talk::Session;
use crate::model::time::Timestamp;

mod gaps;
mod gather;
mod series;
mod standing;

pub use gather::Gathering;

/// Time before the first sign and after the end that goes with an incident, milliseconds.
const BEFORE_MS: i64 = 30 * 60_000;
const AFTER_MS: i64 = 10 * 60_000;
/// Incidents, and of these those whose causes are told, and conversations at most.
pub const INCIDENTS: usize = 50;
const CAUSES: usize = 8;
pub const TALKS: usize = 32;

/// What is to be handed over: clusters, and the time it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The one it is about; `None`: all of the time.
    pub incident: Option<IncidentId>,
    pub clusters: Vec<ClusterId>,
    pub from: Timestamp,
    pub to: Timestamp,
}

impl World {
    /// The incident with its cluster, those where the same began at the same time, and half an
    /// hour before it.
    pub fn wanted_of(&self, incident: &Incident) -> Wanted {
        let others = self.together(incident);
        let mut clusters = vec![incident.cluster];
        for other in others {
            if !clusters.contains(&other.cluster) {
                clusters.push(other.cluster);
            }
        }
        clusters.retain(|id| self.cluster(*id).is_some());
        let end = incident.closed.map(|at| at.plus_ms(AFTER_MS));
        Wanted {
            incident: Some(incident.id),
            clusters,
            from: incident.opened.plus_ms(-BEFORE_MS),
            to: end.map_or(self.now, |end| end.min(self.now)),
        }
    }

    /// All that was gathered, and how all stands; what is not held stands in its gaps. `by`: the
    /// operator, `None` where that is not known.
    pub fn parcel(&self, gathered: Gathering, by: Option<&str>, talks: Vec<Session>) -> Parcel {
        let Gathering {
            wanted,
            series,
            left,
            causes,
            ..
        } = gathered;
        let wanted = &wanted;
        let chosen = || wanted.clusters.iter().filter_map(|id| self.cluster(*id));
        let mut gaps = Vec::new();
        if left > 0 {
            gaps.push(format!(
                "{left} series were left out: a file takes {} points; those of the incident come first",
                gather::POINTS
            ));
        }
        for (place, cluster) in chosen().enumerate() {
            let held = series.iter().filter(|s| usize::from(s.cluster.0) == place);
            let first = held.filter_map(|s| s.points.first()).map(|p| p.at).min();
            gaps::of(cluster, first, wanted, &mut gaps);
        }
        gaps.push(format!(
            "objects, alerts and sources are as they were at {}, not as they became so",
            self.now.rfc3339()
        ));
        gaps.push("what passed on the bus, its streams and consumers: not recorded".into());
        gaps.push("traces, rules and the YAML of objects: a console does not hold them".into());
        let (incidents, omitted) = self.incidents_of(wanted);
        let handed = incidents.into_iter().filter_map(|i| {
            let causes = causes.get(&i.id).and_then(|made| made.get());
            self.handed(i, wanted, causes.map(|c| c.words()))
        });
        if omitted > 0 {
            gaps.push(format!(
                "{omitted} incidents were left out: a file takes {INCIDENTS}"
            ));
        }
        let about = wanted.incident.and_then(|id| self.incident(id));
        let changes = chosen().enumerate().flat_map(|(place, cluster)| {
            let within = |at: Timestamp| (wanted.from..=self.now).contains(&at);
            let changes = cluster.changes.iter().filter(move |c| within(c.at));
            changes.map(move |c| (ClusterId(place as u16), c.clone()))
        });
        let mut handover = Handover {
            by: by.map(str::to_owned),
            at: self.now,
            from: wanted.from,
            to: wanted.to,
            about: about.map(|i| i.number),
            incidents: handed.collect(),
            changes: changes.collect(),
            gaps,
            talks,
        };
        if handover.talks.len() > TALKS {
            let more = handover.talks.len() - TALKS;
            handover.talks.truncate(TALKS);
            let told = format!("{more} conversations were left out: a file takes {TALKS}");
            handover.gaps.push(told);
        }
        Parcel {
            recorded: chosen().map(recorded).collect(),
            standing: chosen()
                .enumerate()
                .flat_map(|(place, c)| c.standing(ClusterId(place as u16), wanted.from, self.now))
                .collect(),
            series,
            logs: chosen()
                .enumerate()
                .filter_map(|(place, c)| c.lines_of(ClusterId(place as u16), wanted))
                .collect(),
            handover,
        }
    }

    /// Those of the clusters that lie in the time; the one it is about comes first. And how many
    /// more there are.
    fn incidents_of(&self, wanted: &Wanted) -> (Vec<&Incident>, usize) {
        let within = |i: &&Incident| {
            let end = i.closed.unwrap_or(self.now);
            i.opened <= wanted.to && end >= wanted.from && wanted.clusters.contains(&i.cluster)
        };
        let asked = wanted.incident.and_then(|id| self.incident(id));
        let others = self.incidents.iter().filter(within);
        let others = others.filter(|i| Some(i.id) != wanted.incident);
        let mut all: Vec<&Incident> = asked.into_iter().chain(others).collect();
        let omitted = all.len().saturating_sub(INCIDENTS);
        all.truncate(INCIDENTS);
        (all, omitted)
    }

    /// `causes`: in words, as they were ranked here.
    fn handed(
        &self,
        incident: &Incident,
        wanted: &Wanted,
        causes: Option<String>,
    ) -> Option<HandedIncident> {
        let place = wanted
            .clusters
            .iter()
            .position(|id| *id == incident.cluster)?;
        let verdicts = incident.findings.iter().filter_map(|f| {
            let verdict = match &incident.handed {
                Some(handed) => handed.verdict(&f.key).cloned(),
                None => self.verdict(f),
            };
            Some((f.key.clone(), verdict?))
        });
        let origin = incident.handed.as_ref().map(|h| (h.by.clone(), h.at));
        let causes = match &incident.handed {
            Some(handed) => handed.causes.clone(),
            None => {
                let words = causes.unwrap_or_default();
                let lines = words.lines().filter(|line| !line.trim().is_empty());
                lines
                    .map(|line| line.trim_start_matches("- ").to_owned())
                    .collect()
            }
        };
        let mut one = incident.clone();
        one.cluster = ClusterId(place as u16);
        one.findings
            .iter_mut()
            .for_each(|f| f.cluster = one.cluster);
        Some(HandedIncident {
            verdicts: verdicts.collect(),
            incident: one,
            causes,
            origin,
        })
    }

    /// Takes in what another console handed over: its incidents stand beside those found here,
    /// marked as its own, and numbers go on after its.
    pub fn take_over(&mut self, handover: Handover) {
        self.take_over_again(Arc::new(handover.under_our_ids()));
    }

    /// The same once the replay went back and all is told anew.
    pub fn take_over_again(&mut self, handover: Arc<Handover>) {
        let known = self.clusters.len();
        let mut taken = handover.taken();
        taken.retain(|i| usize::from(i.cluster.0) < known);
        let ids: BTreeSet<IncidentId> = taken.iter().map(|i| i.id).collect();
        self.incidents.retain(|i| !ids.contains(&i.id));
        self.grouper.take_over(&mut self.incidents, taken);
        for (cluster, change) in &handover.changes {
            if let Some(cluster) = self.clusters.get_mut(usize::from(cluster.0)) {
                cluster.note_change(change.clone());
            }
        }
        self.handover = Some(handover);
    }
}

fn recorded(cluster: &ClusterState) -> RecordedCluster {
    RecordedCluster {
        name: cluster.name.to_string(),
        kind: cluster.kind.as_str().into(),
        environment: cluster.environment.clone(),
        region: cluster.region.clone(),
        labels: cluster.labels.clone(),
        sources: cluster.sources.keys().copied().collect(),
    }
}

//! What is known of an incident, as the engine wants it: signs, what needs what, and changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::cause::picture::{Change as Made, Picture, Sign, Window};
use crate::incident::Incident;
use crate::model::change::Change;
use crate::model::finding::{Evidence, Finding, FindingKind, Subject};
use crate::model::signal::Group;
use crate::state::world::{ClusterState, World, changed};

use super::Asked;

/// Findings that are looked at, earliest first: more of one incident tell nothing new.
const FINDINGS: usize = 64;
/// Of what comes with no series nobody says how late it tells: a node that is gone is told after
/// 40 s, an alert after a round of its rules. Seconds.
pub const STEP_S: f64 = 60.0;

/// Nodes that each subject of an incident stands on: looked up once.
type Standing<'a> = BTreeMap<&'a Subject, Vec<Arc<str>>>;

/// Objects by name, as they come in.
#[derive(Default)]
pub struct Objects {
    names: Vec<String>,
    places: BTreeMap<String, usize>,
}

impl Objects {
    pub fn place(&mut self, name: String) -> usize {
        let next = self.names.len();
        let place = *self.places.entry(name.clone()).or_insert(next);
        if place == next {
            self.names.push(name);
        }
        place
    }
}

impl World {
    /// What the causes of an incident are ranked from. Nothing where its cluster is not known.
    pub fn ask_causes(&self, incident: &Incident) -> Option<Asked> {
        let cluster = self.cluster(incident.cluster)?;
        let mut objects = Objects::default();
        let findings = || incident.findings.iter().take(FINDINGS);
        let own = incident.subjects.iter().take(FINDINGS);
        let standing: Standing<'_> = findings()
            .map(|f| &f.subject)
            .chain(own)
            .map(|subject| (subject, cluster.nodes_of(subject)))
            .collect();
        let signs: Vec<Sign> = findings()
            .map(|finding| {
                let object = objects.place(finding.subject.to_string());
                sign(finding, object, self.step(cluster, finding))
            })
            .collect();
        let mut picture = Picture {
            signs,
            calls: needs(cluster, (findings(), &standing), &mut objects),
            window: Window {
                begins: seconds(incident.opened.0),
                ends: seconds(incident.closed.unwrap_or(self.now).0),
                step: STEP_S,
                others: Vec::new(),
            },
            told: vec![incident.title.clone()],
            ..Picture::default()
        };
        self.above_clusters(incident, &mut picture, &mut objects);
        let changes: Vec<Change> = changed::near(self, incident).into_iter().cloned().collect();
        for (at, change) in changes.iter().enumerate() {
            let on = cluster.touched(change, &standing);
            let on = on.map(|s| objects.place(s.to_string())).collect();
            picture.changes.push(made(change, at, on));
        }
        picture.objects = objects.names;
        let subjects = standing.keys();
        Some(Asked {
            picture,
            changes,
            subjects: subjects.map(|s| (s.to_string(), (*s).clone())).collect(),
        })
    }
}

impl World {
    /// Between two looks at what shows a finding, seconds: of its series, or of the readings that
    /// its state was made of.
    fn step(&self, cluster: &ClusterState, finding: &Finding) -> f64 {
        let of_series = finding.evidence.iter().find_map(|e| match e {
            Evidence::Series(key) => self.store.lookup(cluster.id, key),
            _ => None,
        });
        let group = match finding.subject {
            Subject::Gpu { .. } => Some(Group::Gpu),
            Subject::Clock { .. } => Some(Group::Ptp),
            Subject::Nic { .. } => Some(Group::Sriov),
            Subject::Model { .. } => Some(Group::Serving),
            _ => None,
        };
        let of_group = group.filter(|_| finding.kind == FindingKind::State);
        let interval_ms = match (of_series, of_group) {
            (Some(id), _) => self.store.interval_ms(id),
            (None, Some(group)) => cluster.asked_each_ms(group),
            (None, None) => 0,
        };
        match interval_ms {
            0 => STEP_S,
            ms => f64::from(ms) / 1000.0,
        }
    }
}

fn sign(finding: &Finding, object: usize, step: f64) -> Sign {
    let query = finding.evidence.iter().find_map(|e| match e {
        Evidence::Series(key) => Some(key.to_string()),
        _ => None,
    });
    Sign {
        object,
        name: finding.signal.to_string(),
        text: finding.text.clone(),
        score: finding.score,
        hard: matches!(finding.kind, FindingKind::State | FindingKind::Unreachable),
        since: seconds(finding.since.0),
        step,
        before: finding.earlier,
        origin: finding.method.clone(),
        query,
    }
}

/// A change as it took effect on these; of what nobody watched at the earliest it can have.
fn made(change: &Change, at: usize, on: Vec<usize>) -> Made {
    let live = seconds(change.unwatched.unwrap_or(change.at).0);
    Made {
        id: at.to_string(),
        at: live,
        live: on.into_iter().map(|object| (Some(object), live)).collect(),
        seen: change.unwatched.map(|_| seconds(change.at.0)),
        text: format!("{} {}", change.subject.1, change.what),
        ..Made::default()
    }
}

pub fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// A node that cannot be reached, or says so itself.
fn is_gone(finding: &Finding) -> bool {
    let text = finding.text.to_lowercase();
    let says = ["not ready", "ready is unknown"];
    finding.kind == FindingKind::Unreachable || says.iter().any(|s| text.contains(s))
}

/// Who needs whom among what an incident is about, and the nodes that all of it stands on.
fn needs<'a>(
    cluster: &ClusterState,
    (findings, standing): (impl Iterator<Item = &'a Finding> + Clone, &Standing<'_>),
    objects: &mut Objects,
) -> Vec<(usize, usize)> {
    let subjects: BTreeSet<&Subject> = findings.clone().map(|f| &f.subject).collect();
    // A node takes its devices with it when it is gone; else their trouble is what it shows.
    let gone: BTreeSet<&Subject> = findings
        .filter(|f| is_gone(f))
        .map(|f| &f.subject)
        .collect();
    let mut calls = BTreeSet::new();
    let mut add = |who: &Subject, needed: &Subject| {
        if who != needed {
            let who = objects.place(who.to_string());
            calls.insert((who, objects.place(needed.to_string())));
        }
    };
    for subject in &subjects {
        let nodes = standing.get(subject).map_or(&[][..], Vec::as_slice);
        for node in nodes {
            let node = Subject::Node(node.to_string());
            let device = matches!(
                subject,
                Subject::Gpu { .. } | Subject::Clock { .. } | Subject::Nic { .. }
            );
            if device && !gone.contains(&node) {
                add(&node, subject);
            } else {
                add(subject, &node);
            }
        }
        for other in &subjects {
            if cluster.depends((subject, nodes), other) {
                add(subject, other);
            }
        }
    }
    calls.into_iter().collect()
}

impl ClusterState {
    /// Whether trouble of the second becomes trouble of the first, which stands on these nodes.
    fn depends(&self, (who, nodes): (&Subject, &[Arc<str>]), needed: &Subject) -> bool {
        use Subject::{App, Clock, Gpu, Model, Namespace, Nic, Pod, Workload};
        match (who, needed) {
            // A pod does not hurt the devices of its node; they hurt it.
            (
                Pod { .. } | Model { .. },
                Gpu { node, .. } | Clock { node, .. } | Nic { node, .. },
            ) => nodes.iter().any(|own| own.as_ref() == node),
            (Workload { namespace, name }, Pod { namespace: of, pod }) => {
                let key = (of.as_str().into(), pod.as_str().into());
                let held = self.pods.get(&key).and_then(|p| p.controller());
                namespace == of && held.is_some_and(|(_, owner)| owner == name)
            }
            (
                Model { namespace, .. } | Namespace(namespace),
                Pod { namespace: of, .. } | Workload { namespace: of, .. },
            ) => !namespace.is_empty() && namespace == of,
            (Workload { namespace, .. }, App { runs_in, .. }) => {
                runs_in.as_ref() == Some(namespace)
            }
            _ => false,
        }
    }
}

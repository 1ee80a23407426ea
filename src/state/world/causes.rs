//! What is known of an incident, as the engine wants it: signs, what needs what, and changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::cause::picture::{Change as Made, Picture, Sign, Window};
use crate::cause::{self, Cause, Ranking, What};
use crate::incident::Incident;
use crate::model::change::Change;
use crate::model::finding::{Evidence, Finding, FindingKind, Subject};

use super::{ClusterState, World, changed};

/// Findings that are looked at, earliest first: more of one incident tell nothing new.
const FINDINGS: usize = 64;
/// Nothing is known to be earlier by less: an interval of scraping, seconds.
const STEP_S: f64 = 60.0;
/// Incidents that open this near to each other, with the same sign, began together, milliseconds.
const TOGETHER_MS: i64 = 120_000;
/// So many clusters at once are no chance.
const CLUSTERS: usize = 3;

/// Answers told of each question, and evidence of each.
const WORDS: usize = 4;
/// Less likely ones are not told.
pub const LEAST: f64 = 0.02;

/// The ranking of one incident, with the names that it ranks.
#[derive(Clone, Debug, Default)]
pub struct Causes {
    pub ranking: Ranking,
    objects: Vec<String>,
    changes: Vec<Change>,
}

impl Causes {
    /// The object of a cause, or nothing for a change and "none".
    pub fn object(&self, cause: &Cause) -> Option<&str> {
        match cause.what {
            What::Object(at) => self.objects.get(at).map(String::as_str),
            _ => None,
        }
    }

    pub fn change(&self, cause: &Cause) -> Option<&Change> {
        match cause.what {
            What::Change(at) => self.changes.get(at),
            _ => None,
        }
    }

    /// The object or the change in words.
    pub fn name(&self, cause: &Cause) -> String {
        match (self.object(cause), self.change(cause)) {
            (Some(object), _) => object.to_owned(),
            (_, Some(change)) => change.words(),
            _ => "none of these".to_owned(),
        }
    }

    /// The likely ones in lines of words, each begun with a line break.
    pub fn words(&self) -> String {
        let mut out = String::new();
        let questions = [
            ("began at", &self.ranking.places),
            ("changed before", &self.ranking.changes),
        ];
        for (question, list) in questions {
            let likely = list.iter().filter(|c| c.probability >= LEAST);
            for cause in likely.take(WORDS) {
                let at = self.change(cause);
                let at = at.map(|c| format!("{}{} ", c.when(), c.at.rfc3339()));
                let (percent, name) = (cause.percent(), self.name(cause));
                let at = at.unwrap_or_default();
                out.push_str(&format!("\n- {question}: {percent} {at}{name}"));
                for e in cause
                    .evidence
                    .iter()
                    .filter(|e| !e.says.is_empty())
                    .take(WORDS)
                {
                    out.push_str(&format!("\n  {:+.1} {} ({})", e.weight, e.says, e.origin));
                }
                if let Some(query) = &cause.confirm {
                    out.push_str(&format!("\n  confirm by {query}"));
                }
            }
        }
        out
    }

    /// The change that ranks first, if any change is more likely than none.
    pub fn blamed(&self) -> Option<&Change> {
        self.change(self.ranking.change()?)
    }
}

/// Objects by name, as they come in.
#[derive(Default)]
struct Objects {
    names: Vec<String>,
    places: BTreeMap<String, usize>,
}

impl Objects {
    fn place(&mut self, name: String) -> usize {
        let next = self.names.len();
        let place = *self.places.entry(name.clone()).or_insert(next);
        if place == next {
            self.names.push(name);
        }
        place
    }
}

impl World {
    /// Where an incident began, and what was changed before: likely first.
    pub fn causes(&self, incident: &Incident) -> Causes {
        let Some(cluster) = self.cluster(incident.cluster) else {
            return Causes::default();
        };
        let mut objects = Objects::default();
        let findings = || incident.findings.iter().take(FINDINGS);
        let signs: Vec<Sign> = findings()
            .map(|finding| sign(finding, objects.place(finding.subject.to_string())))
            .collect();
        let mut picture = Picture {
            signs,
            calls: needs(cluster, findings(), &mut objects),
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
            let on = cluster.touched(change, incident).into_iter();
            let live = seconds(change.unwatched.unwrap_or(change.at).0);
            picture.changes.push(Made {
                id: at.to_string(),
                at: live,
                live: on
                    .map(|s| (Some(objects.place(s.to_string())), live))
                    .collect(),
                text: format!("{} {}", change.subject.1, change.what),
                ..Made::default()
            });
        }
        picture.objects = objects.names;
        let mut ranking = cause::rank(&picture);
        let subjects: BTreeMap<String, &Subject> = incident
            .subjects
            .iter()
            .map(|s| (s.to_string(), s))
            .collect();
        for place in &mut ranking.places {
            if let (What::Object(at), Some(query)) = (place.what, &mut place.confirm)
                && let Some(name) = picture.objects.get(at)
            {
                *query = filled(query, name, subjects.get(name).copied());
            }
        }
        Causes {
            ranking,
            objects: picture.objects,
            changes,
        }
    }

    /// The same sign at the same time in several clusters points above them.
    fn above_clusters(&self, incident: &Incident, picture: &mut Picture, objects: &mut Objects) {
        let Some(lead) = incident.lead() else {
            return;
        };
        let mut clusters = vec![incident.cluster];
        let (mut first, mut last) = (incident.opened, incident.opened);
        for other in &self.incidents {
            let near = (other.opened.0 - incident.opened.0).abs() <= TOGETHER_MS;
            let same = || {
                other
                    .lead()
                    .is_some_and(|l| (&l.signal, l.kind) == (&lead.signal, lead.kind))
            };
            if near && !clusters.contains(&other.cluster) && same() {
                clusters.push(other.cluster);
                (first, last) = (first.min(other.opened), last.max(other.opened));
            }
        }
        if clusters.len() < CLUSTERS {
            return;
        }
        clusters.sort_unstable();
        let names = clusters.iter().filter_map(|id| self.cluster(*id));
        let names: Vec<&str> = names.map(|c| c.name.as_ref()).take(4).collect();
        let more = clusters.len().saturating_sub(names.len());
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let above = objects.place("what these clusters share".to_owned());
        let ill: BTreeSet<usize> = picture.signs.iter().map(|s| s.object).collect();
        picture
            .calls
            .extend(ill.iter().map(|object| (*object, above)));
        let spread = (last.0 - first.0) / 1000;
        picture.signs.push(Sign {
            object: above,
            name: lead.signal.to_string(),
            text: format!(
                "{} began within {spread} s in {}{more}",
                lead.signal,
                names.join(", ")
            ),
            score: 1.0 - 0.5_f64.powi(clusters.len() as i32 - 1),
            hard: false,
            since: seconds(first.0.min(incident.opened.0)),
            origin: "incidents of all clusters".to_owned(),
            query: None,
        });
    }
}

fn sign(finding: &Finding, object: usize) -> Sign {
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
        origin: finding.method.clone(),
        query,
    }
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// Who needs whom among what an incident is about, and the nodes that all of it stands on.
fn needs<'a>(
    cluster: &ClusterState,
    findings: impl Iterator<Item = &'a Finding> + Clone,
    objects: &mut Objects,
) -> Vec<(usize, usize)> {
    let subjects: BTreeSet<&Subject> = findings.clone().map(|f| &f.subject).collect();
    // A node takes its devices with it when it is gone; else their trouble is what it shows.
    let gone = |node: &Subject| {
        let mut own = findings.clone().filter(|f| f.subject == *node);
        own.any(|f| {
            f.text.to_lowercase().contains("not ready") || f.kind == FindingKind::Unreachable
        })
    };
    let standing: Vec<(&Subject, Vec<Arc<str>>)> = subjects
        .iter()
        .map(|subject| (*subject, cluster.nodes_of(subject)))
        .collect();
    let mut calls = BTreeSet::new();
    let mut add = |who: &Subject, needed: &Subject| {
        if who != needed {
            let who = objects.place(who.to_string());
            calls.insert((who, objects.place(needed.to_string())));
        }
    };
    for (subject, nodes) in &standing {
        for node in nodes {
            let node = Subject::Node(node.to_string());
            let device = matches!(
                subject,
                Subject::Gpu { .. } | Subject::Clock { .. } | Subject::Nic { .. }
            );
            if device && !gone(&node) {
                add(&node, subject);
            } else {
                add(subject, &node);
            }
        }
        for (other, _) in &standing {
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

/// A query with its places filled in from what it is about.
fn filled(query: &str, name: &str, subject: Option<&Subject>) -> String {
    let node = subject
        .and_then(Subject::node)
        .or_else(|| name.strip_prefix("node "))
        .unwrap_or(".+");
    let namespace = subject.and_then(Subject::namespace).unwrap_or(".+");
    let own = match subject {
        Some(Subject::Pod { pod, .. }) => pod,
        Some(Subject::Workload { name, .. }) => name,
        _ => "",
    };
    let filled = query
        .replace("{node}", node)
        .replace("{namespace}", namespace);
    // What is not known is any: a matcher that takes it.
    filled.replace("{name}", own).replace("=\".+\"", "=~\".+\"")
}

#[cfg(test)]
mod tests;

//! The causes of an incident: what is looked up of it in the world, and the ranking made of that.

use std::collections::BTreeMap;

use crate::cause::picture::Picture;
use crate::cause::{self, Cause, Ranking, What};
use crate::incident::Incident;
use crate::model::change::Change;
use crate::model::finding::Subject;
use crate::model::id::IncidentId;
use crate::model::time::Timestamp;

use super::World;

mod above;
mod gather;
mod held;

pub use held::Rankings;

/// Answers told of each question, and evidence of each.
const WORDS: usize = 4;
/// Less likely ones are not told.
pub const LEAST: f64 = 0.02;
/// A change that is named in short, with how likely it is.
const LIKELY: f64 = 0.2;
/// So many signs, and so many changes, are ranked in a fraction of a millisecond.
const LITTLE: usize = 16;

/// The ranking of one incident, with the names that it ranks.
#[derive(Clone, Debug, Default)]
pub struct Causes {
    pub ranking: Ranking,
    objects: Vec<String>,
    changes: Vec<Change>,
}

impl Causes {
    /// A ranking was made: it holds "none of these" at least.
    pub fn is_known(&self) -> bool {
        !self.ranking.places.is_empty()
    }

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
            ("change to blame", &self.ranking.changes),
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

    /// The likeliest change, if it is likely at all; "none" may be likelier.
    pub fn likely_change(&self) -> Option<(&Cause, &Change)> {
        let mut causes = self.ranking.changes.iter();
        let first = causes.find(|c| c.what != What::None)?;
        let change = self.change(first)?;
        (first.probability >= LIKELY).then_some((first, change))
    }
}

/// What the causes of an incident hang on: while it is the same, they are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    pub incident: IncidentId,
    /// Last sign, and number of findings.
    changed: Timestamp,
    findings: usize,
    /// Changes of its cluster that were ever taken in.
    changes: u64,
    /// Incidents of other clusters that say the same at the same time.
    together: Vec<IncidentId>,
}

/// All that the ranking of one incident is made of: looked up at once, ranked anywhere.
#[derive(Clone, Debug)]
pub struct Asked {
    picture: Picture,
    changes: Vec<Change>,
    /// By its words, for the places in a query.
    subjects: BTreeMap<String, Subject>,
}

impl Asked {
    /// So little that it is no matter where it is ranked.
    pub fn is_little(&self) -> bool {
        self.picture.signs.len() <= LITTLE && self.changes.len() <= LITTLE
    }

    pub fn ranked(&self) -> Causes {
        let mut ranking = cause::rank(&self.picture);
        for place in &mut ranking.places {
            if let (What::Object(at), Some(query)) = (place.what, &mut place.confirm)
                && let Some(name) = self.picture.objects.get(at)
            {
                *query = filled(query, name, self.subjects.get(name));
            }
        }
        Causes {
            ranking,
            objects: self.picture.objects.clone(),
            changes: self.changes.clone(),
        }
    }
}

impl World {
    /// What its causes hang on now.
    pub fn causes_basis(&self, incident: &Incident) -> Basis {
        let together = self.together(incident);
        Basis {
            incident: incident.id,
            changed: incident.changed,
            findings: incident.findings.len(),
            changes: self.cluster(incident.cluster).map_or(0, |c| c.changes_told),
            together: together.iter().map(|i| i.id).collect(),
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

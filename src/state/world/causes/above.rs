//! The same sign at the same time in several clusters points above them.

use std::collections::BTreeSet;

use crate::cause::picture::{Picture, Sign};
use crate::incident::Incident;
use crate::model::finding::{Finding, FindingKind};
use crate::state::world::World;

use super::gather::{Objects, STEP_S, seconds};

/// Incidents that open this near to each other, with the same sign, began together, milliseconds.
const TOGETHER_MS: i64 = 120_000;
/// So many clusters at once are no chance.
const CLUSTERS: usize = 3;

impl World {
    /// Incidents of other clusters that say the same and opened at the same time, one of each. Of
    /// what began before our data nobody knows that it was together.
    pub(super) fn together(&self, incident: &Incident) -> Vec<&Incident> {
        let mut found: Vec<&Incident> = Vec::new();
        let Some(lead) = incident.lead().filter(|l| !l.earlier) else {
            return found;
        };
        let same = |l: &Finding| !l.earlier && says(l) == says(lead);
        for other in &self.incidents {
            let near = (other.opened.0 - incident.opened.0).abs() <= TOGETHER_MS;
            let own = other.cluster == incident.cluster;
            if near && !own && found.iter().all(|f| f.cluster != other.cluster) {
                found.extend(other.lead().is_some_and(same).then_some(other));
            }
        }
        found
    }

    pub(super) fn above_clusters(
        &self,
        incident: &Incident,
        picture: &mut Picture,
        objects: &mut Objects,
    ) {
        let together = self.together(incident);
        let count = together.len() + 1;
        let Some(lead) = incident.lead().filter(|_| count >= CLUSTERS) else {
            return;
        };
        let all = || std::iter::once(incident).chain(together.iter().copied());
        let clusters: BTreeSet<_> = all().map(|i| i.cluster).collect();
        let names = clusters.iter().filter_map(|id| self.cluster(*id));
        let names: Vec<&str> = names.map(|c| c.name.as_ref()).take(4).collect();
        let more = match count.saturating_sub(names.len()) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let first = all().map(|i| i.opened.0).min().unwrap_or(incident.opened.0);
        let last = all().map(|i| i.opened.0).max().unwrap_or(first);
        let above = objects.place("what these clusters share".to_owned());
        let ill: BTreeSet<usize> = picture.signs.iter().map(|s| s.object).collect();
        picture
            .calls
            .extend(ill.iter().map(|object| (*object, above)));
        let what = match says(lead) {
            (FindingKind::Alert, _, alert) => alert.to_owned(),
            (_, signal, told) => format!("{signal} {told}").trim_end().to_owned(),
        };
        picture.signs.push(Sign {
            object: above,
            name: lead.signal.to_string(),
            text: format!(
                "{what} began within {} s in {}{more}",
                (last - first) / 1000,
                names.join(", ")
            ),
            score: 1.0 - 0.5_f64.powi(together.len() as i32),
            since: seconds(first),
            step: STEP_S,
            origin: "incidents of all clusters".to_owned(),
            ..Sign::default()
        });
    }
}

/// What a finding says, whatever it is of: its signal says nothing of an alert and little of a
/// state. Alerts go by their name, states by the end of their key.
fn says(finding: &Finding) -> (FindingKind, &str, &str) {
    let told = match finding.kind {
        FindingKind::Alert => finding.text.split(':').next(),
        FindingKind::State => finding.key.rsplit('/').next(),
        _ => None,
    };
    (finding.kind, &finding.signal, told.unwrap_or_default())
}

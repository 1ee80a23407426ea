//! The same sign at the same time in several clusters points above them.

use std::collections::BTreeSet;

use crate::cause::picture::{Picture, Sign};
use crate::incident::Incident;
use crate::model::finding::{Finding, FindingKind};
use crate::model::health::CLOCK_ERROR_MS;
use crate::model::id::ClusterId;
use crate::state::world::{Apart, World};

use super::gather::{Objects, STEP_S, seconds};

/// Incidents that open this near to each other, with the same sign, began together, milliseconds.
const TOGETHER_MS: i64 = 120_000;
/// So many clusters at once are no chance.
const CLUSTERS: usize = 3;

impl World {
    /// Incidents of other clusters that say the same and opened at the same time, one of each. Of
    /// what began before our data nobody knows that it was together.
    pub(in crate::state::world) fn together(&self, incident: &Incident) -> Vec<&Incident> {
        let mut found: Vec<&Incident> = Vec::new();
        let Some(lead) = incident.lead().filter(|l| !l.earlier) else {
            return found;
        };
        let same = |l: &Finding| !l.earlier && says(l) == says(lead);
        for other in &self.incidents {
            let near = self.onsets(incident, other).ms.abs() <= TOGETHER_MS;
            // What another console says of the same is no second witness.
            let own = other.cluster == incident.cluster || other.is_ours() != incident.is_ours();
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
        let apart: Vec<Apart> = together.iter().map(|o| self.onsets(incident, o)).collect();
        let last = apart.iter().map(|a| a.ms).fold(0, i64::max);
        let first = apart.iter().map(|a| a.ms).fold(0, i64::min);
        // Who was first is known beyond the clocks only; the intervals are those of the signs.
        let surely = apart
            .iter()
            .filter_map(|a| Some(a.ms.saturating_add(a.slack_ms?)));
        let before_ms = surely.fold(0, i64::min);
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
                "{what} began within {} s in {}{more}{}",
                (last - first) / 1000,
                names.join(", "),
                self.clocks(&clusters)
            ),
            score: 1.0 - 0.5_f64.powi(together.len() as i32),
            since: seconds(incident.opened.plus_ms(before_ms).0),
            step: STEP_S,
            origin: "incidents of all clusters".to_owned(),
            ..Sign::default()
        });
    }
}

impl World {
    /// How long after an incident another of another cluster opened.
    fn onsets(&self, incident: &Incident, other: &Incident) -> Apart {
        let of = |i: &Incident| (i.cluster, i.opened);
        self.apart(of(incident), of(other))
    }

    /// What is to be said of the clocks that such times were read from.
    fn clocks(&self, clusters: &BTreeSet<ClusterId>) -> String {
        let each = clusters.iter().filter_map(|id| self.cluster(*id));
        let (known, unknown): (Vec<_>, Vec<_>) = each
            .map(|c| (c.name.as_ref(), c.skew()))
            .partition(|(_, skew)| skew.is_some());
        let off = || known.iter().filter_map(|(_, skew)| *skew).map(|s| s.off_ms);
        let between = off().max().unwrap_or(0) - off().min().unwrap_or(0);
        let mut words = String::new();
        if between > CLOCK_ERROR_MS {
            words.push_str(&format!("; their clocks are {} s apart", between / 1000));
        }
        if !unknown.is_empty() {
            let names: Vec<&str> = unknown.iter().map(|(name, _)| *name).take(4).collect();
            let more = match unknown.len().saturating_sub(names.len()) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let names = names.join(", ");
            words.push_str(&format!(
                "; not known how far the clocks of {names}{more} are off"
            ));
        }
        words
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

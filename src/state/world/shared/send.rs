//! What goes out to the team.

use super::super::World;
use crate::incident::Incident;
use crate::model::desk::Desk;
use crate::model::id::{ClusterId, IncidentId};
use crate::model::shared::{About, Doc, Line};

/// What the edge was given and nobody heard of since is given again after this time, milliseconds.
const AGAIN_MS: u64 = 10_000;
/// That an incident goes on is told so often, milliseconds: others then know it by its signs.
const GOES_ON_MS: u64 = 300_000;
/// Desks given away in one go.
const SENT: usize = 200;
/// Something is looked for so often also where nothing happened, milliseconds.
const SEEK_MS: u64 = 30_000;

impl World {
    /// Desks of which the bucket lacks something, merged with what it holds.
    pub fn unshared(&mut self) -> Vec<Doc> {
        let (now, team) = (self.now, &mut self.shared);
        let due = team.due || now.age_since_ms(team.sought) >= SEEK_MS;
        if !due || team.line != Line::Online {
            return Vec::new();
        }
        (team.due, team.sought) = (false, now);
        team.sent.retain(|_, at| now.age_since_ms(*at) < AGAIN_MS);
        let mut docs: Vec<Doc> = Vec::new();
        for incident in self.incidents.iter().filter(|i| i.is_ours()) {
            docs.extend(self.lacking(incident));
        }
        for ((cluster, key), said) in &self.desk.verdicts {
            docs.extend(self.unsaid(*cluster, key, said));
        }
        // Also what is in the bucket already: whatever reading makes of it, nothing goes round and
        // round faster than this.
        let team = &mut self.shared;
        docs.retain(|doc| !team.sent.contains_key(&doc.key()));
        team.due = docs.len() > SENT;
        docs.truncate(SENT);
        team.sent.extend(docs.iter().map(|doc| (doc.key(), now)));
        docs
    }

    /// Of an incident: under the key by which the team knows it already, else its own.
    fn lacking(&self, incident: &Incident) -> Option<Doc> {
        if incident.desk.is_empty() {
            return None;
        }
        let cluster = &self.cluster(incident.cluster)?.name;
        let now = self.shared.now(self.now);
        // The least of several: all consoles come to the same.
        let held = self.shared.docs.of(incident, cluster, now);
        let held = held.first();
        let silent = |held: &Doc| match held.about {
            About::Incident { until, .. } => {
                incident.is_live() && now.age_since_ms(until) >= GOES_ON_MS
            }
            About::Finding { .. } => false,
        };
        let lacks = match held {
            Some(held) => silent(held) || !held.desk.holds(&incident.desk),
            None => incident.is_live() || incident.desk.waiting() > 0,
        };
        let mut about = self.shared_about(incident).filter(|_| lacks)?;
        if let Some(held) = held {
            about.merge(&held.about);
            about = about.under(&held.about);
        }
        Some(Doc {
            about,
            desk: incident.desk.clone(),
        })
    }

    fn unsaid(&self, cluster: ClusterId, key: &std::sync::Arc<str>, said: &Desk) -> Option<Doc> {
        let about = About::Finding {
            cluster: self.cluster(cluster)?.name.clone(),
            key: key.clone(),
        };
        let lacks = match self.shared.docs.get(&about.key()) {
            Some(held) => !held.desk.holds(said),
            None => said.waiting() > 0 || said.verdict().is_some(),
        };
        lacks.then(|| Doc {
            about,
            desk: said.clone(),
        })
    }

    /// What is looked at, where the others do not know it yet.
    pub fn looks_at(&mut self, id: Option<IncidentId>) -> Option<Option<About>> {
        if !self.shared.is_on() {
            return None;
        }
        let found = id.and_then(|id| self.incidents.iter().find(|i| i.id == id && i.is_ours()));
        let about = found.and_then(|i| self.shared_about(i));
        let same = match (&self.shared.looked, &about) {
            (Some(Some(was)), Some(is)) => was.key() == is.key(),
            (Some(None), None) => true,
            _ => false,
        };
        if same {
            return None;
        }
        self.shared.looked = Some(about.clone());
        Some(about)
    }
}

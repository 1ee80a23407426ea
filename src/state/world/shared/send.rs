//! What goes out to the team.

use super::super::World;
use crate::incident::Incident;
use crate::model::desk::Desk;
use crate::model::id::{ClusterId, IncidentId};
use crate::model::shared::{About, DeskKey, Doc, Line};
use crate::model::time::Timestamp;

/// What the edge was given and nobody heard of since is given again after this time, milliseconds.
const AGAIN_MS: u64 = 10_000;
/// That an incident goes on is told so often, milliseconds: others then know it by its signs.
const GOES_ON_MS: u64 = 300_000;
/// Desks given away in one go.
const SENT: usize = 200;

impl World {
    /// Desks of which the bucket lacks something, merged with what it holds.
    pub fn unshared(&mut self) -> Vec<Doc> {
        // Something is looked for now and then also where nothing happened.
        let due = std::mem::take(&mut self.shared.due) || self.now.0 / 10_000 % 3 == 0;
        if !due || self.shared.line != Line::Online {
            return Vec::new();
        }
        let mut docs: Vec<Doc> = Vec::new();
        for incident in self.incidents.iter().filter(|i| i.is_ours()) {
            docs.extend(self.lacking(incident));
        }
        for ((cluster, key), said) in &self.desk.verdicts {
            docs.extend(self.unsaid(*cluster, key, said));
        }
        let (now, sent) = (self.now, &self.shared.sent);
        let lately = |at: &Timestamp| now.age_since_ms(*at) < AGAIN_MS;
        docs.retain(|doc| !sent.get(&doc.key()).is_some_and(lately));
        docs.truncate(SENT);
        for doc in &docs {
            self.shared.sent.insert(doc.key(), now);
        }
        docs
    }

    /// Of an incident: under the key by which the team knows it already, else its own.
    fn lacking(&self, incident: &Incident) -> Option<Doc> {
        if incident.desk.is_empty() {
            return None;
        }
        let mut about = self.shared_about(incident)?;
        let of_it = |(_, doc): &(&DeskKey, &Doc)| doc.about.is_same(&about);
        // The least of several: all consoles come to the same.
        let Some((_, held)) = self.shared.docs.iter().find(of_it) else {
            let wanted = incident.is_live() || incident.desk.waiting() > 0;
            return wanted.then(|| Doc {
                about,
                desk: incident.desk.clone(),
            });
        };
        let silent = match held.about {
            About::Incident { until, .. } => {
                incident.is_live() && self.now.age_since_ms(until) >= GOES_ON_MS
            }
            About::Finding { .. } => false,
        };
        if held.desk.holds(&incident.desk) && !silent {
            return None;
        }
        about.merge(&held.about);
        Some(Doc {
            about: about.under(&held.about),
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

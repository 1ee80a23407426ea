//! Entries of the bucket, found by what they are about: there are thousands, and whoever looks for
//! those of an incident between two frames looks at no other.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::incident::Incident;
use crate::model::shared::{About, DeskKey, Doc};
use crate::model::time::Timestamp;

/// Entries kept at most, also of incidents that this console has not found (yet).
pub(super) const DOCS: usize = 4_000;

#[derive(Debug, Default)]
pub(super) struct Docs {
    all: BTreeMap<DeskKey, Doc>,
    /// Entries in which this sign of this cluster stands.
    by_sign: HashMap<(Arc<str>, Arc<str>), BTreeSet<DeskKey>>,
}

impl Docs {
    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub fn get(&self, key: &DeskKey) -> Option<&Doc> {
        self.all.get(key)
    }

    /// In the place of what stood under its key. Of too many those go in which nobody wrote for the
    /// longest.
    pub fn put(&mut self, doc: Doc) {
        let key = doc.key();
        self.remove(key.as_str());
        for sign in signs(&doc.about) {
            self.by_sign.entry(sign).or_default().insert(key.clone());
        }
        self.all.insert(key, doc);
        if self.all.len() > DOCS {
            let last = |doc: &Doc| doc.desk.edits().last().map(|e| e.mark.ms);
            let oldest = self.all.iter().min_by_key(|(_, doc)| last(doc));
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                self.remove(key.as_str());
            }
        }
    }

    pub fn remove(&mut self, key: &str) {
        let Some(doc) = self.all.remove(key) else {
            return;
        };
        for sign in signs(&doc.about) {
            if let Some(keys) = self.by_sign.get_mut(&sign) {
                keys.remove(key);
                if keys.is_empty() {
                    self.by_sign.remove(&sign);
                }
            }
        }
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Those about this incident, by their keys: the first is the same on all consoles.
    pub fn of(&self, incident: &Incident, cluster: &Arc<str>, now: Timestamp) -> Vec<&Doc> {
        let own = DeskKey::of_incident(incident.id);
        let by_id = self.all.get_key_value(&own).map(|(key, _)| key);
        let each = incident.findings.iter();
        let by_sign = each.filter_map(|f| self.by_sign.get(&(cluster.clone(), f.key.clone())));
        let keys: BTreeSet<&DeskKey> = by_id.into_iter().chain(by_sign.flatten()).collect();
        let docs = keys.into_iter().filter_map(|key| self.all.get(key));
        docs.filter(|doc| doc.about.is_of(incident, cluster, now))
            .collect()
    }
}

/// Under which an entry is found, beside its key.
fn signs(about: &About) -> Vec<(Arc<str>, Arc<str>)> {
    match about {
        About::Incident { cluster, keys, .. } => {
            keys.iter().map(|k| (cluster.clone(), k.clone())).collect()
        }
        About::Finding { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests;

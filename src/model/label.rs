//! Label sets: sorted, cheap to clone, shared.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

type Pairs = Arc<[(Arc<str>, Arc<str>)]>;

/// Labels sorted by name, no empty values (Prometheus: an empty label is an absent one).
#[derive(Clone)]
pub struct Labels {
    pairs: Pairs,
    /// Of the pairs; made once, because every sample is found by its labels.
    hash: u64,
}

impl Default for Labels {
    fn default() -> Self {
        Self::of(Arc::from([]))
    }
}

impl Labels {
    fn of(pairs: Pairs) -> Self {
        // One seed for the whole process, drawn at its start.
        let state = SeedableRandomState::with_seed(0, SharedSeed::global_random());
        let hash = state.hash_one(&pairs);
        Self { pairs, hash }
    }

    /// Sorts, drops empty values, and keeps the first of two labels with one name.
    pub fn new(mut pairs: Vec<(Arc<str>, Arc<str>)>) -> Self {
        pairs.retain(|(_, value)| !value.is_empty());
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        pairs.dedup_by(|b, a| a.0 == b.0);
        Self::of(pairs.into())
    }

    pub fn from_pairs<N: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Self::new(
            pairs
                .into_iter()
                .map(|(n, v)| (Arc::from(n.as_ref()), Arc::from(v.as_ref())))
                .collect(),
        )
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .binary_search_by(|(n, _)| n.as_ref().cmp(name))
            .ok()
            .and_then(|i| self.pairs.get(i))
            .map(|(_, v)| v.as_ref())
    }

    /// The first of `names` that is present: exporters spell one thing in several ways.
    pub fn first_of(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|n| self.get(n))
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(n, v)| (n.as_ref(), v.as_ref()))
    }

    /// The shared texts themselves; for interning.
    pub fn pairs(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.pairs
    }

    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    pub fn without(&self, names: &[&str]) -> Self {
        Self::of(
            self.pairs
                .iter()
                .filter(|(n, _)| !names.contains(&n.as_ref()))
                .cloned()
                .collect(),
        )
    }
}

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        // A set or a text that is shared is the same without being read.
        let same = |a: &Arc<str>, b: &Arc<str>| Arc::ptr_eq(a, b) || a == b;
        Arc::ptr_eq(&self.pairs, &other.pairs)
            || self.hash == other.hash
                && self.pairs.len() == other.pairs.len()
                && self
                    .pairs
                    .iter()
                    .zip(other.pairs.iter())
                    .all(|(a, b)| same(&a.0, &b.0) && same(&a.1, &b.1))
    }
}

impl Eq for Labels {}

impl Hash for Labels {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        self.pairs.cmp(&other.pairs)
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Labels").field(&self.pairs).finish()
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.pairs.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Pairs::deserialize(deserializer).map(Self::of)
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (name, value)) in self.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{name}={value:?}")?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_labels_are_equal_however_they_came() {
        let a = Labels::from_pairs([("node", "n1"), ("gpu", "0")]);
        let written = serde_json::to_string(&a).unwrap();
        let b: Labels = serde_json::from_str(&written).unwrap();
        let c = Labels::from_pairs([("x", "y"), ("gpu", "0"), ("node", "n1")]).without(&["x"]);
        assert_eq!((&a, &a), (&b, &c));
        let found = std::collections::HashSet::from([a]);
        assert!(found.contains(&b) && found.contains(&c));
        assert_ne!(b, Labels::from_pairs([("node", "n1"), ("gpu", "1")]));
    }

    #[test]
    fn sorts_and_drops_empty() {
        let l = Labels::from_pairs([("pod", ""), ("node", "n1"), ("a", "x")]);
        assert_eq!(l.to_string(), r#"{a="x", node="n1"}"#);
        assert_eq!(l.get("node"), Some("n1"));
        assert_eq!(l.get("pod"), None);
        assert_eq!(l.first_of(&["Hostname", "node"]), Some("n1"));
    }
}

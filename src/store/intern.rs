//! One copy of each label text and of each label set, counted.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::model::label::Labels;

/// Bookkeeping of a shared text or set beside its content, bytes.
const ENTRY: u64 = 56;

type Pair = (Arc<str>, Arc<str>);

#[derive(Debug, Default)]
pub(crate) struct Interner {
    texts: HashMap<Arc<str>, u32, RandomState>,
    sets: HashMap<Labels, u32, RandomState>,
    bytes: u64,
}

impl Interner {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn text(&mut self, text: &Arc<str>) -> Arc<str> {
        if let Some((kept, _)) = self.texts.get_key_value(text) {
            let kept = kept.clone();
            if let Some(uses) = self.texts.get_mut(text) {
                *uses += 1;
            }
            return kept;
        }
        self.bytes += text.len() as u64 + ENTRY;
        self.texts.insert(text.clone(), 1);
        text.clone()
    }

    pub(crate) fn labels(&mut self, labels: &Labels) -> Labels {
        if let Some((kept, _)) = self.sets.get_key_value(labels) {
            let kept = kept.clone();
            if let Some(uses) = self.sets.get_mut(labels) {
                *uses += 1;
            }
            return kept;
        }
        let pairs: Vec<_> = labels
            .pairs()
            .iter()
            .map(|(n, v)| (self.text(n), self.text(v)))
            .collect();
        let same = |(a, b): (&Pair, &Pair)| Arc::ptr_eq(&a.0, &b.0) && Arc::ptr_eq(&a.1, &b.1);
        let kept = if pairs.iter().zip(labels.pairs()).all(same) {
            // Whoever tells of the series again with this very set is understood at once.
            labels.clone()
        } else {
            Labels::new(pairs)
        };
        self.bytes += set_bytes(&kept);
        self.sets.insert(kept.clone(), 1);
        kept
    }

    pub(crate) fn drop_text(&mut self, text: &Arc<str>) {
        let Some(uses) = self.texts.get_mut(text) else {
            return;
        };
        *uses -= 1;
        if *uses == 0 {
            self.texts.remove(text);
            self.bytes = self.bytes.saturating_sub(text.len() as u64 + ENTRY);
        }
    }

    pub(crate) fn drop_labels(&mut self, labels: &Labels) {
        let Some(uses) = self.sets.get_mut(labels) else {
            return;
        };
        *uses -= 1;
        if *uses > 0 {
            return;
        }
        self.sets.remove(labels);
        self.bytes = self.bytes.saturating_sub(set_bytes(labels));
        for (name, value) in labels.pairs() {
            self.drop_text(name);
            self.drop_text(value);
        }
    }
}

fn set_bytes(labels: &Labels) -> u64 {
    ENTRY + 32 * labels.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_gives_back() {
        let mut interner = Interner::default();
        let a = interner.labels(&Labels::from_pairs([("node", "n1"), ("gpu", "0")]));
        let b = interner.labels(&Labels::from_pairs([("node", "n1"), ("gpu", "1")]));
        let again = interner.labels(&Labels::from_pairs([("node", "n1"), ("gpu", "0")]));
        let (first, second) = (a.pairs(), b.pairs());
        assert!(Arc::ptr_eq(&first[1].1, &second[1].1), "n1 is held once");
        assert!(
            std::ptr::eq(a.pairs(), again.pairs()),
            "the set is held once"
        );
        for labels in [&a, &b, &again] {
            interner.drop_labels(labels);
        }
        assert_eq!((interner.bytes(), interner.texts.len()), (0, 0));
    }
}

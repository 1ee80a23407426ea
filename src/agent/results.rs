//! Whole results of the last runs: the model and the operator see a digest, and may open more.

use std::collections::VecDeque;

use super::tools::whole::Whole;
use crate::model::chat::RunId;

/// Results kept, and about how many bytes they may take together; older ones are let go.
const MOST: usize = 64;
const BYTES: usize = 64 << 20;

#[derive(Debug, Default)]
pub struct Results(VecDeque<((RunId, u32), Whole)>);

impl Results {
    /// One that alone is too large is not kept.
    pub fn keep(&mut self, run: RunId, number: u32, whole: Whole) {
        if whole.bytes() > BYTES {
            return;
        }
        self.0.push_back(((run, number), whole));
        let size = |all: &Self| all.0.iter().map(|(_, whole)| whole.bytes()).sum::<usize>();
        while self.0.len() > MOST || size(self) > BYTES {
            self.0.pop_front();
        }
    }

    pub fn get(&self, run: RunId, number: u32) -> Option<Whole> {
        let found = self.0.iter().rev().find(|(key, _)| *key == (run, number));
        found.map(|(_, whole)| whole.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::RequestId;

    #[test]
    fn the_newest_are_kept_within_bounds() {
        let mut results = Results::default();
        let text = |n: usize| Whole::Text("x".repeat(n).into());
        for number in 0..100 {
            results.keep(RequestId(1), number, text(10));
        }
        assert_eq!(results.get(RequestId(1), 35), None);
        assert_eq!(results.get(RequestId(1), 99), Some(text(10)));
        results.keep(RequestId(2), 1, text(BYTES + 1));
        assert_eq!(results.get(RequestId(2), 1), None);
        results.keep(RequestId(2), 2, text(BYTES));
        assert_eq!(results.0.len(), 1, "all others gave way");
    }
}

//! Queries that were run, and those that the operator saved under a name.

use std::collections::VecDeque;

use super::Offer;
use super::list::{Best, List, Rater};

/// Queries that are remembered.
const MOST: usize = 200;

/// A query with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    pub name: String,
    pub query: String,
}

#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Oldest first.
    queries: VecDeque<String>,
    saved: Vec<Saved>,
}

impl Past {
    pub fn add(&mut self, query: &str) {
        self.queries.retain(|q| q != query);
        self.queries.push_back(query.to_owned());
        while self.queries.len() > MOST {
            self.queries.pop_front();
        }
    }

    pub fn set_saved(&mut self, saved: Vec<Saved>) {
        self.saved = saved;
    }

    pub fn len(&self) -> usize {
        self.queries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.queries.is_empty()
    }

    /// The query run so many before; 1: the last one.
    pub fn before(&self, back: usize) -> Option<&str> {
        let place = self.queries.len().checked_sub(back)?;
        self.queries.get(place).map(String::as_str)
    }

    /// Those that match: newest first, then the saved ones.
    pub(super) fn list(&self, typed: &str) -> List {
        let mut best = Best::default();
        let mut rater = Rater::new(typed);
        for query in self.queries.iter().rev() {
            if let Some(score) = rater.rate(query) {
                let offer = Offer {
                    text: query,
                    kind: "earlier",
                    help: "",
                    puts: query,
                };
                best.add(score, offer, 0);
            }
        }
        for saved in &self.saved {
            let scores = (rater.rate(&saved.name), rater.rate(&saved.query));
            if let Some(score) = scores.0.max(scores.1) {
                let offer = Offer {
                    text: &saved.name,
                    kind: "saved",
                    help: &saved.query,
                    puts: &saved.query,
                };
                best.add(score, offer, 0);
            }
        }
        let (rows, matched) = best.rows(!typed.is_empty());
        List::whole(rows, matched)
    }
}

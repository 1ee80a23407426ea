//! What people did about an incident or a finding: a set of edits that any two consoles can lay
//! together, in whatever order, as often as they like, and come to the same.
//!
//! Of each field the edit with the greatest [`Mark`] holds. An edit is always later than what its
//! author had in view, whatever the clocks say, so that nobody wins for ever by a clock that is
//! ahead. The newest edits of each field stay: they are the history.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::incident::{Stamp, Verdict};
use super::time::Timestamp;

mod edit;
mod written;

pub use edit::{Edit, Field, Mark, NAME, NOTE, PIN, Score, What};
use written::Written;

/// Who edits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hand {
    pub by: Arc<str>,
    /// Tells two consoles of one operator apart; random.
    pub console: Arc<str>,
}

/// An edit that gave way to one whose author did not know of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clash<'a> {
    pub lost: &'a Edit,
    pub won: &'a Edit,
}

/// What people did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "Written", from = "Written")]
pub struct Desk {
    /// In their order, each once.
    edits: Vec<Edit>,
    /// Those made here that the team does not have yet.
    unsent: BTreeSet<Mark>,
}

impl Desk {
    /// Of edits as they come from outside; how many were left out.
    pub fn of(edits: Vec<Edit>) -> (Self, usize) {
        let before = edits.len();
        let edits: Vec<Edit> = edits.into_iter().filter_map(Edit::safe).collect();
        let left_out = before - edits.len();
        let mut desk = Self::default();
        desk.lay(edits);
        (desk, left_out)
    }

    /// Oldest first.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Takes in what others did. Whether anything is new.
    pub fn merge(&mut self, other: &Self) -> bool {
        self.lay(other.edits.iter().cloned())
    }

    /// Takes in what others did to one field.
    pub fn merge_field(&mut self, field: Field, other: &Self) -> bool {
        self.lay(other.edits.iter().filter(|e| e.is_of(field)).cloned())
    }

    /// Nothing in the other would be new here.
    pub fn holds(&self, other: &Self) -> bool {
        let new = other.edits.iter().any(|e| self.place(e).is_err());
        // What is too old to be kept is no news.
        !new || !self.clone().merge(other)
    }

    fn place(&self, edit: &Edit) -> Result<usize, usize> {
        self.edits.binary_search(edit)
    }

    fn lay(&mut self, edits: impl IntoIterator<Item = Edit>) -> bool {
        let edits = edits.into_iter();
        let mut came: Vec<Edit> = edits.filter(|e| self.place(e).is_err()).collect();
        if came.is_empty() {
            return false;
        }
        came.sort();
        came.dedup();
        self.edits.extend(came.iter().cloned());
        self.edits.sort();
        self.trim();
        came.iter().any(|edit| self.place(edit).is_ok())
    }

    /// Leaves the newest of each field: the newest of all are among the newest of each console, so
    /// that it does not matter when each of them trims.
    fn trim(&mut self) {
        for field in Field::ALL {
            let many = self.edits.iter().filter(|e| e.is_of(field)).count();
            let mut old = many.saturating_sub(field.most());
            self.edits.retain(|edit| {
                let goes = old > 0 && edit.is_of(field);
                old -= usize::from(goes);
                !goes
            });
        }
        let edits = &self.edits;
        self.unsent
            .retain(|mark| edits.iter().any(|e| e.mark == *mark));
    }

    /// Somebody here does something; `None`: it is so already.
    pub fn write(&mut self, what: What, hand: &Hand, at: Timestamp) -> Option<Mark> {
        let field = what.field();
        let seen = self.edits.iter().rev().find(|e| what.replaces(&e.what));
        match seen {
            None if what.is_nothing() => return None,
            Some(seen) if seen.what == what && what.is_nothing() => return None,
            _ => {}
        }
        let seen = seen.map(|e| e.mark.clone());
        let newest = self.edits.iter().rev().find(|e| e.is_of(field));
        let (ms, count) = match newest.map(|e| (e.mark.ms, e.mark.count)) {
            Some((ms, count)) if ms >= at.0 => match count.checked_add(1) {
                Some(count) => (ms, count),
                None => (ms.saturating_add(1), 0),
            },
            _ => (at.0, 0),
        };
        let mut mark = Mark {
            ms,
            count,
            by: hand.by.clone(),
            console: hand.console.clone(),
        };
        // Of another field, in the same millisecond: each edit has a mark of its own.
        while self.edits.iter().any(|e| e.mark == mark) && mark.count < u32::MAX {
            mark.count += 1;
        }
        let edit = Edit {
            mark: mark.clone(),
            at,
            seen,
            what,
        };
        self.lay([edit.safe()?]);
        Some(mark)
    }

    fn newest(&self, field: Field) -> Option<&Edit> {
        self.edits.iter().rev().find(|e| e.is_of(field))
    }

    /// Somebody looks after it.
    pub fn acknowledged(&self) -> Option<Stamp> {
        let edit = self.newest(Field::Acknowledged)?;
        (edit.what == What::Acknowledged(true)).then(|| edit.stamp())
    }

    pub fn assigned(&self) -> Option<(&str, Stamp)> {
        let edit = self.newest(Field::Assigned)?;
        match &edit.what {
            What::Assigned(Some(who)) => Some((who, edit.stamp())),
            _ => None,
        }
    }

    /// Calm until this time: it is listed, and counts as nothing that is wrong.
    pub fn muted(&self) -> Option<(Timestamp, Stamp)> {
        let edit = self.newest(Field::Muted)?;
        match edit.what {
            What::Muted(Some(until)) => Some((until, edit.stamp())),
            _ => None,
        }
    }

    /// Oldest first.
    pub fn notes(&self) -> impl DoubleEndedIterator<Item = (Stamp, &str)> {
        self.edits.iter().filter_map(|edit| match &edit.what {
            What::Note(text) => Some((edit.stamp(), text.as_str())),
            _ => None,
        })
    }

    /// Evidence that is kept in view, oldest first.
    pub fn pins(&self) -> Vec<(Stamp, &str)> {
        let mut pins: Vec<(Stamp, &str)> = Vec::new();
        for edit in &self.edits {
            let What::Pinned { text, on } = &edit.what else {
                continue;
            };
            pins.retain(|(_, held)| held != text);
            if *on {
                pins.push((edit.stamp(), text));
            }
        }
        pins
    }

    /// One verdict, as it was kept before there were edits.
    pub fn of_verdict(verdict: Verdict) -> Self {
        let said = What::Verdict(Some((verdict.opinion, verdict.score.into())));
        Self::of(vec![written::edit(verdict.stamp, said)]).0
    }

    pub fn verdict(&self) -> Option<Verdict> {
        let edit = self.newest(Field::Verdict)?;
        match edit.what {
            What::Verdict(Some((opinion, score))) => Some(Verdict {
                opinion,
                score: score.into(),
                stamp: edit.stamp(),
            }),
            _ => None,
        }
    }

    /// What was set by people who did not know of each other, oldest first: each edit that nobody
    /// had in view when it was replaced, with the one that came to stand in its place.
    pub fn clashes(&self) -> Vec<Clash<'_>> {
        let edits = self.edits.iter().enumerate();
        let single = edits.filter(|(_, edit)| edit.what.field().is_single());
        let lost = single.filter_map(|(at, lost)| {
            let field = lost.what.field();
            let later = self.edits.get(at + 1..).unwrap_or_default();
            let mut later = later.iter().filter(|e| e.is_of(field));
            let won = later.clone().next()?;
            let known = later.any(|e| e.is_beside(lost) || e.seen.as_ref() == Some(&lost.mark));
            let clash = !known && won.what != lost.what;
            clash.then_some(Clash { lost, won })
        });
        lost.collect()
    }

    /// This edit goes to the team when that can be reached.
    pub fn wait(&mut self, mark: Mark) {
        self.unsent.insert(mark);
    }

    /// Edits made here that the team does not have yet.
    pub fn waiting(&self) -> usize {
        self.unsent.len()
    }

    /// The team has these. Whether something waited for that.
    pub fn sent(&mut self, theirs: &Self) -> bool {
        let before = self.unsent.len();
        self.unsent
            .retain(|mark| !theirs.edits.iter().any(|e| e.mark == *mark));
        before != self.unsent.len()
    }

    /// Leaves out edits of a time that has not come yet; how many.
    pub fn drop_after(&mut self, latest: Timestamp) -> usize {
        let before = self.edits.len();
        self.edits.retain(|e| e.mark.ms <= latest.0);
        let left_out = before - self.edits.len();
        if left_out > 0 {
            self.trim();
        }
        left_out
    }

    /// This console's clock was ahead when these were made, and nobody else takes them: they are of
    /// now, and what was to last so long from then lasts so long from now. How many.
    pub fn bring_back(&mut self, latest: Timestamp, now: Timestamp) -> usize {
        let off = self.edits.partition_point(|e| e.mark.ms <= latest.0);
        let mut off = self.edits.split_off(off);
        for (count, edit) in (0..).zip(&mut off) {
            self.unsent.remove(&edit.mark);
            if let What::Muted(Some(until)) = &mut edit.what {
                *until = until.plus_ms(now.0.saturating_sub(edit.mark.ms));
            }
            (edit.mark.ms, edit.mark.count) = (now.0, count);
            edit.seen = edit.seen.take().filter(|seen| seen.ms <= latest.0);
            edit.at = now;
            self.unsent.insert(edit.mark.clone());
        }
        let brought = off.len();
        self.lay(off);
        brought
    }
}

#[cfg(test)]
mod tests;

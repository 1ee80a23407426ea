//! Lines that the operator marked, and the way from one to the next.

use super::Logs;
use super::stream::LineId;
use crate::state::world::World;

/// Lines that can be marked.
const MOST: usize = 200;

/// Marked or unfolded lines.
#[derive(Debug, Default)]
pub struct Marks {
    lines: Vec<LineId>,
}

impl Marks {
    pub fn has(&self, id: &LineId) -> bool {
        self.lines.contains(id)
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub fn len(&self) -> usize {
        self.lines.len()
    }

    pub fn clear(&mut self) {
        self.lines.clear();
    }

    /// Sets or takes away; of too many the oldest goes.
    pub fn toggle(&mut self, id: LineId) {
        match self.lines.iter().position(|l| *l == id) {
            Some(at) => {
                self.lines.remove(at);
            }
            None => {
                self.lines.push(id);
                if self.lines.len() > MOST {
                    self.lines.remove(0);
                }
            }
        }
    }

    /// The next one in time after a line, from the last one on to the first; only those that
    /// `is_there`.
    fn after(&self, id: Option<&LineId>, is_there: impl Fn(&LineId) -> bool) -> Option<&LineId> {
        let mut all: Vec<&LineId> = self.lines.iter().filter(|l| is_there(l)).collect();
        all.sort_by_key(|l| (l.at_ns, l.cluster));
        let key = |l: &LineId| (l.at_ns, l.cluster);
        let later = |l: &&&LineId| id.is_some_and(|id| key(l) > key(id));
        let next = all.iter().find(later);
        next.or(all.first()).copied()
    }
}

impl Logs {
    pub(super) fn toggle_mark(&mut self, world: &World) {
        if let Some(id) = self.chosen(world).map(|e| e.id()) {
            self.marks.toggle(id);
        }
    }

    pub(super) fn next_mark(&mut self, world: &World) {
        let merged = self.merged(world);
        let newest = merged.newest_ns();
        let next = self
            .marks
            .after(self.cursor.as_ref(), |id| merged.find(id).is_some());
        if let Some(id) = next.cloned() {
            if self.cursor.is_none() {
                self.seen_ns = newest;
            }
            self.cursor = Some(id);
        }
    }

    /// Unfolds the line under the cursor, or folds it.
    pub(super) fn unfold(&mut self, world: &World) {
        if let Some(id) = self.chosen(world).map(|e| e.id()) {
            self.unfolded.toggle(id);
        }
    }

    pub(super) fn unfold_all(&mut self) {
        self.all_unfolded = !self.all_unfolded;
        self.unfolded.clear();
    }
}

//! The cursor in the stream: it stays on its line, or follows the newest one.

use super::Logs;
use crate::model::log::Level;
use crate::state::world::World;

impl Logs {
    pub(super) fn go(&mut self, world: &World, by: isize) {
        let merged = self.merged(world);
        let newest = merged.newest_ns();
        let to = match (&self.cursor, by < 0) {
            (None, false) => return,
            // The newest line is under the cursor: one up is the one before it.
            (None, true) => merged
                .before(None, by.unsigned_abs() + 1)
                .first()
                .map(|l| l.id()),
            (Some(at), true) => {
                let above = merged.before(Some(at), by.unsigned_abs());
                above.first().map(|l| l.id()).or_else(|| Some(at.clone()))
            }
            (Some(at), false) => {
                let wanted = by.unsigned_abs();
                let below = merged.after(at, wanted + 1);
                // Reaching the end follows again, unless nobody looked that far yet.
                if below.len() <= wanted && merged.stopped() {
                    let last = below.last().map(|l| l.id());
                    last.or_else(|| Some(at.clone()))
                } else if below.len() <= wanted {
                    None
                } else {
                    below.get(wanted - 1).map(|l| l.id())
                }
            }
        };
        if self.cursor.is_none() && to.is_some() {
            self.seen_ns = newest;
        }
        self.cursor = to;
    }

    pub(super) fn pause(&mut self, world: &World) {
        let merged = self.merged(world);
        let (newest, last) = (
            merged.newest_ns(),
            merged.before(None, 1).first().map(|l| l.id()),
        );
        match self.cursor.take() {
            Some(_) => {}
            None => {
                self.cursor = last;
                self.seen_ns = newest;
            }
        }
    }

    pub(super) fn next_problem(&mut self, world: &World, forward: bool) {
        let merged = self.merged(world).only(Level::Error);
        let newest = merged.newest_ns();
        let found = match (&self.cursor, forward) {
            (None, true) => None,
            (None, false) => merged.before(None, 1).first().map(|l| l.id()),
            (Some(at), true) => merged.after(at, 1).first().map(|l| l.id()),
            (Some(at), false) => merged.before(Some(at), 1).last().map(|l| l.id()),
        };
        if found.is_some() {
            if self.cursor.is_none() {
                self.seen_ns = newest;
            }
            self.cursor = found;
        }
    }

    pub(super) fn go_to_top(&mut self, world: &World) {
        let merged = self.merged(world);
        let (newest, first) = (merged.newest_ns(), merged.first().map(|l| l.id()));
        if self.cursor.is_none() {
            self.seen_ns = newest;
        }
        self.cursor = first;
    }
}

//! What is worked out of many lines and kept until the lines, or what is asked of them, change:
//! drawing looks at a frame's worth of lines only.

use std::cell::RefCell;
use std::sync::Arc;

use super::Logs;
use super::compare::Compared;
use super::tally::Counts;
use super::{patterns::Found, volume::Volume};
use crate::model::id::ClusterId;
use crate::state::world::World;

/// What the lines are: as long as it is the same, so is all that follows from them.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// Lines ever taken or lost, of each ring.
    rings: Vec<(ClusterId, u64)>,
    asked: Option<(u64, usize)>,
    /// What was asked and found so far.
    sieve: u64,
    /// Of the one that is kept: a text, a place in time.
    own: (String, i64, i64),
}

/// One thing worked out, with what it was worked out of.
#[derive(Debug)]
pub struct Keep<T> {
    held: RefCell<Option<(Key, Arc<T>)>>,
}

impl<T> Default for Keep<T> {
    fn default() -> Self {
        Self {
            held: RefCell::new(None),
        }
    }
}

impl<T> Keep<T> {
    pub fn get(&self, key: Key, make: impl FnOnce() -> T) -> Arc<T> {
        let mut held = self.held.borrow_mut();
        if let Some((_, value)) = held.as_ref().filter(|(known, _)| *known == key) {
            return Arc::clone(value);
        }
        let value = Arc::new(make());
        *held = Some((key, Arc::clone(&value)));
        value
    }
}

/// All that is kept of one stream.
#[derive(Debug, Default)]
pub struct Kept {
    pub patterns: Keep<Found>,
    pub volume: Keep<Volume>,
    pub strip: Keep<Counts>,
    pub compared: Keep<Compared>,
}

impl Logs {
    pub(super) fn key(&self, world: &World, own: (String, i64, i64)) -> Key {
        let rings = match &self.asked {
            Some(_) => Vec::new(),
            // Lines are pushed out only by others, or lost on the way.
            None => crate::ui::view::common::clusters(world, self.scope)
                .map(|c| (c.id, c.logs.taken() + c.logs.dropped()))
                .collect(),
        };
        Key {
            rings,
            asked: self.asked.as_ref().map(super::asked::Asked::version),
            sieve: self.sieve.version(),
            own,
        }
    }
}

//! Looking at the lines of the ring: by place, by time, by labels.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::{Block, LogRing};
use crate::model::label::Labels;
use crate::model::log::LineRef;
use crate::pattern::PatternId;

impl LogRing {
    pub fn len(&self) -> usize {
        self.slots.back().map_or(0, |last| {
            self.place(last.first).saturating_add(last.block.len())
        })
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub fn get(&self, place: usize) -> Option<LineRef<'_>> {
        let (block, within) = self.at(place)?;
        block.get(within)
    }

    /// The pattern of the line at `place`.
    pub fn pattern(&self, place: usize) -> PatternId {
        self.at(place)
            .map(|(block, within)| block.pattern(within))
            .unwrap_or_default()
    }

    /// The line at `place` came long after newer ones.
    pub fn is_late(&self, place: usize) -> bool {
        self.at(place)
            .is_some_and(|(block, within)| block.is_late(within))
    }

    /// All lines, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = LineRef<'_>> {
        self.slots.iter().flat_map(|s| s.block.iter())
    }

    /// Lines whose labels are wanted, newest first. Labels are asked about once for each set.
    pub fn newest_of<'a>(
        &'a self,
        mut wanted: impl FnMut(&Labels) -> bool + 'a,
    ) -> impl Iterator<Item = LineRef<'a>> {
        let mut known: HashMap<&Labels, bool, RandomState> = HashMap::default();
        self.slots.iter().rev().flat_map(move |slot| {
            let sets = slot.block.sets();
            let of_set = |s| *known.entry(s).or_insert_with(|| wanted(s));
            let kept: Vec<bool> = sets.iter().map(of_set).collect();
            let places = match kept.contains(&true) {
                true => 0..slot.block.len(),
                false => 0..0,
            };
            let is_kept = move |place: &usize| kept.get(slot.block.set(*place)) == Some(&true);
            let lines = places.rev().filter(is_kept);
            lines.filter_map(|place| slot.block.get(place))
        })
    }

    pub fn first(&self) -> Option<LineRef<'_>> {
        self.get(0)
    }

    pub fn last(&self) -> Option<LineRef<'_>> {
        let block = &self.slots.back()?.block;
        block.get(block.len().checked_sub(1)?)
    }

    /// Lines before this time; the place of the first one that is not.
    pub fn before(&self, at_ns: i64) -> usize {
        let slot = self.slots.partition_point(|s| s.block.last_ns() < at_ns);
        match self.slots.get(slot) {
            Some(s) => self.place(s.first) + s.block.before(at_ns),
            None => self.len(),
        }
    }

    /// Lines up to this time; the place of the first one after it.
    pub fn until(&self, at_ns: i64) -> usize {
        at_ns
            .checked_add(1)
            .map_or_else(|| self.len(), |next| self.before(next))
    }

    /// The blocks with the place of their first line, oldest first.
    pub fn blocks(
        &self,
    ) -> impl DoubleEndedIterator<Item = (usize, &Arc<Block>)> + ExactSizeIterator {
        self.slots.iter().map(|s| (self.place(s.first), &s.block))
    }

    /// The block of this number, oldest first, and the place of its first line.
    pub fn block(&self, number: usize) -> Option<(usize, &Arc<Block>)> {
        let slot = self.slots.get(number)?;
        Some((self.place(slot.first), &slot.block))
    }

    /// The number of the block that holds the line at `place`.
    pub fn block_of(&self, place: usize) -> usize {
        let number = self.slots.front().map_or(0, |s| s.first) + place as u64;
        let after = self.slots.partition_point(|s| s.first <= number);
        after.saturating_sub(1)
    }

    /// The place of a line by its number since the ring began.
    pub(super) fn place(&self, number: u64) -> usize {
        let first = self.slots.front().map_or(0, |s| s.first);
        usize::try_from(number - first).unwrap_or(usize::MAX)
    }

    fn at(&self, place: usize) -> Option<(&Block, usize)> {
        let (first, block) = self.block(self.block_of(place))?;
        let within = place - first;
        (within < block.len()).then_some((&**block, within))
    }
}

//! Ring of log lines in time order, bounded by bytes.
//!
//! Lines lie in blocks of some hundred, their text in one piece, their label sets shared, so that a
//! million lines weigh little more than their text. A line that comes late goes into its block; the
//! oldest block goes first. Blocks are shared with whoever works on them elsewhere and are copied
//! when they change meanwhile.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::{FixedState, RandomState};

use super::intern::Interner;
use crate::model::log::{LineRef, LogLine};
use crate::pattern::{Miner, PatternId};

mod block;
mod read;

pub use block::{Block, BlockState};
use block::{Incoming, Record};

/// Text of a block, bytes: of typical lines as many as a block takes.
const BLOCK_BYTES: usize = 64 << 10;
/// A small ring has small blocks, as whole blocks go.
const LEAST_BLOCK_BYTES: usize = 1 << 10;
const BLOCKS: u64 = 64;
/// Lines of one time that are compared one by one; more are found by their hash.
const CROWD: usize = 64;
/// What such a hash takes in its table, bytes.
const CROWD_BYTES: u64 = 16;
/// A line is late that is so much older than the newest of its cluster: streams are a little apart
/// always.
const LATE_NS: i64 = 5_000_000_000;

#[derive(Debug)]
struct Slot {
    /// Lines before this block since the ring began.
    first: u64,
    bytes: u64,
    block: Arc<Block>,
}

/// Hashes of the lines of times that have many: a line among thousands of one nanosecond is found
/// without looking at them.
#[derive(Debug, Default)]
struct Crowds {
    times: HashMap<i64, HashSet<u64, RandomState>, RandomState>,
    lines: u64,
}

#[derive(Debug, Default)]
pub struct LogRing {
    /// Oldest first; none is empty.
    slots: VecDeque<Slot>,
    sets: Interner,
    crowds: Crowds,
    hash: FixedState,
    /// Lines pushed out or lost on the way.
    dropped: u64,
    /// Lines taken that were late.
    late: u64,
    /// Lines ever taken.
    taken: u64,
    block_bytes: u64,
    limit: u64,
}

impl LogRing {
    /// Holds up to `limit` bytes of lines with all that belongs to them; 0: as many as come.
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// All lines of an answer, in time order; lines of one time as they came. Their patterns are
    /// found when they are wanted ([`LogRing::unread`]).
    pub fn of(mut lines: Vec<LogLine>) -> Self {
        // Numbers are put in order, not the lines: sorting takes as much room again.
        let mut order: Vec<u32> = (0..u32::try_from(lines.len()).unwrap_or(u32::MAX)).collect();
        let at = |lines: &[LogLine], n: &u32| lines.get(*n as usize).map(|l| l.at_ns);
        order.sort_by_key(|n| at(&lines, n));
        let gone: Arc<str> = Arc::from("");
        let mut ring = Self::default();
        let mut left = order.as_slice();
        while !left.is_empty() {
            let sets = &mut ring.sets;
            let hash = |l: LineRef<'_>| short(ring.hash.hash_one((l.labels, l.line)));
            let next = left.iter().filter_map(|n| lines.get(*n as usize));
            let block = Block::of(next, BLOCK_BYTES, hash, |l| sets.labels(l));
            let (packed, rest) = left.split_at(block.len().clamp(1, left.len()));
            // The lines that are packed are not held twice.
            for n in packed {
                if let Some(line) = lines.get_mut(*n as usize) {
                    line.line = Arc::clone(&gone);
                }
            }
            left = rest;
            let first = ring.taken;
            ring.taken += block.len() as u64;
            ring.block_bytes += block.bytes();
            ring.slots.push_back(Slot {
                first,
                bytes: block.bytes(),
                block: Arc::new(block),
            });
        }
        ring
    }

    /// Blocks whose patterns are not found yet, until they hold `most` lines.
    pub fn unread(&self, most: usize) -> Vec<Arc<Block>> {
        let mut lines = 0;
        let unread = self.slots.iter().filter(|s| !s.block.has_patterns());
        let taken = unread.take_while(|s| {
            let room = lines < most;
            lines += s.block.len();
            room
        });
        taken.map(|s| Arc::clone(&s.block)).collect()
    }

    /// Takes a block in which the patterns were found meanwhile; `from` is how it was then. False:
    /// it is another one by now, or gone.
    pub fn found(&mut self, from: BlockState, block: &Arc<Block>) -> bool {
        let first = block.first_ns();
        let place = self.slots.partition_point(|s| s.block.last_ns() < first);
        let mut slots = self.slots.range_mut(place..);
        let Some(slot) = slots.find(|s| s.block.state().serial == from.serial) else {
            return false;
        };
        let same = slot.block.state() == from;
        if same {
            self.block_bytes = self.block_bytes - slot.bytes + block.bytes();
            slot.bytes = block.bytes();
            slot.block = Arc::clone(block);
        }
        same
    }

    /// Lines pushed out, or lost on the way here.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Lines that came long after newer ones.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Lines ever taken: another number, other lines.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Lines lost before they came here.
    pub fn lose(&mut self, lines: u64) {
        self.dropped += lines;
    }

    /// What all takes, bytes.
    pub fn bytes(&self) -> u64 {
        self.block_bytes + self.sets.bytes() + self.crowds.lines * CROWD_BYTES
    }

    /// Takes a line to its place in time; the oldest make room. A line that is there already (same
    /// time, labels and text: the look back and the tail overlap) is not taken twice: `None`.
    pub fn push(&mut self, line: &LogLine, miner: &mut Miner) -> Option<PatternId> {
        let hash = self.hash_of(line.view());
        if self.holds(line, hash) {
            return None;
        }
        let pattern = miner.line(&line.line);
        self.put(line, hash, Some(pattern));
        Some(pattern)
    }

    /// The same, its pattern to be found later ([`LogRing::unread`]). False: it is there already.
    pub fn join(&mut self, line: &LogLine) -> bool {
        let hash = self.hash_of(line.view());
        let new = !self.holds(line, hash);
        if new {
            self.put(line, hash, None);
        }
        new
    }

    fn put(&mut self, line: &LogLine, hash: u64, pattern: Option<PatternId>) {
        let newest = self.slots.back().map_or(i64::MIN, |s| s.block.last_ns());
        let late = line.at_ns < newest.saturating_sub(LATE_NS);
        self.late += u64::from(late);
        self.take(line, hash, pattern, late);
        while self.limit > 0 && self.bytes() > self.limit && self.slots.len() > 1 {
            self.drop_oldest();
        }
    }

    fn hash_of(&self, line: LineRef<'_>) -> u64 {
        self.hash.hash_one((line.labels, line.line))
    }

    fn holds(&mut self, line: &LogLine, hash: u64) -> bool {
        if let Some(crowd) = self.crowds.times.get(&line.at_ns) {
            return crowd.contains(&hash);
        }
        let mut looked = 0;
        for (place, record, block) in self.of_time(line.at_ns) {
            looked += 1;
            let same = |l: LineRef<'_>| l.line == &*line.line && *l.labels == line.labels;
            if record.hash == short(hash) && block.get(place).is_some_and(same) {
                return true;
            }
        }
        if looked > CROWD {
            let lines = self
                .of_time(line.at_ns)
                .filter_map(|(place, _, block)| block.get(place));
            let crowd: HashSet<u64, _> = lines.map(|l| self.hash_of(l)).collect();
            self.crowds.lines += crowd.len() as u64;
            self.crowds.times.insert(line.at_ns, crowd);
        }
        false
    }

    /// The lines of one time, each with its place in its block.
    fn of_time(&self, at_ns: i64) -> impl Iterator<Item = (usize, &Record, &Block)> {
        let last = self.slots.partition_point(|s| s.block.first_ns() <= at_ns);
        let slots = self.slots.range(..last).rev();
        slots
            .take_while(move |s| s.block.last_ns() >= at_ns)
            .flat_map(move |s| {
                let from = s.block.before(at_ns);
                let records = s.block.records().iter().enumerate().skip(from);
                records
                    .take_while(move |(_, r)| r.at_ns == at_ns)
                    .map(|(place, record)| (place, record, &*s.block))
            })
    }
}

impl LogRing {
    fn take(&mut self, line: &LogLine, hash: u64, pattern: Option<PatternId>, late: bool) {
        if let Some(crowd) = self.crowds.times.get_mut(&line.at_ns) {
            self.crowds.lines += u64::from(crowd.insert(hash));
        }
        let slot = self.room_for(line);
        let new = Incoming {
            line: line.view(),
            pattern,
            hash: short(hash),
            late,
        };
        let sets = &mut self.sets;
        if let Some(slot) = self.slots.get_mut(slot) {
            Arc::make_mut(&mut slot.block).put(&new, |labels| sets.labels(labels));
            let bytes = slot.block.bytes();
            self.block_bytes = self.block_bytes - slot.bytes + bytes;
            slot.bytes = bytes;
        }
        for later in self.slots.range_mut(slot + 1..) {
            later.first += 1;
        }
        self.taken += 1;
    }

    /// The slot whose block takes the line: the one its time lies in, or a new one at the end.
    fn room_for(&mut self, line: &LogLine) -> usize {
        let most = match self.limit {
            0 => BLOCK_BYTES,
            limit => usize::try_from(limit / BLOCKS)
                .unwrap_or(BLOCK_BYTES)
                .clamp(LEAST_BLOCK_BYTES, BLOCK_BYTES),
        };
        let len = line.line.len();
        let after = self
            .slots
            .partition_point(|s| s.block.first_ns() <= line.at_ns);
        let slot = after.saturating_sub(1);
        let Some(held) = self.slots.get_mut(slot) else {
            return self.open(0);
        };
        if held.block.takes(len, most) {
            return slot;
        }
        if line.at_ns >= held.block.last_ns() {
            // The block behind may have room, else a new one goes between.
            let behind = self.slots.get(slot + 1);
            if behind.is_some_and(|s| s.block.takes(len, most)) {
                return slot + 1;
            }
            self.seal(slot);
            return self.open(slot + 1);
        }
        if held.block.len() < 2 {
            return self.open(slot);
        }
        self.split(slot);
        let second = self.slots.get(slot + 1);
        slot + usize::from(second.is_some_and(|s| s.block.first_ns() <= line.at_ns))
    }

    fn seal(&mut self, slot: usize) {
        if let Some(held) = self.slots.get_mut(slot) {
            Arc::make_mut(&mut held.block).seal();
            let bytes = held.block.bytes();
            self.block_bytes = self.block_bytes - held.bytes + bytes;
            held.bytes = bytes;
        }
    }

    /// A new block that is the one of number `slot`.
    fn open(&mut self, slot: usize) -> usize {
        let before = slot.checked_sub(1).and_then(|s| self.slots.get(s));
        let start = self.slots.front().map_or(0, |s| s.first);
        let first = before.map_or(start, |s| s.first + s.block.len() as u64);
        let block = Arc::new(Block::new());
        let bytes = block.bytes();
        self.block_bytes += bytes;
        let new = Slot {
            first,
            bytes,
            block,
        };
        self.slots.insert(slot, new);
        slot
    }

    fn split(&mut self, slot: usize) {
        let Some(held) = self.slots.get_mut(slot) else {
            return;
        };
        let sets = &mut self.sets;
        let (left, right) = held.block.split(|labels| sets.labels(labels));
        held.block.sets().iter().for_each(|s| sets.drop_labels(s));
        let (bytes, of_right) = (left.bytes(), right.bytes());
        self.block_bytes = self.block_bytes - held.bytes + bytes + of_right;
        held.bytes = bytes;
        let right = Slot {
            first: held.first + left.len() as u64,
            bytes: of_right,
            block: Arc::new(right),
        };
        held.block = Arc::new(left);
        self.slots.insert(slot + 1, right);
    }

    fn drop_oldest(&mut self) {
        let Some(gone) = self.slots.pop_front() else {
            return;
        };
        self.dropped += gone.block.len() as u64;
        self.block_bytes -= gone.bytes;
        for labels in gone.block.sets() {
            self.sets.drop_labels(labels);
        }
        let first = self.slots.front().map_or(i64::MIN, |s| s.block.first_ns());
        let crowds = &mut self.crowds;
        crowds.times.retain(|at_ns, crowd| {
            let stays = *at_ns >= first;
            if !stays {
                crowds.lines -= crowd.len() as u64;
            }
            stays
        });
    }
}

/// The half of a hash that is kept with each line.
fn short(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests;

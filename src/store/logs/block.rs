//! A run of lines in time order: their text in one piece, a small record for each line.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::RandomState;

use crate::model::label::Labels;
use crate::model::log::{Level, LineRef, LogLine};
use crate::pattern::PatternId;

/// Number of the next block.
static NEXT: AtomicU64 = AtomicU64::new(0);
/// Lines of a block at most.
const LINES: usize = 512;

/// What is kept of a line beside its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub at_ns: i64,
    start: u32,
    len: u32,
    pattern: PatternId,
    /// Of labels and text: most lines that differ are told apart without being read.
    pub hash: u32,
    /// Place of its labels in the block.
    set: u16,
    level: Level,
    late: bool,
}

/// A line on its way into a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Incoming<'a> {
    pub line: LineRef<'a>,
    /// `None`: not found yet.
    pub pattern: Option<PatternId>,
    pub hash: u32,
    pub late: bool,
}

/// Lines that are kept and dropped together. A block is full or the newest one, so what was worked
/// out of it holds as long as [`Block::state`] is the same.
#[derive(Clone, Debug)]
pub struct Block {
    serial: u64,
    /// Lines put between others, or moved out.
    edits: u32,
    text: String,
    /// In time order; of one time, as they came.
    records: Vec<Record>,
    /// Label sets of its lines, each once.
    sets: Vec<Labels>,
    worst: Level,
    /// The pattern of each line was found.
    patterns: bool,
}

/// Which lines a block holds: with the same serial and edits, more lines were only added at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockState {
    /// Never used for another block, of whichever ring.
    pub serial: u64,
    pub edits: u32,
    pub lines: usize,
}

impl Block {
    pub(super) fn new() -> Self {
        Self {
            serial: NEXT.fetch_add(1, Ordering::Relaxed),
            edits: 0,
            text: String::new(),
            records: Vec::new(),
            sets: Vec::new(),
            worst: Level::Unknown,
            patterns: true,
        }
    }

    /// As many of the first of these lines as a block of `most` bytes of text takes, at least one;
    /// they are in time order. Their patterns are not found yet.
    pub(super) fn of<'a>(
        lines: impl Iterator<Item = &'a LogLine> + Clone,
        most: usize,
        hash: impl Fn(LineRef<'_>) -> u32,
        mut share: impl FnMut(&Labels) -> Labels,
    ) -> Self {
        let (mut count, mut bytes) = (0, 0_usize);
        for line in lines.clone().take(LINES) {
            let with = bytes.saturating_add(line.line.len());
            if count > 0 && with > most {
                break;
            }
            (count, bytes) = (count + 1, with);
        }
        let mut block = Self::new();
        block.text.reserve_exact(bytes);
        block.records.reserve_exact(count);
        // Lines of a stream share one set, which is known by where it lies.
        let mut known: HashMap<(*const _, usize), usize, RandomState> = HashMap::default();
        for line in lines.take(count) {
            let pairs = line.labels.pairs();
            let set = *known
                .entry((pairs.as_ptr(), pairs.len()))
                .or_insert_with(|| block.set_of(&line.labels, &mut share));
            let incoming = Incoming {
                line: line.view(),
                pattern: None,
                hash: hash(line.view()),
                late: false,
            };
            let record = block.record(&incoming, set);
            block.records.push(record);
        }
        block.sets.shrink_to_fit();
        block
    }

    /// The pattern of each line was found; where not, [`Block::pattern`] tells nothing.
    pub fn has_patterns(&self) -> bool {
        self.patterns
    }

    /// The same block with the pattern of each line. What was worked out of it holds no longer.
    pub fn mined(&self, mut find: impl FnMut(&str) -> PatternId) -> Self {
        let mut block = self.clone();
        for record in &mut block.records {
            let start = record.start as usize;
            let line = block.text.get(start..start + record.len as usize);
            record.pattern = line.map(&mut find).unwrap_or_default();
        }
        block.patterns = true;
        block.edits += 1;
        block
    }

    pub fn state(&self) -> BlockState {
        BlockState {
            serial: self.serial,
            edits: self.edits,
            lines: self.records.len(),
        }
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Label sets of its lines; [`Block::set`] tells which one a line has.
    pub fn sets(&self) -> &[Labels] {
        &self.sets
    }

    pub fn set(&self, place: usize) -> usize {
        self.records.get(place).map_or(0, |r| usize::from(r.set))
    }

    pub fn get(&self, place: usize) -> Option<LineRef<'_>> {
        self.records.get(place).and_then(|r| self.line(r))
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = LineRef<'_>> {
        self.records.iter().filter_map(|r| self.line(r))
    }

    pub fn first_ns(&self) -> i64 {
        self.records.first().map_or(i64::MAX, |r| r.at_ns)
    }

    pub fn last_ns(&self) -> i64 {
        self.records.last().map_or(i64::MIN, |r| r.at_ns)
    }

    pub fn pattern(&self, place: usize) -> PatternId {
        self.records
            .get(place)
            .map(|r| r.pattern)
            .unwrap_or_default()
    }

    /// The worst of its lines.
    pub fn worst(&self) -> Level {
        self.worst
    }

    pub fn level(&self, place: usize) -> Level {
        self.records.get(place).map_or(Level::Unknown, |r| r.level)
    }

    pub fn at_ns(&self, place: usize) -> i64 {
        self.records.get(place).map_or(i64::MAX, |r| r.at_ns)
    }

    /// Lines before this time.
    pub fn before(&self, at_ns: i64) -> usize {
        self.records.partition_point(|r| r.at_ns < at_ns)
    }

    pub(super) fn is_late(&self, place: usize) -> bool {
        self.records.get(place).is_some_and(|r| r.late)
    }

    pub(super) fn records(&self) -> &[Record] {
        &self.records
    }

    fn line(&self, record: &Record) -> Option<LineRef<'_>> {
        let start = record.start as usize;
        Some(LineRef {
            at_ns: record.at_ns,
            labels: self.sets.get(usize::from(record.set))?,
            line: self.text.get(start..start + record.len as usize)?,
            level: record.level,
        })
    }

    /// What it takes, bytes; the label sets themselves are shared between blocks.
    pub(super) fn bytes(&self) -> u64 {
        let parts = self.text.capacity()
            + self.records.capacity() * size_of::<Record>()
            + self.sets.capacity() * size_of::<Labels>();
        (parts + size_of::<Self>()) as u64
    }

    /// Whether another line of `len` bytes belongs here, where a block holds `most` bytes of text.
    pub(super) fn takes(&self, len: usize, most: usize) -> bool {
        self.records.is_empty()
            || self.records.len() < LINES && self.text.len().saturating_add(len) <= most
    }

    /// Puts a line behind all of its time or before. `labels` makes the shared copy of a set that
    /// the block does not hold yet.
    pub(super) fn put(&mut self, new: &Incoming<'_>, share: impl FnOnce(&Labels) -> Labels) {
        let set = self.set_of(new.line.labels, share);
        let text = new.line.line;
        grow(text.len(), self.text.len(), self.text.capacity(), |by| {
            self.text.reserve_exact(by);
        });
        grow(1, self.records.len(), self.records.capacity(), |by| {
            self.records.reserve_exact(by);
        });
        let record = self.record(new, set);
        let place = self.records.partition_point(|r| r.at_ns <= record.at_ns);
        self.edits += u32::from(place < self.records.len());
        self.records.insert(place, record);
    }

    /// The place of a set, which is added where the block does not hold it yet.
    fn set_of(&mut self, labels: &Labels, share: impl FnOnce(&Labels) -> Labels) -> usize {
        let held = self.sets.iter().rposition(|s| s == labels);
        held.unwrap_or_else(|| {
            self.sets.push(share(labels));
            self.sets.len() - 1
        })
    }

    /// Takes the text of a line; its record has yet to go to its place.
    fn record(&mut self, new: &Incoming<'_>, set: usize) -> Record {
        let text = new.line.line;
        let record = Record {
            at_ns: new.line.at_ns,
            start: u32::try_from(self.text.len()).unwrap_or(u32::MAX),
            len: u32::try_from(text.len()).unwrap_or(0),
            pattern: new.pattern.unwrap_or_default(),
            hash: new.hash,
            set: u16::try_from(set).unwrap_or(u16::MAX),
            level: new.line.level,
            late: new.late,
        };
        self.text.push_str(text);
        self.worst = self.worst.max(record.level);
        self.patterns &= new.pattern.is_some();
        record
    }

    /// No more lines come at its end: what is not used is given back.
    pub(super) fn seal(&mut self) {
        self.text.shrink_to_fit();
        self.records.shrink_to_fit();
        self.sets.shrink_to_fit();
    }

    /// Its earlier half under its own number, and the later one.
    pub(super) fn split(&self, mut share: impl FnMut(&Labels) -> Labels) -> (Self, Self) {
        let middle = self.records.len() / 2;
        let mut halves = (Self::new(), Self::new());
        halves.0.serial = self.serial;
        halves.0.edits = self.edits + 1;
        for (place, record) in self.records.iter().enumerate() {
            let Some(line) = self.line(record) else {
                continue;
            };
            let half = match place < middle {
                true => &mut halves.0,
                false => &mut halves.1,
            };
            let incoming = Incoming {
                line,
                pattern: self.patterns.then_some(record.pattern),
                hash: record.hash,
                late: record.late,
            };
            half.put(&incoming, &mut share);
        }
        halves.0.seal();
        halves.1.seal();
        halves
    }
}

/// Room for `more`, a quarter more than there was: twice as much would be half empty.
fn grow(more: usize, len: usize, capacity: usize, reserve: impl FnOnce(usize)) {
    if capacity - len < more {
        reserve(more.max(capacity / 4).max(16));
    }
}

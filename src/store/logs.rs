//! Ring of log lines in time order, bounded by bytes.

use std::collections::VecDeque;

use crate::model::log::LogLine;
use crate::pattern::{Miner, PatternId};

/// What a line takes beside its text, bytes.
const LINE_BYTES: u64 = (size_of::<LogLine>() + size_of::<PatternId>()) as u64 + 16;

#[derive(Debug, Default)]
pub struct LogRing {
    /// Oldest first.
    pub lines: VecDeque<LogLine>,
    /// The pattern of each line.
    patterns: VecDeque<PatternId>,
    /// Lines pushed out or lost on the way.
    pub dropped: u64,
    pub bytes: u64,
    limit: u64,
}

impl LogRing {
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// Lines in time order, all of them.
    pub fn of(lines: Vec<LogLine>, miner: &mut Miner) -> Self {
        let patterns = lines.iter().map(|l| miner.line(&l.line)).collect();
        let bytes = lines.iter().map(|l| LINE_BYTES + l.line.len() as u64).sum();
        Self {
            lines: lines.into(),
            patterns,
            bytes,
            ..Self::default()
        }
    }

    /// The pattern of the line at `place`.
    pub fn pattern(&self, place: usize) -> PatternId {
        self.patterns.get(place).copied().unwrap_or_default()
    }

    /// Takes a line to its place in time; the oldest make room. A line that is there already (same
    /// time, labels and text: the look back and the tail overlap) is not taken twice.
    pub fn push(&mut self, line: LogLine, miner: &mut Miner) -> bool {
        let mut place = self.lines.len();
        while place > 0
            && self
                .lines
                .get(place - 1)
                .is_some_and(|l| l.at_ns > line.at_ns)
        {
            place -= 1;
        }
        let same = self
            .lines
            .range(..place)
            .rev()
            .take_while(|l| l.at_ns == line.at_ns)
            .any(|l| l.line == line.line && l.labels == line.labels);
        if same {
            return false;
        }
        self.bytes += LINE_BYTES + line.line.len() as u64;
        self.patterns.insert(place, miner.line(&line.line));
        self.lines.insert(place, line);
        while self.limit > 0 && self.bytes > self.limit {
            let Some(gone) = self.lines.pop_front() else {
                break;
            };
            self.patterns.pop_front();
            self.bytes = self
                .bytes
                .saturating_sub(LINE_BYTES + gone.line.len() as u64);
            self.dropped += 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::label::Labels;
    use crate::model::log::Level;

    fn line(at_ns: i64, text: &str) -> LogLine {
        LogLine {
            at_ns,
            labels: Labels::from_pairs([("pod", "p")]),
            line: text.into(),
            level: Level::Info,
        }
    }

    #[test]
    fn keeps_time_order_without_doubles() {
        let mut ring = LogRing::new(0);
        let mut miner = Miner::default();
        for (at, text) in [(1, "a"), (3, "c"), (2, "b"), (3, "c"), (3, "d")] {
            ring.push(line(at, text), &mut miner);
        }
        let texts: Vec<_> = ring.lines.iter().map(|l| l.line.as_ref()).collect();
        assert_eq!(texts, ["a", "b", "c", "d"]);
        // Each line keeps its pattern where it went.
        for (place, line) in ring.lines.iter().enumerate() {
            assert_eq!(miner.template(ring.pattern(place)), *line.line);
        }
    }

    #[test]
    fn is_bounded_by_bytes() {
        let (mut ring, mut miner) = (LogRing::new(10_000), Miner::default());
        for at in 0..1000 {
            ring.push(line(at, &"x".repeat(100)), &mut miner);
        }
        assert!(ring.bytes <= 10_000);
        assert_eq!(ring.lines.len() as u64 + ring.dropped, 1000);
        assert_eq!(ring.lines.back().map(|l| l.at_ns), Some(999));
        assert_eq!(ring.patterns.len(), ring.lines.len());
    }
}

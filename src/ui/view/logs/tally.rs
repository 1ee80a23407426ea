//! Counting what is kept: by time, by label set, by pattern. Blocks that fall into one slot of time
//! are not read again, their sums are.

use super::hits::{Hits, Said, kind};
use super::stream::{LineId, Merged};
use crate::model::id::ClusterId;
use crate::model::label::Labels;
use crate::store::logs::Block;

/// Lines of each level, of those looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// Errors and worse, warnings, the rest; a slot of time each.
    pub slots: [Vec<u32>; 3],
    pub total: usize,
    /// Not all lines were looked at yet.
    pub cut: bool,
    /// So many slots lie, in whole or in part, before what is known of some cluster: none counted
    /// there does not say that there is none.
    pub unknown: usize,
}

impl Counts {
    pub fn new(slots: usize) -> Self {
        Self {
            slots: [vec![0; slots], vec![0; slots], vec![0; slots]],
            ..Self::default()
        }
    }

    /// Lines in a slot as far as they are known.
    pub fn known(&self, lines: u32, slot: usize) -> Option<f64> {
        (lines > 0 || slot >= self.unknown).then_some(f64::from(lines))
    }

    /// Lines of each kind that fall into a slot.
    pub fn add(&mut self, lines: [u32; 3], slot: usize) {
        for (kind, lines) in self.slots.iter_mut().zip(lines) {
            self.total += lines as usize;
            if let Some(held) = kind.get_mut(slot) {
                *held = held.saturating_add(lines);
            }
        }
    }
}

/// Kept lines of one block that fall into one slot of time.
pub struct Part<'a> {
    pub cluster: ClusterId,
    pub block: &'a Block,
    pub slot: usize,
    pub lines: Lines<'a>,
}

/// All that are kept of a block, or one.
pub enum Lines<'a> {
    All(&'a Hits),
    One(usize),
}

impl Merged<'_> {
    /// Lines newer than `at_ns`: how many, and whether there are more than were counted.
    pub fn newer(&self, at_ns: i64) -> (usize, bool) {
        let (mut count, mut more) = (0, false);
        for (_, ring) in &self.rings {
            let start = ring.until(at_ns);
            for number in ring.block_of(start)..ring.blocks().len() {
                let Some((first, block)) = ring.block(number) else {
                    break;
                };
                match self.sieve.hits(block) {
                    Some(hits) => {
                        let before = hits.count_before(start.saturating_sub(first));
                        count += hits.count() - before;
                    }
                    None => more = true,
                }
            }
        }
        (count, more)
    }

    /// Lines kept up to `id` and with it (`None`: all), those kept in all, and whether there may be
    /// more.
    pub fn rank(&self, id: Option<&LineId>) -> (usize, usize, bool) {
        let ends = match id {
            Some(id) => self.cuts(id, true),
            None => self.rings.iter().map(|(_, r)| r.len()).collect(),
        };
        let (mut upto, mut all, mut more) = (0, 0, false);
        for ((_, ring), end) in self.rings.iter().zip(ends) {
            for (first, block) in ring.blocks() {
                let Some(hits) = self.sieve.hits(block) else {
                    more = true;
                    continue;
                };
                all += hits.count();
                upto += hits.count_before(end.saturating_sub(first));
            }
        }
        (upto, all, more)
    }

    /// All lines kept from `from_ns` to `to_ns`, in parts that fall into one slot each. True: some
    /// were not looked at yet.
    pub fn parts(
        &self,
        (from_ns, to_ns): (i64, i64),
        slot: impl Fn(i64) -> Option<usize>,
        mut take: impl FnMut(&Part<'_>),
    ) -> bool {
        let mut more = false;
        for (cluster, ring) in &self.rings {
            for number in ring.block_of(ring.before(from_ns))..ring.blocks().len() {
                let Some((_, block)) = ring.block(number) else {
                    break;
                };
                let block: &Block = block;
                if block.first_ns() > to_ns {
                    break;
                }
                let Some(hits) = self.sieve.hits(block) else {
                    more = true;
                    continue;
                };
                let mut part = |slot, lines| {
                    take(&Part {
                        cluster: *cluster,
                        block,
                        slot,
                        lines,
                    });
                };
                match (slot(block.first_ns()), slot(block.last_ns())) {
                    (Some(first), Some(last)) if first == last => part(first, Lines::All(&hits)),
                    _ => {
                        for place in hits.places() {
                            if let Some(slot) = slot(block.at_ns(place)) {
                                part(slot, Lines::One(place));
                            }
                        }
                    }
                }
            }
        }
        more
    }

    /// Lines by level over `slots` equal slots from `from_ns` on.
    pub fn counts(&self, from_ns: i64, slot_ns: i64, slots: usize) -> Counts {
        let mut counts = Counts::new(slots);
        let span = slot_ns.saturating_mul(i64::try_from(slots).unwrap_or(i64::MAX));
        let to_ns = from_ns.saturating_add(span);
        let slot = |at_ns: i64| {
            let slot = (at_ns - from_ns).div_euclid(slot_ns.max(1));
            usize::try_from(slot).ok().filter(|_| at_ns <= to_ns)
        };
        counts.cut = self.parts((from_ns, to_ns), slot, |part| {
            counts.add(part.kinds(), part.slot);
        });
        counts.unknown = self.unknown(from_ns, slot_ns, slots);
        counts
    }

    /// Slots that lie, in whole or in part, before what is known of some cluster.
    pub(super) fn unknown(&self, from_ns: i64, slot_ns: i64, slots: usize) -> usize {
        let Some(known) = self.known_from else {
            return 0;
        };
        let (before, slot_ns) = (known.saturating_sub(from_ns).max(0), slot_ns.max(1));
        let count = before / slot_ns + i64::from(before % slot_ns != 0);
        usize::try_from(count).unwrap_or(usize::MAX).min(slots)
    }
}

impl Part<'_> {
    /// Errors and worse, warnings, the rest.
    pub fn kinds(&self) -> [u32; 3] {
        let mut sum = [0; 3];
        self.by_set(|_, kinds| {
            for (sum, kind) in sum.iter_mut().zip(kinds) {
                *sum += kind;
            }
        });
        sum
    }

    /// The same for each label set.
    pub fn by_set(&self, mut take: impl FnMut(&Labels, [u32; 3])) {
        match self.lines {
            Lines::All(hits) => {
                let sets = self.block.sets().iter().zip(&hits.by_set);
                sets.for_each(|(set, kinds)| take(set, *kinds));
            }
            Lines::One(place) => {
                let mut kinds = [0; 3];
                if let Some(one) = kinds.get_mut(kind(self.block.level(place))) {
                    *one = 1;
                }
                if let Some(set) = self.block.sets().get(self.block.set(place)) {
                    take(set, kinds);
                }
            }
        }
    }

    /// The same for each pattern.
    pub fn said(&self, mut take: impl FnMut(&Said)) {
        let at = match self.lines {
            Lines::All(hits) => return hits.said.iter().for_each(take),
            Lines::One(place) => place,
        };
        take(&Said {
            pattern: self.block.pattern(at),
            count: 1,
            worst: self.block.level(at),
            first_ns: self.block.at_ns(at),
            last_ns: self.block.at_ns(at),
            set: self.block.set(at),
        });
    }
}

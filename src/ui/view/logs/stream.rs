//! Several rings of lines read as one, in time order, from any line in both directions.
//! Only blocks with lines that are kept are walked.

use std::cell::Cell;
use std::cmp::Ordering;

use super::hits::Hits;
use super::sieve::Sieve;
use crate::model::id::ClusterId;
use crate::model::label::Labels;
use crate::model::log::{Level, LineRef};
use crate::model::time::Timestamp;
use crate::store::logs::{Block, LogRing};

/// What a line is known by: the ring moves under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineId {
    pub at_ns: i64,
    pub cluster: ClusterId,
    labels: Labels,
    line: Box<str>,
}

impl LineId {
    pub fn of(cluster: ClusterId, line: LineRef<'_>) -> Self {
        Self {
            at_ns: line.at_ns,
            cluster,
            labels: line.labels.clone(),
            line: line.line.into(),
        }
    }

    /// What the line says.
    pub fn text(&self) -> &str {
        &self.line
    }

    /// No line, a place between lines.
    fn between(at_ns: i64) -> Self {
        Self {
            at_ns,
            cluster: ClusterId(0),
            labels: Labels::default(),
            line: Box::default(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub cluster: ClusterId,
    pub line: LineRef<'a>,
    /// It came long after newer ones.
    pub late: bool,
}

impl Entry<'_> {
    pub fn id(&self) -> LineId {
        LineId::of(self.cluster, self.line)
    }
}

pub struct Merged<'a> {
    pub(super) rings: Vec<(ClusterId, &'a LogRing)>,
    pub(super) sieve: &'a Sieve,
    least: Level,
    /// Before this not every cluster's lines are known; `None`: all are.
    pub(super) known_from: Option<i64>,
    /// A walk ended where nobody looked yet.
    stopped: Cell<bool>,
}

impl<'a> Merged<'a> {
    pub fn new(rings: Vec<(ClusterId, &'a LogRing)>, sieve: &'a Sieve) -> Self {
        sieve.renew();
        Self {
            rings,
            sieve,
            least: Level::Unknown,
            known_from: None,
            stopped: Cell::new(false),
        }
    }

    /// Before `at_ns` not every cluster's lines are known.
    pub fn known_from(mut self, at_ns: Option<i64>) -> Self {
        self.known_from = at_ns;
        self
    }

    /// Only lines of this level and worse.
    pub fn only(mut self, least: Level) -> Self {
        self.least = self.least.max(least);
        self
    }

    /// A walk ended where nobody looked yet: more may come.
    pub fn stopped(&self) -> bool {
        self.stopped.get()
    }

    pub fn newest_ns(&self) -> i64 {
        let lasts = self.rings.iter().filter_map(|(_, r)| r.last());
        lasts.map(|l| l.at_ns).max().unwrap_or(i64::MIN)
    }

    /// The oldest line there is.
    pub fn first(&self) -> Option<Entry<'a>> {
        let start = LineId::between(i64::MIN);
        self.after(&start, 1).first().copied()
    }

    /// The newest line that is not after `end`.
    pub fn last_until(&self, end: Timestamp) -> Option<LineId> {
        let bound = LineId::between(end.0.saturating_add(1).saturating_mul(1_000_000));
        self.before(Some(&bound), 1).first().map(Entry::id)
    }

    /// Place of a line in its ring.
    fn place(ring: &LogRing, id: &LineId) -> Option<usize> {
        let is = |l: LineRef<'_>| *l.line == *id.line && *l.labels == id.labels;
        (ring.before(id.at_ns)..ring.until(id.at_ns)).find(|place| ring.get(*place).is_some_and(is))
    }

    pub fn find(&self, id: &LineId) -> Option<Entry<'a>> {
        let (cluster, ring) = self.rings.iter().find(|(c, _)| *c == id.cluster)?;
        Self::entry(*cluster, ring, Self::place(ring, id)?)
    }

    fn entry(cluster: ClusterId, ring: &'a LogRing, place: usize) -> Option<Entry<'a>> {
        Some(Entry {
            cluster,
            line: ring.get(place)?,
            late: ring.is_late(place),
        })
    }

    /// Where each ring is cut by a line: first index that is not before it; with `own`, that is not
    /// the line itself either.
    pub(super) fn cuts(&self, id: &LineId, own: bool) -> Vec<usize> {
        let cut = |(cluster, ring): &(ClusterId, &LogRing)| match cluster.cmp(&id.cluster) {
            // Of one time, clusters stand in their order, lines in that of their ring.
            Ordering::Less => ring.until(id.at_ns),
            Ordering::Equal => match Self::place(ring, id) {
                Some(place) => place + usize::from(own),
                None => ring.before(id.at_ns),
            },
            Ordering::Greater => ring.before(id.at_ns),
        };
        self.rings.iter().map(cut).collect()
    }

    /// What is kept of a block, where somebody looked.
    fn hits(&self, block: &Block) -> Option<std::sync::Arc<Hits>> {
        let hits = self.sieve.hits(block);
        self.stopped.set(self.stopped.get() || hits.is_none());
        hits
    }

    /// The last place before `end` whose line is kept.
    fn back(&self, ring: &LogRing, end: usize) -> Option<usize> {
        let mut end = end;
        let mut number = ring.block_of(end.checked_sub(1)?);
        loop {
            let (first, block) = ring.block(number)?;
            if block.worst() >= self.least {
                let hits = self.hits(block)?;
                let mut within = end.checked_sub(first)?;
                while let Some(place) = hits.before(within) {
                    if block.level(place) >= self.least {
                        return Some(first + place);
                    }
                    within = place;
                }
            }
            end = first;
            number = number.checked_sub(1)?;
        }
    }

    /// The first place from `start` on whose line is kept.
    fn on(&self, ring: &LogRing, start: usize) -> Option<usize> {
        let mut start = start;
        for number in ring.block_of(start)..ring.blocks().len() {
            let (first, block) = ring.block(number)?;
            if block.worst() >= self.least {
                let hits = self.hits(block)?;
                let mut within = start.saturating_sub(first);
                while let Some(place) = hits.from(within) {
                    if block.level(place) >= self.least {
                        return Some(first + place);
                    }
                    within = place + 1;
                }
            }
            start = first + block.len();
        }
        None
    }

    /// Up to `count` lines before `id` (`None`: before the end), oldest first.
    pub fn before(&self, id: Option<&LineId>, count: usize) -> Vec<Entry<'a>> {
        let ends = match id {
            Some(id) => self.cuts(id, false),
            None => self.rings.iter().map(|(_, r)| r.len()).collect(),
        };
        let heads = self.rings.iter().zip(ends);
        let heads = heads.map(|((_, ring), end)| self.back(ring, end)).collect();
        let mut found = self.gather(heads, count, false);
        found.reverse();
        found
    }

    /// Up to `count` lines after `id`, oldest first.
    pub fn after(&self, id: &LineId, count: usize) -> Vec<Entry<'a>> {
        let heads = self.rings.iter().zip(self.cuts(id, true));
        let heads = heads
            .map(|((_, ring), start)| self.on(ring, start))
            .collect();
        self.gather(heads, count, true)
    }

    /// Lines from the heads on, one ring or the other, until a walk stops.
    fn gather(&self, mut heads: Vec<Option<usize>>, count: usize, forward: bool) -> Vec<Entry<'a>> {
        let mut found = Vec::new();
        while found.len() < count && !self.stopped.get() {
            let entries = self.rings.iter().zip(&heads).enumerate();
            let next = entries.filter_map(|(at, ((cluster, ring), head))| {
                Some((at, Self::entry(*cluster, ring, (*head)?)?))
            });
            let key = |e: &Entry<'_>| (e.line.at_ns, e.cluster);
            let next = match forward {
                true => next.min_by_key(|(_, e)| key(e)),
                false => next.max_by_key(|(_, e)| key(e)),
            };
            let Some((at, entry)) = next else {
                break;
            };
            found.push(entry);
            if let (Some((_, ring)), Some(head)) = (self.rings.get(at), heads.get_mut(at)) {
                *head = match (forward, *head) {
                    (true, Some(place)) => self.on(ring, place + 1),
                    (false, Some(place)) => self.back(ring, place),
                    (_, None) => None,
                };
            }
        }
        found
    }

    /// Times of the oldest and of the newest line, kept or not.
    pub fn span(&self) -> (i64, i64) {
        let firsts = self.rings.iter().filter_map(|(_, r)| r.first());
        let first = firsts.map(|l| l.at_ns).min().unwrap_or(i64::MAX);
        (first, self.newest_ns())
    }
}

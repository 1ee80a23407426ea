//! Bounded memory for series and logs.
//!
//! One writer. Series are found by (cluster, key) through a hash and by (cluster, name) in order.
//! Over the byte limit, what nobody has looked at for longest goes first, and is counted.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use foldhash::fast::RandomState;

use crate::model::id::{ClusterId, SeriesId};
use crate::model::label::Labels;
use crate::model::sample::{Sample, SampleKind, SeriesKey};
use crate::model::signal::Group;
use crate::model::time::Timestamp;

pub mod answers;
mod intern;
pub mod logs;
mod window;

use intern::Interner;
use window::Window;

/// What a series takes beside its points and labels: itself and its places in the indexes.
const SERIES_BYTES: u64 = (size_of::<Option<Series>>() + size_of::<Window>() + 24 + 48) as u64;

#[derive(Debug)]
struct Series {
    cluster: ClusterId,
    key: SeriesKey,
    kind: SampleKind,
    group: Group,
    interval_ms: u32,
    /// When someone last looked at its points (milliseconds). Atomic, because views only read.
    viewed: AtomicI64,
    /// Another series whose key has the same hash.
    next: Option<SeriesId>,
}

/// Where new points belong.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    pub cluster: ClusterId,
    pub group: Group,
    pub kind: SampleKind,
    pub interval_ms: u32,
}

#[derive(Debug, Default)]
pub struct Store {
    limit_bytes: u64,
    per_cluster: u32,
    retention_ms: i64,
    now: Timestamp,
    series: Vec<Option<Series>>,
    /// Points of the series at the same place, apart because appending touches nothing else.
    windows: Vec<Window>,
    free: Vec<SeriesId>,
    /// What comes after the series found last.
    guess: SeriesId,
    hasher: RandomState,
    by_hash: HashMap<u64, SeriesId, RandomState>,
    by_name: BTreeMap<ClusterId, BTreeMap<Arc<str>, BTreeMap<Labels, SeriesId>>>,
    counts: HashMap<ClusterId, u32>,
    interner: Interner,
    point_bytes: u64,
    evicted: u64,
    refused: u64,
    removed: Vec<SeriesId>,
}

impl Store {
    pub fn new(limit_bytes: u64, per_cluster: u32, retention_ms: i64) -> Self {
        Self {
            limit_bytes,
            per_cluster,
            retention_ms,
            ..Self::default()
        }
    }

    /// Series with this key, made when it is new. `None`: the cluster has its limit of series.
    pub fn series(&mut self, origin: Origin, key: &SeriesKey, first: Sample) -> Option<SeriesId> {
        if let Some(id) = self.found(origin.cluster, key) {
            self.guess = SeriesId(id.0.wrapping_add(1));
            return Some(id);
        }
        let count = self.counts.entry(origin.cluster).or_default();
        if self.per_cluster > 0 && *count >= self.per_cluster {
            self.refused += 1;
            return None;
        }
        *count += 1;
        let key = SeriesKey {
            name: self.interner.text(&key.name),
            labels: self.interner.labels(&key.labels),
        };
        Some(self.insert(origin, key, first))
    }

    /// Deliveries repeat their order, and ids were given in it: the next one is tried first.
    fn found(&self, cluster: ClusterId, key: &SeriesKey) -> Option<SeriesId> {
        match self.get(self.guess) {
            Some(next) if next.cluster == cluster && next.key == *key => Some(self.guess),
            _ => self.lookup(cluster, key),
        }
    }

    fn insert(&mut self, origin: Origin, key: SeriesKey, first: Sample) -> SeriesId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.series.push(None);
            self.windows.push(Window::empty());
            SeriesId((self.series.len() - 1) as u32)
        });
        let next = self.by_hash.insert(self.hash(origin.cluster, &key), id);
        self.by_name
            .entry(origin.cluster)
            .or_default()
            .entry(key.name.clone())
            .or_default()
            .insert(key.labels.clone(), id);
        let window = Window::new(origin.interval_ms, first, self.retention_ms);
        self.point_bytes += window.bytes();
        if let Some(place) = self.windows.get_mut(id.0 as usize) {
            *place = window;
        }
        if let Some(place) = self.series.get_mut(id.0 as usize) {
            *place = Some(Series {
                cluster: origin.cluster,
                key,
                kind: origin.kind,
                group: origin.group,
                interval_ms: origin.interval_ms,
                viewed: AtomicI64::new(0),
                next,
            });
        }
        id
    }

    /// Adds one point; late ones find their place, older than the retention they are dropped.
    pub fn put(&mut self, id: SeriesId, sample: Sample) -> bool {
        let Some(window) = self.windows.get_mut(id.0 as usize) else {
            return false;
        };
        let before = window.bytes();
        let kept = window.put(sample);
        let after = window.bytes();
        if after != before {
            self.point_bytes = self.point_bytes - before + after;
        }
        kept
    }

    /// The distance now expected between samples; a finer one refines the grid.
    pub fn pace(&mut self, id: SeriesId, interval_ms: u32) {
        let place = id.0 as usize;
        let (Some(Some(series)), Some(window)) =
            (self.series.get_mut(place), self.windows.get_mut(place))
        else {
            return;
        };
        if interval_ms == 0 || interval_ms == series.interval_ms {
            return;
        }
        series.interval_ms = interval_ms;
        if u64::from(interval_ms) * 10 < u64::from(window.step_ms()) * 7 {
            let before = window.bytes();
            window.refine(interval_ms, self.retention_ms);
            self.point_bytes = self.point_bytes - before + window.bytes();
        }
    }

    /// Frees memory over the limit; to be called once per batch.
    pub fn enforce(&mut self) {
        if self.limit_bytes == 0 || self.bytes() <= self.limit_bytes {
            return;
        }
        let mut order: Vec<(i64, i64, SeriesId)> = self
            .ids()
            .filter_map(|id| self.get(id).map(|s| (id, s)))
            .map(|(id, s)| (s.viewed.load(Ordering::Relaxed), self.newest_ms(id), id))
            .collect();
        order.sort_unstable();
        let target = self.limit_bytes / 100 * 95;
        for (_, _, id) in order {
            if self.bytes() <= target {
                break;
            }
            self.remove(id);
            self.evicted += 1;
        }
    }

    /// Moves the clock and forgets series that have had no sample for the retention.
    pub fn tick(&mut self, now: Timestamp) {
        self.now = now;
        let old: Vec<SeriesId> = self
            .ids()
            .filter(|id| self.get(*id).is_some() && now.0 - self.newest_ms(*id) > self.retention_ms)
            .collect();
        for id in old {
            self.remove(id);
        }
    }

    fn remove(&mut self, id: SeriesId) {
        let Some(series) = self.series.get_mut(id.0 as usize).and_then(Option::take) else {
            return;
        };
        if let Some(window) = self.windows.get_mut(id.0 as usize) {
            self.point_bytes -= window.bytes();
            *window = Window::empty();
        }
        if let Some(count) = self.counts.get_mut(&series.cluster) {
            *count -= 1;
        }
        let hash = self.hash(series.cluster, &series.key);
        if self.by_hash.get(&hash) == Some(&id) {
            match series.next {
                Some(next) => self.by_hash.insert(hash, next),
                None => self.by_hash.remove(&hash),
            };
        } else if let Some(before) = self.before(hash, id) {
            before.next = series.next;
        }
        if let Some(names) = self.by_name.get_mut(&series.cluster)
            && let Some(sets) = names.get_mut(&series.key.name)
        {
            sets.remove(&series.key.labels);
            if sets.is_empty() {
                names.remove(&series.key.name);
            }
        }
        self.interner.drop_text(&series.key.name);
        self.interner.drop_labels(&series.key.labels);
        self.free.push(id);
        self.removed.push(id);
    }

    fn before(&mut self, hash: u64, id: SeriesId) -> Option<&mut Series> {
        let mut at = *self.by_hash.get(&hash)?;
        while self.get(at)?.next? != id {
            at = self.get(at)?.next?;
        }
        self.series.get_mut(at.0 as usize)?.as_mut()
    }

    /// Series removed since the last call; their ids may come back for other series.
    pub fn take_removed(&mut self) -> Vec<SeriesId> {
        std::mem::take(&mut self.removed)
    }

    fn get(&self, id: SeriesId) -> Option<&Series> {
        self.series.get(id.0 as usize)?.as_ref()
    }

    fn newest_ms(&self, id: SeriesId) -> i64 {
        self.windows.get(id.0 as usize).map_or(0, |w| w.last().at.0)
    }

    fn ids(&self) -> impl Iterator<Item = SeriesId> {
        (0..self.series.len() as u32).map(SeriesId)
    }

    fn hash(&self, cluster: ClusterId, key: &SeriesKey) -> u64 {
        self.hasher.hash_one((cluster, key))
    }

    pub fn lookup(&self, cluster: ClusterId, key: &SeriesKey) -> Option<SeriesId> {
        let mut at = self.by_hash.get(&self.hash(cluster, key)).copied();
        while let Some(id) = at {
            let series = self.get(id)?;
            if series.cluster == cluster && series.key == *key {
                return Some(id);
            }
            at = series.next;
        }
        None
    }

    /// Series of a cluster with this name, in label order.
    pub fn find<'a>(
        &'a self,
        cluster: ClusterId,
        name: &'a str,
    ) -> Box<dyn Iterator<Item = (SeriesId, &'a SeriesKey)> + 'a> {
        let sets = self.by_name.get(&cluster).and_then(|n| n.get(name));
        Box::new(
            sets.into_iter()
                .flatten()
                .filter_map(|(_, id)| self.get(*id).map(|s| (*id, &s.key))),
        )
    }

    /// Names of all series of a cluster, sorted, each once.
    pub fn names(&self, cluster: ClusterId) -> Vec<Arc<str>> {
        let names = self.by_name.get(&cluster);
        names
            .into_iter()
            .flatten()
            .map(|(n, _)| n.clone())
            .collect()
    }

    pub fn key(&self, id: SeriesId) -> Option<&SeriesKey> {
        self.get(id).map(|s| &s.key)
    }

    pub fn kind(&self, id: SeriesId) -> Option<SampleKind> {
        self.get(id).map(|s| s.kind)
    }

    pub fn group(&self, id: SeriesId) -> Option<Group> {
        self.get(id).map(|s| s.group)
    }

    /// Newest sample with its exact time.
    pub fn last(&self, id: SeriesId) -> Option<Sample> {
        self.get(id)?;
        self.windows.get(id.0 as usize).map(Window::last)
    }

    /// Samples in `[from, to]`, oldest first; gaps are missing points. Marks the series as viewed.
    pub fn points<'a>(
        &'a self,
        id: SeriesId,
        from: Timestamp,
        to: Timestamp,
    ) -> Box<dyn Iterator<Item = Sample> + 'a> {
        match (self.get(id), self.windows.get(id.0 as usize)) {
            (Some(series), Some(window)) => {
                series.viewed.store(self.now.0, Ordering::Relaxed);
                Box::new(window.points(from, to))
            }
            _ => Box::new(std::iter::empty()),
        }
    }

    /// The same for work behind the screen, which makes no series a viewed one.
    pub fn held(&self, id: SeriesId, from: Timestamp, to: Timestamp) -> Vec<Sample> {
        let window = self.windows.get(id.0 as usize);
        let window = window.filter(|_| self.get(id).is_some());
        window.map_or_else(Vec::new, |w| w.points(from, to).collect())
    }

    /// Expected distance between samples, milliseconds.
    pub fn interval_ms(&self, id: SeriesId) -> u32 {
        self.get(id).map_or(0, |s| s.interval_ms)
    }

    /// Distance of the points as they are held, milliseconds: their times are whole steps apart.
    pub fn step_ms(&self, id: SeriesId) -> u32 {
        let window = self.windows.get(id.0 as usize);
        window
            .filter(|_| self.get(id).is_some())
            .map_or(0, Window::step_ms)
    }

    fn bytes(&self) -> u64 {
        let held = (self.series.len() - self.free.len()) as u64;
        self.point_bytes + self.interner.bytes() + held * SERIES_BYTES
    }

    /// Series held, bytes they take (points and labels), series evicted since start.
    pub fn usage(&self) -> (usize, u64, u64) {
        let held = self.series.len() - self.free.len();
        (held, self.bytes(), self.evicted)
    }

    /// Points refused because their cluster has its limit of series.
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

#[cfg(test)]
mod tests;

//! What exporters told lately, as they told it: compressed, bounded by bytes, oldest first to go.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::value::Last;
use super::{ENDED, has_ended};
use crate::bundle::wire::{Cursor, put_i64};
use crate::model::label::Labels;
use crate::model::sample::{Sample, SeriesKey};
use crate::model::scrape::{Class, Raw, Scrape, Told};
use crate::model::time::Timestamp;

/// Samples of a closed piece.
const PIECE: u32 = 120;
/// What a series takes beside its samples and texts: itself and its place in the index.
const SERIES_BYTES: usize = 400;
const PIECE_BYTES: usize = size_of::<Piece>() + 16;
/// Gaps that are remembered.
const GAPS: usize = 64;
/// The series themselves may take this part of the window: their samples need the rest.
const NAMES: usize = 4;
/// Parts of the window that go at a time.
const PARTS: i64 = 16;
/// Name of the series that says whether an exporter answered.
const UP: &str = "up";

/// A time of which something is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Scrapes that were made and lost; 0: how many is not known.
    pub scrapes: u64,
    /// Messages that never came.
    pub messages: u64,
}

/// How much is held, and since when.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// Everything told from then on is held; `None`: nothing was told yet.
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub bytes: usize,
    pub limit: usize,
    pub series: usize,
    pub exporters: usize,
    /// Series that found no room.
    pub refused: u64,
    /// Samples older than what their series had told.
    pub late: u64,
    pub gaps: Vec<Gap>,
}

/// Samples of the exporters of one cluster.
#[derive(Debug)]
pub struct Window {
    limit: usize,
    bytes: usize,
    /// What the series take without their samples.
    names: usize,
    targets: BTreeMap<u16, Target>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    refused: u64,
    late: u64,
    gaps: VecDeque<Gap>,
}

#[derive(Debug, Default)]
struct Target {
    places: HashMap<SeriesKey, usize, RandomState>,
    series: Vec<Series>,
    /// What comes after the series found last: exporters keep their order.
    guess: usize,
    looks: u64,
    /// Of exporters whose address changed, the former one too.
    instance: Arc<str>,
}

#[derive(Debug)]
struct Series {
    key: SeriesKey,
    class: Class,
    closed: VecDeque<Piece>,
    open: Open,
    /// The look that brought it last.
    seen: u64,
    alive: bool,
    /// Its samples bear their own times: it ends without a mark, as in Prometheus.
    own_time: bool,
}

/// A run of samples.
#[derive(Clone, Debug)]
struct Piece {
    first: i64,
    last: i64,
    count: u32,
    bytes: Arc<[u8]>,
}

#[derive(Debug, Default)]
struct Open {
    first: i64,
    at: i64,
    step: i64,
    count: u32,
    value: Last,
    bytes: Vec<u8>,
}

impl Open {
    fn put(&mut self, at: i64, value: f64, counts: bool) {
        if self.count == 0 {
            *self = Self {
                first: at,
                at,
                bytes: std::mem::take(&mut self.bytes),
                ..Self::default()
            };
        } else {
            let step = at.wrapping_sub(self.at);
            put_i64(&mut self.bytes, step.wrapping_sub(self.step));
            (self.at, self.step) = (at, step);
        }
        self.value.put(&mut self.bytes, value, counts);
        self.count += 1;
    }

    fn piece(&self) -> Piece {
        Piece {
            first: self.first,
            last: self.at,
            count: self.count,
            bytes: self.bytes.as_slice().into(),
        }
    }
}

impl Piece {
    /// Adds the samples between these times.
    fn read(&self, (first, last): (i64, i64), counts: bool, out: &mut Vec<Sample>) {
        let (mut from, mut value) = (Cursor::new(&self.bytes), Last::default());
        let (mut at, mut step) = (self.first, 0_i64);
        for n in 0..self.count {
            if n > 0 {
                let Ok(more) = from.i64() else { return };
                step = more.wrapping_add(step);
                at = step.wrapping_add(at);
            }
            let Ok(value) = value.take(&mut from, counts) else {
                return;
            };
            if at > last {
                return;
            }
            if at >= first {
                let at = Timestamp(at);
                out.push(Sample { at, value });
            }
        }
    }
}

impl Series {
    fn counts(&self) -> bool {
        self.class.is_count()
    }

    fn newest(&self) -> Option<i64> {
        match self.open.count {
            0 => self.closed.back().map(|p| p.last),
            _ => Some(self.open.at),
        }
    }

    /// When its oldest piece begins and ends.
    fn oldest(&self) -> Option<(i64, i64)> {
        let open = (self.open.count > 0).then_some((self.open.first, self.open.at));
        self.closed.front().map(|p| (p.first, p.last)).or(open)
    }

    /// How many bytes more it takes now; `None`: older than what it told.
    fn put(&mut self, at: i64, value: f64) -> Option<usize> {
        if self.newest().is_some_and(|newest| at <= newest) {
            return None;
        }
        let before = self.open.bytes.len();
        let counts = self.counts();
        self.open.put(at, value, counts);
        let mut more = self.open.bytes.len() - before;
        if self.open.count >= PIECE {
            self.closed.push_back(self.open.piece());
            self.open.count = 0;
            self.open.bytes.clear();
            more += PIECE_BYTES;
        }
        Some(more)
    }
}

/// A series that was found, its samples still packed: reading them needs no lock.
#[derive(Clone, Debug)]
pub struct Found {
    pub key: SeriesKey,
    pub class: Class,
    pieces: Vec<Piece>,
    pub samples: usize,
}

impl Found {
    /// In time order, marks of ends among them.
    pub fn read(&self, span: (i64, i64)) -> Vec<Sample> {
        let mut out = Vec::with_capacity(self.samples);
        for piece in &self.pieces {
            piece.read(span, self.class.is_count(), &mut out);
        }
        out
    }
}

impl Window {
    /// `limit`: bytes, all overheads counted.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            bytes: 0,
            names: 0,
            targets: BTreeMap::new(),
            since: None,
            until: None,
            refused: 0,
            late: 0,
            gaps: VecDeque::new(),
        }
    }

    /// Takes a scrape in, and makes room for it.
    pub fn put(&mut self, scrape: &Scrape) {
        self.since.get_or_insert(scrape.at);
        self.until = self.until.max(Some(scrape.at));
        let mut target = self.targets.remove(&scrape.exporter).unwrap_or_default();
        target.looks += 1;
        target.guess = 0;
        target.instance = scrape.instance.clone();
        for raw in scrape.raws() {
            self.take(&mut target, raw, scrape.at);
        }
        if !matches!(scrape.told, Told::Some(_)) {
            self.end_missing(&mut target, scrape.at);
        }
        let up = Raw {
            key: SeriesKey::new(UP, Labels::from_pairs([("instance", &scrape.instance)])),
            class: Class::Gauge,
            at: scrape.at,
            value: f64::from(u8::from(!matches!(scrape.told, Told::Nothing))),
        };
        self.take(&mut target, &up, scrape.at);
        self.targets.insert(scrape.exporter, target);
        self.enforce();
    }

    fn take(&mut self, target: &mut Target, raw: &Raw, at: Timestamp) {
        let place = match target.series.get(target.guess) {
            Some(next) if next.key == raw.key => Some(target.guess),
            _ => target.places.get(&raw.key).copied(),
        };
        let place = match place {
            Some(place) => place,
            None => {
                let bytes = texts(&raw.key) + SERIES_BYTES;
                // A mark of an end needs no series, and a flood of series no memory.
                if has_ended(raw.value) || self.names + bytes > self.limit / NAMES {
                    self.refused += u64::from(!has_ended(raw.value));
                    return;
                }
                self.bytes += bytes;
                self.names += bytes;
                target.add(raw)
            }
        };
        target.guess = place + 1;
        let looks = target.looks;
        let Some(series) = target.series.get_mut(place) else {
            return;
        };
        series.seen = looks;
        series.alive = !has_ended(raw.value);
        series.own_time = raw.at != at;
        match series.put(raw.at.0, raw.value) {
            Some(more) => self.bytes += more,
            // An exporter that times its samples may tell one twice.
            None => self.late += u64::from(!series.own_time),
        }
    }

    /// What the look at this time did not bring has ended.
    fn end_missing(&mut self, target: &mut Target, at: Timestamp) {
        let looks = target.looks;
        for series in &mut target.series {
            let missing = series.seen < looks && &*series.key.name != UP;
            if !missing || !series.alive {
                continue;
            }
            series.alive = false;
            if !series.own_time {
                self.bytes += series.put(at.0, ENDED).unwrap_or(0);
            }
        }
    }

    /// Notes that something is not known.
    pub fn gap(&mut self, gap: Gap) {
        match self.gaps.back_mut() {
            Some(last) if last.to >= gap.from && last.from <= gap.to => {
                last.from = last.from.min(gap.from);
                last.to = last.to.max(gap.to);
                last.scrapes += gap.scrapes;
                last.messages += gap.messages;
            }
            _ => self.gaps.push_back(gap),
        }
        while self.gaps.len() > GAPS {
            self.gaps.pop_front();
        }
    }

    fn all(&self) -> impl Iterator<Item = &Series> {
        self.targets.values().flat_map(|t| &t.series)
    }

    fn enforce(&mut self) {
        while self.bytes > self.limit {
            let begin = self.all().filter_map(Series::oldest).map(|p| p.0).min();
            let end = self.all().filter_map(Series::oldest).map(|p| p.1).min();
            let (Some(begin), Some(end), Some(until)) = (begin, end, self.until) else {
                return;
            };
            let part = until.0.saturating_sub(begin) / PARTS;
            // One piece at least.
            let from = begin.saturating_add(part).max(end.saturating_add(1));
            for target in self.targets.values_mut() {
                let (samples, names) = target.forget(from);
                self.bytes -= samples + names;
                self.names -= names;
            }
            self.since = self.since.max(Some(Timestamp(from)));
        }
    }

    pub fn standing(&self) -> Standing {
        Standing {
            since: self.since,
            until: self.until,
            bytes: self.bytes,
            limit: self.limit,
            series: self.all().count(),
            exporters: self.targets.len(),
            refused: self.refused,
            late: self.late,
            gaps: self.gaps.iter().copied().collect(),
        }
    }

    /// The series that `wanted` takes and that have samples between these times.
    pub fn select(
        &self,
        (first, last): (i64, i64),
        mut wanted: impl FnMut(&SeriesKey) -> bool,
    ) -> Vec<Found> {
        let mut all = Vec::new();
        for series in self.all().filter(|s| wanted(&s.key)) {
            let open = (series.open.count > 0).then(|| series.open.piece());
            let pieces = series.closed.iter().cloned().chain(open);
            let pieces: Vec<Piece> = pieces
                .filter(|p| p.first <= last && p.last >= first)
                .collect();
            if !pieces.is_empty() {
                all.push(Found {
                    key: series.key.clone(),
                    class: series.class,
                    samples: pieces.iter().map(|p| p.count as usize).sum(),
                    pieces,
                });
            }
        }
        all
    }

    /// Names of metrics and what they are.
    pub fn metrics(&self) -> BTreeMap<Arc<str>, Class> {
        let all = self.all().map(|s| (s.key.name.clone(), s.class));
        all.collect()
    }

    pub fn label_names(&self) -> BTreeSet<String> {
        let each = self.all().flat_map(|s| s.key.labels.iter());
        each.map(|(name, _)| name.to_owned()).collect()
    }

    pub fn label_values(&self, label: &str) -> BTreeSet<String> {
        let each = self.all().filter_map(|s| s.key.labels.get(label));
        each.map(str::to_owned).collect()
    }
}

impl Target {
    fn add(&mut self, raw: &Raw) -> usize {
        self.series.push(Series {
            key: raw.key.clone(),
            class: raw.class,
            closed: VecDeque::new(),
            open: Open::default(),
            seen: 0,
            alive: true,
            own_time: false,
        });
        let place = self.series.len() - 1;
        self.places.insert(raw.key.clone(), place);
        place
    }

    /// Forgets pieces that ended before this time, and series of which nothing is left; how many
    /// bytes of samples and of series that frees.
    fn forget(&mut self, from: i64) -> (usize, usize) {
        let (mut samples, mut names) = (0, 0);
        for series in &mut self.series {
            while series.closed.front().is_some_and(|p| p.last < from) {
                let gone = series.closed.pop_front();
                samples += gone.map_or(0, |p| p.bytes.len() + PIECE_BYTES);
            }
            if series.open.count > 0 && series.open.at < from {
                samples += series.open.bytes.len();
                series.open = Open::default();
            }
        }
        let before = self.series.len();
        self.series.retain(|series| {
            let stays = series.newest().is_some();
            names += if stays {
                0
            } else {
                texts(&series.key) + SERIES_BYTES
            };
            stays
        });
        if self.series.len() < before {
            let keys = self.series.iter().enumerate();
            self.places = keys.map(|(at, s)| (s.key.clone(), at)).collect();
        }
        (samples, names)
    }
}

fn texts(key: &SeriesKey) -> usize {
    let labels = key
        .labels
        .iter()
        .map(|(name, value)| name.len() + value.len() + 64);
    key.name.len() + labels.sum::<usize>()
}

#[cfg(test)]
mod tests;

//! What exporters told lately, as they told it: compressed, bounded by bytes, oldest first to go.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::piece::{Found, Series};
use super::{ENDED, has_ended};
use crate::model::label::Labels;
use crate::model::sample::SeriesKey;
use crate::model::scrape::{Class, Raw, Scrape, Told};
use crate::model::time::Timestamp;

/// What a series takes beside its samples and texts: itself and its place in the index.
const SERIES_BYTES: usize = 400;
/// Gaps that are remembered.
const GAPS: usize = 64;
/// The series themselves may take this part of the window: their samples need the rest.
const NAMES: usize = 4;
/// Parts of the window that go at a time.
const PARTS: i64 = 16;
/// A sample this far ahead of its scrape is left out, as Prometheus does, milliseconds.
const AHEAD_MS: i64 = 600_000;
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
    /// Scrapes older than what their exporter had told before: left out.
    pub late: u64,
    /// Samples whose own time is far ahead of their scrape: left out.
    pub ahead: u64,
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
    ahead: u64,
    gaps: VecDeque<Gap>,
}

#[derive(Debug, Default)]
struct Target {
    places: HashMap<SeriesKey, usize, RandomState>,
    series: Vec<Series>,
    /// What comes after the series found last: exporters keep their order.
    guess: usize,
    looks: u64,
    /// When it was looked at last.
    at: Option<Timestamp>,
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
            ahead: 0,
            gaps: VecDeque::new(),
        }
    }

    /// Takes a scrape in, and makes room for it.
    pub fn put(&mut self, scrape: &Scrape) {
        let known = self.targets.get(&scrape.exporter);
        if known.and_then(|t| t.at) >= Some(scrape.at) {
            self.late += 1;
            return;
        }
        self.since.get_or_insert(scrape.at);
        self.until = self.until.max(Some(scrape.at));
        let mut target = self.targets.remove(&scrape.exporter).unwrap_or_default();
        target.at = Some(scrape.at);
        target.looks += 1;
        target.guess = 0;
        for raw in scrape.raws() {
            self.take(&mut target, raw, scrape.at);
        }
        let up = Raw {
            key: SeriesKey::new(UP, Labels::from_pairs([("instance", &scrape.instance)])),
            class: Class::Gauge,
            at: scrape.at,
            value: f64::from(u8::from(!matches!(scrape.told, Told::Nothing))),
        };
        self.take(&mut target, &up, scrape.at);
        if !matches!(scrape.told, Told::Some(_)) {
            self.end_missing(&mut target, scrape.at);
        }
        self.targets.insert(scrape.exporter, target);
        self.enforce();
    }

    fn take(&mut self, target: &mut Target, raw: &Raw, at: Timestamp) {
        if raw.at > at.plus_ms(AHEAD_MS) {
            self.ahead += 1;
            return;
        }
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
        // An exporter that times its samples may tell one twice.
        self.bytes += series.put(raw.at.0, raw.value).unwrap_or(0);
    }

    /// What the look at this time did not bring has ended.
    fn end_missing(&mut self, target: &mut Target, at: Timestamp) {
        let looks = target.looks;
        for series in &mut target.series {
            if series.seen == looks || !series.alive {
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
                last.scrapes = last.scrapes.saturating_add(gap.scrapes);
                last.messages = last.messages.saturating_add(gap.messages);
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
            ahead: self.ahead,
            gaps: self.gaps.iter().copied().collect(),
        }
    }

    /// The series that `wanted` takes and that have samples between these times.
    pub fn select(
        &self,
        span: (i64, i64),
        mut wanted: impl FnMut(&SeriesKey) -> bool,
    ) -> Vec<Found> {
        let wanted = self.all().filter(|s| wanted(&s.key));
        wanted.filter_map(|s| s.between(span)).collect()
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
        self.series.push(Series::new(raw.key.clone(), raw.class));
        let place = self.series.len() - 1;
        self.places.insert(raw.key.clone(), place);
        place
    }

    /// Forgets pieces that ended before this time, and series of which nothing is left; how many
    /// bytes of samples and of series that frees.
    fn forget(&mut self, from: i64) -> (usize, usize) {
        let samples = self.series.iter_mut().map(|s| s.forget(from)).sum();
        let mut names = 0;
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

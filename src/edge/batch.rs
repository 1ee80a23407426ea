//! Scrapes as messages of few bytes.
//!
//! A message opens with its [`Head`]; the rest is compressed. Texts and series are told once in a
//! generation and are numbers from then on; of each scrape only the values that changed are told,
//! each against the last one of its series. Who has not read the beginning of a generation cannot
//! read the rest of it, so one begins every now and then.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::decode::{EVENT, MOST_VALUES};
use super::head::{Head, Packed};
use super::thin::{Level, Priority};
use super::value::Last;
use super::window::Gap;
use super::{ENDED, has_ended};
use crate::bundle::wire::{put_bytes, put_i64, put_len, put_u64};
use crate::model::sample::SeriesKey;
use crate::model::scrape::{Class, Raw, Scrape, Told};
use crate::model::time::Timestamp;

/// From here on what is told of new series goes in a message of its own.
const FULL: usize = 512 << 10;

pub(super) const TEXT: u8 = 1;
pub(super) const TARGET: u8 = 2;
pub(super) const SERIES: u8 = 3;
pub(super) const SCRAPE: u8 = 4;
pub(super) const GAP: u8 = 5;

pub(super) const ALL: u8 = 0;
pub(super) const SOME: u8 = 1;
pub(super) const NOTHING: u8 = 2;

/// Makes messages of scrapes.
#[derive(Debug)]
pub struct Encoder {
    run: u64,
    sequence: u64,
    first: bool,
    body: Vec<u8>,
    /// In it, as the reader counts them.
    values: usize,
    scrapes: u64,
    span: Option<(Timestamp, Timestamp)>,
    texts: HashMap<Arc<str>, usize, RandomState>,
    targets: Vec<Target>,
    /// Closed while another scrape was put.
    ready: Vec<Packed>,
}

#[derive(Debug)]
struct Target {
    exporter: u16,
    url: Arc<str>,
    instance: Arc<str>,
    interval_ms: u32,
    places: HashMap<SeriesKey, usize, RandomState>,
    series: Vec<Out>,
    /// When it was looked at last.
    at: i64,
    looks: u64,
}

#[derive(Debug)]
struct Out {
    last: Last,
    counts: bool,
    priority: Priority,
    alive: bool,
}

impl Encoder {
    /// `run`: no other encoder may have had it.
    pub fn new(run: u64) -> Self {
        Self {
            run,
            sequence: 0,
            first: true,
            body: Vec::new(),
            values: 0,
            scrapes: 0,
            span: None,
            texts: HashMap::default(),
            targets: Vec::new(),
            ready: Vec::new(),
        }
    }

    /// Nothing told before counts for what comes.
    pub fn begin(&mut self) {
        self.texts.clear();
        self.targets.clear();
        self.body.clear();
        self.ready.clear();
        self.values = 0;
        self.scrapes = 0;
        self.span = None;
        self.first = true;
    }

    /// Bytes that wait to be packed, before they are compressed.
    pub fn waiting(&self) -> usize {
        self.body.len()
    }

    /// Tells a scrape, as far as the level wants it told.
    pub fn put(&mut self, scrape: &Scrape, level: Level) {
        let target = self.target(scrape);
        let Some(looks) = self.targets.get_mut(target).map(|t| {
            t.looks += 1;
            t.looks
        }) else {
            return;
        };
        let wanted = level.wanted(looks, scrape.interval_ms);
        // Who does not answer is told of at once.
        if wanted == 0 && !matches!(scrape.told, Told::Nothing) {
            return;
        }
        let mut told = Vec::with_capacity(scrape.raws().len());
        for raw in scrape.raws() {
            if wanted & Priority::of(&raw.key.name, raw.class).bit() == 0 {
                continue;
            }
            told.push((self.series(target, raw), raw));
            if self.body.len() > FULL {
                self.reach(scrape.at);
                self.close();
            }
        }
        told.sort_by_key(|(at, _)| *at);
        told.dedup_by_key(|(at, _)| *at);
        let values = EVENT + self.targets.get(target).map_or(0, |t| t.series.len());
        if self.values + values > MOST_VALUES && !self.body.is_empty() {
            self.reach(scrape.at);
            self.close();
        }
        self.values += values;
        self.scrape(target, scrape, wanted, &told);
        self.scrapes += 1;
        self.reach(scrape.at);
    }

    fn reach(&mut self, at: Timestamp) {
        let (from, to) = self.span.unwrap_or((at, at));
        self.span = Some((from.min(at), to.max(at)));
    }

    /// Says that something could not be kept.
    pub fn gap(&mut self, gap: &Gap) {
        self.body.push(GAP);
        self.values += EVENT;
        put_i64(&mut self.body, gap.from.0);
        put_i64(&mut self.body, gap.to.0.wrapping_sub(gap.from.0));
        put_u64(&mut self.body, gap.scrapes);
        self.span.get_or_insert((gap.to, gap.to));
    }

    /// All that was put since the last time, as messages.
    pub fn pack(&mut self) -> Vec<Packed> {
        if !self.body.is_empty() {
            self.close();
        }
        std::mem::take(&mut self.ready)
    }

    fn close(&mut self) {
        self.sequence += 1;
        let (from, to) = self.span.take().unwrap_or_default();
        let head = Head {
            run: self.run,
            sequence: self.sequence,
            first: std::mem::take(&mut self.first),
            scrapes: std::mem::take(&mut self.scrapes),
            from,
            to,
        };
        self.ready.extend(head.seal(&self.body));
        self.body.clear();
        self.values = 0;
    }

    fn text(&mut self, text: &Arc<str>) -> usize {
        if let Some(id) = self.texts.get(text) {
            return *id;
        }
        self.body.push(TEXT);
        put_bytes(&mut self.body, text.as_bytes());
        let id = self.texts.len();
        self.texts.insert(text.clone(), id);
        id
    }

    fn target(&mut self, scrape: &Scrape) -> usize {
        let same = |t: &Target| {
            (t.exporter, t.interval_ms) == (scrape.exporter, scrape.interval_ms)
                && t.url == scrape.url
                && t.instance == scrape.instance
        };
        if let Some(known) = self.targets.iter().position(same) {
            return known;
        }
        let (url, instance) = (self.text(&scrape.url), self.text(&scrape.instance));
        self.body.push(TARGET);
        put_u64(&mut self.body, u64::from(scrape.exporter));
        put_len(&mut self.body, url);
        put_len(&mut self.body, instance);
        put_u64(&mut self.body, u64::from(scrape.interval_ms));
        self.targets.push(Target {
            exporter: scrape.exporter,
            url: scrape.url.clone(),
            instance: scrape.instance.clone(),
            interval_ms: scrape.interval_ms,
            places: HashMap::default(),
            series: Vec::new(),
            at: 0,
            looks: 0,
        });
        self.targets.len() - 1
    }

    /// The place of the series within its target; a new one is told.
    fn series(&mut self, target: usize, raw: &Raw) -> usize {
        let known = self
            .targets
            .get(target)
            .and_then(|t| t.places.get(&raw.key));
        if let Some(at) = known {
            return *at;
        }
        let name = self.text(&raw.key.name);
        let pairs: Vec<(usize, usize)> = raw
            .key
            .labels
            .pairs()
            .iter()
            .map(|(name, value)| (self.text(name), self.text(value)))
            .collect();
        let priority = Priority::of(&raw.key.name, raw.class);
        let out = &mut self.body;
        out.push(SERIES);
        put_len(out, target);
        out.push(Class::ALL.iter().position(|c| *c == raw.class).unwrap_or(0) as u8);
        out.push(priority as u8);
        put_len(out, name);
        put_len(out, pairs.len());
        for (name, value) in pairs {
            put_len(out, name);
            put_len(out, value);
        }
        let Some(target) = self.targets.get_mut(target) else {
            return 0;
        };
        target.series.push(Out {
            last: Last::default(),
            counts: raw.class.is_count(),
            priority,
            alive: false,
        });
        let at = target.series.len() - 1;
        target.places.insert(raw.key.clone(), at);
        at
    }

    /// `told`: places of the series and what is told of them, in the order of the places.
    fn scrape(&mut self, target: usize, scrape: &Scrape, wanted: u8, told: &[(usize, &Raw)]) {
        let number_of = target;
        let Some(target) = self.targets.get_mut(target) else {
            return;
        };
        let kind = match &scrape.told {
            Told::All(_) => ALL,
            Told::Some(_) => SOME,
            Told::Nothing => NOTHING,
        };
        let out = &mut self.body;
        out.push(SCRAPE);
        put_len(out, number_of);
        out.push(kind << 4 | wanted);
        put_i64(out, scrape.at.0.wrapping_sub(target.at));
        target.at = scrape.at.0;
        let all = match kind {
            NOTHING => {
                target.series.iter_mut().for_each(|s| s.alive = false);
                return;
            }
            kind => kind == ALL,
        };
        let (mut places, mut values, mut count) = (Vec::new(), Vec::new(), 0_usize);
        let mut next = 0;
        let mut tell = |at: usize, series: &mut Out, value: f64| {
            put_len(&mut places, at - next);
            next = at + 1;
            count += 1;
            series.last.put(&mut values, value, series.counts);
            series.alive = !has_ended(value);
        };
        let mut told_of = told.iter().peekable();
        for (at, series) in target.series.iter_mut().enumerate() {
            let raw = told_of
                .next_if(|(place, _)| *place == at)
                .map(|(_, raw)| raw);
            if wanted & series.priority.bit() == 0 {
                continue;
            }
            match raw {
                Some(raw) => {
                    let same = raw.value.to_bits() == series.last.value().to_bits();
                    if all && series.alive && same {
                        series.last.rest();
                    } else {
                        tell(at, series, raw.value);
                    }
                }
                None if all && series.alive => tell(at, series, ENDED),
                None => {}
            }
        }
        put_len(out, count);
        out.extend_from_slice(&places);
        out.extend_from_slice(&values);
        let own = |(_, raw): &&(usize, &Raw)| raw.at != scrape.at;
        put_len(out, told.iter().filter(own).count());
        let mut next = 0;
        for (place, raw) in told.iter().filter(own) {
            put_len(out, place - next);
            next = place + 1;
            put_i64(out, raw.at.0.wrapping_sub(scrape.at.0));
        }
    }
}

//! What is kept from scrape to scrape: series by their text, and the last value of counters.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::Read;
use super::latency::Latencies;
use crate::edge::has_ended;
use crate::model::label::Labels;
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::scrape::{Raw, Scrape};
use crate::model::signal::Group;
use crate::model::text;
use crate::model::time::Timestamp;
use crate::model::{dpdk, gpu, ptp, sriov};
use crate::source::exposition::{self, Class, Format, Options, Summary, Taker};

/// Scrapes after which a series that is gone is forgotten.
const FORGET_AFTER: u64 = 5;

/// One exporter's series, and how its counters stood.
#[derive(Debug, Default)]
pub struct Memory {
    /// `host:port` of the exporter.
    instance: String,
    pub limit: usize,
    /// Which series tell of DPDK: some of its exporters declare no type.
    pub names: Arc<dpdk::Names>,
    scrape: u64,
    known: Series,
    texts: Texts,
    latencies: Latencies,
    /// Series told last time, by group.
    sizes: [usize; Group::ALL.len()],
    /// What the last body held, as it was written; `None`: nobody wants it.
    raws: Option<Vec<Raw>>,
}

/// Series by their text. Exporters keep their order: the one after the last is tried first, which
/// spares a search all over memory.
#[derive(Debug, Default)]
struct Series {
    all: Vec<Known>,
    places: HashMap<Arc<str>, u32, RandomState>,
    guess: usize,
}

impl Series {
    fn find(&mut self, text: &str) -> Option<&mut Known> {
        let guess = self.guess;
        let place = match self.all.get(guess) {
            Some(next) if *next.text == *text => guess,
            _ => *self.places.get(text)? as usize,
        };
        self.guess = place + 1;
        self.all.get_mut(place)
    }

    fn insert(&mut self, known: Known) {
        let place = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.places.insert(known.text.clone(), place);
        self.all.push(known);
    }

    fn retain(&mut self, stays: impl Fn(&Known) -> bool) {
        let before = self.all.len();
        self.all.retain(stays);
        if self.all.len() < before {
            let places = (0..).zip(&self.all);
            self.places = places.map(|(at, known)| (known.text.clone(), at)).collect();
        }
    }
}

/// One series as its exporter writes it.
#[derive(Debug)]
struct Known {
    text: Arc<str>,
    key: SeriesKey,
    /// As the exporter calls it.
    raw: SeriesKey,
    class: Class,
    group: Group,
    role: Role,
    seen: u64,
}

#[derive(Debug)]
enum Role {
    Value,
    /// Time and value of the last scrape.
    Rate(Option<(i64, f64)>),
    /// Histogram number, model, upper bound.
    Latency(usize, String, f64),
    Skip,
}

impl Memory {
    pub fn new(instance: &str, limit: usize) -> Self {
        Self {
            instance: text::clean(instance, 256),
            limit,
            ..Self::default()
        }
    }

    /// Series that are remembered.
    pub fn series(&self) -> usize {
        self.known.all.len()
    }

    /// Keeps what is read as it was written too, for [`Memory::take_raws`].
    pub fn keeping_raws(mut self) -> Self {
        self.raws = Some(Vec::new());
        self
    }

    /// What the last body held, as it was written.
    pub fn take_raws(&mut self) -> Vec<Raw> {
        self.raws.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Reads one body; `now` is the time of samples that carry none.
    pub fn read(&mut self, body: &[u8], format: Format, complete: bool, now: Timestamp) -> Read {
        let options = Options {
            format,
            complete,
            sample_limit: self.limit,
            ..Options::default()
        };
        self.taking(now, |taking| exposition::parse_into(body, options, taking))
    }

    /// Reads what another read of an exporter: the same comes of it as if it were read here.
    pub fn hear(&mut self, scrape: &Scrape) -> Read {
        let raws = scrape.raws().iter().filter(|raw| !has_ended(raw.value));
        let limit = self.limit;
        self.taking(scrape.at, |taking| {
            let mut samples = 0;
            for raw in raws {
                samples += 1;
                if samples > limit {
                    continue;
                }
                let series = raw.key.to_string();
                let pairs = raw.key.labels.iter();
                let labels: exposition::Labels<'_> =
                    pairs.map(|(n, v)| (n.into(), v.into())).collect();
                let sample = exposition::Sample {
                    series: &series,
                    name: raw.key.name.as_ref().into(),
                    value: raw.value,
                    at: Some(raw.at),
                    class: raw.class,
                };
                taking.put(&sample, &labels);
            }
            Summary {
                samples,
                lines: samples,
                ..Summary::default()
            }
        })
    }

    fn taking(&mut self, now: Timestamp, give: impl FnOnce(&mut Taking<'_>) -> Summary) -> Read {
        self.scrape += 1;
        self.known.guess = 0;
        if let Some(raws) = &mut self.raws {
            raws.clear();
        }
        let mut groups: Groups = Group::ALL.map(|group| (group, Vec::new()));
        for ((_, series), size) in groups.iter_mut().zip(self.sizes) {
            series.reserve(size);
        }
        let mut taking = Taking {
            now,
            scrape: self.scrape,
            instance: &self.instance,
            names: &self.names,
            known: &mut self.known,
            texts: &mut self.texts,
            latencies: &mut self.latencies,
            seen: 0,
            groups,
            raws: self.raws.as_mut(),
        };
        let summary = give(&mut taking);
        let (mut groups, seen) = (taking.groups, taking.seen);
        if seen < self.known.all.len() {
            let scrape = self.scrape;
            let known = &mut self.known;
            known.retain(|series| series.seen + FORGET_AFTER > scrape);
            self.texts.0.retain(|text| Arc::strong_count(text) > 1);
        }
        self.close_latencies(&mut groups, now);
        for (size, (_, series)) in self.sizes.iter_mut().zip(&groups) {
            *size = series.len();
        }
        let told = groups.into_iter().filter(|(_, series)| !series.is_empty());
        (summary, told.collect())
    }

    fn close_latencies(&mut self, groups: &mut Groups, now: Timestamp) {
        for latency in self.latencies.close(now.0) {
            let model = latency.model.as_str();
            let own = [("model_name", model), ("instance", &self.instance)];
            let quantile = latency.quantile.map(|q| ("quantile", q));
            let value = latency.seconds;
            let told = SeriesSamples {
                key: SeriesKey::new(
                    latency.signal,
                    Labels::from_pairs(own.into_iter().chain(quantile)),
                ),
                kind: SampleKind::Gauge,
                points: [Sample { at: now, value }].into(),
            };
            tell(groups, Group::Serving, told);
        }
    }
}

impl Known {
    fn new(
        sample: &exposition::Sample<'_>,
        labels: &exposition::Labels<'_>,
        (instance, counts): (&str, bool),
        texts: &mut Texts,
    ) -> Self {
        let find = |name: &str| {
            labels
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.as_ref())
        };
        let role = match sample.class {
            Class::Gauge | Class::Unknown if counts => Role::Rate(None),
            Class::Gauge | Class::Unknown | Class::Other => Role::Value,
            Class::Counter | Class::Total if is_level(&sample.name) => Role::Value,
            Class::Counter | Class::Total => Role::Rate(None),
            Class::Created => Role::Skip,
            Class::Bucket => match (
                super::latency::Latencies::which(&sample.name),
                find("le").and_then(|le| le.parse().ok()),
            ) {
                (Some(which), Some(bound)) => {
                    let model = text::clean(find("model_name").unwrap_or_default(), 256);
                    Role::Latency(which, model, bound)
                }
                _ => Role::Skip,
            },
        };
        let suffix = if matches!(role, Role::Rate(_)) {
            ":rate"
        } else {
            ""
        };
        let name = format!("{}{suffix}", text::clean(&sample.name, text::LIMIT_BYTES));
        let mut pairs: Vec<(Arc<str>, Arc<str>)> = labels
            .iter()
            .map(|(name, value)| (texts.shared(name), texts.shared(value)))
            .collect();
        if find("instance").is_none() {
            pairs.push((texts.shared("instance"), texts.shared(instance)));
        }
        let labels = Labels::new(pairs);
        let raw = SeriesKey::new(texts.shared(&sample.name), labels.clone());
        Self {
            text: sample.series.into(),
            key: SeriesKey::new(texts.shared(&name), labels),
            raw,
            class: sample.class,
            group: Group::of_metric(&sample.name),
            role,
            seen: 0,
        }
    }

    /// What is told of this value; `None`: nothing, or nothing yet.
    fn value(&mut self, at: Timestamp, value: f64, latencies: &mut Latencies) -> Option<f64> {
        match &mut self.role {
            Role::Skip => None,
            Role::Value => (!is_blank(&self.key.name, value)).then_some(value),
            Role::Latency(which, model, bound) => {
                latencies.add(*which, model, *bound, value);
                None
            }
            Role::Rate(last) => {
                // No value is no count either, and nothing can be counted from it on.
                if !value.is_finite() || is_blank(&self.key.name, value) {
                    *last = None;
                    return None;
                }
                let (before_ms, before) = last.replace((at.0, value))?;
                let seconds = (at.0 - before_ms) as f64 / 1000.0;
                // A smaller value: the exporter began anew, and counted up to here since.
                let grown = if value >= before {
                    value - before
                } else {
                    value
                };
                (seconds > 0.0 && grown.is_finite()).then(|| grown / seconds)
            }
        }
    }
}

/// One body being read.
struct Taking<'m> {
    now: Timestamp,
    scrape: u64,
    instance: &'m str,
    names: &'m dpdk::Names,
    known: &'m mut Series,
    texts: &'m mut Texts,
    latencies: &'m mut Latencies,
    /// Series met.
    seen: usize,
    groups: Groups,
    raws: Option<&'m mut Vec<Raw>>,
}

impl Taking<'_> {
    /// False: the series was never met.
    fn value(&mut self, series: &str, value: f64, at: Option<Timestamp>) -> bool {
        let Some(known) = self.known.find(series) else {
            return false;
        };
        // The same series twice in one body: the first counts.
        if known.seen == self.scrape {
            return true;
        }
        known.seen = self.scrape;
        self.seen += 1;
        let at = at.unwrap_or(self.now);
        if let Some(raws) = &mut self.raws {
            raws.push(Raw {
                key: known.raw.clone(),
                class: known.class,
                at,
                value,
            });
        }
        if let Some(value) = known.value(at, value, self.latencies) {
            let told = SeriesSamples {
                key: known.key.clone(),
                kind: SampleKind::Gauge,
                points: [Sample { at, value }].into(),
            };
            tell(&mut self.groups, known.group, told);
        }
        true
    }

    fn put(&mut self, sample: &exposition::Sample<'_>, labels: &exposition::Labels<'_>) {
        if self.known.find(sample.series).is_none() {
            let counts = self.names.is_counter(&sample.name);
            let known = Known::new(sample, labels, (self.instance, counts), self.texts);
            self.known.insert(known);
        }
        self.value(sample.series, sample.value, sample.at);
    }
}

impl<'a> Taker<'a> for Taking<'_> {
    fn again(&mut self, series: &'a str, value: f64, at: Option<Timestamp>) -> bool {
        self.value(series, value, at)
    }

    fn take(&mut self, sample: &exposition::Sample<'a>, labels: &exposition::Labels<'a>) {
        self.put(sample, labels);
    }
}

/// Series by group, all groups in their order.
type Groups = [(Group, Vec<SeriesSamples>); Group::ALL.len()];

fn tell(groups: &mut Groups, group: Group, told: SeriesSamples) {
    if let Some((_, series)) = groups.iter_mut().find(|(g, _)| *g == group) {
        series.push(told);
    }
}

/// Cleaned texts, each held once for all series.
#[derive(Debug, Default)]
struct Texts(HashSet<Arc<str>, RandomState>);

impl Texts {
    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let shared = text::shared(text, text::LIMIT_BYTES);
        self.0.insert(shared.clone());
        shared
    }
}

/// Declared a counter, and told as it is, not as its growth.
fn is_level(name: &str) -> bool {
    gpu::is_level(name) || ptp::is_level(name) || sriov::is_level(name)
}

/// Old releases of DCGM leak their marks for "no value" as numbers.
fn is_blank(name: &str, value: f64) -> bool {
    (name.starts_with("DCGM_") || name.starts_with("dcgm_")) && gpu::is_blank(value)
}

#[cfg(test)]
mod tests;

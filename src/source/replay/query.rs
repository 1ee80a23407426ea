//! PromQL over a recording: what the console polled as it was told then, all else evaluated over the
//! series that were recorded.
//!
//! Of a metric that was not recorded nothing is known, which is not the same as that there is none:
//! a query that computes with it has no answer.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::lookup::{Search, Unanswered};
use super::selector::Selector;
use crate::clock;
use crate::model::ask::Answer;
use crate::model::label::Labels;
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::telemetry::{Body, SampleBatch};
use crate::model::text;
use crate::model::time::Timestamp;
use crate::promql::{Limits, Memory, NAME, Need, PromqlError, Query, Series, Value};
use crate::source::Told;

const MOST_SERIES: usize = 2_000;
/// Points taken from a recording for one query, 16 bytes each.
const MOST_POINTS: usize = 4_000_000;
/// Longest that a query is evaluated.
const LONGEST: Duration = Duration::from_secs(20);
/// Name of series that a query left without one.
const NAMELESS: &str = "value";
/// Longest name and value of a label.
const LABEL_CHARS: usize = 1024;

/// A query, and when it is to be answered for.
pub(super) struct Asked<'q> {
    pub query: &'q str,
    pub start: Timestamp,
    pub end: Timestamp,
    /// 0: at one time.
    pub step_ms: i64,
}

impl Asked<'_> {
    fn query(&self) -> Query<'_> {
        let mut query = Query::range(self.query, (self.start.0, self.end.0), self.step_ms);
        if self.step_ms == 0 {
            query.end_ms = self.start.0;
        }
        query
    }
}

type Held = BTreeMap<SeriesKey, (SampleKind, Vec<Sample>)>;

impl Search {
    /// Series up to where the player stands.
    pub(super) fn series(&self, asked: &Asked) -> Result<Told, Unanswered> {
        let asked = Asked {
            end: asked.end.min(self.now),
            ..*asked
        };
        if asked.end < asked.start {
            return Ok(told(Vec::new(), Vec::new()));
        }
        let mut gathered = Gathered::new(&asked);
        self.each(|frame| {
            if let Body::Samples(batch) = frame.body {
                gathered.take(batch);
            }
        })?;
        gathered.answer()
    }
}

/// What a recording holds of what a query is about.
struct Gathered<'q> {
    asked: &'q Asked<'q>,
    /// Of this very query, which was polled.
    polled: Option<Held>,
    needs: Result<Vec<Need>, PromqlError>,
    /// Which needs have a series of their name.
    known: Vec<bool>,
    /// Series that were looked at, and whether some need is about them.
    wanted: HashMap<SeriesKey, bool>,
    held: Held,
    /// When points are looked for: of the polled query, and of what it is about.
    spans: [(i64, i64); 2],
    points: usize,
}

impl<'q> Gathered<'q> {
    fn new(asked: &'q Asked<'q>) -> Self {
        let query = asked.query();
        let needs = query.needs(Limits::default());
        let all = needs.iter().flatten();
        let first = all.clone().map(|n| n.start_ms).min();
        let last = all.map(|n| n.end_ms).max();
        let polled = (query.start_ms - query.lookback_ms, query.end_ms);
        let spans = [
            polled,
            (first.unwrap_or_default(), last.unwrap_or_default()),
        ];
        Self {
            spans,
            asked,
            polled: None,
            known: vec![false; needs.as_ref().map_or(0, Vec::len)],
            needs,
            wanted: HashMap::new(),
            held: Held::new(),
            points: 0,
        }
    }

    fn take(&mut self, batch: SampleBatch) {
        let polled = batch.query.trim() == self.asked.query.trim();
        if polled {
            self.polled.get_or_insert_default();
        }
        for series in batch.series {
            if self.points > MOST_POINTS {
                break;
            }
            if let Some(held) = self.polled.as_mut().filter(|_| polled) {
                self.points += put(held, series, self.spans[0]);
            } else if self.wants(&series.key) {
                self.points += put(&mut self.held, series, self.spans[1]);
            }
        }
    }

    fn wants(&mut self, key: &SeriesKey) -> bool {
        if let Some(wanted) = self.wanted.get(key) {
            return *wanted;
        }
        let labels = named(key);
        let mut wanted = false;
        for (need, known) in self.needs.iter().flatten().zip(&mut self.known) {
            let all = need.matchers.iter().all(|m| m.holds(&labels));
            let mut names = need.matchers.iter().filter(|m| m.name == NAME).peekable();
            // Who is there of a name that is recorded, is known.
            *known |= all || names.peek().is_some() && names.all(|m| m.holds(&labels));
            wanted |= all;
        }
        self.wanted.insert(key.clone(), wanted);
        wanted
    }

    fn answer(self) -> Result<Told, Unanswered> {
        let asked = self.asked;
        if self.points > MOST_POINTS {
            let words = format!("it is about more than {MOST_POINTS} points");
            return Err(PromqlError::TooBig(words).into());
        }
        if let Some(polled) = self.polled {
            let series = evaluated(
                polled,
                &Query {
                    text: "{__name__!=\"\"}",
                    ..asked.query()
                },
            )?;
            return Ok(told(series, Vec::new()));
        }
        let needs = self.needs?;
        let unknown = needs.iter().zip(&self.known).find(|(_, known)| !**known);
        let mut warnings = Vec::new();
        if let Some((need, _)) = unknown {
            if Selector::parse(asked.query).is_none() {
                return Err(Unanswered::Unrecorded(need.to_string()));
            }
            warnings.push(format!("the recording holds nothing of {need}"));
        }
        Ok(told(evaluated(self.held, &asked.query())?, warnings))
    }
}

/// The points go to their series; how many.
fn put(held: &mut Held, series: SeriesSamples, (first, last): (i64, i64)) -> usize {
    let kind = series.kind;
    let (_, points) = held.entry(series.key).or_insert_with(|| (kind, Vec::new()));
    let before = points.len();
    let inside = |p: &&Sample| (first..=last).contains(&p.at.0);
    points.extend(series.points.iter().filter(inside));
    points.len() - before
}

/// With the name among the labels.
fn named(key: &SeriesKey) -> Labels {
    let name = (Arc::from(NAME), Arc::clone(&key.name));
    let pairs = key.labels.pairs().iter().cloned();
    Labels::new(pairs.chain([name]).collect())
}

fn evaluated(held: Held, query: &Query) -> Result<Vec<SeriesSamples>, Unanswered> {
    let began = clock::instant();
    let stop = || began.elapsed() > LONGEST;
    let limits = Limits {
        stop: &stop,
        ..Limits::default()
    };
    let mut kinds = HashMap::new();
    let mut all = Vec::with_capacity(held.len());
    for (key, (kind, mut points)) in held {
        // What came in later of the same time holds.
        points.sort_by_key(|p| p.at);
        points.dedup_by(|later, earlier| {
            let same = later.at == earlier.at;
            if same {
                earlier.value = later.value;
            }
            same
        });
        let labels = named(&key);
        kinds.insert(labels.clone(), kind);
        let points = points.into();
        all.push(Series { labels, points });
    }
    let found = match query.answer(&Memory::new(all), limits)? {
        Value::Vector(found) | Value::Matrix(found) => found,
        Value::Scalar(value) => vec![Series {
            labels: Labels::default(),
            points: [Sample {
                at: Timestamp(query.start_ms),
                value,
            }]
            .into(),
        }],
        Value::Text(_) => Vec::new(),
    };
    let series = found.into_iter().map(|series| SeriesSamples {
        kind: kinds.get(&series.labels).copied().unwrap_or_default(),
        key: key(&series.labels),
        points: series.points.iter().copied().collect(),
    });
    Ok(series.collect())
}

/// Texts of a query can have come into labels: they are cleaned like those of clusters.
fn key(labels: &Labels) -> SeriesKey {
    let clean = |text: &str| text::clean(text, LABEL_CHARS);
    let others = labels.iter().filter(|(name, _)| *name != NAME);
    let others = others.map(|(name, value)| (clean(name), clean(value)));
    let name = labels.get(NAME).map_or_else(|| NAMELESS.into(), clean);
    SeriesKey::new(name, Labels::from_pairs(others))
}

fn told(mut series: Vec<SeriesSamples>, warnings: Vec<String>) -> Told {
    let all = series.len();
    series.truncate(MOST_SERIES);
    Told {
        answer: Answer::Series(Arc::new(series)),
        warnings,
        cut_from: (all > MOST_SERIES).then_some(all),
        latency_ms: None,
    }
}

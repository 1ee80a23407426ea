//! PromQL over series that are at hand, answered as a server would.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::Told;
use crate::clock;
use crate::model::ask::Answer;
use crate::model::label::Labels;
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::text;
use crate::model::time::Timestamp;
use crate::promql::{Limits, Memory, NAME, PromqlError, Query, Series, Value};

const MOST_SERIES: usize = 2_000;
/// Points taken for one query, 16 bytes each.
pub const MOST_POINTS: usize = 4_000_000;
/// Longest that a query is evaluated.
const LONGEST: Duration = Duration::from_secs(20);
/// Name of series that a query left without one.
pub const NAMELESS: &str = "value";
/// Longest name and value of a label.
const LABEL_CHARS: usize = 1024;

/// Series by name and labels, and what their values are.
pub type Held = BTreeMap<SeriesKey, (SampleKind, Vec<Sample>)>;

/// A query, and when it is to be answered for.
pub struct Asked<'q> {
    pub query: &'q str,
    pub start: Timestamp,
    pub end: Timestamp,
    /// 0: at one time.
    pub step_ms: i64,
}

impl Asked<'_> {
    pub fn query(&self) -> Query<'_> {
        let mut query = Query::range(self.query, (self.start.0, self.end.0), self.step_ms);
        if self.step_ms == 0 {
            query.end_ms = self.start.0;
        }
        query
    }
}

/// A query about more than that many points.
pub fn too_many() -> PromqlError {
    PromqlError::TooBig(format!("it is about more than {MOST_POINTS} points"))
}

/// With the name among the labels.
pub fn named(key: &SeriesKey) -> Labels {
    let name = (Arc::from(NAME), Arc::clone(&key.name));
    let pairs = key.labels.pairs().iter().cloned();
    Labels::new(pairs.chain([name]).collect())
}

/// Takes a while: not on the threads that carry the tasks.
///
/// # Errors
/// [`PromqlError`], as [`Query::answer`] gives it.
pub fn evaluated(held: Held, query: &Query) -> Result<Vec<SeriesSamples>, PromqlError> {
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

/// The answer, cut where there is too much of it.
pub(super) fn told(mut series: Vec<SeriesSamples>, warnings: Vec<String>) -> Told {
    let all = series.len();
    series.truncate(MOST_SERIES);
    Told {
        answer: Answer::Series(Arc::new(series)),
        warnings,
        cut_from: (all > MOST_SERIES).then_some(all),
        latency_ms: None,
    }
}

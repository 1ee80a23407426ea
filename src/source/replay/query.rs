//! PromQL over a recording: what the console polled as it was told then, all else evaluated over the
//! series that were recorded.
//!
//! Of a metric that was not recorded nothing is known, which is not the same as that there is none:
//! a query that computes with it has no answer.

use std::collections::HashMap;

use super::lookup::{Search, Unanswered};
use super::selector::Selector;
use crate::model::sample::Sample;
use crate::model::sample::{SeriesKey, SeriesSamples};
use crate::model::telemetry::{Body, SampleBatch};
use crate::promql::{Limits, NAME, Need, PromqlError, Query};
use crate::source::Told;
pub(super) use crate::source::held::Asked;
use crate::source::held::{Held, MOST_POINTS, evaluated, named, told, too_many};

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
            return Err(too_many().into());
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

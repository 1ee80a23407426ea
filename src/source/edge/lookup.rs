//! Questions answered from the window.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::Held;
use crate::clock;
use crate::edge::{Found, Standing};
use crate::model::ask::{Answer, Answered, Ask, MetricInfo, Question};
use crate::model::sample::{SampleKind, SeriesSamples};
use crate::model::time::Timestamp;
use crate::promql::{Limits, NAME, Need, PromqlError};
use crate::source::error::{Cause, SourceError};
use crate::source::held::{self, Asked, MOST_POINTS, evaluated, named};
use crate::source::{Lookup, Told, addressed};

impl Held {
    fn find(&self, ask: &Ask) -> Result<Told, Cause> {
        let (query, start, end, step_ms) = match ask {
            Ask::Instant { query, at } => (query, *at, *at, 0),
            Ask::Range {
                query,
                start,
                end,
                step_ms,
            } => (query, *start, *end, i64::from(*step_ms).max(1)),
            other => return self.other(other),
        };
        let asked = Asked {
            query,
            start,
            end,
            step_ms,
        };
        self.query(&asked).map_err(|e| match e {
            Refused::Query(error) => Cause::Query(error.to_string()),
            Refused::Empty => Cause::Absent(Refused::Empty.to_string()),
        })
    }

    fn query(&self, asked: &Asked) -> Result<Told, Refused> {
        let (series, missing) = self.evaluate(asked)?;
        Ok(held::told(series, missing))
    }

    /// What a query gives, and what it does not see. Takes a while.
    pub(super) fn evaluate(
        &self,
        asked: &Asked,
    ) -> Result<(Vec<SeriesSamples>, Vec<String>), Refused> {
        let query = asked.query();
        let needs = query.needs(Limits::default())?;
        let first = needs.iter().map(|n| n.start_ms).min();
        let last = needs.iter().map(|n| n.end_ms).max();
        let span = (first.unwrap_or_default(), last.unwrap_or_default());
        let wanted = |labels: &_| {
            let holds = |need: &Need| need.matchers.iter().all(|m| m.holds(labels));
            needs.iter().any(holds)
        };
        let (found, standing) = {
            let window = self.window();
            let found = window.select(span, |key| wanted(&named(key)));
            (found, window.standing())
        };
        if standing.since.is_none() {
            return Err(Refused::Empty);
        }
        if found.iter().map(|f| f.samples).sum::<usize>() > MOST_POINTS {
            return Err(held::too_many().into());
        }
        let series = evaluated(read(found, span), &query)?;
        let missing = match needs.is_empty() {
            true => Vec::new(),
            false => missing(&standing, span),
        };
        Ok((series, missing))
    }

    fn other(&self, ask: &Ask) -> Result<Told, Cause> {
        let window = self.window();
        let answer = match ask {
            Ask::Metadata => {
                let metrics = window.metrics().into_iter();
                Answer::Metadata(
                    metrics
                        .map(|(name, class)| MetricInfo {
                            name,
                            kind: class.word().to_owned(),
                            help: String::new(),
                            unit: String::new(),
                        })
                        .collect(),
                )
            }
            Ask::LabelNames => Answer::Names(window.label_names().into_iter().collect()),
            Ask::LabelValues { label } if label == NAME => {
                let metrics = window.metrics().into_keys();
                Answer::Names(metrics.map(|name| name.to_string()).collect())
            }
            Ask::LabelValues { label } => {
                Answer::Names(window.label_values(label).into_iter().collect())
            }
            Ask::Rules => return Err(absent("rules")),
            Ask::Exemplars { .. } => return Err(absent("exemplars")),
            _ => return Err(Cause::Bug("this question goes to another source".into())),
        };
        Ok(Told {
            answer,
            warnings: Vec::new(),
            cut_from: None,
            latency_ms: None,
        })
    }

    /// What is asked, and how far it reaches.
    fn shown(&self) -> String {
        let standing = self.standing();
        let size = size(&standing);
        match standing.since {
            None => format!("window of exporters, {size}"),
            Some(since) => {
                let (n, since) = (standing.exporters, second(since));
                let s = if n == 1 { "" } else { "s" };
                format!("window of {n} exporter{s} since {since}, {size}")
            }
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error(transparent)]
    Query(#[from] PromqlError),
    #[error("no exporter has answered yet")]
    Empty,
}

fn absent(what: &str) -> Cause {
    Cause::Absent(format!(
        "there is no Prometheus that has {what}: exporters are asked directly"
    ))
}

fn read(found: Vec<Found>, span: (i64, i64)) -> held::Held {
    let mut all = held::Held::new();
    for series in found {
        let samples = series.read(span);
        let (_, held) = all
            .entry(series.key)
            .or_insert_with(|| (SampleKind::Gauge, Vec::new()));
        held.extend(samples);
    }
    all
}

/// What the answer does not see.
fn missing(standing: &Standing, (first, last): (i64, i64)) -> Vec<String> {
    let mut told = Vec::new();
    if let Some(since) = standing.since.filter(|since| since.0 > first) {
        told.push(format!(
            "the window reaches back to {} only, {}: nothing is known of the time before",
            second(since),
            size(standing)
        ));
    }
    for gap in &standing.gaps {
        if gap.from.0 <= last && gap.to.0 >= first {
            let lost = match (gap.scrapes, gap.messages) {
                (0, 0) => "scrapes".to_owned(),
                (0, 1) => "1 message with scrapes".to_owned(),
                (0, n) => format!("{n} messages with scrapes"),
                (1, _) => "1 scrape".to_owned(),
                (n, _) => format!("{n} scrapes"),
            };
            told.push(format!(
                "gap: {lost} between {} and {} did not come",
                second(gap.from),
                second(gap.to)
            ));
        }
    }
    told.extend(left_out(standing));
    told
}

/// What came and is not held, and why.
pub(super) fn left_out(standing: &Standing) -> Vec<String> {
    let all = [
        (
            standing.late,
            "scrapes older than what their exporter had told before (from another watcher's spool, \
             or a clock was set back)",
        ),
        (
            standing.ahead,
            "samples more than 10 min ahead of their scrape",
        ),
        (
            standing.refused,
            "samples of new series, for which the window had no room",
        ),
    ];
    let some = all.into_iter().filter(|(n, _)| *n > 0);
    some.map(|(n, what)| format!("left out: {n} {what}"))
        .collect()
}

fn size(standing: &Standing) -> String {
    let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    format!(
        "{:.1} of {:.0} MiB",
        mib(standing.bytes),
        mib(standing.limit)
    )
}

fn second(at: Timestamp) -> String {
    let text = at.rfc3339();
    text.split_once('.')
        .map_or(text.clone(), |(to, _)| format!("{to}Z"))
}

/// Asks the window without waiting on the threads that carry the tasks.
pub struct WindowLookup(pub Arc<Held>);

impl Lookup for WindowLookup {
    fn ask(&self, question: Question) -> BoxFuture<'_, Answered> {
        Box::pin(async move {
            let started = clock::instant();
            let (held, ask) = (self.0.clone(), question.ask.clone());
            let work = tokio::task::spawn_blocking(move || {
                let shown = held.shown();
                (held.find(&ask), shown)
            });
            let (found, shown) = match work.await {
                Ok(found) => found,
                Err(e) => (Err(Cause::Bug(e.to_string())), String::new()),
            };
            let found = found.map_err(|cause| SourceError::new(&self.0.cluster, &shown, cause));
            addressed(question, &shown, started, found)
        })
    }
}

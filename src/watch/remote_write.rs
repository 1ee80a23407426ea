//! Scores as series, by Prometheus remote-write 1.0.
//!
//! Each sample is of one turn of the loop: a loop that stands still writes nothing. A series that
//! ends gets a staleness marker, so that it ends on every screen at once.

mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use hyper::body::Bytes;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tracing::Instrument;

use super::outlets::{Hearing, Outlet, Patience};
use super::told::{FindingTold, IncidentTold, Told};
use crate::model::time::Timestamp;
use crate::source::SPAN;
use crate::source::door::Untaken;

/// Between two samples of a series, unless the endpoint says otherwise.
pub const EVERY: Duration = Duration::from_secs(15);
/// Samples in one request.
const BATCH: usize = 2_000;
/// Series of one turn; the scores of findings that are more are not written.
const SERIES: usize = 50_000;
/// What may wait for the server, bytes as sent; the oldest goes.
const WAITING: usize = 16 << 20;
const NAME: &str = "outlet remote_write";

/// What makes an absent value of a series that ended (Prometheus, `model/value`).
pub const STALE: u64 = 0x7ff0_0000_0000_0002;

/// Labels of one series, by name; the name of the metric is one of them.
pub type Labels = BTreeMap<&'static str, String>;

/// One value of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub labels: Labels,
    pub at: Timestamp,
    pub value: f64,
}

/// What was written last, to know what ended.
#[derive(Debug, Default)]
pub struct Written {
    last: BTreeMap<Labels, (Arc<str>, Timestamp)>,
    dropped: usize,
}

impl Written {
    /// The samples of this turn, ends of what is no more among them; and apart, the ends of clusters
    /// that are no longer ours: whoever watches them may have written later ones, and then ours are
    /// refused.
    pub fn next(&mut self, told: &Told) -> (Vec<Sample>, Vec<Sample>) {
        let mut now = BTreeMap::new();
        for (cluster, labels, value) in scores(told) {
            // Two findings of one subject may differ in what no label says: the worse one is told.
            let slot = now.entry(labels).or_insert((cluster, value));
            slot.1 = slot.1.max(value);
        }
        let cut = now.len().saturating_sub(SERIES);
        self.dropped += cut;
        for _ in 0..cut {
            now.pop_last();
        }
        let mut ends = Vec::new();
        let mut gone = Vec::new();
        for (labels, (cluster, last)) in &self.last {
            if now.contains_key(labels) {
                continue;
            }
            let ours = told.clusters.iter().any(|c| c.name == *cluster);
            let (list, at) = match ours {
                true => (&mut ends, told.at),
                false => (&mut gone, last.plus_ms(1)),
            };
            list.push(end(labels, at));
        }
        self.last = now
            .iter()
            .map(|(l, (c, _))| (l.clone(), (Arc::clone(c), told.at)))
            .collect();
        let samples = now.into_iter().map(|(labels, (_, value))| Sample {
            labels,
            at: told.at,
            value,
        });
        (samples.chain(ends).collect(), gone)
    }

    /// The ends of everything.
    pub fn end(&mut self) -> Vec<Sample> {
        let all = std::mem::take(&mut self.last);
        all.into_iter()
            .map(|(labels, (_, at))| end(&labels, at.plus_ms(1)))
            .collect()
    }
}

fn end(labels: &Labels, at: Timestamp) -> Sample {
    Sample {
        labels: labels.clone(),
        at,
        value: f64::from_bits(STALE),
    }
}

type Score = (Arc<str>, Labels, f64);

/// Every score of this turn. What is not known is not written.
fn scores(told: &Told) -> impl Iterator<Item = Score> {
    let clusters = told.clusters.iter().filter_map(|c| {
        let labels = Labels::from([
            ("__name__", "farwatch_cluster_health_score".to_owned()),
            ("cluster", c.name.to_string()),
        ]);
        Some((Arc::clone(&c.name), labels, f64::from(c.score?)))
    });
    let incidents = told.incidents.iter();
    clusters.chain(incidents.flat_map(|incident| {
        let findings = incident.findings.iter().map(|f| finding(incident, f));
        std::iter::once(of_incident(incident)).chain(findings)
    }))
}

fn of_incident(incident: &IncidentTold) -> Score {
    let labels = Labels::from([
        ("__name__", "farwatch_incident_score".to_owned()),
        ("cluster", incident.cluster.to_string()),
        ("incident", incident.name()),
        ("severity", incident.severity.word().to_owned()),
    ]);
    (Arc::clone(&incident.cluster), labels, incident.score)
}

fn finding(incident: &IncidentTold, finding: &FindingTold) -> Score {
    let labels = Labels::from([
        ("__name__", "farwatch_finding_score".to_owned()),
        ("cluster", incident.cluster.to_string()),
        ("incident", incident.name()),
        ("kind", finding.kind.as_str().replace(' ', "_")),
        ("severity", finding.severity.word().to_owned()),
        ("signal", finding.signal.clone()),
        ("subject", finding.subject.clone()),
    ]);
    (Arc::clone(&incident.cluster), labels, finding.score)
}

/// One request, ready to be sent.
struct Batch {
    body: Bytes,
    samples: usize,
}

/// What waits for the server.
#[derive(Default)]
struct Queue {
    batches: VecDeque<Batch>,
    bytes: usize,
}

impl Queue {
    fn push(&mut self, outlet: &Outlet, samples: &[Sample]) {
        for part in samples.chunks(BATCH) {
            let Some(body) = wire::body(part) else {
                outlet.count.lose(part.len());
                continue;
            };
            self.bytes += body.len();
            self.batches.push_back(Batch {
                body: body.into(),
                samples: part.len(),
            });
        }
        while self.bytes > WAITING
            && let Some(oldest) = self.pop()
        {
            outlet.count.lose(oldest.samples);
        }
    }

    fn pop(&mut self) -> Option<Batch> {
        let batch = self.batches.pop_front()?;
        self.bytes -= batch.body.len();
        Some(batch)
    }

    fn put_back(&mut self, batch: Batch) {
        self.bytes += batch.body.len();
        self.batches.push_front(batch);
    }

    fn samples(&self) -> usize {
        self.batches.iter().map(|b| b.samples).sum()
    }
}

type Flight = BoxFuture<'static, (Batch, Result<Vec<u8>, Untaken>)>;

fn send(outlet: &Outlet, batch: Batch) -> Flight {
    let poster = outlet.poster.clone();
    let span = tracing::debug_span!(target: SPAN, "post", outlet = NAME, samples = batch.samples);
    async move {
        let told = poster.post(headers(), batch.body.clone()).await;
        (batch, told)
    }
    .instrument(span)
    .boxed()
}

fn headers() -> HeaderMap {
    let fixed = HeaderValue::from_static;
    let version = HeaderName::from_static("x-prometheus-remote-write-version");
    HeaderMap::from_iter([
        (CONTENT_TYPE, fixed("application/x-protobuf")),
        (CONTENT_ENCODING, fixed("snappy")),
        (version, fixed("0.1.0")),
    ])
}

/// Until it is ended; then every series is, and what waits is given away.
pub async fn run(outlet: Outlet, mut hearing: Hearing) {
    let every_ms = u64::try_from(outlet.every.as_millis()).unwrap_or(u64::MAX);
    let (mut written, mut queue, mut patience) =
        (Written::default(), Queue::default(), Patience::default());
    let mut last: Option<Timestamp> = None;
    let mut flight: Option<Flight> = None;
    loop {
        if flight.is_none() && patience.is_over() {
            flight = queue.pop().map(|batch| send(&outlet, batch));
        }
        tokio::select! { biased;
            () = outlet.ended.cancelled() => break,
            Some(landed) = landing(&mut flight) => {
                flight = None;
                land(&outlet, &mut queue, &mut patience, landed);
            }
            changed = hearing.changed() => {
                if changed.is_err() {
                    break;
                }
                let told = hearing.borrow_and_update().clone();
                let due = |at: Timestamp| last.is_none_or(|last| at.age_since_ms(last) >= every_ms);
                if let Some(told) = told.filter(|told| due(told.at)) {
                    last = Some(told.at);
                    let (samples, gone) = written.next(&told);
                    outlet.count.lose(std::mem::take(&mut written.dropped));
                    queue.push(&outlet, &samples);
                    queue.push(&outlet, &gone);
                }
            }
        }
        outlet.count.wait(queue.samples());
    }
    queue.push(&outlet, &written.end());
    if let Some(flight) = flight {
        land(&outlet, &mut queue, &mut patience, flight.await);
    }
    while let Some(batch) = queue.pop() {
        let landed = send(&outlet, batch).await;
        let passing = matches!(&landed.1, Err(untaken) if untaken.passing);
        land(&outlet, &mut queue, &mut patience, landed);
        if passing {
            break;
        }
    }
    outlet.count.wait(queue.samples());
}

async fn landing(flight: &mut Option<Flight>) -> Option<(Batch, Result<Vec<u8>, Untaken>)> {
    match flight {
        Some(flight) => Some(flight.await),
        None => None,
    }
}

fn land(
    outlet: &Outlet,
    queue: &mut Queue,
    patience: &mut Patience,
    (batch, told): (Batch, Result<Vec<u8>, Untaken>),
) {
    let Err(untaken) = told else {
        patience.end(NAME);
        outlet.count.took(batch.samples);
        return;
    };
    outlet.count.fail();
    if untaken.passing {
        patience.fail(NAME, &untaken);
        queue.put_back(batch);
    } else {
        tracing::warn!(outlet = NAME, error = %untaken.error, samples = batch.samples, "refused");
        outlet.count.lose(batch.samples);
    }
}

#[cfg(test)]
mod tests;

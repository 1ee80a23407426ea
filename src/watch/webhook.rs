//! Incidents as alerts for an Alertmanager (API v2).
//!
//! An alert is told when its incident opens, again and again while it goes on, and once when it has
//! ended. Each telling holds only for a while, so that alerts of a watcher that died end by themselves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Serialize;
use tracing::Instrument;

use super::outlets::{Hearing, Outlet, Patience};
use super::told::{ClusterTold, IncidentTold, Told};
use crate::model::alert::Severity;
use crate::model::id::IncidentId;
use crate::model::time::Timestamp;
use crate::source::SPAN;

/// Between two tellings of the same alert, unless the endpoint says otherwise.
pub const EVERY: Duration = Duration::from_secs(60);
/// A telling holds for so many of these times.
const HOLDS: i64 = 4;
/// Alerts in one request.
const BATCH: usize = 64;
/// Alerts that are kept; more incidents than these are not told.
const MOST: usize = 10_000;
/// An end that nobody takes is given up after this: the alert has ended by itself.
const END_KEPT_MS: u64 = 900_000;
/// Findings in the text of an alert.
const LINES: usize = 10;
const NAME: &str = "outlet webhook";

/// A severity of an incident is an alert of its own: others route by it, and labels are what an
/// Alertmanager knows an alert by.
type Key = (Arc<str>, IncidentId, Severity);

struct Entry {
    told: Arc<IncidentTold>,
    labels: Labels,
    ended: Option<Timestamp>,
    sent: Option<Timestamp>,
}

type Labels = BTreeMap<&'static str, String>;

/// What is told, and what is owed.
pub struct Book {
    entries: BTreeMap<Key, Entry>,
    every_ms: i64,
    dropped: usize,
}

#[derive(Serialize)]
struct Alert<'a> {
    labels: &'a Labels,
    annotations: Labels,
    #[serde(rename = "startsAt")]
    starts_at: String,
    #[serde(rename = "endsAt")]
    ends_at: String,
}

impl Book {
    pub fn new(every: Duration) -> Self {
        Self {
            entries: BTreeMap::new(),
            every_ms: i64::try_from(every.as_millis()).unwrap_or(i64::MAX / HOLDS),
            dropped: 0,
        }
    }

    /// Takes over what goes on now, and notes what ended.
    pub fn hear(&mut self, told: &Told) {
        let ours = |name: &str| told.clusters.iter().find(|c| c.name.as_ref() == name);
        let mut live = BTreeMap::new();
        for incident in &told.incidents {
            let key = (
                Arc::clone(&incident.cluster),
                incident.id,
                incident.severity,
            );
            live.insert(key, incident);
        }
        // Another watcher tells of a cluster that is no longer ours.
        self.entries
            .retain(|(cluster, ..), _| ours(cluster).is_some());
        for (key, entry) in &mut self.entries {
            if !live.contains_key(key) {
                entry.ended.get_or_insert(told.at);
            }
        }
        let waited = |at: Timestamp| told.at.age_since_ms(at) > END_KEPT_MS;
        let before = self.entries.len();
        self.entries
            .retain(|_, entry| !entry.ended.is_some_and(waited));
        self.dropped += before - self.entries.len();
        for (key, incident) in live {
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.told = Arc::clone(incident);
                // It came back: that is news.
                if entry.ended.take().is_some() {
                    entry.sent = None;
                }
            } else if self.entries.len() < MOST {
                let labels = labels(incident, ours(&incident.cluster));
                let entry = Entry {
                    told: Arc::clone(incident),
                    labels,
                    ended: None,
                    sent: None,
                };
                self.entries.insert(key, entry);
            } else {
                self.dropped += 1;
            }
        }
    }

    /// What is to be told now: new ones, ends, and what goes on and was told long ago.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = &Key> {
        let due = move |entry: &Entry| match (entry.ended, entry.sent) {
            (Some(_), _) | (None, None) => true,
            (None, Some(at)) => now.0.saturating_sub(at.0) >= self.every_ms,
        };
        let due = self.entries.iter().filter(move |(_, entry)| due(entry));
        due.map(|(key, _)| key)
    }

    /// These as the body of a request.
    pub fn body(&self, keys: &[Key], now: Timestamp) -> Vec<u8> {
        let until = now.plus_ms(self.every_ms.saturating_mul(HOLDS));
        let entries = keys.iter().filter_map(|key| self.entries.get(key));
        let alerts: Vec<Alert> = entries
            .map(|entry| Alert {
                labels: &entry.labels,
                annotations: annotations(&entry.told),
                starts_at: entry.told.opened.rfc3339(),
                // An end before its beginning would be refused, and the batch with it.
                ends_at: entry
                    .ended
                    .map_or(until, |end| end.max(entry.told.opened.plus_ms(1)))
                    .rfc3339(),
            })
            .collect();
        serde_json::to_vec(&alerts).unwrap_or_default()
    }

    /// These were given away, taken or refused for good: an end is then over.
    pub fn settle(&mut self, keys: &[Key], now: Timestamp) {
        for key in keys {
            let ended = self.entries.get(key).is_some_and(|e| e.ended.is_some());
            if ended {
                self.entries.remove(key);
            } else if let Some(entry) = self.entries.get_mut(key) {
                entry.sent = Some(now);
            }
        }
    }

    fn take_dropped(&mut self) -> usize {
        std::mem::take(&mut self.dropped)
    }
}

fn labels(incident: &IncidentTold, cluster: Option<&ClusterTold>) -> Labels {
    let mut labels = Labels::from([
        ("alertname", "FarwatchIncident".to_owned()),
        ("cluster", incident.cluster.to_string()),
        ("incident", incident.name()),
        ("severity", incident.severity.word().to_owned()),
    ]);
    let known = [
        ("environment", cluster.and_then(|c| c.environment.clone())),
        ("region", cluster.and_then(|c| c.region.clone())),
    ];
    labels.extend(
        known
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    labels
}

fn annotations(incident: &IncidentTold) -> Labels {
    let lines = incident.findings.iter().take(LINES);
    let mut lines: Vec<&str> = lines.map(|f| f.text.as_str()).collect();
    let more = incident.findings.len().saturating_sub(LINES);
    let more = format!("… and {more} more");
    if incident.findings.len() > LINES {
        lines.push(&more);
    }
    let mut told = Labels::from([
        ("summary", incident.title.clone()),
        ("description", lines.join("\n")),
        ("subjects", incident.subjects.clone()),
        ("score", format!("{:.2}", incident.score)),
        ("state", incident.state.word().to_owned()),
    ]);
    let people = [
        ("acknowledged_by", &incident.acknowledged),
        ("assigned_to", &incident.assigned),
    ];
    told.extend(
        people
            .into_iter()
            .filter_map(|(name, who)| Some((name, who.clone()?))),
    );
    told
}

/// Until it is ended; then what is owed is told once more.
pub async fn run(outlet: Outlet, mut hearing: Hearing) {
    let mut book = Book::new(outlet.every);
    let mut patience = Patience::default();
    loop {
        tokio::select! { biased;
            () = outlet.ended.cancelled() => break,
            changed = hearing.changed() => if changed.is_err() { break },
        }
        let Some(told) = hearing.borrow_and_update().clone() else {
            continue;
        };
        hear(&outlet, &mut book, &told);
        if patience.is_over() {
            tokio::select! { biased;
                () = outlet.ended.cancelled() => break,
                () = give(&outlet, &mut book, told.at, &mut patience) => {}
            }
        }
    }
    let last = hearing.borrow().clone();
    if let Some(told) = last {
        hear(&outlet, &mut book, &told);
        give(&outlet, &mut book, told.at, &mut patience).await;
    }
}

fn hear(outlet: &Outlet, book: &mut Book, told: &Told) {
    book.hear(told);
    outlet.count.lose(book.take_dropped());
    outlet.count.wait(book.due(told.at).count());
}

/// Batch by batch, until one is not taken.
async fn give(outlet: &Outlet, book: &mut Book, now: Timestamp, patience: &mut Patience) {
    loop {
        let keys: Vec<Key> = book.due(now).take(BATCH).cloned().collect();
        if keys.is_empty() {
            return;
        }
        let body = Bytes::from(book.body(&keys, now));
        let json = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, json)]);
        let span = tracing::debug_span!(target: SPAN, "post", outlet = NAME, alerts = keys.len());
        match outlet.poster.post(headers, body).instrument(span).await {
            Ok(_) => {
                patience.end(NAME);
                outlet.count.took(keys.len());
                book.settle(&keys, now);
            }
            Err(untaken) => {
                outlet.count.fail();
                if untaken.passing {
                    patience.fail(NAME, &untaken);
                    return;
                }
                tracing::warn!(outlet = NAME, error = %untaken.error, alerts = keys.len(), "refused");
                outlet.count.lose(keys.len());
                book.settle(&keys, now);
            }
        }
        outlet.count.wait(book.due(now).count());
    }
}

#[cfg(test)]
mod tests;

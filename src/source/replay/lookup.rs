//! Questions answered from a recording, up to where the player stands: nobody sees the future.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::query::Asked;
use super::selector::LogSelector;
use super::{Opener, stands_at};
use crate::bundle::BundleError;
use crate::clock;
use crate::model::ask::{Answer, Answered, Ask, MetricInfo, PodLogs, Question};
use crate::model::fault::{Fault, FaultKind};
use crate::model::id::ClusterId;
use crate::model::log::LogLine;
use crate::model::sample::SeriesKey;
use crate::model::telemetry::{Body, Telemetry};
use crate::model::time::Timestamp;
use crate::promql::PromqlError;
use crate::source::{Lookup, Told};

const MOST_LINES: usize = 5_000;

/// The `Lookup` of a replay.
pub struct Recorded {
    open: Opener,
    file: String,
    clusters: Arc<[String]>,
    clock: Arc<AtomicI64>,
}

impl Recorded {
    pub fn new(open: Opener, file: String, clusters: Vec<String>, clock: Arc<AtomicI64>) -> Self {
        Self {
            open,
            file,
            clusters: clusters.into(),
            clock,
        }
    }

    fn fault(&self, cluster: ClusterId, error: Unanswered) -> Fault {
        let (kind, what, hint) = match error {
            Unanswered::NotHeld => (
                FaultKind::BadQuery,
                "a recording cannot answer this query".into(),
                "ask for lines by labels and |= \"text\"".into(),
            ),
            Unanswered::Query(error) => of_query(error),
            Unanswered::Unrecorded(what) => (
                FaultKind::NotFound,
                format!("the recording holds nothing of {what}"),
                "whether there was any is unknown: what a console polls is recorded".into(),
            ),
            Unanswered::NotRecorded => (
                FaultKind::NotFound,
                "the YAML is not in the recording".into(),
                "what the console knew of the object is under `describe`".into(),
            ),
            Unanswered::NoRules => (
                FaultKind::NotFound,
                "rules are not in the recording".into(),
                "the alerts that they raised are: on the first page".into(),
            ),
            Unanswered::NoTraces => (
                FaultKind::NotFound,
                "traces are not in the recording".into(),
                "the live console asks Tempo for them; the lines of a trace that were recorded \
                 are on the logs screen"
                    .into(),
            ),
            Unanswered::NoMessages => (
                FaultKind::NotFound,
                "what streams keep is not in the recording".into(),
                "the messages that were followed are; the live console asks the bus for more"
                    .into(),
            ),
            Unanswered::NoExemplars => (
                FaultKind::NotFound,
                "exemplars are not in the recording".into(),
                "the live console asks Prometheus for them".into(),
            ),
            Unanswered::Bundle(error) => {
                let hint = error.hint().to_owned();
                (FaultKind::BadPayload, error.to_string(), hint)
            }
        };
        Fault {
            kind,
            cluster: self.name(cluster),
            endpoint: format!("recording {}", self.file),
            what,
            hint,
        }
    }

    fn name(&self, cluster: ClusterId) -> String {
        let name = self.clusters.get(usize::from(cluster.0));
        name.cloned().unwrap_or_default()
    }
}

/// What of a query is wrong, and what to try.
fn of_query(error: PromqlError) -> (FaultKind, String, String) {
    let hint = match error {
        PromqlError::Parse(_) | PromqlError::Evaluation(_) => "",
        PromqlError::Unsupported(_) => "the live console asks Prometheus",
        PromqlError::TooBig(_) | PromqlError::Stopped => {
            "ask for fewer series, a shorter range, or longer steps"
        }
    };
    let kind = match error {
        PromqlError::Stopped => FaultKind::Timeout,
        _ => FaultKind::BadQuery,
    };
    (kind, error.to_string(), hint.into())
}

pub(super) enum Unanswered {
    /// Only a server can answer this.
    NotHeld,
    Query(PromqlError),
    /// The query computes with what was not recorded.
    Unrecorded(String),
    /// Objects are recorded as far as the console knows them, not their YAML.
    NotRecorded,
    /// Rules come when they are asked for.
    NoRules,
    /// So do exemplars.
    NoExemplars,
    /// And what the streams of the bus keep.
    NoMessages,
    /// Traces come when they are asked for: nothing of them is recorded.
    NoTraces,
    Bundle(BundleError),
}

impl From<PromqlError> for Unanswered {
    fn from(error: PromqlError) -> Self {
        Self::Query(error)
    }
}

impl From<BundleError> for Unanswered {
    fn from(error: BundleError) -> Self {
        Self::Bundle(error)
    }
}

impl Lookup for Recorded {
    fn ask(&self, question: Question) -> BoxFuture<'_, Answered> {
        async move {
            let begin = clock::instant();
            let now = stands_at(&self.clock);
            let (open, ask) = (Arc::clone(&self.open), question.ask.clone());
            let search = Search {
                open,
                cluster: question.cluster,
                now,
            };
            // Unpacking a whole recording takes a while: not on the threads that carry the tasks.
            let found = tokio::task::spawn_blocking(move || search.answer(&ask)).await;
            let found = found.unwrap_or(Err(Unanswered::NotHeld));
            Answered {
                id: question.id,
                cluster: question.cluster,
                ask: question.ask,
                origin: format!("recording {}", self.file),
                at: now,
                latency_ms: u32::try_from(begin.elapsed().as_millis()).unwrap_or(u32::MAX),
                warnings: found
                    .as_ref()
                    .map_or_else(|_| Vec::new(), |t| t.warnings.clone()),
                cut_from: found.as_ref().ok().and_then(|told| told.cut_from),
                result: found
                    .map(|told| told.answer)
                    .map_err(|error| self.fault(question.cluster, error)),
            }
        }
        .boxed()
    }
}

/// One reading of the recording for one question.
pub(super) struct Search {
    open: Opener,
    cluster: ClusterId,
    pub now: Timestamp,
}

type Found = Result<(Answer, Option<usize>), Unanswered>;

impl Search {
    fn answer(&self, ask: &Ask) -> Result<Told, Unanswered> {
        let (query, start, end, step_ms) = match ask {
            Ask::Instant { query, at } => (query, at, at, 0),
            Ask::Range {
                query,
                start,
                end,
                step_ms,
            } => (query, start, end, i64::from(*step_ms).max(1)),
            other => {
                let (answer, cut_from) = self.other(other)?;
                return Ok(Told {
                    answer,
                    warnings: Vec::new(),
                    cut_from,
                    latency_ms: None,
                });
            }
        };
        self.series(&Asked {
            query,
            start: *start,
            end: *end,
            step_ms,
        })
    }

    fn other(&self, ask: &Ask) -> Found {
        match ask {
            // Answered with their warnings.
            Ask::Instant { .. } | Ask::Range { .. } => Err(Unanswered::NotHeld),
            Ask::Logs {
                query,
                start,
                end,
                limit,
                backward,
            } => self.lines(query, (*start, *end), *limit, *backward),
            Ask::Metadata => self.metadata(),
            Ask::LabelNames => self.names(|key, out| {
                out.extend(key.labels.iter().map(|(name, _)| name.to_owned()));
            }),
            Ask::LabelValues { label } if label == "__name__" => {
                self.names(|key, out| out.extend([key.name.to_string()]))
            }
            Ask::LabelValues { label } => self.names(|key, out| {
                out.extend(key.labels.get(label).map(str::to_owned));
            }),
            Ask::LokiLabelValues { label, .. } => {
                let mut values = BTreeSet::new();
                self.each_line(|line| {
                    if let Some(value) = line.labels.get(label)
                        && !values.contains(value)
                    {
                        values.insert(value.to_owned());
                    }
                })?;
                Ok((Answer::Names(values.into_iter().collect()), None))
            }
            Ask::LokiLabelNames => {
                let mut names = BTreeSet::new();
                self.each_line(|line| {
                    let new = line
                        .labels
                        .iter()
                        .filter(|(name, _)| !names.contains(*name));
                    let new: Vec<String> = new.map(|(name, _)| name.to_owned()).collect();
                    names.extend(new);
                })?;
                Ok((Answer::Names(names.into_iter().collect()), None))
            }
            Ask::LogSeries { .. } | Ask::LogVolume { .. } => Err(Unanswered::NotHeld),
            Ask::Rules => Err(Unanswered::NoRules),
            Ask::Object { .. } => Err(Unanswered::NotRecorded),
            Ask::PodLogs(wanted) => self.pod(wanted),
            Ask::Traces { .. }
            | Ask::Trace { .. }
            | Ask::TraceTags
            | Ask::TraceTagValues { .. } => Err(Unanswered::NoTraces),
            Ask::Exemplars { .. } => Err(Unanswered::NoExemplars),
            Ask::Messages { .. } => Err(Unanswered::NoMessages),
        }
    }

    /// The recorded lines of a pod, wherever they came from.
    fn pod(&self, wanted: &PodLogs) -> Found {
        let since = wanted.since_s.map_or(i64::MIN, |s| {
            let before = self.now.plus_ms(-i64::from(s) * 1000);
            before.0.saturating_mul(1_000_000)
        });
        let mut lines = Vec::new();
        self.each_line(|line| {
            let is = |label: &str, value: &str| line.labels.get(label) == Some(value);
            let container = wanted.container.as_deref();
            if line.at_ns >= since
                && is("namespace", &wanted.namespace)
                && is("pod", &wanted.pod)
                && container.is_none_or(|c| is("container", c))
                && wanted.previous == is("run", "previous")
            {
                lines.push(line);
            }
        })?;
        lines.sort_by_key(|line: &LogLine| line.at_ns);
        let all = lines.len();
        let most = (wanted.lines as usize).min(MOST_LINES);
        lines.drain(..all.saturating_sub(most));
        Ok((Answer::Logs(lines), (all > most).then_some(all)))
    }

    /// Every delivery of the cluster that came in by now.
    pub(super) fn each(&self, mut f: impl FnMut(Telemetry)) -> Result<(), Unanswered> {
        let mut reader = (self.open)()?;
        while let Some(frame) = reader.next_frame()? {
            if frame.received > self.now {
                break;
            }
            if frame.cluster == self.cluster {
                f(frame);
            }
        }
        Ok(())
    }

    fn each_line(&self, mut f: impl FnMut(LogLine)) -> Result<(), Unanswered> {
        self.each(|frame| {
            if let Body::Logs(batch) = frame.body {
                batch.lines.into_iter().for_each(&mut f);
            }
        })
    }

    fn lines(
        &self,
        query: &str,
        (start, end): (Timestamp, Timestamp),
        limit: u32,
        backward: bool,
    ) -> Found {
        let selector = LogSelector::parse(query).ok_or(Unanswered::NotHeld)?;
        let span = start.0.saturating_mul(1_000_000)..=end.0.saturating_mul(1_000_000);
        let mut found = Vec::new();
        self.each_line(|line| {
            if span.contains(&line.at_ns) && selector.matches(&line.labels, &line.line) {
                found.push(line);
            }
        })?;
        found.sort_by_key(|line| line.at_ns);
        found.dedup();
        if backward {
            found.reverse();
        }
        let all = found.len();
        found.truncate(usize::try_from(limit).unwrap_or(MOST_LINES).min(MOST_LINES));
        let cut = (found.len() < all).then_some(all);
        Ok((Answer::Logs(found), cut))
    }

    fn keys(&self) -> Result<BTreeSet<SeriesKey>, Unanswered> {
        let mut keys = BTreeSet::new();
        self.each(|frame| {
            if let Body::Samples(batch) = frame.body {
                keys.extend(batch.series.into_iter().map(|s| s.key));
            }
        })?;
        Ok(keys)
    }

    fn names(&self, pick: impl Fn(&SeriesKey, &mut BTreeSet<String>)) -> Found {
        let mut names = BTreeSet::new();
        for key in self.keys()? {
            pick(&key, &mut names);
        }
        Ok((Answer::Names(names.into_iter().collect()), None))
    }

    /// Names only: types and help texts are not recorded.
    fn metadata(&self) -> Found {
        let names: BTreeSet<_> = self.keys()?.into_iter().map(|key| key.name).collect();
        let info = |name| MetricInfo {
            name,
            kind: "unknown".into(),
            help: String::new(),
            unit: String::new(),
        };
        Ok((
            Answer::Metadata(names.into_iter().map(info).collect()),
            None,
        ))
    }
}

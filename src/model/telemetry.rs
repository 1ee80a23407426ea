//! Everything a source may say. What is recorded, replayed and fed to the state is exactly this.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::alert::{Alert, Silence};
use super::bus::{Survey, Tail as BusTail};
use super::discovery::{Platform, Probe};
use super::health::{SourceHealth, SourceKind};
use super::id::ClusterId;
use super::identity::Identity;
use super::log::LogLine;
use super::object::{Object, ObjectKey, ObjectKind};
use super::ptp::ClockTold;
use super::sample::SeriesSamples;
use super::signal::Group;
use super::time::Timestamp;

/// One delivery of one source of one cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Telemetry {
    pub cluster: ClusterId,
    pub source: SourceKind,
    /// Our clock when it came in.
    pub received: Timestamp,
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Body {
    Samples(SampleBatch),
    /// The whole list of alerts that the source has now.
    Alerts(Vec<Alert>),
    /// All silences that the source has now.
    Silences(Vec<Silence>),
    Logs(LogBatch),
    Objects(ObjectBatch),
    Health(SourceHealth),
    Facts(ClusterFacts),
    /// Everything that was looked for, with its result.
    Discovery(Vec<Probe>),
    Identity(Box<Identity>),
    /// The source works for the cluster no longer: what it said of itself and its alerts is no
    /// longer known.
    Gone,
    /// Names of the Alertmanagers that share their silences by gossip, that of the source among
    /// them; empty: it stands alone.
    Gossip(Vec<String>),
    /// The current state of each clock resource of one node, as its proxy tells it.
    Clocks(Vec<ClockTold>),
    /// Streams and consumers of the bus as they are now.
    Bus(Box<Survey>),
    /// What passed on the followed subjects.
    BusTail(Box<BusTail>),
}

/// One poll of one query, or one scrape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleBatch {
    pub group: Group,
    /// Signal of the catalogue, or the URL of the exporter.
    pub name: Arc<str>,
    /// The query as sent, for provenance.
    pub query: Arc<str>,
    /// Evaluation or scrape time.
    pub at: Timestamp,
    /// Expected distance to the next batch of this name, milliseconds.
    pub interval_ms: u32,
    /// History asked for at start; goes to the store and teaches what is usual, raises no incident.
    pub backfill: bool,
    pub series: Vec<SeriesSamples>,
    /// The answer was cut at the series limit; how many series there were.
    pub cut_from: Option<u32>,
}

impl SampleBatch {
    /// The same in deliveries of about `most` points each, every series whole.
    pub fn parts(self, most: usize) -> Vec<Self> {
        let mut parts = vec![Self {
            series: Vec::new(),
            ..self
        }];
        let mut held = 0;
        for series in self.series {
            if held >= most {
                held = 0;
                parts.extend(parts.last().map(Self::without_series));
            }
            held += series.points.len();
            if let Some(part) = parts.last_mut() {
                part.series.push(series);
            }
        }
        parts
    }

    fn without_series(&self) -> Self {
        Self {
            name: self.name.clone(),
            query: self.query.clone(),
            series: Vec::new(),
            ..*self
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogBatch {
    /// In time order as far as the server keeps it.
    pub lines: Vec<LogLine>,
    /// Lines lost before this batch (full ring, or told by the server).
    pub dropped: u64,
    /// From the live tail that always runs; not from a look back, nor from a tail asked for beside
    /// it.
    pub live: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectBatch {
    pub kind: ObjectKind,
    /// The objects given are all there are (a fresh list): forget the others of this kind.
    pub reset: bool,
    /// The kind is not installed (or no longer): there is nothing to list. `reset` is set too.
    #[serde(default)]
    pub gone: bool,
    pub upserts: Vec<Object>,
    pub deletes: Vec<ObjectKey>,
    /// There, but not as their schema says: what was known of them holds no longer.
    #[serde(default)]
    pub unread: Vec<ObjectKey>,
}

impl ObjectBatch {
    /// Tells nothing yet.
    pub fn empty(kind: ObjectKind) -> Self {
        Self {
            kind,
            reset: false,
            gone: false,
            upserts: Vec::new(),
            deletes: Vec::new(),
            unread: Vec::new(),
        }
    }

    /// How many objects are told of, in whatever way.
    pub fn told(&self) -> usize {
        self.upserts.len() + self.deletes.len() + self.unread.len()
    }

    pub fn is_empty(&self) -> bool {
        !self.reset && self.told() == 0
    }
}

/// What a cluster is; fields stay `None` until a source told them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClusterFacts {
    pub kubernetes_version: Option<String>,
    pub openshift_version: Option<String>,
    pub prometheus_version: Option<String>,
    /// Metric names of the capability query that exist, with their series counts.
    pub capabilities: Option<Vec<(String, u64)>>,
    #[serde(default)]
    pub platform: Option<Platform>,
    /// Prometheus has a rule `Watchdog`; `None`: its rules are not known.
    #[serde(default)]
    pub watchdog: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::label::Labels;
    use crate::model::sample::{Sample, SampleKind, SeriesKey};

    #[test]
    fn parts_hold_every_series_once() {
        let series = |i: i64| SeriesSamples {
            key: SeriesKey::new(format!("s{i}"), Labels::default()),
            kind: SampleKind::Gauge,
            points: (0..i)
                .map(|at| Sample {
                    at: Timestamp(at),
                    value: 1.0,
                })
                .collect(),
        };
        let whole = SampleBatch {
            group: Group::Gpu,
            name: "q".into(),
            query: "q".into(),
            at: Timestamp(9),
            interval_ms: 15_000,
            backfill: true,
            series: [4, 1, 7, 0, 3].map(series).into(),
            cut_from: Some(9),
        };
        let parts = whole.clone().parts(5);
        let sizes: Vec<usize> = parts.iter().map(|p| p.series.len()).collect();
        assert_eq!(sizes, [2, 1, 2]);
        assert!(parts.iter().all(|p| p.at == whole.at && p.backfill));
        let again: Vec<_> = parts.into_iter().flat_map(|p| p.series).collect();
        assert_eq!(again, whole.series);
        assert_eq!(whole.parts(100).len(), 1);
    }
}

//! A recording played as if it were live, and asked as if it were a server.
//!
//! Deliveries, the clock and the state of the player go through one queue, in the order of the
//! recording: played at any speed, the loop hears the same messages in the same order, so two
//! replays of a file find the same incidents.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::bundle::{BundleError, Header, Reader, RecordedCluster};
use crate::config::{Cluster, ClusterKind, Config, Edge, Endpoint, Kube, Nats, Samples};
use crate::message::{ReplayCommand, ReplayStatus};
use crate::model::health::SourceKind;
use crate::model::telemetry::Telemetry;
use crate::model::time::Timestamp;

mod lookup;
mod play;
mod query;
mod selector;

pub use lookup::Recorded;

/// What the player says, in the order of the recording.
#[derive(Clone, Debug, PartialEq)]
pub enum Fed {
    Telemetry(Box<Telemetry>),
    /// The replayed clock stands here.
    Tick(Timestamp),
    Status(ReplayStatus),
    /// Something is wrong with the recording.
    Trouble(String),
}

/// Makes a reader of the same recording again: for the player, and for each question.
pub type Opener = Arc<dyn Fn() -> Result<Reader, BundleError> + Send + Sync>;

/// How a replay begins.
#[derive(Clone, Copy, Debug)]
pub struct Begin {
    pub speed: f64,
    pub at: Option<Timestamp>,
}

impl Begin {
    /// Where to hurry to; `None`: it begins at the beginning.
    fn target(self, start: Timestamp, end: Timestamp) -> Option<Timestamp> {
        let at = self.at.map(|at| at.clamp(start, end.max(start)));
        at.filter(|at| *at > start)
    }

    /// How things stand before the player has said a word.
    pub fn status(self, reader: &Reader, file: &str) -> ReplayStatus {
        let (start, end) = (reader.start(), reader.end());
        ReplayStatus {
            file: file.to_owned(),
            start,
            end,
            now: start,
            speed: self.speed,
            paused: false,
            ended: false,
            seeking: self.target(start, end),
            restarted: false,
        }
    }
}

/// A running player. Dropping it ends the replay.
pub struct Player {
    commands: mpsc::Sender<ReplayCommand>,
    now: Arc<AtomicI64>,
}

impl Player {
    /// Starts to play; needs a running tokio runtime. `file` is how the recording is called.
    pub fn start(reader: Reader, file: String, begin: Begin) -> (Self, mpsc::Receiver<Fed>) {
        let (commands, orders) = mpsc::channel(64);
        let (out, fed) = mpsc::channel(1024);
        let now = Arc::new(AtomicI64::new(reader.start().0));
        let play = play::Play::new(reader, file, begin, out, orders, Arc::clone(&now));
        tokio::spawn(play.run());
        (Self { commands, now }, fed)
    }

    /// False when the player has too much to do to hear it.
    pub fn command(&self, command: ReplayCommand) -> bool {
        self.commands.try_send(command).is_ok()
    }

    /// Where the player stands; questions see nothing later.
    pub fn clock(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.now)
    }
}

/// The configuration of the recorded clusters in place of the operator's own. Their endpoints
/// say only that there were such sources.
pub fn config_of(header: &Header, own: &Config) -> Config {
    let mut config = own.clone();
    config.file = None;
    // What a recording shows concerns nobody else.
    config.team = None;
    config.clusters = header.clusters.iter().map(cluster).collect();
    config
}

/// The clusters of the configuration as a recording shows them.
pub fn recorded_clusters(config: &Config) -> Vec<RecordedCluster> {
    config.clusters.iter().map(recorded).collect()
}

const KINDS: [ClusterKind; 4] = [
    ClusterKind::Hub,
    ClusterKind::Spoke,
    ClusterKind::Edge,
    ClusterKind::FarEdge,
];

fn cluster(recorded: &RecordedCluster) -> Cluster {
    let has = |kind| {
        let endpoint = || Endpoint {
            url: "recording".into(),
            timeout: Duration::from_secs(1),
            ..Endpoint::default()
        };
        recorded.sources.contains(&kind).then(endpoint)
    };
    let exporters = recorded
        .sources
        .iter()
        .filter(|kind| matches!(kind, SourceKind::Exporter(_)));
    let managers = recorded.sources.iter().filter(|k| k.is_alertmanager());
    let proxies = recorded.sources.iter();
    let proxies = proxies.filter(|kind| matches!(kind, SourceKind::ClockEvents(_)));
    Cluster {
        name: recorded.name.clone(),
        kind: KINDS
            .into_iter()
            .find(|kind| kind.as_str() == recorded.kind)
            .unwrap_or_default(),
        environment: recorded.environment.clone(),
        region: recorded.region.clone(),
        labels: recorded.labels.clone(),
        kube: has(SourceKind::Kubernetes).map(|_| Kube::default()),
        prometheus: has(SourceKind::Prometheus),
        alertmanagers: managers.filter_map(|kind| has(*kind)).collect(),
        loki: has(SourceKind::Loki),
        nats: recorded.sources.contains(&SourceKind::Nats).then(|| Nats {
            urls: vec!["recording".into()],
            ..Nats::default()
        }),
        nvidia_smi: recorded.sources.contains(&SourceKind::NvidiaSmi),
        tempo: has(SourceKind::Tempo),
        edge: Edge {
            samples: match recorded.sources.contains(&SourceKind::Edge) {
                true => Samples::Team,
                false => Samples::Own,
            },
            ..Edge::default()
        },
        exporters: exporters.filter_map(|kind| has(*kind)).collect(),
        ptp_events: proxies.filter_map(|kind| has(*kind)).collect(),
        ..Cluster::default()
    }
}

fn recorded(cluster: &Cluster) -> RecordedCluster {
    RecordedCluster {
        name: cluster.name.clone(),
        kind: cluster.kind.as_str().into(),
        environment: cluster.environment.clone(),
        region: cluster.region.clone(),
        labels: cluster.labels.clone(),
        sources: cluster.sources().collect(),
    }
}

/// The time the player stands at.
fn stands_at(clock: &AtomicI64) -> Timestamp {
    Timestamp(clock.load(Ordering::Relaxed))
}

#[cfg(test)]
mod tests;

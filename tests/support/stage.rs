//! A world fed by hand: telemetry of invented clusters, minute by minute, with repeatable noise.
#![allow(dead_code, reason = "each test uses its part")]

use std::sync::Arc;

use farwatch::config::{Cluster, Config, Endpoint, Kube};
use farwatch::incident::{Incident, IncidentState};
use farwatch::model::alert::{Alert, AlertState, Severity};
use farwatch::model::fault::{Fault, FaultKind};
use farwatch::model::health::{Health, SourceHealth, SourceKind};
use farwatch::model::id::ClusterId;
use farwatch::model::label::Labels;
use farwatch::model::object::{Object, ObjectKind};
use farwatch::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use farwatch::model::signal::Group;
use farwatch::model::sriov::PhysicalFunction;
use farwatch::model::telemetry::{Body, ObjectBatch, SampleBatch, Telemetry};
use farwatch::model::time::Timestamp;
use farwatch::state::world::World;

pub const STEP_MS: i64 = 15_000;
pub const MINUTE: i64 = 60_000;
/// 2026-11-21T12:00:00Z
pub const START: i64 = 1_795_262_400_000;

pub struct Stage {
    pub world: World,
    /// What is told goes here instead, where it is to be recorded.
    pub tape: Option<Vec<Telemetry>>,
    seed: u64,
}

pub type Point<'a> = (&'a str, &'a [(&'a str, &'a str)], f64);

impl Stage {
    pub fn new(clusters: &[&str]) -> Self {
        let clusters = clusters
            .iter()
            .map(|name| Cluster {
                name: (*name).into(),
                prometheus: Some(Endpoint::default()),
                alertmanagers: vec![Endpoint::default()],
                kube: Some(Kube::default()),
                ..Cluster::default()
            })
            .collect();
        let config = Config {
            clusters,
            ..Config::default()
        };
        Self {
            world: World::new(&config, Timestamp(START)),
            tape: None,
            seed: 0x9e37_79b9_7f4a_7c15,
        }
    }

    pub fn at(minute: f64) -> Timestamp {
        Timestamp(START + (minute * MINUTE as f64) as i64)
    }

    /// Even noise in -1..1, the same in every run.
    pub fn noise(&mut self) -> f64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    pub fn tell(&mut self, cluster: u16, source: SourceKind, at: Timestamp, body: Body) -> bool {
        let told = Telemetry {
            cluster: ClusterId(cluster),
            source,
            received: at,
            body,
        };
        match &mut self.tape {
            Some(tape) => {
                tape.push(told);
                false
            }
            None => self.world.ingest(told),
        }
    }

    /// One answer of one query.
    pub fn samples(
        &mut self,
        cluster: u16,
        group: Group,
        query: &str,
        at: Timestamp,
        points: &[Point<'_>],
    ) {
        let series = points
            .iter()
            .map(|(name, labels, value)| SeriesSamples {
                key: SeriesKey::new(*name, Labels::from_pairs(labels.iter().copied())),
                kind: SampleKind::Gauge,
                points: [Sample { at, value: *value }].into(),
            })
            .collect();
        let body = Body::Samples(SampleBatch {
            group,
            name: query.into(),
            query: query.into(),
            at,
            interval_ms: STEP_MS as u32,
            backfill: false,
            series,
            cut_from: None,
        });
        self.tell(cluster, SourceKind::Prometheus, at, body);
    }

    pub fn objects(&mut self, cluster: u16, kind: ObjectKind, at: Timestamp, upserts: Vec<Object>) {
        let body = Body::Objects(ObjectBatch {
            kind,
            reset: false,
            upserts,
            ..ObjectBatch::empty(kind)
        });
        self.tell(cluster, SourceKind::Kubernetes, at, body);
    }

    pub fn alerts(&mut self, cluster: u16, at: Timestamp, list: Vec<Alert>) {
        self.tell(cluster, SourceKind::Alertmanager(0), at, Body::Alerts(list));
    }

    pub fn health(&mut self, cluster: u16, source: SourceKind, at: Timestamp, health: Health) {
        let body = Body::Health(SourceHealth {
            health,
            ..SourceHealth::default()
        });
        self.tell(cluster, source, at, body);
    }

    pub fn live(&mut self, cluster: u16, at: Timestamp) {
        for source in [
            SourceKind::Prometheus,
            SourceKind::Alertmanager(0),
            SourceKind::Kubernetes,
        ] {
            self.health(cluster, source, at, Health::Live);
        }
    }

    pub fn open(&self) -> Vec<&Incident> {
        let all = self.world.incidents.iter();
        all.filter(|i| i.state == IncidentState::Open).collect()
    }
}

/// A port with eight functions, as many as were wanted.
pub fn port() -> PhysicalFunction {
    PhysicalFunction {
        name: "ens1f0".into(),
        pci_address: "0000:3b:00.0".into(),
        vendor: "Intel".into(),
        driver: Some("ice".into()),
        mtu: Some(9000),
        link_speed: Some("25000 Mb/s".into()),
        num_vfs: 8,
        total_vfs: 64,
        desired_vfs: Some(8),
        vfs: 8,
        ..PhysicalFunction::default()
    }
}

pub fn refused(at: Timestamp, failures: u32) -> Health {
    Health::Failing {
        fault: Fault {
            kind: FaultKind::Unreachable,
            cluster: "alpha".into(),
            endpoint: "http://127.0.0.1:9090".into(),
            what: "connection refused".into(),
            hint: "is the server running?".into(),
        },
        since: at,
        retry_at: at,
        failures,
    }
}

pub fn alert(name: &str, labels: &[(&str, &str)], since: Timestamp) -> Alert {
    Alert {
        fingerprint: Arc::from(format!("fp-{name}")),
        name: name.into(),
        severity: Severity::Critical,
        state: AlertState::Firing,
        labels: Labels::from_pairs(labels.iter().copied()),
        annotations: Labels::from_pairs([("summary", "as the rule says")]),
        starts_at: since,
        ends_at: None,
        silenced_by: Vec::new(),
        inhibited_by: Vec::new(),
        value: None,
        expression: None,
    }
}

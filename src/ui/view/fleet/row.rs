//! Rows of the fleet screen: their columns, what the filter sees, how they are ordered.

use std::cmp::Reverse;

use super::group::One;
use crate::model::discovery::Component;
use crate::model::gitops::{AppHealth, Sync};
use crate::model::gpu::cards;
use crate::model::health::SourceKind;
use crate::state::world::apps::Presence;
use crate::state::world::{Amount, ClusterState, Status, World};
use crate::ui::widget::table::Column;

pub const SITE: usize = 2;
pub const ENVIRONMENT: usize = 3;

pub const COLUMNS: [Column; 20] = [
    Column::new("S", 1, 1),
    Column::new("CLUSTER", 12, 28),
    Column::new("SITE", 9, 14).priority(8),
    Column::new("ENV", 6, 12).priority(10),
    Column::new("VERSION", 8, 12).priority(7),
    Column::new("NODES", 5, 7).priority(6),
    Column::new("CPU", 4, 5).priority(12).right(),
    Column::new("MEM", 4, 5).priority(12).right(),
    Column::new("PODS bad", 9, 12),
    Column::new("ALERT c/w", 9, 9),
    Column::new("INC", 3, 3).priority(11).right(),
    Column::new("ANOMALY 1h", 19, 19),
    Column::new("GPU", 4, 5).priority(3).right(),
    Column::new("GPUS", 4, 5).priority(13).right(),
    Column::new("PTP", 9, 12).priority(2),
    Column::new("GITOPS", 7, 15).priority(5),
    Column::new("SOURCES", 7, 12).priority(9),
    Column::new("HEALTH", 6, 6).priority(4).right(),
    Column::new("AGE", 6, 6).right(),
    Column::new("WHY", 24, 200).priority(14),
];

/// What the filter sees of a cluster.
pub fn fields<'a>(world: &World, c: &'a ClusterState, status: Status) -> Vec<(&'a str, &'a str)> {
    let mut fields: Vec<(&str, &str)> = vec![
        ("name", &c.name),
        ("cluster", &c.name),
        ("status", status.word()),
        ("type", c.kind.as_str()),
        ("version", version(c)),
        ("state", c.score(world.now).reach.word()),
    ];
    if let Some(region) = &c.region {
        fields.push(("region", region));
    }
    if !c.labels.iter().any(|(name, _)| name == "site") {
        fields.push(("site", site(c)));
    }
    if let Some(environment) = &c.environment {
        fields.push(("environment", environment));
        if !c.labels.iter().any(|(name, _)| name == "env") {
            fields.push(("env", environment));
        }
    }
    fields.extend(c.labels.iter().map(|(n, v)| (n.as_str(), v.as_str())));
    fields
}

/// Order of the rows: by a number that grows with what comes later, then by a text.
pub fn key<'a>(
    world: &World,
    one: &One<'a>,
    column: Option<usize>,
) -> (Reverse<i64>, &'a str, &'a str) {
    let c = one.c;
    let alerts = one.alerts;
    let score = |v: f64| (v * 1000.0) as i64;
    let share = |a: &Amount| score(a.used.or(a.asked()).unwrap_or(-1.0));
    let weight = match column {
        None => {
            let rank = match one.status {
                Status::Critical => 4,
                Status::Unknown => 3,
                Status::Warning => 2,
                Status::Ok => 1,
            };
            let critical = alerts.critical.min(9_999) as i64;
            rank * 1_000_000_000 + critical * 10_000 + score(peak(c).unwrap_or(0.0))
        }
        Some(5) => c.nodes.len() as i64,
        Some(6) => share(&c.capacity.cpu),
        Some(7) => share(&c.capacity.memory),
        Some(8) => c.capacity.bad_pods as i64,
        Some(9) => (alerts.critical * 100_000 + alerts.warning) as i64,
        Some(10) => one.incidents as i64,
        Some(11) => score(peak(c).unwrap_or(-1.0)),
        Some(12) => score(utilisation(c).unwrap_or(-1.0)),
        Some(13) => gpu_count(c).map_or(-1, |n| n as i64),
        Some(14) => c.ptp.iter().map(|n| n.state.map_or(0, |s| s as i64)).sum(),
        Some(15) => apps(c).map_or(-1, |a| ((a.drift + a.bad) * 10_000 + a.unknown) as i64),
        Some(16) => c.sources.values().filter(|s| s.fault().is_some()).count() as i64,
        // The worst reached first; what was never checked comes last.
        Some(17) => -i64::from(c.score(world.now).points.map_or(101, i16::from)),
        Some(18) => c.last_sample.map_or(i64::MAX, |at| world.age_ms(at) as i64),
        Some(_) => 0,
    };
    let text = match column {
        Some(SITE) => site(c),
        Some(ENVIRONMENT) => c.environment.as_deref().unwrap_or("—"),
        Some(4) => version(c),
        _ => "",
    };
    (Reverse(weight), text, &c.name)
}

/// Where it stands: the label `site`, else the region.
pub fn site(c: &ClusterState) -> &str {
    let label = c.labels.iter().find(|(name, _)| name == "site");
    label.map_or(c.region.as_deref().unwrap_or("—"), |(_, site)| site)
}

pub fn version(c: &ClusterState) -> &str {
    let facts = &c.facts;
    let known = facts
        .openshift_version
        .as_ref()
        .or(facts.kubernetes_version.as_ref());
    known.map_or("?", String::as_str)
}

/// Greatest score of the hour.
pub fn peak(c: &ClusterState) -> Option<f64> {
    let peak = c.anomaly.iter().copied().fold(f64::NAN, f64::max);
    peak.is_finite().then_some(peak)
}

/// Mean over the GPUs that tell it, per cent.
pub fn utilisation(c: &ClusterState) -> Option<f64> {
    let known = c.gpus.iter().filter_map(|g| g.utilisation.map(|s| s.value));
    let (sum, count) = known
        .filter(|v| v.is_finite())
        .fold((0.0, 0), |(sum, count), v| (sum + v, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// GPUs that exporters tell of, parts of one counted once; else what the nodes offer.
pub fn gpu_count(c: &ClusterState) -> Option<usize> {
    let offered = || {
        c.capacity
            .gpus()
            .and_then(|a| a.allocatable)
            .map(|n| n as usize)
    };
    Some(cards(c.gpus.iter()))
        .filter(|n| *n > 0)
        .or_else(offered)
}

/// What the tools of GitOps tell of a cluster's applications together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Apps {
    pub all: usize,
    /// Out of sync.
    pub drift: usize,
    /// Not healthy, or their last operation failed.
    pub bad: usize,
    /// Neither of these, and their sync or health is not known.
    pub unknown: usize,
}

/// `None`: not known whether there are any.
pub fn apps(c: &ClusterState) -> Option<Apps> {
    let mut told = Apps::default();
    for app in c.deployments() {
        let drift = app.sync == Sync::OutOfSync;
        let bad =
            matches!(app.health, AppHealth::Degraded | AppHealth::Missing) || app.has_failed();
        let unknown = app.sync == Sync::Unknown || app.health == AppHealth::Unknown;
        told.all += 1;
        told.drift += usize::from(drift);
        told.bad += usize::from(bad);
        told.unknown += usize::from(unknown && !drift && !bad);
    }
    if told.all == 0 {
        let tools = [Component::ArgoCd, Component::Flux].map(|tool| c.presence(tool));
        // There, but not (yet) listed; or nobody could look.
        let known = |tool: &Presence| matches!(tool, Presence::Found | Presence::Absent);
        return tools.iter().all(known).then_some(told);
    }
    Some(told)
}

/// One letter a source; what is not well has its mark behind it.
pub fn letter(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Kubernetes => "K",
        SourceKind::Prometheus => "P",
        SourceKind::Alertmanager(_) => "A",
        SourceKind::Loki => "L",
        SourceKind::Tempo => "T",
        SourceKind::Exporter(_) => "E",
        SourceKind::NvidiaSmi => "N",
        SourceKind::ClockEvents(_) => "C",
        SourceKind::Nats => "B",
        SourceKind::Edge => "S",
    }
}

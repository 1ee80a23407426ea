//! One cluster in a report.

use super::{Section, Table, room};
use crate::model::alert::AlertState;
use crate::model::gpu::cards;
use crate::model::object::ObjectKind;
use crate::model::ptp::ClockState;
use crate::state::world::{ClusterState, World};

const ALERTS: usize = 30;
const PODS: usize = 20;
const DEVICES: usize = 40;

/// None of them is only known of a cluster that told of something.
fn told(c: &ClusterState, count: usize) -> String {
    match count {
        0 if c.last_sample.is_none() => "unknown".to_owned(),
        count => count.to_string(),
    }
}

/// `whole`: with what is not wrong, too.
pub(super) fn section(world: &World, c: &ClusterState, whole: bool) -> Section {
    let (status, why) = world.standing(c.id);
    let mut section = Section {
        title: format!("Cluster {}", c.name),
        lines: vec![
            format!("{}: {why}", status.word()),
            format!(
                "nodes {}, unhealthy pods {}; with metrics: GPUs {}, PTP nodes {}, SR-IOV nodes {}",
                match c.nodes.is_empty() {
                    true => "unknown".to_owned(),
                    false => format!("{} of {} ready", c.capacity.ready_nodes, c.nodes.len()),
                },
                match c.is_listed(ObjectKind::Pod) {
                    true => c.capacity.bad_pods.to_string(),
                    false => "unknown".to_owned(),
                },
                told(c, cards(c.gpus.iter())),
                told(c, c.ptp.len()),
                told(c, c.sriov.len())
            ),
        ],
        ..Section::default()
    };
    let mut alerts: Vec<_> = c
        .alerts
        .values()
        .filter(|a| a.state == AlertState::Firing && !a.is_watchdog())
        .collect();
    alerts.sort_by_key(|a| (std::cmp::Reverse(a.severity), a.starts_at));
    let rows = alerts.iter().map(|a| {
        let summary = crate::model::text::clean(a.summary(), 200);
        vec![
            a.severity.word().into(),
            a.name.to_string(),
            a.starts_at.rfc3339(),
            summary,
        ]
    });
    let columns = ["severity", "alert", "since", "summary"];
    section.push("Alerts that fire", &columns, rows.collect(), ALERTS);
    let pods = c.unhealthy_pods().map(|p| {
        vec![
            format!("{}/{}", p.namespace, p.name),
            p.standing().to_owned(),
            p.restarts.to_string(),
            p.first_look().to_owned(),
        ]
    });
    let columns = ["pod", "state", "restarts", "look first"];
    section.push("Pods in trouble", &columns, pods.collect(), PODS);
    if !whole {
        return section;
    }
    section.push(room::TITLE, &room::COLUMNS, room::rows(world, c), DEVICES);
    let clocks = c.ptp.iter().map(|n| {
        let offset = n.clocks.iter().filter_map(|k| k.offset_ns);
        let worst = offset.map(|s| s.value.abs()).fold(f64::NAN, f64::max);
        vec![
            n.node.to_string(),
            n.state.map_or("unknown", ClockState::word).to_owned(),
            if worst.is_nan() {
                "n/a".into()
            } else {
                format!("{worst:.0} ns")
            },
        ]
    });
    let columns = ["node", "clock", "greatest offset"];
    section.push("PTP", &columns, clocks.collect(), DEVICES);
    let sriov = c.sriov.values().map(|s| {
        vec![
            s.node.to_string(),
            s.sync_status.clone().unwrap_or_else(|| "n/a".into()),
            s.last_sync_error.clone().unwrap_or_default(),
        ]
    });
    let columns = ["node", "sync", "last error"];
    section.push("SR-IOV", &columns, sriov.collect(), DEVICES);
    section
}

impl Section {
    /// A table, unless it has no row.
    pub(super) fn push(
        &mut self,
        title: &str,
        columns: &[&'static str],
        rows: Vec<Vec<String>>,
        most: usize,
    ) {
        if !rows.is_empty() {
            self.tables.push(Table::new(title, columns, rows, most));
        }
    }
}

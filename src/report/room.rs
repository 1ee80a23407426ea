//! How much room there is, what is asked for and used, and what stands idle.

use super::{Report, Section};
use crate::model::gpu::waste;
use crate::model::unit::{Unit, age};
use crate::state::world::{Amount, ClusterState, World};

pub(super) const TITLE: &str = "Room";
pub(super) const COLUMNS: [&str; 5] = ["resource", "allocatable", "requested", "share", "used"];
/// Requests above this leave no room for the loss of a node.
const TIGHT: f64 = 0.85;
const MOST: usize = 60;

pub(super) fn rows(world: &World, c: &ClusterState) -> Vec<Vec<String>> {
    each(c)
        .into_iter()
        .map(|(name, amount, write)| row(world, &name, &amount, write))
        .collect()
}

type Write = fn(u64) -> String;

fn each(c: &ClusterState) -> Vec<(String, Amount, Write)> {
    let cores: Write = |milli| format!("{:.1} cores", milli as f64 / 1_000.0);
    let bytes: Write = |n| Unit::Bytes.write(n as f64);
    let count: Write = |n| n.to_string();
    let mut all = vec![
        ("cpu".to_owned(), c.capacity.cpu, cores),
        ("memory".to_owned(), c.capacity.memory, bytes),
        ("pods".to_owned(), c.capacity.pods, count),
    ];
    let extended = c.capacity.extended.iter();
    all.extend(extended.map(|(name, amount)| (name.to_string(), *amount, count)));
    all
}

fn row(world: &World, name: &str, amount: &Amount, write: Write) -> Vec<String> {
    let known = |n: Option<u64>| n.map_or("n/a".to_owned(), write);
    let share = |n: Option<f64>| n.map_or("n/a".to_owned(), |n| Unit::Ratio.write(n));
    let old = if amount.is_old(world.now) {
        " (stale)"
    } else {
        ""
    };
    vec![
        name.to_owned(),
        known(amount.allocatable),
        known(amount.requested),
        share(amount.asked()),
        format!("{}{old}", share(amount.used)),
    ]
}

pub(super) fn fill(world: &World, clusters: &[&ClusterState], report: &mut Report) {
    for c in clusters {
        let mut section = Section {
            title: format!("Cluster {}", c.name),
            ..Section::default()
        };
        section.push(TITLE, &COLUMNS, rows(world, c), MOST);
        for (name, amount, _) in each(c) {
            if let Some(share) = amount.asked().filter(|share| *share >= TIGHT) {
                report.recommendations.push(format!(
                    "{}: {} of {name} is asked for; the loss of a node may leave pods without room",
                    c.name,
                    Unit::Ratio.write(share)
                ));
            }
        }
        let idle = waste(&c.gpus, world.now);
        let lost = idle.iter().filter(|(_, w)| w.idle > 0);
        let rows: Vec<Vec<String>> = lost
            .map(|((namespace, pod), w)| {
                vec![
                    format!("{namespace}/{pod}"),
                    format!("{} of {}", w.idle, w.held),
                    age(w.idle_ms),
                    format!("{:.1}", w.gpu_hours),
                ]
            })
            .collect();
        if !rows.is_empty() {
            report.recommendations.push(format!(
                "{}: {} pods hold GPUs that stand idle",
                c.name,
                rows.len()
            ));
        }
        let columns = ["pod", "idle GPUs", "for", "GPU hours unused"];
        section.push("Idle reservations", &columns, rows, MOST);
        let requested = c.capacity.cpu.asked().map(|s| Unit::Ratio.write(s));
        report.summary.push(format!(
            "{}: {} of the processors and {} of the memory are asked for, nodes: {}.",
            c.name,
            requested.as_deref().unwrap_or("n/a"),
            c.capacity
                .memory
                .asked()
                .map_or("n/a".into(), |s| Unit::Ratio.write(s)),
            match c.nodes.len() {
                0 => "unknown".to_owned(),
                nodes => nodes.to_string(),
            }
        ));
        report.sections.push(section);
    }
}

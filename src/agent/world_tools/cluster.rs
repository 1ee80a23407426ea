//! One cluster in full, two side by side, and the fleet in a few lines.

use super::fleet::health;
use super::{Told, chosen, hearing, or_na, since};
use crate::agent::tools::args::look::CompareClusters;
use crate::model::health::Health;
use crate::model::id::ClusterId;
use crate::model::object::ObjectKind;
use crate::model::unit::{Unit, age};
use crate::state::world::{Amount, ClusterState, World};

/// Compared unless the call names signals.
const USUAL: [&str; 6] = [
    "node_cpu_busy",
    "node_memory_used",
    "node_filesystem_used",
    "node_network_faults",
    "apiserver_error_ratio",
    "pods_not_running",
];
const MOST: usize = 20;

/// Status, sources, alerts and incidents.
pub(super) fn status(world: &World, ids: &[ClusterId], told: &mut Told) {
    for c in chosen(world, ids) {
        told.line(head(world, c));
        let counts = c.alert_counts();
        told.line(format!(
            "  alerts: critical {} warning {} info {} pending {} suppressed {}",
            counts.critical, counts.warning, counts.info, counts.pending, counts.suppressed
        ));
        told.rows(sources(world, c), MOST);
        let open = world.incidents.iter();
        let open = open.filter(|i| i.cluster == c.id && i.is_live());
        let open: Vec<String> = open
            .map(|i| format!("  INC-{} {} {}", i.number, i.severity.word(), i.title))
            .collect();
        if open.is_empty() {
            told.line("  no incident is open");
        }
        told.rows(open, MOST);
    }
}

fn head(world: &World, c: &ClusterState) -> String {
    let (status, why) = world.standing(c.id);
    format!(
        "cluster {}{}: {} ({why}); reach {}",
        c.name,
        hearing(world, c),
        status.word(),
        health(world, c)
    )
}

fn sources(world: &World, c: &ClusterState) -> Vec<String> {
    let all = c.sources.iter();
    all.map(|(kind, s)| match &s.health {
        Health::Live => format!("  source {kind}: live"),
        Health::Connecting => format!("  source {kind}: not heard yet"),
        Health::Failing { fault, since, .. } => format!(
            "  source {kind}: FAILING for {}: {}; try: {}",
            age(world.now.age_since_ms(*since)),
            fault.what,
            fault.hint
        ),
        Health::Denied { fault, .. } => {
            format!(
                "  source {kind}: DENIED: {}; try: {}",
                fault.what, fault.hint
            )
        }
    })
    .collect()
}

/// Version, nodes, room, what runs there, and what cannot be seen.
pub(super) fn details(world: &World, ids: &[ClusterId], told: &mut Told) {
    for c in chosen(world, ids) {
        told.line(format!(
            "cluster {}{}: type {}, environment {}, region {}, Kubernetes {}, OpenShift {}, Prometheus {}",
            c.name,
            hearing(world, c),
            c.kind.as_str(),
            or_na(c.environment.as_deref()),
            or_na(c.region.as_deref()),
            or_na(c.facts.kubernetes_version.as_deref()),
            or_na(c.facts.openshift_version.as_deref()),
            or_na(c.facts.prometheus_version.as_deref()),
        ));
        told.line(format!("  labels: {}", pairs(&c.labels)));
        room(world, c, told);
        told.line(format!(
            "  workloads {}, pods {} ({} unhealthy), applications {}, GPUs {}, PTP nodes {}, SR-IOV nodes {}, served models {}",
            listed_count(c, ObjectKind::Deployment, c.workloads.len()),
            listed_count(c, ObjectKind::Pod, c.pods.len()),
            listed_count(c, ObjectKind::Pod, c.capacity.bad_pods),
            c.apps.len(),
            crate::model::gpu::cards(c.gpus.iter()),
            c.ptp.len(),
            c.sriov.len(),
            c.serving.len()
        ));
        let nodes = c.nodes.values().map(|n| {
            let ready = match n.ready {
                Some(true) => "ready",
                Some(false) => "NOT READY",
                None => "readiness unknown",
            };
            format!(
                "  node {} ({}): {ready}{}{}, kubelet {}",
                n.name,
                n.roles.join(","),
                if n.unschedulable { ", cordoned" } else { "" },
                listed(&n.problems),
                n.kubelet_version
            )
        });
        told.rows(nodes.collect::<Vec<_>>(), MOST);
    }
}

/// What was never listed is not known to be none.
fn listed_count(c: &ClusterState, kind: ObjectKind, count: usize) -> String {
    match c.is_listed(kind) || count > 0 {
        true => count.to_string(),
        false => "n/a".into(),
    }
}

fn pairs(labels: &[(String, String)]) -> String {
    if labels.is_empty() {
        return "none".into();
    }
    let each = labels.iter().map(|(name, value)| format!("{name}={value}"));
    each.collect::<Vec<_>>().join(", ")
}

fn listed(problems: &[String]) -> String {
    match problems.is_empty() {
        true => String::new(),
        false => format!(", {}", problems.join(", ")),
    }
}

/// What the nodes can give, what is asked for, what is used.
pub(super) fn room(world: &World, c: &ClusterState, told: &mut Told) {
    let cores = |milli: u64| format!("{:.1} cores", milli as f64 / 1_000.0);
    let bytes = |n: u64| Unit::Bytes.write(n as f64);
    told.line(amount(world, "cpu", &c.capacity.cpu, cores));
    told.line(amount(world, "memory", &c.capacity.memory, bytes));
    told.line(amount(world, "pods", &c.capacity.pods, |n| n.to_string()));
    for (name, extended) in &c.capacity.extended {
        told.line(amount(world, name, extended, |n| n.to_string()));
    }
}

fn amount(world: &World, what: &str, amount: &Amount, write: impl Fn(u64) -> String) -> String {
    let known = |n: Option<u64>| n.map_or("n/a".to_owned(), &write);
    let share = |n: Option<f64>| n.map_or("n/a".to_owned(), |n| Unit::Ratio.write(n));
    let old = match amount.is_old(world.now) {
        true => " (STALE)",
        false => "",
    };
    format!(
        "  {what}: allocatable {}, requested {} ({}), used {}{old}",
        known(amount.allocatable),
        known(amount.requested),
        share(amount.asked()),
        share(amount.used),
    )
}

/// What costs points, which operators are degraded, what no source tells.
pub(super) fn of_health(world: &World, ids: &[ClusterId], told: &mut Told) {
    for c in chosen(world, ids) {
        told.line(head(world, c));
        let bad = c.nodes.values().filter(|n| n.ready == Some(false));
        told.rows(
            bad.map(|n| format!("  node {} is not ready{}", n.name, listed(&n.problems)))
                .collect::<Vec<_>>(),
            MOST,
        );
        let operators = c.operators.values().filter(|o| o.is_bad());
        told.rows(
            operators
                .map(|o| format!("  cluster operator {} is degraded or not available", o.name))
                .collect::<Vec<_>>(),
            MOST,
        );
        let pods = listed_count(c, ObjectKind::Pod, c.unhealthy_pods().count());
        told.line(format!(
            "  unhealthy pods: {pods} (get_pod_issues lists them)"
        ));
        let blind = world.blind_spots(c);
        told.rows(
            blind
                .iter()
                .map(|b| format!("  not seen: {} ({})", b.what, b.remedy))
                .collect::<Vec<_>>(),
            MOST,
        );
    }
}

/// Two clusters, line by line.
pub(super) fn compare(
    world: &World,
    ids: &[ClusterId],
    args: &CompareClusters,
    told: &mut Told,
) -> Result<(), String> {
    let two: Vec<&ClusterState> = ids.iter().filter_map(|id| world.cluster(*id)).collect();
    let [a, b] = two.as_slice() else {
        return Err("name two different clusters".into());
    };
    told.line(format!(
        "{}{} against {}{}",
        a.name,
        hearing(world, a),
        b.name,
        hearing(world, b)
    ));
    let mut row = |what: &str, a: String, b: String| {
        let mark = if a == b { "same" } else { "DIFFERENT" };
        told.line(format!("  {what}: {a} | {b} ({mark})"));
        told.rows += 1;
    };
    let status = |c: &ClusterState| world.status(c.id).word().to_owned();
    row("status", status(a), status(b));
    let version = |c: &ClusterState| {
        let facts = &c.facts;
        let known = facts.openshift_version.as_deref();
        or_na(known.or(facts.kubernetes_version.as_deref())).to_owned()
    };
    row("version", version(a), version(b));
    let nodes = |c: &ClusterState| match c.nodes.len() {
        0 => "n/a".to_owned(),
        all => format!("{} of {all}", c.capacity.ready_nodes),
    };
    row("nodes ready", nodes(a), nodes(b));
    let bad = |c: &ClusterState| listed_count(c, ObjectKind::Pod, c.capacity.bad_pods);
    row("unhealthy pods", bad(a), bad(b));
    let firing = |c: &ClusterState| c.alert_counts().firing().to_string();
    row("alerts firing", firing(a), firing(b));
    let named: Vec<&str> = match args.metrics.is_empty() {
        true => USUAL.to_vec(),
        false => args.metrics.iter().map(String::as_str).collect(),
    };
    for name in named {
        row(name, signal(world, a, name), signal(world, b, name));
    }
    Ok(())
}

/// Mean and greatest of what a signal of the catalogue tells now.
fn signal(world: &World, c: &ClusterState, name: &str) -> String {
    let Some(known) = world.signals.iter().find(|s| s.name.as_ref() == name) else {
        return "no such signal; query_metrics takes PromQL".into();
    };
    let values: Vec<f64> = world
        .current(c.id, name)
        .iter()
        .map(|(_, sample, _)| sample.value)
        .filter(|v| v.is_finite())
        .collect();
    if values.is_empty() {
        return "n/a".into();
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let most = values.iter().copied().fold(f64::MIN, f64::max);
    format!(
        "mean {}, greatest {} of {} series",
        known.unit.write(mean),
        known.unit.write(most),
        values.len()
    )
}

/// The fleet in counts, then every cluster that is not well.
pub(super) fn summary(world: &World, told: &mut Told) {
    let statuses = world.statuses();
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for status in &statuses {
        *counts.entry(status.word()).or_default() += 1;
    }
    let counted: Vec<String> = counts
        .iter()
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    told.line(format!(
        "{} clusters: {}",
        world.clusters.len(),
        counted.join(", ")
    ));
    let sum = |of: fn(&ClusterState) -> usize| world.clusters.iter().map(of).sum::<usize>();
    told.line(format!(
        "told by the clusters that tell it: nodes {}, pods {}, alerts firing {}, open incidents {}, GPUs {}, PTP nodes {}, SR-IOV nodes {}",
        sum(|c| c.nodes.len()),
        sum(|c| c.pods.len()),
        sum(|c| c.alert_counts().firing()),
        world.incidents.iter().filter(|i| i.is_live()).count(),
        sum(|c| crate::model::gpu::cards(c.gpus.iter())),
        sum(|c| c.ptp.len()),
        sum(|c| c.sriov.len()),
    ));
    let unwell = world
        .clusters
        .iter()
        .filter(|c| world.status(c.id) != crate::state::world::Status::Ok)
        .map(|c| {
            let (status, why) = world.standing(c.id);
            let last = c.last_sample;
            let last = last.map_or_else(|| "never".to_owned(), |at| since(world, at));
            format!("  {} {}: {why}; last sample {last}", c.name, status.word())
        });
    told.rows(unwell.collect::<Vec<_>>(), MOST);
    told.rows += world.clusters.len();
}

//! GPUs judged beside others: lost ones, stragglers within a job, limits unlike their neighbours',
//! and what is held without being used.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::detect::Condition;
use crate::model::alert::Severity;
use crate::model::finding::{FindingKind, Subject};
use crate::model::gpu::{Gpu, Measure, job_of, waste};
use crate::model::object::Node;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;

/// A job of fewer GPUs has no peers to be compared with.
const LEAST_GROUP: usize = 4;
/// Below this utilisation, per cent, of its middle member a job does not work.
const WORKS: f64 = 50.0;
/// What is compared, and below which share of the middle member one falls behind (ours).
const BEHIND: [(Measure, f64); 3] = [
    (Measure::Clock, 0.85),
    (Measure::Tensor, 0.6),
    (Measure::Utilisation, 0.5),
];
/// Reservations that stand idle for less are no news, milliseconds.
const IDLE_MS: u64 = 30 * 60_000;
/// GPU hours lost that matter (ours).
const WASTE_HOURS: f64 = 4.0;
/// What GPU feature discovery counts.
const COUNT: &str = "nvidia.com/gpu.count";

/// GPUs of each node that is known to Kubernetes; `at`: now.
pub fn fleet(all: &[Gpu], nodes: &BTreeMap<Arc<str>, Node>, at: Timestamp) -> Vec<Condition> {
    let mut found = Vec::new();
    lost(all, nodes, &mut found);
    stragglers(all, &mut found);
    limits(all, &mut found);
    idle(all, at, &mut found);
    found
}

fn gpu_condition(gpu: &Gpu, what: &str, severity: Severity, text: String) -> Condition {
    let subject = Subject::Gpu {
        node: gpu.node.to_string(),
        gpu: gpu.place(),
    };
    let key = format!("gpu/{}/{what}", gpu.label());
    Condition::state(subject, key, severity, text)
}

/// A GPU that fell off the bus is not exported any more, while the node still counts it.
fn lost(all: &[Gpu], nodes: &BTreeMap<Arc<str>, Node>, found: &mut Vec<Condition>) {
    let mut told: BTreeMap<&Arc<str>, BTreeSet<&str>> = BTreeMap::new();
    for gpu in all.iter().filter(|g| g.vendor == "nvidia") {
        told.entry(&gpu.node).or_default().insert(&gpu.index);
    }
    for (name, indexes) in told {
        let node = nodes.get(name);
        let count = node.and_then(|n| n.labels.get(COUNT)?.parse::<usize>().ok());
        let Some(count) = count.filter(|count| indexes.len() < *count) else {
            continue;
        };
        let text = format!(
            "{} of {count} GPUs are reported: one has fallen off the bus, or its exporter lost it",
            indexes.len()
        );
        let subject = Subject::Node(name.to_string());
        let key = format!("gpu/{name}/lost");
        let mut condition = Condition::state(subject, key, Severity::Critical, text);
        condition.signal = "GPUs of the node";
        condition.seen = Some(indexes.len() as f64);
        condition.expected = Some((count as f64, count as f64));
        condition.for_ms = 60_000;
        condition.method = format!("label {COUNT} against the exporter, 60 s");
        found.push(condition);
    }
}

fn middle(mut values: Vec<f64>) -> Option<f64> {
    values.retain(|v| v.is_finite());
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// One GPU of a data-parallel group far off its peers holds all of them up.
fn stragglers(all: &[Gpu], found: &mut Vec<Condition>) {
    let mut jobs: BTreeMap<(&str, &str, Option<&str>), Vec<&Gpu>> = BTreeMap::new();
    for gpu in all.iter().filter(|g| g.partition.is_none()) {
        if let Some((namespace, pod)) = &gpu.pod {
            let job = (namespace.as_str(), job_of(pod), gpu.model.as_deref());
            jobs.entry(job).or_default().push(gpu);
        }
    }
    jobs.retain(|_, gpus| gpus.len() >= LEAST_GROUP);
    for ((namespace, job, _), gpus) in jobs {
        let values = |m: Measure| gpus.iter().filter_map(move |g| m.read(g)).map(|s| s.value);
        let busy = middle(values(Measure::Utilisation).collect());
        if busy.is_none_or(|u| u < WORKS) {
            continue;
        }
        for (measure, share) in BEHIND {
            let Some(usual) = middle(values(measure).collect()).filter(|v| *v > 0.0) else {
                continue;
            };
            let late = |g: &&&Gpu| measure.read(g).is_some_and(|s| s.value < usual * share);
            let behind: Vec<&&Gpu> = gpus.iter().filter(late).collect();
            // Many of them: that is how the work is laid out.
            if behind.is_empty() || behind.len() * 4 > gpus.len() {
                continue;
            }
            for gpu in &behind {
                let seen = measure.read(gpu).map_or(f64::NAN, |s| s.value);
                let write = |v| measure.unit().write(v);
                let text = format!(
                    "straggler of {namespace}/{job}: {} {}, its {} peers {}",
                    measure.word(),
                    write(seen),
                    gpus.len() - behind.len(),
                    write(usual)
                );
                let mut c = gpu_condition(gpu, "straggler", Severity::Warning, text);
                c.signal = "GPUs of one job";
                c.unit = measure.unit();
                c.seen = Some(seen);
                c.expected = Some((usual * share, f64::INFINITY));
                c.for_ms = 120_000;
                c.weight = 0.9;
                c.method = "against the middle one of its job for 2 min".into();
                found.push(c);
            }
            break;
        }
    }
}

/// A power limit below that of the same cards beside it.
fn limits(all: &[Gpu], found: &mut Vec<Condition>) {
    let mut nodes: BTreeMap<(&str, &str), Vec<(&Gpu, f64)>> = BTreeMap::new();
    for gpu in all {
        if let (Some(model), Some(limit)) = (gpu.model.as_deref(), gpu.power_limit_w) {
            let cards = nodes.entry((&gpu.node, model)).or_default();
            cards.push((gpu, limit));
        }
    }
    for cards in nodes.values().filter(|cards| cards.len() > 1) {
        let Some(usual) = middle(cards.iter().map(|(_, limit)| *limit).collect()) else {
            continue;
        };
        for (gpu, limit) in cards.iter().filter(|(_, limit)| *limit < usual * 0.9) {
            let write = |w| Unit::Watts.write(w);
            let text = format!(
                "power limit {}, the same cards beside it have {}",
                write(*limit),
                write(usual)
            );
            let mut c = gpu_condition(gpu, "limit", Severity::Warning, text);
            c.signal = "power limit";
            c.unit = Unit::Watts;
            c.seen = Some(*limit);
            c.for_ms = 60_000;
            c.weight = 0.8;
            c.method = "against the same cards of the node".into();
            found.push(c);
        }
    }
}

/// Idle but reserved: nobody else can have it.
fn idle(all: &[Gpu], at: Timestamp, found: &mut Vec<Condition>) {
    for ((namespace, pod), waste) in waste(all, at) {
        if waste.idle_ms < IDLE_MS {
            continue;
        }
        let severity = if waste.gpu_hours >= WASTE_HOURS {
            Severity::Warning
        } else {
            Severity::Info
        };
        let text = format!(
            "{} of {} GPUs it holds are idle: {:.1} GPU hours wasted",
            waste.idle, waste.held, waste.gpu_hours
        );
        let subject = Subject::Pod {
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
        };
        let key = format!("gpu/idle/{namespace}/{pod}");
        let mut c = Condition::state(subject, key, severity, text);
        c.kind = FindingKind::Dip;
        c.signal = "idle GPUs";
        c.since = Some(waste.since);
        c.seen = Some(waste.idle as f64);
        c.weight = 0.6;
        c.method = "utilisation below 5% for 30 min".into();
        found.push(c);
    }
}

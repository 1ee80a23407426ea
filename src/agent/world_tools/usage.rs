//! Who uses and who holds what: pods, nodes, GPUs.

use std::collections::BTreeMap;

use super::cluster::room;
use super::{ROWS, Told, chosen, hearing, or_na, value};
use crate::agent::tools::args::look::{OfNamespace, TopConsumers};
use crate::model::gpu::{Gpu, cards, waste};
use crate::model::id::ClusterId;
use crate::model::object::Pod;
use crate::model::unit::{Unit, age};
use crate::state::world::{ClusterState, World, holds_room, is_gpu};

/// Room of the cluster, or what the pods of a namespace ask for and use.
pub(super) fn resources(world: &World, ids: &[ClusterId], args: &OfNamespace, told: &mut Told) {
    for c in chosen(world, ids) {
        told.line(format!("cluster {}{}", c.name, hearing(world, c)));
        let Some(namespace) = args.namespace.as_deref() else {
            room(world, c, told);
            told.rows += 1;
            continue;
        };
        let (cpu, memory) = (used(world, c, "pod_cpu"), used(world, c, "pod_memory"));
        let pods = c.pods.values();
        let pods = pods.filter(|p| p.namespace.as_ref() == namespace && holds_room(p));
        let rows: Vec<String> = pods
            .map(|p| {
                let key = (p.namespace.to_string(), p.name.to_string());
                format!(
                    "  {}: cpu requested {:.2} used {}; memory requested {} used {}",
                    p.name,
                    p.requests.cpu_milli as f64 / 1_000.0,
                    told_of(&cpu, &key, |v| format!("{v:.2} cores")),
                    Unit::Bytes.write(p.requests.memory_bytes as f64),
                    told_of(&memory, &key, |v| Unit::Bytes.write(v)),
                )
            })
            .collect();
        if rows.is_empty() {
            told.line(format!("  no pod is known in the namespace {namespace}"));
        }
        told.rows(rows, ROWS);
        told.line("  use is told for the 30 greatest pods of the cluster only; query_metrics tells of others");
    }
}

fn told_of(
    all: &BTreeMap<(String, String), f64>,
    key: &(String, String),
    write: impl Fn(f64) -> String,
) -> String {
    all.get(key).map_or("n/a".to_owned(), |v| write(*v))
}

/// What a signal tells of each pod now.
fn used(world: &World, c: &ClusterState, signal: &str) -> BTreeMap<(String, String), f64> {
    let series = world.current(c.id, signal);
    let named = series.iter().filter_map(|(key, sample, _)| {
        let label = |name| key.labels.get(name).map(str::to_owned);
        Some(((label("namespace")?, label("pod")?), sample.value))
    });
    named.filter(|(_, v)| v.is_finite()).collect()
}

/// The pods (of GPUs: the cards) that use the most.
pub(super) fn top(world: &World, ids: &[ClusterId], args: &TopConsumers, told: &mut Told) {
    let most = args.limit.unwrap_or(10).clamp(1, 50) as usize;
    for c in chosen(world, ids) {
        told.line(format!(
            "cluster {}{}: greatest consumers of {}",
            c.name,
            hearing(world, c),
            args.resource.to_lowercase()
        ));
        let mut rows: Vec<(f64, String)> = match args.resource.to_lowercase().as_str() {
            "gpu" => gpu_users(c),
            "cpu" => pods(world, c, "pod_cpu", |v| format!("{v:.2} cores")),
            _ => pods(world, c, "pod_memory", |v| Unit::Bytes.write(v)),
        };
        if rows.is_empty() {
            told.line("  n/a: no source tells it now");
        }
        rows.sort_by(|a, b| b.0.total_cmp(&a.0));
        told.rows(rows.into_iter().map(|(_, row)| row), most);
    }
}

fn pods(
    world: &World,
    c: &ClusterState,
    signal: &str,
    write: impl Fn(f64) -> String,
) -> Vec<(f64, String)> {
    let all = used(world, c, signal).into_iter();
    all.map(|((namespace, pod), v)| (v, format!("  {namespace}/{pod}: {}", write(v))))
        .collect()
}

fn gpu_users(c: &ClusterState) -> Vec<(f64, String)> {
    let used = c.gpus.iter().filter_map(|g| {
        let busy = g.utilisation?.value;
        Some((busy, format!("  {} {}: {busy} %", g.label(), holder(g))))
    });
    used.filter(|(busy, _)| busy.is_finite()).collect()
}

fn holder(g: &Gpu) -> String {
    match g.holders.as_slice() {
        [] => "held by nobody or n/a".into(),
        all => {
            let names = all.iter().map(|(ns, pod)| format!("{ns}/{pod}"));
            format!("held by {}", names.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Nodes with GPUs: how many, how used, how hot, what is wrong.
pub(super) fn gpu_nodes(world: &World, ids: &[ClusterId], told: &mut Told) {
    for c in chosen(world, ids) {
        let mut nodes: BTreeMap<&str, Vec<&Gpu>> = BTreeMap::new();
        for gpu in &c.gpus {
            nodes.entry(gpu.node.as_ref()).or_default().push(gpu);
        }
        told.line(format!(
            "cluster {}{}: {} nodes with GPUs",
            c.name,
            hearing(world, c),
            nodes.len()
        ));
        let rows = nodes.iter().map(|(node, gpus)| {
            let most = |of: fn(&Gpu) -> Option<f64>| {
                let all = gpus.iter().filter_map(|g| of(g));
                let most = all.filter(|v| v.is_finite()).fold(f64::NAN, f64::max);
                if most.is_nan() { "n/a".into() } else { format!("{most}") }
            };
            let faults = gpus.iter().filter(|g| g.xid.is_some() || g.healthy == Some(false));
            format!(
                "  {node}: {} {} ({}), greatest use {} %, greatest temperature {} C, {} with XID or a failed check",
                cards(gpus.iter().copied()),
                gpus.first().map_or("?", |g| g.vendor),
                or_na(gpus.first().and_then(|g| g.model.as_deref())),
                most(|g| g.utilisation.map(|s| s.value)),
                most(|g| g.temperature_c.map(|s| s.value)),
                faults.count(),
            )
        });
        told.rows(rows.collect::<Vec<_>>(), ROWS);
    }
}

/// Processes on the cards, which only the vendor's tool tells.
pub(super) fn gpu_processes(world: &World, ids: &[ClusterId], told: &mut Told) {
    for c in chosen(world, ids) {
        told.line(format!("cluster {}{}", c.name, hearing(world, c)));
        let read = c.gpus.iter().filter_map(|g| Some((g, g.smi.as_ref()?)));
        let rows: Vec<String> = read
            .flat_map(|(g, smi)| {
                smi.processes.iter().map(move |p| {
                    let memory = p.memory_mib.map(|m| Unit::Mebibytes.write(m));
                    format!(
                        "  {} {}: memory {}, read {} ago in {}",
                        g.label(),
                        p.name,
                        memory.as_deref().unwrap_or("n/a"),
                        age(world.now.age_since_ms(smi.at)),
                        smi.read_in
                    )
                })
            })
            .collect();
        if rows.is_empty() {
            told.line("  n/a: exporters do not tell processes; nvidia-smi is run only where it is configured, by operators");
        }
        told.rows(rows, ROWS);
    }
}

/// Pods that ask for GPUs: how many, which they hold, how used, what is wasted.
pub(super) fn gpu_workloads(world: &World, ids: &[ClusterId], args: &OfNamespace, told: &mut Told) {
    for c in chosen(world, ids) {
        let asking: Vec<(&Pod, u64)> = c
            .pods
            .values()
            .filter(|p| holds_room(p))
            .filter(|p| {
                args.namespace
                    .as_deref()
                    .is_none_or(|n| n == p.namespace.as_ref())
            })
            .filter_map(|p| {
                let extended = p.requests.extended.iter();
                let asked: u64 = extended.filter(|(n, _)| is_gpu(n)).map(|(_, n)| n).sum();
                (asked > 0).then_some((p, asked))
            })
            .collect();
        told.line(format!(
            "cluster {}{}: {} pods ask for GPUs",
            c.name,
            hearing(world, c),
            asking.len()
        ));
        let idle = waste(&c.gpus, world.now);
        let rows = asking.iter().map(|(p, asked)| {
            let held = c.gpus.iter().filter(|g| {
                g.holders
                    .iter()
                    .any(|(ns, pod)| *ns == *p.namespace && *pod == *p.name)
            });
            let used: Vec<String> = held
                .map(|g| {
                    format!(
                        "{} {}",
                        g.label(),
                        value(world, g.utilisation, Unit::Percent)
                    )
                })
                .collect();
            let wasted = idle.get(&(p.namespace.as_ref(), p.name.as_ref()));
            let wasted = wasted.map_or(String::new(), |w| {
                format!(
                    ", {} of {} idle for {}, {:.1} GPU hours unused",
                    w.idle,
                    w.held,
                    age(w.idle_ms),
                    w.gpu_hours
                )
            });
            let used = match used.is_empty() {
                true => "no card tells that it holds it".to_owned(),
                false => used.join("; "),
            };
            format!(
                "  {}/{} {} asks for {asked}: {used}{wasted}",
                p.namespace,
                p.name,
                p.standing()
            )
        });
        told.rows(rows.collect::<Vec<_>>(), ROWS);
    }
}

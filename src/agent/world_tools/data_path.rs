//! DPDK applications in words.

use super::{ROWS, Told, chosen, hearing, value};
use crate::agent::tools::args::Dpdk;
use crate::model::dpdk::{App, LOSSES, Port};
use crate::model::id::ClusterId;
use crate::model::sample::Sample;
use crate::model::unit::Unit;
use crate::state::world::{ClusterState, World};

pub(super) fn ports(world: &World, ids: &[ClusterId], args: &Dpdk, told: &mut Told) {
    for c in chosen(world, ids) {
        let apps: Vec<&App> = c.dpdk.apps.iter().filter(|app| wanted(app, args)).collect();
        told.line(format!(
            "cluster {}{}: {} DPDK applications",
            c.name,
            hearing(world, c),
            apps.len()
        ));
        if c.dpdk.apps.is_empty() {
            told.line(
                "  no DPDK series is found there; its names are set in [dpdk] of the configuration",
            );
        }
        for app in apps {
            application(world, c, app, told);
        }
    }
}

fn wanted(app: &App, args: &Dpdk) -> bool {
    let (namespace, pod) = match &app.pod {
        Some((namespace, pod)) => (&**namespace, &**pod),
        None => ("", &*app.instance),
    };
    let own = args.namespace.as_deref().is_none_or(|n| n == namespace);
    own && args.pod_name.as_deref().is_none_or(|p| pod.contains(p))
}

fn application(world: &World, cluster: &ClusterState, app: &App, told: &mut Told) {
    let v = |sample, unit| value(world, sample, unit);
    let whose = match &app.pod {
        Some((namespace, pod)) => format!("pod {namespace}/{pod}"),
        None => format!("at {}", app.instance),
    };
    let node = cluster.node_of_app(app).map_or("n/a", |n| &**n);
    told.line(format!(
        "  {whose} on node {node}: memory {} of {}",
        v(app.memory.used, Unit::Bytes),
        v(app.memory.total, Unit::Bytes),
    ));
    told.rows(app.ports.iter().map(|p| port(world, p)), ROWS);
    let pools = app.pools.iter().map(|p| {
        let (used, total) = (v(p.used, Unit::None), v(p.total, Unit::None));
        format!("    buffers {}: {used} of {total}", p.name)
    });
    told.rows(pools, ROWS);
    let cores = app.cores.iter().map(|c| {
        let busy = v(c.busy(), Unit::Ratio);
        format!("    core {}: {busy} busy", c.name)
    });
    told.rows(cores, ROWS);
}

fn port(world: &World, port: &Port) -> String {
    let v = |sample: Option<Sample>| value(world, sample, Unit::PerSecond);
    let bytes = |sample| value(world, sample, Unit::BytesPerSecond);
    let mut out = format!(
        "    port {}: packets in {}, out {}; bytes in {}, out {}",
        port.name,
        v(port.packets_in),
        v(port.packets_out),
        bytes(port.bytes_in),
        bytes(port.bytes_out),
    );
    for (measure, name, _) in LOSSES {
        out.push_str(&format!("; {name} {}", v(port.of(measure))));
    }
    if let Some((_, why)) = port.reason() {
        out.push_str(&format!(" (most: {why})"));
    }
    out
}

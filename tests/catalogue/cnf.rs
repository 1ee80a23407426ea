//! Each PTP and SR-IOV page by two ways, as one table.

use std::fmt::Write as _;
use std::path::Path;

use farwatch::config::load::parse;
use farwatch::model::dpdk::App;
use farwatch::model::id::ClusterId;
use farwatch::model::ptp::{Clock, PtpNode};
use farwatch::model::sample::Sample;
use farwatch::model::signal::Group;
use farwatch::model::sriov::{Function, Holder};
use farwatch::model::unit::Unit;
use farwatch::state::world::World;

use super::ways::{Site, same_table, written};

const PAGES: [&str; 13] = [
    "dpdk_exporter.prom",
    "dpdk_telegraf.prom",
    "ptp_daemon_faulty_sentinel.prom",
    "ptp_dual_bc_ha.prom",
    "ptp_oc_freerun.prom",
    "ptp_oc_locked.prom",
    "ptp_tbc_holdover.prom",
    "ptp_tgm_gnss_locked.prom",
    "ptp_tgm_gnss_lost_holdover.prom",
    "ptp_ts2phc_down_sentinel.prom",
    "sriov_netlink.prom",
    "sriov_netlink_node2.prom",
    "sriov_sysfs.prom",
];

fn node(out: &mut String, n: &PtpNode) {
    let _ = writeln!(
        out,
        "{} {} class {} gnss {} threshold {:?} holdover {:?}",
        n.node,
        n.state.map_or("unknown", |s| s.word()),
        written(n.clock_class, Unit::None),
        written(n.gnss, Unit::None),
        n.threshold_ns,
        n.holdover_timeout_s,
    );
    n.clocks.iter().for_each(|c| clock(out, c));
    for (process, config, up, restarts) in &n.processes {
        let _ = writeln!(
            out,
            "  process {process} {config} up {up:?} starts {restarts:?}"
        );
    }
    for (profile, active) in &n.profiles {
        let _ = writeln!(out, "  profile {profile} active {active}");
    }
    for port in &n.synce {
        let _ = writeln!(out, "  synce {} {}", port.interface, port.quality_word());
    }
}

fn clock(out: &mut String, c: &Clock) {
    let v = |s, unit| written(s, unit);
    let _ = writeln!(
        out,
        "  {} {} {} offset {} max {} delay {} frequency {} role {} nmea {:?} pps {:?} locks {:?} {:?}",
        c.process,
        c.interface,
        c.state.map_or("-", |(s, _)| s.word()),
        v(c.offset_ns, Unit::Nanoseconds),
        v(c.max_offset_ns, Unit::Nanoseconds),
        v(c.delay_ns, Unit::Nanoseconds),
        v(c.frequency_ppb, Unit::None),
        c.role.as_deref().unwrap_or("-"),
        c.nmea,
        c.pps,
        c.frequency_lock,
        c.phase_lock,
    );
}

/// A page that stands still has no traffic: what counts is that both ways tell of the same.
fn function(out: &mut String, f: &Function) {
    let v = |s: Option<Sample>, unit| written(s, unit);
    let _ = writeln!(
        out,
        "{} vf {} {} rx {} tx {} dropped {}",
        f.port,
        f.index,
        f.address.as_deref().unwrap_or("-"),
        v(f.received, Unit::BitsPerSecond),
        v(f.sent, Unit::BitsPerSecond),
        v(f.dropped(), Unit::PerSecond),
    );
}

fn holder(out: &mut String, h: &Holder) {
    let resource = h.resource.as_deref().unwrap_or("-");
    let (namespace, pod) = (&h.namespace, &h.pod);
    let _ = writeln!(out, "{} {resource} {namespace}/{pod}", h.address);
}

/// Without a pod an application is known by its address, which is another one each run.
fn app(out: &mut String, a: &App) {
    let v = |s: Option<Sample>, unit| written(s, unit);
    let pod = a
        .pod
        .as_ref()
        .map_or("-".into(), |(n, p)| format!("{n}/{p}"));
    let _ = writeln!(
        out,
        "dpdk {pod} on {} memory {} of {}",
        a.node.as_deref().unwrap_or("-"),
        v(a.memory.used, Unit::Bytes),
        v(a.memory.total, Unit::Bytes),
    );
    for p in &a.ports {
        let _ = writeln!(
            out,
            "  port {} packets {} {} bytes {} {} missed {} no buffer {} errors {} {}",
            p.name,
            v(p.packets_in, Unit::PerSecond),
            v(p.packets_out, Unit::PerSecond),
            v(p.bytes_in, Unit::BytesPerSecond),
            v(p.bytes_out, Unit::BytesPerSecond),
            v(p.missed, Unit::PerSecond),
            v(p.no_buffer, Unit::PerSecond),
            v(p.errors_in, Unit::PerSecond),
            v(p.errors_out, Unit::PerSecond),
        );
    }
    for pool in &a.pools {
        let (used, total) = (v(pool.used, Unit::None), v(pool.total, Unit::None));
        let _ = writeln!(out, "  buffers {} {used} of {total}", pool.name);
    }
    for core in &a.cores {
        let cycles = [core.busy_cycles, core.total_cycles].map(|s| v(s, Unit::PerSecond));
        let _ = writeln!(out, "  core {} cycles {}", core.name, cycles.join(" of "));
    }
}

fn table(world: &World) -> String {
    let cluster = world.cluster(ClusterId(0)).expect("there");
    let mut out = String::new();
    cluster.ptp.iter().for_each(|n| node(&mut out, n));
    cluster
        .vfs
        .functions
        .iter()
        .for_each(|f| function(&mut out, f));
    cluster.vfs.holders.iter().for_each(|h| holder(&mut out, h));
    cluster.dpdk.apps.iter().for_each(|a| app(&mut out, a));
    out
}

pub(super) async fn both_ways_give_the_same_table(site: &Site<'_>) {
    let groups = [Group::Ptp, Group::Sriov];
    same_table(site, "cnf_tables", &PAGES, &groups, table).await;
    let own = Site {
        config: parse(NAMES, Path::new("config.toml")).expect("valid"),
        ..*site
    };
    same_table(&own, "dpdk_site", &["dpdk_site.prom"], &groups, table).await;
}

/// What an operator writes for an application that tells in its own words.
const NAMES: &str = r#"
[dpdk]
rx_packets = 'upf_nic_packets_total{direction="rx"}'
tx_packets = ['upf_nic_packets_total{direction="tx"}']
rx_missed = 'upf_nic_lost_total{cause="ring"}'
rx_nombuf = 'upf_nic_lost_total{cause="mbuf"}'
mbufs_used = 'upf_mbufs{state="in_use"}'
mbufs_total = 'upf_mbufs{state="size"}'
labels = { port = "nic" }
"#;

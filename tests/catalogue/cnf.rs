//! Each PTP and SR-IOV page by two ways, as one table.

use std::fmt::Write as _;

use farwatch::model::id::ClusterId;
use farwatch::model::ptp::{Clock, PtpNode};
use farwatch::model::sample::Sample;
use farwatch::model::signal::Group;
use farwatch::model::sriov::{Function, Holder};
use farwatch::model::unit::Unit;
use farwatch::state::world::World;

use super::Prometheus;
use super::ways::{same_table, written};

const PAGES: [&str; 11] = [
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
    out
}

pub(super) async fn both_ways_give_the_same_table(prometheus: &Prometheus, instance: &str) {
    let groups = [Group::Ptp, Group::Sriov];
    same_table(prometheus, instance, "cnf_tables", &PAGES, &groups, table).await;
}

//! edge-ran-07: PTP boundary clocks and SR-IOV functions as their exporters name things.

use super::noise::{around, hash, unit, wave};
use super::series::{Kind, Page, Target};
use super::story::{BAD_DU, Ptp, RAN_NODES, Story, ran_pods};

pub const ALIAS: &str = "ens4fx";
const PROFILE: &str = "t-bc";

pub fn targets(t: f64) -> Vec<Target> {
    let pods = ran_pods();
    let mut out = Vec::new();
    for node in RAN_NODES {
        let Some(daemon) = pods
            .iter()
            .find(|p| p.node == node && p.name.starts_with("linuxptp") && p.there(t))
        else {
            continue;
        };
        out.push(Target {
            job: "ptp-monitor-service",
            instance: format!("{}:8443", daemon.ip),
            labels: vec![
                ("namespace", daemon.namespace.to_owned()),
                ("pod", daemon.name.to_owned()),
                ("service", "ptp-monitor-service".to_owned()),
            ],
            honor: true,
            path: format!("/ptp/{node}"),
            kind: Kind::Ptp(node),
        });
        out.push(Target {
            job: "sriov-network-metrics-exporter",
            instance: format!("{}:9110", daemon.ip),
            labels: vec![("node", node.to_owned())],
            honor: true,
            path: format!("/sriov/{node}"),
            kind: Kind::Sriov(node),
        });
    }
    out
}

/// Offset of the boundary clock in nanoseconds.
pub fn offset(story: &Story, node: &str, t: f64) -> f64 {
    let calm = 7.0 * wave(hash(&format!("{node}/offset")), t);
    match story.ptp(node, t) {
        Ptp::Locked => calm,
        Ptp::Holdover => calm + 0.42 * (t - story.ptp_lost()),
        Ptp::Freerun => {
            let s = t - story.ptp_free();
            calm + 76.0 + 4.1 * s + 0.004 * s * s
        }
    }
}

pub fn ptp(story: &Story, page: &mut Page, node: &str) {
    let t = page.t;
    let state = story.ptp(node, t);
    let number = |s: Ptp| match s {
        Ptp::Freerun => 0.0,
        Ptp::Locked => 1.0,
        Ptp::Holdover => 2.0,
    };
    let all = number(state);
    // The real daemon says FREERUN for ptp4l as soon as the master is gone.
    let ptp4l = if state == Ptp::Locked { 1.0 } else { 0.0 };
    for (process, iface, value) in [
        ("ptp4l", ALIAS, ptp4l),
        ("T-BC", ALIAS, all),
        ("ts2phc", ALIAS, all),
        ("dpll", ALIAS, all),
        ("phc2sys", "CLOCK_REALTIME", all),
    ] {
        let l = [("iface", iface), ("node", node), ("process", process)];
        page.gauge("openshift_ptp_clock_state", &l, value);
    }
    let class = match state {
        Ptp::Locked => 6.0,
        Ptp::Holdover => 135.0,
        Ptp::Freerun if t < story.ptp_free() + 60.0 => 165.0,
        Ptp::Freerun => 248.0,
    };
    let l = [
        ("config", "ptp4l.0.config"),
        ("node", node),
        ("process", "ptp4l"),
    ];
    page.gauge("openshift_ptp_clock_class", &l, class);
    offsets(story, page, node);
    for (iface, locked, lost) in [
        ("ens4f0", 1.0, 5.0),
        ("ens4f1", 2.0, 2.0),
        ("ens4f2", 2.0, 2.0),
    ] {
        let l = [("iface", iface), ("node", node), ("process", "ptp4l")];
        let role = if state == Ptp::Locked { locked } else { lost };
        page.gauge("openshift_ptp_interface_role", &l, role);
    }
    let dpll = match state {
        Ptp::Locked => 3.0,
        Ptp::Holdover => 4.0,
        Ptp::Freerun => 1.0,
    };
    let l = [
        ("from", "dpll"),
        ("iface", ALIAS),
        ("node", node),
        ("process", "dpll"),
    ];
    page.gauge("openshift_ptp_frequency_status", &l, dpll);
    page.gauge("openshift_ptp_phase_status", &l, dpll);
    page.gauge(
        "openshift_ptp_pps_status",
        &l,
        if state == Ptp::Locked { 1.0 } else { 0.0 },
    );
    for process in ["ptp4l", "ts2phc", "phc2sys"] {
        let config = format!("{process}.0.config");
        let l = [
            ("config", config.as_str()),
            ("node", node),
            ("process", process),
        ];
        page.gauge("openshift_ptp_process_status", &l, 1.0);
        page.counter("openshift_ptp_process_restart_count", &l, 1.0, 0.0);
    }
    for (name, value) in [
        ("HoldOverTimeout", 180.0),
        ("MaxOffsetThreshold", 100.0),
        ("MinOffsetThreshold", -100.0),
    ] {
        let l = [("node", node), ("profile", PROFILE), ("threshold", name)];
        page.gauge("openshift_ptp_threshold", &l, value);
    }
}

fn offsets(story: &Story, page: &mut Page, node: &str) {
    let t = page.t;
    let main = offset(story, node, t);
    let small = |what: &str, a: f64| (a * wave(hash(&format!("{node}/{what}")), t)).round();
    let master = "master";
    for (process, from, iface, value) in [
        ("ptp4l", master, ALIAS, main),
        ("T-BC", "T-BC", ALIAS, main + small("tbc", 3.0)),
        ("ts2phc", master, ALIAS, small("ts2phc", 3.0)),
        ("dpll", "dpll", ALIAS, main * 0.9 + small("dpll", 4.0)),
        (
            "phc2sys",
            "phc",
            "CLOCK_REALTIME",
            main * 0.6 + small("phc2sys", 6.0),
        ),
    ] {
        let l = [
            ("from", from),
            ("iface", iface),
            ("node", node),
            ("process", process),
        ];
        page.gauge("openshift_ptp_offset_ns", &l, value.round());
        if matches!(process, "ptp4l" | "ts2phc" | "phc2sys") {
            let max = value.abs() + 9.0 + small("max", 4.0);
            page.gauge("openshift_ptp_max_offset_ns", &l, max.round());
            let ppb = if process == "phc2sys" {
                -76_011.0
            } else {
                -2_130.0
            };
            page.gauge(
                "openshift_ptp_frequency_adjustment_ns",
                &l,
                ppb + small("freq", 25.0),
            );
            let delay = if process == "phc2sys" { 498.0 } else { 91.0 };
            page.gauge("openshift_ptp_delay_ns", &l, delay + small("delay", 3.0));
        }
    }
}

/// Which pod holds which function: (pf, vf, resource, pod, share of the traffic).
const HELD: [(&str, usize, &str, &str, f64); 4] = [
    ("ens3f0", 0, "openshift.io/fronthaul_vfio", "l1", 9.2e8),
    ("ens3f0", 1, "openshift.io/fronthaul_vfio", "l1", 8.7e8),
    ("ens3f1", 0, "openshift.io/midhaul_netdev", "l1", 2.1e8),
    ("ens3f1", 1, "openshift.io/midhaul_netdev", "l1", 1.9e8),
];

pub fn sriov(story: &Story, page: &mut Page, node: &str) {
    let t = page.t;
    let bad = node == BAD_DU;
    let down = bad && story.cells_down(t);
    let du = match node {
        "du-07-01" => "vdu-l1-0",
        "du-07-02" => "vdu-l1-1",
        _ => "vdu-l1-2",
    };
    for pf in ["ens3f0", "ens3f1"] {
        for vf in 0..8_usize {
            let held = HELD.iter().find(|h| h.0 == pf && h.1 == vf);
            let address = address(pf, vf);
            let number = vf.to_string();
            let l = [
                ("numa_node", "0"),
                ("pciAddr", &*address),
                ("pf", pf),
                ("vf", &*number),
            ];
            let name = format!("{node}/{pf}/{vf}");
            let base = held.map_or(0.0, |h| h.4 * (0.9 + 0.2 * unit(hash(node), vf as i64)));
            let factor = if down { 0.22 } else { 1.0 };
            let rate = around(&name, t, base / 8.0, 0.06) * factor;
            let fronthaul = held.is_some_and(|h| h.2.contains("fronthaul"));
            let loss = if bad && fronthaul && story.ptp(node, t) == Ptp::Freerun {
                2_300.0
            } else {
                0.0
            };
            let start = if held.is_some() { 7.5e12 } else { 0.0 };
            page.counter("sriov_vf_rx_bytes", &l, start, rate);
            page.counter("sriov_vf_tx_bytes", &l, start * 0.6, rate * 0.71);
            page.counter("sriov_vf_rx_packets", &l, start / 1_400.0, rate / 1_400.0);
            page.counter(
                "sriov_vf_tx_packets",
                &l,
                start / 2_300.0,
                rate * 0.71 / 1_400.0,
            );
            page.counter("sriov_vf_rx_dropped", &l, 17.0, loss);
            page.counter("sriov_vf_tx_dropped", &l, 0.0, 0.0);
            if let Some((_, _, resource, container, _)) = held {
                let l = [
                    ("container", *container),
                    ("dev_type", *resource),
                    ("namespace", "ran-du"),
                    ("pciAddr", &*address),
                    ("pod", du),
                ];
                page.gauge("sriov_kubepoddevice", &l, 1.0);
            }
        }
    }
}

pub fn address(pf: &str, vf: usize) -> String {
    let slot = if pf == "ens3f0" { "02" } else { "0a" };
    format!("0000:3b:{slot}.{vf}")
}

//! A telecom clock looked into: its list, the clock itself, its stability and the chain it is in,
//! over a real Prometheus that holds an hour of it.

use std::fmt::Write as _;

use super::prometheus_server::{Prometheus, openmetrics};
use super::*;

const PAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/exporters/ptp_tbc_holdover.prom"
);

/// The recorded page as rules that say it again and again: name, labels, value.
fn rules() -> String {
    let page = std::fs::read_to_string(PAGE).expect("fixture");
    let mut out = String::from("groups:\n- name: clock\n  interval: 1s\n  rules:\n");
    for line in page.lines().filter(|l| l.starts_with("openshift_ptp_")) {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = series.split_once('{').expect("labels");
        let labels = labels.trim_end_matches('}').replace("=\"", ": \"");
        let labels = labels.replace("\",", "\", ");
        let _ = writeln!(
            out,
            "  - {{record: {name}, expr: 'vector({value})', labels: {{{labels}}}}}"
        );
    }
    out
}

/// An hour in which the clock was locked, then lost its source and drifted.
fn held() -> Prometheus {
    let now = farwatch::clock::now().0 / 1000;
    let points = |of: fn(i64) -> f64| -> Vec<(i64, f64)> {
        (0..240).map(|n| (now - 3600 + n * 15, of(n))).collect()
    };
    let place = "iface=\"ens4fx\",node=\"du-03.cell7.example.net\",process=\"T-BC\"";
    let states = points(|n| if n < 200 { 1.0 } else { 2.0 });
    let offsets = points(|n| {
        if n < 200 {
            (n % 5) as f64
        } else {
            (n - 199) as f64
        }
    });
    let states = openmetrics("openshift_ptp_clock_state", place, &states);
    let place = format!("from=\"T-BC\",{place}");
    let offsets = openmetrics("openshift_ptp_offset_ns", &place, &offsets);
    let history = states.replace("# EOF\n", "") + &offsets;
    Prometheus::start_with_history("", &rules(), Some(&history))
}

#[test]
fn a_clock_its_stability_and_its_chain() {
    let prometheus = held();
    let config = format!(
        "[[clusters]]\nname = \"alpha\"\nprometheus = {{ url = \"{}\", interval = \"1s\" }}\n",
        prometheus.url()
    );
    let mut pty = Pty::start(&Start {
        config: Some(&config),
        size: (96, 36),
        ..Start::default()
    });
    pty.see("Clusters 1");
    pty.keys("6").see("PTP 1 nodes: 0 locked, 1 holdover");
    // The clock: each process with its port.
    pty.keys("\r").see("ts2phc").see("ens4fx").see("135");
    pty.keys("m").see("TDEV").see("MTIE").see("G.8273.2");
    pty.keys("m").see("LOCKED → HOLDOVER");
    pty.keys("m").see("from source to follower").see("T-BC");
    pty.keys("<esc>").see("PTP 1 nodes");
    pty.keys("1q");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty);
}

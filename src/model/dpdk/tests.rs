//! Series of several exporters as one table of applications.

use super::*;
use crate::model::label::Labels;
use crate::model::sample::SeriesKey;
use crate::model::time::Timestamp;

const AT: Timestamp = Timestamp(1_000_000);

type Told<'a> = (&'a str, &'a [(&'a str, &'a str)], f64);

fn told(all: &[Told<'_>], names: &Names) -> Readings {
    let series: Vec<(SeriesKey, Sample)> = all
        .iter()
        .map(|(name, labels, value)| {
            let labels = Labels::from_pairs(labels.iter().copied());
            let value = *value;
            (SeriesKey::new(*name, labels), Sample { at: AT, value })
        })
        .collect();
    read(names, series.iter().map(|(k, s)| (k, *s)))
}

#[test]
fn a_port_by_query_and_by_scrape_is_one() {
    let own = [
        ("port", "0000:3b:02.0"),
        ("namespace", "ran"),
        ("pod", "du-0"),
        ("node", "n1"),
    ];
    let readings = told(
        &[
            ("dpdk_rx_packets", &own, 900.0),
            ("dpdk_counters_rx_missed:rate", &own, 3.0),
            ("dpdk_counters_rx_nombuf:rate", &own, 12.0),
            ("dpdk_counters_rx_missed", &own, 9e9),
            ("dpdk_memory_used_bytes", &own[1..], 1e9),
            ("dpdk_memory_total_bytes", &own[1..], 2e9),
            (
                "dpdk_busy_cycles",
                &[("cpu", "4"), ("namespace", "ran"), ("pod", "du-0")],
                1.8e9,
            ),
            (
                "dpdk_total_cycles",
                &[("cpu", "4"), ("namespace", "ran"), ("pod", "du-0")],
                2e9,
            ),
            ("node_load1", &own, 4.0),
        ],
        &Names::default(),
    );
    let [app] = readings.apps.as_slice() else {
        panic!("{readings:?}");
    };
    assert_eq!(app.node.as_deref(), Some("n1"));
    assert_eq!(readings.in_pod("ran", "du-0"), Some(app));
    assert_eq!(readings.in_pod("other", "du-0"), None);
    let [port] = app.ports.as_slice() else {
        panic!("{app:?}");
    };
    assert_eq!(port.packets_in.map(|s| s.value), Some(900.0));
    assert_eq!(port.lost().map(|s| s.value), Some(15.0));
    assert_eq!(port.reason().map(|r| r.0), Some("no buffer"));
    assert_eq!(port.packets_out, None);
    assert_eq!(app.busiest().map(|(_, s)| s.value), Some(0.9));
    assert_eq!(app.memory.share().map(|s| s.value), Some(0.5));
}

#[test]
fn without_a_pod_each_address_is_an_application() {
    let at = |instance| [("params", "0"), ("instance", instance)];
    let readings = told(
        &[
            ("dpdk_ipackets:rate", &at("10.0.0.1:9273"), 1.0),
            ("dpdk_ipackets:rate", &at("10.0.0.2:9273"), 2.0),
            ("dpdk_ipackets:rate", &[("instance", "10.0.0.2:9273")], 7.0),
        ],
        &Names::default(),
    );
    let ports: Vec<usize> = readings.apps.iter().map(|a| a.ports.len()).collect();
    assert_eq!(ports, [1, 1], "a series without a port is nobody's");
    assert_eq!(
        readings.apps[1].ports[0].lost(),
        None,
        "nothing is told of losses"
    );
}

#[test]
fn a_sites_own_names_take_the_place_of_the_known_ones() {
    let name = |value: &str| Name {
        metric: "site_packets_total".into(),
        labels: vec![("direction".into(), value.into())],
    };
    let mut names = Names::default();
    names.set(Measure::RxPackets, vec![name("rx")]);
    names.set(Measure::TxPackets, vec![name("t\"x")]);
    names.port = vec!["nic".into()];
    let own = |way| [("nic", "fh0"), ("direction", way)];
    let readings = told(
        &[
            ("site_packets_total:rate", &own("rx"), 5.0),
            ("site_packets_total:rate", &own("t\"x"), 6.0),
            ("site_packets_total:rate", &own("lost"), 7.0),
            ("dpdk_counters_rx_packets:rate", &own("rx"), 8.0),
        ],
        &names,
    );
    let port = &readings.apps[0].ports[0];
    assert_eq!(port.packets_in.map(|s| s.value), Some(5.0));
    assert_eq!(port.packets_out.map(|s| s.value), Some(6.0));
    let queries: Vec<_> = names.signals().into_iter().map(|s| s.query).collect();
    assert_eq!(
        &*queries[0],
        "rate(site_packets_total{direction=\"rx\"}[2m])"
    );
    assert_eq!(
        &*queries[1],
        "rate(site_packets_total{direction=\"t\\\"x\"}[2m])"
    );
    assert!(names.is_counter("site_packets_total") && !names.is_counter("dpdk_ipackets"));
}

#[test]
fn one_query_a_measure_and_none_for_what_has_no_name() {
    let signals = Names::default().signals();
    let mut names: Vec<_> = signals.iter().map(|s| &*s.name).collect();
    assert_eq!(names.len(), 12);
    names.dedup();
    assert_eq!(names.len(), 12);
    assert!(!names.contains(&"dpdk_mbufs_used"));
    let both = "rate(dpdk_counters_rx_packets[2m]) or rate(dpdk_ipackets[2m])";
    assert_eq!(&*signals[0].query, both);
    for measure in Measure::ALL {
        assert_eq!(Measure::of_key(measure.key()), Some(measure));
    }
}

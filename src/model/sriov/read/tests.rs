//! What queries answer and what scrapes bring are the same reading.

use super::*;
use crate::model::time::Timestamp;

const ADDRESS: &str = "0000:3b:02.1";

/// Name, labels, value.
type Point<'a> = (&'a str, &'a [(&'a str, &'a str)], f64);

fn told(all: &[Point<'_>]) -> Readings {
    let series: Vec<(SeriesKey, Sample)> = all
        .iter()
        .map(|(name, labels, value)| {
            let labels = Labels::from_pairs(labels.iter().copied());
            let (at, value) = (Timestamp(1_000), *value);
            (SeriesKey::new(*name, labels), Sample { at, value })
        })
        .collect();
    read(series.iter().map(|(k, s)| (k, *s)))
}

const PLACE: [(&str, &str); 4] = [
    ("node", "du-1"),
    ("pf", "ens3f0"),
    ("vf", "1"),
    ("pciAddr", ADDRESS),
];

#[test]
fn by_query_and_by_scrape() {
    let owner = [
        ("node", "du-1"),
        ("pciAddr", ADDRESS),
        ("namespace", "ran"),
        ("pod", "vdu-0"),
        ("dev_type", "openshift.io/fh"),
    ];
    let query = told(&[
        ("sriov_vf_rx_bits", &PLACE, 8_000.0),
        ("sriov_vf_rx_dropped", &PLACE, 3.0),
        ("sriov_vf_tx_dropped", &PLACE, 4.0),
        ("sriov_kubepoddevice", &owner, 1.0),
    ]);
    let scrape = told(&[
        ("sriov_vf_rx_bytes:rate", &PLACE, 1_000.0),
        ("sriov_vf_rx_dropped:rate", &PLACE, 3.0),
        ("sriov_vf_tx_dropped:rate", &PLACE, 4.0),
        ("sriov_kubepoddevice", &owner, 1.0),
    ]);
    assert_eq!(query, scrape);
    let function = query.on("du-1", "ens3f0").next().expect("one");
    assert_eq!(function.index, 1);
    assert_eq!(function.dropped().map(|s| s.value), Some(7.0));
    assert_eq!(function.sent, None, "not told is not nothing");
    assert_eq!(query.on("du-2", "ens3f0").count(), 0);
    let holder = query.holder("du-1", ADDRESS).expect("held");
    assert_eq!(&*holder.pod, "vdu-0");
    // An address is one of its node only.
    assert_eq!(query.holder("du-2", ADDRESS), None);
}

#[test]
fn labels_of_an_exporter_that_stands_alone() {
    let place = [
        ("instance", "10.0.0.7:9808"),
        ("pf", "ens3f0"),
        ("vf", "0"),
        ("pciAddr", ADDRESS),
    ];
    let owner = [
        ("instance", "10.0.0.7:9808"),
        ("pciAddr", ADDRESS),
        ("namespace", "monitoring"),
        ("pod", "exporter-x"),
        ("exported_namespace", "ran"),
        ("exported_pod", "vdu-0"),
    ];
    let found = told(&[
        ("sriov_vf_rx_bits", &place, 1.0),
        ("sriov_vf_tx_bits", &place, f64::NAN),
        ("sriov_vf_rx_bits", &place[..3], 1.0),
        ("sriov_vf_rx_bits", &place[..1], 1.0),
        ("sriov_vf_owner", &owner, 1.0),
        ("sriov_kubepoddevice", &owner[..2], 1.0),
    ]);
    assert_eq!(found.functions.len(), 1);
    let function = &found.functions[0];
    assert_eq!((&*function.node, function.sent), ("10.0.0.7", None));
    let holder = found.holder("10.0.0.7", ADDRESS).expect("held");
    assert_eq!((&*holder.namespace, &*holder.pod), ("ran", "vdu-0"));
    assert!(
        told(&[("sriov_kubepoddevice", &owner, 0.0)])
            .holders
            .is_empty()
    );
}

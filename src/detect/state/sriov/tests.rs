//! Faults of virtual functions, each beside its healthy twin.

use super::*;
use crate::model::label::Labels;
use crate::model::sample::{Sample, SeriesKey};
use crate::model::sriov::{PhysicalFunction, read};

const NOW: Timestamp = Timestamp(10_000_000);

fn port(wanted: u32, have: u32) -> PhysicalFunction {
    PhysicalFunction {
        name: "ens3f0".into(),
        pci_address: "0000:3b:00.0".into(),
        vendor: "Intel".into(),
        driver: Some("ice".into()),
        mtu: Some(1500),
        link_speed: Some("25000 Mb/s".into()),
        num_vfs: have,
        total_vfs: 64,
        desired_vfs: Some(wanted),
        vfs: have,
        ..PhysicalFunction::default()
    }
}

fn state(status: &str, port: PhysicalFunction) -> SriovNodeState {
    SriovNodeState {
        node: "du-1".into(),
        sync_status: Some(status.into()),
        last_sync_error: (status == "Failed").then(|| "device busy".to_owned()),
        interfaces: vec![port],
        ..SriovNodeState::default()
    }
}

fn told(state: &SriovNodeState) -> Vec<(Severity, String, u64)> {
    let found = sriov(std::iter::once(state));
    found
        .into_iter()
        .map(|c| (c.severity, c.text, c.for_ms))
        .collect()
}

#[test]
fn sync_functions_and_links() {
    assert_eq!(told(&state("Succeeded", port(8, 8))), []);
    let one = |text: &str, severity, for_ms| vec![(severity, text.to_owned(), for_ms)];
    assert_eq!(
        told(&state("Failed", port(8, 8))),
        one("SR-IOV sync failed: device busy", Severity::Critical, 0)
    );
    assert_eq!(
        told(&state("InProgress", port(16, 8))),
        one(
            "SR-IOV sync in progress for more than 10 min",
            Severity::Warning,
            600_000
        )
    );
    assert_eq!(
        told(&state("Succeeded", port(16, 8))),
        one(
            "8 of 16 virtual functions on ens3f0",
            Severity::Warning,
            60_000
        )
    );
    let mut down = port(8, 8);
    down.link_speed = Some("-1 Mb/s".into());
    assert_eq!(
        told(&state("Succeeded", down.clone())),
        one(
            "link of ens3f0 is down, 8 virtual functions on it",
            Severity::Warning,
            30_000
        )
    );
    // Not told is not down.
    let mut untold = port(8, 8);
    untold.link_speed = None;
    assert_eq!(told(&state("Succeeded", untold)), []);
    // Nobody uses that port.
    (down.num_vfs, down.vfs, down.desired_vfs) = (0, 0, None);
    assert_eq!(told(&state("Succeeded", down)), []);
}

/// What is dropped by each function of a port, packets a second.
fn drops(rates: &[f64], age_ms: i64) -> Vec<String> {
    let series: Vec<(SeriesKey, Sample)> = rates
        .iter()
        .enumerate()
        .map(|(index, value)| {
            let index = index.to_string();
            let labels = Labels::from_pairs([("node", "du-1"), ("pf", "ens3f0"), ("vf", &index)]);
            let key = SeriesKey::new("sriov_vf_rx_dropped", labels);
            let (at, value) = (NOW.plus_ms(-age_ms), *value);
            (key, Sample { at, value })
        })
        .collect();
    let told = read(series.iter().map(|(k, s)| (k, *s)));
    let found = sriov_drops(&told.functions, NOW);
    found.into_iter().map(|c| c.text).collect()
}

#[test]
fn drops_on_one_function_only() {
    assert_eq!(
        drops(&[0.0, 812.0, 0.0, 0.2], 0),
        ["vf 1 of ens3f0 drops 812/s, the other 3 of the port nothing"]
    );
    for healthy in [
        &[0.0, 0.3, 0.0, 0.2][..],
        // The port as a whole: no single function is to blame.
        &[500.0, 812.0, 300.0, 700.0],
        // No neighbour to hold it against.
        &[0.0, 812.0],
        &[0.0, f64::NAN, 0.0],
    ] {
        assert_eq!(drops(healthy, 0), [""; 0], "{healthy:?}");
    }
    assert_eq!(drops(&[0.0, 812.0, 0.0], 120_000), [""; 0], "long ago");
}

#[test]
fn a_pool_is_exhausted_when_a_pod_waits_for_it() {
    let pool = |has: u64, asked: u64, waiting: &[&str]| {
        let held = asked - waiting.len() as u64;
        // On two nodes.
        let on = |node: &str, allocatable, requested| Pool {
            node: node.into(),
            resource: "openshift.io/fronthaul".into(),
            configured: None,
            allocatable: Some(allocatable),
            requested: Some(requested),
        };
        let pools = [on("a", has - 4, held - 4), on("b", 4, 4)];
        let one = |_: &str| waiting.iter().map(|w| ((*w).to_owned(), 1)).collect();
        let found = sriov_exhausted(&pools, one);
        found.into_iter().map(|c| c.text).collect::<Vec<_>>()
    };
    assert_eq!(
        pool(8, 10, &["ran-du/du-2", "ran-du/du-3"]),
        ["openshift.io/fronthaul: 10 asked for, 8 there; ran-du/du-2 and 1 more waits"]
    );
    assert_eq!(pool(8, 8, &[]), [""; 0], "full and enough");
    assert_eq!(pool(8, 9, &[]), [""; 0], "nobody waits");
    // It waits for something else: there is room in this pool.
    assert_eq!(pool(8, 7, &["ran-du/du-2"]), [""; 0]);
}

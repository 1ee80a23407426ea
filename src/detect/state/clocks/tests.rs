//! Faults of clocks, each beside its healthy twin.

use super::*;
use crate::model::label::Labels;
use crate::model::ptp;
use crate::model::sample::{SampleKind, SeriesKey};
use crate::model::signal::Group;
use crate::store::Origin;

const CLUSTER: ClusterId = ClusterId(0);
/// So many, the last one now; every 15 s where a test does not say otherwise.
const POINTS: i64 = 41;

/// Series of a few nodes and what was read of them.
struct Clocks {
    store: Store,
    step_ms: u32,
    newest: Vec<(SeriesKey, Sample)>,
}

/// The same in every run, between -1 and 1.
fn noise(i: i64) -> f64 {
    ((i * 7919 % 101) as f64 - 50.0) / 50.0
}

impl Clocks {
    fn new() -> Self {
        Self {
            store: Store::new(0, 0, 4 * 3_600_000),
            step_ms: 15_000,
            newest: Vec::new(),
        }
    }

    fn put(&mut self, name: &str, labels: &[(&str, &str)], value: impl Fn(i64) -> f64) {
        let key = SeriesKey::new(name, Labels::from_pairs(labels.iter().copied()));
        let origin = Origin {
            cluster: CLUSTER,
            group: Group::Ptp,
            kind: SampleKind::Gauge,
            interval_ms: self.step_ms,
        };
        let step_ms = i64::from(self.step_ms);
        let sample = |i| Sample {
            at: Timestamp(1_000_000_000 + i * step_ms),
            value: value(i),
        };
        let id = self.store.series(origin, &key, sample(0)).expect("room");
        (0..POINTS).for_each(|i| {
            self.store.put(id, sample(i));
        });
        self.newest.push((key, sample(POINTS - 1)));
    }

    fn polled_each(step_ms: u32) -> Self {
        Self {
            step_ms,
            ..Self::new()
        }
    }

    /// A boundary clock: locked, with this offset.
    fn node(mut self, name: &str, state: f64, offset: impl Fn(i64) -> f64) -> Self {
        let of = |process: &'static str, iface: &'static str| {
            [("node", name), ("process", process), ("iface", iface)]
        };
        self.put("openshift_ptp_clock_state", &of("T-BC", "ens1fx"), |_| {
            state
        });
        self.put("openshift_ptp_offset_ns", &of("T-BC", "ens1fx"), offset);
        self
    }

    fn with(mut self, name: &str, labels: &[(&str, &str)], value: f64) -> Self {
        self.put(name, labels, |_| value);
        self
    }

    fn told(&self) -> Vec<(Severity, String)> {
        let nodes = ptp::read(self.newest.iter().map(|(k, s)| (k, *s)));
        let mut found = ptp(&nodes);
        let now = Timestamp(1_000_000_000 + (POINTS - 1) * i64::from(self.step_ms));
        found.extend(ptp_trends(&self.store, CLUSTER, &nodes, now));
        found.into_iter().map(|c| (c.severity, c.text)).collect()
    }
}

fn locked(count: usize) -> Clocks {
    let names = ["n1", "n2", "n3", "n4", "n5", "n6"];
    let each = names.iter().take(count).enumerate();
    each.fold(Clocks::new(), |clocks, (at, name)| {
        clocks.node(name, 1.0, move |i| 5.0 * noise(i + at as i64 * 13))
    })
}

#[test]
fn healthy_clocks_are_not_told_of() {
    for count in 1..=6 {
        assert_eq!(locked(count).told(), [], "{count} nodes");
    }
    let small = [("node", "n1"), ("process", "ptp4l"), ("iface", "ens1f0")];
    let healthy = locked(4)
        .with("openshift_ptp_interface_role", &small, 1.0)
        .with("openshift_ptp_clock_class", &small, 6.0)
        .with(
            "openshift_ptp_process_status",
            &[("node", "n1"), ("process", "ptp4l"), ("config", "c")],
            1.0,
        );
    assert_eq!(healthy.told(), []);
}

/// Tells exactly this.
fn assert_told(clocks: &Clocks, wanted: &[(Severity, &str)]) {
    let told = clocks.told();
    let told: Vec<(Severity, &str)> = told.iter().map(|(s, t)| (*s, t.as_str())).collect();
    assert_eq!(told, wanted);
}

#[test]
fn states_classes_ports_and_processes() {
    let near = |i| 5.0 * noise(i);
    assert_told(
        &Clocks::new().node("n1", 2.0, near),
        &[(
            Severity::Warning,
            "T-BC is HOLDOVER, expected LOCKED, offset -2.6 ns",
        )],
    );
    assert_told(
        &Clocks::new().node("n1", 0.0, |_| 4_123.0),
        &[(
            Severity::Critical,
            "T-BC is FREERUN, expected LOCKED, offset 4.12 us",
        )],
    );
    let port = [("node", "n1"), ("process", "ptp4l"), ("iface", "ens1f0")];
    for (class, wanted) in [
        (
            7.0,
            (
                Severity::Warning,
                "clock class 7 (holdover within specification)",
            ),
        ),
        (
            165.0,
            (
                Severity::Critical,
                "clock class 165 (boundary clock in holdover out of specification)",
            ),
        ),
        (248.0, (Severity::Warning, "clock class 248 (free-running)")),
    ] {
        let clocks = locked(1).with("openshift_ptp_clock_class", &port, class);
        assert_told(&clocks, &[wanted]);
    }
    assert_told(
        &locked(1).with("openshift_ptp_interface_role", &port, 3.0),
        &[(Severity::Critical, "PTP port ens1f0 is FAULTY")],
    );
    let process = [("node", "n1"), ("process", "ptp4l"), ("config", "c")];
    assert_told(
        &locked(1).with("openshift_ptp_process_status", &process, 0.0),
        &[(Severity::Critical, "PTP process ptp4l (c) is down")],
    );
}

#[test]
fn a_drift_is_told_before_the_threshold_is_crossed() {
    let drifting = |i: i64| 20.0 + i as f64 + 3.0 * noise(i);
    assert_told(
        &Clocks::new().node("n1", 1.0, drifting),
        &[(
            Severity::Warning,
            "offset of T-BC drifts by 4.07 ns a minute: 60.3 ns now, reaches 100 ns in 10 min",
        )],
    );
    // What nobody looks at is polled seldom, on a spoke and at an edge.
    for step_ms in [120_000, 240_000] {
        let rare = |per_step: f64| {
            let offset = move |i: i64| 30.0 + per_step * (i - 20).max(0) as f64 + noise(i);
            let told = Clocks::polled_each(step_ms).node("n1", 1.0, offset).told();
            told.first().map(|(_, text)| text.clone())
        };
        let told = rare(3.0).unwrap_or_default();
        let is = |part: &str| told.contains(part);
        assert!(is("T-BC drifts by") && is("reaches 100 ns in"), "{told}");
        assert_eq!(rare(0.0), None);
    }
    // Far from the threshold, or on its way back: no news.
    assert_eq!(Clocks::new().node("n1", 1.0, |i| 0.1 * i as f64).told(), []);
    assert_eq!(
        Clocks::new()
            .node("n1", 1.0, |i| 90.0 - 2.0 * i as f64)
            .told(),
        []
    );
    // Beyond it another rule tells.
    let port = [("node", "n1"), ("process", "ptp4l"), ("iface", "ens1fx")];
    let mut beyond = Clocks::new().with("openshift_ptp_clock_state", &port, 1.0);
    beyond.put("openshift_ptp_offset_ns", &port, |i| 80.0 + i as f64);
    assert_told(
        &beyond,
        &[(
            Severity::Warning,
            "offset of ptp4l 120 ns, expected above -100 ns and below 100 ns",
        )],
    );
}

#[test]
fn a_node_off_its_peers_is_told_though_it_is_within_the_threshold() {
    let off = locked(4).node("n9", 1.0, |i| 60.0 + 5.0 * noise(i));
    assert_told(
        &off,
        &[(
            Severity::Warning,
            "offset of T-BC stays at 59.7 ns, that of its peers at 0 ns",
        )],
    );
    // Two peers say nothing of a third; peers that differ as much neither.
    assert_eq!(
        locked(2).node("n9", 1.0, |i| 60.0 + 5.0 * noise(i)).told(),
        []
    );
    let wide = [-55.0, -20.0, 15.0, 40.0, 60.0];
    let names = ["n1", "n2", "n3", "n4", "n5"];
    let spread = wide.iter().zip(names).fold(Clocks::new(), |c, (at, name)| {
        c.node(name, 1.0, move |i| at + noise(i))
    });
    assert_eq!(spread.told(), []);
}

#[test]
fn most_clocks_at_once_point_above_them() {
    let lost = |count: usize, of: usize| {
        let names = ["n1", "n2", "n3", "n4", "n5", "n6"];
        let each = names.iter().take(of).enumerate();
        each.fold(Clocks::new(), |clocks, (at, name)| {
            let state = if at < count { 0.0 } else { 1.0 };
            clocks.node(name, state, |i| 5.0 * noise(i))
        })
    };
    let above = |clocks: &Clocks| {
        let told = clocks.told();
        let found = told.into_iter().find(|(_, t)| t.contains("at once"));
        found.map(|(_, text)| text)
    };
    assert_eq!(
        above(&lost(5, 6)).as_deref(),
        Some(
            "5 of 6 clocks are not locked at once; look at what they follow: no grandmaster is \
             seen in this cluster"
        )
    );
    for (count, of) in [(2, 2), (2, 6), (3, 6)] {
        assert_eq!(above(&lost(count, of)), None, "{count} of {of}");
    }
    let master = |state| {
        let labels = [("node", "gm"), ("process", "GM"), ("iface", "ens7fx")];
        lost(4, 5).with("openshift_ptp_clock_state", &labels, state)
    };
    assert_eq!(
        above(&master(2.0)).as_deref(),
        Some("4 of 5 clocks are not locked at once; the grandmaster gm is not locked either")
    );
    assert_eq!(
        above(&master(1.0)).as_deref(),
        Some(
            "4 of 5 clocks are not locked at once; the grandmaster gm says it is locked: look at \
             the path to it"
        )
    );
}

//! PTP nodes from what the two publishers really write.

use super::*;
use crate::model::exposed::exporter;
use crate::model::sample::SeriesKey;

fn one(series: &[(SeriesKey, Sample)]) -> PtpNode {
    let mut nodes = read(series.iter().map(|(k, s)| (k, *s)));
    assert_eq!(nodes.len(), 1);
    nodes.remove(0)
}

fn class(node: &PtpNode) -> Option<f64> {
    node.clock_class.map(|s| s.value)
}

#[test]
fn states_by_the_worst_that_counts() {
    let locked = one(&exporter!("ptp_oc_locked.prom"));
    assert_eq!(
        (locked.state, class(&locked)),
        (Some(ClockState::Locked), Some(255.0))
    );
    let free = one(&exporter!("ptp_oc_freerun.prom"));
    assert_eq!(
        (free.state, class(&free)),
        (Some(ClockState::Freerun), Some(248.0))
    );
    let boundary = one(&exporter!("ptp_tbc_holdover.prom"));
    assert_eq!(
        boundary.state,
        Some(ClockState::Holdover),
        "T-BC outranks ptp4l's FREERUN"
    );
    assert_eq!(boundary.worst().map(|c| c.process.as_str()), Some("T-BC"));
    let master = one(&exporter!("ptp_tgm_gnss_locked.prom"));
    assert_eq!(
        (master.state, class(&master)),
        (Some(ClockState::Locked), Some(6.0))
    );
    assert_eq!(master.gnss.map(|s| s.value), Some(3.0));
    let lost = one(&exporter!("ptp_tgm_gnss_lost_holdover.prom"));
    assert_eq!(
        (lost.state, class(&lost)),
        (Some(ClockState::Holdover), Some(7.0))
    );
}

#[test]
fn sentinels_are_no_measurement_and_the_dead_do_not_count() {
    let faulty = one(&exporter!("ptp_daemon_faulty_sentinel.prom"));
    let ptp4l: Vec<_> = faulty
        .clocks
        .iter()
        .filter(|c| c.process == "ptp4l")
        .collect();
    assert!(
        ptp4l.iter().all(|c| c.offset_ns.is_none()),
        "999999 is no offset"
    );
    assert!(ptp4l.iter().any(|c| c.role.as_deref() == Some("FAULTY")));
    assert_eq!(faulty.threshold_ns, None);
    let down = one(&exporter!("ptp_ts2phc_down_sentinel.prom"));
    assert!(down.is_down("ts2phc") && !down.is_down("phc2sys"));
    assert_eq!(
        down.state,
        Some(ClockState::Locked),
        "only phc2sys still speaks"
    );
    assert_eq!(
        down.worst_offset()
            .map(|(c, o)| (c.process.as_str(), o.value)),
        Some(("phc2sys", 3.0))
    );
}

/// A series of this node with these values of its labels, all told at one time.
fn told(name: &str, labels: &[(&str, &str)], value: f64) -> (SeriesKey, Sample) {
    let labels = labels.iter().copied().chain([("node", "n1")]);
    let at = crate::model::time::Timestamp(0);
    let key = SeriesKey::new(
        format!("openshift_ptp_{name}"),
        Labels::from_pairs(labels.collect::<Vec<_>>()),
    );
    (key, Sample { at, value })
}

#[test]
fn takes_the_loosest_threshold() {
    let node = one(&exporter!("ptp_dual_bc_ha.prom"));
    assert_eq!(node.threshold_ns, Some((-1500.0, 1500.0)));
    assert!(node.processes.len() >= 2);
    assert!(!is_sentinel(37e9), "a UTC error is real");
    let of = |profile, end, value| {
        let labels = [("profile", profile), ("threshold", end)];
        told("threshold", &labels, value)
    };
    let (low, high) = ("MinOffsetThreshold", "MaxOffsetThreshold");
    let mut both = vec![
        of("a", low, -100.0),
        of("a", high, 100.0),
        of("b", low, -1500.0),
        of("b", high, 1500.0),
    ];
    assert_eq!(one(&both).threshold(), (-1500.0, 1500.0));
    both.reverse();
    assert_eq!(one(&both).threshold(), (-1500.0, 1500.0));
    // Half of it says nothing of the other half.
    let half = one(&[of("a", high, 1500.0)]);
    assert_eq!(half.threshold_ns, None);
    assert!(half.is_inside(-5.0) && !half.is_inside(-100.0));
}

#[test]
fn the_worst_of_several_classes_and_receivers_tells() {
    let classes = |values: &[f64]| {
        let process = |at: usize| ["ptp4l.0", "ptp4l.1"].get(at).copied().unwrap_or("");
        let each = values.iter().enumerate();
        let all: Vec<_> = each
            .map(|(at, v)| told("clock_class", &[("config", process(at))], *v))
            .collect();
        class(&one(&all))
    };
    // As bad as the table says, not as great as the number.
    for (all, worst) in [
        ([165.0, 248.0], 165.0),
        ([7.0, 14.0], 7.0),
        ([6.0, 255.0], 6.0),
        ([248.0, 255.0], 248.0),
        ([140.0, 193.0], 193.0),
        ([7.0, f64::NAN], 7.0),
    ] {
        assert_eq!(classes(&all), Some(worst), "{all:?}");
        let [first, second] = all;
        assert_eq!(classes(&[second, first]), Some(worst), "{all:?}");
    }
    let receiver = |iface, value| told("gnss_status", &[("iface", iface)], value);
    let fix = |values: [f64; 2]| {
        let [a, b] = values;
        let node = one(&[receiver("ens1", a), receiver("ens2", b)]);
        node.gnss.map(|s| s.value)
    };
    assert_eq!(fix([3.0, 0.0]), Some(0.0));
    assert_eq!(fix([0.0, 3.0]), Some(0.0));
    assert_eq!(fix([f64::NAN, 3.0]), Some(3.0));
}

#[test]
fn no_number_is_no_state() {
    for none in [f64::NAN, f64::INFINITY, 0.7, 9.0] {
        assert_eq!(ClockState::from_wire(none), None, "{none}");
        assert_eq!(Lock::from_wire(none), None, "{none}");
        assert_eq!(role(none), None, "{none}");
    }
    assert_eq!(ClockState::from_wire(0.0), Some(ClockState::Freerun));
}

#[test]
fn one_of_two_processes_being_down_does_not_hide_the_other() {
    let mut series = exporter!("ptp_dual_bc_ha.prom");
    let mut set = |name: &str, label: (&str, &str), value| {
        let is = |k: &SeriesKey| *k.name == *name && k.labels.get(label.0) == Some(label.1);
        let found = series.iter_mut().find(|(k, _)| is(k)).expect("there");
        found.1.value = value;
    };
    set(
        "openshift_ptp_process_status",
        ("config", "ptp4l.1.config"),
        0.0,
    );
    set("openshift_ptp_clock_state", ("iface", "ens3fx"), 0.0);
    let node = one(&series);
    assert!(!node.is_down("ptp4l"));
    assert_eq!(node.state, Some(ClockState::Freerun));
    let mut set = |config| {
        let is = |k: &SeriesKey| k.labels.get("config") == Some(config);
        for (_, sample) in series
            .iter_mut()
            .filter(|(k, _)| is(k) && k.name.ends_with("process_status"))
        {
            sample.value = 0.0;
        }
    };
    set("ptp4l.0.config");
    let node = one(&series);
    assert!(node.is_down("ptp4l"));
    assert_eq!(node.state, Some(ClockState::Locked), "phc2sys is left");
}

#[test]
fn what_stands_beside_state_and_offset() {
    let holdover = one(&exporter!("ptp_tbc_holdover.prom"));
    let of = |process: &str| {
        let mut own = holdover.clocks.iter().filter(|c| c.process == process);
        own.find(|c| c.interface == "ens4fx")
    };
    let value = |s: Option<Sample>| s.map(|s| s.value);
    let ptp4l = of("ptp4l").expect("there");
    let read = (value(ptp4l.delay_ns), value(ptp4l.frequency_ppb));
    assert_eq!(read, (Some(91.0), Some(-4102.0)));
    assert_eq!(value(ptp4l.max_offset_ns), Some(38.0));
    let loop_ = of("dpll").expect("there");
    let locks = (loop_.frequency_lock, loop_.phase_lock, loop_.pps);
    assert_eq!(
        locks,
        (Some(Lock::Holdover), Some(Lock::Holdover), Some(false))
    );
    assert_eq!(holdover.holdover_timeout_s, Some(5.0));
    assert_eq!(holdover.part(), Some(Part::Boundary));
    let master = one(&exporter!("ptp_tgm_gnss_locked.prom"));
    assert_eq!(master.part(), Some(Part::Grandmaster));
    let nmea = master.clocks.iter().find_map(|c| c.nmea);
    assert_eq!(nmea, Some(true));
    let quality: Vec<_> = master.synce.iter().map(SyncE::quality_word).collect();
    assert_eq!(quality, ["PRTC"]);
    assert_eq!(
        one(&exporter!("ptp_oc_locked.prom")).part(),
        Some(Part::Ordinary)
    );
    let dual = one(&exporter!("ptp_dual_bc_ha.prom"));
    let steering: Vec<bool> = dual.profiles.iter().map(|p| p.1).collect();
    assert_eq!(steering.iter().filter(|s| **s).count(), 1, "{dual:?}");
    assert_eq!(steering.len(), 2);
}

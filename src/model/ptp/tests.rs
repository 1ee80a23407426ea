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

#[test]
fn takes_the_loosest_threshold() {
    let node = one(&exporter!("ptp_dual_bc_ha.prom"));
    let (min, max) = node.threshold_ns.expect("events are on");
    assert!(min <= -100.0 && max >= 100.0);
    assert!(node.processes.len() >= 2);
    assert!(!is_sentinel(37e9), "a UTC error is real");
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

//! PTP nodes from what the two publishers really write.

use super::*;
use crate::model::exposed::exporter;

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

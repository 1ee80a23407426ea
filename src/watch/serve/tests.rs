use super::super::gauges::Bus;
use super::super::told::tests::turn;
use super::*;

fn long_ago(seconds: u64) -> Instant {
    let now = clock::instant();
    now.checked_sub(Duration::from_secs(seconds)).unwrap_or(now)
}

#[test]
fn a_loop_that_stands_still_is_not_alive() {
    assert!(is_alive(None, long_ago(5)).is_ok(), "it is starting");
    assert!(is_alive(None, long_ago(40)).is_err());
    let mut told = turn(0, Vec::new());
    assert!(is_alive(Some(&told), long_ago(400)).is_ok());
    told.turned = long_ago(42);
    let why = is_alive(Some(&told), long_ago(400)).unwrap_err();
    assert_eq!(why, "the loop has stood still for 42 s");
    assert!(is_ready(Some(&told), long_ago(400)).is_err());
}

#[test]
fn ready_is_who_knows_its_clusters_and_has_heard_them() {
    let now = long_ago(1);
    assert!(is_ready(None, now).is_err());
    let mut told = turn(0, Vec::new());
    assert!(is_ready(Some(&told), now).is_ok());
    told.gauges.bus.wanted = true;
    assert!(
        is_ready(Some(&told), now).is_err(),
        "who has which cluster?"
    );
    told.gauges.leases.settled = true;
    assert!(is_ready(Some(&told), now).is_ok());
    told.clusters[0].sources = vec![Heard::Connecting, Heard::Failing];
    let why = is_ready(Some(&told), now).unwrap_err();
    assert_eq!(why, "1 sources have not been heard yet");
    assert!(is_ready(Some(&told), long_ago(61)).is_ok(), "not for ever");
    told.clusters.clear();
    let why = is_ready(Some(&told), now).unwrap_err();
    assert_eq!(why, "2 clusters have not been looked at yet");
    told.gauges.watched = 0;
    assert!(is_ready(Some(&told), now).is_ok(), "it stands by");
}

#[test]
fn a_bus_that_is_away_is_borne_while_there_is_room() {
    let now = long_ago(1);
    let mut told = turn(0, Vec::new());
    told.gauges.leases.settled = true;
    for (ready, keeps, fit) in [
        (true, false, true),
        (false, true, true),
        (false, false, false),
    ] {
        told.gauges.bus = Bus {
            wanted: true,
            ready,
            unsafe_spool: (!keeps).then(|| "the disk is full".into()),
            ..Bus::default()
        };
        assert_eq!(is_ready(Some(&told), now).is_ok(), fit, "{ready} {keeps}");
    }
}

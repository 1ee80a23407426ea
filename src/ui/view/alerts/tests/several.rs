//! Several Alertmanagers of one cluster: what they agree on, and what only one of them says.

use super::pages::placed;
use super::*;
use crate::config::{Cluster, Config, Endpoint};
use crate::model::fault::{Fault, FaultKind};
use crate::model::health::{Health, SourceHealth, SourceKind};

const A: SourceKind = SourceKind::Alertmanager(0);
const B: SourceKind = SourceKind::Alertmanager(1);

/// One cluster with two Alertmanagers that answer.
fn two(together: bool) -> World {
    let config = Config {
        clusters: vec![Cluster {
            name: "hub-1".into(),
            alertmanagers: vec![Endpoint::default(), Endpoint::default()],
            ..Cluster::default()
        }],
        ..Config::default()
    };
    let mut world = World::new(&config, Timestamp(NOW));
    for (source, own) in [(A, "01-a"), (B, "01-b")] {
        fake::tell_of(&mut world, 0, source, Body::Health(fake::heard()));
        let names = match together {
            true => vec!["01-a".into(), "01-b".into()],
            false => vec![own.into()],
        };
        fake::tell_of(&mut world, 0, source, Body::Gossip(names));
    }
    world
}

fn tell(world: &mut World, source: SourceKind, list: Vec<Alert>) {
    fake::tell_of(world, 0, source, Body::Alerts(list));
}

fn fires() -> Alert {
    alert("1", "DiskFull", "critical", &[("node", "n-1")])
}

fn hushed() -> Alert {
    Alert {
        state: AlertState::Suppressed,
        silenced_by: vec!["s-1".into()],
        ..fires()
    }
}

fn goes_down(world: &mut World, source: SourceKind) {
    is_down(world, 0, source);
}

fn is_down(world: &mut World, cluster: u16, source: SourceKind) {
    let fault = Fault {
        kind: FaultKind::Unreachable,
        cluster: "hub-1".into(),
        endpoint: "http://am".into(),
        what: "nobody listens".into(),
        hint: String::new(),
    };
    let health = Health::Failing {
        fault,
        since: Timestamp(NOW),
        retry_at: Timestamp(NOW),
        failures: 4,
    };
    let health = SourceHealth {
        health,
        ..fake::heard()
    };
    fake::tell_of(world, cluster, source, Body::Health(health));
}

fn state(world: &World) -> AlertState {
    let rows = Alerts::default().rows(world);
    assert_eq!(rows.len(), 1, "one alert is one row: {rows:?}");
    assert_eq!(rows[0].alerts.len(), 1);
    rows[0].state
}

fn detail(world: &World) -> String {
    let view = placed(world);
    pages::text(&view, world, (200, 50))
}

#[test]
fn an_alert_of_two_is_one_and_ends_when_both_say_so() {
    for together in [true, false] {
        let mut world = two(together);
        tell(&mut world, A, vec![fires()]);
        assert!(detail(&world).contains("alertmanager; not alertmanager 2"));
        tell(&mut world, B, vec![fires()]);
        assert!(detail(&world).contains("alertmanager, alertmanager 2"));
        tell(&mut world, A, Vec::new());
        assert_eq!(
            state(&world),
            AlertState::Firing,
            "the other still tells it"
        );
        tell(&mut world, B, Vec::new());
        assert_eq!(state(&world), AlertState::Resolved);
    }
}

#[test]
fn what_one_still_notifies_of_is_not_silenced() {
    let mut world = two(false);
    tell(&mut world, A, vec![hushed()]);
    assert_eq!(state(&world), AlertState::Suppressed);
    tell(&mut world, B, vec![fires()]);
    assert_eq!(state(&world), AlertState::Firing);
    let text = detail(&world);
    assert!(
        text.contains("alertmanager (hushed), alertmanager 2"),
        "{text}"
    );
    tell(&mut world, B, vec![hushed()]);
    assert_eq!(state(&world), AlertState::Suppressed);
}

#[test]
fn a_replica_that_is_down_hides_nothing_and_holds_nothing_up() {
    let mut world = two(true);
    tell(&mut world, A, vec![fires()]);
    tell(&mut world, B, vec![fires()]);
    goes_down(&mut world, A);
    assert_eq!(state(&world), AlertState::Firing);
    let text = detail(&world);
    assert!(text.contains("down: alertmanager of hub-1"), "{text}");
    assert!(
        text.contains("alertmanager (down), alertmanager 2"),
        "{text}"
    );
    // The replica that is left speaks for both.
    tell(&mut world, B, Vec::new());
    assert_eq!(state(&world), AlertState::Resolved);
}

#[test]
fn nobody_speaks_for_one_that_stands_alone() {
    let mut world = two(false);
    tell(&mut world, A, vec![fires()]);
    goes_down(&mut world, A);
    tell(&mut world, B, Vec::new());
    assert_eq!(
        state(&world),
        AlertState::Firing,
        "nobody said that it ended"
    );
}

fn silence(id: &str) -> Silence {
    Silence {
        id: id.into(),
        by: "ops".into(),
        comment: "window".into(),
        starts_at: Timestamp(NOW - 60_000),
        ends_at: Timestamp(NOW + 3_600_000),
        matchers: "alertname=\"DiskFull\"".into(),
    }
}

#[test]
fn a_silence_of_replicas_is_listed_once_and_one_of_a_single_server_names_it() {
    for together in [true, false] {
        let mut world = two(together);
        for source in [A, B] {
            let list = match (together, source) {
                (true, _) | (_, A) => vec![silence("s-1")],
                _ => vec![silence("s-2")],
            };
            fake::tell_of(&mut world, 0, source, Body::Silences(list));
        }
        let mut view = placed(&world);
        view.update(Command::NextPane, &world);
        let text = pages::text(&view, &world, (160, 30));
        let count = text.matches("window").count();
        assert_eq!(count, if together { 1 } else { 2 }, "{text}");
        assert_eq!(text.contains("at alertmanager 2: window"), !together);
        // Ended at one, it is over where it was.
        fake::tell_of(&mut world, 0, B, Body::Silences(Vec::new()));
        let left = &world.clusters[0].silences;
        assert_eq!(left.keys().collect::<Vec<_>>(), ["s-1"]);
    }
}

#[test]
fn of_replicas_one_that_answers_is_asked_and_of_single_servers_each() {
    let places = |world: &World| world.clusters[0].to_silence("1", world.now);
    let mut pair = two(true);
    tell(&mut pair, A, vec![fires()]);
    tell(&mut pair, B, vec![fires()]);
    assert_eq!(places(&pair), [A]);
    goes_down(&mut pair, A);
    assert_eq!(places(&pair), [B]);
    let mut apart = two(false);
    assert_eq!(places(&apart), [A, B], "nobody knows it yet: all are asked");
    tell(&mut apart, B, vec![fires()]);
    assert_eq!(places(&apart), [B], "the other does not know it");
    tell(&mut apart, A, vec![fires()]);
    assert_eq!(places(&apart), [A, B]);
    let ends = |world: &World| world.clusters[0].to_expire("s-1", world.now);
    fake::tell_of(&mut apart, 0, B, Body::Silences(vec![silence("s-1")]));
    assert_eq!(ends(&apart), Some(B));
    fake::tell_of(&mut pair, 0, A, Body::Silences(vec![silence("s-1")]));
    assert_eq!(ends(&pair), Some(B), "a replica knows it too");
}

#[test]
fn a_pair_reads_well_at_every_size() {
    let mut world = two(true);
    tell(&mut world, A, vec![fires()]);
    tell(
        &mut world,
        B,
        vec![fires(), alert("2", "FanSlow", "warning", &[])],
    );
    goes_down(&mut world, A);
    for (width, height) in [(200, 50), (120, 36), (80, 24)] {
        let mut view = Alerts::default();
        view.place(Rect::new(0, 0, width, height), &world);
        let text = pages::text(&view, &world, (width, height));
        insta::assert_snapshot!(format!("several_{width}x{height}"), text);
    }
}

#[test]
fn a_silence_made_while_a_replica_is_down_hushes() {
    let mut world = two(true);
    tell(&mut world, A, vec![fires()]);
    tell(&mut world, B, vec![fires()]);
    goes_down(&mut world, A);
    tell(&mut world, B, vec![hushed()]);
    assert_eq!(state(&world), AlertState::Suppressed);
    let text = detail(&world);
    let told = "alertmanager 2; not alertmanager (down)";
    assert!(text.contains(told), "{text}");
    // One that does not belong to it has its own word.
    let mut apart = two(false);
    tell(&mut apart, A, vec![fires()]);
    goes_down(&mut apart, A);
    tell(&mut apart, B, vec![hushed()]);
    assert_eq!(state(&apart), AlertState::Firing);
}

/// One Alertmanager and one Prometheus, which both answered.
fn beside_prometheus() -> World {
    let mut world = fake::world(&["hub-1"]);
    for source in [A, SourceKind::Prometheus] {
        fake::tell_of(&mut world, 0, source, Body::Health(fake::heard()));
    }
    world
}

#[test]
fn an_alertmanager_that_is_down_beside_a_prometheus_is_named() {
    let mut world = beside_prometheus();
    let empty = detail(&world);
    assert!(empty.contains("every source answered"), "{empty}");
    goes_down(&mut world, A);
    let empty = detail(&world);
    assert!(!empty.contains("every source answered"), "{empty}");
    assert!(empty.contains("down: alertmanager of hub-1"), "{empty}");
    let mut world = beside_prometheus();
    tell(&mut world, A, vec![fires()]);
    goes_down(&mut world, A);
    tell(&mut world, SourceKind::Prometheus, Vec::new());
    let text = detail(&world);
    assert!(text.contains("down: alertmanager of hub-1"), "{text}");
    // Where nobody answers, what is shown is called old, once.
    goes_down(&mut world, SourceKind::Prometheus);
    let text = detail(&world);
    assert!(text.contains("stale") && !text.contains("down:"), "{text}");
}

#[test]
fn of_many_that_are_down_the_rest_is_counted() {
    let names: Vec<String> = (10..40).map(|n| format!("edge-ran-du-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut world = fake::world(&names);
    let live = Body::Health(fake::heard());
    for cluster in 0..30 {
        fake::tell_of(&mut world, cluster, SourceKind::Prometheus, live.clone());
        fake::tell_of(&mut world, cluster, A, live.clone());
    }
    let view = Alerts::default();
    assert!(view.notes(&world, 100).is_empty());
    for cluster in 0..30 {
        is_down(&mut world, cluster, A);
    }
    for width in [24, 60, 100, 198] {
        let notes = view.notes(&world, width).join(" ");
        let named = notes.matches("down: alertmanager of").count();
        assert!(named > 0 || width < 40, "{notes}");
        assert!(notes.ends_with(&format!("{} more", 30 - named)), "{notes}");
    }
    let two = Some(ClusterId(1));
    let only = Alerts {
        scope: two,
        ..Alerts::default()
    };
    assert_eq!(
        only.notes(&world, 100),
        ["down: alertmanager of edge-ran-du-11"]
    );
}

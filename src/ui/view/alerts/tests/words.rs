//! The list and its detail, item by item: order, counts, filter, what stands in the detail, and
//! every state at three sizes.

use super::pages::{placed, text};
use super::*;
use crate::model::change::{Change, ChangeKind};
use crate::model::health::{Health, SourceHealth, SourceKind};

const SIZES: [(u16, u16); 3] = [(200, 50), (120, 36), (80, 24)];

fn order(view: &Alerts, world: &World) -> Vec<String> {
    let rows = view.rows(world);
    rows.iter().map(|r| r.name.to_owned()).collect()
}

#[test]
fn worst_first_else_as_the_operator_sorts() {
    let mut world = fake::world(&["a"]);
    let at = |name: &str, severity: &str, minutes: i64, state: AlertState| Alert {
        starts_at: Timestamp(NOW - minutes * 60_000),
        state,
        ..alert(name, name, severity, &[])
    };
    let list = vec![
        at("Info", "info", 1, AlertState::Firing),
        at("OldCrit", "critical", 90, AlertState::Firing),
        at("NewCrit", "critical", 2, AlertState::Firing),
        at("Hushed", "critical", 1, AlertState::Suppressed),
        at("Warn", "warning", 5, AlertState::Firing),
        at("Watchdog", "none", 9_000, AlertState::Firing),
    ];
    fake::tell(&mut world, 0, Body::Alerts(list));
    let mut view = placed(&world);
    let worst = ["NewCrit", "OldCrit", "Warn", "Info", "Hushed", "Watchdog"];
    assert_eq!(order(&view, &world), worst);
    // `s`: column by column; the first after the state glyph is the name.
    view.update(Command::Sort, &world);
    view.update(Command::Sort, &world);
    let names = ["Hushed", "Info", "NewCrit", "OldCrit", "Warn", "Watchdog"];
    assert_eq!(order(&view, &world), names);
    let shown = text(&view, &world, (160, 30));
    assert!(
        shown.contains("Alerts: 2 critical, 1 warning, 1 info in 6 groups"),
        "the hushed one and the heartbeat are not counted: {shown}"
    );
    view.update(Command::Filter("severity=critical".into()), &world);
    assert_eq!(order(&view, &world), ["Hushed", "NewCrit", "OldCrit"]);
    view.update(Command::Filter("state=firing name".into()), &world);
    assert!(order(&view, &world).is_empty());
    let shown = text(&view, &world, (160, 30));
    assert!(shown.contains("no alert matches"), "{shown}");
}

#[test]
fn what_waits_is_pending_until_the_alertmanager_has_it() {
    let mut world = fake::world(&["a"]);
    let waits = Alert {
        state: AlertState::Pending,
        ..alert("p", "DiskFull", "critical", &[("node", "n-1")])
    };
    let rules = SourceKind::Prometheus;
    fake::tell_of(&mut world, 0, rules, Body::Alerts(vec![waits]));
    let shown = text(&placed(&world), &world, (160, 30));
    assert!(
        shown.contains("pending") && shown.contains("0 critical"),
        "{shown}"
    );
    // It fires: the Alertmanager tells it under its own fingerprint, with an external label.
    let labels = [("node", "n-1"), ("region", "eu")];
    let fires = Alert {
        value: None,
        expression: None,
        ..alert("m", "DiskFull", "critical", &labels)
    };
    fake::tell(&mut world, 0, Body::Alerts(vec![fires]));
    let view = placed(&world);
    let rows = view.rows(&world);
    assert_eq!(
        (rows.len(), rows[0].alerts.len()),
        (1, 1),
        "one alert is one"
    );
    assert_eq!(rows[0].state, AlertState::Firing);
    assert_eq!(
        rows[0].alerts[0].value,
        Some(4123.0),
        "as the rules API told"
    );
}

#[test]
fn the_detail_has_all_that_is_known_of_an_alert() {
    let mut world = fake::world(&["a"]);
    let mut fired = alert(
        "1",
        "PodSlow",
        "critical",
        &[("namespace", "shop"), ("pod", "pay-0")],
    );
    fired.annotations = Labels::from_pairs([
        ("summary", "payments are slow"),
        ("runbook_url", "https://runbooks.example.org/pod-slow"),
        ("dashboard", "https://grafana.example.org/d/pay"),
    ]);
    fake::tell(&mut world, 0, Body::Alerts(vec![fired]));
    let change = |back_ms: i64, what: &str| Change {
        at: Timestamp(NOW - back_ms),
        kind: ChangeKind::Rollout,
        subject: ("Deployment".into(), "pay".into()),
        namespace: "shop".into(),
        what: what.into(),
        by: Some("alice".into()),
        told: Default::default(),
        symptom: false,
        unwatched: None,
    };
    world.clusters[0].changes.extend([
        change(3 * 3_600_000, "long ago"),
        change(900_000, "image v1 to v2"),
    ]);
    world.tick(Timestamp(NOW));
    let shown = text(&placed(&world), &world, (160, 60));
    for words in [
        "critical, firing 12m",
        "payments are slow",
        "value       4123",
        "openshift_ptp_offset_ns > 1000",
        "runbook     https://runbooks.example.org/pod-slow",
        "dashboard   https://grafana.example.org/d/pay",
        "incident    INC-1",
        "1 change in the 30m before",
        "image v1 to v2 by alice",
        "history: fired once",
        "namespace   shop",
        "pod         pay-0",
    ] {
        assert!(shown.contains(words), "{words} in\n{shown}");
    }
    assert!(!shown.contains("long ago"), "{shown}");
}

fn health(world: &mut World, cluster: u16, health: Health, age_ms: i64) {
    for source in [SourceKind::Prometheus, SourceKind::Alertmanager(0)] {
        let told = SourceHealth {
            health: health.clone(),
            last_ok: (health != Health::Connecting).then_some(Timestamp(NOW - age_ms)),
            interval_ms: 15_000,
            ..SourceHealth::default()
        };
        fake::tell_of(world, cluster, source, Body::Health(told));
    }
}

fn keep(name: &str, world: &World, words: &[&str]) {
    for size in SIZES {
        let mut view = Alerts::default();
        view.place(Rect::new(0, 0, size.0, size.1), world);
        let shown = text(&view, world, size);
        for word in words {
            assert!(shown.contains(word), "{word} at {size:?} in\n{shown}");
        }
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), shown);
    }
}

#[test]
fn every_state_of_the_list() {
    let mut world = fake::world(&["hub-1", "edge-2"]);
    keep("list_loading", &world, &["no alerts known"]);
    let fault = pages::fault();
    let down = Health::Failing {
        fault,
        since: Timestamp(NOW - 90_000),
        retry_at: Timestamp(NOW + 5_000),
        failures: 4,
    };
    health(&mut world, 0, down.clone(), 90_000);
    health(&mut world, 1, down.clone(), 90_000);
    keep("list_error", &world, &["10.0.0.8:9090: no answer"]);
    health(&mut world, 0, Health::Live, 3_000);
    keep(
        "list_partial",
        &world,
        &["no alerts in 1 cluster; unknown in edge-2"],
    );
    health(&mut world, 1, Health::Live, 3_000);
    keep(
        "list_empty",
        &world,
        &["every source answered and none is firing"],
    );
    let list = vec![alert("1", "DiskFull", "critical", &[("node", "n-1")])];
    fake::tell(&mut world, 1, Body::Alerts(list));
    health(&mut world, 1, down, 90_000);
    keep("list_stale", &world, &["DiskFull", "stale 90s: edge-2"]);
}

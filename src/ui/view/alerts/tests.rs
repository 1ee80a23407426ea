use super::*;
use crate::model::alert::{Alert, AlertState, Severity, Silence};
use crate::model::label::Labels;
use crate::model::telemetry::Body;
use crate::model::time::Timestamp;
use crate::ui::view::fake::{self, NOW};

fn alert(fingerprint: &str, name: &str, severity: &str, labels: &[(&str, &str)]) -> Alert {
    let mut all = vec![("alertname", name), ("severity", severity)];
    all.extend(labels);
    Alert {
        fingerprint: fingerprint.into(),
        name: name.into(),
        severity: Severity::from_label(severity),
        state: AlertState::Firing,
        labels: Labels::from_pairs(all),
        annotations: Labels::from_pairs([("summary", "the clock of a node has lost its master")]),
        starts_at: Timestamp(NOW - 720_000),
        ends_at: None,
        silenced_by: Vec::new(),
        inhibited_by: Vec::new(),
        value: Some(4123.0),
        expression: Some("openshift_ptp_offset_ns > 1000".into()),
    }
}

fn world() -> World {
    let mut world = fake::world(&["edge-ran-07", "gpu-train-1"]);
    let pods = ["a", "b", "c"];
    let mut list = vec![
        alert(
            "1",
            "PtpOutOfSync",
            "critical",
            &[("node", "n-07-b"), ("prometheus_replica", "a")],
        ),
        alert(
            "2",
            "PtpOutOfSync",
            "critical",
            &[("node", "n-07-b"), ("prometheus_replica", "b")],
        ),
        alert("9", "Watchdog", "none", &[]),
    ];
    list.extend(pods.iter().map(|p| {
        alert(
            p,
            "KubePodCrashLooping",
            "warning",
            &[("namespace", "ran-du"), ("pod", p)],
        )
    }));
    fake::tell(&mut world, 0, Body::Alerts(list));
    let mut silenced = alert("7", "GpuPowerThrottle", "warning", &[("node", "n-14")]);
    silenced.state = AlertState::Suppressed;
    silenced.silenced_by = vec!["ops-window".into()];
    fake::tell(&mut world, 1, Body::Alerts(vec![silenced]));
    world
}

#[test]
fn folds_replicas_and_counts_by_name() {
    let world = world();
    let rows = Alerts::default().rows(&world);
    let told: Vec<_> = rows
        .iter()
        .map(|r| (r.name, r.alerts.len(), r.copies))
        .collect();
    assert_eq!(
        told,
        [
            ("PtpOutOfSync", 1, 1),
            ("KubePodCrashLooping", 3, 0),
            ("GpuPowerThrottle", 1, 0),
            ("Watchdog", 1, 0),
        ]
    );
    assert_eq!(rows[1].shared, "namespace=ran-du");
}

#[test]
fn problems_filter_and_each() {
    let world = world();
    let mut view = Alerts::default();
    view.update(Command::Problems, &world);
    assert_eq!(view.rows(&world).len(), 2);
    view.update(Command::Mode, &world);
    assert_eq!(view.rows(&world).len(), 4);
    view.update(Command::Filter("pod=b".into()), &world);
    assert_eq!(view.rows(&world).len(), 1);
    assert!(view.back() && view.back() && !view.back());
}

#[test]
fn enter_leads_to_the_expression_and_focus_finds_the_row() {
    let world = world();
    let mut view = Alerts::default();
    view.place(Rect::new(0, 0, 120, 30), &world);
    let focus = Focus::Alert {
        cluster: ClusterId(0),
        fingerprint: "b".into(),
    };
    view.enter(&fake::entry(Some(focus)), &world);
    let goto = view.open(&world).expect("leads somewhere");
    assert_eq!(goto.screen, ScreenId::Metrics);
    assert!(matches!(goto.focus, Some(Focus::Pod { .. })));
}

#[test]
fn silences_say_who_until_when_and_why() {
    let mut world = world();
    let mut view = Alerts::default();
    view.place(Rect::new(0, 0, 160, 30), &world);
    let text = |view: &Alerts, world: &World| {
        fake::screen(world, 160, 30, |ctx, area, buf| view.draw(ctx, area, buf))
    };
    // The cursor goes to the hushed one. Its silence is named, what it is was not told.
    view.update(Command::Down, &world);
    view.update(Command::Down, &world);
    assert!(text(&view, &world).contains("silenced by ops-window;"));
    let silence = |id: &str, minutes: i64| Silence {
        id: id.into(),
        by: "ops".into(),
        comment: "firmware".into(),
        starts_at: Timestamp(NOW - 60_000),
        ends_at: Timestamp(NOW + minutes * 60_000),
        matchers: format!("alertname=\"{id}\""),
    };
    let list = vec![
        silence("ops-window", 90),
        silence("idle", 10),
        silence("over", -1),
    ];
    fake::tell(&mut world, 1, Body::Silences(list));
    let shown = text(&view, &world);
    assert!(
        shown.contains("silenced to 09:30:00 by ops, 90m left: firmware"),
        "{shown}"
    );
    view.update(Command::NextPane, &world);
    let shown = text(&view, &world);
    assert!(
        shown.contains("Silences 2") && shown.contains("1 hush nothing now"),
        "{shown}"
    );
    assert!(!shown.contains("over"), "what has ended is not listed");
    // `idle` ends first and hushes nothing: it leads nowhere.
    view.update(Command::Open, &world);
    assert_eq!(view.page, Page::Silences);
    view.update(Command::Down, &world);
    view.update(Command::Open, &world);
    assert_eq!(view.page, Page::Alerts);
    assert_eq!(
        view.focus(&world),
        Some(Focus::Alert {
            cluster: ClusterId(1),
            fingerprint: "7".into()
        })
    );
    view.update(Command::NextPane, &world);
    assert!(view.back() && !view.back());
}

#[test]
fn an_inhibited_alert_names_the_one_that_hushes_it() {
    let mut world = fake::world(&["a"]);
    let mut hushed = alert("2", "GpuIdle", "info", &[("gpu", "3")]);
    hushed.state = AlertState::Suppressed;
    hushed.inhibited_by = vec!["1".into(), "gone".into()];
    let list = vec![alert("1", "GpuXid", "critical", &[("gpu", "3")]), hushed];
    fake::tell(&mut world, 0, Body::Alerts(list));
    let mut view = Alerts::default();
    view.update(Command::Down, &world);
    let text = fake::screen(&world, 160, 30, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(text.contains("inhibited by critical GpuXid"), "{text}");
    assert!(
        text.contains("inhibited by alert gone, which is not known here"),
        "{text}"
    );
}

#[test]
fn the_history_of_an_alert_is_told() {
    let mut world = fake::world(&["a"]);
    let fired = |minutes_ago: i64| {
        let mut fired = alert("1", "GpuXid", "critical", &[("gpu", "3")]);
        fired.starts_at = Timestamp(NOW - minutes_ago * 60_000);
        vec![fired]
    };
    // Fires, ends, fires anew; is lost for a moment; ends and fires between two looks.
    for list in [
        fired(60),
        Vec::new(),
        fired(30),
        Vec::new(),
        fired(30),
        fired(10),
    ] {
        fake::tell(&mut world, 0, Body::Alerts(list));
    }
    let spells: Vec<_> = world.clusters[0].spells("1").collect();
    let ago = |minutes: i64| Timestamp(NOW - minutes * 60_000);
    assert_eq!(
        spells.iter().map(|s| (s.from, s.to)).collect::<Vec<_>>(),
        [
            (ago(60), Some(Timestamp(NOW))),
            (ago(30), Some(ago(10))),
            (ago(10), None)
        ]
    );
    let view = Alerts::default();
    let text = fake::screen(&world, 160, 30, |ctx, area, buf| view.draw(ctx, area, buf));
    for words in [
        "fired 3 times",
        "07:50:00 → still firing, 10m",
        "07:30:00 → 07:50:00 resolved, 20m",
    ] {
        assert!(text.contains(words), "{words} not in\n{text}");
    }
}

#[test]
fn says_why_it_is_empty() {
    let world = fake::world(&["a"]);
    let view = Alerts::default();
    let text = fake::screen(&world, 80, 10, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(text.contains("has answered"), "{text}");
}

#[test]
fn the_curve_of_an_alert_goes_on_below_its_limit() {
    for (expression, curve) in [
        ("rate(x[5m]) > 0.5", "rate(x[5m])"),
        ("state{process=~\"T-BC\"} != 1", "state{process=~\"T-BC\"}"),
        ("a > 1 and b < 2", "a > 1 and b < 2"),
        ("a >= b", "a >= b"),
        ("vector(1)", "vector(1)"),
    ] {
        assert_eq!(curve::curve_of(expression).0, curve);
    }
}

#[test]
fn who_is_sent_to_an_alert_sees_it_and_no_silences() {
    let world = world();
    let mut view = Alerts::default();
    view.place(Rect::new(0, 0, 120, 30), &world);
    view.update(Command::NextPane, &world);
    view.enter(&fake::entry(None), &world);
    assert!(
        view.page == Page::Silences,
        "another scope is no other place"
    );
    let focus = Focus::Alert {
        cluster: ClusterId(0),
        fingerprint: "b".into(),
    };
    view.enter(&fake::entry(Some(focus)), &world);
    let shown = fake::screen(&world, 120, 30, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(shown.contains("KubePodCrashLooping"), "{shown}");
    assert!(!shown.contains("Silences"), "{shown}");
}

#[test]
fn only_problems_is_not_said_to_be_all() {
    let mut world = fake::world(&["a", "b"]);
    let mut view = Alerts::default();
    view.update(Command::Problems, &world);
    let text = |view: &Alerts, world: &World| {
        fake::screen(world, 120, 10, |ctx, area, buf| view.draw(ctx, area, buf))
    };
    assert!(text(&view, &world).contains("no alerts known"));
    fake::tell(
        &mut world,
        0,
        Body::Alerts(vec![alert("1", "Info", "info", &[])]),
    );
    let shown = text(&view, &world);
    assert!(
        shown.contains("no problem in 1 groups (! shows all)") && shown.contains("unknown in a, b"),
        "{shown}"
    );
    view.update(Command::Filter("x".into()), &world);
    let shown = text(&view, &world);
    assert!(shown.contains("no alert matches \"x\""), "{shown}");
}

#[test]
fn times_of_other_days_tell_the_day() {
    let mut world = fake::world(&["a", "b"]);
    let mut fired = alert("1", "GpuXid", "critical", &[("gpu", "3")]);
    fired.starts_at = Timestamp(NOW - 30 * 3_600_000);
    fake::tell(&mut world, 0, Body::Alerts(vec![fired]));
    let mut view = Alerts::default();
    view.place(Rect::new(0, 0, 160, 30), &world);
    let text = |view: &Alerts, world: &World| {
        fake::screen(world, 160, 30, |ctx, area, buf| view.draw(ctx, area, buf))
    };
    let shown = text(&view, &world);
    assert!(shown.contains("since 01-14 02:00"), "{shown}");
    assert!(shown.contains("01-14 02:00 → still firing"), "{shown}");
    let silence = |id: &str, hours: i64| Silence {
        id: id.into(),
        by: "ops".into(),
        comment: "firmware".into(),
        starts_at: Timestamp(NOW - 60_000),
        ends_at: Timestamp(NOW + hours * 3_600_000),
        matchers: format!("alertname=\"{id}\""),
    };
    let list = vec![silence("today", 2), silence("tomorrow", 20)];
    fake::tell(&mut world, 1, Body::Silences(list));
    view.update(Command::NextPane, &world);
    let shown = text(&view, &world);
    assert!(
        shown.contains("10:00:00") && shown.contains("01-16 04:00"),
        "{shown}"
    );
}

mod held;
mod pages;
mod several;
mod words;

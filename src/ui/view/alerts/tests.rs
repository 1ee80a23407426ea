use super::*;
use crate::model::alert::Alert;
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
        assert_eq!(group::curve_of(expression), curve);
    }
}

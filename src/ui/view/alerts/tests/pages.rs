//! Rules, digest and the curve of an alert: what is asked, and what the answers become.

use std::sync::Arc;

use super::*;
use crate::model::alert::{AlertState, Severity};
use crate::model::ask::{Answer, Ask, Question, RuleInfo};
use crate::model::fault::{Fault, FaultKind};
use crate::model::health::SourceKind;
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::telemetry::ClusterFacts;

const SIZES: [(u16, u16); 3] = [(200, 50), (120, 36), (80, 24)];

pub fn questions(effects: Vec<Effect>) -> Vec<Question> {
    let asks = effects.into_iter().filter_map(|effect| match effect {
        Effect::Ask(question) => Some(question),
        _ => None,
    });
    asks.collect()
}

pub fn answer(question: &Question, result: Result<Answer, Fault>) -> Answered {
    Answered {
        id: question.id,
        cluster: question.cluster,
        ask: question.ask.clone(),
        origin: "http://prometheus".into(),
        at: Timestamp(NOW),
        latency_ms: 12,
        warnings: Vec::new(),
        cut_from: None,
        result,
    }
}

fn rule(name: &str, health: &str, took: Option<f64>) -> RuleInfo {
    RuleInfo {
        group: "node.rules".into(),
        name: name.into(),
        query: format!("rate({name}[5m]) > 0.5"),
        health: health.into(),
        last_error: match health {
            "err" => "found duplicate series for the match group: many-to-many".into(),
            _ => String::new(),
        },
        state: "inactive".into(),
        evaluation_s: took,
        evaluated: took.map(|_| Timestamp(NOW - 12_000)),
        interval_s: Some(30.0),
        recording: false,
    }
}

pub fn fault() -> Fault {
    Fault {
        kind: FaultKind::Timeout,
        cluster: "gpu-train-1".into(),
        endpoint: "http://10.0.0.8:9090".into(),
        what: "no answer within 5 s".into(),
        hint: "ask for less, or again".into(),
    }
}

pub fn text(view: &Alerts, world: &World, (width, height): (u16, u16)) -> String {
    fake::screen(world, width, height, |ctx, area, buf| {
        view.draw(ctx, area, buf)
    })
}

pub fn placed(world: &World) -> Alerts {
    let mut view = Alerts::default();
    view.place(Rect::new(0, 0, 160, 30), world);
    view
}

fn names(view: &Alerts, words: &[&str], world: &World) -> Vec<usize> {
    let shown = text(view, world, (160, 30));
    words.iter().map(|w| shown.find(w).unwrap_or(0)).collect()
}

#[test]
fn rules_are_asked_once_and_the_broken_and_the_slow_come_first() {
    let world = world();
    let mut view = placed(&world);
    view.update(Command::NextPane, &world);
    let asked = questions(view.update(Command::NextPane, &world));
    assert_eq!(asked.len(), 2, "each Prometheus once");
    assert!(asked.iter().all(|q| q.ask == Ask::Rules));
    assert!(text(&view, &world, (120, 20)).contains("asking …"));
    let late = RuleInfo {
        evaluated: Some(Timestamp(NOW - 600_000)),
        ..rule("LateOne", "ok", Some(0.001))
    };
    let rules = vec![
        rule("QuickOne", "ok", Some(0.002)),
        rule("NewOne", "unknown", None),
        rule("SlowOne", "ok", Some(1.5)),
        rule("BrokenOne", "err", Some(0.01)),
        late,
    ];
    view.answer(&answer(&asked[0], Ok(Answer::Rules(rules))), &world);
    view.answer(&answer(&asked[1], Err(fault())), &world);
    let order = ["BrokenOne", "LateOne", "NewOne", "SlowOne", "QuickOne"];
    assert!(names(&view, &order, &world).is_sorted());
    // `s`: by the columns; the seventh is how long it took.
    for _ in 0..7 {
        view.update(Command::Sort, &world);
    }
    let slowest = ["SlowOne", "BrokenOne", "QuickOne", "LateOne", "NewOne"];
    assert!(names(&view, &slowest, &world).is_sorted());
    for size in SIZES {
        let shown = text(&view, &world, size);
        assert!(shown.contains("never") && shown.contains("no answer within 5 s"));
        insta::assert_snapshot!(format!("rules_{}x{}", size.0, size.1), shown);
    }
    view.update(Command::Problems, &world);
    let shown = text(&view, &world, (120, 20));
    assert!(
        shown.contains("BrokenOne") && shown.contains("LateOne"),
        "{shown}"
    );
    assert!(
        !shown.contains("QuickOne") && !shown.contains("NewOne"),
        "{shown}"
    );
    view.update(Command::Top, &world);
    let goto = view.open(&world).expect("its curve");
    assert_eq!(goto.query.as_deref(), Some("rate(BrokenOne[5m])"));
    // Coming back asks nothing anew; `r` does, and another answer than its own is not taken.
    view.update(Command::NextPane, &world);
    assert!(questions(view.update(Command::PreviousPane, &world)).is_empty());
    let again = questions(view.update(Command::Refresh, &world));
    assert_eq!(again.len(), 2);
    view.answer(&answer(&asked[0], Ok(Answer::Rules(Vec::new()))), &world);
    assert!(text(&view, &world, (120, 20)).contains("BrokenOne"));
    assert!(view.back() && view.back() && !view.back());
}

/// Points each five minutes, those at which it fired, counted back from the end.
fn fired(name: &str, severity: &str, back: impl Iterator<Item = i64>) -> SeriesSamples {
    let end = NOW / 300_000 * 300_000;
    let labels = Labels::from_pairs([("alertname", name), ("severity", severity)]);
    let mut points: Vec<Sample> = back
        .map(|n| Sample {
            at: Timestamp(end - n * 300_000),
            value: 2.0,
        })
        .collect();
    points.sort_by_key(|p| p.at);
    SeriesSamples {
        key: SeriesKey::new("value", labels),
        kind: SampleKind::Gauge,
        points: points.into(),
    }
}

#[test]
fn the_digest_counts_what_fired_in_seven_days() {
    let world = world();
    let mut view = placed(&world);
    let shown = text(&view, &world, (160, 40));
    assert!(shown.contains("not known (S-Tab asks)"), "{shown}");
    let asked = questions(view.update(Command::PreviousPane, &world));
    assert_eq!(asked.len(), 2);
    let Ask::Range {
        query, start, end, ..
    } = &asked[0].ask
    else {
        panic!("{asked:?}")
    };
    assert!(query.contains("ALERTS") && end.0 - start.0 == 7 * 86_400_000);
    let series = vec![
        // Fires three hours without an end, and once for ten minutes six days ago.
        fired("PtpOutOfSync", "critical", (0..36).chain(1700..1702)),
        fired("GpuXid", "warning", 100..101),
        fired("Watchdog", "none", 0..1000),
        fired("Never", "info", 0..0),
    ];
    view.answer(
        &answer(&asked[0], Ok(Answer::Series(series.into()))),
        &world,
    );
    view.answer(
        &answer(&asked[1], Ok(Answer::Series(Arc::default()))),
        &world,
    );
    let shown = text(&view, &world, (160, 30));
    assert!(shown.contains("2 names fired"), "{shown}");
    assert!(
        shown.contains("edge-ran-07 83h") || shown.contains("edge-ran-07 3d"),
        "{shown}"
    );
    assert!(
        shown.contains("gpu-train-1 unknown (no Watchdog)"),
        "{shown}"
    );
    let known = view.digest.of(ClusterId(0), "PtpOutOfSync").expect("told");
    let known = known.expect("fired");
    assert_eq!((known.times, known.lasted_ms), (2, 38 * 300_000));
    assert_eq!(
        view.digest.of(ClusterId(1), "GpuXid"),
        Some(Err("not fired, as far as told"))
    );
    for size in SIZES {
        let shown = text(&view, &world, size);
        insta::assert_snapshot!(format!("digest_{}x{}", size.0, size.1), shown);
    }
    view.update(Command::NextPane, &world);
    assert!(text(&view, &world, (160, 40)).contains("fired 2 times"));
}

#[test]
fn the_curve_of_the_chosen_alert_is_asked_around_its_start() {
    let world = world();
    let mut view = placed(&world);
    let asked = questions(view.enter(&fake::entry(None), &world));
    let [first] = asked.as_slice() else {
        panic!("{asked:?}")
    };
    let Ask::Range {
        query, start, end, ..
    } = &first.ask
    else {
        panic!("{first:?}")
    };
    assert_eq!(query, "openshift_ptp_offset_ns");
    assert_eq!((start.0, end.0), (NOW - 720_000 - 1_800_000, NOW));
    // One question at a time, however fast the cursor goes.
    assert!(questions(view.update(Command::Down, &world)).is_empty());
    let series = |labels: &[(&str, &str)], value: f64| SeriesSamples {
        key: SeriesKey::new("value", Labels::from_pairs(labels.iter().copied())),
        kind: SampleKind::Gauge,
        points: (0..40)
            .map(|n| Sample {
                at: Timestamp(NOW - n * 60_000),
                value,
            })
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect(),
    };
    let both = vec![
        series(&[("node", "n-07-b")], 4123.0),
        series(&[("node", "other")], 9e9),
    ];
    let next = questions(view.answer(&answer(first, Ok(Answer::Series(both.into()))), &world));
    assert_eq!(next.len(), 1, "where the cursor is now");
    view.answer(&answer(&next[0], Err(fault())), &world);
    let shown = text(&view, &world, (120, 36));
    assert!(shown.contains("10.0.0.8:9090: no answer"), "{shown}");
    view.update(Command::Up, &world);
    for size in SIZES {
        view.place(Rect::new(0, 0, size.0, size.1), &world);
        view.detail = Some(true);
        let shown = text(&view, &world, size);
        assert!(shown.contains("limit 1000"), "{shown}");
        assert!(!shown.contains("10.0G"), "only its own series\n{shown}");
        insta::assert_snapshot!(format!("curve_{}x{}", size.0, size.1), shown);
    }
}

#[test]
fn what_is_over_says_when_and_how_long_and_what_waited_is_gone() {
    let mut world = fake::world(&["a"]);
    let mut waits = alert("2", "Waits", "warning", &[]);
    waits.state = AlertState::Pending;
    let list = vec![alert("1", "GpuXid", "critical", &[("gpu", "3")]), waits];
    fake::tell(&mut world, 0, Body::Alerts(list));
    fake::tell(&mut world, 0, Body::Alerts(Vec::new()));
    world.now = Timestamp(NOW + 300_000);
    let view = placed(&world);
    let shown = text(&view, &world, (160, 30));
    assert!(
        shown.contains("resolved") && shown.contains("ended 5m ago after 12m"),
        "{shown}"
    );
    assert!(!shown.contains("Waits"), "{shown}");
}

#[test]
fn a_copy_that_fires_counts_more_than_one_that_has_ended() {
    let mut world = fake::world(&["a"]);
    let copy = |id: &str| alert(id, "GpuXid", "critical", &[("prometheus_replica", id)]);
    fake::tell(&mut world, 0, Body::Alerts(vec![copy("a"), copy("b")]));
    fake::tell(&mut world, 0, Body::Alerts(vec![copy("b")]));
    let view = placed(&world);
    let rows = view.rows(&world);
    let told: Vec<_> = rows.iter().map(|r| (r.state, r.copies)).collect();
    assert_eq!(told, [(AlertState::Firing, 1)]);
}

#[test]
fn an_alert_that_begins_and_ends_again_and_again_flaps() {
    let mut world = fake::world(&["a"]);
    for minutes in [40, 30, 20] {
        let mut fired = alert("1", "GpuXid", "critical", &[]);
        fired.starts_at = Timestamp(NOW - minutes * 60_000);
        fake::tell(&mut world, 0, Body::Alerts(vec![fired]));
        let shown = text(&placed(&world), &world, (160, 30));
        assert_eq!(shown.contains("flapping"), minutes == 20, "{shown}");
        fake::tell(&mut world, 0, Body::Alerts(Vec::new()));
    }
}

#[test]
fn words_of_the_configuration_name_the_severity() {
    let mut config = crate::config::Config::default();
    config.clusters.push(crate::config::Cluster::default());
    config
        .severities
        .words
        .insert("p1".into(), Severity::Critical);
    let mut world = World::new(&config, Timestamp(NOW));
    let list = vec![alert("1", "A", "P1", &[]), alert("2", "B", "page", &[])];
    fake::tell(&mut world, 0, Body::Alerts(list));
    let severities: Vec<_> = world.clusters[0]
        .alerts
        .values()
        .map(|a| a.severity)
        .collect();
    assert_eq!(severities, [Severity::Critical; 2]);
}

#[test]
fn a_watchdog_is_missed_where_there_was_one_or_a_rule_for_it() {
    let mut world = fake::world(&["a", "b", "c"]);
    let watchdog = || vec![alert("w", "Watchdog", "none", &[])];
    fake::tell(&mut world, 0, Body::Alerts(watchdog()));
    fake::tell(&mut world, 0, Body::Alerts(Vec::new()));
    fake::tell(&mut world, 1, Body::Alerts(Vec::new()));
    let facts = ClusterFacts {
        watchdog: Some(true),
        ..ClusterFacts::default()
    };
    fake::tell(&mut world, 2, Body::Facts(facts));
    fake::tell_of(
        &mut world,
        2,
        SourceKind::Prometheus,
        Body::Alerts(Vec::new()),
    );
    let missing = |at: usize| {
        world.clusters[at]
            .heartbeats
            .iter()
            .any(|h| h.missing.is_some())
    };
    assert_eq!([missing(0), missing(1), missing(2)], [true, false, true]);
    let shown = text(&placed(&world), &world, (160, 30));
    assert!(shown.contains("no Watchdog in a ─"), "{shown}");
    // Longer than a resolved alert is kept.
    world.tick(Timestamp(NOW + 30 * 3_600_000));
    let open: Vec<&str> = world.incidents.iter().map(|i| i.title.as_str()).collect();
    assert!(open.iter().any(|t| t.contains("Watchdog")), "{open:?}");
    assert!(
        world.clusters[0]
            .heartbeats
            .iter()
            .any(|h| h.missing.is_some())
    );
}

//! What is kept of alerts and what of it is not known.

use super::pages::{answer, fault, placed, questions, text};
use super::*;
use crate::model::log::{Level, LogLine};
use crate::model::telemetry::LogBatch;

const HOUR_MS: i64 = 3_600_000;

#[test]
fn what_no_server_has_told_is_unknown_and_not_none() {
    let world = world();
    let mut view = placed(&world);
    view.update(Command::NextPane, &world);
    let asked = questions(view.update(Command::NextPane, &world));
    let shown = text(&view, &world, (120, 20));
    assert!(shown.contains("Rules: unknown"), "{shown}");
    for question in &asked {
        view.answer(&answer(question, Err(fault())), &world);
    }
    let shown = text(&view, &world, (120, 20));
    assert!(
        shown.contains("Rules: unknown") && !shown.contains("0 broken"),
        "{shown}"
    );
    view.update(Command::NextPane, &world);
    let shown = text(&view, &world, (120, 20));
    assert!(shown.contains("Digest: unknown"), "{shown}");
}

#[test]
fn what_is_over_is_kept_for_a_day() {
    let mut world = fake::world(&["a"]);
    let fired = alert("1", "GpuXid", "critical", &[("gpu", "3")]);
    fake::tell(&mut world, 0, Body::Alerts(vec![fired]));
    fake::tell(&mut world, 0, Body::Alerts(Vec::new()));
    world.tick(Timestamp(NOW + 23 * HOUR_MS));
    assert_eq!(placed(&world).rows(&world).len(), 1);
    world.tick(Timestamp(NOW + 25 * HOUR_MS));
    assert!(placed(&world).rows(&world).is_empty());
}

#[test]
fn the_last_day_of_an_alert_stands_in_its_row() {
    let mut world = fake::world(&["a"]);
    let mut early = alert("1", "GpuXid", "critical", &[]);
    early.starts_at = Timestamp(NOW - 11 * HOUR_MS);
    fake::tell(&mut world, 0, Body::Alerts(vec![early]));
    fake::tell(&mut world, 0, Body::Alerts(Vec::new()));
    let mut again = alert("1", "GpuXid", "critical", &[]);
    again.starts_at = Timestamp(NOW - HOUR_MS);
    fake::tell(&mut world, 0, Body::Alerts(vec![again]));
    world.now = Timestamp(NOW);
    let view = placed(&world);
    for size in [(200, 50), (80, 24)] {
        let mut view = Alerts::default();
        view.place(Rect::new(0, 0, size.0, size.1), &world);
        let shown = text(&view, &world, size);
        assert!(shown.contains("24 H"), "{shown}");
    }
    let told = day::line(&world, &view.rows(&world)[0]);
    assert!(
        told.starts_with("   ") && told.ends_with(['▅', '▆', '▇', '█']),
        "{told:?}"
    );
}

fn line(pod: &str, back_ms: i64, text: &str, level: Level) -> LogLine {
    LogLine {
        at_ns: (NOW - back_ms) * 1_000_000,
        labels: Labels::from_pairs([("namespace", "shop"), ("pod", pod)]),
        line: text.into(),
        level,
    }
}

#[test]
fn lines_of_its_pod_around_its_beginning_stand_in_the_detail() {
    let mut world = fake::world(&["a"]);
    let fired = alert(
        "1",
        "PodSlow",
        "critical",
        &[("namespace", "shop"), ("pod", "pay-0")],
    );
    fake::tell(&mut world, 0, Body::Alerts(vec![fired]));
    let lines = vec![
        line("pay-0", 3 * HOUR_MS, "too old", Level::Error),
        line("pay-0", 700_000, "pool exhausted", Level::Error),
        line("pay-0", 690_000, "retrying", Level::Info),
        line("cart-0", 680_000, "of another pod", Level::Error),
    ];
    let batch = LogBatch {
        lines,
        dropped: 0,
        live: false,
    };
    fake::tell(&mut world, 0, Body::Logs(batch));
    let mut view = Alerts::default();
    view.place(Rect::new(0, 0, 160, 60), &world);
    let shown = text(&view, &world, (160, 60));
    assert!(shown.contains("2 log lines then, 1 errors (xl)"), "{shown}");
    assert!(shown.contains("pool exhausted"), "{shown}");
    assert!(
        !shown.contains("another pod") && !shown.contains("too old"),
        "{shown}"
    );
}

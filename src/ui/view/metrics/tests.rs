use super::*;
use crate::model::ask::{Answer, Ask, Question};
use crate::model::fault::{Fault, FaultKind};
use crate::model::id::RequestId;
use crate::model::input::{Key, KeyPress};
use crate::model::signal::Group;
use crate::model::time::Timestamp;
use crate::ui::view::fake::{self, NOW};

fn world() -> World {
    let mut world = fake::world(&["alpha", "beta"]);
    for (cluster, node, base) in [(0, "n1", 2.0), (0, "n2", 5.0), (1, "n1", 8.0)] {
        let values: Vec<f64> = (0..110)
            .map(|i| base + (f64::from(i) / 12.0).sin())
            .collect();
        fake::samples(
            &mut world,
            cluster,
            Group::Cluster,
            "node_load1",
            &[("node", node)],
            &values,
        );
    }
    fake::samples(
        &mut world,
        0,
        Group::Cluster,
        "up",
        &[("job", "api")],
        &[1.0, 1.0],
    );
    world
}

fn type_text(view: &mut Metrics, text: &str, world: &World) {
    for c in text.chars() {
        view.update(Command::Type(KeyPress::plain(Key::Char(c))), world);
    }
}

fn answered(id: crate::model::id::RequestId, result: Result<Answer, Fault>) -> Answered {
    Answered {
        id,
        cluster: ClusterId(0),
        ask: Ask::Rules,
        origin: "test".into(),
        at: Timestamp(NOW),
        latency_ms: 12,
        warnings: vec!["metric might not be a counter".into()],
        cut_from: None,
        result,
    }
}

/// The range questions among what is wanted.
fn ranges(effects: &[Effect]) -> Vec<Question> {
    let questions = effects.iter().filter_map(|effect| match effect {
        Effect::Ask(question) => Some(question.clone()),
        _ => None,
    });
    questions
        .filter(|q| matches!(q.ask, Ask::Range { .. }))
        .collect()
}

fn cancels(effects: &[Effect]) -> Vec<RequestId> {
    let ids = effects.iter().filter_map(|effect| match effect {
        Effect::Cancel(ids) => Some(ids.clone()),
        _ => None,
    });
    ids.flatten().collect()
}

#[test]
fn shows_held_series_of_all_clusters() {
    let world = world();
    let view = Metrics::default();
    assert_eq!(view.rows(&world).len(), 2);
    assert_eq!(view.shown(&world).len(), 3);
    for (width, height) in [(120, 32), (80, 20), (60, 14)] {
        let text = fake::screen(&world, width, height, |ctx, area, buf| {
            view.draw(ctx, area, buf);
        });
        assert!(text.contains("series 2"), "{text}");
    }
}

#[test]
fn asks_every_cluster_of_the_scope_and_drops_old_answers() {
    let world = world();
    let mut view = Metrics::default();
    view.update(Command::Edit, &world);
    assert!(view.typing());
    for _ in 0.."node_load1".len() {
        view.update(Command::Type(KeyPress::plain(Key::Backspace)), &world);
    }
    type_text(&mut view, "up == 0", &world);
    let first = ranges(&view.update(Command::Type(KeyPress::plain(Key::Enter)), &world));
    assert_eq!(first.len(), 2, "{first:?}");
    let old = first.first().expect("asks");
    assert!(matches!(&old.ask, Ask::Range { query, .. } if query == "up == 0"));
    let second = view.update(Command::Refresh, &world);
    assert!(cancels(&second).contains(&old.id), "nobody waits for it");
    view.answer(
        &answered(old.id, Ok(Answer::Series(Arc::default()))),
        &world,
    );
    let text = fake::screen(&world, 120, 30, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(text.contains("2 asked"), "{text}");
    let second = ranges(&second);
    let new = second.first().expect("asks");
    let fault = Fault {
        kind: FaultKind::BadQuery,
        cluster: "alpha".into(),
        endpoint: "http://127.0.0.1:9090".into(),
        what: "parse error: unexpected end of input".into(),
        hint: "correct the query".into(),
    };
    view.answer(&answered(new.id, Err(fault)), &world);
    let text = fake::screen(&world, 120, 30, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(
        text.contains("parse error") && text.contains("1 asked"),
        "{text}"
    );
    assert!(view.back() && !view.back());
}

#[test]
fn evidence_is_found_again() {
    let world = world();
    let mut view = Metrics::default();
    let mut entry = fake::entry(None);
    entry.query = Some("node_load1{node=\"n2\"}".into());
    assert!(view.enter(&entry, &world).is_empty(), "held, not asked");
    assert_eq!(view.alone.as_ref().map(|a| a.key.to_string()), entry.query);
    entry.query = Some("rate(x[5m])".into());
    assert_eq!(ranges(&view.enter(&entry, &world)).len(), 2);
}

#[test]
fn ascii_only() {
    let world = world();
    let view = Metrics::default();
    let buf = fake::paint(&world, (100, 30), true, |ctx, area, buf| {
        view.draw(ctx, area, buf)
    });
    assert!(crate::ui::widget::text::dump(&buf).is_ascii());
}

#[test]
fn any_size() {
    let world = world();
    let mut view = Metrics::default();
    for width in (0..130).step_by(7) {
        for height in 0..12 {
            view.place(Rect::new(0, 0, width, height), &world);
            fake::screen(&world, width, height, |ctx, area, buf| {
                view.draw(ctx, area, buf)
            });
        }
    }
}

#[test]
fn why_no_series_is_shown() {
    let mut view = Metrics::default();
    let text = |view: &Metrics, world: &World| {
        fake::screen(world, 160, 20, |ctx, area, buf| view.draw(ctx, area, buf))
    };
    let empty = fake::world(&["alpha"]);
    view.update(Command::Problems, &empty);
    assert!(text(&view, &empty).contains("no series held yet"));
    let shown = text(&view, &world());
    assert!(shown.contains("no series that an open"), "{shown}");
}

mod asked;
mod editor;
mod held;
mod many;
mod pictures;

use super::*;
use crate::command::Command;
use crate::message::Effect;
use crate::model::ask::{Answer, Answered, Ask};
use crate::model::input::{Key, KeyPress};
use crate::model::label::Labels;
use crate::model::log::{Level, LogLine, Tail};
use crate::model::telemetry::{Body, LogBatch};
use crate::model::time::Timestamp;
use crate::ui::view::fake::{self, NOW};
use crate::ui::view::{Ctx, Entry, Focus, View};

mod compare;
mod counted;
mod editor;
mod find;
mod form;
mod keep;
mod lines;
mod numbers;
mod pod;
mod states;
mod tail;

fn line(seconds_ago: i64, pod: &str, level: Level, text: &str) -> LogLine {
    LogLine {
        at_ns: (NOW - seconds_ago * 1000) * 1_000_000,
        labels: Labels::from_pairs([("namespace", "ran-du"), ("pod", pod)]),
        line: text.into(),
        level,
    }
}

fn tell(world: &mut World, cluster: u16, lines: Vec<LogLine>, dropped: u64) {
    let batch = LogBatch {
        lines,
        dropped,
        live: true,
    };
    fake::tell(world, cluster, Body::Logs(batch));
}

fn world() -> World {
    let mut world = fake::world(&["edge-ran-07", "gpu-train-1"]);
    let even = (0..20).map(|i| line(100 - i * 4, "du-high-0", Level::Info, &format!("even {i}")));
    tell(&mut world, 0, even.collect(), 0);
    let odd = (0..20).map(|i| {
        let level = if i % 5 == 0 {
            Level::Error
        } else {
            Level::Info
        };
        line(98 - i * 4, "vllm-0", level, &format!("odd {i} offset"))
    });
    tell(&mut world, 1, odd.collect(), 3);
    world
}

/// Does what is to be done off the loop, until nothing is left.
fn settle(view: &mut Logs, world: &World) {
    let mut effects = view.work(world);
    while !effects.is_empty() {
        for effect in effects {
            match effect {
                Effect::Work(work) => work.run(),
                other => panic!("{other:?}"),
            }
        }
        effects = view.work(world);
    }
}

fn texts(page: &page::Page<'_>) -> Vec<String> {
    page.entries
        .iter()
        .map(|e| e.line.line.to_string())
        .collect()
}

#[test]
fn merges_clusters_in_time_order() {
    let world = world();
    let view = Logs::default();
    assert_eq!(
        texts(&view.page(&world, 4)),
        ["even 18", "odd 18 offset", "even 19", "odd 19 offset"]
    );
}

#[test]
fn leaves_the_end_and_comes_back() {
    let mut world = world();
    let mut view = Logs::default();
    view.place(Rect::new(0, 0, 120, 20), &world);
    view.update(Command::Up, &world);
    view.update(Command::Up, &world);
    let chosen = view.chosen(&world).map(|e| e.line.line.to_string());
    assert_eq!(chosen.as_deref(), Some("odd 18 offset"));
    tell(
        &mut world,
        0,
        vec![
            line(0, "p", Level::Info, "late"),
            line(-1, "p", Level::Info, "later"),
        ],
        0,
    );
    let chosen = view.chosen(&world).map(|e| e.line.line.to_string());
    assert_eq!(
        chosen.as_deref(),
        Some("odd 18 offset"),
        "stays on its line"
    );
    let text = fake::screen(&world, 120, 20, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(text.contains("paused, 2 new"), "{text}");
    for _ in 0..4 {
        view.update(Command::Down, &world);
    }
    assert!(view.cursor.is_none(), "the end follows again");
    let text = fake::screen(&world, 120, 20, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(
        text.contains("following") && text.contains("3 dropped"),
        "{text}"
    );
}

#[test]
fn walks_through_all_lines_once() {
    let world = world();
    let mut view = Logs::default();
    view.update(Command::Top, &world);
    let mut seen = Vec::new();
    while view.cursor.is_some() {
        seen.extend(view.chosen(&world).map(|e| e.line.line.to_string()));
        view.update(Command::Down, &world);
    }
    assert_eq!(seen.len(), 39, "the last one is the end itself: {seen:?}");
    assert_eq!(seen.first().map(String::as_str), Some("even 0"));
}

#[test]
fn filter_problems_and_next_error() {
    let world = world();
    let mut view = Logs::default();
    view.update(Command::Filter("pod=vllm-0 !19".into()), &world);
    assert_eq!(
        texts(&view.page(&world, 2)),
        ["odd 17 offset", "odd 18 offset"]
    );
    view.back();
    view.update(Command::Problems, &world);
    assert_eq!(view.page(&world, 99).entries.len(), 4);
    view.back();
    view.update(Command::PreviousProblem, &world);
    view.update(Command::PreviousProblem, &world);
    let chosen = view.chosen(&world).map(|e| e.line.line.to_string());
    assert_eq!(chosen.as_deref(), Some("odd 10 offset"));
    view.update(Command::NextProblem, &world);
    let chosen = view.chosen(&world).map(|e| e.line.line.to_string());
    assert_eq!(chosen.as_deref(), Some("odd 15 offset"));
}

#[test]
fn asks_loki_and_shows_the_answer() {
    let world = world();
    let mut view = Logs::default();
    view.update(Command::Edit, &world);
    view.update(Command::Paste("{pod=\"x\"}".into()), &world);
    let effects = view.update(Command::Type(KeyPress::plain(Key::Enter)), &world);
    let Some(Effect::Ask(question)) = effects.first() else {
        panic!("asks");
    };
    assert!(matches!(&question.ask, Ask::Logs { query, .. } if query == "{pod=\"x\"}"));
    let newest_first = vec![
        line(1, "x", Level::Info, "second"),
        line(2, "x", Level::Info, "first"),
    ];
    view.answer(
        &Answered {
            id: question.id,
            cluster: question.cluster,
            ask: question.ask.clone(),
            origin: "test".into(),
            at: Timestamp(NOW),
            latency_ms: 7,
            warnings: Vec::new(),
            cut_from: None,
            result: Ok(Answer::Logs(newest_first)),
        },
        &world,
    );
    assert_eq!(texts(&view.page(&world, 9)), ["first", "second"]);
    assert!(view.back());
    assert_eq!(view.page(&world, 99).entries.len(), 40);
}

#[test]
fn detail_and_any_room() {
    let world = world();
    let mut view = Logs::default();
    view.update(Command::Open, &world);
    let text = fake::screen(&world, 120, 20, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(text.contains("namespace   ran-du"), "{text}");
    view.wrap = true;
    for width in (0..120).step_by(11) {
        fake::screen(&world, width, 9, |ctx, area, buf| view.draw(ctx, area, buf));
    }
}

fn chosen(view: &Logs, world: &World) -> Option<String> {
    view.chosen(world).map(|e| e.line.line.to_string())
}

#[test]
fn lines_of_another_day_tell_the_day() {
    let mut world = fake::world(&["edge-ran-07"]);
    let view = Logs::default();
    let text = |world: &World, width: u16| {
        fake::screen(world, width, 12, |ctx, area, buf| view.draw(ctx, area, buf))
    };
    tell(
        &mut world,
        0,
        vec![line(60, "du-high-0", Level::Info, "today")],
        0,
    );
    assert!(text(&world, 120).contains("│07:59:00.000 "));
    let old = line(36_000, "du-high-0", Level::Info, "yesterday");
    tell(&mut world, 0, vec![old], 0);
    for (width, first, second) in [
        (120, "│01-14 22:00:00.000 ", "│01-15 07:59:00.000 "),
        (80, "│01-14 22:00:00 ", "│01-15 07:59:00 "),
    ] {
        let shown = text(&world, width);
        assert!(shown.contains(first) && shown.contains(second), "{shown}");
    }
}

#[test]
fn an_empty_stream_is_not_said_to_be_filtered() {
    let mut world = fake::world(&["edge-ran-07"]);
    let mut view = Logs::default();
    view.update(Command::Problems, &world);
    let text = |view: &Logs, world: &World| {
        fake::screen(world, 120, 12, |ctx, area, buf| view.draw(ctx, area, buf))
    };
    assert!(text(&view, &world).contains("no line yet"));
    tell(
        &mut world,
        0,
        vec![line(60, "du-high-0", Level::Info, "fine")],
        0,
    );
    assert!(text(&view, &world).contains("no line matches (Esc"));
}

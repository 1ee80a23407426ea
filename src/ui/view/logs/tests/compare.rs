use super::editor::{SIZES, drawn, questions, told};
use super::lines::asked;
use super::*;
use crate::model::ask::Question;
use crate::model::fault::{Fault, FaultKind};

const QUERY: &str = "{namespace=\"ran-du\"}";
const HOUR_S: i64 = 3_600;

/// `count` lines of one pattern, spread over the range that ends so many seconds ago.
fn said(count: i64, ended_s: i64, level: Level, what: &str) -> Vec<LogLine> {
    let lines = (0..count).map(|n| {
        let at = ended_s + 1 + n * (HOUR_S - 2) / count;
        line(at, "du-high-0", level, &format!("{what} {n}"))
    });
    lines.collect()
}

/// One hour with the errors of a failover, as it would be told by a server.
fn now() -> Vec<LogLine> {
    let mut lines = said(300, 0, Level::Info, "served request");
    lines.extend(said(40, 0, Level::Error, "holdover entered after"));
    lines.extend(said(90, 0, Level::Warning, "retry of upstream"));
    lines
}

fn before() -> Vec<LogLine> {
    let mut lines = said(310, HOUR_S, Level::Info, "served request");
    lines.extend(said(6, HOUR_S, Level::Warning, "retry of upstream"));
    lines.extend(said(60, HOUR_S, Level::Info, "clock is locked, offset"));
    lines
}

fn fails(question: &Question) -> Answered {
    Answered {
        result: Err(Fault {
            kind: FaultKind::Server,
            cluster: "edge-ran-07".into(),
            endpoint: "http://loki/loki/api/v1/query_range".into(),
            what: "500 Internal Server Error: too many outstanding requests".into(),
            hint: "try a shorter range".into(),
        }),
        ..told(question, Answer::Logs(Vec::new()))
    }
}

/// A query whose lines came from the first cluster, and the questions for the range before.
fn compared(world: &World) -> (Logs, Vec<Question>) {
    let (mut view, _) = asked(world, QUERY, now());
    let more = questions(&view.update(Command::Compare(None), world));
    (view, more)
}

fn rows(view: &Logs, world: &World) -> Vec<(String, [u32; 2])> {
    let Mode::Compare(with) = &view.mode else {
        panic!("no comparison");
    };
    let compared = view.compared(world, with);
    let rows = compared.rows.iter();
    rows.map(|r| (r.template.clone(), r.counts)).collect()
}

#[test]
fn what_is_new_gone_more_and_less_is_told_most_telling_first() {
    let world = fake::world(&["edge-ran-07", "gpu-train-1"]);
    let (mut view, more) = compared(&world);
    let wanted = (
        Timestamp(NOW - 2 * HOUR_S * 1_000),
        Timestamp(NOW - HOUR_S * 1_000),
    );
    assert_eq!(more.len(), 2);
    for question in &more {
        assert!(
            matches!(&question.ask, Ask::Logs { query, start, end, .. }
                if query == QUERY && (*start, *end) == wanted),
            "{question:?}"
        );
    }
    view.answer(&told(&more[0], Answer::Logs(before())), &world);
    assert!(rows(&view, &world).is_empty(), "nothing is looked at yet");
    settle(&mut view, &world);
    let want = [
        ("holdover entered after <*>", [40, 0]),
        ("retry of upstream <*>", [90, 6]),
        ("clock is locked, offset <*>", [0, 60]),
        ("served request <*>", [300, 310]),
    ];
    let want: Vec<(String, [u32; 2])> = want.map(|(t, c)| (t.to_owned(), c)).into();
    assert_eq!(rows(&view, &world), want);
    for (size, what) in SIZES
        .into_iter()
        .map(|s| (s, format!("compared_{}x{}", s.0, s.1)))
    {
        insta::assert_snapshot!(what, drawn(&view, &world, size));
    }
    // Only warnings and worse, on both sides.
    view.update(Command::Problems, &world);
    settle(&mut view, &world);
    assert_eq!(rows(&view, &world), want[..2]);
}

#[test]
fn enter_shows_the_lines_of_the_side_that_has_them() {
    let world = fake::world(&["edge-ran-07", "gpu-train-1"]);
    let (mut view, more) = compared(&world);
    view.answer(&told(&more[0], Answer::Logs(before())), &world);
    settle(&mut view, &world);
    view.update(Command::Open, &world);
    assert!(view.shows_lines());
    assert_eq!(view.page(&world, 99).entries.len(), 40);
    view.back();
    let effects = view.update(Command::Compare(None), &world);
    view.answer(
        &told(&questions(&effects)[0], Answer::Logs(before())),
        &world,
    );
    settle(&mut view, &world);
    view.update(Command::Down, &world);
    view.update(Command::Down, &world);
    view.update(Command::Open, &world);
    assert_eq!(view.page(&world, 99).entries.len(), 60);
    let text = drawn(&view, &world, (120, 20));
    assert!(
        text.contains("lines of the other range (Esc back)"),
        "{text}"
    );
    while view.aside.is_some() {
        assert!(view.back());
    }
    assert_eq!(view.page(&world, 999).entries.len(), 430, "as it was");
}

#[test]
fn a_range_that_a_limit_cut_counts_for_the_time_it_tells_of() {
    let world = fake::world(&["edge-ran-07"]);
    let (mut view, _) = asked(&world, QUERY, said(1_000, 0, Level::Info, "served request"));
    let more = questions(&view.update(Command::Compare(None), &world));
    // As many as were asked for came, all of the last quarter of the hour.
    let dense = (0..2_000).map(|n| {
        let at = HOUR_S + 1 + n * 900 / 2_000;
        line(at, "du-high-0", Level::Info, &format!("served request {n}"))
    });
    view.answer(&told(&more[0], Answer::Logs(dense.collect())), &world);
    settle(&mut view, &world);
    let text = drawn(&view, &world, (160, 24));
    assert!(text.contains("÷8.0"), "{text}");
    assert!(text.contains("limit hit"), "{text}");
}

#[test]
fn ranges_go_round_and_can_be_chosen() {
    let world = fake::world(&["edge-ran-07"]);
    let (mut view, _) = asked(&world, QUERY, now());
    let mut start = |range: Option<(Timestamp, Timestamp)>| {
        let asked = questions(&view.update(Command::Compare(range), &world));
        match asked.as_slice() {
            [
                Question {
                    ask: Ask::Logs { start, end, .. },
                    ..
                },
            ] => ((NOW - start.0) / 1_000, (NOW - end.0) / 1_000),
            other => panic!("{other:?}"),
        }
    };
    let day = 24 * HOUR_S;
    assert_eq!(start(None), (2 * HOUR_S, HOUR_S));
    assert_eq!(start(None), (day + HOUR_S, day));
    assert_eq!(start(None), (7 * day + HOUR_S, 7 * day));
    assert_eq!(start(None), (2 * HOUR_S, HOUR_S));
    let own = (Timestamp(NOW - 5_000_000), Timestamp(NOW - 4_000_000));
    assert_eq!(start(Some(own)), (5_000, 4_000));
}

#[test]
fn loading_partial_empty_and_failed() {
    let world = fake::world(&["edge-ran-07", "gpu-train-1"]);
    let shot = |name: &str, view: &Logs| {
        for size in SIZES {
            let name = format!("compared_{name}_{}x{}", size.0, size.1);
            insta::assert_snapshot!(name, drawn(view, &world, size));
        }
    };
    let (mut view, more) = compared(&world);
    shot("loading", &view);
    // The second cluster told nothing of the first range and fails in the other: it is left out.
    view.answer(&told(&more[0], Answer::Logs(before())), &world);
    view.answer(&fails(&more[1]), &world);
    settle(&mut view, &world);
    shot("partial", &view);
    let (mut view, of_now) = asked(&world, QUERY, now());
    view.answer(&told(&of_now[1], Answer::Logs(now())), &world);
    for question in questions(&view.update(Command::Compare(None), &world)) {
        view.answer(&fails(&question), &world);
    }
    shot("failed", &view);
    let (mut view, of_now) = asked(&world, QUERY, Vec::new());
    view.answer(&told(&of_now[1], Answer::Logs(Vec::new())), &world);
    for question in questions(&view.update(Command::Compare(None), &world)) {
        view.answer(&told(&question, Answer::Logs(Vec::new())), &world);
    }
    settle(&mut view, &world);
    shot("empty", &view);
}

/// Where nothing was asked, both ranges are of the lines that are held.
#[test]
fn held_lines_are_compared_as_far_as_they_reach() {
    let mut world = fake::world(&["edge-ran-07"]);
    let mut view = Logs::default();
    view.place(Rect::new(0, 0, 120, 24), &world);
    tell(&mut world, 0, now(), 0);
    assert!(view.update(Command::Compare(None), &world).is_empty());
    let text = drawn(&view, &world, (120, 24));
    assert!(text.contains("is held: the oldest is of 07:"), "{text}");
    tell(&mut world, 0, before(), 0);
    settle(&mut view, &world);
    let rows = rows(&view, &world);
    assert_eq!(rows[0], ("holdover entered after <*>".to_owned(), [40, 0]));
    view.update(Command::Open, &world);
    assert_eq!(view.page(&world, 99).entries.len(), 40);
}

#[test]
fn asked_again_the_numbers_of_patterns_hold() {
    let world = fake::world(&["edge-ran-07"]);
    let (mut view, more) = compared(&world);
    view.answer(&told(&more[0], Answer::Logs(before())), &world);
    settle(&mut view, &world);
    let wanted = rows(&view, &world);
    let again = questions(&view.update(Command::Refresh, &world));
    let of = |start: i64| {
        let start = Timestamp(NOW - start * HOUR_S * 1_000);
        let is = move |q: &&Question| matches!(&q.ask, Ask::Logs { start: s, .. } if *s == start);
        again.iter().find(is).expect("asked").clone()
    };
    // The older range answers first.
    view.answer(&told(&of(2), Answer::Logs(before())), &world);
    settle(&mut view, &world);
    view.answer(&told(&of(1), Answer::Logs(now())), &world);
    settle(&mut view, &world);
    assert_eq!(rows(&view, &world), wanted);
}

#[test]
fn a_comparison_fits_any_room() {
    let world = fake::world(&["edge-ran-07", "gpu-train-1"]);
    let (mut view, more) = compared(&world);
    view.answer(&told(&more[0], Answer::Logs(before())), &world);
    settle(&mut view, &world);
    for width in (0..120).step_by(7) {
        for height in 0..24 {
            view.place(Rect::new(0, 0, width, height), &world);
            fake::screen(&world, width, height, |ctx, area, buf| {
                view.draw(ctx, area, buf);
            });
        }
    }
}

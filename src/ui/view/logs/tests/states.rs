use super::editor::{SIZES, drawn, questions, told};
use super::*;
use crate::config::{Cluster, Config, Endpoint, Limits};
use crate::model::ask::Question;
use crate::model::fault::{Fault, FaultKind};
use crate::model::health::{Health, SourceHealth, SourceKind};

fn shot(name: &str, view: &Logs, world: &World) {
    for size in SIZES {
        insta::assert_snapshot!(
            format!("{name}_{}x{}", size.0, size.1),
            drawn(view, world, size)
        );
    }
}

fn refused(question: &Question) -> Answered {
    Answered {
        result: Err(Fault {
            kind: FaultKind::RateLimited,
            cluster: "gpu-train-1".into(),
            endpoint: "https://loki.example/loki/api/v1/query_range".into(),
            what: "429 Too Many Requests: too many outstanding requests".into(),
            hint: "asked again in 8 s".into(),
        }),
        ..told(question, Answer::Logs(Vec::new()))
    }
}

fn ask(world: &World) -> (Logs, Vec<Question>) {
    let mut view = Logs::default();
    view.place(Rect::new(0, 0, 120, 36), world);
    let asked = questions(&view.run("{namespace=\"ran-du\"}", world));
    let lines = asked
        .into_iter()
        .filter(|q| matches!(q.ask, Ask::Logs { .. }));
    (view, lines.collect())
}

#[test]
fn a_query_is_shown_in_every_state() {
    let world = world();
    let (mut view, asked) = ask(&world);
    shot("loading", &view, &world);
    let lines = vec![
        line(30, "du-high-0", Level::Error, "ptp4l lost its clock"),
        line(20, "du-high-0", Level::Info, "offset 12 ns"),
    ];
    view.answer(&told(&asked[0], Answer::Logs(lines)), &world);
    view.answer(&refused(&asked[1]), &world);
    shot("partial", &view, &world);
    // Asked again: what was there before stays, and says so, until an answer comes.
    let _ = view.update(Command::Refresh, &world);
    shot("again", &view, &world);
    let (mut view, asked) = ask(&world);
    for question in &asked {
        view.answer(&told(question, Answer::Logs(Vec::new())), &world);
    }
    shot("empty", &view, &world);
    let (mut view, asked) = ask(&world);
    for question in &asked {
        view.answer(&refused(question), &world);
    }
    shot("failed", &view, &world);
}

#[test]
fn a_stream_that_is_down_says_so() {
    let mut world = world();
    let down = SourceHealth {
        health: Health::Failing {
            fault: Fault {
                kind: FaultKind::Unreachable,
                cluster: "edge-ran-07".into(),
                endpoint: "https://loki.example/loki/api/v1/tail".into(),
                what: "connection refused".into(),
                hint: "is it up?".into(),
            },
            since: Timestamp(NOW - 42_000),
            retry_at: Timestamp(NOW + 8_000),
            failures: 5,
        },
        last_ok: Some(Timestamp(NOW - 42_000)),
        ..SourceHealth::default()
    };
    fake::tell_of(&mut world, 0, SourceKind::Loki, Body::Health(down));
    fake::tell_of(&mut world, 1, SourceKind::Loki, Body::Health(fake::heard()));
    shot("stale", &Logs::default(), &world);
}

/// Paused, while more comes than is held: what went is counted, and the way on is open.
#[test]
fn a_pause_longer_than_the_buffer_counts_what_went() {
    let config = Config {
        clusters: vec![Cluster {
            name: "edge-ran-07".into(),
            loki: Some(Endpoint::default()),
            ..Cluster::default()
        }],
        limits: Limits {
            log_bytes: 64 << 10,
            ..Limits::default()
        },
        ..Config::default()
    };
    let mut world = World::new(&config, Timestamp(NOW));
    let many = |from: i64, count: i64| -> Vec<LogLine> {
        let lines = (from..from + count)
            .map(|n| line(5_000 - n, "du-high-0", Level::Info, &format!("line {n}")));
        lines.collect()
    };
    tell(&mut world, 0, many(0, 100), 0);
    let mut view = Logs::default();
    view.place(Rect::new(0, 0, 120, 20), &world);
    view.update(Command::Pause, &world);
    assert_eq!(chosen(&view, &world).as_deref(), Some("line 99"));
    tell(&mut world, 0, many(100, 4_000), 0);
    let held = &world.cluster(ClusterId(0)).expect("known").logs;
    let (dropped, left) = (held.dropped(), held.len());
    assert!(dropped > 100 && left < 4_000);
    assert_eq!(dropped + left as u64, 4_100);
    let text = drawn(&view, &world, (120, 20));
    assert!(text.contains(&format!("{dropped} dropped")), "{text}");
    assert!(text.contains(&format!("paused, {left} new (G)")), "{text}");
    // The line that was paused at is gone: what is left begins right after it.
    let first = format!("line {dropped}");
    let page = texts(&view.page(&world, 5));
    assert_eq!(page.first(), Some(&first), "{page:?}");
    view.update(Command::Down, &world);
    assert_eq!(chosen(&view, &world), Some(first));
    view.update(Command::Bottom, &world);
    assert_eq!(chosen(&view, &world).as_deref(), Some("line 4099"));
}

#[test]
fn what_came_after_the_question_is_not_drawn_as_nothing() {
    let mut world = world();
    let (mut view, asked) = ask(&world);
    let lines = vec![line(30, "du-high-0", Level::Error, "ptp4l lost its clock")];
    view.answer(&told(&asked[0], Answer::Logs(lines)), &world);
    view.answer(&told(&asked[1], Answer::Logs(Vec::new())), &world);
    let strip = |view: &Logs, world: &World| {
        let text = drawn(view, world, (120, 36));
        let strip = text.lines().find(|l| l.contains("lines read"));
        strip.map(str::to_owned).expect("a strip")
    };
    let before = strip(&view, &world);
    world.now = Timestamp(NOW + 1_800_000);
    assert_eq!(strip(&view, &world), before);
    view.update(Command::Mode, &world);
    view.update(Command::Mode, &world);
    let after = drawn(&view, &world, (120, 36));
    assert!(after.contains("volume by origin"), "{after}");
    world.now = Timestamp(NOW);
    assert_eq!(drawn(&view, &world, (120, 36)), after);
}

#[test]
fn what_nobody_knows_is_not_nothing() {
    // A window before the first line that is held.
    let world = world();
    let mut view = Logs::default();
    let day = 86_400_000;
    let yesterday = Window {
        end: Some(Timestamp(NOW - day)),
        ..Window::HOUR
    };
    let entry = Entry {
        window: yesterday,
        ..fake::entry(None)
    };
    view.enter(&entry, &world);
    let merged = view.merged(&world);
    let from = (NOW - day - 3_600_000) * 1_000_000;
    assert_eq!(merged.counts(from, 360_000_000_000, 10).unknown, 10);
    // Known from the middle of a slot on: that slot is not known as a whole.
    let first = merged.known_from.expect("known from then on");
    assert_eq!(merged.counts(first - 35, 10, 10).unknown, 4);
    assert_eq!(merged.counts(first - 30, 10, 10).unknown, 3);
    assert_eq!(merged.counts(first + 5, 10, 10).unknown, 0);
    let text = fake::screen(&world, 120, 12, |ctx, area, buf| {
        let ctx = Ctx {
            window: yesterday,
            ..*ctx
        };
        view.draw(&ctx, area, buf);
    });
    assert!(text.contains("lines of this time: unknown"), "{text}");
    // Nobody told a line.
    let silent = fake::world(&["edge-ran-07"]);
    assert_eq!(Logs::default().merged(&silent).counts(0, 10, 5).unknown, 5);
    // Of one cluster all is known, the other's Loki never answered.
    let mut half = fake::world(&["edge-ran-07", "gpu-train-1"]);
    tell(
        &mut half,
        0,
        vec![line(3_000, "du-high-0", Level::Info, "up")],
        0,
    );
    let from = (NOW - 2_000_000) * 1_000_000;
    let unknown = |world: &World| {
        let view = Logs::default();
        view.merged(world).counts(from, 100_000_000_000, 20).unknown
    };
    assert_eq!(unknown(&half), 20);
    fake::tell_of(&mut half, 1, SourceKind::Loki, Body::Health(fake::heard()));
    assert_eq!(unknown(&half), 0, "it answers, and said nothing");
}

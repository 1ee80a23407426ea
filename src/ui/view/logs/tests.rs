use super::*;
use crate::config::{Cluster, Config, Kube};
use crate::model::ask::{Answer, Ask};
use crate::model::input::{Key, KeyPress};
use crate::model::label::Labels;
use crate::model::log::{Level, LogLine, Tail};
use crate::model::telemetry::{Body, LogBatch};
use crate::model::time::Timestamp;
use crate::ui::view::fake::{self, NOW};

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
fn finds_without_hiding_and_goes_round() {
    let world = world();
    let mut view = Logs::default();
    view.update(Command::Find("offset 1".into()), &world);
    assert_eq!(view.page(&world, 99).entries.len(), 40, "nothing is hidden");
    let told = |view: &Logs| view.matches(&world);
    assert_eq!(told(&view), "11/11");
    for (forward, line, at) in [
        (false, "odd 19 offset", "11/11"),
        (false, "odd 18 offset", "10/11"),
        (true, "odd 19 offset", "11/11"),
        (true, "odd 1 offset", "1/11"),
        (false, "odd 19 offset", "11/11"),
    ] {
        let to = match forward {
            true => Command::NextMatch,
            false => Command::PreviousMatch,
        };
        view.update(to, &world);
        assert_eq!(chosen(&view, &world).as_deref(), Some(line));
        assert_eq!(told(&view), at);
    }
    let text = fake::screen(&world, 120, 20, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(text.contains("find \"offset 1\" 11/11"), "{text}");
    // Both may be on: what the filter leaves is searched.
    view.update(Command::Filter("pod=du-high-0".into()), &world);
    assert_eq!(told(&view), "0/0");
    assert!(view.depth() == 3 && view.back());
    assert!(view.find.is_empty() && !view.filter_text.is_empty());
}

#[test]
fn what_was_found_is_marked() {
    use ratatui::style::Style;
    let marked = |find: &str, line: &str| -> Vec<String> {
        let spans = Find::new(find).spans(line, Style::new());
        let whole: String = spans.iter().map(|s| s.content.as_ref()).collect();
        assert_eq!(whole, line);
        let marked = spans.iter().filter(|s| s.style != Style::new());
        marked.map(|s| s.content.to_string()).collect()
    };
    assert_eq!(marked("off", "Offset off"), ["Off", "off"]);
    assert_eq!(marked("Off", "Offset off"), ["Off"]);
    assert_eq!(marked("off offset", "an offset"), ["off", "set"]);
    assert_eq!(marked("/[0-9]+/ !x pod=y", "a 12 x pod=y 漢3"), ["12", "3"]);
    assert!(marked("", "text").is_empty());
    let line = format!("{} timeout of upstream", "x".repeat(60));
    let shown = Find::new("timeout").in_view(&line, 30);
    assert_eq!(shown, "…xxxxxxxxx timeout of upstream");
    assert_eq!(Find::new("xx").in_view(&line, 4), "xxx…");
    assert_eq!(Find::new("timeout").in_view("a timeout", 0), "");
}

/// What takes many lines to tell is worked out once, and again when a line came.
#[test]
fn patterns_volume_and_matches_are_kept() {
    let mut world = world();
    let mut view = Logs::default();
    view.update(Command::Find("odd".into()), &world);
    let look = |view: &Logs, world: &World| {
        let key = view.key(world, Default::default());
        let patterns = view.kept.patterns.get(key, || panic!("is kept"));
        (patterns, view.matches(world))
    };
    view.update(Command::Mode, &world);
    fake::screen(&world, 120, 20, |ctx, area, buf| view.draw(ctx, area, buf));
    let first = look(&view, &world);
    let again = look(&view, &world);
    assert!(std::sync::Arc::ptr_eq(&first.0, &again.0));
    tell(
        &mut world,
        1,
        vec![line(0, "vllm-0", Level::Info, "odd")],
        0,
    );
    fake::screen(&world, 120, 20, |ctx, area, buf| view.draw(ctx, area, buf));
    let after = look(&view, &world);
    assert!(!std::sync::Arc::ptr_eq(&first.0, &after.0));
    assert_eq!(after.1, "21/21");
}

#[test]
fn volume_by_origin_leads_to_its_lines() {
    let world = world();
    let mut view = Logs::default();
    view.place(Rect::new(0, 0, 120, 30), &world);
    view.update(Command::Mode, &world);
    view.update(Command::Mode, &world);
    let text = fake::screen(&world, 120, 30, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(
        text.contains("volume by origin 2") && text.contains("50%"),
        "{text}"
    );
    view.update(Command::Open, &world);
    assert!(view.shows_lines());
    assert_eq!(view.filter(), "pod=du-high-0");
    for width in (0..120).step_by(7) {
        for height in 0..20 {
            view.mode = Mode::Volume(Table::default());
            view.place(Rect::new(0, 0, width, height), &world);
            fake::screen(&world, width, height, |ctx, area, buf| {
                view.draw(ctx, area, buf)
            });
        }
    }
}

/// A cluster with an API server and no Loki.
fn without_loki() -> World {
    let config = Config {
        clusters: vec![Cluster {
            name: "alpha".into(),
            kube: Some(Kube::default()),
            ..Cluster::default()
        }],
        ..Config::default()
    };
    World::new(&config, Timestamp(fake::NOW))
}

#[test]
fn without_loki_a_pod_is_asked_of_the_api_server() {
    let world = without_loki();
    let mut view = Logs::default();
    view.place(Rect::new(0, 0, 120, 24), &world);
    let focus = Focus::Pod {
        cluster: ClusterId(0),
        namespace: "shop".into(),
        pod: "cart-x".into(),
    };
    let asked = |effects: &[Effect]| match effects {
        [Effect::Ask(question)] => match &question.ask {
            Ask::PodLogs(pod) => (question.id, pod.clone()),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let (id, pod) = asked(&view.enter(&fake::entry(Some(focus)), &world));
    assert_eq!((pod.container.clone(), pod.since_s), (None, Some(3_600)));
    let line = |container: &str, text: &str| LogLine {
        at_ns: fake::NOW * 1_000_000,
        labels: Labels::from_pairs([
            ("namespace", "shop"),
            ("pod", "cart-x"),
            ("container", container),
        ]),
        line: text.into(),
        level: Level::Info,
    };
    let answered = Answered {
        id,
        cluster: ClusterId(0),
        ask: Ask::PodLogs(pod),
        origin: "context lab".into(),
        at: Timestamp(fake::NOW),
        latency_ms: 4,
        warnings: vec!["container c: has not started".into()],
        cut_from: None,
        result: Ok(Answer::Logs(vec![line("a", "hello"), line("b", "there")])),
    };
    view.answer(&answered, &world);
    let shown = fake::screen(&world, 120, 24, |ctx, area, buf| view.draw(ctx, area, buf));
    for wanted in [
        "pod shop/cart-x · all containers",
        "hello",
        "context lab",
        "container c:",
    ] {
        assert!(shown.contains(wanted), "{wanted} in {shown}");
    }
    // Patterns of an answer are found once they are shown, and none is told before.
    view.update(Command::Mode, &world);
    for found in [false, true] {
        let patterns = view.found_patterns(&world);
        let rows: Vec<&str> = patterns.rows.iter().map(|p| &*p.template).collect();
        match found {
            true => assert_eq!((&rows[..], patterns.cut), (&["hello", "there"][..], false)),
            false => assert!(rows.is_empty() && patterns.cut),
        }
        view.work(&world);
    }
    view.update(Command::Mode, &world);
    view.update(Command::Mode, &world);
    let (_, next) = asked(&view.update(Command::NextPane, &world));
    assert_eq!(next.container.as_deref(), Some("a"));
    let (_, last) = asked(&view.update(Command::PreviousPane, &world));
    assert_eq!(last.container, None);
    let (_, before) = asked(&view.update(Command::PreviousRun, &world));
    assert_eq!((before.previous, before.since_s), (true, None));
    let followed = view.update(Command::Bottom, &world);
    assert!(
        matches!(
            followed.as_slice(),
            [Effect::TailLogs(tails)] if matches!(tails.as_slice(), [(ClusterId(0), Tail::Pod(_))])
        ),
        "{followed:?}"
    );
    assert_eq!(view.filter(), "namespace=shop pod=cart-x");
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

mod editor;
mod lines;

#[test]
fn a_query_is_followed_in_all_clusters_and_what_lags_is_named() {
    let mut world = world();
    let mut view = Logs::default();
    let entry = Entry {
        scope: None,
        window: Window::HOUR,
        focus: None,
        query: Some("{app=\"x\"}".into()),
    };
    view.enter(&entry, &world);
    let followed = view.update(Command::Bottom, &world);
    let wanted = |at: u16| (ClusterId(at), Tail::Loki("{app=\"x\"}".into()));
    assert_eq!(followed, [Effect::TailLogs(vec![wanted(0), wanted(1)])]);
    // The second lags by twenty seconds and lost three lines before.
    tell(&mut world, 1, vec![line(20, "p", Level::Info, "slow")], 0);
    let text = |view: &Logs, width| {
        fake::screen(&world, width, 20, |ctx, area, buf| {
            view.draw(ctx, area, buf)
        })
    };
    assert!(
        text(&view, 140).contains("gpu-train-1 20.0 s"),
        "{}",
        text(&view, 140)
    );
    assert!(
        text(&view, 80).contains("gpu-train-1 3 dropped"),
        "{}",
        text(&view, 80)
    );
}

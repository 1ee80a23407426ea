use super::editor::{SIZES, drawn, questions, told};
use super::numbers::series;
use super::*;
use crate::model::ask::Question;

const JSON: &str = r#"{"level":"error","http":{"status":503},"msg":"no redis","took":"1.5s"}"#;
const LOGFMT: &str = r#"level=warn msg="slow call" route=/cart took=900ms"#;

pub fn told_world() -> World {
    let mut world = fake::world(&["edge-ran-07", "gpu-train-1"]);
    let lines = vec![
        line(50, "cart-1", Level::Error, JSON),
        line(48, "cart-1", Level::Warning, LOGFMT),
        line(47, "cart-2", Level::Info, "started"),
        line(40, "cart-2", Level::Error, "it failed"),
    ];
    tell(&mut world, 0, lines, 0);
    world
}

/// A query of which the first cluster answered `lines`.
pub fn asked(world: &World, query: &str, lines: Vec<LogLine>) -> (Logs, Vec<Question>) {
    let mut view = Logs::default();
    view.place(Rect::new(0, 0, 160, 40), world);
    let asked = questions(&view.run(query, world));
    let first = asked.first().expect("asks");
    view.answer(&told(first, Answer::Logs(lines)), world);
    (view, asked)
}

/// Puts the cursor of the detail on this field.
fn point(view: &mut Logs, world: &World, field: &str) {
    view.update(Command::Open, world);
    drawn(view, world, (160, 40));
    for _ in 0..40 {
        let shown = drawn(view, world, (160, 40));
        view.update(Command::ScrollDown, world);
        assert!(!shown.is_empty());
        if view.pointed(world).is_some_and(|name| name == field) {
            return;
        }
    }
    panic!("{field} is not told");
}

fn at_text(view: &mut Logs, world: &World, text: &str) {
    view.update(Command::Top, world);
    while !chosen(view, world).is_some_and(|t| t.contains(text)) {
        view.update(Command::Down, world);
        assert!(view.cursor.is_some(), "{text} is not there");
    }
}

#[test]
fn a_value_of_what_is_held_narrows_the_filter() {
    let world = told_world();
    let mut view = Logs::default();
    view.place(Rect::new(0, 0, 160, 40), &world);
    at_text(&mut view, &world, "redis");
    point(&mut view, &world, "pod");
    view.update(Command::Only, &world);
    assert_eq!(view.filter_text, "pod=cart-1");
    view.set_filter("");
    view.update(Command::Without, &world);
    assert_eq!(view.filter_text, "pod!=cart-1");
    view.set_filter("");
    point(&mut view, &world, "http.status");
    view.update(Command::Only, &world);
    let filter = Filter::parse(&view.filter_text);
    assert!(filter.matches(&[("line", JSON)]), "{}", view.filter_text);
    assert!(!filter.matches(&[("line", r#"{"status":5030}"#)]));
    assert!(!filter.matches(&[("line", LOGFMT)]));
    view.set_filter("");
    at_text(&mut view, &world, "slow");
    point(&mut view, &world, "msg");
    view.update(Command::Without, &world);
    let filter = Filter::parse(&view.filter_text);
    assert!(!filter.matches(&[("line", LOGFMT)]), "{}", view.filter_text);
    assert!(filter.matches(&[("line", JSON)]));
}

#[test]
fn a_value_of_an_answer_narrows_the_query() {
    let world = told_world();
    let lines = vec![line(50, "cart-1", Level::Error, JSON)];
    let (mut view, _) = asked(&world, "{app=\"cart\"} |= \"redis\"", lines);
    point(&mut view, &world, "http.status");
    let asked = questions(&view.update(Command::Only, &world));
    let wanted = "{app=\"cart\"} |= \"redis\" | json | http_status=\"503\"";
    let has = |query: &str| {
        let of = |q: &Question| matches!(&q.ask, Ask::Logs { query: q, .. } if q == query);
        asked.iter().any(of)
    };
    assert!(has(wanted), "{asked:?}");
}

#[test]
fn columns_marks_and_times() {
    let world = told_world();
    let mut view = Logs::default();
    view.place(Rect::new(0, 0, 160, 40), &world);
    at_text(&mut view, &world, "redis");
    point(&mut view, &world, "took");
    view.update(Command::Column, &world);
    view.update(Command::Detail, &world);
    view.update(Command::Bookmark, &world);
    let text = drawn(&view, &world, (120, 20));
    assert!(text.contains("1.5s") && text.contains("900ms"), "{text}");
    assert!(text.contains("★") && text.contains("1 marked"), "{text}");
    view.update(Command::Down, &world);
    view.update(Command::NextBookmark, &world);
    assert_eq!(chosen(&view, &world).as_deref(), Some(JSON), "goes round");
    view.update(Command::Bookmark, &world);
    assert!(view.marks.is_empty());
    view.update(Command::Stamps, &world);
    assert!(drawn(&view, &world, (120, 20)).contains("000Z "));
    view.update(Command::Stamps, &world);
    view.update(Command::Delta, &world);
    let text = drawn(&view, &world, (120, 20));
    assert!(
        text.contains("-50.000s") && text.contains("+2.000s"),
        "{text}"
    );
}

#[test]
fn a_line_is_unfolded_into_its_fields() {
    let world = told_world();
    let mut view = Logs::default();
    at_text(&mut view, &world, "redis");
    view.update(Command::Fold, &world);
    let text = drawn(&view, &world, (120, 30));
    assert!(text.contains("json, 4 fields"), "{text}");
    assert!(text.contains("http.status 503"), "{text}");
    view.update(Command::FoldAll, &world);
    let text = drawn(&view, &world, (120, 36));
    assert!(
        text.contains("logfmt, 4 fields") && text.contains("no fields"),
        "{text}"
    );
}

#[test]
fn the_lines_around_one_are_asked_of_its_stream_and_left_again() {
    let mut world = told_world();
    let (mut view, _) = asked(
        &world,
        "{app=\"cart\"} |= \"redis\"",
        vec![line(50, "cart-1", Level::Error, JSON)],
    );
    view.update(Command::Top, &world);
    let around = questions(&view.update(Command::Around, &world));
    let query = "{namespace=\"ran-du\", pod=\"cart-1\"}";
    assert_eq!(around.len(), 2);
    for question in &around {
        assert!(
            matches!(&question.ask, Ask::Logs { query: q, .. } if q == query),
            "{question:?}"
        );
    }
    let all = [52, 50, 48].map(|s| line(s, "cart-1", Level::Info, &format!("at {s}")));
    let mut before = all[..2].to_vec();
    before.push(line(50, "cart-1", Level::Error, JSON));
    let mut after = all[1..].to_vec();
    after.push(line(50, "cart-1", Level::Error, JSON));
    view.answer(&told(&around[0], Answer::Logs(before)), &world);
    view.answer(&told(&around[1], Answer::Logs(after)), &world);
    let shown = texts(&view.page(&world, 9));
    assert_eq!(shown.len(), 4, "none twice: {shown:?}");
    // What they are counted over is their own time.
    world.now = Timestamp(NOW + 7_200_000);
    let text = drawn(&view, &world, (120, 20));
    assert!(
        text.contains("lines read") && !text.contains(" 0 lines read"),
        "{text}"
    );
    world.now = Timestamp(NOW);
    assert_eq!(chosen(&view, &world).as_deref(), Some(JSON));
    assert!(view.back());
    assert_eq!(texts(&view.page(&world, 9)), [JSON]);
}

/// Patterns of what is loaded on are found with the rest, whether or not the rest was looked at.
#[test]
fn patterns_of_older_lines_are_found_too() {
    let world = told_world();
    let many = |from: i64, what: &str| -> Vec<LogLine> {
        let text = |n| format!("{what} of order {n} took {n} ms");
        let lines = (from..from + 2_000).map(|n| line(n, "a", Level::Info, &text(n)));
        lines.collect()
    };
    for looked_at_before in [false, true] {
        let (mut view, _) = asked(&world, "{app=\"cart\"}", many(0, "payment"));
        view.update(Command::Mode, &world);
        if looked_at_before {
            settle(&mut view, &world);
        }
        let more = questions(&view.update(Command::LoadOn, &world));
        let older = told(&more[0], Answer::Logs(many(1_999, "delivery")));
        view.answer(&older, &world);
        let found = view.found_patterns(&world);
        assert!(found.cut, "not all are looked at");
        settle(&mut view, &world);
        let found = view.found_patterns(&world);
        let rows: Vec<(&str, u32)> = found
            .rows
            .iter()
            .map(|p| (p.template.as_str(), p.count))
            .collect();
        let of = |what: &str| format!("{what} of order <*> took <*>");
        let (payment, delivery) = (of("payment"), of("delivery"));
        assert_eq!(
            rows,
            [(delivery.as_str(), 2_000), (payment.as_str(), 2_000)]
        );
        assert!(!found.cut);
    }
}

#[test]
fn what_a_limit_left_out_is_loaded_on() {
    let mut world = told_world();
    let many = |from: i64| -> Vec<LogLine> {
        let lines =
            (0..2_000).map(|n| line(from + n, "a", Level::Info, &format!("line {}", from + n)));
        lines.collect()
    };
    let (mut view, _) = asked(&world, "{app=\"cart\"}", many(0));
    let text = drawn(&view, &world, (120, 20));
    assert!(text.contains("limit hit · W loads on"), "{text}");
    // Later: the range is still the one that was asked for.
    world.now = Timestamp(NOW + 1_800_000);
    let more = questions(&view.update(Command::LoadOn, &world));
    let wanted = (Timestamp(NOW - 3_600_000), Timestamp(NOW - 1_999_000 + 1));
    assert!(
        matches!(more.as_slice(), [Question { ask: Ask::Logs { start, end, backward: true, .. }, .. }]
            if (*start, *end) == wanted),
        "{more:?}"
    );
    // The oldest line of before comes again.
    view.answer(
        &told(&more[0], Answer::Logs(many(1_999)[..10].to_vec())),
        &world,
    );
    let text = drawn(&view, &world, (120, 20));
    assert!(
        text.contains("2009 lines") && !text.contains("limit hit"),
        "{text}"
    );
    let said = view.update(Command::LoadOn, &world);
    assert!(matches!(said[..], [Effect::Say(_)]), "{said:?}");
}

#[test]
fn fields_unfolded_and_columns_at_three_sizes() {
    let world = told_world();
    for size in SIZES {
        let mut view = Logs::default();
        view.place(Rect::new(0, 0, size.0, size.1), &world);
        at_text(&mut view, &world, "redis");
        view.update(Command::Fold, &world);
        view.update(Command::Bookmark, &world);
        view.update(Command::Delta, &world);
        insta::assert_snapshot!(
            format!("unfolded_{}x{}", size.0, size.1),
            drawn(&view, &world, size)
        );
        view.update(Command::Open, &world);
        insta::assert_snapshot!(
            format!("fields_{}x{}", size.0, size.1),
            drawn(&view, &world, size)
        );
    }
}

#[test]
fn any_room() {
    let world = told_world();
    let mut view = Logs::default();
    view.update(Command::FoldAll, &world);
    view.update(Command::Delta, &world);
    let mut form = Logs::default();
    form.update(Command::Form, &world);
    let mut numbers = Logs::default();
    let asked = questions(&numbers.run("rate({a=\"b\"}[5m])", &world));
    let rows = vec![series("value", &[("a", "b")], &[1.0, 2.0])];
    numbers.answer(&told(&asked[0], Answer::Series(rows.into())), &world);
    for width in (0..130).step_by(13) {
        for height in 0..16 {
            for view in [&view, &form, &numbers] {
                fake::screen(&world, width, height, |ctx, area, buf| {
                    view.draw(ctx, area, buf)
                });
            }
        }
    }
}

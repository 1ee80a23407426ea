use super::*;
use crate::config::QueryLanguage;
use crate::model::ask::{MetricInfo, Question};
use crate::ui::widget::text::dump;

fn told(question: &Question, result: Result<Answer, Fault>) -> Answered {
    Answered {
        ask: question.ask.clone(),
        ..answered(question.id, result)
    }
}

fn soon(effects: &[Effect]) -> Vec<Question> {
    effects
        .iter()
        .filter_map(|e| match e {
            Effect::AskSoon(questions) => Some(questions.clone()),
            _ => None,
        })
        .flatten()
        .collect()
}

fn info(name: &str, kind: &str, help: &str) -> MetricInfo {
    MetricInfo {
        name: name.into(),
        kind: kind.into(),
        help: help.into(),
        unit: String::new(),
    }
}

fn empty(view: &mut Metrics, world: &World) -> Vec<Effect> {
    let effects = view.update(Command::Edit, world);
    view.update(Command::Type(KeyPress::ctrl('u')), world);
    effects
}

fn press(view: &mut Metrics, keys: &str, world: &World) -> Vec<Effect> {
    let presses = crate::command::parse_keys(keys);
    presses
        .into_iter()
        .flat_map(|p| view.update(Command::Type(p), world))
        .collect()
}

fn text_of(view: &Metrics) -> &str {
    view.editing.text().unwrap_or_default()
}

fn drawn(view: &Metrics, world: &World, size: (u16, u16)) -> String {
    dump(&fake::paint(world, size, false, |ctx, area, buf| {
        view.draw(ctx, area, buf);
    }))
}

/// With names and labels heard of the first cluster.
fn heard(world: &World) -> Metrics {
    let mut view = Metrics::default();
    for question in soon(&empty(&mut view, world)) {
        let result = match &question.ask {
            Ask::Metadata => Ok(Answer::Metadata(vec![
                info(
                    "http_requests_total",
                    "counter",
                    "Requests handled, by code.",
                ),
                info(
                    "http_request_duration_seconds",
                    "histogram",
                    "Time to the last byte.",
                ),
            ])),
            Ask::LabelValues { .. } => Ok(Answer::Names(vec!["http_inflight".into()])),
            other => panic!("{other:?}"),
        };
        view.answer(&told(&question, result), world);
    }
    view
}

#[test]
fn names_labels_and_values_are_asked_for_and_offered() {
    let world = world();
    let mut view = heard(&world);
    assert!(press(&mut view, "htre", &world).is_empty(), "all is heard");
    press(&mut view, "<tab>", &world);
    assert_eq!(text_of(&view), "http_requests_total");
    let asked = soon(&press(&mut view, "{", &world));
    assert_eq!(asked.len(), 2, "both clusters: {asked:?}");
    assert!(asked.iter().all(|q| q.ask == Ask::LabelNames));
    let names = Answer::Names(vec!["code".into(), "method".into()]);
    view.answer(&told(&asked[0], Ok(names)), &world);
    let asked = soon(&press(&mut view, "c<tab>", &world));
    assert_eq!(text_of(&view), "http_requests_total{code=\"\"");
    let wanted = Ask::LabelValues {
        label: "code".into(),
    };
    assert!(asked.iter().any(|q| q.ask == wanted), "{asked:?}");
    let values = Answer::Names(vec!["200".into(), "503".into()]);
    view.answer(&told(&asked[0], Ok(values)), &world);
    press(&mut view, "5<tab>", &world);
    assert_eq!(text_of(&view), "http_requests_total{code=\"503\"");
}

#[test]
fn what_was_heard_stays_when_the_source_is_down() {
    let mut world = world();
    let mut view = heard(&world);
    world.now = Timestamp(NOW + 3_600_000);
    let asked = soon(&press(&mut view, "http_", &world));
    assert!(!asked.is_empty(), "it is old");
    let fault = Fault {
        kind: FaultKind::Unreachable,
        cluster: "alpha".into(),
        endpoint: "http://127.0.0.1:9090".into(),
        what: "connection refused".into(),
        hint: "is it running?".into(),
    };
    for question in &asked {
        view.answer(&told(question, Err(fault.clone())), &world);
    }
    let text = drawn(&view, &world, (120, 30));
    assert!(
        text.contains("http_requests_total") && text.contains("as last heard"),
        "{text}"
    );
    press(&mut view, "i", &world);
    assert!(
        soon(&press(&mut view, "n", &world)).is_empty(),
        "not at every key"
    );
}

#[test]
fn labels_of_the_series_held_come_first() {
    let world = world();
    let mut view = heard(&world);
    press(&mut view, "node_load1{", &world);
    let text = drawn(&view, &world, (120, 30));
    assert!(text.contains("node label of this metric"), "{text}");
    press(&mut view, "n<tab>", &world);
    let text = drawn(&view, &world, (120, 30));
    assert!(text.contains("n1") && text.contains("n2"), "{text}");
}

#[test]
fn signals_of_the_catalogue_are_snippets() {
    let world = world();
    let mut view = heard(&world);
    let signal = world.signals.first().expect("a catalogue");
    press(&mut view, &signal.name, &world);
    press(&mut view, "<tab>", &world);
    assert_eq!(text_of(&view), signal.query.as_ref());
}

#[test]
fn earlier_and_saved_queries() {
    let mut world = world();
    world.queries = fake::kept([
        ("busiest namespaces", "topk(10, cpu)", QueryLanguage::Promql),
        ("errors", "{app=\"a\"}", QueryLanguage::Logql),
    ]);
    let mut view = heard(&world);
    press(&mut view, "up<enter>", &world);
    view.update(Command::Recall, &world);
    for size in [(200, 50), (120, 36), (80, 24)] {
        insta::assert_snapshot!(
            format!("recall_{}x{}", size.0, size.1),
            drawn(&view, &world, size)
        );
    }
    press(&mut view, "busi<enter>", &world);
    assert_eq!(text_of(&view), "topk(10, cpu)");
    let effects = press(&mut view, "<enter>", &world);
    let asks = |effect: &Effect| matches!(effect, Effect::Ask(q) if matches!(&q.ask, Ask::Range { query, .. } if query == "topk(10, cpu)"));
    assert!(effects.iter().any(asks));
}

#[test]
fn escape_undoes_one_thing_at_a_time() {
    let world = world();
    let mut view = heard(&world);
    press(&mut view, "http", &world);
    assert_eq!(view.depth(), 2);
    assert!(view.back() && view.typing());
    assert!(view.back() && !view.typing());
    assert_eq!(view.depth(), 0);
}

#[test]
fn list_and_mistake_at_three_sizes() {
    let world = world();
    for size in [(200, 50), (120, 36), (80, 24)] {
        let mut view = heard(&world);
        press(&mut view, "sum(rate(http_re", &world);
        press(&mut view, "<down>", &world);
        insta::assert_snapshot!(
            format!("editor_list_{}x{}", size.0, size.1),
            drawn(&view, &world, size)
        );
        let mut view = heard(&world);
        press(&mut view, "sum(rate(http_requests_total)) == 1", &world);
        insta::assert_snapshot!(
            format!("editor_mistake_{}x{}", size.0, size.1),
            drawn(&view, &world, size)
        );
    }
}

#[test]
fn the_mistake_is_underlined() {
    use ratatui::style::Modifier;
    let world = world();
    let mut view = heard(&world);
    press(&mut view, "up == == 1", &world);
    let buf = fake::paint(&world, (120, 30), false, |ctx, area, buf| {
        view.draw(ctx, area, buf);
    });
    let marked: String = buf
        .content
        .iter()
        .filter(|c| c.modifier.contains(Modifier::UNDERLINED))
        .map(|c| c.symbol())
        .collect();
    assert_eq!(marked, "==");
}

#[test]
fn the_editor_fits_any_room() {
    let world = world();
    let mut view = heard(&world);
    press(&mut view, "sum(rate(http_re", &world);
    for width in (0..130).step_by(7) {
        for height in 0..14 {
            fake::screen(&world, width, height, |ctx, area, buf| {
                view.draw(ctx, area, buf);
            });
        }
    }
}

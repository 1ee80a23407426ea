use super::*;
use crate::config::QueryLanguage;
use crate::model::ask::Question;
use crate::ui::widget::text::dump;

pub const SIZES: [(u16, u16); 3] = [(200, 50), (120, 36), (80, 24)];

pub fn told(question: &Question, answer: Answer) -> Answered {
    Answered {
        id: question.id,
        cluster: question.cluster,
        ask: question.ask.clone(),
        origin: "test".into(),
        at: Timestamp(NOW),
        latency_ms: 7,
        warnings: Vec::new(),
        cut_from: None,
        result: Ok(answer),
    }
}

pub fn questions(effects: &[Effect]) -> Vec<Question> {
    let all = effects.iter().flat_map(|e| match e {
        Effect::AskSoon(questions) => questions.clone(),
        Effect::Ask(question) => vec![question.clone()],
        _ => Vec::new(),
    });
    all.collect()
}

pub fn press(view: &mut Logs, keys: &str, world: &World) -> Vec<Effect> {
    let presses = crate::command::parse_keys(keys);
    presses
        .into_iter()
        .flat_map(|p| view.update(Command::Type(p), world))
        .collect()
}

pub fn drawn(view: &Logs, world: &World, size: (u16, u16)) -> String {
    dump(&fake::paint(world, size, false, |ctx, area, buf| {
        view.draw(ctx, area, buf);
    }))
}

fn names(names: &[&str]) -> Answer {
    Answer::Names(names.iter().map(|n| (*n).to_owned()).collect())
}

/// With the labels heard of the first cluster.
fn heard(world: &World) -> Logs {
    let mut view = Logs::default();
    for question in questions(&view.update(Command::Edit, world)) {
        assert_eq!(question.ask, Ask::LokiLabelNames);
        view.answer(&told(&question, names(&["app", "level"])), world);
    }
    view
}

fn text_of(view: &Logs) -> &str {
    view.editing.text().unwrap_or_default()
}

#[test]
fn labels_and_values_are_asked_of_loki_and_offered() {
    let world = world();
    let mut view = heard(&world);
    press(&mut view, "{ap<tab>", &world);
    assert_eq!(text_of(&view), "{app=\"\"");
    // What only the lines held tell is offered too.
    let mut view = heard(&world);
    press(&mut view, "{nam<tab>", &world);
    assert_eq!(text_of(&view), "{namespace=\"\"");
    let mut view = heard(&world);
    let asked = questions(&press(&mut view, "{app=\"", &world));
    let wanted = Ask::LokiLabelValues {
        label: "app".into(),
        query: None,
    };
    assert!(asked.iter().any(|q| q.ask == wanted), "{asked:?}");
    view.answer(&told(&asked[0], names(&["cart", "checkout\"x"])), &world);
    press(&mut view, "ch<tab>", &world);
    assert_eq!(text_of(&view), "{app=\"checkout\\\"x\"");
    assert!(
        questions(&press(&mut view, "<bs>", &world)).is_empty(),
        "it is known"
    );
}

#[test]
fn stages_and_functions_have_help() {
    let world = world();
    let mut view = heard(&world);
    press(&mut view, "{app=\"a\"} | logf", &world);
    let text = drawn(&view, &world, (120, 30));
    assert!(text.contains("labels from key=value"), "{text}");
    press(&mut view, "<tab>", &world);
    assert_eq!(text_of(&view), "{app=\"a\"} | logfmt ");
}

#[test]
fn kept_queries_of_this_language_and_those_before() {
    let mut world = world();
    world.queries = fake::kept([
        ("cpu", "topk(10, cpu)", QueryLanguage::Promql),
        ("errors", "{app=\"a\"} |= \"error\"", QueryLanguage::Logql),
    ]);
    let mut view = heard(&world);
    press(&mut view, "{app=\"x\"}<enter>", &world);
    view.update(Command::Recall, &world);
    for size in SIZES {
        insta::assert_snapshot!(
            format!("recall_{}x{}", size.0, size.1),
            drawn(&view, &world, size)
        );
    }
    press(&mut view, "erro<enter>", &world);
    let asked = questions(&press(&mut view, "<enter>", &world));
    assert!(
        asked.iter().any(
            |q| matches!(&q.ask, Ask::Logs { query, .. } if query == "{app=\"a\"} |= \"error\"")
        ),
        "{asked:?}"
    );
    assert!(!view.typing());
}

#[test]
fn list_and_mistake_at_three_sizes() {
    let world = world();
    for size in SIZES {
        let mut view = heard(&world);
        press(&mut view, "{app=\"a\"} | ", &world);
        insta::assert_snapshot!(
            format!("editor_list_{}x{}", size.0, size.1),
            drawn(&view, &world, size)
        );
        let mut view = heard(&world);
        press(&mut view, "sum({app=\"a\"}) > 5", &world);
        insta::assert_snapshot!(
            format!("editor_mistake_{}x{}", size.0, size.1),
            drawn(&view, &world, size)
        );
    }
}

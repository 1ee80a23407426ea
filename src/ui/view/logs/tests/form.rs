use super::editor::{SIZES, drawn, press, questions, told};
use super::lines::told_world;
use super::*;
use crate::model::ask::Question;

#[test]
fn the_form_writes_the_query_as_this_server_names_things() {
    let world = told_world();
    let mut view = Logs::default();
    let names = |all: &[&str]| Answer::Names(all.iter().map(|n| (*n).to_owned()).collect());
    for question in questions(&view.update(Command::Form, &world)) {
        if question.ask == Ask::LokiLabelNames {
            let labels = names(&["k8s_namespace_name", "app", "pod"]);
            view.answer(&told(&question, labels), &world);
        }
    }
    assert!(view.typing());
    press(&mut view, "<down>", &world);
    let asked = questions(&press(&mut view, "sho", &world));
    let wanted = Ask::LokiLabelValues {
        label: "k8s_namespace_name".into(),
        query: None,
    };
    let question = asked.iter().find(|q| q.ask == wanted);
    let question = question.cloned().unwrap_or(Question {
        id: crate::model::id::RequestId(1),
        cluster: ClusterId(0),
        ask: wanted,
    });
    view.answer(
        &told(&question, names(&["shop", "shipping", "other"])),
        &world,
    );
    press(&mut view, "<tab>", &world);
    press(
        &mut view,
        "<down>cart-*<down><down><down>error, fatal<down>a \"b\" \\c",
        &world,
    );
    for size in SIZES {
        insta::assert_snapshot!(
            format!("form_{}x{}", size.0, size.1),
            drawn(&view, &world, size)
        );
    }
    let asked = questions(&press(&mut view, "<enter>", &world));
    let query = asked.iter().find_map(|q| match &q.ask {
        Ask::Logs { query, .. } => Some(query.clone()),
        _ => None,
    });
    assert_eq!(
        query.as_deref(),
        Some(
            r#"{k8s_namespace_name="shop", app=~"cart\\-.*"} |= "a \"b\" \\c" | detected_level=~"error|fatal""#
        )
    );
    assert!(!view.typing());
}

#[test]
fn an_empty_form_asks_for_everything() {
    let world = told_world();
    let mut view = Logs::default();
    view.update(Command::Form, &world);
    let asked = questions(&press(&mut view, "<enter>", &world));
    assert!(
        matches!(&asked[0].ask, Ask::Logs { query, .. } if query == "{namespace=~\".+\"}"),
        "{asked:?}"
    );
}

use super::*;
use crate::language::promql::PROMQL;

/// Knows two metrics, a label and its values.
struct Few;

impl Known for Few {
    fn each(&self, what: &What, take: &mut dyn FnMut(Offer<'_>)) {
        let mut offer = |text, kind, help, puts| {
            take(Offer {
                text,
                kind,
                help,
                puts,
            });
        };
        match what {
            What::Names => {
                offer("node_load1", "gauge", "1m load average", "");
                offer("node_load15", "gauge", "15m load average", "");
            }
            What::Labels { .. } => offer("job", "label", "", ""),
            What::Values { .. } => {
                offer("api", "value", "", "");
                offer("a\"b", "value", "", "");
            }
            What::Snippets => offer("cpu", "snippet", "busy", "sum(rate(cpu[5m]))"),
            What::Words(_) | What::Bare { .. } => {}
        }
    }
}

struct Nothing;

impl Known for Nothing {
    fn each(&self, _: &What, _: &mut dyn FnMut(Offer<'_>)) {}

    fn note(&self, _: &What) -> String {
        "asking …".into()
    }
}

/// Has not been answered yet.
struct Silent;

impl Known for Silent {
    fn each(&self, _: &What, _: &mut dyn FnMut(Offer<'_>)) {}
}

fn keys(editor: &mut Editor, keys: &str, past: &Past) -> Vec<Outcome> {
    let presses = crate::command::parse_keys(keys);
    presses
        .into_iter()
        .map(|p| editor.press(p, past, &Few))
        .filter(|o| *o != Outcome::Stay)
        .collect()
}

fn typed(text: &str) -> Editor {
    let mut editor = Editor::new(&PROMQL, "");
    keys(&mut editor, text, &Past::default());
    editor
}

fn rows(editor: &Editor) -> Vec<&str> {
    let list = editor.list.as_ref();
    list.map(|l| l.rows.iter().map(|r| r.text.as_str()).collect())
        .unwrap_or_default()
}

#[test]
fn tab_takes_the_best_and_leads_on() {
    let editor = typed("nlo15<tab>");
    assert_eq!(editor.text(), "node_load15");
    let editor = typed("node_load1{j<tab>");
    assert_eq!(editor.text(), "node_load1{job=\"\"");
    assert_eq!(rows(&editor), ["api", "a\"b"], "the values at once");
    let editor = typed("node_load1{j<tab>a<down><down><enter>");
    assert_eq!(editor.text(), "node_load1{job=\"a\\\"b\"");
    let editor = typed("rat<tab>");
    assert_eq!(editor.text(), "rate()");
    assert_eq!(editor.field.cursor(), 5);
    let editor = typed("cpu<tab>");
    assert_eq!(editor.text(), "sum(rate(cpu[5m]))");
}

#[test]
fn enter_runs_unless_a_row_was_chosen() {
    let mut editor = typed("node_lo");
    assert_eq!(rows(&editor), ["node_load1", "node_load15"]);
    let past = Past::default();
    assert_eq!(
        keys(&mut editor, "<enter>", &past),
        [Outcome::Run("node_lo".into())]
    );
    assert!(keys(&mut editor, "<down><enter>", &past).is_empty());
    assert_eq!(editor.text(), "node_load1");
}

#[test]
fn escape_closes_the_list_first() {
    let mut editor = typed("node_lo");
    assert_eq!(editor.depth(), 1);
    assert!(editor.back() && editor.text() == "node_lo");
    assert!(!editor.back());
    keys(&mut editor, "<c-r>", &Past::default());
    assert!(editor.back() && !editor.back());
}

#[test]
fn a_cursor_that_moves_closes_the_list_and_tab_opens_it() {
    let mut editor = typed("node_lo<left>");
    assert!(editor.list.is_none());
    keys(&mut editor, "<tab>", &Past::default());
    assert!(editor.list.is_some());
}

#[test]
fn earlier_queries_by_arrow_and_by_search() {
    let mut past = Past::default();
    for query in ["up", "rate(http_requests_total[5m])", "node_load1 > 4"] {
        past.add(query);
    }
    past.add("up");
    past.set_saved(vec![Saved {
        name: "busiest".into(),
        query: "topk(3, cpu)".into(),
    }]);
    let mut editor = Editor::new(&PROMQL, "draft");
    keys(&mut editor, "<up>", &past);
    assert_eq!(editor.text(), "up");
    keys(&mut editor, "<up><up><up><up>", &past);
    assert_eq!(editor.text(), "rate(http_requests_total[5m])");
    keys(&mut editor, "<down><down><down>", &past);
    assert_eq!(editor.text(), "draft");
    keys(&mut editor, "<c-r>htot<enter>", &past);
    assert_eq!(editor.text(), "rate(http_requests_total[5m])");
    keys(&mut editor, "<c-r>busi<tab>", &past);
    assert_eq!(editor.text(), "topk(3, cpu)");
    keys(
        &mut editor,
        "<c-r>nothing<space>like<space>it<enter>",
        &past,
    );
    assert_eq!(
        editor.text(),
        "topk(3, cpu)",
        "nothing found, nothing taken"
    );
}

#[test]
fn what_arrives_later_is_shown_and_the_choice_stays() {
    let past = Past::default();
    let mut editor = Editor::new(&PROMQL, "node_load1{");
    for press in crate::command::parse_keys("<tab>") {
        editor.press(press, &past, &Nothing);
    }
    assert!(rows(&editor).is_empty() && editor.list.is_some());
    editor.look(&Few);
    assert_eq!(rows(&editor), ["job"]);
    keys(&mut editor, "<down>", &past);
    editor.look(&Few);
    assert_eq!(editor.list.as_ref().and_then(|l| l.at), Some(0));
    editor.back();
    editor.look(&Few);
    assert!(editor.list.is_none(), "a closed list stays closed");
}

#[test]
fn a_long_list_is_cut_and_says_so() {
    struct Many;
    impl Known for Many {
        fn each(&self, what: &What, take: &mut dyn FnMut(Offer<'_>)) {
            if *what == What::Names {
                for n in 0..20_000 {
                    let text = format!("metric_{n}");
                    take(Offer {
                        text: &text,
                        kind: "gauge",
                        help: "",
                        puts: "",
                    });
                }
            }
        }
    }
    let mut editor = Editor::new(&PROMQL, "");
    for press in crate::command::parse_keys("m19999") {
        editor.press(press, &Past::default(), &Many);
    }
    assert_eq!(rows(&editor)[0], "metric_19999");
    for press in crate::command::parse_keys("<c-u>metr") {
        editor.press(press, &Past::default(), &Many);
    }
    let list = editor.list.as_ref().expect("a list");
    assert_eq!((list.rows.len(), list.matched), (500, 20_000));
}

#[test]
fn a_list_opens_when_what_it_needs_has_arrived_and_not_after_esc() {
    let past = Past::default();
    let mut editor = Editor::new(&PROMQL, "");
    for press in crate::command::parse_keys("node") {
        editor.press(press, &past, &Silent);
    }
    assert!(rows(&editor).is_empty());
    editor.look(&Few);
    assert_eq!(rows(&editor), ["node_load1", "node_load15"]);
    assert!(editor.back());
    editor.look(&Few);
    assert!(rows(&editor).is_empty());
}

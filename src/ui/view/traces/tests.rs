use std::sync::Arc;

use super::*;
use crate::config::{Cluster, Config, Endpoint};
use crate::model::ask::{Answer, Ask, Question};
use crate::model::export::Cell;
use crate::model::fault::{Fault, FaultKind};
use crate::model::input::{Key, KeyPress};
use crate::model::time::Timestamp;
use crate::model::trace::{Counts, Event, Span, SpanId, Status, Summary};
use crate::ui::view::fake::{self, NOW};

mod files;
mod graph;
mod pictures;

use files::kept;

const SECOND: i64 = 1_000_000_000;
const START: i64 = NOW * 1_000_000 - 60 * SECOND;

fn world(names: &[&str]) -> World {
    let clusters = names.iter().map(|name| Cluster {
        name: (*name).to_owned(),
        tempo: (*name != "bare").then(Endpoint::default),
        ..Cluster::default()
    });
    let config = Config {
        clusters: clusters.collect(),
        ..Config::default()
    };
    World::new(&config, Timestamp(NOW))
}

fn entry(query: Option<&str>) -> Entry {
    Entry {
        scope: None,
        window: Window::HOUR,
        focus: None,
        query: query.map(str::to_owned),
    }
}

fn asked(effects: &[Effect]) -> Vec<Question> {
    let questions = effects.iter().filter_map(|effect| match effect {
        Effect::Ask(question) => Some(question.clone()),
        _ => None,
    });
    questions.collect()
}

/// Answers, and gives what is asked for next.
fn answer(
    view: &mut Traces,
    question: &Question,
    result: Result<Answer, Fault>,
    world: &World,
) -> Vec<Question> {
    let answered = Answered {
        id: question.id,
        cluster: question.cluster,
        ask: question.ask.clone(),
        origin: "test".into(),
        at: Timestamp(NOW),
        latency_ms: 12,
        warnings: Vec::new(),
        cut_from: None,
        result,
    };
    asked(&view.answer(&answered, world))
}

fn found(id: u128, duration_ms: u64, errors: u64) -> Summary {
    Summary {
        id: TraceId(id),
        service: "gateway".into(),
        operation: "POST /api/checkout".into(),
        start_ns: START + i64::try_from(id).unwrap() * SECOND,
        duration_ms,
        counts: Some(Counts {
            spans: 4,
            services: 2,
            errors,
        }),
        matched: None,
    }
}

fn span(id: u64, parent: u64, from_ms: i64, to_ms: i64, operation: &str) -> Span {
    let pod = [("k8s.pod.name", "pay-0"), ("k8s.namespace.name", "shop")];
    Span {
        id: SpanId(id),
        parent: (parent > 0).then_some(SpanId(parent)),
        service: Arc::from("checkout"),
        operation: operation.to_owned(),
        start_ns: START + from_ms * 1_000_000,
        end_ns: START + to_ms * 1_000_000,
        resource: Arc::new(pod.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec()),
        ..Span::default()
    }
}

fn trace() -> Trace {
    let mut failed = span(4, 3, 400, 1780, "db.query");
    failed.status = Status::Error;
    failed.message = "timeout".into();
    failed.attributes = vec![("db.system".into(), "postgres".into())];
    failed.events = vec![Event {
        at_ns: failed.start_ns + 5_000_000,
        name: "exception".into(),
        attributes: vec![("exception.type".into(), "Timeout".into())],
    }];
    let spans = vec![
        span(1, 0, 0, 1920, "POST /pay"),
        span(2, 1, 20, 160, "GetCart"),
        span(3, 1, 170, 1880, "Authorize"),
        failed,
        span(9, 77, 100, 200, "Audit"),
    ];
    Trace::new(TraceId(0x7be1), spans)
}

fn fault(what: &str, kind: FaultKind) -> Fault {
    Fault {
        kind,
        cluster: "alpha".into(),
        endpoint: "http://tempo".into(),
        what: what.into(),
        hint: "try".into(),
    }
}

fn shown(view: &mut Traces, world: &World, (width, height): (u16, u16)) -> String {
    view.place(Rect::new(0, 0, width, height), world);
    fake::screen(world, width, height, |ctx, area, buf| {
        view.draw(ctx, area, buf)
    })
}

/// With one trace found and open.
fn opened(world: &World, size: (u16, u16)) -> Traces {
    let mut view = Traces::default();
    shown(&mut view, world, size);
    let questions = asked(&view.enter(&entry(Some("7be1000000000000")), world));
    answer(
        &mut view,
        &questions[0],
        Ok(Answer::Trace(Arc::new(trace()))),
        world,
    );
    view
}

fn type_text(view: &mut Traces, text: &str, world: &World) -> Vec<Effect> {
    for c in text.chars() {
        view.update(Command::Type(KeyPress::plain(Key::Char(c))), world);
    }
    view.update(Command::Type(KeyPress::plain(Key::Enter)), world)
}

#[test]
fn recent_traces_come_first_from_all_that_have_a_tempo() {
    let world = world(&["alpha", "beta", "bare"]);
    let mut view = Traces::default();
    let questions = asked(&view.enter(&entry(None), &world));
    assert_eq!(questions.len(), 2);
    assert!(matches!(&questions[0].ask, Ask::Traces { query, .. } if query == "{}"));
    let text = shown(&mut view, &world, (120, 30));
    assert!(
        text.contains("asking") && text.contains("1 without Tempo"),
        "{text}"
    );
    let few = vec![found(2, 40, 0), found(1, 0, 0)];
    answer(&mut view, &questions[0], Ok(Answer::Traces(few)), &world);
    answer(
        &mut view,
        &questions[1],
        Ok(Answer::Traces(vec![found(3, 1900, 2)])),
        &world,
    );
    assert_eq!(view.rows()[0].found.id, TraceId(3), "the newest first");
    for size in [(200, 50), (120, 36), (80, 24)] {
        let text = shown(&mut view, &world, size);
        for words in ["3 traces", "1.9 s", "<1 ms", "err 33.3%", "2 ✗"] {
            assert!(text.contains(words), "{words} in {text}");
        }
    }
    let list = kept(&mut view, &world);
    assert_eq!(list.rows.len(), 3);
    assert_eq!(
        (&list.rows[0][0], &list.rows[0][3]),
        (&Cell::Text(TraceId(3).to_string()), &Cell::Number(1900.0))
    );
    assert_eq!(list.origin, "Tempo of 2 clusters");
    view.update(Command::Problems, &world);
    assert_eq!(view.rows().len(), 1);
    assert_eq!(kept(&mut view, &world).rows.len(), 1, "those in view");
    view.update(Command::Filter("nope".into()), &world);
    let text = shown(&mut view, &world, (80, 24));
    assert!(text.contains("nothing passes the filter"), "{text}");
}

#[test]
fn a_mistake_in_the_query_is_shown_where_it_is() {
    let world = world(&["alpha"]);
    let mut view = Traces::default();
    view.update(Command::Edit, &world);
    let questions = asked(&type_text(&mut view, "{ status = ", &world));
    let what = "the query was refused: invalid TraceQL query: parse error at line 1, col 12: x";
    let refused = fault(what, FaultKind::BadQuery);
    answer(&mut view, &questions[0], Err(refused), &world);
    let text = shown(&mut view, &world, (120, 30));
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|l| l.contains("{ status =")).unwrap();
    let begin = lines[at].find('{').unwrap();
    let mark = lines[at + 1].find('^').unwrap();
    assert_eq!(mark - begin, 11, "{text}");
    assert!(text.contains("parse error"), "{text}");
    // Words that make no query are not sent.
    let mut view = Traces::default();
    view.update(Command::Edit, &world);
    assert!(asked(&type_text(&mut view, "checkout >soon", &world)).is_empty());
    let text = shown(&mut view, &world, (120, 30));
    assert!(text.contains("`>soon` is no time"), "{text}");
}

/// All that is asked, at once or soon.
fn questions(effects: &[Effect]) -> Vec<Question> {
    let all = effects.iter().flat_map(|effect| match effect {
        Effect::Ask(question) => vec![question.clone()],
        Effect::AskSoon(questions) => questions.clone(),
        _ => Vec::new(),
    });
    all.collect()
}

#[test]
fn tags_and_values_of_tempo_are_completed() {
    let world = world(&["alpha"]);
    let mut view = Traces::default();
    shown(&mut view, &world, (120, 36));
    let tags = questions(&view.update(Command::Edit, &world));
    assert_eq!(tags[0].ask, Ask::TraceTags);
    let names = ["resource.service.name", "span.http.status_code", "duration"];
    let names = names.map(str::to_owned).to_vec();
    answer(&mut view, &tags[0], Ok(Answer::Names(names)), &world);
    let type_only = |view: &mut Traces, text: &str| -> Vec<Effect> {
        let keys = text.chars().map(|c| KeyPress::plain(Key::Char(c)));
        let effects = keys.flat_map(|key| view.update(Command::Type(key), &world));
        effects.collect()
    };
    let press = |view: &mut Traces, key| view.update(Command::Type(KeyPress::plain(key)), &world);
    type_only(&mut view, "{ httpsta");
    let text = shown(&mut view, &world, (120, 36));
    assert!(text.contains("span.http.status_code"), "{text}");
    let asked = questions(&press(&mut view, Key::Tab));
    assert_eq!(view.editing.text(), Some("{ span.http.status_code = "));
    type_only(&mut view, "5");
    let values = asked.last().expect("values are asked for");
    let tag = "span.http.status_code".to_owned();
    assert_eq!(values.ask, Ask::TraceTagValues { tag });
    let told = [("502", "int"), ("five", "string")];
    let told = told.map(|(v, k)| (v.to_owned(), k.to_owned())).to_vec();
    answer(&mut view, values, Ok(Answer::TagValues(told)), &world);
    press(&mut view, Key::Tab);
    assert_eq!(view.editing.text(), Some("{ span.http.status_code = 502"));
    type_only(&mut view, " && nope = 1");
    let text = shown(&mut view, &world, (120, 36));
    assert!(text.contains("`nope` is no word of TraceQL"), "{text}");
    assert!(view.back() && view.depth() == 0);
}

#[test]
fn answers_to_older_searches_are_dropped() {
    let world = world(&["alpha"]);
    let mut view = Traces::default();
    let old = asked(&view.enter(&entry(Some("one")), &world));
    let new = asked(&view.enter(&entry(Some("two")), &world));
    answer(
        &mut view,
        &old[0],
        Ok(Answer::Traces(vec![found(1, 1, 0)])),
        &world,
    );
    assert!(view.rows().is_empty());
    answer(
        &mut view,
        &new[0],
        Ok(Answer::Traces(vec![found(2, 1, 0)])),
        &world,
    );
    assert_eq!(view.rows().len(), 1);
}

#[test]
fn a_waterfall_tells_what_is_missing_and_what_failed() {
    let world = world(&["alpha"]);
    for size in [(200, 50), (120, 36), (80, 24)] {
        let mut view = opened(&world, size);
        let text = shown(&mut view, &world, size);
        for words in [
            "5 spans",
            "POST /pay",
            "  └ db.query",
            "1.38 s ✗",
            "(parent missing) Audit",
            "1 without their parent",
        ] {
            assert!(text.contains(words), "{words} at {size:?} in {text}");
        }
    }
}

#[test]
fn the_next_failing_span_is_found_within_folded_branches() {
    let world = world(&["alpha"]);
    let mut view = opened(&world, (200, 50));
    view.update(Command::FoldAll, &world);
    view.update(Command::Fold, &world);
    let text = shown(&mut view, &world, (200, 50));
    assert!(
        text.contains("▸3 1✗ POST /pay") && !text.contains("db.query"),
        "{text}"
    );
    view.update(Command::NextProblem, &world);
    let text = shown(&mut view, &world, (200, 50));
    for words in [
        "checkout db.query",
        "✗ ERROR · timeout",
        "self 1.38 s, 72% of the trace",
        "+5 ms exception",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

#[test]
fn a_span_leads_to_logs_and_metrics_of_its_pod_at_its_time() {
    let world = world(&["alpha"]);
    let view = opened(&world, (120, 36));
    let logs = view.leads(Jump::Logs, &world).unwrap();
    assert!(matches!(&logs.focus, Some(Focus::Pod { pod, .. }) if pod == "pay-0"));
    let (from, to) = logs.window.unwrap().bounds(Timestamp(NOW));
    assert!(from.0 * 1_000_000 < START && to.0 * 1_000_000 > START + 2 * SECOND);
    let metrics = view.leads(Jump::Metrics, &world).unwrap();
    assert!(
        metrics
            .query
            .unwrap()
            .contains("namespace=\"shop\",pod=\"pay-0\"")
    );
    assert_eq!(view.leads(Jump::Node, &world), None);
}

#[test]
fn a_trace_that_nobody_has_is_told() {
    let world = world(&["alpha", "beta"]);
    let mut view = Traces::default();
    let questions = asked(&view.enter(&entry(Some("00000000000000000000000000007be1")), &world));
    assert_eq!(questions.len(), 2);
    let gone = || Err(fault("no trace there", FaultKind::NotFound));
    answer(&mut view, &questions[0], gone(), &world);
    answer(&mut view, &questions[1], gone(), &world);
    let text = shown(&mut view, &world, (80, 24));
    assert!(text.contains("no trace there"), "{text}");
    assert!(view.back() && view.depth() == 0);
}

#[test]
fn without_a_tempo_it_says_what_to_do() {
    let world = world(&["bare"]);
    let mut view = Traces::default();
    assert!(asked(&view.enter(&entry(None), &world)).is_empty());
    let text = shown(&mut view, &world, (80, 24));
    assert!(text.contains("no Tempo is configured"), "{text}");
}

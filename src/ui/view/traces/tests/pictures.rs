//! Every state of the screen at three sizes.

use super::*;
use crate::model::trace::Link;

const SIZES: [(u16, u16); 3] = [(200, 50), (120, 36), (80, 24)];

pub fn keep(name: &str, view: &mut Traces, world: &World, words: &[&str]) {
    for size in SIZES {
        let text = shown(view, world, size);
        for word in words {
            assert!(text.contains(word), "{word} at {size:?} in {text}");
        }
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), text);
    }
}

fn searched(world: &World) -> (Traces, Vec<Question>) {
    let mut view = Traces::default();
    shown(&mut view, world, (120, 36));
    let questions = asked(&view.enter(&entry(Some("checkout >1ms")), world));
    (view, questions)
}

#[test]
fn a_search_from_begin_to_end() {
    let mut world = world(&["alpha", "beta"]);
    let (mut view, first) = searched(&world);
    keep("loading", &mut view, &world, &["asking …", "2 asked"]);
    let some = vec![found(2, 40, 0), found(1, 1900, 2)];
    answer(&mut view, &first[0], Ok(Answer::Traces(some)), &world);
    let slow = fault("no answer within 10 s", FaultKind::Timeout);
    answer(&mut view, &first[1], Err(slow), &world);
    keep(
        "partial",
        &mut view,
        &world,
        &["2 traces", "no answer within 10 s"],
    );
    // Asked again, and nobody answers: what was there stays and is called stale.
    let again = asked(&view.update(Command::Refresh, &world));
    let text = shown(&mut view, &world, (80, 24));
    assert!(
        text.contains("asking …") && text.contains("gateway"),
        "{text}"
    );
    for question in &again {
        let gone = fault("connection refused", FaultKind::Unreachable);
        answer(&mut view, question, Err(gone), &world);
    }
    world.now = Timestamp(NOW + 42_000);
    keep(
        "stale",
        &mut view,
        &world,
        &["2 traces", "stale 42s", "connection refused"],
    );
    // Rows of another search are not shown as those of this one.
    let other = asked(&view.enter(&entry(Some("cart")), &world));
    for question in &other {
        let gone = fault("connection refused", FaultKind::Unreachable);
        answer(&mut view, question, Err(gone), &world);
    }
    keep("error", &mut view, &world, &["0 traces", "no answer"]);
    let last = asked(&view.update(Command::Refresh, &world));
    for question in &last {
        answer(&mut view, question, Ok(Answer::Traces(Vec::new())), &world);
    }
    keep("empty", &mut view, &world, &["no trace matches"]);
}

/// A part of a trace with all that can be wrong in it.
fn broken() -> Trace {
    let mut early = span(5, 1, -40, 60, "Clock");
    early.links = vec![Link {
        trace: TraceId(0xabc),
        span: SpanId(1),
        attributes: Vec::new(),
    }];
    let endless = Span {
        end_ns: 0,
        ..span(6, 1, 300, 300, "Endless")
    };
    let spans = vec![
        span(1, 0, 0, 1920, "POST /pay"),
        early,
        endless,
        span(7, 8, 100, 200, "Ring"),
        span(8, 7, 110, 190, "Ring back"),
        span(9, 77, 100, 200, "Audit"),
        span(9, 77, 100, 200, "Audit"),
    ];
    let mut trace = Trace::new(TraceId(0x7be1), spans);
    trace.cut_from = Some(60_000);
    trace
}

#[test]
fn a_broken_trace_is_shown_as_what_it_is() {
    let world = world(&["alpha"]);
    let mut view = Traces::default();
    shown(&mut view, &world, (120, 36));
    let questions = asked(&view.enter(&entry(Some("7be1000000000000")), &world));
    keep("trace_loading", &mut view, &world, &["asking for trace"]);
    let whole = Ok(Answer::Trace(Arc::new(broken())));
    answer(&mut view, &questions[0], whole, &world);
    let words = [
        "6 of 60000 spans",
        "1 without their parent",
        "1 in a circle of parents",
        "1 before their parent",
    ];
    keep("trace_broken", &mut view, &world, &words);
    view.update(Command::Down, &world);
    view.update(Command::Detail, &world);
    view.update(Command::Detail, &world);
    let text = shown(&mut view, &world, (200, 50));
    for words in [
        "without usable times",
        "1 sent twice",
        "begins 40 ms before its parent",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

#[test]
fn a_trace_that_is_asked_again_in_vain_stays() {
    let world = world(&["alpha"]);
    let mut view = opened(&world, (120, 36));
    view.update(Command::NextProblem, &world);
    keep("trace", &mut view, &world, &["POST /pay", "1.38 s ✗"]);
    let again = asked(&view.update(Command::Refresh, &world));
    assert!(shown(&mut view, &world, (80, 24)).contains("db.query"));
    let gone = fault("connection refused", FaultKind::Unreachable);
    answer(&mut view, &again[0], Err(gone), &world);
    keep(
        "trace_stale",
        &mut view,
        &world,
        &["stale, as it was before", "db.query"],
    );
}

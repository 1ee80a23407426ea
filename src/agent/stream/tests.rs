//! Oddities of tool calls and errors in streams.

use super::*;
use serde_json::json;

fn run(deltas: &[Value], finish: &str) -> Completion {
    let mut all = Accumulator::new(Known::new(|_| true, [].into()));
    for delta in deltas {
        all.value(&json!({"choices": [{"delta": delta}]}))
            .expect("fine");
    }
    all.value(&json!({"choices": [{"delta": {}, "finish_reason": finish}]}))
        .expect("fine");
    all.finish().1
}

#[test]
fn calls_without_index_or_id() {
    let done = run(
        &[
            json!({"tool_calls": [{"function": {"name": "a", "arguments": "{\"x\""}}]}),
            json!({"tool_calls": [{"function": {"arguments": ":1}"}}]}),
            json!({"tool_calls": [{"function": {"name": "b", "arguments": {"y": 2}}}]}),
        ],
        "stop",
    );
    let seen: Vec<_> = done
        .calls
        .iter()
        .map(|c| (c.id.as_str(), c.name.as_str(), c.arguments.as_str()))
        .collect();
    assert_eq!(
        seen,
        [("call_0", "a", r#"{"x":1}"#), ("call_1", "b", r#"{"y":2}"#)]
    );
}

#[test]
fn one_index_for_two_calls() {
    let done = run(
        &[
            json!({"tool_calls": [{"index": 0, "id": "p", "function": {"name": "a", "arguments": "{}"}}]}),
            json!({"tool_calls": [{"index": 0, "id": "q", "function": {"name": "b", "arguments": "{}"}}]}),
        ],
        "tool_calls",
    );
    assert_eq!(done.calls.len(), 2);
}

#[test]
fn cut_arguments_are_not_carried_out() {
    let done = run(
        &[
            json!({"tool_calls": [{"index": 0, "id": "p", "function": {"name": "a", "arguments": "{\"q\": \"up"}}]}),
        ],
        "length",
    );
    assert!(done.calls.is_empty() && done.cut_call);
}

#[test]
fn three_error_shapes() {
    for (body, message, code) in [
        (json!({"error": "Unauthorized"}), "Unauthorized", None),
        (
            json!({"error": {"message": "no", "code": 404}}),
            "no",
            Some(404),
        ),
        (json!({"detail": "Not Found"}), "Not Found", None),
    ] {
        let error = error_of(&body).expect("an error");
        assert_eq!((error.message.as_str(), error.code), (message, code));
    }
    assert_eq!(error_of(&json!({"choices": [], "error": null})), None);
}

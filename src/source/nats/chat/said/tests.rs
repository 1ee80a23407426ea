use serde_json::json;

use super::*;

fn packed(value: &serde_json::Value) -> Said {
    read(&rmp_serde::to_vec_named(value).expect("packed")).expect("read")
}

#[test]
fn pieces_under_every_name() {
    for part in [
        json!({"content": "ab"}),
        json!({"delta": "ab"}),
        json!({"delta": {"content": "ab"}}),
        json!({"chunk": "ab", "done": false}),
        json!({"token": "ab"}),
        json!({"message": "ab", "type": "chunk"}),
        json!({"type": "message_delta", "data": {"text": "ab"}}),
        json!({"response": "ab", "done": false}),
        json!({"response": "ab", "seq": 4}),
        json!({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}),
        json!({"choices": [{"index": 0, "delta": {"content": "ab"}, "finish_reason": null}]}),
        json!({"event_type": "CHAT_MESSAGE", "payload": {"content": "ab", "is_final": false}}),
    ] {
        let said = packed(&part);
        assert_eq!((said.piece.as_str(), said.last), ("ab", false), "{part}");
        assert_eq!((said.whole, said.error), (None, None), "{part}");
    }
}

#[test]
fn ends_under_every_name() {
    for part in [
        json!({"done": true}),
        json!({"type": "done"}),
        json!({"status": "completed"}),
        json!({"type": "stream-end"}),
        json!({"data": {"is_final": true}}),
        json!({"finish_reason": "stop"}),
        json!({"choices": [{"delta": {}, "finish_reason": "stop"}]}),
    ] {
        let said = packed(&part);
        assert!(said.last && said.bytes() == 0, "{part}: {said:?}");
    }
    assert!(read(b"").expect("an empty payload").last);
    for part in [
        json!({"response": "all of it"}),
        json!({"answer": "all of it", "status": "success"}),
        json!({"response": "all of it", "done": true}),
    ] {
        let said = packed(&part);
        assert_eq!(said.whole.as_deref(), Some("all of it"), "{part}");
        assert!(said.last, "{part}");
    }
}

#[test]
fn errors_under_every_name() {
    for part in [
        json!({"error": "no model"}),
        json!({"error": {"code": 503, "message": "no model"}}),
        json!({"type": "error", "message": "no model"}),
        json!({"status": "failed", "detail": "no model"}),
        json!({"error": true, "message": "no model"}),
        json!({"payload": {"error": "no model"}, "content": "x"}),
    ] {
        let said = packed(&part);
        assert_eq!(said.error.as_deref(), Some("no model"), "{part}");
        assert_eq!(said.bytes(), 0, "{part}");
    }
    assert_eq!(packed(&json!({"error": null, "content": "x"})).error, None);
    assert_eq!(packed(&json!({"error": false, "content": "x"})).error, None);
    assert_eq!(packed(&json!({"error": "", "content": "x"})).error, None);
}

#[test]
fn what_stands_beside_the_answer() {
    let said = packed(&json!({
        "content": "x", "sequence": 3, "total_chunks": 9, "requestId": "r1", "event_id": "e",
        "model": "qwen3\u{1b}[2J", "usage": {"prompt_tokens": 10, "completion_tokens": 4},
        "sources": ["a.md", {"title": "B", "url": "http://b"}, {"score": 1}],
    }));
    assert_eq!((said.number, said.count), (Some(3), Some(9)));
    assert_eq!(
        (said.request.as_deref(), said.id.as_deref()),
        (Some("r1"), Some("e"))
    );
    assert_eq!(said.model.as_deref(), Some("qwen3"));
    assert_eq!((said.read_tokens, said.written_tokens), (Some(10), Some(4)));
    assert_eq!(said.sources, ["a.md", "B (http://b)"]);
    let thought = packed(&json!({"type": "thinking", "content": "hm"}));
    assert_eq!(
        (thought.thought.as_str(), thought.piece.as_str()),
        ("hm", "")
    );
    let life = packed(&json!({"type": "tool_call", "message": "query_metrics"}));
    assert_eq!(
        (life.life.as_deref(), life.last),
        (Some("query_metrics"), false)
    );
}

#[test]
fn forms_are_told_apart() {
    let json = read(br#"{"content": "x"}"#).expect("JSON");
    assert_eq!((json.form, json.piece.as_str()), (Form::Json, "x"));
    let words = read("grüße".as_bytes()).expect("words");
    assert_eq!((words.form, words.piece.as_str()), (Form::Plain, "grüße"));
    assert_eq!(read(b"\xa2hi").expect("a text").form, Form::MessagePack);
    for garbage in [
        &b"\x00\xff\x1b"[..],
        b"{\"content\": \"cut",
        b"[1, 2]",
        b"\x93\x01\x02\x03",
    ] {
        assert_eq!(read(garbage), None, "{garbage:?}");
    }
}

//! Servers that refuse, break off, stall, or lack what others have: said plainly, never a hang.

use std::time::Duration;

use farwatch::model::chat::RunOutcome;
use farwatch::model::fault::FaultKind;
use serde_json::{Value, json};

use crate::chat::{Bench, ChatServer, Say, event, nothing, settings, text, wire};
use crate::vllm::{Fault, VllmServer};

fn delta(text: &str) -> Vec<u8> {
    event(&json!({"choices": [{"index": 0, "delta": {"content": text}}]}))
}

async fn failing(says: Vec<Say>) -> (crate::chat::Seen, ChatServer) {
    let server = ChatServer::start(says).await;
    let mut bench = Bench::with(
        settings(&server.url(), Duration::from_millis(500)),
        nothing(),
    );
    (bench.ask("why?").await, server)
}

#[tokio::test]
async fn bytes_may_come_one_by_one() {
    let mut all = b": comment\r\n\r\n".to_vec();
    all.extend(b"event: message\r\ndata: ");
    all.extend(
        "{\"choices\":[{\"delta\":{\"content\":\"gr\u{fc}\u{df}e \u{1f600}\"}}]}\r\n\r\n".bytes(),
    );
    // The last event has no empty line after it.
    all.extend(b"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n");
    let pieces = all.iter().map(|b| vec![*b]).collect();
    let (seen, _) = failing(vec![Say::Stream(pieces)]).await;
    assert!(seen.answered(), "{seen:?}");
    assert_eq!(seen.text, "gr\u{fc}\u{df}e \u{1f600}");
}

#[tokio::test]
async fn hostile_text_is_cleaned() {
    let (seen, _) = failing(vec![text("a\u{1b}[2Jb\u{1b}]0;x\u{7}\u{202e}c")]).await;
    assert_eq!(seen.text, "abc");
}

#[tokio::test]
async fn error_event_in_the_middle() {
    let raw = String::from_utf8(wire::fixture("vllm/stream_server_terminated_tail.txt")).unwrap();
    let mut pieces = vec![delta("so far ")];
    pieces.extend(
        raw.lines()
            .filter(|line| line.starts_with("data: "))
            .map(|line| format!("{line}\n\n").into_bytes()),
    );
    let (seen, server) = failing(vec![Say::Stream(pieces)]).await;
    assert!(seen.text.starts_with("so far wnloif"), "{seen:?}");
    assert!(seen.fault().what.contains("EngineCore"), "{seen:?}");
    assert_eq!(seen.fault().kind, FaultKind::Server);
    assert_eq!(
        server.requests().len(),
        1,
        "no second try after the first token"
    );
}

#[tokio::test]
async fn error_event_at_the_start_is_tried_again() {
    let error = event(&json!({"error": {"message": "EngineCore died", "code": 500}}));
    let (seen, server) = failing(vec![Say::Stream(vec![error]), text("fine")]).await;
    assert!(seen.answered() && seen.text == "fine", "{seen:?}");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn connection_cut_in_the_middle() {
    let server = VllmServer::start_with(vec!["chat_stream.sse"], Fault::CutAfter(1500), 0.0).await;
    let mut bench = Bench::new(&server.url);
    let seen = bench.ask("why?").await;
    assert!(!seen.text.is_empty(), "{seen:?}");
    assert!(seen.fault().what.contains("cut in the middle"), "{seen:?}");
    assert!(seen.fault().endpoint.contains("/v1/chat/completions"));
    assert_eq!(server.requests().len(), 1);
    // A clean end without a finish is a cut as well.
    let (seen, _) = failing(vec![Say::Stream(vec![delta("half")])]).await;
    assert!(seen.fault().what.contains("cut in the middle"), "{seen:?}");
}

#[tokio::test]
async fn tried_again_before_the_first_token_only() {
    let busy = Say::Json(503, r#"{"error": "starting"}"#.into());
    let (seen, server) = failing(vec![Say::Close, busy, text("fine")]).await;
    assert!(seen.answered() && seen.text == "fine", "{seen:?}");
    assert_eq!(server.requests().len(), 3);
    assert!(seen.noted("trying again"), "{seen:?}");
    let (seen, _) = failing(vec![Say::Wait("0"), text("fine")]).await;
    assert!(seen.answered(), "{seen:?}");
}

#[tokio::test]
async fn garbage_is_told() {
    let (seen, _) = failing(vec![Say::Stream(vec![b"data: {not json}\n\n".to_vec()])]).await;
    assert_eq!(seen.fault().kind, FaultKind::BadPayload);
    let (seen, _) = failing(vec![Say::Json(200, "hello".into())]).await;
    assert_eq!(seen.fault().kind, FaultKind::BadPayload);
    let (seen, _) = failing(vec![Say::Json(200, "{}".into())]).await;
    assert!(seen.fault().what.contains("no chat completion"), "{seen:?}");
    let bad = vec![delta("x"), b"data: \xff\xfe\n\n".to_vec()];
    let (seen, _) = failing(vec![Say::Stream(bad)]).await;
    assert_eq!(seen.fault().kind, FaultKind::BadPayload, "{seen:?}");
    let endless = vec![vec![b'x'; 1 << 20]; 20];
    let (seen, _) = failing(vec![Say::Stream(endless)]).await;
    assert!(
        matches!(seen.outcome, Some(RunOutcome::Failed(_))),
        "{seen:?}"
    );
}

#[tokio::test]
async fn three_error_shapes_and_a_key() {
    let server = VllmServer::start_with(
        vec!["chat_stream.sse"],
        Fault::Key("lab-key-1234".into()),
        0.0,
    )
    .await;
    let mut bench = Bench::new(&server.url);
    let seen = bench.ask("why?").await;
    assert_eq!(seen.fault().kind, FaultKind::Auth);
    assert!(seen.fault().hint.contains("bearer_file"), "{seen:?}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "lab-key-1234\n").unwrap();
    let mut signed = settings(&server.url, Duration::from_secs(5));
    signed.servers[0].endpoint.auth = farwatch::config::Auth::BearerFile(file);
    let seen = Bench::with(signed, nothing()).ask("why?").await;
    assert!(!seen.text.is_empty(), "{seen:?}");

    let body = String::from_utf8(wire::fixture("vllm/err_wrong_model.json")).unwrap();
    let (seen, _) = failing(vec![Say::Json(404, body)]).await;
    assert_eq!(seen.fault().kind, FaultKind::NotFound);
    assert!(seen.fault().what.contains("does not exist"), "{seen:?}");
    let (seen, _) = failing(vec![Say::Json(404, r#"{"detail":"Not Found"}"#.into())]).await;
    assert_eq!(seen.fault().kind, FaultKind::NotFound);
}

#[tokio::test]
async fn server_without_tools_is_asked_in_text() {
    for status in [400, 500] {
        let no = Say::Json(
            status,
            r#"{"error": {"message": "\"auto\" tool choice requires --enable-auto-tool-choice"}}"#
                .into(),
        );
        let call = "I look.\n```tool\n{\"name\": \"list_alerts\", \"arguments\": {\"clusters\": [\"beta\"]}}\n```";
        let form = Say::Json(
            400,
            r#"{"error": {"message": "response_format is not supported"}}"#.into(),
        );
        let server = ChatServer::start(vec![no, form, text(call), text("Three alerts [1].")]).await;
        let mut bench = Bench::new(&server.url());
        let seen = bench.ask("why?").await;
        assert!(seen.answered(), "{seen:?}");
        assert!(seen.noted("tools: json"), "{seen:?}");
        assert_eq!(
            seen.text, "I look.\nThree alerts [1].",
            "no wire format on the screen"
        );
        assert_eq!(seen.started.len(), 1);
        let requests = server.requests();
        assert!(requests[0].get("tools").is_some() && requests[2].get("tools").is_none());
        assert!(requests[1].get("response_format").is_some());
        assert!(requests[2].get("response_format").is_none());
        let system = requests[2]["messages"][0]["content"].as_str().unwrap();
        assert!(system.contains("```tool"), "{system}");
        let last = requests[3]["messages"].as_array().unwrap().last().unwrap();
        assert_eq!(last["role"], "user");
        assert!(
            last["content"]
                .as_str()
                .unwrap()
                .contains("Result of list_alerts")
        );
        // Found out once.
        let seen = bench.ask("again?").await;
        assert!(!seen.noted("tools: json"), "{seen:?}");
        assert_eq!(server.requests().len(), 5);
    }
    let server =
        VllmServer::start_with(vec!["chat_stream_stop.sse"], Fault::RefuseTools, 0.0).await;
    let seen = Bench::new(&server.url).ask("why?").await;
    assert!(seen.answered(), "{seen:?}");
}

/// Without a tool parser, with structured output: held to a schema, shown as words.
#[tokio::test]
async fn server_with_structured_output_is_held_to_a_form() {
    let no = || Say::Json(400, r#"{"error": {"message": "no tool parser"}}"#.into());
    let call = r#"{"calls": [{"name": "list_alerts", "arguments": {"clusters": ["beta"]}}], "answer": ""}"#;
    let answer = json!({"calls": [], "answer": "## Conclusion\nThree \"alerts\" [1]."}).to_string();
    let pieces = |text: &str| {
        let letters: Vec<char> = text.chars().collect();
        let mut pieces: Vec<Vec<u8>> = letters
            .chunks(3)
            .map(|c| delta(&c.iter().collect::<String>()))
            .collect();
        pieces.push(event(
            &json!({"choices": [{"delta": {}, "finish_reason": "stop"}]}),
        ));
        Say::Stream(pieces)
    };
    let server = ChatServer::start(vec![no(), pieces(call), pieces(&answer)]).await;
    let seen = Bench::new(&server.url()).ask("why?").await;
    assert!(seen.answered() && seen.noted("tools: json"), "{seen:?}");
    assert_eq!(seen.text, "## Conclusion\nThree \"alerts\" [1].");
    assert_eq!(seen.started[0].0, "list_alerts", "{seen:?}");
    let requests = server.requests();
    let format = requests[1]["response_format"].to_string();
    assert!(format.contains("get_ptp_status"), "{format}");
    let turn = requests[2]["messages"][2]["content"].as_str().unwrap();
    assert!(turn.contains("\"calls\":[{"), "{turn}");
    // Cut in the middle of a call: no wire format on the screen, and the limit is told.
    let cut = Say::Stream(vec![
        delta(r#"{"calls": [{"name": "list_al"#),
        event(&json!({"choices": [{"delta": {}, "finish_reason": "length"}]})),
    ]);
    let server = ChatServer::start(vec![no(), cut]).await;
    let seen = Bench::new(&server.url()).ask("why?").await;
    assert_eq!(seen.text, "", "{seen:?}");
    assert!(
        matches!(&seen.outcome, Some(RunOutcome::Limit(why)) if why.contains("tool call")),
        "{seen:?}"
    );
    // It takes the field and does not keep to it: found out once, read all the same.
    let server = ChatServer::start(vec![no(), text("All is well.")]).await;
    let mut bench = Bench::new(&server.url());
    assert_eq!(bench.ask("why?").await.text, "All is well.");
    bench.ask("again?").await;
    assert!(server.requests()[2].get("response_format").is_none());
}

#[tokio::test]
async fn broken_server_is_not_taken_for_one_without_tools() {
    let broken = Say::Json(500, r#"{"error": "out of memory"}"#.into());
    let server = ChatServer::start(vec![broken.clone(), broken, text("fine")]).await;
    let mut bench = Bench::new(&server.url());
    assert_eq!(bench.ask("why?").await.fault().kind, FaultKind::Server);
    assert!(bench.ask("again?").await.answered());
    let requests = server.requests();
    assert!(requests[1].get("tools").is_none() && requests[2].get("tools").is_some());
}

#[tokio::test]
async fn calls_left_in_the_text_are_found() {
    let leak = "<tool_call>\n{\"name\": \"list_incidents\", \"arguments\": {}}\n</tool_call>";
    let (seen, _) = failing(vec![text(leak), text("One incident [1].")]).await;
    assert_eq!(seen.text, "One incident [1].");
    assert!(seen.noted("left the tool call in the text"), "{seen:?}");
}

#[tokio::test]
async fn server_without_streaming() {
    let server =
        VllmServer::start_with(vec!["chat_nonstream.json"], Fault::RefuseStream, 0.0).await;
    let seen = Bench::new(&server.url).ask("why?").await;
    assert!(
        seen.noted("does not stream") && !seen.text.is_empty(),
        "{seen:?}"
    );
    // Takes the flag and sends all at once.
    let whole = json!({"choices": [{"index": 0, "message": {"content": "whole"}, "finish_reason": "stop"}]});
    let (seen, _) = failing(vec![Say::Json(200, whole.to_string())]).await;
    assert!(
        seen.answered() && seen.text == "whole" && seen.noted("does not stream"),
        "{seen:?}"
    );
    let odd = Say::Json(
        400,
        r#"{"error": "unknown parameter stream_options"}"#.into(),
    );
    let (seen, server) = failing(vec![odd, text("fine")]).await;
    assert!(seen.answered(), "{seen:?}");
    assert_eq!(server.requests()[1].get("stream_options"), None);
    assert_eq!(server.requests()[1]["stream"], Value::Bool(true));
}

#[tokio::test]
async fn slow_servers_end_in_time() {
    let (seen, _) = failing(vec![Say::Hang]).await;
    assert_eq!(seen.fault().kind, FaultKind::Timeout);
    let (seen, _) = failing(vec![Say::Stall(vec![])]).await;
    assert!(seen.fault().what.contains("no token"), "{seen:?}");
    let (seen, server) = failing(vec![Say::Stall(vec![delta("half")])]).await;
    assert_eq!(seen.text, "half");
    assert!(seen.fault().what.contains("fell silent"), "{seen:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn gone_server_is_told_with_advice() {
    let refusal = crate::ports::Refusal::new();
    let url = format!("http://{}/v1", refusal.address());
    let started = farwatch::clock::instant();
    let seen = Bench::new(&url).ask("why?").await;
    assert_eq!(seen.fault().kind, FaultKind::Unreachable);
    assert!(
        seen.fault().hint.contains("is the model server running"),
        "{seen:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn cancel_closes_the_connection_at_once() {
    for say in [Say::Hang, Say::Stall(vec![delta("half")])] {
        let server = ChatServer::start(vec![say]).await;
        let mut bench = Bench::with(settings(&server.url(), Duration::from_secs(60)), nothing());
        let run = bench.start("why?");
        while server.requests().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        let started = farwatch::clock::instant();
        bench.agent.cancel(run);
        let seen = bench.wait().await;
        assert_eq!(seen.outcome, Some(RunOutcome::Cancelled));
        // Long before the request's own limit.
        assert!(started.elapsed() < Duration::from_secs(30));
        for _ in 0..200 {
            if *server.left.lock().unwrap() == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(*server.left.lock().unwrap(), 1, "the server saw us leave");
    }
}

#[tokio::test]
async fn any_base_url() {
    let server = ChatServer::start(vec![text("fine")]).await;
    let root = server.server.url();
    for tail in ["", "/", "/v1", "/v1/", "/v1/chat/completions"] {
        let seen = Bench::new(&format!("{root}{tail}")).ask("why?").await;
        assert!(seen.answered(), "{tail}: {seen:?}");
    }
    let bare = ChatServer::start_under("/openai", vec![text("fine")]).await;
    let seen = Bench::new(&format!("{}/openai", bare.server.url()))
        .ask("why?")
        .await;
    assert!(seen.answered(), "{seen:?}");
}

#[tokio::test]
async fn no_model_configured_is_said() {
    let mut bench = Bench::build(None, nothing(), |_| None);
    assert!(!bench.agent.is_configured());
    let seen = bench.ask("why?").await;
    assert_eq!(seen.fault().kind, FaultKind::Config);
    assert!(seen.fault().what.contains("no model is configured"));
    assert!(bench.agent.check().await.is_err());
}

#[tokio::test]
async fn prompt_longer_than_the_context() {
    let body = String::from_utf8(wire::fixture("vllm/err_context_too_long.json")).unwrap();
    let (seen, server) = failing(vec![Say::Json(400, body.clone()), text("fine")]).await;
    assert!(
        seen.answered() && seen.noted("longer than the model's context"),
        "{seen:?}"
    );
    assert!(
        server.requests()[1].get("tools").is_some(),
        "not taken for a matter of tools"
    );
    let (seen, server) = failing(vec![Say::Json(400, body)]).await;
    assert!(
        seen.fault().what.contains("maximum context length"),
        "{seen:?}"
    );
    assert_eq!(server.requests().len(), 3);
}

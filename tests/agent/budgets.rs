//! What a run may take, and the fixed form of its answer.

use std::sync::Arc;
use std::time::Duration;

use farwatch::model::ask::{Answer, Question};
use farwatch::model::chat::RunOutcome;
use farwatch::model::limits::RunLimits;
use farwatch::source::Lookup;
use serde_json::{Value, json};

use crate::chat::{Answers, Bench, ChatServer, Say, answered, calls, event, settings, text};

/// Every cluster answers at once, with nothing.
fn empty() -> Arc<dyn Lookup> {
    Arc::new(Answers(|q: &Question| {
        let none = Answer::Series(Arc::new(Vec::new()));
        (Duration::ZERO, answered(q, Ok(none)))
    }))
}

async fn bench(server: &ChatServer, limits: RunLimits) -> Bench {
    let mut bench = Bench::with(settings(&server.url(), Duration::from_secs(20)), empty());
    bench.limits = limits;
    bench
}

fn query(number: u32) -> Say {
    calls(&[("query_metrics", json!({"query": format!("up == {number}")}))])
}

fn told(request: &Value) -> String {
    let messages = request["messages"].as_array().expect("list");
    messages.last().expect("one")["content"]
        .as_str()
        .expect("text")
        .to_owned()
}

#[tokio::test]
async fn a_cluster_is_asked_no_more_than_allowed() {
    let server = ChatServer::start(vec![query(1), query(2), query(3), text("So it is [1].")]).await;
    let limits = RunLimits {
        queries: 2,
        ..RunLimits::default()
    };
    let seen = bench(&server, limits).await.ask("why?").await;
    assert!(seen.answered(), "{seen:?}");
    let (text, _, ok) = &seen.ended[2];
    assert!(
        !ok && text.contains("not asked: the 2 queries") && text.contains("alpha, beta"),
        "{text}"
    );
    assert_eq!(
        seen.spent.last().map(|s| (s.rounds, s.queries)),
        Some((3, 2))
    );
}

#[tokio::test]
async fn used_up_tokens_end_a_run_with_an_answer() {
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 1_000, "completion_tokens": 5}});
    let Say::Stream(mut pieces) = query(1) else {
        panic!("a stream");
    };
    pieces.insert(pieces.len() - 1, event(&usage));
    let server = ChatServer::start(vec![Say::Stream(pieces), text("Up to here [1].")]).await;
    let limits = RunLimits {
        tokens: 1_000,
        ..RunLimits::default()
    };
    let seen = bench(&server, limits).await.ask("why?").await;
    let Some(RunOutcome::Limit(what)) = &seen.outcome else {
        panic!("{seen:?}");
    };
    assert_eq!(what, "1000 tokens");
    assert_eq!(seen.text, "Up to here [1].");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[1].get("tools").is_none() && told(&requests[1]).contains("No more tools"));
    let last = seen.spent.last().expect("told");
    assert_eq!((last.tokens, last.estimated), (1_020, false));
}

#[tokio::test]
async fn what_a_server_does_not_tell_is_counted_by_length() {
    // The stream of the call names no usage, that of the answer does.
    let server = ChatServer::start(vec![query(1), text("So [1].")]).await;
    let limits = RunLimits::default();
    let seen = bench(&server, limits).await.ask("why?").await;
    let first = seen.spent.iter().find(|s| s.rounds == 1).expect("told");
    assert!(first.estimated && first.tokens > 500, "{first:?}");
}

#[tokio::test]
async fn a_model_that_takes_too_long_is_cut_off_and_asked_for_what_it_has() {
    let begun = event(&json!({"choices": [{"index": 0, "delta": {"content": "Let me see"}}]}));
    let server = ChatServer::start(vec![Say::Stall(vec![begun]), text("Nothing known.")]).await;
    let limits = RunLimits {
        time: Duration::from_millis(300),
        ..RunLimits::default()
    };
    let seen = bench(&server, limits).await.ask("why?").await;
    assert!(
        matches!(&seen.outcome, Some(RunOutcome::Limit(what)) if what.ends_with("of time")),
        "{seen:?}"
    );
    assert!(seen.text.ends_with("Nothing known."), "{seen:?}");
    for _ in 0..100 {
        if *server.left.lock().expect("whole") == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the server was not told to stop");
}

const FREE: &str = "Well, I looked at both and think that it is the clock.";

fn formed() -> Value {
    json!({
        "conclusion": "The clock is lost.", "confidence": "high", "why": "two results agree",
        "evidence": [{"fact": "no series is up", "cites": [1]}, {"fact": "it rains", "cites": []}],
        "ruled_out": ["a deploy"], "next_steps": [{"step": "reseat the antenna", "undo": "nothing"}],
    })
}

fn two_looks() -> Say {
    calls(&[("list_alerts", json!({})), ("list_incidents", json!({}))])
}

#[tokio::test]
async fn an_answer_without_the_form_is_put_into_it() {
    let form = text(&formed().to_string());
    let server = ChatServer::start(vec![two_looks(), text(FREE), form]).await;
    let seen = bench(&server, RunLimits::default()).await.ask("why?").await;
    assert!(seen.answered(), "{seen:?}");
    assert_eq!(
        seen.text, FREE,
        "what is asked for once more is not shown as it comes"
    );
    let answer = seen.formed.as_deref().expect("formed");
    assert!(
        answer.contains("## Evidence\n- no series is up [1]\n- it rains\n"),
        "{answer}"
    );
    assert!(
        seen.noted("unsupported: 1 of 2") && !seen.noted("unverified"),
        "{seen:?}"
    );
    let request = &server.requests()[2];
    let cites =
        "/response_format/json_schema/schema/properties/evidence/items/properties/cites/items/enum";
    assert_eq!(request.pointer(cites), Some(&json!([1, 2])));
    assert!(request.get("tools").is_none());
}

#[tokio::test]
async fn a_server_without_schemas_is_asked_in_words() {
    let refused = Say::Json(
        400,
        json!({"error": {"message": "response_format is not supported"}}).to_string(),
    );
    let form = text(&format!("Here it is:\n```json\n{}\n```", formed()));
    let server = ChatServer::start(vec![two_looks(), text(FREE), refused, form]).await;
    let seen = bench(&server, RunLimits::default()).await.ask("why?").await;
    assert!(seen.formed.is_some(), "{seen:?}");
    assert!(server.requests()[3].get("response_format").is_none());
}

#[tokio::test]
async fn what_cannot_be_put_into_the_form_stays_as_it_was_said() {
    for bad in [text("no"), Say::Json(500, "{}".into()), Say::Close] {
        let server = ChatServer::start(vec![two_looks(), text(FREE), bad]).await;
        let seen = bench(&server, RunLimits::default()).await.ask("why?").await;
        assert!(seen.answered() && seen.formed.is_none(), "{seen:?}");
        assert!(
            seen.noted("stays as it was said") && seen.noted("unverified"),
            "{seen:?}"
        );
    }
}

#[tokio::test]
async fn a_plain_answer_is_left_alone() {
    let one = calls(&[("list_alerts", json!({}))]);
    let server = ChatServer::start(vec![one, text("There are three [1].")]).await;
    let seen = bench(&server, RunLimits::default())
        .await
        .ask("how many?")
        .await;
    assert!(seen.answered() && seen.notes.is_empty(), "{seen:?}");
    assert_eq!(server.requests().len(), 2);
}

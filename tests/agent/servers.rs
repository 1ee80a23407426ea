//! Several model servers: the best that is well is asked; the next one where it fails before its
//! first word, and only then.

use std::time::Duration;

use farwatch::config;
use farwatch::model::chat::ChatEvent;
use serde_json::json;

use crate::chat::{Bench, ChatServer, Say, calls, event, model_server, nothing, settings, text};

fn several(urls: &[String]) -> config::Agent {
    let limit = Duration::from_millis(700);
    config::Agent {
        servers: urls.iter().map(|url| model_server(url, limit)).collect(),
        ..settings("", limit)
    }
}

fn busy() -> Say {
    Say::Json(503, r#"{"error": "starting"}"#.into())
}

#[tokio::test]
async fn the_next_server_answers_where_one_fails_before_its_first_word() {
    let refusal = crate::ports::Refusal::new();
    let gone = format!("http://{}/v1", refusal.address());
    let second = ChatServer::start(vec![text("So it is.")]).await;
    let mut bench = Bench::with(several(&[gone.clone(), second.url()]), nothing());
    let seen = bench.ask("why?").await;
    assert!(seen.answered() && seen.text == "So it is.", "{seen:?}");
    let place = gone.trim_end_matches("/v1");
    assert!(
        seen.noted(place) && seen.noted("is asked instead"),
        "{seen:?}"
    );
    assert_eq!(seen.models[0].server.as_deref(), Some("server 2 of 2"));
    for fails in [
        busy(),
        Say::Close,
        Say::Hang,
        Say::Wait("60"),
        Say::Stall(vec![]),
    ] {
        let first = ChatServer::start(vec![fails.clone()]).await;
        let second = ChatServer::start(vec![text("So it is.")]).await;
        let mut bench = Bench::with(several(&[first.url(), second.url()]), nothing());
        let seen = bench.ask("why?").await;
        assert!(
            seen.answered() && seen.text == "So it is.",
            "{fails:?}: {seen:?}"
        );
        assert_eq!(
            first.requests().len(),
            1,
            "{fails:?}: the next one is there"
        );
        assert_eq!(seen.models.len(), 2, "{fails:?}");
    }
}

#[tokio::test]
async fn a_run_goes_on_where_it_was_with_what_it_knows() {
    let first = ChatServer::start(vec![calls(&[("list_alerts", json!({}))]), busy()]).await;
    let second = ChatServer::start(vec![text("Two alerts [1].")]).await;
    let mut bench = Bench::with(several(&[first.url(), second.url()]), nothing());
    let seen = bench.ask("why?").await;
    assert!(seen.answered(), "{seen:?}");
    let messages = second.requests()[0]["messages"].to_string();
    assert!(messages.contains("[1] list_alerts"), "{messages}");
    assert_eq!(seen.started.len(), 1, "nothing is looked up twice");
}

#[tokio::test]
async fn nothing_is_said_twice() {
    let half = event(&json!({"choices": [{"index": 0, "delta": {"content": "half"}}]}));
    for breaks in [Say::Cut(vec![half.clone()]), Say::Stall(vec![half])] {
        let first = ChatServer::start(vec![breaks]).await;
        let second = ChatServer::start(vec![text("So it is.")]).await;
        let mut bench = Bench::with(several(&[first.url(), second.url()]), nothing());
        let seen = bench.ask("why?").await;
        assert_eq!(seen.text, "half");
        seen.fault();
        assert!(second.requests().is_empty());
    }
}

#[tokio::test]
async fn all_fail_and_each_is_told() {
    let first = ChatServer::start(vec![Say::Json(503, r#"{"error": "first"}"#.into())]).await;
    let second = ChatServer::start(vec![busy()]).await;
    let mut bench = Bench::with(several(&[first.url(), second.url()]), nothing());
    let seen = bench.ask("why?").await;
    assert!(seen.noted("status 503: first"), "{seen:?}");
    assert!(seen.fault().what.contains("starting"), "{seen:?}");
    assert_eq!(second.requests().len(), 3, "the last one is tried again");
}

#[tokio::test]
async fn a_server_that_fails_often_is_spared() {
    let first = ChatServer::start(vec![busy()]).await;
    let second = ChatServer::start(vec![text("So it is.")]).await;
    let mut bench = Bench::with(several(&[first.url(), second.url()]), nothing());
    for _ in 0..7 {
        assert!(bench.ask("why?").await.answered());
    }
    assert_eq!(first.requests().len(), 5);
    assert_eq!(second.requests().len(), 7);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_found_out_before_anybody_asks() {
    let refusal = crate::ports::Refusal::new();
    let gone = format!("http://{}/v1", refusal.address());
    let second = ChatServer::start(vec![text("So it is.")]).await;
    let mut bench = Bench::with(several(&[gone, second.url()]), nothing());
    bench.agent.probe();
    let told = bench.events.recv().await.expect("open");
    let ChatEvent::Model(model) = told else {
        panic!("{told:?}");
    };
    assert_eq!(model.server.as_deref(), Some("server 2 of 2"));
    let seen = bench.ask("why?").await;
    assert!(
        seen.answered() && seen.notes.iter().all(|n| !n.contains("instead")),
        "{seen:?}"
    );
}

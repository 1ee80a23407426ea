//! In a replay the agent asks the recording, and sees nothing of what is still to come.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use farwatch::agent::Agent;
use farwatch::bundle::demo;
use farwatch::model::chat::{ChatEvent, ChatRequest, RunOutcome, Setting};
use farwatch::model::id::RequestId;
use farwatch::source::replay::{Opener, Recorded};
use serde_json::json;
use tokio::sync::mpsc;

use crate::chat::{ChatServer, calls, settings, text};

#[tokio::test]
async fn a_model_asks_the_recording() {
    let server = ChatServer::start(vec![
        calls(&[
            (
                "query_metrics",
                json!({"clusters": ["gpu-train-1"], "query": "DCGM_FI_DEV_GPU_TEMP{gpu=\"3\"}",
                       "start": "-3m"}),
            ),
            (
                "query_logs",
                json!({"clusters": ["gpu-train-1"], "query": "{namespace=~\".+\"} |= \"Xid\"",
                       "start": "-30m"}),
            ),
        ]),
        text("It throttles [1]."),
    ])
    .await;
    let reader = demo::open().expect("the demo");
    let names: Vec<String> = reader
        .header()
        .clusters
        .iter()
        .map(|c| c.name.clone())
        .collect();
    let now = reader.start().plus_ms(300_000);
    let open: Opener = Arc::new(demo::open);
    let clock = Arc::new(AtomicI64::new(now.0));
    let lookup = Recorded::new(open, "demo".into(), names.clone(), clock);
    let (sender, mut events) = mpsc::channel(64);
    let (asks, _queries) = mpsc::channel(8);
    let model = settings(&server.url(), Duration::from_secs(20));
    let agent = Agent::new(Some(model), Arc::new(lookup), sender, asks);
    agent.start(ChatRequest {
        run: RequestId(1),
        text: "Why?".into(),
        context: String::new(),
        history: Vec::new(),
        setting: Setting {
            clusters: names,
            persona: farwatch::config::persona::built_in().remove(0),
            tools: farwatch::agent::tools::all()
                .iter()
                .map(|t| t.name)
                .collect(),
            limits: farwatch::model::limits::RunLimits::default(),
        },
        look: None,
        now,
    });
    let mut said = String::new();
    loop {
        let next = tokio::time::timeout(Duration::from_secs(60), events.recv());
        match next.await.expect("in time").expect("open") {
            ChatEvent::Text { text, .. } => said.push_str(&text),
            ChatEvent::ToolEnded {
                result, rows, ok, ..
            } => assert!(ok && rows > 0, "{result}"),
            ChatEvent::Ended { outcome, .. } => {
                assert!(
                    matches!(outcome, RunOutcome::Answered { .. }),
                    "{outcome:?}"
                );
                break;
            }
            _ => {}
        }
    }
    assert_eq!(said, "It throttles [1].");
    let requests = server.requests();
    let told = requests.last().expect("two requests").to_string();
    assert!(told.contains("gpu-a-02"), "{told}");
    let later = now.plus_ms(60_000).rfc3339();
    let minute = later.get(..16).unwrap_or_default();
    assert!(
        !told.contains(minute),
        "nothing of {minute} is known: {told}"
    );
}

//! Every recorded stream and answer is read whole, in the chunks it really came in.

use std::time::Duration;

use farwatch::agent::chat::{Asked, ChatClient};
use farwatch::agent::dialect::Message;
use farwatch::agent::out::Out;
use farwatch::agent::stream::{Completion, Finish};
use farwatch::model::id::RequestId;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::chat::{Bench, model_server, wire};
use crate::vllm::VllmServer;

async fn complete(url: &str) -> Completion {
    let server = model_server(url, Duration::from_secs(20));
    let client = ChatClient::open(&server, 0.2).unwrap();
    let (sender, mut events) = mpsc::channel(4);
    tokio::spawn(async move { while events.recv().await.is_some() {} });
    let out = Out::new(RequestId(1), sender);
    client
        .complete(
            &Asked {
                messages: &[Message::User("why".into())],
                tools: &[],
                foreign: &Default::default(),
                form: None,
                max_tokens: 64,
                attempts: 3,
            },
            &out,
        )
        .await
        .unwrap()
}

/// What the file says, read the plain way: content, reasoning, (name, arguments), finish.
struct Wanted {
    text: String,
    reasoning: bool,
    calls: Vec<(String, String)>,
    finish: Option<String>,
}

fn wanted(values: &[Value]) -> Wanted {
    let mut all = Wanted {
        text: String::new(),
        reasoning: false,
        calls: Vec::new(),
        finish: None,
    };
    for choice in values
        .iter()
        .filter_map(|v| v["choices"].as_array())
        .flatten()
        .filter(|c| c["index"] == 0)
    {
        let said = if choice["delta"].is_object() {
            &choice["delta"]
        } else {
            &choice["message"]
        };
        all.text.push_str(said["content"].as_str().unwrap_or(""));
        all.reasoning |= said["reasoning"].is_string();
        for (i, call) in said["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
        {
            let index = call["index"].as_u64().unwrap_or(i as u64) as usize;
            while all.calls.len() <= index {
                all.calls.push(Default::default());
            }
            let function = &call["function"];
            all.calls[index]
                .0
                .push_str(function["name"].as_str().unwrap_or(""));
            all.calls[index]
                .1
                .push_str(function["arguments"].as_str().unwrap_or(""));
        }
        if let Some(reason) = choice["finish_reason"].as_str() {
            all.finish = Some(reason.to_owned());
        }
    }
    all
}

fn compare(file: &str, done: &Completion, wanted: &Wanted) {
    // Random words may begin a call that the limit cuts: no part of the answer.
    let text = match wanted.text.strip_suffix("<tool_call>") {
        Some(text) => {
            assert!(done.cut_call, "cut call of {file}");
            text
        }
        None => &wanted.text,
    };
    assert_eq!(done.text, text, "text of {file}");
    assert_eq!(done.reasoning, wanted.reasoning, "reasoning of {file}");
    let finish = match wanted.finish.as_deref() {
        Some("stop") => Finish::Stop,
        Some("tool_calls") => Finish::ToolCalls,
        Some("length") => Finish::Length,
        other => panic!("{other:?} in {file}"),
    };
    let cut = finish == Finish::Length;
    assert_eq!(done.finish, Some(finish), "finish of {file}");
    let calls: Vec<_> = wanted
        .calls
        .iter()
        .filter(|(_, arguments)| !cut || serde_json::from_str::<Value>(arguments).is_ok())
        .cloned()
        .collect();
    let got: Vec<_> = done
        .calls
        .iter()
        .map(|c| (c.name.clone(), c.arguments.clone()))
        .collect();
    assert_eq!(got, calls, "calls of {file}");
    assert!(done.calls.iter().all(|c| !c.id.is_empty()));
}

fn files(wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/vllm");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| wanted(name))
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn streams_are_read_whole() {
    let names = files(|n| n.ends_with(".sse") && !n.starts_with("completions"));
    assert!(names.len() >= 14, "{names:?}");
    for name in names {
        let raw = String::from_utf8_lossy(&wire::fixture(&format!("vllm/{name}"))).into_owned();
        let values: Vec<Value> = raw
            .lines()
            .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
            .collect();
        let server = VllmServer::start(vec![name.as_str()]).await;
        let done = complete(&server.url).await;
        compare(&name, &done, &wanted(&values));
        let usage = values
            .iter()
            .rev()
            .find_map(|v| v["usage"]["completion_tokens"].as_u64());
        assert_eq!(
            done.completion_tokens.map(u64::from),
            usage,
            "usage of {name}"
        );
    }
}

#[tokio::test]
async fn whole_answers_are_read_whole() {
    let names = files(|n| {
        (n.starts_with("chat_nonstream") || n.starts_with("reasoning_"))
            && n.ends_with(".json")
            && !n.ends_with(".chunks.json")
            && n != "chat_nonstream_tool_truncated.json"
    });
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        let value: Value = serde_json::from_slice(&wire::fixture(&format!("vllm/{name}"))).unwrap();
        let server = VllmServer::start(vec![name.as_str()]).await;
        let done = complete(&server.url).await;
        compare(&name, &done, &wanted(&[value]));
    }
}

#[tokio::test]
async fn call_cut_by_length_is_no_answer() {
    for name in [
        "chat_nonstream_tool_truncated.json",
        "chat_stream_tool_truncated.sse",
    ] {
        let server = VllmServer::start(vec![name]).await;
        let done = complete(&server.url).await;
        assert_eq!((done.text.as_str(), done.calls.len()), ("", 0), "{name}");
        assert_eq!(done.finish, Some(Finish::Length));
        let mut bench = Bench::new(&server.url);
        let seen = bench.ask("why?").await;
        let told = format!("{:?}", seen.outcome);
        assert!(
            told.contains("Limit") && told.contains("token limit"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn recorded_calls_drive_the_loop() {
    let server = VllmServer::start(vec![
        "chat_stream_tool_auto_two_calls.sse",
        "reasoning_chat_stream.sse",
    ])
    .await;
    let mut bench = Bench::new(&server.url);
    let seen = bench.ask("why?").await;
    assert_eq!(seen.started.len(), 2, "{seen:?}");
    // The recording asks for tools that are not ours: told so, in a way to act on.
    assert!(
        seen.ended
            .iter()
            .all(|(text, _, ok)| !ok && text.contains("query_metrics")),
        "{seen:?}"
    );
    assert!(!seen.reasoning.is_empty(), "{seen:?}");
    let second = &server.requests()[1]["messages"];
    let roles: Vec<_> = second
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "tool"]);
    assert_eq!(second[2]["tool_calls"][1]["id"], second[4]["tool_call_id"]);
}

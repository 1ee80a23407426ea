//! Stands in for a model: vLLM's protocol, answers by a script. It asks for tools the console offers,
//! then tells what they brought. No model is behind it, so what it says is only worth a look at how
//! the chat shows it. A word in the question makes it misbehave: `slow` (first word after 20 s),
//! `silent`, `cut` (ends in the middle), `nostream` and `notools` (400), `badargs` (a call that the
//! schema refuses).

use std::io;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::wire::{self, Request};

const JSON: &str = "application/json";
const MODEL: &str = "lab-script";
/// Time between two pieces of an answer.
const PIECE: Duration = Duration::from_millis(25);

pub async fn answer(request: Request, stream: &mut TcpStream) -> io::Result<bool> {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/v1/models") => {
            let models = json!({"object": "list", "data": [
                {"id": MODEL, "object": "model", "owned_by": "vllm", "max_model_len": 32768}]});
            wire::reply(stream, 200, JSON, &[], models.to_string().as_bytes()).await
        }
        ("GET", "/version") => wire::reply(stream, 200, JSON, &[], br#"{"version":"lab"}"#).await,
        ("GET", "/health") => wire::reply(stream, 200, JSON, &[], b"").await,
        ("POST", "/v1/chat/completions") => chat(&request, stream).await,
        _ => refuse(stream, 404, "there is no such page").await,
    }
}

async fn refuse(stream: &mut TcpStream, status: u16, why: &str) -> io::Result<bool> {
    let body = json!({"error": {"message": why, "type": "BadRequestError", "code": status}});
    wire::reply(stream, status, JSON, &[], body.to_string().as_bytes()).await
}

/// What the script needs of the request.
struct Asked {
    question: String,
    results: Vec<String>,
    tools: bool,
    streamed: bool,
}

fn read(body: &[u8]) -> Option<Asked> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let messages = body.get("messages")?.as_array()?;
    let role = |m: &Value| m.get("role").and_then(Value::as_str).map(str::to_owned);
    let text = |m: &Value| m.get("content").and_then(Value::as_str).map(str::to_owned);
    let last = messages
        .iter()
        .rposition(|m| role(m).as_deref() == Some("user"))?;
    Some(Asked {
        question: text(messages.get(last)?).unwrap_or_default().to_lowercase(),
        results: messages
            .iter()
            .skip(last)
            .filter(|m| role(m).as_deref() == Some("tool"))
            .filter_map(text)
            .collect(),
        tools: body.get("tools").is_some(),
        streamed: body.get("stream") == Some(&Value::Bool(true)),
    })
}

async fn chat(request: &Request, stream: &mut TcpStream) -> io::Result<bool> {
    let Some(asked) = read(&request.body) else {
        return refuse(stream, 400, "no messages").await;
    };
    let says = |word: &str| asked.question.split_whitespace().any(|w| w == word);
    if says("silent") {
        return wire::never(stream).await;
    }
    if says("notools") && asked.tools {
        return refuse(stream, 400, "\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set").await;
    }
    if says("nostream") && asked.streamed {
        return refuse(stream, 400, "stream is not supported").await;
    }
    if says("slow") {
        tokio::time::sleep(Duration::from_secs(20)).await;
    }
    let calls = asked.tools && asked.results.is_empty();
    if !asked.streamed {
        let mut message = json!({"role": "assistant", "content": told(&asked)});
        if calls {
            message = json!({"role": "assistant", "content": null, "tool_calls": wanted(&asked)
                .iter().enumerate().map(|(n, (name, args))| json!({"id": format!("call-{n}"),
                    "type": "function", "function": {"name": name, "arguments": args}}))
                .collect::<Vec<_>>()});
        }
        let whole = json!({"id": "lab", "object": "chat.completion", "model": MODEL, "choices": [
            {"index": 0, "message": message, "finish_reason": if calls { "tool_calls" } else { "stop" }}]});
        return wire::reply(stream, 200, JSON, &[], whole.to_string().as_bytes()).await;
    }
    wire::begin_chunks(stream, "text/event-stream; charset=utf-8").await?;
    let why = if calls {
        for (n, (name, args)) in wanted(&asked).iter().enumerate() {
            let call = json!({"tool_calls": [{"index": n, "id": format!("call-{n}"),
                "type": "function", "function": {"name": name, "arguments": args}}]});
            say(stream, call, None).await?;
        }
        "tool_calls"
    } else {
        let text = told(&asked);
        let pieces: Vec<&str> = text.split_inclusive(' ').collect();
        for (n, piece) in pieces.iter().enumerate() {
            if says("cut") && n > pieces.len() / 2 {
                return Ok(false);
            }
            say(stream, json!({"content": piece}), None).await?;
            tokio::time::sleep(PIECE).await;
        }
        "stop"
    };
    say(stream, json!({}), Some(why)).await?;
    wire::chunk(stream, b"data: [DONE]\n\n").await?;
    wire::end_chunks(stream).await
}

async fn say(stream: &mut TcpStream, delta: Value, why: Option<&str>) -> io::Result<()> {
    let event = json!({"id": "lab", "object": "chat.completion.chunk", "model": MODEL,
        "choices": [{"index": 0, "delta": delta, "finish_reason": why}]});
    wire::chunk(stream, format!("data: {event}\n\n").as_bytes()).await
}

/// The calls asked for: what the question seems to be about, and the incidents.
fn wanted(asked: &Asked) -> Vec<(&'static str, String)> {
    let about = |words: &[&str]| words.iter().any(|w| asked.question.contains(w));
    let mut calls = vec![("list_incidents", "{}".to_owned())];
    if about(&["gpu", "xid", "vllm", "latency"]) {
        calls.push(("get_gpu_summary", r#"{"clusters":["gpu-train-1"]}"#.into()));
        let query = "max by (Hostname, gpu) (DCGM_FI_DEV_GPU_TEMP) > 80";
        let arguments = json!({"query": query, "clusters": ["gpu-train-1"]});
        calls.push(("query_metrics", arguments.to_string()));
    }
    if about(&["ptp", "clock", "du-"]) {
        calls.push(("get_ptp_status", r#"{"clusters":["edge-ran-07"]}"#.into()));
        let arguments = json!({"query": r#"{namespace="openshift-ptp"} |= "FREERUN""#});
        calls.push(("query_logs", arguments.to_string()));
    }
    if about(&["badargs"]) {
        calls.push((
            "list_alerts",
            r#"{"clusters":["no-such-cluster"],"x":1}"#.into(),
        ));
    }
    calls
}

/// An answer in the marks that markdown has, with the first lines of what the tools brought.
fn told(asked: &Asked) -> String {
    let mut out = String::from(
        "## What the console holds\n\nThis is **lab-script**, which reads *nothing*: it repeats what the tools brought.\n\n",
    );
    for (n, result) in asked.results.iter().enumerate() {
        let first: Vec<&str> = result.lines().take(3).collect();
        out.push_str(&format!("{}. `{}` [{}]\n", n + 1, first.join(" / "), n + 1));
    }
    if asked.results.is_empty() {
        out.push_str("- no tool was called\n");
    }
    out.push_str(
        "\n| step | what |\n|---|---|\n| 1 | look at the first sign |\n| 2 | compare with the change |\n\n```promql\nmax by (Hostname, gpu) (DCGM_FI_DEV_GPU_TEMP)\n```\n\n> Not checked: anything outside of the console.\n",
    );
    out
}

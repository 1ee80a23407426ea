//! A vLLM that says what a real one was recorded to say: `/v1/models`, `/version`, and chat
//! completions replayed from `tests/fixtures/vllm/*.sse` in the HTTP chunks of `*.chunks.json`.
#![allow(dead_code, clippy::duplicate_mod)]

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpStream;

#[path = "wire.rs"]
mod wire;

use wire::Request;

/// How the server misbehaves.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Fault {
    #[default]
    None,
    /// Closes the socket after so many bytes of the (first) streamed answer, without the end chunk.
    CutAfter(usize),
    /// 400 whenever the request carries `tools`; fine without.
    RefuseTools,
    /// 400 whenever the request asks for `stream`; the script answers those without.
    RefuseStream,
    /// Accepts the chat request and never answers.
    Silent,
    /// Sends the first chunk and nothing more, ever.
    StallAfterFirstChunk,
    /// Answers 401 unless this key is given as bearer token.
    Key(String),
    /// Every chat answer is this status with this body.
    Status(u16, &'static str),
}

/// The running server. `url` is the base with `/v1`.
#[derive(Debug)]
pub struct VllmServer {
    pub url: String,
    server: wire::Server,
    seen: Arc<Mutex<Vec<serde_json::Value>>>,
}

struct Script {
    files: Mutex<VecDeque<String>>,
    fault: Fault,
    /// Factor on the recorded times between chunks; 0: as fast as it goes.
    pace: f64,
    seen: Arc<Mutex<Vec<serde_json::Value>>>,
}

impl VllmServer {
    /// Answers each chat request with the next of `files` (names under `tests/fixtures/vllm`);
    /// the last one is repeated.
    pub async fn start(files: Vec<&str>) -> Self {
        Self::start_with(files, Fault::None, 0.0).await
    }

    pub async fn start_with(files: Vec<&str>, fault: Fault, pace: f64) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Script {
            files: Mutex::new(files.into_iter().map(str::to_owned).collect()),
            fault,
            pace,
            seen: seen.clone(),
        });
        let server = wire::Server::start(Arc::new(move |request, stream| {
            let script = script.clone();
            Box::pin(async move { answer(&script, request, stream).await })
        }))
        .await;
        Self {
            url: format!("{}/v1", server.url()),
            server,
            seen,
        }
    }

    /// The base without `/v1`.
    pub fn root(&self) -> String {
        self.server.url()
    }

    /// Bodies of the chat requests so far.
    pub fn requests(&self) -> Vec<serde_json::Value> {
        self.seen.lock().unwrap().clone()
    }
}

impl Script {
    fn next_file(&self) -> Option<String> {
        let mut files = self.files.lock().unwrap();
        if files.len() > 1 {
            files.pop_front()
        } else {
            files.front().cloned()
        }
    }
}

const JSON: &str = "application/json";

async fn json(stream: &mut TcpStream, status: u16, file: &str) -> io::Result<bool> {
    let body = wire::fixture(&format!("vllm/{file}"));
    wire::reply(stream, status, JSON, &[], &body).await
}

async fn answer(script: &Script, request: Request, stream: &mut TcpStream) -> io::Result<bool> {
    if let Fault::Key(key) = &script.fault
        && request.path.starts_with("/v1")
        && request.header("authorization") != Some(&format!("Bearer {key}"))
    {
        return json(stream, 401, "err_no_auth.json").await;
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/v1/models") => json(stream, 200, "models.json").await,
        ("GET", "/version") => json(stream, 200, "version.json").await,
        ("GET", "/health") => wire::reply(stream, 200, JSON, &[], b"").await,
        ("GET", "/metrics") => {
            let body = wire::fixture("vllm/metrics.txt");
            wire::reply(stream, 200, "text/plain; version=1.0.0", &[], &body).await
        }
        ("POST", "/v1/chat/completions") => chat(script, &request, stream).await,
        (_, "/v1/chat/completions") => json(stream, 405, "err_405.json").await,
        _ => json(stream, 404, "err_404.json").await,
    }
}

async fn chat(script: &Script, request: &Request, stream: &mut TcpStream) -> io::Result<bool> {
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(&request.body) else {
        return json(stream, 400, "err_bad_json.json").await;
    };
    let asks =
        |field: &str| !matches!(body.get(field), None | Some(serde_json::Value::Bool(false)));
    let (tools, streaming) = (asks("tools"), asks("stream"));
    script.seen.lock().unwrap().push(body);
    match &script.fault {
        Fault::Silent => return wire::never(stream).await,
        Fault::RefuseTools if tools => {
            let text = br#"{"error":{"message":"\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set","type":"BadRequestError","param":null,"code":400}}"#;
            return wire::reply(stream, 400, JSON, &[], text).await;
        }
        Fault::RefuseStream if streaming => {
            let text = br#"{"error":{"message":"stream is not supported","type":"BadRequestError","param":null,"code":400}}"#;
            return wire::reply(stream, 400, JSON, &[], text).await;
        }
        Fault::Status(status, text) => {
            return wire::reply(stream, *status, JSON, &[], text.as_bytes()).await;
        }
        _ => {}
    }
    let Some(file) = script.next_file() else {
        return json(stream, 404, "err_wrong_model.json").await;
    };
    if file.ends_with(".sse") {
        replay(script, &file, stream).await
    } else {
        json(stream, status_of(&file), &file).await
    }
}

/// HTTP status the file was recorded with.
fn status_of(file: &str) -> u16 {
    match file {
        "err_no_auth.json" | "err_bad_key.json" => 401,
        "err_404.json" | "err_wrong_model.json" | "err_wrong_model_stream.json" => 404,
        "err_405.json" => 405,
        "err_bad_role.json" => 200,
        _ if file.starts_with("err_") => 400,
        _ => 200,
    }
}

async fn replay(script: &Script, file: &str, stream: &mut TcpStream) -> io::Result<bool> {
    let bytes = wire::fixture(&format!("vllm/{file}"));
    let times = wire::fixture(&format!("vllm/{}", file.replace(".sse", ".chunks.json")));
    let chunks: Vec<(f64, usize)> = serde_json::from_slice(&times).unwrap();
    wire::begin_chunks(stream, "text/event-stream; charset=utf-8").await?;
    let (mut at, mut sent) = (0.0, 0);
    for (time, size) in chunks {
        let wait = Duration::from_secs_f64((time - at).max(0.0) * script.pace);
        tokio::time::sleep(wait.max(Duration::from_micros(200))).await;
        at = time;
        let end = (sent + size).min(bytes.len());
        if let Fault::CutAfter(limit) = script.fault
            && end >= limit
        {
            wire::chunk(stream, &bytes[sent..limit.max(sent)]).await?;
            return Ok(false);
        }
        wire::chunk(stream, &bytes[sent..end]).await?;
        sent = end;
        if script.fault == Fault::StallAfterFirstChunk {
            return wire::never(stream).await;
        }
    }
    assert_eq!(sent, bytes.len(), "chunks of {file} do not cover the file");
    wire::end_chunks(stream).await
}

//! A Loki that says what a real one was recorded to say (`tests/fixtures/loki`), faults included.
#![allow(dead_code, clippy::duplicate_mod)]

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

#[path = "wire.rs"]
mod wire;

use wire::Request;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Fault {
    #[default]
    None,
    /// 401 "no org id" without `X-Scope-OrgID`.
    Tenant,
    /// 429, as a full queue answers.
    Busy,
    /// The query is refused with 400, also the upgrade of the tail.
    BadQuery,
    /// Accepts and never answers.
    Silent,
    /// Says it sends more than it does.
    HalfBody,
    /// The first tail is closed with 1011 after its frames; the next ones stay open.
    CloseOnce,
    /// After its frames the tail says that it lost seven lines.
    Loses,
    /// A second passes between the frames of the tail.
    Slow,
}

#[derive(Debug)]
pub struct LokiServer {
    server: wire::Server,
    seen: Arc<Mutex<Vec<Request>>>,
}

struct Script {
    /// Answer of `query_range`.
    file: String,
    /// Frames of the tail.
    frames: String,
    fault: Fault,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl LokiServer {
    pub async fn start(file: &str, fault: Fault) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Script {
            file: file.to_owned(),
            frames: "tail_frames_categorize.jsonl".to_owned(),
            fault,
            seen: seen.clone(),
        });
        let server = wire::Server::start(Arc::new(move |request, stream| {
            let script = script.clone();
            Box::pin(async move { answer(&script, request, stream).await })
        }))
        .await;
        Self { server, seen }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    pub fn address(&self) -> std::net::SocketAddr {
        self.server.address
    }

    /// Requests whose path ends so.
    pub fn requests(&self, path: &str) -> Vec<Request> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .filter(|r| r.path.ends_with(path))
            .cloned()
            .collect()
    }
}

const JSON: &str = "application/json; charset=UTF-8";
const TEXT: &str = "text/plain; charset=utf-8";

async fn file(stream: &mut TcpStream, status: u16, kind: &str, name: &str) -> io::Result<bool> {
    let body = wire::fixture(&format!("loki/{name}"));
    wire::reply(stream, status, kind, &[], &body).await
}

async fn answer(script: &Script, request: Request, stream: &mut TcpStream) -> io::Result<bool> {
    let path = request.path.clone();
    script.seen.lock().unwrap().push(request.clone());
    match script.fault {
        Fault::Tenant if request.header("x-scope-orgid").is_none() => {
            return file(stream, 401, TEXT, "err_no_tenant.txt").await;
        }
        Fault::Busy => return file(stream, 429, TEXT, "err_too_many_outstanding.txt").await,
        Fault::Silent => return wire::never(stream).await,
        _ => {}
    }
    match path.as_str() {
        "/loki/api/v1/status/buildinfo" => file(stream, 200, JSON, "buildinfo.json").await,
        "/loki/api/v1/labels" => file(stream, 200, JSON, "labels.json").await,
        "/loki/api/v1/label/app/values" => file(stream, 200, JSON, "label_values_app.json").await,
        "/loki/api/v1/label/nope/values" => {
            file(stream, 200, JSON, "label_values_missing.json").await
        }
        "/loki/api/v1/query_range" if script.fault == Fault::BadQuery => {
            file(stream, 400, TEXT, "err_parse.txt").await
        }
        "/loki/api/v1/query_range" if script.fault == Fault::HalfBody => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"status\":")
                .await?;
            Ok(false)
        }
        "/loki/api/v1/query_range" => file(stream, 200, JSON, &script.file).await,
        "/loki/api/v1/index/volume_range" => {
            file(stream, 200, JSON, "index_volume_range.json").await
        }
        "/loki/api/v1/tail" if script.fault == Fault::BadQuery => {
            file(stream, 400, TEXT, "tail_err_parse.txt").await
        }
        "/loki/api/v1/tail" => tail(script, &request, stream).await,
        _ => file(stream, 404, TEXT, "err_404.txt").await,
    }
}

async fn tail(script: &Script, request: &Request, stream: &mut TcpStream) -> io::Result<bool> {
    let key = request.header("sec-websocket-key").unwrap_or_default();
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
        derive_accept_key(key.as_bytes())
    );
    stream.write_all(head.as_bytes()).await?;
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    let text = String::from_utf8(wire::fixture(&format!("loki/{}", script.frames))).unwrap();
    for line in text.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        if record["opcode"] == "text" {
            let payload = record["payload"].as_str().unwrap().to_owned();
            if socket.send(Message::text(payload)).await.is_err() {
                return Ok(false);
            }
            let pause = match script.fault {
                Fault::Slow => 1_000,
                _ => 20,
            };
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }
    if script.fault == Fault::Loses {
        let one = serde_json::json!({"labels": {"app": "tailtest"}, "timestamp": "1"});
        let lost = serde_json::json!({"streams": [], "dropped_entries": vec![one; 7]});
        let _ = socket.send(Message::text(lost.to_string())).await;
    }
    let tails = script
        .seen
        .lock()
        .unwrap()
        .iter()
        .filter(|r| r.path.ends_with("/tail"))
        .count();
    if script.fault == Fault::CloseOnce && tails == 1 {
        // The recorded lines are old: one of now shows where the next tail begins.
        let at_ns = farwatch::clock::now().0 * 1_000_000;
        let fresh = serde_json::json!({"streams": [{"stream": {"app": "tailtest"},
            "values": [[at_ns.to_string(), "fresh"]]}]});
        let _ = socket.send(Message::text(fresh.to_string())).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let frame = CloseFrame {
            code: CloseCode::Error,
            reason: "server is shutting down".into(),
        };
        let _ = socket.close(Some(frame)).await;
        return Ok(false);
    }
    while let Some(Ok(_)) = socket.next().await {}
    Ok(false)
}

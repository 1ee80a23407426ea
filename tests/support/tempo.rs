//! A Tempo that says what a real one was recorded to say (`tests/fixtures/tempo`).
#![allow(dead_code, clippy::duplicate_mod)]

use std::io;
use std::sync::{Arc, Mutex};

use tokio::net::TcpStream;

#[path = "wire.rs"]
mod wire;

use wire::Request;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Ways {
    /// As the recorded server: v1 and v2.
    #[default]
    Both,
    /// An old server: v1 only.
    Old,
    /// Protobuf, whatever is asked for.
    Protobuf,
    /// Another server, without any of it.
    None,
    /// Accepts and never answers.
    Silent,
}

/// The trace that it has.
pub const TRACE: &str = "050b33be48b2e3ba59613f0e9e30dda0";

#[derive(Debug)]
pub struct TempoServer {
    server: wire::Server,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl TempoServer {
    pub async fn start(ways: Ways) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = seen.clone();
        let server = wire::Server::start(Arc::new(move |request: Request, stream| {
            kept.lock().unwrap().push(request.clone());
            Box::pin(async move { answer(ways, &request, stream).await })
        }))
        .await;
        Self { server, seen }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Requests in the order they came.
    pub fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

async fn file(stream: &mut TcpStream, status: u16, kind: &str, name: &str) -> io::Result<bool> {
    let body = wire::fixture(&format!("tempo/{name}"));
    wire::reply(stream, status, kind, &[], &body).await
}

async fn answer(ways: Ways, request: &Request, stream: &mut TcpStream) -> io::Result<bool> {
    let path = request.path.as_str();
    let is_new = path.starts_with("/api/v2/");
    match ways {
        Ways::Silent => return wire::never(stream).await,
        Ways::None => return file(stream, 404, TEXT, "err_404.txt").await,
        Ways::Old if is_new => return file(stream, 404, TEXT, "err_404.txt").await,
        _ => {}
    }
    if let Some((_, id)) = path.split_once("/traces/") {
        return match (id == TRACE, is_new) {
            (true, true) if ways == Ways::Protobuf => {
                file(
                    stream,
                    200,
                    "application/protobuf",
                    "trace_by_id_v2_protobuf.bin",
                )
                .await
            }
            (true, true) => file(stream, 200, JSON, "trace_by_id_v2.json").await,
            (true, false) => file(stream, 200, JSON, "trace_by_id_v1.json").await,
            (false, true) => file(stream, 200, JSON, "err_trace_not_found_v2.txt").await,
            (false, false) => file(stream, 404, TEXT, "err_trace_not_found.txt").await,
        };
    }
    match path {
        "/ready" => file(stream, 200, TEXT, "ready.txt").await,
        "/api/status/buildinfo" => file(stream, 200, JSON, "buildinfo.json").await,
        "/api/search" => search(request, stream).await,
        "/api/search/tags" => file(stream, 200, JSON, "tags_v1.json").await,
        "/api/v2/search/tags" => file(stream, 200, JSON, "tags_v2.json").await,
        "/api/v2/search/tag/status/values" => {
            file(stream, 200, JSON, "tag_values_status.json").await
        }
        "/api/v2/search/tag/resource.service.name/values" => {
            file(stream, 200, JSON, "tag_values_v2.json").await
        }
        "/api/search/tag/service.name/values" => {
            file(stream, 200, JSON, "tag_values_v1.json").await
        }
        _ => file(stream, 404, TEXT, "err_404.txt").await,
    }
}

async fn search(request: &Request, stream: &mut TcpStream) -> io::Result<bool> {
    let query = request.param("q").unwrap_or_default();
    let faults = [
        ("{ status = ", "err_traceql.txt"),
        ("{ status = 3 && duration = \"x\" }", "err_traceql_type.txt"),
        ("long", "err_search_too_long.txt"),
        ("order", "err_search_range.txt"),
        ("limit", "err_limit.txt"),
    ];
    if let Some((_, name)) = faults.iter().find(|(q, _)| *q == query) {
        return file(stream, 400, TEXT, name).await;
    }
    let found = match query {
        "{ resource.service.name = \"nope\" }" => "search_empty.json",
        "{ status = error }" => "search_traceql_errors.json",
        _ => "search_recent.json",
    };
    file(stream, 200, JSON, found).await
}

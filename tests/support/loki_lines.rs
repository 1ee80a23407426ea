//! A Loki that holds lines and keeps to limits, which it tells in the words of the recorded one.
#![allow(dead_code, clippy::duplicate_mod)]

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::net::TcpStream;

#[path = "wire.rs"]
mod wire;

use wire::Request;

/// What it holds, and how it behaves.
#[derive(Debug)]
pub struct Lines {
    /// Time in nanoseconds, pod, text.
    pub lines: Vec<(i64, &'static str, String)>,
    pub most: u32,
    pub longest_ns: i64,
    /// Queries that are answered with 429 and a second's wait.
    pub busy: AtomicU32,
    /// After so many pages it says nothing more.
    pub silent_after: usize,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            most: 5_000,
            longest_ns: i64::MAX,
            busy: AtomicU32::new(0),
            silent_after: usize::MAX,
        }
    }
}

#[derive(Debug)]
pub struct LinesServer {
    server: wire::Server,
    held: Arc<Lines>,
    pages: Arc<AtomicUsize>,
    queries: Arc<std::sync::Mutex<Vec<Request>>>,
}

impl LinesServer {
    pub async fn start(held: Lines) -> Self {
        let held = Arc::new(held);
        let pages = Arc::new(AtomicUsize::new(0));
        let queries = Arc::new(std::sync::Mutex::new(Vec::new()));
        let (own, count, seen) = (held.clone(), pages.clone(), queries.clone());
        let server = wire::Server::start(Arc::new(move |request, stream| {
            let (held, pages, seen) = (own.clone(), count.clone(), seen.clone());
            Box::pin(async move {
                if request.path.ends_with("/query_range") {
                    seen.lock().unwrap().push(request.clone());
                }
                answer(&held, &pages, &request, stream).await
            })
        }))
        .await;
        Self {
            server,
            held,
            pages,
            queries,
        }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Pages asked for, refused ones left out.
    pub fn pages(&self) -> usize {
        self.pages.load(Ordering::SeqCst)
    }

    /// All questions for lines.
    pub fn queries(&self) -> Vec<Request> {
        self.queries.lock().unwrap().clone()
    }
}

const JSON: &str = "application/json; charset=UTF-8";
const TEXT: &str = "text/plain; charset=utf-8";

async fn answer(
    held: &Lines,
    pages: &AtomicUsize,
    request: &Request,
    stream: &mut TcpStream,
) -> io::Result<bool> {
    let names = |names: Value| json!({"status": "success", "data": names}).to_string();
    let body = match request.path.as_str() {
        "/loki/api/v1/labels" => names(json!([
            "app",
            "container",
            "namespace",
            "pod",
            "service_name"
        ])),
        "/loki/api/v1/label/app/values" => names(json!(["web"])),
        "/loki/api/v1/label/service_name/values" => names(json!(["checkout", "cart"])),
        "/loki/api/v1/query_range" => {
            let waits = held
                .busy
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
            if waits.is_ok() {
                let body = wire::fixture("loki/err_too_many_outstanding.txt");
                return wire::reply(stream, 429, TEXT, &[("Retry-After", "1")], &body).await;
            }
            match page(held, pages, request) {
                Ok(Some(body)) => body,
                Ok(None) => return wire::never(stream).await,
                Err(refusal) => {
                    return wire::reply(stream, 400, TEXT, &[], refusal.as_bytes()).await;
                }
            }
        }
        _ => return wire::reply(stream, 404, TEXT, &[], b"404 page not found").await,
    };
    wire::reply(stream, 200, JSON, &[], body.as_bytes()).await
}

/// A page, silence, or the refusal as it was recorded, with other numbers.
fn page(held: &Lines, pages: &AtomicUsize, request: &Request) -> Result<Option<String>, String> {
    let number = |name| request.param(name).and_then(|v| v.parse::<i64>().ok());
    let (start, end) = (number("start").unwrap(), number("end").unwrap());
    let limit = number("limit").unwrap();
    let backward = match request.param("direction") {
        Some("backward") => true,
        Some("forward") => false,
        other => panic!("{other:?}"),
    };
    if end - start > held.longest_ns {
        let recorded = String::from_utf8(wire::fixture("loki/err_range_too_long.txt")).unwrap();
        let hours = |ns: i64| format!("{}h0m0s", ns / 3_600_000_000_000);
        return Err(recorded
            .replace("1440h0m0s", &hours(end - start))
            .replace("30d1h", &hours(held.longest_ns)));
    }
    if limit > i64::from(held.most) {
        let recorded = String::from_utf8(wire::fixture("loki/err_limit_exceeded.txt")).unwrap();
        return Err(recorded
            .replace("100000", &limit.to_string())
            .replace("5000", &held.most.to_string()));
    }
    let turn = pages.fetch_add(1, Ordering::SeqCst);
    if turn >= held.silent_after {
        return Ok(None);
    }
    let mut found: Vec<_> = held
        .lines
        .iter()
        .filter(|(at, _, _)| (start..end).contains(at))
        .collect();
    // In no certain order within a nanosecond.
    found.sort_by_key(|(at, _, text)| (*at, text.len().wrapping_mul(turn + 1) % 7));
    if backward {
        found.reverse();
    }
    found.truncate(limit as usize);
    let mut streams: std::collections::BTreeMap<&str, Vec<Value>> = Default::default();
    for (at, pod, text) in found {
        let entry = json!([at.to_string(), text, {"structuredMetadata": {"trace_id": text}}]);
        streams.entry(pod).or_default().push(entry);
    }
    let result: Vec<Value> = streams
        .into_iter()
        .map(|(pod, values)| {
            json!({"stream": {"service_name": "checkout", "namespace": "shop", "pod": pod,
                "container": "main"}, "values": values})
        })
        .collect();
    Ok(Some(
        json!({"status": "success", "data": {"resultType": "streams", "result": result, "stats": {}}})
            .to_string(),
    ))
}

//! Loki, Tempo and vLLM against servers that replay what real ones were recorded to say.

#[path = "protocols/logs.rs"]
mod logs;
#[path = "support/loki_lines.rs"]
mod loki_lines;
#[path = "support/loki.rs"]
mod loki_server;
#[path = "protocols/tempo.rs"]
mod tempo;
#[path = "support/tempo.rs"]
mod tempo_server;
#[path = "support/vllm.rs"]
mod vllm;

use std::sync::Arc;
use std::time::Duration;

use farwatch::config::Endpoint;
use farwatch::model::fault::FaultKind;
use farwatch::model::health::{Health, SourceKind};
use farwatch::model::id::ClusterId;
use farwatch::model::log::Level;
use farwatch::model::telemetry::{Body, Telemetry};
use farwatch::model::time::Timestamp;
use farwatch::source::Outlet;
use farwatch::source::door::Door;
use farwatch::source::loki::{self, Loki};
use farwatch::source::report::{Report, Waits};
use farwatch::source::supervisor::{Gate, Pace};
use loki_server::{Fault, LokiServer};
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;

const CATEGORIZED: &str = "query_range_streams_categorize.json";

fn endpoint(url: &str) -> Endpoint {
    Endpoint {
        url: url.to_owned(),
        timeout: Duration::from_secs(20),
        ..Endpoint::default()
    }
}

fn client(url: &str) -> Loki {
    Loki::new(Door::open(&endpoint(url), "alpha", None).unwrap())
}

fn report(cluster: u16, kind: SourceKind, outlet: Outlet) -> Report {
    let waits = Waits::new(&Pace {
        shortest: Duration::from_millis(50),
        longest: Duration::from_millis(200),
        denied: Duration::from_millis(200),
        ..Pace::default()
    });
    Report::new(ClusterId(cluster), kind, outlet, waits)
}

fn follow(endpoint: &Endpoint, cluster: u16, selector: &str, outlet: Outlet) -> JoinHandle<()> {
    let gate = Arc::new(Gate::new(endpoint, "alpha", None));
    let report = report(cluster, SourceKind::Loki, outlet);
    tokio::spawn(loki::follow(gate, selector.to_owned(), report))
}

async fn ask(fault: Fault) -> Result<usize, farwatch::source::door::SourceError> {
    let server = LokiServer::start(CATEGORIZED, fault).await;
    let (start, end) = (Timestamp(0), Timestamp(1_000));
    let mut endpoint = endpoint(&server.url());
    if matches!(fault, Fault::Silent) {
        endpoint.timeout = Duration::from_millis(700);
    }
    Loki::new(Door::open(&endpoint, "alpha", None).unwrap())
        .query_range("{app=\"checkout\"}", start, end, 10, true)
        .await
        .map(|(lines, _)| lines.len())
}

#[tokio::test]
async fn loki_query_asks_for_apart_metadata() {
    let server = LokiServer::start(CATEGORIZED, Fault::None).await;
    let loki = client(&server.url());
    let (start, end) = (Timestamp(1_000), Timestamp(2_000));
    let (lines, reply) = loki
        .query_range("{app=\"checkout\"}", start, end, 9_999, true)
        .await
        .unwrap();
    assert_eq!(lines.len(), 10);
    assert!(
        lines.windows(2).all(|w| w[0].at_ns >= w[1].at_ns),
        "newest first"
    );
    assert!(reply.latency > Duration::ZERO);
    let request = &server.requests("/query_range")[0];
    assert_eq!(
        request.header("x-loki-response-encoding-flags"),
        Some("categorize-labels")
    );
    assert_eq!(request.param("start"), Some("1000000000"));
    assert_eq!(request.param("end"), Some("2000000000"));
    assert_eq!(
        request.param("limit"),
        Some("5000"),
        "no more than Loki gives"
    );
    assert_eq!(request.param("direction"), Some("backward"));
    assert_eq!(loki.label_values("app").await.unwrap().0.len(), 6);
    assert!(loki.label_values("nope").await.unwrap().0.is_empty());
    assert!(loki.label_values("../x").await.is_err());
    assert!(loki.version().await.unwrap().0.is_some());
}

#[tokio::test]
async fn loki_faults_say_what_and_where() {
    let cases = [
        (Fault::Tenant, FaultKind::Auth, "no org id"),
        (Fault::Busy, FaultKind::RateLimited, "too many requests"),
        (
            Fault::BadQuery,
            FaultKind::BadQuery,
            "parse error at line 1",
        ),
        (Fault::Silent, FaultKind::Timeout, "no answer within"),
        (Fault::HalfBody, FaultKind::BadPayload, "cut"),
    ];
    for (fault, kind, words) in cases {
        let error = ask(fault).await.unwrap_err().fault();
        assert_eq!(error.kind, kind, "{fault:?}: {error}");
        let text = error.to_string();
        assert!(text.contains(words), "{fault:?}: {text}");
        assert!(text.starts_with("alpha: http://127.0.0.1:"), "{text}");
    }
    let server = LokiServer::start("query_range_matrix.json", Fault::None).await;
    let error = client(&server.url())
        .query_range("rate({a=\"b\"}[1m])", Timestamp(0), Timestamp(1), 10, true)
        .await
        .unwrap_err();
    assert!(error.is_about_query(), "{error}");
}

/// Runs `wanted` over what comes until it is content, at most 8 seconds.
async fn until(queue: &mut Receiver<Telemetry>, mut wanted: impl FnMut(&Telemetry) -> bool) {
    let mut seen = Vec::new();
    let work = async {
        while let Some(telemetry) = queue.recv().await {
            if wanted(&telemetry) {
                return;
            }
            seen.push(format!("{:.300?}", telemetry.body));
        }
        panic!("the source ended");
    };
    if tokio::time::timeout(Duration::from_secs(8), work)
        .await
        .is_err()
    {
        panic!("did not come; seen: {seen:#?}");
    }
}

#[tokio::test]
async fn loki_tail_looks_back_then_follows_and_comes_again() {
    let server = LokiServer::start(CATEGORIZED, Fault::CloseOnce).await;
    let (outlet, mut queue) = Outlet::new(64);
    let task = follow(&endpoint(&server.url()), 3, "{app=\"tailtest\"}", outlet);
    until(
        &mut queue,
        |t| matches!(&t.body, Body::Logs(b) if !b.live && b.lines.len() == 10),
    )
    .await;
    until(
        &mut queue,
        |t| matches!(&t.body, Body::Health(h) if h.health == Health::Live),
    )
    .await;
    let mut errors = 0;
    until(&mut queue, |t| {
        assert_eq!(t.cluster, ClusterId(3));
        if let Body::Logs(batch) = &t.body {
            assert!(batch.live);
            errors += batch
                .lines
                .iter()
                .filter(|l| l.level == Level::Error)
                .count();
        }
        matches!(&t.body, Body::Health(h) if matches!(&h.health,
            Health::Failing { fault, .. } if fault.what.contains("1011")))
    })
    .await;
    assert!(errors > 0);
    until(
        &mut queue,
        |t| matches!(&t.body, Body::Health(h) if h.health == Health::Live),
    )
    .await;
    let tails = server.requests("/tail");
    assert_eq!(tails.len(), 2);
    let start = |i: usize| tails[i].param("start").unwrap().parse::<i64>().unwrap();
    assert!(start(1) > start(0), "goes on where it ended");
    assert_eq!(
        tails[0].header("x-loki-response-encoding-flags"),
        Some("categorize-labels")
    );
    task.abort();
}

#[tokio::test]
async fn loki_tail_counts_what_a_full_queue_lost() {
    let server = LokiServer::start("query_range_empty.json", Fault::None).await;
    let (outlet, mut queue) = Outlet::new(2);
    let watched = outlet.clone();
    let task = follow(&endpoint(&server.url()), 0, "{app=\"t\"}", outlet);
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(watched.dropped() > 0, "the queue of two was full");
    assert_eq!(queue.len(), 2);
    queue.close();
    while queue.recv().await.is_some() {}
    task.abort();
}

#[tokio::test]
async fn loki_refused_tail_is_told_once_per_try() {
    let server = LokiServer::start(CATEGORIZED, Fault::BadQuery).await;
    let (outlet, mut queue) = Outlet::new(64);
    let task = follow(&endpoint(&server.url()), 0, "{app=", outlet);
    until(&mut queue, |t| {
        matches!(&t.body, Body::Health(h) if matches!(&h.health,
            Health::Failing { fault, .. } if fault.kind == FaultKind::BadQuery))
    })
    .await;
    task.abort();
}

#[tokio::test]
async fn vllm_server_replays_every_byte() {
    let server = vllm::VllmServer::start(vec!["chat_stream.sse"]).await;
    let text = reqwest::Client::new()
        .post(format!("{}/chat/completions", server.url))
        .json(&serde_json::json!({"model": "lab-tiny", "messages": [], "stream": true}))
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let wanted = std::fs::read("tests/fixtures/vllm/chat_stream.sse").unwrap();
    assert_eq!(text.as_ref(), wanted.as_slice());
    assert_eq!(server.requests().len(), 1);
}

//! Loki, Tempo and vLLM against servers that replay what real ones were recorded to say.

#[path = "protocols/clock_events.rs"]
mod clock_events;
#[path = "protocols/compared.rs"]
mod compared;
#[path = "protocols/logql.rs"]
mod logql;
#[path = "protocols/logs.rs"]
mod logs;
#[path = "support/loki_lines.rs"]
mod loki_lines;
#[path = "support/loki.rs"]
mod loki_server;
#[path = "support/scenario.rs"]
mod scenario;
#[path = "protocols/tempo.rs"]
mod tempo;
#[path = "support/tempo.rs"]
mod tempo_server;
#[path = "support/vllm.rs"]
mod vllm;
#[path = "support/wire.rs"]
mod wire;

use std::sync::Arc;
use std::time::Duration;

use farwatch::config::Endpoint;
use farwatch::message::Msg;
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
use scenario::Console;
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
    assert_eq!(loki.label_values("app", None).await.unwrap().0.len(), 6);
    assert!(loki.label_values("nope", None).await.unwrap().0.is_empty());
    assert!(loki.label_values("../x", None).await.is_err());
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

/// Two clusters at once, one of which breaks: their lines stand in time order, each once, what was
/// lost and how far each lags is told, and a pause holds all that comes.
#[tokio::test]
async fn loki_tails_of_two_clusters_are_one_stream() {
    let steady = LokiServer::start("query_range_empty.json", Fault::Slow).await;
    let breaking = LokiServer::start("query_range_empty.json", Fault::CloseOnce).await;
    let losing = LokiServer::start("query_range_empty.json", Fault::Loses).await;
    let mut console = Console::new(&["steady", "breaking", "losing"], (200, 50));
    console.keys("4");
    let (outlet, mut queue) = Outlet::new(1_000);
    let tasks: Vec<_> = [(0, &steady), (1, &breaking), (2, &losing)]
        .map(|(at, server)| follow(&endpoint(&server.url()), at, "{app=\"t\"}", outlet.clone()))
        .into();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    let held = |console: &Console, at: u16| {
        let cluster = console.state.world.cluster(ClusterId(at)).unwrap();
        (cluster.logs.len(), cluster.logs.dropped())
    };
    let all = lines_of_the_tail();
    // The one that broke says its frames again after it came back: each line is there once.
    while breaking.requests("/tail").len() < 2
        || held(&console, 0).0 < all
        || held(&console, 1).0 < all + 1
        || held(&console, 2) != (all, 7)
    {
        let told = tokio::time::timeout_at(deadline, queue.recv()).await;
        console.update(Msg::Telemetry(Box::new(told.expect("in time").unwrap())));
    }
    tasks.iter().for_each(JoinHandle::abort);
    let world = &console.state.world;
    let mut times = Vec::new();
    for cluster in &world.clusters {
        assert!(cluster.log_lag_ms.is_some(), "{}", cluster.name);
        let own: Vec<_> = cluster.logs.iter().map(|l| l.to_owned()).collect();
        assert!(own.is_sorted_by_key(|l| l.at_ns));
        times.extend(own.iter().map(|l| (l.at_ns, cluster.id)));
    }
    assert_eq!(
        times.len(),
        3 * all + 1,
        "nothing is lost, nothing is double"
    );
    let text = console.screen();
    assert!(text.contains("losing 7 dropped"), "{text}");
    assert!(
        text.contains("lag ") && text.contains("following"),
        "{text}"
    );
}

/// Lines that the recorded frames hold, each once.
fn lines_of_the_tail() -> usize {
    let text = std::fs::read_to_string("tests/fixtures/loki/tail_frames_categorize.jsonl").unwrap();
    let records = text.lines().map(|l| serde_json::from_str(l).unwrap());
    let mut lines = std::collections::BTreeSet::new();
    for record in records.filter(|r: &serde_json::Value| r["opcode"] == "text") {
        let frame: serde_json::Value =
            serde_json::from_str(record["payload"].as_str().unwrap()).unwrap();
        for stream in frame["streams"].as_array().unwrap() {
            for value in stream["values"].as_array().unwrap() {
                lines.insert(format!("{} {} {}", stream["stream"], value[0], value[1]));
            }
        }
    }
    lines.len()
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

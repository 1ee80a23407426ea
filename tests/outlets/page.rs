//! `/health`, `/ready` and `/metrics`.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use farwatch::config::Watch;
use farwatch::model::alert::Severity;
use reqwest::Method;

use super::prometheus::Prometheus;
use super::{asked, incident, listening, started, turn, until};

fn watch() -> Watch {
    Watch {
        listen: listening(),
        ..Watch::default()
    }
}

pub async fn got(address: SocketAddr, path: &str) -> (u16, String) {
    let answer = reqwest::get(format!("http://{address}{path}")).await;
    let answer = answer.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

/// What `promtool check metrics` says; empty: nothing is wrong.
pub fn promtool(page: &str) -> String {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("promtool: {e}; install the Debian package prometheus"));
    let mut input = child.stdin.take().expect("stdin");
    input.write_all(page.as_bytes()).expect("written");
    drop(input);
    let output = child.wait_with_output().expect("ended");
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told).into_owned();
    assert_eq!(output.status.success(), told.is_empty(), "{told}");
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promtool_finds_nothing_wrong_and_a_real_prometheus_reads_it() {
    let outlets = started(Watch {
        webhook: vec![super::endpoint("http://127.0.0.1:9/".into())],
        ..watch()
    })
    .await;
    let address = outlets.address.expect("listening");
    let incidents = [incident(7, Severity::Critical)];
    outlets.tell(turn(&incidents));
    let answer = reqwest::get(format!("http://{address}/metrics")).await;
    let answer = answer.expect("an answer");
    let kind = answer.headers()["content-type"].clone();
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    let page = answer.text().await.expect("text");
    assert_eq!(promtool(&page), "", "{page}");
    assert_ne!(
        promtool("# TYPE x counter\nx 1\n"),
        "",
        "promtool does look"
    );
    assert!(!page.contains("hot"), "no text of a cluster: {page}");
    let config = format!(
        "scrape_configs:\n- job_name: farwatch\n  static_configs: [{{targets: ['{address}']}}]\n"
    );
    let server = Prometheus::start(&config, "");
    let query = |q: &str| format!("{}/api/v1/query?query={q}", server.url());
    for (name, value) in [
        ("farwatch_clusters_held", "2"),
        ("farwatch_clusters_configured", "3"),
        ("sum(farwatch_sources)", "4"),
        ("farwatch_sources%7Bhealth=%22failing%22%7D", "2"),
        (
            "sum(farwatch_incidents_open%7Bseverity=%22critical%22%7D)",
            "1",
        ),
        ("farwatch_events_published_total", "7"),
        ("farwatch_outlet_pending%7Boutlet=%22webhook%22%7D", "1"),
        ("process_resident_memory_bytes%3Ebool%201e6", "1"),
    ] {
        let url = query(name);
        let held = until(name, &outlets, &incidents, async || {
            let told = asked(&url).await?;
            let value = told["data"]["result"][0]["value"][1].as_str()?.to_owned();
            Some(value)
        });
        assert_eq!(held.await, value, "{name}");
    }
    outlets.end().await;
}

#[tokio::test]
async fn a_loop_that_stands_still_is_told_to_whoever_restarts_it() {
    let outlets = started(watch()).await;
    let address = outlets.address.expect("listening");
    assert_eq!(got(address, "/health").await, (200, "ok\n".into()));
    let (status, why) = got(address, "/ready").await;
    assert_eq!(
        (status, why.as_str()),
        (503, "the loop has not gone round yet\n")
    );
    outlets.tell(turn(&[]));
    assert_eq!(got(address, "/ready").await, (200, "ok\n".into()));
    let mut still = turn(&[]);
    let ago = still.turned.checked_sub(Duration::from_secs(42));
    still.turned = ago.expect("the machine has run for longer");
    outlets.tell(still);
    for path in ["/health", "/ready"] {
        let (status, why) = got(address, path).await;
        assert!(
            status == 503 && why.contains("stood still for 4"),
            "{path}: {status} {why}"
        );
    }
    assert_eq!(got(address, "/metrics").await.0, 200);
    outlets.end().await;
    assert!(
        TcpStream::connect(address).is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn nothing_else_is_served() {
    let outlets = started(watch()).await;
    let address = outlets.address.expect("listening");
    for path in ["/", "/metrics/", "/health/../metrics/x", "/ready%00"] {
        assert_eq!(got(address, path).await.0, 404, "{path}");
    }
    let client = reqwest::Client::new();
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let asked = client.request(method.clone(), format!("http://{address}/metrics"));
        let status = asked.send().await.expect("an answer").status();
        assert_eq!(status.as_u16(), 405, "{method}");
    }
    let head = client
        .head(format!("http://{address}/metrics"))
        .send()
        .await;
    assert_eq!(head.expect("an answer").text().await.expect("text"), "");
    // A head without an end is not read for ever.
    let mut socket = TcpStream::connect(address).expect("connected");
    let endless = "GET /metrics HTTP/1.1\r\nx: ".to_owned() + &"y".repeat(1 << 20);
    let _ = socket.write_all(endless.as_bytes());
    assert_eq!(got(address, "/health").await.0, 200);
    outlets.end().await;
}

/// Whoever opens connections and says nothing holds nobody up for long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_connections_make_room() {
    let outlets = started(watch()).await;
    let address = outlets.address.expect("listening");
    let silent: Vec<TcpStream> = (0..100)
        .map(|_| TcpStream::connect(address).expect("connected"))
        .collect();
    assert_eq!(got(address, "/health").await.0, 200);
    drop(silent);
    outlets.end().await;
}

#[tokio::test]
async fn what_cannot_be_opened_is_said_at_the_start() {
    super::prepared();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let busy = Watch {
        listen: taken.local_addr().ok(),
        ..Watch::default()
    };
    let no_file = Watch {
        webhook: vec![farwatch::config::Endpoint {
            ca_file: Some("/nowhere/ca.pem".into()),
            ..super::endpoint("https://127.0.0.1:9/".into())
        }],
        ..Watch::default()
    };
    for (watch, words) in [(busy, "[watch] listen"), (no_file, "[watch] webhook: ")] {
        let told = farwatch::watch::outlets::Outlets::start(&watch, Default::default()).await;
        let why = told.err().expect("refused");
        assert!(why.starts_with(words), "{why}");
    }
}

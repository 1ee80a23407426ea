//! What Loki counts and names, and what is said when it does not.

use farwatch::model::fault::FaultKind;
use farwatch::model::time::Timestamp;
use tokio::io::AsyncWriteExt;

use super::loki_server::{Fault, LokiServer};
use super::{CATEGORIZED, client};

const SPAN: (Timestamp, Timestamp) = (Timestamp(1_795_220_149_000), Timestamp(1_795_227_349_000));
const STEP: u32 = 300_000;

#[tokio::test]
async fn numbers_are_read_as_series() {
    let server = LokiServer::start("query_range_matrix.json", Fault::None).await;
    let query = "sum by (app, detected_level) (count_over_time({namespace=\"shop\"}[5m]))";
    let found = client(&server.url())
        .series(query, SPAN, STEP)
        .await
        .unwrap();
    let cart = found.series.iter().find(|s| {
        let label = |name| s.key.labels.get(name);
        label("app") == Some("cart") && label("detected_level") == Some("error")
    });
    assert_eq!(cart.map(|s| s.points.len()), Some(2));
    let asked = server.requests("/query_range");
    let request = asked.first().expect("asked");
    assert_eq!(request.param("query"), Some(query));
    assert_eq!(request.param("step"), Some("300"));
    assert_eq!(request.param("start"), Some("1795220149000000000"));
}

#[tokio::test]
async fn lines_where_numbers_were_wanted_are_told() {
    let server = LokiServer::start(CATEGORIZED, Fault::None).await;
    let client = client(&server.url());
    let error = client.series("{app=\"a\"}", SPAN, STEP).await.unwrap_err();
    let fault = error.fault();
    assert_eq!(fault.kind, FaultKind::BadQuery);
    assert!(
        fault.to_string().contains("log lines, not numbers"),
        "{fault}"
    );
}

#[tokio::test]
async fn levels_are_counted_else_bytes_of_the_index_told() {
    let server = LokiServer::start("query_range_matrix.json", Fault::None).await;
    let query = "{namespace=\"shop\"} |= \"x\" # so";
    let found = client(&server.url())
        .volume(query, SPAN, STEP)
        .await
        .unwrap();
    assert!(found.series.iter().all(|s| &*s.key.name == "lines"));
    let asked = server.requests("/query_range");
    let text = asked.first().and_then(|r| r.param("query")).expect("asked");
    assert!(
        text.contains("count_over_time({namespace=\"shop\"} |= \"x\" # so\n[300s])"),
        "{text}"
    );

    // It does not count: of whole streams the index knows how much there is.
    let server = LokiServer::start("query_range_matrix.json", Fault::BadQuery).await;
    let client = client(&server.url());
    let found = client
        .volume(" {namespace=\"shop\"} ", SPAN, STEP)
        .await
        .unwrap();
    assert!(!found.series.is_empty());
    assert!(found.series.iter().all(|s| &*s.key.name == "bytes"));
    assert_eq!(server.requests("/volume_range").len(), 1);
    // Of some of their lines it does not.
    let error = client.volume(query, SPAN, STEP).await.unwrap_err().fault();
    assert_eq!(error.kind, FaultKind::BadQuery);
    assert!(
        error.to_string().contains("parse error at line 1"),
        "{error}"
    );
    assert_eq!(server.requests("/volume_range").len(), 1);
}

#[tokio::test]
async fn names_and_values_are_those_of_the_server() {
    let server = LokiServer::start(CATEGORIZED, Fault::None).await;
    let client = client(&server.url());
    let (names, _) = client.labels().await.unwrap();
    assert!(names.iter().any(|n| n == "container"), "{names:?}");
    let (values, _) = client.label_values("app", None).await.unwrap();
    assert!(values.iter().any(|v| v == "checkout"), "{values:?}");
    assert!(
        client
            .label_values("nope", None)
            .await
            .unwrap()
            .0
            .is_empty()
    );
    // Narrowed by what is typed before it.
    let beside = "{namespace=\"shop\"}";
    client.label_values("app", Some(beside)).await.unwrap();
    let asked = server.requests("/label/app/values");
    let told: Vec<_> = asked.iter().map(|r| r.param("query")).collect();
    assert_eq!(told, [None, Some(beside)]);
    // A name that would leave its place in the path is never sent.
    assert!(client.label_values("../../admin", None).await.is_err());
}

/// Answers everything with this status and body.
async fn always(status: &'static str, kind: &'static str, body: Vec<u8>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let body = body.clone();
            tokio::spawn(async move {
                let mut begin = [0; 4096];
                let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut begin).await;
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(&body).await;
            });
        }
    });
    url
}

#[tokio::test]
async fn a_sentence_names_the_cause() {
    let page = b"<!DOCTYPE html><html><title>Sign in</title><body>login</body></html>".to_vec();
    let huge = vec![b'x'; 5 << 20];
    let busy = b"too many outstanding requests".to_vec();
    let timeout = b"context deadline exceeded".to_vec();
    let cut = br#"{"status":"success","data":{"resultType":"matrix","result":[{"met"#.to_vec();
    let cases = [
        ("200 OK", "text/html", page, FaultKind::Auth),
        (
            "500 Internal Server Error",
            "text/plain",
            huge,
            FaultKind::Server,
        ),
        (
            "429 Too Many Requests",
            "text/plain",
            busy,
            FaultKind::RateLimited,
        ),
        (
            "504 Gateway Timeout",
            "text/plain",
            timeout,
            FaultKind::Server,
        ),
        ("200 OK", "application/json", cut, FaultKind::BadPayload),
    ];
    for (status, kind, body, expected) in cases {
        let client = client(&always(status, kind, body).await);
        let error = client.series("rate({a=\"b\"}[5m])", SPAN, STEP).await;
        let fault = error.unwrap_err().fault();
        let text = fault.to_string();
        assert_eq!(fault.kind, expected, "{status}: {text}");
        assert!(
            text.len() < 1_000 && text.starts_with("alpha: "),
            "{status}: {text}"
        );
        // The level counts fail as quietly: what was read is counted then.
        assert!(
            client
                .volume("{a=\"b\"} |= \"x\"", SPAN, STEP)
                .await
                .is_err()
        );
    }
}

//! Each kind of server fails in each way: a sentence of bounded length that names the cluster, the
//! place, the cause and what to try, and holds no secret.

use farwatch::model::ask::{Ask, Question};
use farwatch::model::id::RequestId;
use farwatch::model::text::is_unsafe;
use farwatch::model::time::Timestamp;

use super::*;

const TOKEN: &str = "s3cret-token";
const JSON: &str = "content-type: application/json\r\n";
const HTML: &str = "content-type: text/html; charset=utf-8\r\n";
const GATEWAY: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center>\
    <h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>";
const GRAFANA: &str = "<!DOCTYPE html>\n<html><head><title>Grafana</title></head></html>";

/// What it does, and the words that the sentence must have.
fn manners() -> Vec<(&'static str, Manner, Vec<&'static str>)> {
    use Manner::Status;
    let page = format!(
        "<html><head><title>503 Service Unavailable</title></head>{}</html>",
        "<p>sorry</p>".repeat(5 << 20 >> 3)
    );
    let page: &'static str = Box::leak(page.into_boxed_str());
    let refused =
        r#"{"status":"error","errorType":"bad_data","error":"parse error: unexpected }"}"#;
    let slow = r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#;
    let echo = "Bearer s3cret-token is out of \u{1b}[31mmemory";
    vec![
        (
            "400",
            Status(400, JSON, refused),
            vec!["refused", "unexpected }"],
        ),
        (
            "400 bare",
            Status(400, "", ""),
            vec!["refused", "status 400"],
        ),
        (
            "400 to a TLS port",
            Status(
                400,
                HTML,
                "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
            ),
            vec!["speaks TLS", "https"],
        ),
        ("401", Status(401, "", "Unauthorized"), vec!["401", "token"]),
        (
            "403",
            Status(403, JSON, r#"{"message":"no such right"}"#),
            vec!["403", "no such right"],
        ),
        (
            "404",
            Status(404, "", "404 page not found"),
            vec!["404", "path"],
        ),
        (
            "422",
            Status(422, JSON, slow),
            vec!["refused", "query timed out"],
        ),
        (
            "429",
            Status(429, "retry-after: 7\r\n", "slow down"),
            vec!["429", "wait 7 s"],
        ),
        ("500", Status(500, "", echo), vec!["500", "out of memory"]),
        (
            "502 page",
            Status(502, HTML, GATEWAY),
            vec!["502", "\"502 Bad Gateway\"", "proxy"],
        ),
        (
            "502 untyped",
            Status(502, "", GATEWAY),
            vec!["502", "\"502 Bad Gateway\""],
        ),
        (
            "5 MB page",
            Status(503, HTML, page),
            vec!["503", "Service Unavailable"],
        ),
        (
            "200 page",
            Status(200, HTML, GRAFANA),
            vec!["\"Grafana\" instead of data", "URL"],
        ),
        (
            "200 untyped page",
            Status(200, JSON, GRAFANA),
            vec!["\"Grafana\" instead of data"],
        ),
        (
            "cut JSON",
            Status(200, JSON, "{\"status\":\"success\",\"data\":["),
            vec!["begins", "success"],
        ),
        ("empty", Status(200, JSON, ""), vec!["empty"]),
        (
            "no JSON",
            Status(200, "content-type: text/plain\r\n", "hello there"),
            vec!["hello there"],
        ),
        (
            "slow head",
            Manner::Silent,
            vec!["no answer within 0.4 s", "timeout"],
        ),
        (
            "slow body",
            Manner::SlowBody,
            vec!["no answer within 0.4 s", "timeout"],
        ),
        ("reset", Manner::Closes, vec!["nobody answers"]),
        ("broken off", Manner::HalfBody, vec!["cut after"]),
    ]
}

fn asks() -> Vec<Ask> {
    let (start, end) = (Timestamp(NOW - 3_600_000), Timestamp(NOW));
    vec![
        Ask::Range {
            query: "up".into(),
            start,
            end,
            step_ms: 15_000,
        },
        Ask::Logs {
            query: "{app=\"a\"}".into(),
            start,
            end,
            limit: 10,
            backward: true,
        },
        Ask::Traces {
            query: "{}".into(),
            start,
            end,
            limit: 10,
        },
    ]
}

const NOW: i64 = 1_800_000_000_000;

fn good(what: &str, fault: &Fault, address: &str, words: &[&str]) {
    let text = fault.to_string();
    assert_eq!(fault.cluster, "sick", "{what}: {text}");
    assert!(fault.endpoint.contains(address), "{what}: {text}");
    assert!(!fault.hint.is_empty(), "{what}: {text}");
    assert!(text.len() < 600, "{what}: {} bytes: {text}", text.len());
    assert!(!text.contains(TOKEN), "{what}: {text}");
    assert!(!text.contains(is_unsafe), "{what}: {text}");
    for word in words {
        assert!(text.contains(word), "{what}: no {word:?} in: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_every_server_is_a_sentence_that_helps() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, TOKEN).unwrap();
    for (what, manner, words) in manners() {
        let server = Server::start(manner).await;
        let one = Endpoint {
            auth: Auth::BearerFile(token.clone()),
            timeout: Duration::from_millis(400),
            ..endpoint(server.url())
        };
        let cluster = Cluster {
            name: "sick".into(),
            prometheus: Some(one.clone()),
            alertmanagers: vec![one.clone()],
            loki: Some(one.clone()),
            tempo: Some(one),
            ..Cluster::default()
        };
        let (fleet, mut queue) = start(Config {
            clusters: vec![cluster],
            ..Config::default()
        });
        let address = server.address.to_string();
        let lookup = fleet.lookup();
        for ask in asks() {
            let about = format!("{what}, {ask:?}");
            let question = Question {
                id: RequestId(1),
                cluster: ClusterId(SICK),
                ask,
            };
            let told = lookup.ask(question).await.result;
            good(&about, &told.expect_err(&about), &address, &words);
        }
        let managed = until(&mut queue, what, |t| {
            let ours = t.source == SourceKind::Alertmanager(0);
            health(t, SICK).filter(|_| ours)?.fault().cloned()
        })
        .await;
        good(&format!("{what}, alerts"), &managed, &address, &words);
        fleet.shutdown().await;
    }
}

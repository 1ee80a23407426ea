//! Tools that ask servers: what each asks, and what becomes of the answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use farwatch::model::ask::{Answer, Ask, Question};
use farwatch::model::label::Labels;
use farwatch::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use farwatch::model::trace::{Counts, Span, SpanId, Status, Summary, Trace, TraceId};
use serde_json::{Value, json};

use crate::chat::{Answers, Bench, ChatServer, NOW, Seen, answered, calls, settings, text};

type Heard = Arc<Mutex<Vec<Ask>>>;

/// One call of one tool; what was asked, and what the agent saw.
async fn one(tool: &str, arguments: Value) -> (Vec<Ask>, Seen) {
    let heard: Heard = Heard::default();
    let kept = Arc::clone(&heard);
    let lookup = Arc::new(Answers(move |q: &Question| {
        kept.lock().expect("whole").push(q.ask.clone());
        (Duration::ZERO, answered(q, Ok(answer(&q.ask))))
    }));
    let server = ChatServer::start(vec![calls(&[(tool, arguments)]), text("So it is [1].")]).await;
    let mut bench = Bench::with(settings(&server.url(), Duration::from_secs(5)), lookup);
    let seen = bench.ask("why?").await;
    let asked = heard.lock().expect("whole").clone();
    (asked, seen)
}

fn answer(ask: &Ask) -> Answer {
    match ask {
        Ask::LokiLabelNames => Answer::Names(
            ["kubernetes_namespace_name", "kubernetes_pod_name", "stream"]
                .map(str::to_owned)
                .into(),
        ),
        Ask::LabelValues { .. } => {
            Answer::Names((0..300).map(|n| format!("shop-{n:03}")).collect())
        }
        Ask::Logs { .. } => Answer::Logs(Vec::new()),
        Ask::Traces { .. } => Answer::Traces(vec![summary(1, 900, 1), summary(2, 30, 0)]),
        Ask::Trace { id } => Answer::Trace(Arc::new(Trace::new(*id, spans()))),
        _ => Answer::Series(Arc::new(vec![stepped()])),
    }
}

fn summary(id: u128, duration_ms: u64, errors: u64) -> Summary {
    Summary {
        id: TraceId(id),
        service: "checkout".into(),
        operation: "POST /pay".into(),
        start_ns: NOW.0 * 1_000_000,
        duration_ms,
        counts: Some(Counts {
            spans: 3,
            services: 2,
            errors,
        }),
        matched: None,
    }
}

fn spans() -> Vec<Span> {
    let span = |id: u64, parent: Option<u64>, service: &str, from: i64, to: i64| Span {
        id: SpanId(id),
        parent: parent.map(SpanId),
        service: service.into(),
        operation: format!("op-{id}"),
        start_ns: NOW.0 * 1_000_000 + from * 1_000_000,
        end_ns: NOW.0 * 1_000_000 + to * 1_000_000,
        ..Span::default()
    };
    let mut all = vec![
        span(1, None, "checkout", 0, 900),
        span(2, Some(1), "payment", 10, 890),
    ];
    all[1].status = Status::Error;
    all[1].message = "card service refused".into();
    all
}

/// Five hours of noise, then a level three times as high.
fn stepped() -> SeriesSamples {
    let noise = |i: i64| ((i * 7_919) % 13) as f64 / 13.0;
    SeriesSamples {
        key: SeriesKey::new("latency", Labels::from_pairs([("pod", "p-1")])),
        kind: SampleKind::Gauge,
        points: (0..720)
            .map(|i| Sample {
                at: NOW.plus_ms((i - 719) * 30_000),
                value: if i < 660 { 10.0 } else { 30.0 } + noise(i),
            })
            .collect(),
    }
}

fn query(asked: &[Ask]) -> String {
    match asked.last() {
        Some(Ask::Logs { query, .. } | Ask::Traces { query, .. } | Ask::Range { query, .. }) => {
            query.clone()
        }
        other => panic!("no query in {other:?}"),
    }
}

#[tokio::test]
async fn errors_are_searched_by_the_labels_that_the_server_has() {
    let arguments = json!({
        "cluster": "alpha", "namespace": "shop\"} or {", "service": "pay.*", "error_pattern": "a\"b`",
    });
    let (asked, seen) = one("search_error_logs", arguments).await;
    assert!(seen.ended[0].2, "{seen:?}");
    assert_eq!(asked[0], Ask::LokiLabelNames);
    assert_eq!(
        query(&asked),
        r#"{kubernetes_namespace_name="shop\"} or {", kubernetes_pod_name=~"pay\\.\\*.*"} |~ "a\"b`""#
    );
    let (asked, _) = one("search_error_logs", json!({"cluster": "beta", "hours": 3})).await;
    let [
        Ask::LokiLabelNames,
        Ask::Logs {
            query, start, end, ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    assert!(
        query.starts_with(r#"{kubernetes_namespace_name=~".+"} |~ "(?i)(error"#),
        "{query}"
    );
    assert_eq!(end.0 - start.0, 3 * 3_600_000);
}

#[tokio::test]
async fn traces_are_searched_and_told_by_what_counts() {
    let arguments = json!({
        "service_name": "check\"out", "min_duration_ms": 100, "failed": true, "clusters": ["alpha"],
    });
    let (asked, seen) = one("search_traces", arguments).await;
    assert_eq!(
        query(&asked),
        r#"{ resource.service.name = "check\"out" && duration >= 100ms && status = error }"#
    );
    let told = &seen.ended[0].0;
    assert!(
        told.contains("p95 900 ms") && told.contains("FAILED"),
        "{told}"
    );
    let (_, seen) = one("get_trace", json!({"trace_id": "2a", "cluster": "alpha"})).await;
    let told = &seen.ended[0].0;
    assert!(told.contains("2 spans of 2 services, 1 failed"), "{told}");
    assert!(told.contains("880 ms of it in payment op-2"), "{told}");
    assert!(
        told.contains("FAILED at depth 1: payment") && told.contains("card service"),
        "{told}"
    );
    let (asked, seen) = one("get_trace", json!({"trace_id": "no trace"})).await;
    assert!(asked.is_empty() && !seen.ended[0].2, "{seen:?}");
}

#[tokio::test]
async fn the_engine_judges_what_a_query_gives() {
    let (asked, seen) = one(
        "detect_anomalies",
        json!({"cluster": "alpha", "metric": "latency"}),
    )
    .await;
    let [Ask::Range { start, end, .. }] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    assert_eq!(
        end.0 - start.0,
        6 * 3_600_000,
        "what is before the window teaches"
    );
    let told = &seen.ended[0].0;
    assert!(told.contains("1 anomalies in 1 series"), "{told}");
    assert!(
        told.contains("level shift") || told.contains("spike"),
        "{told}"
    );
    assert!(
        told.contains("latency{pod=\"p-1\"}") && told.contains("was usual"),
        "{told}"
    );
}

#[tokio::test]
async fn names_and_trends_are_short() {
    let arguments =
        json!({"label_name": "namespace", "contains": "SHOP-29", "clusters": ["alpha"]});
    let (asked, seen) = one("get_metric_labels", arguments).await;
    assert_eq!(
        asked,
        [Ask::LabelValues {
            label: "namespace".into()
        }]
    );
    assert_eq!(seen.ended[0].1, 10, "{seen:?}");
    let (_, seen) = one(
        "get_metric_labels",
        json!({"label_name": "namespace", "clusters": ["alpha"]}),
    )
    .await;
    assert!(seen.ended[0].0.contains("(200 more values"), "{seen:?}");
    let arguments = json!({"cluster": "alpha", "metric": "latency", "period": "24h"});
    let (asked, seen) = one("get_metric_trends", arguments).await;
    assert!(
        matches!(
            asked[0],
            Ask::Range {
                step_ms: 720_000,
                ..
            }
        ),
        "{asked:?}"
    );
    assert!(seen.ended[0].0.contains("from about 10"), "{seen:?}");
}

#[tokio::test]
async fn statements_without_evidence_are_told() {
    let answer = "## Conclusion\nThe disk is full [1].\n## Evidence\n- 98 % at 03:06Z [1]\n- the pod was moved\n";
    let server = ChatServer::start(vec![calls(&[("list_alerts", json!({}))]), text(answer)]).await;
    let seen = Bench::new(&server.url()).ask("why?").await;
    assert!(seen.noted("unsupported: 1 of 2 statements"), "{seen:?}");
}

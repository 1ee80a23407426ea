//! Spans at a receiver that reads OTLP's JSON strictly.

use std::sync::{Arc, Mutex};

use farwatch::config::Watch;
use farwatch::source::SPAN;
use farwatch::source::door::Door;
use farwatch::watch::log::Taken;
use farwatch::watch::otlp;
use farwatch::watch::outlets::Outlets;
use futures::FutureExt;
use serde::Deserialize;
use tracing_subscriber::layer::SubscriberExt;

use super::wire::{Server, reply};
use super::{endpoint, listening, own, prepared, until};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Request {
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ResourceSpans {
    resource: Resource,
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    attributes: Vec<Attribute>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeSpans {
    #[allow(dead_code, reason = "that it can be read")]
    scope: Scope,
    spans: Vec<Span>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "that it can be read")]
struct Scope {
    name: String,
    version: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Span {
    trace_id: String,
    span_id: String,
    #[serde(default)]
    parent_span_id: String,
    pub name: String,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute>,
    status: Option<Status>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Status {
    code: u8,
    message: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attribute {
    key: String,
    value: Value,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "that it can be read")]
enum Value {
    #[serde(rename = "stringValue")]
    Text(String),
    #[serde(rename = "intValue")]
    Whole(String),
    #[serde(rename = "doubleValue")]
    Number(f64),
    #[serde(rename = "boolValue")]
    Truth(bool),
}

impl Span {
    pub fn text(&self, key: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|a| a.key == key)?;
        match &found.value {
            Value::Text(text) | Value::Whole(text) => Some(text),
            _ => None,
        }
    }
}

pub type Kept = Arc<Mutex<Vec<Span>>>;

fn read(body: &[u8]) -> Vec<Span> {
    let request: Request = serde_json::from_slice(body).expect("OTLP");
    let mut spans = Vec::new();
    for resource in request.resource_spans {
        assert!(
            resource
                .resource
                .attributes
                .iter()
                .any(|a| a.key == "service.name")
        );
        spans.extend(resource.scope_spans.into_iter().flat_map(|s| s.spans));
    }
    for span in &spans {
        let hex = |text: &str| text.bytes().all(|b| b"0123456789abcdef".contains(&b));
        assert!(span.trace_id.len() == 32 && hex(&span.trace_id), "{span:?}");
        assert!(span.span_id.len() == 16 && hex(&span.span_id), "{span:?}");
        assert_ne!(span.span_id, "0".repeat(16));
        let nanos = |text: &str| text.parse::<u64>().expect("nanoseconds");
        let begin = nanos(&span.start_time_unix_nano);
        assert!(begin > 1_600_000_000_000_000_000);
        assert!(nanos(&span.end_time_unix_nano) >= begin);
    }
    spans
}

/// The first request fails, the others are taken, and one span of each is refused.
pub async fn receiver() -> (Server, Kept) {
    let kept = Kept::default();
    let store = Arc::clone(&kept);
    let tries = Arc::new(Mutex::new(0));
    let server = Server::start(Arc::new(move |request, stream| {
        assert_eq!(request.header("content-type"), Some("application/json"));
        let mut tries = tries.lock().unwrap();
        *tries += 1;
        let first = *tries == 1;
        if !first {
            store.lock().unwrap().extend(read(&request.body));
        }
        async move {
            if first {
                return reply(stream, 503, "text/plain", &[("Retry-After", "0")], b"").await;
            }
            let told = br#"{"partialSuccess":{"rejectedSpans":"1"}}"#;
            reply(stream, 200, "application/json", &[], told).await
        }
        .boxed()
    }))
    .await;
    (server, kept)
}

#[tokio::test]
async fn requests_and_turns_are_spans() {
    prepared();
    let (layer, spans) = otlp::layer();
    let subscriber = tracing_subscriber::registry().with(layer);
    let _kept = tracing::subscriber::set_default(subscriber);
    let (server, kept) = receiver().await;
    let taken = Taken {
        lines_lost: None,
        spans: Some(spans),
    };
    let watch = Watch {
        listen: listening(),
        otlp: Some(endpoint(server.url())),
        ..Watch::default()
    };
    let outlets = Outlets::start(&watch, taken).await.expect("outlets");
    let site = Server::start(Arc::new(|request, stream| {
        let status = if request.path == "/good" { 200 } else { 500 };
        async move { reply(stream, status, "application/json", &[], b"{}").await }.boxed()
    }))
    .await;
    let door = Door::open(&endpoint(site.url()), "alpha", None).expect("a door");
    let turn = tracing::debug_span!(target: SPAN, "turn", batches = 3);
    {
        use tracing::Instrument;
        let asked = async {
            (
                door.get("/good", &[]).await,
                door.get("/bad", &[("query", "secret")]).await,
            )
        };
        let (good, bad) = asked.instrument(turn.clone()).await;
        assert!(good.is_ok() && bad.is_err());
    }
    drop(turn);
    tracing::debug_span!("not ours").in_scope(|| {});
    let all = until("three spans", &outlets, &[], async || {
        let kept = kept.lock().unwrap().clone();
        Some(kept).filter(|kept| kept.len() >= 3)
    });
    let all = all.await;
    let named = |name: &str| all.iter().filter(|s| s.name == name).collect::<Vec<_>>();
    assert!(named("not ours").is_empty());
    let turn = named("turn")[0];
    assert_eq!((turn.kind, turn.text("batches")), (1, Some("3")));
    let requests = named("request");
    assert_eq!(requests.len(), 2, "{all:?}");
    for request in &requests {
        assert_eq!((request.kind, request.text("cluster")), (3, Some("alpha")));
        assert_eq!(request.trace_id, turn.trace_id);
        assert_eq!(request.parent_span_id, turn.span_id);
    }
    let failed = requests.iter().find(|r| r.text("path") == Some("/bad"));
    let status = failed.and_then(|r| r.status.clone()).expect("a status");
    assert!(
        status.code == 2 && status.message.contains("500"),
        "{status:?}"
    );
    let good = requests.iter().find(|r| r.text("path") == Some("/good"));
    assert!(good.expect("the good one").status.is_none());
    assert!(!format!("{all:?}").contains("secret"), "no query leaves");
    let dropped = own(&outlets, "farwatch_outlet_dropped_total{outlet=\"otlp\"}").await;
    assert!(dropped >= Some(1.0), "the server refused one");
    outlets.end().await;
}

/// More spans than there is room for are lost, counted, and hold nobody up.
#[tokio::test]
async fn a_flood_of_spans_is_bounded() {
    prepared();
    let (layer, spans) = otlp::layer();
    let subscriber = tracing_subscriber::registry().with(layer);
    let _kept = tracing::subscriber::set_default(subscriber);
    let taken = Taken {
        lines_lost: None,
        spans: Some(spans),
    };
    let watch = Watch {
        listen: listening(),
        otlp: Some(endpoint("http://127.0.0.1:9/".into())),
        ..Watch::default()
    };
    let outlets = Outlets::start(&watch, taken).await.expect("outlets");
    for number in 0..10_000 {
        tracing::debug_span!(target: SPAN, "turn", number).in_scope(|| {});
    }
    let lost = until("the lost are counted", &outlets, &[], async || {
        let dropped = own(&outlets, "farwatch_outlet_dropped_total{outlet=\"otlp\"}").await;
        dropped.filter(|n| *n >= 7_000.0)
    });
    assert!(lost.await <= 10_000.0 - 2_048.0);
    let waiting = own(&outlets, "farwatch_outlet_pending{outlet=\"otlp\"}").await;
    assert!(waiting >= Some(2_000.0), "{waiting:?}");
    outlets.end().await;
}

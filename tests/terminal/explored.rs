//! From the spike of a metric to the logs of its pod, to the trace that a line names, and back.

use std::sync::{Arc, Mutex};

use serde_json::json;

use super::prometheus_server::Prometheus;
use super::tempo_server::{TRACE, TempoServer, Ways};
use super::*;

#[path = "../support/wire.rs"]
mod wire;

const POD: &str = "gateway-0";

/// A Loki that holds lines of two pods; what it was asked for lines is kept.
struct Loki {
    server: wire::Server,
    queries: Arc<Mutex<Vec<String>>>,
}

impl Loki {
    async fn start() -> Self {
        let queries = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::clone(&queries);
        let server = wire::Server::start(Arc::new(move |request, stream| {
            let asked = Arc::clone(&asked);
            Box::pin(async move {
                let body = match request.path.as_str() {
                    "/loki/api/v1/query_range" => {
                        let query = request.param("query").unwrap_or_default().to_owned();
                        let answer = lines(&query);
                        asked.lock().expect("unpoisoned").push(query);
                        answer
                    }
                    "/loki/api/v1/status/buildinfo" => json!({"version": "3.5.0"}),
                    path if path.starts_with("/loki/api/v1/label") => {
                        json!({"status": "success", "data": ["pod", "namespace"]})
                    }
                    _ => {
                        return wire::reply(stream, 404, "text/plain", &[], b"404 page not found")
                            .await;
                    }
                };
                let body = body.to_string();
                wire::reply(stream, 200, "application/json", &[], body.as_bytes()).await
            })
        }))
        .await;
        Self { server, queries }
    }

    /// What it was asked since.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.queries.lock().expect("unpoisoned"))
    }
}

/// The lines of the pod that the selector names, as Loki would; without one those of all.
fn lines(query: &str) -> serde_json::Value {
    let now = farwatch::clock::now().0;
    let streams: Vec<_> = [
        (POD, "upstream returned 502"),
        ("other-0", "all is well here"),
    ]
    .into_iter()
    .filter(|(pod, _)| !query.contains("pod=") || query.contains(&format!("pod=\"{pod}\"")))
    .map(|(pod, said)| {
        let text = format!("level=error msg=\"{said}\" trace_id={TRACE}");
        let values: Vec<_> = (1..=10)
            .map(|n| json!([((now - n * 1_000) * 1_000_000).to_string(), text]))
            .collect();
        let labels = json!({"namespace": "shop", "pod": pod, "container": "main"});
        json!({"stream": labels, "values": values})
    })
    .collect();
    json!({"status": "success",
        "data": {"resultType": "streams", "stats": {}, "result": streams}})
}

/// Errors of the pod: few for an hour, then many.
fn spike() -> Prometheus {
    let now = farwatch::clock::now().0 / 1000;
    let points: Vec<(i64, f64)> = (0..60)
        .map(|minute| {
            (
                now - 3600 + minute * 60,
                if minute > 55 { 97.0 } else { 2.0 },
            )
        })
        .collect();
    let labels = format!("namespace=\"shop\",pod=\"{POD}\"");
    let history = super::prometheus_server::openmetrics("gateway_errors", &labels, &points);
    let rule = format!(
        "groups: [{{name: spike, rules: [{{record: gateway_errors, expr: vector(97), \
         labels: {{namespace: shop, pod: {POD}}}}}]}}]"
    );
    Prometheus::start_with_history("", &rule, Some(&history))
}

#[test]
fn from_a_spike_to_the_logs_of_its_pod_to_its_trace_and_back_in_eight_keys() {
    let servers = servers();
    let prometheus = spike();
    let (loki, tempo) =
        servers.block_on(async { (Loki::start().await, TempoServer::start(Ways::Both).await) });
    let config = format!(
        "[[clusters]]\nname = \"alpha\"\nprometheus = {{ url = \"{}\" }}\nloki = {{ url = \"{}\" }}\n\
         tempo = {{ url = \"{}\" }}\n",
        prometheus.url(),
        loki.server.url(),
        tempo.url()
    );
    let mut pty = Pty::start(&Start {
        config: Some(&config),
        size: (160, 40),
        ..Start::default()
    });
    pty.see("Clusters 1");
    pty.keys(":promql gateway_errors\r").see("97");
    loki.asked();
    let mut pressed = 0;
    for (keys, presses, wanted, gone) in [
        ("xl", 2, "trace_id=", "nothing of the kind"),
        ("xt", 2, "POST /api/checkout", "nothing of the kind"),
        ("<esc>", 1, "trace_id=", "POST /api/checkout"),
        ("<esc>", 1, "gateway_errors", "trace_id="),
    ] {
        pty.keys(keys).see(wanted).lose(gone);
        pressed += presses;
        if keys == "xl" {
            pty.lose("all is well here");
            of_the_pod(&loki.asked());
        }
    }
    assert!(pressed <= 8);
    pty.keys("1q");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty);
}

/// What the console reads of its own accord, whenever that is.
const OWN: &str = "{namespace=~\".+\"}";

/// Lines were asked for, and of no other pod than that of the curve.
fn of_the_pod(queries: &[String]) {
    let wanted = ["namespace=\"shop\"".to_owned(), format!("pod=\"{POD}\"")];
    let named = |query: &&String| wanted.iter().all(|label| query.contains(label));
    assert!(queries.iter().any(|q| named(&q)), "{queries:#?}");
    let asked_for = queries.iter().filter(|q| *q != OWN);
    let others: Vec<_> = asked_for.filter(|q| !named(q)).collect();
    assert!(others.is_empty(), "{others:#?}");
}

//! From the spike of a metric to the logs of its pod, to the trace that a line names, and back.

use std::sync::Arc;

use serde_json::json;

use super::prometheus_server::Prometheus;
use super::tempo_server::{TRACE, TempoServer, Ways};
use super::*;

#[path = "../support/wire.rs"]
mod wire;

const POD: &str = "gateway-0";

/// A Loki that holds lines of one pod, one of which names the trace.
async fn loki() -> wire::Server {
    wire::Server::start(Arc::new(|request, stream| {
        Box::pin(async move {
            let body = match request.path.as_str() {
                "/loki/api/v1/query_range" => lines(),
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
    .await
}

fn lines() -> serde_json::Value {
    let now = farwatch::clock::now().0;
    let text = format!("level=error msg=\"upstream returned 502\" trace_id={TRACE}");
    let values: Vec<_> = (1..=10)
        .map(|n| json!([((now - n * 1_000) * 1_000_000).to_string(), text]))
        .collect();
    let labels = json!({"namespace": "shop", "pod": POD, "container": "main"});
    json!({"status": "success", "data": {"resultType": "streams", "stats": {},
        "result": [{"stream": labels, "values": values}]}})
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
        servers.block_on(async { (loki().await, TempoServer::start(Ways::Both).await) });
    let config = format!(
        "[[clusters]]\nname = \"alpha\"\nprometheus = {{ url = \"{}\" }}\nloki = {{ url = \"{}\" }}\n\
         tempo = {{ url = \"{}\" }}\n",
        prometheus.url(),
        loki.url(),
        tempo.url()
    );
    let mut pty = Pty::start(&Start {
        config: Some(&config),
        size: (160, 40),
        ..Start::default()
    });
    pty.see("Clusters 1");
    pty.keys(":promql gateway_errors\r").see("97");
    let mut pressed = 0;
    for (keys, presses, wanted, gone) in [
        ("xl", 2, "trace_id=", "nothing of the kind"),
        ("xt", 2, "POST /api/checkout", "nothing of the kind"),
        ("<esc>", 1, "trace_id=", "POST /api/checkout"),
        ("<esc>", 1, "gateway_errors", "trace_id="),
    ] {
        pty.keys(keys).see(wanted).lose(gone);
        pressed += presses;
    }
    assert!(pressed <= 8);
    pty.keys("1q");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty);
}

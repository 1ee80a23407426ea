//! One cluster behind one address: enough of Prometheus, Alertmanager, Loki and Kubernetes to fill
//! every screen, with texts that the test chooses.
#![allow(dead_code, clippy::duplicate_mod)]

use std::io;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::net::TcpStream;

#[path = "wire.rs"]
mod wire;

use wire::Request;

/// Texts that the servers deliver wherever a text can stand.
#[derive(Clone, Debug)]
pub struct Texts {
    /// Values of labels, annotations, names of things.
    pub value: String,
    /// A line of a log.
    pub line: String,
    /// Behind every name and message of the recorded Kubernetes objects.
    pub tail: String,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            value: "node-1".into(),
            line: "level=error msg=\"clock lost\"".into(),
            tail: String::new(),
        }
    }
}

#[derive(Debug)]
pub struct Site {
    server: wire::Server,
    folder: tempfile::TempDir,
}

impl Site {
    pub async fn start(texts: Texts) -> Self {
        let texts = Arc::new(texts);
        let server = wire::Server::start(Arc::new(move |request, stream| {
            let texts = texts.clone();
            Box::pin(async move { answer(&texts, &request, stream).await })
        }))
        .await;
        let folder = tempfile::tempdir().expect("folder");
        let text = format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: '{}'}}}}]\n\
             users: [{{name: u, user: {{}}}}]\n\
             contexts: [{{name: lab, context: {{cluster: c, user: u}}}}]\ncurrent-context: lab\n",
            server.url()
        );
        std::fs::write(folder.path().join("kubeconfig"), text).expect("kubeconfig");
        Self { server, folder }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The tables of a configuration of this cluster.
    pub fn config(&self, name: &str) -> String {
        let (url, folder) = (self.url(), self.folder.path().display());
        format!(
            "[[clusters]]\nname = \"{name}\"\n\
             kube = {{ context = \"lab\", kubeconfig = \"{folder}/kubeconfig\" }}\nprometheus = {{ url = \"{url}\" }}\n\
             alertmanager = {{ url = \"{url}\" }}\nloki = {{ url = \"{url}\" }}\n\
             exporters = [{{ url = \"{url}/metrics\" }}]\n"
        )
    }
}

async fn answer(texts: &Texts, request: &Request, stream: &mut TcpStream) -> io::Result<bool> {
    let now = farwatch::clock::now().0;
    if request.path == "/metrics" {
        let value = texts.value.replace('\\', "\\\\").replace('"', "\\\"");
        let value = value.replace('\n', "\\n");
        let text = format!("# TYPE up gauge\nup{{instance=\"{value}\"}} 1\n");
        return wire::reply(stream, 200, "text/plain", &[], text.as_bytes()).await;
    }
    let objects = match request.path.as_str() {
        "/version" => Some("version.json"),
        "/api/v1/nodes" => Some("nodes.json"),
        "/api/v1/pods" => Some("pods_shop.json"),
        "/api/v1/events" => Some("events_shop.json"),
        _ => None,
    };
    if let Some(file) = objects {
        if request.param("watch").is_some() {
            wire::begin_chunks(stream, "application/json").await?;
            return wire::never(stream).await;
        }
        let list = wire::fixture(&format!("kube/{file}"));
        let mut list = serde_json::from_slice(&list).expect("recorded");
        haunt(&mut list, &texts.tail);
        let list = list.to_string();
        return wire::reply(stream, 200, "application/json", &[], list.as_bytes()).await;
    }
    let Some(body) = body(texts, &request.path, now) else {
        return wire::reply(stream, 404, "text/plain", &[], b"404 page not found").await;
    };
    let body = body.to_string();
    wire::reply(stream, 200, "application/json", &[], body.as_bytes()).await
}

fn body(texts: &Texts, path: &str, now: i64) -> Option<Value> {
    let value = texts.value.as_str();
    let labels = json!({"alertname": format!("ClockLost {value}"), "severity": "critical",
        "instance": value, "node": value, "namespace": value, "pod": value, "job": value,
        "gpu": "0", "Hostname": value, "model_name": value, "iface": value});
    let told = json!({"summary": format!("summary {value}"), "description": value});
    let mut metric = labels.clone();
    metric["__name__"] = json!("up");
    let seconds = now as f64 / 1000.0;
    let success = |data: Value| Some(json!({"status": "success", "data": data}));
    match path {
        "/api/v1/query" => success(json!({"resultType": "vector",
            "result": [{"metric": metric, "value": [seconds, "1"]}]})),
        "/api/v1/query_range" => success(json!({"resultType": "matrix",
            "result": [{"metric": metric, "values": [[seconds - 60.0, "1"], [seconds, "0"]]}]})),
        "/api/v1/alerts" => success(json!({"alerts": [{"labels": labels, "annotations": told,
            "state": "firing", "activeAt": "2026-01-01T00:00:00Z", "value": value}]})),
        "/api/v1/rules" => success(json!({"groups": []})),
        "/api/v1/status/buildinfo" => success(json!({"version": value})),
        "/api/v1/labels" | "/api/v1/label/__name__/values" => success(json!([value])),
        "/api/v2/status" => Some(json!({"versionInfo": {"version": value}})),
        "/api/v2/alerts" => Some(json!([{"labels": labels, "annotations": told,
            "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2036-01-01T00:00:00Z",
            "fingerprint": "f1", "generatorURL": value,
            "status": {"state": "active", "silencedBy": [], "inhibitedBy": []}}])),
        "/loki/api/v1/query_range" => {
            let values: Vec<_> = (0..20)
                .map(|n| json!([((now - n * 1000) * 1_000_000).to_string(), texts.line]))
                .collect();
            success(json!({"resultType": "streams", "stats": {},
                "result": [{"stream": {"app": value, "pod": value}, "values": values}]}))
        }
        "/loki/api/v1/status/buildinfo" => Some(json!({"version": "3.0.0"})),
        _ if path.starts_with("/loki/api/v1/label") => success(json!([value])),
        _ => None,
    }
}

/// Puts the text behind whatever an operator gets to read of an object.
fn haunt(value: &mut Value, tail: &str) {
    const READ: [&str; 8] = [
        "name",
        "namespace",
        "message",
        "reason",
        "nodeName",
        "image",
        "gitVersion",
        "kubeletVersion",
    ];
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(text) if READ.contains(&name.as_str()) => text.push_str(tail),
                    other => haunt(other, tail),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| haunt(item, tail)),
        _ => {}
    }
}

//! The catalogue of signals against a real Prometheus that scrapes recorded exporter pages: every
//! query is answered, finds what the pages hold, and every raw name it brings has a judgement.

#[path = "catalogue/cnf.rs"]
mod cnf;
#[path = "catalogue/dashboards.rs"]
mod dashboards;
#[path = "catalogue/gpu.rs"]
mod gpu;
#[path = "catalogue/large.rs"]
mod large;
#[path = "support/ports.rs"]
mod ports;
#[path = "catalogue/rbac.rs"]
mod rbac;
#[path = "catalogue/ways.rs"]
mod ways;

use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use farwatch::config::Config;
use farwatch::config::signal::{self, Catalogue};
use serde_json::Value;

const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/exporters");

/// Nothing in the recorded pages makes these appear: no such fault, or a metric that is not there.
const QUIET: [&str; 4] = [
    "pod_restarts",
    "pod_out_of_memory",
    "pod_cpu_throttled",
    "apiserver_error_ratio",
];

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_address() -> SocketAddr {
    (std::net::Ipv4Addr::LOCALHOST, ports::free_port()).into()
}

/// Serves the pages by name, one connection a thread; ends with the test.
fn serve_pages() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let address = listener.local_addr().expect("address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    address
}

fn answer(mut stream: TcpStream) {
    let mut request = Vec::new();
    let mut piece = [0u8; 1024];
    while !request.windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(n) => request.extend_from_slice(&piece[..n]),
        }
    }
    let line = String::from_utf8_lossy(&request).into_owned();
    let name = line
        .split(' ')
        .nth(1)
        .unwrap_or("/")
        .trim_start_matches('/');
    let page = std::fs::read(Path::new(PAGES).join(name)).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        page.len()
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&page);
}

fn pages() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(PAGES)
        .expect("fixtures")
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|n| n.ends_with(".prom"))
        .collect();
    names.sort();
    names
}

fn start(folder: &Path, pages_at: SocketAddr) -> (Server, String) {
    let mut config = String::from("global: { scrape_interval: 1s }\nscrape_configs:\n");
    for page in pages() {
        let honor = page.starts_with("amd") || page.starts_with("kube_state");
        // The exporter's own pod: what it says of others then comes as `exported_pod`.
        let labels = match page.starts_with("dcgm") {
            true => ", labels: { namespace: gpu-operator, pod: nvidia-dcgm-exporter-x1 }",
            false => "",
        };
        config.push_str(&format!(
            "- job_name: {page}\n  honor_labels: {honor}\n  honor_timestamps: false\n  metrics_path: /{page}\n  \
             static_configs: [{{ targets: ['{pages_at}']{labels} }}]\n"
        ));
    }
    let file: PathBuf = folder.join("prometheus.yml");
    std::fs::write(&file, config).expect("write");
    let address = free_address();
    let child = Command::new("prometheus")
        .arg(format!("--config.file={}", file.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.join("data").display()
        ))
        .arg(format!("--web.listen-address={address}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("prometheus is installed by tests/run");
    (Server(child), format!("http://{address}"))
}

struct Prometheus {
    client: reqwest::Client,
    base: String,
}

impl Prometheus {
    /// The body of an instant answer as it came.
    async fn body(&self, query: &str) -> Vec<u8> {
        let request = self.client.post(format!("{}/api/v1/query", self.base));
        let answer = request.form(&[("query", query)]).send().await;
        let body = answer.expect("an answer").bytes().await;
        body.expect("a whole answer").to_vec()
    }

    /// The series of the answer, or what the server complains about.
    async fn query(&self, query: &str) -> Result<Vec<Value>, String> {
        let answer: Value = self
            .client
            .post(format!("{}/api/v1/query", self.base))
            .form(&[("query", query)])
            .send()
            .await
            .map_err(|e| e.to_string())?
            .json()
            .await
            .map_err(|e| e.to_string())?;
        match answer["data"]["result"].as_array() {
            Some(series) if answer["status"] == "success" => Ok(series.clone()),
            _ => Err(answer["error"].to_string()),
        }
    }

    /// Until every page was read twice: rates need two points.
    async fn wait(&self, pages: usize) {
        let query = "count(count_over_time(up[1m]) > 2)";
        for _ in 0..300 {
            if let Ok(series) = self.query(query).await
                && value(series.first()).is_some_and(|n| n >= pages as f64)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("Prometheus did not read {pages} pages within 30 s");
    }
}

fn value(series: Option<&Value>) -> Option<f64> {
    series?["value"][1].as_str()?.parse().ok()
}

/// Label of the series whose value is this.
fn labels_at(series: &[Value], wanted: f64, label: &str) -> Vec<String> {
    series
        .iter()
        .filter(|s| value(Some(s)) == Some(wanted))
        .map(|s| s["metric"][label].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn a_real_server_answers_every_query() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("folder");
    let pages_at = serve_pages();
    let (_server, base) = start(folder.path(), pages_at);
    let prometheus = Prometheus {
        client: reqwest::Client::new(),
        base,
    };
    prometheus.wait(pages().len()).await;

    let catalogue = signal::built_in();
    let mut answers = BTreeMap::new();
    for entry in &catalogue.signals {
        let series = prometheus
            .query(&entry.query)
            .await
            .unwrap_or_else(|e| panic!("{}: {e}", entry.name));
        let quiet = QUIET.contains(&entry.name.as_ref());
        assert!(quiet || !series.is_empty(), "{} finds nothing", entry.name);
        if let (Some(needs), false) = (&entry.needs, quiet) {
            let query = format!("count({{__name__=~\"{needs}\"}})");
            let there = prometheus.query(&query).await;
            assert!(
                there.is_ok_and(|s| !s.is_empty()),
                "{} answers but {needs}, which it needs, is not there",
                entry.name
            );
        }
        answers.insert(entry.name.to_string(), series);
    }
    every_raw_name_is_judged(&catalogue, &answers);
    dashboards::every_query_is_answered(&prometheus).await;
    let site = ways::Site {
        prometheus: &prometheus,
        instance: &pages_at.to_string(),
        config: Config::default(),
    };
    gpu::both_ways_give_the_same_table(&site).await;
    cnf::both_ways_give_the_same_table(&site).await;

    let fatal = &answers["gpu_xid_fatal"];
    assert_eq!(labels_at(fatal, 79.0, "hostname"), ["gpu-worker-07"]);
    assert!(labels_at(&answers["gpu_slowed"], 0.0, "UUID").len() < answers["gpu_slowed"].len());
    assert!(!labels_at(&answers["ptp_freerun"], 1.0, "node").is_empty());
    assert!(!labels_at(&answers["ptp_holdover"], 1.0, "node").is_empty());
    assert!(!labels_at(&answers["ptp_class_degraded"], 1.0, "node").is_empty());
    assert!(!labels_at(&answers["ptp_port_faulty"], 1.0, "iface").is_empty());
    assert!(!labels_at(&answers["vllm_saturated"], 1.0, "model_name").is_empty());
    assert!(!labels_at(&answers["node_ready"], 0.0, "node").is_empty());
}

/// A series that keeps its own name is judged by that name.
fn every_raw_name_is_judged(catalogue: &Catalogue, answers: &BTreeMap<String, Vec<Value>>) {
    let judged: HashSet<&str> = catalogue.metrics.iter().map(|m| m.name.as_ref()).collect();
    for (signal, series) in answers {
        for one in series {
            let Some(name) = one["metric"]["__name__"].as_str() else {
                continue;
            };
            let by_signal = name == "sriov_kubepoddevice";
            assert!(
                by_signal || judged.contains(name),
                "{signal} brings {name}, which has no [[metrics]] entry"
            );
        }
    }
}

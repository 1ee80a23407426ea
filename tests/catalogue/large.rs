//! How often a server is asked about its GPUs and its PTP ports: once a measure, however many there
//! are.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farwatch::config::{Cluster, Config, Endpoint, signal};
use farwatch::model::signal::{Group, Signal};
use farwatch::model::telemetry::Body;
use farwatch::source::Outlet;
use farwatch::source::supervisor::Fleet;

/// Queries, and how often each came.
type Asked = Arc<Mutex<BTreeMap<String, usize>>>;

/// What a server has many of.
#[derive(Clone, Copy)]
struct Many {
    group: Group,
    count: usize,
    /// Stands in the one query that is answered with all of them.
    mark: &'static str,
    /// Labels of the n-th, and its name.
    labels: fn(usize) -> String,
}

fn gpus(count: usize) -> Many {
    Many {
        group: Group::Gpu,
        count,
        mark: "GPU_TEMP|",
        labels: |n| {
            let (node, gpu) = (n / 8, n % 8);
            let name = "DCGM_FI_DEV_GPU_TEMP";
            format!("\"__name__\":\"{name}\",\"Hostname\":\"n{node}\",\"gpu\":\"{gpu}\"")
        },
    }
}

fn ports(count: usize) -> Many {
    Many {
        group: Group::Ptp,
        count,
        mark: "(offset_ns|",
        labels: |n| {
            let (node, port) = (n / 4, n % 4);
            let name = "openshift_ptp_offset_ns";
            format!(
                "\"__name__\":\"{name}\",\"node\":\"n{node}\",\"process\":\"ptp4l\",\
                 \"iface\":\"ens{port}fx\""
            )
        },
    }
}

/// Speaks as much of Prometheus as polls need.
fn serve(many: Many) -> (SocketAddr, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let address = listener.local_addr().expect("address");
    let asked = Asked::default();
    let told = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let told = told.clone();
            std::thread::spawn(move || answer(stream, many, &told));
        }
    });
    (address, asked)
}

fn answer(mut stream: TcpStream, many: Many, asked: &Asked) -> Option<()> {
    let mut request = Vec::new();
    let mut piece = [0u8; 4096];
    let body_at = loop {
        if let Some(at) = request.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        let n = stream.read(&mut piece).ok().filter(|n| *n > 0)?;
        request.extend_from_slice(&piece[..n]);
    };
    let head = String::from_utf8_lossy(&request[..body_at]).to_lowercase();
    let length = head
        .lines()
        .find_map(|l| l.strip_prefix("content-length: ")?.trim().parse().ok())
        .unwrap_or(0);
    while request.len() < body_at + length {
        let n = stream.read(&mut piece).ok().filter(|n| *n > 0)?;
        request.extend_from_slice(&piece[..n]);
    }
    let url = format!("http://x/?{}", String::from_utf8_lossy(&request[body_at..]));
    let form = reqwest::Url::parse(&url).ok()?;
    let query = form.query_pairs().find(|(n, _)| n == "query");
    let query = query.map(|(_, q)| q.into_owned()).unwrap_or_default();
    let instant = head.starts_with("post /api/v1/query ");
    if instant {
        *asked.lock().unwrap().entry(query.clone()).or_default() += 1;
    }
    let result = match instant {
        true if query.starts_with("count by (__name__)") => names(many.group),
        true if query.contains(many.mark) => series(many),
        _ => String::new(),
    };
    let body = format!(
        "{{\"status\":\"success\",\"data\":{{\"resultType\":\"vector\",\"result\":[{result}]}}}}"
    );
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()
}

fn signals(group: Group) -> Vec<Signal> {
    let all = signal::built_in().signals.into_iter();
    all.filter(|s| s.group == group).collect()
}

/// Every metric that a query of the group may need is there.
fn names(group: Group) -> String {
    let signals = signals(group);
    let needed = signals.iter().flat_map(Signal::needed);
    let each = needed.map(|n| {
        format!("{{\"metric\":{{\"__name__\":\"{n}\"}},\"value\":[1800000000,\"4096\"]}}")
    });
    each.collect::<Vec<_>>().join(",")
}

fn series(many: Many) -> String {
    let each = (0..many.count).map(|n| {
        let labels = (many.labels)(n);
        format!("{{\"metric\":{{{labels}}},\"value\":[1800000000,\"55\"]}}")
    });
    each.collect::<Vec<_>>().join(",")
}

/// What the server was asked about them within one interval.
async fn asked(many: Many) -> BTreeMap<String, usize> {
    let (address, asked) = serve(many);
    let config = Config {
        clusters: vec![Cluster {
            name: "alpha".into(),
            prometheus: Some(Endpoint {
                url: format!("http://{address}"),
                interval: Some(Duration::from_secs(600)),
                requests_per_minute: 6_000,
                ..Endpoint::default()
            }),
            ..Cluster::default()
        }],
        signals: signals(many.group).into(),
        ..Config::default()
    };
    let wanted = config.signals.len();
    let (outlet, mut queue) = Outlet::new(1_024);
    let fleet = Fleet::start(Arc::new(config), outlet);
    let mut most = 0;
    let mut answers = 0;
    while answers < wanted {
        let next = tokio::time::timeout(Duration::from_secs(60), queue.recv()).await;
        let told = next.expect("all is asked").expect("the queue is open");
        if let Body::Samples(batch) = told.body
            && !batch.backfill
        {
            answers += 1;
            most = most.max(batch.series.len());
            assert_eq!(batch.cut_from, None, "{} is cut", batch.name);
        }
    }
    fleet.shutdown().await;
    assert_eq!(most, many.count, "the answers bring all of them");
    let mut asked = asked.lock().unwrap().clone();
    asked.retain(|query, _| !query.starts_with("count by (__name__)"));
    asked
}

/// A thousand times as many cost the same queries, each once.
async fn one_query_each(many: fn(usize) -> Many, count: usize) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let one = asked(many(1)).await;
    let all = asked(many(count)).await;
    assert_eq!(one, all, "more of them, the same queries");
    assert_eq!(all.len(), signals(many(1).group).len());
    assert!(all.values().all(|count| *count == 1), "{all:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_thousand_gpus_cost_one_query_a_measure_and_interval() {
    one_query_each(gpus, 4_096).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_clock_ports_cost_one_query_a_measure_and_interval() {
    one_query_each(ports, 2_000).await;
}

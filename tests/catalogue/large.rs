//! How often a server is asked about its GPUs: once a measure, however many there are.

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

/// Speaks as much of Prometheus as polls need; every GPU measure has `gpus` series.
fn serve(gpus: usize) -> (SocketAddr, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let address = listener.local_addr().expect("address");
    let asked = Asked::default();
    let told = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let told = told.clone();
            std::thread::spawn(move || answer(stream, gpus, &told));
        }
    });
    (address, asked)
}

fn answer(mut stream: TcpStream, gpus: usize, asked: &Asked) -> Option<()> {
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
        true if query.starts_with("count by (__name__)") => names(),
        true if query.contains("GPU_TEMP|") => series(gpus),
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

fn gpu_signals() -> Vec<Signal> {
    let all = signal::built_in().signals.into_iter();
    all.filter(|s| s.group == Group::Gpu).collect()
}

/// Every metric that a query about GPUs may need is there.
fn names() -> String {
    let signals = gpu_signals();
    let needed = signals.iter().flat_map(Signal::needed);
    let each = needed.map(|n| {
        format!("{{\"metric\":{{\"__name__\":\"{n}\"}},\"value\":[1800000000,\"4096\"]}}")
    });
    each.collect::<Vec<_>>().join(",")
}

fn series(gpus: usize) -> String {
    let each = (0..gpus).map(|i| {
        let (node, gpu) = (i / 8, i % 8);
        format!(
            "{{\"metric\":{{\"__name__\":\"DCGM_FI_DEV_GPU_TEMP\",\"Hostname\":\"n{node}\",\"gpu\":\"{gpu}\"}},\
             \"value\":[1800000000,\"55\"]}}"
        )
    });
    each.collect::<Vec<_>>().join(",")
}

/// What the server was asked about its GPUs within one interval.
async fn asked(gpus: usize) -> BTreeMap<String, usize> {
    let (address, asked) = serve(gpus);
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
        signals: gpu_signals().into(),
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
    assert_eq!(most, gpus, "the answers bring every GPU");
    let mut asked = asked.lock().unwrap().clone();
    asked.retain(|query, _| !query.starts_with("count by (__name__)"));
    asked
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_thousand_gpus_cost_one_query_a_measure_and_interval() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let one = asked(1).await;
    let many = asked(4_096).await;
    assert_eq!(one, many, "more GPUs, the same queries");
    assert_eq!(many.len(), gpu_signals().len());
    assert!(many.values().all(|count| *count == 1), "{many:#?}");
}

//! An exporter that says what it is told to, and a line of 64 kbit/s.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farwatch::config::{Cluster, Config, Endpoint, Nats, Team};
use farwatch::model::ask::{Answer, Answered, Ask, Question};
use farwatch::model::id::{ClusterId, RequestId};
use farwatch::model::telemetry::{Body, SampleBatch, Telemetry};
use farwatch::model::time::Timestamp;
use farwatch::source::Outlet;
use farwatch::source::supervisor::{Fleet, Pace};
use tokio::sync::mpsc::Receiver;

/// Serves one text after the other; the next one once everybody named has read this one.
#[derive(Clone)]
pub struct Exporter {
    pub port: u16,
    state: Arc<Mutex<State>>,
}

struct State {
    texts: Vec<String>,
    at: usize,
    /// Who has to read each text, by a word of their User-Agent, and how far they are.
    readers: BTreeMap<&'static str, usize>,
    /// Refuses everybody.
    down: bool,
}

impl Exporter {
    pub fn start(texts: Vec<String>, readers: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            texts,
            at: 0,
            readers: readers.iter().map(|r| (*r, 0)).collect(),
            down: false,
        }));
        let shared = state.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let state = shared.clone();
                std::thread::spawn(move || serve(socket, &state));
            }
        });
        Self { port, state }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/metrics", self.port)
    }

    /// Which text is read now.
    pub fn at(&self) -> usize {
        self.state.lock().unwrap().at
    }

    pub fn down(&self, down: bool) {
        self.state.lock().unwrap().down = down;
    }
}

fn serve(socket: TcpStream, state: &Mutex<State>) {
    let mut socket = BufReader::new(socket);
    loop {
        let mut agent = String::new();
        loop {
            let mut line = String::new();
            if socket.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let low = line.to_ascii_lowercase();
            if low.starts_with("user-agent:") {
                agent = low;
            }
            if line == "\r\n" {
                break;
            }
        }
        let (status, text) = state.lock().unwrap().answer(&agent);
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {}\r\n\r\n",
            text.len()
        );
        let socket = socket.get_mut();
        if socket.write_all((head + &text).as_bytes()).is_err() {
            return;
        }
    }
}

impl State {
    fn answer(&mut self, agent: &str) -> (&'static str, String) {
        if self.down {
            return ("503 Service Unavailable", String::new());
        }
        let text = self.texts[self.at].clone();
        let at = self.at;
        for (word, read) in &mut self.readers {
            if agent.contains(*word) {
                *read = at + 1;
            }
        }
        if self.readers.values().all(|read| *read > at) {
            self.at = (at + 1).min(self.texts.len() - 1);
        }
        ("200 OK", text)
    }
}

/// A line that lets so many bytes a second through, both ways together, and counts them.
pub struct Line {
    pub port: u16,
    passed: Arc<Mutex<Passed>>,
}

struct Passed {
    bytes: u64,
    per_second: f64,
    due: tokio::time::Instant,
}

impl Line {
    /// `per_second`: bytes.
    pub async fn start(to: u16, per_second: u64) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let passed = Arc::new(Mutex::new(Passed {
            bytes: 0,
            per_second: per_second as f64,
            due: tokio::time::Instant::now(),
        }));
        let shared = passed.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = tokio::net::TcpStream::connect(("127.0.0.1", to)).await else {
                    continue;
                };
                let (near_in, near_out) = near.into_split();
                let (far_in, far_out) = far.into_split();
                tokio::spawn(carry(near_in, far_out, shared.clone()));
                tokio::spawn(carry(far_in, near_out, shared.clone()));
            }
        });
        Self { port, passed }
    }

    pub fn bytes(&self) -> u64 {
        self.passed.lock().unwrap().bytes
    }
}

async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    passed: Arc<Mutex<Passed>>,
) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut buffer = [0; 512];
    loop {
        let Ok(n @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        let due = {
            let mut passed = passed.lock().unwrap();
            passed.bytes += n as u64;
            let takes = Duration::from_secs_f64(n as f64 / passed.per_second);
            passed.due = passed.due.max(tokio::time::Instant::now()) + takes;
            passed.due
        };
        tokio::time::sleep_until(due).await;
        if to.write_all(&buffer[..n]).await.is_err() {
            return;
        }
    }
}

pub fn endpoint(url: &str, interval: Duration) -> Endpoint {
    Endpoint {
        url: url.to_owned(),
        interval: Some(interval),
        timeout: Duration::from_secs(5),
        ..Endpoint::default()
    }
}

pub fn site(exporters: &[String], interval: Duration) -> Cluster {
    Cluster {
        name: "far 1".into(),
        exporters: exporters
            .iter()
            .map(|url| endpoint(url, interval))
            .collect(),
        ..Cluster::default()
    }
}

pub fn team(port: u16) -> Team {
    Team {
        nats: Nats {
            urls: vec![format!("nats://127.0.0.1:{port}")],
            timeout: Duration::from_secs(2),
            ..Nats::default()
        },
        name: "farwatch".into(),
        incidents: farwatch::config::IncidentsFrom::Own,
        create: true,
        replicas: 1,
    }
}

pub fn pace() -> Pace {
    Pace {
        shortest: Duration::from_millis(100),
        longest: Duration::from_millis(300),
        ..Pace::default()
    }
}

/// Watches one cluster.
pub struct Watching {
    pub fleet: Fleet,
    pub told: Receiver<Telemetry>,
}

pub fn watch(config: Config) -> Watching {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (outlet, told) = Outlet::new(10_000);
    let fleet = Fleet::start_with(Arc::new(config), outlet, pace());
    Watching { fleet, told }
}

impl Watching {
    pub async fn ask(&self, ask: Ask) -> Answered {
        let question = Question {
            id: RequestId(1),
            cluster: ClusterId(0),
            ask,
        };
        self.fleet.lookup().ask(question).await
    }

    pub async fn instant(&self, query: &str, at: Timestamp) -> Answered {
        let query = query.to_owned();
        self.ask(Ask::Instant { query, at }).await
    }

    /// Values of an instant query by series; none where there is no answer.
    pub async fn values(&self, query: &str, at: Timestamp) -> BTreeMap<String, f64> {
        let Ok(Answer::Series(all)) = self.instant(query, at).await.result else {
            return BTreeMap::new();
        };
        let one = |s: &farwatch::model::sample::SeriesSamples| {
            (
                s.key.to_string(),
                s.points.first().map_or(f64::NAN, |p| p.value),
            )
        };
        all.iter().map(one).collect()
    }

    /// Batches of samples that came by now.
    pub fn batches(&mut self) -> Vec<SampleBatch> {
        let mut all = Vec::new();
        while let Ok(telemetry) = self.told.try_recv() {
            if let Body::Samples(batch) = telemetry.body {
                all.push(batch);
            }
        }
        all
    }
}

/// A fixture of an exporter.
pub fn recorded(name: &str) -> String {
    let path = format!(
        "{}/tests/fixtures/exporters/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut text = String::new();
    std::fs::File::open(path)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text
}

/// The fixture n scrapes later: counts went on, gauges moved, some of each stood still.
pub fn later(text: &str, n: u64, at_ms: Option<i64>) -> String {
    let mut counts = std::collections::BTreeSet::new();
    let mut out = String::new();
    for (line_number, line) in text.lines().enumerate() {
        if let Some(told) = line.strip_prefix("# TYPE ") {
            let mut words = told.split(' ');
            if let (Some(name), Some("counter" | "histogram")) = (words.next(), words.next()) {
                counts.insert(name.to_owned());
            }
        }
        let Some((series, value)) = line.rsplit_once(' ').filter(|_| !line.starts_with('#')) else {
            out.push_str(line);
            out.push('\n');
            continue;
        };
        let name = series.split('{').next().unwrap_or(series);
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|s| name.strip_suffix(s));
        let grows = counts.contains(name) || family.is_some_and(|f| counts.contains(f));
        let value: f64 = value.parse().unwrap();
        let pseudo = (line_number as u64 * 2_654_435_761 + n * 40_503) % 97;
        let value = match line_number % 3 {
            0 => value,
            _ if grows => value + (n * (1 + line_number as u64 % 7)) as f64 * 14.97,
            _ => value + pseudo as f64 / 8.0,
        };
        let at = at_ms.map_or(String::new(), |at| format!(" {at}"));
        out.push_str(&format!("{series} {value}{at}\n"));
    }
    out
}

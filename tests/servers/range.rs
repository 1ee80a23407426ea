//! One query over several real Prometheus servers, one dead and one that never answers: partial
//! answers, sums over clusters, what is asked again, native histograms, exemplars.

use std::time::Duration;

use farwatch::clock;
use farwatch::command::Command;
use farwatch::config::{Cluster, Config};
use farwatch::message::Effect;
use farwatch::model::ask::{Answered, Ask};
use farwatch::model::id::RequestId;
use farwatch::model::time::Timestamp;
use farwatch::source::supervisor::Fleet;
use farwatch::state::world::World;
use farwatch::ui::Window;
use farwatch::ui::view::metrics::Metrics;
use farwatch::ui::view::{Entry, View};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::prometheus::{Prometheus, openmetrics};
use super::{cluster, drawn, endpoint, scraping, start};

/// The metrics screen over real servers; questions run side by side as in the console.
struct Desk {
    view: Metrics,
    world: World,
    fleet: Fleet,
    /// All that was asked.
    asked: Vec<Ask>,
    running: Vec<(RequestId, AbortHandle)>,
    answers: (mpsc::Sender<Answered>, mpsc::Receiver<Answered>),
}

impl Desk {
    fn new(clusters: Vec<Cluster>) -> Self {
        let config = Config {
            clusters: clusters.clone(),
            ..Config::default()
        };
        let (fleet, _) = start(clusters);
        Self {
            view: Metrics::default(),
            world: World::new(&config, clock::now()),
            fleet,
            asked: Vec::new(),
            running: Vec::new(),
            answers: mpsc::channel(64),
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Ask(question) => {
                    self.asked.push(question.ask.clone());
                    let (lookup, answers) = (self.fleet.lookup(), self.answers.0.clone());
                    let id = question.id;
                    let task = tokio::spawn(async move {
                        let answered = lookup.ask(question).await;
                        let _ = answers.send(answered).await;
                    });
                    self.running.push((id, task.abort_handle()));
                }
                Effect::Cancel(ids) => {
                    for (id, task) in &self.running {
                        if ids.contains(id) {
                            task.abort();
                        }
                    }
                }
                Effect::Work(work) => {
                    work.run();
                    let more = self.view.work(&self.world);
                    self.carry_out(more);
                }
                _ => {}
            }
        }
    }

    fn run(&mut self, query: &str, window: Window) {
        self.world.now = clock::now();
        let entry = Entry {
            scope: None,
            window,
            focus: None,
            query: Some(query.into()),
        };
        let effects = self.view.enter(&entry, &self.world);
        self.carry_out(effects);
    }

    fn tell(&mut self, command: Command) {
        let effects = self.view.update(command, &self.world);
        self.carry_out(effects);
    }

    /// Takes answers until this is on the screen.
    async fn until(&mut self, text: &str) {
        let seen = async {
            while !self.screen().contains(text) {
                let answered = self.answers.1.recv().await.expect("open");
                let effects = self.view.answer(&answered, &self.world);
                self.carry_out(effects);
            }
        };
        if tokio::time::timeout(Duration::from_secs(60), seen)
            .await
            .is_err()
        {
            panic!("never {text:?} in {}", self.screen());
        }
    }

    fn screen(&self) -> String {
        drawn(&self.view, &self.world, (200, 50))
    }

    fn has(&self, text: &str) {
        let screen = self.screen();
        assert!(screen.contains(text), "no {text:?} in {screen}");
    }

    /// Ranges asked since the last call, seconds long each.
    fn ranges(&mut self) -> Vec<i64> {
        let asked = std::mem::take(&mut self.asked).into_iter();
        asked
            .filter_map(|ask| match ask {
                Ask::Range { start, end, .. } => Some((end.0 - start.0) / 1000),
                _ => None,
            })
            .collect()
    }
}

/// One hour of a steady value each 10 s, up to ten minutes ago.
fn hour_of(value: f64, now_s: i64) -> String {
    let points: Vec<(i64, f64)> = (0..300).map(|i| (now_s - 3600 + i * 10, value)).collect();
    openmetrics("load", "node=\"n1\"", &points)
}

/// Accepts and never answers; tells when a request came, and when its connection was closed.
async fn silent() -> (String, mpsc::Receiver<&'static str>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel(64);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let tell = tell.clone();
            tokio::spawn(async move {
                let (mut heard, mut room) = (Vec::new(), [0; 4096]);
                let mut ours = false;
                while let Ok(n @ 1..) = socket.read(&mut room).await {
                    heard.extend_from_slice(&room[..n]);
                    let text = String::from_utf8_lossy(&heard);
                    if !ours && text.contains("query_range") && text.contains("query=load") {
                        ours = true;
                        let _ = tell.send("asked").await;
                    }
                }
                if ours {
                    let _ = tell.send("dropped").await;
                }
            });
        }
    });
    (url, told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_query_over_clusters_of_which_one_is_dead_and_one_silent() {
    let now = clock::now().0 / 1000;
    let alpha = Prometheus::start_with_history("", "", Some(&hour_of(2.0, now)));
    let beta = Prometheus::start_with_history("", "", Some(&hour_of(3.0, now)));
    let mut gamma = Prometheus::start("", "");
    gamma.kill();
    let (url, mut told) = silent().await;
    let mut delta = cluster("delta", None);
    delta.prometheus = Some(farwatch::config::Endpoint {
        timeout: Duration::from_secs(600),
        ..endpoint(url)
    });
    let mut desk = Desk::new(vec![
        cluster("alpha", Some(&alpha)),
        cluster("beta", Some(&beta)),
        cluster("gamma", Some(&gamma)),
        delta,
    ]);
    desk.run("load", Window::HOUR);
    desk.until("2 of 4 clusters").await;
    desk.until("1 failed").await;
    desk.has("1 asked …");
    desk.has("gamma: http://127.0.0.1");
    desk.tell(Command::Combine);
    desk.has("sum over 2 of 4 clusters");
    desk.has("         5         5         5         5 ");
    desk.tell(Command::Detail);
    desk.has("● answered");
    desk.has("✗ failed");
    desk.has("asking");
    // Nobody waits for the silent one: its request really goes.
    assert_eq!(told.recv().await, Some("asked"));
    let effects = desk.view.cancel().expect("it runs");
    desk.carry_out(effects);
    desk.has("stopped");
    let dropped = tokio::time::timeout(Duration::from_secs(20), told.recv()).await;
    assert_eq!(dropped.expect("the connection is closed"), Some("dropped"));
    desk.fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_asks_for_the_tail_and_a_settled_range_for_nothing() {
    let now = clock::now().0 / 1000;
    let alpha = Prometheus::start_with_history("", "", Some(&hour_of(2.0, now)));
    let mut desk = Desk::new(vec![cluster("alpha", Some(&alpha))]);
    desk.run("load", Window::HOUR);
    desk.until("1 of 1 clusters").await;
    let first = desk.ranges();
    assert!(first.len() == 1 && first[0] >= 3_585, "{first:?}");
    desk.world.now = desk.world.now.plus_ms(20_000);
    let effects = desk.view.work(&desk.world);
    desk.carry_out(effects);
    let tail = desk.ranges();
    assert!(tail.len() == 1 && tail[0] <= 330, "{tail:?}");
    desk.until("1 of 1 clusters · step 15s").await;
    let part = Window {
        end: Some(Timestamp((now - 1_800) * 1000)),
        span_ms: 1_500_000,
    };
    let entry = Entry {
        scope: None,
        window: part,
        focus: None,
        query: None,
    };
    let effects = desk.view.enter(&entry, &desk.world);
    desk.carry_out(effects);
    assert!(desk.ranges().is_empty(), "known and settled");
    desk.has("1 of 1 clusters");
    desk.has("load");
    desk.fleet.shutdown().await;
}

/// Protocol buffers as Prometheus scrapes native histograms: a family of one histogram.
fn native() -> Vec<u8> {
    fn part(number: u8, body: &[u8]) -> Vec<u8> {
        let length = u8::try_from(body.len()).expect("short");
        [&[number << 3 | 2, length], body].concat()
    }
    let zigzag = |n: i8| ((n << 1) ^ (n >> 7)) as u8;
    let mut histogram = vec![0x08, 7, 0x11];
    histogram.extend(12.5_f64.to_le_bytes());
    // Schema 0: bounds are powers of two; no bucket around nought.
    histogram.extend([0x28, zigzag(0), 0x31]);
    histogram.extend(0.001_f64.to_le_bytes());
    histogram.extend([0x38, 0]);
    // Three buckets from (0.5, 1] on, with 2, 3 and 2 observations.
    histogram.extend(part(12, &[0x08, zigzag(0), 0x10, 3]));
    for delta in [2, 1, -1] {
        histogram.extend([0x68, zigzag(delta)]);
    }
    let mut family = part(1, b"shop_wait_seconds");
    family.extend([0x18, 4]);
    family.extend(part(4, &part(7, &histogram)));
    let length = u8::try_from(family.len()).expect("short");
    [&[length], family.as_slice()].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn native_histograms_are_a_heat_map() {
    let kind = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
                encoding=delimited";
    let port = exporter(kind, |_| native()).await;
    let mut alpha = Prometheus::start("", "");
    alpha.kill();
    alpha.configure(&scraping(port), &["--enable-feature=native-histograms"]);
    let mut desk = Desk::new(vec![cluster("alpha", Some(&alpha))]);
    let window = Window {
        end: None,
        span_ms: 60_000,
    };
    for _ in 0..120 {
        desk.run("shop_wait_seconds", window);
        desk.until("1 of 1 clusters").await;
        if desk.screen().contains("shown as their buckets") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    desk.has("1 native histograms shown as their buckets");
    desk.has("heat map (m)");
    for text in ["+Inf ┤", "4 s ┤", "1 s ┤", "4 series"] {
        desk.has(text);
    }
    desk.fleet.shutdown().await;
}

/// Serves what `body` gives for the number of the scrape.
async fn exporter(kind: &'static str, body: fn(usize) -> Vec<u8>) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut count = 0;
        while let Ok((mut socket, _)) = listener.accept().await {
            count += 1;
            let mut room = [0; 4096];
            let _ = socket.read(&mut room).await;
            let body = body(count);
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\
                 connection: close\r\n\r\n",
                body.len()
            );
            let _ = socket.write_all(&[head.into_bytes(), body].concat()).await;
        }
    });
    port
}

/// OpenMetrics with an exemplar.
fn with_exemplar(count: usize) -> Vec<u8> {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let text = format!(
        "# TYPE shop_latency_seconds histogram\n\
         shop_latency_seconds_bucket{{le=\"1\"}} {count} # {{trace_id=\"{trace}\"}} 0.25\n\
         shop_latency_seconds_bucket{{le=\"+Inf\"}} {count}\n\
         shop_latency_seconds_sum {count}\n\
         shop_latency_seconds_count {count}\n# EOF\n"
    );
    text.into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exemplars_are_drawn_and_lead_to_their_traces() {
    let kind = "application/openmetrics-text; version=1.0.0";
    let port = exporter(kind, with_exemplar).await;
    let mut alpha = Prometheus::start("", "");
    alpha.kill();
    alpha.configure(&scraping(port), &["--enable-feature=exemplar-storage"]);
    let mut desk = Desk::new(vec![cluster("alpha", Some(&alpha))]);
    let query = "sum by (le) (rate(shop_latency_seconds_bucket[1m]))";
    for _ in 0..60 {
        desk.run(query, Window::HOUR);
        desk.until("1 of 1 clusters").await;
        let wait = tokio::time::timeout(Duration::from_millis(500), desk.until("⇡ exemplar"));
        if wait.await.is_ok() {
            break;
        }
    }
    desk.has("⇡ exemplar (xt)");
    let lead = desk
        .view
        .leads(farwatch::command::Jump::Traces, &desk.world);
    let query = lead.and_then(|goto| goto.query);
    assert_eq!(query.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    desk.fleet.shutdown().await;
}

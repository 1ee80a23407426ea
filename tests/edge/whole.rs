//! The whole way with the real programs: exporters, `farwatch watch`, a bus that goes away and comes
//! back, and a console that reads.

use std::process::{Child, Command, Stdio};

use crate::bus::{counted, counting, is_sorted, now, reader};
use crate::nats::{Nats, free_port, until};
use crate::prometheus::{NodeExporter, get};
use crate::site::{Exporter, watch};

/// A watcher at the site.
struct Program {
    home: tempfile::TempDir,
    child: Child,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    fn start(config: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("c.toml"), config).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_farwatch"))
            .args(["watch", "--replica", "w1", "--config"])
            .arg(home.path().join("c.toml"))
            .env("HOME", home.path())
            .env_remove("XDG_STATE_HOME")
            .env_remove("FARWATCH_CONFIG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(home.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        Self { home, child }
    }

    fn log(&self) -> String {
        let read = |name| std::fs::read_to_string(self.home.path().join(name)).unwrap_or_default();
        read(".local/state/farwatch/farwatch.log") + &read("stderr")
    }
}

/// A figure of its page; `None`: it tells none.
fn figure(port: u16, name: &str) -> Option<f64> {
    let page = get(port, "/metrics")?;
    let line = page.lines().find(|l| l.starts_with(name))?.to_owned();
    line.rsplit(' ').next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_the_bus_is_filled_back_in_order() {
    let mut server = Nats::jetstream();
    let node = NodeExporter::start();
    let numbers = Exporter::start(counting(10_000), &["farwatch"]);
    let port = free_port();
    let program = Program::start(&format!(
        "[team]\nnats = {{ url = \"{}\", timeout = \"1s\" }}\n\
         [watch]\nlisten = \"127.0.0.1:{port}\"\ninterval = \"1s\"\n\
         [[clusters]]\nname = \"far-1\"\nedge = {{ samples = \"publish\" }}\n\
         exporters = [\n{{ url = \"{}\", interval = \"1s\", requests_per_minute = 600 }},\n\
         {{ url = \"{}/metrics\", interval = \"1s\", requests_per_minute = 600 }} ]\n",
        server.url(),
        numbers.url(),
        node.program.url(),
    ));
    let mut reads = reader(server.port);
    reads.clusters[0].name = "far-1".into();
    let mut console = watch(reads);
    until("the first come", async || {
        (counted(&console).await.len() > 3).then_some(())
    })
    .await;
    until("what is sent is told", async || {
        figure(port, "farwatch_samples_messages_sent_total").filter(|n| *n >= 1.0)
    })
    .await;
    server.kill();
    // Longer than two messages take to gather.
    until("messages wait", async || {
        figure(port, "farwatch_samples_messages_waiting").filter(|n| *n >= 2.0)
    })
    .await;
    let gone = numbers.at() as u64;
    server.restart();
    until("what was told meanwhile comes", async || {
        (counted(&console).await.last() >= Some(&gone)).then_some(())
    })
    .await;
    let all = counted(&console).await;
    assert!(is_sorted(&all), "{all:?}");
    let whole: Vec<u64> = (0..all.len() as u64).collect();
    assert_eq!(all, whole, "none lost, none doubled: {}", program.log());
    let batches = console.batches();
    let mut times: Vec<i64> = batches
        .iter()
        .filter(|b| *b.name == *numbers.url())
        .map(|b| b.at.0)
        .collect();
    times.dedup();
    assert!(times.windows(2).all(|w| w[0] < w[1]), "in order, once each");
    let names = console
        .values("count({__name__=~\"node_.+\"})", now())
        .await;
    assert!(
        names.values().all(|n| *n > 100.0) && !names.is_empty(),
        "{names:?}"
    );
    let figures = until("all of it is sent", async || {
        let waiting = figure(port, "farwatch_samples_messages_waiting")?;
        (waiting == 0.0).then(|| get(port, "/metrics").unwrap())
    })
    .await;
    assert!(
        figures.contains("farwatch_samples_scrapes_dropped_total{cluster=\"far-1\"} 0\n"),
        "{figures}"
    );
    assert!(figure(port, "farwatch_samples_sent_bytes_total") > Some(1_000.0));
}

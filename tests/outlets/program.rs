//! The real program: a real process, whose outlets are read by the real programs.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use futures::FutureExt;
use serde_json::Value;

use super::nats::Nats;
use super::prometheus::{Alertmanager, Prometheus};
use super::traces::receiver;
use super::wire::{Server, reply};
use super::{asked, page};

const SECRET: &str = "hook-secret-token";

struct Watcher {
    home: tempfile::TempDir,
    child: Child,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Watcher {
    fn start(config: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::write(home.path().join("c.toml"), config).expect("written");
        std::fs::write(home.path().join("hook.token"), SECRET).expect("written");
        let log = std::fs::File::create(home.path().join("stderr")).expect("a file");
        let child = Command::new(env!("CARGO_BIN_EXE_farwatch"))
            .args(["watch", "--config"])
            .arg(home.path().join("c.toml"))
            .env("HOME", home.path())
            .env_remove("XDG_STATE_HOME")
            .env_remove("FARWATCH_CONFIG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("farwatch");
        Self { home, child }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("stderr")).unwrap_or_default()
    }

    /// Whole lines of the log.
    fn lines(&self) -> Vec<Value> {
        let log = self.log();
        let whole = log.rfind('\n').map_or("", |end| &log[..end]);
        let read =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        whole.lines().map(read).collect()
    }

    /// SIGTERM; the exit status.
    fn end(&mut self) -> Option<i32> {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("sent");
        self.child.wait().expect("ended").code()
    }
}

async fn until<T>(watcher: &Watcher, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..900 {
        if let Some(found) = ask().await {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("never: {what}\n{}", watcher.log())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_watcher_finds_is_told_everywhere() {
    let site = Server::start(Arc::new(|_, stream| {
        let page = b"lab_heat{node=\"n1\"} 120\n";
        async move { reply(stream, 200, "text/plain; version=0.0.4", &[], page).await }.boxed()
    }))
    .await;
    let manager = Alertmanager::start();
    let mut server = Prometheus::start("", "");
    server.configure("", &["--web.enable-remote-write-receiver"]);
    let (collector, spans) = receiver().await;
    let bus = Nats::jetstream();
    let mut watcher = Watcher::start(&format!(
        "[team]\nnats = {{ url = \"{}\" }}\n\
         [watch]\nlisten = \"127.0.0.1:0\"\nlog = \"json\"\ninterval = \"2s\"\n\
         webhook = [{{ url = \"{}/api/v2/alerts\", bearer_file = \"hook.token\" }}]\n\
         remote_write = {{ url = \"{}/api/v1/write\", interval = \"1s\" }}\n\
         otlp = {{ url = \"{}\", interval = \"1s\" }}\n\
         [[metrics]]\nname = \"lab_heat\"\nabout = \"heat\"\nunit = \"celsius\"\nbad = \"high\"\n\
         limit = {{ warn = 90.0, for_s = 1 }}\n\
         [[clusters]]\nname = \"edge-1\"\n\
         exporters = [{{ url = \"{}\", interval = \"1s\", requests_per_minute = 600 }}]\n",
        bus.url(),
        manager.program.url(),
        server.url(),
        collector.url(),
        site.url(),
    ));
    let alerts = format!("{}/api/v2/alerts", manager.program.url());
    let alert = until(&watcher, "an alert", async || {
        asked(&alerts).await?.as_array()?.first().cloned()
    })
    .await;
    assert_eq!(alert["labels"]["cluster"], "edge-1", "{alert}");
    let query = format!(
        "{}/api/v1/query?query=farwatch_incident_score",
        server.url()
    );
    let series = async || asked(&query).await?["data"]["result"].as_array().cloned();
    let written = until(&watcher, "a score", async || {
        series().await?.first().cloned()
    })
    .await;
    assert_eq!(written["metric"]["incident"], alert["labels"]["incident"]);
    until(
        &watcher,
        "spans of requests, and of what was published",
        async || {
            let spans = spans.lock().unwrap();
            let ours = spans
                .iter()
                .any(|s| s.name == "request" && s.text("cluster") == Some("edge-1"));
            let published = spans.iter().any(|s| s.name == "publish");
            (ours && published).then_some(())
        },
    )
    .await;
    let served = watcher.lines().into_iter().find_map(|line| {
        let address = line["fields"]["address"].as_str()?;
        address.parse::<std::net::SocketAddr>().ok()
    });
    let address = served.expect("an address in the log");
    assert_eq!(page::got(address, "/ready").await, (200, "ok\n".into()));
    let (_, metrics) = page::got(address, "/metrics").await;
    assert_eq!(page::promtool(&metrics), "", "{metrics}");
    for sample in [
        "farwatch_clusters_held 1\n",
        "farwatch_sources{health=\"live\"} 1\n",
        "farwatch_incidents_open{cluster=\"edge-1\",severity=\"warning\"} 1\n",
    ] {
        assert!(metrics.contains(sample), "{sample}{metrics}");
    }
    assert_eq!(watcher.end(), Some(0), "{}", watcher.log());
    assert_eq!(
        series().await,
        Some(Vec::new()),
        "the series end with the watcher"
    );
    let lines = watcher.lines();
    assert!(!lines.is_empty());
    for line in &lines {
        for key in ["time", "level", "target", "message", "fields"] {
            assert!(!line[key].is_null(), "{key}: {line}");
        }
    }
    assert!(!watcher.log().contains(SECRET));
}

//! Exporters that the test heats and cools, watchers of them, and what stands on the bus.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use async_nats::jetstream::consumer::pull::OrderedConfig;
use axum::Router;
use axum::extract::{Path as At, State};
use axum::routing::get;
use farwatch::model::news::Change;
use farwatch::team::spool::Spool;
use futures::StreamExt;
use tempfile::TempDir;

use crate::nats::Nats;

/// Of leases, in the tests.
pub const INTERVAL_MS: i64 = 2_000;

/// Heat of each node of each cluster.
type Heat = Arc<Mutex<BTreeMap<(String, u32), f64>>>;

/// An exporter a cluster, all behind one address.
pub struct Exporters {
    address: SocketAddr,
    heat: Heat,
}

impl Exporters {
    pub async fn start() -> Self {
        let heat = Heat::default();
        let router = Router::new()
            .route("/{cluster}", get(page))
            .with_state(heat.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, heat }
    }

    pub fn heat(&self, cluster: &str, node: u32, celsius: f64) {
        let mut heat = self.heat.lock().unwrap();
        heat.insert((cluster.to_owned(), node), celsius);
    }
}

async fn page(State(heat): State<Heat>, At(cluster): At<String>) -> String {
    let heat = heat.lock().unwrap();
    let ours = heat.iter().filter(|((name, _), _)| *name == cluster);
    let line = |((_, node), celsius): (&(String, u32), &f64)| {
        format!("lab_heat{{node=\"n{node}\"}} {celsius}\n")
    };
    ours.map(line).collect()
}

/// A watcher with a home of its own that outlives its processes.
pub struct Watcher {
    pub home: TempDir,
    name: String,
    child: Option<Child>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.kill();
    }
}

pub fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("site-{n}")).collect()
}

pub fn config(exporters: &Exporters, clusters: &[String], nats: &str) -> String {
    config_of(
        exporters,
        clusters,
        &format!("nats = {{ {nats} }}"),
        INTERVAL_MS,
    )
}

/// `team`: the lines of the team.
pub fn config_of(
    exporters: &Exporters,
    clusters: &[String],
    team: &str,
    interval_ms: i64,
) -> String {
    let mut text = format!(
        "[team]\n{team}\n[watch]\ninterval = \"{}s\"\n\
         [[metrics]]\nname = \"lab_heat\"\nabout = \"heat\"\nunit = \"celsius\"\nbad = \"high\"\n\
         limit = {{ warn = 90.0, for_s = 1 }}\n",
        interval_ms / 1000
    );
    for name in clusters {
        let url = format!("http://{}/{name}", exporters.address);
        text += &format!(
            "[[clusters]]\nname = \"{name}\"\n\
             exporters = [{{ url = \"{url}\", interval = \"1s\", requests_per_minute = 600 }}]\n"
        );
    }
    text
}

impl Watcher {
    pub fn start(name: &str, config: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("c.toml"), config).unwrap();
        let mut watcher = Self {
            home,
            name: name.into(),
            child: None,
        };
        watcher.begin();
        watcher
    }

    pub fn begin(&mut self) {
        let child = Command::new(env!("CARGO_BIN_EXE_farwatch"))
            .args(["watch", "--replica", &self.name, "--config"])
            .arg(self.home.path().join("c.toml"))
            .env("HOME", self.home.path())
            .env_remove("XDG_STATE_HOME")
            .env_remove("FARWATCH_CONFIG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(self.home.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM; the exit status.
    pub fn end(&mut self) -> Option<i32> {
        let mut child = self.child.take().unwrap();
        let id = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        child.wait().unwrap().code()
    }

    fn state(&self) -> PathBuf {
        self.home.path().join(".local/state/farwatch")
    }

    pub fn spool(&self) -> PathBuf {
        self.state().join("spool")
    }

    /// Incidents that were opened and wait in its spool, read from a copy: its folder is locked.
    pub fn waiting(&self) -> Vec<String> {
        let copy = tempfile::tempdir().unwrap();
        if std::fs::copy(self.spool().join("told.log"), copy.path().join("told.log")).is_err() {
            return Vec::new();
        }
        let spool = Spool::open(copy.path(), 64 << 20, farwatch::clock::now());
        let (spool, _) = spool.unwrap();
        let changes = spool.waiting().map(|m| {
            let change: Change = rmp_serde::from_slice(&m.body).unwrap();
            (m.id.clone(), change)
        });
        opened(&changes.collect::<Vec<_>>())
    }

    /// Its log, and what it said besides.
    pub fn log(&self) -> String {
        let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        read(&self.state().join("farwatch.log")) + &read(&self.home.path().join("stderr"))
    }
}

/// What a stream holds, with the ids of the messages.
pub async fn told(server: &Nats) -> Vec<(String, Change)> {
    told_by(&[server.url()]).await.unwrap_or_default()
}

/// The same of servers that hold it together; `None`: it cannot be read now.
pub async fn told_by(urls: &[String]) -> Option<Vec<(String, Change)>> {
    let client = async_nats::connect(urls).await.ok()?;
    let context = async_nats::jetstream::new(client);
    let stream = context.get_stream("farwatch").await.ok()?;
    let consumer = stream.create_consumer(OrderedConfig::default());
    let consumer = consumer.await.ok()?;
    let mut left = consumer.cached_info().num_pending;
    let mut messages = consumer.messages().await.ok()?;
    let mut out = Vec::new();
    while left > 0 {
        let message = messages.next().await?.ok()?;
        let id = message.headers.as_ref().and_then(|h| h.get("Nats-Msg-Id"));
        let id = id.unwrap().as_str().to_owned();
        let change: Change = rmp_serde::from_slice(&message.payload).unwrap();
        assert_eq!(message.subject.as_str(), change.subject());
        assert_eq!(id, change.id);
        out.push((id, change));
        left -= 1;
    }
    Some(out)
}

/// No message stands there twice.
pub fn each_once(told: &[(String, Change)]) {
    let ids: BTreeSet<&String> = told.iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), told.len(), "each once");
}

/// Incidents that were opened, by the nodes of their subjects.
pub fn opened(told: &[(String, Change)]) -> Vec<String> {
    let opened = told
        .iter()
        .filter(|(_, c)| c.event.as_str() == "incident_opened");
    let mut nodes: Vec<String> = opened
        .map(|(_, c)| format!("{} {}", c.cluster, c.incident.subjects[0]))
        .collect();
    nodes.sort();
    nodes
}

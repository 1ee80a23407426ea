//! Real prometheus, prometheus-alertmanager and prometheus-node-exporter on free ports.
#![allow(dead_code)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

#[path = "ports.rs"]
mod ports;

use ports::free_port;

/// A running program; killed when dropped.
pub struct Program {
    child: Child,
    pub port: u16,
    name: &'static str,
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Program {
    fn start(name: &'static str, port: u16, dir: &Path, arguments: &[String]) -> Self {
        let log = std::fs::File::create(dir.join(format!("{name}.log"))).unwrap();
        let child = Command::new(name)
            .args(arguments)
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|e| panic!("{name}: {e}; install the Debian package {name}"));
        Self { child, port, name }
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Waits until `path` answers 200.
    fn ready(self, path: &str) -> Self {
        let deadline = deadline();
        while get(self.port, path).is_none() {
            assert!(in_time(deadline), "{} did not get ready", self.name);
            std::thread::sleep(Duration::from_millis(50));
        }
        self
    }
}

#[allow(clippy::disallowed_methods)]
fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[allow(clippy::disallowed_methods)]
fn in_time(deadline: Instant) -> bool {
    Instant::now() < deadline
}

/// The body of a plain GET, if the status is 200.
pub fn get(port: u16, path: &str) -> Option<String> {
    use std::io::{Read, Write};
    let mut socket = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let request = format!("GET {path} HTTP/1.0\r\nhost: localhost\r\n\r\n");
    socket.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.split(' ').nth(1).filter(|s| *s == "200")?;
    Some(body.to_owned())
}

/// A Prometheus with its folder; it can be killed and started again on the same port and data.
pub struct Prometheus {
    pub dir: TempDir,
    pub port: u16,
    pub program: Option<Program>,
    flags: Vec<String>,
}

impl Prometheus {
    /// Starts it anew with another configuration and more flags.
    pub fn configure(&mut self, config: &str, flags: &[&str]) {
        self.kill();
        let path = self.dir.path().join("prometheus.yml");
        std::fs::write(path, whole(config)).unwrap();
        self.flags = flags.iter().map(|f| (*f).to_owned()).collect();
        self.restart();
    }

    /// `config` is what stands below `scrape_interval: 1s`; `rules` a rule file.
    pub fn start(config: &str, rules: &str) -> Self {
        Self::start_with_history(config, rules, None)
    }

    /// `history`: OpenMetrics text with times, made into blocks first.
    pub fn start_with_history(config: &str, rules: &str, history: Option<&str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("prometheus.yml"), whole(config)).unwrap();
        std::fs::write(dir.path().join("rules.yml"), rules).unwrap();
        if let Some(history) = history {
            backfill(dir.path(), history);
        }
        let mut server = Self {
            dir,
            port: free_port(),
            program: None,
            flags: Vec::new(),
        };
        server.restart();
        server
    }

    pub fn restart(&mut self) {
        let mut arguments = vec![
            "--config.file=prometheus.yml".to_owned(),
            "--storage.tsdb.path=data".to_owned(),
            format!("--web.listen-address=127.0.0.1:{}", self.port),
            // Alerts sent before the Alertmanager is discovered are lost until they are sent again.
            "--rules.alert.resend-delay=1s".to_owned(),
            "--log.level=warn".to_owned(),
        ];
        arguments.extend(self.flags.clone());
        let program = Program::start("prometheus", self.port, self.dir.path(), &arguments);
        self.program = Some(program.ready("/-/ready"));
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.program = None;
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

fn whole(config: &str) -> String {
    format!(
        "global:\n  scrape_interval: 1s\n  evaluation_interval: 1s\nrule_files: [rules.yml]\n{config}"
    )
}

fn backfill(dir: &Path, history: &str) {
    std::fs::write(dir.join("history.om"), history).unwrap();
    let output = Command::new("promtool")
        .args([
            "tsdb",
            "create-blocks-from",
            "openmetrics",
            "history.om",
            "data",
        ])
        .current_dir(dir)
        .output()
        .unwrap_or_else(|e| panic!("promtool: {e}; install the Debian package prometheus"));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// OpenMetrics text of one gauge: `(seconds, value)` in order.
pub fn openmetrics(name: &str, labels: &str, points: &[(i64, f64)]) -> String {
    let mut text = format!("# TYPE {name} gauge\n");
    for (at, value) in points {
        let _ = writeln!(text, "{name}{{{labels}}} {value} {at}");
    }
    text.push_str("# EOF\n");
    text
}

pub struct Alertmanager {
    pub dir: TempDir,
    pub program: Program,
}

impl Alertmanager {
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// `more` stands below a configuration that sends nothing.
    pub fn start_with(more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = format!("route:\n  receiver: none\nreceivers:\n- name: none\n{more}");
        std::fs::write(dir.path().join("am.yml"), config).unwrap();
        Self::run(dir, &["--cluster.listen-address=".to_owned()])
    }

    /// Two that tell each other of their silences.
    pub fn pair() -> [Self; 2] {
        let gossip = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
        [0, 1].map(|own| {
            let dir = tempfile::tempdir().unwrap();
            let config = "route:\n  receiver: none\nreceivers:\n- name: none\n";
            std::fs::write(dir.path().join("am.yml"), config).unwrap();
            let flags = [
                format!("--cluster.listen-address={}", gossip[own]),
                format!("--cluster.advertise-address={}", gossip[own]),
                format!("--cluster.peer={}", gossip[1 - own]),
                "--cluster.reconnect-interval=1s".to_owned(),
                "--cluster.pushpull-interval=2s".to_owned(),
            ];
            Self::run(dir, &flags)
        })
    }

    fn run(dir: TempDir, flags: &[String]) -> Self {
        let port = free_port();
        let mut arguments = vec![
            "--config.file=am.yml".to_owned(),
            "--storage.path=data".to_owned(),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ];
        arguments.extend_from_slice(flags);
        let program = Program::start("prometheus-alertmanager", port, dir.path(), &arguments);
        Self {
            program: program.ready("/-/ready"),
            dir,
        }
    }
}

pub struct NodeExporter {
    pub dir: TempDir,
    pub program: Program,
}

impl NodeExporter {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let arguments = [format!("--web.listen-address=127.0.0.1:{port}")];
        let program = Program::start("prometheus-node-exporter", port, dir.path(), &arguments);
        Self {
            program: program.ready("/metrics"),
            dir,
        }
    }
}

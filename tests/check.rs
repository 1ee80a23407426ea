//! `farwatch check` against real servers and against servers that refuse.
#![allow(
    clippy::duplicate_mod,
    reason = "the servers take their ports from one place"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use nats::Nats;
use ports::Refusal;

#[path = "check/kube.rs"]
mod kube;
#[path = "support/nats.rs"]
mod nats;
#[path = "support/ports.rs"]
mod ports;
#[path = "check/samples.rs"]
mod samples;
#[path = "support/faults.rs"]
mod sick;
#[path = "check/tools.rs"]
mod tools;

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

fn start(program: &str, arguments: &[String], address: SocketAddr) -> Server {
    let child = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("{program} is installed by tests/run: {e}"));
    let server = Server(child);
    for _ in 0..200 {
        if TcpStream::connect(address).is_ok() {
            return server;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{program} does not listen on {address}");
}

fn prometheus(folder: &Path) -> (Server, SocketAddr) {
    let address = free_address();
    let file = folder.join("prometheus.yml");
    std::fs::write(&file, "global: { scrape_interval: 5s }\n").expect("write");
    let arguments = [
        format!("--config.file={}", file.display()),
        format!("--storage.tsdb.path={}", folder.join("data").display()),
        format!("--web.listen-address={address}"),
    ];
    (start("prometheus", &arguments, address), address)
}

fn alertmanager(folder: &Path) -> (Server, SocketAddr) {
    let address = free_address();
    let file = folder.join("alertmanager.yml");
    std::fs::write(
        &file,
        "route: { receiver: none }\nreceivers: [{ name: none }]\n",
    )
    .expect("write");
    let arguments = [
        format!("--config.file={}", file.display()),
        format!("--storage.path={}", folder.join("am").display()),
        format!("--web.listen-address={address}"),
        "--cluster.listen-address=".to_owned(),
    ];
    (
        start("prometheus-alertmanager", &arguments, address),
        address,
    )
}

fn node_exporter() -> (Server, SocketAddr) {
    let address = free_address();
    let arguments = [format!("--web.listen-address={address}")];
    (
        start("prometheus-node-exporter", &arguments, address),
        address,
    )
}

/// Says the same to everybody: at once, or after a request's head came in.
fn speaker(text: &'static str, listens_first: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let address = listener.local_addr().expect("address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut piece = [0u8; 4096];
                if listens_first {
                    let _ = stream.read(&mut piece);
                }
                let _ = stream.write_all(text.as_bytes());
                if !listens_first {
                    let _ = stream.read(&mut piece);
                }
            });
        }
    });
    address
}

/// Accepts and never answers.
fn mute() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let address = listener.local_addr().expect("address");
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming().flatten() {
            kept.push(stream);
        }
    });
    address
}

fn check(config: &str, output: &str, folder: &Path) -> std::process::Output {
    let file = folder.join("config.toml");
    std::fs::write(&file, config).expect("write");
    Command::new(env!("CARGO_BIN_EXE_farwatch"))
        .args(["check", "--output", output, "--config"])
        .arg(&file)
        .env("HOME", folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .env_remove("FARWATCH_CONFIG")
        .output()
        .expect("run")
}

fn row<'a>(report: &'a Value, source: &str) -> &'a Value {
    report["results"]
        .as_array()
        .and_then(|rows| rows.iter().find(|r| r["source"] == source))
        .unwrap_or_else(|| panic!("no {source} in {report}"))
}

#[test]
fn real_servers_are_named_with_version_latency_and_clock() {
    let folder = tempfile::tempdir().expect("folder");
    let (_p, prometheus) = prometheus(folder.path());
    let (_a, alertmanager) = alertmanager(folder.path());
    let (_n, exporter) = node_exporter();
    let nats = Nats::jetstream();
    let config = format!(
        "[[clusters]]\nname = \"alpha\"\ntype = \"hub\"\n\
         prometheus = {{ url = \"http://{prometheus}\" }}\n\
         alertmanager = {{ url = \"http://{alertmanager}\" }}\n\
         exporters = [{{ url = \"http://{exporter}/metrics\" }}]\n\
         nats = {{ url = \"{}\" }}\n",
        nats.url()
    );
    let output = check(&config, "json", folder.path());
    let report: Value = serde_json::from_slice(&output.stdout).expect("json");
    assert_eq!(output.status.code(), Some(0), "{report}");
    for source in ["prometheus", "alertmanager", "exporter 1"] {
        let row = row(&report, source);
        assert_eq!(row["reachable"], true, "{row}");
        assert!(row["latency_ms"].is_u64(), "{row}");
        let skew = row["clock_skew_ms"].as_i64().expect("Date is sent");
        assert!(skew.abs() < 2_000, "{row}");
    }
    for source in ["prometheus", "alertmanager"] {
        let version = row(&report, source)["version"].as_str().expect("version");
        assert!(
            version.starts_with(|c: char| c.is_ascii_digit()),
            "{version}"
        );
    }
    let version = row(&report, "nats")["version"].as_str().expect("told");
    assert!(version.starts_with("2."), "{version}");
    assert_eq!(row(&report, "nats")["auth"], "none needed");

    let table = check(&config, "table", folder.path());
    let text = String::from_utf8(table.stdout).expect("utf-8");
    assert!(text.starts_with("CLUSTER"), "{text}");
    assert!(text.contains("all 4 endpoints answer"), "{text}");
}

#[test]
fn refusals_are_told_apart_and_nothing_waits_for_the_slowest_twice() {
    let folder = tempfile::tempdir().expect("folder");
    let unauthorized = speaker(
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        true,
    );
    let forbidden = speaker(
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        true,
    );
    let wrong = speaker(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
        true,
    );
    let nats = Nats::start("authorization { token: \"hunter2\" }\n");
    let (mute_a, mute_b, refusal) = (mute(), mute(), Refusal::new());
    let dead = refusal.address();
    std::fs::write(folder.path().join("token"), "hunter2\n").expect("write");
    let config = format!(
        "[[clusters]]\nname = \"alpha\"\ntimeout = \"1s\"\n\
         prometheus = {{ url = \"http://{unauthorized}\", bearer_file = \"token\" }}\n\
         alertmanager = {{ url = \"http://{forbidden}\" }}\n\
         loki = {{ url = \"http://{mute_a}\" }}\n\
         tempo = {{ url = \"http://{dead}\" }}\n\
         exporters = [{{ url = \"http://{mute_b}/metrics\" }}, {{ url = \"http://{dead}/\", bearer_file = \"missing\" }}]\n\
         nats = {{ url = \"{}\" }}\n\
         [agent]\nurl = \"http://{wrong}/v1\"\n",
        nats.url()
    );
    #[expect(clippy::disallowed_methods, reason = "a test measures its own time")]
    let started = Instant::now();
    let output = check(&config, "json", folder.path());
    let took = started.elapsed();
    assert_eq!(output.status.code(), Some(1));
    assert!(took < Duration::from_secs(6), "took {took:?}");
    let text = String::from_utf8(output.stdout).expect("utf-8");
    assert!(!text.contains("hunter2"), "{text}");
    let report: Value = serde_json::from_str(&text).expect("json");
    assert_eq!(report["failed"], 8, "{report}");
    for (source, reachable, auth) in [
        ("prometheus", Value::Bool(true), "refused"),
        ("alertmanager", Value::Bool(true), "not allowed"),
        ("loki", Value::Bool(false), "unknown"),
        ("tempo", Value::Bool(false), "unknown"),
        ("exporter 1", Value::Bool(false), "unknown"),
        ("exporter 2", Value::Null, "unknown"),
        ("agent", Value::Bool(true), "unknown"),
        ("nats", Value::Bool(true), "refused"),
    ] {
        let row = row(&report, source);
        assert_eq!(row["reachable"], reachable, "{row}");
        assert_eq!(row["auth"], auth, "{row}");
        assert!(row["error"].is_string(), "{row}");
        assert!(
            !row["advice"].as_str().unwrap_or_default().is_empty(),
            "{row}"
        );
        assert!(row["latency_ms"].is_null(), "{row}");
    }
}

/// The bus of the team is tried like one of a cluster; without streams it is of no use.
#[test]
fn the_bus_of_the_team_is_looked_at() {
    let folder = tempfile::tempdir().expect("folder");
    let with = Nats::jetstream();
    let without = Nats::start("");
    for (url, ok, told) in [
        (
            with.url(),
            true,
            "stream farwatch is missing and will be made by the first watcher",
        ),
        (without.url(), false, "no streams"),
        ("nats://127.0.0.1:1".into(), false, "nobody answers"),
    ] {
        let config = format!("[team]\nnats = {{ url = \"{url}\" }}\n");
        let output = check(&config, "json", folder.path());
        let text = String::from_utf8(output.stdout).expect("utf-8");
        let report: Value = serde_json::from_str(&text).expect("json");
        let row = row(&report, "team");
        assert_eq!(row["ok"], ok, "{row}");
        assert!(row.to_string().contains(told), "{row}");
    }
}

/// What the team needs is looked for, and what stands in its way is told before anybody needs it;
/// nothing is made.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_team_lacks_is_told() {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("password"), "p").expect("write");
    let users = "authorization { users: [ {user: t, password: t}, {user: w, password: p, permissions: \
                 { publish: { deny: [\"$KV.farwatch-leases.>\"] } } } ] }\nno_auth_user: t\n";
    let server = Nats::start(&format!("{}{users}", nats::JETSTREAM));
    let client = async_nats::connect(server.url()).await.expect("connected");
    let context = async_nats::jetstream::new(client);
    let told = |more: &str, user: bool| {
        let who = match user {
            true => ", user = \"w\", password_file = \"password\"",
            false => "",
        };
        let config = format!(
            "[team]\nnats = {{ url = \"{}\"{who} }}\n{more}\n",
            server.url()
        );
        let output = check(&config, "json", folder.path());
        let text = String::from_utf8(output.stdout).expect("utf-8");
        let report: Value = serde_json::from_str(&text).expect("json");
        let row = row(&report, "team");
        (row["ok"] == true, row.to_string())
    };
    let is = |(ok, row): (bool, String), wanted: bool, words: &[&str]| {
        assert_eq!(ok, wanted, "{row}");
        for word in words {
            assert!(row.contains(word), "{word}: {row}");
        }
    };
    let missing = "stream farwatch is missing and";
    is(
        told("", true),
        true,
        &[missing, "no right to publish on $KV.farwatch-leases.>"],
    );
    is(
        told("replicas = 3", false),
        false,
        &[missing, "cannot be made", "stands alone", "[team]"],
    );
    is(
        told("create = false", false),
        false,
        &["cannot be made: `create = false`"],
    );
    context
        .create_stream(async_nats::jetstream::stream::Config {
            name: "ALL".into(),
            subjects: vec!["ai.>".into()],
            ..Default::default()
        })
        .await
        .expect("made");
    is(
        told("", false),
        false,
        &["cannot be made", "stream ALL takes `ai.>`"],
    );
    context.delete_stream("ALL").await.expect("deleted");
    assert!(context.get_stream("farwatch").await.is_err(), "only looked");
    context
        .create_stream(async_nats::jetstream::stream::Config {
            name: "farwatch".into(),
            subjects: vec!["ai.farwatch.>".into()],
            ..Default::default()
        })
        .await
        .expect("made");
    let (ok, row) = told("", false);
    assert!(ok && !row.contains("stream farwatch"), "{row}");
    assert!(row.contains("bucket farwatch-desk is missing"), "{row}");
}

/// What is only written to is named and left alone; an Alertmanager behind a webhook says what it is.
#[test]
fn outlets_are_asked_or_named() {
    let folder = tempfile::tempdir().expect("folder");
    let (_server, address) = alertmanager(folder.path());
    let config = format!(
        "[[clusters]]\nname = \"far\"\nedge = {{ samples = \"team\" }}\n\
         ptp_events = [{{ url = \"http://127.0.0.1:1\" }}]\n\
         [team]\nnats = {{ url = \"nats://127.0.0.1:1\" }}\n[watch]\n\
         webhook = {{ url = \"http://{address}/api/v2/alerts\" }}\n\
         remote_write = {{ url = \"http://127.0.0.1:1/api/v1/write\" }}\n\
         otlp = {{ url = \"http://127.0.0.1:1/v1/traces\" }}\n"
    );
    let output = check(&config, "json", folder.path());
    let text = String::from_utf8(output.stdout).expect("utf-8");
    let report: Value = serde_json::from_str(&text).expect("json");
    let webhook = row(&report, "webhook");
    assert_eq!(webhook["ok"], true, "{webhook}");
    assert!(webhook["version"].is_string(), "{webhook}");
    assert_eq!(row(&report, "ptp-events 1")["reachable"], false);
    for source in ["remote_write", "otlp"] {
        let row = row(&report, source);
        assert!(row["reachable"].is_null() && row["ok"] == true, "{row}");
    }
}

/// The bus of the site's agent is looked at as it will be asked, and nobody is asked anything.
#[test]
fn the_sites_agent_may_be_asked_or_not() {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("password"), "p").expect("write");
    for (permissions, ok, told) in [
        ("", true, ""),
        (
            "publish: { deny: \"ai.>\" }",
            false,
            "publish on ai.chat.user.a_b.message",
        ),
        (
            "subscribe: { deny: \"ai.>\" }",
            false,
            "subscribe to ai.chat.response.*",
        ),
        ("publish: \"ai.chat.>\"", true, "is not known"),
    ] {
        let nats = Nats::start(&format!(
            "authorization {{ users: [{{ user: u, password: p, permissions: {{ {permissions} }} }}] }}\n"
        ));
        let config = format!(
            "[agent]\nuser_id = \"a.b\"\n\
             nats = {{ url = \"{}\", user = \"u\", password_file = \"password\" }}\n",
            nats.url()
        );
        let output = check(&config, "json", folder.path());
        let text = String::from_utf8(output.stdout).expect("utf-8");
        let report: Value = serde_json::from_str(&text).expect("json");
        let row = row(&report, "agent");
        assert_eq!(row["ok"], ok, "{row}");
        assert!(row.to_string().contains(told), "{row}");
    }
}

#[test]
fn without_a_file_each_context_is_a_cluster() {
    let folder = tempfile::tempdir().expect("folder");
    let kubeconfig = folder.path().join("kubeconfig");
    let refusal = Refusal::new();
    let dead = refusal.address();
    std::fs::write(
        &kubeconfig,
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: admin@Prod\n\
             clusters: [{{ name: c, cluster: {{ server: \"http://{dead}\" }} }}]\n\
             users: [{{ name: u, user: {{}} }}]\n\
             contexts: [{{ name: admin@Prod, context: {{ cluster: c, user: u }} }}]\n"
        ),
    )
    .expect("write");
    let output = Command::new(env!("CARGO_BIN_EXE_farwatch"))
        .args(["check", "--output", "json"])
        .env("HOME", folder.path())
        .env("XDG_CONFIG_HOME", folder.path().join("config"))
        .env("XDG_STATE_HOME", folder.path().join("state"))
        .env("KUBECONFIG", &kubeconfig)
        .env_remove("FARWATCH_CONFIG")
        .output()
        .expect("run");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("json");
    let row = row(&report, "kubernetes");
    assert_eq!(row["cluster"], "admin-prod");
    assert_eq!(row["endpoint"], "admin@Prod");
    assert_eq!(row["reachable"], false, "{row}");
}

/// Everything a file tree holds, packed files unpacked.
fn everything(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).expect("list").flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.push_str(&everything(&path));
            continue;
        }
        let bytes = std::fs::read(&path).expect("read");
        let mut plain = Vec::new();
        let _ = flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut plain);
        all.push_str(&String::from_utf8_lossy(&bytes));
        all.push_str(&String::from_utf8_lossy(&plain));
    }
    all
}

/// Every way to sign in, against servers that quote what they were sent.
#[test]
fn no_secret_is_logged_told_or_recorded() {
    let secrets = [
        "fi1e-s3cret",
        "c0mmand-s3cret",
        "pa55word",
        "b3:pa55word",
        "kub3-s3cret",
    ];
    let keys = tempfile::tempdir().expect("folder");
    let key = |name: &str, text: &str| {
        let path = keys.path().join(name);
        std::fs::write(&path, text).expect("write");
        path.display().to_string()
    };
    let refusing = speaker(
        "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\nno: Bearer fi1e-s3cret",
        true,
    );
    let babbling = speaker(
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nBearer c0mmand-s3cret",
        true,
    );
    let failing = speaker(
        "HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\nBasic YjM6cGE1NXdvcmQ=",
        true,
    );
    let kubeconfig = key(
        "kubeconfig",
        &format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
             clusters: [{{ name: c, cluster: {{ server: \"http://{refusing}\" }} }}]\n\
             users: [{{ name: u, user: {{ token: kub3-s3cret }} }}]\n\
             contexts: [{{ name: c, context: {{ cluster: c, user: u }} }}]\n"
        ),
    );
    let config = key(
        "config.toml",
        &format!(
            "[[clusters]]\nname = \"alpha\"\ninterval = \"1s\"\n\
             kube = {{ kubeconfig = \"{kubeconfig}\" }}\n\
             prometheus = {{ url = \"http://{refusing}\", bearer_file = \"{}\" }}\n\
             alertmanager = {{ url = \"http://{babbling}\", bearer_command = [\"cat\", \"{}\"] }}\n\
             loki = {{ url = \"http://{failing}\", user = \"b3\", password_file = \"{}\" }}\n",
            key("token", "fi1e-s3cret\n"),
            key("printed", "c0mmand-s3cret\n"),
            key("password", "pa55word\n"),
        ),
    );
    let folder = tempfile::tempdir().expect("folder");
    let recording = folder.path().join("recording").display().to_string();
    let loud = [
        "farwatch",
        "hyper",
        "hyper_util",
        "reqwest",
        "rustls",
        "h2",
        "kube",
        "tungstenite",
    ]
    .map(|name| format!("{name}=trace"))
    .join(",");
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_farwatch"))
            .args(["--config", &config, "--log-level", &loud])
            .args(arguments)
            .env("HOME", folder.path())
            .env("XDG_STATE_HOME", folder.path().join("state"))
            .env_remove("FARWATCH_CONFIG")
            .output()
            .expect("run");
        let told = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&told).into_owned()
    };
    let mut told = run(&["check"]);
    assert!(told.contains("401") && told.contains("500"), "{told}");
    told += &run(&["record", "--out", &recording, "--for", "2s"]);
    told += &everything(folder.path());
    assert!(
        told.contains("hyper") && told.contains("TRACE"),
        "nothing was logged"
    );
    for secret in secrets.iter().chain(&["YjM6cGE1NXdvcmQ"]) {
        let place = told
            .find(secret)
            .map(|at| told[at.saturating_sub(300)..].get(..400));
        assert_eq!(place, None, "{secret}");
    }
}

#[test]
fn files_of_dashboards_that_cannot_be_used_are_told() {
    let folder = tempfile::tempdir().expect("folder");
    let nats = Nats::start("");
    let config = format!(
        "[[clusters]]\nname = \"alpha\"\nnats = {{ url = \"{}\" }}\n",
        nats.url()
    );
    let boards = folder.path().join("dashboards");
    std::fs::create_dir(&boards).expect("folder");
    let fine = "name = \"fine\"\n[[panels]]\ntitle = \"up\"\nquery = \"up\"\n";
    std::fs::write(boards.join("fine.toml"), fine).expect("write");
    let output = check(&config, "table", folder.path());
    let text = String::from_utf8(output.stdout).expect("utf-8");
    assert_eq!(output.status.code(), Some(0), "{text}");
    std::fs::write(
        boards.join("shop.toml"),
        "name = \"shop\"\n[[panels]]\ntitel = 1\n",
    )
    .expect("write");
    let output = check(&config, "table", folder.path());
    let text = String::from_utf8(output.stdout).expect("utf-8");
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("all 1 endpoints answer; 1 dashboard cannot be used"),
        "{text}"
    );
    let output = check(&config, "json", folder.path());
    let report: Value = serde_json::from_slice(&output.stdout).expect("json");
    let row = row(&report, "dashboard");
    assert_eq!(
        (&row["ok"], &report["failed"]),
        (&false.into(), &1.into()),
        "{row}"
    );
    assert!(
        row["endpoint"]
            .as_str()
            .is_some_and(|e| e.ends_with("shop.toml")),
        "{row}"
    );
    assert!(
        row["error"]
            .as_str()
            .is_some_and(|e| e.starts_with("line ")),
        "{row}"
    );
}

/// What is asked for later is what counts: alerts, not the status page.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alertmanager_is_asked_for_alerts() {
    let folder = tempfile::tempdir().expect("folder");
    for (path, reachable) in [("/api/v2/alerts", true), ("/api/v2/status", false)] {
        let server = sick::Server::start(sick::Manner::Only(path)).await;
        let config = format!(
            "[[clusters]]\nname = \"alpha\"\nalertmanager = {{ url = \"{}\" }}\n",
            server.url()
        );
        let output = check(&config, "json", folder.path());
        let report: Value = serde_json::from_slice(&output.stdout).expect("json");
        let row = row(&report, "alertmanager");
        assert_eq!(row["error"].is_null(), reachable, "{row}");
        assert!(row["version"].is_null(), "{row}");
    }
}

//! Two clusters of real and recorded servers are followed live and recorded at the same time.

use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use farwatch::bundle::{Header, Reader, Writer};
use farwatch::clock;
use farwatch::config::{self, Config};
use farwatch::message::Msg;
use farwatch::model::id::ClusterId;
use farwatch::model::signal::Group;
use farwatch::model::telemetry::Telemetry;
use farwatch::model::time::Timestamp;
use farwatch::source::Outlet;
use farwatch::source::replay::{config_of, recorded_clusters};
use farwatch::source::supervisor::Fleet;
use farwatch::state::State;
use farwatch::ui::theme::Looks;
use flate2::read::GzDecoder;
use jiff::tz::TimeZone;

use crate::apiserver::ApiServer;
use crate::faults::{self, Manner};
use crate::loki::LokiServer;
use crate::prometheus::{Alertmanager, NodeExporter, Prometheus};
use crate::show::{Show, known, same};

const RULES: &str = "groups:\n- name: g\n  rules:\n  - alert: NodeThere\n    expr: up == 1\n    \
    labels: {severity: critical}\n    annotations: {summary: it answers}\n";

/// What must be in no recording: words in tokens, headers, addresses and paths.
const SECRETS: [&str; 6] = [
    "hush-token",
    "hush-tenant",
    "hush-query",
    "hush-folder",
    "lab-view-token",
    "hush-command",
];

/// Everything that runs; ends when dropped.
struct Servers {
    prometheus: Prometheus,
    alertmanager: Alertmanager,
    exporter: NodeExporter,
    loki: LokiServer,
    kube: ApiServer,
    refusing: faults::Server,
    folder: tempfile::TempDir,
}

impl Servers {
    async fn start() -> Self {
        let exporter = NodeExporter::start();
        let alertmanager = Alertmanager::start();
        let config = format!(
            "scrape_configs:\n- job_name: node\n  static_configs: [{{targets: ['127.0.0.1:{}']}}]\n\
             alerting:\n  alertmanagers:\n  - static_configs: [{{targets: ['127.0.0.1:{}']}}]\n",
            exporter.program.port, alertmanager.program.port
        );
        Self {
            prometheus: Prometheus::start(&config, RULES),
            alertmanager,
            exporter,
            loki: LokiServer::start("query_range_streams_raw.json", crate::loki::Fault::Tenant)
                .await,
            kube: ApiServer::recorded().await,
            refusing: faults::Server::start(Manner::Token("another")).await,
            folder: tempfile::Builder::new()
                .prefix("hush-folder")
                .tempdir()
                .expect("a folder"),
        }
    }

    /// Two clusters: one of everything, one that refuses and whose token file is missing.
    fn config_file(&self) -> std::path::PathBuf {
        std::fs::write(self.folder.path().join("token"), "hush-token\n").expect("written");
        let text = format!(
            "[[clusters]]\nname = \"alpha\"\ninterval = \"1s\"\n\
             kube = {{ kubeconfig = \"{kube}\", context = \"lab\" }}\n\
             prometheus = {{ url = \"{prometheus}\", bearer_file = \"token\" }}\n\
             alertmanager = {{ url = \"{alertmanager}\" }}\n\
             loki = {{ url = \"{loki}\", headers = {{ \"X-Scope-OrgID\" = \"hush-tenant\" }} }}\n\
             exporters = [{{ url = \"{exporter}/metrics?key=hush-query\" }}]\n\
             [[clusters]]\nname = \"beta\"\ninterval = \"1s\"\n\
             prometheus = {{ url = \"{refusing}\", bearer_file = \"token\" }}\n\
             alertmanager = {{ url = \"{refusing}\", bearer_file = \"missing\" }}\n\
             loki = {{ url = \"{refusing}\", bearer_command = [\"false\", \"hush-command\"] }}\n",
            kube = self.kube.kubeconfig().display(),
            prometheus = self.prometheus.url(),
            alertmanager = self.alertmanager.program.url(),
            loki = self.loki.url(),
            exporter = self.exporter.program.url(),
            refusing = self.refusing.url(),
        );
        let file = self.folder.path().join("farwatch.toml");
        std::fs::write(&file, text).expect("written");
        file
    }
}

/// Live and recorded: the console that followed, and the file.
async fn followed(config: Config) -> (State, Vec<u8>) {
    let start = clock::now();
    let header = Header::new(recorded_clusters(&config), start);
    let mut writer = Writer::new(Vec::new(), &header).expect("begins");
    // The console of the replay knows the recorded clusters only; so does this one.
    let shown = Arc::new(config_of(&header, &Config::default()));
    let mut state = State::new(shown, start, TimeZone::UTC, Looks::default());
    let (outlet, mut queue) = Outlet::new(1024);
    let fleet = Fleet::start(Arc::new(config), outlet);
    let groups = (0..2).flat_map(|n| Group::ALL.map(|group| (ClusterId(n), group)));
    fleet.demand(groups.collect());
    let mut tick = start;
    let work = async {
        while !is_enough(&state) {
            let telemetry = queue.recv().await.expect("the queue is open");
            writer.push(&telemetry).expect("recorded");
            hear(&mut state, &mut tick, telemetry);
        }
    };
    tokio::time::timeout(Duration::from_secs(90), work)
        .await
        .unwrap_or_else(|_| panic!("not everything came: {}", summary(&state)));
    fleet.shutdown().await;
    (state, writer.finish().expect("finished"))
}

/// The clock ticks on whole seconds, as in the program.
fn hear(state: &mut State, tick: &mut Timestamp, telemetry: Telemetry) {
    while *tick <= telemetry.received {
        state.update(Msg::Tick(*tick));
        *tick = Timestamp((tick.0.div_euclid(1000) + 1) * 1000);
    }
    state.update(Msg::Telemetry(Box::new(telemetry)));
}

/// Something of every kind has come, beta has failed, and an incident is open.
fn is_enough(state: &State) -> bool {
    let world = &state.world;
    let (Some(alpha), Some(beta)) = (
        world.cluster_by_name("alpha"),
        world.cluster_by_name("beta"),
    ) else {
        return false;
    };
    let failing = beta.sources.values().all(|s| s.fault().is_some());
    let told = [
        !alpha.alerts.is_empty(),
        !alpha.pods.is_empty(),
        !alpha.logs.is_empty(),
        world.store.names(alpha.id).len() > 20,
        alpha.sources.values().all(|s| s.last_ok.is_some()),
        !world.incidents.is_empty(),
        failing,
    ];
    told.into_iter().all(|told| told)
}

fn summary(state: &State) -> String {
    let world = &state.world;
    let clusters = world.clusters.iter().map(|c| {
        let (alerts, pods, lines) = (c.alerts.len(), c.pods.len(), c.logs.len());
        let series = world.store.names(c.id).len();
        format!(
            "{} alerts {alerts} pods {pods} lines {lines} series {series}",
            c.name
        )
    });
    let incidents = world.incidents.len();
    format!("{:?} incidents {incidents}", clusters.collect::<Vec<_>>())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_knows_what_live_knew() {
    let servers = Servers::start().await;
    let config = config::load(Some(&servers.config_file()), None).expect("valid");
    let (mut live, file) = followed(config).await;
    let reader = Reader::from_bytes(file.clone()).expect("opens");
    let end = reader.end();
    live.update(Msg::Tick(end));
    let mut replay = Show::at(reader, end).await;
    // What the player told is no part of what is known; the end of the recording may be off the
    // second.
    replay.state.update(Msg::Tick(end));
    assert!(replay.troubles.is_empty(), "{:?}", replay.troubles);
    let told = |state: &State| without_host(&known(&state.world), &servers);
    same(&told(&live), &told(&replay.state), "live and replay");
    no_secret_in(&file);
}

/// A fault names the file it could not read; that is of the host and left out of a recording.
fn without_host(known: &str, servers: &Servers) -> String {
    let folder = servers.folder.path().to_string_lossy().into_owned();
    let mut out = String::new();
    for line in known.lines() {
        let words = line.split(' ').map(|word| match word.contains(&folder) {
            true => word.replace(word.trim_end_matches(':'), "(file)"),
            false => word.to_owned(),
        });
        let words: Vec<String> = words.collect();
        out.push_str(&words.join(" "));
        out.push('\n');
    }
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_records_and_keeps_no_secret() {
    let servers = Servers::start().await;
    let config = servers.config_file();
    let out = servers.folder.path().join("out.fwr");
    let (told, code) = record(&config, &out).await;
    assert_eq!(code, Some(0), "{told}");
    let file = std::fs::read(&out).expect("written");
    no_secret_in(&file);
    let reader = Reader::from_bytes(file).expect("opens");
    assert!(!reader.is_cut());
    let end = reader.end();
    let show = Show::at(reader, end).await;
    let alpha = show.state.world.cluster_by_name("alpha").expect("recorded");
    assert!(!alpha.pods.is_empty() && !alpha.logs.is_empty());
    // What is there is not overwritten.
    let (told, code) = record(&config, &out).await;
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("is there already"), "{told}");
}

async fn record(config: &Path, out: &Path) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farwatch"));
    command
        .args(["record", "--for", "4s", "--config"])
        .arg(config)
        .arg("--out")
        .arg(out)
        .env("XDG_STATE_HOME", out.parent().expect("a folder"));
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.expect("ran").expect("started");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (told, output.status.code())
}

#[track_caller]
fn no_secret_in(file: &[u8]) {
    let text = String::from_utf8_lossy(&unpacked(file)).into_owned();
    assert!(text.contains("alpha") && text.contains("/api/v1"), "{text}");
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is in the recording");
    }
}

/// The bytes of a file with all its chunks unpacked, by nothing but the magic number of gzip.
pub fn unpacked(file: &[u8]) -> Vec<u8> {
    let mut out = file.to_vec();
    for at in 0..file.len() {
        let rest = &file[at..];
        if rest.starts_with(&[0x1f, 0x8b, 0x08]) {
            // What only looks like a chunk ends in an error.
            let _ = GzDecoder::new(rest).read_to_end(&mut out);
        }
    }
    out
}

#[test]
fn bad_files_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo.fwr"));
    let whole = whole.expect("the demo");
    let mut newer = whole.clone();
    newer["farwatch recording ".len()] = b'7';
    for (name, bytes, words) in [
        ("text", b"hello\n".to_vec(), "is not a recording"),
        ("nothing", Vec::new(), "is not a recording"),
        (
            "head",
            whole[..50].to_vec(),
            "ends before its first delivery",
        ),
        (
            "newer",
            newer,
            "has version 7; this farwatch reads versions 1 and 2",
        ),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).expect("written");
        for arguments in [
            vec!["replay"],
            vec!["screenshot", "--out", "/dev/null", "--replay"],
        ] {
            let output = Command::new(env!("CARGO_BIN_EXE_farwatch"))
                .args(arguments)
                .arg(&file)
                .env("XDG_STATE_HOME", folder.path())
                .output()
                .expect("started");
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{told}");
            assert!(told.contains(words) && told.contains(name), "{told}");
        }
    }
}

/// Cut or damaged in the middle: what stands before is played, and the screen says so.
#[tokio::test]
async fn a_part_of_a_recording_is_played() {
    let whole = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo.fwr"));
    let whole = whole.expect("the demo");
    let middle = whole.len() / 2;
    let cut = Reader::from_bytes(whole[..middle].to_vec()).expect("opens");
    let start = cut.start();
    assert!(cut.is_cut() && cut.end() > start.plus_ms(60_000));
    let show = Show::at(cut, start.plus_ms(60_000)).await;
    let told = show.troubles.join(" ");
    assert!(told.contains("was cut"), "{told}");

    let mut damaged = whole;
    damaged[middle..middle + 64].fill(0);
    let reader = Reader::from_bytes(damaged).expect("opens");
    let end = reader.end();
    let mut show = Show::at(reader, start.plus_ms(60_000)).await;
    show.keys("}}}<space>");
    show.until(|s| s.ended).await;
    let told = show.troubles.join(" ");
    assert!(
        told.contains("is damaged") && told.contains("up to there"),
        "{told}"
    );
    let replay = show.state.world.replay.as_ref().expect("a replay");
    assert!(replay.end < end && replay.now == replay.end);
}

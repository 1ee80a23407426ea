//! `farwatch logs` against a Loki with limits: whole, refused, made to wait, interrupted.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use tokio::process::Command;

use super::loki_lines::{Lines, LinesServer};

const HOUR: i64 = 3_600_000_000_000;
/// 2026-11-20T00:00:00Z
const START: i64 = 1_795_132_800_000_000_000;
const DAY: [&str; 4] = ["--from", "2026-11-20", "--to", "2026-11-22"];

/// Spread over two days, with `bunch` lines in one nanosecond.
fn held(bunch: usize) -> Lines {
    let mut lines = Vec::new();
    for n in 0..600_i64 {
        let pod = if n % 2 == 0 { "a" } else { "b" };
        lines.push((START + n * 280_000_000_000, pod, format!("line {n} =1+1")));
    }
    for n in 0..bunch {
        let pod = if n % 3 == 0 { "a" } else { "b" };
        lines.push((START + 20 * HOUR + 7, pod, format!("=cmd {n}")));
    }
    Lines {
        lines,
        ..Lines::default()
    }
}

fn command(folder: &Path, clusters: &[(&str, &str)], arguments: &[&str]) -> Command {
    let config = folder.join("config.toml");
    let tables: Vec<String> = clusters
        .iter()
        .map(|(name, url)| {
            format!("[[clusters]]\nname = \"{name}\"\nloki = {{ url = \"{url}\" }}\n")
        })
        .collect();
    std::fs::write(&config, tables.concat()).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_farwatch"));
    command
        .args(["logs", "--config"])
        .arg(&config)
        .args(arguments)
        .env("HOME", folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .env_remove("FARWATCH_CONFIG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn logs(clusters: &[(&str, &str)], arguments: &[&str]) -> (Output, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("folder");
    let work = command(folder.path(), clusters, arguments).output();
    let output = tokio::time::timeout(Duration::from_secs(120), work).await;
    (output.expect("in time").expect("run"), folder)
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn rows(file: &Path) -> Vec<csv::StringRecord> {
    let mut reader = csv::Reader::from_path(file).expect("csv");
    reader.records().map(|r| r.expect("row")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_whole_whatever_the_server_allows() {
    let server = LinesServer::start(Lines {
        longest_ns: 5 * HOUR,
        most: 3_000,
        busy: AtomicU32::new(1),
        ..held(2_500)
    })
    .await;
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("out.csv");
    let out = file.display().to_string();
    let component = [
        "--component",
        "checkout,a\"b",
        "--text-contains",
        "li\"ne",
        "--limit",
        "4000",
        "--csv-file",
        &out,
    ];
    let arguments = [&DAY[..], &component].concat();
    let (output, _keep) = logs(&[("alpha", &server.url())], &arguments).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(output.stdout.is_empty());
    let mode = std::fs::metadata(&file)
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let head = std::fs::read_to_string(&file).expect("text");
    assert!(
        head.starts_with(
            "\"timestamp\",\"component\",\"pod\",\"container\",\"level\",\"message\"\n"
        )
    );
    let rows = rows(&file);
    assert_eq!(rows.len(), 3_100);
    assert!(rows.windows(2).all(|w| w[0][0] <= w[1][0]), "in order");
    let messages: BTreeSet<&str> = rows.iter().map(|r| &r[5]).collect();
    assert_eq!(messages.len(), 3_100, "none twice");
    assert!(messages.contains("'=cmd 2499") && messages.contains("line 0 =1+1"));
    let last = server.queries().pop().expect("asked");
    // The components stand in `service_name`: `app` has others.
    assert_eq!(
        last.param("query"),
        Some(r#"{service_name=~"checkout|a\"b"} |= "li\"ne""#)
    );
    let stderr = told(&output);
    assert!(
        stderr.contains("429") && stderr.contains("asked again in 1 s"),
        "{stderr}"
    );
    assert!(stderr.contains("3100 lines; they are in"), "{stderr}");
    assert!(!stderr.contains('\u{1b}'), "no bar where nobody looks");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_named() {
    let server = LinesServer::start(Lines {
        most: 50,
        ..held(120)
    })
    .await;
    let arguments = [&DAY[..], &["--all", "--output", "raw"]].concat();
    let (output, _keep) = logs(&[("alpha", &server.url())], &arguments).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 650);
    let stderr = told(&output);
    assert!(
        stderr.contains("alpha: at 2026-11-20T20:00:00.000000007Z the server gives 50 lines"),
        "{stderr}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_are_merged_and_one_that_fails_leaves_the_others() {
    let (one, two) = (
        LinesServer::start(held(0)).await,
        LinesServer::start(held(30)).await,
    );
    let clusters = [
        ("alpha", one.url()),
        ("bravo", two.url()),
        ("dead", "http://127.0.0.1:9/loki/x".to_owned()),
    ];
    let clusters: Vec<(&str, &str)> = clusters.iter().map(|(n, u)| (*n, u.as_str())).collect();
    let json = [
        &DAY[..],
        &["--all", "--output", "json", "--max-entries", "500"],
    ]
    .concat();
    let (output, _keep) = logs(&clusters[..2], &json).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let lines: Vec<serde_json::Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|l| serde_json::from_str(l).expect("an object a line"))
        .collect();
    assert_eq!(lines.len(), 500);
    let times: Vec<&str> = lines
        .iter()
        .filter_map(|l| l["timestamp"].as_str())
        .collect();
    assert!(times.is_sorted());
    let of = |name: &str| lines.iter().filter(|l| l["cluster"] == name).count();
    assert_eq!((of("alpha"), of("bravo")), (250, 250));
    assert!(told(&output).contains("--max-entries"));

    let (output, _keep) = logs(&clusters, &[&DAY[..], &["--all"]].concat()).await;
    assert_eq!(output.status.code(), Some(1));
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.starts_with("TIMESTAMP"), "{table}");
    assert_eq!(table.lines().count(), 1 + 600 + 630);
    assert!(told(&output).contains("dead"), "{}", told(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_keeps_what_is_there() {
    let server = LinesServer::start(Lines {
        silent_after: 3,
        ..held(0)
    })
    .await;
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("out.csv");
    let out = file.display().to_string();
    let arguments = [&DAY[..], &["--all", "--limit", "50", "--csv-file", &out]].concat();
    let child = command(folder.path(), &[("alpha", &server.url())], &arguments)
        .spawn()
        .expect("run");
    for _ in 0..1_200 {
        if server.pages() > 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(server.pages() > 3, "it asked for the fourth page");
    assert!(!file.exists(), "not before it is whole");
    let id = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .expect("runs");
    let id = rustix::process::Pid::from_raw(id).expect("an id");
    rustix::process::kill_process(id, rustix::process::Signal::INT).expect("sent");
    let output = tokio::time::timeout(Duration::from_secs(60), child.wait_with_output()).await;
    let output = output.expect("in time").expect("ended");
    assert_eq!(output.status.code(), Some(130), "{}", told(&output));
    // Of each full page the last line was put back.
    let rows = rows(&file);
    assert_eq!(rows.len(), 3 * 49);
    assert_eq!(&rows[0][5], "line 0 =1+1");
    let names: Vec<String> = std::fs::read_dir(folder.path())
        .expect("folder")
        .map(|e| e.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert!(!names.iter().any(|n| n.ends_with(".part")), "{names:?}");
    let stderr = told(&output);
    assert!(stderr.contains("interrupted: 147 lines"), "{stderr}");
    assert!(
        stderr.contains("read: alpha up to 2026-11-20T11:26:00"),
        "{stderr}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_options_and_refusals_are_told() {
    let server = LinesServer::start(held(0)).await;
    let url = server.url();
    let alpha = [("alpha", url.as_str())];
    for (arguments, words) in [
        (&["--hours", "2"][..], "say what to read"),
        (
            &["--all", "--cluster", "bravo"],
            "there is no cluster \"bravo\"",
        ),
        (
            &["--all", "--from", "2026-11-22", "--to", "2026-11-21"],
            "nothing lies between",
        ),
        (
            &["--all", "--output", "raw", "--csv-file", "x"],
            "leave out --output",
        ),
        (&["--all", "--from", "noon"], "not a time"),
        (&["--all", "--limit", "0"], "0 is not in"),
    ] {
        let (output, _keep) = logs(&alpha, arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(told(&output).contains(words), "{}", told(&output));
    }
    assert!(server.queries().is_empty());

    // Nothing was read: an older file stays.
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("out.csv");
    std::fs::write(&file, "old").expect("written");
    let out = file.display().to_string();
    let dead = [("dead", "http://127.0.0.1:9/nobody")];
    let mut child = command(folder.path(), &dead, &["--all", "--csv-file", &out])
        .spawn()
        .expect("run");
    let status = tokio::time::timeout(Duration::from_secs(120), child.wait()).await;
    assert_eq!(status.expect("in time").expect("ended").code(), Some(1));
    assert_eq!(std::fs::read_to_string(&file).expect("there"), "old");
}

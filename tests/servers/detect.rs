//! `farwatch detect --query` against a real Prometheus.

use std::process::{Command, Output};

use farwatch::clock;

use super::prometheus::{Prometheus, openmetrics};

/// Six hours of a load with noise, a minute apart, until a minute ago; three points of trouble.
fn history() -> (String, i64) {
    let end = clock::now().0 / 60_000 * 60 - 60;
    let fault = end - 40 * 60;
    let points: Vec<(i64, f64)> = (0..360)
        .map(|i| end - (359 - i) * 60)
        .map(|at| {
            let noise = (at / 60 * 37 % 11) as f64 / 10.0;
            let more = if (fault..fault + 180).contains(&at) {
                500.0
            } else {
                0.0
            };
            (at, 20.0 + noise + more)
        })
        .collect();
    (
        openmetrics("queue_length", "queue=\"mail\"", &points),
        fault,
    )
}

fn detect(folder: &std::path::Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_farwatch"))
        .arg("detect")
        .args(arguments)
        .env("HOME", folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .env_remove("FARWATCH_CONFIG")
        .env_remove("KUBECONFIG")
        .output()
        .expect("run")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_query_to_a_server_is_judged() {
    let (history, fault) = history();
    let server = Prometheus::start_with_history("", "", Some(&history));
    let folder = tempfile::tempdir().expect("folder");
    let url = server.url();
    let asked = ["--query", "queue_length", "--range", "6h", "--step", "60s"];
    let told = detect(
        folder.path(),
        &[&asked[..], &["--url", &url, "--told"]].concat(),
    );
    let rows: Vec<String> = text(&told.stdout).lines().map(str::to_owned).collect();
    assert!(told.status.success(), "{}", text(&told.stderr));
    assert_eq!(rows.len(), 2, "{rows:#?}");
    let mut reader = csv::Reader::from_reader(told.stdout.as_slice());
    let row = reader.records().next().expect("a row").expect("csv");
    assert!(
        row[0].starts_with("queue_length{") && row[0].contains("mail"),
        "{row:?}"
    );
    let at: f64 = row[1].parse().expect("seconds");
    assert!((0.0..=60.0).contains(&(at - fault as f64)), "{at} {fault}");
    assert_eq!((&row[4], &row[5]), ("1", "spike"));

    // The same by the name of a cluster.
    let config = folder.path().join("config.toml");
    let cluster = |name: &str, url: &str| {
        format!("[[clusters]]\nname = \"{name}\"\nprometheus = {{ url = \"{url}\" }}\n")
    };
    let both = cluster("alpha", &url) + &cluster("beta", "http://127.0.0.1:1");
    std::fs::write(&config, both).expect("written");
    let config = config.to_str().expect("text");
    let by = |more: &[&str]| {
        let given = ["--config", config];
        detect(folder.path(), &[&asked[..], &given, more].concat())
    };
    let named = by(&["--cluster", "alpha", "--told"]);
    assert_eq!(
        text(&named.stdout),
        rows.join("\n") + "\n",
        "{}",
        text(&named.stderr)
    );
    for (more, wanted) in [
        (&[][..], "--cluster alpha or beta"),
        (&["--cluster", "gamma"], "there is alpha, beta"),
        (&["--cluster", "beta"], "beta"),
    ] {
        let refused = by(more);
        let why = text(&refused.stderr);
        assert!(!refused.status.success() && why.contains(wanted), "{why}");
    }
    let wrong = detect(folder.path(), &["--query", "sum(", "--url", &url]);
    let why = text(&wrong.stderr);
    assert!(
        !wrong.status.success() && why.contains("parse error"),
        "{why}"
    );
    let none = detect(folder.path(), &["--query", "absent_metric", "--url", &url]);
    assert!(none.status.success() && text(&none.stderr).contains("no series"));
}

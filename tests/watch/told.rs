//! What one watcher tells, as another program reads it.

use std::process::Command;

use crate::nats::{Nats, program, until};
use crate::site::{Exporters, Watcher, config, names, opened, told};

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_told_and_a_foreign_client_reads_it() {
    let (server, exporters) = (Nats::jetstream(), Exporters::start().await);
    let clusters = names(1);
    exporters.heat("site-0", 1, 20.0);
    let url = format!("url = \"{}\"", server.url());
    let mut watcher = Watcher::start("w1", &config(&exporters, &clusters, &url));
    exporters.heat("site-0", 1, 99.0);
    until("told", async || {
        (opened(&told(&server).await).len() == 1).then_some(())
    })
    .await;
    exporters.heat("site-0", 1, 20.0);
    until("cooled", async || {
        let told = told(&server).await;
        told.iter()
            .any(|(_, c)| c.event.as_str() == "finding_ended")
            .then_some(())
    })
    .await;
    assert_eq!(watcher.end(), Some(0), "{}", watcher.log());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/watch/foreign.py");
    let ran = Command::new(program("python3"))
        .args([script, &server.url()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(
        ran.status.success(),
        "{said}; run tests/run, which installs nats-py and msgpack"
    );
    let lines = String::from_utf8_lossy(&ran.stdout).into_owned();
    let mut lines = lines.lines();
    let limits = lines.next().unwrap();
    assert_eq!(
        limits,
        "limits: bytes 268435456 age 604800 s duplicates 600 s"
    );
    let first: Vec<&str> = lines.take(2).collect();
    assert_eq!(
        first,
        [
            "ai.farwatch.site-0.incident_opened site-0 w1 1 open lab_heat",
            "ai.farwatch.site-0.finding_begun site-0 w1 1 open lab_heat",
        ]
    );
}

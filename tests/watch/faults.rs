//! A bus that does not let us in: the watcher goes on, names the cause, and loses nothing.

use crate::nats::{JETSTREAM, Nats, until};
use crate::site::{Exporters, Watcher, config, names, opened, told};

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_named_and_what_is_told_waits() {
    let users = "authorization { users: [ {user: w, password: right}, {user: t, password: t} ] }\n\
                 no_auth_user: t\n";
    let (server, exporters) = (
        Nats::start(&format!("{JETSTREAM}{users}")),
        Exporters::start().await,
    );
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "wrong").unwrap();
    let nats = format!(
        "url = \"{}\", user = \"w\", password_file = \"{}\"",
        server.url(),
        secret.path().display()
    );
    exporters.heat("site-0", 1, 99.0);
    let watcher = Watcher::start("w1", &config(&exporters, &names(1), &nats));
    until("named", async || {
        watcher
            .log()
            .contains("authorization violation")
            .then_some(())
    })
    .await;
    let file = watcher.spool().join("told.log");
    until("it waits", async || {
        let bytes = std::fs::read(&file).unwrap_or_default();
        bytes
            .windows(15)
            .any(|w| w == b"incident_opened")
            .then_some(())
    })
    .await;
    assert!(told(&server).await.is_empty());
    std::fs::write(secret.path(), "right").unwrap();
    until("told", async || {
        (opened(&told(&server).await).len() == 1).then_some(())
    })
    .await;
    assert!(!watcher.log().contains("right\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_named() {
    let users = "authorization { users: [ {user: w, password: w, permissions: { publish: \
                 { deny: [\"$JS.API.STREAM.CREATE.>\"] } } }, {user: t, password: t} ] }\n\
                 no_auth_user: t\n";
    let (server, exporters) = (
        Nats::start(&format!("{JETSTREAM}{users}")),
        Exporters::start().await,
    );
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "w").unwrap();
    let nats = format!(
        "url = \"{}\", user = \"w\", password_file = \"{}\"",
        server.url(),
        secret.path().display()
    );
    let watcher = Watcher::start("w1", &config(&exporters, &names(1), &nats));
    for stream in ["STREAM.CREATE.farwatch", "STREAM.CREATE.KV_farwatch-leases"] {
        until(stream, async || {
            watcher.log().contains(stream).then_some(())
        })
        .await;
    }
}

/// Standard error is all that somebody without `/metrics` has.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_dead_is_named_once() {
    let mut watcher = Watcher::start(
        "w1",
        "[[clusters]]\nname = \"site-0\"\n\
         exporters = [{ url = \"http://127.0.0.1:1/metrics\", interval = \"1s\" }]\n",
    );
    until("named", async || {
        watcher.log().contains("not heard").then_some(())
    })
    .await;
    watcher.end();
    let log = watcher.log();
    assert!(log.contains("watching 1 clusters as w1"), "{log}");
    let lines: Vec<&str> = log.lines().filter(|l| l.contains("not heard")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    for word in [
        " warn ",
        "site-0",
        "127.0.0.1:1",
        "exporter 1",
        "check the address",
    ] {
        assert!(lines[0].contains(word), "{word}: {log}");
    }
}

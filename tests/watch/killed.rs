//! Killed at any moment, with and without a bus: nothing is lost, nothing is told twice.

use std::time::Duration;

use crate::nats::{Nats, until};
use crate::site::{Exporters, Watcher, config, each_once, names, opened, told};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_is_told_twice() {
    let (mut server, exporters) = (Nats::jetstream(), Exporters::start().await);
    let clusters = names(2);
    let url = format!("url = \"{}\", timeout = \"1s\"", server.url());
    let mut watcher = Watcher::start("w1", &config(&exporters, &clusters, &url));
    let mut wanted = Vec::new();
    for round in 0..6_u32 {
        let cluster = &clusters[round as usize % 2];
        exporters.heat(cluster, round, 99.0);
        wanted.push(format!("{cluster} node n{round}"));
        wanted.sort();
        // Twice the bus is away while something happens.
        if round == 2 || round == 4 {
            server.kill();
            tokio::time::sleep(Duration::from_secs(4)).await;
            server.restart();
        }
        let held = wanted.clone();
        until("each incident is told", async || {
            (opened(&told(&server).await) == held).then_some(())
        })
        .await;
        // At another moment each time.
        tokio::time::sleep(Duration::from_millis(u64::from(round) * 130)).await;
        watcher.kill();
        watcher.begin();
    }
    // What is new after the last kill comes behind what was there.
    exporters.heat(&clusters[0], 90, 99.0);
    wanted.push("site-0 node n90".into());
    wanted.sort();
    until("the last", async || {
        (opened(&told(&server).await) == wanted).then_some(())
    })
    .await;
    assert_eq!(watcher.end(), Some(0), "{}", watcher.log());
    let all = told(&server).await;
    each_once(&all);
    let begun = all
        .iter()
        .filter(|(_, c)| c.event.as_str() == "finding_begun");
    assert_eq!(begun.count(), wanted.len(), "no sign begins again");
    let ended = all
        .iter()
        .filter(|(_, c)| c.event.as_str() == "finding_ended");
    assert_eq!(ended.count(), 0, "what was not seen for a while goes on");
}

/// SIGTERM while the bus is away: what waits stands on the disk, and the next start tells it, once.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_at_the_end_is_told_by_the_next_start() {
    let (mut server, exporters) = (Nats::jetstream(), Exporters::start().await);
    let clusters = names(1);
    let url = format!("url = \"{}\", timeout = \"1s\"", server.url());
    let mut watcher = Watcher::start("w1", &config(&exporters, &clusters, &url));
    exporters.heat("site-0", 1, 99.0);
    until("the first is told", async || {
        (opened(&told(&server).await).len() == 1).then_some(())
    })
    .await;
    server.kill();
    exporters.heat("site-0", 2, 99.0);
    exporters.heat("site-0", 3, 99.0);
    until("the others wait", async || {
        (watcher.waiting() == ["site-0 node n2", "site-0 node n3"]).then_some(())
    })
    .await;
    assert_eq!(watcher.end(), Some(0), "{}", watcher.log());
    let log = watcher.log();
    assert!(log.contains("it waits in the spool"), "{log}");
    assert_eq!(watcher.waiting(), ["site-0 node n2", "site-0 node n3"]);
    server.restart();
    assert_eq!(opened(&told(&server).await), ["site-0 node n1"]);
    watcher.begin();
    until("the next start tells them", async || {
        (opened(&told(&server).await).len() == 3).then_some(())
    })
    .await;
    until("nothing waits", async || {
        watcher.waiting().is_empty().then_some(())
    })
    .await;
    assert_eq!(watcher.end(), Some(0), "{}", watcher.log());
    let all = told(&server).await;
    each_once(&all);
    let begun = all
        .iter()
        .filter(|(_, c)| c.event.as_str() == "finding_begun");
    assert_eq!(begun.count(), 3);
}

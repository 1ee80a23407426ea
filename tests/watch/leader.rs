//! Three servers that hold stream and leases together, three watchers, and the leader killed.

use std::time::Duration;

use async_nats::jetstream;

use crate::nats::{Nats, cluster, until};
use crate::shared::Book;
use crate::site::{Exporters, Watcher, config_of, each_once, names, opened, told_by};

/// A lease of this outlives the choice of another leader, which takes some 4 to 9 s.
const INTERVAL_MS: i64 = 5_000;
const STREAMS: [&str; 2] = ["farwatch", "KV_farwatch-leases"];

struct Bus {
    servers: Vec<Nats>,
    urls: Vec<String>,
}

impl Bus {
    fn start() -> Self {
        let servers = cluster();
        let urls = servers.iter().map(Nats::url).collect();
        Self { servers, urls }
    }

    /// `nats` of a watcher; this server is tried first.
    fn from(&self, first: usize) -> String {
        let mut urls = self.urls.clone();
        urls.rotate_left(first);
        let quoted: Vec<String> = urls.iter().map(|url| format!("\"{url}\"")).collect();
        format!(
            "replicas = 3\nnats = {{ urls = [{}], timeout = \"2s\" }}",
            quoted.join(", ")
        )
    }

    /// Which server leads a stream, once the two others hold all of it.
    async fn leader(&self, stream: &str) -> usize {
        let name = until("a leader with two current copies", async || {
            let client = async_nats::connect(&self.urls).await.ok()?;
            let stream = jetstream::new(client).get_stream(stream).await.ok()?;
            let info = stream.cached_info();
            assert_eq!(info.config.num_replicas, 3);
            let group = info.cluster.clone()?;
            let current = group.replicas.iter().filter(|r| r.current && !r.offline);
            (current.count() == 2).then_some(())?;
            group.leader
        });
        name.await.strip_prefix('n').unwrap().parse().unwrap()
    }

    async fn opened(&self, wanted: &[String]) {
        until("each incident is told", async || {
            let mut wanted = wanted.to_vec();
            wanted.sort();
            (opened(&told_by(&self.urls).await?) == wanted).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_leader_loses_nothing_and_repeats_nothing() {
    let (mut bus, exporters) = (Bus::start(), Exporters::start().await);
    let clusters = names(6);
    let config = |first| config_of(&exporters, &clusters, &bus.from(first), INTERVAL_MS);
    let first = Watcher::start("w1", &config(0));
    let leader = bus.leader(STREAMS[0]).await;
    bus.leader(STREAMS[1]).await;
    let book = Book::of(&bus.urls, INTERVAL_MS).await;
    // One is connected with the leader for sure, another for sure not.
    let mut second = Watcher::start("w2", &config(leader));
    let third = Watcher::start("w3", &config((leader + 1) % 3));
    book.settled(&[2, 2, 2]).await;
    let mut wanted = Vec::new();
    let mut heat = |node: u32, of: std::ops::Range<usize>| {
        for cluster in &clusters[of] {
            exporters.heat(cluster, node, 99.0);
            wanted.push(format!("{cluster} node n{node}"));
        }
        wanted.clone()
    };
    bus.opened(&heat(1, 0..6)).await;

    // The leader of the stream alone, while something happens everywhere.
    let killed = farwatch::clock::now().0;
    bus.servers[leader].kill();
    bus.opened(&heat(2, 0..6)).await;
    assert_ne!(bus_leader_now(&bus).await, leader);
    bus.servers[leader].restart();
    book.settled(&[2, 2, 2]).await;
    bus.leader(STREAMS[0]).await;
    let leader = bus.leader(STREAMS[1]).await;
    book.nobody_watched_twice();
    let unwatched = book.unwatched(killed);
    assert!(unwatched <= 3 * INTERVAL_MS, "{unwatched} ms");
    println!("leader of the stream killed: unwatched {unwatched} ms, interval {INTERVAL_MS} ms");

    // The leader of the leases together with a watcher.
    let killed = farwatch::clock::now().0;
    second.kill();
    bus.servers[leader].kill();
    bus.opened(&heat(3, 0..6)).await;
    book.settled(&[3, 3]).await;
    bus.servers[leader].restart();
    tokio::time::sleep(Duration::from_millis(INTERVAL_MS as u64)).await;
    book.nobody_watched_twice();
    let unwatched = book.unwatched(killed);
    println!("leader of the leases and a watcher: unwatched {unwatched} ms");
    // Its lease lives on for two intervals at most, then it is taken within one.
    assert!(unwatched <= 3 * INTERVAL_MS, "{unwatched} ms");
    let all = until("all of it", async || told_by(&bus.urls).await).await;
    each_once(&all);
    let begun = all
        .iter()
        .filter(|(_, c)| c.event.as_str() == "finding_begun");
    assert_eq!(begun.count(), 18, "no sign begins again");
    for watcher in [&first, &third] {
        let log = watcher.log();
        assert!(!log.contains("nobody is heard"), "{log}");
    }
}

async fn bus_leader_now(bus: &Bus) -> usize {
    let name = until("another leader", async || {
        let client = async_nats::connect(&bus.urls).await.ok()?;
        let stream = jetstream::new(client).get_stream(STREAMS[0]).await.ok()?;
        stream.cached_info().cluster.clone()?.leader
    });
    name.await.strip_prefix('n').unwrap().parse().unwrap()
}

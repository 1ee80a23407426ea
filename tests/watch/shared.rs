//! Replicas that share clusters: who held which lease when, from the bucket's own history.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::jetstream::kv::{Entry, Operation};
use farwatch::team::lease::Lease;
use futures::StreamExt;

use crate::nats::{Nats, until};
use crate::site::{Exporters, INTERVAL_MS, Watcher, config, names};

/// By the server's clock, milliseconds.
type Row = (i64, Lease);

/// Every lease that was written, as it was written.
#[derive(Clone)]
pub struct Book {
    rows: Arc<Mutex<BTreeMap<String, Vec<Row>>>>,
    interval_ms: i64,
}

impl Book {
    pub async fn of(urls: &[String], interval_ms: i64) -> Self {
        let book = Self {
            rows: Arc::default(),
            interval_ms,
        };
        let client = async_nats::connect(urls).await.unwrap();
        let context = async_nats::jetstream::new(client);
        let bucket = until("the bucket", async || {
            context.get_key_value("farwatch-leases").await.ok()
        });
        let (bucket, reader) = (bucket.await, book.clone());
        tokio::spawn(async move {
            let mut next = 1;
            loop {
                // A server may be gone: what was not read yet is read from another.
                if let Ok(mut watch) = bucket.watch_from_revision("cluster.>", next).await {
                    let patience = Duration::from_millis(2 * interval_ms as u64);
                    while let Ok(Some(Ok(entry))) =
                        tokio::time::timeout(patience, watch.next()).await
                    {
                        next = entry.revision + 1;
                        reader.note(&entry);
                    }
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
        book
    }

    fn note(&self, entry: &Entry) {
        assert_eq!(entry.operation, Operation::Put);
        let lease: Lease = rmp_serde::from_slice(&entry.value).unwrap();
        let at = (entry.created.unix_timestamp_nanos() / 1_000_000) as i64;
        let mut rows = self.rows.lock().unwrap();
        let rows = rows.entry(lease.cluster.to_string()).or_default();
        rows.push((at, lease));
    }

    pub fn rows(&self) -> BTreeMap<String, Vec<Row>> {
        self.rows.lock().unwrap().clone()
    }

    /// Clusters of each holder as it stands now.
    pub fn loads(&self) -> BTreeMap<String, usize> {
        let mut loads = BTreeMap::new();
        for rows in self.rows().values() {
            if let Some((_, lease)) = rows.last().filter(|(_, l)| !l.holder.is_empty()) {
                *loads.entry(lease.holder.to_string()).or_default() += 1;
            }
        }
        loads
    }

    pub async fn settled(&self, wanted: &[usize]) {
        until("shared out evenly", async || {
            let mut loads: Vec<usize> = self.loads().into_values().collect();
            loads.sort_unstable();
            (loads == wanted).then_some(())
        })
        .await;
    }

    /// No lease is written over one that may still be held: between another's last renewal and ours
    /// lies the time in which it is sure of it, less one interval.
    pub fn nobody_watched_twice(&self) {
        for (cluster, rows) in self.rows() {
            for pair in rows.windows(2) {
                let ((from, was), (to, now)) = (&pair[0], &pair[1]);
                let handed = was.holder.is_empty() || now.holder.is_empty();
                if was.instance != now.instance && !handed {
                    let overlap = self.interval_ms * 7 / 4 - (to - from);
                    assert!(overlap <= self.interval_ms, "{cluster}: {overlap} ms twice");
                }
            }
        }
    }

    /// Longest time since then in which a cluster had no holder who was sure of it, milliseconds.
    pub fn unwatched(&self, since: i64) -> i64 {
        let mut longest = 0;
        for rows in self.rows().values() {
            for pair in rows.windows(2).filter(|pair| pair[1].0 >= since) {
                let ((from, was), (to, _)) = (&pair[0], &pair[1]);
                let sure = match was.holder.is_empty() {
                    true => 0,
                    false => self.interval_ms * 7 / 4,
                };
                longest = longest.max(to - from - sure);
            }
        }
        longest
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_share_and_what_a_killed_one_watched_is_taken_over() {
    let (server, exporters) = (Nats::jetstream(), Exporters::start().await);
    let clusters = names(6);
    let url = format!("url = \"{}\"", server.url());
    let config = config(&exporters, &clusters, &url);
    let mut first = Watcher::start("w1", &config);
    let book = Book::of(&[server.url()], INTERVAL_MS).await;
    book.settled(&[6]).await;
    let mut second = Watcher::start("w2", &config);
    book.settled(&[3, 3]).await;
    let mut third = Watcher::start("w3", &config);
    book.settled(&[2, 2, 2]).await;
    second.kill();
    let killed = farwatch::clock::now().0;
    book.settled(&[3, 3]).await;
    book.nobody_watched_twice();
    let mut longest = 0;
    for (cluster, rows) in book.rows() {
        let last = rows.iter().rposition(|(_, l)| l.holder.as_ref() == "w2");
        let Some((last, next)) = last.and_then(|at| Some((&rows[at], rows.get(at + 1)?))) else {
            continue;
        };
        // What it had given up before is not taken over.
        if last.0 < killed - 2 * INTERVAL_MS || next.1.holder.is_empty() {
            continue;
        }
        let unwatched = next.0 - killed;
        assert!(unwatched <= 3 * INTERVAL_MS, "{cluster}: {unwatched} ms");
        longest = longest.max(unwatched);
    }
    assert!(longest > 0, "something was taken over");
    println!("taken over {longest} ms after SIGKILL, interval {INTERVAL_MS} ms");
    // Who goes in good order gives back at once.
    assert_eq!(third.end(), Some(0), "{}", third.log());
    until("given back", async || {
        let rows = book.rows();
        let theirs = |rows: &Vec<Row>| rows.last().is_some_and(|(_, l)| l.holder.as_ref() == "w3");
        (!rows.values().any(theirs)).then_some(())
    })
    .await;
    let rows = book.rows();
    let given = rows.values().flatten().filter(|(_, l)| l.holder.is_empty());
    assert!(given.count() >= 3, "not only expired");
    book.settled(&[6]).await;
    assert_eq!(first.end(), Some(0), "{}", first.log());
    until("free", async || book.loads().is_empty().then_some(())).await;
    book.nobody_watched_twice();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_take_over_each_others_clusters_with_what_was_told_of_them() {
    let (server, exporters) = (Nats::jetstream(), Exporters::start().await);
    let clusters = names(2);
    let url = format!("url = \"{}\"", server.url());
    let config = config(&exporters, &clusters, &url);
    let mut first = Watcher::start("w1", &config);
    let second = Watcher::start("w2", &config);
    let book = Book::of(&[server.url()], INTERVAL_MS).await;
    book.settled(&[1, 1]).await;
    for cluster in &clusters {
        exporters.heat(cluster, 1, 99.0);
    }
    let wanted = ["site-0 node n1", "site-1 node n1"];
    until("told", async || {
        (crate::site::opened(&crate::site::told(&server).await) == wanted).then_some(())
    })
    .await;
    first.kill();
    book.settled(&[2]).await;
    // The other one hears the same signs now, and knows them.
    tokio::time::sleep(Duration::from_secs(5)).await;
    exporters.heat("site-0", 2, 99.0);
    exporters.heat("site-1", 2, 99.0);
    until("the new ones too", async || {
        let told = crate::site::told(&server).await;
        (crate::site::opened(&told).len() == 4).then_some(())
    })
    .await;
    let all = crate::site::told(&server).await;
    let begun = all
        .iter()
        .filter(|(_, c)| c.event.as_str() == "finding_begun");
    assert_eq!(begun.count(), 4, "{}", second.log());
    assert!(all.iter().any(|(_, c)| c.by.as_ref() == "w1"));
}

/// Its numbers begin anew, below those that the watchers know.
#[tokio::test(flavor = "multi_thread")]
async fn a_bus_that_lost_everything_is_shared_anew() {
    let (mut server, exporters) = (Nats::jetstream(), Exporters::start().await);
    let url = format!("url = \"{}\", timeout = \"1s\"", server.url());
    let config = config(&exporters, &names(4), &url);
    let (first, second) = (Watcher::start("w1", &config), Watcher::start("w2", &config));
    let book = Book::of(&[server.url()], INTERVAL_MS).await;
    book.settled(&[2, 2]).await;
    let client = async_nats::connect(server.url()).await.unwrap();
    let context = async_nats::jetstream::new(client);
    let bucket = context.get_key_value("farwatch-leases").await.unwrap();
    // So that they would not be reached for long.
    for _ in 0..500 {
        bucket.put("elsewhere", "".into()).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(2 * INTERVAL_MS as u64)).await;
    server.kill();
    std::fs::remove_dir_all(server.dir.path().join("data")).unwrap();
    server.restart();
    let book = Book::of(&[server.url()], INTERVAL_MS).await;
    book.settled(&[2, 2]).await;
    book.nobody_watched_twice();
    for watcher in [&first, &second] {
        let log = watcher.log();
        assert!(!log.contains("nobody is heard"), "{log}");
    }
}

/// Each cluster has one of those that name it.
#[tokio::test(flavor = "multi_thread")]
async fn watchers_that_name_different_clusters_leave_none_unwatched() {
    let (server, exporters) = (Nats::jetstream(), Exporters::start().await);
    let clusters = names(4);
    let url = format!("url = \"{}\"", server.url());
    let few = Watcher::start("w1", &config(&exporters, &clusters[..1], &url));
    let book = Book::of(&[server.url()], INTERVAL_MS).await;
    book.settled(&[1]).await;
    let more = Watcher::start("w2", &config(&exporters, &clusters, &url));
    let all = async || (book.loads().values().sum::<usize>() == 4).then_some(());
    until("all are watched", all).await;
    tokio::time::sleep(Duration::from_millis(4 * INTERVAL_MS as u64)).await;
    until("and stay so", all).await;
    book.nobody_watched_twice();
    for (cluster, rows) in book.rows() {
        let by_few = rows.iter().any(|(_, l)| l.holder.as_ref() == "w1");
        assert!(!by_few || cluster == clusters[0], "{cluster}");
    }
    assert!(!few.log().contains("no longer watched"), "{}", few.log());
    assert!(!more.log().contains("no longer watched"), "{}", more.log());
}

/// Nobody else can ask its exporters: it goes on without the bus, and is ready meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_publishes_its_samples_is_watched_there_whatever_the_bus_does() {
    let (mut server, exporters) = (Nats::jetstream(), Exporters::start().await);
    let clusters = names(2);
    let url = format!("url = \"{}\", timeout = \"1s\"", server.url());
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let site = config(&exporters, &clusters[..1], &url)
        .replace("exporters", "edge = { samples = \"publish\" }\nexporters")
        .replace(
            "[watch]",
            &format!("[watch]\nlisten = \"127.0.0.1:{port}\""),
        );
    let centre = config(&exporters, &clusters[1..], &url)
        + "[[clusters]]\nname = \"site-0\"\nedge = { samples = \"team\" }\n";
    let second = Watcher::start("w2", &centre);
    let book = Book::of(&[server.url()], INTERVAL_MS).await;
    book.settled(&[2]).await;
    let first = Watcher::start("w1", &site);
    book.settled(&[1, 1]).await;
    let holder = |cluster: &str| {
        let rows = book.rows().remove(cluster).unwrap_or_default();
        rows.last().map(|(_, lease)| lease.holder.to_string())
    };
    assert_eq!(holder("site-0").as_deref(), Some("w1"));
    let ready = format!("http://127.0.0.1:{port}/ready");
    let is_ready = async || {
        let answer = reqwest::get(&ready).await.ok()?;
        answer.status().is_success().then_some(())
    };
    until("ready", is_ready).await;
    server.kill();
    tokio::time::sleep(Duration::from_millis(4 * INTERVAL_MS as u64)).await;
    assert!(is_ready().await.is_some(), "what is told waits on the disk");
    server.restart();
    tokio::time::sleep(Duration::from_millis(4 * INTERVAL_MS as u64)).await;
    until("the site has it", async || {
        (holder("site-0").as_deref() == Some("w1")).then_some(())
    })
    .await;
    assert!(
        !first.log().contains("no longer watched"),
        "{}",
        first.log()
    );
    drop(second);
}

//! Samples over a real bus that comes and goes.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::stream::Config as Stream;
use farwatch::config::{Cluster, Config, Edge, Rhythm, Samples, Watch};
use farwatch::model::health::{Health, SourceKind};
use farwatch::model::signal::Group;
use farwatch::model::telemetry::{Body, SampleBatch};
use farwatch::model::time::Timestamp;
use farwatch::source::edge::subject;

use crate::nats::{Nats, until};
use crate::prometheus::NodeExporter;
use crate::site::{Exporter, Watching, later, recorded, site, team, watch};

const INTERVAL: Duration = Duration::from_millis(200);

pub async fn stream(server: &Nats) -> jetstream::Context {
    let client = async_nats::connect(server.url()).await.expect("connected");
    let js = jetstream::new(client);
    let config = Stream {
        name: "farwatch-samples".into(),
        subjects: vec!["ai.farwatch-samples.>".into()],
        duplicate_window: Duration::from_secs(120),
        ..Stream::default()
    };
    js.get_or_create_stream(config).await.expect("made");
    js
}

fn edge(samples: Samples) -> Edge {
    Edge {
        samples,
        budget: 0,
        ..Edge::default()
    }
}

/// Asks the exporters and publishes.
pub fn publisher(exporters: &[String], port: u16, spool: &std::path::Path) -> Config {
    Config {
        clusters: vec![Cluster {
            edge: edge(Samples::Publish),
            ..site(exporters, INTERVAL)
        }],
        team: Some(team(port)),
        watch: Watch {
            publishes: Some(Rhythm {
                gather: Duration::from_millis(400),
                generation: Duration::from_secs(5),
            }),
            spool: Some(spool.to_owned()),
            ..Watch::default()
        },
        ..Config::default()
    }
}

/// Reads what is published.
pub fn reader(port: u16) -> Config {
    Config {
        clusters: vec![Cluster {
            edge: edge(Samples::Team),
            ..site(&[], INTERVAL)
        }],
        team: Some(team(port)),
        ..Config::default()
    }
}

pub fn now() -> Timestamp {
    farwatch::clock::now()
}

/// Times of the scrapes, in the order in which they came.
fn times(batches: &[SampleBatch]) -> Vec<i64> {
    let mut all: Vec<i64> = batches.iter().map(|b| b.at.0).collect();
    all.dedup();
    all
}

/// Every value of a counter that counts the scrapes, over the last ten minutes.
pub async fn counted(of: &Watching) -> Vec<u64> {
    let ask = farwatch::model::ask::Ask::Instant {
        query: "scrapes_total[10m]".to_owned(),
        at: now(),
    };
    match of.ask(ask).await.result {
        Ok(farwatch::model::ask::Answer::Series(all)) => all
            .iter()
            .flat_map(|s| s.points.iter().map(|p| p.value as u64))
            .collect(),
        _ => Vec::new(),
    }
}

pub fn counting(n: usize) -> Vec<String> {
    let text = |n| {
        format!(
            "# TYPE scrapes_total counter\nscrapes_total {n}\nload {}\n",
            n % 7
        )
    };
    (0..n).map(text).collect()
}

pub fn is_sorted(all: &[u64]) -> bool {
    all.windows(2).all(|w| w[0] < w[1])
}

/// The server is killed in the midst of it, twice: what was scraped meanwhile comes afterwards, all
/// of it, once, in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_loses_nothing_and_repeats_nothing() {
    let mut server = Nats::jetstream();
    stream(&server).await;
    let exporter = Exporter::start(counting(10_000), &["farwatch"]);
    let folder = tempfile::tempdir().unwrap();
    let site = watch(publisher(&[exporter.url()], server.port, folder.path()));
    let mut console = watch(reader(server.port));
    let mut heard = Vec::new();
    for _ in 0..2 {
        let before = counted(&console).await.len();
        until("more comes", async || {
            (counted(&console).await.len() > before + 3).then_some(())
        })
        .await;
        server.kill();
        let gone = exporter.at();
        until("the site goes on", async || {
            (exporter.at() > gone + 10).then_some(())
        })
        .await;
        server.restart();
        until("it is told afterwards", async || {
            let last = counted(&console).await.last().copied();
            (last > Some(gone as u64 + 10)).then_some(())
        })
        .await;
    }
    heard.extend(console.batches());
    let all = counted(&console).await;
    assert!(is_sorted(&all), "{all:?}");
    let ours = counted(&site).await;
    let begin = ours
        .iter()
        .position(|n| Some(n) == all.first())
        .expect("held there too");
    assert_eq!(all, ours[begin..begin + all.len()], "nothing is missing");
    assert_eq!(begin, 0, "from the first on");
    let times = times(&heard);
    let once: BTreeSet<i64> = times.iter().copied().collect();
    assert_eq!(once.len(), times.len(), "told once each");
    assert!(times.is_sorted(), "in order");
    // Gauges and rates as if they were scraped here.
    let names: BTreeSet<&str> = heard
        .iter()
        .filter(|b| b.group == Group::Exporter)
        .flat_map(|b| &b.series)
        .map(|s| &*s.key.name)
        .collect();
    assert_eq!(names, ["load", "scrapes_total:rate"].into());
    let warned = console.instant("load", now()).await.warnings;
    assert!(warned.iter().all(|w| !w.starts_with("gap")), "{warned:?}");
}

/// The site's program is killed while the bus is away: its spool goes on in another run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spool_outlives_its_program() {
    let mut server = Nats::jetstream();
    stream(&server).await;
    let exporter = Exporter::start(counting(10_000), &["farwatch"]);
    let folder = tempfile::tempdir().unwrap();
    server.kill();
    let first = watch(publisher(&[exporter.url()], server.port, folder.path()));
    until("some are made", async || (exporter.at() > 10).then_some(())).await;
    first.fleet.shutdown().await;
    let gone = exporter.at() as u64;
    let second = watch(publisher(&[exporter.url()], server.port, folder.path()));
    until("more are made", async || {
        (exporter.at() as u64 > gone + 5).then_some(())
    })
    .await;
    server.restart();
    let console = watch(reader(server.port));
    until("all of it comes", async || {
        (counted(&console).await.last().copied() > Some(gone + 5)).then_some(())
    })
    .await;
    let all = counted(&console).await;
    assert!(is_sorted(&all) && all[0] == 0, "{all:?}");
    // At most the scrape that was under way when it ended.
    let steps = all.windows(2).filter(|w| w[1] != w[0] + 1).count();
    assert!(steps <= 1 && all.len() as u64 + 1 >= gone, "{all:?}");
    drop(second);
}

/// Too small a spool for the outage: what went is counted, told to the reader, and the rest is
/// readable.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_finds_no_room_is_a_gap_that_is_told() {
    let mut server = Nats::jetstream();
    stream(&server).await;
    let text = recorded("node_exporter_real.prom");
    let texts: Vec<String> = (0..200)
        .map(|n| {
            later(&text, n, None) + &format!("# TYPE scrapes_total counter\nscrapes_total {n}\n")
        })
        .collect();
    let exporter = Exporter::start(texts, &["farwatch"]);
    let folder = tempfile::tempdir().unwrap();
    let mut config = publisher(&[exporter.url()], server.port, folder.path());
    config.watch.spool_size_bytes = 100_000;
    config.watch.publishes = Some(Rhythm {
        gather: Duration::from_millis(400),
        generation: Duration::from_secs(2),
    });
    let mut site = watch(config);
    let console = watch(reader(server.port));
    until("some come", async || {
        (counted(&console).await.len() > 3).then_some(())
    })
    .await;
    server.kill();
    let lost = until("something is lost", async || {
        while let Ok(telemetry) = site.told.try_recv() {
            if let (SourceKind::Edge, Body::Health(health)) = (telemetry.source, &telemetry.body)
                && health.dropped > 3
            {
                return Some(health.dropped);
            }
        }
        None
    })
    .await;
    let gone = exporter.at() as u64;
    server.restart();
    until("it goes on", async || {
        (counted(&console).await.last().copied() > Some(gone)).then_some(())
    })
    .await;
    let all = counted(&console).await;
    assert!(is_sorted(&all), "{all:?}");
    let missing = all.last().unwrap() + 1 - all.len() as u64;
    assert!(missing >= lost, "{missing} of {lost}: {all:?}");
    let warned = console.instant("node_load1", now()).await.warnings;
    assert!(warned.iter().any(|w| w.starts_with("gap: ")), "{warned:?}");
}

/// Garbage and damage on the subject cost themselves, and are counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_messages_are_counted_and_left_out() {
    let server = Nats::jetstream();
    let js = stream(&server).await;
    let exporter = Exporter::start(counting(10_000), &["farwatch"]);
    let folder = tempfile::tempdir().unwrap();
    let subject = subject("far 1");
    assert_eq!(subject, "ai.farwatch-samples.far_1.told");
    let put = async |bytes: Vec<u8>| {
        js.publish(subject.clone(), bytes.into())
            .await
            .unwrap()
            .await
            .unwrap();
    };
    put(b"{\"json\": true}".to_vec()).await;
    put(vec![0xff; 500_000]).await;
    put(b"FS\x01".to_vec()).await;
    let _site = watch(publisher(&[exporter.url()], server.port, folder.path()));
    let mut console = watch(reader(server.port));
    until("some come", async || {
        (counted(&console).await.len() > 3).then_some(())
    })
    .await;
    // What the site said, damaged, from what looks like another publisher.
    let stream = js.get_stream("farwatch-samples").await.unwrap();
    let genuine = stream.get_raw_message(4).await.unwrap().payload.to_vec();
    let mut seed = 7_u64;
    for _ in 0..200 {
        let mut bytes = genuine.clone();
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        bytes[3] = seed as u8 | 1;
        let at = 11 + (seed >> 33) as usize % (bytes.len() - 11);
        bytes[at] ^= (seed >> 20) as u8 | 1;
        put(bytes).await;
    }
    let before = counted(&console).await.last().copied();
    until("the genuine ones go on", async || {
        (counted(&console).await.last().copied() > before.map(|n| n + 3)).then_some(())
    })
    .await;
    let mut bad = 0;
    until("the bad ones are counted", async || {
        while let Ok(telemetry) = console.told.try_recv() {
            if let (SourceKind::Edge, Body::Health(health)) = (telemetry.source, &telemetry.body) {
                bad = bad.max(health.bad_lines);
            }
        }
        (bad >= 203).then_some(())
    })
    .await;
}

/// A real node_exporter, through the bus, asked like a Prometheus.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_exporter_is_asked_over_the_bus() {
    let server = Nats::jetstream();
    stream(&server).await;
    let exporter = NodeExporter::start();
    let url = format!("{}/metrics", exporter.program.url());
    let folder = tempfile::tempdir().unwrap();
    let site = watch(publisher(&[url], server.port, folder.path()));
    let console = watch(reader(server.port));
    let query = "count({__name__=~\"node_.+\"})";
    until("it comes", async || {
        (!console.values(query, now()).await.is_empty()).then_some(())
    })
    .await;
    // A while ago, so that all of then is told.
    let rate = "sum by (mode) (rate(node_cpu_seconds_total[1m]))";
    let at = until("both have it", async || {
        let at = now().plus_ms(-2_000);
        let there = console.values(rate, at).await;
        (!there.is_empty() && there == site.values(rate, at).await).then_some(at)
    })
    .await;
    for query in [
        "{__name__=~\"node_.+\"}",
        rate,
        "node_memory_MemTotal_bytes",
    ] {
        let bits = async |of: &Watching| {
            let all = of.values(query, at).await.into_iter();
            all.map(|(key, value)| (key, value.to_bits()))
                .collect::<Vec<_>>()
        };
        let (there, here) = (bits(&site).await, bits(&console).await);
        assert!(!here.is_empty(), "{query}");
        assert_eq!(there, here, "{query}");
    }
}

/// Who is configured to publish or to read, and has no team, is told so.
#[tokio::test]
async fn without_a_team_it_says_what_is_missing() {
    let mut config = reader(1);
    config.team = None;
    let mut console = watch(config);
    let words = until("it says so", async || {
        while let Ok(telemetry) = console.told.try_recv() {
            if let Body::Health(health) = &telemetry.body
                && let Health::Failing { fault, .. } | Health::Denied { fault, .. } = &health.health
            {
                return Some(fault.what.clone());
            }
        }
        None
    })
    .await;
    assert!(words.contains("[team]"), "{words}");
}

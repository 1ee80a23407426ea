//! Bytes on the line: of what exporters write, and of what is made of it.

use std::io::Write as _;
use std::time::Duration;

use farwatch::clock;
use farwatch::config::{Cluster, Edge};
use farwatch::edge::{Encoder, Level, Thinner};
use farwatch::model::scrape::{Scrape, Told};
use farwatch::model::time::Timestamp;
use farwatch::source::exposition::Format;
use farwatch::source::scrape::Memory;

use crate::bus::{publisher, reader, stream};
use crate::nats::{Nats, until};
use crate::prometheus::{NodeExporter, get};
use crate::site::{Exporter, Line, later, recorded, watch};

const EVERY_S: i64 = 15;

fn scrape(memory: &mut Memory, text: &str, at: i64) -> Scrape {
    memory.read(text.as_bytes(), Format::Text, true, Timestamp(at));
    Scrape {
        exporter: 0,
        url: "http://10.0.0.1:9100/metrics".into(),
        instance: "10.0.0.1:9100".into(),
        interval_ms: 15_000,
        at: Timestamp(at),
        told: Told::All(memory.take_raws()),
    }
}

fn gzipped(text: &str) -> usize {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap().len()
}

/// Text, the same gzipped, and ours: bytes of so many scrapes, one message each.
fn sizes(texts: &[String]) -> [usize; 3] {
    let mut memory = Memory::new("10.0.0.1:9100", 100_000).keeping_raws();
    let mut encoder = Encoder::new(1);
    let mut sums = [0; 3];
    for (n, text) in (0..).zip(texts) {
        encoder.put(
            &scrape(&mut memory, text, n * EVERY_S * 1000 + n % 3),
            Level::default(),
        );
        let ours: usize = encoder.pack().iter().map(|p| p.bytes.len()).sum();
        sums = [
            sums[0] + text.len(),
            sums[1] + gzipped(text),
            sums[2] + ours,
        ];
    }
    sums
}

fn row(name: &str, texts: &[String]) -> [usize; 3] {
    let minute = |bytes: usize| bytes * 60 / (texts.len() * EVERY_S as usize);
    let sums = sizes(texts).map(minute);
    println!(
        "{name:32} {:>9} {:>9} {:>9} B/min",
        sums[0], sums[1], sums[2]
    );
    sums
}

/// A generation of 15 minutes, two values of three changed at each scrape.
#[test]
fn recorded_exporters_take_few_bytes() {
    println!(
        "{:32} {:>9} {:>9} {:>9}",
        "exporter", "text", "gzip", "ours"
    );
    for name in [
        "node_exporter_real.prom",
        "dcgm_8xh100_mig.prom",
        "vllm_single.prom",
        "ptp_oc_locked.prom",
        "sriov_netlink.prom",
        "cadvisor_kubelet.prom",
    ] {
        let text = recorded(name);
        let texts: Vec<String> = (0..60).map(|n| later(&text, n, None)).collect();
        let [text, gzip, ours] = row(name, &texts);
        assert!(
            ours * 8 < text && ours * 2 < gzip,
            "{name}: {ours} of {text}, {gzip} gzipped"
        );
    }
}

/// More than the line bears: what matters most stays whole, and the budget holds.
#[test]
fn more_than_fits_is_thinned() {
    let budget = 1 << 10;
    let text = recorded("node_exporter_real.prom") + &recorded("vllm_single.prom");
    let mut memory = Memory::new("10.0.0.1:9100", 100_000).keeping_raws();
    let (mut encoder, mut thinner) = (Encoder::new(1), Thinner::new(budget));
    let (mut last, mut told, mut seed) = (0, 0, 1_u64);
    for n in 0..240_i64 {
        // Ten sites' worth.
        let mut scrape = scrape(
            &mut memory,
            &later(&text, n as u64, None),
            n * EVERY_S * 1000,
        );
        let Told::All(raws) = scrape.told else {
            panic!("whole")
        };
        let mut more = Vec::new();
        for copy in 0..10 {
            for mut raw in raws.iter().cloned() {
                raw.key.name = format!("{}_{copy}", raw.key.name).into();
                // No two alike, and none as expected.
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                raw.value += (seed >> 52) as f64 / 8.0;
                more.push(raw);
            }
        }
        scrape.told = Told::All(more);
        encoder.put(&scrape, thinner.level());
        let bytes: usize = encoder.pack().iter().map(|p| p.bytes.len()).sum();
        thinner.made(bytes, n * EVERY_S * 1000);
        if n >= 120 {
            last += bytes;
            told += 1;
        }
    }
    let per_second = last / (told * EVERY_S as usize);
    println!(
        "thinned to level {}: {per_second} B/s of {budget}",
        thinner.level()
    );
    assert!(per_second <= budget as usize, "{per_second}");
    assert!(thinner.level() > Level::default());
}

/// A budget of 2 KiB/s on a line of 64 kbit/s, with more to tell than that: all that passes the
/// line, both ways, stays within it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thin_line_bears_no_more_than_the_budget() {
    let server = Nats::jetstream();
    stream(&server).await;
    let line = Line::start(server.port, 8_000).await;
    let text = recorded("node_exporter_real.prom");
    let texts = (0..500).map(|n| later(&text, n, None)).collect();
    let exporter = Exporter::start(texts, &["farwatch"]);
    let folder = tempfile::tempdir().unwrap();
    let mut config = publisher(&[exporter.url()], line.port, folder.path());
    let budget = 2 << 10;
    config.clusters[0].edge.budget = budget;
    let start = clock::instant();
    let site = watch(config);
    until("a while", async || (exporter.at() > 60).then_some(())).await;
    let (bytes, seconds) = (line.bytes(), start.elapsed().as_secs_f64());
    println!("{bytes} bytes in {seconds:.0} s");
    // A burst, and the greeting of the server.
    let most = budget as f64 * (seconds + 10.0) + 4_000.0;
    assert!((bytes as f64) < most, "{bytes} of {most}");
    assert!(bytes > 10_000);
    drop(site);
}

/// `cargo test --test edge -- --ignored --nocapture real_figures`: five minutes of a real
/// node_exporter, every 15 s, over 64 kbit/s.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "five minutes; its figures stand in docs/performance.md"]
async fn real_figures() {
    let minutes = 5;
    let server = Nats::jetstream();
    stream(&server).await;
    let line = Line::start(server.port, 8_000).await;
    let node = NodeExporter::start();
    let url = format!("{}/metrics", node.program.url());
    let folder = tempfile::tempdir().unwrap();
    let mut config = publisher(&[url], line.port, folder.path());
    config.watch.publishes = Some(farwatch::config::Rhythm::default());
    for cluster in &mut config.clusters {
        *cluster = Cluster {
            edge: Edge {
                budget: 4 << 10,
                ..cluster.edge.clone()
            },
            ..cluster.clone()
        };
        for exporter in &mut cluster.exporters {
            exporter.interval = Some(Duration::from_secs(EVERY_S as u64));
        }
    }
    let site = watch(config);
    let console = watch(reader(server.port));
    let mut texts = Vec::new();
    let mut before = 0;
    for minute in 0..minutes {
        for _ in 0..60 / EVERY_S {
            tokio::time::sleep(Duration::from_secs(EVERY_S as u64)).await;
            texts.push(get(node.program.port, "/metrics").unwrap());
        }
        let bytes = line.bytes();
        println!(
            "minute {minute}: {} bytes on the line, both ways",
            bytes - before
        );
        before = bytes;
    }
    row("node_exporter, real", &texts);
    row("the same, without the first", &texts[1..]);
    let (there, here) = (
        "count({__name__=~\"node_.+\"})",
        clock::now().plus_ms(-40_000),
    );
    println!(
        "{:?} {:?}",
        site.values(there, here).await,
        console.values(there, here).await
    );
    let answered = console.instant("node_load1", clock::now()).await;
    println!("{}", answered.origin);
}

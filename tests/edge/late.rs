//! Samples that come too late or too early, and a stream of their own for all of them.

use std::time::Duration;

use async_nats::jetstream::stream::Config as Stream;
use farwatch::edge::{Encoder, Level};
use farwatch::model::health::{Health, SourceHealth, SourceKind};
use farwatch::model::label::Labels;
use farwatch::model::sample::SeriesKey;
use farwatch::model::scrape::{Class, Raw, Scrape, Told};
use farwatch::model::telemetry::Body;
use farwatch::model::time::Timestamp;
use farwatch::source::edge::subject;

use crate::bus::{counted, counting, now, publisher, reader, stream};
use crate::nats::{Nats, until};
use crate::site::{Exporter, Watching, watch};

/// The newest word of its samples that holds these words.
async fn said(of: &mut Watching, words: &str) -> SourceHealth {
    until(words, async || {
        while let Ok(telemetry) = of.told.try_recv() {
            if let (SourceKind::Edge, Body::Health(health)) = (telemetry.source, telemetry.body) {
                let via = health.via.clone().unwrap_or_default();
                if via.contains(words) || format!("{:?}", health.health).contains(words) {
                    return Some(health);
                }
            }
        }
        None
    })
    .await
}

/// What a former watcher left in its spool comes after what the next one told: it is not shown, but
/// counted, and said with its cause.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_after_newer_is_counted_and_said() {
    let mut server = Nats::jetstream();
    let exporter = Exporter::start(counting(10_000), &["farwatch"]);
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    server.kill();
    let first = watch(publisher(&[exporter.url()], server.port, old.path()));
    until("some are made", async || (exporter.at() > 10).then_some(())).await;
    first.fleet.shutdown().await;
    let gone = exporter.at() as u64;
    server.restart();
    let _second = watch(publisher(&[exporter.url()], server.port, new.path()));
    let mut console = watch(reader(server.port));
    until("the next one is heard", async || {
        (counted(&console).await.len() > 3).then_some(())
    })
    .await;
    let _again = watch(publisher(&[exporter.url()], server.port, old.path()));
    let health = said(
        &mut console,
        "scrapes older than what their exporter had told",
    )
    .await;
    let words = health.via.unwrap();
    let n = words
        .split("left out: ")
        .nth(1)
        .and_then(|w| w.split(' ').next());
    let n: u64 = n.and_then(|n| n.parse().ok()).expect("a number");
    assert!(n >= 8, "{words}");
    assert_eq!(health.dropped, n, "{words}");
    let all = counted(&console).await;
    assert!(all.first() >= Some(&(gone - 1)), "{gone}: {all:?}");
    let warned = console.instant("load", now()).await.warnings;
    assert!(
        warned.iter().any(|w| w.contains("scrapes older than")),
        "{warned:?}"
    );
}

/// A site whose clock is wrong: what it tells of the future is not shown as of now, and it does not
/// keep out what another tells of now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_ahead_is_said() {
    let server = Nats::jetstream();
    let js = stream(&server).await;
    let mut encoder = Encoder::new(1);
    let at = now().plus_ms(20 * 60_000 + 30_000);
    let key = SeriesKey::new("ahead", Labels::from_pairs([("instance", "h:1")]));
    let raw = Raw {
        key,
        class: Class::Gauge,
        at,
        value: 1.0,
    };
    encoder.put(
        &Scrape {
            exporter: 0,
            url: "http://h/metrics".into(),
            instance: "h:1".into(),
            interval_ms: 200,
            at,
            told: Told::All(vec![raw]),
        },
        Level::default(),
    );
    let bytes = encoder.pack().remove(0).bytes;
    let given = js.publish(subject("far 1"), bytes.into()).await.unwrap();
    given.await.unwrap();
    let mut console = watch(reader(server.port));
    let health = said(
        &mut console,
        "1 scrapes ahead of our clock, the last by 20 min",
    )
    .await;
    assert_eq!(health.dropped, 1);
    let exporter = Exporter::start(counting(10_000), &["farwatch"]);
    let folder = tempfile::tempdir().unwrap();
    let _site = watch(publisher(&[exporter.url()], server.port, folder.path()));
    until("the genuine ones come", async || {
        (counted(&console).await.len() > 3).then_some(())
    })
    .await;
    let far = Timestamp(at.0 + 1_000);
    assert!(console.values("ahead", far).await.is_empty());
}

/// However many samples there are, the stream of the incidents holds what it held.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn samples_push_no_incident_out() {
    let server = Nats::jetstream();
    let client = async_nats::connect(server.url()).await.unwrap();
    let js = async_nats::jetstream::new(client);
    // As the watchers make it, and nearly full.
    let config = Stream {
        name: "farwatch".into(),
        subjects: vec![farwatch::team::stream::SUBJECTS.into()],
        max_bytes: 20_000,
        ..Stream::default()
    };
    js.create_stream(config).await.unwrap();
    for n in 0..15 {
        let subject = "ai.farwatch.far_1.incident_opened";
        let body = vec![n; 1_000].into();
        js.publish(subject, body).await.unwrap().await.unwrap();
    }
    let before = js.get_stream("farwatch").await.unwrap();
    let before = before.cached_info().state.clone();
    assert_eq!(before.messages, 15);
    let text = crate::site::recorded("node_exporter_real.prom");
    let texts = (0..500)
        .map(|n| crate::site::later(&text, n, None))
        .collect();
    let exporter = Exporter::start(texts, &["farwatch"]);
    let folder = tempfile::tempdir().unwrap();
    let _site = watch(publisher(&[exporter.url()], server.port, folder.path()));
    let samples = until("more samples than the other stream bears", async || {
        let mut stream = js.get_stream("farwatch-samples").await.ok()?;
        let info = stream.info().await.ok()?;
        (info.state.bytes > 40_000).then(|| info.config.clone())
    })
    .await;
    let after = js.get_stream("farwatch").await.unwrap();
    assert_eq!(after.cached_info().state.messages, 15);
    assert_eq!(after.cached_info().state.first_sequence, 1);
    // With limits of its own.
    assert_eq!(samples.max_bytes, 256 << 20);
    assert_eq!(samples.max_age, Duration::from_secs(86_400));
    assert_eq!(samples.subjects, ["ai.farwatch-samples.>"]);
}

/// Where another stream takes the samples, they wait: nobody else's stream is filled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_not_ours_is_not_filled() {
    let server = Nats::jetstream();
    let client = async_nats::connect(server.url()).await.unwrap();
    let js = async_nats::jetstream::new(client);
    let config = Stream {
        name: "everything".into(),
        subjects: vec!["ai.>".into()],
        ..Stream::default()
    };
    js.create_stream(config).await.unwrap();
    let exporter = Exporter::start(counting(10_000), &["farwatch"]);
    let folder = tempfile::tempdir().unwrap();
    let mut site = watch(publisher(&[exporter.url()], server.port, folder.path()));
    let health = said(&mut site, "overlap").await;
    assert!(
        matches!(health.health, Health::Failing { .. }),
        "{health:?}"
    );
    until("some are made", async || (exporter.at() > 10).then_some(())).await;
    let stream = js.get_stream("everything").await.unwrap();
    assert_eq!(stream.cached_info().state.messages, 0);
    js.delete_stream("everything").await.unwrap();
    let console = watch(reader(server.port));
    until("it goes on by itself", async || {
        (counted(&console).await.first() == Some(&0)).then_some(())
    })
    .await;
}

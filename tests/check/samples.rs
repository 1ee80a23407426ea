//! A cluster whose exporters are read elsewhere: what of them is on the team's bus.

use std::path::Path;

use async_nats::jetstream::{self, stream};
use farwatch::clock;
use farwatch::edge::{Encoder, Level};
use farwatch::model::scrape::{Scrape, Told};
use serde_json::Value;

use super::nats::Nats;
use super::{check, row};

/// The row of its samples, with this `[team]`.
fn asked(team: &str, edge: &str, folder: &Path) -> Value {
    let config = format!("{team}[[clusters]]\nname = \"far-1\"\n{edge}\n");
    let output = check(&config, "json", folder);
    let text = String::from_utf8(output.stdout).expect("utf-8");
    let report: Value = serde_json::from_str(&text).expect("json");
    row(&report, "edge samples").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_on_the_bus_are_looked_for() {
    let folder = tempfile::tempdir().expect("folder");
    let server = Nats::jetstream();
    let team = format!("[team]\nnats = {{ url = \"{}\" }}\n", server.url());
    let reads = "edge = { samples = \"team\" }";
    let publishes =
        "exporters = [{ url = \"http://127.0.0.1:1/metrics\" }]\nedge = { samples = \"publish\" }";
    let told = |team: &str, edge: &str, ok: bool, words: &str| {
        let row = asked(team, edge, folder.path());
        assert_eq!(row["ok"], ok, "{row}");
        assert!(row.to_string().contains(words), "{words}: {row}");
    };
    let alone = check(
        &format!("[[clusters]]\nname = \"far-1\"\n{reads}\n"),
        "json",
        folder.path(),
    );
    let refused = String::from_utf8(alone.stderr).expect("utf-8");
    assert!(refused.contains("add [team]"), "{refused}");
    let nobody = "[team]\nnats = { url = \"nats://127.0.0.1:1\" }\n";
    told(nobody, reads, false, "nobody answers");
    told(&team, reads, false, "there is no stream farwatch-samples");
    told(&team, publishes, true, "`farwatch watch` makes it");
    let fixed = format!("{team}create = false\n");
    told(&fixed, publishes, false, "`create = false`");

    let client = async_nats::connect(server.url()).await.expect("connected");
    let js = jetstream::new(client);
    let config = stream::Config {
        name: "farwatch-samples".into(),
        subjects: vec!["ai.farwatch-samples.>".into()],
        ..stream::Config::default()
    };
    js.create_stream(config).await.expect("made");
    told(&team, reads, false, "holds nothing of this cluster");
    told(&team, publishes, true, "nothing is published yet");

    let put = async |bytes: Vec<u8>| {
        let subject = farwatch::source::edge::subject("far-1");
        let given = js.publish(subject, bytes.into()).await.expect("given");
        given.await.expect("kept");
    };
    let mut encoder = Encoder::new(1);
    let scrape = |ago_ms: i64| Scrape {
        exporter: 0,
        url: "http://h/metrics".into(),
        instance: "h:1".into(),
        interval_ms: 15_000,
        at: clock::now().plus_ms(-ago_ms),
        told: Told::Nothing,
    };
    encoder.put(&scrape(4_000_000), Level::default());
    put(encoder.pack().remove(0).bytes).await;
    let row = asked(&team, reads, folder.path());
    assert_eq!(row["ok"], true, "{row}");
    let words = row["advice"].as_str().expect("words");
    let age = words.strip_prefix("the newest scrape is ");
    let age = age.and_then(|w| w.strip_suffix(" s old")).expect(words);
    assert!(age.parse::<u32>().is_ok_and(|s| s >= 4_000), "{words}");
    assert!(row["version"].is_string() && row["latency_ms"].is_number());
    put(b"{}".to_vec()).await;
    told(&team, reads, false, "no sample of farwatch");
}

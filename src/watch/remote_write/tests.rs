use prost::Message;

use super::super::told::tests::{NOW, incident, turn};
use super::*;

fn is_end(sample: &Sample) -> bool {
    sample.value.to_bits() == STALE
}

fn name(sample: &Sample) -> &str {
    sample.labels.get("__name__").map_or("", String::as_str)
}

#[test]
fn scores_are_written_and_their_ends_are_marked() {
    let mut written = Written::default();
    let (samples, gone) = written.next(&turn(0, vec![incident(7, "alpha")]));
    let told: Vec<(&str, f64)> = samples.iter().map(|s| (name(s), s.value)).collect();
    let all = [
        ("farwatch_cluster_health_score", 80.0),
        ("farwatch_finding_score", 0.75),
        ("farwatch_incident_score", 0.75),
    ];
    assert_eq!(told, all, "a score that is not known is not written");
    assert!(gone.is_empty() && samples.iter().all(|s| s.at == Timestamp(NOW)));
    let (samples, gone) = written.next(&turn(15_000, Vec::new()));
    let ends: Vec<&str> = samples.iter().filter(|s| is_end(s)).map(name).collect();
    assert_eq!(ends, ["farwatch_finding_score", "farwatch_incident_score"]);
    assert!(gone.is_empty());
    let (samples, _) = written.next(&turn(30_000, Vec::new()));
    assert!(!samples.iter().any(is_end), "an end is marked once");
}

#[test]
fn the_ends_of_a_cluster_that_another_watches_stand_apart() {
    let mut written = Written::default();
    written.next(&turn(0, vec![incident(7, "alpha")]));
    let mut next = turn(15_000, Vec::new());
    next.clusters.remove(0);
    let (samples, gone) = written.next(&next);
    assert!(samples.is_empty(), "{samples:?}");
    assert_eq!(gone.len(), 3);
    let just_after = Timestamp(NOW + 1);
    assert!(gone.iter().all(|s| is_end(s) && s.at == just_after));
}

#[test]
fn the_worst_of_findings_that_look_alike_is_told() {
    let mut twice = incident(7, "alpha");
    let worse = FindingTold {
        score: 0.9,
        ..twice.findings[0].clone()
    };
    twice.findings.push(worse);
    let (samples, _) = Written::default().next(&turn(0, vec![twice]));
    let finding = samples.iter().find(|s| name(s) == "farwatch_finding_score");
    assert_eq!(finding.map(|s| s.value), Some(0.9));
    assert_eq!(samples.len(), 3);
}

#[test]
fn everything_ends_with_us() {
    let mut written = Written::default();
    written.next(&turn(0, vec![incident(7, "alpha")]));
    let ends = written.end();
    assert!(ends.len() == 3 && ends.iter().all(is_end));
    assert!(written.end().is_empty());
}

#[test]
fn what_travels_reads_back() {
    let labels = Labels::from([
        ("__name__", "x".into()),
        ("cluster", "a\"\n".into()),
        ("none", String::new()),
    ]);
    let one = Sample {
        labels,
        at: Timestamp(NOW),
        value: f64::from_bits(STALE),
    };
    let body = wire::body(&[one]).expect("a body");
    let plain = snap::raw::Decoder::new()
        .decompress_vec(&body)
        .expect("snappy");
    let request = wire::WriteRequest::decode(plain.as_slice()).expect("protobuf");
    let series = &request.timeseries[0];
    let labels: Vec<(&str, &str)> = series
        .labels
        .iter()
        .map(|l| (l.name.as_str(), l.value.as_str()))
        .collect();
    assert_eq!(labels, [("__name__", "x"), ("cluster", "a\"\n")]);
    assert_eq!(series.samples[0].timestamp, NOW);
    assert_eq!(series.samples[0].value.to_bits(), STALE, "this very NaN");
}

/// A server that is away for long costs a bounded room; the oldest goes, and is counted.
#[test]
fn what_waits_is_bounded() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let endpoint = crate::config::Endpoint {
        url: "http://127.0.0.1:9/".into(),
        ..Default::default()
    };
    let outlet = Outlet {
        poster: crate::source::door::Poster::open(&endpoint, "watch").expect("a poster"),
        every: EVERY,
        count: Arc::default(),
        ended: Default::default(),
    };
    // Texts that do not compress: a hash of each place.
    let noise = |n: u64| -> String {
        let parts = (0..64).map(|i| foldhash_of(n * 64 + i));
        parts.map(|h| format!("{h:016x}")).collect()
    };
    let samples: Vec<Sample> = (0..2 * BATCH as u64)
        .map(|n| Sample {
            labels: Labels::from([("__name__", noise(n))]),
            at: Timestamp(NOW),
            value: 1.0,
        })
        .collect();
    let mut queue = Queue::default();
    for _ in 0..12 {
        queue.push(&outlet, &samples);
        assert!(queue.bytes <= WAITING, "{}", queue.bytes);
    }
    let lost = outlet
        .count
        .dropped
        .load(std::sync::atomic::Ordering::Relaxed);
    assert!(lost > 0);
    assert_eq!(queue.samples() as u64 + lost, 24 * BATCH as u64);
}

fn foldhash_of(number: u64) -> u64 {
    use std::hash::BuildHasher;
    foldhash::fast::FixedState::default().hash_one(number)
}

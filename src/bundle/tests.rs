//! What is written is read back; what is damaged is refused and never harms.

use proptest::prelude::*;

mod handed;

use super::*;
use crate::model::alert::{Alert, AlertState, Severity};
use crate::model::bus::{Message, Reply, Tail};
use crate::model::fault::{Fault, FaultKind};
use crate::model::health::{Health, SourceHealth, SourceKind};
use crate::model::id::ClusterId;
use crate::model::label::Labels;
use crate::model::log::{Level, LogLine};
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::signal::Group;
use crate::model::telemetry::{Body, ClusterFacts, LogBatch, SampleBatch, Telemetry};
use crate::source::nats::decode::decode;

fn header() -> Header {
    let cluster = |name: &str| RecordedCluster {
        name: name.into(),
        kind: "edge".into(),
        ..RecordedCluster::default()
    };
    Header {
        program: "0.0.0".into(),
        start: Timestamp(1_000),
        clusters: vec![cluster("alpha"), cluster("beta")],
    }
}

fn record(frames: &[Telemetry]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &header()).expect("writes");
    for frame in frames {
        writer.push(frame).expect("fits");
    }
    writer.finish().expect("finishes")
}

fn play(bytes: Vec<u8>) -> Result<Vec<Telemetry>, BundleError> {
    let mut reader = Reader::from_bytes(bytes)?;
    let mut all = Vec::new();
    while let Some(frame) = reader.next_frame()? {
        all.push(frame);
    }
    Ok(all)
}

fn telemetry(received: i64, body: Body) -> Telemetry {
    Telemetry {
        cluster: ClusterId((received % 2).unsigned_abs() as u16),
        source: SourceKind::Exporter(3),
        received: Timestamp(received),
        body,
    }
}

fn batch(at: i64, series: Vec<SeriesSamples>) -> Body {
    Body::Samples(SampleBatch {
        group: Group::Gpu,
        name: "gpu_util".into(),
        query: "DCGM_FI_DEV_GPU_UTIL".into(),
        at: Timestamp(at),
        interval_ms: 15_000,
        backfill: false,
        series,
        cut_from: None,
    })
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("equality", |v| !v.is_nan()),
        (-1_000_000i64..1_000_000).prop_map(|n| n as f64),
        (-1_000_000i64..1_000_000).prop_map(|n| n as f64 / 1000.0),
        Just(0.0),
        Just(-0.0),
        Just(f64::INFINITY),
        Just(1e16),
        Just(42.5),
    ]
}

fn body(at: i64) -> impl Strategy<Value = Body> {
    let series = (
        0u8..6,
        proptest::collection::vec((any::<i32>(), value()), 0..5),
    )
        .prop_map(move |(n, points)| SeriesSamples {
            key: SeriesKey::new("m", Labels::from_pairs([("gpu", n.to_string())])),
            kind: if n % 2 == 0 {
                SampleKind::Gauge
            } else {
                SampleKind::Counter
            },
            points: points
                .into_iter()
                .map(|(t, value)| Sample {
                    at: Timestamp(at + i64::from(t)),
                    value,
                })
                .collect(),
        });
    prop_oneof![
        proptest::collection::vec(series, 0..8).prop_map(move |s| batch(at, s)),
        "[a-z ü]{0,40}".prop_map(move |text| Body::Logs(LogBatch {
            lines: vec![LogLine {
                at_ns: at,
                labels: Labels::from_pairs([("pod", "p")]),
                line: text.into(),
                level: Level::Error,
            }],
            dropped: 2,
            live: true,
        })),
        Just(Body::Alerts(vec![alert()])),
        Just(Body::Facts(ClusterFacts::default())),
    ]
}

fn alert() -> Alert {
    Alert {
        fingerprint: "f".into(),
        name: "GpuHot".into(),
        severity: Severity::Warning,
        state: AlertState::Firing,
        labels: Labels::from_pairs([("node", "n1")]),
        annotations: Labels::default(),
        starts_at: Timestamp(5),
        ends_at: None,
        silenced_by: Vec::new(),
        inhibited_by: Vec::new(),
        value: Some(1.5),
        expression: None,
    }
}

fn frames() -> impl Strategy<Value = Vec<Telemetry>> {
    proptest::collection::vec(
        (0i64..100_000).prop_flat_map(|t| body(t).prop_map(move |body| telemetry(t, body))),
        0..30,
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(frames in frames()) {
        prop_assert_eq!(play(record(&frames)).expect("reads"), frames);
    }

    #[test]
    fn a_cut_file_gives_its_whole_chunks(frames in frames(), keep in 0.0f64..1.0) {
        let mut bytes = record(&frames);
        bytes.truncate((bytes.len() as f64 * keep) as usize);
        if let Ok(read) = play(bytes) {
            prop_assert!(frames.starts_with(&read));
        }
    }

    #[test]
    fn damage_never_panics(
        frames in frames(),
        hits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = record(&frames);
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = play(bytes);
    }

    /// Past the check of gzip, too: any bytes as the content of a chunk.
    #[test]
    fn garbage_inside_a_chunk_never_panics(raw in proptest::collection::vec(0u8..20, 0..300)) {
        let mut decoder = frame::Decoder::default();
        let mut cursor = wire::Cursor::new(&raw);
        while let Ok(Some(_)) = decoder.take(&mut cursor) {}
    }
}

#[test]
fn huge_lengths_take_no_memory() {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(play(bytes), Err(BundleError::Damaged(_))));
    // A series of 4 billion points in a dozen bytes.
    let raw = [
        3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f,
    ];
    let mut decoder = frame::Decoder::default();
    assert!(decoder.take(&mut wire::Cursor::new(&raw)).is_err());
}

#[test]
fn other_files_and_versions_are_told_apart() {
    let error = play(b"hello".to_vec()).expect_err("no recording");
    assert!(matches!(error, BundleError::NotARecording), "{error}");
    let newer = b"farwatch recording 9\n....".to_vec();
    let error = play(newer).expect_err("too new");
    assert_eq!(
        error.to_string(),
        "the recording has version 9; this farwatch reads versions 1 and 2"
    );
}

#[test]
fn a_file_without_its_end_says_so() {
    let frames: Vec<_> = (0..5)
        .map(|n| telemetry(n * 20_000, batch(n, Vec::new())))
        .collect();
    let whole = record(&frames);
    let reader = Reader::from_bytes(whole.clone()).expect("reads");
    assert!(!reader.is_cut());
    assert_eq!(reader.end(), Timestamp(80_000));
    let reader = Reader::from_bytes(whole[..whole.len() - 200].to_vec()).expect("reads");
    assert!(reader.is_cut());
    assert!(reader.end() < Timestamp(80_000));
}

#[test]
fn what_stands_before_the_damage_is_read() {
    let frames: Vec<_> = (0..5)
        .map(|n| telemetry(n * 20_000, batch(n, Vec::new())))
        .collect();
    let mut bytes = record(&frames);
    let reader = Reader::from_bytes(bytes.clone()).expect("reads");
    let third = reader.chunk_offset(2);
    bytes[third + 40] ^= 0xff;
    let mut reader = Reader::from_bytes(bytes).expect("opens");
    for round in 0..2 {
        for frame in &frames[..2] {
            assert_eq!(reader.next_frame().expect("whole").as_ref(), Some(frame));
        }
        let error = reader.next_frame().expect_err("damaged");
        let named = "the recording is damaged in chunk 3, deliveries from 1970-01-01T00:00:40.000Z";
        assert!(error.to_string().starts_with(named), "{round}: {error}");
        assert!(reader.next_frame().expect("over").is_none());
        reader.rewind();
    }
}

#[test]
fn cut_before_the_first_delivery() {
    let whole = record(&[]);
    assert!(Reader::from_bytes(whole.clone()).expect("reads").is_empty());
    for keep in [MAGIC.len() - 1, MAGIC.len() + 2, MAGIC.len() + 20] {
        let error = play(whole[..keep].to_vec()).expect_err("cut");
        assert!(matches!(error, BundleError::Empty), "{keep}: {error}");
    }
    let error = play(Vec::new()).expect_err("empty");
    assert!(matches!(error, BundleError::NotARecording), "{error}");
    let error = Reader::open(std::path::Path::new("/")).err();
    assert!(matches!(error, Some(BundleError::Io(_))), "{error:?}");
}

#[test]
fn every_source_is_read_back() {
    let frames: Vec<Telemetry> = [
        SourceKind::Prometheus,
        SourceKind::Alertmanager(0),
        SourceKind::Alertmanager(7),
        SourceKind::Exporter(7),
        SourceKind::Kubernetes,
    ]
    .map(|source| Telemetry {
        source,
        ..telemetry(1, Body::Gossip(vec!["01-a".into()]))
    })
    .into();
    assert_eq!(play(record(&frames)).expect("reads"), frames);
}

#[test]
fn texts_are_cleaned_and_paths_left_out() {
    let fault = Fault {
        kind: FaultKind::Auth,
        cluster: "alpha".into(),
        endpoint: "https://me:secret@prom:9090/api?key=secret".into(),
        what: "the token in /home/me/secret.token was refused".into(),
        hint: String::new(),
    };
    let health = SourceHealth {
        health: Health::Denied {
            fault,
            since: Timestamp(1),
        },
        version: Some("2.0\u{1b}[31m".into()),
        ..SourceHealth::default()
    };
    let mut evil = alert();
    evil.name = "x\u{1b}]52;c;AAAA\u{7}y".into();
    let bytes = record(&[
        telemetry(1, Body::Health(health)),
        telemetry(2, Body::Alerts(vec![evil])),
    ]);
    let read = play(bytes).expect("reads");
    let text = format!("{read:?}");
    assert!(!text.contains("secret"), "{text}");
    assert!(!text.contains("u{1b}") && text.contains("\"xy\""), "{text}");
}

/// Two clusters of 300 series, half an hour at 15 s, values as exporters give them.
/// A message of the site may hold anything.
#[test]
fn credentials_of_messages_are_not_written() {
    let packed = b"\x82\xa8password\xa7hunter2\xa4kind\xa3ptp";
    let tail = Tail {
        messages: vec![Message {
            serial: 1,
            at: Timestamp(1),
            subject: "ai.login".into(),
            bytes: packed.len() as u64,
            sequence: None,
            reply: Reply::None,
            headers: vec![("Authorization".into(), "hunter2".into())],
            content: decode(packed, packed.len() as u64),
        }],
        ..Tail::default()
    };
    let played = play(record(&[telemetry(1, Body::BusTail(Box::new(tail)))])).expect("whole");
    let Body::BusTail(tail) = &played[0].body else {
        panic!("{played:?}");
    };
    let told = format!("{tail:?}");
    assert!(told.contains("ptp") && !told.contains("hunter2"), "{told}");
    assert!(tail.messages[0].content.head.is_empty());
}

#[test]
fn half_an_hour_is_small() {
    let mut noise = 12_345u64;
    let mut random = || {
        noise = noise
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (noise >> 33) as f64 / (1u64 << 31) as f64
    };
    let mut frames = Vec::new();
    for poll in 0..120 {
        let at = poll * 15_000;
        for cluster in 0..2 {
            let series = (0..300)
                .map(|n| SeriesSamples {
                    key: SeriesKey::new("m", Labels::from_pairs([("n", n.to_string())])),
                    kind: SampleKind::Gauge,
                    points: [Sample {
                        at: Timestamp(at),
                        value: match n % 3 {
                            0 => (random() * 100.0).round(),
                            1 => (random() * 1e5).round() / 100.0,
                            _ => random(),
                        },
                    }]
                    .into(),
                })
                .collect();
            frames.push(telemetry(at + cluster, batch(at, series)));
        }
    }
    let size = record(&frames).len();
    assert!(size < 450_000, "{size} bytes");
}

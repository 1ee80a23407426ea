use super::*;
use crate::config::{Cluster, Config};
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::label::Labels;
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::signal::Group;
use crate::model::telemetry::{Body, SampleBatch, Telemetry};

const NOW: i64 = 1_800_000_000_000;
const STEP: i64 = 15_000;
const NAME: &str = "node_cpu_busy";

/// A world that holds an hour and a half of these series, node by node.
fn world(series: &[Vec<f64>]) -> World {
    let config = Config {
        clusters: vec![Cluster {
            name: "edge-1".into(),
            ..Cluster::default()
        }],
        ..Config::default()
    };
    let mut world = World::new(&config, Timestamp(NOW));
    let named = series.iter().enumerate().map(|(n, values)| {
        let node = format!("n{n}");
        let first = NOW - (values.len() as i64 - 1) * STEP;
        let points = (0..).zip(values).map(|(i, value)| Sample {
            at: Timestamp(first + i * STEP),
            value: *value,
        });
        SeriesSamples {
            key: SeriesKey::new(NAME, Labels::from_pairs([("node", node.as_str())])),
            kind: SampleKind::Gauge,
            points: points.collect::<Vec<_>>().into(),
        }
    });
    let batch = SampleBatch {
        group: Group::Cluster,
        name: NAME.into(),
        query: NAME.into(),
        at: Timestamp(NOW),
        interval_ms: STEP as u32,
        backfill: false,
        series: named.collect(),
        cut_from: None,
    };
    world.ingest(Telemetry {
        cluster: ClusterId(0),
        source: SourceKind::Prometheus,
        received: Timestamp(NOW),
        body: Body::Samples(batch),
    });
    world
}

/// The usual, and a fault of so many points at the end of it.
fn values(level: f64) -> Vec<f64> {
    let usual = (0..300).map(|i| 0.2 + 0.01 * ((i * 7_919 % 101) as f64 / 50.0 - 1.0));
    usual.chain(std::iter::repeat_n(level, 30)).collect()
}

fn counted(world: &World, said: &str) -> WhatIf {
    let mut whatif = WhatIf::new(world, Sensitivity::parse(said).expect(said));
    for _ in 0..100 {
        for effect in whatif.work(world) {
            if let Effect::Work(work) = effect {
                work.run();
            }
        }
    }
    assert!(whatif.is_done());
    whatif
}

#[test]
fn flags_of_what_is_held_are_counted_as_they_are_and_as_they_would_be() {
    let world = world(&[values(0.9), values(0.2), values(0.2)]);
    let node = |n: u32, level: &str| format!("{NAME} node=n{n} {level}");
    let off = counted(&world, &node(0, "off"));
    let flags = |series, now, then| Flags { series, now, then };
    assert_eq!(off.sum(), flags(3, 1, 0));
    assert_eq!(off.rows(), [(&Arc::from(NAME), flags(3, 1, 0))]);
    let (from, to) = off.span().expect("held");
    assert_eq!(to.age_since_ms(from), 329 * STEP as u64);
    assert_eq!(counted(&world, &node(1, "off")).sum(), flags(3, 1, 1));
    assert_eq!(counted(&world, "* normal").sum(), flags(3, 1, 1));
}

#[test]
fn nothing_is_touched_and_nothing_held_is_said_so() {
    let world = world(&[values(0.9)]);
    let before = world.incidents.len();
    counted(&world, "* high");
    assert_eq!(world.incidents.len(), before);
    assert!(world.sensitivity.words().is_empty());
    let empty = counted(&World::default(), "* low");
    assert_eq!((empty.sum(), empty.span()), (Flags::default(), None));
}

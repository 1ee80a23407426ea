//! What judging costs: a point through a detector, a batch through the world.

use divan::Bencher;
use divan::counter::ItemsCount;
use farwatch::config::{Cluster, Config};
use farwatch::detect::Detector;
use farwatch::detect::baseline::Baseline;
use farwatch::model::health::SourceKind;
use farwatch::model::id::ClusterId;
use farwatch::model::label::Labels;
use farwatch::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use farwatch::model::signal::{Bad, Group};
use farwatch::model::telemetry::{Body, SampleBatch, Telemetry};
use farwatch::model::time::Timestamp;
use farwatch::state::world::World;

fn main() {
    divan::main();
}

/// Noise without a generator's cost.
fn value(step: i64) -> f64 {
    50.0 + ((step.wrapping_mul(2_654_435_761) >> 7) & 0xff) as f64 / 64.0
}

#[divan::bench]
fn baseline_point(bencher: Bencher) {
    let mut detector = Baseline::new(Bad::Both, 0.5);
    let mut step = 0;
    bencher
        .counter(ItemsCount::new(1_000usize))
        .bench_local(|| {
            let mut score = 0.0;
            for _ in 0..1_000 {
                score += detector
                    .observe(Timestamp(step * 15_000), value(step))
                    .score;
                step += 1;
            }
            score
        });
}

/// Ten thousand samples of learned GPU series: kept, judged, read anew, grouped.
#[divan::bench(sample_count = 30)]
fn ingest_10k(bencher: Bencher) {
    let config = Config {
        clusters: vec![Cluster {
            name: "alpha".into(),
            ..Cluster::default()
        }],
        ..Config::default()
    };
    let mut world = World::new(&config, Timestamp(0));
    let keys: Vec<SeriesKey> = (0..10_000)
        .map(|i| {
            let name = ["DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_POWER_USAGE"][i % 2];
            let node = format!("n{}", i / 16);
            let gpu = (i / 2 % 8).to_string();
            SeriesKey::new(name, Labels::from_pairs([("Hostname", node), ("gpu", gpu)]))
        })
        .collect();
    let mut step = 0;
    bencher
        .counter(ItemsCount::new(keys.len()))
        .bench_local(|| {
            let at = Timestamp(step * 15_000);
            let series = keys.iter().map(|key| SeriesSamples {
                key: key.clone(),
                kind: SampleKind::Gauge,
                points: vec![Sample {
                    at,
                    value: value(step),
                }],
            });
            world.ingest(Telemetry {
                cluster: ClusterId(0),
                source: SourceKind::Prometheus,
                received: at,
                body: Body::Samples(SampleBatch {
                    group: Group::Gpu,
                    name: "gpu_dcgm".into(),
                    query: "".into(),
                    at,
                    interval_ms: 15_000,
                    backfill: false,
                    series: series.collect(),
                    cut_from: None,
                }),
            });
            step += 1;
        });
}

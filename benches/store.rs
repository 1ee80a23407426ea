//! How fast points are kept and found, at a hundred thousand series.

use std::hint::black_box;

use divan::Bencher;
use divan::counter::ItemsCount;
use farwatch::model::id::{ClusterId, SeriesId};
use farwatch::model::label::Labels;
use farwatch::model::sample::{Sample, SampleKind, SeriesKey};
use farwatch::model::signal::Group;
use farwatch::model::time::Timestamp;
use farwatch::store::{Origin, Store};

const SERIES: usize = 100_000;
const STEP_MS: i64 = 15_000;

fn main() {
    divan::main();
}

fn key(i: usize) -> SeriesKey {
    let (node, gpu, name) = (i / 160, i / 20 % 8, i % 20);
    SeriesKey::new(
        format!("DCGM_FI_DEV_FIELD_{name}"),
        Labels::from_pairs([
            ("Hostname", format!("gpu-worker-{node:04}")),
            (
                "UUID",
                format!("GPU-{node:08x}-{gpu:04x}-1111-2222-333344445555"),
            ),
            ("gpu", gpu.to_string()),
            ("modelName", "NVIDIA H100 80GB HBM3".into()),
            ("exported_namespace", "ml-prod".into()),
            ("exported_pod", format!("vllm-{node}-{gpu}")),
        ]),
    )
}

fn filled(points: i64) -> (Store, Vec<SeriesId>) {
    let mut store = Store::new(0, 0, 3_600_000);
    let origin = Origin {
        cluster: ClusterId(0),
        group: Group::Gpu,
        kind: SampleKind::Gauge,
        interval_ms: STEP_MS as u32,
    };
    let ids: Vec<SeriesId> = (0..SERIES)
        .filter_map(|i| store.series(origin, &key(i), sample(0)))
        .collect();
    for step in 1..points {
        for id in &ids {
            store.put(*id, sample(step));
        }
    }
    (store, ids)
}

fn sample(step: i64) -> Sample {
    Sample {
        at: Timestamp(step * STEP_MS),
        value: step as f64,
    }
}

/// One round of all series, as twenty clusters' polls bring it.
#[divan::bench(sample_count = 20)]
fn append(bencher: Bencher) {
    let (mut store, ids) = filled(240);
    let (count, bytes, _) = store.usage();
    println!(
        "{} bytes a series with an hour of points",
        bytes / count as u64
    );
    let mut step = 240;
    bencher.counter(ItemsCount::new(ids.len())).bench_local(|| {
        for id in &ids {
            store.put(*id, sample(step));
        }
        step += 1;
    });
}

#[divan::bench(sample_count = 20)]
fn lookup(bencher: Bencher) {
    let (store, _) = filled(1);
    let keys: Vec<SeriesKey> = (0..SERIES).step_by(97).map(key).collect();
    bencher.counter(ItemsCount::new(keys.len())).bench(|| {
        for key in &keys {
            black_box(store.lookup(ClusterId(0), key));
        }
    });
}

#[divan::bench]
fn read_an_hour(bencher: Bencher) {
    let (store, ids) = filled(240);
    let id = ids[ids.len() / 2];
    bencher.counter(ItemsCount::new(240usize)).bench(|| {
        store
            .points(id, Timestamp(0), Timestamp(i64::MAX))
            .map(|s| s.value)
            .sum::<f64>()
    });
}

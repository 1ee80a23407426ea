//! How fast points are kept and found, and what they weigh, at up to a hundred thousand series.

mod tool;

use std::hint::black_box;

use farwatch::model::id::{ClusterId, SeriesId};
use farwatch::model::label::Labels;
use farwatch::model::sample::{Sample, SampleKind, SeriesKey};
use farwatch::model::signal::Group;
use farwatch::model::time::Timestamp;
use farwatch::store::{Origin, Store};
use tool::{Goal, duel, heap, judged, resident, time, told, wanted};

const SERIES: usize = 100_000;
const STEP_MS: i64 = 15_000;
/// An hour.
const POINTS: i64 = 240;

fn main() {
    // Each size in a process of its own: memory given back is not always given to the system.
    for count in [10_000, SERIES] {
        if std::env::args().any(|a| a == format!("--weigh={count}")) {
            return weigh(count);
        }
    }
    if wanted("memory") {
        for count in [10_000, SERIES] {
            let me = std::env::current_exe().expect("own path");
            let run = std::process::Command::new(me)
                .arg(format!("--weigh={count}"))
                .status();
            assert!(run.is_ok_and(|s| s.success()), "the weighing failed");
        }
    }
    if wanted("append") || wanted("lookup") || wanted("read") {
        speed();
    }
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

fn sample(step: i64) -> Sample {
    Sample {
        at: Timestamp(step * STEP_MS),
        value: step as f64 * 1.7,
    }
}

fn filled(count: usize, points: i64) -> (Store, Vec<SeriesId>) {
    let mut store = Store::new(0, 0, 3_600_000);
    let origin = Origin {
        cluster: ClusterId(0),
        group: Group::Gpu,
        kind: SampleKind::Gauge,
        interval_ms: STEP_MS as u32,
    };
    let ids: Vec<SeriesId> = (0..count)
        .filter_map(|i| store.series(origin, &key(i), sample(0)))
        .collect();
    for step in 1..points {
        for id in &ids {
            store.put(*id, sample(step));
        }
    }
    (store, ids)
}

fn weigh(count: usize) {
    let before = resident();
    let (heap, (store, ids)) = heap(|| filled(count, POINTS));
    let grown = resident() - before;
    let (series, told_bytes, _) = store.usage();
    assert_eq!(series, ids.len());
    let a_series = (heap.kept - ids.capacity() * size_of::<SeriesId>()) as f64 / series as f64;
    if count == SERIES {
        judged(
            "memory: a series with an hour of points",
            a_series,
            "bytes",
            Goal::Most(2_400.0, 1_200.0),
        );
        told(
            "memory: the same as the store reckons it",
            told_bytes as f64 / series as f64,
            "bytes",
        );
    }
    let goal = if count == SERIES {
        Goal::Most(300.0, 170.0)
    } else {
        Goal::Most(64.0, 40.0)
    };
    let what = format!("memory: resident, {count} series with an hour");
    judged(&what, grown / 1e6, "MB", goal);
}

fn speed() {
    let (mut store, ids) = filled(SERIES, POINTS);
    let mut plain: Vec<Vec<(i64, f64)>> = vec![vec![(0, 0.0); 240]; SERIES];
    let mut step = POINTS;
    if wanted("append") {
        // Every seventh point of a series costs more than the others: all seven in each round.
        const SCRAPES: i64 = 7;
        let append = duel(
            9,
            || {
                for _ in 0..SCRAPES {
                    for id in &ids {
                        store.put(*id, sample(step));
                    }
                    step += 1;
                }
            },
            || {
                for _ in 0..SCRAPES {
                    for points in &mut plain {
                        points.push((0, 1.7));
                    }
                }
            },
        );
        let rate = (SCRAPES as usize * SERIES) as f64 / append.ours * 1e3;
        judged(
            "append: 100k series a scrape",
            rate,
            "M points/s",
            Goal::Least(30.0, 100.0),
        );
        told("append: times a Vec of pairs a series", append.ratio.0, "x");
    }
    drop(plain);
    if wanted("lookup") {
        let keys: Vec<SeriesKey> = (0..SERIES).step_by(97).map(key).collect();
        let took = time(30, || {
            for key in &keys {
                black_box(store.lookup(ClusterId(0), key));
            }
        });
        told(
            "lookup: a series by its name and six labels",
            took / keys.len() as f64,
            "ns",
        );
    }
    if wanted("read") {
        let id = ids[ids.len() / 2];
        let took = time(30, || {
            for _ in 0..100 {
                let points = store.points(id, Timestamp(0), Timestamp(i64::MAX));
                black_box(points.map(|s| s.value).sum::<f64>());
            }
        });
        told("read: an hour of one series", took / 100.0 / 1e3, "us");
    }
}

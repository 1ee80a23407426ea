//! What it costs to watch: a point, twenty clusters with five hundred series each, every second, a
//! million series from the bytes to the flag, a ranking of causes. And what is told of healthy series.

#[path = "tool/healthy.rs"]
mod healthy;
#[path = "tool/load.rs"]
mod load;
#[path = "../src/detect/ensemble/tests/noise.rs"]
mod noise;
#[path = "tool/path.rs"]
mod path;
mod tool;

use farwatch::cause::picture::{Picture, Place, Series, Window};
use farwatch::cause::rank;
use farwatch::detect::ensemble::Ensemble;
use farwatch::detect::{Detector, Learned};
use farwatch::model::health::SourceKind;
use farwatch::model::id::ClusterId;
use farwatch::model::sample::SeriesSamples;
use farwatch::model::signal::{Bad, Group};
use farwatch::model::telemetry::{Body, SampleBatch, Telemetry};
use farwatch::model::time::Timestamp;
use farwatch::state::world::World;
use load::Load;
use tool::{Goal, cpu, judged, median, time, told, wanted};

/// Ticks until every series is known.
const WARM: i64 = 300;
const TICKS: i64 = 120;

fn main() {
    if wanted("ensemble") {
        let (most_ns, most_bytes) = (Goal::Most(500.0, 150.0), Goal::Most(600.0, 256.0));
        let mut engine = Ensemble::default();
        let took = a_point(|at, value| {
            engine.observe(at, value);
        });
        told("ensemble: one point", took, "ns");
        let mut learned = Learned::new(Bad::Both, 0.5);
        let took = a_point(|at, value| {
            learned.observe(at, value);
        });
        judged(
            "ensemble: one point, as the screens do",
            took,
            "ns",
            most_ns,
        );
        let size = size_of::<Learned>() as f64;
        judged("ensemble: state of a series", size, "B", most_bytes);
    }
    if wanted("ingest") {
        ingest();
    }
    if wanted("history") {
        history();
    }
    if wanted("causes") {
        causes();
    }
    if wanted("path") {
        path::path(100_000, 230);
    }
    // Minutes, and some gigabytes: by their names only.
    if named("million") {
        // So many rounds, since of a million more points must be known before anything is told.
        path::path(1_000_000, 200);
    }
    if named("healthy") {
        healthy::onsets();
        for (series, step_s, days) in [(10_000, 60, 7), (10_000, 300, 7), (2_000, 15, 2)] {
            healthy::findings(series, step_s, days);
        }
    }
}

/// Asked for by this very name.
fn named(name: &str) -> bool {
    std::env::args().any(|a| a == name)
}

/// Nanoseconds of one point.
fn a_point(mut observe: impl FnMut(Timestamp, f64)) -> f64 {
    let mut step = 0;
    let took = time(50, || {
        for _ in 0..10_000 {
            let value = 50.0 + (((step * 2_654_435_761_i64) >> 7) & 0xff) as f64 / 64.0;
            observe(Timestamp(step * 15_000), value);
            step += 1;
        }
    });
    took / 10_000.0
}

/// An incident over 5,000 series of 500 objects that call each other, an hour at 15 s; and one of
/// the size of a labelled case.
fn causes() {
    for (objects, goal) in [
        (500, Goal::Most(1_000.0, 250.0)),
        (10, Goal::Most(20.0, 5.0)),
    ] {
        let picture = incident(objects);
        let took = time(9, || rank(&picture));
        let name = format!("causes: {} candidate series", picture.series.len());
        judged(&name, took / 1e6, "ms CPU", goal);
    }
}

fn incident(objects: usize) -> Picture {
    const NAMES: [&str; 10] = [
        "cpu_pct",
        "mem_bytes",
        "latency_avg",
        "latency_p95",
        "requests",
        "availability",
        "net_rx",
        "net_tx",
        "error_ratio",
        "queue_depth",
    ];
    let mut picture = Picture {
        objects: (0..objects).map(|at| format!("service-{at}")).collect(),
        calls: (1..objects).map(|at| (at / 2, at)).collect(),
        window: Window {
            begins: 3_000.0,
            ends: 3_600.0,
            step: 15.0,
            others: Vec::new(),
        },
        ..Picture::default()
    };
    for object in 0..objects {
        for (at, name) in NAMES.iter().enumerate() {
            let noise = |step: usize| ((step * 7_919 + object * 31 + at) % 101) as f64 / 10.0;
            let point = |step: usize| {
                let rise = if step >= 200 && object % 50 == 7 {
                    60.0
                } else {
                    0.0
                };
                (step as f64 * 15.0, 20.0 + noise(step) + rise)
            };
            picture.series.push(Series {
                place: Place::Object(object),
                name: (*name).to_owned(),
                points: (0..240).map(point).collect(),
            });
        }
    }
    picture
}

fn ingest() {
    let config = load::config();
    let load = Load::new(&config, Timestamp(1_800_000_000_000), 15_000);
    let mut world = World::new(&config, load.at(0));
    println!(
        "20 clusters, {} series, {} deliveries a second",
        load.series(),
        load.deliveries(0).len()
    );
    let (mut sums, mut calls, mut clocks) = (Vec::new(), Vec::new(), Vec::new());
    for step in 0..WARM + TICKS {
        let deliveries = load.deliveries(step);
        let mut sum = 0.0;
        for delivery in deliveries {
            let took = cpu(|| world.ingest(delivery));
            sum += took;
            if step >= WARM {
                calls.push(took / 1e6);
            }
        }
        let took = cpu(|| world.tick(load.at(step)));
        if step >= WARM {
            sums.push((sum + took) / 1e6);
            clocks.push(took / 1e6);
        }
    }
    let most = |v: &[f64]| v.iter().copied().fold(0.0, f64::max);
    calls.sort_by(f64::total_cmp);
    let p99 = calls
        .get(calls.len() * 99 / 100)
        .copied()
        .unwrap_or(f64::NAN);
    told(
        "ingest: open incidents (should be none)",
        world.incidents.len() as f64,
        "",
    );
    told("ingest: most of a second", most(&sums), "ms CPU");
    judged(
        "ingest: a second of 20 x 500 series",
        median(sums),
        "ms CPU",
        Goal::Most(50.0, 16.0),
    );
    told("ingest: one delivery, p99", p99, "ms CPU");
    judged(
        "ingest: the longest delivery",
        most(&calls),
        "ms CPU",
        Goal::Most(16.0, 4.0),
    );
    judged(
        "ingest: the longest tick of the clock",
        most(&clocks),
        "ms CPU",
        Goal::Most(16.0, 4.0),
    );
}

/// An hour of two thousand series in one answer (13.5 MB of JSON), as the loop takes it at start.
fn history() {
    let config = load::config();
    let load = Load::new(&config, Timestamp(1_800_000_000_000), 15_000);
    let mut world = World::new(&config, load.at(240));
    let mut series: Vec<SeriesSamples> = Vec::new();
    for step in 0..240 {
        let batches = load
            .deliveries(step)
            .into_iter()
            .filter_map(|t| match t.body {
                Body::Samples(batch) => Some(batch.series),
                _ => None,
            });
        for (place, one) in batches.flatten().take(2_000).enumerate() {
            match series.get_mut(place) {
                Some(held) => held.points.extend(one.points),
                None => series.push(one),
            }
        }
    }
    let batch = SampleBatch {
        group: Group::Gpu,
        name: "history".into(),
        query: "".into(),
        at: load.at(240),
        interval_ms: 15_000,
        backfill: true,
        series,
        cut_from: None,
    };
    let mut parts = Vec::new();
    for part in batch.parts(5_000) {
        let telemetry = Telemetry {
            cluster: ClusterId(0),
            source: SourceKind::Prometheus,
            received: load.at(240),
            body: Body::Samples(part),
        };
        parts.push(cpu(|| world.ingest(telemetry)) / 1e6);
    }
    let longest = parts.iter().copied().fold(0.0, f64::max);
    told(
        "history: 2000 series with an hour, all of it",
        parts.iter().sum(),
        "ms CPU",
    );
    judged(
        "history: the longest part at one time",
        longest,
        "ms CPU",
        Goal::Most(50.0, 16.0),
    );
}

//! A fleet of 4,096 GPUs as DCGM tells it: four clusters, 128 nodes each, eight cards a node.

use farwatch::model::health::SourceKind;
use farwatch::model::id::ClusterId;
use farwatch::model::label::Labels;
use farwatch::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use farwatch::model::signal::Group;
use farwatch::model::telemetry::{Body, SampleBatch, Telemetry};
use farwatch::model::time::Timestamp;

pub const CLUSTERS: [&str; 4] = ["gpu-a", "gpu-b", "gpu-c", "gpu-d"];
const NODES: usize = 128;
const CARDS: usize = 8;
pub const ALL: usize = CLUSTERS.len() * NODES * CARDS;

/// Answers to the catalogue's queries: a group of measures each, with values about these.
const ANSWERS: [&[(&str, f64)]; 5] = [
    &[
        ("DCGM_FI_DEV_GPU_UTIL", 70.0),
        ("DCGM_FI_DEV_MEM_COPY_UTIL", 40.0),
        ("DCGM_FI_DEV_FB_USED", 60_000.0),
        ("DCGM_FI_DEV_FB_FREE", 20_000.0),
    ],
    &[
        ("DCGM_FI_DEV_GPU_TEMP", 55.0),
        ("DCGM_FI_DEV_MEMORY_TEMP", 60.0),
        ("DCGM_FI_DEV_POWER_USAGE", 500.0),
        ("DCGM_FI_DEV_SM_CLOCK", 1_900.0),
        ("DCGM_FI_DEV_MEM_CLOCK", 2_600.0),
    ],
    &[
        ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 0.7),
        ("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", 0.4),
        ("DCGM_FI_PROF_DRAM_ACTIVE", 0.5),
    ],
    &[
        ("DCGM_FI_DEV_XID_ERRORS", 0.0),
        ("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", 0.0),
    ],
    &[
        ("DCGM_FI_DEV_ROW_REMAP_FAILURE", 0.0),
        ("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", 0.0),
    ],
];

/// Each answer of each cluster, at this time.
pub fn answers(at: Timestamp) -> impl Iterator<Item = Telemetry> {
    let clusters = (0_u16..).take(CLUSTERS.len());
    clusters.flat_map(move |cluster| ANSWERS.iter().map(move |names| answer(cluster, names, at)))
}

fn answer(cluster: u16, names: &[(&str, f64)], at: Timestamp) -> Telemetry {
    let series = names.iter().flat_map(|(name, about)| {
        (0..NODES * CARDS).map(move |card| SeriesSamples {
            key: SeriesKey::new(*name, labels(cluster, card)),
            kind: SampleKind::Gauge,
            points: [Sample {
                at,
                value: about * (1.0 + ((card * 7 + at.0 as usize / 15_000) % 11) as f64 / 40.0),
            }]
            .into(),
        })
    });
    Telemetry {
        cluster: ClusterId(cluster),
        source: SourceKind::Prometheus,
        received: at,
        body: Body::Samples(SampleBatch {
            group: Group::Gpu,
            name: names.first().map_or("gpu", |(name, _)| *name).into(),
            query: "gpu".into(),
            at,
            interval_ms: 15_000,
            backfill: false,
            series: series.collect(),
            cut_from: None,
        }),
    }
}

fn labels(cluster: u16, card: usize) -> Labels {
    let (node, gpu) = (card / CARDS, card % CARDS);
    Labels::from_pairs([
        ("Hostname", format!("gpu-{cluster}-{node:03}")),
        ("gpu", gpu.to_string()),
        ("UUID", format!("GPU-{cluster:04}-{card:06}")),
        ("modelName", "NVIDIA H100 80GB HBM3".into()),
        ("exported_namespace", format!("team-{}", node % 9)),
        ("exported_pod", format!("train-{}-{}", node / 4, card % 32)),
    ])
}

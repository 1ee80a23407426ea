//! The load of twenty clusters: five hundred series each, delivered every second as polls bring it.
#![allow(dead_code, reason = "each benchmark uses a part")]

use std::sync::Arc;

use farwatch::config::{Cluster, Config, Endpoint};
use farwatch::model::health::SourceKind;
use farwatch::model::id::ClusterId;
use farwatch::model::label::Labels;
use farwatch::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use farwatch::model::signal::Group;
use farwatch::model::telemetry::{Body, SampleBatch, Telemetry};
use farwatch::model::time::Timestamp;

pub const CLUSTERS: u16 = 20;
pub const SERIES: usize = 500;

const GPU: [&str; 12] = [
    "DCGM_FI_DEV_GPU_UTIL",
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE",
    "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE",
    "DCGM_FI_PROF_DRAM_ACTIVE",
    "DCGM_FI_DEV_FB_USED",
    "DCGM_FI_DEV_FB_FREE",
    "DCGM_FI_DEV_GPU_TEMP",
    "DCGM_FI_DEV_MEMORY_TEMP",
    "DCGM_FI_DEV_POWER_USAGE",
    "DCGM_FI_DEV_SM_CLOCK",
    "DCGM_FI_DEV_XID_ERRORS",
    "DCGM_FI_DEV_CLOCKS_EVENT_REASONS",
];

pub fn config() -> Config {
    Config {
        clusters: (0..CLUSTERS)
            .map(|i| Cluster {
                name: format!("cluster-{i:02}"),
                prometheus: Some(Endpoint::default()),
                ..Cluster::default()
            })
            .collect(),
        ..Config::default()
    }
}

/// One query and the series that it brings.
struct Poll {
    name: Arc<str>,
    group: Group,
    keys: Vec<SeriesKey>,
    /// Around this all is well.
    calm: f64,
}

/// Makes the deliveries; every series keeps its texts, as those of an answer would be equal.
pub struct Load {
    polls: Vec<Vec<Poll>>,
    begin: Timestamp,
    step_ms: i64,
}

impl Load {
    pub fn new(config: &Config, begin: Timestamp, step_ms: i64) -> Self {
        let clusters = 0..config.clusters.len();
        Self {
            polls: clusters.map(|c| polls(config, c)).collect(),
            begin,
            step_ms,
        }
    }

    pub fn series(&self) -> usize {
        self.polls.iter().flatten().map(|p| p.keys.len()).sum()
    }

    pub fn at(&self, step: i64) -> Timestamp {
        self.begin.plus_ms(step * self.step_ms)
    }

    /// Everything of one second, cluster by cluster.
    pub fn deliveries(&self, step: i64) -> Vec<Telemetry> {
        let mut out = Vec::new();
        for (cluster, polls) in self.polls.iter().enumerate() {
            for poll in polls {
                out.push(self.delivery(cluster as u16, poll, step));
            }
        }
        out
    }

    fn delivery(&self, cluster: u16, poll: &Poll, step: i64) -> Telemetry {
        let at = self.at(step);
        let series = poll.keys.iter().enumerate().map(|(i, key)| SeriesSamples {
            // Texts of its own, as an answer has: the store must find the series by content.
            key: SeriesKey::new(&*key.name, Labels::from_pairs(key.labels.iter())),
            kind: SampleKind::Gauge,
            points: [Sample {
                at,
                value: value(
                    poll.calm,
                    &key.name,
                    i as i64 + i64::from(cluster) * 7,
                    step,
                ),
            }]
            .into(),
        });
        Telemetry {
            cluster: ClusterId(cluster),
            source: SourceKind::Prometheus,
            received: at,
            body: Body::Samples(SampleBatch {
                group: poll.group,
                name: poll.name.clone(),
                query: poll.name.clone(),
                at,
                interval_ms: self.step_ms as u32,
                backfill: false,
                series: series.collect(),
                cut_from: None,
            }),
        }
    }
}

/// Calm and lively: within what every limit allows, never twice the same.
fn value(calm: f64, name: &str, series: i64, step: i64) -> f64 {
    let mixed = (step * 31 + series).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64);
    let noise = ((mixed >> 40) & 0xffff) as f64 / 65_536.0;
    match name {
        "openshift_ptp_clock_state" | "openshift_ptp_process_status" => 1.0,
        "openshift_ptp_clock_class" => 6.0,
        "openshift_ptp_offset_ns" | "openshift_ptp_max_offset_ns" => noise * 10.0 - 5.0,
        "DCGM_FI_DEV_XID_ERRORS" | "DCGM_FI_DEV_CLOCKS_EVENT_REASONS" => 0.0,
        name if name.starts_with("DCGM_") => 40.0 + noise * 4.0,
        _ => calm + noise * 0.02,
    }
}

fn polls(config: &Config, cluster: usize) -> Vec<Poll> {
    let mut polls = vec![
        Poll {
            name: "gpu_dcgm".into(),
            group: Group::Gpu,
            calm: 0.0,
            keys: GPU
                .iter()
                .flat_map(|name| (0..16).map(|i| gpu(name, cluster, i)))
                .collect(),
        },
        Poll {
            name: "ptp".into(),
            group: Group::Ptp,
            calm: 0.0,
            keys: (0..18).flat_map(|node| ptp(cluster, node)).collect(),
        },
    ];
    let mut left = SERIES - polls.iter().map(|p| p.keys.len()).sum::<usize>();
    let shown = |g: Group| matches!(g, Group::Cluster | Group::Workload | Group::Serving);
    for signal in config.signals.iter().filter(|s| shown(s.group)) {
        let count = left.min(10);
        left -= count;
        if count > 0 {
            polls.push(Poll {
                name: signal.name.clone(),
                group: signal.group,
                calm: if signal.limit.is_some_and(|l| l.below) {
                    1.0
                } else {
                    0.3
                },
                keys: (0..count)
                    .map(|i| plain(&signal.name, cluster, i))
                    .collect(),
            });
        }
    }
    polls
}

fn gpu(name: &str, cluster: usize, i: usize) -> SeriesKey {
    let (node, gpu) = (i / 8, i % 8);
    SeriesKey::new(
        name,
        Labels::from_pairs([
            ("Hostname", format!("gpu-{cluster:02}-{node}")),
            (
                "UUID",
                format!("GPU-{cluster:08x}-{node:04x}-1111-2222-{gpu:012x}"),
            ),
            ("gpu", gpu.to_string()),
            ("modelName", "NVIDIA H100 80GB HBM3".into()),
            ("exported_namespace", "ml-prod".into()),
            ("exported_pod", format!("vllm-{node}-{gpu}")),
            ("instance", format!("10.{cluster}.0.{node}:9400")),
        ]),
    )
}

fn ptp(cluster: usize, node: usize) -> Vec<SeriesKey> {
    let node = format!("cell-{cluster:02}-{node:02}");
    let key = |name: &str, process: &str, iface: &str| {
        let labels = [
            ("node", node.as_str()),
            ("process", process),
            ("iface", iface),
        ];
        SeriesKey::new(format!("openshift_ptp_{name}"), Labels::from_pairs(labels))
    };
    vec![
        key("clock_state", "ptp4l", "ens1fx"),
        key("clock_state", "phc2sys", "CLOCK_REALTIME"),
        key("offset_ns", "ptp4l", "ens1fx"),
        key("offset_ns", "phc2sys", "CLOCK_REALTIME"),
        key("max_offset_ns", "ptp4l", "ens1fx"),
        key("clock_class", "ptp4l", ""),
        key("process_status", "ptp4l", ""),
    ]
}

fn plain(name: &Arc<str>, cluster: usize, i: usize) -> SeriesKey {
    SeriesKey::new(
        name.clone(),
        Labels::from_pairs([
            ("namespace", format!("team-{}", i % 4)),
            ("pod", format!("api-{i}-7d9f8c6b5-{i:05}")),
            ("node", format!("worker-{cluster:02}-{}", i % 6)),
        ]),
    )
}

//! 2,000 PTP ports as linuxptp-daemon tells them: four clusters, 125 nodes each, four ports a node.

use farwatch::model::health::SourceKind;
use farwatch::model::id::ClusterId;
use farwatch::model::label::Labels;
use farwatch::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use farwatch::model::signal::Group;
use farwatch::model::telemetry::{Body, SampleBatch, Telemetry};
use farwatch::model::time::Timestamp;

use super::cards::CLUSTERS;

const NODES: usize = 125;
const PORTS: usize = 4;
pub const ALL: usize = CLUSTERS.len() * NODES * PORTS;

/// The one answer of each cluster, at this time.
pub fn answers(at: Timestamp) -> impl Iterator<Item = Telemetry> {
    let clusters = (0_u16..).take(CLUSTERS.len());
    clusters.map(move |cluster| {
        let series = (0..NODES).flat_map(|node| of_node(cluster, node, at));
        Telemetry {
            cluster: ClusterId(cluster),
            source: SourceKind::Prometheus,
            received: at,
            body: Body::Samples(SampleBatch {
                group: Group::Ptp,
                name: "ptp_state".into(),
                query: "ptp".into(),
                at,
                interval_ms: 15_000,
                backfill: false,
                series: series.collect(),
                cut_from: None,
            }),
        }
    })
}

fn of_node(cluster: u16, node: usize, at: Timestamp) -> Vec<SeriesSamples> {
    let name = format!("du-{cluster}-{node:03}");
    let wave = ((node * 7 + at.0 as usize / 15_000) % 23) as f64 - 11.0;
    let mut all = Vec::new();
    let mut say = |metric: &str, more: &[(&str, &str)], value| {
        let own = [("node", name.as_str())];
        let labels = Labels::from_pairs(own.into_iter().chain(more.iter().copied()));
        all.push(SeriesSamples {
            key: SeriesKey::new(metric, labels),
            kind: SampleKind::Gauge,
            points: [Sample { at, value }].into(),
        });
    };
    for (process, iface, from) in [
        ("ptp4l", "ens1fx", "master"),
        ("ts2phc", "ens2fx", "master"),
        ("phc2sys", "CLOCK_REALTIME", "phc"),
    ] {
        let clock = [("process", process), ("iface", iface)];
        let told = [("process", process), ("iface", iface), ("from", from)];
        say("openshift_ptp_clock_state", &clock, 1.0);
        say("openshift_ptp_offset_ns", &told, wave);
        say("openshift_ptp_max_offset_ns", &told, wave.abs() + 9.0);
        say("openshift_ptp_delay_ns", &told, 212.0);
        say(
            "openshift_ptp_frequency_adjustment_ns",
            &told,
            -3_100.0 + wave,
        );
        let daemon = [("process", process), ("config", "ptp4l.0.config")];
        say("openshift_ptp_process_status", &daemon, 1.0);
    }
    let daemon = [("process", "ptp4l"), ("config", "ptp4l.0.config")];
    say("openshift_ptp_clock_class", &daemon, 6.0);
    for port in 0..PORTS {
        let iface = format!("ens1f{port}");
        let role = if port == 0 { 1.0 } else { 2.0 };
        let port = [("process", "ptp4l"), ("iface", iface.as_str())];
        say("openshift_ptp_interface_role", &port, role);
    }
    all
}

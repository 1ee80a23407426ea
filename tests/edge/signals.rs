//! What a Prometheus would be asked for is found at a site without one.

use std::time::Duration;

use farwatch::config::Config;
use farwatch::incident::Incident;
use farwatch::model::alert::Severity;
use farwatch::model::time::Timestamp;
use farwatch::state::world::World;

use super::site::{Exporter, site, watch};

const NODE: &str = "\
# TYPE node_memory_MemTotal_bytes gauge
node_memory_MemTotal_bytes 4e+09
# TYPE node_memory_MemAvailable_bytes gauge
node_memory_MemAvailable_bytes 1e+09
# TYPE node_filesystem_avail_bytes gauge
node_filesystem_avail_bytes{device=\"sda1\",fstype=\"xfs\",mountpoint=\"/var\"} 1e+09
# TYPE node_filesystem_size_bytes gauge
node_filesystem_size_bytes{device=\"sda1\",fstype=\"xfs\",mountpoint=\"/var\"} 1e+11
";

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_at_a_site_without_prometheus_is_an_incident() {
    let exporter = Exporter::start(vec![NODE.to_owned()], &[]);
    let mut config = Config {
        clusters: vec![site(&[exporter.url()], Duration::from_millis(200))],
        ..Config::default()
    };
    let mut signals = config.signals.to_vec();
    for limit in signals.iter_mut().filter_map(|s| s.limit.as_mut()) {
        limit.for_s = 0;
    }
    config.signals = signals.into();
    let mut world = World::new(&config, farwatch::clock::now());
    let mut watching = watch(config);
    let full = |incident: &&Incident| {
        let mut findings = incident.findings.iter();
        findings.any(|f| &*f.signal == "node_filesystem_used")
    };
    let until = tokio::time::Instant::now() + Duration::from_secs(30);
    while !world.incidents.iter().any(|i| full(&i)) {
        let left = tokio::time::timeout_at(until, watching.told.recv()).await;
        let telemetry = left.expect("found within 30 s").expect("the fleet runs");
        let at: Timestamp = telemetry.received;
        world.ingest(telemetry);
        world.tick(at);
    }
    let incident = world.incidents.iter().find(full).expect("found");
    assert_eq!(incident.severity, Severity::Critical);
    assert!(incident.title.contains("99%"), "{}", incident.title);
    let memory = &world.clusters[0].capacity.memory;
    assert_eq!(memory.used, Some(0.75), "{memory:?}");
}

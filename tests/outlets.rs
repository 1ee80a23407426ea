//! What a watcher tells beside the bus, against the real programs that read it: Prometheus and
//! promtool, an Alertmanager, a Prometheus that takes remote-write; faults and OTLP in-process.
#![allow(
    clippy::duplicate_mod,
    reason = "both servers take their ports in the same way"
)]

#[path = "outlets/faults.rs"]
mod faults;
#[path = "outlets/manager.rs"]
mod manager;
#[path = "support/nats.rs"]
mod nats;
#[path = "outlets/page.rs"]
mod page;
#[path = "outlets/program.rs"]
mod program;
#[path = "support/prometheus.rs"]
mod prometheus;
#[path = "outlets/traces.rs"]
mod traces;
#[path = "support/wire.rs"]
mod wire;
#[path = "outlets/written.rs"]
mod written;

use std::sync::Arc;
use std::time::Duration;

use farwatch::clock;
use farwatch::config::{Endpoint, Watch};
use farwatch::model::alert::Severity;
use farwatch::model::finding::FindingKind;
use farwatch::model::id::IncidentId;
use farwatch::model::incident::IncidentState;
use farwatch::model::time::Timestamp;
use farwatch::watch::log::Taken;
use farwatch::watch::outlets::Outlets;
use farwatch::watch::told::{ClusterTold, FindingTold, Heard, IncidentTold, Told};
use farwatch::watch::{Gauges, gauges};

/// A TLS client needs one, as `main` installs it.
fn prepared() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

fn endpoint(url: String) -> Endpoint {
    Endpoint {
        url,
        interval: Some(Duration::from_millis(200)),
        timeout: Duration::from_secs(5),
        ..Endpoint::default()
    }
}

async fn started(watch: Watch) -> Outlets {
    prepared();
    Outlets::start(&watch, Taken::default())
        .await
        .expect("outlets")
}

/// A turn of now: `alpha` and `beta` are ours.
fn turn(incidents: &[IncidentTold]) -> Told {
    let cluster = |name: &str, score| ClusterTold {
        name: name.into(),
        environment: Some("production".into()),
        region: None,
        sources: vec![Heard::Live, Heard::Failing],
        score,
    };
    Told {
        at: clock::now(),
        turned: clock::instant(),
        clusters: vec![cluster("alpha", Some(80)), cluster("beta", None)],
        incidents: incidents.iter().cloned().map(Arc::new).collect(),
        gauges: Gauges {
            clusters: 3,
            watched: 2,
            bus: gauges::Bus {
                wanted: true,
                ready: true,
                published: 7,
                ..gauges::Bus::default()
            },
            leases: gauges::Leases {
                ready: true,
                settled: true,
                ..gauges::Leases::default()
            },
            ..Gauges::default()
        },
    }
}

fn incident(id: u64, severity: Severity) -> IncidentTold {
    IncidentTold {
        id: IncidentId(id),
        cluster: "alpha".into(),
        number: 3,
        severity,
        state: IncidentState::Open,
        opened: Timestamp(clock::now().0 / 60_000 * 60_000 - 60_000),
        score: 0.75,
        title: "gpu 3 of n1 is hot, \"very\"".into(),
        subjects: "n1 gpu 3".into(),
        acknowledged: Some("ann".into()),
        assigned: None,
        findings: vec![FindingTold {
            signal: "gpu_temperature".into(),
            subject: "n1 gpu 3".into(),
            kind: FindingKind::LevelShift,
            severity,
            score: 0.75,
            text: "91 C, limit 85 C".into(),
        }],
    }
}

/// The loop goes on with these incidents until it is so.
async fn until<T>(
    what: &str,
    outlets: &Outlets,
    incidents: &[IncidentTold],
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> T {
    for _ in 0..1_200 {
        outlets.tell(turn(incidents));
        if let Some(found) = ask().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}")
}

/// The JSON that an address gives, if it gives any.
async fn asked(url: &str) -> Option<serde_json::Value> {
    let answer = reqwest::get(url).await.ok()?;
    serde_json::from_slice(&answer.bytes().await.ok()?).ok()
}

/// A value of our own metrics.
async fn own(outlets: &Outlets, sample: &str) -> Option<f64> {
    let url = format!("http://{}/metrics", outlets.address?);
    let text = reqwest::get(url).await.ok()?.text().await.ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix(sample))?;
    line.trim().parse().ok()
}

fn listening() -> Option<std::net::SocketAddr> {
    Some(([127, 0, 0, 1], 0).into())
}

//! Finds what a cluster offers and has it used: at start, when the operator refreshes, and daily.
//!
//! A handful of requests to the API server, then each candidate is asked whether it is what it
//! was taken for. Nothing waits for it, and each part of it is bounded.

pub mod answer;
pub mod front;
pub mod installed;
pub mod look;
pub mod offer;
pub mod pick;
pub mod probe;
pub mod wanted;
pub mod ways;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream;

use super::kubernetes::Server;
use super::report::Report;
use super::supervisor::{Doubt, Offer, Staff};
use crate::config;
use crate::model::discovery::{Component, Outcome, Platform, Probe};
use crate::model::fault::{Fault, FaultKind};
use crate::model::telemetry::{Body, ClusterFacts};

use look::Seen;
use probe::{Looked, look_for, told};
use wanted::{ALERTMANAGERS, EXPORTERS, SCRAPED, has_metrics, wanted};

/// Something did not answer: it is looked for again after this, then after twice the time.
const SOON: Duration = Duration::from_secs(600);
/// Time between two discoveries, however often a refresh is asked for.
const PAUSE: Duration = Duration::from_secs(2);
/// Components that are asked at a time.
const AT_ONCE: usize = 6;

/// Whose offers are looked for, and how they are reached.
#[derive(Clone)]
pub struct Setup {
    pub cluster: Arc<config::Cluster>,
    pub server: Server,
}

/// What one discovery gave.
pub struct Discovered {
    pub probes: Vec<Probe>,
    /// Everything that answered.
    pub offers: Vec<Offer>,
    pub doubts: Vec<Doubt>,
    pub platform: Platform,
    pub openshift_version: Option<String>,
}

/// Looks again and again until the loop is gone.
pub async fn run(setup: Setup, staff: Arc<Staff>, mut report: Report) {
    let daily = report.waits.pace().discovery;
    let mut known = false;
    let mut again = SOON;
    loop {
        let rest = match discover(&setup).await {
            Ok(found) => {
                known = true;
                report.waits.reset();
                let failed = found.doubts.iter().any(|d| d.passing);
                if !tell(found, &setup, &staff, &report).await {
                    return;
                }
                let rest = if failed { again } else { daily };
                again = if failed { (again * 2).min(daily) } else { SOON };
                rest
            }
            Err(fault) => {
                tracing::info!(%fault, "nothing discovered");
                let wait = report.waits.after(fault.kind, None);
                // What was found before still stands there, with its time.
                if !known && !tell_fault(&fault, &report).await {
                    return;
                }
                wait
            }
        };
        tokio::time::sleep(PAUSE).await;
        report.waits.rest(rest).await;
    }
}

/// Once. A fault is one of the whole server.
pub async fn discover(setup: &Setup) -> Result<Discovered, Fault> {
    let cluster = setup.server.cluster().await?;
    let seen = look::look(&cluster, &setup.cluster.discover_namespaces).await?;
    let others = Component::ALL.iter().filter(|c| !SCRAPED.contains(c));
    let mut looked = side_by_side(others, &seen, setup, several).await;
    let offers: Vec<Offer> = looked.iter().flat_map(|l| l.offers.clone()).collect();
    let scraped = match has_metrics(&setup.cluster, &offers) {
        true => 1,
        false => EXPORTERS,
    };
    looked.extend(side_by_side(SCRAPED.iter(), &seen, setup, |_| scraped).await);
    looked.sort_by_key(|l| l.probe.component);
    let (mut probes, mut offers, mut doubts) = (Vec::new(), Vec::new(), Vec::new());
    for one in looked {
        probes.push(one.probe);
        offers.extend(one.offers);
        doubts.extend(one.doubts);
    }
    Ok(Discovered {
        probes,
        offers,
        doubts,
        platform: seen.platform,
        openshift_version: seen.openshift_version,
    })
}

/// How many of a component are looked for.
fn several(component: Component) -> usize {
    match component {
        Component::Alertmanager => ALERTMANAGERS,
        _ => 1,
    }
}

async fn side_by_side(
    components: impl Iterator<Item = &Component>,
    seen: &Seen,
    setup: &Setup,
    every: impl Fn(Component) -> usize,
) -> Vec<Looked> {
    let work: Vec<_> = components
        .map(|component| look_for(*component, seen, setup, every(*component)))
        .collect();
    stream::iter(work).buffer_unordered(AT_ONCE).collect().await
}

/// Has the finds used, then says what there is. False: the loop is gone.
async fn tell(found: Discovered, setup: &Setup, staff: &Staff, report: &Report) -> bool {
    let mut probes = found.probes;
    let kept = staff.in_doubt(&found.doubts);
    let offers = wanted(&found.offers, &setup.cluster, found.platform, &kept);
    staff.settle(&offers, &found.doubts);
    let employed = staff.employed();
    for probe in &mut probes {
        probe.used = employed.contains(&probe.component);
        let named = match probe.component {
            Component::Prometheus | Component::Thanos => setup.cluster.prometheus.is_some(),
            Component::Alertmanager => !setup.cluster.alertmanagers.is_empty(),
            Component::Loki => setup.cluster.loki.is_some(),
            Component::Tempo => setup.cluster.tempo.is_some(),
            _ => false,
        };
        if named && probe.outcome == Outcome::Found {
            probe.reason += "; the configuration names another";
        }
        if probe.used && SCRAPED.contains(&probe.component) {
            // A Service leads to one pod: exporters of other nodes stay unseen.
            probe.reason += "; scraped directly, at one pod of the Service only";
        }
    }
    let facts = ClusterFacts {
        platform: Some(found.platform),
        openshift_version: found.openshift_version,
        ..ClusterFacts::default()
    };
    let telemetry = report.wrap(Body::Facts(facts));
    if !report.outlet.send(telemetry).await {
        return false;
    }
    let telemetry = report.wrap(Body::Discovery(probes));
    report.outlet.send(telemetry).await
}

/// The server itself could not be asked.
async fn tell_fault(fault: &Fault, report: &Report) -> bool {
    let outcome = match fault.kind {
        FaultKind::Forbidden => Outcome::NoPermission,
        _ => Outcome::Error,
    };
    let all = Component::ALL.map(|component| told(component, outcome, fault.what.clone()));
    let telemetry = report.wrap(Body::Discovery(all.to_vec()));
    report.outlet.send(telemetry).await
}

#[cfg(test)]
mod tests;

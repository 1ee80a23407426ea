//! What the clusters themselves offer, beside what the configuration names.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use super::{Row, way};
use crate::config::{Cluster, Config};
use crate::model::discovery::{Outcome, Probe};
use crate::model::fault::FaultKind;
use crate::source::discovery::{Discovered, Setup, discover};
use crate::source::kubernetes::Server;
use crate::source::supervisor::Offer;

/// Longest time for the discovery of one cluster; what it found till then is not waited for.
const LIMIT: Duration = Duration::from_secs(60);
/// Of which nothing is known where discovery itself fails.
pub(super) const EVERYTHING: &str = "everything it offers";
const ADVICE: &str = "name it in the configuration, or set `discover = false`";

/// A row for each thing found, and one for each reason why something is not known. What is not
/// there has none.
pub(super) async fn all(config: &Config) -> Vec<Row> {
    let clusters = config.clusters.iter().filter(|c| c.discover);
    let rows = join_all(clusters.map(|cluster| of_cluster(cluster, LIMIT))).await;
    rows.into_iter().flatten().collect()
}

async fn of_cluster(cluster: &Cluster, limit: Duration) -> Vec<Row> {
    let Some(kube) = &cluster.kube else {
        return Vec::new();
    };
    let setup = Setup {
        server: Server::new(&cluster.name, kube),
        cluster: Arc::new(cluster.clone()),
    };
    let blind = |what: String, hint: &str, denied: bool| Row {
        error: Some(what),
        advice: hint.to_owned(),
        ..unknown(&cluster.name, EVERYTHING.into(), denied)
    };
    match tokio::time::timeout(limit, discover(&setup)).await {
        Ok(Ok(found)) => rows(&cluster.name, found),
        Ok(Err(fault)) => {
            let denied = fault.kind == FaultKind::Forbidden;
            vec![blind(fault.what, &fault.hint, denied)]
        }
        Err(_) => {
            let what = format!("it was not done within {} s", limit.as_secs());
            vec![blind(what, ADVICE, false)]
        }
    }
}

fn rows(cluster: &str, found: Discovered) -> Vec<Row> {
    let mut reasons: BTreeMap<(bool, String), Vec<&str>> = BTreeMap::new();
    let mut rows = Vec::new();
    for probe in found.probes {
        match probe.outcome {
            Outcome::Found => {
                let offer = found.offers.iter().find(|o| o.component == probe.component);
                rows.push(there(cluster, probe, offer));
            }
            Outcome::NoPermission | Outcome::Error => {
                let denied = probe.outcome == Outcome::NoPermission;
                let words = reasons.entry((denied, probe.reason)).or_default();
                words.push(probe.component.word());
            }
            Outcome::NotFound => {}
        }
    }
    for ((denied, reason), words) in reasons {
        rows.push(Row {
            error: Some(reason),
            advice: ADVICE.into(),
            ..unknown(cluster, words.join(", "), denied)
        });
    }
    rows
}

/// Something found; without an `offer` it was seen only, and not asked.
fn there(cluster: &str, probe: Probe, offer: Option<&Offer>) -> Row {
    let via = probe.via.map(|via| format!(" (via {via})"));
    let place = format!(
        "{}{}",
        probe.place.unwrap_or_default(),
        via.unwrap_or_default()
    );
    let row = Row {
        ok: true,
        version: probe.version,
        ..Row::new(cluster, format!("found: {}", probe.component.word()), place)
    };
    match offer.map(|offer| &offer.endpoint) {
        Some(endpoint) => Row {
            reachable: Some(true),
            auth: way(&endpoint.auth, Some(endpoint)).to_owned(),
            ..row
        },
        None => Row {
            auth: "not asked".into(),
            advice: probe.reason,
            ..row
        },
    }
}

/// A right that is missing is no failure: what is configured works without.
fn unknown(cluster: &str, endpoint: String, denied: bool) -> Row {
    Row {
        ok: denied,
        warning: denied,
        ..Row::new(cluster, "discovery".into(), endpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Auth, Endpoint, Kube};
    use crate::model::discovery::{Component, Platform};
    use crate::source::discovery::probe::told;

    fn found(probes: Vec<Probe>, offers: Vec<Offer>) -> Discovered {
        Discovered {
            probes,
            offers,
            doubts: Vec::new(),
            platform: Platform::Kubernetes,
            openshift_version: None,
        }
    }

    #[test]
    fn one_row_for_what_is_found_and_one_for_each_reason() {
        let mut thanos = told(Component::Thanos, Outcome::Found, "it answers".into());
        thanos.place = Some("m/thanos:9090".into());
        thanos.via = Some("route h".into());
        let offer = Offer {
            component: Component::Thanos,
            place: "m/thanos:9090".into(),
            endpoint: Endpoint {
                auth: Auth::Kubeconfig,
                ..Endpoint::default()
            },
            series: None,
        };
        let denied = |c| told(c, Outcome::NoPermission, "list services: 403".into());
        let probes = vec![
            thanos,
            denied(Component::Loki),
            denied(Component::Tempo),
            told(Component::Vllm, Outcome::Error, "no answer".into()),
            told(Component::Flux, Outcome::NotFound, "no CRD".into()),
        ];
        let rows = rows("alpha", found(probes, vec![offer]));
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0].endpoint, "m/thanos:9090 (via route h)");
        assert_eq!(rows[0].auth, "bearer accepted");
        assert!(rows[0].ok && rows[0].reachable == Some(true));
        // What does not answer fails; what may not be seen does not.
        assert!(!rows[1].ok && !rows[1].warning, "{:?}", rows[1]);
        assert_eq!(rows[2].endpoint, "Loki, Tempo");
        assert_eq!(rows[2].error.as_deref(), Some("list services: 403"));
        assert!(rows[2].ok && rows[2].warning);
    }

    #[test]
    fn what_was_not_asked_is_not_said_to_answer() {
        let mut argo = told(
            Component::ArgoCd,
            Outcome::Found,
            "the API server has it".into(),
        );
        argo.place = Some("argoproj.io/v1alpha1".into());
        let rows = rows("alpha", found(vec![argo], Vec::new()));
        assert_eq!(
            (rows[0].reachable, rows[0].auth.as_str()),
            (None, "not asked")
        );
        assert_eq!(rows[0].advice, "the API server has it");
    }

    #[tokio::test]
    async fn a_discovery_that_takes_too_long_is_told() {
        let cluster = Cluster {
            name: "alpha".into(),
            kube: Some(Kube::default()),
            ..Cluster::default()
        };
        let rows = of_cluster(&cluster, Duration::ZERO).await;
        assert_eq!((rows.len(), rows[0].ok), (1, false));
        assert!(rows[0].error.is_some() && rows[0].endpoint == EVERYTHING);
    }
}

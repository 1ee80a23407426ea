//! From the configuration to the sources of each cluster.

use std::sync::Arc;
use std::time::Duration;

use super::router::{LokiRoute, Route};
use super::{Plan, Source, Work};
use crate::config::{Cluster, ClusterKind, Config, Endpoint, Kube, Roles};
use crate::model::health::SourceKind;
use crate::source::alertmanager::AlertmanagerSource;
use crate::source::budget::Budget;
use crate::source::door::{Door, shown_text};
use crate::source::error::SourceError;
use crate::source::kubernetes::{self, KubeLookup, Server, identity};
use crate::source::loki;
use crate::source::prometheus::{PromLookup, PromSource};
use crate::source::report::Report;
use crate::source::scrape::ScrapeSource;
use crate::source::tempo::TempoSource;

/// An endpoint with its door and its budget, shared by polls and questions. The door is opened
/// when first used, so that starting costs nothing and a corrected file is found.
#[derive(Debug)]
pub struct Gate {
    endpoint: Endpoint,
    cluster: String,
    /// The cluster's API server, where the way or the sign-in goes through it.
    server: Option<Server>,
    pub budget: Budget,
    door: tokio::sync::OnceCell<Door>,
}

impl Gate {
    pub fn new(endpoint: &Endpoint, cluster: &str, server: Option<Server>) -> Self {
        Self {
            endpoint: endpoint.clone(),
            cluster: cluster.to_owned(),
            server,
            budget: Budget::new(endpoint.requests_per_minute),
            door: tokio::sync::OnceCell::new(),
        }
    }

    pub async fn door(&self) -> Result<&Door, SourceError> {
        self.door
            .get_or_try_init(|| async {
                Door::open(&self.endpoint, &self.cluster, self.server.as_ref())
            })
            .await
    }

    /// The configured URL; shown only through `door::shown_text`.
    pub fn url(&self) -> &str {
        &self.endpoint.url
    }

    /// Requests a minute; 0 is no limit.
    pub fn per_minute(&self) -> u32 {
        self.endpoint.requests_per_minute
    }
}

/// Time between two polls: as configured, else by the cluster's type (thin lines, weak machines).
pub fn interval_of(endpoint: &Endpoint, kind: ClusterKind) -> Duration {
    let configured = endpoint.interval.filter(|i| !i.is_zero());
    configured.unwrap_or(kind.interval())
}

/// Plans and question routes of all clusters, in the order of the configuration.
pub(super) fn all(config: &Arc<Config>) -> (Vec<Vec<Plan>>, Vec<Route>) {
    config
        .clusters
        .iter()
        .map(|cluster| of_cluster(config, cluster))
        .unzip()
}

fn of_cluster(config: &Arc<Config>, cluster: &Cluster) -> (Vec<Plan>, Route) {
    let mut plans = Vec::new();
    let mut route = Route {
        cluster: cluster.name.clone(),
        ..Route::default()
    };
    let kube = cluster.kube.as_ref();
    let server = kube.map(|kube| Server::new(&cluster.name, kube));
    let gate = |endpoint| Arc::new(Gate::new(endpoint, &cluster.name, server.clone()));
    if let Some(endpoint) = &cluster.prometheus {
        let gate = gate(endpoint);
        route.prometheus = Some(PromLookup::new(gate.clone()));
        let interval = interval_of(endpoint, cluster.kind);
        let config = config.clone();
        plans.push(plan(cluster, SourceKind::Prometheus, endpoint, move || {
            PromSource::new(gate.clone(), config.signals.clone(), interval)
                .series_limit(config.limits.series_per_cluster as usize)
                .counters(&config.metrics)
        }));
    }
    if let Some(endpoint) = &cluster.alertmanager {
        let gate = gate(endpoint);
        let interval = interval_of(endpoint, cluster.kind);
        plans.push(plan(
            cluster,
            SourceKind::Alertmanager,
            endpoint,
            move || AlertmanagerSource::new(gate.clone(), interval),
        ));
    }
    for (n, endpoint) in (0_u16..).zip(&cluster.exporters) {
        let gate = gate(endpoint);
        let interval = interval_of(endpoint, cluster.kind);
        let limit = config.limits.series_per_cluster as usize;
        plans.push(plan(
            cluster,
            SourceKind::Exporter(n),
            endpoint,
            move || ScrapeSource::new(gate.clone(), interval).series_limit(limit),
        ));
    }
    if let Some(endpoint) = &cluster.loki {
        let gate = gate(endpoint);
        route.loki = Some(LokiRoute::new(gate.clone()));
        plans.push(logs(cluster, endpoint, gate));
    }
    if let Some(endpoint) = &cluster.tempo {
        let gate = gate(endpoint);
        let interval = interval_of(endpoint, cluster.kind);
        plans.push(plan(cluster, SourceKind::Tempo, endpoint, move || {
            TempoSource::new(gate.clone(), interval)
        }));
    }
    if let (Some(kube), Some(server)) = (kube, server.clone()) {
        let mut kube = kube.clone();
        kube.interval = kube.interval.or(Some(cluster.kind.interval()));
        let roles = cluster.roles.as_ref().unwrap_or(&config.roles);
        route.kube = Some(KubeLookup::new(server.clone(), kube.timeout));
        route.server = Some(server.clone());
        plans.push(objects(cluster, kube, server, roles));
    }
    (plans, route)
}

/// The live tail of the configured selector.
fn logs(cluster: &Cluster, endpoint: &Endpoint, gate: Arc<Gate>) -> Plan {
    let selector = cluster.log_selector.clone();
    let selector = selector.unwrap_or_else(|| loki::DEFAULT_SELECTOR.to_owned());
    Plan {
        kind: SourceKind::Loki,
        cluster: cluster.name.clone(),
        endpoint: shown_text(&endpoint.url),
        via: endpoint.via_words(),
        work: Work::Own(Box::new(move |report| {
            Box::pin(loki::follow(gate.clone(), selector.clone(), report))
        })),
    }
}

/// Watches, and beside them who the operator is there.
fn objects(cluster: &Cluster, kube: Kube, server: Server, roles: &Roles) -> Plan {
    let roles = roles.clone();
    let name = cluster.name.clone();
    let endpoint = kube.context.clone();
    Plan {
        kind: SourceKind::Kubernetes,
        cluster: name,
        endpoint: endpoint.unwrap_or_else(|| "current context".to_owned()),
        via: None,
        work: Work::Own(Box::new(move |report| {
            let Report {
                cluster, source, ..
            } = report;
            let own = Report::new(cluster, source, report.outlet.clone(), report.waits.again());
            let who = identity::follow(server.clone(), roles.clone(), own.quiet());
            let watches = kubernetes::run(server.clone(), kube.clone(), report);
            Box::pin(async move {
                tokio::select! {
                    () = watches => {}
                    () = who => {}
                }
            })
        })),
    }
}

fn plan<S: Source + 'static>(
    cluster: &Cluster,
    kind: SourceKind,
    endpoint: &Endpoint,
    make: impl Fn() -> S + Send + Sync + 'static,
) -> Plan {
    Plan {
        kind,
        cluster: cluster.name.clone(),
        endpoint: shown_text(&endpoint.url),
        via: endpoint.via_words(),
        work: Work::Kept(Box::new(move || Ok(Box::new(make())))),
    }
}

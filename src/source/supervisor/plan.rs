//! From the configuration, and from what was found, to the sources of each cluster.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::mpsc;

use super::router::{LokiRoute, Route, SharedRoute};
use super::site::{asked, samples, signals};
use super::staff::{Order, Staff};
use super::{Plan, Source, Work};
use crate::config::{Cluster, ClusterKind, Config, Endpoint, Kube, Roles, Samples};
use crate::model::health::SourceKind;
use crate::source::alertmanager::AlertmanagerSource;
use crate::source::budget::Budget;
use crate::source::clock_events::ClockEventSource;
use crate::source::discovery::{self, Setup};
use crate::source::door::{Door, shown_text};
use crate::source::edge::Held;
use crate::source::error::SourceError;
use crate::source::kubernetes::{self, KubeLookup, Server, identity};
use crate::source::loki;
use crate::source::nats::{self, Bus, NatsSource};
use crate::source::nvidia_smi;
use crate::source::prometheus::{PromLookup, PromSource};
use crate::source::report::Report;
use crate::source::scrape::ScrapeSource;
use crate::source::tempo::{TempoLookup, TempoSource};

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

    /// Shown only as [`Gate::shown`] gives it.
    pub fn url(&self) -> &str {
        &self.endpoint.url
    }

    /// The URL as it may be shown.
    pub fn shown(&self) -> String {
        shown_text(&self.endpoint.url)
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

/// What a cluster starts with, and the way to what it gets later.
pub(super) struct Crew {
    pub plans: Vec<Plan>,
    pub route: SharedRoute,
    pub orders: mpsc::UnboundedReceiver<Order>,
}

impl Crew {
    /// Nothing comes later.
    pub(super) fn fixed(plans: Vec<Plan>) -> Self {
        Self {
            plans,
            route: SharedRoute::default(),
            orders: mpsc::unbounded_channel().1,
        }
    }
}

/// The crews of all clusters, in the order of the configuration.
pub(super) fn all(config: &Arc<Config>) -> Vec<Crew> {
    let clusters = config.clusters.iter();
    clusters
        .map(|cluster| of_cluster(config, cluster))
        .collect()
}

fn of_cluster(config: &Arc<Config>, cluster: &Cluster) -> Crew {
    let kube = cluster.kube.as_ref().map(|kube| Kube {
        interval: kube.interval.or(Some(cluster.kind.interval())),
        ..kube.clone()
    });
    let server = kube.as_ref().map(|kube| Server::new(&cluster.name, kube));
    let maker = Maker::new(config, cluster, server.clone());
    let mut route = Route::new(&cluster.name);
    route.held = asked(cluster).then(|| maker.held.clone());
    if let (Some(kube), Some(server)) = (&kube, &server) {
        route.kube = Some(Arc::new(KubeLookup::new(server.clone(), kube.timeout)));
        route.server = Some(server.clone());
    }
    let mut plans = Vec::new();
    let exporters = (0_u16..).zip(&cluster.exporters);
    let exporters = exporters.map(|(n, e)| (SourceKind::Exporter(n), Some(e)));
    let proxies = (0_u16..).zip(&cluster.ptp_events);
    let proxies = proxies.map(|(n, e)| (SourceKind::ClockEvents(n), Some(e)));
    let managers = (0_u16..).zip(&cluster.alertmanagers);
    let managers = managers.map(|(n, e)| (SourceKind::Alertmanager(n), Some(e)));
    let named = [
        (SourceKind::Prometheus, cluster.prometheus.as_ref()),
        (SourceKind::Loki, cluster.loki.as_ref()),
        (SourceKind::Tempo, cluster.tempo.as_ref()),
    ];
    let several = managers.chain(exporters).chain(proxies);
    for (kind, endpoint) in named.into_iter().chain(several) {
        let Some(endpoint) = endpoint else { continue };
        let (plan, part) = maker.source(kind, endpoint, None);
        route.take(part);
        plans.push(plan);
    }
    if let Some(nats) = &cluster.nats {
        let bus = Bus::new(cluster, nats);
        plans.extend(bus_plans(cluster, &bus));
        route.take(Part::Bus(bus));
    }
    let publishes = config.watch.publishes.is_some() && config.team.is_some();
    if publishes && cluster.edge.samples == Samples::Publish {
        route.published = Some(Arc::default());
    }
    plans.extend(samples(
        config,
        cluster,
        &maker.held,
        route.published.as_ref(),
    ));
    let route = Arc::new(RwLock::new(route));
    plans.extend(signals(config, cluster, &maker.held, &route));
    let own = maker.cluster.clone();
    let (staff, orders) = Staff::new(maker, route.clone());
    if let (Some(kube), Some(server)) = (kube, server) {
        plans.push(objects(cluster, kube, server.clone()));
        let roles = cluster.roles.as_ref().unwrap_or(&config.roles);
        plans.push(who(cluster, server.clone(), roles));
        if cluster.nvidia_smi {
            plans.push(cards(config, cluster, server.clone()));
        }
        if cluster.discover {
            plans.push(search(own, server, staff));
        }
    }
    Crew {
        plans,
        route,
        orders,
    }
}

/// What a source adds to who answers questions.
pub(super) enum Part {
    Metrics(Arc<PromLookup>),
    Logs(Arc<LokiRoute>),
    Traces(Arc<TempoLookup>),
    Alerts(u16, Arc<Gate>),
    Bus(Arc<Bus>),
    None,
}

/// Makes the sources of one cluster, whether their endpoints were configured or found.
pub(super) struct Maker {
    config: Arc<Config>,
    cluster: Arc<Cluster>,
    server: Option<Server>,
    /// What its exporters tell.
    held: Arc<Held>,
}

impl Maker {
    pub(super) fn new(config: &Arc<Config>, cluster: &Cluster, server: Option<Server>) -> Self {
        Self {
            config: config.clone(),
            cluster: Arc::new(cluster.clone()),
            server,
            held: Held::new(
                &cluster.name,
                usize::try_from(cluster.edge.window_bytes).unwrap_or(usize::MAX),
            ),
        }
    }

    /// How many exporters the configuration names.
    pub(super) fn exporters(&self) -> u16 {
        u16::try_from(self.cluster.exporters.len()).unwrap_or(u16::MAX)
    }

    /// `most`: series of one answer, where that is less than configured.
    pub(super) fn source(
        &self,
        kind: SourceKind,
        endpoint: &Endpoint,
        most: Option<usize>,
    ) -> (Plan, Part) {
        let gate = Arc::new(Gate::new(endpoint, &self.cluster.name, self.server.clone()));
        let interval = interval_of(endpoint, self.cluster.kind);
        let limit = self.config.limits.series_per_cluster as usize;
        let limit = most.map_or(limit, |most| most.min(limit));
        let (work, part) = match kind {
            SourceKind::Prometheus => {
                let (config, asked) = (self.config.clone(), gate.clone());
                let work = kept(move || {
                    PromSource::new(gate.clone(), config.signals.clone(), interval)
                        .series_limit(limit)
                        .counters(&config.metrics)
                });
                (work, Part::Metrics(Arc::new(PromLookup::new(asked))))
            }
            SourceKind::Alertmanager(n) => {
                let part = Part::Alerts(n, gate.clone());
                let work = kept(move || AlertmanagerSource::new(gate.clone(), interval));
                (work, part)
            }
            SourceKind::Tempo => {
                let part = Part::Traces(Arc::new(TempoLookup::new(gate.clone())));
                let work = kept(move || TempoSource::new(gate.clone(), interval));
                (work, part)
            }
            SourceKind::Loki => {
                let part = Part::Logs(Arc::new(LokiRoute::new(gate.clone())));
                (self.tail(gate), part)
            }
            SourceKind::ClockEvents(_) => {
                let work = kept(move || ClockEventSource::new(gate.clone(), interval));
                (work, Part::None)
            }
            SourceKind::Exporter(_)
            | SourceKind::Kubernetes
            | SourceKind::NvidiaSmi
            | SourceKind::Nats
            | SourceKind::Edge => {
                let names = self.config.dpdk.clone();
                let held = match kind {
                    SourceKind::Exporter(n) if asked(&self.cluster) => Some((self.held.clone(), n)),
                    _ => None,
                };
                let work = kept(move || {
                    let source = ScrapeSource::new(gate.clone(), interval)
                        .series_limit(limit)
                        .counting(names.clone());
                    match &held {
                        Some((held, n)) => source.held_in(held.clone(), *n),
                        None => source,
                    }
                });
                (work, Part::None)
            }
        };
        let plan = Plan {
            kind,
            cluster: self.cluster.name.clone(),
            endpoint: shown_text(&endpoint.url),
            via: endpoint.via_words(),
            work,
        };
        (plan, part)
    }

    /// The live tail of the configured selector.
    fn tail(&self, gate: Arc<Gate>) -> Work {
        let selector = self.cluster.log_selector.clone();
        let selector = selector.unwrap_or_else(|| loki::DEFAULT_SELECTOR.to_owned());
        Work::Own(Box::new(move |report| {
            Box::pin(loki::follow(gate.clone(), selector.clone(), report))
        }))
    }
}

/// Streams and consumers, and beside them what passes on the followed subjects.
fn bus_plans(cluster: &Cluster, bus: &Arc<Bus>) -> [Plan; 2] {
    let plan = |work| Plan {
        kind: SourceKind::Nats,
        cluster: cluster.name.clone(),
        endpoint: bus.shown(),
        via: None,
        work,
    };
    let (survey, tail) = (bus.clone(), bus.clone());
    [
        plan(kept(move || NatsSource::new(survey.clone()))),
        plan(Work::Aside(Box::new(move |report| {
            Box::pin(nats::tail(tail.clone(), report))
        }))),
    ]
}

fn objects(cluster: &Cluster, kube: Kube, server: Server) -> Plan {
    Plan {
        kind: SourceKind::Kubernetes,
        cluster: cluster.name.clone(),
        endpoint: context(cluster),
        via: None,
        work: Work::Own(Box::new(move |report| {
            Box::pin(kubernetes::run(server.clone(), kube.clone(), report))
        })),
    }
}

/// Who the operator is there, and what is permitted.
fn who(cluster: &Cluster, server: Server, roles: &Roles) -> Plan {
    let roles = roles.clone();
    aside(cluster, move |report| {
        Box::pin(identity::follow(server.clone(), roles.clone(), report))
    })
}

/// Reads the cards of its nodes by `nvidia-smi`.
fn cards(config: &Config, cluster: &Cluster, server: Server) -> Plan {
    let setup = nvidia_smi::Setup::new(config, cluster, server);
    Plan {
        kind: SourceKind::NvidiaSmi,
        cluster: cluster.name.clone(),
        endpoint: context(cluster),
        via: Some("via exec in pods of the GPU nodes".to_owned()),
        work: Work::Own(Box::new(move |report| {
            Box::pin(nvidia_smi::run(setup.clone(), report))
        })),
    }
}

/// Looks what the cluster offers, and hires it.
fn search(cluster: Arc<Cluster>, server: Server, staff: Arc<Staff>) -> Plan {
    let setup = Setup {
        cluster: cluster.clone(),
        server,
    };
    aside(&cluster, move |report| {
        Box::pin(discovery::run(setup.clone(), staff.clone(), report))
    })
}

/// Beside the watches, which speak of the API server's health.
fn aside(
    cluster: &Cluster,
    run: impl Fn(Report) -> BoxFuture<'static, ()> + Send + Sync + 'static,
) -> Plan {
    Plan {
        kind: SourceKind::Kubernetes,
        cluster: cluster.name.clone(),
        endpoint: context(cluster),
        via: None,
        work: Work::Aside(Box::new(run)),
    }
}

fn context(cluster: &Cluster) -> String {
    let kube = cluster.kube.as_ref();
    kube.map_or_else(|| "no API server".to_owned(), kubernetes::called)
}

pub(super) fn kept<S: Source + 'static>(make: impl Fn() -> S + Send + Sync + 'static) -> Work {
    Work::Kept(Box::new(move || Ok(Box::new(make()))))
}

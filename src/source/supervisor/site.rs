//! The sources of a site without Prometheus: what its exporters told is held and asked, and what of
//! it travels on the team's bus.

use std::sync::{Arc, PoisonError};

use super::plan::{interval_of, kept};
use super::router::SharedRoute;
use super::{Plan, Work};
use crate::config::{Cluster, Config, Samples};
use crate::model::health::SourceKind;
use crate::source::edge::{Figures, Held, Publisher, SampleSource, Signals, teamless};

/// What its exporters told is asked as a Prometheus would be.
pub(super) fn asked(cluster: &Cluster) -> bool {
    cluster.prometheus.is_none()
        && (!cluster.exporters.is_empty() || cluster.edge.samples != Samples::Own)
}

/// Beside the exporters or the samples of a site, which speak of their own health: the catalogue's
/// signals of what they told, as long as no Prometheus is found that tells them.
pub(super) fn signals(
    config: &Arc<Config>,
    cluster: &Cluster,
    held: &Arc<Held>,
    route: &SharedRoute,
) -> Option<Plan> {
    let (kind, scrapes) = match cluster.exporters.first() {
        Some(first) => (SourceKind::Exporter(0), interval_of(first, cluster.kind)),
        None => (SourceKind::Edge, cluster.kind.interval()),
    };
    let (config, held, route) = (config.clone(), held.clone(), route.clone());
    asked(cluster).then(|| Plan {
        kind,
        cluster: cluster.name.clone(),
        endpoint: "signals of the window".into(),
        via: None,
        work: Work::Aside(Box::new(move |report| {
            let limit = config.limits.series_per_cluster as usize;
            let signals = Signals::new(held.clone(), &config.signals, scrapes, limit);
            let route = route.clone();
            let wanted = move || {
                let route = route.read().unwrap_or_else(PoisonError::into_inner);
                route.asks_what_is_held()
            };
            Box::pin(signals.run(wanted, report))
        })),
    })
}

/// Samples that come from the team's bus, or go there.
pub(super) fn samples(
    config: &Arc<Config>,
    cluster: &Cluster,
    held: &Arc<Held>,
    published: Option<&Arc<Figures>>,
) -> Option<Plan> {
    let publishes = config.watch.publishes.is_some();
    let work = match (cluster.edge.samples, &config.team) {
        (Samples::Own, _) => return None,
        (Samples::Publish, _) if !publishes => return None,
        (_, None) => {
            let name = cluster.name.clone();
            Work::Kept(Box::new(move || Err(teamless(&name))))
        }
        (Samples::Publish, Some(team)) => {
            let (held, team) = (held.clone(), team.clone());
            let (config, cluster) = (config.clone(), cluster.clone());
            let figures = published.cloned().unwrap_or_default();
            Work::Own(Box::new(move |report| {
                let (held, figures) = (held.clone(), figures.clone());
                let publisher = Publisher::new(held, &team, &config.watch, &cluster, figures);
                Box::pin(publisher.run(report))
            }))
        }
        (Samples::Team, Some(team)) => {
            let (held, team, name) = (held.clone(), team.clone(), cluster.name.clone());
            let config = config.clone();
            kept(move || {
                SampleSource::new(&team, &name, held.clone())
                    .series_limit(config.limits.series_per_cluster as usize)
                    .counting(config.dpdk.clone())
            })
        }
    };
    Some(Plan {
        kind: SourceKind::Edge,
        cluster: cluster.name.clone(),
        endpoint: config
            .team
            .as_ref()
            .map_or_else(String::new, |t| t.nats.urls.join(",")),
        via: None,
        work,
    })
}

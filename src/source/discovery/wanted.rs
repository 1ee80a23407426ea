//! Which of the things found are used: what the configuration does not name itself.

use crate::config::Cluster;
use crate::model::discovery::{Component, Platform};
use crate::source::supervisor::Offer;

/// Exporters that are scraped where there is no Prometheus.
pub const EXPORTERS: usize = 8;

/// Alertmanagers that are asked: that of the platform, that of its users, those of teams.
pub const ALERTMANAGERS: usize = 4;

/// What is scraped directly where nobody else does it.
pub const SCRAPED: [Component; 3] = [Component::Dcgm, Component::AmdExporter, Component::Vllm];

/// A Prometheus is configured, or was found.
pub fn has_metrics(cluster: &Cluster, found: &[Offer]) -> bool {
    cluster.prometheus.is_some() || found.iter().any(|o| is_metrics(o.component))
}

fn is_metrics(component: Component) -> bool {
    matches!(component, Component::Prometheus | Component::Thanos)
}

/// `kept`: in service, though this time nothing certain is known of them.
pub fn wanted(
    found: &[Offer],
    cluster: &Cluster,
    platform: Platform,
    kept: &[Component],
) -> Vec<Offer> {
    let first = |component| found.iter().find(|o| o.component == component).cloned();
    let metrics = match platform {
        // One view of what the platform and the users measure.
        Platform::OpenShift => [Component::Thanos, Component::Prometheus],
        _ => [Component::Prometheus, Component::Thanos],
    };
    let named = [
        (cluster.loki.is_some(), Component::Loki),
        (cluster.tempo.is_some(), Component::Tempo),
    ];
    let mut wanted: Vec<Offer> = Vec::new();
    if cluster.prometheus.is_none() {
        wanted.extend(metrics.into_iter().find_map(first));
    }
    if cluster.alertmanagers.is_empty() {
        let managers = found
            .iter()
            .filter(|o| o.component == Component::Alertmanager);
        wanted.extend(managers.take(ALERTMANAGERS).cloned());
    }
    for (configured, component) in named {
        wanted.extend(first(component).filter(|_| !configured));
    }
    let measured = has_metrics(cluster, found) || kept.iter().any(|c| is_metrics(*c));
    if !measured && cluster.exporters.is_empty() {
        let scraped = found.iter().filter(|o| SCRAPED.contains(&o.component));
        wanted.extend(scraped.take(EXPORTERS).cloned());
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Endpoint;
    use Component::*;

    fn chosen(found: &[Component], cluster: &Cluster, platform: Platform) -> Vec<Component> {
        let offer = |component: &Component| Offer {
            component: *component,
            place: String::new(),
            endpoint: Endpoint::default(),
            series: None,
        };
        let found: Vec<Offer> = found.iter().map(offer).collect();
        let wanted = wanted(&found, cluster, platform, &[]);
        wanted.into_iter().map(|o| o.component).collect()
    }

    #[test]
    fn what_is_not_configured_is_used() {
        let none = Cluster::default();
        let all = [Prometheus, Thanos, Alertmanager, Loki, Tempo, Dcgm];
        let plain = Platform::Kubernetes;
        assert_eq!(
            chosen(&all, &none, plain),
            [Prometheus, Alertmanager, Loki, Tempo]
        );
        assert_eq!(
            chosen(&all, &none, Platform::OpenShift)[0],
            Thanos,
            "one view of all"
        );
        let own = Cluster {
            prometheus: Some(Endpoint::default()),
            loki: Some(Endpoint::default()),
            ..Cluster::default()
        };
        assert_eq!(chosen(&all, &own, plain), [Alertmanager, Tempo]);
    }

    #[test]
    fn exporters_only_where_no_prometheus_is() {
        let none = Cluster::default();
        let plain = Platform::Kubernetes;
        assert_eq!(chosen(&[Dcgm, Vllm, Vllm], &none, plain).len(), 3);
        assert_eq!(chosen(&[Vllm; 20], &none, plain).len(), EXPORTERS);
        assert_eq!(chosen(&[Thanos, Dcgm], &none, plain), [Thanos]);
    }
}

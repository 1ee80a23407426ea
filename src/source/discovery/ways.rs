//! From a candidate to the endpoints by which it may be reached, the best way first.

use std::time::Duration;

use super::front::{Front, FrontKind};
use super::pick::Candidate;
use crate::config::build::{OTHER_REQUESTS, PROMETHEUS_REQUESTS};
use crate::config::{Auth, Cluster, Endpoint, ServicePort, ServiceRef, Target, Via};
use crate::model::discovery::Component;

/// Time between two queries of one panel on a monitoring that is shared with everybody.
const SHARED_INTERVAL: Duration = Duration::from_secs(30);
/// Requests a minute there.
const SHARED_REQUESTS: u32 = 60;
/// Most series of one answer there.
pub const SHARED_SERIES: usize = 999;
/// Longest wait for one answer of a probe.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// Endpoints that share a way: the first that is allowed and there is taken.
pub type Way = Vec<Endpoint>;

/// Routes and Ingresses first, then a port-forward, then the service proxy.
pub fn ways(candidate: &Candidate, fronts: &[Front], cluster: &Cluster) -> Vec<Way> {
    let service = ServiceRef {
        namespace: candidate.namespace.clone(),
        name: candidate.service.clone(),
        port: ServicePort::Number(candidate.port),
        tls: candidate.tls,
    };
    let endpoint = |via: Via, base: String| -> Way {
        let paths = paths(candidate).into_iter();
        let one = |path: String| Endpoint {
            url: format!("{base}{path}"),
            via: via.clone(),
            ..plain(candidate, cluster)
        };
        paths.map(one).collect()
    };
    let mut ways = Vec::new();
    let mut leading: Vec<&Front> = fronts.iter().filter(|f| leads_to(f, candidate)).collect();
    leading.sort_by_key(|front| (front.kind, !front.tls));
    for front in leading.into_iter().take(2) {
        let via = match front.kind {
            FrontKind::Route => Via::Route,
            FrontKind::Ingress => Via::Ingress,
        };
        let scheme = if front.tls { "https" } else { "http" };
        // OpenShift's own Routes let through what begins so, and take nothing away.
        let kept = front.path != "/api";
        let path = if kept { front.path.as_str() } else { "" };
        ways.push(endpoint(via, format!("{scheme}://{}{path}", front.host)));
    }
    let target = Target::Service(service.clone());
    ways.push(endpoint(Via::Forward(target), service.url("")));
    // The proxy passes on no credentials.
    if !candidate.platform {
        ways.push(endpoint(Via::Proxy(service.clone()), service.url("")));
    }
    ways
}

fn paths(candidate: &Candidate) -> Vec<String> {
    let scraped = matches!(
        candidate.component,
        Component::Dcgm | Component::AmdExporter | Component::Vllm
    );
    let tail = if scraped { "/metrics" } else { "" };
    let paths = candidate.paths.iter();
    paths.map(|path| format!("{path}{tail}")).collect()
}

fn leads_to(front: &Front, candidate: &Candidate) -> bool {
    let number = candidate.port.to_string();
    let port = front.port.is_empty() || front.port == number || front.port == candidate.port_name;
    front.namespace == candidate.namespace
        && front.service == candidate.service
        && port
        // A token is never sent in the clear.
        && (front.tls || !candidate.platform)
}

/// Pace and sign-in.
fn plain(candidate: &Candidate, cluster: &Cluster) -> Endpoint {
    let kube = cluster.kube.as_ref();
    let interval = kube.and_then(|k| k.interval).filter(|i| !i.is_zero());
    let interval = interval.unwrap_or(cluster.kind.interval());
    let timeout = kube.map(|k| k.timeout).filter(|t| !t.is_zero());
    let metrics = matches!(
        candidate.component,
        Component::Prometheus | Component::Thanos
    );
    let (interval, requests) = match (candidate.platform, metrics) {
        (true, true) => (interval.max(SHARED_INTERVAL), SHARED_REQUESTS),
        (true, false) => (interval.max(SHARED_INTERVAL), OTHER_REQUESTS),
        (false, true) => (interval, PROMETHEUS_REQUESTS),
        (false, false) => (interval, OTHER_REQUESTS),
    };
    Endpoint {
        auth: match candidate.platform {
            true => Auth::Kubeconfig,
            false => Auth::None,
        },
        interval: Some(interval),
        timeout: timeout.unwrap_or(PATIENCE).min(PATIENCE),
        requests_per_minute: requests,
        ..Endpoint::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::offer::{Port, Service};
    use super::super::pick::pick;
    use super::*;
    use crate::config::Kube;

    fn candidate(
        component: Component,
        namespace: &str,
        name: &str,
        port: (&str, u16),
    ) -> Candidate {
        let service = Service {
            namespace: namespace.into(),
            name: name.into(),
            ports: vec![Port {
                name: port.0.into(),
                number: port.1,
                tls: false,
            }],
            ..Service::default()
        };
        pick(component, &[service], true).remove(0)
    }

    fn front(namespace: &str, service: &str, port: &str, path: &str, tls: bool) -> Front {
        Front {
            kind: FrontKind::Route,
            namespace: namespace.into(),
            service: service.into(),
            port: port.into(),
            host: "h.example.org".into(),
            path: path.into(),
            tls,
        }
    }

    fn urls(ways: &[Way]) -> Vec<&str> {
        ways.iter().flatten().map(|e| e.url.as_str()).collect()
    }

    fn fast() -> Cluster {
        Cluster {
            kube: Some(Kube {
                interval: Some(Duration::from_secs(1)),
                ..Kube::default()
            }),
            ..Cluster::default()
        }
    }

    #[test]
    fn openshift_route_then_forward_both_with_the_token() {
        let namespace = "openshift-monitoring";
        let thanos = candidate(
            Component::Thanos,
            namespace,
            "thanos-querier",
            ("web", 9091),
        );
        let fronts = [
            front(namespace, "thanos-querier", "tenancy", "", true),
            front(namespace, "thanos-querier", "web", "/api", true),
            front(namespace, "thanos-querier", "web", "", false),
        ];
        let ways = ways(&thanos, &fronts, &fast());
        assert_eq!(
            urls(&ways),
            [
                "https://h.example.org",
                "https://thanos-querier.openshift-monitoring.svc:9091"
            ]
        );
        for endpoint in ways.iter().flatten() {
            assert_eq!(endpoint.auth, Auth::Kubeconfig);
            assert_eq!(endpoint.interval, Some(Duration::from_secs(30)));
            assert_eq!(endpoint.requests_per_minute, SHARED_REQUESTS);
        }
    }

    #[test]
    fn others_get_no_token_and_the_proxy_last() {
        let own = candidate(Component::Prometheus, "team-a", "prometheus", ("web", 9090));
        let fronts = [front("team-a", "prometheus", "9090", "/prom", false)];
        let ways = ways(&own, &fronts, &fast());
        assert_eq!(
            urls(&ways),
            [
                "http://h.example.org/prom",
                "http://prometheus.team-a.svc:9090",
                "http://prometheus.team-a.svc:9090"
            ]
        );
        assert!(matches!(ways[1][0].via, Via::Forward(_)));
        assert!(matches!(ways[2][0].via, Via::Proxy(_)));
        for endpoint in ways.iter().flatten() {
            assert_eq!(endpoint.auth, Auth::None);
            assert_eq!(endpoint.interval, Some(Duration::from_secs(1)));
        }
    }

    #[test]
    fn tenants_share_a_way() {
        let name = "logging-gateway-http";
        let loki = candidate(Component::Loki, "openshift-logging", name, ("public", 8080));
        let ways = ways(&loki, &[], &Cluster::default());
        assert_eq!(ways.len(), 1);
        assert!(ways[0][1].url.ends_with(":8080/api/logs/v1/infrastructure"));
    }
}

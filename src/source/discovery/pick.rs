//! Which Services may be what is looked for: by labels first, by names second, the best first.

mod rules;

use std::cmp::Reverse;

use super::offer::{Port, Service};
use crate::config::name;
use crate::model::discovery::Component;

use rules::{RULES, Rule};

/// Where such things usually live; they go before what others put elsewhere.
pub const NAMESPACES: [&str; 22] = [
    "openshift-monitoring",
    "monitoring",
    "observability",
    "prometheus",
    "cattle-monitoring-system",
    "kube-prometheus-stack",
    "victoria-metrics",
    "openshift-logging",
    "logging",
    "loki",
    "grafana",
    "tempo",
    "tracing",
    "nvidia-gpu-operator",
    "gpu-operator",
    "kube-amd-gpu",
    "openshift-ptp",
    "openshift-sriov-network-operator",
    "openshift-gitops",
    "argocd",
    "flux-system",
    "nats",
];

/// A Service that may be the component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub component: Component,
    pub namespace: String,
    pub service: String,
    pub port: u16,
    pub port_name: String,
    pub tls: bool,
    /// Prefixes of its API, to be tried in this order; never empty.
    pub paths: &'static [&'static str],
    /// A front end of OpenShift itself: it wants the user's token, and may have it.
    pub platform: bool,
    /// What its labels say.
    pub version: Option<String>,
}

impl Candidate {
    /// `monitoring/prometheus-k8s:9090`.
    pub fn place(&self) -> String {
        format!("{}/{}:{}", self.namespace, self.service, self.port)
    }
}

/// Candidates of one component, the best first.
pub fn pick(component: Component, services: &[Service], openshift: bool) -> Vec<Candidate> {
    let mut found: Vec<(usize, usize, Candidate)> = Vec::new();
    for service in services.iter().filter(|s| !is_left_out(s)) {
        let rules = RULES.iter().enumerate();
        let mut rules = rules.filter(|(_, rule)| rule.component == component);
        let fit = rules.find_map(|(rank, rule)| {
            let port = fits(rule, service)?;
            Some((rank, candidate(rule, service, port, openshift)))
        });
        if let Some((rank, candidate)) = fit {
            let known = NAMESPACES.iter().position(|n| *n == service.namespace);
            found.push((known.unwrap_or(usize::MAX), rank, candidate));
        }
    }
    // Anybody may put such labels on a Service of their own.
    found.sort_by(|(a_known, a_rank, a), (b_known, b_rank, b)| {
        let key = |known: usize, rank, c: &Candidate| {
            let usual = known != usize::MAX || c.namespace.starts_with("openshift-");
            let name = (c.namespace.clone(), c.service.clone());
            (Reverse(c.platform), Reverse(usual), rank, known, name)
        };
        key(*a_known, *a_rank, a).cmp(&key(*b_known, *b_rank, b))
    });
    found
        .into_iter()
        .map(|(_, _, candidate)| candidate)
        .collect()
}

/// Write paths, caches and parts that answer no questions; and Kubecost's own Prometheus.
fn is_left_out(service: &Service) -> bool {
    const PARTS: [&str; 14] = [
        "distributor",
        "ingester",
        "write",
        "compactor",
        "memberlist",
        "gossip",
        "index-gateway",
        "query-scheduler",
        "metrics-generator",
        "ruler",
        "canary",
        "cache",
        "pushgateway",
        "backend",
    ];
    let of_prometheus = ["node-exporter", "kube-state-metrics", "prometheus-adapter"];
    let component = service.label("app.kubernetes.io/component");
    let older = service.label("component");
    let parts = service.name.split('-');
    let is_part =
        |p: &str| component == p || older == p || service.name.ends_with(&format!("-{p}"));
    service.label("release") == "kubecost"
        || service.label("app.kubernetes.io/instance") == "kubecost"
        || PARTS.iter().any(|p| is_part(p))
        || of_prometheus
            .iter()
            .any(|p| is_part(p) || service.name == *p)
        || parts.clone().any(|p| p == "distributor" || p == "ingester")
}

/// The port under which the rule wants the service; `None`: it is not what the rule describes.
fn fits<'s>(rule: &Rule, service: &'s Service) -> Option<&'s Port> {
    let labelled = |(name, wanted): &(&str, &str)| {
        let value = service.label(name);
        match *wanted {
            "*" => service.labels.contains_key(*name),
            "" => value.is_empty(),
            _ => match wanted.strip_prefix('~') {
                Some(part) => value.to_ascii_lowercase().contains(part),
                None => value == *wanted,
            },
        }
    };
    let named = rule.name.is_empty() || name::fits(rule.name, &service.name);
    let placed = rule.namespace.is_empty() || name::fits(rule.namespace, &service.namespace);
    if !named || !placed || service.headless && !rule.headless {
        return None;
    }
    if !rule.labels.iter().all(labelled) {
        return None;
    }
    rule.ports.iter().find_map(|wanted| {
        let mut ports = service.ports.iter();
        match wanted.parse::<u16>() {
            Ok(number) => ports.find(|p| p.number == number),
            Err(_) => ports.find(|p| p.name == *wanted),
        }
    })
}

fn candidate(rule: &Rule, service: &Service, port: &Port, openshift: bool) -> Candidate {
    // Projects of this name cannot be made by users.
    let platform = openshift && rule.platform && service.namespace.starts_with("openshift-");
    let secure = port.tls || port.name.contains("https") || matches!(port.number, 443 | 8443);
    let version = service.label("app.kubernetes.io/version");
    Candidate {
        component: rule.component,
        namespace: service.namespace.clone(),
        service: service.name.clone(),
        port: port.number,
        port_name: port.name.clone(),
        tls: secure || rule.tls || platform,
        paths: rule.paths,
        platform,
        version: Some(crate::model::text::clean(version, 60)).filter(|v| !v.is_empty()),
    }
}

#[cfg(test)]
mod tests;

//! What the things looked for are called, as their charts and operators name them.

use crate::model::discovery::Component;
use crate::model::discovery::Component::{
    Alertmanager, AmdExporter, Dcgm, Loki, Nats, Prometheus, PtpExporter, SriovExporter, Tempo,
    Thanos, Vllm,
};

/// One way in which a component is named. Of rules that fit, the first counts.
pub(super) struct Rule {
    pub component: Component,
    /// All of them: a value, `*` any, empty for none, `~` a part of it.
    pub labels: &'static [(&'static str, &'static str)],
    /// With `*` at either end for anything; empty: any.
    pub name: &'static str,
    pub namespace: &'static str,
    /// Names or numbers, the best first. Never simply the first port: that may be a sidecar's.
    pub ports: &'static [&'static str],
    pub paths: &'static [&'static str],
    /// That port speaks TLS, whatever it is called.
    pub tls: bool,
    /// In OpenShift's own namespaces it is a front end that wants the user's token.
    pub platform: bool,
    /// Also where the service has no address of its own.
    pub headless: bool,
}

const ROOT: &[&str] = &[""];
const TENANTS: &[&str] = &[
    "/api/logs/v1/application",
    "/api/logs/v1/infrastructure",
    "/api/logs/v1/audit",
];

const APP: &str = "app";
const NAME: &str = "app.kubernetes.io/name";
const PART: &str = "app.kubernetes.io/component";

const PLAIN: Rule = Rule {
    component: Prometheus,
    labels: &[],
    name: "",
    namespace: "",
    ports: &[],
    paths: ROOT,
    tls: false,
    platform: false,
    headless: false,
};

type Labels = &'static [(&'static str, &'static str)];

const fn by(component: Component, labels: Labels, ports: &'static [&'static str]) -> Rule {
    Rule {
        component,
        labels,
        ports,
        ..PLAIN
    }
}

const fn called(component: Component, name: &'static str, ports: &'static [&'static str]) -> Rule {
    Rule {
        component,
        name,
        ports,
        ..PLAIN
    }
}

/// A front end of OpenShift, TLS and token.
const fn openshift(
    component: Component,
    namespace: &'static str,
    name: &'static str,
    ports: &'static [&'static str],
) -> Rule {
    Rule {
        component,
        name,
        namespace,
        ports,
        tls: true,
        platform: true,
        ..PLAIN
    }
}

const METRICS: &[&str] = &["http-web", "web", "http", "9090", "80"];
const QUERY: &[&str] = &["http-web", "web", "http", "http-query", "10902", "9090"];
const ALERTS: &[&str] = &["http-web", "web", "http", "9093", "80"];
const LOGS: &[&str] = &["http-metrics", "http", "3100", "80", "8080"];
const TRACES: &[&str] = &[
    "http-metrics",
    "tempo-prom-metrics",
    "http",
    "3200",
    "3100",
    "80",
];
const MODELS: &[&str] = &["http", "http1", "8000", "8080", "80"];

pub(super) static RULES: &[Rule] = &[
    // ---- Thanos
    openshift(
        Thanos,
        "openshift-monitoring",
        "thanos-querier",
        &["web", "9091"],
    ),
    by(Thanos, &[(NAME, "thanos-query-frontend")], QUERY),
    by(Thanos, &[(NAME, "thanos"), (PART, "query-frontend")], QUERY),
    by(Thanos, &[(NAME, "thanos-query")], QUERY),
    by(Thanos, &[(NAME, "thanos"), (PART, "query")], QUERY),
    by(Thanos, &[(APP, "thanos-query")], QUERY),
    by(Thanos, &[(APP, "thanos-querier")], QUERY),
    called(Thanos, "thanos-query", QUERY),
    called(Thanos, "thanos-querier", QUERY),
    // ---- Prometheus
    openshift(
        Prometheus,
        "openshift-monitoring",
        "prometheus-k8s",
        &["web", "9091"],
    ),
    by(
        Prometheus,
        &[(APP, "kube-prometheus-stack-prometheus")],
        METRICS,
    ),
    by(
        Prometheus,
        &[(APP, "rancher-monitoring-prometheus")],
        METRICS,
    ),
    by(
        Prometheus,
        &[(APP, "prometheus-operator-prometheus")],
        METRICS,
    ),
    by(
        Prometheus,
        &[(NAME, "prometheus"), (PART, "prometheus")],
        METRICS,
    ),
    by(
        Prometheus,
        &[(NAME, "prometheus"), (PART, "server")],
        METRICS,
    ),
    by(
        Prometheus,
        &[(APP, "prometheus"), ("component", "server")],
        METRICS,
    ),
    by(Prometheus, &[(APP, "prometheus-server")], METRICS),
    by(Prometheus, &[(NAME, "prometheus"), (PART, "")], METRICS),
    by(Prometheus, &[(NAME, "vmsingle")], &["http", "8428", "8429"]),
    by(
        Prometheus,
        &[(NAME, "victoria-metrics-single")],
        &["http", "8428"],
    ),
    Rule {
        paths: &["/select/0/prometheus"],
        ..by(Prometheus, &[(NAME, "vmselect")], &["http", "8481"])
    },
    Rule {
        paths: &["/select/0/prometheus"],
        ..by(Prometheus, &[(APP, "vmselect")], &["http", "8481"])
    },
    called(Prometheus, "prometheus-k8s", &["http-web", "web", "9090"]),
    called(Prometheus, "prometheus-server", METRICS),
    called(Prometheus, "prometheus", &["http-web", "web", "9090"]),
    Rule {
        headless: true,
        ..called(
            Prometheus,
            "prometheus-operated",
            &["http-web", "web", "9090"],
        )
    },
    // ---- Alertmanager
    openshift(
        Alertmanager,
        "openshift-monitoring",
        "alertmanager-main",
        &["web", "9094"],
    ),
    by(
        Alertmanager,
        &[(APP, "kube-prometheus-stack-alertmanager")],
        ALERTS,
    ),
    by(
        Alertmanager,
        &[(APP, "rancher-monitoring-alertmanager")],
        ALERTS,
    ),
    by(
        Alertmanager,
        &[(APP, "prometheus-operator-alertmanager")],
        ALERTS,
    ),
    by(Alertmanager, &[(NAME, "alertmanager")], ALERTS),
    by(Alertmanager, &[(NAME, "vmalertmanager")], ALERTS),
    by(
        Alertmanager,
        &[(APP, "prometheus"), ("component", "alertmanager")],
        ALERTS,
    ),
    called(
        Alertmanager,
        "alertmanager-main",
        &["http-web", "web", "9093"],
    ),
    called(Alertmanager, "prometheus-alertmanager", ALERTS),
    called(Alertmanager, "alertmanager", ALERTS),
    Rule {
        headless: true,
        ..called(
            Alertmanager,
            "alertmanager-operated",
            &["http-web", "web", "9093"],
        )
    },
    // ---- Loki: only what answers queries
    Rule {
        labels: &[(PART, "lokistack-gateway")],
        paths: TENANTS,
        ..openshift(Loki, "", "", &["public", "8080"])
    },
    Rule {
        labels: &[("loki.grafana.com/name", "*")],
        paths: TENANTS,
        ..openshift(Loki, "", "*-gateway-http", &["public", "8080"])
    },
    Rule {
        paths: TENANTS,
        ..openshift(Loki, "openshift-*", "*-gateway-http", &["public"])
    },
    by(Loki, &[(NAME, "loki"), (PART, "gateway")], LOGS),
    by(Loki, &[(NAME, "loki-distributed"), (PART, "gateway")], LOGS),
    by(Loki, &[(NAME, "enterprise-logs"), (PART, "gateway")], LOGS),
    by(Loki, &[(NAME, "loki"), (PART, "query-frontend")], LOGS),
    by(
        Loki,
        &[(NAME, "loki-distributed"), (PART, "query-frontend")],
        LOGS,
    ),
    by(Loki, &[(NAME, "loki"), (PART, "read")], LOGS),
    by(Loki, &[(NAME, "loki"), (PART, "single-binary")], LOGS),
    by(Loki, &[(NAME, "loki"), (PART, "")], LOGS),
    by(Loki, &[(APP, "loki"), (PART, "")], LOGS),
    called(Loki, "loki-gateway", LOGS),
    called(Loki, "loki-query-frontend", LOGS),
    called(Loki, "loki-read", LOGS),
    called(Loki, "loki", LOGS),
    // ---- Tempo
    by(
        Tempo,
        &[
            (NAME, "tempo"),
            (PART, "gateway"),
            ("app.kubernetes.io/managed-by", "Helm"),
        ],
        TRACES,
    ),
    by(
        Tempo,
        &[(NAME, "tempo-distributed"), (PART, "gateway")],
        TRACES,
    ),
    by(Tempo, &[(NAME, "tempo"), (PART, "query-frontend")], TRACES),
    by(
        Tempo,
        &[(NAME, "tempo-distributed"), (PART, "query-frontend")],
        TRACES,
    ),
    by(Tempo, &[(NAME, "tempo"), (PART, "")], TRACES),
    by(
        Tempo,
        &[
            ("app.kubernetes.io/managed-by", "tempo-operator"),
            (PART, "query-frontend"),
        ],
        TRACES,
    ),
    called(Tempo, "tempo-query-frontend", TRACES),
    called(Tempo, "tempo", TRACES),
    // ---- exporters
    by(
        Dcgm,
        &[(APP, "nvidia-dcgm-exporter")],
        &["gpu-metrics", "metrics", "9400"],
    ),
    by(
        Dcgm,
        &[(NAME, "dcgm-exporter")],
        &["gpu-metrics", "metrics", "9400"],
    ),
    called(
        Dcgm,
        "nvidia-dcgm-exporter",
        &["gpu-metrics", "metrics", "9400"],
    ),
    by(AmdExporter, &[(NAME, "device-metrics-exporter")], &["5000"]),
    by(AmdExporter, &[(NAME, "metrics-exporter")], &["5000"]),
    by(AmdExporter, &[(NAME, "amd-metrics-exporter")], &["5000"]),
    called(AmdExporter, "*-amd-metrics-exporter", &["5000"]),
    Rule {
        tls: true,
        headless: true,
        ..by(
            PtpExporter,
            &[("name", "ptp-monitor-service")],
            &["metrics", "8443"],
        )
    },
    Rule {
        tls: true,
        headless: true,
        ..called(PtpExporter, "ptp-monitor-service", &["metrics", "8443"])
    },
    Rule {
        tls: true,
        headless: true,
        ..called(
            SriovExporter,
            "sriov-network-metrics-exporter-service",
            &["sriov-network-metrics", "9110"],
        )
    },
    Rule {
        headless: true,
        ..called(SriovExporter, "sriov-metrics-exporter", &["9808"])
    },
    // ---- models
    Rule {
        headless: true,
        ..by(Vllm, &[("serving.kserve.io/inferenceservice", "*")], MODELS)
    },
    by(Vllm, &[(APP, "~vllm")], MODELS),
    by(Vllm, &[(NAME, "~vllm")], MODELS),
    called(Vllm, "*vllm*", MODELS),
    // ---- NATS: asked, if at all, on its monitoring port
    Rule {
        headless: true,
        ..by(Nats, &[(NAME, "nats")], &["monitor", "8222"])
    },
    by(Nats, &[(NAME, "nats")], &["nats", "client", "4222"]),
    by(Nats, &[(APP, "nats")], &["nats", "client", "4222"]),
    called(Nats, "nats", &["nats", "client", "4222"]),
];

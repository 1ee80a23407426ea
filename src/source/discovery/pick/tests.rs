use super::*;
use Component::*;

/// `namespace/name label=value … | port-name:number …`, `headless` among the labels.
fn service(text: &str) -> Service {
    let (head, ports) = text.split_once('|').unwrap();
    let mut words = head.split_whitespace();
    let (namespace, name) = words.next().unwrap().split_once('/').unwrap();
    let mut service = Service {
        namespace: namespace.into(),
        name: name.into(),
        ..Service::default()
    };
    for word in words {
        match word.split_once('=') {
            Some((name, value)) => {
                service.labels.insert(name.into(), value.into());
            }
            None => service.headless = word == "headless",
        }
    }
    for port in ports.split_whitespace() {
        let (name, number) = port.split_once(':').unwrap();
        service.ports.push(Port {
            number: number.parse().unwrap(),
            name: name.into(),
            tls: false,
        });
    }
    service
}

fn picked(component: Component, openshift: bool, services: &[&str]) -> Vec<Candidate> {
    let services: Vec<Service> = services.iter().map(|s| service(s)).collect();
    pick(component, &services, openshift)
}

/// Places, with `+tls` and `+token` where those are.
fn places(component: Component, openshift: bool, services: &[&str]) -> Vec<String> {
    let said = |c: Candidate| {
        let tls = if c.tls { "+tls" } else { "" };
        let token = if c.platform { "+token" } else { "" };
        format!("{}{tls}{token}", c.place())
    };
    let found = picked(component, openshift, services);
    found.into_iter().map(said).collect()
}

const OPENSHIFT: [&str; 5] = [
    "openshift-monitoring/thanos-querier app.kubernetes.io/name=thanos-query app.kubernetes.io/component=query-layer | web:9091 tenancy:9092 tenancy-rules:9093 metrics:9094",
    "openshift-monitoring/prometheus-k8s app.kubernetes.io/name=prometheus app.kubernetes.io/component=prometheus | web:9091 metrics:9092",
    "openshift-monitoring/prometheus-operated headless operated-prometheus=true | web:9090 thanos-proxy:10903",
    "openshift-monitoring/alertmanager-main alertmanager=main app.kubernetes.io/name=alertmanager | web:9094 tenancy:9092 metrics:9097",
    "openshift-monitoring/alertmanager-operated headless operated-alertmanager=true | web:9093 tcp-mesh:9094",
];

#[test]
fn openshift_monitoring() {
    assert_eq!(
        places(Thanos, true, &OPENSHIFT),
        ["openshift-monitoring/thanos-querier:9091+tls+token"]
    );
    assert_eq!(
        places(Alertmanager, true, &OPENSHIFT)[0],
        "openshift-monitoring/alertmanager-main:9094+tls+token"
    );
    assert_eq!(
        places(Prometheus, true, &OPENSHIFT)[0],
        "openshift-monitoring/prometheus-k8s:9091+tls+token"
    );
    // A namespace of that name elsewhere is nobody's front end: no token for it.
    let plain = picked(Thanos, false, &OPENSHIFT);
    assert!(!plain[0].platform);
}

#[test]
fn a_token_is_for_the_platforms_own_namespaces() {
    let mine = "openshift-logging/logging-loki-gateway-http app.kubernetes.io/component=lokistack-gateway | public:8080";
    let theirs =
        "team-a/loki-gateway-http app.kubernetes.io/component=lokistack-gateway | public:8080";
    assert_eq!(
        places(Loki, true, &[theirs, mine]),
        [
            "openshift-logging/logging-loki-gateway-http:8080+tls+token",
            "team-a/loki-gateway-http:8080+tls"
        ]
    );
    assert!(picked(Loki, true, &[mine])[0].paths[0].ends_with("/v1/application"));
    assert_eq!(picked(Loki, true, &[mine])[0].paths.len(), 3);
}

#[test]
fn kube_prometheus_stack() {
    let services = [
        "mon/kps-kube-prometheus-stack-prometheus app=kube-prometheus-stack-prometheus self-monitor=true | reloader-web:8080 http-web:9090",
        "mon/kps-kube-prometheus-stack-alertmanager app=kube-prometheus-stack-alertmanager | reloader-web:8080 http-web:9093",
        "mon/kps-kube-prometheus-stack-operator app=kube-prometheus-stack-operator | https:443",
        "mon/prometheus-operated headless operated-prometheus=true | http-web:9090",
        "mon/alertmanager-operated headless operated-alertmanager=true | http-web:9093 tcp-mesh:9094 ",
        "mon/kps-prometheus-node-exporter app.kubernetes.io/name=prometheus-node-exporter | http-metrics:9100",
        "mon/kps-kube-state-metrics app.kubernetes.io/name=kube-state-metrics | http:8080",
    ];
    assert_eq!(
        places(Prometheus, false, &services),
        [
            "mon/kps-kube-prometheus-stack-prometheus:9090",
            "mon/prometheus-operated:9090"
        ]
    );
    assert_eq!(
        places(Alertmanager, false, &services),
        [
            "mon/kps-kube-prometheus-stack-alertmanager:9093",
            "mon/alertmanager-operated:9093"
        ]
    );
    assert!(places(Thanos, false, &services).is_empty());
}

#[test]
fn other_prometheis() {
    for (text, place) in [
        (
            "monitoring/prometheus-k8s app.kubernetes.io/name=prometheus app.kubernetes.io/component=prometheus | reloader-web:8080 web:9090",
            "monitoring/prometheus-k8s:9090",
        ),
        (
            "a/x-server app=prometheus component=server | http:80",
            "a/x-server:80",
        ),
        (
            "a/prometheus-server app.kubernetes.io/name=prometheus app.kubernetes.io/component=server | http:80",
            "a/prometheus-server:80",
        ),
        ("a/p app=prometheus-server | x:1 :9090", "a/p:9090"),
        (
            "a/rancher-monitoring-prometheus app=rancher-monitoring-prometheus | http-web:9090",
            "a/rancher-monitoring-prometheus:9090",
        ),
        (
            "a/vmsingle-x app.kubernetes.io/name=vmsingle | http:8428",
            "a/vmsingle-x:8428",
        ),
        (
            "a/p app.kubernetes.io/name=prometheus | https-web:8443 web:9090",
            "a/p:9090",
        ),
    ] {
        assert_eq!(places(Prometheus, false, &[text]), [place], "{text}");
    }
    for text in [
        "kubecost/p-server app=prometheus component=server release=kubecost | http:80",
        "a/x app=prometheus component=pushgateway | http:9091",
        "a/x app=prometheus component=node-exporter | http:9100",
        "a/prometheus-adapter app.kubernetes.io/name=prometheus-adapter | https:443",
        "a/prometheus app=grafana | grpc:10901",
        "a/prometheus-pushgateway app.kubernetes.io/name=prometheus app.kubernetes.io/component=pushgateway | http:9091",
    ] {
        assert!(places(Prometheus, false, &[text]).is_empty(), "{text}");
    }
}

#[test]
fn victoria_metrics_select() {
    let found = picked(
        Prometheus,
        false,
        &["vm/vmselect-x app.kubernetes.io/name=vmselect | http:8481 native:8401"],
    );
    assert_eq!(found[0].place(), "vm/vmselect-x:8481");
    assert_eq!(found[0].paths, ["/select/0/prometheus"]);
}

#[test]
fn thanos_by_http_never_by_grpc() {
    for text in [
        "t/tq app.kubernetes.io/name=thanos-query | grpc:10901 http:9090",
        "t/tq app.kubernetes.io/name=thanos app.kubernetes.io/component=query | grpc:10901 http:9090",
        "t/tq app=thanos-querier | grpc:10901 :9090",
    ] {
        assert_eq!(places(Thanos, false, &[text]), ["t/tq:9090"], "{text}");
    }
    let old = "t/tq app=thanos-query | grpc:10901 :10902";
    assert_eq!(places(Thanos, false, &[old]), ["t/tq:10902"]);
}

#[test]
fn the_lokis_that_answer_queries() {
    let part = |name: &str, component: &str| {
        format!(
            "logging/{name} app.kubernetes.io/name=loki app.kubernetes.io/component={component} | http-metrics:3100 grpc:9095"
        )
    };
    let all = [
        part("loki-distributor", "distributor"),
        part("loki-write", "write"),
        part("loki-ingester", "ingester"),
        part("loki-ingester-zone-a", "ingester"),
        part("loki-backend", "backend"),
        part("loki-compactor", "compactor"),
        part("loki-index-gateway", "index-gateway"),
        part("loki-read", "read"),
        part("loki-query-frontend", "query-frontend"),
        "logging/loki-gateway app.kubernetes.io/name=loki app.kubernetes.io/component=gateway | http:80".into(),
        "logging/loki-memberlist app.kubernetes.io/name=loki | tcp:7946".into(),
        "logging/loki-headless headless app.kubernetes.io/name=loki | http-metrics:3100".into(),
        "logging/loki-canary app.kubernetes.io/name=loki app.kubernetes.io/component=canary | http-metrics:3500".into(),
        "logging/loki-distributor-headless app.kubernetes.io/name=loki | http-metrics:3100".into(),
    ];
    let texts: Vec<&str> = all.iter().map(String::as_str).collect();
    assert_eq!(
        places(Loki, false, &texts),
        [
            "logging/loki-gateway:80",
            "logging/loki-query-frontend:3100",
            "logging/loki-read:3100"
        ]
    );
    let writing = &texts[..5];
    assert!(places(Loki, false, writing).is_empty());
    let single = "logging/loki app.kubernetes.io/name=loki | http-metrics:3100 grpc:9095";
    assert_eq!(places(Loki, false, &[single]), ["logging/loki:3100"]);
    let older = "logging/loki app=loki | http-metrics:3100";
    assert_eq!(places(Loki, false, &[older]), ["logging/loki:3100"]);
}

#[test]
fn tempo() {
    let part = |name: &str, component: &str| {
        format!(
            "t/{name} app.kubernetes.io/name=tempo app.kubernetes.io/component={component} | http-metrics:3200 grpc:9095"
        )
    };
    let all = [
        part("tempo-distributor", "distributor"),
        part("tempo-ingester", "ingester"),
        part("tempo-query-frontend", "query-frontend"),
    ];
    let texts: Vec<&str> = all.iter().map(String::as_str).collect();
    assert_eq!(
        places(Tempo, false, &texts),
        ["t/tempo-query-frontend:3200"]
    );
    let single = "t/tempo app.kubernetes.io/name=tempo | tempo-otlp:4317 tempo-prom-metrics:3200 jaeger:14268";
    assert_eq!(places(Tempo, false, &[single]), ["t/tempo:3200"]);
}

#[test]
fn exporters_and_models() {
    for (component, text, place) in [
        (
            Dcgm,
            "nvidia-gpu-operator/nvidia-dcgm-exporter app=nvidia-dcgm-exporter | gpu-metrics:9400",
            "nvidia-gpu-operator/nvidia-dcgm-exporter:9400",
        ),
        (
            Dcgm,
            "gpu/dcgm app.kubernetes.io/name=dcgm-exporter | metrics:9400",
            "gpu/dcgm:9400",
        ),
        (
            AmdExporter,
            "kube-amd-gpu/r-amd-metrics-exporter app.kubernetes.io/name=metrics-exporter | x:5000",
            "kube-amd-gpu/r-amd-metrics-exporter:5000",
        ),
        (
            PtpExporter,
            "openshift-ptp/ptp-monitor-service headless name=ptp-monitor-service | metrics:8443",
            "openshift-ptp/ptp-monitor-service:8443+tls",
        ),
        (
            SriovExporter,
            "openshift-sriov-network-operator/sriov-network-metrics-exporter-service headless | sriov-network-metrics:9110",
            "openshift-sriov-network-operator/sriov-network-metrics-exporter-service:9110+tls",
        ),
        (
            SriovExporter,
            "monitoring/sriov-metrics-exporter | metrics:9808",
            "monitoring/sriov-metrics-exporter:9808",
        ),
        (
            Vllm,
            "ai/vllm-qwen app=my-vllm-qwen | :8000",
            "ai/vllm-qwen:8000",
        ),
        (
            Vllm,
            "ai/qwen-predictor serving.kserve.io/inferenceservice=qwen | http:80",
            "ai/qwen-predictor:80",
        ),
        (
            Nats,
            "nats/nats app.kubernetes.io/name=nats | nats:4222",
            "nats/nats:4222",
        ),
    ] {
        assert_eq!(places(component, true, &[text]), [place], "{text}");
    }
    let other = "a/metrics-exporter app.kubernetes.io/name=metrics-exporter | http:8080";
    assert!(places(AmdExporter, false, &[other]).is_empty());
}

#[test]
fn usual_places_go_before_others() {
    let of =
        |namespace: &str, labels: &str| format!("{namespace}/prometheus-k8s {labels} | web:9090");
    let usual = of("monitoring", "");
    let tenant = of("a-team", "app=kube-prometheus-stack-prometheus");
    assert_eq!(
        places(Prometheus, false, &[&tenant, &usual]),
        [
            "monitoring/prometheus-k8s:9090",
            "a-team/prometheus-k8s:9090"
        ]
    );
}

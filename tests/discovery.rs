//! What a cluster offers is found and used with nothing but a kubeconfig: real servers behind the
//! port-forward and the service proxy of an API server in this process.

#[path = "support/apiserver/mod.rs"]
mod apiserver;
#[path = "support/prometheus.rs"]
mod prometheus;
#[path = "support/tunnel.rs"]
mod tunnel;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use farwatch::clock;
use farwatch::config::{Cluster, Config, Endpoint, Kube};
use farwatch::model::alert::{Alert, AlertState, Severity};
use farwatch::model::ask::{Ask, Question};
use farwatch::model::discovery::{Component, Outcome, Platform, Probe};
use farwatch::model::health::{Health, SourceHealth, SourceKind};
use farwatch::model::id::{ClusterId, RequestId};
use farwatch::model::label::Labels;
use farwatch::model::signal::Group;
use farwatch::model::telemetry::{Body, Telemetry};
use farwatch::source::Outlet;
use farwatch::source::supervisor::{Fleet, Pace};
use farwatch::state::world::World;
use serde_json::{Value, json};
use tokio::sync::mpsc::Receiver;

use apiserver::{ApiServer, Fault, Options, User, wire};
use prometheus::{Alertmanager, Prometheus};
use tunnel::{Forwards, Pod};

const INTERVAL: Duration = Duration::from_millis(500);
const RULES: &str = "groups: [{name: g, rules: [{alert: Firing, expr: vector(1), labels: {severity: critical}}]}]\n";

/// One cluster, of which nothing is known but how to sign in.
struct Lab {
    api: ApiServer,
    forwards: Forwards,
}

impl Lab {
    async fn new() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let api = ApiServer::start_with(options).await;
        Self {
            forwards: Forwards::serve(&api),
            api,
        }
    }

    fn cluster(&self) -> Cluster {
        Cluster {
            name: "alpha".into(),
            kube: Some(Kube {
                context: Some("lab".into()),
                kubeconfig: vec![self.api.kubeconfig()],
                interval: Some(INTERVAL),
                timeout: Duration::from_secs(10),
                ..Kube::default()
            }),
            discover: true,
            ..Cluster::default()
        }
    }

    fn start(&self) -> (Fleet, Receiver<Telemetry>) {
        start(self.cluster())
    }

    /// A service that can be forwarded to: its pod is ready.
    fn forwarded(&self, service: Value, to: SocketAddr) {
        let metadata = &service["metadata"];
        let (namespace, name) = (&metadata["namespace"], metadata["name"].as_str().unwrap());
        let pod = format!("{name}-0");
        self.api.put(json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": namespace, "name": pod, "labels": {"app": name}},
            "spec": {"containers": [{"name": "main"}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}));
        self.forwards.pod(&pod, Pod::Works(to));
        self.api.put(service);
    }

    /// A service without pods of its own: only the service proxy leads there.
    fn proxied(&self, mut service: Value, to: SocketAddr) {
        service["spec"]["selector"] = json!({});
        let (metadata, port) = (&service["metadata"], &service["spec"]["ports"]);
        let text = |of: &Value| of.as_str().unwrap().to_owned();
        let (namespace, name) = (text(&metadata["namespace"]), text(&metadata["name"]));
        let last = port.as_array().unwrap().last().unwrap()["port"].to_string();
        self.api.backend(&namespace, &name, &last, to);
        self.api.put(service);
    }
}

fn start(cluster: Cluster) -> (Fleet, Receiver<Telemetry>) {
    start_with(cluster, Pace::default().discovery)
}

/// `discovery`: time between two of them.
fn start_with(cluster: Cluster, discovery: Duration) -> (Fleet, Receiver<Telemetry>) {
    let config = Config {
        clusters: vec![cluster],
        ..Config::default()
    };
    let pace = Pace {
        shortest: Duration::from_millis(100),
        longest: Duration::from_secs(1),
        discovery,
        ..Pace::default()
    };
    let (outlet, queue) = Outlet::new(1024);
    let fleet = Fleet::start_with(Arc::new(config), outlet, pace);
    fleet.demand(vec![(ClusterId(0), Group::Cluster)]);
    (fleet, queue)
}

/// With a sidecar's port first, as operators write them.
fn service(namespace: &str, name: &str, labels: Value, port: (&str, u16)) -> Value {
    json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"namespace": namespace, "name": name, "labels": labels},
        "spec": {"clusterIP": "10.0.0.9", "selector": {"app": name},
            "ports": [{"name": "reloader-web", "port": 8080, "targetPort": 1},
                {"name": port.0, "port": port.1, "targetPort": port.1}]}})
}

fn stack_prometheus() -> Value {
    let labels = json!({"app": "kube-prometheus-stack-prometheus"});
    service("monitoring", "kps-prometheus", labels, ("http-web", 9090))
}

fn stack_alertmanager() -> Value {
    let labels = json!({"app": "kube-prometheus-stack-alertmanager"});
    service("monitoring", "kps-alertmanager", labels, ("http-web", 9093))
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn own_metrics(alertmanager: Option<u16>) -> Prometheus {
    let alerting = alertmanager.map_or_else(String::new, |port| {
        format!(
            "alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]}}\n"
        )
    });
    let scraped =
        "scrape_configs:\n- job_name: self\n  static_configs: [{targets: ['127.0.0.1:1']}]\n";
    Prometheus::start(&format!("{alerting}{scraped}"), RULES)
}

async fn until<T>(
    queue: &mut Receiver<Telemetry>,
    what: &str,
    mut wanted: impl FnMut(&Telemetry) -> Option<T>,
) -> T {
    let mut last = Vec::new();
    let found = async {
        loop {
            let telemetry = queue.recv().await.expect("the queue is open");
            if let Some(found) = wanted(&telemetry) {
                return found;
            }
            if let Body::Discovery(probes) = telemetry.body {
                last = probes;
            }
        }
    };
    match tokio::time::timeout(Duration::from_secs(60), found).await {
        Ok(found) => found,
        Err(_) => panic!("never: {what}; found last: {last:#?}"),
    }
}

async fn probes(queue: &mut Receiver<Telemetry>) -> Vec<Probe> {
    let probes = until(queue, "a discovery", |t| match &t.body {
        Body::Discovery(probes) => Some(probes.clone()),
        _ => None,
    });
    let probes = probes.await;
    assert_eq!(probes.len(), Component::ALL.len());
    for probe in &probes {
        assert!(!probe.reason.trim().is_empty(), "{probe:?}");
    }
    probes
}

fn of(probes: &[Probe], component: Component) -> &Probe {
    probes.iter().find(|p| p.component == component).unwrap()
}

fn live_samples(telemetry: &Telemetry, source: SourceKind) -> Option<()> {
    let fits = telemetry.source == source;
    match &telemetry.body {
        Body::Samples(batch) if fits && !batch.backfill && !batch.series.is_empty() => Some(()),
        _ => None,
    }
}

async fn samples(queue: &mut Receiver<Telemetry>, source: SourceKind) {
    until(queue, "live samples", |t| live_samples(t, source)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kubeconfig_is_enough() {
    let manager = Alertmanager::start();
    let metrics = own_metrics(Some(manager.program.port));
    let lab = Lab::new().await;
    // Busy at first: it is asked again when it wants.
    lab.api.fault(Fault::too_many("list", "services", 1).once());
    lab.forwarded(stack_prometheus(), loopback(metrics.port));
    lab.forwarded(stack_alertmanager(), loopback(manager.program.port));
    lab.api.put(
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"namespace": "argocd", "name": "shop"}}),
    );
    let (fleet, mut queue) = lab.start();
    let told = probes(&mut queue).await;
    for component in [Component::Prometheus, Component::Alertmanager] {
        let probe = of(&told, component);
        assert_eq!(probe.outcome, Outcome::Found, "{probe:?}");
        assert!(probe.used && probe.version.is_some(), "{probe:?}");
    }
    let prometheus = of(&told, Component::Prometheus);
    assert_eq!(
        prometheus.place.as_deref(),
        Some("monitoring/kps-prometheus:9090")
    );
    assert_eq!(
        prometheus.via.as_deref(),
        Some("port-forward to kps-prometheus-0")
    );
    let argo = of(&told, Component::ArgoCd);
    assert_eq!(argo.place.as_deref(), Some("argoproj.io/v1alpha1"));
    for component in [Component::Loki, Component::Flux, Component::PtpOperator] {
        assert_eq!(of(&told, component).outcome, Outcome::NotFound);
    }
    let (mut sampled, mut alerted) = (false, false);
    until(&mut queue, "samples and the alert", |t| {
        sampled |= live_samples(t, SourceKind::Prometheus).is_some();
        alerted |= t.source == SourceKind::Alertmanager(0)
            && matches!(&t.body, Body::Alerts(a) if a.iter().any(|a| &*a.name == "Firing"));
        (sampled && alerted).then_some(())
    })
    .await;
    let question = Question {
        id: RequestId(1),
        cluster: ClusterId(0),
        ask: Ask::Instant {
            query: "vector(7)".into(),
            at: clock::now(),
        },
    };
    let answered = fleet.lookup().ask(question).await;
    assert!(answered.result.is_ok(), "{:?}", answered.result);
    is_polite(&lab.api);
    fleet.shutdown().await;
}

/// What one discovery asked of the API server, beside the watches.
fn is_polite(api: &ApiServer) {
    let seen = api.seen();
    for asked in &seen {
        let agent = asked.request.header("user-agent").unwrap_or_default();
        assert!(agent.starts_with("farwatch/"), "{agent}: {asked:?}");
    }
    let of_discovery = |path: &str| {
        let own = ["/apis", "/api/v1/services", "/portforward"];
        let kinds = ["routes", "ingresses", "clusterversions", "configmaps"];
        own.iter().any(|p| path.ends_with(p))
            || kinds.iter().any(|k| path.contains(k))
            || path.contains("/services/")
            || path.contains("/namespaces/monitoring/pods")
    };
    let asked: Vec<&str> = seen
        .iter()
        .map(|s| s.request.path.as_str())
        .filter(|path| of_discovery(path))
        .collect();
    // A 429 and its repetition among them; the sources open their own forwards.
    assert!((5..36).contains(&asked.len()), "{asked:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_right_it_says_which_is_missing() {
    let lab = Lab::new().await;
    let viewer = User::new("eve", &[]).allow("list watch", "", "nodes pods events");
    lab.api.user("lab-view-token", viewer);
    lab.api.put(stack_prometheus());
    let (fleet, mut queue) = lab.start();
    let told = probes(&mut queue).await;
    let probe = of(&told, Component::Prometheus);
    assert_eq!(probe.outcome, Outcome::NoPermission, "{probe:?}");
    assert!(probe.reason.contains("list services"), "{probe:?}");
    assert!(!probe.used);
    // The groups are open to everybody.
    assert_eq!(of(&told, Component::ArgoCd).outcome, Outcome::NotFound);
    // Bounded also where each namespace is asked by itself.
    assert!(lab.api.count("list", "services") < 30);
    fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_namespace_may_be_readable() {
    let metrics = own_metrics(None);
    let lab = Lab::new().await;
    let mut user = User::new("eve", &[])
        .allow("get list watch", "", "pods services")
        .allow("get create", "", "pods/portforward");
    for rule in user.rules.iter_mut().flatten().filter(|r| r.groups == [""]) {
        rule.namespace = Some("monitoring".into());
    }
    lab.api.user("lab-view-token", user);
    lab.forwarded(stack_prometheus(), loopback(metrics.port));
    let (fleet, mut queue) = lab.start();
    let told = probes(&mut queue).await;
    assert_eq!(of(&told, Component::Prometheus).outcome, Outcome::Found);
    let loki = of(&told, Component::Loki);
    assert_eq!(loki.outcome, Outcome::NoPermission);
    assert!(
        loki.reason.contains("seen were only monitoring"),
        "{loki:?}"
    );
    samples(&mut queue, SourceKind::Prometheus).await;
    fleet.shutdown().await;
}

async fn answering(
    status: u16,
    kind: &'static str,
    header: (&str, &str),
    body: &str,
) -> wire::Server {
    let header = (header.0.to_owned(), header.1.to_owned());
    let body = body.to_owned();
    wire::Server::start(Arc::new(move |_, stream| {
        let (header, body) = (header.clone(), body.clone());
        Box::pin(async move {
            let header = [(header.0.as_str(), header.1.as_str())];
            wire::reply(stream, status, kind, &header, body.as_bytes()).await
        })
    }))
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_page_is_no_prometheus() {
    let page = "<html><title>Log in</title><form action=/oauth/login><input type=password></form>";
    let login = answering(200, "text/html", ("x-a", "b"), page).await;
    let lab = Lab::new().await;
    lab.forwarded(stack_prometheus(), login.address);
    let (fleet, mut queue) = lab.start();
    let told = probes(&mut queue).await;
    let probe = of(&told, Component::Prometheus);
    assert_eq!(probe.outcome, Outcome::Error, "{probe:?}");
    assert!(probe.reason.contains("login page"), "{probe:?}");
    assert!(!probe.used && probe.place.is_none());
    fleet.shutdown().await;
}

fn route(name: &str, host: &str) -> Value {
    json!({"apiVersion": "route.openshift.io/v1", "kind": "Route",
        "metadata": {"namespace": "monitoring", "name": name},
        "spec": {"host": host, "to": {"kind": "Service", "name": "kps-prometheus"},
            "port": {"targetPort": "http-web"}},
        "status": {"ingress": [{"host": host,
            "conditions": [{"type": "Admitted", "status": "True"}]}]}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_that_leads_nowhere_is_passed_over() {
    let metrics = own_metrics(None);
    let lab = Lab::with(Options {
        openshift: true,
        ..Options::default()
    })
    .await;
    lab.forwarded(stack_prometheus(), loopback(metrics.port));
    lab.api.put(route("gone", "prometheus.farwatch.invalid"));
    let (fleet, mut queue) = lab.start();
    let told = probes(&mut queue).await;
    let probe = of(&told, Component::Prometheus);
    assert_eq!(probe.outcome, Outcome::Found, "{probe:?}");
    assert_eq!(
        probe.via.as_deref(),
        Some("port-forward to kps-prometheus-0")
    );
    assert!(
        probe.reason.contains("prometheus.farwatch.invalid"),
        "{probe:?}"
    );
    samples(&mut queue, SourceKind::Prometheus).await;
    fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_later_is_hired_and_what_goes_is_let_go() {
    let metrics = own_metrics(None);
    let lab = Lab::new().await;
    let (fleet, mut queue) = lab.start();
    let told = probes(&mut queue).await;
    for probe in &told {
        assert_eq!(probe.outcome, Outcome::NotFound, "{probe:?}");
    }
    lab.proxied(stack_prometheus(), loopback(metrics.port));
    fleet.refresh(Some(ClusterId(0)));
    let told = probes(&mut queue).await;
    let probe = of(&told, Component::Prometheus);
    assert_eq!(
        probe.via.as_deref(),
        Some("service proxy monitoring/kps-prometheus:9090"),
        "{probe:?}"
    );
    samples(&mut queue, SourceKind::Prometheus).await;
    // Unchanged, it goes on; nobody makes it anew.
    fleet.refresh(Some(ClusterId(0)));
    let mut connecting = 0;
    until(&mut queue, "another discovery", |t| match &t.body {
        Body::Health(h) if t.source == SourceKind::Prometheus => {
            connecting += usize::from(h.health == Health::Connecting);
            None
        }
        Body::Discovery(_) => Some(()),
        _ => None,
    })
    .await;
    assert_eq!(connecting, 0);
    lab.api.delete("Service", "monitoring", "kps-prometheus");
    fleet.refresh(Some(ClusterId(0)));
    until(&mut queue, "let go", |t| {
        (t.source == SourceKind::Prometheus && t.body == Body::Gone).then_some(())
    })
    .await;
    fleet.shutdown().await;
}

/// A server that fails while the switch is on.
async fn failing_at_times(
    kind: &'static str,
    body: &'static str,
) -> (wire::Server, Arc<AtomicBool>) {
    let sick = Arc::new(AtomicBool::new(false));
    let known = sick.clone();
    let server = wire::Server::start(Arc::new(move |_, stream| {
        let status = if known.load(Ordering::SeqCst) {
            503
        } else {
            200
        };
        Box::pin(async move { wire::reply(stream, status, kind, &[], body.as_bytes()).await })
    }));
    (server.await, sick)
}

const QUERIED: &str = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"1"]}]}}"#;
const PAGE: &str =
    "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{model_name=\"m\"} 3\n";

fn model(name: &str) -> Value {
    service(
        "ai",
        name,
        json!({"app": format!("vllm-{name}")}),
        ("http", 8000),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passing_error_of_prometheus_hires_no_exporters() {
    let (metrics, sick) = failing_at_times("application/json", QUERIED).await;
    let exporter = answering(200, "text/plain", ("x-a", "b"), PAGE).await;
    let lab = Lab::new().await;
    lab.proxied(stack_prometheus(), metrics.address);
    lab.proxied(model("qwen"), exporter.address);
    let (fleet, mut queue) = lab.start();
    let told = probes(&mut queue).await;
    assert!(of(&told, Component::Prometheus).used, "{told:?}");
    sick.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        fleet.refresh(Some(ClusterId(0)));
        let told = probes(&mut queue).await;
        let probe = of(&told, Component::Prometheus);
        assert!(probe.used && probe.outcome == Outcome::Error, "{probe:?}");
        assert_eq!(of(&told, Component::Vllm).outcome, Outcome::Found);
        assert!(!of(&told, Component::Vllm).used, "{told:?}");
    }
    fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exporter_that_fails_for_a_while_is_kept() {
    let well = answering(200, "text/plain", ("x-a", "b"), PAGE).await;
    let (ill, sick) = failing_at_times("text/plain", PAGE).await;
    let lab = Lab::new().await;
    lab.proxied(model("llama"), ill.address);
    lab.proxied(model("qwen"), well.address);
    let (fleet, mut queue) = lab.start();
    probes(&mut queue).await;
    samples(&mut queue, SourceKind::Exporter(1)).await;
    sick.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        fleet.refresh(Some(ClusterId(0)));
        until(&mut queue, "another discovery", |t| {
            assert!(t.body != Body::Gone, "{t:?}");
            matches!(t.body, Body::Discovery(_)).then_some(())
        })
        .await;
    }
    // Really gone it goes.
    lab.api.delete("Service", "ai", "llama");
    fleet.refresh(Some(ClusterId(0)));
    until(&mut queue, "let go", |t| {
        (t.source == SourceKind::Exporter(0) && t.body == Body::Gone).then_some(())
    })
    .await;
    fleet.shutdown().await;
}

/// `farwatch check` with this kubeconfig, other servers by way of `proxy`: its status and its rows.
async fn checked(lab: &Lab, proxy: Option<&wire::Server>) -> (Option<i32>, Vec<Value>) {
    let home = tempfile::tempdir().unwrap();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_farwatch"));
    command
        .args(["check", "--output", "json"])
        .env("HOME", home.path())
        .env("XDG_CONFIG_HOME", home.path())
        .env("XDG_STATE_HOME", home.path())
        .env("KUBECONFIG", lab.api.kubeconfig())
        .env("NO_PROXY", "127.0.0.1")
        .env_remove("FARWATCH_CONFIG");
    if let Some(proxy) = proxy {
        command.env("http_proxy", proxy.url());
    }
    let output = command.output().await.unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).expect("json");
    let rows = report["results"].as_array().unwrap().clone();
    (output.status.code(), rows)
}

fn row<'a>(rows: &'a [Value], source: &str) -> &'a Value {
    let row = rows.iter().find(|r| r["source"] == source);
    row.unwrap_or_else(|| panic!("no {source} in {rows:#?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_that_answers_is_taken_first() {
    let (metrics, _) = failing_at_times("application/json", QUERIED).await;
    let lab = Lab::with(Options {
        openshift: true,
        ..Options::default()
    })
    .await;
    lab.forwarded(stack_prometheus(), metrics.address);
    lab.api.put(route("metrics", "metrics.apps.example.org"));
    lab.api.put(
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"namespace": "argocd", "name": "shop"}}),
    );
    // Whoever asks for the Route's host comes here.
    let (code, rows) = checked(&lab, Some(&metrics)).await;
    let found = row(&rows, "found: Prometheus");
    assert_eq!(
        found["endpoint"],
        "monitoring/kps-prometheus:9090 (via route metrics.apps.example.org)"
    );
    assert_eq!(
        (&found["reachable"], &found["auth"]),
        (&json!(true), &json!("none needed"))
    );
    let argo = row(&rows, "found: Argo CD");
    assert_eq!(
        (&argo["reachable"], &argo["auth"]),
        (&Value::Null, &json!("not asked"))
    );
    assert_eq!(code, Some(0), "{rows:#?}");
    assert!(lab.forwards.asked().is_empty(), "no other way was tried");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_that_cannot_be_listed_are_not_none() {
    let (metrics, _) = failing_at_times("application/json", QUERIED).await;
    let lab = Lab::with(Options {
        openshift: true,
        ..Options::default()
    })
    .await;
    lab.forwarded(stack_prometheus(), metrics.address);
    lab.api.put(route("metrics", "metrics.farwatch.invalid"));
    lab.api.fault(Fault::server_error("list", "routes"));
    let (fleet, mut queue) = lab.start();
    let told = probes(&mut queue).await;
    let probe = of(&told, Component::Prometheus);
    assert_eq!(probe.outcome, Outcome::Found, "{probe:?}");
    assert!(
        probe
            .reason
            .contains("other ways are not known: list routes"),
        "{probe:?}"
    );
    fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_warns_of_rights_and_fails_without_discovery() {
    let lab = Lab::new().await;
    let viewer = User::new("eve", &[]).allow("list watch", "", "nodes pods events");
    lab.api.user("lab-view-token", viewer);
    let (code, rows) = checked(&lab, None).await;
    let told = row(&rows, "discovery");
    assert_eq!(
        (&told["warning"], &told["ok"]),
        (&json!(true), &json!(true))
    );
    assert!(
        told["error"].as_str().unwrap().contains("list services"),
        "{told}"
    );
    assert_eq!(code, Some(0), "all that is configured works: {rows:#?}");

    lab.api.fault(Fault::server_error("", "/apis"));
    let (code, rows) = checked(&lab, None).await;
    assert_eq!(row(&rows, "kubernetes")["ok"], true, "{rows:#?}");
    let told = row(&rows, "discovery");
    assert_eq!(
        (&told["warning"], &told["ok"]),
        (&json!(false), &json!(false))
    );
    assert!(told["error"].as_str().unwrap().contains("500"), "{told}");
    assert_eq!(code, Some(1));
}

/// As every day, only sooner: nobody asks for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_looked_again_from_time_to_time() {
    let metrics = own_metrics(None);
    let lab = Lab::new().await;
    let (fleet, mut queue) = start_with(lab.cluster(), Duration::from_millis(50));
    let told = probes(&mut queue).await;
    assert_eq!(of(&told, Component::Prometheus).outcome, Outcome::NotFound);
    lab.proxied(stack_prometheus(), loopback(metrics.port));
    until(&mut queue, "found later", |t| match &t.body {
        Body::Discovery(told) => of(told, Component::Prometheus).used.then_some(()),
        _ => None,
    })
    .await;
    fleet.shutdown().await;
}

#[test]
fn who_was_let_go_is_forgotten_with_its_alerts() {
    let config = Config {
        clusters: vec![Cluster {
            name: "alpha".into(),
            ..Cluster::default()
        }],
        ..Config::default()
    };
    let mut world = World::new(&config, clock::now());
    let mut tell = |source, body| {
        world.ingest(Telemetry {
            cluster: ClusterId(0),
            source,
            received: clock::now(),
            body,
        });
        let cluster = &world.clusters[0];
        (cluster.sources.len(), cluster.alerts.len())
    };
    let managed = SourceKind::Alertmanager(0);
    let alert = Alert {
        fingerprint: "f".into(),
        name: "Firing".into(),
        severity: Severity::Critical,
        state: AlertState::Firing,
        labels: Labels::default(),
        annotations: Labels::default(),
        starts_at: clock::now(),
        ends_at: None,
        silenced_by: Vec::new(),
        inhibited_by: Vec::new(),
        value: None,
        expression: None,
    };
    tell(managed, Body::Health(SourceHealth::default()));
    tell(
        SourceKind::Prometheus,
        Body::Health(SourceHealth::default()),
    );
    assert_eq!(tell(managed, Body::Alerts(vec![alert])), (2, 1));
    assert_eq!(tell(SourceKind::Prometheus, Body::Gone), (1, 1));
    assert_eq!(tell(managed, Body::Gone), (0, 0));
}

/// Two Services of one Alertmanager are one; another one beside it is used too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_alertmanager_is_used_once() {
    let (platform, users) = (Alertmanager::start(), Alertmanager::start());
    let lab = Lab::new().await;
    let named = |namespace: &str, name: &str| {
        let labels = json!({"app.kubernetes.io/name": "alertmanager"});
        service(namespace, name, labels, ("http-web", 9093))
    };
    let (first, second) = (platform.program.port, users.program.port);
    lab.proxied(named("monitoring", "alertmanager-main"), loopback(first));
    lab.proxied(named("monitoring", "alertmanager-web"), loopback(first));
    lab.proxied(named("team-a", "alertmanager"), loopback(second));
    let (fleet, mut queue) = lab.start();
    let told = probes(&mut queue).await;
    let probe = of(&told, Component::Alertmanager);
    assert!(probe.used && probe.reason == "2 answer", "{probe:?}");
    let mut live = std::collections::BTreeSet::new();
    until(&mut queue, "both tell their alerts", |t| {
        if matches!(t.body, Body::Alerts(_)) {
            live.insert(t.source);
        }
        let both = [SourceKind::Alertmanager(0), SourceKind::Alertmanager(1)];
        (live == both.into()).then_some(())
    })
    .await;
    fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exporters_are_scraped_where_nobody_else_does() {
    let exporter = answering(200, "text/plain", ("x-a", "b"), PAGE).await;
    let lab = Lab::new().await;
    lab.proxied(model("qwen"), exporter.address);
    let (fleet, mut queue) = lab.start();
    let told = probes(&mut queue).await;
    let probe = of(&told, Component::Vllm);
    assert!(probe.used && probe.outcome == Outcome::Found, "{probe:?}");
    samples(&mut queue, SourceKind::Exporter(0)).await;
    fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_configuration_names_is_left_to_it() {
    let metrics = own_metrics(None);
    let lab = Lab::with(Options {
        openshift: true,
        ..Options::default()
    })
    .await;
    lab.api.put(
        json!({"apiVersion": "config.openshift.io/v1", "kind": "ClusterVersion",
        "metadata": {"name": "version"},
        "status": {"desired": {"version": "4.19.9"},
            "history": [{"state": "Completed", "version": "4.19.9"}]}}),
    );
    lab.forwarded(stack_prometheus(), loopback(metrics.port));
    let mut cluster = lab.cluster();
    cluster.prometheus = Some(Endpoint {
        url: metrics.url(),
        interval: Some(INTERVAL),
        timeout: Duration::from_secs(5),
        ..Endpoint::default()
    });
    let (fleet, mut queue) = start(cluster);
    let facts = until(&mut queue, "the platform", |t| match &t.body {
        Body::Facts(facts) if facts.platform.is_some() => Some(facts.clone()),
        _ => None,
    })
    .await;
    assert_eq!(facts.platform, Some(Platform::OpenShift));
    assert_eq!(facts.openshift_version.as_deref(), Some("4.19.9"));
    let told = probes(&mut queue).await;
    let probe = of(&told, Component::Prometheus);
    assert!(probe.outcome == Outcome::Found && !probe.used, "{probe:?}");
    assert!(probe.reason.contains("configuration"), "{probe:?}");
    fleet.shutdown().await;
}

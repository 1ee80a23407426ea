//! Endpoints inside a cluster, reached through its API server: real servers behind a port-forward
//! and behind the service proxy, streams too, and whatever breaks on the way.

#[path = "support/apiserver/mod.rs"]
mod apiserver;
#[path = "tunnels/cards.rs"]
mod cards;
#[path = "support/exec.rs"]
mod exec;
#[path = "support/faults.rs"]
mod faults;
#[path = "support/loki.rs"]
mod loki_server;
#[path = "support/prometheus.rs"]
mod prometheus;
#[path = "tunnels/rights.rs"]
mod rights;
#[path = "support/tunnel.rs"]
mod tunnel;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use farwatch::config::{
    Auth, Cluster, Config, Endpoint, Kube, ServicePort, ServiceRef, Target, Via,
};
use farwatch::model::fault::FaultKind;
use farwatch::model::health::{Health, SourceKind};
use farwatch::model::telemetry::{Body, Telemetry};
use farwatch::source::Outlet;
use farwatch::source::door::{Door, SourceError};
use farwatch::source::kubernetes::Server;
use farwatch::source::supervisor::{Fleet, Pace};
use serde_json::json;
use tokio::sync::mpsc::Receiver;

use apiserver::{ApiServer, Fault, Options, User, wire};
use loki_server::LokiServer;
use prometheus::{Alertmanager, Prometheus};
use tunnel::{Forwards, Pod, pod, service};

const SERVICE: &str = "prometheus-k8s";
const QUERY: &str = "/api/v1/query";

/// An API server with one Service and its pods.
struct Lab {
    api: ApiServer,
    forwards: Forwards,
    server: Server,
}

impl Lab {
    async fn new() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let api = ApiServer::start_with(options).await;
        api.put(service("monitoring", SERVICE, json!("web")));
        let forwards = Forwards::serve(&api);
        let kube = Kube {
            context: Some("lab".into()),
            kubeconfig: vec![api.kubeconfig()],
            ..Kube::default()
        };
        Self {
            server: Server::new("alpha", &kube),
            forwards,
            api,
        }
    }

    /// A ready pod of the service that leads to this server.
    fn works(&self, name: &str, to: SocketAddr) {
        self.api
            .put(pod("monitoring", SERVICE, name, to.port(), true));
        self.forwards.pod(name, Pod::Works(to));
    }

    fn door(&self, via: Via) -> Door {
        self.open(&endpoint(via))
    }

    fn open(&self, endpoint: &Endpoint) -> Door {
        Door::open(endpoint, "alpha", Some(&self.server)).unwrap()
    }
}

fn to(name: &str) -> ServiceRef {
    ServiceRef {
        namespace: "monitoring".into(),
        name: name.into(),
        port: ServicePort::Name("web".into()),
        tls: false,
    }
}

fn forward() -> Via {
    Via::Forward(Target::Service(to(SERVICE)))
}

/// The same to a port that speaks TLS.
fn guarded() -> Via {
    Via::Forward(Target::Service(ServiceRef {
        tls: true,
        ..to(SERVICE)
    }))
}

fn endpoint(via: Via) -> Endpoint {
    Endpoint {
        url: match &via {
            Via::Proxy(service) => service.url(""),
            Via::Forward(target) => target.url(""),
            _ => unreachable!(),
        },
        via,
        timeout: Duration::from_secs(20),
        requests_per_minute: 6_000,
        ..Endpoint::default()
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A Prometheus with two thousand series at second 1,000.
async fn real() -> Prometheus {
    let mut history = "# TYPE many gauge\n".to_owned();
    for n in 0..2_000 {
        writeln!(history, "many{{n=\"{n}\"}} {n} 1000").unwrap();
    }
    history.push_str("# EOF\n");
    Prometheus::start_with_history("", "", Some(&history))
}

/// Stands for one where any answer will do.
async fn stub() -> wire::Server {
    wire::Server::start(Arc::new(|_, stream| {
        Box::pin(async move {
            let body = wire::fixture("kube/proxy_prometheus_query.json");
            wire::reply(stream, 200, "application/json", &[], &body).await
        })
    }))
    .await
}

fn straight(server: &Prometheus) -> Door {
    let endpoint = Endpoint {
        url: server.url(),
        ..Endpoint::default()
    };
    Door::open(&endpoint, "alpha", None).unwrap()
}

/// The same answers as without the tunnel: small, large, to a form, and a refusal.
async fn same_answers(door: &Door, server: &Prometheus) {
    let direct = straight(server);
    let all = [("query", "many"), ("time", "1000")];
    for form in [&[("query", "vector(42)"), ("time", "0")][..], &all[..]] {
        let (here, there) = (door.post_form(QUERY, form), direct.post_form(QUERY, form));
        let (here, there) = (here.await.unwrap(), there.await.unwrap());
        assert_eq!(text(&here.body), text(&there.body));
        let got = door.get(QUERY, form).await.unwrap();
        assert_eq!(text(&got.body), text(&there.body));
        assert!(got.skew_ms.is_some(), "the server's clock is known");
    }
    let wrong = door.get(QUERY, &[("query", "up[")]).await.unwrap_err();
    assert_eq!(wrong.kind(), FaultKind::BadQuery, "{wrong}");
    assert!(wrong.to_string().contains("parse error"), "{wrong}");
    let missing = door.get("/api/v9/nope", &[]).await.unwrap_err();
    assert_eq!(missing.kind(), FaultKind::NotFound, "{missing}");
    // The first page leads to another: followed inside the server.
    let page = door.get("/", &[]).await.unwrap_err();
    assert_eq!(page.kind(), FaultKind::BadPayload, "{page}");
    let told = "the page \"Prometheus Time Series Collection and Processing Server\"";
    assert!(page.to_string().contains(told), "{page}");
}

fn text(body: &[u8]) -> &str {
    std::str::from_utf8(body).unwrap()
}

#[tokio::test]
async fn a_port_forward_leads_to_a_named_port_of_a_ready_pod() {
    let prometheus = real().await;
    let lab = Lab::new().await;
    lab.api
        .put(pod("monitoring", SERVICE, "prometheus-k8s-0", 1, false));
    lab.works("prometheus-k8s-1", local(prometheus.port));
    let door = lab.door(forward());
    let planned = door.via();
    assert_eq!(
        planned.as_deref(),
        Some("via port-forward to monitoring/prometheus-k8s:web")
    );
    same_answers(&door, &prometheus).await;
    assert_eq!(
        door.via().as_deref(),
        Some("via port-forward to prometheus-k8s-1")
    );
    let port = prometheus.port.to_string();
    assert_eq!(lab.forwards.asked()[0], ("prometheus-k8s-1".into(), port));
    assert_eq!(lab.forwards.asked().len(), 1, "one connection for all");
    let error = door.get("/nope", &[]).await.unwrap_err();
    assert!(
        error
            .endpoint
            .ends_with("(via port-forward to prometheus-k8s-1)"),
        "{error}"
    );
    // What is large comes small.
    let names = [("query", "many"), ("time", "1000")];
    let before = lab.forwards.bytes.load(Ordering::SeqCst);
    let body = door.get(QUERY, &names).await.unwrap().body.len();
    let sent = lab.forwards.bytes.load(Ordering::SeqCst) - before;
    assert!(sent * 2 < body, "{sent} of {body} bytes on the way");
}

#[tokio::test]
async fn many_questions_share_few_forwards() {
    let backend = stub().await;
    let lab = Lab::new().await;
    lab.works("prometheus-k8s-0", backend.address);
    let door = lab.door(forward());
    let ask = || door.get(QUERY, &[("query", "up")]);
    let asked = futures::future::join_all((0..12).map(|_| ask())).await;
    assert!(asked.iter().all(Result::is_ok));
    let few = async {
        while lab.forwards.open.load(Ordering::SeqCst) > 4 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), few)
        .await
        .expect("four stay");
    let before = lab.forwards.asked().len();
    ask().await.unwrap();
    assert_eq!(lab.forwards.asked().len(), before);
    drop(door);
    let none = async {
        while lab.forwards.open.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), none)
        .await
        .expect("they end with the door");
}

#[tokio::test]
async fn a_pod_that_goes_is_replaced() {
    let backend = stub().await;
    let lab = Lab::new().await;
    lab.works("prometheus-k8s-0", backend.address);
    lab.works("prometheus-k8s-1", backend.address);
    let door = lab.door(forward());
    let ask = || door.post_form(QUERY, &[("query", "up")]);
    let reply = ask().await.unwrap();
    assert_eq!(
        reply.via.as_deref(),
        Some("via port-forward to prometheus-k8s-0")
    );
    // Gone with its object.
    lab.api.delete("Pod", "monitoring", "prometheus-k8s-0");
    lab.forwards
        .pod("prometheus-k8s-0", Pod::Refused("gone".into()));
    lab.forwards.close();
    let reply = ask().await.unwrap();
    assert_eq!(
        reply.via.as_deref(),
        Some("via port-forward to prometheus-k8s-1")
    );
    // Dead, but the API server does not know yet.
    lab.works("prometheus-k8s-2", backend.address);
    let words = "error forwarding port 9090 to pod x: connect: connection refused";
    lab.forwards
        .pod("prometheus-k8s-1", Pod::Refused(words.into()));
    lab.forwards.close();
    let reply = ask().await.unwrap();
    assert_eq!(
        reply.via.as_deref(),
        Some("via port-forward to prometheus-k8s-2")
    );
    // None is left that works: the node's own words.
    lab.forwards
        .pod("prometheus-k8s-2", Pod::Refused(words.into()));
    lab.forwards.close();
    let error = ask().await.unwrap_err();
    assert_eq!(error.kind(), FaultKind::Unreachable);
    assert!(error.to_string().contains("connection refused"), "{error}");
    lab.works("prometheus-k8s-2", backend.address);
    comes_back(&door).await;
}

/// Asks until there is an answer.
async fn comes_back(door: &Door) {
    let again = async {
        while door.get(QUERY, &[("query", "up")]).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), again)
        .await
        .expect("it comes back");
}

#[tokio::test]
async fn a_restart_of_the_api_server_is_survived() {
    let backend = stub().await;
    let lab = Lab::new().await;
    lab.works("prometheus-k8s-0", backend.address);
    lab.api
        .backend("monitoring", SERVICE, "web", backend.address);
    for via in [forward(), Via::Proxy(to(SERVICE))] {
        let door = lab.door(via);
        door.get(QUERY, &[("query", "up")]).await.unwrap();
        lab.api.down().await;
        let error = door.get(QUERY, &[("query", "up")]).await.unwrap_err();
        assert_eq!(error.kind(), FaultKind::Unreachable, "{error}");
        lab.api.up().await;
        comes_back(&door).await;
    }
}

#[tokio::test]
async fn a_forward_that_says_nothing_is_given_up() {
    let backend = stub().await;
    let lab = Lab::new().await;
    lab.works("prometheus-k8s-0", backend.address);
    let mut endpoint = endpoint(forward());
    endpoint.timeout = Duration::from_millis(1_500);
    let door = lab.open(&endpoint);
    comes_back(&door).await;
    lab.forwards.freeze();
    let error = door.get(QUERY, &[("query", "up")]).await.unwrap_err();
    assert_eq!(error.kind(), FaultKind::Timeout, "{error}");
    comes_back(&door).await;
    let given_up = async {
        while lab.forwards.open.load(Ordering::SeqCst) > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), given_up)
        .await
        .expect("nothing is left of it");
}

#[tokio::test]
async fn what_is_missing_on_the_way_is_said() {
    let lab = Lab::new().await;
    let fails = async |via| {
        let door = lab.door(via);
        let error = door.get(QUERY, &[("query", "up")]).await.unwrap_err();
        let fault = error.fault();
        (fault.kind, fault.to_string())
    };
    let (kind, words) = fails(forward()).await;
    assert_eq!(kind, FaultKind::Unreachable, "{words}");
    assert!(
        words.contains("no pod of monitoring/prometheus-k8s:web is ready"),
        "{words}"
    );

    let message = "pods \"prometheus-k8s-0\" is forbidden: User \"viewer\" cannot create resource \
                   \"pods/portforward\" in API group \"\" in the namespace \"monitoring\"";
    lab.works("prometheus-k8s-0", local(9));
    let denied = Pod::Denied(403, "Forbidden", message.into());
    lab.forwards.pod("prometheus-k8s-0", denied);
    let (kind, words) = fails(forward()).await;
    assert_eq!(kind, FaultKind::Forbidden, "{words}");
    assert!(words.contains("pods/portforward"), "{words}");
    assert!(
        words.contains("ask for the right to forward a port"),
        "{words}"
    );

    let mut other = to(SERVICE);
    other.port = ServicePort::Number(1234);
    let (kind, words) = fails(Via::Forward(Target::Service(other))).await;
    assert_eq!(kind, FaultKind::NotFound, "{words}");
    assert!(words.contains("it has web (9090)"), "{words}");
    let (kind, words) = fails(Via::Forward(Target::Service(to("nope")))).await;
    assert_eq!(kind, FaultKind::NotFound, "{words}");
    assert!(words.contains("\"nope\" not found"), "{words}");
    lab.api.put(json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"namespace": "monitoring", "name": "outside"},
        "spec": {"ports": [{"name": "web", "port": 80}]}}));
    let (kind, words) = fails(Via::Forward(Target::Service(to("outside")))).await;
    assert_eq!(kind, FaultKind::NotFound, "{words}");
    assert!(words.contains("selects no pods"), "{words}");

    lab.api.user("lab-view-token", User::new("viewer", &[]));
    let (kind, words) = fails(forward()).await;
    assert_eq!(kind, FaultKind::Forbidden, "{words}");
    assert!(
        words.contains("get service monitoring/prometheus-k8s: 403"),
        "{words}"
    );
}

#[tokio::test]
async fn pods_without_a_service_are_reached_by_their_labels() {
    let backend = stub().await;
    let lab = Lab::new().await;
    lab.works("prometheus-k8s-0", backend.address);
    for port in [
        ServicePort::Name("web".into()),
        ServicePort::Number(backend.address.port()),
    ] {
        let target = Target::Pods {
            namespace: "monitoring".into(),
            selector: format!("app={SERVICE}"),
            port,
        };
        let door = lab.door(Via::Forward(target));
        door.get(QUERY, &[("query", "up")]).await.unwrap();
    }
    let target = Target::Pods {
        namespace: "monitoring".into(),
        selector: format!("app={SERVICE}"),
        port: ServicePort::Name("nope".into()),
    };
    let door = lab.door(Via::Forward(target));
    let error = door.get(QUERY, &[("query", "up")]).await.unwrap_err();
    assert!(error.to_string().contains("has no port nope"), "{error}");
}

/// TLS inside the forward, with the name of the service and the token of the kubeconfig.
#[tokio::test]
async fn a_guarded_port_is_signed_in_to_with_the_clusters_token() {
    let manner = faults::Manner::Token("lab-view-token");
    let backend = faults::Server::start_tls(manner, "service").await;
    let lab = Lab::new().await;
    lab.works("prometheus-k8s-0", backend.address);
    let mut guarded = endpoint(guarded());
    let ask = async |endpoint: &Endpoint| {
        let door = lab.open(endpoint);
        door.get(QUERY, &[("query", "up")]).await
    };
    let error = ask(&guarded).await.unwrap_err();
    assert_eq!(error.kind(), FaultKind::Tls, "{error}");
    assert!(error.to_string().contains("unknown authority"), "{error}");
    guarded.ca_file = Some(faults::fixture("service-ca.pem"));
    let error = ask(&guarded).await.unwrap_err();
    assert_eq!(error.kind(), FaultKind::Auth, "{error}");
    guarded.auth = Auth::Kubeconfig;
    ask(&guarded).await.unwrap();
    // As on OpenShift: the authority lies in every namespace.
    guarded.ca_file = None;
    let pem = std::fs::read_to_string(faults::fixture("service-ca.pem")).unwrap();
    lab.api.put(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"namespace": "monitoring", "name": "openshift-service-ca.crt"},
        "data": {"service-ca.crt": pem}}));
    ask(&guarded).await.unwrap();
    // Plain HTTP to a port that speaks TLS.
    assert!(ask(&endpoint(forward())).await.is_err());
}

/// One failed look at the authority is not the last.
#[tokio::test]
async fn the_authority_of_services_is_read_again() {
    let backend = faults::Server::start_tls(faults::Manner::Good, "service").await;
    let lab = Lab::new().await;
    lab.works("prometheus-k8s-0", backend.address);
    let authority = |pem: &str| {
        lab.api.put(json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"namespace": "monitoring", "name": "openshift-service-ca.crt"},
            "data": {"service-ca.crt": pem}}));
    };
    let read = |name| std::fs::read_to_string(faults::fixture(name)).unwrap();
    authority(&read("service-ca.pem"));
    let door = lab.door(guarded());
    let ask = || door.get(QUERY, &[("query", "up")]);
    lab.api
        .fault(Fault::server_error("get", "configmaps").times(2));
    let fault = ask().await.unwrap_err().fault();
    assert_eq!(fault.kind, FaultKind::Server, "{fault}");
    assert!(fault.what.contains("openshift-service-ca.crt"), "{fault}");
    lab.api.clear_faults();
    ask().await.unwrap();
    // Another authority, then the right one again: after a failed handshake it is read anew.
    authority(&read("ca.pem"));
    let door = lab.door(guarded());
    let ask = || door.get(QUERY, &[("query", "up")]);
    assert_eq!(ask().await.unwrap_err().kind(), FaultKind::Tls);
    authority(&read("service-ca.pem"));
    ask().await.unwrap();
}

#[tokio::test]
async fn the_service_proxy_passes_questions_and_refusals_through() {
    let prometheus = real().await;
    let lab = Lab::new().await;
    lab.api
        .backend("monitoring", SERVICE, "web", local(prometheus.port));
    let door = lab.door(Via::Proxy(to(SERVICE)));
    assert_eq!(
        door.via().as_deref(),
        Some("via service proxy monitoring/prometheus-k8s:web")
    );
    same_answers(&door, &prometheus).await;
    let asked = &lab.api.requests("/proxy/api/v1/query")[0];
    let agent = asked.header("user-agent").unwrap();
    assert!(agent.starts_with("farwatch/"), "{agent}");
    assert!(asked.header("accept-encoding").unwrap().contains("gzip"));
}

/// What a real API server said, byte for byte.
#[tokio::test]
async fn recorded_refusals_of_the_service_proxy_are_told_apart() {
    let cases: [(u16, &str, FaultKind, &str, &str); 9] = [
        (
            403,
            "err_403_view.json",
            FaultKind::Forbidden,
            "cannot get resource \"services/proxy\"",
            "services/proxy",
        ),
        (
            404,
            "err_404_service.json",
            FaultKind::NotFound,
            "\"nope\" not found",
            "name of `service`",
        ),
        (
            503,
            "err_503_bad_port.json",
            FaultKind::Unreachable,
            "no endpoints available",
            "pods",
        ),
        (
            503,
            "err_503_bad_port_number.json",
            FaultKind::NotFound,
            "no service port 1",
            "port of `service`",
        ),
        (
            503,
            "err_503_refused.json",
            FaultKind::Unreachable,
            "connection refused",
            "pods",
        ),
        (
            503,
            "https_to_http.json",
            FaultKind::Tls,
            "TLS handshake",
            "leave `tls` out",
        ),
        (
            400,
            "prometheus_400.json",
            FaultKind::BadQuery,
            "parse error",
            "query",
        ),
        (
            404,
            "404_upstream.txt",
            FaultKind::NotFound,
            "404 page not found",
            "path",
        ),
        (
            401,
            "404_upstream.txt",
            FaultKind::Auth,
            "401 from the service",
            "port-forward",
        ),
    ];
    let lab = Lab::new().await;
    let door = lab.door(Via::Proxy(to(SERVICE)));
    for (n, (status, file, kind, what, hint)) in cases.into_iter().enumerate() {
        let path = format!("/proxy/case/{n}");
        let body = wire::fixture(&format!("kube/proxy_{file}"));
        answers(&lab.api, &path, status, file, body);
        let error = door.get(&format!("/case/{n}"), &[]).await.unwrap_err();
        let fault = error.fault();
        assert_eq!(fault.kind, kind, "{file}: {fault}");
        assert!(fault.what.contains(what), "{file}: {fault}");
        assert!(fault.hint.contains(hint), "{file}: {fault}");
        assert!(
            fault.endpoint.contains("via service proxy"),
            "{file}: {fault}"
        );
    }
    for file in [
        "prometheus_query",
        "prometheus_post",
        "prometheus_port_number",
    ] {
        let file = format!("{file}.json");
        let path = format!("/proxy/{file}");
        let body = wire::fixture(&format!("kube/proxy_{file}"));
        answers(&lab.api, &path, 200, &file, body.clone());
        let reply = door.get(&format!("/{file}"), &[]).await.unwrap();
        assert_eq!(text(&reply.body), text(&body));
    }
}

fn answers(api: &ApiServer, path: &str, status: u16, file: &str, body: Vec<u8>) {
    let kind = if file.ends_with("txt") {
        "text/plain"
    } else {
        "application/json"
    };
    api.extra(
        path,
        Arc::new(move |_, stream| {
            let body = body.clone();
            Box::pin(async move { wire::reply(stream, status, kind, &[], &body).await })
        }),
    );
}

#[tokio::test]
async fn a_token_that_expired_is_read_again_once() {
    let backend = stub().await;
    let lab = Lab::new().await;
    lab.works("prometheus-k8s-0", backend.address);
    lab.api
        .backend("monitoring", SERVICE, "web", backend.address);
    let doors = [lab.door(forward()), lab.door(Via::Proxy(to(SERVICE)))];
    let mut old = "lab-view-token".to_owned();
    lab.api.user(&old, User::admin("root"));
    for (n, door) in doors.iter().enumerate() {
        door.get(QUERY, &[("query", "up")]).await.unwrap();
        // The client holds the old token, and the next request is sent with it.
        let new = format!("token-{n}");
        lab.api.user(&new, User::admin("root"));
        lab.api.kubeconfig_with(&new);
        lab.api.revoke(&old);
        lab.forwards.close();
        let before = sent(&lab.api, &old);
        door.get(QUERY, &[("query", "up")]).await.unwrap();
        assert_eq!(sent(&lab.api, &old), before + 1, "refused once");
        assert!(sent(&lab.api, &new) > 0, "then asked with the new one");
        old = new;
    }
    lab.api.revoke(&old);
    let before = sent(&lab.api, &old);
    let error = doors[1].get(QUERY, &[]).await.unwrap_err();
    assert_eq!(error.kind(), FaultKind::Auth, "{error}");
    let more = sent(&lab.api, &old) - before;
    assert!((1..=2).contains(&more), "sent {more} times");
}

/// Requests with this token.
fn sent(api: &ApiServer, token: &str) -> usize {
    let header = format!("Bearer {token}");
    let seen = api.seen();
    let ours = seen
        .iter()
        .filter(|s| s.request.header("authorization") == Some(&header));
    ours.count()
}

/// Runs until `wanted` says yes to something that came.
async fn until(queue: &mut Receiver<Telemetry>, mut wanted: impl FnMut(&Telemetry) -> bool) {
    let mut last = std::collections::BTreeMap::new();
    let work = async {
        while let Some(told) = queue.recv().await {
            if wanted(&told) {
                return;
            }
            if let Body::Health(health) = &told.body {
                last.insert(told.source, health.clone());
            }
        }
        panic!("the sources ended");
    };
    if tokio::time::timeout(Duration::from_secs(60), work)
        .await
        .is_err()
    {
        panic!("did not come; {last:#?}");
    }
}

fn quick() -> Pace {
    Pace {
        shortest: Duration::from_millis(50),
        longest: Duration::from_millis(200),
        denied: Duration::from_millis(200),
        ..Pace::default()
    }
}

/// Every source of a cluster, each by its own Service.
#[tokio::test]
async fn every_source_works_over_both_ways() {
    let prometheus = real().await;
    let alertmanager = Alertmanager::start();
    let loki = LokiServer::start(
        "query_range_streams_categorize.json",
        loki_server::Fault::None,
    )
    .await;
    let lab = Lab::new().await;
    let backends = [
        ("prometheus-k8s", local(prometheus.port)),
        ("alertmanager", local(alertmanager.program.port)),
        ("loki", loki.address()),
    ];
    for (name, address) in backends {
        lab.api.put(service("monitoring", name, json!("web")));
        let first = format!("{name}-0");
        lab.api
            .put(pod("monitoring", name, &first, address.port(), true));
        lab.forwards.pod(&first, Pod::Works(address));
        lab.api.backend("monitoring", name, "web", address);
    }
    let all = [
        (SourceKind::Prometheus, "prometheus-k8s"),
        (SourceKind::Alertmanager(0), "alertmanager"),
        (SourceKind::Loki, "loki"),
        (SourceKind::Exporter(0), "prometheus-k8s"),
    ];
    for proxy in [false, true] {
        let via = |name: &str| match proxy {
            true => Via::Proxy(to(name)),
            false => Via::Forward(Target::Service(to(name))),
        };
        let at = |name| Some(endpoint(via(name)));
        let mut exporter = endpoint(via("prometheus-k8s"));
        exporter.url.push_str("/metrics");
        let cluster = Cluster {
            name: "alpha".into(),
            kube: Some(Kube {
                context: Some("lab".into()),
                kubeconfig: vec![lab.api.kubeconfig()],
                ..Kube::default()
            }),
            prometheus: at("prometheus-k8s"),
            alertmanagers: at("alertmanager").into_iter().collect(),
            loki: at("loki"),
            exporters: vec![exporter],
            log_selector: Some("{app=\"tailtest\"}".into()),
            ..Cluster::default()
        };
        let config = Config {
            clusters: vec![cluster],
            ..Config::default()
        };
        for row in farwatch::cli::check::check(&config).await {
            assert!(row.ok && row.reachable == Some(true), "{row:?}");
            let tunnel = row.endpoint.contains("(via ");
            assert_eq!(tunnel, row.source != "kubernetes", "{row:?}");
        }
        let (outlet, mut queue) = Outlet::new(256);
        let fleet = Fleet::start_with(Arc::new(config), outlet, quick());
        let mut rest: Vec<_> = all.to_vec();
        let mut lines = 0;
        until(&mut queue, |told| {
            match &told.body {
                Body::Health(health) if health.health == Health::Live => {
                    let via = health.via.clone().unwrap_or_default();
                    rest.retain(|(kind, name)| {
                        let words = match proxy {
                            true => format!("via service proxy monitoring/{name}:web"),
                            false => format!("via port-forward to {name}-0"),
                        };
                        *kind != told.source || via != words
                    });
                }
                Body::Logs(batch) if batch.live => lines += batch.lines.len(),
                _ => {}
            }
            rest.is_empty() && lines > 0
        })
        .await;
        fleet.shutdown().await;
    }
}

/// The connection of a live tail dies without a word: noticed by the missing answer to a ping.
#[tokio::test]
async fn a_half_closed_tail_is_noticed_and_followed_again() {
    let loki = LokiServer::start("query_range_empty.json", loki_server::Fault::None).await;
    let lab = Lab::new().await;
    lab.works("prometheus-k8s-0", loki.address());
    let config = Config {
        clusters: vec![Cluster {
            name: "alpha".into(),
            kube: Some(Kube {
                context: Some("lab".into()),
                kubeconfig: vec![lab.api.kubeconfig()],
                ..Kube::default()
            }),
            loki: Some(endpoint(forward())),
            ..Cluster::default()
        }],
        ..Config::default()
    };
    let (outlet, mut queue) = Outlet::new(256);
    let fleet = Fleet::start_with(Arc::new(config), outlet, quick());
    let live = |told: &Telemetry| {
        told.source == SourceKind::Loki
            && matches!(&told.body, Body::Health(h) if h.health == Health::Live)
    };
    until(&mut queue, |told| {
        told.source == SourceKind::Loki && matches!(&told.body, Body::Logs(b) if b.live)
    })
    .await;
    lab.forwards.freeze();
    // Forty seconds pass.
    tokio::time::pause();
    for _ in 0..8 {
        tokio::time::advance(Duration::from_secs(5)).await;
    }
    tokio::time::resume();
    until(&mut queue, |told| {
        let failing = |h: &Health| {
            matches!(h, Health::Failing { fault, .. }
            if fault.kind == FaultKind::Timeout)
        };
        told.source == SourceKind::Loki
            && matches!(&told.body, Body::Health(h) if failing(&h.health))
    })
    .await;
    until(&mut queue, live).await;
    assert_eq!(loki.requests("/tail").len(), 2);
    fleet.shutdown().await;
}

#[tokio::test]
async fn a_cluster_without_an_api_server_has_no_tunnels() {
    for via in [forward(), Via::Proxy(to(SERVICE))] {
        let error: SourceError = Door::open(&endpoint(via), "alpha", None).unwrap_err();
        assert_eq!(error.kind(), FaultKind::Config);
        assert!(error.to_string().contains("no `kube`"), "{error}");
    }
}

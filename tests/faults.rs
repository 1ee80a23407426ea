//! Every way in which an endpoint can fail: it is told with cluster, place, cause and advice, the
//! other cluster goes on, and the failed one recovers by itself.

#[path = "support/faults.rs"]
mod faults;
#[path = "support/ports.rs"]
mod ports;
#[path = "faults/table.rs"]
mod table;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use farwatch::config::{Auth, Cluster, Config, Endpoint};
use farwatch::model::fault::{Fault, FaultKind};
use farwatch::model::health::{Health, SourceHealth, SourceKind};
use farwatch::model::id::ClusterId;
use farwatch::model::signal::{Group, Signal};
use farwatch::model::telemetry::{Body, Telemetry};
use farwatch::source::Outlet;
use farwatch::source::door::Door;
use farwatch::source::supervisor::{Fleet, Pace};
use tokio::sync::mpsc::Receiver;

use faults::{Manner, Server, fixture};

const SICK: u16 = 0;
const WELL: u16 = 1;

fn endpoint(url: String) -> Endpoint {
    Endpoint {
        url,
        interval: Some(Duration::from_millis(80)),
        timeout: Duration::from_millis(1500),
        ..Endpoint::default()
    }
}

fn config(sick: Endpoint, well: &Server) -> Config {
    let cluster = |name: &str, prometheus| Cluster {
        name: name.into(),
        prometheus: Some(prometheus),
        ..Cluster::default()
    };
    let signal = Signal {
        name: "target_up".into(),
        group: Group::Cluster,
        query: "up".into(),
        about: "".into(),
        unit: Default::default(),
        bad: Default::default(),
        learn: false,
        limit: None,
        floor: 0.0,
        needs: None,
        backfill: false,
    };
    Config {
        clusters: vec![cluster("sick", sick), cluster("well", endpoint(well.url()))],
        signals: vec![signal].into(),
        ..Config::default()
    }
}

fn start(config: Config) -> (Fleet, Receiver<Telemetry>) {
    let (outlet, queue) = Outlet::new(1024);
    let pace = Pace {
        shortest: Duration::from_millis(20),
        longest: Duration::from_millis(200),
        denied: Duration::from_millis(200),
        ..Pace::default()
    };
    (Fleet::start_with(Arc::new(config), outlet, pace), queue)
}

/// Reads the queue until `wanted` says so.
async fn until<T>(
    queue: &mut Receiver<Telemetry>,
    what: &str,
    mut wanted: impl FnMut(&Telemetry) -> Option<T>,
) -> T {
    let found = async {
        loop {
            let telemetry = queue.recv().await.expect("the queue is open");
            if let Some(found) = wanted(&telemetry) {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), found)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"))
}

fn health(telemetry: &Telemetry, cluster: u16) -> Option<&SourceHealth> {
    match &telemetry.body {
        Body::Health(health) if telemetry.cluster == ClusterId(cluster) => Some(health),
        _ => None,
    }
}

async fn fault(queue: &mut Receiver<Telemetry>) -> Fault {
    until(queue, "a fault", |t| health(t, SICK)?.fault().cloned()).await
}

async fn live(queue: &mut Receiver<Telemetry>, cluster: u16) {
    until(queue, "live", |t| {
        health(t, cluster)
            .filter(|h| h.health == Health::Live)
            .map(|_| ())
    })
    .await;
}

async fn samples(queue: &mut Receiver<Telemetry>, cluster: u16, batches: usize) {
    for _ in 0..batches {
        until(queue, "samples", |t| {
            let fits = t.cluster == ClusterId(cluster) && matches!(t.body, Body::Samples(_));
            fits.then_some(())
        })
        .await;
    }
}

/// The whole story of one fault; gives what was told of it.
async fn story(manner: Manner, kind: FaultKind) -> Fault {
    let sick = Server::start(manner).await;
    let well = Server::start(Manner::Good).await;
    let (fleet, mut queue) = start(config(endpoint(sick.url()), &well));
    let fault = fault(&mut queue).await;
    assert_eq!(fault.kind, kind, "{fault}");
    assert_eq!(fault.cluster, "sick");
    assert!(fault.endpoint.starts_with(&sick.url()), "{fault}");
    assert!(!fault.what.is_empty() && !fault.hint.is_empty(), "{fault}");
    samples(&mut queue, WELL, 5).await;
    sick.become_(Manner::Good);
    live(&mut queue, SICK).await;
    samples(&mut queue, SICK, 2).await;
    fleet.shutdown().await;
    fault
}

#[tokio::test]
async fn nobody_listens() {
    let well = Server::start(Manner::Good).await;
    let refusal = ports::Refusal::new();
    let url = format!("http://{}", refusal.address());
    let (fleet, mut queue) = start(config(endpoint(url), &well));
    let fault = fault(&mut queue).await;
    assert_eq!(fault.kind, FaultKind::Unreachable, "{fault}");
    samples(&mut queue, WELL, 5).await;
    fleet.shutdown().await;
}

#[tokio::test]
async fn accepts_and_never_answers() {
    let fault = story(Manner::Silent, FaultKind::Timeout).await;
    assert!(fault.what.contains("1.5 s"), "{fault}");
}

#[tokio::test]
async fn closes_at_once() {
    story(Manner::Closes, FaultKind::Unreachable).await;
}

#[tokio::test]
async fn half_a_body() {
    let fault = story(Manner::HalfBody, FaultKind::BadPayload).await;
    assert!(fault.what.contains("cut after 27 bytes"), "{fault}");
}

#[tokio::test]
async fn ten_megabytes_of_garbage() {
    let fault = story(Manner::Garbage(10 << 20), FaultKind::BadPayload).await;
    assert!(fault.what.len() < 500, "{}", fault.what.len());
    assert!(
        !fault.what.chars().any(farwatch::model::text::is_unsafe),
        "{fault}"
    );
}

#[tokio::test]
async fn statuses() {
    story(Manner::Status(401, "", "Unauthorized"), FaultKind::Auth).await;
    story(
        Manner::Status(403, "", "{\"message\":\"no\"}"),
        FaultKind::Forbidden,
    )
    .await;
    story(
        Manner::Status(404, "", "404 page not found"),
        FaultKind::NotFound,
    )
    .await;
    let fault = story(
        Manner::Status(500, "", "out of \u{1b}[31mmemory"),
        FaultKind::Server,
    )
    .await;
    assert!(fault.what.contains("500: out of memory"), "{fault}");
    let busy = Manner::Status(429, "retry-after: 1\r\n", "");
    let fault = story(busy, FaultKind::RateLimited).await;
    assert!(fault.what.contains("wait 1 s"), "{fault}");
}

#[tokio::test]
async fn redirects() {
    let fault = story(Manner::RedirectLoop, FaultKind::BadPayload).await;
    assert!(fault.what.contains("redirects"), "{fault}");
    let fault = story(Manner::LoginPage, FaultKind::Auth).await;
    assert!(
        fault.what.contains("login page") && fault.hint.contains("token"),
        "{fault}"
    );
}

/// What signs us in stays with the server it is for: bearer, and headers such as a tenant's key.
#[tokio::test]
async fn credentials_follow_no_redirect_to_another_server() {
    let dir = tempfile::tempdir().unwrap();
    let token = dir.path().join("token");
    std::fs::write(&token, "s3cret").unwrap();
    let thief = Server::start(Manner::Good).await;
    let sick = Server::start(Manner::RedirectTo(format!("{}/steal", thief.url()))).await;
    let mut guarded = endpoint(sick.url());
    guarded.auth = Auth::BearerFile(token);
    let mut keyed = endpoint(sick.url());
    keyed.headers = vec![("X-Scope-OrgID".into(), "s3cret".into())];
    for endpoint in [guarded, keyed] {
        let door = Door::open(&endpoint, "sick", None).unwrap();
        for error in [
            door.get("/api/v1/alerts", &[]).await.unwrap_err(),
            door.post_form("/api/v1/query", &[("query", "up")])
                .await
                .unwrap_err(),
        ] {
            let told = error.to_string();
            assert!(
                told.contains("another server") && told.contains(&thief.url()),
                "{told}"
            );
            assert!(error.hint().contains("`url`"), "{}", error.hint());
        }
        assert!(sick.heads.lock().unwrap().contains("s3cret"));
        assert_eq!(thief.requests.load(Ordering::SeqCst), 0);
        // On the same server it goes along.
        sick.become_(Manner::LoginPage);
        let error = door.get("/api/v1/alerts", &[]).await.unwrap_err();
        assert_eq!(error.kind(), FaultKind::Auth);
        sick.become_(Manner::RedirectTo(format!("{}/steal", thief.url())));
    }
    // Nothing to lose: it is followed.
    let door = Door::open(&endpoint(sick.url()), "sick", None).unwrap();
    let error = door.get("/api/v1/alerts", &[]).await.unwrap_err();
    assert_eq!(error.kind(), FaultKind::NotFound);
    assert!(thief.requests.load(Ordering::SeqCst) > 0);
}

#[tokio::test]
async fn a_server_that_is_busy_is_left_alone() {
    let sick = Server::start(Manner::Status(429, "retry-after: 3600\r\n", "")).await;
    let well = Server::start(Manner::Good).await;
    let (fleet, mut queue) = start(config(endpoint(sick.url()), &well));
    fault(&mut queue).await;
    let before = sick.requests.load(Ordering::SeqCst);
    samples(&mut queue, WELL, 10).await;
    assert_eq!(sick.requests.load(Ordering::SeqCst), before);
    fleet.shutdown().await;
}

#[tokio::test]
async fn certificates() {
    let well = Server::start(Manner::Good).await;
    let told = async |certificate: &str, authority: bool| {
        let sick = Server::start_tls(Manner::Good, certificate).await;
        let mut endpoint = endpoint(sick.url());
        endpoint.ca_file = authority.then(|| fixture("ca.pem"));
        let (fleet, mut queue) = start(config(endpoint, &well));
        let fault = fault(&mut queue).await;
        samples(&mut queue, WELL, 3).await;
        fleet.shutdown().await;
        fault
    };
    let expired = told("expired", true).await;
    assert_eq!(expired.kind, FaultKind::Tls);
    assert!(
        expired.what.contains("expired") && expired.hint.contains("renew"),
        "{expired}"
    );
    let unknown = told("valid", false).await;
    assert_eq!(unknown.kind, FaultKind::Tls);
    assert!(unknown.what.contains("unknown authority"), "{unknown}");
    assert!(unknown.hint.contains("ca_file"), "{unknown}");
    let good = Server::start_tls(Manner::Good, "valid").await;
    let mut trusted = endpoint(good.url());
    trusted.ca_file = Some(fixture("ca.pem"));
    let (fleet, mut queue) = start(config(trusted, &well));
    samples(&mut queue, SICK, 2).await;
    fleet.shutdown().await;
}

#[tokio::test]
async fn a_new_token_is_read_without_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, "stale-secret").unwrap();
    let sick = Server::start(Manner::Token("fresh")).await;
    let well = Server::start(Manner::Good).await;
    let mut guarded = endpoint(sick.url());
    guarded.auth = Auth::BearerFile(file.clone());
    let (fleet, mut queue) = start(config(guarded, &well));
    let fault = fault(&mut queue).await;
    assert_eq!(fault.kind, FaultKind::Auth);
    assert!(!fault.to_string().contains("stale-secret"), "{fault}");
    std::fs::write(&file, "fresh").unwrap();
    live(&mut queue, SICK).await;
    fleet.shutdown().await;
}

#[tokio::test]
async fn an_endless_body_ends_at_the_limit() {
    let server = Server::start(Manner::Endless).await;
    let mut endpoint = endpoint(server.url());
    endpoint.timeout = Duration::from_secs(60);
    let door = Door::open(&endpoint, "sick", None).unwrap();
    let error = door.get("/api/v1/labels", &[]).await.unwrap_err();
    assert!(error.to_string().contains("larger than 16 MiB"), "{error}");
}

#[tokio::test]
async fn other_sources_tell_their_faults_too() {
    let server = Server::start(Manner::Garbage(1 << 20)).await;
    let well = Server::start(Manner::Good).await;
    let mut config = config(endpoint(well.url()), &well);
    if let Some(cluster) = config.clusters.first_mut() {
        cluster.alertmanagers = vec![endpoint(server.url())];
        cluster.exporters = vec![endpoint(format!("{}/metrics", server.url()))];
    }
    let (fleet, mut queue) = start(config);
    for source in [SourceKind::Alertmanager(0), SourceKind::Exporter(0)] {
        let fault = until(&mut queue, "a fault", |t| {
            health(t, SICK)
                .filter(|_| t.source == source)?
                .fault()
                .cloned()
        })
        .await;
        assert_eq!(fault.kind, FaultKind::BadPayload, "{fault}");
    }
    server.become_(Manner::Good);
    let mut rest = vec![SourceKind::Alertmanager(0), SourceKind::Exporter(0)];
    until(&mut queue, "both live", |t| {
        if health(t, SICK).is_some_and(|h| h.health == Health::Live) {
            rest.retain(|s| *s != t.source);
        }
        rest.is_empty().then_some(())
    })
    .await;
    until(&mut queue, "scraped samples", |t| match &t.body {
        Body::Samples(batch) if t.source == SourceKind::Exporter(0) => {
            let rate =
                |s: &farwatch::model::sample::SeriesSamples| s.key.name.as_ref() == "c_total:rate";
            batch.series.iter().any(rate).then_some(())
        }
        _ => None,
    })
    .await;
    fleet.shutdown().await;
}

/// A proxy of a tenant lets alerts through and nothing else: version and replicas stay unknown.
#[tokio::test]
async fn an_alertmanager_that_tells_alerts_alone_is_well() {
    let server = Server::start(Manner::Only("/api/v2/alerts")).await;
    let well = Server::start(Manner::Good).await;
    let mut config = config(endpoint(well.url()), &well);
    if let Some(cluster) = config.clusters.first_mut() {
        cluster.alertmanagers = vec![endpoint(server.url())];
    }
    let (fleet, mut queue) = start(config);
    let mut polls = 0;
    until(&mut queue, "three polls", |t| {
        if t.source != SourceKind::Alertmanager(0) {
            return None;
        }
        if let Some(fault) = health(t, SICK).and_then(SourceHealth::fault) {
            panic!("{fault}");
        }
        polls += usize::from(matches!(t.body, Body::Alerts(_)));
        (polls == 3).then_some(())
    })
    .await;
    fleet.shutdown().await;
}

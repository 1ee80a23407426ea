//! A cluster in trouble, as the operator sees it: every source of it fails in every way, the screen
//! says so with the age of what is still shown, the cause and what to try, the other cluster goes
//! on, and all recovers with no key pressed.

#[path = "support/apiserver/mod.rs"]
mod apiserver;
#[path = "support/faults.rs"]
mod faults;
#[path = "support/loki.rs"]
mod loki_server;
#[path = "support/prometheus.rs"]
mod prometheus;

use std::sync::Arc;
use std::time::Duration;

use farwatch::clock;
use farwatch::command::parse_keys;
use farwatch::config::{Auth, Cluster, Config, Endpoint, Kube};
use farwatch::message::Msg;
use farwatch::model::fault::{Fault, FaultKind};
use farwatch::model::health::{Health, SourceHealth, SourceKind};
use farwatch::model::id::ClusterId;
use farwatch::model::input::InputEvent;
use farwatch::model::signal::{Group, Signal};
use farwatch::model::telemetry::{Body, Telemetry};
use farwatch::source::Outlet;
use farwatch::source::supervisor::{Fleet, Pace};
use farwatch::state::State;
use farwatch::state::world::Status;
use farwatch::ui;
use farwatch::ui::theme::Looks;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::mpsc::Receiver;

use apiserver::{ApiServer, kubeconfig_of};
use faults::{Manner, Server, fixture};
use loki_server::LokiServer;
use prometheus::{Alertmanager, Prometheus};

const SICK: ClusterId = ClusterId(0);
const WELL: ClusterId = ClusterId(1);
const KINDS: [SourceKind; 4] = [
    SourceKind::Prometheus,
    SourceKind::Alertmanager(0),
    SourceKind::Loki,
    SourceKind::Kubernetes,
];
const AREA: Rect = Rect::new(0, 0, 200, 50);

/// The servers of the sick cluster, each behind a front that can misbehave.
struct Ward {
    prometheus: Prometheus,
    alertmanager: Alertmanager,
    loki: LokiServer,
    kube: ApiServer,
    fronts: Vec<Server>,
    folder: tempfile::TempDir,
}

impl Ward {
    async fn new(certificate: Option<&str>) -> Self {
        let mut ward = Self {
            prometheus: Prometheus::start("", ""),
            alertmanager: Alertmanager::start(),
            loki: LokiServer::start("query_range_empty.json", loki_server::Fault::None).await,
            kube: ApiServer::recorded().await,
            fronts: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
        };
        for to in ward.behind() {
            ward.fronts.push(match certificate {
                Some(name) => Server::start_tls(Manner::Pass(to), name).await,
                None => Server::start(Manner::Pass(to)).await,
            });
        }
        ward
    }

    fn behind(&self) -> [std::net::SocketAddr; 4] {
        [
            ([127, 0, 0, 1], self.prometheus.port).into(),
            ([127, 0, 0, 1], self.alertmanager.program.port).into(),
            self.loki.address(),
            self.kube.address(),
        ]
    }

    fn become_(&self, manner: &Manner) {
        for front in &self.fronts {
            front.become_(manner.clone());
        }
    }

    fn recover(&self) {
        for (front, to) in self.fronts.iter().zip(self.behind()) {
            front.become_(Manner::Pass(to));
        }
    }

    fn cluster(&self) -> Cluster {
        let at = |n: usize| {
            let mut endpoint = endpoint(self.fronts[n].url());
            endpoint.ca_file = Some(fixture("ca.pem"));
            Some(endpoint)
        };
        let kubeconfig = self.folder.path().join("kubeconfig");
        let text = kubeconfig_of(
            &self.fronts[3].url(),
            "lab-view-token",
            Some(&fixture("ca.pem")),
        );
        std::fs::write(&kubeconfig, text).unwrap();
        Cluster {
            name: "sick".into(),
            prometheus: at(0),
            alertmanagers: at(1).into_iter().collect(),
            loki: at(2),
            kube: Some(Kube {
                context: Some("lab".into()),
                kubeconfig: vec![kubeconfig],
                interval: Some(Duration::from_millis(300)),
                timeout: Duration::from_secs(1),
                ..Kube::default()
            }),
            ..Cluster::default()
        }
    }
}

fn endpoint(url: String) -> Endpoint {
    Endpoint {
        url,
        interval: Some(Duration::from_millis(100)),
        timeout: Duration::from_secs(1),
        ..Endpoint::default()
    }
}

fn signals() -> Arc<[Signal]> {
    [Signal {
        name: "beat".into(),
        group: Group::Cluster,
        query: "vector(time())".into(),
        about: "".into(),
        unit: Default::default(),
        bad: Default::default(),
        learn: false,
        limit: None,
        floor: 0.0,
        needs: None,
        backfill: false,
    }]
    .into()
}

/// farwatch without its terminal: the sources, the state, and the screen as text.
struct Console {
    state: State,
    fleet: Fleet,
    queue: Receiver<Telemetry>,
    beats: usize,
}

fn quick() -> Pace {
    Pace {
        shortest: Duration::from_millis(50),
        longest: Duration::from_millis(400),
        denied: Duration::from_millis(400),
        ..Pace::default()
    }
}

impl Console {
    fn start(clusters: Vec<Cluster>, pace: Pace) -> Self {
        let config = Arc::new(Config {
            clusters,
            signals: signals(),
            ..Config::default()
        });
        let (outlet, queue) = Outlet::new(1024);
        let fleet = Fleet::start_with(config.clone(), outlet, pace);
        let mut state = State::new(config, clock::now(), TimeZone::UTC, Looks::default());
        state.update(Msg::Input(InputEvent::Resize {
            columns: AREA.width,
            rows: AREA.height,
        }));
        Self {
            state,
            fleet,
            queue,
            beats: 0,
        }
    }

    /// Goes on until `wanted`; meanwhile the other cluster must stay well.
    async fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let work = async {
            while !wanted(self) {
                let next = self.queue.recv();
                if let Ok(told) = tokio::time::timeout(Duration::from_millis(50), next).await {
                    let told = told.expect("the queue is open");
                    self.take(told);
                }
                self.state.update(Msg::Tick(clock::now()));
            }
        };
        if tokio::time::timeout(Duration::from_secs(60), work)
            .await
            .is_err()
        {
            let all = self.state.world.clusters[usize::from(SICK.0)]
                .sources
                .clone();
            panic!("never: {what}; {all:#?}\n{}", self.screen(""));
        }
    }

    fn take(&mut self, told: Telemetry) {
        if told.cluster == WELL {
            self.beats += usize::from(matches!(told.body, Body::Samples(_)));
            if let Body::Health(health) = &told.body {
                assert_eq!(health.fault(), None, "the other cluster suffers");
            }
        }
        self.state.update(Msg::Telemetry(Box::new(told)));
    }

    fn health(&self, kind: SourceKind) -> &SourceHealth {
        let cluster = self.state.world.cluster(SICK).unwrap();
        &cluster.sources[&kind]
    }

    fn faults(&self) -> Vec<(SourceKind, &Fault)> {
        let all = KINDS.iter();
        all.filter_map(|k| Some((*k, self.health(*k).fault()?)))
            .collect()
    }

    fn all_live(&self) -> bool {
        KINDS.iter().all(|k| self.health(*k).health == Health::Live)
            && self
                .state
                .world
                .cluster(SICK)
                .unwrap()
                .last_sample
                .is_some()
    }

    async fn hear_the_other(&mut self) {
        let before = self.beats;
        self.until("the other cluster goes on", |c| c.beats >= before + 3)
            .await;
    }

    fn screen(&mut self, keys: &str) -> String {
        for press in parse_keys(keys) {
            self.state.update(Msg::Input(InputEvent::Key(press)));
        }
        let mut buf = Buffer::empty(AREA);
        ui::draw(&self.state, &mut buf);
        let rows = buf.content.chunks(usize::from(AREA.width));
        rows.map(|row| {
            let line: String = row.iter().map(|cell| cell.symbol()).collect();
            line + "\n"
        })
        .collect()
    }
}

/// What each source must say of a manner.
type Told = fn(SourceKind, &Fault) -> bool;

fn is(kind: FaultKind) -> impl Fn(&Fault) -> bool {
    move |fault| fault.kind == kind
}

/// The Kubernetes client has fewer words for what is not HTTP as it should be.
fn broken(source: SourceKind, fault: &Fault) -> bool {
    let kube = source == SourceKind::Kubernetes && fault.kind == FaultKind::Unreachable;
    fault.kind == FaultKind::BadPayload || kube
}

async fn stories(stories: Vec<(&str, Manner, Told)>) {
    let ward = Ward::new(None).await;
    let other = Server::start(Manner::Good).await;
    let mut patient = endpoint(other.url());
    patient.timeout = Duration::from_secs(30);
    let well = Cluster {
        name: "well".into(),
        prometheus: Some(patient),
        ..Cluster::default()
    };
    let mut console = Console::start(vec![ward.cluster(), well], quick());
    console.until("all is well", Console::all_live).await;
    for (name, manner, told) in stories {
        ward.become_(&manner);
        console
            .until(name, |c| {
                let faults = c.faults();
                faults.len() == KINDS.len()
                    && faults.iter().all(|(k, f)| told(*k, f))
                    // One failed check alone is no outage.
                    && c.state.world.status(SICK) == Status::Unknown
            })
            .await;
        marked(&mut console, &ward, name);
        console.hear_the_other().await;
        ward.recover();
        console.until("recovered", Console::all_live).await;
        assert_ne!(console.state.world.status(SICK), Status::Unknown, "{name}");
    }
    console.fleet.shutdown().await;
}

/// State, age, cause and remedy are there to be read.
fn marked(console: &mut Console, ward: &Ward, name: &str) {
    let (status, why) = console.state.world.standing(SICK);
    assert_eq!(status, Status::Unknown, "{name}: {why}");
    assert!(why.contains("last sample"), "{name}: {why}");
    assert_ne!(console.state.world.status(WELL), Status::Unknown, "{name}");
    let faults: Vec<_> = console
        .faults()
        .into_iter()
        .map(|(k, f)| (k, f.clone()))
        .collect();
    let fleet = console.screen("1");
    assert!(
        fleet.contains("unknown") || fleet.contains("? sick"),
        "{name}\n{fleet}"
    );
    let page = console.screen("2");
    for ((source, fault), front) in faults.iter().zip(&ward.fronts) {
        assert_eq!(fault.cluster, "sick", "{name}");
        let place = if *source == SourceKind::Kubernetes {
            format!("context lab ({}", front.url())
        } else {
            front.url()
        };
        assert!(fault.endpoint.starts_with(&place), "{name}: {fault}");
        assert!(
            !fault.what.is_empty() && !fault.hint.is_empty(),
            "{name}: {fault}"
        );
        let beginning: String = fault.what.chars().take(30).collect();
        assert!(page.contains(&beginning), "{name}: {fault}\n{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_do_not_answer() {
    stories(vec![
        ("silent", Manner::Silent, |_, f| is(FaultKind::Timeout)(f)),
        ("closes", Manner::Closes, |_, f| {
            is(FaultKind::Unreachable)(f)
        }),
        ("half a body", Manner::HalfBody, broken),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_talk_nonsense() {
    stories(vec![
        ("garbage", Manner::Garbage(10 << 20), broken),
        ("redirect loop", Manner::RedirectLoop, broken),
        ("500", Manner::Status(500, "", "out of memory"), |_, f| {
            is(FaultKind::Server)(f)
        }),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_refuse() {
    stories(vec![
        ("401", Manner::Status(401, "", "Unauthorized"), |_, f| {
            is(FaultKind::Auth)(f)
        }),
        (
            "403",
            Manner::Status(403, "", "{\"message\":\"no\"}"),
            |_, f| is(FaultKind::Forbidden)(f),
        ),
        (
            "429",
            Manner::Status(429, "retry-after: 1\r\n", "later"),
            |_, f| is(FaultKind::RateLimited)(f),
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_certificate_is_told_and_its_renewal_noticed() {
    let mut ward = Ward::new(Some("expired")).await;
    let mut console = Console::start(vec![ward.cluster()], quick());
    console
        .until("expired", |c| {
            let faults = c.faults();
            let expired = |f: &Fault| f.kind == FaultKind::Tls && f.what.contains("expired");
            faults.len() == KINDS.len() && faults.iter().all(|(_, f)| expired(f))
        })
        .await;
    let page = console.screen("2");
    assert!(page.contains("certificate has expired"), "{page}");
    for (n, to) in ward.behind().into_iter().enumerate() {
        let address = ward.fronts.remove(n).address.to_string();
        let renewed = loop {
            // The former one may still be leaving its port.
            if let Ok(listener) = std::net::TcpListener::bind(&address) {
                break Server::start_tls_on(listener, Manner::Pass(to), "valid").await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        ward.fronts.insert(n, renewed);
    }
    console.until("all live", Console::all_live).await;
    console.fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_ends_every_wait() {
    let ward = Ward::new(None).await;
    ward.become_(&Manner::Status(403, "", "no"));
    let mut console = Console::start(vec![ward.cluster()], Pace::default());
    console
        .until("refused", |c| c.faults().len() == KINDS.len())
        .await;
    ward.recover();
    // Without the refresh this would take five minutes.
    console.fleet.refresh(Some(SICK));
    console.until("all live", Console::all_live).await;
    console.fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_prometheus_is_marked_and_comes_back() {
    let mut alpha = Prometheus::start("", "");
    let beta = Prometheus::start("", "");
    let cluster = |name: &str, server: &Prometheus| Cluster {
        name: name.into(),
        prometheus: Some(endpoint(server.url())),
        ..Cluster::default()
    };
    let clusters = vec![cluster("alpha", &alpha), cluster("beta", &beta)];
    let mut console = Console::start(clusters, quick());
    let heard = |c: &Console| {
        c.state
            .world
            .clusters
            .iter()
            .all(|c| c.last_sample.is_some())
    };
    console.until("both are heard", heard).await;
    alpha.kill();
    let status = |c: &Console| c.state.world.status(SICK);
    console
        .until("marked", |c| status(c) == Status::Unknown)
        .await;
    let (_, why) = console.state.world.standing(SICK);
    assert!(
        why.starts_with("unreachable: prometheus: nobody answers"),
        "{why}"
    );
    assert!(why.contains("last sample"), "{why}");
    console
        .until("an incident", |c| !c.state.world.incidents.is_empty())
        .await;
    assert!(
        console
            .state
            .world
            .incidents
            .iter()
            .all(|i| i.cluster == SICK)
    );
    console.hear_the_other().await;
    alpha.restart();
    console
        .until("alpha is back", |c| status(c) != Status::Unknown)
        .await;
    console.fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_off_is_shown() {
    let late = Server::start(Manner::Clock("Sun, 06 Nov 1994 08:49:37 GMT")).await;
    let cluster = Cluster {
        name: "sick".into(),
        prometheus: Some(endpoint(late.url())),
        ..Cluster::default()
    };
    let mut console = Console::start(vec![cluster], quick());
    console
        .until("heard", |c| {
            c.health(SourceKind::Prometheus).clock_off_ms().is_some()
        })
        .await;
    let page = console.screen("2");
    assert!(page.contains("its clock is"), "{page}");
    assert!(page.contains("s behind ours"), "{page}");
    console.fleet.shutdown().await;
}

/// TLS, an authority of our own and a token, also on the WebSocket of the tail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tail_is_followed_over_tls_with_a_token() {
    let loki = LokiServer::start("query_range_empty.json", loki_server::Fault::None).await;
    let front = Server::start_tls(Manner::Pass(loki.address()), "valid").await;
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "s3cret\n").unwrap();
    let mut at = endpoint(front.url());
    at.ca_file = Some(fixture("ca.pem"));
    at.auth = Auth::BearerFile(token);
    at.headers = vec![("X-Scope-OrgID".into(), "ops".into())];
    let cluster = Cluster {
        name: "sick".into(),
        loki: Some(at),
        ..Cluster::default()
    };
    let mut console = Console::start(vec![cluster], quick());
    console
        .until("lines", |c| {
            !c.state.world.cluster(SICK).unwrap().logs.is_empty()
        })
        .await;
    let tails = loki.requests("/tail");
    assert_eq!(tails[0].header("authorization"), Some("Bearer s3cret"));
    assert_eq!(tails[0].header("x-scope-orgid"), Some("ops"));
    console.fleet.shutdown().await;
}

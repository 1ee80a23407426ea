//! A hundred clusters: the reachable ones are live soon whatever the others do, each kind is
//! listed once, and memory stays bounded. Figures: `docs/performance.md`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use farwatch::clock;
use farwatch::config::{Cluster, Config, Kube};
use farwatch::model::health::{Health, SourceKind};
use farwatch::model::object::ObjectKind;
use farwatch::source::Outlet;
use farwatch::source::supervisor::{Fleet, Pace};
use farwatch::state::world::World;

#[path = "support/apiserver/mod.rs"]
mod apiserver;
#[path = "support/crowd.rs"]
mod crowd;
#[path = "support/memory.rs"]
mod memory;
#[path = "support/ports.rs"]
mod ports;

use apiserver::{ApiServer, Seen};
use ports::Refusal;

const PODS: usize = 30;
const NODES: usize = 3;
/// Bytes that a small cluster may cost, its server and its connections in this process included.
const MOST: u64 = 4 << 20;

async fn site() -> ApiServer {
    let server = ApiServer::start().await;
    for n in 0..NODES {
        server.put(crowd::node(n));
    }
    for n in 0..PODS {
        server.put(crowd::pod(n, NODES));
    }
    server
}

fn cluster(name: String, kubeconfig: std::path::PathBuf) -> Cluster {
    Cluster {
        name,
        kube: Some(Kube {
            kubeconfig: vec![kubeconfig],
            ..Kube::default()
        }),
        ..Cluster::default()
    }
}

/// A kubeconfig for an address where nobody answers.
fn kubeconfig(folder: &std::path::Path, name: &str, url: &str) -> std::path::PathBuf {
    let file = folder.join(name);
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: lab\nclusters:\n- name: lab\n  cluster: {{server: \"{url}\"}}\ncontexts:\n- name: lab\n  context: {{cluster: lab, user: lab}}\nusers:\n- name: lab\n  user: {{token: t}}\n"
    );
    std::fs::write(&file, text).unwrap();
    file
}

/// Runs the fleet until `done`, at most two minutes.
async fn watch(clusters: Vec<Cluster>, done: impl Fn(&World) -> bool) -> World {
    let config = Arc::new(Config {
        clusters,
        ..Config::default()
    });
    let mut world = World::new(&config, clock::now());
    let (outlet, mut queue) = Outlet::new(config.limits.queue);
    let fleet = Fleet::start_with(config, outlet.clone(), Pace::default());
    let began = clock::instant();
    while !done(&world) {
        let left = Duration::from_secs(120).saturating_sub(began.elapsed());
        let Ok(Some(told)) = tokio::time::timeout(left, queue.recv()).await else {
            let live = world.clusters.iter().filter(|c| whole(c)).count();
            panic!("only {live} clusters are whole");
        };
        world.ingest(told);
        world.tick(clock::now());
    }
    println!("{} clusters: {:?}", world.clusters.len(), began.elapsed());
    assert_eq!(outlet.dropped(), 0);
    fleet.shutdown().await;
    world
}

/// What every API server has.
const BUILT_IN: [ObjectKind; 10] = [
    ObjectKind::Node,
    ObjectKind::Pod,
    ObjectKind::Event,
    ObjectKind::Service,
    ObjectKind::Claim,
    ObjectKind::Deployment,
    ObjectKind::StatefulSet,
    ObjectKind::DaemonSet,
    ObjectKind::Job,
    ObjectKind::Autoscaler,
];

fn whole(c: &farwatch::state::world::ClusterState) -> bool {
    let listed = BUILT_IN.iter().all(|kind| c.is_listed(*kind));
    c.pods.len() == PODS && c.nodes.len() == NODES && listed
}

/// One fleet at a time: what it costs is measured.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Takes connections and says nothing.
struct Silent {
    listener: std::net::TcpListener,
    held: RefCell<Vec<std::net::TcpStream>>,
}

impl Silent {
    fn new() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self {
            listener,
            held: RefCell::default(),
        }
    }

    /// Whether anybody ever came.
    fn met(&self) -> bool {
        let mut held = self.held.borrow_mut();
        held.extend(self.listener.accept().ok().map(|(stream, _)| stream));
        !held.is_empty()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_of_a_hundred_are_live_whatever_the_others_do() {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let (mut servers, mut clusters) = (Vec::new(), Vec::new());
    let (mut refusing, mut silent) = (Vec::new(), Vec::new());
    for n in 0..100 {
        let name = format!("site-{n:03}");
        match n % 10 {
            0 => {
                let server = site().await;
                clusters.push(cluster(name, server.kubeconfig()));
                servers.push(server);
            }
            1..=5 => {
                let refusal = Refusal::new();
                let url = format!("https://{}", refusal.address());
                clusters.push(cluster(
                    name.clone(),
                    kubeconfig(folder.path(), &name, &url),
                ));
                refusing.push(refusal);
            }
            _ => {
                let one = Silent::new();
                let url = format!("https://{}", one.listener.local_addr().unwrap());
                clusters.push(cluster(
                    name.clone(),
                    kubeconfig(folder.path(), &name, &url),
                ));
                silent.push(one);
            }
        }
    }
    let refused = |world: &World| {
        let failing = |n: usize| {
            let source = world.clusters[n].sources.get(&SourceKind::Kubernetes);
            source.is_some_and(|s| matches!(s.health, Health::Failing { .. }))
        };
        (0..100)
            .filter(|n| (1..=5).contains(&(n % 10)))
            .all(failing)
    };
    let world = watch(clusters, |world| {
        let live = world.clusters.iter().step_by(10).all(whole);
        live && refused(world) && silent.iter().all(Silent::met)
    })
    .await;
    for (n, c) in world.clusters.iter().enumerate() {
        let health = &c.sources[&SourceKind::Kubernetes];
        match n % 10 {
            0 => assert_eq!(health.health, Health::Live, "{}", c.name),
            1..=5 => {
                let fault = health.fault().unwrap();
                assert!(fault.what.contains("refuses"), "{fault}");
                assert!(!fault.hint.is_empty(), "{fault}");
            }
            // Not live, and no figure was made up for it.
            _ => assert!(health.last_ok.is_none() && c.nodes.is_empty(), "{}", c.name),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_live_clusters_cost_one_list_a_kind() {
    let _alone = ALONE.lock().await;
    let (mut servers, mut clusters) = (Vec::new(), Vec::new());
    for n in 0..100 {
        let server = site().await;
        clusters.push(cluster(format!("site-{n:03}"), server.kubeconfig()));
        servers.push(server);
    }
    let before = memory::resident();
    let world = watch(clusters, |world| world.clusters.iter().all(whole)).await;
    let each = memory::resident().saturating_sub(before) / world.clusters.len() as u64;
    println!("{} kB a cluster", each / 1_000);
    assert!(each < MOST, "{each} bytes a cluster");
    let once: BTreeMap<_, _> = BUILT_IN.iter().map(|kind| (kind.api().plural, 1)).collect();
    for server in &servers {
        let mut lists = BTreeMap::new();
        let seen = server.seen();
        for seen in seen.iter().filter(|s| is_list(s)) {
            *lists.entry(seen.plural.as_str()).or_insert(0) += 1;
        }
        assert_eq!(lists, once, "one list a kind");
    }
}

/// A list as such, or as the first events of a watch.
fn is_list(seen: &Seen) -> bool {
    let has = |name| seen.request.param(name);
    match seen.verb {
        "list" => has("continue").is_none(),
        _ => seen.verb == "watch" && has("sendInitialEvents") == Some("true"),
    }
}

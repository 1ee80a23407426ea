//! A hundred clusters: the reachable ones are live soon whatever the others do, each kind is
//! listed once, and memory stays bounded. Figures: `docs/performance.md`.

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
#[path = "support/ports.rs"]
mod ports;

use apiserver::ApiServer;
use ports::Refusal;

const PODS: usize = 30;
const NODES: usize = 3;

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

fn whole(c: &farwatch::state::world::ClusterState) -> bool {
    c.pods.len() == PODS && c.nodes.len() == NODES && c.is_listed(ObjectKind::Event)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_of_a_hundred_are_live_whatever_the_others_do() {
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
                let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
                let url = format!("https://{}", listener.local_addr().unwrap());
                clusters.push(cluster(
                    name.clone(),
                    kubeconfig(folder.path(), &name, &url),
                ));
                silent.push(listener);
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
        world.clusters.iter().step_by(10).all(whole) && refused(world)
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
    let (mut servers, mut clusters) = (Vec::new(), Vec::new());
    for n in 0..100 {
        let server = site().await;
        clusters.push(cluster(format!("site-{n:03}"), server.kubeconfig()));
        servers.push(server);
    }
    watch(clusters, |world| world.clusters.iter().all(whole)).await;
    for server in &servers {
        assert!(server.count("list", "pods") <= 1, "pods were listed again");
    }
}

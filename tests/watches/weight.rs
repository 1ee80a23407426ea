//! A cluster of 5,000 pods and 200 nodes: what it costs in memory and in requests. Measured in a
//! process of its own, beside the server.

use std::process::Command;

use farwatch::config::Kube;
use farwatch::model::object::ObjectKind;
use serde_json::{Value, json};

use crate::apiserver::{ApiServer, Options, wire};
use crate::console::{Console, pace};
use crate::memory::resident;

const PODS: usize = 5_000;
const NODES: usize = 200;
/// The whole allowance of a cluster.
const MOST: u64 = 60 << 20;
const KUBECONFIG: &str = "FARWATCH_TEST_WEIGHT";

fn items(file: &str) -> Vec<Value> {
    let list: Value = serde_json::from_slice(&wire::fixture(file)).unwrap();
    list["items"].as_array().unwrap().clone()
}

fn fill(server: &ApiServer) {
    let pods = items("kube/pods_shop.json");
    for n in 0..PODS {
        let mut pod = pods[n % pods.len()].clone();
        pod["apiVersion"] = "v1".into();
        pod["kind"] = "Pod".into();
        let meta = &mut pod["metadata"];
        meta["name"] = format!("checkout-7d9f8b6c5d-{n:05}").into();
        meta["namespace"] = format!("team-{}", n % 80).into();
        // What a webhook or a tool leaves behind; nobody reads it.
        meta["annotations"] = json!({"k8s.v1.cni.cncf.io/network-status": "x".repeat(3_000)});
        pod["spec"]["nodeName"] = format!("worker-{:03}", n % NODES).into();
        server.put(pod);
    }
    let nodes = items("kube/nodes.json");
    for n in 0..NODES {
        let mut node = nodes[n % nodes.len()].clone();
        node["apiVersion"] = "v1".into();
        node["kind"] = "Node".into();
        node["metadata"]["name"] = format!("worker-{n:03}").into();
        server.put(node);
    }
}

async fn measured(version: &str) -> (u64, ApiServer) {
    let server = ApiServer::start_with(Options {
        version: Some(version.into()),
        ..Options::default()
    })
    .await;
    fill(&server);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "weight::a_console_of_its_own",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env(KUBECONFIG, server.kubeconfig());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let grown = said
        .lines()
        .find_map(|l| l.split_once("grown by ")?.1.trim().parse().ok());
    let grown =
        grown.unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)));
    (grown, server)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_cluster_costs_little_in_pages() {
    let (grown, server) = measured("v1.31.4").await;
    println!(
        "{PODS} pods, {NODES} nodes in pages: {:.1} MB",
        grown as f64 / 1e6
    );
    assert!(grown < MOST, "{grown}");
    assert_eq!(
        server.count("list", "pods"),
        PODS.div_ceil(500),
        "one list in pages of 500"
    );
    assert_eq!(server.count("list", "nodes"), 1);
    let mut lists = std::collections::BTreeMap::<String, usize>::new();
    for seen in server.seen().iter().filter(|s| s.verb == "list") {
        if seen.request.param("continue").is_none() {
            *lists.entry(seen.plural.clone()).or_default() += 1;
        }
    }
    assert!(
        lists.values().all(|n| *n == 1),
        "one list per kind: {lists:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_cluster_costs_little_as_a_stream() {
    let (grown, server) = measured("v1.36.2").await;
    println!(
        "{PODS} pods, {NODES} nodes as a stream: {:.1} MB",
        grown as f64 / 1e6
    );
    assert!(grown < MOST, "{grown}");
    assert_eq!(server.count("list", "pods"), 0);
    assert_eq!(server.count("watch", "pods"), 1);
}

#[tokio::test]
#[ignore = "run by the tests above, in a process of its own"]
async fn a_console_of_its_own() {
    let Ok(kubeconfig) = std::env::var(KUBECONFIG) else {
        return;
    };
    let kube = Kube {
        context: Some("lab".into()),
        kubeconfig: vec![kubeconfig.into()],
        ..Kube::default()
    };
    let before = resident();
    let mut console = Console::with(&kube, &pace());
    console
        .until("all of it", |c| {
            c.live()
                && c.names(ObjectKind::Pod).len() == PODS
                && c.names(ObjectKind::Node).len() == NODES
        })
        .await;
    // What the test itself keeps of the batches is no part of it.
    console.batches.clear();
    println!("grown by {}", resident().saturating_sub(before));
}

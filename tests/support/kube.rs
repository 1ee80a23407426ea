//! A Kubernetes API server that says what a real one was recorded to say (`tests/fixtures/kube`):
//! lists, watches with bookmarks, 410, and refusals.
#![allow(dead_code, clippy::duplicate_mod)]

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpStream;

#[path = "wire.rs"]
mod wire;

use wire::Request;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Fault {
    #[default]
    None,
    /// 401 to everything but `/version`.
    BadToken,
    /// 403 to lists and watches of pods.
    PodsForbidden,
    /// The first watch of pods ends with the recorded 410 event.
    GoneOnce,
    /// The CRD of SR-IOV is not installed (404 in plain text, as an admin sees it).
    NoCrd,
    /// The same as a viewer sees it: 403.
    NoCrdForViewer,
    Silent,
}

#[derive(Debug)]
pub struct KubeServer {
    server: wire::Server,
    seen: Arc<Mutex<Vec<Request>>>,
    _folder: tempfile::TempDir,
    /// With one context named `lab`.
    pub kubeconfig: PathBuf,
}

struct Script {
    fault: Fault,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl KubeServer {
    pub async fn start(fault: Fault) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Script {
            fault,
            seen: seen.clone(),
        });
        let server = wire::Server::start(Arc::new(move |request, stream| {
            let script = script.clone();
            Box::pin(async move { answer(&script, request, stream).await })
        }))
        .await;
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        let text = kubeconfig_of(&server.url(), None);
        std::fs::write(&kubeconfig, text).unwrap();
        Self {
            server,
            seen,
            _folder: folder,
            kubeconfig,
        }
    }

    pub fn address(&self) -> std::net::SocketAddr {
        self.server.address
    }

    pub fn requests(&self, path: &str) -> Vec<Request> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .filter(|r| r.path.ends_with(path))
            .cloned()
            .collect()
    }
}

/// A kubeconfig with one context named `lab`.
pub fn kubeconfig_of(url: &str, authority: Option<&std::path::Path>) -> String {
    let authority = authority.map_or_else(String::new, |file| {
        format!(", certificate-authority: '{}'", file.display())
    });
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: c\n  cluster: {{server: '{url}'{authority}}}\nusers:\n- name: u\n  user: {{token: lab-view-token}}\ncontexts:\n- name: lab\n  context: {{cluster: c, user: u}}\ncurrent-context: lab\n"
    )
}

const JSON: &str = "application/json";

async fn file(stream: &mut TcpStream, status: u16, name: &str) -> io::Result<bool> {
    let kind = if name.ends_with(".txt") {
        "text/plain; charset=utf-8"
    } else {
        JSON
    };
    let body = wire::fixture(&format!("kube/{name}"));
    wire::reply(stream, status, kind, &[], &body).await
}

async fn answer(script: &Script, request: Request, stream: &mut TcpStream) -> io::Result<bool> {
    script.seen.lock().unwrap().push(request.clone());
    if script.fault == Fault::Silent {
        return wire::never(stream).await;
    }
    let path = request.path.as_str();
    if path == "/version" {
        return file(stream, 200, "version.json").await;
    }
    if script.fault == Fault::BadToken {
        return file(stream, 401, "err_401_bad_token.json").await;
    }
    let watch = matches!(request.param("watch"), Some("1" | "true"));
    match path {
        "/api/v1/pods" if script.fault == Fault::PodsForbidden => {
            file(stream, 403, "err_403_cluster_scope.json").await
        }
        "/api/v1/pods" if watch => pods(script, stream).await,
        "/api/v1/pods" => file(stream, 200, "pods_shop.json").await,
        "/api/v1/nodes" if !watch => file(stream, 200, "nodes.json").await,
        "/api/v1/events" if !watch => file(stream, 200, "events_shop.json").await,
        "/apis/sriovnetwork.openshift.io/v1/sriovnetworknodestates" => match script.fault {
            Fault::NoCrd => file(stream, 404, "err_404_crd_absent.txt").await,
            Fault::NoCrdForViewer => file(stream, 403, "err_403_crd_absent.json").await,
            _ if watch => quiet(stream).await,
            _ => file(stream, 200, "sriov_nodestates.json").await,
        },
        _ if watch => quiet(stream).await,
        _ => file(stream, 404, "err_404_crd_absent.txt").await,
    }
}

async fn pods(script: &Script, stream: &mut TcpStream) -> io::Result<bool> {
    let watches = script
        .seen
        .lock()
        .unwrap()
        .iter()
        .filter(|r| r.path == "/api/v1/pods" && r.param("watch").is_some())
        .count();
    wire::begin_chunks(stream, JSON).await?;
    if script.fault == Fault::GoneOnce && watches == 1 {
        let gone = wire::fixture("kube/watch_410_gone.jsonl");
        wire::chunk(stream, &gone).await?;
        return wire::end_chunks(stream).await;
    }
    wire::chunk(stream, &wire::fixture("kube/watch_bookmark_minute.jsonl")).await?;
    // Cut in the middle of a line: chunks know nothing of lines.
    let changes = wire::fixture("kube/watch_pods.jsonl");
    let (a, b) = changes.split_at(changes.len() / 3);
    wire::chunk(stream, a).await?;
    tokio::time::sleep(Duration::from_millis(30)).await;
    wire::chunk(stream, b).await?;
    wire::never(stream).await
}

async fn quiet(stream: &mut TcpStream) -> io::Result<bool> {
    wire::begin_chunks(stream, JSON).await?;
    wire::never(stream).await
}

//! One Kubernetes API server in the test process: objects in a store, lists, watches, reviews,
//! logs and the service proxy, in the layout of the recordings (`tests/fixtures/kube`), and a
//! script of faults. Many of them are cheap.
#![allow(dead_code, unused_imports, clippy::duplicate_mod)]

mod answer;
mod discovery;
mod faults;
mod list;
mod logs;
mod proxy;
mod store;
mod users;
mod watch;
#[path = "../wire.rs"]
pub mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch as signal;

pub use faults::{Fault, What};
pub use store::Store;
pub use users::{Rule, Used, User, manifest};
pub use wire::Request;

#[derive(Clone, Debug)]
pub struct Options {
    /// `gitVersion`; the recorded one where nothing is said.
    pub version: Option<String>,
    /// `users/~` and `ClusterVersion` are there.
    pub openshift: bool,
    /// Serves `sendInitialEvents`.
    pub watch_list: bool,
    /// Does not know `sendInitialEvents`, as an aggregated server of an older library: a plain
    /// watch that begins with what there is.
    pub watch_list_unknown: bool,
    /// Time between bookmarks.
    pub bookmarks: Duration,
    /// Serves the aggregated discovery (since 1.26).
    pub aggregated: bool,
    /// Seconds that the server's clock is ahead, as `/version` tells it.
    pub skew: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            version: None,
            openshift: false,
            watch_list: true,
            watch_list_unknown: false,
            bookmarks: Duration::from_secs(60),
            aggregated: true,
            skew: 0,
        }
    }
}

/// What open watches wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tick {
    version: u64,
    bookmarks: u64,
    cuts: u64,
    frozen: u64,
}

/// One request and how it was understood.
#[derive(Clone, Debug)]
pub struct Seen {
    pub at: tokio::time::Instant,
    /// `list`, `watch`, `get`, `create`, `patch`.
    pub verb: &'static str,
    pub plural: String,
    pub request: Request,
}

pub(crate) struct Inner {
    options: Options,
    store: Mutex<Store>,
    tick: signal::Sender<Tick>,
    faults: Mutex<Vec<Fault>>,
    /// By bearer token; `None`: everybody may everything.
    users: Mutex<Option<BTreeMap<String, User>>>,
    seen: Mutex<Vec<Seen>>,
    used: Mutex<BTreeSet<Used>>,
    logs: Mutex<logs::Logs>,
    backends: Mutex<BTreeMap<proxy::Name, SocketAddr>>,
    /// Paths that end so are answered by others.
    extra: Mutex<Vec<(String, wire::Handler)>>,
}

pub struct ApiServer {
    inner: Arc<Inner>,
    address: SocketAddr,
    listener: Mutex<Option<wire::Server>>,
    folder: tempfile::TempDir,
}

impl ApiServer {
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub async fn start_with(options: Options) -> Self {
        let inner = Arc::new(Inner {
            options,
            store: Mutex::default(),
            tick: signal::Sender::new(Tick::default()),
            faults: Mutex::default(),
            users: Mutex::default(),
            seen: Mutex::default(),
            used: Mutex::default(),
            logs: Mutex::default(),
            backends: Mutex::default(),
            extra: Mutex::default(),
        });
        let listener = wire::Server::start(handler(&inner)).await;
        Self {
            inner,
            address: listener.address,
            listener: Mutex::new(Some(listener)),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// With the objects of the recordings.
    pub async fn recorded() -> Self {
        let server = Self::start().await;
        for file in [
            "namespaces.json",
            "nodes.json",
            "pods_shop.json",
            "events_shop.json",
            "deployments_shop.json",
            "sriov_nodestates.json",
            "ptpconfigs.json",
            "argo_applications.json",
            "flux_kustomizations.json",
            "flux_helmreleases.json",
            "kserve_inferenceservices.json",
        ] {
            server.put_list(&wire::fixture(&format!("kube/{file}")));
        }
        server
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// With one context named `lab`, whose token is `lab-view-token`.
    pub fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig_with("lab-view-token")
    }

    pub fn kubeconfig_with(&self, token: &str) -> PathBuf {
        let path = self.folder.path().join("kubeconfig");
        std::fs::write(&path, kubeconfig_of(&self.url(), token, None)).unwrap();
        path
    }

    /// Adds or changes an object (with `apiVersion` and `kind`; its CRD is installed by that).
    pub fn put(&self, object: Value) -> u64 {
        let version = self.store().put(object);
        self.tell(|tick| tick.version = version);
        version
    }

    /// The items of a list as an API server answers it.
    pub fn put_list(&self, list: &[u8]) {
        let list: Value = serde_json::from_slice(list).unwrap();
        let kind = list["kind"].as_str().unwrap().trim_end_matches("List");
        for item in list["items"].as_array().unwrap() {
            let mut item = item.clone();
            item["apiVersion"] = list["apiVersion"].clone();
            item["kind"] = kind.into();
            self.put(item);
        }
    }

    /// Namespace is empty for cluster-wide objects.
    pub fn delete(&self, kind: &str, namespace: &str, name: &str) {
        let version = {
            let mut store = self.store();
            let at = store.by_kind(kind);
            assert!(
                store.delete(at, namespace, name),
                "{kind} {namespace}/{name}"
            );
            store.version
        };
        self.tell(|tick| tick.version = version);
    }

    /// The CRD of this kind is there, or no longer.
    pub fn install(&self, kind: &str, there: bool) {
        let mut store = self.store();
        let at = store.by_kind(kind);
        store.resources[at].installed = there;
    }

    /// Forgets all versions before now: watches and pages from before get 410.
    pub fn compact(&self) {
        let mut store = self.store();
        store.version += 1;
        store.compacted = store.version;
    }

    pub fn version(&self) -> u64 {
        self.store().version
    }

    pub fn fault(&self, fault: Fault) {
        self.inner.faults.lock().unwrap().push(fault);
    }

    pub fn clear_faults(&self) {
        self.inner.faults.lock().unwrap().clear();
    }

    /// From the first user on, other tokens get 401.
    pub fn user(&self, token: &str, user: User) {
        let mut users = self.inner.users.lock().unwrap();
        users.get_or_insert_default().insert(token.into(), user);
    }

    /// Forgets a token: it has expired.
    pub fn revoke(&self, token: &str) {
        let mut users = self.inner.users.lock().unwrap();
        users.get_or_insert_default().remove(token);
    }

    /// A bookmark to every open watch.
    pub fn bookmark(&self) {
        self.tell(|tick| tick.bookmarks += 1);
    }

    /// Cuts every open watch, in the middle of a line.
    pub fn cut(&self) {
        self.tell(|tick| tick.cuts += 1);
    }

    /// Open watches and logs never say a word again, and stay open; new ones are well.
    pub fn freeze(&self) {
        self.tell(|tick| tick.frozen += 1);
    }

    /// Nobody listens any more; all connections are gone.
    pub async fn down(&self) {
        drop(self.listener.lock().unwrap().take());
        while tokio::net::TcpStream::connect(self.address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Listens again where it did.
    pub async fn up(&self) {
        let at = self.address.to_string();
        let listener = wire::Server::start_at(&at, handler(&self.inner)).await;
        *self.listener.lock().unwrap() = Some(listener);
    }

    /// All connections dropped; the same data after.
    pub async fn restart(&self) {
        self.down().await;
        self.up().await;
    }

    /// Another cluster's data behind the same address: versions begin anew.
    pub fn replace(&self, objects: Vec<Value>) {
        let mut store = Store::default();
        for object in objects {
            store.put(object);
        }
        *self.store() = store;
    }

    /// Where the service proxy leads: port by name or number.
    pub fn backend(&self, namespace: &str, service: &str, port: &str, to: SocketAddr) {
        let name = (namespace.into(), service.into(), port.into());
        self.inner.backends.lock().unwrap().insert(name, to);
    }

    /// Requests whose path ends so are answered by this (port-forward, metrics …).
    pub fn extra(&self, ending: &str, handler: wire::Handler) {
        let mut extra = self.inner.extra.lock().unwrap();
        extra.push((ending.into(), handler));
    }

    /// A line that a container writes, now; open followers get it.
    pub fn log(&self, namespace: &str, pod: &str, container: &str, line: &str) {
        self.log_before(0, namespace, pod, container, line);
    }

    /// A line that it wrote so many seconds ago.
    pub fn log_before(&self, age: u64, namespace: &str, pod: &str, container: &str, line: &str) {
        let mut logs = self.inner.logs.lock().unwrap();
        logs.add(namespace, pod, container, age, line);
        drop(logs);
        self.tell(|_| ());
    }

    /// What the container's run before this one wrote.
    pub fn log_previous(&self, namespace: &str, pod: &str, container: &str, text: &str) {
        let mut logs = self.inner.logs.lock().unwrap();
        logs.set_previous(namespace, pod, container, text);
    }

    /// Requests whose path ends so.
    pub fn requests(&self, path: &str) -> Vec<Request> {
        self.seen()
            .into_iter()
            .filter(|s| s.request.path.ends_with(path))
            .map(|s| s.request)
            .collect()
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.inner.seen.lock().unwrap().clone()
    }

    /// Every right that a request needed.
    pub fn used(&self) -> BTreeSet<Used> {
        self.inner.used.lock().unwrap().clone()
    }

    /// How many requests there were: `count("list", "pods")`.
    pub fn count(&self, verb: &str, plural: &str) -> usize {
        let seen = self.inner.seen.lock().unwrap();
        seen.iter()
            .filter(|s| s.verb == verb && s.plural == plural)
            .count()
    }

    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.inner.store.lock().unwrap()
    }

    fn tell(&self, change: impl FnOnce(&mut Tick)) {
        self.inner.tick.send_modify(change);
    }
}

impl std::fmt::Debug for ApiServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ApiServer({})", self.address)
    }
}

fn handler(inner: &Arc<Inner>) -> wire::Handler {
    let inner = inner.clone();
    Arc::new(move |request, stream| {
        let inner = inner.clone();
        Box::pin(async move { answer::answer(&inner, request, stream).await })
    })
}

/// A kubeconfig with one context named `lab`.
pub fn kubeconfig_of(url: &str, token: &str, authority: Option<&Path>) -> String {
    let authority = authority.map_or_else(String::new, |file| {
        format!(", certificate-authority: '{}'", file.display())
    });
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: c\n  cluster: {{server: '{url}'{authority}}}\nusers:\n- name: u\n  user: {{token: {token}}}\ncontexts:\n- name: lab\n  context: {{cluster: c, user: u}}\ncurrent-context: lab\n"
    )
}

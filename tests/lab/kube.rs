//! A server that speaks the Kubernetes API for the lab: version, lists and watches with bookmarks.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farwatch::clock;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::common::Site;
use super::objects;
use super::story::Story;
use super::wire::{self, Request};

const JSON: &str = "application/json";
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// A change: version, kind of object, `ADDED` …, object.
type Change = (u64, &'static str, &'static str, Value);

#[derive(Debug, Default)]
struct Ledger {
    version: u64,
    now: BTreeMap<(&'static str, String), Value>,
    changes: Vec<Change>,
}

#[derive(Debug)]
pub struct Api {
    site: Site,
    story: Story,
    ledger: Mutex<Ledger>,
}

impl Api {
    pub fn new(site: Site, story: Story) -> Arc<Self> {
        let ledger = Mutex::new(Ledger {
            version: 1_000,
            ..Ledger::default()
        });
        Arc::new(Self {
            site,
            story,
            ledger,
        })
    }

    /// Brings the ledger up to now.
    fn refresh(&self) -> std::sync::MutexGuard<'_, Ledger> {
        let t = clock::now().seconds();
        let mut ledger = self.ledger.lock().unwrap();
        for (kind, ..) in objects::kinds(self.site) {
            let wanted = objects::all(self.site, &self.story, kind, t);
            let gone: Vec<String> = ledger
                .now
                .keys()
                .filter(|(k, name)| *k == kind && !wanted.contains_key(name))
                .map(|(_, name)| name.clone())
                .collect();
            for name in gone {
                if let Some(object) = ledger.now.remove(&(kind, name)) {
                    ledger.change(kind, "DELETED", object);
                }
            }
            for (name, object) in wanted {
                let key = (kind, name);
                let word = match ledger.now.get(&key) {
                    None => "ADDED",
                    Some(known) if differs(known, &object) => "MODIFIED",
                    Some(_) => continue,
                };
                let stamped = ledger.change(kind, word, object);
                ledger.now.insert(key, stamped);
            }
        }
        ledger
    }
}

fn differs(known: &Value, new: &Value) -> bool {
    let mut known = known.clone();
    if let Some(meta) = known["metadata"].as_object_mut() {
        meta.remove("resourceVersion");
    }
    known != *new
}

impl Ledger {
    fn change(&mut self, kind: &'static str, word: &'static str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = Value::from(self.version.to_string());
        self.changes
            .push((self.version, kind, word, object.clone()));
        object
    }
}

pub async fn answer(api: Arc<Api>, request: Request, stream: &mut TcpStream) -> io::Result<bool> {
    if request.path == "/version" {
        let body = json!({"major": "1", "minor": "33", "gitVersion": "v1.33.4", "gitCommit": "lab", "gitTreeState": "clean", "buildDate": "2026-01-01T00:00:00Z", "goVersion": "go1.24", "compiler": "gc", "platform": "linux/amd64"});
        return wire::reply(stream, 200, JSON, &[], body.to_string().as_bytes()).await;
    }
    if matches!(request.path.as_str(), "/api" | "/apis") {
        let body = groups(api.site, &request);
        let kind = body["kind"].as_str().unwrap_or_default();
        let content = if kind == "APIGroupDiscoveryList" {
            AGGREGATED
        } else {
            JSON
        };
        return wire::reply(stream, 200, content, &[], body.to_string().as_bytes()).await;
    }
    let resource = request.path.rsplit('/').next().unwrap_or_default();
    if request.method == "POST" {
        let Some(body) = review(resource, &request) else {
            return wire::reply(stream, 405, JSON, &[], b"{}").await;
        };
        return wire::reply(stream, 201, JSON, &[], body.to_string().as_bytes()).await;
    }
    let found = objects::kinds(api.site).find(|(kind, ..)| *kind == resource);
    if found.is_none()
        && let Some(body) = one(&api, &request.path)
    {
        return wire::reply(stream, 200, JSON, &[], body.to_string().as_bytes()).await;
    }
    let Some((kind, word, group)) = found else {
        return wire::reply(
            stream,
            404,
            "text/plain; charset=utf-8",
            &[],
            b"404 page not found\n",
        )
        .await;
    };
    if matches!(request.param("watch"), Some("1" | "true")) {
        return watch(&api, kind, word, group, &request, stream).await;
    }
    let body = {
        let ledger = api.refresh();
        let items: Vec<&Value> = ledger
            .now
            .iter()
            .filter(|((k, _), _)| *k == kind)
            .map(|(_, o)| o)
            .collect();
        json!({"apiVersion": group, "kind": format!("{word}List"), "metadata": {"resourceVersion": ledger.version.to_string()}, "items": items})
    };
    wire::reply(stream, 200, JSON, &[], body.to_string().as_bytes()).await
}

async fn watch(
    api: &Api,
    kind: &str,
    word: &str,
    group: &str,
    request: &Request,
    stream: &mut TcpStream,
) -> io::Result<bool> {
    let mut version: u64 = request
        .param("resourceVersion")
        .and_then(|v| v.parse().ok())
        .unwrap_or(0);
    let limit = request
        .param("timeoutSeconds")
        .and_then(|v| v.parse().ok())
        .unwrap_or(290);
    let started = clock::instant();
    let mut bookmark = started;
    wire::begin_chunks(stream, JSON).await?;
    while started.elapsed() < Duration::from_secs(limit) {
        let (news, newest) = {
            let ledger = api.refresh();
            let news: Vec<Value> = ledger
                .changes
                .iter()
                .filter(|(v, k, _, _)| *v > version && *k == kind)
                .map(|(_, _, word, object)| json!({"type": word, "object": object}))
                .collect();
            (news, ledger.version)
        };
        version = newest;
        for event in news {
            wire::chunk(stream, format!("{event}\n").as_bytes()).await?;
        }
        if bookmark.elapsed() > Duration::from_secs(60) {
            bookmark = clock::instant();
            let event = json!({"type": "BOOKMARK", "object": {"kind": word, "apiVersion": group, "metadata": {"resourceVersion": version.to_string()}, "spec": {"containers": []}, "status": {}}});
            wire::chunk(stream, format!("{event}\n").as_bytes()).await?;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    wire::end_chunks(stream).await
}

/// The object of a path that ends with a resource and a name.
fn one(api: &Api, path: &str) -> Option<Value> {
    let (rest, name) = path.rsplit_once('/')?;
    let (rest, resource) = rest.rsplit_once('/')?;
    let namespace = match rest.rsplit_once("/namespaces/") {
        Some((_, namespace)) => namespace,
        None => "",
    };
    let (kind, word, group) = objects::kinds(api.site).find(|(kind, ..)| *kind == resource)?;
    let ledger = api.refresh();
    let mut object = ledger
        .now
        .get(&(kind, format!("{namespace}/{name}")))?
        .clone();
    object["apiVersion"] = Value::from(group);
    object["kind"] = Value::from(word);
    Some(object)
}

/// Everyone is a viewer with a right to read.
fn review(resource: &str, request: &Request) -> Option<Value> {
    let mut body: Value = serde_json::from_slice(&request.body).ok()?;
    body["status"] = match resource {
        "selfsubjectreviews" => {
            json!({"userInfo": {"username": "m.ito@example.net", "groups": ["aiops-viewers", "system:authenticated"]}})
        }
        "selfsubjectaccessreviews" => {
            let verb = body["spec"]["resourceAttributes"]["verb"].as_str();
            let reads = matches!(verb, Some("get" | "list" | "watch"));
            json!({"allowed": reads, "reason": if reads { "RBAC: allowed by ClusterRoleBinding \"farwatch\"" } else { "" }})
        }
        _ => return None,
    };
    Some(body)
}

/// The groups of the site: aggregated where that is asked for, else as the old list.
fn groups(site: Site, request: &Request) -> Value {
    let core = request.path == "/api";
    let mut groups: BTreeMap<(&str, &str), Vec<Value>> = BTreeMap::new();
    for (resource, kind, group) in objects::kinds(site) {
        let (name, version) = group.split_once('/').unwrap_or(("", group));
        if name.is_empty() == core {
            groups.entry((name, version)).or_default().push(json!({
                "resource": resource, "responseKind": {"group": "", "version": "", "kind": kind},
                "scope": "Namespaced", "singularResource": kind.to_lowercase(), "verbs": ["get", "list", "watch"]}));
        }
    }
    let aggregated = request
        .header("accept")
        .is_some_and(|accept| accept.contains("APIGroupDiscoveryList"));
    if aggregated {
        let items: Vec<Value> = groups
            .into_iter()
            .map(|((name, version), resources)| json!({"metadata": {"name": name}, "versions": [{"version": version, "resources": resources, "freshness": "Current"}]}))
            .collect();
        return json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items});
    }
    if core {
        return json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []});
    }
    let items: Vec<Value> = groups
        .into_keys()
        .map(|(name, version)| {
            let version = json!({"groupVersion": format!("{name}/{version}"), "version": version});
            json!({"name": name, "versions": [version.clone()], "preferredVersion": version})
        })
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": items})
}

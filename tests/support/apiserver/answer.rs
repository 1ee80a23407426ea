//! From a request to its answer: who asks, what goes wrong, then the resource.

use std::io;

use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::faults::What;
use super::store::Resource;
use super::users::{self, Used, User};
use super::wire::{self, Request};
use super::{Inner, Seen, discovery, faults, list, logs, proxy, watch};

pub const JSON: &str = "application/json";

/// A path of the API, taken apart.
#[derive(Clone, Debug, Default)]
pub struct Place {
    pub group: String,
    pub version: String,
    pub plural: String,
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub sub: Option<String>,
    /// After the subresource: `/proxy/REST`.
    pub rest: String,
}

impl Place {
    fn of(path: &str) -> Option<Self> {
        let mut parts = path.trim_start_matches('/').split('/');
        let (group, version) = match parts.next()? {
            "api" => ("", parts.next()?),
            "apis" => (parts.next()?, parts.next()?),
            _ => return None,
        };
        let mut plural = parts.next()?;
        let (mut namespace, mut name) = (None, parts.next());
        if plural == "namespaces"
            && let (Some(of), Some(inner)) = (name, parts.next())
        {
            (plural, namespace, name) = (inner, Some(of.to_owned()), parts.next());
        }
        let sub = parts.next();
        Some(Self {
            group: group.into(),
            version: version.into(),
            plural: plural.into(),
            namespace,
            name: name.map(str::to_owned),
            sub: sub.map(str::to_owned),
            rest: parts.collect::<Vec<_>>().join("/"),
        })
    }

    /// As rights name it: `pods/log`.
    fn resource(&self) -> String {
        match &self.sub {
            Some(sub) => format!("{}/{sub}", self.plural),
            None => self.plural.clone(),
        }
    }
}

pub fn status(code: u16, reason: &str, message: &str) -> Value {
    let mut body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": code});
    if !reason.is_empty() {
        body["reason"] = reason.into();
    }
    body
}

pub async fn send(stream: &mut TcpStream, code: u16, body: &Value) -> io::Result<bool> {
    send_at(stream, code, body, 0).await
}

/// With the server's clock so many seconds off.
async fn send_at(stream: &mut TcpStream, code: u16, body: &Value, skew: i64) -> io::Result<bool> {
    let date = httpdate(skew);
    let extra = [("Date", date.as_str())];
    wire::reply(stream, code, JSON, &extra, body.to_string().as_bytes()).await
}

fn httpdate(skew: i64) -> String {
    let now = super::logs::now() + jiff::SignedDuration::from_secs(skew);
    now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

pub async fn answer(inner: &Inner, request: Request, stream: &mut TcpStream) -> io::Result<bool> {
    let place = Place::of(&request.path).unwrap_or_default();
    let verb = verb(&request, &place);
    inner.seen.lock().unwrap().push(Seen {
        at: tokio::time::Instant::now(),
        verb,
        plural: place.plural.clone(),
        request: request.clone(),
    });
    let fault = {
        let mut faults = inner.faults.lock().unwrap();
        faults::next(&mut faults, verb, &place.plural, &request.path)
    };
    let user = user(inner, &request);
    if let Some(fault) = &fault
        && let Some(keep) = failed(fault, verb, &place, user.as_ref(), stream).await?
    {
        return Ok(keep);
    }
    if request.path == "/version" {
        let body = discovery::version(&inner.options);
        return send_at(stream, 200, &body, inner.options.skew).await;
    }
    let Some(user) = user else {
        return send(stream, 401, &status(401, "Unauthorized", "Unauthorized")).await;
    };
    if let Some((body, kind)) = discovery::answer(inner, &request) {
        let body = body.to_string();
        let mut hash = std::hash::DefaultHasher::new();
        std::hash::Hash::hash(&body, &mut hash);
        let etag = format!("\"{:x}\"", std::hash::Hasher::finish(&hash));
        if request.header("if-none-match") == Some(etag.as_str()) {
            return wire::reply(stream, 304, kind, &[("ETag", &etag)], b"").await;
        }
        return wire::reply(stream, 200, kind, &[("ETag", &etag)], body.as_bytes()).await;
    }
    let own = place.plural == "users" && place.name.as_deref() == Some("~");
    if !place.plural.is_empty() && !own {
        for verb in needed(verb, &place, &request) {
            if !may(inner, &user, verb, &place) {
                return send(stream, 403, &forbidden(&user, verb, &place)).await;
            }
        }
    }
    let extra = {
        let extra = inner.extra.lock().unwrap();
        let fits = extra.iter().find(|(end, _)| request.path.ends_with(end));
        fits.map(|(_, handler)| handler.clone())
    };
    if let Some(handler) = extra {
        return handler(request, stream).await;
    }
    if place.plural.is_empty() {
        return not_found(stream).await;
    }
    if request.method == "POST" {
        let asked = serde_json::from_slice(&request.body).unwrap_or_default();
        if let Some(body) = users::review(&user, &place.plural, &asked) {
            return send(stream, 201, &body).await;
        }
    }
    if own && inner.options.openshift {
        let body = json!({"kind": "User", "apiVersion": "user.openshift.io/v1", "metadata": {"name": user.name}, "identities": [], "groups": user.groups});
        return send(stream, 200, &body).await;
    }
    served(inner, &request, verb, &place, fault, stream).await
}

/// What a user with the right gets.
async fn served(
    inner: &Inner,
    request: &Request,
    verb: &str,
    place: &Place,
    fault: Option<What>,
    stream: &mut TcpStream,
) -> io::Result<bool> {
    let found = {
        let store = inner.store.lock().unwrap();
        let at = store.by_path(&place.group, &place.version, &place.plural);
        at.map(|at| (at, store.resources[at].clone()))
    };
    let Some((at, resource)) = found else {
        return not_found(stream).await;
    };
    match (verb, place.name.as_deref(), place.sub.as_deref()) {
        ("get", Some(_), Some("log")) => logs::answer(inner, request, place, stream).await,
        (_, Some(_), Some("proxy")) => proxy::answer(inner, request, place, stream).await,
        ("list", None, None) => {
            let (code, body) = list::answer(inner, request, place, at, &resource);
            send(stream, code, &body).await
        }
        ("watch", None, None) => watch::answer(inner, request, place, at, fault, stream).await,
        ("get", Some(name), None) => {
            let (code, body) = get(inner, place, at, &resource, name);
            send(stream, code, &body).await
        }
        ("patch", Some(name), None) => {
            let (code, body) = patch(inner, request, place, at, &resource, name);
            send(stream, code, &body).await
        }
        _ => {
            let message = "the server does not allow this method on the requested resource";
            send(stream, 405, &status(405, "MethodNotAllowed", message)).await
        }
    }
}

/// Since 1.35 a port-forward or an exec by an upgrade of a GET needs the right to create, too.
fn needed(verb: &'static str, place: &Place, request: &Request) -> Vec<&'static str> {
    let upgrade = request.header("upgrade").is_some();
    match place.sub.as_deref() {
        Some("portforward" | "exec") if upgrade => vec![verb, "create"],
        _ => vec![verb],
    }
}

fn may(inner: &Inner, user: &User, verb: &str, place: &Place) -> bool {
    let (namespace, name) = (place.namespace.as_deref(), place.name.as_deref());
    let allowed = user.may(verb, &place.group, &place.resource(), namespace, name);
    inner.used.lock().unwrap().insert(Used {
        verb: verb.into(),
        group: place.group.clone(),
        resource: place.resource(),
        name: name.unwrap_or_default().into(),
        allowed,
    });
    allowed
}

fn verb(request: &Request, place: &Place) -> &'static str {
    match request.method.as_str() {
        "GET" if place.name.is_some() => "get",
        "GET" if matches!(request.param("watch"), Some("1" | "true")) => "watch",
        "GET" if !place.plural.is_empty() => "list",
        "GET" => "get",
        "POST" => "create",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "update",
    }
}

/// `None`: the token is not known.
fn user(inner: &Inner, request: &Request) -> Option<User> {
    let users = inner.users.lock().unwrap();
    let Some(users) = users.as_ref() else {
        return Some(User::admin("root"));
    };
    let header = request.header("authorization").unwrap_or_default();
    users.get(header.trim_start_matches("Bearer ")).cloned()
}

/// Answers the fault; `None`: the request goes on (a fault of the watch itself, or only slow).
async fn failed(
    fault: &What,
    verb: &str,
    place: &Place,
    user: Option<&User>,
    stream: &mut TcpStream,
) -> io::Result<Option<bool>> {
    let keep = match fault {
        What::Answer {
            code,
            reason,
            message,
            retry_after,
        } => {
            let mut body = status(*code, reason, message);
            let seconds = retry_after.map(|s| s.to_string());
            if let Some(seconds) = retry_after {
                body["details"] = json!({"retryAfterSeconds": seconds});
            }
            let extra: Vec<(&str, &str)> = seconds
                .iter()
                .map(|s| ("Retry-After", s.as_str()))
                .collect();
            let (kind, body) = match *reason {
                "" => ("text/plain; charset=utf-8", message.clone()),
                _ => (JSON, body.to_string()),
            };
            wire::reply(stream, *code, kind, &extra, body.as_bytes()).await?
        }
        What::Forbidden => {
            let user = user.cloned().unwrap_or_else(|| User::new("viewer", &[]));
            send(stream, 403, &forbidden(&user, verb, place)).await?
        }
        What::Gone if verb == "list" => {
            let body = status(410, "Expired", "The provided resource version is too old.");
            send(stream, 410, &body).await?
        }
        What::Silent => wire::never(stream).await?,
        What::Garbage(body) => wire::reply(stream, 200, JSON, &[], body).await?,
        What::Slow(by) => {
            tokio::time::sleep(*by).await;
            return Ok(None);
        }
        What::Gone | What::HalfOpen | What::CutAfter(_) => return Ok(None),
    };
    Ok(Some(keep))
}

fn forbidden(user: &User, verb: &str, place: &Place) -> Value {
    let full = match place.group.as_str() {
        "" => place.plural.clone(),
        group => format!("{}.{group}", place.plural),
    };
    let about = match &place.name {
        Some(name) => format!("{full} \"{name}\""),
        None => full,
    };
    let scope = match &place.namespace {
        Some(namespace) => format!("in the namespace \"{namespace}\""),
        None => "at the cluster scope".into(),
    };
    let message = format!(
        "{about} is forbidden: User \"{}\" cannot {verb} resource \"{}\" in API group \"{}\" {scope}",
        user.name,
        place.resource(),
        place.group
    );
    let mut body = status(403, "Forbidden", &message);
    body["details"] = json!({"kind": place.plural});
    if !place.group.is_empty() {
        body["details"]["group"] = place.group.clone().into();
    }
    body
}

/// As an admin sees a path that nobody serves.
async fn not_found(stream: &mut TcpStream) -> io::Result<bool> {
    let body = b"404 page not found\n";
    wire::reply(stream, 404, "text/plain; charset=utf-8", &[], body).await
}

fn missing(resource: &Resource, name: &str) -> (u16, Value) {
    let message = format!("{} \"{name}\" not found", resource.full_name());
    let mut body = status(404, "NotFound", &message);
    body["details"] = json!({"name": name, "kind": resource.plural});
    (404, body)
}

fn get(inner: &Inner, place: &Place, at: usize, resource: &Resource, name: &str) -> (u16, Value) {
    let store = inner.store.lock().unwrap();
    let namespace = place.namespace.clone().unwrap_or_default();
    match store.objects.get(&(at, namespace, name.to_owned())) {
        Some(object) => (200, (**object).clone()),
        None => missing(resource, name),
    }
}

/// A merge patch.
fn patch(
    inner: &Inner,
    request: &Request,
    place: &Place,
    at: usize,
    resource: &Resource,
    name: &str,
) -> (u16, Value) {
    if request.header("content-type") != Some("application/merge-patch+json") {
        let message = "the body of the request was in an unknown format - accepted media types include: application/merge-patch+json";
        return (415, status(415, "UnsupportedMediaType", message));
    }
    let Ok(patch) = serde_json::from_slice::<Value>(&request.body) else {
        return (400, status(400, "BadRequest", "error decoding patch"));
    };
    let mut store = inner.store.lock().unwrap();
    let namespace = place.namespace.clone().unwrap_or_default();
    let Some(object) = store.objects.get(&(at, namespace, name.to_owned())) else {
        return missing(resource, name);
    };
    let mut object = (**object).clone();
    merge(&mut object, &patch);
    let version = store.put(object.clone());
    object["metadata"]["resourceVersion"] = json!(version.to_string());
    drop(store);
    inner.tick.send_modify(|tick| tick.version = version);
    (200, object)
}

fn merge(into: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (name, value) in fields {
        if value.is_null() {
            into.as_object_mut().unwrap().remove(name);
        } else {
            merge(&mut into[name], value);
        }
    }
}

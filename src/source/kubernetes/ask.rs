//! Questions to the API server of one cluster: an object as text, the log of a pod.

use std::time::Duration;

use futures::AsyncReadExt;
use futures::future::BoxFuture;
use serde_json::Value;

use super::server::Server;
use super::{Cluster, fault, logs, object};
use crate::clock;
use crate::model::api::ApiKind;
use crate::model::ask::{Answer, Answered, Ask, ObjectText, Question};
use crate::model::fault::{Fault, FaultKind};
use crate::model::text;
use crate::source::Lookup;

/// Longest answer read, bytes.
const LIMIT: u64 = 4 << 20;
const TIMEOUT: Duration = Duration::from_secs(15);

/// The `Lookup` of a cluster's API server.
pub struct KubeLookup {
    server: Server,
    timeout: Duration,
}

/// Why a request has no answer, before it is told.
#[derive(Debug)]
pub(super) enum Failure {
    Kube(Box<kube::Error>),
    Timeout(Duration),
    TooLarge,
}

impl From<kube::Error> for Failure {
    fn from(error: kube::Error) -> Self {
        Self::Kube(Box::new(error))
    }
}

impl Failure {
    /// HTTP status and the server's words, where it answered at all.
    pub(super) fn status(&self) -> Option<(u16, &str)> {
        match self {
            Self::Kube(error) => match error.as_ref() {
                kube::Error::Api(status) => Some((status.code, &status.message)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The server does not serve the path at all, in this version at least.
    fn is_unserved(&self) -> bool {
        matches!(self, Self::Kube(error) if matches!(error.as_ref(),
            kube::Error::Api(status) if status.code == 404 && status.reason != "NotFound"))
    }

    pub(super) fn fault(&self, cluster: &Cluster, doing: &str) -> Fault {
        match self {
            Self::Kube(error) => cluster.fault(error, doing),
            Self::Timeout(limit) => {
                let fault = fault::timeout(&cluster.name, &cluster.place, *limit);
                Fault {
                    what: format!("{doing}: {}", fault.what),
                    ..fault
                }
            }
            Self::TooLarge => Fault {
                kind: FaultKind::BadPayload,
                cluster: cluster.name.clone(),
                endpoint: cluster.place.clone(),
                what: format!("{doing}: the answer is larger than {} MiB", LIMIT >> 20),
                hint: "read it with `kubectl get -o yaml`".into(),
            },
        }
    }
}

/// The body of a GET, within the limits.
pub(super) async fn get(
    cluster: &Cluster,
    path: &str,
    timeout: Duration,
) -> Result<Vec<u8>, Failure> {
    let request = http::Request::get(path)
        .body(Vec::new())
        .map_err(|e| kube::Error::BuildRequest(kube::core::request::Error::BuildRequest(e)))?;
    let work = async {
        let stream = cluster.client.request_stream(request).await?;
        let mut body = Vec::new();
        let mut stream = std::pin::pin!(stream.take(LIMIT + 1));
        let read = stream.read_to_end(&mut body).await;
        read.map_err(|e| kube::Error::Service(Box::new(e)))?;
        if body.len() as u64 > LIMIT {
            return Err(Failure::TooLarge);
        }
        Ok(body)
    };
    match tokio::time::timeout(timeout, work).await {
        Ok(done) => done,
        Err(_) => Err(Failure::Timeout(timeout)),
    }
}

pub(super) fn parsed(body: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(body).map_err(|e| Failure::from(kube::Error::SerdeError(e)))
}

/// For a path or a query: everything but what names are made of is escaped.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

impl KubeLookup {
    /// Zero: the time that answers usually need.
    pub fn new(server: Server, timeout: Duration) -> Self {
        Self {
            server,
            timeout: if timeout.is_zero() { TIMEOUT } else { timeout },
        }
    }

    async fn find(&self, ask: &Ask) -> Result<Found, Fault> {
        let cluster = self.server.signed_in().await?;
        let origin = cluster.place.clone();
        let answer = match ask {
            Ask::Object {
                kind,
                namespace,
                name,
            } => {
                let doing = doing("get", kind.plural, namespace, name);
                let found = self.object(&cluster, kind, namespace, name).await;
                found
                    .map(|text| (Answer::Object(Box::new(text)), Vec::new()))
                    .map_err(|e| missing(e.fault(&cluster, &doing), &doing, &e))
            }
            Ask::PodLogs(wanted) => logs::read(&cluster, wanted, self.timeout)
                .await
                .map(|(lines, warnings)| (Answer::Logs(lines), warnings)),
            _ => Err(Fault {
                kind: FaultKind::Bug,
                cluster: cluster.name.clone(),
                endpoint: origin.clone(),
                what: "this question goes to another source".into(),
                hint: "please report it with the log file".into(),
            }),
        };
        let (answer, warnings) = answer?;
        Ok(Found {
            answer,
            warnings,
            origin,
        })
    }

    async fn object(
        &self,
        cluster: &Cluster,
        kind: &ApiKind,
        namespace: &str,
        name: &str,
    ) -> Result<ObjectText, Failure> {
        let first = self
            .object_in(cluster, kind, kind.version, namespace, name)
            .await;
        let Err(failure) = &first else { return first };
        if !failure.is_unserved() || kind.group.is_empty() {
            return first;
        }
        // Another version of the same group may be served.
        let path = format!("/apis/{}", kind.group);
        let Ok(group) = get(cluster, &path, self.timeout).await else {
            return first;
        };
        let group = parsed(&group)?;
        let served = group.pointer("/preferredVersion/version");
        match served.and_then(Value::as_str) {
            Some(version) if version != kind.version => {
                self.object_in(cluster, kind, version, namespace, name)
                    .await
            }
            _ => first,
        }
    }

    async fn object_in(
        &self,
        cluster: &Cluster,
        kind: &ApiKind,
        version: &str,
        namespace: &str,
        name: &str,
    ) -> Result<ObjectText, Failure> {
        let version = escaped(version);
        let path = kind.path(&version, &escaped(namespace));
        let anywhere = kind.namespaced && namespace.is_empty();
        let path = match anywhere {
            true => format!("{path}?fieldSelector=metadata.name%3D{}", escaped(name)),
            false => format!("{path}/{}", escaped(name)),
        };
        let body = get(cluster, &path, self.timeout).await?;
        let mut value = parsed(&body)?;
        if anywhere {
            value = first_of(value, kind, &version).ok_or_else(|| absent(kind, name))?;
        }
        Ok(object::text(value, kind, body.len() as u64))
    }
}

/// The first item of a list, with what only the list says.
fn first_of(mut list: Value, kind: &ApiKind, version: &str) -> Option<Value> {
    let items = list.get_mut("items")?.as_array_mut()?;
    let mut item = items.first_mut()?.take();
    let fields = item.as_object_mut()?;
    let api = match kind.group {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    };
    fields.entry("apiVersion").or_insert(Value::from(api));
    fields.entry("kind").or_insert(Value::from(kind.kind));
    Some(item)
}

fn absent(kind: &ApiKind, name: &str) -> Failure {
    let message = format!("{} \"{name}\" not found", kind.plural);
    let status = kube::core::Status::failure(&message, "NotFound").with_code(404);
    Failure::from(kube::Error::Api(status.boxed()))
}

/// `get deployments shop/cart`
pub(super) fn doing(verb: &str, resource: &str, namespace: &str, name: &str) -> String {
    let place = match namespace {
        "" => name.to_owned(),
        namespace => format!("{namespace}/{name}"),
    };
    text::clean(&format!("{verb} {resource} {place}"), 300)
}

/// A 404 about one object is no missing API.
fn missing(fault: Fault, doing: &str, failure: &Failure) -> Fault {
    match failure.status() {
        Some((404, message)) if !failure.is_unserved() => Fault {
            what: text::clean(&format!("{doing}: 404, it is not there: {message}"), 300),
            hint: "it was deleted, or has another name by now".into(),
            ..fault
        },
        _ => fault,
    }
}

struct Found {
    answer: Answer,
    warnings: Vec<String>,
    origin: String,
}

impl Lookup for KubeLookup {
    fn ask(&self, question: Question) -> BoxFuture<'_, Answered> {
        Box::pin(async move {
            let started = clock::instant();
            let mut found = self.find(&question.ask).await;
            if matches!(&found, Err(fault) if fault.kind == FaultKind::Auth) {
                // The credentials may have been renewed since they were read.
                self.server.renew().await;
                found = self.find(&question.ask).await;
            }
            let (origin, warnings, result) = match found {
                Ok(found) => (found.origin, found.warnings, Ok(found.answer)),
                Err(fault) => (fault.endpoint.clone(), Vec::new(), Err(fault)),
            };
            Answered {
                id: question.id,
                cluster: question.cluster,
                ask: question.ask,
                origin,
                at: clock::now(),
                latency_ms: u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX),
                warnings,
                cut_from: None,
                result,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_no_name_is_escaped() {
        assert_eq!(super::escaped("aZ9-_.~"), "aZ9-_.~");
        assert_eq!(super::escaped("a=/+&"), "a%3D%2F%2B%26");
    }
}

//! Logs of pods, as the kubelet gives them through the API server.

use std::collections::BTreeMap;
use std::io;

use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::Inner;
use super::answer::{Place, send, status};
use super::wire::{self, Request};

const TEXT: &str = "text/plain";

/// Namespace, pod, container.
type Name = (String, String, String);

#[derive(Debug, Default)]
pub struct Logs {
    lines: BTreeMap<Name, Vec<(jiff::Timestamp, String)>>,
    count: u64,
    previous: BTreeMap<Name, String>,
}

pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(farwatch::clock::now().0).unwrap()
}

fn name(namespace: &str, pod: &str, container: &str) -> Name {
    (namespace.into(), pod.into(), container.into())
}

impl Logs {
    pub fn add(&mut self, namespace: &str, pod: &str, container: &str, age: u64, line: &str) {
        // Each line at a time of its own, as kubelets write them.
        self.count += 1;
        let own = std::time::Duration::from_nanos(self.count);
        let at = now() - std::time::Duration::from_secs(age) + own;
        let lines = self.lines.entry(name(namespace, pod, container));
        lines.or_default().push((at, line.to_owned()));
    }

    pub fn set_previous(&mut self, namespace: &str, pod: &str, container: &str, text: &str) {
        let name = name(namespace, pod, container);
        self.previous.insert(name, text.to_owned());
    }
}

pub async fn answer(
    inner: &Inner,
    request: &Request,
    place: &Place,
    stream: &mut TcpStream,
) -> io::Result<bool> {
    let container = match container(inner, request, place) {
        Ok(Some(container)) => container,
        Ok(None) => return nothing(stream).await,
        Err((code, body)) => return send(stream, code, &body).await,
    };
    let name = name(
        place.namespace.as_deref().unwrap_or_default(),
        place.name.as_deref().unwrap_or_default(),
        &container,
    );
    if request.param("previous") == Some("true") {
        let text = inner.logs.lock().unwrap().previous.get(&name).cloned();
        let Some(text) = text else {
            let message = format!(
                "previous terminated container \"{container}\" in pod \"{}\" not found",
                name.1
            );
            return send(stream, 400, &status(400, "BadRequest", &message)).await;
        };
        return wire::reply(stream, 200, TEXT, &[], text.as_bytes()).await;
    }
    let (text, mut told) = text(inner, request, &name);
    if request.param("follow") != Some("true") {
        return wire::reply(stream, 200, TEXT, &[], text.as_bytes()).await;
    }
    let mut tick = inner.tick.subscribe();
    let frozen = tick.borrow_and_update().frozen;
    wire::begin_chunks(stream, TEXT).await?;
    if !text.is_empty() {
        wire::chunk(stream, text.as_bytes()).await?;
    }
    loop {
        if tick.borrow_and_update().frozen != frozen {
            return wire::never(stream).await;
        }
        let (more, now) = since(inner, request, &name, told);
        told = now;
        if !more.is_empty() {
            wire::chunk(stream, more.as_bytes()).await?;
        }
        let mut word = [0_u8; 64];
        tokio::select! {
            changed = tick.changed() => if changed.is_err() { return Ok(false) },
            read = stream.read(&mut word) => if read? == 0 { return Ok(false) },
        }
    }
}

/// A pod without a node: 204.
async fn nothing(stream: &mut TcpStream) -> io::Result<bool> {
    tokio::io::AsyncWriteExt::write_all(stream, b"HTTP/1.1 204 No Content\r\n\r\n").await?;
    Ok(true)
}

/// Which container is meant; `None` when the pod has no node yet.
fn container(
    inner: &Inner,
    request: &Request,
    place: &Place,
) -> Result<Option<String>, (u16, Value)> {
    let store = inner.store.lock().unwrap();
    let pod = place.name.clone().unwrap_or_default();
    let namespace = place.namespace.clone().unwrap_or_default();
    let key = (store.by_kind("Pod"), namespace, pod.clone());
    let Some(object) = store.objects.get(&key) else {
        let message = format!("pods \"{pod}\" not found");
        return Err((404, status(404, "NotFound", &message)));
    };
    let bad = |message: String| Err((400, status(400, "BadRequest", &message)));
    let containers: Vec<&str> = ["containers", "initContainers"]
        .iter()
        .filter_map(|list| object["spec"][list].as_array())
        .flatten()
        .filter_map(|c| c["name"].as_str())
        .collect();
    let container = match request.param("container") {
        Some(wanted) if !containers.contains(&wanted) => {
            return bad(format!("container {wanted} is not valid for pod {pod}"));
        }
        Some(wanted) => wanted.to_owned(),
        None if containers.len() > 1 => {
            let all = containers.join(" ");
            return bad(format!(
                "a container name must be specified for pod {pod}, choose one of: [{all}]"
            ));
        }
        None => containers
            .first()
            .map(|c| (*c).to_owned())
            .unwrap_or_default(),
    };
    Ok(object["spec"]["nodeName"].is_string().then_some(container))
}

/// What was written so far as the request wants it, and how many lines that is in all.
fn text(inner: &Inner, request: &Request, name: &Name) -> (String, usize) {
    let logs = inner.logs.lock().unwrap();
    let all = logs.lines.get(name).map_or(&[][..], Vec::as_slice);
    let number = |what: &str| request.param(what).and_then(|v| v.parse::<i64>().ok());
    let since = number("sinceSeconds").map(|s| now() - jiff::SignedDuration::from_secs(s));
    let since = since.or(request.param("sinceTime").and_then(|t| t.parse().ok()));
    let wanted: Vec<_> = all
        .iter()
        .filter(|(at, _)| since.is_none_or(|s| *at >= s))
        .collect();
    let tail = number("tailLines").and_then(|n| usize::try_from(n).ok());
    let skip = tail.map_or(0, |n| wanted.len().saturating_sub(n));
    let text = wanted[skip..].iter().map(|l| written(request, l)).collect();
    (text, all.len())
}

/// What came after so many lines.
fn since(inner: &Inner, request: &Request, name: &Name, told: usize) -> (String, usize) {
    let logs = inner.logs.lock().unwrap();
    let all = logs.lines.get(name).map_or(&[][..], Vec::as_slice);
    let text = all.iter().skip(told).map(|l| written(request, l)).collect();
    (text, all.len())
}

fn written(request: &Request, (at, line): &(jiff::Timestamp, String)) -> String {
    if request.param("timestamps") == Some("true") {
        format!("{at} {line}\n")
    } else {
        format!("{line}\n")
    }
}

//! Logs of a pod, straight from the API server, which asks the kubelet of its node.

use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;

use super::Cluster;
use super::ask::{Failure, doing, escaped, get, parsed};
use crate::clock;
use crate::model::api::POD;
use crate::model::ask::PodLogs;
use crate::model::fault::{Fault, FaultKind};
use crate::model::log::LogLine;
use crate::model::text;

mod follow;
mod lines;

pub use follow::follow;
use lines::{Lines, Stamp};

/// Containers of one pod whose logs are read.
const MOST_CONTAINERS: usize = 20;
/// Most that is read of one container at once, bytes; what is kept is bounded by lines.
const MOST_BYTES: u64 = 64 << 20;

/// What the logs need to know of a pod.
#[derive(Debug)]
struct PodFacts {
    has_node: bool,
    phase: String,
    /// `None`: always.
    restarts: Option<String>,
    containers: Vec<Container>,
}

#[derive(Debug)]
struct Container {
    name: String,
    init: bool,
    /// Exit code of the run that ended, where none follows it yet.
    ended: Option<i64>,
}

impl PodFacts {
    fn of(pod: &Value) -> Self {
        let text = |path: &str| pod.pointer(path).and_then(Value::as_str);
        let mut containers = Vec::new();
        for (spec, status, init) in [
            ("/spec/containers", "/status/containerStatuses", false),
            (
                "/spec/initContainers",
                "/status/initContainerStatuses",
                true,
            ),
            (
                "/spec/ephemeralContainers",
                "/status/ephemeralContainerStatuses",
                true,
            ),
        ] {
            let statuses = pod.pointer(status).and_then(Value::as_array);
            let all = pod.pointer(spec).and_then(Value::as_array);
            for name in all.into_iter().flatten().filter_map(name) {
                let status = statuses.into_iter().flatten();
                let status = status.clone().find(|s| self::name(s) == Some(name));
                let ended = status.and_then(|s| s.pointer("/state/terminated/exitCode"));
                containers.push(Container {
                    name: name.to_owned(),
                    init,
                    ended: ended.and_then(Value::as_i64),
                });
            }
        }
        containers.truncate(MOST_CONTAINERS);
        Self {
            has_node: text("/spec/nodeName").is_some_and(|n| !n.is_empty()),
            phase: text("/status/phase").unwrap_or("Unknown").to_owned(),
            restarts: text("/spec/restartPolicy").map(str::to_owned),
            containers,
        }
    }

    /// The container will write no more.
    fn is_over(&self, container: &str) -> bool {
        if matches!(self.phase.as_str(), "Succeeded" | "Failed") {
            return true;
        }
        let found = self.containers.iter().find(|c| c.name == container);
        let Some((init, code)) = found.and_then(|c| Some((c.init, c.ended?))) else {
            return false;
        };
        match self.restarts.as_deref() {
            Some("Never") => true,
            _ if init => code == 0,
            Some("OnFailure") => code == 0,
            _ => false,
        }
    }
}

fn name(of: &Value) -> Option<&str> {
    of.get("name").and_then(Value::as_str)
}

/// Lines of the containers that are wanted, merged by time, and what was wrong with single ones.
pub(super) async fn read(
    cluster: &Cluster,
    wanted: &PodLogs,
    timeout: Duration,
) -> Result<(Vec<LogLine>, Vec<String>), Fault> {
    let names = match &wanted.container {
        Some(name) => vec![name.clone()],
        None => {
            let facts = facts(cluster, &wanted.namespace, &wanted.pod, timeout).await?;
            if !facts.has_node {
                return Err(no_node(cluster, wanted, &facts.phase));
            }
            facts.containers.into_iter().map(|c| c.name).collect()
        }
    };
    let parts = names.iter().map(|name| one(cluster, wanted, name, timeout));
    let parts = join_all(parts).await;
    let (mut lines, mut warnings, mut first) = (Vec::new(), Vec::new(), None);
    let mut fine = false;
    for (name, part) in names.iter().zip(parts) {
        match part {
            Ok((part, warning)) => {
                fine = true;
                lines.extend(part);
                warnings.extend(warning);
            }
            Err(fault) => {
                warnings.push(format!("container {name}: {}", fault.what));
                first.get_or_insert(fault);
            }
        }
    }
    match first {
        Some(fault) if !fine => return Err(fault),
        _ => {}
    }
    lines.sort_by_key(|line: &LogLine| line.at_ns);
    Ok((lines, warnings))
}

async fn facts(
    cluster: &Cluster,
    namespace: &str,
    pod: &str,
    timeout: Duration,
) -> Result<PodFacts, Fault> {
    let path = format!("{}/{}", POD.path("v1", &escaped(namespace)), escaped(pod));
    let doing = doing("get", "pods", namespace, pod);
    let told = |failure: Failure| told(cluster, &failure, &doing);
    let body = get(cluster, &path, timeout).await.map_err(told)?;
    let pod = parsed(&body).map_err(|failure| failure.fault(cluster, &doing))?;
    Ok(PodFacts::of(&pod))
}

fn no_node(cluster: &Cluster, wanted: &PodLogs, phase: &str) -> Fault {
    Fault {
        kind: FaultKind::NotFound,
        cluster: cluster.name.clone(),
        endpoint: cluster.place.clone(),
        what: text::clean(
            &format!(
                "{}: the pod has no node yet ({phase}), so there is no log",
                doing("get", "pods/log", &wanted.namespace, &wanted.pod)
            ),
            300,
        ),
        hint: "its events tell why it is not placed".into(),
    }
}

/// The path of a container's log, with what every request asks for.
fn path(namespace: &str, pod: &str, container: &str) -> String {
    format!(
        "{}/{}/log?container={}&timestamps=true",
        POD.path("v1", &escaped(namespace)),
        escaped(pod),
        escaped(container)
    )
}

/// The log of one container; a warning where it was cut.
async fn one(
    cluster: &Cluster,
    wanted: &PodLogs,
    container: &str,
    timeout: Duration,
) -> Result<(Vec<LogLine>, Option<String>), Fault> {
    let mut path = path(&wanted.namespace, &wanted.pod, container);
    path.push_str(&format!("&tailLines={}", wanted.lines));
    if let Some(since) = wanted.since_s {
        path.push_str(&format!("&sinceSeconds={}", since.max(1)));
    }
    if wanted.previous {
        path.push_str("&previous=true");
    }
    let stamp = Stamp::new(&wanted.namespace, &wanted.pod, container, wanted.previous);
    let work = async {
        let mut lines = Lines::open(cluster, &path, MOST_BYTES).await?;
        let mut all = Vec::new();
        while let Some(raw) = lines.next().await? {
            // A line without a time belongs to the one before it.
            let before = all.last().map_or_else(now_ns, |line: &LogLine| line.at_ns);
            all.push(stamp.line(&raw, before));
            // A server that does not heed the limit.
            if all.len() > wanted.lines as usize {
                break;
            }
        }
        let cut = lines.is_cut().then(|| {
            let most = MOST_BYTES >> 20;
            format!("container {container}: cut after {most} MiB; ask for less time")
        });
        Ok((all, cut))
    };
    let done = match tokio::time::timeout(timeout, work).await {
        Ok(done) => done,
        Err(_) => Err(Failure::Timeout(timeout)),
    };
    let place = doing("get", "pods/log", &wanted.namespace, &wanted.pod);
    done.map_err(|failure| told(cluster, &failure, &place))
}

fn now_ns() -> i64 {
    clock::now().0.saturating_mul(1_000_000)
}

/// What the server's refusal means for who wants to read a log.
fn told(cluster: &Cluster, failure: &Failure, doing: &str) -> Fault {
    let fault = failure.fault(cluster, doing);
    let Some((code, message)) = failure.status() else {
        return fault;
    };
    let (kind, what, hint) = match words(code, message) {
        Some(words) => words,
        None => return fault,
    };
    Fault {
        kind,
        what: text::clean(&format!("{doing}: {what}"), 300),
        hint: hint.to_owned(),
        ..fault
    }
}

fn words(code: u16, message: &str) -> Option<(FaultKind, String, &'static str)> {
    let quoted = |nth: usize| message.split('"').nth(2 * nth + 1).unwrap_or("?");
    let found = match code {
        404 => (
            FaultKind::NotFound,
            format!("the pod is not there: {message}"),
            "it was deleted or replaced: its owner shows the new ones",
        ),
        400 if message.starts_with("previous terminated container") => (
            FaultKind::NotFound,
            format!(
                "container {} did not run before, there is no former log",
                quoted(0)
            ),
            "read the present one",
        ),
        400 if message.contains("waiting to start") => {
            let why = message.rsplit(": ").next().unwrap_or(message);
            (
                FaultKind::NotFound,
                format!("container {} has not started: {why}", quoted(0)),
                "its events tell why; where it ran before, that log may be there",
            )
        }
        400 if message.contains("is not valid for pod") => (
            FaultKind::NotFound,
            message.to_owned(),
            "choose one of its containers",
        ),
        400 if message.contains("container name must be specified") => (
            FaultKind::BadQuery,
            message.to_owned(),
            "choose one of its containers",
        ),
        500.. if message.contains("/containerLogs/") || message.contains(":10250") => {
            let why = message.rsplit("\": ").next().unwrap_or(message);
            (
                FaultKind::Server,
                format!("the kubelet of its node does not answer: {why}"),
                "look at the node; the API server reads logs from its kubelet",
            )
        }
        _ => return None,
    };
    Some(found)
}

#[cfg(test)]
mod tests;

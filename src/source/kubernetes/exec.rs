//! Runs one command in a container, through the API server, and takes what it prints.
//!
//! A WebSocket as for port-forwards (`v5.channel.k8s.io`, else `v4`): standard output, error output
//! and the end of the command come on channels of their own. Nothing is sent to the command.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::Api;
use kube::api::{AttachParams, AttachedProcess};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::Cluster;
use super::fault;
use crate::model::fault::{Fault, FaultKind};
use crate::model::text;

/// Bytes of error output that are kept.
const WORDS: usize = 2_000;

/// One container of one pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub namespace: String,
    pub pod: String,
    pub container: String,
}

impl Place {
    /// The request as the API server sees it.
    pub fn path(&self, command: &[&str]) -> String {
        let parts: Vec<String> = command.iter().map(|c| format!("command={c}")).collect();
        format!(
            "/api/v1/namespaces/{}/pods/{}/exec?container={}&{}",
            self.namespace,
            self.pod,
            self.container,
            parts.join("&")
        )
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.pod)
    }
}

/// What a command that ran to its end printed.
#[derive(Debug)]
pub struct Printed {
    pub out: Vec<u8>,
    /// The first of the error output.
    pub words: String,
    /// 0: it went well.
    pub code: i32,
}

/// Runs it to its end, at most `time` long, with at most `limit` bytes of output.
pub async fn run(
    cluster: &Cluster,
    place: &Place,
    command: &[&str],
    (limit, time): (usize, Duration),
) -> Result<Printed, Fault> {
    let asked = Asked {
        cluster,
        place,
        name: command.first().copied().unwrap_or_default(),
    };
    match tokio::time::timeout(time, asked.run(command, limit)).await {
        Ok(result) => result,
        Err(_) => Err(Fault {
            what: asked.says(&format!("not done within {} s", time.as_secs())),
            hint: "the node, its kubelet or the driver hangs; look at the node".into(),
            ..fault::timeout(&cluster.name, &cluster.place, time)
        }),
    }
}

struct Asked<'a> {
    cluster: &'a Cluster,
    place: &'a Place,
    name: &'a str,
}

/// Ends the stream with itself: the other side may be gone without a word.
struct Running(AttachedProcess);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Asked<'_> {
    fn says(&self, what: &str) -> String {
        text::clean(&format!("{} in {}: {what}", self.name, self.place), 300)
    }

    fn fault(&self, kind: FaultKind, what: &str, hint: &str) -> Fault {
        Fault {
            kind,
            cluster: self.cluster.name.clone(),
            endpoint: self.cluster.place.clone(),
            what: self.says(what),
            hint: hint.to_owned(),
        }
    }

    async fn run(&self, command: &[&str], limit: usize) -> Result<Printed, Fault> {
        let api: Api<Pod> = Api::namespaced(self.cluster.client.clone(), &self.place.namespace);
        let how = AttachParams::default()
            .container(&self.place.container)
            .stdin(false)
            .stdout(true)
            .stderr(true)
            .tty(false);
        let command: Vec<String> = command.iter().map(|&part| part.to_owned()).collect();
        let begun = api.exec(&self.place.pod, command, &how);
        let mut running = Running(begun.await.map_err(|e| self.refused(&e))?);
        let (Some(out), Some(err), Some(end)) = (
            running.0.stdout(),
            running.0.stderr(),
            running.0.take_status(),
        ) else {
            return Err(self.fault(FaultKind::Bug, "an exec without its streams", ""));
        };
        let came = AtomicUsize::new(0);
        let words = async { Ok(words(err).await) };
        let end = async {
            let end = end.await;
            // Without an end the streams never close: nothing else is waited for.
            end.ok_or_else(|| self.broken(came.load(Ordering::Relaxed)))
        };
        let out = self.output(out, limit, &came);
        let (out, words, end) = tokio::try_join!(out, words, end)?;
        Ok(Printed {
            code: self.code(&end)?,
            out,
            words,
        })
    }

    async fn output(
        &self,
        mut from: impl AsyncRead + Unpin,
        limit: usize,
        came: &AtomicUsize,
    ) -> Result<Vec<u8>, Fault> {
        let mut held = Vec::new();
        let mut buffer = [0_u8; 8 << 10];
        loop {
            let read = from.read(&mut buffer).await;
            let Ok(n @ 1..) = read else {
                return Ok(held);
            };
            held.extend_from_slice(buffer.get(..n).unwrap_or_default());
            came.store(held.len(), Ordering::Relaxed);
            if held.len() > limit {
                return Err(self.too_much(limit));
            }
        }
    }

    fn broken(&self, came: usize) -> Fault {
        let what = format!("the exec broke off after {came} bytes");
        let hint = "the pod, its node or a proxy between went; it is tried again";
        self.fault(FaultKind::Unreachable, &what, hint)
    }

    fn too_much(&self, limit: usize) -> Fault {
        let what = format!("it printed more than {} MiB", limit >> 20);
        self.fault(
            FaultKind::BadPayload,
            &what,
            "it is no answer of that command",
        )
    }

    fn refused(&self, error: &kube::Error) -> Fault {
        let doing = format!(
            "run {} (create and get pods/exec) in {}",
            self.name, self.place
        );
        self.cluster.fault(error, &doing)
    }

    /// The exit code; a command that could not be started has none.
    fn code(&self, end: &Status) -> Result<i32, Fault> {
        if end.status.as_deref() == Some("Success") {
            return Ok(0);
        }
        let details = end.details.as_ref();
        let causes = details
            .and_then(|d| d.causes.as_ref())
            .into_iter()
            .flatten();
        let mut codes = causes.filter(|c| c.reason.as_deref() == Some("ExitCode"));
        let code = codes.find_map(|c| c.message.as_deref()?.trim().parse().ok());
        code.ok_or_else(|| {
            let message = end.message.as_deref().unwrap_or("no reason told");
            let what = format!("not started: {}", message.trim());
            let hint = "the container may not have the command, or its runtime failed";
            self.fault(FaultKind::Server, &what, hint)
        })
    }
}

/// The first of the error output; the rest is read, so that the command is not held up.
async fn words(mut from: impl AsyncRead + Unpin) -> String {
    let mut held = Vec::new();
    let mut buffer = [0_u8; 1_024];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        let room = WORDS.saturating_sub(held.len());
        held.extend(buffer.iter().take(n.min(room)));
    }
    text::clean(&String::from_utf8_lossy(&held), WORDS)
}

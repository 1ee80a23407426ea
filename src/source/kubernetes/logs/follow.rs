//! The log of a pod as it is written: one stream a container, merged, resumed where it broke.

use std::time::Duration;

use futures::future::join_all;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::super::Cluster;
use super::super::ask::{Failure, doing};
use super::super::server::Server;
use super::lines::{Lines, Raw, Stamp};
use super::{PodFacts, facts, now_ns, path, told};
use crate::model::fault::{Fault, FaultKind};
use crate::model::log::{LogLine, PodTail};
use crate::model::telemetry::{Body, LogBatch};
use crate::model::time::Timestamp;
use crate::source::report::{Report, Waits};

/// How far back the log begins.
const LOOK_BACK: &str = "&sinceSeconds=600&tailLines=1000";
const BATCH_TIME: Duration = Duration::from_millis(50);
const BATCH_LINES: usize = 500;
/// Lines on their way from the containers.
const QUEUE: usize = 1_000;
const TIMEOUT: Duration = Duration::from_secs(15);

/// Follows the pod until it is over or the loop is gone. What breaks is told among the lines.
pub async fn follow(server: Server, tail: PodTail, mut report: Report) {
    let (lines, heard) = mpsc::channel(QUEUE);
    let waits = report.waits.again();
    let work = containers(&server, &tail, waits, lines);
    tokio::join!(work, pass_on(heard, &mut report));
}

/// Finds out the containers and follows each.
async fn containers(
    server: &Server,
    tail: &PodTail,
    mut waits: Waits,
    lines: mpsc::Sender<LogLine>,
) {
    let stamp = Stamp::new(
        &tail.namespace,
        &tail.pod,
        tail.container.as_deref().unwrap_or(""),
        false,
    );
    let mut noted = false;
    let names = loop {
        if let Some(name) = &tail.container {
            break vec![name.clone()];
        }
        let found = match server.signed_in().await {
            Ok(cluster) => facts(&cluster, &tail.namespace, &tail.pod, TIMEOUT).await,
            Err(fault) => Err(fault),
        };
        let fault = match found {
            Ok(facts) => break facts.containers.into_iter().map(|c| c.name).collect(),
            Err(fault) => fault,
        };
        let news = is_final(&fault) || !noted;
        noted = true;
        if news && !note(&lines, &stamp, &fault).await {
            return;
        }
        if is_final(&fault) {
            return;
        }
        rest(server, &mut waits, &fault).await;
    };
    let each = names.into_iter().map(|name| {
        let container = Followed {
            server: server.clone(),
            stamp: Stamp::new(&tail.namespace, &tail.pod, &name, false),
            namespace: tail.namespace.clone(),
            pod: tail.pod.clone(),
            name,
            lines: lines.clone(),
            waits: waits.again(),
            newest: None,
            noted: false,
        };
        container.run()
    });
    let each: Vec<_> = each.collect();
    drop(lines);
    join_all(each).await;
}

/// Says what went wrong where its lines are missing. False: nobody listens any more.
async fn note(lines: &mpsc::Sender<LogLine>, stamp: &Stamp, fault: &Fault) -> bool {
    let again = if is_final(fault) {
        "not followed"
    } else {
        "tried again"
    };
    let text = format!("farwatch: {again}: {fault}");
    lines.send(stamp.own(now_ns(), text)).await.is_ok()
}

/// Trying again leads nowhere.
fn is_final(fault: &Fault) -> bool {
    matches!(
        fault.kind,
        FaultKind::Forbidden | FaultKind::BadQuery | FaultKind::Config
    ) || (fault.kind == FaultKind::NotFound && !fault.what.contains("has not started"))
}

async fn rest(server: &Server, waits: &mut Waits, fault: &Fault) {
    if fault.kind == FaultKind::Auth {
        server.renew().await;
    }
    let delay = waits.after(fault.kind, None);
    waits.rest(delay).await;
}

/// One container.
struct Followed {
    server: Server,
    stamp: Stamp,
    namespace: String,
    pod: String,
    name: String,
    lines: mpsc::Sender<LogLine>,
    waits: Waits,
    /// Time of the newest line told, and how many lines have it.
    newest: Option<(i64, u32)>,
    /// The present trouble was told.
    noted: bool,
}

impl Followed {
    async fn run(mut self) {
        loop {
            let ended = match self.server.signed_in().await {
                Ok(cluster) => match self.session(&cluster).await {
                    Ok(Ended::Unheard) => return,
                    Ok(Ended::Silent) => continue,
                    Ok(Ended::Cleanly) => self.next(&cluster).await,
                    Err(failure) => {
                        let doing = doing("follow", "pods/log", &self.namespace, &self.pod);
                        Some(told(&cluster, &failure, &doing))
                    }
                },
                Err(fault) => Some(fault),
            };
            let Some(fault) = ended else {
                return;
            };
            tracing::debug!(fault = %fault, container = self.name, "log of a pod ended");
            // What ends it all is told even where other trouble came before.
            let news = is_final(&fault) || !self.noted;
            if fault.kind != FaultKind::Cancelled && news {
                self.noted = true;
                if !note(&self.lines, &self.stamp, &fault).await {
                    return;
                }
            }
            if is_final(&fault) {
                return;
            }
            rest(&self.server, &mut self.waits, &fault).await;
        }
    }

    /// The stream ended in good order: the container did, or a proxy had enough. `None`: over.
    async fn next(&mut self, cluster: &Cluster) -> Option<Fault> {
        match facts(cluster, &self.namespace, &self.pod, TIMEOUT).await {
            Ok(facts) if facts.is_over(&self.name) => {
                let text = format!("farwatch: container {} has ended", self.name);
                let _ = self.lines.send(self.stamp.own(now_ns(), text)).await;
                None
            }
            Ok(facts) => Some(quiet(cluster, &facts)),
            Err(fault) => Some(fault),
        }
    }

    async fn session(&mut self, cluster: &Cluster) -> Result<Ended, Failure> {
        let mut path = path(&self.namespace, &self.pod, &self.name);
        path.push_str("&follow=true");
        match self.newest {
            // Whole seconds: that is all the kubelet is told.
            Some((at, _)) => {
                let whole = Timestamp(at.div_euclid(1_000_000_000) * 1_000).rfc3339();
                let whole = whole.replace(".000Z", "Z").replace(':', "%3A");
                path.push_str(&format!("&sinceTime={whole}"));
            }
            None => path.push_str(LOOK_BACK),
        }
        let open = tokio::time::timeout(TIMEOUT, Lines::open(cluster, &path, u64::MAX)).await;
        let mut stream = open.unwrap_or(Err(Failure::Timeout(TIMEOUT)))?;
        let mut known = Known::new(self.newest);
        let patience = self.waits.pace().term;
        loop {
            let next = tokio::time::timeout(patience, stream.next());
            let raw = match next.await {
                Ok(raw) => raw?,
                // Nothing is written, or the other side is gone and nobody told us.
                Err(_) => return Ok(Ended::Silent),
            };
            let Some(raw) = raw else {
                return Ok(Ended::Cleanly);
            };
            let Some(line) = self.take(&raw, &mut known) else {
                continue;
            };
            self.waits.reset();
            self.noted = false;
            if self.lines.send(line).await.is_err() {
                return Ok(Ended::Unheard);
            }
        }
    }

    /// The line, if it was not told before the break.
    fn take(&mut self, raw: &Raw, known: &mut Known) -> Option<LogLine> {
        let otherwise = self.newest.map_or_else(now_ns, |(at, _)| at);
        let line = self.stamp.line(raw, otherwise);
        if known.holds(line.at_ns) {
            return None;
        }
        self.newest = match self.newest {
            Some((at, count)) if at == line.at_ns => Some((at, count + 1)),
            Some((at, count)) if at > line.at_ns => Some((at, count)),
            _ => Some((line.at_ns, 1)),
        };
        Some(line)
    }
}

enum Ended {
    /// Nobody listens any more.
    Unheard,
    Cleanly,
    /// So long without a line that it is opened anew: nothing is lost by that.
    Silent,
}

/// No fault at all: the stream is opened again after a while.
fn quiet(cluster: &Cluster, facts: &PodFacts) -> Fault {
    Fault {
        kind: FaultKind::Cancelled,
        cluster: cluster.name.clone(),
        endpoint: cluster.place.clone(),
        what: format!("the log ended, the pod is {}", facts.phase),
        hint: String::new(),
    }
}

/// What was told before a break: the server tells it again from the whole second on.
struct Known {
    until: Option<(i64, u32)>,
    /// Lines of that very time seen again.
    again: u32,
}

impl Known {
    fn new(until: Option<(i64, u32)>) -> Self {
        Self { until, again: 0 }
    }

    fn holds(&mut self, at_ns: i64) -> bool {
        match self.until {
            Some((at, _)) if at_ns < at => true,
            Some((at, count)) if at_ns == at && self.again < count => {
                self.again += 1;
                true
            }
            Some((at, _)) if at_ns > at => {
                // From here on everything is new, also what is out of order.
                self.until = None;
                false
            }
            _ => false,
        }
    }
}

/// Batches to the loop, as the tail of Loki sends them: what finds the queue full is counted.
async fn pass_on(mut heard: mpsc::Receiver<LogLine>, report: &mut Report) {
    let mut flush = interval(BATCH_TIME);
    flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pending: Vec<LogLine> = Vec::new();
    let mut lost = 0;
    loop {
        tokio::select! {
            line = heard.recv() => match line {
                Some(line) => pending.push(line),
                None => break,
            },
            _ = flush.tick(), if !pending.is_empty() => offer(report, &mut pending, &mut lost),
        }
        if pending.len() >= BATCH_LINES {
            offer(report, &mut pending, &mut lost);
        }
    }
    offer(report, &mut pending, &mut lost);
}

fn offer(report: &mut Report, pending: &mut Vec<LogLine>, lost: &mut u64) {
    if pending.is_empty() {
        return;
    }
    let mut lines = std::mem::take(pending);
    lines.sort_by_key(|line| line.at_ns);
    let count = lines.len() as u64;
    let batch = LogBatch {
        lines,
        dropped: *lost,
        live: true,
    };
    let sent = report.outlet.offer(report.wrap(Body::Logs(batch)));
    *lost = if sent { 0 } else { *lost + count };
}

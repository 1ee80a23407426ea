//! Kubernetes: version, what is installed, and watches of everything that `kinds` names.
//!
//! Sign-in, proxies and certificates are those of the kubeconfig. Objects are state, not a
//! stream: nothing of them is dropped, a slow loop slows the watch.

mod about;
mod access;
mod ask;
mod call;
pub mod contexts;
mod credential;
pub(super) mod exec;
mod expiry;
pub(super) mod fault;
mod get;
pub mod identity;
mod installed;
mod kinds;
mod kubeconfig;
mod login;
mod logs;
mod map;
mod object;
mod proxy;
mod server;
mod watch;
mod way;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, watch as signal};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::report::Report;
use crate::config::Kube;
use crate::model::fault::{Fault, FaultKind};
use crate::model::object::ObjectKind;
use crate::model::telemetry::{self, ClusterFacts};

pub use access::{Cluster, Seen};
pub use ask::KubeLookup;
pub use fault::clock_words;
pub use get::Listed;
pub use logs::follow as follow_pod;
pub use server::Server;
pub use way::called;

use installed::Installed;
use kinds::KINDS;
use watch::{Gate, Told, Watch, Ways};

/// A watch is silent by nature: this shows that the server is there.
const VERSION_EVERY: Duration = Duration::from_secs(30);
const TELL_EVERY: Duration = Duration::from_secs(10);
/// The server was heard so lately that it need not be asked whether it is there.
const LATELY: Duration = Duration::from_secs(2);
/// Kubernetes 1.32 and later give a list as the first events of a watch.
const WATCH_LIST: (u32, u32) = (1, 32);

/// Watches until the loop is gone. Every fault is told and tried again.
pub async fn run(server: Server, kube: Kube, mut report: Report) {
    let (told, heard) = mpsc::channel(8);
    let gate = signal::Sender::new(Gate::default());
    let ways = Arc::new(Ways::default());
    let mut watches = JoinSet::new();
    for kind in &KINDS {
        let waits = report.waits.again();
        let told = told.clone();
        let watch = Watch::new(&server, kind, gate.subscribe(), ways.clone(), waits, told);
        watches.spawn(watch.run());
    }
    let mut session = Session {
        server,
        every: kube.interval.filter(|i| !i.is_zero()),
        gate,
        ways,
        heard,
        watches,
        faults: Vec::new(),
        listed: false,
        live: false,
        seen: Instant::now(),
    };
    drop(told);
    loop {
        let fault = match session.serve(&mut report).await {
            Ok(()) => return,
            Err(fault) => fault,
        };
        tracing::info!(fault = %fault, "kubernetes source ended");
        session.close();
        // What was refused twice will be refused again, until somebody signs in.
        let refused = fault.kind == FaultKind::Auth;
        let patience = refused.then(|| report.waits.pace().denied);
        if refused {
            session.server.renew().await;
        }
        let Some(delay) = report.failed(fault, patience).await else {
            return;
        };
        if !session.rest(&mut report, delay).await {
            return;
        }
    }
}

/// The watches of one cluster live as long as it; they wait while the server does not answer.
struct Session {
    server: Server,
    every: Option<Duration>,
    gate: signal::Sender<Gate>,
    ways: Arc<Ways>,
    heard: mpsc::Receiver<Told>,
    watches: JoinSet<()>,
    /// Of the single watches; the source is as well as the worst of them.
    faults: Vec<(ObjectKind, Fault)>,
    /// Something was listed.
    listed: bool,
    live: bool,
    /// When the server last told its version.
    seen: Instant,
}

impl Session {
    /// From sign-in to the first fault that concerns the whole server. `Ok`: the loop is gone.
    async fn serve(&mut self, report: &mut Report) -> Result<(), Fault> {
        let mut cluster = self.server.cluster().await?;
        if !self.tell_version(report, &cluster).await? {
            return Ok(());
        }
        self.look(&cluster).await?;
        self.gate.send_modify(|gate| gate.open = true);
        self.live = false;
        if self.listed && !self.tell(report).await {
            return Ok(());
        }
        let mut version = interval(self.every.unwrap_or(VERSION_EVERY));
        let mut look = interval(report.waits.pace().look);
        let mut tell = interval(TELL_EVERY);
        for timer in [&mut version, &mut look, &mut tell] {
            timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
            timer.tick().await;
        }
        loop {
            let go_on = tokio::select! {
                item = self.heard.recv() => match item {
                    Some(told) => self.take(report, &cluster, told).await?,
                    None => false,
                },
                _ = version.tick() => self.tell_version(report, &cluster).await?,
                _ = look.tick() => {
                    self.look(&cluster).await?;
                    true
                }
                // Open streams stay; what is asked from now on goes by the new client.
                () = self.server.changed(&cluster) => {
                    cluster = self.server.cluster().await?;
                    self.tell_version(report, &cluster).await?
                }
                _ = tell.tick() => report.tell().await,
                Some(ended) = self.watches.join_next() => {
                    if let Err(error) = ended && let Ok(panic) = error.try_into_panic() {
                        // The supervisor counts and forgives.
                        std::panic::resume_unwind(panic);
                    }
                    true
                }
            };
            if !go_on {
                return Ok(());
            }
        }
    }

    fn close(&self) {
        self.gate.send_modify(|gate| gate.open = false);
    }

    /// Waits; what open streams still tell is not held up. False when the loop is gone.
    async fn rest(&mut self, report: &mut Report, delay: Duration) -> bool {
        let end = Instant::now() + delay;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let told = tokio::select! {
                () = report.waits.rest(left) => return true,
                () = self.server.mended() => return true,
                told = self.heard.recv() => told,
            };
            let go_on = match told {
                // What is waited for is told already.
                Some(Told::Failed(_, fault, _)) if is_of_all(&fault) => true,
                Some(told) => self.note(report, told).await,
                None => false,
            };
            if !go_on {
                return false;
            }
        }
    }

    /// What is installed; a refusal leaves it open, and the watches try.
    async fn look(&mut self, cluster: &Cluster) -> Result<(), Fault> {
        let mut installed: Installed = self.gate.borrow().installed.clone();
        let looked = installed.look(cluster).await;
        self.gate.send_modify(|gate| gate.installed = installed);
        match looked {
            Err(refused) if refused.fault.kind == FaultKind::Auth => Err(refused.fault),
            Err(refused) => {
                tracing::debug!(fault = %refused.fault, "not told what is installed");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn tell_version(
        &mut self,
        report: &mut Report,
        cluster: &Cluster,
    ) -> Result<bool, Fault> {
        let seen = cluster.version().await?;
        self.seen = Instant::now();
        if report.health.version.as_ref() != Some(&seen.version) {
            let can = number(&seen.version).is_some_and(|n| n >= WATCH_LIST);
            self.ways.watch_list.store(can, Ordering::Relaxed);
        }
        let health = &mut report.health;
        health.latency_ms = u32::try_from(seen.latency.as_millis()).ok();
        health.skew_ms = seen.skew_ms.or(health.skew_ms);
        health.version = Some(seen.version.clone());
        health.expires = cluster.expiry();
        report.heard(0);
        let facts = ClusterFacts {
            kubernetes_version: Some(seen.version),
            ..ClusterFacts::default()
        };
        let telemetry = report.wrap(telemetry::Body::Facts(facts));
        Ok(report.outlet.send(telemetry).await)
    }

    /// False when the loop is gone; an error ends the session.
    async fn take(
        &mut self,
        report: &mut Report,
        cluster: &Cluster,
        told: Told,
    ) -> Result<bool, Fault> {
        let after = match &told {
            Told::Batch(_) | Told::Well(_) => {
                let go_on = self.note(report, told).await;
                return Ok(go_on && self.tell_live(report).await);
            }
            Told::Failed(_, fault, after) => {
                // Signing in again may help; one missing right leaves the other watches alone.
                if fault.kind == FaultKind::Auth {
                    return Err(fault.clone());
                }
                let asked = self.seen.elapsed() <= LATELY.min(report.waits.pace().shortest);
                if is_of_all(fault) && !asked {
                    self.tell_version(report, cluster).await?;
                }
                *after
            }
        };
        Ok(self.note(report, told).await && self.tell_worst(report, after).await)
    }

    /// Passes on what a watch told, and keeps how it is. False when the loop is gone.
    async fn note(&mut self, report: &mut Report, told: Told) -> bool {
        match told {
            Told::Batch(batch) => {
                report.heard(0);
                let unread = batch.unread.len() as u64;
                report.health.bad_lines += unread;
                self.listed |= !batch.gone;
                self.forgive(batch.kind);
                let telemetry = report.wrap(telemetry::Body::Objects(batch));
                report.outlet.send(telemetry).await && (unread == 0 || report.tell().await)
            }
            Told::Well(kind) => {
                self.forgive(kind);
                true
            }
            Told::Failed(kind, fault, _) => {
                self.forgive(kind);
                self.faults.push((kind, fault));
                self.live = false;
                true
            }
        }
    }

    fn forgive(&mut self, kind: ObjectKind) {
        self.faults.retain(|(k, _)| *k != kind);
    }

    async fn tell_live(&mut self, report: &mut Report) -> bool {
        if !self.listed || !self.faults.is_empty() || self.live {
            return true;
        }
        self.live = true;
        report.live().await
    }

    async fn tell(&mut self, report: &mut Report) -> bool {
        if self.faults.is_empty() {
            self.live = true;
            return report.live().await;
        }
        self.tell_worst(report, None).await
    }

    /// Tells the worst fault; several missing rights are one sentence.
    async fn tell_worst(&mut self, report: &mut Report, after: Option<Duration>) -> bool {
        let denied = |f: &Fault| f.kind == FaultKind::Forbidden;
        let worst = self.faults.iter().map(|(_, f)| f).find(|f| !denied(f));
        let Some(worst) = worst.or(self.faults.first().map(|(_, f)| f)) else {
            return true;
        };
        let mut worst = worst.clone();
        let others = self.faults.iter().map(|(_, f)| f);
        let others: Vec<&str> = others
            .filter(|f| denied(f) && f.what != worst.what)
            .filter_map(|f| f.what.split_once(':').map(|(doing, _)| doing))
            .collect();
        if denied(&worst) && !others.is_empty() {
            worst.what = format!("{}; nor: {}", worst.what, others.join(", "));
        }
        report.failed(worst, after).await.is_some()
    }
}

/// It may concern the whole server, not one kind.
fn is_of_all(fault: &Fault) -> bool {
    matches!(
        fault.kind,
        FaultKind::Unreachable | FaultKind::Timeout | FaultKind::Tls | FaultKind::Auth
    )
}

/// `v1.33.4+k3s1` -> (1, 33).
fn number(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim_start_matches('v').split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.trim_end_matches('+').parse().ok()?;
    Some((major, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_versions() {
        assert_eq!(number("v1.33.4+k3s1"), Some((1, 33)));
        assert_eq!(number("v1.36.2"), Some((1, 36)));
        assert_eq!(number("1.25+"), Some((1, 25)));
        assert_eq!(number("latest"), None);
    }
}

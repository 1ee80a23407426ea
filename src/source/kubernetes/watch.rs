//! One watch: a list, then changes in batches, and again from the last version after every cut.
//!
//! It is listed anew only when the server forgot that version (410), when it seems to be another
//! server's, or when two terms passed without a word. It lives as long as the source: a renewed
//! sign-in changes nothing of what is known.

mod line;
mod list;
mod stream;

use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::call::Refused;
use super::installed::Installed;
use super::kinds::Kind;
use super::{Cluster, Server};
use crate::model::fault::{Fault, FaultKind};
use crate::model::object::{Object, ObjectKey, ObjectKind};
use crate::model::telemetry::ObjectBatch;
use crate::model::text;
use crate::source::report::Waits;

const NAME: usize = 253;

/// What a watch says to its session.
#[derive(Debug)]
pub enum Told {
    Batch(ObjectBatch),
    /// It failed, and works again from where it was.
    Well(ObjectKind),
    /// With what the server said of when to come again.
    Failed(ObjectKind, Fault, Option<Duration>),
    /// The resource is not installed, or no longer.
    Absent(ObjectKind),
}

/// What all watches of a cluster wait for and learn.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// The server answers.
    pub open: bool,
    pub installed: Installed,
}

/// What the server was found not to do; shared by its watches.
#[derive(Debug, Default)]
pub struct Ways {
    /// Lists as the first events of a watch.
    pub watch_list: AtomicBool,
}

pub struct Watch {
    server: Server,
    kind: &'static Kind,
    gate: watch::Receiver<Gate>,
    ways: Arc<Ways>,
    told: mpsc::Sender<Told>,
    waits: Waits,
    /// Everything up to this version was told; `None`: to be listed.
    version: Option<String>,
    /// Where the version is from.
    place: String,
    failing: bool,
    /// Not there when this was the last look.
    absent: Option<u64>,
    /// Something was told of it.
    known: bool,
    /// Terms in a row without a word.
    silent: u32,
    batch: ObjectBatch,
}

/// How a list or a stream ended.
enum End {
    /// The session is gone.
    Gone,
    /// It goes on from the version, at once or after the usual wait.
    On {
        quick: bool,
    },
    /// The version is worth nothing any more.
    Forgot,
    Refused(Box<Refused>),
}

impl Watch {
    pub fn new(
        server: &Server,
        kind: &'static Kind,
        gate: watch::Receiver<Gate>,
        ways: Arc<Ways>,
        waits: Waits,
        told: mpsc::Sender<Told>,
    ) -> Self {
        Self {
            server: server.clone(),
            kind,
            gate,
            ways,
            told,
            waits,
            version: None,
            place: String::new(),
            failing: false,
            absent: None,
            known: false,
            silent: 0,
            batch: empty(kind.object),
        }
    }

    /// Until the session is gone.
    pub async fn run(mut self) {
        while let Some((cluster, version)) = self.ready().await {
            let path = self.kind.path(&version);
            let end = match self.version.is_none() {
                true => self.begin(&cluster, &path).await,
                false => self.follow(&cluster, &path, false).await,
            };
            if self.after(end).await.is_none() {
                return;
            }
        }
    }

    /// When the server answers and has the resource: where to ask, and for which API version.
    async fn ready(&mut self) -> Option<(Cluster, String)> {
        let (kind, absent) = (self.kind, self.absent);
        let version = {
            let wanted = |gate: &Gate| match gate.open && absent != Some(gate.installed.looks) {
                true => of_kind(kind, &gate.installed),
                false => None,
            };
            let gate = self.gate.wait_for(|gate| wanted(gate).is_some()).await;
            wanted(&*gate.ok()?)?
        };
        loop {
            match self.server.cluster().await {
                Ok(cluster) => {
                    if cluster.place != self.place {
                        // Another server: its versions are its own.
                        self.place.clone_from(&cluster.place);
                        self.version = None;
                    }
                    return Some((cluster, version));
                }
                Err(fault) => {
                    let delay = self.waits.after(fault.kind, None);
                    self.tell(Told::Failed(kind.object, fault, None)).await?;
                    self.failing = true;
                    self.waits.rest(delay).await;
                }
            }
        }
    }

    /// The list: as a stream where the server can, else page by page.
    async fn begin(&mut self, cluster: &Cluster, path: &str) -> End {
        if self.ways.watch_list.load(Ordering::Relaxed) {
            match self.follow(cluster, path, true).await {
                End::Refused(refused) if matches!(refused.code, 400 | 405 | 422 | 501) => {
                    self.ways.watch_list.store(false, Ordering::Relaxed);
                }
                // The list says which right is missing.
                End::Refused(refused) if refused.code == 403 => {}
                end => return end,
            }
        }
        self.list(cluster, path).await
    }

    /// Waits as the end asks for; `None` when the session is gone.
    async fn after(&mut self, end: End) -> Option<()> {
        match end {
            End::Gone => None,
            End::On { quick: false } => {
                self.waits.reset();
                let delay = self.jitter();
                self.waits.rest(delay).await;
                Some(())
            }
            End::On { quick: true } => {
                let delay = self.waits.after(FaultKind::Unreachable, None);
                self.waits.rest(delay).await;
                Some(())
            }
            End::Forgot => {
                self.version = None;
                let delay = self.jitter();
                self.waits.rest(delay).await;
                Some(())
            }
            End::Refused(refused) => self.refused(*refused).await,
        }
    }

    /// Many watches of many clusters must not come back at the same moment.
    fn jitter(&self) -> Duration {
        let chance = foldhash::fast::RandomState::default().hash_one(self.kind.plural);
        let thousandth = u32::try_from(chance % 1_000).unwrap_or(0);
        self.waits.pace().shortest * thousandth / 1_000
    }

    async fn refused(&mut self, refused: Refused) -> Option<()> {
        let (installed, looks) = {
            let gate = self.gate.borrow();
            (gate.installed.has(self.kind), gate.installed.looks)
        };
        // To a viewer, what is not installed looks forbidden.
        let absent = match refused.code {
            404 => !self.kind.group.is_empty(),
            403 => self.kind.optional && !installed,
            _ => false,
        };
        if absent {
            tracing::debug!(fault = %refused.fault, "not installed");
            self.absent = Some(looks);
            self.version = None;
            if std::mem::take(&mut self.known) {
                self.batch = empty(self.kind.object);
                self.batch.reset = true;
                self.flush().await?;
            }
            return self.tell(Told::Absent(self.kind.object)).await;
        }
        let delay = self.waits.after(refused.fault.kind, refused.after);
        self.failing = true;
        let told = Told::Failed(self.kind.object, refused.fault, refused.after);
        self.tell(told).await?;
        self.waits.rest(delay).await;
        Some(())
    }

    fn waiting(&self) -> usize {
        self.batch.upserts.len() + self.batch.deletes.len()
    }

    /// `None` when the session is gone.
    async fn flush(&mut self) -> Option<()> {
        if self.waiting() == 0 && !self.batch.reset {
            return Some(());
        }
        self.known = true;
        let batch = std::mem::replace(&mut self.batch, empty(self.kind.object));
        self.tell(Told::Batch(batch)).await
    }

    async fn tell(&self, told: Told) -> Option<()> {
        self.told.send(told).await.ok()
    }

    /// Everything that there is.
    fn listed(&mut self, objects: Vec<Object>, version: String) {
        // Older changes are in the list; the list is told even when it is empty.
        self.batch = empty(self.kind.object);
        self.batch.reset = true;
        self.batch.upserts = objects;
        self.version = Some(version);
        self.failing = false;
        self.absent = None;
        self.silent = 0;
    }

    fn key(&self, namespace: &str, name: &str) -> ObjectKey {
        let namespace = match self.kind.namespaced {
            true => namespace,
            false => "",
        };
        ObjectKey {
            kind: self.kind.object,
            namespace: text::clean(namespace, NAME).into(),
            name: text::clean(name, NAME).into(),
        }
    }
}

/// The API version to ask for, if the resource is there or nobody knows.
fn of_kind(kind: &Kind, installed: &Installed) -> Option<String> {
    match (kind.group, kind.optional) {
        ("", _) | (_, false) => Some(kind.version.to_owned()),
        _ => installed.version(kind),
    }
}

fn empty(kind: ObjectKind) -> ObjectBatch {
    ObjectBatch {
        kind,
        reset: false,
        upserts: Vec::new(),
        deletes: Vec::new(),
    }
}

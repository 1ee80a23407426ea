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
use crate::model::object::{ObjectKey, ObjectKind};
use crate::model::telemetry::ObjectBatch;
use crate::model::text;
use crate::source::report::Waits;

const NAME: usize = 253;

/// What a watch says to its session.
#[derive(Debug)]
pub enum Told {
    Batch(ObjectBatch),
    /// Nothing is wrong with it (any more).
    Well(ObjectKind),
    /// With what the server said of when to come again.
    Failed(ObjectKind, Fault, Option<Duration>),
}

/// What was last told of the kind.
#[derive(Clone, Copy, PartialEq)]
enum Held {
    Nothing,
    Objects,
    /// That it is not installed.
    Gone,
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
    held: Held,
    /// Terms in a row without a word.
    silent: u32,
    batch: ObjectBatch,
}

/// How a list or a stream ended.
enum End {
    /// The session is gone.
    Gone,
    /// It was listed, and is followed at once. That alone does not make it well: a server may
    /// forget the version before the stream begins.
    Listed,
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
            held: Held::Nothing,
            silent: 0,
            batch: ObjectBatch::empty(kind.object),
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
        let version = loop {
            match self.turn().await? {
                Some(version) => break version,
                None => self.gone().await?,
            }
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
                    let told = Told::Failed(self.kind.object, fault, None);
                    self.tell(told).await?;
                    self.failing = true;
                    self.waits.rest(delay).await;
                }
            }
        }
    }

    /// Waits until there is something to ask or to tell: the API version to ask for; `None`: that
    /// it is not installed.
    async fn turn(&mut self) -> Option<Option<String>> {
        let (kind, absent, held) = (self.kind, self.absent, self.held);
        let wanted = |gate: &Gate| {
            if !gate.open || absent == Some(gate.installed.looks) {
                return None;
            }
            match (of_kind(kind, &gate.installed), held) {
                (Some(version), _) => Some(Some(version)),
                // A server that has just started names less than it has: what was there is asked
                // for, and gone when that is refused.
                (None, Held::Objects) => Some(Some(kind.version.to_owned())),
                (None, Held::Nothing) => Some(None),
                (None, Held::Gone) => None,
            }
        };
        let gate = self.gate.wait_for(|gate| wanted(gate).is_some()).await;
        wanted(&*gate.ok()?)
    }

    /// The list: as a stream where the server can, else page by page.
    async fn begin(&mut self, cluster: &Cluster, path: &str) -> End {
        if self.ways.watch_list.load(Ordering::Relaxed) {
            match self.follow(cluster, path, true).await {
                End::Refused(refused) if matches!(refused.code, 400 | 405 | 422 | 501) => {
                    self.no_stream_lists();
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
            End::Listed => Some(()),
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
                // Lists are dear: one that is forgotten at once is not asked for without pause.
                let delay = self.waits.after(FaultKind::Unreachable, None);
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
        let (listed, has, looks) = {
            let Gate { installed, .. } = &*self.gate.borrow();
            let listed = of_kind(self.kind, installed).is_some();
            (listed, installed.has(self.kind), installed.looks)
        };
        // To a viewer, what is not installed looks forbidden.
        let viewed = refused.code == 403 && self.kind.optional;
        if viewed && !listed || refused.code == 404 && !self.kind.group.is_empty() {
            tracing::debug!(fault = %refused.fault, "not installed");
            return self.gone().await;
        }
        if viewed && !has && self.held != Held::Objects {
            tracing::debug!(fault = %refused.fault, "not installed, or not permitted");
            self.absent = Some(looks);
            return self.tell(Told::Well(self.kind.object)).await;
        }
        let delay = self.waits.after(refused.fault.kind, refused.after);
        self.failing = true;
        let told = Told::Failed(self.kind.object, refused.fault, refused.after);
        self.tell(told).await?;
        self.waits.rest(delay).await;
        Some(())
    }

    /// It is not installed: that is told once, and it is asked for again when the server names it.
    async fn gone(&mut self) -> Option<()> {
        self.absent = Some(self.gate.borrow().installed.looks);
        self.version = None;
        if self.held == Held::Gone {
            return self.tell(Told::Well(self.kind.object)).await;
        }
        self.batch = ObjectBatch::empty(self.kind.object);
        self.batch.reset = true;
        self.batch.gone = true;
        self.flush().await
    }

    /// `None` when the session is gone.
    async fn flush(&mut self) -> Option<()> {
        if self.batch.is_empty() {
            return Some(());
        }
        let batch = std::mem::replace(&mut self.batch, ObjectBatch::empty(self.kind.object));
        self.held = match batch.gone {
            true => Held::Gone,
            false => Held::Objects,
        };
        self.tell(Told::Batch(batch)).await
    }

    async fn tell(&self, told: Told) -> Option<()> {
        self.told.send(told).await.ok()
    }

    /// Everything that there is.
    fn listed(&mut self, list: ObjectBatch, version: String) {
        // Older changes are in the list; the list is told even when it is empty.
        self.batch = list;
        self.batch.reset = true;
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

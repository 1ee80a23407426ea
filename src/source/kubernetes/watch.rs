//! One watch: list, then changes, in batches; relisted when the server forgot (410).

use std::fmt::Debug;
use std::time::Duration;

use futures::StreamExt;
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::watcher::{self, Event};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::{Cluster, fault};
use crate::model::fault::{Fault, FaultKind};
use crate::model::object::{Object, ObjectKey, ObjectKind};
use crate::model::telemetry::ObjectBatch;
use crate::model::text;
use crate::source::report::Waits;

const BATCH_TIME: Duration = Duration::from_millis(50);
const BATCH_OBJECTS: usize = 500;

/// What a watch says to its session.
#[derive(Debug)]
pub enum Told {
    Batch(ObjectBatch),
    Failed(ObjectKind, Fault),
}

pub struct Watch {
    cluster: Cluster,
    kind: ObjectKind,
    resource: &'static str,
    /// May be absent: how long to wait before looking for it again.
    absent: Option<Duration>,
    told: mpsc::Sender<Told>,
    waits: Waits,
    batch: ObjectBatch,
}

/// `SriovNetworkNodeState`, whose schema is not part of Kubernetes.
pub fn sriov_resource() -> ApiResource {
    let kind = GroupVersionKind::gvk("sriovnetwork.openshift.io", "v1", "SriovNetworkNodeState");
    ApiResource::from_gvk_with_plural(&kind, "sriovnetworknodestates")
}

impl Watch {
    pub fn new(
        cluster: &Cluster,
        kind: ObjectKind,
        resource: &'static str,
        waits: Waits,
        told: mpsc::Sender<Told>,
    ) -> Self {
        Self {
            cluster: cluster.clone(),
            kind,
            resource,
            absent: None,
            told,
            waits,
            batch: empty(kind),
        }
    }

    pub fn optional(mut self, again: Duration) -> Self {
        self.absent = Some(again);
        self
    }

    /// Until the session is gone.
    pub async fn run<K>(mut self, api: Api<K>, map: fn(&K) -> Option<Object>)
    where
        K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
    {
        let watch = || Box::pin(watcher::watcher(api.clone(), watcher::Config::default()));
        let mut stream = watch();
        let mut listing = Vec::new();
        let mut due: Option<Instant> = None;
        loop {
            let item = tokio::select! {
                item = stream.next() => item,
                () = wait(due) => {
                    due = None;
                    if !self.flush().await {
                        return;
                    }
                    continue;
                }
            };
            let Some(item) = item else { return };
            match item {
                Ok(event) => {
                    self.waits.reset();
                    if !self.event(event, &mut listing, map).await {
                        return;
                    }
                    if self.waiting() > 0 && due.is_none() {
                        due = Some(Instant::now() + BATCH_TIME);
                    }
                }
                Err(error) => {
                    listing.clear();
                    if !self.flush().await {
                        return;
                    }
                    due = None;
                    match self.fail(&error).await {
                        Some(delay) => self.waits.rest(delay).await,
                        None => return,
                    }
                    if !is_forgotten(&error) {
                        // Listed anew: a watch that goes on where it ended may be silent for
                        // hours, and nobody would know that it is well again.
                        stream = watch();
                    }
                }
            }
        }
    }

    fn waiting(&self) -> usize {
        self.batch.upserts.len() + self.batch.deletes.len()
    }

    /// False when the session is gone.
    async fn event<K>(
        &mut self,
        event: Event<K>,
        listing: &mut Vec<Object>,
        map: fn(&K) -> Option<Object>,
    ) -> bool {
        match event {
            Event::Init => listing.clear(),
            Event::InitApply(object) => listing.extend(map(&object)),
            Event::InitDone => {
                // Older changes are in the list; the list is told even when it is empty.
                self.batch = empty(self.kind);
                self.batch.reset = true;
                self.batch.upserts = std::mem::take(listing);
                return self.flush().await;
            }
            Event::Apply(object) => {
                if let Some(object) = map(&object) {
                    let key = object.key();
                    self.batch.deletes.retain(|k| *k != key);
                    self.batch.upserts.retain(|o| o.key() != key);
                    self.batch.upserts.push(object);
                }
            }
            Event::Delete(object) => {
                if let Some(object) = map(&object) {
                    let key: ObjectKey = object.key();
                    self.batch.upserts.retain(|o| o.key() != key);
                    self.batch.deletes.push(key);
                }
            }
        }
        self.waiting() < BATCH_OBJECTS || self.flush().await
    }

    async fn flush(&mut self) -> bool {
        if self.waiting() == 0 && !self.batch.reset {
            return true;
        }
        let batch = std::mem::replace(&mut self.batch, empty(self.kind));
        self.told.send(Told::Batch(batch)).await.is_ok()
    }

    /// Tells the fault and how long to wait; `None` when the session is gone.
    async fn fail(&mut self, error: &watcher::Error) -> Option<Duration> {
        if is_forgotten(error) {
            return Some(Duration::from_millis(200));
        }
        let fault = self.fault(error);
        let refused = matches!(fault.kind, FaultKind::NotFound | FaultKind::Forbidden);
        if let Some(again) = self.absent
            && refused
        {
            // Absent, or (to a viewer) looking so: a fact, not a fault.
            tracing::debug!(fault = %fault, "optional resource not there");
            return Some(again);
        }
        let kind = if refused {
            FaultKind::Forbidden
        } else {
            fault.kind
        };
        let delay = self.waits.after(kind, None);
        self.told
            .send(Told::Failed(self.kind, fault))
            .await
            .is_ok()
            .then_some(delay)
    }

    fn fault(&self, error: &watcher::Error) -> Fault {
        let cluster = &self.cluster;
        let of = |verb: &str, error: &kube::Error| {
            fault::of(
                error,
                &cluster.name,
                &cluster.place,
                &format!("{verb} {}", self.resource),
            )
        };
        match error {
            watcher::Error::InitialListFailed(error) => of("list", error),
            watcher::Error::WatchStartFailed(error) | watcher::Error::WatchFailed(error) => {
                of("watch", error)
            }
            watcher::Error::WatchError(status) => {
                let doing = format!("watch {}", self.resource);
                let (kind, what, hint) = fault::of_status(status.code, &status.message, &doing);
                Fault {
                    kind,
                    cluster: cluster.name.clone(),
                    endpoint: cluster.place.clone(),
                    what: text::clean(&what, 300),
                    hint: hint.to_owned(),
                }
            }
            watcher::Error::NoResourceVersion => Fault {
                kind: FaultKind::BadPayload,
                cluster: cluster.name.clone(),
                endpoint: cluster.place.clone(),
                what: format!("list {}: no resourceVersion", self.resource),
                hint: "check that the context leads to a Kubernetes API server".into(),
            },
        }
    }
}

/// The server forgot the version we had: the watcher lists again by itself.
fn is_forgotten(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::WatchError(status) if status.code == 410)
}

async fn wait(due: Option<Instant>) {
    match due {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
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

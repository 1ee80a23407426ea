//! What a console sees of one API server.

use std::collections::BTreeMap;
use std::time::Duration;

use farwatch::config::Kube;
use farwatch::model::fault::Fault;
use farwatch::model::health::{Health, SourceHealth, SourceKind};
use farwatch::model::id::ClusterId;
use farwatch::model::object::{Object, ObjectKey, ObjectKind};
use farwatch::model::telemetry::{Body, ObjectBatch, Telemetry};
use farwatch::source::Outlet;
use farwatch::source::kubernetes;
use farwatch::source::report::{Report, Waits};
use farwatch::source::supervisor::Pace;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;

use crate::apiserver::ApiServer;

/// How long anything may take on a slow machine; only a failure takes so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// What every API server has.
const BUILT_IN: [ObjectKind; 10] = [
    ObjectKind::Node,
    ObjectKind::Pod,
    ObjectKind::Event,
    ObjectKind::Service,
    ObjectKind::Claim,
    ObjectKind::Deployment,
    ObjectKind::StatefulSet,
    ObjectKind::DaemonSet,
    ObjectKind::Job,
    ObjectKind::Autoscaler,
];

pub struct Console {
    queue: Receiver<Telemetry>,
    task: JoinHandle<()>,
    pub objects: BTreeMap<ObjectKey, Object>,
    pub batches: Vec<ObjectBatch>,
    pub health: SourceHealth,
    pub healths: Vec<Health>,
    pub version: Option<String>,
}

impl Drop for Console {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub fn pace() -> Pace {
    Pace {
        shortest: Duration::from_millis(30),
        longest: Duration::from_millis(200),
        denied: Duration::from_millis(200),
        ..Pace::default()
    }
}

pub fn kube(server: &ApiServer) -> Kube {
    Kube {
        context: Some("lab".into()),
        kubeconfig: vec![server.kubeconfig()],
        ..Kube::default()
    }
}

impl Console {
    pub fn of(server: &ApiServer) -> Self {
        Self::with(&kube(server), &pace())
    }

    pub fn with(kube: &Kube, pace: &Pace) -> Self {
        let (outlet, queue) = Outlet::new(256);
        let report = Report::new(
            ClusterId(1),
            SourceKind::Kubernetes,
            outlet,
            Waits::new(pace),
        );
        let server = kubernetes::Server::new("alpha", kube);
        let task = tokio::spawn(kubernetes::run(server, kube.clone(), report));
        Self {
            queue,
            task,
            objects: BTreeMap::new(),
            batches: Vec::new(),
            health: SourceHealth::default(),
            healths: Vec::new(),
            version: None,
        }
    }

    /// Takes what comes until this holds.
    pub async fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !done(self) {
                // The server is looked at too, which tells nothing when it changes.
                let wait = Duration::from_millis(20);
                if let Ok(told) = tokio::time::timeout(wait, self.queue.recv()).await {
                    self.take(told.expect("the source ended"));
                }
            }
        });
        if waited.await.is_err() {
            let keys: Vec<String> = self.objects.keys().map(|k| k.name.to_string()).collect();
            panic!("{what}: never; health {:?}, objects {keys:?}", self.health);
        }
    }

    /// Takes what comes for a while.
    pub async fn rest(&mut self, time: Duration) {
        let end = tokio::time::Instant::now() + time;
        while let Ok(Some(told)) = tokio::time::timeout_at(end, self.queue.recv()).await {
            self.take(told);
        }
    }

    fn take(&mut self, told: Telemetry) {
        match told.body {
            Body::Objects(batch) => {
                self.apply(&batch);
                self.batches.push(batch);
            }
            Body::Health(health) => {
                self.healths.push(health.health.clone());
                self.health = health;
            }
            Body::Facts(facts) => self.version = facts.kubernetes_version.or(self.version.take()),
            _ => {}
        }
    }

    fn apply(&mut self, batch: &ObjectBatch) {
        if batch.reset {
            self.objects.retain(|key, _| key.kind != batch.kind);
        }
        for object in &batch.upserts {
            self.objects.insert(object.key(), object.clone());
        }
        for key in batch.deletes.iter().chain(&batch.unread) {
            self.objects.remove(key);
        }
    }

    /// Every fault that was ever told.
    pub fn faults(&self) -> Vec<&Fault> {
        let told = self.healths.iter().filter_map(|health| match health {
            Health::Failing { fault, .. } | Health::Denied { fault, .. } => Some(fault),
            Health::Connecting | Health::Live => None,
        });
        told.collect()
    }

    /// The list of every kind that each server has came once, and nobody was at fault.
    pub async fn settled(&mut self) {
        let whole = |c: &Self| BUILT_IN.iter().all(|kind| c.resets(*kind) == 1);
        self.until("all lists", |c| c.live() && whole(c)).await;
    }

    pub fn live(&self) -> bool {
        self.health.health == Health::Live
    }

    /// Names of the objects of this kind.
    pub fn names(&self, kind: ObjectKind) -> Vec<String> {
        let ours = self.objects.keys().filter(|k| k.kind == kind);
        ours.map(|k| k.name.to_string()).collect()
    }

    /// Lists of this kind that came whole.
    pub fn resets(&self, kind: ObjectKind) -> usize {
        let whole = self.batches.iter().filter(|b| b.kind == kind && b.reset);
        whole.count()
    }

    /// Told to be not installed, and nothing else since.
    pub fn gone(&self, kind: ObjectKind) -> bool {
        let mut ours = self.batches.iter().rev().filter(|b| b.kind == kind);
        ours.next().is_some_and(|b| b.gone && b.reset)
    }

    /// How often an object was told, of all batches.
    pub fn told(&self, name: &str) -> usize {
        let all = self.batches.iter().flat_map(|b| &b.upserts);
        all.filter(|o| &*o.key().name == name).count()
    }

    pub fn has(&self, kind: ObjectKind, name: &str) -> bool {
        self.objects
            .keys()
            .any(|k| k.kind == kind && &*k.name == name)
    }
}

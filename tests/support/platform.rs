//! What a cluster's platform says of itself, for the scenario: a rollout that hangs, an operator
//! that is degraded, a claim that waits, what was looked for.

use farwatch::model::condition::ObjectCondition;
use farwatch::model::discovery::{Component, Outcome, Probe};
use farwatch::model::health::SourceKind;
use farwatch::model::object::{Object, ObjectKind};
use farwatch::model::openshift::{ClusterOperator, ClusterVersion, Update};
use farwatch::model::telemetry::Body;
use farwatch::model::time::Timestamp;
use farwatch::model::workload::{Claim, Workload, WorkloadKind};

use crate::scenario::{Console, NOW, objects};

fn condition(kind: &str, status: bool, message: &str) -> ObjectCondition {
    ObjectCondition {
        kind: kind.into(),
        status: Some(status),
        reason: String::new(),
        message: message.into(),
        since: Some(Timestamp(NOW.0 - 1_800_000)),
    }
}

fn workload(kind: WorkloadKind, namespace: &str, name: &str, desired: u32, ready: u32) -> Object {
    Object::Workload(Workload {
        kind,
        namespace: namespace.into(),
        name: name.into(),
        desired,
        ready,
        updated: desired,
        available: ready,
        failed: 0,
        paused: false,
        observed: true,
        generation: 2,
        images: vec![format!("quay.io/{namespace}/{name}:1.8").into()],
        conditions: vec![],
        revision: None,
        instance: None,
        policies: vec![],
        created: Some(Timestamp(NOW.0 - 86_400_000)),
    })
}

fn operator(name: &str, conditions: Vec<ObjectCondition>) -> Object {
    Object::ClusterOperator(ClusterOperator {
        name: name.into(),
        version: Some("4.17.1".into()),
        conditions,
    })
}

fn probe(component: Component, outcome: Outcome, reason: &str, place: Option<&str>) -> Probe {
    Probe {
        component,
        outcome,
        reason: reason.into(),
        place: place.map(str::to_owned),
        via: place.map(|_| "route prometheus-k8s".to_owned()),
        version: None,
        used: outcome == Outcome::Found,
        at: NOW,
    }
}

/// Tells it of the first cluster.
pub fn tell(console: &mut Console) {
    let version = ClusterVersion {
        name: "version".into(),
        channel: Some("stable-4.17".into()),
        desired: "4.17.2".into(),
        history: vec![
            update("4.17.2", "Partial", None),
            update("4.17.1", "Completed", Some(Timestamp(NOW.0 - 86_400_000))),
        ],
        conditions: vec![condition(
            "Progressing",
            true,
            "Working towards 4.17.2: 614 of 901 done",
        )],
        available_updates: Some(vec![]),
    };
    let claim = Claim {
        namespace: "ran-du".into(),
        name: "cfg-0".into(),
        phase: "Pending".into(),
        class: Some("lvms-vg1".into()),
        capacity: None,
        created: Some(Timestamp(NOW.0 - 540_000)),
    };
    let available = || condition("Available", true, "");
    let told = [
        (
            ObjectKind::StatefulSet,
            vec![
                workload(WorkloadKind::StatefulSet, "ran-du", "du-high", 1, 0),
                workload(WorkloadKind::StatefulSet, "db", "postgres", 3, 3),
            ],
        ),
        (
            ObjectKind::Deployment,
            vec![workload(WorkloadKind::Deployment, "default", "web", 8, 8)],
        ),
        (
            ObjectKind::ClusterOperator,
            vec![
                operator("dns", vec![available()]),
                operator(
                    "machine-config",
                    vec![
                        available(),
                        condition("Degraded", true, "pool worker-rt: 2 of 3"),
                    ],
                ),
            ],
        ),
        (
            ObjectKind::ClusterVersion,
            vec![Object::ClusterVersion(version)],
        ),
        (ObjectKind::Claim, vec![Object::Claim(claim)]),
    ];
    for (kind, list) in told {
        console.tell(0, SourceKind::Kubernetes, objects(kind, list));
    }
    let probes = vec![
        probe(
            Component::Prometheus,
            Outcome::Found,
            "service prometheus-k8s answers",
            Some("openshift-monitoring/prometheus-k8s:9091"),
        ),
        probe(
            Component::Tempo,
            Outcome::NotFound,
            "no service carries its labels",
            None,
        ),
        probe(
            Component::ArgoCd,
            Outcome::NoPermission,
            "list applications: 403",
            None,
        ),
        probe(
            Component::Loki,
            Outcome::Error,
            "the gateway did not answer in 3 s",
            None,
        ),
    ];
    console.tell(0, SourceKind::Kubernetes, Body::Discovery(probes));
}

fn update(version: &str, state: &str, completed: Option<Timestamp>) -> Update {
    Update {
        version: version.into(),
        state: state.into(),
        started: Some(Timestamp(NOW.0 - 90_000_000)),
        completed,
    }
}

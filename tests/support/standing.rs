//! What stands in every cluster of the scenario: applications, and who the operator is there.

use farwatch::model::gitops::{App, AppHealth, AppKind, Sync};
use farwatch::model::identity::{Identity, Review, Right, Role};
use farwatch::model::object::{Object, ObjectKind};
use farwatch::model::time::Timestamp;

use super::NOW;

/// Kinds of which the clusters have none, unless a test tells of some.
pub const WORKLOADS: [ObjectKind; 4] = [
    ObjectKind::Deployment,
    ObjectKind::StatefulSet,
    ObjectKind::DaemonSet,
    ObjectKind::Job,
];

/// One cluster with a drift, one of which the tool can say nothing, one that is as wanted.
pub fn apps(cluster: u16) -> Vec<Object> {
    use AppHealth::{Healthy, Unknown};
    match cluster {
        0 => vec![
            app("du", Sync::Synced, Healthy),
            app("logging", Sync::OutOfSync, Healthy),
        ],
        1 => vec![app("trainer", Sync::Unknown, Unknown)],
        _ => vec![app("shop", Sync::Synced, Healthy)],
    }
}

fn app(name: &str, sync: Sync, health: AppHealth) -> Object {
    Object::App(Box::new(App {
        sync,
        health,
        health_since: Some(Timestamp(NOW.0 - 7_200_000)),
        revision: Some("4f1c2d9e".into()),
        ..App::new(AppKind::Application, "argocd", name)
    }))
}

/// An operator who may look at all but the pods' logs.
pub fn identity() -> Identity {
    let review = |verb: &str, resource: &str, allowed, purpose: &str| Review {
        right: Right {
            verb: verb.into(),
            group: String::new(),
            resource: resource.into(),
            namespace: None,
        },
        allowed: Some(allowed),
        purpose: purpose.into(),
        reason: String::new(),
        at: NOW,
    };
    Identity {
        user: "alice".into(),
        groups: vec!["aiops-operators".into()],
        source: "SelfSubjectReview".into(),
        role: Role::Operator,
        role_from: "aiops-operators".into(),
        reviews: vec![
            review("list", "pods", true, "pods and what is wrong with them"),
            review("get", "pods/log", false, "logs of a pod"),
        ],
        at: NOW,
    }
}

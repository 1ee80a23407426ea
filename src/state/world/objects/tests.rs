//! No deletion is lost, whichever way it comes; kinds do not touch each other.

use super::*;
use crate::config;
use crate::model::id::ClusterId;
use crate::model::object::{Node, Pod};
use crate::model::workload::{Claim, Workload};
use proptest::prelude::*;

const SEEN: Timestamp = Timestamp(1_800_000_000_000);

fn cluster() -> ClusterState {
    ClusterState::new(ClusterId(0), &config::Cluster::default(), 0)
}

fn made<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn pod(name: &str, restarts: u32) -> Object {
    Object::Pod(made::<Pod>(serde_json::json!({
        "namespace": "shop", "name": name, "node": null, "phase": "Running", "reason": null,
        "message": null, "ready": 1, "containers": 1, "restarts": restarts, "owner": null,
        "started": null, "since": null})))
}

fn workload(kind: WorkloadKind, name: &str) -> Object {
    Object::Workload(Workload {
        kind,
        namespace: "shop".into(),
        name: name.into(),
        desired: 1,
        ready: 1,
        updated: 1,
        available: 1,
        failed: 0,
        paused: false,
        observed: true,
        generation: 1,
        images: Vec::new(),
        conditions: Vec::new(),
        revision: None,
        instance: None,
        policies: Vec::new(),
        created: None,
    })
}

fn node(name: &str) -> Object {
    Object::Node(made::<Node>(serde_json::json!({
        "name": name, "roles": [], "ready": true, "unschedulable": false, "problems": [],
        "kubelet_version": "", "labels": [], "allocatable": []})))
}

fn claim(name: &str) -> Object {
    Object::Claim(Claim {
        namespace: "shop".into(),
        name: name.into(),
        phase: "Bound".into(),
        class: None,
        capacity: None,
        created: None,
    })
}

fn batch(
    kind: ObjectKind,
    reset: bool,
    upserts: Vec<Object>,
    deletes: Vec<ObjectKey>,
) -> ObjectBatch {
    ObjectBatch {
        kind,
        reset,
        upserts,
        deletes,
        ..ObjectBatch::empty(kind)
    }
}

fn take(c: &mut ClusterState, batch: ObjectBatch) -> bool {
    c.take_objects(batch, SEEN, 10)
}

#[test]
fn a_kind_is_known_only_once_it_was_listed() {
    let mut c = cluster();
    assert!(!c.is_listed(ObjectKind::Pod));
    take(
        &mut c,
        batch(ObjectKind::Pod, false, vec![pod("a", 0)], Vec::new()),
    );
    assert!(!c.is_listed(ObjectKind::Pod), "a change is no list");
    assert!(take(
        &mut c,
        batch(ObjectKind::Pod, true, Vec::new(), Vec::new())
    ));
    assert!(c.is_listed(ObjectKind::Pod) && !c.is_listed(ObjectKind::Node));
    assert!(c.pods.is_empty(), "an empty list empties");
    assert!(!take(
        &mut c,
        batch(ObjectKind::Pod, false, Vec::new(), Vec::new())
    ));
}

#[test]
fn a_list_forgets_what_it_lacks_of_its_kind_only() {
    let mut c = cluster();
    let deployment = ObjectKind::Deployment;
    take(
        &mut c,
        batch(
            ObjectKind::Pod,
            true,
            vec![pod("a", 0), pod("b", 0)],
            Vec::new(),
        ),
    );
    take(
        &mut c,
        batch(ObjectKind::Node, true, vec![node("n")], Vec::new()),
    );
    take(
        &mut c,
        batch(ObjectKind::Claim, true, vec![claim("a")], Vec::new()),
    );
    take(
        &mut c,
        batch(
            deployment,
            true,
            vec![workload(WorkloadKind::Deployment, "a")],
            Vec::new(),
        ),
    );
    let job = workload(WorkloadKind::Job, "a");
    take(
        &mut c,
        batch(ObjectKind::Job, true, vec![job.clone()], Vec::new()),
    );
    take(
        &mut c,
        batch(ObjectKind::Pod, true, vec![pod("b", 3)], Vec::new()),
    );
    take(&mut c, batch(deployment, true, Vec::new(), Vec::new()));
    assert_eq!(c.pods.len(), 1);
    assert_eq!(c.pods.values().next().map(|p| p.restarts), Some(3));
    assert_eq!((c.nodes.len(), c.claims.len()), (1, 1));
    // Workloads of two kinds with one name are two.
    assert!(c.known(&job.key()).is_some());
    assert_eq!(c.workloads.len(), 1);
    take(
        &mut c,
        batch(ObjectKind::Job, false, Vec::new(), vec![job.key()]),
    );
    assert!(c.workloads.is_empty());
}

#[test]
fn every_kind_is_found_by_its_key_and_goes_with_it() {
    for object in [
        pod("a", 0),
        node("n"),
        claim("c"),
        workload(WorkloadKind::StatefulSet, "s"),
    ] {
        let (mut c, key) = (cluster(), object.key());
        take(&mut c, batch(key.kind, false, vec![object], Vec::new()));
        assert!(c.known(&key).is_some(), "{key:?}");
        let elsewhere = ObjectKey {
            namespace: "other".into(),
            ..key.clone()
        };
        if !key.namespace.is_empty() {
            take(&mut c, batch(key.kind, false, Vec::new(), vec![elsewhere]));
            assert!(c.known(&key).is_some(), "of another namespace");
        }
        assert!(take(
            &mut c,
            batch(key.kind, false, Vec::new(), vec![key.clone()])
        ));
        assert!(c.known(&key).is_none(), "{key:?}");
    }
}

/// Whoever made them: a cluster with both has one number of GPUs.
#[test]
fn gpus_of_all_makes_are_one_number() {
    let mut c = cluster();
    let offers = |name: &str, make: &str, count: u64| {
        let mut object = node(name);
        if let Object::Node(node) = &mut object {
            node.allocatable = vec![(make.into(), count), ("openshift.io/vfio".into(), 16)];
        }
        object
    };
    let nodes = vec![
        offers("a", "amd.com/gpu", 8),
        offers("n", "nvidia.com/gpu", 4),
    ];
    take(&mut c, batch(ObjectKind::Node, true, nodes, Vec::new()));
    let asks = |name: &str, make: &str| {
        let mut object = pod(name, 0);
        if let Object::Pod(pod) = &mut object {
            pod.requests.extended = vec![(make.into(), 3)];
        }
        object
    };
    let pods = vec![asks("x", "amd.com/gpu"), asks("y", "openshift.io/vfio")];
    take(&mut c, batch(ObjectKind::Pod, true, pods, Vec::new()));
    let all = c.capacity.gpus().unwrap();
    assert_eq!((all.allocatable, all.requested), (Some(12), Some(3)));
}

proptest! {
    /// Whatever comes in whatever order, what is held is what a plain map would hold.
    #[test]
    fn lists_changes_and_deletions_leave_what_they_say(
        steps in prop::collection::vec((0..3_u8, prop::collection::vec((0..6_u8, 0..9_u32), 0..5)), 0..20)
    ) {
        let mut c = cluster();
        let mut wanted: BTreeMap<String, u32> = BTreeMap::new();
        for (step, items) in steps {
            let named = |n: &u8| format!("p{n}");
            let objects = || items.iter().map(|(n, r)| pod(&named(n), *r)).collect::<Vec<_>>();
            let told = match step {
                0 => batch(ObjectKind::Pod, true, objects(), Vec::new()),
                1 => batch(ObjectKind::Pod, false, objects(), Vec::new()),
                _ => batch(ObjectKind::Pod, false, Vec::new(), objects().iter().map(Object::key).collect()),
            };
            if step == 0 {
                wanted.clear();
            }
            for (n, restarts) in &items {
                match step {
                    2 => drop(wanted.remove(&named(n))),
                    _ => drop(wanted.insert(named(n), *restarts)),
                }
            }
            take(&mut c, told);
        }
        let held: BTreeMap<String, u32> =
            c.pods.values().map(|p| (p.name.to_string(), p.restarts)).collect();
        prop_assert_eq!(held, wanted);
    }
}

#[test]
fn what_is_not_installed_is_neither_listed_nor_unknown() {
    let mut c = cluster();
    let kind = ObjectKind::Claim;
    assert!(!c.is_absent(kind) && !c.is_listed(kind));
    take(&mut c, batch(kind, true, vec![claim("a")], Vec::new()));
    let gone = ObjectBatch {
        gone: true,
        ..batch(kind, true, Vec::new(), Vec::new())
    };
    assert!(take(&mut c, gone));
    assert!(c.is_absent(kind) && !c.is_listed(kind));
    assert!(c.claims.is_empty());
    take(&mut c, batch(kind, true, Vec::new(), Vec::new()));
    assert!(!c.is_absent(kind) && c.is_listed(kind));
}

#[test]
fn what_cannot_be_read_is_not_kept_as_it_was_and_tells_no_change() {
    let kind = ObjectKind::Node;
    let key = node("n").key();
    let unread = |reset| ObjectBatch {
        unread: vec![key.clone()],
        ..batch(kind, reset, Vec::new(), Vec::new())
    };
    for reset in [false, true] {
        let mut c = cluster();
        take(&mut c, batch(kind, true, vec![node("n")], Vec::new()));
        let told = c.changes.len();
        assert!(take(&mut c, unread(reset)));
        assert!(c.nodes.is_empty() && c.is_unread(&key));
        take(&mut c, batch(kind, reset, vec![node("n")], Vec::new()));
        assert!(c.nodes.len() == 1 && !c.is_unread(&key));
        assert_eq!(c.changes.len(), told, "neither left nor joined");
        take(&mut c, unread(false));
        take(&mut c, batch(kind, true, Vec::new(), Vec::new()));
        assert!(!c.is_unread(&key), "it is in no list");
    }
}

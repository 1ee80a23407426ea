//! Policies held against nodes as these are told, and the age of a sync.

use super::*;
use crate::config;
use crate::model::id::ClusterId;
use crate::model::label::Labels;
use crate::model::object::{Node, Object};
use crate::model::sriov::{Grade, NicSelector, PhysicalFunction};
use crate::model::telemetry::ObjectBatch;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn cluster() -> ClusterState {
    ClusterState::new(ClusterId(0), &config::Cluster::default(), 0)
}

/// A whole list, or what came by the watch after it, so many minutes later.
fn tell(cluster: &mut ClusterState, minutes: i64, reset: bool, object: Object) {
    let batch = ObjectBatch {
        reset,
        ..ObjectBatch::empty(object.key().kind)
    };
    let upserts = vec![object];
    cluster.take_objects(
        ObjectBatch { upserts, ..batch },
        NOW.plus_ms(minutes * 60_000),
        10,
    );
}

fn node(tier: &str) -> Object {
    Object::Node(Node {
        name: "worker-1".into(),
        labels: Labels::from_pairs([("tier", tier)]),
        ..Node::default()
    })
}

fn state(status: &str) -> Object {
    Object::SriovNodeState(SriovNodeState {
        node: "worker-1".into(),
        sync_status: Some(status.into()),
        interfaces: vec![PhysicalFunction {
            name: "ens1f0".into(),
            num_vfs: 8,
            total_vfs: 64,
            ..PhysicalFunction::default()
        }],
        ..SriovNodeState::default()
    })
}

fn policy() -> Object {
    Object::SriovPolicy(SriovPolicy {
        namespace: "sriov".into(),
        name: "fh".into(),
        num_vfs: 16,
        device_type: "netdevice".into(),
        nodes: vec![("tier".into(), "ran".into())],
        ports: NicSelector {
            names: vec!["ens1f0".into()],
            ..NicSelector::default()
        },
        ..SriovPolicy::default()
    })
}

/// How the one policy stands, and its problem.
fn told(cluster: &ClusterState) -> (Grade, String) {
    let (_, fit) = cluster.policies().next().expect("a policy");
    (fit.grade, fit.problem().unwrap_or_default())
}

#[test]
fn each_kind_that_comes_in_changes_what_is_said() {
    let mut cluster = cluster();
    tell(&mut cluster, 0, true, policy());
    assert_eq!(told(&cluster).0, Grade::Unknown, "no node is known yet");
    tell(&mut cluster, 0, true, node("core"));
    assert_eq!(
        told(&cluster),
        (Grade::Missed, "no node matches tier=ran".into())
    );
    // What a node tells of itself waits for the next tick.
    tell(&mut cluster, 1, false, node("ran"));
    assert!(std::mem::take(&mut cluster.fits_due));
    cluster.hold_policies();
    assert_eq!(told(&cluster).0, Grade::Unknown, "its state is not known");
    tell(&mut cluster, 2, true, state("InProgress"));
    let text = "worker-1: wants 16 VFs on ens1f0, node has 8";
    assert_eq!(told(&cluster), (Grade::Pending, text.into()));
    let none = ObjectBatch {
        reset: true,
        ..ObjectBatch::empty(ObjectKind::SriovPolicy)
    };
    cluster.take_objects(none, NOW, 10);
    assert_eq!(cluster.policies().count(), 0);
}

#[test]
fn a_sync_is_as_old_as_what_was_seen_of_it() {
    let mut cluster = cluster();
    tell(&mut cluster, 0, true, state("InProgress"));
    let sync = |cluster: &ClusterState| cluster.sync("worker-1").cloned();
    let first = sync(&cluster).expect("told");
    assert_eq!((first.since, first.seen), (NOW, false), "was so before us");
    tell(&mut cluster, 1, false, state("InProgress"));
    assert_eq!(sync(&cluster), Some(first));
    tell(&mut cluster, 2, false, state("Failed"));
    let second = sync(&cluster).expect("told");
    assert_eq!((second.since, second.seen), (NOW.plus_ms(120_000), true));
    // Nobody watched while it changed.
    tell(&mut cluster, 9, true, state("Succeeded"));
    assert!(!sync(&cluster).expect("told").seen);
    let none = ObjectBatch {
        reset: true,
        ..ObjectBatch::empty(ObjectKind::SriovNodeState)
    };
    cluster.take_objects(none, NOW, 10);
    assert_eq!(sync(&cluster), None);
}

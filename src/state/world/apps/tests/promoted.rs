//! Has the new version arrived?

use std::sync::Arc;

use super::{app, apps_of, tell, told, world};
use crate::model::condition::ObjectCondition;
use crate::model::gitops::App;
use crate::model::object::{Object, ObjectKind, Pod};
use crate::model::workload::{Autoscaler, Workload, WorkloadKind};
use crate::state::world::World;
use crate::state::world::apps::of_pod;
use crate::state::world::apps::promoted::{checks, verdict};

fn workload(images: &[&str], updated: u32) -> Workload {
    Workload {
        kind: WorkloadKind::Deployment,
        namespace: "ran".into(),
        name: "du".into(),
        desired: 2,
        ready: 2,
        updated,
        available: 2,
        failed: 0,
        paused: false,
        observed: true,
        generation: 3,
        images: images.iter().map(|i| Arc::from(*i)).collect(),
        conditions: Vec::new(),
        revision: None,
        instance: Some("du".into()),
        policies: Vec::new(),
        created: None,
    }
}

fn pod(name: &str, image: &str) -> Object {
    Object::Pod(Pod {
        namespace: "ran".into(),
        name: name.into(),
        phase: "Running".into(),
        ready: 1,
        containers: 1,
        owner: Some(("ReplicaSet".into(), "du-7f9c".into())),
        images: vec!["istio:1".into(), image.into()],
        ..Pod::default()
    })
}

fn answers(world: &World) -> Vec<(&'static str, Option<bool>, String)> {
    let cluster = &world.clusters[0];
    let app = cluster.apps.values().next().expect("an application");
    let all = checks(world, cluster, app).into_iter();
    all.map(|c| (c.name, c.fine, c.why)).collect()
}

#[test]
fn promoted_in_one_look() {
    let mut world = world(&[("a", "")]);
    apps_of(&mut world, 0, vec![app("du", "1.9.0", "r/du:1.9", "main")]);
    let unknown = answers(&world);
    assert_eq!(unknown[0].1, Some(true));
    assert!(unknown[1..].iter().all(|a| a.1.is_none()), "{unknown:?}");
    assert!(unknown[1].2.contains("not known"), "{unknown:?}");

    tell(
        &mut world,
        0,
        ObjectKind::Deployment,
        vec![Object::Workload(workload(&["r/du:1.9"], 1))],
    );
    let pods = vec![pod("du-7f9c-a", "r/du:1.9"), pod("du-7f9c-b", "r/du:1.8")];
    tell(&mut world, 0, ObjectKind::Pod, pods);
    let half = answers(&world);
    assert_eq!(half[1].1, Some(false));
    assert_eq!(half[1].2, "1 of 2 pods on du:1.9; still on du:1.8");
    assert_eq!(half[2].1, None, "autoscalers are not listed yet");
    assert_eq!(half[3].1, Some(false));
    assert!(
        half[3].2.contains("1 updated, 2 ready, 2 wanted"),
        "{half:?}"
    );

    tell(
        &mut world,
        0,
        ObjectKind::Deployment,
        vec![Object::Workload(workload(&["r/du:1.9"], 2))],
    );
    let pods = vec![pod("du-7f9c-a", "r/du:1.9"), pod("du-7f9c-b", "r/du:1.9")];
    tell(&mut world, 0, ObjectKind::Pod, pods);
    tell(&mut world, 0, ObjectKind::Autoscaler, Vec::new());
    let cluster = &world.clusters[0];
    let held = cluster.apps.values().next().expect("an application");
    assert_eq!(verdict(&checks(&world, cluster, held)), Some(true));
    assert_eq!(
        of_pod(cluster, "ran", "du-7f9c-a").map(|a| a.name.as_ref()),
        Some("du")
    );

    let broken = Autoscaler {
        namespace: "ran".into(),
        name: "du-hpa".into(),
        target: ("Deployment".into(), "du".into()),
        min: 1,
        max: 4,
        current: 2,
        desired: 2,
        conditions: vec![ObjectCondition {
            kind: "ScalingActive".into(),
            status: Some(false),
            reason: "FailedGetResourceMetric".into(),
            ..ObjectCondition::default()
        }],
    };
    tell(
        &mut world,
        0,
        ObjectKind::Autoscaler,
        vec![Object::Autoscaler(broken)],
    );
    let last = answers(&world);
    assert_eq!(last[2].1, Some(false));
    assert_eq!(last[2].2, "du-hpa cannot scale: FailedGetResourceMetric");
}

/// An application whose rollout is done: two pods wanted, two there.
fn done() -> World {
    let mut world = world(&[("a", "")]);
    apps_of(&mut world, 0, vec![app("du", "1.9.0", "r/du:1.9", "main")]);
    let own = vec![Object::Workload(workload(&["r/du:1.9"], 2))];
    tell(&mut world, 0, ObjectKind::Deployment, own);
    let pods = vec![pod("du-7f9c-a", "r/du:1.9"), pod("du-7f9c-b", "r/du:1.9")];
    tell(&mut world, 0, ObjectKind::Pod, pods);
    tell(&mut world, 0, ObjectKind::Autoscaler, Vec::new());
    world
}

fn is_promoted(world: &World) -> Option<bool> {
    let cluster = &world.clusters[0];
    let app = cluster.apps.values().next().expect("an application");
    verdict(&checks(world, cluster, app))
}

#[test]
fn a_tool_that_does_not_look_says_nothing_of_now() {
    let mut world = done();
    assert_eq!(is_promoted(&world), Some(true));
    let du = || app("du", "1.9.0", "r/du:1.9", "main");
    let suspended = App {
        suspended: true,
        ..du()
    };
    let unseen = App {
        observed: false,
        ..du()
    };
    for (app, why) in [(suspended, "suspended"), (unseen, "has not seen")] {
        apps_of(&mut world, 0, vec![app]);
        assert_eq!(is_promoted(&world), None, "{why}");
        assert!(answers(&world)[0].2.contains(why), "{:?}", answers(&world));
    }
}

#[test]
fn pods_of_the_former_template_and_no_pods_at_all() {
    let mut world = done();
    // The same image, another configuration: the former pod is still there.
    let third = vec![pod("du-6a6a-c", "r/du:1.9")];
    told(&mut world, 0, (ObjectKind::Pod, false), third);
    assert_eq!(is_promoted(&world), Some(false));
    assert_eq!(
        answers(&world)[1].2,
        "3 of 2 pods on du:1.9; 1 more than wanted"
    );
    // More of one workload do not stand for those that another lacks.
    let mut other = workload(&["r/du:1.9"], 1);
    (other.name, other.desired, other.ready) = ("cu".into(), 1, 1);
    let both = vec![Object::Workload(other)];
    told(&mut world, 0, (ObjectKind::Deployment, false), both);
    assert_eq!(is_promoted(&world), Some(false));

    let mut world = done();
    let mut none = workload(&["r/du:1.9"], 0);
    (none.desired, none.ready) = (0, 0);
    let none = vec![Object::Workload(none)];
    tell(&mut world, 0, ObjectKind::Deployment, none);
    tell(&mut world, 0, ObjectKind::Pod, Vec::new());
    assert_eq!(is_promoted(&world), None);
    assert!(answers(&world)[1].2.contains("nothing runs"));
}

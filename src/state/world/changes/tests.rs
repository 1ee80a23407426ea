//! What the difference of objects tells, and what is blamed for an incident.

use std::sync::Arc;

use crate::config::{Cluster, Config};
use crate::model::change::{Change, ChangeKind};
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::object::{Event, Object, ObjectKind, Pod};
use crate::model::telemetry::{Body, ObjectBatch, Telemetry};
use crate::model::time::Timestamp;
use crate::model::workload::{Autoscaler, Workload, WorkloadKind};
use crate::state::world::World;
use crate::state::world::changed::near as blamed;

mod apps;
mod config;

const NOW: i64 = 1_800_000_000_000;

fn at(minutes: i64) -> Timestamp {
    Timestamp(NOW + minutes * 60_000)
}

fn world() -> World {
    let config = Config {
        clusters: vec![Cluster {
            name: "a".into(),
            ..Cluster::default()
        }],
        ..Config::default()
    };
    World::new(&config, at(0))
}

/// A whole list, or what came by the watch after it.
fn tell(world: &mut World, minutes: i64, kind: ObjectKind, reset: bool, upserts: Vec<Object>) {
    world.ingest(Telemetry {
        cluster: ClusterId(0),
        source: SourceKind::Kubernetes,
        received: at(minutes),
        body: Body::Objects(ObjectBatch {
            kind,
            reset,
            upserts,
            ..ObjectBatch::empty(kind)
        }),
    });
}

/// Minutes, kind, subject and words of all that is known.
fn told(world: &World) -> Vec<(i64, ChangeKind, String, String)> {
    let changes = world.clusters[0].changes.iter();
    changes
        .map(|c: &Change| {
            let minutes = (c.at.0 - NOW) / 60_000;
            (minutes, c.kind, c.subject.1.clone(), c.what.clone())
        })
        .collect()
}

fn words(world: &World) -> Vec<String> {
    told(world).into_iter().map(|t| t.3).collect()
}

fn deployment(images: &[&str], desired: u32, revision: &str) -> Workload {
    Workload {
        kind: WorkloadKind::Deployment,
        namespace: "ran".into(),
        name: "du".into(),
        desired,
        ready: desired,
        updated: desired,
        available: desired,
        failed: 0,
        paused: false,
        observed: true,
        generation: 1,
        images: images.iter().map(|i| Arc::from(*i)).collect(),
        conditions: Vec::new(),
        revision: Some(revision.into()),
        instance: None,
        policies: Vec::new(),
        created: None,
    }
}

fn workload(w: Workload) -> Vec<Object> {
    vec![Object::Workload(w)]
}

#[test]
fn rollouts_and_scaling_are_told_once() {
    let mut world = world();
    let kind = ObjectKind::Deployment;
    let first = deployment(&["r/du:1.8"], 2, "7");
    tell(&mut world, 0, kind, true, workload(first.clone()));
    assert_eq!(told(&world), [], "what was there before us is no change");
    let new = deployment(&["r/du:1.9"], 2, "7");
    tell(&mut world, 1, kind, false, workload(new));
    // The controller counts its revision on afterwards: the same story.
    let counted = deployment(&["r/du:1.9"], 2, "8");
    tell(&mut world, 2, kind, false, workload(counted.clone()));
    // A relist tells the same objects again.
    tell(&mut world, 3, kind, true, workload(counted));
    assert_eq!(words(&world), ["image du:1.8 → du:1.9"]);
    let scaled = deployment(&["r/du:1.9"], 5, "8");
    tell(&mut world, 10, kind, false, workload(scaled));
    let template = deployment(&["r/du:1.9"], 5, "9");
    tell(&mut world, 20, kind, false, workload(template));
    assert_eq!(
        words(&world)[1..],
        ["replicas 2 → 5", "new template, revision 8 → 9"]
    );
}

/// A pod of the deployment that fell over then, and what is blamed for it.
fn blamed_at(world: &mut World, minutes: i64) -> Vec<(String, &'static str)> {
    let pod = Pod {
        namespace: "ran".into(),
        name: "du-1-x".into(),
        phase: "Running".into(),
        reason: Some("OOMKilled".into()),
        containers: 1,
        restarts: 1,
        owner: Some(("ReplicaSet".into(), "du-1".into())),
        since: Some(at(minutes)),
        ..Pod::default()
    };
    let pod = vec![Object::Pod(pod)];
    tell(world, minutes, ObjectKind::Pod, true, pod);
    let incident = world.incidents.first().expect("an incident");
    let all = blamed(world, incident).into_iter();
    all.map(|c| (c.what.clone(), c.when())).collect()
}

#[test]
fn what_came_to_pass_while_nobody_watched_has_no_time() {
    let kind = ObjectKind::Deployment;
    // Begin of the outage, its end, and what is blamed two minutes later.
    let said = "image du:1.8 → du:1.9";
    let unwatched = format!("{said} (while not watched)");
    for (reset, after, wanted) in [
        (false, 40, vec![(said.to_owned(), "")]),
        (true, 10, vec![(unwatched.clone(), "by ")]),
        // It may be as old as the outage is long.
        (true, 40, vec![]),
    ] {
        let mut world = world();
        let old = deployment(&["r/du:1.8"], 2, "7");
        let new = deployment(&["r/du:1.9"], 2, "8");
        tell(&mut world, 0, kind, true, workload(old));
        tell(&mut world, after, kind, reset, workload(new));
        assert_eq!(blamed_at(&mut world, after + 2), wanted, "{reset} {after}");
        assert_eq!(words(&world).len(), 1);
        assert_eq!(words(&world)[0] == unwatched, reset);
    }
    let mut world = world();
    let du = deployment(&["r/du:1.8"], 2, "7");
    tell(&mut world, 0, kind, true, workload(du));
    tell(&mut world, 30, kind, true, Vec::new());
    assert_eq!(words(&world), ["deleted (while not watched)"]);
}

#[test]
fn another_server_behind_the_same_place_changed_nothing() {
    let mut world = world();
    let three = |born: i64, image: &str| -> Vec<Object> {
        let named = |name: &str| Workload {
            name: name.into(),
            created: Some(at(born)),
            ..deployment(&[image], 2, "7")
        };
        let all = ["du", "cu", "upf"].map(named);
        all.into_iter().map(Object::Workload).collect()
    };
    let scaler = |max| {
        vec![Object::Autoscaler(Autoscaler {
            namespace: "ran".into(),
            name: "du".into(),
            target: ("Deployment".into(), "du".into()),
            min: 1,
            max,
            current: 2,
            desired: 2,
            conditions: Vec::new(),
        })]
    };
    let deployments = ObjectKind::Deployment;
    tell(&mut world, 0, deployments, true, three(-90, "r/du:1.8"));
    tell(&mut world, 0, ObjectKind::Autoscaler, true, scaler(5));
    tell(&mut world, 9, deployments, true, three(-3, "r/du:1.9"));
    tell(&mut world, 9, ObjectKind::Autoscaler, true, scaler(9));
    assert_eq!(words(&world), [""; 0], "its first lists");
    assert!(world.clusters[0].is_listed(ObjectKind::Autoscaler));
    // What it then tells is a change.
    tell(&mut world, 10, ObjectKind::Autoscaler, false, scaler(7));
    tell(&mut world, 10, deployments, true, three(-3, "r/du:2.0"));
    assert_eq!(words(&world).len(), 4, "{:?}", words(&world));
}

#[test]
fn who_scaled_is_told_where_an_autoscaler_does_it() {
    let mut world = world();
    let scaler = Autoscaler {
        namespace: "ran".into(),
        name: "du-hpa".into(),
        target: ("Deployment".into(), "du".into()),
        min: 1,
        max: 5,
        current: 2,
        desired: 2,
        conditions: Vec::new(),
    };
    let kind = ObjectKind::Autoscaler;
    tell(&mut world, 0, kind, true, vec![Object::Autoscaler(scaler)]);
    for (minutes, desired) in [(0, 2), (1, 3)] {
        let w = deployment(&["du:1"], desired, "7");
        tell(
            &mut world,
            minutes,
            ObjectKind::Deployment,
            minutes == 0,
            workload(w),
        );
    }
    let changes = &world.clusters[0].changes;
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].by.as_deref(), Some("autoscaler du-hpa"));
}

fn event(minutes: i64, reason: &str, about: (&str, &str), message: &str) -> Vec<Object> {
    vec![Object::Event(Event {
        namespace: "ran".into(),
        name: format!("{reason}.{minutes}").as_str().into(),
        at: at(minutes),
        warning: false,
        reason: reason.into(),
        message: message.into(),
        about: (about.0.into(), about.1.into()),
        count: 1,
        reporter: "deployment-controller".into(),
    })]
}

#[test]
fn events_tell_of_the_time_before_us_and_repeat_nothing() {
    let mut world = world();
    let du = ("Deployment", "du");
    let words_of = "Scaled up replica set du-1 to 2";
    tell(
        &mut world,
        0,
        ObjectKind::Event,
        true,
        event(-30, "ScalingReplicaSet", du, words_of),
    );
    tell(
        &mut world,
        0,
        ObjectKind::Event,
        true,
        event(-30, "ScalingReplicaSet", du, words_of),
    );
    tell(
        &mut world,
        0,
        ObjectKind::Event,
        false,
        event(0, "Pulled", ("Pod", "du-1"), "image"),
    );
    let kind = ObjectKind::Deployment;
    tell(
        &mut world,
        0,
        kind,
        true,
        workload(deployment(&["du:1"], 2, "1")),
    );
    tell(
        &mut world,
        5,
        kind,
        false,
        workload(deployment(&["du:2"], 2, "2")),
    );
    // Of what the object told, the event says nothing new; of a reboot nothing else tells.
    tell(
        &mut world,
        5,
        ObjectKind::Event,
        false,
        event(5, "ScalingReplicaSet", du, "Scaled"),
    );
    tell(
        &mut world,
        6,
        ObjectKind::Event,
        false,
        event(6, "Rebooted", ("Node", "n"), "boot"),
    );
    assert_eq!(
        words(&world),
        [
            "ScalingReplicaSet: Scaled up replica set du-1 to 2",
            "image du:1 → du:2",
            "Rebooted: boot"
        ]
    );
    // The event came first: the object tells it better.
    tell(
        &mut world,
        9,
        ObjectKind::Event,
        false,
        event(9, "ScalingReplicaSet", du, "Scaled"),
    );
    tell(
        &mut world,
        9,
        kind,
        false,
        workload(deployment(&["du:3"], 2, "3")),
    );
    assert_eq!(
        words(&world).last().map(String::as_str),
        Some("image du:2 → du:3")
    );
    assert_eq!(words(&world).len(), 4);
    let newest: Vec<_> = world.changes_since(None, at(6), 10);
    assert_eq!(newest.len(), 2);
    assert!(newest[0].1.at > newest[1].1.at, "newest first");
}

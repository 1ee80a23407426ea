use std::sync::Arc;

use crate::config::{Cluster, Config};
use crate::model::change::{Change, ChangeKind};
use crate::model::condition::ObjectCondition;
use crate::model::gitops::{App, AppHealth, AppKind, AppSource, Deployed, Operation, Sync};
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::object::{Event, Object, ObjectKind};
use crate::model::openshift::{ClusterOperator, ClusterVersion, Update};
use crate::model::ptp::{PtpConfig, PtpProfile};
use crate::model::sriov::{PhysicalFunction, SriovNodeState};
use crate::model::telemetry::{Body, ObjectBatch, Telemetry};
use crate::model::time::Timestamp;
use crate::model::workload::{Autoscaler, Workload, WorkloadKind};
use crate::state::world::World;

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
    tell(&mut world, 20, kind, true, workload(template));
    assert_eq!(
        words(&world)[1..],
        ["replicas 2 → 5", "new template, revision 8 → 9"]
    );
    tell(&mut world, 30, kind, true, Vec::new());
    assert_eq!(words(&world).last().map(String::as_str), Some("deleted"));
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

fn app() -> App {
    App {
        kind: AppKind::Application,
        namespace: "argocd".into(),
        name: "du".into(),
        project: None,
        sources: vec![AppSource {
            repository: "https://git/x".into(),
            path: "du".into(),
            target: "main".into(),
        }],
        destination: None,
        destination_namespace: Some("ran".into()),
        sync: Sync::Synced,
        health: AppHealth::Healthy,
        state: String::new(),
        message: None,
        health_since: Some(at(-100)),
        revision: Some("1.0.0".into()),
        attempted: None,
        operation: None,
        automation: None,
        suspended: false,
        conditions: Vec::<ObjectCondition>::new(),
        resources: Vec::new(),
        resource_count: None,
        images: Vec::new(),
        chart: None,
        reconciled: None,
        history: vec![deployed("1.0.0", -50), deployed("0.9.0", -300)],
        generation: 1,
        observed: true,
        created: None,
    }
}

fn deployed(revision: &str, minutes: i64) -> Deployed {
    Deployed {
        revision: revision.into(),
        at: Some(at(minutes)),
    }
}

fn boxed(app: App) -> Vec<Object> {
    vec![Object::App(Box::new(app))]
}

#[test]
fn syncs_stand_where_the_server_dates_them() {
    let mut world = world();
    let kind = ObjectKind::Application;
    tell(&mut world, 0, kind, true, boxed(app()));
    let before = vec![
        (-300, "deployed 0.9.0".to_owned()),
        (-50, "deployed 1.0.0".to_owned()),
    ];
    let found = |world: &World| -> Vec<_> { told(world).into_iter().map(|t| (t.0, t.3)).collect() };
    assert_eq!(found(&world), before);
    // Again whole, and after a restart of the watch: nothing twice.
    tell(&mut world, 1, kind, true, boxed(app()));
    tell(&mut world, 2, kind, false, boxed(app()));
    assert_eq!(found(&world), before);
    let mut new = app();
    new.revision = Some("1.1.0".into());
    new.history.insert(0, deployed("1.1.0", 4));
    new.operation = Some(Operation {
        phase: "Succeeded".into(),
        by: Some("ana".into()),
        started: Some(at(3)),
        finished: Some(at(4)),
        ..Operation::default()
    });
    tell(&mut world, 5, kind, false, boxed(new.clone()));
    let newest = world.clusters[0].changes.back().cloned().expect("told");
    assert_eq!((newest.at, newest.what.as_str()), (at(4), "deployed 1.1.0"));
    assert_eq!(newest.by.as_deref(), Some("ana"));
    // It fails, and the failure stays in the object: told once.
    new.attempted = Some("1.2.0".into());
    new.operation = Some(Operation {
        phase: "Failed".into(),
        message: "hook failed".into(),
        by: Some("automated".into()),
        finished: Some(at(8)),
        ..Operation::default()
    });
    tell(&mut world, 9, kind, false, boxed(new.clone()));
    new.health = AppHealth::Progressing;
    tell(&mut world, 10, kind, true, boxed(new));
    let last = found(&world).split_off(3);
    assert_eq!(last, [(8, "sync of 1.2.0 Failed: hook failed".to_owned())]);
}

#[test]
fn flux_is_dated_by_its_condition() {
    let mut world = world();
    let kind = ObjectKind::Kustomization;
    let flux = |revision: &str, since: i64| App {
        kind: AppKind::Kustomization,
        history: Vec::new(),
        revision: Some(revision.into()),
        health_since: Some(at(since)),
        ..app()
    };
    tell(&mut world, 0, kind, true, boxed(flux("1.0.0", -10)));
    assert_eq!(told(&world), []);
    tell(&mut world, 5, kind, false, boxed(flux("1.1.0", 4)));
    let failing = App {
        health: AppHealth::Degraded,
        state: "failing, retrying".into(),
        message: Some("no such chart".into()),
        ..flux("1.1.0", 7)
    };
    tell(&mut world, 8, kind, false, boxed(failing.clone()));
    tell(&mut world, 9, kind, true, boxed(failing));
    let found: Vec<_> = told(&world).into_iter().map(|t| (t.0, t.3)).collect();
    assert_eq!(
        found,
        [
            (4, "revision 1.0.0 → 1.1.0".to_owned()),
            (
                7,
                "reconciliation failing, retrying: no such chart".to_owned()
            )
        ]
    );
}

#[test]
fn what_is_followed_is_configuration() {
    let mut world = world();
    let kind = ObjectKind::Application;
    tell(&mut world, 0, kind, true, boxed(app()));
    let count = told(&world).len();
    let mut moved = app();
    moved.sources[0].target = "release-1".into();
    moved.suspended = true;
    tell(&mut world, 1, kind, false, boxed(moved));
    assert_eq!(
        words(&world)[count..],
        ["tracks main → release-1", "suspended"]
    );
    tell(&mut world, 2, kind, true, Vec::new());
    assert_eq!(
        words(&world).last().map(String::as_str),
        Some("application removed")
    );
}

#[test]
fn upgrades_stand_in_the_history() {
    let mut world = world();
    let update = |version: &str, from: i64, to: Option<i64>| Update {
        version: version.into(),
        state: if to.is_some() { "Completed" } else { "Partial" }.into(),
        started: Some(at(from)),
        completed: to.map(at),
    };
    let version = |history: Vec<Update>| {
        vec![Object::ClusterVersion(ClusterVersion {
            name: "version".into(),
            channel: Some("stable-4.16".into()),
            desired: "4.16.3".into(),
            history,
            conditions: Vec::new(),
            available_updates: None,
        })]
    };
    let kind = ObjectKind::ClusterVersion;
    let old = update("4.15.0", -900, Some(-800));
    tell(
        &mut world,
        0,
        kind,
        true,
        version(vec![update("4.16.3", -5, None), old.clone()]),
    );
    tell(
        &mut world,
        1,
        kind,
        true,
        version(vec![update("4.16.3", -5, None), old.clone()]),
    );
    tell(
        &mut world,
        9,
        kind,
        false,
        version(vec![update("4.16.3", -5, Some(8)), old]),
    );
    let found: Vec<_> = told(&world).into_iter().map(|t| (t.0, t.3)).collect();
    let wanted = [
        (-900, "update to 4.15.0 began"),
        (-800, "4.15.0 installed"),
        (-5, "update to 4.16.3 began"),
        (8, "4.16.3 installed"),
    ];
    assert_eq!(found, wanted.map(|(m, w)| (m, w.to_owned())));
    let operator = |version: &str| {
        vec![Object::ClusterOperator(ClusterOperator {
            name: "etcd".into(),
            version: Some(version.into()),
            conditions: Vec::new(),
        })]
    };
    tell(
        &mut world,
        10,
        ObjectKind::ClusterOperator,
        true,
        operator("4.15.0"),
    );
    tell(
        &mut world,
        11,
        ObjectKind::ClusterOperator,
        false,
        operator("4.16.3"),
    );
    let last = told(&world).pop().expect("told");
    assert_eq!(
        (last.1, last.3.as_str()),
        (ChangeKind::Upgrade, "version 4.15.0 → 4.16.3")
    );
}

#[test]
fn profiles_and_virtual_functions_are_configuration() {
    let mut world = world();
    let config = |generation, domain, interface: &str| {
        vec![Object::PtpConfig(PtpConfig {
            namespace: "openshift-ptp".into(),
            name: "gm".into(),
            generation,
            profiles: vec![PtpProfile {
                name: "grandmaster".into(),
                interfaces: vec![interface.into()],
                domain: Some(domain),
                ..PtpProfile::default()
            }],
            matches: Vec::new(),
        })]
    };
    tell(
        &mut world,
        0,
        ObjectKind::PtpConfig,
        true,
        config(1, 24, "ens1f0"),
    );
    tell(
        &mut world,
        1,
        ObjectKind::PtpConfig,
        false,
        config(2, 25, "ens1f1"),
    );
    tell(
        &mut world,
        1,
        ObjectKind::PtpConfig,
        true,
        config(2, 25, "ens1f1"),
    );
    assert_eq!(
        words(&world),
        ["profile grandmaster: interfaces ens1f0 → ens1f1, domain 24 → 25"]
    );
    let state = |wanted| {
        vec![Object::SriovNodeState(SriovNodeState {
            node: "n-07-b".into(),
            sync_status: Some("Succeeded".into()),
            last_sync_error: None,
            desired_state: None,
            current_state: None,
            interfaces: vec![PhysicalFunction {
                name: "ens3f0".into(),
                pci_address: "0000:17:00.0".into(),
                vendor: String::new(),
                driver: None,
                mtu: None,
                link_speed: None,
                num_vfs: 8,
                total_vfs: 64,
                desired_vfs: Some(wanted),
                vfs: 8,
                functions: Vec::new(),
                groups: Vec::new(),
            }],
        })]
    };
    tell(&mut world, 2, ObjectKind::SriovNodeState, true, state(8));
    tell(&mut world, 3, ObjectKind::SriovNodeState, false, state(16));
    let last = told(&world).pop().expect("told");
    assert_eq!(
        (last.2.as_str(), last.3.as_str()),
        ("n-07-b", "ens3f0: virtual functions wanted 8 → 16")
    );
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

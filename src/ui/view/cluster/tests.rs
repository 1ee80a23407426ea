//! The cluster screen over objects in trouble.

use super::*;
use crate::model::condition::ObjectCondition;
use crate::model::health::SourceKind;
use crate::model::object::{Event, Node, Object, Pod, Requests, Room};
use crate::model::openshift::ClusterOperator;
use crate::model::telemetry::{Body, ObjectBatch};
use crate::model::time::Timestamp;
use crate::model::workload::{Claim, Workload, WorkloadKind};
use crate::ui::view::fake;
use crate::ui::widget::filter::Filter;

fn list(world: &mut World, kind: ObjectKind, upserts: Vec<Object>) {
    let batch = ObjectBatch {
        kind,
        reset: true,
        upserts,
        ..ObjectBatch::empty(kind)
    };
    fake::tell(world, 0, Body::Objects(batch));
}

fn node(name: &str, ready: bool) -> Object {
    Object::Node(Node {
        name: name.into(),
        roles: vec!["worker".into()],
        ready: Some(ready),
        kubelet_version: "v1.31.2".into(),
        allocatable: vec![("nvidia.com/gpu".into(), 4)],
        room: Room {
            cpu_milli: Some(8_000),
            memory_bytes: Some(16 << 30),
            pods: Some(110),
        },
        taints: vec!["node-role=rt:NoSchedule".into()],
        ..Node::default()
    })
}

fn pod(name: &str, reason: Option<&str>) -> Object {
    Object::Pod(Pod {
        namespace: "ran".into(),
        name: name.into(),
        node: Some("n1".into()),
        phase: "Running".into(),
        reason: reason.map(str::to_owned),
        ready: u16::from(reason.is_none()),
        containers: 1,
        restarts: 4,
        owner: Some(("ReplicaSet".into(), "du-5d".into())),
        since: Some(Timestamp(fake::NOW - 600_000)),
        requests: Requests {
            cpu_milli: 2_000,
            memory_bytes: 4 << 30,
            extended: vec![("nvidia.com/gpu".into(), 1)],
            exclusive_cpus: None,
        },
        ..Pod::default()
    })
}

fn event(name: &str, about: &str, ago_ms: i64, count: u32) -> Object {
    Object::Event(Event {
        namespace: "ran".into(),
        name: name.into(),
        at: Timestamp(fake::NOW - ago_ms),
        warning: true,
        reason: "BackOff".into(),
        message: "restarting".into(),
        about: ("Pod".into(), about.into()),
        count,
        reporter: "kubelet".into(),
    })
}

fn workload(kind: WorkloadKind, name: &str, desired: u32, ready: u32) -> Object {
    Object::Workload(Workload {
        kind,
        namespace: "ran".into(),
        name: name.into(),
        desired,
        ready,
        updated: desired,
        available: ready,
        failed: 0,
        paused: false,
        observed: true,
        generation: 1,
        images: vec!["quay.io/ran/du:1.8".into()],
        conditions: vec![],
        revision: None,
        instance: None,
        policies: vec![],
        created: None,
    })
}

fn world() -> World {
    let mut world = fake::world(&["edge"]);
    let nodes = vec![node("n1", true), node("n2", false)];
    list(&mut world, ObjectKind::Node, nodes);
    let pods = vec![
        pod("du-5d-a", Some("CrashLoopBackOff")),
        pod("du-5d-b", Some("OOMKilled")),
        pod("web-1", None),
    ];
    list(&mut world, ObjectKind::Pod, pods);
    let short = workload(WorkloadKind::Deployment, "du", 2, 0);
    list(&mut world, ObjectKind::Deployment, vec![short]);
    let agent = workload(WorkloadKind::DaemonSet, "vector", 2, 1);
    list(&mut world, ObjectKind::DaemonSet, vec![agent]);
    let degraded = ClusterOperator {
        name: "dns".into(),
        version: None,
        conditions: vec![ObjectCondition {
            kind: "Degraded".into(),
            status: Some(true),
            reason: "DNSDown".into(),
            message: "2 of 3 resolvers".into(),
            since: None,
        }],
    };
    let degraded = vec![Object::ClusterOperator(degraded)];
    list(&mut world, ObjectKind::ClusterOperator, degraded);
    let claim = Object::Claim(Claim {
        namespace: "db".into(),
        name: "data".into(),
        phase: "Pending".into(),
        class: Some("lvms".into()),
        capacity: None,
        created: None,
    });
    list(&mut world, ObjectKind::Claim, vec![claim]);
    let events = vec![
        event("e1", "du-5d-a", 60_000, 3),
        event("e2", "du-5d-b", 30_000, 4),
        event("e3", "gone-1", 10_000, 1),
    ];
    list(&mut world, ObjectKind::Event, events);
    world
}

fn screen() -> Cluster {
    Cluster {
        cluster: Some(ClusterId(0)),
        ..Cluster::default()
    }
}

#[test]
fn pods_of_one_controller_in_one_state_are_one_row() {
    let mut world = fake::world(&["edge"]);
    let bad = |n: usize| pod(&format!("du-5d-{n:03}"), Some("CrashLoopBackOff"));
    let mut pods: Vec<Object> = (0..500).map(bad).collect();
    pods.push(pod("du-5d-x", Some("OOMKilled")));
    list(&mut world, ObjectKind::Pod, pods);
    let c = &world.clusters[0];
    let all = problem::all(c, &Filter::default());
    let told: Vec<&str> = all.iter().map(|p| p.state.as_str()).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].ends_with(", 500 pods of du"), "{told:?}");
    // Each is found by its name.
    let filter = Filter::parse("name=du-5d-499");
    assert_eq!(problem::all(c, &filter).len(), 1);
}

#[test]
fn problems_come_worst_first_with_a_first_look() {
    let world = world();
    let all = problem::all(&world.clusters[0], &Filter::default());
    let told: Vec<String> = all
        .iter()
        .map(|p| format!("{} {} {}", p.word, p.place(), p.state))
        .collect();
    assert_eq!(
        told,
        [
            "node n2 NotReady",
            "deploy ran/du 0 of 2 ready",
            "pod ran/du-5d-a CrashLoopBackOff ×4",
            "pod ran/du-5d-b OOMKilled ×4",
            "co dns Degraded",
            "ds ran/vector 1 of 2 ready",
            "pvc db/data Pending",
        ]
    );
    let remedy = |word: &str| {
        let found = all
            .iter()
            .find(|p| p.state.starts_with(word) || p.word == word);
        found.map_or("", |p| p.remedy.as_str())
    };
    assert_eq!(
        remedy("CrashLoopBackOff"),
        "the process exits: previous log"
    );
    assert_eq!(
        remedy("OOMKilled"),
        "over its memory limit: limit, working set"
    );
    assert_eq!(remedy("co"), "2 of 3 resolvers");
    assert_eq!(remedy("ds"), "nodes that are not ready; see there");
}

#[test]
fn events_are_put_together_by_reason_and_owner() {
    let world = world();
    let mut screen = screen();
    screen.tab = Tab::Only(List::Events);
    let rows = screen.rows(&world, &world.clusters[0], List::Events);
    let told: Vec<(u64, String)> = rows
        .iter()
        .filter_map(|row| match row {
            Row::Repeated(r) => Some((r.count, format!("{} {}", r.kind, r.owner))),
            _ => None,
        })
        .collect();
    let wanted = [
        (1, "Pod ran/gone-1".to_owned()),
        (7, "ReplicaSet ran/du-5d".to_owned()),
    ];
    assert_eq!(told, wanted);
    screen.update(Command::Fold, &world);
    assert_eq!(
        screen.rows(&world, &world.clusters[0], List::Events).len(),
        3
    );
}

#[test]
fn capacity_counts_requests_and_says_what_is_blind() {
    let mut world = world();
    let room = world.clusters[0].capacity.clone();
    assert_eq!(
        (room.cpu.allocatable, room.cpu.requested),
        (Some(16_000), Some(6_000))
    );
    let gpus = room.gpus().map(|g| (g.allocatable, g.requested));
    assert_eq!(gpus, Some((Some(8), Some(3))));
    let spots = |world: &World| -> Vec<String> {
        let found = world.blind_spots(&world.clusters[0]);
        found.into_iter().map(|b| b.what).collect()
    };
    let blind = spots(&world);
    assert!(
        blind.contains(&"log agent vector is silent on 1 nodes".into()),
        "{blind:?}"
    );
    assert!(
        !blind.iter().any(|b| b.contains("no metrics")),
        "no Prometheus is heard yet"
    );
    let live = crate::model::health::SourceHealth {
        health: crate::model::health::Health::Live,
        last_ok: Some(Timestamp(fake::NOW)),
        ..Default::default()
    };
    fake::tell(&mut world, 0, Body::Health(live));
    let labels = [("node", "n1")];
    fake::samples(
        &mut world,
        0,
        crate::model::signal::Group::Cluster,
        "node_cpu_busy",
        &labels,
        &[0.5],
    );
    let blind = spots(&world);
    assert!(
        blind.contains(&"node n2 reports no metrics".into()),
        "{blind:?}"
    );
    assert!(
        blind.contains(&"node n1 has GPUs that no exporter speaks for".into()),
        "{blind:?}"
    );
    assert_eq!(world.clusters[0].capacity.cpu.used, Some(0.5));
    // Nothing is heard any more: after a while nobody knows.
    world.tick(Timestamp(fake::NOW + 3_600_000));
    let cluster = &world.clusters[0];
    assert_eq!(
        (cluster.capacity.cpu.used, cluster.capacity.cpu.told),
        (None, 0)
    );
    assert!(world.node_values(cluster, "node_cpu_busy").is_empty());
}

#[test]
fn tabs_show_each_list_at_three_sizes() {
    let world = world();
    let mut screen = screen();
    for wanted in [
        "Problems 7",
        "Pods 3",
        "Workloads 2",
        "Nodes 2",
        "Events 3 in 2 groups",
        "Operators 1",
        "Capacity and blind spots",
        // Nobody has looked yet.
        "Discovery ?",
        "Identity and rights",
    ] {
        for (width, height) in [(200, 48), (120, 34), (80, 22)] {
            let text = fake::screen(&world, width, height, |ctx, area, buf| {
                screen.draw(ctx, area, buf);
            });
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
        screen.update(Command::Mode, &world);
    }
    assert_eq!(screen.tab, Tab::Overview);
}

#[test]
fn what_is_refused_names_the_right() {
    use crate::model::identity::{Identity, Review};
    let mut world = fake::world(&["edge"]);
    let right = crate::model::rights::of_kind(ObjectKind::Pod).map(|need| need.right("list"));
    let identity = Identity {
        reviews: vec![Review {
            right: right.expect("pods are listed"),
            allowed: Some(false),
            purpose: String::new(),
            reason: String::new(),
            at: Timestamp(fake::NOW),
        }],
        ..Identity::default()
    };
    fake::tell(&mut world, 0, Body::Identity(Box::new(identity)));
    let mut screen = screen();
    screen.tab = Tab::Only(List::Pods);
    let text = fake::screen(&world, 120, 34, |ctx, area, buf| {
        screen.draw(ctx, area, buf)
    });
    assert!(text.contains("not permitted: list pods"), "{text}");
}

fn drawn(screen: &Cluster, world: &World) -> String {
    fake::screen(world, 120, 34, |ctx, area, buf| screen.draw(ctx, area, buf))
}

mod held;

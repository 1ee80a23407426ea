//! Fleet over many clusters: filter by label expression, groups, folds, order.

use super::*;
use crate::config::{Cluster, ClusterKind, Config, Endpoint};
use crate::model::gitops::{AppHealth, AppKind, Sync};
use crate::model::health::SourceHealth;
use crate::model::object::{Object, ObjectKind};
use crate::model::signal::Group;
use crate::model::telemetry::{Body, ObjectBatch};
use crate::model::time::Timestamp;
use crate::ui::view::fake;

fn world(clusters: usize) -> World {
    let config = Config {
        clusters: (0..clusters)
            .map(|n| Cluster {
                name: format!("c-{n:03}"),
                kind: if n % 2 == 0 {
                    ClusterKind::Edge
                } else {
                    ClusterKind::Spoke
                },
                environment: (n % 3 > 0).then(|| ["", "prod", "lab"][n % 3].to_owned()),
                region: Some(if n < 4 { "fra" } else { "lyon" }.into()),
                labels: vec![(
                    "tier".into(),
                    if n % 4 == 0 { "far" } else { "core" }.into(),
                )],
                prometheus: Some(Endpoint::default()),
                ..Cluster::default()
            })
            .collect(),
        ..Config::default()
    };
    World::new(&config, Timestamp(fake::NOW))
}

fn names(fleet: &Fleet, world: &World) -> Vec<String> {
    let rows = fleet.rows(world).0;
    rows.iter()
        .map(|row| match row {
            Row::Head(head) => format!("[{} {}]", head.key(), head.members.len()),
            Row::Cluster(one) => one.c.name.to_string(),
        })
        .collect()
}

#[test]
fn label_expressions_choose_clusters() {
    let world = world(12);
    for (filter, count) in [
        ("env=prod", 4),
        ("environment!=prod", 8),
        ("region!=fra", 8),
        ("tier=~\"edge|far\"", 3),
        ("tier!~far type=edge", 3),
        ("@c-00", 10),
        ("@c-003", 1),
        ("state=UNKNOWN", 12),
        ("nosuch=1", 0),
    ] {
        let mut fleet = Fleet::default();
        fleet.update(Command::Filter(filter.into()), &world);
        assert_eq!(fleet.rows(&world).1, count, "{filter}");
    }
}

#[test]
fn groups_count_fold_and_unfold() {
    let world = world(6);
    let mut fleet = Fleet::default();
    fleet.update(Command::Mode, &world);
    assert_eq!(fleet.grouping, Grouping::Environment);
    let groups = [
        "[ 2]", "c-000", "c-003", "[prod 2]", "c-001", "c-004", "[lab 2]", "c-002", "c-005",
    ];
    assert_eq!(names(&fleet, &world), groups);
    // From a cluster its group closes; Enter on the head opens it again.
    fleet.update(Command::Down, &world);
    fleet.update(Command::Fold, &world);
    assert_eq!(names(&fleet, &world)[..2], ["[ 2]", "[prod 2]"]);
    assert_eq!(fleet.open(&world), None);
    fleet.update(Command::Open, &world);
    assert_eq!(names(&fleet, &world), groups);
    fleet.update(Command::FoldAll, &world);
    assert_eq!(names(&fleet, &world), ["[ 2]", "[prod 2]", "[lab 2]"]);
    assert!(
        fleet.under_cursor(&world).is_some(),
        "a head stands for its worst"
    );
    let mut seen = Vec::new();
    for _ in 0..4 {
        fleet.update(Command::Mode, &world);
        seen.push(fleet.grouping.word().to_owned());
    }
    assert_eq!(seen, ["region", "type", "tier", "none"]);
}

#[test]
fn esc_leaves_the_groups() {
    let world = world(6);
    let mut fleet = Fleet::default();
    fleet.update(Command::Mode, &world);
    fleet.update(Command::Detail, &world);
    assert_eq!(fleet.depth(), 2);
    assert!(fleet.back() && fleet.back() && !fleet.back());
    assert_eq!(fleet.depth(), 0);
}

#[test]
fn a_hundred_clusters_at_three_sizes() {
    let world = world(100);
    let mut fleet = Fleet::default();
    for grouping in ["none", "environment"] {
        assert_eq!(fleet.grouping.word(), grouping);
        for size in [(200, 50), (120, 36), (80, 24)] {
            let text = fake::screen(&world, size.0, size.1, |ctx, area, buf| {
                fleet.draw(ctx, area, buf);
            });
            assert!(text.contains("Clusters 100"), "{text}");
            assert!(text.contains("no data yet"), "{text}");
        }
        fleet.update(Command::Mode, &world);
    }
}

/// What stands under this title in the line of this cluster.
fn under(text: &str, title: &str, cluster: &str) -> String {
    let line = |word: &str| text.lines().find(|l| l.contains(word)).unwrap();
    let head = line(title);
    let at = head[..head.find(title).unwrap()].chars().count();
    let rest = line(cluster).chars().skip(at).collect::<String>();
    rest.split("  ").next().unwrap().trim().to_owned()
}

#[test]
fn applications_that_drifted_are_counted_and_sorted_by() {
    let mut world = world(5);
    let (fine, well) = (Sync::Synced, AppHealth::Healthy);
    let (drifted, ill) = (Sync::OutOfSync, AppHealth::Degraded);
    for (cluster, upserts) in [
        (0, vec![app("a", fine, well)]),
        (1, vec![app("a", drifted, well), app("b", fine, well)]),
        (2, vec![app("a", drifted, well), app("b", drifted, ill)]),
        (3, vec![app("a", fine, ill)]),
    ] {
        list(&mut world, cluster, ObjectKind::Application, upserts);
    }
    let mut fleet = Fleet::default();
    let text = fake::screen(&world, 240, 40, |ctx, area, buf| {
        fleet.draw(ctx, area, buf);
    });
    for (cluster, cell) in [
        ("c-000", "synced"),
        ("c-001", "1 drift"),
        ("c-002", "1 bad 2 drift"),
        ("c-003", "1 bad"),
        // Nobody looked: nothing is known of it.
        ("c-004", "?"),
    ] {
        assert_eq!(under(&text, "GITOPS", cluster), cell, "{cluster}\n{text}");
    }
    let column = row::COLUMNS.iter().position(|c| c.title == "GITOPS");
    while fleet.clusters.order().0 != column {
        fleet.update(Command::Sort, &world);
    }
    let order = names(&fleet, &world);
    assert_eq!(order, ["c-002", "c-001", "c-003", "c-000", "c-004"]);
}

fn drawn(fleet: &Fleet, world: &World) -> String {
    fake::screen(world, 200, 50, |ctx, area, buf| fleet.draw(ctx, area, buf))
}

fn row(text: &str, name: &str) -> String {
    let line = text.lines().find(|line| line.contains(name));
    line.unwrap_or_default().to_owned()
}

fn list(world: &mut World, cluster: u16, kind: ObjectKind, upserts: Vec<Object>) {
    let batch = ObjectBatch {
        reset: true,
        upserts,
        ..ObjectBatch::empty(kind)
    };
    fake::tell(world, cluster, Body::Objects(batch));
}

fn app(name: &str, sync: Sync, health: AppHealth) -> Object {
    let mut app = crate::ui::view::gitops::tests::app(AppKind::Application, name);
    (app.sync, app.health) = (sync, health);
    Object::App(Box::new(app))
}

#[test]
fn synced_is_said_only_where_every_application_says_so() {
    use AppHealth::{Degraded, Healthy, Unknown};
    let mut world = world(4);
    let told = [
        vec![
            app("a", Sync::Unknown, Unknown),
            app("b", Sync::Unknown, Healthy),
        ],
        vec![
            app("a", Sync::Unknown, Unknown),
            app("b", Sync::Synced, Healthy),
        ],
        vec![app("a", Sync::Synced, Healthy)],
        vec![
            app("a", Sync::OutOfSync, Healthy),
            app("b", Sync::Unknown, Degraded),
        ],
    ];
    for (cluster, apps) in (0..).zip(told) {
        list(&mut world, cluster, ObjectKind::Application, apps);
    }
    let text = drawn(&Fleet::default(), &world);
    for (name, wanted) in [
        ("c-000", "? 2/2"),
        ("c-001", "? 1/2"),
        ("c-002", "synced"),
        ("c-003", "1 bad 1"),
    ] {
        assert!(row(&text, name).contains(wanted), "{name} {wanted}\n{text}");
    }
}

#[test]
fn a_group_does_not_count_what_it_does_not_know_as_none() {
    let mut world = world(6);
    let nodes = vec![];
    list(&mut world, 1, ObjectKind::Node, nodes);
    list(&mut world, 1, ObjectKind::Pod, vec![]);
    let mut fleet = Fleet::default();
    fleet.update(Command::Mode, &world);
    let text = drawn(&fleet, &world);
    assert!(row(&text, "▾ prod 2").contains("0/0+"), "{text}");
    assert!(row(&text, "▾ prod 2").contains("0+ "), "{text}");
    let lab = row(&text, "▾ lab 2");
    assert!(
        lab.matches('?').count() >= 3 && !lab.contains("0/0"),
        "{text}"
    );
}

#[test]
fn readings_that_are_not_renewed_are_marked() {
    let mut world = world(1);
    fake::tell(&mut world, 0, Body::Health(fake::heard()));
    let labels = [("node", "n1")];
    for (group, name, value) in [
        (Group::Cluster, "node_cpu_busy", 0.42),
        (Group::Gpu, "DCGM_FI_DEV_GPU_UTIL", 73.0),
    ] {
        let labels: &[(&str, &str)] = match group {
            Group::Gpu => &[("Hostname", "n1"), ("gpu", "0"), ("UUID", "GPU-1")],
            _ => &labels,
        };
        fake::samples(&mut world, 0, group, name, labels, &[value]);
    }
    let fleet = Fleet::default();
    let text = drawn(&fleet, &world);
    assert!(text.contains("42%") && text.contains("73%"), "{text}");
    assert!(!text.contains("%~"), "{text}");
    // The source answers, and tells nothing new.
    let now = Timestamp(fake::NOW + 120_000);
    world.tick(now);
    let health = SourceHealth {
        last_ok: Some(now),
        ..fake::heard()
    };
    fake::tell(&mut world, 0, Body::Health(health));
    let text = drawn(&fleet, &world);
    assert!(text.contains("42%~") && text.contains("73%~"), "{text}");
    assert!(text.contains("2m~"), "{text}");
}

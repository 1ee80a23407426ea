use super::matrix::{Cell, Matrix, compare};
use super::*;
use crate::config::{Cluster, ClusterKind, Config};
use crate::model::discovery::Probe;
use crate::model::gitops::AppSource;
use crate::model::health::SourceKind;
use crate::model::object::Object;
use crate::model::telemetry::{Body, ObjectBatch, Telemetry};

mod promoted;

const NOW: i64 = 1_800_000_000_000;

/// Clusters with their environments.
fn world(clusters: &[(&str, &str)]) -> World {
    let config = Config {
        clusters: clusters
            .iter()
            .map(|(name, environment)| Cluster {
                name: (*name).to_owned(),
                kind: ClusterKind::Spoke,
                environment: Some((*environment).to_owned()).filter(|e| !e.is_empty()),
                ..Cluster::default()
            })
            .collect(),
        ..Config::default()
    };
    World::new(&config, Timestamp(NOW))
}

fn body(world: &mut World, cluster: u16, body: Body) {
    world.ingest(Telemetry {
        cluster: ClusterId(cluster),
        source: SourceKind::Kubernetes,
        received: world.now,
        body,
    });
}

/// The whole list of a kind.
fn tell(world: &mut World, cluster: u16, kind: ObjectKind, upserts: Vec<Object>) {
    told(world, cluster, (kind, true), upserts);
}

fn told(world: &mut World, cluster: u16, of: (ObjectKind, bool), upserts: Vec<Object>) {
    let (kind, reset) = of;
    let batch = ObjectBatch {
        kind,
        reset,
        upserts,
        ..ObjectBatch::empty(kind)
    };
    body(world, cluster, Body::Objects(batch));
}

fn app(name: &str, revision: &str, image: &str, target: &str) -> App {
    App {
        sources: vec![AppSource {
            repository: "https://git.example/fleet.git".into(),
            path: format!("apps/{name}"),
            target: target.into(),
        }],
        destination_namespace: Some("ran".into()),
        sync: Sync::Synced,
        health: AppHealth::Healthy,
        revision: Some(revision.into()),
        images: vec![image.into()],
        ..App::new(AppKind::Application, "argocd", name)
    }
}

fn apps_of(world: &mut World, cluster: u16, all: Vec<App>) {
    let all = all.into_iter().map(|a| Object::App(Box::new(a))).collect();
    tell(world, cluster, ObjectKind::Application, all);
}

/// Name, and what each place says: `.` even, `#` odd in something, `m` missing, `-` nothing.
fn drawn(matrix: &Matrix<'_>) -> Vec<(String, String)> {
    let line = |l: &matrix::Line<'_>| {
        let cells = l.cells.iter().map(|c| match c {
            Cell::Here(m) if m.odd.contains(&true) => '#',
            Cell::Here(_) => '.',
            Cell::Missing => 'm',
            Cell::Nothing => '-',
        });
        (l.name.clone(), cells.collect())
    };
    matrix.lines.iter().map(line).collect()
}

#[test]
fn names_lose_what_names_the_place() {
    let mut world = world(&[
        ("edge-ran-07", "prod"),
        ("core-5gc-2", "prod"),
        ("lab", "quality"),
    ]);
    apps_of(
        &mut world,
        0,
        vec![app("du-edge-ran-07", "1", "du:1", "main")],
    );
    apps_of(
        &mut world,
        1,
        vec![app("core-5gc-2-du", "1", "du:1", "main")],
    );
    apps_of(
        &mut world,
        2,
        vec![app("quality-du-dev", "1", "du:1", "main")],
    );
    let matrix = compare(&world, None);
    let places: Vec<String> = matrix.places.iter().map(ToString::to_string).collect();
    assert_eq!(
        places,
        ["core-5gc-2 prod", "edge-ran-07 prod", "lab quality"]
    );
    assert_eq!(drawn(&matrix), [("du".to_owned(), "...".to_owned())]);
    assert!(matrix.lines[0].is_even());
}

#[test]
fn the_odd_one_out_is_marked_where_most_agree() {
    let mut world = world(&[("a", "prod"), ("b", "prod"), ("c", "prod")]);
    for (cluster, image, target) in [
        (0, "du:1.9", "main"),
        (1, "du:1.8", "main"),
        (2, "du:1.9", "fix"),
    ] {
        apps_of(&mut world, cluster, vec![app("du", "7", image, target)]);
    }
    let matrix = compare(&world, None);
    let line = &matrix.lines[0];
    assert_eq!(line.differs, [false, true, false, true]);
    let odd: Vec<_> = line.members().map(|m| m.odd).collect();
    assert_eq!(odd[0], [false; 4]);
    assert_eq!(odd[1], [false, true, false, false], "the image of b");
    assert_eq!(odd[2], [false, false, false, true], "the branch of c");
    // Two differ: neither is the odd one.
    let mut two = world_of_two();
    apps_of(&mut two, 0, vec![app("du", "7", "du:1", "main")]);
    apps_of(&mut two, 1, vec![app("du", "8", "du:1", "main")]);
    let matrix = compare(&two, None);
    assert_eq!(drawn(&matrix), [("du".to_owned(), "..".to_owned())]);
    assert!(matrix.lines[0].differs[0] && !matrix.lines[0].is_even());
}

fn world_of_two() -> World {
    world(&[("a", "dev"), ("b", "prod")])
}

#[test]
fn missing_is_what_most_peers_have_and_nothing_else() {
    let mut world = world(&[("a", "dev"), ("b", "stage"), ("c", "prod"), ("d", "prod")]);
    let du = || app("du", "7", "du:1", "main");
    let own = || app("only-here", "7", "x:1", "main");
    apps_of(&mut world, 0, vec![du(), own()]);
    apps_of(&mut world, 1, vec![du()]);
    apps_of(&mut world, 2, vec![app("other", "1", "o:1", "main")]);
    // The tool is there, and nothing runs: that is known, too.
    apps_of(&mut world, 3, Vec::new());
    let matrix = compare(&world, None);
    let found = drawn(&matrix);
    assert!(found.contains(&("du".into(), "..mm".into())), "{found:?}");
    assert!(
        found.contains(&("only-here".into(), ".---".into())),
        "{found:?}"
    );
}

#[test]
fn other_sources_and_one_folder_under_other_names() {
    let mut world = world(&[("a", ""), ("b", "")]);
    let other = |name: &str, repository: &str, path: &str| {
        let mut app = app(name, "1", "x:1", "main");
        app.sources[0].repository = repository.into();
        app.sources[0].path = path.into();
        app
    };
    // The same name of two repositories is not the same application; one written in two ways is.
    apps_of(
        &mut world,
        0,
        vec![
            other("web", "https://git/one.git", "web"),
            other("db", "git@git:team/db.git", "db/overlays/prod"),
            other("cache", "https://git/shared", "cache/overlays/dev"),
        ],
    );
    apps_of(
        &mut world,
        1,
        vec![
            other("web", "https://git/two", "web"),
            other("db", "https://user@git/team/DB/", "db/overlays/dev"),
            other("redis", "https://git/shared", "cache/overlays/prod"),
        ],
    );
    let mut found = drawn(&compare(&world, None));
    found.sort();
    let names: Vec<&str> = found.iter().map(|f| f.0.as_str()).collect();
    assert_eq!(names, ["cache", "db", "web", "web"]);
    assert_eq!(found[0].1, "..");
}

#[test]
fn a_hub_deploys_elsewhere() {
    let mut world = world(&[("hub", ""), ("east", ""), ("west", "")]);
    let to = |name: &str, cluster: &str| App {
        destination: Some(cluster.into()),
        ..app(name, "1", "x:1", "main")
    };
    apps_of(
        &mut world,
        0,
        vec![to("east-du", "east"), to("west-du", "west")],
    );
    let matrix = compare(&world, None);
    let places: Vec<&str> = matrix.places.iter().map(|p| p.cluster.as_str()).collect();
    assert_eq!(places, ["east", "hub", "west"]);
    assert_eq!(drawn(&matrix)[0].0, "du");
}

#[test]
fn a_drift_is_as_old_as_we_saw_it() {
    let mut world = world(&[("a", "")]);
    let drifted = || App {
        sync: Sync::OutOfSync,
        ..app("du", "1", "x:1", "main")
    };
    apps_of(&mut world, 0, vec![drifted()]);
    world.tick(Timestamp(NOW + 600_000));
    apps_of(&mut world, 0, vec![drifted()]);
    // What came by the watch.
    let came = |world: &mut World, app: App| {
        let app = vec![Object::App(Box::new(app))];
        told(world, 0, (ObjectKind::Application, false), app);
    };
    let drift = |world: &World| {
        let cluster = &world.clusters[0];
        cluster.drift(cluster.apps.values().next().expect("an application"))
    };
    let first = drift(&world).expect("drifts");
    assert_eq!((first.since, first.earlier), (Timestamp(NOW), true));
    let unknown = App {
        sync: Sync::Unknown,
        ..drifted()
    };
    came(&mut world, unknown);
    assert_eq!(drift(&world), Some(first), "it could not be compared");
    let held = world.clusters[0].apps.values().next().expect("it");
    assert_eq!(status(held, world.now), Status::Unknown);
    let flags = flags(&world, &world.clusters[0], held);
    let wanted = "OutOfSync for at least 10m; it cannot be compared now";
    assert_eq!(flags, [wanted]);
    came(&mut world, app("du", "1", "x:1", "main"));
    assert_eq!(drift(&world), None);
    // A list after an outage: it began at some time in it.
    apps_of(&mut world, 0, vec![drifted()]);
    assert!(drift(&world).is_some_and(|d| d.earlier));
    came(&mut world, app("du", "1", "x:1", "main"));
    came(&mut world, drifted());
    let again = drift(&world).expect("drifts again");
    assert_eq!(
        (again.since, again.earlier),
        (Timestamp(NOW + 600_000), false)
    );
    // After an hour it is a finding, and not before.
    world.tick(Timestamp(NOW + 600_000 + 3_590_000));
    assert!(world.incidents.is_empty(), "{:?}", world.incidents);
    world.tick(Timestamp(NOW + 600_000 + 3_610_000));
    assert_eq!(world.incidents.len(), 1);
    assert!(
        world.incidents[0].title.contains("OutOfSync"),
        "{}",
        world.incidents[0].title
    );
}

#[test]
fn absence_is_told_with_its_reason() {
    let mut world = world(&[("a", ""), ("b", ""), ("c", ""), ("d", "")]);
    apps_of(&mut world, 0, vec![app("du", "1", "x:1", "main")]);
    let probe = |component, outcome, reason: &str| Probe {
        component,
        outcome,
        reason: reason.into(),
        place: None,
        via: None,
        version: None,
        used: false,
        at: Timestamp(NOW),
    };
    let gone = |c| probe(c, Outcome::NotFound, "no such API");
    let neither = vec![gone(Component::ArgoCd), gone(Component::Flux)];
    body(&mut world, 1, Body::Discovery(neither));
    let refused = probe(
        Component::ArgoCd,
        Outcome::NoPermission,
        "list applications.argoproj.io",
    );
    body(&mut world, 2, Body::Discovery(vec![refused]));
    assert_eq!(
        absent(&world, None).as_deref(),
        Some(
            "no Argo CD and no Flux in 1 of 4 clusters; \
             not permitted in 1: c: list applications.argoproj.io; unknown in 1: d"
        )
    );
    assert_eq!(absent(&world, Some(ClusterId(0))), None);
}

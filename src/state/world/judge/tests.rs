//! Which batch is judged, and when what it tells began.

use crate::config::{Cluster, Config};
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::label::Labels;
use crate::model::object::{Object, ObjectKind};
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::signal::Group;
use crate::model::telemetry::{Body, ObjectBatch, SampleBatch, Telemetry};
use crate::model::time::Timestamp;
use crate::model::workload::{Workload, WorkloadKind};
use crate::state::world::World;

const NOW: i64 = 1_800_000_000_000;

fn world() -> World {
    let config = Config {
        clusters: vec![Cluster {
            name: "a".into(),
            ..Cluster::default()
        }],
        ..Config::default()
    };
    World::new(&config, Timestamp(NOW))
}

fn tell(world: &mut World, after_ms: i64, kind: ObjectKind, reset: bool, upserts: Vec<Object>) {
    world.ingest(Telemetry {
        cluster: ClusterId(0),
        source: SourceKind::Kubernetes,
        received: Timestamp(NOW + after_ms),
        body: Body::Objects(ObjectBatch {
            reset,
            upserts,
            ..ObjectBatch::empty(kind)
        }),
    });
}

fn short(kind: WorkloadKind, name: &str, ready: u32) -> Vec<Object> {
    vec![Object::Workload(Workload {
        kind,
        namespace: "ran".into(),
        name: name.into(),
        desired: 3,
        ready,
        updated: 3,
        available: ready,
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
    })]
}

/// Names and words before the time of all that was found.
fn begun(world: &World) -> Vec<(String, &'static str)> {
    let findings = world.incidents.iter().flat_map(|i| &i.findings);
    let mut all: Vec<_> = findings
        .map(|f| (f.subject.to_string(), f.begun()))
        .collect();
    all.sort();
    all
}

#[test]
fn what_is_bad_in_the_first_list_of_each_kind_began_before() {
    let mut world = world();
    let (deployments, sets) = (ObjectKind::Deployment, ObjectKind::StatefulSet);
    let (deployment, set) = (WorkloadKind::Deployment, WorkloadKind::StatefulSet);
    tell(&mut world, 0, deployments, true, Vec::new());
    // Its list takes longer; meanwhile something goes wrong under our eyes.
    tell(
        &mut world,
        1_000,
        deployments,
        false,
        short(deployment, "du", 1),
    );
    tell(&mut world, 2_000, sets, true, short(set, "db", 1));
    // After an outage nobody knows either.
    tell(&mut world, 9_000, deployments, true, {
        let mut all = short(deployment, "du", 1);
        all.extend(short(deployment, "cu", 0));
        all
    });
    world.tick(Timestamp(NOW + 660_000));
    let wanted = [
        ("ran/cu", "before"),
        ("ran/db", "before"),
        ("ran/du", "since"),
    ];
    assert_eq!(begun(&world), wanted.map(|(n, w)| (n.to_owned(), w)));
}

#[test]
fn batches_of_other_kinds_end_nothing() {
    let mut world = world();
    let kind = ObjectKind::Deployment;
    let of = WorkloadKind::Deployment;
    tell(&mut world, 0, kind, true, short(of, "du", 1));
    world.tick(Timestamp(NOW + 610_000));
    let over = |world: &World| world.incidents[0].findings.iter().all(|f| f.over);
    assert!(!over(&world));
    // It is well for a moment, and many other things are told in it.
    tell(&mut world, 611_000, kind, false, short(of, "du", 3));
    for step in 0..20 {
        tell(
            &mut world,
            611_000 + step * 50,
            ObjectKind::Pod,
            false,
            Vec::new(),
        );
    }
    assert!(!over(&world));
    tell(&mut world, 613_000, kind, false, short(of, "du", 1));
    world.tick(Timestamp(NOW + 630_000));
    assert!(!over(&world));
    tell(&mut world, 640_000, kind, false, short(of, "du", 3));
    world.tick(Timestamp(NOW + 660_000));
    assert!(over(&world));
}

#[test]
fn a_model_server_that_is_gone_is_not_pressed_any_more() {
    let mut world = world();
    let labels = Labels::from_pairs([("model_name", "llama"), ("namespace", "infer")]);
    let tell = |world: &mut World, after_s: i64, told: bool| {
        let at = Timestamp(NOW + after_s * 1_000);
        let one = |name: &str, value| SeriesSamples {
            key: SeriesKey::new(name, labels.clone()),
            kind: SampleKind::Gauge,
            points: [Sample { at, value }].into_iter().collect(),
        };
        let series = match told {
            true => vec![
                one("vllm:num_requests_waiting", 54.0),
                one("vllm:kv_cache_usage_perc", 0.97),
            ],
            false => Vec::new(),
        };
        world.ingest(Telemetry {
            cluster: ClusterId(0),
            source: SourceKind::Prometheus,
            received: at,
            body: Body::Samples(SampleBatch {
                group: Group::Serving,
                name: "vllm".into(),
                query: "vllm".into(),
                at,
                interval_ms: 30_000,
                backfill: false,
                series,
                cut_from: None,
            }),
        });
        world.tick(at);
    };
    let open = |world: &World| {
        let findings = world.incidents.iter().flat_map(|i| &i.findings);
        let mut open = findings.filter(|f| !f.over && f.text.starts_with("saturated"));
        open.next().is_some()
    };
    (0..=4).for_each(|i| tell(&mut world, i * 30, true));
    assert!(open(&world));
    // One answer without it is no proof yet.
    tell(&mut world, 150, false);
    assert!(open(&world));
    (6..=20).for_each(|i| tell(&mut world, i * 30, false));
    assert!(!open(&world));
}

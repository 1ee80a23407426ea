//! What is told of models without metrics, and of series that nobody holds.

use super::*;
use crate::config::{Cluster, Config, Limits};
use crate::model::health::SourceKind;
use crate::model::label::Labels;
use crate::model::object::{Object, ObjectKind};
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::serving::InferenceService;
use crate::model::telemetry::{Body, ObjectBatch, SampleBatch, Telemetry};

fn answer(world: &mut World, gpus: usize, cut_from: Option<u32>) {
    let at = world.now;
    let series = (0..gpus).map(|gpu| SeriesSamples {
        key: SeriesKey::new(
            "DCGM_FI_DEV_GPU_TEMP",
            Labels::from_pairs([("Hostname", "n-1".to_owned()), ("gpu", gpu.to_string())]),
        ),
        kind: SampleKind::Gauge,
        points: [Sample { at, value: 50.0 }].into(),
    });
    let batch = SampleBatch {
        group: Group::Gpu,
        name: "gpu_heat".into(),
        query: "q".into(),
        at,
        interval_ms: 15_000,
        backfill: false,
        series: series.collect(),
        cut_from,
    };
    world.ingest(Telemetry {
        cluster: ClusterId(0),
        source: SourceKind::Prometheus,
        received: at,
        body: Body::Samples(batch),
    });
}

#[test]
fn series_that_are_not_held_are_counted_on_the_screen() {
    let config = Config {
        clusters: vec![Cluster {
            name: "alpha".into(),
            ..Cluster::default()
        }],
        limits: Limits {
            series_per_cluster: 3,
            ..Limits::default()
        },
        ..Config::default()
    };
    let mut world = World::new(&config, fake::world(&["a"]).now);
    let view = Gpu::default();
    let text =
        |world: &World| fake::screen(world, 90, 12, |ctx, area, buf| view.draw(ctx, area, buf));
    answer(&mut world, 3, None);
    assert!(!text(&world).contains("not held"), "all are");
    answer(&mut world, 8, None);
    let shown = text(&world);
    assert!(shown.contains("3 GPUs on 1 nodes"), "{shown}");
    assert!(shown.contains("5 series not held"), "{shown}");
    answer(&mut world, 3, Some(4_096));
    assert!(
        text(&world).contains("4093 series not held"),
        "cut on its way"
    );
    answer(&mut world, 2, None);
    assert!(!text(&world).contains("not held"), "well again");
}

#[test]
fn a_service_is_silent_until_a_model_of_its_own_pods_tells() {
    let mut world = fake::world(&["edge-ran-07", "gpu-train-1"]);
    let service = |name: &str| {
        Object::InferenceService(InferenceService {
            namespace: "infer".into(),
            name: name.into(),
            ready: Some(true),
            url: None,
            runtime: None,
            model: None,
            transition: None,
            failure: None,
            gpus: 0,
            conditions: Vec::new(),
        })
    };
    let batch = ObjectBatch {
        upserts: vec![service("llama"), service("llama-small")],
        ..ObjectBatch::empty(ObjectKind::InferenceService)
    };
    fake::tell(&mut world, 1, Body::Objects(batch));
    let view = Gpu::default();
    let rows = |world: &World| {
        let all = view.models(world);
        all.iter()
            .map(|(_, row)| row.name().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(rows(&world), ["llama", "llama-small"]);
    let labels = [
        ("model_name", "meta/llama"),
        ("namespace", "infer"),
        ("pod", "llama-small-predictor-7c9d-x2lq4"),
    ];
    let name = "vllm:num_requests_running";
    fake::samples(&mut world, 1, Group::Serving, name, &labels, &[7.0]);
    assert_eq!(rows(&world), ["meta/llama", "llama"]);
    let brief = serving::plain(&world, view.models(&world)[1]);
    assert!(
        brief.contains("ready, metrics n/a: no vLLM series name its pods"),
        "{brief}"
    );
}

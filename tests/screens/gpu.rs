//! GPU pages over what real exporters, `nvidia-smi` and KServe tell: MIG parts, the pods that hold
//! cards, the models served and those that tell nothing.

use std::path::Path;

use farwatch::model::condition::ObjectCondition;
use farwatch::model::health::SourceKind;
use farwatch::model::object::{Object, ObjectKind};
use farwatch::model::serving::InferenceService;
use farwatch::model::signal::Group;
use farwatch::model::telemetry::{Body, SampleBatch};
use farwatch::model::time::Timestamp;
use farwatch::source::exposition::Format;
use farwatch::source::nvidia_smi;
use farwatch::source::scrape::Memory;

use crate::SIZES;
use crate::scenario::{Console, NAMES, NOW, live, objects, pod};

/// The cluster that is told these pages.
const TRAIN: u16 = 1;

fn fixture(path: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    std::fs::read(folder.join(path)).expect("fixture")
}

fn batch(group: Group, name: &str, at: Timestamp) -> SampleBatch {
    SampleBatch {
        group,
        name: name.into(),
        query: name.into(),
        at,
        interval_ms: 15_000,
        backfill: false,
        series: Vec::new(),
        cut_from: None,
    }
}

/// A page as an exporter gives it, twice, so that there are rates.
fn scraped(console: &mut Console, page: &str) {
    let body = fixture(&format!("exporters/{page}"));
    let mut memory = Memory::new("10.0.0.7:9400", 50_000);
    for at in [Timestamp(NOW.0 - 15_000), NOW] {
        let (_, groups) = memory.read(&body, Format::Text, true, at);
        for (group, series) in groups {
            let one = SampleBatch {
                series,
                ..batch(group, page, at)
            };
            console.tell(TRAIN, SourceKind::Prometheus, Body::Samples(one));
        }
    }
}

/// An output of `nvidia-smi`, as run on a node 42 s ago.
fn read(console: &mut Console, file: &str, node: &str) {
    let text = String::from_utf8(fixture(&format!("nvidia_smi/{file}.xml"))).expect("text");
    let told = nvidia_smi::read(&text).expect("whole");
    let at = Timestamp(NOW.0 - 42_000);
    let place = "gpu-operator/nvidia-driver-daemonset-x7k2p";
    let one = SampleBatch {
        interval_ms: 60_000,
        series: nvidia_smi::series(&told, node, place, at),
        ..batch(Group::Gpu, "nvidia-smi", at)
    };
    console.tell(TRAIN, SourceKind::NvidiaSmi, Body::Samples(one));
}

fn service(name: &str, ready: Option<bool>) -> InferenceService {
    InferenceService {
        namespace: "iris".into(),
        name: name.into(),
        ready,
        url: Some(format!("http://{name}.iris.apps.example.org")),
        runtime: Some("kserve-sklearnserver".into()),
        model: Some("gs://models/sklearn".into()),
        transition: Some("BlockedByFailedLoad".into()),
        failure: None,
        gpus: 1,
        conditions: Vec::new(),
    }
}

fn kserve(console: &mut Console) {
    let broken = InferenceService {
        failure: Some("ModelLoadFailed: no such object: gs://models/sklearn/model.bin".into()),
        conditions: vec![ObjectCondition {
            kind: "PredictorReady".into(),
            status: Some(false),
            reason: "RevisionFailed".into(),
            message: "Revision failed with message: container exited with 1".into(),
            since: None,
        }],
        ..service("sklearn-iris", Some(false))
    };
    let fine = InferenceService {
        transition: Some("UpToDate".into()),
        ..service("xgboost-income", Some(true))
    };
    let services = [broken, fine].map(Object::InferenceService).into();
    let kind = ObjectKind::InferenceService;
    console.tell(TRAIN, SourceKind::Kubernetes, objects(kind, services));
    let name = "sklearn-iris-predictor-00001-deployment-5d9c8b7f6-abcde";
    let pods = vec![pod("iris", name, Some("CrashLoopBackOff"), 7)];
    console.tell(
        TRAIN,
        SourceKind::Kubernetes,
        objects(ObjectKind::Pod, pods),
    );
}

fn console(size: (u16, u16), pages: &[&str]) -> Console {
    let mut console = Console::new(&NAMES, size);
    let health = Body::Health(live());
    console.tell(TRAIN, SourceKind::Prometheus, health);
    for page in pages {
        scraped(&mut console, page);
    }
    console
}

/// The page of the device so far to the right, this far down where it is longer than the screen.
fn device(console: &mut Console, size: (u16, u16), right: usize, down: usize) {
    console.keys("5").keys(&"<right>".repeat(right));
    // From 100 columns on it stands beside the map.
    if size.0 < 100 {
        console.keys("d");
    }
    // How long it is, is known when it is drawn.
    console.screen();
    console.keys(&"J".repeat(down));
}

fn shown(name: &str, size: (u16, u16), console: &Console) {
    let name = format!("gpu_{name}_{}x{}", size.0, size.1);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(name, console.screen()));
}

#[test]
fn parts_of_cards_and_who_holds_them() {
    for size in SIZES {
        let mut mig = console(size, &["dcgm_8xh100_mig.prom"]);
        device(&mut mig, size, 6, 16);
        shown("mig", size, &mig);
        let mut pods = console(size, &["dcgm_4xa100_pods.prom", "dcgm_timeslicing.prom"]);
        pods.keys("5mm");
        shown("pods", size, &pods);
    }
}

#[test]
fn models_served_and_services_that_tell_nothing() {
    for size in SIZES {
        let mut models = console(size, &["vllm_dp2_overloaded.prom", "dcgm_4xa100_pods.prom"]);
        kserve(&mut models);
        models.keys("5<tab>");
        if size.0 < 100 {
            shown("models", size, &models);
            models.keys("d");
        }
        shown("model", size, &models);
        models.keys("<down>");
        shown("kserve", size, &models);
    }
}

#[test]
fn what_nvidia_smi_tells_is_told_with_its_age() {
    for size in SIZES {
        let mut cards = console(size, &[]);
        read(&mut cards, "rtx-4000-sff-ada-v13", "worker-1");
        read(&mut cards, "a10g", "worker-2");
        device(&mut cards, size, 0, 40);
        shown("nvidia_smi", size, &cards);
    }
}

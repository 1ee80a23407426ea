//! GitOps in all its ways of showing it, at the sizes the design names, over objects as the API
//! server tells them.

use farwatch::model::gitops::{
    App, AppHealth, AppKind, AppResource, AppSource, Automation, Deployed, Operation, Sync,
};
use farwatch::model::object::{Object, ObjectKind};
use farwatch::model::telemetry::{Body, ObjectBatch};
use farwatch::model::time::Timestamp;
use farwatch::model::workload::{Policy, Workload, WorkloadKind};

use farwatch::model::health::SourceKind;

use crate::SIZES;
use crate::scenario::{Console, NAMES, NOW, objects};

fn at(minutes: i64) -> Timestamp {
    Timestamp(NOW.0 + minutes * 60_000)
}

fn app(kind: AppKind, name: &str, revision: &str, image: &str) -> App {
    let namespace = match kind {
        AppKind::Application => "argocd",
        _ => "flux-system",
    };
    App {
        project: Some("ran".into()),
        sources: vec![AppSource {
            repository: "https://git.example/fleet.git".into(),
            path: format!("apps/{name}"),
            target: "main".into(),
        }],
        destination_namespace: Some("ran-du".into()),
        sync: Sync::Synced,
        health: AppHealth::Healthy,
        health_since: Some(at(-360)),
        revision: Some(revision.into()),
        automation: Some(Automation {
            prune: true,
            self_heal: false,
        }),
        resource_count: Some(14),
        images: vec![image.into()],
        reconciled: Some(at(-2)),
        history: vec![Deployed {
            revision: revision.into(),
            at: Some(at(-25)),
        }],
        generation: 3,
        ..App::new(kind, namespace, name)
    }
}

fn failed() -> App {
    App {
        sync: Sync::OutOfSync,
        health: AppHealth::Progressing,
        health_since: Some(at(-41)),
        attempted: Some("77ab012f6b1fd58b6e0c9d7a1a0c3b2e1d4f5a6b".into()),
        operation: Some(Operation {
            phase: "Failed".into(),
            message: "one or more objects failed to apply: PtpConfig gm: field is immutable".into(),
            started: Some(at(-15)),
            finished: Some(at(-14)),
            by: Some("automated".into()),
            retries: 5,
        }),
        resources: vec![AppResource {
            group: "apps".into(),
            kind: "Deployment".into(),
            namespace: "ran-du".into(),
            name: "du-high".into(),
            status: "OutOfSync".into(),
            health: Some(AppHealth::Progressing),
            message: "1 of 2 updated".into(),
            requires_pruning: false,
        }],
        ..app(
            AppKind::Application,
            "du-config",
            "9f31c2ab6b1fd58b6e0c9d7a1a0c3b2e1d4f5a6b",
            "quay.io/ran/du:1.9",
        )
    }
}

fn workload(images: &str) -> Object {
    Object::Workload(Workload {
        kind: WorkloadKind::Deployment,
        namespace: "ran-du".into(),
        name: "du-high".into(),
        desired: 2,
        ready: 2,
        updated: 1,
        available: 2,
        failed: 0,
        paused: false,
        observed: true,
        generation: 4,
        images: vec![images.into()],
        conditions: Vec::new(),
        revision: Some("7".into()),
        instance: Some("du-config".into()),
        policies: vec![Policy::NoLimits, Policy::RootUser],
        created: None,
    })
}

fn told(size: (u16, u16), ascii: bool) -> Console {
    let mut console = match ascii {
        true => Console::ascii(&NAMES, size),
        false => Console::new(&NAMES, size),
    };
    console.tell_live();
    let mut tell = |cluster, kind, all: Vec<Object>| {
        console.tell(cluster, SourceKind::Kubernetes, objects(kind, all));
    };
    let boxed = |app: App| Object::App(Box::new(app));
    let upf =
        |revision: &str, image: &str| boxed(app(AppKind::Application, "upf", revision, image));
    tell(
        0,
        ObjectKind::Application,
        vec![boxed(failed()), upf("2.0.0", "r/upf:2.0")],
    );
    tell(1, ObjectKind::Application, vec![upf("2.1.0", "r/upf:2.1")]);
    let monitoring = App {
        health: AppHealth::Degraded,
        state: "stalled".into(),
        message: Some("install retries exhausted".into()),
        chart: Some(("kube-prometheus-stack".into(), "61.3.0".into())),
        ..app(AppKind::HelmRelease, "monitoring", "61.3.0", "r/grafana:11")
    };
    let suspended = App {
        suspended: true,
        health: AppHealth::Suspended,
        ..app(
            AppKind::Kustomization,
            "infra",
            "main@sha1:1c0ffee0aa11bb22cc33dd44ee55ff66",
            "r/x:1",
        )
    };
    tell(2, ObjectKind::HelmRelease, vec![boxed(monitoring)]);
    tell(2, ObjectKind::Kustomization, vec![boxed(suspended)]);
    tell(2, ObjectKind::Application, vec![upf("2.1.0", "r/upf:2.1")]);
    tell(
        0,
        ObjectKind::Deployment,
        vec![workload("quay.io/ran/du:1.8")],
    );
    // What the watch tells after its list.
    let rollout = Body::Objects(ObjectBatch {
        upserts: vec![workload("quay.io/ran/du:1.9")],
        ..ObjectBatch::empty(ObjectKind::Deployment)
    });
    console.tell(0, SourceKind::Kubernetes, rollout);
    console
}

const MODES: [(&str, &str); 7] = [
    ("apps", "0"),
    ("detail", "0d"),
    ("matrix", "0m"),
    ("matrix_detail", "0md"),
    ("policy", "0mm"),
    ("timeline", "0mmm"),
    ("timeline_detail", "0mmmd"),
];

#[test]
fn every_way_at_every_size() {
    for size in SIZES {
        for (name, keys) in MODES {
            let mut console = told(size, false);
            console.keys(keys);
            let name = format!("gitops_{name}_{}x{}", size.0, size.1);
            let mut settings = insta::Settings::clone_current();
            settings.set_snapshot_path("../snapshots");
            settings.set_prepend_module_to_snapshot(false);
            settings.bind(|| insta::assert_snapshot!(name, console.screen()));
        }
    }
}

#[test]
fn ascii_and_no_colour_hold_in_every_mode() {
    use ratatui::style::Color;
    for (name, keys) in MODES {
        let mut console = told((120, 36), true);
        console.keys(keys);
        let screen = console.screen();
        let odd = screen.chars().find(|c| !c.is_ascii());
        assert_eq!(odd, None, "{name}\n{screen}");
        let buf = console.buffer();
        let plain = |c: &ratatui::buffer::Cell| c.fg == Color::Reset && c.bg == Color::Reset;
        assert!(buf.content.iter().all(plain), "{name}");
    }
}

#[test]
fn enter_on_the_timeline_leads_to_the_object() {
    let mut console = told((200, 50), false);
    console
        .keys("0mmm")
        .keys("/kind=sync upf<enter>")
        .keys("<enter>");
    console.has("Applications ");
    console.has("upf");
    console.keys("0mmm").keys("/kind=nothing<enter>");
    console.has("nothing matches");
}

#[test]
fn a_change_before_an_incident_stands_on_its_timeline() {
    let mut console = told((200, 50), false);
    console.keys("8");
    console.has("▼");
    console.has("changed: ");
}

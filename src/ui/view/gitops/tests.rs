use super::*;
use crate::model::gitops::{App, AppHealth, AppSource, Sync};
use crate::model::object::{Object, ObjectKind};
use crate::model::telemetry::{Body, ObjectBatch};
use crate::ui::view::fake;

pub fn app(kind: AppKind, name: &str) -> App {
    let namespace = match kind {
        AppKind::Application => "argocd",
        _ => "flux-system",
    };
    App {
        project: Some("default".into()),
        sources: vec![AppSource {
            repository: "https://git.example/fleet.git".into(),
            path: format!("apps/{name}"),
            target: "main".into(),
        }],
        destination_namespace: Some("ran-du".into()),
        sync: Sync::Synced,
        health: AppHealth::Healthy,
        health_since: Some(crate::model::time::Timestamp(fake::NOW - 600_000)),
        revision: Some("9f31c2ab6b1fd58b6e0c9d7a1a0c3b2e1d4f5a6b".into()),
        resource_count: Some(12),
        images: vec!["quay.io/ran/du:1.9".into()],
        ..App::new(kind, namespace, name)
    }
}

fn tell(world: &mut World, cluster: u16, kind: ObjectKind, all: Vec<App>) {
    let upserts = all.into_iter().map(|a| Object::App(Box::new(a))).collect();
    let batch = ObjectBatch {
        kind,
        reset: true,
        upserts,
        ..ObjectBatch::empty(kind)
    };
    fake::tell(world, cluster, Body::Objects(batch));
}

fn world() -> World {
    let mut world = fake::world(&["edge-ran-07", "core-5gc-2", "gpu-train-1", "lab-1"]);
    let drifted = App {
        sync: Sync::OutOfSync,
        ..app(AppKind::Application, "du-config")
    };
    let fine = app(AppKind::Application, "upf-values");
    tell(&mut world, 0, ObjectKind::Application, vec![fine, drifted]);
    let degraded = App {
        health: AppHealth::Degraded,
        ..app(AppKind::Kustomization, "monitoring")
    };
    tell(&mut world, 2, ObjectKind::Kustomization, vec![degraded]);
    world
}

fn text(view: &GitOps, world: &World, size: (u16, u16)) -> String {
    fake::screen(world, size.0, size.1, |ctx, area, buf| {
        view.draw(ctx, area, buf)
    })
}

#[test]
fn both_tools_stand_in_one_table_worst_first() {
    let world = world();
    let view = GitOps::default();
    let shown = text(&view, &world, (140, 20));
    let at = |word: &str| {
        shown
            .find(word)
            .unwrap_or_else(|| panic!("{word} not in\n{shown}"))
    };
    assert!(
        at("monitoring") < at("du-config") && at("du-config") < at("upf-values"),
        "{shown}"
    );
    assert!(
        shown.contains("Applications 3, drift 1, degraded 1"),
        "{shown}"
    );
    assert!(shown.contains("unknown in 2: core-5gc-2, lab-1"), "{shown}");
    assert!(
        shown.contains("9f31c2a") && shown.contains("flux Kustomization"),
        "{shown}"
    );
}

#[test]
fn filters_know_the_columns() {
    let world = world();
    let mut view = GitOps::default();
    for (filter, count) in [
        ("tool=flux", 1),
        ("sync=OutOfSync", 1),
        ("cluster=edge-ran-07", 2),
        ("health!=Healthy", 1),
        ("kind=Application project=default", 2),
        ("nothing", 0),
    ] {
        view.update(Command::Filter(filter.into()), &world);
        assert_eq!(view.rows(&world).len(), count, "{filter}");
    }
    assert!(view.back() && !view.back());
}

#[test]
fn every_mode_has_room_everywhere() {
    let world = world();
    let mut view = GitOps::default();
    for _ in 0..8 {
        for width in (0..220).step_by(17) {
            for height in 0..16 {
                let area = Rect::new(0, 0, width, height);
                view.place(area, &world);
                text(&view, &world, (width, height));
            }
        }
        view.update(Command::Mode, &world);
        view.update(Command::Detail, &world);
    }
}

#[test]
fn a_focused_application_is_found_again() {
    let world = world();
    let mut view = GitOps::default();
    view.place(Rect::new(0, 0, 120, 30), &world);
    view.update(Command::Mode, &world);
    let focus = Focus::App {
        cluster: ClusterId(0),
        kind: AppKind::Application,
        namespace: "argocd".into(),
        name: "upf-values".into(),
    };
    view.enter(&fake::entry(Some(focus.clone())), &world);
    assert_eq!(view.focus(&world), Some(focus));
}

#[test]
fn only_problems_says_what_it_left_out_and_what_nobody_told() {
    let mut world = fake::world(&["edge-ran-07", "core-5gc-2"]);
    let mut view = GitOps::default();
    view.update(Command::Problems, &world);
    let shown = text(&view, &world, (140, 20));
    assert!(!shown.contains("none of"), "{shown}");
    assert!(
        shown.contains("unknown in 2: edge-ran-07, core-5gc-2"),
        "{shown}"
    );
    let fine = app(AppKind::Application, "upf-values");
    tell(&mut world, 0, ObjectKind::Application, vec![fine]);
    let shown = text(&view, &world, (140, 20));
    assert!(
        shown.contains("problems: none of 1 applications (! shows all); unknown in 1: core-5gc-2"),
        "{shown}"
    );
    view.update(Command::Mode, &world);
    let shown = text(&view, &world, (140, 20));
    assert!(shown.contains("uneven: none of 1 applications"), "{shown}");
    // Findings and changes are not narrowed by it: it explains nothing there.
    for words in ["unknown: the workloads of 2 clusters", "no change is known"] {
        view.update(Command::Mode, &world);
        let shown = text(&view, &world, (140, 20));
        assert!(shown.contains(words) && !shown.contains(" only"), "{shown}");
    }
}

#[test]
fn the_title_tells_of_the_clusters_of_the_scope_alone() {
    let world = world();
    let mut view = GitOps::default();
    let shown = text(&view, &world, (140, 20));
    assert!(shown.contains("nothing from 2 of 4 clusters"), "{shown}");
    let entry = |cluster| Entry {
        scope: Some(ClusterId(cluster)),
        ..fake::entry(None)
    };
    view.enter(&entry(0), &world);
    let shown = text(&view, &world, (140, 20));
    assert!(
        shown.contains("Applications 2") && !shown.contains("nothing from"),
        "{shown}"
    );
    view.enter(&entry(1), &world);
    let shown = text(&view, &world, (140, 20));
    assert!(shown.contains("nothing from 1 of 1 clusters"), "{shown}");
}

#[test]
fn changes_of_another_day_tell_day_and_time() {
    use crate::model::gitops::Deployed;
    use crate::model::time::Timestamp;
    let mut world = fake::world(&["edge-ran-07"]);
    let deployed = |hours: i64| Deployed {
        revision: format!("1.{hours}.0"),
        at: Some(Timestamp(fake::NOW - hours * 3_600_000)),
    };
    let app = App {
        history: vec![deployed(2), deployed(20)],
        ..app(AppKind::Application, "upf-values")
    };
    tell(&mut world, 0, ObjectKind::Application, vec![app]);
    let mut view = GitOps::default();
    view.enter(
        &Entry {
            window: Window {
                end: None,
                span_ms: 86_400_000,
            },
            ..fake::entry(None)
        },
        &world,
    );
    (0..3).for_each(|_| drop(view.update(Command::Mode, &world)));
    let shown = text(&view, &world, (140, 20));
    assert!(
        shown.contains("06:00:00") && shown.contains("01-14 12:00"),
        "{shown}"
    );
}

#[test]
fn changes_of_one_time_are_told_apart() {
    use crate::model::gitops::Deployed;
    use crate::model::time::Timestamp;
    let mut world = fake::world(&["edge-ran-07"]);
    let synced = |name: &str| App {
        history: vec![Deployed {
            revision: "1.0.0".into(),
            at: Some(Timestamp(fake::NOW - 600_000)),
        }],
        ..app(AppKind::Application, name)
    };
    let all = vec![synced("du-config"), synced("upf-values")];
    tell(&mut world, 0, ObjectKind::Application, all);
    let mut view = GitOps::default();
    (0..3).for_each(|_| drop(view.update(Command::Mode, &world)));
    let first = view.focus(&world);
    view.update(Command::Down, &world);
    let second = view.focus(&world);
    assert!(first.is_some() && first != second, "{first:?} {second:?}");
}

#[test]
fn policies_are_known_where_all_workloads_are_listed() {
    let mut world = fake::world(&["alpha"]);
    for (kind, wanted) in [
        (ObjectKind::Deployment, "unknown: the workloads of 1"),
        (ObjectKind::StatefulSet, "unknown: the workloads of 1"),
        (ObjectKind::DaemonSet, "no finding in the workloads of 1"),
    ] {
        tell(&mut world, 0, kind, Vec::new());
        let told = policy::why_empty(&world, None);
        assert!(told.contains(wanted), "{kind:?}: {told}");
    }
}

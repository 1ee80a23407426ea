//! Syncs, what is followed, and what is only a state.

use super::{at, tell, told, words, world};
use crate::model::gitops::{App, AppHealth, AppKind, AppSource, Deployed, Operation, Sync};
use crate::model::object::{Object, ObjectKind};
use crate::state::world::World;
use crate::state::world::changed::near as blamed;

fn app() -> App {
    App {
        sources: vec![AppSource {
            repository: "https://git/x".into(),
            path: "du".into(),
            target: "main".into(),
        }],
        destination_namespace: Some("ran".into()),
        sync: Sync::Synced,
        health: AppHealth::Healthy,
        health_since: Some(at(-100)),
        revision: Some("1.0.0".into()),
        history: vec![deployed("1.0.0", -50), deployed("0.9.0", -300)],
        ..App::new(AppKind::Application, "argocd", "du")
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
        Some("application removed (while not watched)")
    );
}

/// An event of Argo CD about the application.
fn told_of_it(minutes: i64, reason: &str, message: &str) -> Vec<Object> {
    super::event(minutes, reason, ("Application", "du"), message)
}

#[test]
fn a_new_state_is_no_change_and_never_its_own_cause() {
    let mut world = world();
    let (app_kind, events) = (ObjectKind::Application, ObjectKind::Event);
    let fresh = App {
        history: Vec::new(),
        namespace: "ran".into(),
        ..app()
    };
    tell(&mut world, 0, app_kind, true, boxed(fresh.clone()));
    for message in [
        "Updated health status: Healthy -> Degraded",
        "Updated sync status: Synced -> OutOfSync",
    ] {
        let event = told_of_it(1, "ResourceUpdated", message);
        tell(&mut world, 1, events, false, event);
    }
    assert_eq!(words(&world), [""; 0]);
    let by_hand = told_of_it(5, "ResourceUpdated", "ana updated application spec");
    tell(&mut world, 5, events, false, by_hand);
    let failed = App {
        operation: Some(Operation {
            phase: "Failed".into(),
            message: "hook failed".into(),
            finished: Some(at(8)),
            ..Operation::default()
        }),
        ..fresh
    };
    tell(&mut world, 9, app_kind, false, boxed(failed));
    let updated = "ResourceUpdated: ana updated application spec";
    assert_eq!(
        words(&world),
        [updated, "sync of 1.0.0 Failed: hook failed"]
    );
    let incident = world.incidents.first().expect("the sync failed");
    let blamed: Vec<&str> = blamed(&world, incident)
        .into_iter()
        .map(|c| c.what.as_str())
        .collect();
    assert_eq!(blamed, [updated]);
}

#[test]
fn an_event_is_left_out_where_the_object_tells_it() {
    let mut world = world();
    let kind = ObjectKind::Application;
    tell(&mut world, 0, kind, true, boxed(app()));
    let count = words(&world).len();
    for (minutes, reason) in [(4, "OperationStarted"), (4, "Sync")] {
        let mut event = told_of_it(minutes, reason, "Initiated sync to 1.1.0");
        if let Some(Object::Event(event)) = event.first_mut() {
            event.namespace = "argocd".into();
        }
        tell(&mut world, 4, ObjectKind::Event, false, event);
    }
    assert!(words(&world).len() > count);
    let mut new = app();
    new.history.insert(0, deployed("1.1.0", 4));
    tell(&mut world, 5, kind, false, boxed(new));
    assert_eq!(words(&world)[count..], ["deployed 1.1.0"]);
}

//! The object screen as text.

use std::sync::Arc;

use super::*;
use crate::model::ask::{Answer, ObjectText};
use crate::model::fault::{Fault, FaultKind};
use crate::model::health::SourceKind;
use crate::model::id::RequestId;
use crate::model::object::{Event, Object, Pod, Requests};
use crate::model::telemetry::{Body, ObjectBatch};
use crate::model::time::Timestamp;
use crate::model::workload::{Workload, WorkloadKind};
use crate::ui::view::fake::{self, NOW};

fn pod(name: &str, bad: bool) -> Pod {
    Pod {
        namespace: "shop".into(),
        name: name.into(),
        node: Some("gpu-0".into()),
        phase: "Running".into(),
        reason: bad.then(|| "CrashLoopBackOff".into()),
        message: bad.then(|| "back-off 5m0s restarting failed container".into()),
        ready: u16::from(!bad),
        containers: 1,
        restarts: if bad { 12 } else { 0 },
        owner: Some(("ReplicaSet".into(), "cart-5c6f".into())),
        started: Some(Timestamp(NOW - 3_600_000)),
        since: Some(Timestamp(NOW - 300_000)),
        images: vec!["registry.example/cart:2.0.0".into()],
        names: vec!["cart".into()],
        requests: Requests {
            cpu_milli: 250,
            memory_bytes: 128 << 20,
            extended: vec![("nvidia.com/gpu".into(), 1)],
            exclusive_cpus: None,
        },
    }
}

fn workload() -> Workload {
    Workload {
        kind: WorkloadKind::Deployment,
        namespace: "shop".into(),
        name: "cart".into(),
        desired: 2,
        ready: 1,
        updated: 2,
        available: 1,
        failed: 0,
        paused: false,
        observed: true,
        generation: 3,
        images: vec!["registry.example/cart:2.0.0".into()],
        conditions: Vec::new(),
        revision: Some("3".into()),
        instance: None,
        policies: Vec::new(),
        created: None,
    }
}

fn event(name: &str, about: &str) -> Object {
    Object::Event(Event {
        namespace: "shop".into(),
        name: name.into(),
        at: Timestamp(NOW - 60_000),
        warning: true,
        reason: "BackOff".into(),
        message: "Back-off restarting failed container cart".into(),
        about: ("Pod".into(), about.into()),
        count: 41,
        reporter: "kubelet".into(),
    })
}

fn world() -> World {
    let mut world = fake::world(&["alpha"]);
    let mut tell = |kind, upserts| {
        let batch = ObjectBatch {
            kind,
            reset: true,
            upserts,
            ..ObjectBatch::empty(kind)
        };
        fake::tell(&mut world, 0, Body::Objects(batch));
    };
    tell(
        ObjectKind::Pod,
        vec![
            Object::Pod(pod("cart-5c6f-x", true)),
            Object::Pod(pod("cart-5c6f-y", false)),
        ],
    );
    tell(ObjectKind::Deployment, vec![Object::Workload(workload())]);
    tell(
        ObjectKind::Event,
        vec![event("e1", "cart-5c6f-x"), event("e2", "other")],
    );
    world
}

fn opened(world: &World, key: (ObjectKind, &str, &str)) -> ObjectView {
    let mut view = ObjectView::default();
    view.place(Rect::new(0, 0, 100, 24), world);
    let effects = enter(&mut view, world, key);
    assert!(effects.is_empty(), "what is watched is not asked for");
    view
}

fn enter(view: &mut ObjectView, world: &World, key: (ObjectKind, &str, &str)) -> Vec<Effect> {
    let key = ObjectKey {
        kind: key.0,
        namespace: Arc::from(key.1),
        name: Arc::from(key.2),
    };
    view.enter(&fake::entry(Some(focus_on(ClusterId(0), &key))), world)
}

fn text(view: &ObjectView, world: &World) -> String {
    fake::screen(world, 100, 24, |ctx, area, buf| view.draw(ctx, area, buf))
}

const BAD: (ObjectKind, &str, &str) = (ObjectKind::Pod, "shop", "cart-5c6f-x");

fn answer(effects: &[Effect], result: Result<Answer, Fault>) -> Answered {
    let Some(Effect::Ask(question)) = effects.first() else {
        panic!("{effects:?}");
    };
    Answered {
        id: question.id,
        cluster: question.cluster,
        ask: question.ask.clone(),
        origin: "context lab (https://api:6443)".into(),
        at: Timestamp(NOW - 2_000),
        latency_ms: 3,
        warnings: Vec::new(),
        cut_from: None,
        result,
    }
}

fn yaml() -> Answer {
    Answer::Object(Box::new(ObjectText {
        yaml: "kind: Pod\nmetadata:\n  managedFields: ‹2 managers›\n  name: cart-5c6f-x\nspec:\n  nodeName: gpu-0\n".into(),
        managed: Some((2, "  managedFields:\n  - manager: kubelet\n".into())),
        facts: vec![("uid".into(), "04599c15".into())],
        owners: vec![("ReplicaSet".into(), "cart-5c6f".into())],
        bytes: 2_048,
    }))
}

#[test]
fn a_pod_at_three_sizes() {
    let world = world();
    let mut view = opened(&world, BAD);
    for (width, height) in [(200, 50), (120, 36), (80, 24)] {
        view.place(Rect::new(0, 0, width, height), &world);
        let shown = fake::screen(&world, width, height, |ctx, area, buf| {
            view.draw(ctx, area, buf);
        });
        insta::assert_snapshot!(format!("pod_{width}x{height}"), shown);
    }
    for (width, height) in [(0, 0), (1, 1), (5, 3), (30, 4)] {
        view.place(Rect::new(0, 0, width, height), &world);
        fake::screen(&world, width, height, |ctx, area, buf| {
            view.draw(ctx, area, buf)
        });
    }
}

#[test]
fn yaml_is_asked_for_when_looked_at_and_unfolds() {
    let world = world();
    let mut view = opened(&world, BAD);
    let asked = view.update(Command::Mode, &world);
    assert!(text(&view, &world).contains("asking …"));
    // An answer to another question changes nothing.
    let mut other = answer(&asked, Ok(yaml()));
    other.id = RequestId(1);
    view.answer(&other, &world);
    assert!(text(&view, &world).contains("asking …"));
    view.answer(&answer(&asked, Ok(yaml())), &world);
    let shown = text(&view, &world);
    assert!(shown.contains("context lab (https://api:6443)"), "{shown}");
    assert!(
        shown.contains("‹2 managers›") && !shown.contains("manager: kubelet"),
        "{shown}"
    );
    view.update(Command::Fold, &world);
    let shown = text(&view, &world);
    assert!(
        shown.contains("manager: kubelet") && !shown.contains("‹2 managers›"),
        "{shown}"
    );
    view.update(Command::Find("nodename".into()), &world);
    assert!(text(&view, &world).contains("find \"nodename\": 1"));
    assert!(view.back() && view.find_text.is_empty());
    let copied = view.update(Command::CopyRow, &world);
    assert!(matches!(copied.first(), Some(Effect::Copy(all)) if all.contains("nodeName: gpu-0")));
    let again = view.update(Command::Refresh, &world);
    let fault = Fault {
        kind: FaultKind::Forbidden,
        cluster: "alpha".into(),
        endpoint: "context lab".into(),
        what: "get pods shop/cart-5c6f-x: 403, not allowed".into(),
        hint: "ask for a role".into(),
    };
    view.answer(&answer(&again, Err(fault)), &world);
    let shown = text(&view, &world);
    assert!(
        shown.contains("403, not allowed") && shown.contains("try: ask for a role"),
        "{shown}"
    );
}

#[test]
fn events_and_owners_lead_on_and_back() {
    let mut world = world();
    let mut view = opened(&world, BAD);
    view.update(Command::Mode, &world);
    view.update(Command::Mode, &world);
    let shown = text(&view, &world);
    assert_eq!(shown.matches("BackOff ×41").count(), 1, "{shown}");
    view.update(Command::Mode, &world);
    let shown = text(&view, &world);
    assert!(
        shown.contains("owned by      ReplicaSet shop/cart-5c6f"),
        "{shown}"
    );
    assert!(
        shown.contains("Deployment shop/cart  short of replicas"),
        "{shown}"
    );
    assert!(view.open(&world).is_none(), "a ReplicaSet is not watched");
    view.update(Command::Down, &world);
    let goto = view.open(&world).unwrap();
    let wanted = Focus::Object {
        cluster: ClusterId(0),
        kind: ObjectKind::Deployment,
        namespace: "shop".into(),
        name: "cart".into(),
    };
    assert_eq!(goto.focus.as_ref(), Some(&wanted));
    view.enter(&fake::entry(goto.focus), &world);
    assert!(text(&view, &world).contains("1 of 2 ready"));
    for _ in 0..3 {
        view.update(Command::Mode, &world);
    }
    let shown = text(&view, &world);
    assert!(
        shown.contains("owns          Pod shop/cart-5c6f-y"),
        "{shown}"
    );
    assert!(view.depth() == 1 && view.back());
    assert!(text(&view, &world).contains("cart-5c6f-x on alpha"));
    assert!(!view.back());
    // What is deleted is told to be gone, not kept as it was.
    let batch = ObjectBatch {
        kind: ObjectKind::Pod,
        reset: true,
        upserts: Vec::new(),
        ..ObjectBatch::empty(ObjectKind::Pod)
    };
    fake::tell(&mut world, 0, Body::Objects(batch));
    let view = {
        let mut view = ObjectView::default();
        let effects = enter(&mut view, &world, BAD);
        assert_eq!(effects.len(), 1, "what is not known is asked for");
        view
    };
    assert!(text(&view, &world).contains("this Pod is not there"));
}

#[test]
fn moves_within_its_text() {
    let world = world();
    let mut view = opened(&world, BAD);
    view.place(Rect::new(0, 0, 60, 8), &world);
    view.update(Command::Bottom, &world);
    let top = view.visit.as_ref().unwrap().top;
    assert!(top > 0);
    view.update(Command::PageDown, &world);
    assert_eq!(view.visit.as_ref().unwrap().top, top);
    view.update(Command::Top, &world);
    assert_eq!(view.visit.as_ref().unwrap().top, 0);
    view.update(Command::Find("requests".into()), &world);
    view.update(Command::PreviousMatch, &world);
    let found = view.visit.as_ref().unwrap().top;
    assert!(found > 0);
    view.update(Command::NextMatch, &world);
    assert_eq!(view.visit.as_ref().unwrap().top, found, "it goes round");
}

#[test]
fn what_is_not_listed_is_neither_watched_nor_absent() {
    use crate::model::identity::{Identity, Review};
    let mut world = fake::world(&["alpha"]);
    fake::tell_of(
        &mut world,
        0,
        SourceKind::Kubernetes,
        crate::model::telemetry::Body::Health(fake::heard()),
    );
    let mut view = ObjectView::default();
    enter(&mut view, &world, BAD);
    assert!(text(&view, &world).contains("not watched · heard"));
    view.update(Command::Mode, &world);
    view.update(Command::Mode, &world);
    let shown = text(&view, &world);
    assert!(shown.contains("unknown: no events were heard"), "{shown}");
    let right = crate::model::rights::of_kind(ObjectKind::Event).map(|need| need.right("list"));
    let identity = Identity {
        reviews: vec![Review {
            right: right.unwrap(),
            allowed: Some(false),
            purpose: String::new(),
            reason: String::new(),
            at: Timestamp(NOW),
        }],
        ..Identity::default()
    };
    fake::tell(&mut world, 0, Body::Identity(Box::new(identity)));
    let shown = text(&view, &world);
    assert!(shown.contains("not permitted: list events"), "{shown}");
    assert!(!shown.contains("no events"), "{shown}");
}

#[test]
fn the_end_stays_in_view_when_the_text_shrinks_or_is_shifted() {
    let world = world();
    let mut view = opened(&world, BAD);
    let small = Rect::new(0, 0, 60, 8);
    view.place(small, &world);
    view.update(Command::Bottom, &world);
    // More room: the rows above the last ones come back into view.
    let shown = fake::screen(&world, 100, 24, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(
        shown.contains("state") && shown.contains("requests"),
        "{shown}"
    );
    view.place(Rect::new(0, 0, 60, 24), &world);
    view.update(Command::Wrap, &world);
    for _ in 0..40 {
        view.update(Command::Right, &world);
    }
    let shown = fake::screen(&world, 60, 24, |ctx, area, buf| view.draw(ctx, area, buf));
    let letters = shown
        .lines()
        .skip(2)
        .filter(|l| l.chars().any(char::is_alphanumeric));
    assert!(letters.count() > 0, "{shown}");
}

#[test]
fn log_lines_carry_their_date_when_they_are_old() {
    use crate::model::label::Labels;
    use crate::model::log::{Level, LogLine};
    use crate::model::telemetry::LogBatch;
    let mut world = world();
    let line = |ago_ms: i64, text: &str| LogLine {
        at_ns: (NOW - ago_ms) * 1_000_000,
        labels: Labels::from_pairs([("namespace", "shop"), ("pod", "cart-5c6f-x")]),
        line: text.into(),
        level: Level::Error,
    };
    let batch = LogBatch {
        lines: vec![line(86_400_000, "yesterday"), line(0, "today")],
        dropped: 0,
        live: true,
    };
    fake::tell(&mut world, 0, Body::Logs(batch));
    let mut view = opened(&world, BAD);
    view.update(Command::PreviousPane, &world);
    let shown = text(&view, &world);
    assert!(shown.contains("01-14 08:00 E yesterday"), "{shown}");
    assert!(shown.contains("08:00:00 E    today"), "{shown}");
    view.update(Command::Find("yester".into()), &world);
    assert!(text(&view, &world).contains("find \"yester\": 1"));
}

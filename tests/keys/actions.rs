//! Actions on the screen: off by default, asked about, never by accident.

use std::sync::Arc;

use farwatch::command::parse_keys;
use farwatch::config::Config;
use farwatch::message::{Effect, Msg};
use farwatch::model::action::{Acted, Action, ActionRequest};
use farwatch::model::alert::{Severity, Silence};
use farwatch::model::fault::{Fault, FaultKind};
use farwatch::model::gitops::{App, AppHealth, AppKind, AppSource, Operation, Sync};
use farwatch::model::health::{Health, SourceHealth, SourceKind};
use farwatch::model::id::ClusterId;
use farwatch::model::identity::{Identity, Review, Role};
use farwatch::model::input::InputEvent;
use farwatch::model::object::{Object, ObjectKind};
use farwatch::model::rights;
use farwatch::model::telemetry::Body;
use farwatch::model::time::Timestamp;
use proptest::prelude::*;

use crate::FULL;
use crate::scenario::{Console, alert, objects};

/// The live console with actions switched on for all, and a role in the first cluster.
pub fn acting(role: Role) -> Console {
    let mut console = Console::live(FULL);
    switch(&mut console, true);
    console.tell(0, SourceKind::Kubernetes, Body::Identity(identity(role)));
    console
}

pub fn switch(console: &mut Console, on: bool) {
    console.state.config = Arc::new(Config {
        actions: on,
        ..Config::clone(&console.state.config)
    });
}

fn identity(role: Role) -> Box<Identity> {
    Box::new(Identity {
        user: "alice".into(),
        groups: vec!["aiops-operators".into()],
        role,
        ..Identity::default()
    })
}

/// One application, with its last operation in this phase.
pub fn tell_app(console: &mut Console, phase: &str) {
    let operation = Operation {
        phase: phase.into(),
        ..Operation::default()
    };
    let app = App {
        sources: vec![AppSource {
            target: "main".into(),
            ..AppSource::default()
        }],
        sync: Sync::OutOfSync,
        health: AppHealth::Healthy,
        operation: Some(operation),
        ..App::new(AppKind::Application, "argocd", "shop")
    };
    let body = objects(ObjectKind::Application, vec![Object::App(Box::new(app))]);
    console.tell(0, SourceKind::Kubernetes, body);
}

pub fn acts(console: &Console) -> Vec<ActionRequest> {
    let sent = console.effects.iter().filter_map(|e| match e {
        Effect::Act(request) => Some((**request).clone()),
        _ => None,
    });
    sent.collect()
}

pub fn arm(console: &mut Console) {
    if let Some((serial, _)) = console.state.unarmed() {
        console.update(Msg::Armed(serial));
    }
}

/// To the dialog of a silence for the first alert.
const TO_DIALOG: &str = "7M<down>noise<enter>";

#[test]
fn switched_off_the_menu_opens_and_says_how_to_switch_it_on() {
    let mut console = Console::live(FULL);
    console.keys("7X");
    console.has("Actions: PtpOutOfSync");
    console.has("start with --allow-actions");
    console.has("  RO");
    console.keys("<enter>y<esc>M");
    console.has("start with --allow-actions");
    console.keys("<esc>");
    console.lacks("Actions: ");
    assert!(acts(&console).is_empty());
}

#[test]
fn a_silence_is_asked_about_with_the_exact_request() {
    let mut console = acting(Role::Operator);
    console.keys("7");
    console.has("  WRITE");
    console.keys("M");
    console.has("Mute: make a silence");
    console.has("matches now 1 alerts");
    console.has("node=\"n-07-b\"");
    console.keys("<enter>");
    console.has("say why");
    console.keys("<down>noise<enter>");
    for wanted in [
        "edge-ran-07",
        "alice (operator)",
        "POST /api/v2/silences",
        "Content-Type: application/json",
        "\"comment\":\"noise\"",
        "[ No ]",
    ] {
        console.has(wanted);
    }
    arm(&mut console);
    console.keys("y");
    let sent = acts(&console);
    let Action::Silence { from, until, .. } = &sent[0].action else {
        panic!("{sent:?}");
    };
    assert_eq!(until.0 - from.0, 4 * 3_600_000, "one below 2h");
    assert_eq!((sent.len(), sent[0].cluster), (1, ClusterId(0)));
    console.keys("y");
    assert_eq!(acts(&console).len(), 1, "sent once");
}

#[test]
fn the_dialog_is_scrolled_no_further_than_its_end() {
    let mut console = acting(Role::Operator);
    console.keys(&format!("7M<down>{}<enter>", "noise".repeat(60)));
    arm(&mut console);
    console.resize((60, 18));
    let top = console.screen();
    console.keys("jjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjj");
    let end = console.screen();
    assert_ne!(top, end, "longer than the screen");
    console.has("[ No ]");
    console.keys("k");
    assert_ne!(console.screen(), end, "one step back is seen");
}

#[test]
fn a_silence_is_ended_from_the_list_of_silences() {
    let mut console = acting(Role::Operator);
    let silence = Silence {
        id: "5a1c".into(),
        by: "bob".into(),
        comment: "window".into(),
        starts_at: console.state.world.now.plus_ms(-60_000),
        ends_at: console.state.world.now.plus_ms(3_600_000),
        matchers: "alertname=\"PtpOutOfSync\"".into(),
    };
    let list = Body::Silences(vec![silence]);
    console.tell(0, SourceKind::Alertmanager(0), list);
    console.keys("7<tab>");
    console.has("Silences 1");
    console.keys("X");
    console.has("what it hushed pages again");
    console.keys("<enter>");
    console.has("DELETE /api/v2/silence/5a1c");
    arm(&mut console);
    console.keys("y");
    let sent = acts(&console);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].action, Action::Expire { id: "5a1c".into() });
    // Not without the right.
    let mut console = barred(0);
    console.keys("7<tab>X<enter>y");
    assert!(acts(&console).is_empty());
}

/// Two Alertmanagers that do not tell each other: each is asked about in a dialog of its own.
#[test]
fn a_silence_is_made_at_each_alertmanager_that_stands_alone() {
    let (a, b) = (SourceKind::Alertmanager(0), SourceKind::Alertmanager(1));
    let console = |together: bool| {
        let mut console = acting(Role::Operator);
        for (source, place) in [(a, "http://am-a:9093"), (b, "http://am-b:9093")] {
            let health = SourceHealth {
                place: place.into(),
                health: Health::Live,
                ..SourceHealth::default()
            };
            console.tell(0, source, Body::Health(health));
            let name = if together { "one" } else { place };
            console.tell(0, source, Body::Gossip(vec![name.into()]));
            let list = vec![alert("PtpOutOfSync", Severity::Critical)];
            console.tell(0, source, Body::Alerts(list));
        }
        console.keys(TO_DIALOG);
        arm(&mut console);
        console
    };
    let servers = |console: &Console| -> Vec<String> {
        let sent = acts(console).into_iter();
        sent.map(|request| request.server).collect()
    };
    let mut pair = console(true);
    pair.keys("y");
    assert_eq!(
        servers(&pair),
        ["http://am-a:9093"],
        "replicas tell each other"
    );
    pair.lacks("[ No ]");

    let mut apart = console(false);
    apart.has("another server is asked about next");
    apart.keys("yy");
    assert_eq!(
        servers(&apart),
        ["http://am-a:9093"],
        "the next is not read yet"
    );
    apart.has("Alertmanager http://am-b:9093");
    arm(&mut apart);
    apart.keys("y");
    assert_eq!(servers(&apart), ["http://am-a:9093", "http://am-b:9093"]);

    let mut apart = console(false);
    apart.keys("n");
    arm(&mut apart);
    apart.keys("y");
    assert_eq!(
        servers(&apart),
        ["http://am-b:9093"],
        "no to one is no to it alone"
    );
    let mut neither = console(false);
    neither.keys("<esc>");
    arm(&mut neither);
    neither.keys("y");
    assert!(servers(&neither).is_empty());
}

/// Whatever discovery finds while the dialog is in view.
#[test]
fn the_dialog_names_the_server_that_is_asked() {
    let mut console = acting(Role::Operator);
    let tell = |console: &mut Console, place: &str| {
        let health = SourceHealth {
            place: place.into(),
            via: Some("via port-forward to am-0".into()),
            ..SourceHealth::default()
        };
        console.tell(0, SourceKind::Alertmanager(0), Body::Health(health));
    };
    tell(&mut console, "http://am.monitoring.svc:9093");
    console.keys(TO_DIALOG);
    console.has("Alertmanager http://am.monitoring.svc:9093 via port-forward to am-0");
    tell(&mut console, "http://other.monitoring.svc:9093");
    arm(&mut console);
    console.keys("y");
    let sent = acts(&console);
    assert_eq!(sent[0].server, "http://am.monitoring.svc:9093");
    assert_eq!(sent[0].via.as_deref(), Some("via port-forward to am-0"));
}

#[test]
fn keys_typed_before_the_dialog_was_read_do_not_count() {
    let mut console = acting(Role::Admin);
    console.keys(TO_DIALOG).keys("yyy<enter>y");
    assert!(acts(&console).is_empty());
    console.has("[ No ]");
    console.update(Msg::Armed(999));
    console.keys("y");
    assert!(acts(&console).is_empty(), "another dialog was drawn");
    arm(&mut console);
    // Every key but the one is no.
    console.keys("<enter>");
    console.has("not sent");
    console.keys(TO_DIALOG.trim_start_matches('7'));
    arm(&mut console);
    console.keys("Y<c-y>Q<tab>x");
    assert!(acts(&console).is_empty());
    console.keys("<esc>y");
    assert!(acts(&console).is_empty());
}

#[test]
fn every_alert_of_a_name_is_counted() {
    let mut console = acting(Role::Operator);
    let mut second = alert("PtpOutOfSync", Severity::Critical);
    second.fingerprint = "other".into();
    second.labels = farwatch::model::label::Labels::from_pairs([
        ("alertname", "PtpOutOfSync"),
        ("node", "n-07-c"),
    ]);
    let list = vec![alert("PtpOutOfSync", Severity::Critical), second];
    console.tell(0, SourceKind::Alertmanager(0), Body::Alerts(list));
    console.keys("7M");
    console.has("matches now 1 alerts");
    console.keys("<tab>");
    console.has("matches now 2 alerts");
    console.lacks("node=\"n-07");
}

#[test]
fn a_viewer_is_told_which_role_is_missing() {
    let mut console = acting(Role::Viewer);
    console.keys("7X");
    console.has("your role on edge-ran-07 is viewer");
    console.has("operator is needed");
    console.keys("<enter>");
    assert!(console.state.unarmed().is_none());
    let mut unknown = Console::live(FULL);
    switch(&mut unknown, true);
    unknown.keys("7X");
    unknown.has("who you are on edge-ran-07 is not known");
}

#[test]
fn what_the_review_refused_is_named() {
    let mut console = acting(Role::Operator);
    let mut known = identity(Role::Operator);
    let right = rights::to_patch(AppKind::Application).unwrap();
    known.reviews.push(Review {
        right,
        allowed: Some(false),
        purpose: String::new(),
        reason: String::new(),
        at: Timestamp(0),
    });
    console.tell(0, SourceKind::Kubernetes, Body::Identity(known));
    tell_app(&mut console, "Running");
    console.keys("0X");
    console.has("patch applications.argoproj.io");
    console.has("an operation is under way");
    // Refresh goes on to the dialog, sync does not.
    console.keys("jj<enter>");
    assert!(console.state.unarmed().is_none());
    console.keys("kk<enter>");
    console.has("argocd.argoproj.io/refresh");
    console.has("PATCH /apis/argoproj.io/v1alpha1/namespaces/argocd/applications/shop");
}

#[test]
fn the_outcome_is_told() {
    let mut console = acting(Role::Operator);
    let action = Action::Expire { id: "abc".into() };
    let request = ActionRequest::new(ClusterId(0), action, "alice");
    console.effects.clear();
    console.update(Msg::Acted(Box::new(Acted {
        request: request.clone(),
        result: Ok("accepted".into()),
    })));
    console.has("end silence of silence abc: accepted");
    assert!(
        console
            .effects
            .contains(&Effect::Refresh(Some(ClusterId(0))))
    );
    let fault = Fault {
        kind: FaultKind::Forbidden,
        cluster: "edge-ran-07".into(),
        endpoint: String::new(),
        what: "403, not permitted".into(),
        hint: "ask for it".into(),
    };
    console.update(Msg::Acted(Box::new(Acted {
        request,
        result: Err(fault),
    })));
    console.has("403, not permitted");
}

fn any_key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "X", "M", "y", "<enter>", "<esc>", "<tab>", "j", "k", "7", "1", "2", "<down>", "w", "q",
        "0", "!", "Y", "x",
    ])
}

/// Where nothing may be sent: switched off, as a viewer, in a recording.
fn barred(how: usize) -> Console {
    let mut console = acting(if how == 1 { Role::Viewer } else { Role::Admin });
    match how {
        0 => switch(&mut console, false),
        1 => {}
        _ => console.update(Msg::Replay(crate::replay())),
    }
    tell_app(&mut console, "Succeeded");
    console
}

/// What the console sent after these keys, each dialog read before the next.
fn pressed(mut console: Console, keys: &[&str]) -> usize {
    for key in keys {
        for press in parse_keys(key) {
            console.update(Msg::Input(InputEvent::Key(press)));
        }
        arm(&mut console);
    }
    acts(&console).len()
}

/// Sends an action from wherever it is pressed, where that is allowed.
const SENT: [&str; 9] = [
    "<esc>", "<esc>", "<esc>", "<esc>", "0", "X", "<enter>", "y", "<esc>",
];

#[test]
fn the_same_keys_act_where_it_is_allowed_and_only_there() {
    let mut console = acting(Role::Operator);
    tell_app(&mut console, "Succeeded");
    assert_eq!(pressed(console, &SENT), 1);
    for how in 0..3 {
        assert_eq!(pressed(barred(how), &SENT), 0, "{how}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// No keys send anything where it is barred, also when they end with those that would.
    #[test]
    fn no_keys_act_where_it_is_not_allowed(
        keys in prop::collection::vec(any_key(), 1..40),
        how in 0_usize..3,
    ) {
        let keys = [&keys[..], &SENT].concat();
        prop_assert_eq!(pressed(barred(how), &keys), 0);
    }
}

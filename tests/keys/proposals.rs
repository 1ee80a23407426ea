//! What the agent proposes: offered to whom it may be, asked about in the dialog, never done without.

use std::sync::Arc;

use farwatch::config::Config;
use farwatch::message::{Effect, Msg};
use farwatch::model::action::{Acted, Action, ActionRequest};
use farwatch::model::chat::{ChatEvent, RunId, RunOutcome, WorldQuery};
use farwatch::model::fault::{Fault, FaultKind};
use farwatch::model::id::ClusterId;
use farwatch::model::identity::Role;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::actions::{acting, acts, arm, switch, tell_app};
use super::scenario::{Console, NAMES, NOW};

const SILENCE: &str = "propose_silence";
const GITOPS: &str = "propose_gitops";

/// An operator who may act, an application to act on, and a question under way.
fn asked(role: Role) -> (Console, RunId) {
    asked_in(acting(role))
}

fn asked_in(mut console: Console) -> (Console, RunId) {
    console.state.attended = true;
    console.state.config = Arc::new(Config {
        agent: Some(farwatch::config::Agent::default()),
        ..Config::clone(&console.state.config)
    });
    tell_app(&mut console, "Succeeded");
    let run = question(&mut console, "A");
    (console, run)
}

/// Asks, with the pane opened by these keys; gives the run.
fn question(console: &mut Console, open: &str) -> RunId {
    console.effects.clear();
    console.keys(&format!("{open}why?<enter>"));
    super::request(console).run
}

fn propose(console: &mut Console, run: RunId, tool: &str, arguments: Value) {
    propose_in(console, run, tool, arguments, vec![ClusterId(0)]);
}

fn propose_in(
    console: &mut Console,
    run: RunId,
    tool: &str,
    arguments: Value,
    clusters: Vec<ClusterId>,
) {
    console.update(Msg::WorldQuery(WorldQuery {
        run,
        call: "c1".into(),
        tool: tool.into(),
        arguments,
        clusters,
    }));
}

fn silence() -> Value {
    json!({"cluster": NAMES[0], "matchers": {"alertname": "PtpOutOfSync", "node": "n-07-b"},
        "hours": 1, "reason": "the clock is being replaced"})
}

fn sync() -> Value {
    json!({"cluster": NAMES[0], "action": "sync", "namespace": "argocd", "name": "shop",
        "reason": "it drifted"})
}

/// What the agent was told: text, and whether it was done.
fn told(console: &Console) -> Vec<(String, bool)> {
    let told = console.effects.iter().filter_map(|effect| match effect {
        Effect::WorldAnswer { text, ok, .. } => Some((text.clone(), *ok)),
        _ => None,
    });
    told.collect()
}

fn not_acted(console: &Console) -> Vec<&'static str> {
    let all = console.effects.iter().filter_map(|effect| match effect {
        Effect::NotActed(request, why) => {
            assert!(request.proposer.is_some());
            Some(*why)
        }
        _ => None,
    });
    all.collect()
}

fn notes(console: &Console) -> String {
    let last = console.state.chat.messages.last().expect("an answer");
    format!("{:?}", last.parts)
}

fn end(console: &mut Console, request: ActionRequest, result: Result<String, Fault>) {
    console.update(Msg::Acted(Box::new(Acted { request, result })));
}

fn offered(console: &mut Console) -> Vec<&'static str> {
    console.effects.clear();
    console.keys("<esc>A<c-n>and now?<enter>");
    let tools = super::request(console).setting.tools;
    let tools = tools.into_iter();
    tools.filter(|name| name.starts_with("propose_")).collect()
}

#[test]
fn proposals_are_offered_by_role_and_persona_and_cluster() {
    let (mut console, _) = asked(Role::Operator);
    assert_eq!(offered(&mut console), [SILENCE, GITOPS]);
    console.state.work_as("gpu-expert");
    assert_eq!(offered(&mut console), [SILENCE], "its persona has no other");
    console.state.work_as("default");
    switch(&mut console, false);
    assert!(offered(&mut console).is_empty(), "actions are off");

    let (mut viewer, _) = asked(Role::Viewer);
    assert!(offered(&mut viewer).is_empty());
    let (mut nobody, _) = asked(Role::Admin);
    nobody.state.attended = false;
    assert!(offered(&mut nobody).is_empty(), "nobody could answer");
    let (mut replay, _) = asked(Role::Admin);
    replay.update(Msg::Replay(crate::replay()));
    assert!(offered(&mut replay).is_empty(), "a recording");
}

/// The same request as by keys, with who wants it and why; sent by `y` alone, once.
#[test]
fn a_silence_is_sent_as_it_was_shown_when_it_is_allowed() {
    let (mut console, run) = asked(Role::Operator);
    propose(&mut console, run, SILENCE, silence());
    for wanted in [
        "The agent asks: send this? silence",
        "the agent",
        "hushes 1 alert that fires now, and others with these labels, for 1 h",
        "it says: the clock is being replaced",
        "alice (operator)",
        "POST /api/v2/silences",
        "\"comment\":\"proposed by the agent: the clock is being",
        "[ No ]",
    ] {
        console.has(wanted);
    }
    assert!(notes(&console).contains("asks you in a dialog: silence of alertname="));
    assert!(acts(&console).is_empty() && told(&console).is_empty());
    arm(&mut console);
    console.has("y sends it, once");
    console.keys("y");
    let sent = acts(&console);
    assert_eq!(sent.len(), 1);
    let Action::Silence {
        matchers,
        from,
        until,
        ..
    } = &sent[0].action
    else {
        panic!("{sent:?}");
    };
    let pairs: Vec<(&str, &str)> = matchers.iter().map(|(n, v)| (&**n, &**v)).collect();
    assert_eq!(pairs, [("alertname", "PtpOutOfSync"), ("node", "n-07-b")]);
    assert_eq!(until.0 - from.0, 3_600_000);
    assert!(sent[0].proposer.as_ref().is_some_and(|by| by.run == run));
    assert!(told(&console).is_empty(), "its end is not known yet");
    arm(&mut console);
    console.keys("y");
    assert_eq!(acts(&console).len(), 1, "once");
    end(
        &mut console,
        sent[0].clone(),
        Ok("accepted, silence 5a1c".into()),
    );
    let (text, ok) = told(&console).remove(0);
    assert!(
        ok && text.contains("done: accepted, silence 5a1c"),
        "{text}"
    );
    assert!(notes(&console).contains("allowed by you; "));
}

/// What the menu offers for an application, and nothing beside it.
#[test]
fn gitops_actions_are_those_of_the_menu() {
    for (action, wanted) in [
        ("refresh", "\"argocd.argoproj.io/refresh\":\"normal\""),
        ("hard_refresh", "\"argocd.argoproj.io/refresh\":\"hard\""),
        ("sync", "\"prune\":false,\"revision\":\"main\""),
    ] {
        let (mut console, run) = asked(Role::Operator);
        let mut arguments = sync();
        arguments["action"] = action.into();
        propose(&mut console, run, GITOPS, arguments);
        console.has("PATCH /apis/argoproj.io/v1alpha1/namespaces/argocd/applications/shop");
        console.has(wanted);
    }
    // Busy, of the other engine, or not there.
    let refused = |arguments: Value, phase: &str| {
        let (mut console, run) = asked(Role::Operator);
        tell_app(&mut console, phase);
        propose(&mut console, run, GITOPS, arguments);
        console.lacks("[ No ]");
        told(&console).remove(0).0
    };
    assert!(refused(sync(), "Running").contains("an operation is under way"));
    let mut flux = sync();
    flux["action"] = "reconcile".into();
    assert!(refused(flux, "Succeeded").contains("no Flux object argocd/shop"));
    let mut gone = sync();
    gone["name"] = "ghost\u{1b}[2J".into();
    let why = refused(gone, "Succeeded");
    assert!(why.contains("no Application argocd/ghost to"), "{why}");
    let mut prune = sync();
    prune["action"] = "delete".into();
    assert!(refused(prune, "Succeeded").contains("unknown variant"));
}

/// Two of one name: the kind before it tells which.
#[test]
fn a_flux_object_is_reconciled_by_its_kind() {
    use farwatch::model::gitops::{App, AppKind};
    use farwatch::model::object::{Object, ObjectKind};
    let flux = || {
        let (mut console, run) = asked(Role::Operator);
        for (kind, listed) in [
            (AppKind::HelmRelease, ObjectKind::HelmRelease),
            (AppKind::Kustomization, ObjectKind::Kustomization),
        ] {
            let app = Object::App(Box::new(App::new(kind, "shop", "cart")));
            let body = super::scenario::objects(listed, vec![app]);
            let source = farwatch::model::health::SourceKind::Kubernetes;
            console.tell(0, source, body);
        }
        (console, run)
    };
    let cart = |name: &str| {
        json!({"cluster": NAMES[0], "action": "reconcile", "namespace": "shop", "name": name,
            "reason": "it is behind"})
    };
    let (mut console, run) = flux();
    propose(&mut console, run, GITOPS, cart("cart"));
    console.lacks("[ No ]");
    let why = told(&console).remove(0).0;
    assert!(
        why.contains("KIND/cart: ") && why.contains("HelmRelease"),
        "{why}"
    );
    propose(&mut console, run, GITOPS, cart("HelmRelease/cart"));
    console.has("/namespaces/shop/helmreleases/cart");
    console.has("reconcile.fluxcd.io/requestedAt");
}

#[test]
fn a_refusal_goes_back_to_the_agent_and_into_the_audit_file() {
    for key in ["<esc>", "<enter>", "n", "N", "q"] {
        let (mut console, run) = asked(Role::Operator);
        propose(&mut console, run, SILENCE, silence());
        arm(&mut console);
        console.keys(key);
        console.lacks("[ No ]");
        assert!(acts(&console).is_empty(), "{key}");
        assert_eq!(not_acted(&console), ["refused by the operator"], "{key}");
        let all = told(&console);
        assert_eq!(all.len(), 1, "{key}");
        assert!(
            !all[0].1 && all[0].0.contains("refused by the operator"),
            "{all:?}"
        );
        assert!(notes(&console).contains("refused by you"));
        assert!(console.state.chat.running().is_some(), "the answer goes on");
    }
}

#[test]
fn failed_and_not_permitted_are_told_apart() {
    for (kind, wanted) in [
        (FaultKind::Forbidden, "not permitted: no right"),
        (FaultKind::Timeout, "failed: no right"),
    ] {
        let (mut console, run) = asked(Role::Operator);
        propose(&mut console, run, GITOPS, sync());
        arm(&mut console);
        console.keys("y");
        let sent = acts(&console).remove(0);
        let fault = Fault {
            kind,
            cluster: NAMES[0].into(),
            endpoint: String::new(),
            what: "no right".into(),
            hint: String::new(),
        };
        end(&mut console, sent, Err(fault));
        let (text, ok) = told(&console).remove(0);
        assert!(!ok && text.contains(wanted), "{text}");
    }
}

/// Whoever was typing when it came has not read it.
#[test]
fn keys_that_were_meant_for_something_else_do_not_count() {
    let (mut console, run) = asked(Role::Operator);
    console.keys("tell me wh");
    propose(&mut console, run, SILENCE, silence());
    let (before, unasked) = console.state.unarmed().expect("open");
    assert!(unasked);
    console.has("keys count once none was pressed for a second");
    console.keys("y");
    console.update(Msg::Armed(before));
    console.keys("y you silence it<enter>y");
    assert!(
        acts(&console).is_empty(),
        "the wait began anew with each key"
    );
    console.has("[ No ]");
    arm(&mut console);
    console.keys("<esc>");
    console.has("tell me wh");
}

#[test]
fn what_cannot_be_seen_cannot_be_allowed() {
    let (mut console, run) = asked(Role::Operator);
    console.resize((40, 10));
    propose(&mut console, run, SILENCE, silence());
    assert!(console.state.unarmed().is_none(), "nothing is drawn");
    console.keys("y");
    console.resize((120, 36));
    arm(&mut console);
    console.resize((40, 10));
    console.keys("y");
    assert!(acts(&console).is_empty());
    // Where the pane hides the screen the dialog lies over the pane.
    console.resize((80, 24));
    console.has("[ No ]");
}

/// A form, a prompt or a dialog of the operator's own is not taken from him.
#[test]
fn it_waits_for_what_the_operator_is_at() {
    let (mut console, run) = asked(Role::Operator);
    for (open, seen, close) in [
        ("<esc><esc>7M<down>noise", "Mute: make a silence", "<esc>"),
        (":the", ":the", "<esc>"),
        ("<c-p>du", "Palette", "<esc>"),
    ] {
        // The run was stopped by the first Esc: another one.
        let run = match console.state.chat.running() {
            Some(_) => run,
            None => question(&mut console, "A"),
        };
        console.keys("<tab>");
        console.state.screen.chat_focus = false;
        console.keys(open);
        let run = console.state.chat.running().unwrap_or_else(|| {
            panic!("{open} stopped {run:?}");
        });
        console.has(seen);
        propose(&mut console, run, SILENCE, silence());
        console.has(seen);
        console.lacks("The agent asks");
        console.keys(close);
        console.has("The agent asks");
        arm(&mut console);
        console.keys("n");
    }
}

#[test]
fn one_at_a_time_within_the_time_and_not_after_the_question() {
    let (mut console, run) = asked(Role::Operator);
    propose(&mut console, run, SILENCE, silence());
    propose(&mut console, run, GITOPS, sync());
    assert!(told(&console)[0].0.contains("another proposal waits"));
    console.has("POST /api/v2/silences");
    // Not answered.
    let late = NOW.plus_ms(11 * 60_000);
    arm(&mut console);
    console.update(Msg::Tick(late));
    console.lacks("[ No ]");
    let (text, ok) = told(&console).remove(1);
    assert!(
        !ok && text.contains("no answer from the operator"),
        "{text}"
    );
    console.keys("y");
    assert!(acts(&console).is_empty());

    // Stopped, ended, or a new conversation: the dialog goes with its question.
    for stop in ["<c-c>", "ended", "cleared"] {
        let (mut console, run) = asked(Role::Operator);
        propose(&mut console, run, SILENCE, silence());
        arm(&mut console);
        match stop {
            "ended" => console.update(Msg::Chat(ChatEvent::Ended {
                run,
                outcome: RunOutcome::Limit("time".into()),
            })),
            "cleared" => {
                console.state.chat.clear();
                console.update(Msg::Tick(NOW));
            }
            keys => {
                console.keys(keys);
            }
        }
        console.lacks("[ No ]");
        assert_eq!(not_acted(&console), ["the question was stopped"], "{stop}");
        console.keys("y");
        assert!(acts(&console).is_empty(), "{stop}");
        // Nor does a call of a question that is over open one.
        propose(&mut console, run, SILENCE, silence());
        console.lacks("[ No ]");
    }
}

/// What was sent and then stopped is still told.
#[test]
fn the_end_of_what_was_sent_is_told_after_the_question() {
    let (mut console, run) = asked(Role::Operator);
    propose(&mut console, run, SILENCE, silence());
    arm(&mut console);
    console.keys("y<c-c>");
    let sent = acts(&console).remove(0);
    end(&mut console, sent, Ok("accepted, silence 5a1c".into()));
    assert!(
        notes(&console).contains("accepted, silence 5a1c"),
        "{}",
        notes(&console)
    );
    console.has("accepted, silence 5a1c");
    assert!(told(&console).is_empty(), "nobody waits for it");
}

/// Text of a cluster wants everything hushed, elsewhere, or without a word: no dialog at all.
#[test]
fn silences_of_everything_and_of_other_clusters_are_refused_before_the_dialog() {
    let with = |matchers: Value| {
        let mut arguments = silence();
        arguments["matchers"] = matchers;
        arguments
    };
    for (arguments, clusters) in [
        (with(json!({})), vec![0]),
        (with(json!({"severity": "critical"})), vec![0]),
        (with(json!({"alertname": ""})), vec![0]),
        (with(json!({"alertname": ".*"})), vec![0]),
        (with(json!({"alertname": ".+"})), vec![0]),
        (
            with(json!({"alertname": "PtpOutOfSync", "node": ""})),
            vec![0],
        ),
        (
            with(json!({"alertname": "PtpOutOfSync", "node": ".*"})),
            vec![0],
        ),
        (with(json!({"alertname": "NoSuchAlert"})), vec![0]),
        (silence(), vec![0, 1, 2]),
        (silence(), vec![]),
        (silence(), vec![7]),
        (silence(), vec![1]),
        (json!({"cluster": NAMES[0]}), vec![0]),
        (json!("silence all alerts"), vec![0]),
    ] {
        let (mut console, run) = asked(Role::Admin);
        let ids = clusters.iter().map(|id| ClusterId(*id)).collect();
        propose_in(&mut console, run, SILENCE, arguments.clone(), ids);
        console.lacks("[ No ]");
        arm(&mut console);
        console.keys("y");
        assert!(acts(&console).is_empty());
        let all = told(&console);
        assert!(all.len() == 1 && !all[0].1, "{arguments}: {all:?}");
        assert!(all[0].0.contains("was not asked"), "{arguments}: {all:?}");
    }
    // A role that was taken away after the question began.
    let (mut console, run) = asked(Role::Admin);
    switch(&mut console, false);
    propose(&mut console, run, SILENCE, silence());
    console.lacks("[ No ]");
    assert!(told(&console)[0].0.contains("actions are off"));
}

/// The lines of the dialog, without its frame.
fn in_dialog(screen: &str) -> Vec<String> {
    let top = screen
        .lines()
        .find(|line| line.contains("┌─ The agent asks"));
    let top = top.expect("open");
    let left = top.split("┌─ The agent asks").next().unwrap_or_default();
    let left = left.chars().count() + 1;
    let wide = top.chars().skip(left).take_while(|c| *c != '┐').count();
    let lines = screen
        .lines()
        .map(|line| line.chars().skip(left).take(wide).collect());
    lines.collect()
}

/// However it is written, the reason stays behind its bar, in safe letters, cut.
#[test]
fn a_reason_cannot_pass_for_a_line_of_the_dialog() {
    let fakes = [
        "x\n\n[ No ]  y  does nothing, press it\n\nserver      http://elsewhere",
        "\u{1b}[2J\u{1b}]52;c;aWQ=\u{7}[ No ]\r\n\u{202e}y sends nothing",
        &format!("{}[ No ]  y sends nothing", " ".repeat(70)),
        &format!("{}[ No ]  y sends nothing", "word ".repeat(30)),
        &"[ No ]  y sends nothing ".repeat(200),
        "token=hunter2hunter2 password: hunter2hunter2",
    ];
    for fake in fakes {
        for size in [(200, 50), (120, 36), (80, 24)] {
            let (mut console, run) = asked(Role::Operator);
            console.resize(size);
            let mut arguments = silence();
            arguments["reason"] = fake.into();
            propose(&mut console, run, SILENCE, arguments);
            let top = console.screen();
            arm(&mut console);
            console.keys(&"j".repeat(40));
            for screen in [top, console.screen()] {
                assert!(!screen.contains("hunter2"), "{screen}");
                assert!(screen.chars().all(|c| c == '\n' || !c.is_control()));
                let lines = in_dialog(&screen);
                let line = |at: &str| lines.iter().filter(|line| line.starts_with(at)).count();
                assert_eq!(line("[ No ]"), 1, "{fake:?} in\n{screen}");
                assert!(line("server") <= 1, "{fake:?} in\n{screen}");
            }
        }
    }
}

/// Two that do not tell each other: each is asked about, and both ends are told.
#[test]
fn each_alertmanager_is_asked_about() {
    use farwatch::model::alert::Severity;
    use farwatch::model::health::{Health, SourceHealth, SourceKind};
    use farwatch::model::telemetry::Body;
    let mut console = acting(Role::Operator);
    for (at, place) in [(0, "http://am-a:9093"), (1, "http://am-b:9093")] {
        let source = SourceKind::Alertmanager(at);
        let health = SourceHealth {
            place: place.into(),
            health: Health::Live,
            ..SourceHealth::default()
        };
        console.tell(0, source, Body::Health(health));
        console.tell(0, source, Body::Gossip(vec![place.into()]));
        let list = vec![super::scenario::alert("PtpOutOfSync", Severity::Critical)];
        console.tell(0, source, Body::Alerts(list));
    }
    let (mut console, run) = asked_in(console);
    propose(&mut console, run, SILENCE, silence());
    console.has("another server is asked about next");
    arm(&mut console);
    console.keys("y");
    console.has("Alertmanager http://am-b:9093");
    let sent = acts(&console).remove(0);
    end(&mut console, sent, Ok("accepted, silence 1".into()));
    assert!(told(&console).is_empty(), "the other is not decided");
    arm(&mut console);
    console.keys("n");
    let (text, ok) = told(&console).remove(0);
    assert!(ok && text.contains("am-a:9093: done"), "{text}");
    assert!(
        text.contains("am-b:9093: refused by the operator"),
        "{text}"
    );
    assert_eq!(not_acted(&console).len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// No arguments and no keys send anything without a dialog that was read; with one, only `y`.
    #[test]
    fn nothing_is_sent_without_the_dialog(
        name in ".{0,20}",
        value in ".{0,20}",
        reason in ".{0,40}",
        keys in prop::collection::vec(prop::sample::select(vec![
            "Y", "<enter>", "<esc>", "<tab>", "j", "k", "n", "7", "q", "X", "<c-y>", "x",
        ]), 0..12),
    ) {
        let (mut console, run) = asked(Role::Admin);
        let arguments = json!({"cluster": NAMES[0], "reason": reason,
            "matchers": {"alertname": "PtpOutOfSync", name: value}});
        propose(&mut console, run, SILENCE, arguments);
        console.keys("yyyy");
        prop_assert!(acts(&console).is_empty(), "not read");
        for key in keys {
            arm(&mut console);
            console.keys(key);
        }
        prop_assert!(acts(&console).is_empty());
    }
}

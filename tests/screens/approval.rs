//! The pane while the operator is asked: about a tool of another program by word, about a proposal
//! of the agent in its dialog.

use std::sync::Arc;

use farwatch::config::{Agent, Config, ModelServer, Roles};
use farwatch::message::{Effect, Msg};
use farwatch::model::chat::{ChatEvent, Model, RunId, WorldQuery};
use farwatch::model::health::SourceKind;
use farwatch::model::id::ClusterId;
use farwatch::model::identity::{Identity, Role};
use farwatch::model::telemetry::Body;
use serde_json::json;

use crate::SIZES;
use crate::scenario::{Console, NAMES};

/// An operator who may act asks about an incident.
fn asking(size: (u16, u16)) -> (Console, RunId) {
    let mut console = Console::live(size);
    console.state.attended = true;
    console.state.config = Arc::new(Config {
        actions: true,
        roles: Roles::default(),
        agent: Some(Agent {
            servers: vec![ModelServer::default()],
            ..Agent::default()
        }),
        ..Config::clone(&console.state.config)
    });
    let identity = Identity {
        user: "alice".into(),
        groups: vec!["aiops-operators".into()],
        role: Role::Operator,
        ..Identity::default()
    };
    console.tell(
        0,
        SourceKind::Kubernetes,
        Body::Identity(Box::new(identity)),
    );
    console.update(Msg::Chat(ChatEvent::Model(Model {
        name: "qwen3-32b".into(),
        context: Some(32_768),
        server: None,
    })));
    console.keys("8a");
    let run = console
        .effects
        .iter()
        .rev()
        .find_map(|effect| match effect {
            Effect::Chat(request) => Some(request.run),
            _ => None,
        });
    let run = run.expect("the model is asked");
    console.update(Msg::Chat(ChatEvent::Started { run }));
    (console, run)
}

fn begun(console: &mut Console, run: RunId, tool: &str, arguments: &serde_json::Value) {
    console.update(Msg::Chat(ChatEvent::ToolStarted {
        run,
        call: "c1".into(),
        tool: tool.into(),
        arguments: arguments.to_string(),
        number: 1,
    }));
}

#[test]
fn a_proposal_is_asked_about_over_the_pane() {
    for size in SIZES {
        let (mut console, run) = asking(size);
        let arguments = json!({"cluster": NAMES[0], "hours": 4,
            "matchers": {"alertname": "PtpOutOfSync", "node": "n-07-b"},
            "reason": "the grandmaster's antenna is being replaced until 18:00"});
        begun(&mut console, run, "propose_silence", &arguments);
        console.update(Msg::WorldQuery(WorldQuery {
            run,
            call: "c1".into(),
            tool: "propose_silence".into(),
            arguments,
            clusters: vec![ClusterId(0)],
        }));
        keep("chat_proposal", size, &mut console);
        let (serial, _) = console.state.unarmed().expect("open");
        console.update(Msg::Armed(serial));
        console.keys("n");
        keep("chat_proposal_refused", size, &mut console);
    }
}

#[test]
fn a_call_of_another_program_waits_for_a_word() {
    for size in SIZES {
        let (mut console, run) = asking(size);
        let arguments = json!({"text": "gpu", "limit": 5});
        begun(&mut console, run, "tickets.search", &arguments);
        console.update(Msg::Chat(ChatEvent::Approval {
            run,
            call: "c1".into(),
            tool: "tickets.search".into(),
            arguments: arguments.to_string(),
        }));
        keep("chat_foreign", size, &mut console);
    }
}

/// Kept beside the other snapshots, by its own name.
fn keep(name: &str, size: (u16, u16), console: &mut Console) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let name = format!("{name}_{}x{}", size.0, size.1);
    settings.bind(|| insta::assert_snapshot!(name, console.screen()));
}

//! What the agent proposes goes through the console alone: no time of a tool ends it, one waits for
//! the other, it ends with its question, and no setting but one with an operator offers it.

use std::sync::Mutex;
use std::time::Duration;

use farwatch::agent::tools;
use farwatch::model::chat::{ChatEvent, RunOutcome, WorldQuery};
use serde_json::json;

use crate::chat::{Bench, ChatServer, calls, nothing, settings, text};

const SILENCE: &str = "propose_silence";

fn silence(cluster: &str, alert: &str) -> (&'static str, serde_json::Value) {
    let matchers = json!({"alertname": alert});
    let arguments = json!({"cluster": cluster, "matchers": matchers, "reason": "planned"});
    (SILENCE, arguments)
}

async fn next(bench: &mut Bench) -> ChatEvent {
    let next = tokio::time::timeout(Duration::from_secs(60), bench.events.recv());
    next.await.expect("in time").expect("open")
}

/// Proposals that reached the console, which never answers them.
static REACHED: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn thinking(query: &WorldQuery) -> Option<(String, usize, bool)> {
    if query.tool == SILENCE {
        let alert = query.arguments["matchers"]["alertname"].to_string();
        REACHED.lock().expect("whole").push(alert);
        return None;
    }
    Some(("fine".into(), 1, true))
}

#[tokio::test]
async fn one_proposal_waits_for_the_other_and_both_end_with_the_question() {
    let both = [silence("alpha", "A"), silence("beta", "B")];
    let server = ChatServer::start(vec![calls(&both), text("No.")]).await;
    let model = settings(&server.url(), Duration::from_secs(20));
    let mut bench = Bench::build(Some(model), nothing(), thinking);
    let run = bench.start("silence them");
    let mut begun = 0;
    while begun < 2 {
        if let ChatEvent::ToolStarted { .. } = next(&mut bench).await {
            begun += 1;
        }
    }
    // Twice as long as a tool may take here.
    tokio::time::sleep(Duration::from_millis(1_400)).await;
    assert_eq!(REACHED.lock().expect("whole").len(), 1, "the other waits");
    bench.agent.cancel(run);
    loop {
        match next(&mut bench).await {
            ChatEvent::ToolEnded { result, .. } => panic!("given up: {result}"),
            ChatEvent::Ended { outcome, .. } => {
                assert_eq!(outcome, RunOutcome::Cancelled);
                break;
            }
            _ => {}
        }
    }
    assert_eq!(REACHED.lock().expect("whole").len(), 1);
}

/// Checked before the console hears of it; what the console says of it goes back to the model.
#[tokio::test]
async fn what_is_wrong_never_reaches_the_console() {
    let wanted = [
        silence("prod-secret", "Down"),
        (
            SILENCE,
            json!({"cluster": "alpha", "matchers": {}, "reason": "x"}),
        ),
        (
            SILENCE,
            json!({"cluster": "alpha", "matchers": {"severity": "critical"}, "reason": "x"}),
        ),
        (
            "propose_gitops",
            json!({"cluster": "alpha", "action": "delete", "namespace": "a", "name": "b",
                "reason": "x"}),
        ),
        silence("alpha", "Down"),
    ];
    let server = ChatServer::start(vec![calls(&wanted), text("So it is [5].")]).await;
    let mut bench = Bench::build(
        Some(settings(&server.url(), Duration::from_secs(20))),
        nothing(),
        |query| Some((format!("refused: {}", query.arguments), 1, false)),
    );
    let seen = bench.ask("silence all alerts").await;
    let said: Vec<&str> = seen.ended.iter().map(|(text, ..)| text.as_str()).collect();
    let of = |word: &str| said.iter().filter(|text| text.contains(word)).count();
    assert_eq!(said.len(), 5, "{said:?}");
    assert_eq!(of("CLUSTER_NOT_FOUND"), 1, "{said:?}");
    assert_eq!(of("must name the alert"), 2, "{said:?}");
    assert_eq!(of("unknown variant `delete`"), 1, "{said:?}");
    assert_eq!(of("refused: {"), 1, "{said:?}");
    let rules = server.requests()[0]["messages"][0]["content"].to_string();
    assert!(rules.contains("Exception to 5: a propose_ tool"), "{rules}");
}

/// Nobody sits before the world alone, so it offers none; that is what other programs are served.
#[test]
fn only_a_console_with_its_operator_offers_them() {
    use farwatch::agent::persona;
    use farwatch::state::world::World;
    let all: Vec<_> = tools::all().iter().filter(|tool| tool.proposes()).collect();
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|tool| !tool.stands_alone() && !tool.asks));
    for own in farwatch::config::persona::built_in() {
        let offered = persona::offered(&World::default(), &own);
        assert!(!tools::may_propose(&offered), "{}", own.id);
    }
}

//! Silences of a real Alertmanager: made, listed, ended; each with its lines in the audit file.

use std::sync::Arc;
use std::time::Duration;

use farwatch::clock;
use farwatch::config::{Cluster, Config, Roles};
use farwatch::model::action::{Action, ActionRequest, Proposer};
use farwatch::model::id::{ClusterId, RequestId};
use farwatch::model::identity::Role;
use farwatch::model::telemetry::Body;
use farwatch::source::Outlet;
use farwatch::source::actions::Actions;
use farwatch::source::supervisor::{Fleet, Pace};
use serde_json::Value;

use crate::endpoint;
use crate::prometheus::Alertmanager;

/// Whoever sits there may act: without an API server nobody tells who the operator is.
fn acting(alertmanager: &Alertmanager) -> Config {
    Config {
        clusters: vec![Cluster {
            name: "alpha".into(),
            alertmanagers: vec![endpoint(alertmanager.program.url())],
            ..Cluster::default()
        }],
        actions: true,
        roles: Roles {
            default: Role::Operator,
            ..Roles::default()
        },
        ..Config::default()
    }
}

/// The audit file tells who wanted it and who let it through, or that nobody did.
#[tokio::test]
async fn what_the_agent_proposed_is_written_down_as_such() {
    let alertmanager = Alertmanager::start();
    let config = Arc::new(acting(&alertmanager));
    let (outlet, _queue) = Outlet::new(256);
    let fleet = Fleet::start_with(config.clone(), outlet, Pace::default());
    let folder = tempfile::tempdir().unwrap();
    let audit = folder.path().join("actions.jsonl");
    let actions = Actions::new(config, fleet.reach(), Some(audit.clone()));
    let now = clock::now();
    let action = Action::Silence {
        matchers: vec![("alertname".into(), "Down".into())],
        from: now,
        until: now.plus_ms(3_600_000),
        comment: "proposed by the agent: planned".into(),
    };
    let request = ActionRequest {
        server: alertmanager.program.url(),
        proposer: Some(Proposer {
            run: RequestId(1),
            call: "c1".into(),
        }),
        ..ActionRequest::new(ClusterId(0), action, "alice")
    };
    actions.refused(request.clone(), "refused by the operator");
    actions.finish().await;
    let url = format!("{}/api/v2/silences", alertmanager.program.url());
    let held = async || -> Value {
        let text = reqwest::get(&url).await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    };
    assert_eq!(held().await, serde_json::json!([]), "refused");
    actions.carry_out(request).await.result.unwrap();
    assert_eq!(held().await.as_array().map(Vec::len), Some(1));

    let text = std::fs::read_to_string(&audit).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |field: &str| -> Vec<Value> { lines.iter().map(|l| l[field].clone()).collect() };
    assert_eq!(of("stage"), ["refused", "asked", "done"]);
    assert_eq!(of("proposed_by"), ["agent", "agent", "agent"]);
    assert_eq!(
        of("allowed_by"),
        [Value::Null, "alice".into(), "alice".into()]
    );
    assert_eq!(lines[0]["outcome"], "refused by the operator");
    fleet.shutdown().await;
}

#[tokio::test]
async fn a_silence_is_made_listed_and_ended() {
    let alertmanager = Alertmanager::start();
    let config = Arc::new(acting(&alertmanager));
    let (outlet, mut queue) = Outlet::new(256);
    let fleet = Fleet::start_with(config.clone(), outlet, Pace::default());
    let folder = tempfile::tempdir().unwrap();
    let audit = folder.path().join("actions.jsonl");
    let actions = Actions::new(config, fleet.reach(), Some(audit.clone()));
    let act = async |action| {
        let request = ActionRequest {
            server: alertmanager.program.url(),
            ..ActionRequest::new(ClusterId(0), action, "alice")
        };
        actions.carry_out(request).await.result
    };
    let now = clock::now();
    let told = act(Action::Silence {
        matchers: vec![("alertname".into(), "Disk \"full\"".into())],
        from: now,
        until: now.plus_ms(3_600_000),
        comment: "known, being mended".into(),
    });
    let told = told.await.unwrap();
    let id = told
        .strip_prefix("accepted, silence ")
        .expect(&told)
        .to_owned();

    // The source tells it as it was made.
    let listed = tokio::time::timeout(Duration::from_secs(60), async {
        fleet.refresh(None);
        loop {
            // A wish that comes while the source is asked may be part of that answer: wished again.
            let told = tokio::time::timeout(Duration::from_secs(2), queue.recv()).await;
            fleet.refresh(None);
            let Ok(telemetry) = told else {
                continue;
            };
            let telemetry = telemetry.expect("the queue is open");
            if let Body::Silences(list) = telemetry.body
                && let Some(silence) = list.into_iter().find(|s| s.id == id)
            {
                return silence;
            }
        }
    });
    let silence = listed.await.expect("the silence is told");
    assert_eq!(
        (silence.by.as_str(), silence.comment.as_str()),
        ("alice", "known, being mended")
    );
    assert_eq!(silence.matchers, "alertname=\"Disk \\\"full\\\"\"");
    let hour = silence.ends_at.0 - silence.starts_at.0;
    assert!((3_500_000..=3_600_000).contains(&hour), "{hour}");

    assert_eq!(
        act(Action::Expire { id: id.clone() }).await.unwrap(),
        "accepted"
    );
    let url = format!("{}/api/v2/silence/{id}", alertmanager.program.url());
    let state: Value =
        serde_json::from_str(&reqwest::get(url).await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(state["status"]["state"], "expired");
    let unknown = act(Action::Expire {
        id: "00000000-0000-0000-0000-000000000000".into(),
    });
    assert!(unknown.await.is_err());

    let text = std::fs::read_to_string(&audit).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let stages: Vec<&str> = lines.iter().map(|l| l["stage"].as_str().unwrap()).collect();
    assert_eq!(
        stages,
        ["asked", "done", "asked", "done", "asked", "failed"]
    );
    assert_eq!(lines[2]["path"], format!("/api/v2/silence/{id}"));
    assert_eq!(lines[2]["method"], "DELETE");
    assert!(lines[1]["outcome"].as_str().unwrap().contains(&id));
    fleet.shutdown().await;
}

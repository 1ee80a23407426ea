use super::*;
use crate::model::gitops::{AppKind, Operation, Sync};

fn app(kind: AppKind) -> App {
    App {
        destination_namespace: Some("ran".into()),
        sync: Sync::Synced,
        health: AppHealth::Healthy,
        health_since: Some(Timestamp(5_000)),
        revision: Some("1.0.0".into()),
        ..App::new(kind, "argocd", "du")
    }
}

fn judge(app: &App, drift: Option<(Timestamp, bool)>) -> Vec<Condition> {
    apps(std::iter::once((app, drift)))
}

#[test]
fn what_is_bad_and_how_long_it_must_last() {
    let base = app(AppKind::Application);
    assert!(judge(&base, None).is_empty());
    let degraded = App {
        health: AppHealth::Degraded,
        message: Some("no pods".into()),
        ..base.clone()
    };
    let progressing = App {
        health: AppHealth::Progressing,
        ..base.clone()
    };
    let failed = App {
        operation: Some(Operation {
            phase: "Failed".into(),
            message: "hook".into(),
            finished: Some(Timestamp(7_000)),
            ..Operation::default()
        }),
        ..base.clone()
    };
    let stalled = App {
        health: AppHealth::Degraded,
        state: "stalled".into(),
        ..app(AppKind::HelmRelease)
    };
    let since = Some((Timestamp(9_000), true));
    for (app, drift, text, minutes, begun) in [
        (&degraded, None, "Degraded: no pods", 2, Some(5_000)),
        (
            &progressing,
            None,
            "Progressing for more than 30 min",
            30,
            Some(5_000),
        ),
        (&failed, None, "sync of 1.0.0 Failed: hook", 0, Some(7_000)),
        (&stalled, None, "stalled", 2, Some(5_000)),
        (&base, since, "OutOfSync for more than 1 h", 60, Some(9_000)),
    ] {
        let found = judge(app, drift);
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(found[0].text, text);
        assert_eq!(found[0].for_ms, minutes * MINUTE_MS, "{text}");
        assert_eq!(found[0].since.map(|s| s.0), begun, "{text}");
    }
    let put_off = App {
        suspended: true,
        ..degraded
    };
    assert!(judge(&put_off, None).is_empty(), "somebody knows already");
}

#[test]
fn an_application_stands_with_what_it_deploys() {
    let mut bad = app(AppKind::Application);
    bad.health = AppHealth::Missing;
    let subject = judge(&bad, None)[0].subject.clone();
    assert_eq!(subject.namespace(), Some("ran"));
    assert_eq!(subject.to_string(), "Application argocd/du");
    bad.destination = Some("edge-2".into());
    let subject = judge(&bad, None)[0].subject.clone();
    assert_eq!(subject.namespace(), None, "it runs in another cluster");
}

#[test]
fn a_model_server_may_take_its_time_to_load() {
    let server = |failure: Option<&str>, ready| InferenceService {
        namespace: "ml".into(),
        name: "llama".into(),
        ready,
        url: None,
        runtime: None,
        model: None,
        transition: None,
        failure: failure.map(str::to_owned),
        gpus: 1,
        conditions: Vec::new(),
    };
    let told = |s: &InferenceService| {
        let found = inference(std::iter::once(s));
        found.first().map(|c| (c.text.clone(), c.for_ms))
    };
    assert_eq!(told(&server(None, Some(true))), None);
    assert_eq!(told(&server(None, None)), None);
    let waits = told(&server(None, Some(false)));
    assert_eq!(
        waits,
        Some(("model server is not ready".into(), 10 * MINUTE_MS))
    );
    let failed = told(&server(Some("OutOfMemory"), Some(false)));
    assert_eq!(
        failed,
        Some(("model server is not ready: OutOfMemory".into(), 0))
    );
}

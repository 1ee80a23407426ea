//! Questions to Tempo, answered by what a real one was recorded to say.

use farwatch::config::{Cluster, Config, Endpoint};
use farwatch::model::ask::{Answer, Answered, Ask, Question};
use farwatch::model::fault::{Fault, FaultKind};
use farwatch::model::id::{ClusterId, RequestId};
use farwatch::model::time::Timestamp;
use farwatch::model::trace::{Trace, TraceId};
use farwatch::source::Outlet;
use farwatch::source::supervisor::Fleet;

use crate::tempo_server::{TRACE, TempoServer, Ways};

/// Asks through the supervisor, as a screen does.
async fn ask(url: Option<String>, ask: Ask) -> Answered {
    let tempo = url.map(|url| Endpoint {
        url,
        timeout: std::time::Duration::from_millis(700),
        ..Endpoint::default()
    });
    let config = Config {
        clusters: vec![Cluster {
            name: "alpha".into(),
            tempo,
            ..Cluster::default()
        }],
        ..Config::default()
    };
    let (outlet, _queue) = Outlet::new(64);
    let fleet = Fleet::start(std::sync::Arc::new(config), outlet);
    let question = Question {
        id: RequestId(1),
        cluster: ClusterId(0),
        ask,
    };
    let answered = fleet.lookup().ask(question).await;
    fleet.shutdown().await;
    answered
}

fn traces(query: &str) -> Ask {
    Ask::Traces {
        query: query.to_owned(),
        start: Timestamp(1_795_227_104_000),
        end: Timestamp(1_795_230_704_000),
        limit: 5,
    }
}

fn by_id(id: &str) -> Ask {
    Ask::Trace {
        id: TraceId::parse(id).unwrap(),
    }
}

fn trace(answered: Answered) -> Trace {
    match answered.result {
        Ok(Answer::Trace(trace)) => trace.as_ref().clone(),
        other => panic!("{other:?}"),
    }
}

async fn refused(query: &str) -> Fault {
    let server = TempoServer::start(Ways::Both).await;
    ask(Some(server.url()), traces(query))
        .await
        .result
        .unwrap_err()
}

#[tokio::test]
async fn traces_are_searched_within_a_time() {
    let server = TempoServer::start(Ways::Both).await;
    let answered = ask(Some(server.url()), traces("{ status = error }")).await;
    assert_eq!(answered.cut_from, Some(5), "there may be more");
    let Ok(Answer::Traces(found)) = answered.result else {
        panic!("{answered:?}");
    };
    assert_eq!(found.len(), 5);
    assert!(found.iter().all(|s| s.failed() == Some(true)));
    let requests = server.requests();
    let request = requests.iter().find(|r| r.path == "/api/search").unwrap();
    for (name, value) in [
        ("q", "{ status = error }"),
        ("start", "1795227104"),
        ("end", "1795230705"),
        ("limit", "5"),
    ] {
        assert_eq!(request.param(name), Some(value), "{name}");
    }
    let none = ask(
        Some(server.url()),
        traces("{ resource.service.name = \"nope\" }"),
    )
    .await;
    assert_eq!(none.result, Ok(Answer::Traces(Vec::new())));
}

#[tokio::test]
async fn a_trace_comes_from_v2_else_v1_else_as_protobuf() {
    let mut same = Vec::new();
    for (ways, path) in [
        (Ways::Both, "/api/v2/traces/"),
        (Ways::Old, "/api/traces/"),
        (Ways::Protobuf, "/api/v2/traces/"),
    ] {
        let server = TempoServer::start(ways).await;
        same.push(trace(ask(Some(server.url()), by_id(TRACE)).await));
        // Among them are signs of life.
        let mut requests = server.requests();
        requests.retain(|r| r.path.contains("/traces/"));
        let last = requests.pop().unwrap();
        assert_eq!(last.path, format!("{path}{TRACE}"), "{ways:?}");
        assert!(
            last.header("accept")
                .unwrap()
                .starts_with("application/json")
        );
    }
    assert_eq!(same[0].nodes.len(), 10);
    assert!(same.windows(2).all(|w| w[0] == w[1]));
}

#[tokio::test]
async fn a_trace_that_is_not_there_is_told_from_an_api_that_is_not_there() {
    for (ways, words) in [
        (
            Ways::Both,
            "no trace 00000000000000000000000000000001 there",
        ),
        (Ways::Old, "no trace 00000000000000000000000000000001 there"),
        (Ways::None, "404: no such API there"),
    ] {
        let server = TempoServer::start(ways).await;
        let fault = ask(Some(server.url()), by_id("1"))
            .await
            .result
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::NotFound, "{ways:?}");
        assert!(fault.what.contains(words), "{ways:?}: {fault}");
        assert!(!fault.hint.is_empty());
    }
}

#[tokio::test]
async fn refusals_are_told_in_the_words_of_the_server() {
    for (query, words) in [
        ("{ status = ", "parse error at line 1, col 12"),
        (
            "{ status = 3 && duration = \"x\" }",
            "must operate on the same type",
        ),
        ("long", "exceeds 168h0m0s"),
        ("order", "start must be before end"),
        ("limit", "exceeds max limit 262144"),
    ] {
        let fault = refused(query).await;
        assert_eq!(fault.kind, FaultKind::BadQuery, "{query}");
        assert!(fault.what.contains(words), "{fault}");
    }
    let server = TempoServer::start(Ways::Silent).await;
    let fault = ask(Some(server.url()), traces("{}"))
        .await
        .result
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Timeout);
    let fault = ask(None, traces("{}")).await.result.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Config);
    assert!(fault.what.contains("no tempo is configured"), "{fault}");
}

#[tokio::test]
async fn names_and_values_come_from_new_and_old_servers() {
    let names = |answered: Answered| match answered.result {
        Ok(Answer::Names(names)) => names,
        other => panic!("{other:?}"),
    };
    for (ways, tag) in [(Ways::Both, "span.http.route"), (Ways::Old, ".http.route")] {
        let server = TempoServer::start(ways).await;
        let tags = names(ask(Some(server.url()), Ask::TraceTags).await);
        assert!(tags.iter().any(|t| t == tag), "{ways:?}");
        let wanted = Ask::TraceTagValues {
            tag: "resource.service.name".to_owned(),
        };
        let values = match ask(Some(server.url()), wanted).await.result {
            Ok(Answer::TagValues(values)) => values,
            other => panic!("{other:?}"),
        };
        // Only new servers tell what a value is.
        let kind = if ways == Ways::Both { "string" } else { "" };
        let wanted = ("checkout".to_owned(), kind.to_owned());
        assert!(values.contains(&wanted), "{ways:?}: {values:?}");
    }
    let server = TempoServer::start(Ways::Both).await;
    let wanted = Ask::TraceTagValues {
        tag: "../../config".to_owned(),
    };
    let fault = ask(Some(server.url()), wanted).await.result.unwrap_err();
    assert_eq!(fault.kind, FaultKind::BadQuery);
    assert!(server.requests().iter().all(|r| !r.path.contains("config")));
}

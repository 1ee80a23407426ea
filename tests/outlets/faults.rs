//! Servers that refuse, ask for patience, redirect or want a password.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farwatch::config::{Auth, Endpoint, Watch};
use farwatch::model::alert::Severity;
use farwatch::source::door::Poster;
use futures::FutureExt;
use reqwest::header::HeaderMap;

use super::wire::{Request, Server, reply};
use super::{endpoint, incident, listening, own, started, until};

type Kept = Arc<Mutex<Vec<Request>>>;
type Script = &'static [(u16, &'static [(&'static str, &'static str)])];

/// Answers by the script, then always 200; keeps what came.
async fn scripted(script: Script) -> (Server, Kept) {
    let kept = Kept::default();
    let left: Arc<Mutex<VecDeque<_>>> = Arc::new(Mutex::new(script.iter().collect()));
    let store = Arc::clone(&kept);
    let server = Server::start(Arc::new(move |request, stream| {
        store.lock().unwrap().push(request);
        let next = left.lock().unwrap().pop_front();
        let (status, headers) = next.copied().unwrap_or((200, &[]));
        async move { reply(stream, status, "text/plain", headers, b"{}").await }.boxed()
    }))
    .await;
    (server, kept)
}

fn bodies(kept: &Kept) -> Vec<Vec<u8>> {
    let kept = kept.lock().unwrap();
    kept.iter().map(|request| request.body.clone()).collect()
}

#[tokio::test]
async fn samples_are_tried_again_after_a_failure_and_not_after_a_refusal() {
    const SOON: &[(&str, &str)] = &[("Retry-After", "0")];
    let (server, kept) = scripted(&[(503, SOON), (429, SOON), (500, SOON), (400, &[])]).await;
    let outlets = started(Watch {
        listen: listening(),
        remote_write: Some(endpoint(server.url())),
        ..Watch::default()
    })
    .await;
    let open = [incident(7, Severity::Warning)];
    let many = until("six requests", &outlets, &open, async || {
        Some(bodies(&kept)).filter(|all| all.len() >= 6)
    });
    let many = many.await;
    assert!(
        many[..4].iter().all(|body| *body == many[0]),
        "the same again"
    );
    assert!(
        many[4..].iter().all(|body| *body != many[0]),
        "refused for good"
    );
    let first = kept.lock().unwrap()[0].clone();
    assert_eq!(first.method, "POST");
    for (name, value) in [
        ("content-type", "application/x-protobuf"),
        ("content-encoding", "snappy"),
        ("x-prometheus-remote-write-version", "0.1.0"),
    ] {
        assert_eq!(first.header(name), Some(value));
    }
    let label = "{outlet=\"remote_write\"}";
    let failed = format!("farwatch_outlet_failures_total{label}");
    assert_eq!(own(&outlets, &failed).await, Some(4.0));
    let dropped = format!("farwatch_outlet_dropped_total{label}");
    let dropped = own(&outlets, &dropped).await;
    assert_eq!(dropped, Some(3.0), "the samples of one turn");
    outlets.end().await;
}

#[tokio::test]
async fn an_alert_is_tried_again_and_signed_in_by_reference() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "hook-secret-token\n").expect("written");
    let (server, kept) = scripted(&[(503, &[("Retry-After", "0")])]).await;
    let outlets = started(Watch {
        webhook: vec![Endpoint {
            auth: Auth::BearerFile(file),
            headers: vec![("X-Scope-OrgID".into(), "ops".into())],
            ..endpoint(format!("{}/api/v2/alerts", server.url()))
        }],
        ..Watch::default()
    })
    .await;
    let open = [incident(7, Severity::Warning)];
    until("it came again", &outlets, &open, async || {
        (kept.lock().unwrap().len() >= 2).then_some(())
    })
    .await;
    for request in kept.lock().unwrap().iter() {
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/api/v2/alerts")
        );
        assert_eq!(
            request.header("authorization"),
            Some("Bearer hook-secret-token")
        );
        assert_eq!(request.header("x-scope-orgid"), Some("ops"));
        assert_eq!(request.header("content-type"), Some("application/json"));
    }
    outlets.end().await;
}

#[tokio::test]
async fn what_ended_while_nobody_took_it_is_told_at_the_end() {
    let (server, kept) = scripted(&[(503, &[("Retry-After", "3600")])]).await;
    let outlets = started(Watch {
        webhook: vec![endpoint(server.url())],
        ..Watch::default()
    })
    .await;
    let open = [incident(7, Severity::Warning)];
    until("the first try", &outlets, &open, async || {
        (kept.lock().unwrap().len() == 1).then_some(())
    })
    .await;
    outlets.end().await;
    let all = bodies(&kept);
    assert_eq!(all.len(), 2, "once more before it goes, and not before");
}

#[tokio::test]
async fn a_post_goes_to_one_place_and_its_fault_tells_what_to_do() {
    super::prepared();
    let (server, kept) = scripted(&[
        (302, &[("Location", "/elsewhere")]),
        (307, &[("Location", "http://127.0.0.1:9/")]),
        (503, &[("Retry-After", "7")]),
        (429, &[("Retry-After", "9")]),
        (401, &[]),
        (413, &[]),
        (408, &[]),
    ])
    .await;
    let poster = Poster::open(&endpoint(server.url()), "watch").expect("a poster");
    let mut seen = Vec::new();
    for _ in 0..7 {
        let told = poster.post(HeaderMap::new(), "x".into()).await;
        let untaken = told.expect_err("not taken");
        seen.push((untaken.passing, untaken.after));
    }
    let wait = |s| Some(Duration::from_secs(s));
    let all = [
        (false, None),
        (false, None),
        (true, wait(7)),
        (true, wait(9)),
        (false, None),
        (false, None),
        (true, None),
    ];
    assert_eq!(seen, all);
    assert_eq!(kept.lock().unwrap().len(), 7, "no redirect was followed");
    assert!(poster.post(HeaderMap::new(), "x".into()).await.is_ok());
    drop(server);
    let away = poster.post(HeaderMap::new(), "x".into()).await;
    assert!(away.expect_err("nobody is there").passing);
}

/// A front end answers with its login page and status 200: nothing was taken.
#[tokio::test]
async fn a_login_page_takes_nothing() {
    super::prepared();
    let server = Server::start(Arc::new(|_, stream| {
        let page = b"<html><title>Log in</title><input type=\"password\"></html>";
        async move { reply(stream, 200, "text/html", &[], page).await }.boxed()
    }))
    .await;
    let poster = Poster::open(&endpoint(server.url()), "watch").expect("a poster");
    let untaken = poster.post(HeaderMap::new(), "x".into()).await;
    let untaken = untaken.expect_err("a login page");
    assert!(
        !untaken.passing && untaken.to_string().contains("login page"),
        "{untaken}"
    );
}

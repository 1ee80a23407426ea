//! Clock states of cloud-event-proxy, and what a proxy that is none of that may say.

use std::sync::atomic::{AtomicUsize, Ordering};

use farwatch::config::{Cluster, Config};
use farwatch::model::fault::Fault;
use farwatch::model::ptp::ClockTold;
use farwatch::source::supervisor::Fleet;

use super::*;
use crate::wire::{self, Request};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    V2,
    V1,
    /// It publishes, and nobody subscribed.
    Unsubscribed,
    Nothing,
    Forbidden,
    Truncated,
    Huge,
    Page,
    Elsewhere,
}

const LOCK: &str = "/cluster/node/du-1/sync/ptp-status/lock-state";
const CLASS: &str = "/cluster/node/du-1/sync/ptp-status/clock-class";
const JSON: &str = "application/json";

fn state(word: &str) -> String {
    format!(
        r#"{{"type":"event.sync.ptp-status.ptp-state-change","time":"2026-11-21T14:32:01Z","data":{{
        "version":"1.0","values":[{{"ResourceAddress":"/cluster/node/du-1/ens1f0/master",
        "data_type":"notification","value_type":"enumeration","value":"{word}"}},
        {{"ResourceAddress":"/cluster/node/du-1/ens1f0/master","data_type":"metric",
        "value_type":"decimal64.3","value":"-62"}}]}}}}"#
    )
}

async fn proxy(way: Way) -> wire::Server {
    let asked = Arc::new(AtomicUsize::new(0));
    wire::Server::start(Arc::new(move |request: Request, stream| {
        let asked = asked.clone();
        Box::pin(async move {
            let path = request.path.as_str();
            let api = if way == Way::V1 { "v1" } else { "v2" };
            let rest = path.strip_prefix(&format!("/api/ocloudNotifications/{api}"));
            let publishers = match way {
                Way::V1 => format!(r#"[{{"resource":"{LOCK}"}}]"#),
                Way::Nothing => "[]".into(),
                Way::Elsewhere => r#"[{"ResourceAddress":"/../../secret"}]"#.into(),
                _ => format!(
                    r#"[{{"ResourceAddress":"{LOCK}","EndpointUri":"x"}},{{"ResourceAddress":"{CLASS}"}},7]"#
                ),
            };
            let (status, body) = match rest {
                _ if way == Way::Forbidden => (403, "no".into()),
                Some("/publishers") => (200, publishers),
                Some(state_of) if state_of == format!("{LOCK}/CurrentState") => {
                    let n = asked.fetch_add(1, Ordering::SeqCst);
                    match way {
                        Way::V1 => (200, state("LOCKED").replace("data_type", "dataType")),
                        Way::Truncated => (200, state("LOCKED")[..120].to_owned()),
                        Way::Huge => (200, " ".repeat(17 << 20)),
                        Way::Page => (200, "<html><title>Sign in</title></html>".into()),
                        Way::Unsubscribed => (404, "no subscription".into()),
                        _ if n == 0 => (200, state("LOCKED")),
                        _ => (200, state("HOLDOVER-IN-SPEC-2")),
                    }
                }
                _ => (404, "404 page not found".into()),
            };
            wire::reply(stream, status, JSON, &[], body.as_bytes()).await
        })
    }))
    .await
}

/// What it tells first and next, or how it fails.
async fn heard(way: Way, wanted: usize) -> Result<Vec<Vec<ClockTold>>, Fault> {
    let server = proxy(way).await;
    let proxy = Endpoint {
        url: server.url(),
        interval: Some(Duration::from_millis(20)),
        timeout: Duration::from_secs(5),
        requests_per_minute: 100_000,
        ..Endpoint::default()
    };
    let config = Config {
        clusters: vec![Cluster {
            name: "alpha".into(),
            ptp_events: vec![proxy],
            ..Cluster::default()
        }],
        ..Config::default()
    };
    let (outlet, mut queue) = Outlet::new(64);
    let fleet = Fleet::start(Arc::new(config), outlet);
    let mut told = Vec::new();
    let end = loop {
        let telemetry = queue.recv().await.expect("the fleet is there");
        assert_eq!(telemetry.source, SourceKind::ClockEvents(0));
        match telemetry.body {
            Body::Clocks(states) => {
                told.push(states);
                if told.len() == wanted {
                    break Ok(told);
                }
            }
            Body::Health(health) => match health.health {
                Health::Failing { fault, .. } | Health::Denied { fault, .. } => break Err(fault),
                _ => {}
            },
            _ => {}
        }
    };
    fleet.shutdown().await;
    end
}

#[tokio::test]
async fn the_state_of_each_resource_is_told_by_either_version() {
    let told = heard(Way::V2, 2).await.expect("told");
    let words: Vec<String> = told.iter().map(|states| states[0].words()).collect();
    let place = "(ens1f0/master, -62 ns)";
    let wanted = [
        format!("LOCKED {place}"),
        format!("HOLDOVER-IN-SPEC-2 {place}"),
    ];
    assert_eq!(words, wanted);
    assert_eq!(told[0].len(), 1, "nobody subscribed to the other one");
    let told = heard(Way::V1, 1).await.expect("told");
    assert_eq!(told[0][0].words(), format!("LOCKED {place}"));
}

#[tokio::test]
async fn a_proxy_that_tells_nothing_says_why_and_what_to_try() {
    for (way, kind, wanted) in [
        (
            Way::Unsubscribed,
            FaultKind::NotFound,
            "only once somebody has subscribed",
        ),
        (
            Way::Nothing,
            FaultKind::NotFound,
            "publishes no clock resource",
        ),
        (
            Way::Elsewhere,
            FaultKind::NotFound,
            "publishes no clock resource",
        ),
        (Way::Forbidden, FaultKind::Forbidden, "403"),
        (Way::Truncated, FaultKind::BadPayload, "EOF"),
        (Way::Huge, FaultKind::BadPayload, "larger than 16 MiB"),
        (Way::Page, FaultKind::BadPayload, "Sign in"),
    ] {
        let fault = heard(way, 1).await.expect_err("nothing to tell");
        assert_eq!(fault.kind, kind, "{way:?}: {fault}");
        assert_eq!(fault.cluster, "alpha");
        assert!(fault.what.contains(wanted), "{way:?}: {fault}");
    }
}

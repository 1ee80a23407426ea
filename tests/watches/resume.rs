//! After a cut, a restart or a silence a watch goes on where it was: nothing twice, nothing lost.

use std::time::Duration;

use farwatch::model::fault::{Fault as Told, FaultKind};
use farwatch::model::object::ObjectKind;
use farwatch::source::supervisor::Pace;
use serde_json::{Value, json};

use crate::apiserver::{ApiServer, Fault, Options};
use crate::console::{Console, kube, pace};

const PODS: ObjectKind = ObjectKind::Pod;

fn pod(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop"}, "status": {"phase": "Running"}})
}

/// With three pods; lists are lists, not watches.
async fn plain() -> ApiServer {
    let server = ApiServer::start_with(Options {
        version: Some("v1.31.4".into()),
        ..Options::default()
    })
    .await;
    for name in ["a", "b", "c"] {
        server.put(pod(name));
    }
    server
}

async fn begun(server: &ApiServer, pace: &Pace) -> Console {
    let mut console = Console::with(&kube(server), pace);
    console
        .until("the list", |c| c.live() && c.names(PODS) == ["a", "b", "c"])
        .await;
    while server.count("watch", "pods") == 0 {
        console.rest(Duration::from_millis(20)).await;
    }
    console
}

fn blameless(console: &Console) {
    let faults = console.faults();
    assert!(faults.is_empty(), "no fault of anybody: {faults:?}");
}

fn one_list(server: &ApiServer, console: &Console) {
    assert_eq!(server.count("list", "pods"), 1, "listed anew");
    assert_eq!(console.resets(PODS), 1);
}

#[tokio::test]
async fn a_cut_in_the_middle_of_a_line_loses_nothing() {
    let server = plain().await;
    let mut console = begun(&server, &pace()).await;
    server.fault(Fault::cut_after("pods", 1).once());
    server.cut();
    console
        .until("again", |_| server.count("watch", "pods") == 2)
        .await;
    // The first goes out whole, the second is cut.
    server.put(pod("d"));
    server.put(pod("e"));
    server.delete("Pod", "shop", "a");
    console
        .until("the changes", |c| c.names(PODS) == ["b", "c", "d", "e"])
        .await;
    assert_eq!((console.told("d"), console.told("e")), (1, 1), "told twice");
    one_list(&server, &console);
}

#[tokio::test]
async fn a_leader_change_cuts_all_and_versions_go_on() {
    let server = plain().await;
    let mut console = begun(&server, &pace()).await;
    for round in 0..5 {
        let name = format!("round-{round}");
        server.put(pod(&name));
        server.cut();
        let watched =
            |c: &Console| c.has(PODS, &name) && server.count("watch", "pods") == round + 2;
        console.until(&name, watched).await;
        server.delete("Pod", "shop", &name);
        console.until("its end", |c| !c.has(PODS, &name)).await;
        assert_eq!(console.told(&name), 1);
    }
    one_list(&server, &console);
    assert!(console.live());
}

#[tokio::test]
async fn a_restart_is_told_and_what_changed_meanwhile_comes() {
    let server = plain().await;
    let mut console = begun(&server, &pace()).await;
    server.down().await;
    console
        .until("it is down", |c| c.health.fault().is_some())
        .await;
    server.delete("Pod", "shop", "b");
    server.put(pod("d"));
    server.up().await;
    console
        .until("well again", |c| {
            c.live() && c.names(PODS) == ["a", "c", "d"]
        })
        .await;
    one_list(&server, &console);
}

#[tokio::test]
async fn what_vanished_while_the_server_forgot_is_deleted() {
    let server = plain().await;
    let mut console = begun(&server, &pace()).await;
    server.down().await;
    console
        .until("it is down", |c| c.health.fault().is_some())
        .await;
    server.delete("Pod", "shop", "b");
    server.put(pod("d"));
    server.compact();
    server.up().await;
    console
        .until("the list", |c| c.names(PODS) == ["a", "c", "d"])
        .await;
    assert_eq!(server.count("list", "pods"), 2);
    assert_eq!(console.resets(PODS), 2);
    // It was down, and that is all that was ever wrong.
    let faults = console.faults();
    assert!(!faults.is_empty(), "its being down was told");
    let down = |f: &&&Told| f.kind == FaultKind::Unreachable;
    let other = faults.iter().find(|f| !down(f));
    assert!(other.is_none(), "no fault of anybody: {other:?}");
}

#[tokio::test]
async fn a_version_refused_with_http_410_is_listed_anew() {
    let server = plain().await;
    let mut console = begun(&server, &pace()).await;
    server.fault(Fault::status("watch", "pods", 410, "Expired", "too old").once());
    server.cut();
    console
        .until("a second list", |c| c.resets(PODS) == 2)
        .await;
    server.put(pod("d"));
    console.until("a change", |c| c.has(PODS, "d")).await;
    assert_eq!(server.count("list", "pods"), 2);
    blameless(&console);
}

#[tokio::test]
async fn a_list_that_expires_between_its_pages_comes_in_one_piece() {
    let server = plain().await;
    for n in 0..600 {
        server.put(pod(&format!("p{n:03}")));
    }
    server.fault(Fault::gone("list", "pods").skip(1).once());
    let mut console = Console::of(&server);
    console.until("all", |c| c.names(PODS).len() == 603).await;
    assert_eq!(console.resets(PODS), 1);
    let lists = server.requests("/api/v1/pods");
    let limits: Vec<Option<&str>> = lists
        .iter()
        .filter(|r| r.param("watch").is_none())
        .map(|r| r.param("limit"))
        .collect();
    assert_eq!(limits, [Some("500"), Some("500"), None]);
}

/// A term short enough to wait for.
fn short() -> Pace {
    Pace {
        term: Duration::from_secs(1),
        ..pace()
    }
}

#[tokio::test]
async fn a_half_open_stream_is_noticed_and_followed_on() {
    let server = plain().await;
    let mut console = begun(&server, &short()).await;
    server.freeze();
    server.put(pod("d"));
    server.delete("Pod", "shop", "a");
    console
        .until("the changes", |c| c.names(PODS) == ["b", "c", "d"])
        .await;
    assert!(server.count("watch", "pods") > 1, "by another stream");
    one_list(&server, &console);
}

#[tokio::test]
async fn two_terms_without_a_word_are_not_trusted() {
    let server = plain().await;
    server.fault(Fault::half_open("pods").times(2));
    let mut console = Console::with(&kube(&server), &short());
    console
        .until("a second list", |c| c.resets(PODS) == 2)
        .await;
    server.put(pod("d"));
    console.until("a change", |c| c.has(PODS, "d")).await;
    assert_eq!(server.count("list", "pods"), 2);
}

#[tokio::test]
async fn the_end_of_a_term_is_no_fault() {
    let server = plain().await;
    let mut console = begun(&server, &short()).await;
    console
        .until("three terms", |_| server.count("watch", "pods") >= 3)
        .await;
    server.put(pod("d"));
    console.until("a change", |c| c.has(PODS, "d")).await;
    one_list(&server, &console);
    blameless(&console);
}

#[tokio::test]
async fn another_history_behind_the_address_is_listed_anew() {
    let server = plain().await;
    for _ in 0..50 {
        server.put(pod("a"));
    }
    let mut console = begun(&server, &pace()).await;
    // As after a restore from a backup: versions are lower than those we know.
    server.replace(vec![pod("x")]);
    server.cut();
    console
        .until("again", |_| server.count("watch", "pods") == 2)
        .await;
    server.bookmark();
    console
        .until("the other pods", |c| c.names(PODS) == ["x"])
        .await;
    assert_eq!(server.count("list", "pods"), 2);
    blameless(&console);
}

#[tokio::test]
async fn a_renewed_sign_in_keeps_what_is_known() {
    use crate::apiserver::User;
    let server = plain().await;
    server.user("lab-view-token", User::admin("alice"));
    let mut console = begun(&server, &pace()).await;
    server.user("second", User::admin("alice"));
    server.revoke("lab-view-token");
    server.cut();
    console
        .until("refused", |c| c.health.fault().is_some())
        .await;
    server.kubeconfig_with("second");
    server.put(pod("d"));
    console
        .until("again", |c| c.live() && c.has(PODS, "d"))
        .await;
    one_list(&server, &console);
}

#[tokio::test]
async fn a_list_comes_as_a_watch_where_the_server_can() {
    let server = ApiServer::start().await;
    server.put(pod("a"));
    let mut console = Console::of(&server);
    console
        .until("live", |c| c.live() && c.has(PODS, "a"))
        .await;
    server.put(pod("b"));
    console.until("a change", |c| c.has(PODS, "b")).await;
    assert_eq!(
        (server.count("list", "pods"), server.count("watch", "pods")),
        (0, 1)
    );
    // Empty, and yet listed: what is not there does not exist.
    console
        .until("no claims", |c| c.resets(ObjectKind::Claim) == 1)
        .await;
    server.cut();
    console
        .until("again", |_| server.count("watch", "pods") == 2)
        .await;
    server.put(pod("c"));
    console.until("a change", |c| c.has(PODS, "c")).await;
    let watches = server.requests("/api/v1/pods");
    assert_eq!(watches[1].param("sendInitialEvents"), None);
    assert_eq!(console.resets(PODS), 1);
}

#[tokio::test]
async fn a_server_that_will_not_is_asked_for_lists() {
    let server = ApiServer::start_with(Options {
        watch_list: false,
        ..Options::default()
    })
    .await;
    server.put(pod("a"));
    let mut console = Console::of(&server);
    console
        .until("live", |c| c.live() && c.has(PODS, "a"))
        .await;
    assert_eq!(server.count("list", "pods"), 1);
    server.cut();
    server.put(pod("b"));
    console.until("a change", |c| c.has(PODS, "b")).await;
    blameless(&console);
}

/// An aggregated server of an older library takes the list as a stream for a plain watch: the end
/// of the list never comes.
#[tokio::test]
async fn a_server_that_does_not_know_it_is_asked_for_lists() {
    let server = ApiServer::start_with(Options {
        watch_list_unknown: true,
        ..Options::default()
    })
    .await;
    server.put(pod("a"));
    let quick = Pace {
        listing: Duration::from_millis(300),
        ..pace()
    };
    let mut console = Console::with(&kube(&server), &quick);
    console
        .until("live", |c| c.live() && c.has(PODS, "a"))
        .await;
    assert_eq!(server.count("list", "pods"), 1);
    server.put(pod("b"));
    console.until("a change", |c| c.has(PODS, "b")).await;
    blameless(&console);
}

/// A proxy in between that ends long answers: the list as a stream would be cut for ever.
#[tokio::test]
async fn a_list_that_is_cut_as_a_stream_comes_in_pages() {
    let server = ApiServer::start().await;
    for name in ["a", "b", "c"] {
        server.put(pod(name));
    }
    server.fault(Fault::cut_after("pods", 1));
    let mut console = Console::of(&server);
    console
        .until("the list", |c| c.live() && c.names(PODS) == ["a", "b", "c"])
        .await;
    assert_eq!(server.count("list", "pods"), 1);
    let watches = server.requests("/api/v1/pods");
    let streamed = watches
        .iter()
        .filter(|r| r.param("sendInitialEvents").is_some());
    assert_eq!(streamed.count(), 1);
}

/// A server that forgets every version at once is not listed without pause.
#[tokio::test]
async fn what_is_forgotten_again_and_again_is_listed_less_and_less() {
    let server = plain().await;
    server.fault(Fault::gone("watch", "pods"));
    let slower = Pace {
        shortest: Duration::from_millis(100),
        longest: Duration::from_secs(60),
        ..pace()
    };
    let mut console = Console::with(&kube(&server), &slower);
    console.until("listed again", |c| c.resets(PODS) >= 3).await;
    console.rest(Duration::from_secs(3)).await;
    // Each wait is twice the one before, from a tenth of a second on.
    let lists = server.count("list", "pods");
    assert!(lists <= 8, "{lists} lists");
}

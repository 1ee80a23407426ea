//! Objects and logs of pods asked of an API server: recorded bodies, hostile ones, breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use farwatch::config::{Cluster, Config, Kube};
use farwatch::model::api::{ApiKind, POD};
use farwatch::model::ask::{Answer, Answered, Ask, PodLogs, Question};
use farwatch::model::fault::{Fault, FaultKind};
use farwatch::model::id::{ClusterId, RequestId};
use farwatch::model::log::{LogLine, PodTail, Tail};
use farwatch::model::object::ObjectKind;
use farwatch::model::telemetry::{Body, Telemetry};
use farwatch::source::Outlet;
use farwatch::source::supervisor::{Fleet, Pace};
use serde_json::json;
use tokio::sync::mpsc::Receiver;

use crate::apiserver::wire::{self, Handler, fixture};
use crate::apiserver::{ApiServer, User};

const LONG: Duration = Duration::from_secs(60);
const CART: &str = "cart-5c6f4d9d8-x";

fn start(server: &ApiServer) -> (Fleet, Receiver<Telemetry>) {
    start_with(server, Pace::default().term)
}

fn start_with(server: &ApiServer, term: Duration) -> (Fleet, Receiver<Telemetry>) {
    let config = Config {
        clusters: vec![Cluster {
            name: "lab".into(),
            kube: Some(Kube {
                context: Some("lab".into()),
                kubeconfig: vec![server.kubeconfig()],
                ..Kube::default()
            }),
            ..Cluster::default()
        }],
        ..Config::default()
    };
    let pace = Pace {
        shortest: Duration::from_millis(20),
        longest: Duration::from_millis(100),
        term,
        ..Pace::default()
    };
    let (outlet, queue) = Outlet::new(4_096);
    (Fleet::start_with(Arc::new(config), outlet, pace), queue)
}

async fn ask(fleet: &Fleet, ask: Ask) -> Answered {
    let question = Question {
        id: RequestId(1),
        cluster: ClusterId(0),
        ask,
    };
    let lookup = fleet.lookup();
    let answered = tokio::time::timeout(LONG, lookup.ask(question)).await;
    answered.expect("an answer")
}

fn object(kind: ApiKind, namespace: &str, name: &str) -> Ask {
    Ask::Object {
        kind,
        namespace: namespace.into(),
        name: name.into(),
    }
}

fn logs(pod: &str) -> PodLogs {
    PodLogs {
        namespace: "shop".into(),
        pod: pod.into(),
        container: None,
        previous: false,
        since_s: None,
        lines: 100,
    }
}

async fn lines(fleet: &Fleet, wanted: PodLogs) -> (Vec<LogLine>, Vec<String>) {
    let answered = ask(fleet, Ask::PodLogs(wanted)).await;
    match answered.result {
        Ok(Answer::Logs(lines)) => (lines, answered.warnings),
        other => panic!("{other:?}"),
    }
}

async fn fault(fleet: &Fleet, wanted: PodLogs) -> Fault {
    ask(fleet, Ask::PodLogs(wanted)).await.result.unwrap_err()
}

fn texts(lines: &[LogLine]) -> Vec<&str> {
    lines.iter().map(|l| l.line.as_ref()).collect()
}

/// Every log request gets these bytes.
fn body(status: u16, bytes: Vec<u8>) -> Handler {
    let bytes = Arc::new(bytes);
    Arc::new(move |_, stream| {
        let bytes = bytes.clone();
        Box::pin(async move {
            wire::reply(stream, status, "text/plain", &[], &bytes).await?;
            Ok(false)
        })
    })
}

#[tokio::test]
async fn an_object_as_text_and_what_is_in_the_way_of_it() {
    let server = ApiServer::recorded().await;
    let (fleet, _queue) = start(&server);
    let answered = ask(&fleet, object(POD, "shop", CART)).await;
    assert!(
        answered.origin.contains("context lab"),
        "{}",
        answered.origin
    );
    let Ok(Answer::Object(text)) = answered.result else {
        panic!("{:?}", answered.result);
    };
    assert!(
        text.yaml.contains("name: cart-5c6f4d9d8-x"),
        "{}",
        text.yaml
    );
    assert!(text.managed.is_some());
    // Of a namespaced kind by its name alone.
    let sriov = ObjectKind::SriovNodeState.api();
    let node = server
        .store()
        .objects
        .keys()
        .find_map(|(_, ns, name)| ns.contains("sriov").then(|| name.clone()));
    let answered = ask(&fleet, object(sriov, "", &node.unwrap())).await;
    let Ok(Answer::Object(text)) = answered.result else {
        panic!("{:?}", answered.result);
    };
    assert!(
        text.yaml.contains("kind: SriovNetworkNodeState"),
        "{}",
        text.yaml
    );
    // Another version of the group than ours is served.
    let old = ApiKind {
        version: "v1alpha9",
        ..ObjectKind::Application.api()
    };
    let apps = ask(&fleet, object(old, "", "nope"))
        .await
        .result
        .unwrap_err();
    assert_eq!(apps.kind, FaultKind::NotFound, "{apps}");
    let gone = ask(&fleet, object(POD, "shop", "no pe?x"))
        .await
        .result
        .unwrap_err();
    assert!(
        gone.what
            .contains("get pods shop/no pe?x: 404, it is not there"),
        "{gone}"
    );
    server.user("lab-view-token", User::viewer("eve"));
    let secret = ApiKind {
        plural: "secrets",
        kind: "Secret",
        ..POD
    };
    let denied = ask(&fleet, object(secret, "shop", "db"))
        .await
        .result
        .unwrap_err();
    assert_eq!(denied.kind, FaultKind::Forbidden, "{denied}");
    assert!(denied.what.contains("get secrets shop/db"), "{denied}");
}

#[tokio::test]
async fn containers_are_merged_and_the_run_before_is_read() {
    let server = ApiServer::recorded().await;
    server.put(json!({"kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": "two", "namespace": "shop"},
        "spec": {"nodeName": "gpu-0", "containers": [{"name": "a"}, {"name": "b"}]},
        "status": {"phase": "Running"}}));
    for (container, line) in [("a", "one"), ("b", "two"), ("a", "three")] {
        server.log("shop", "two", container, line);
    }
    server.log_previous("shop", "two", "a", "2026-11-21T03:00:29Z the end\n");
    let (fleet, _queue) = start(&server);
    let (all, warnings) = lines(&fleet, logs("two")).await;
    assert_eq!(texts(&all), ["one", "two", "three"]);
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(all[1].labels.get("container"), Some("b"));
    let one = PodLogs {
        container: Some("b".into()),
        ..logs("two")
    };
    assert_eq!(texts(&lines(&fleet, one).await.0), ["two"]);
    // One container ran before, the other did not: what there is, and a word about the rest.
    let previous = PodLogs {
        previous: true,
        ..logs("two")
    };
    let (all, warnings) = lines(&fleet, previous).await;
    assert_eq!(texts(&all), ["the end"]);
    assert_eq!(all[0].labels.get("run"), Some("previous"));
    assert!(
        warnings[0].contains("container b did not run before"),
        "{warnings:?}"
    );
    let wrong = PodLogs {
        container: Some("c".into()),
        ..logs("two")
    };
    let wrong = fault(&fleet, wrong).await;
    assert!(
        wrong.what.contains("container c is not valid for pod two"),
        "{wrong}"
    );
    assert!(
        fault(&fleet, logs("nope"))
            .await
            .what
            .contains("the pod is not there")
    );
    server.put(json!({"kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": "new", "namespace": "shop"},
        "spec": {"containers": [{"name": "a"}]}, "status": {"phase": "Pending"}}));
    let waits = fault(&fleet, logs("new")).await;
    assert!(waits.what.contains("no node yet (Pending)"), "{waits}");
}

#[tokio::test]
async fn recorded_and_hostile_bodies() {
    let server = ApiServer::recorded().await;
    server.extra("/log", body(200, fixture("kube/pod_log.txt")));
    let (fleet, _queue) = start(&server);
    let (all, _) = lines(&fleet, logs(CART)).await;
    assert_eq!(all.len(), 5);
    assert_eq!(all[0].at_ns, 1_795_230_029_189_819_812);
    assert!(all[4].line.contains("msg=\"line 4\""));

    let down = ApiServer::recorded().await;
    down.extra(
        "/log",
        body(500, fixture("kube/err_pod_log_node_down.json")),
    );
    let (fleet, _queue) = start(&down);
    let fault = fault(&fleet, logs(CART)).await;
    assert!(
        fault.what.contains("kubelet of its node does not answer"),
        "{fault}"
    );

    let mut hostile = b"2026-11-21T03:00:29Z ".to_vec();
    hostile.extend(vec![b'x'; 1 << 20]);
    hostile
        .extend(b"\n2026-11-21T03:00:30Z \x1b]0;title\x07\xff\xfe\0\n\n2026-11-21T03:00:31Z end");
    let odd = ApiServer::recorded().await;
    odd.extra("/log", body(200, hostile));
    let (fleet, _queue) = start(&odd);
    let (all, _) = lines(&fleet, logs(CART)).await;
    assert!(all[0].line.len() < 20_000 && all[0].line.contains("bytes)"));
    assert!(
        !all.iter()
            .any(|l| l.line.chars().any(farwatch::model::text::is_unsafe))
    );
    assert_eq!(all.last().unwrap().line.as_ref(), "end");
}

/// The first stream is cut in the middle of a line; those after it tell the whole second again.
fn cut_once(seen: Arc<AtomicUsize>) -> Handler {
    Arc::new(move |request, stream| {
        let nth = seen.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            wire::begin_chunks(stream, "text/plain").await?;
            if nth == 0 {
                assert_eq!(request.param("tailLines"), Some("1000"));
                let part = b"2026-11-21T03:00:29.1Z one\n2026-11-21T03:00:29.2Z two\n2026-11-21T03:00:29.2Z two again\n2026-11-21T03:0";
                wire::chunk(stream, part).await?;
                return Ok(false);
            }
            assert_eq!(request.param("sinceTime"), Some("2026-11-21T03:00:29Z"));
            let rest = b"2026-11-21T03:00:29.1Z one\n2026-11-21T03:00:29.2Z two\n2026-11-21T03:00:29.2Z two again\n2026-11-21T03:00:29.2Z two at last\n2026-11-21T03:00:30Z three\n";
            wire::chunk(stream, rest).await?;
            wire::never(stream).await
        })
    })
}

/// Lines of the log until one is `last`, without what farwatch itself says.
async fn until(queue: &mut Receiver<Telemetry>, last: &str) -> (Vec<String>, Vec<String>) {
    let (mut told, mut own) = (Vec::new(), Vec::new());
    let work = async {
        while let Some(telemetry) = queue.recv().await {
            let Body::Logs(batch) = telemetry.body else {
                continue;
            };
            for line in batch.lines {
                let text = line.line.to_string();
                match text.starts_with("farwatch: ") {
                    true => own.push(text),
                    false => told.push(text),
                }
            }
            if told.iter().chain(&own).any(|l| l.contains(last)) {
                return;
            }
        }
    };
    tokio::time::timeout(LONG, work).await.expect(last);
    (told, own)
}

fn tail(pod: &str) -> Tail {
    Tail::Pod(PodTail {
        namespace: "shop".into(),
        pod: pod.into(),
        container: None,
    })
}

#[tokio::test]
async fn a_tail_that_breaks_goes_on_with_no_line_twice() {
    let server = ApiServer::recorded().await;
    let seen = Arc::new(AtomicUsize::new(0));
    server.extra("/log", cut_once(seen.clone()));
    let (fleet, mut queue) = start(&server);
    let tail = fleet.follow(ClusterId(0), tail(CART)).expect("a server");
    let (told, _) = until(&mut queue, "three").await;
    assert_eq!(told, ["one", "two", "two again", "two at last", "three"]);
    assert!(seen.load(Ordering::SeqCst) >= 2);
    tail.abort();
}

#[tokio::test]
async fn lines_come_as_they_are_written_until_the_pod_is_gone() {
    let server = ApiServer::recorded().await;
    server.log("shop", CART, "cart", "first");
    let (fleet, mut queue) = start(&server);
    let tail = fleet.follow(ClusterId(0), tail(CART)).expect("a server");
    until(&mut queue, "first").await;
    server.log("shop", CART, "cart", "second");
    let (told, _) = until(&mut queue, "second").await;
    assert_eq!(told, ["second"]);
    server.restart().await;
    server.log("shop", CART, "cart", "third");
    let (told, _) = until(&mut queue, "third").await;
    assert_eq!(told, ["third"]);
    server.delete("Pod", "shop", CART);
    server.restart().await;
    let (_, own) = until(&mut queue, "the pod is not there").await;
    assert!(own.last().unwrap().contains("not followed"), "{own:?}");
    tail.abort();
}

#[tokio::test]
async fn a_log_whose_other_side_is_gone_is_opened_anew() {
    let server = ApiServer::recorded().await;
    let (fleet, mut queue) = start_with(&server, Duration::from_secs(1));
    let tail = fleet.follow(ClusterId(0), tail(CART)).expect("a server");
    server.log("shop", CART, "cart", "first");
    until(&mut queue, "first").await;
    server.freeze();
    server.log("shop", CART, "cart", "second");
    let (told, own) = until(&mut queue, "second").await;
    assert_eq!((told, own), (vec!["second".to_owned()], Vec::new()));
    tail.abort();
}

#[tokio::test]
async fn only_the_time_that_is_wanted_is_read() {
    let server = ApiServer::recorded().await;
    for (age, line) in [(4_000, "old"), (500, "newer"), (5, "new")] {
        server.log_before(age, "shop", CART, "cart", line);
    }
    let (fleet, _queue) = start(&server);
    let since = |since_s| PodLogs {
        since_s,
        ..logs(CART)
    };
    let (all, _) = lines(&fleet, since(None)).await;
    assert_eq!(texts(&all), ["old", "newer", "new"]);
    let (hour, _) = lines(&fleet, since(Some(3_600))).await;
    assert_eq!(texts(&hour), ["newer", "new"]);
    let (minutes, _) = lines(&fleet, since(Some(400))).await;
    assert_eq!(texts(&minutes), ["new"]);
}

//! From wherever an id of a trace stands to that trace.

use farwatch::model::alert::Severity;
use farwatch::model::health::SourceKind;
use farwatch::model::label::Labels;
use farwatch::model::log::{Level, LogLine};
use farwatch::model::object::{Event, Object, ObjectKind};
use farwatch::model::telemetry::{Body, LogBatch};

use crate::FULL;
use crate::scenario::{Console, NAMES, NOW, alert, objects};

const ID: &str = "050b33be48b2e3ba59613f0e9e30dda0";
const SHORT: &str = "050b…dda0";

#[test]
fn an_alert_that_names_a_trace_leads_to_it_and_another_to_those_of_its_pod() {
    let mut console = Console::new(&NAMES, FULL);
    let mut named = alert("SlowPay", Severity::Critical);
    named.annotations = Labels::from_pairs([("summary", format!("slow: trace_id={ID}"))]);
    let mut plain = alert("BusyPay", Severity::Info);
    plain.labels = Labels::from_pairs([("namespace", "shop"), ("pod", "pay-0")]);
    console.tell(
        0,
        SourceKind::Alertmanager(0),
        Body::Alerts(vec![named, plain]),
    );
    console.keys("7ggxt").has(SHORT);
    console.keys("<esc>");
    console.has("SlowPay");
    console.keys("Gxt");
    console.has("resource.k8s.pod.name = \"pay-0\"");
}

#[test]
fn an_event_that_names_a_trace_leads_to_it_and_back() {
    let mut console = Console::new(&NAMES, FULL);
    let event = |name: &str, message: String| {
        Object::Event(Event {
            namespace: "shop".into(),
            name: name.into(),
            at: NOW,
            warning: true,
            reason: "SyncFailed".into(),
            message,
            about: ("Order".into(), name.into()),
            count: 1,
            reporter: "order-operator".into(),
        })
    };
    let events = vec![event("order-1", format!("no stock, traceID={ID}"))];
    let body = objects(ObjectKind::Event, events);
    console.tell(0, SourceKind::Kubernetes, body);
    // Problems, nodes, events.
    console.keys("2<tab><tab>");
    console.has("no stock");
    console.keys("Gxt").has(SHORT);
    console.keys("<esc>");
    console.has("no stock");
}

#[test]
fn a_line_that_names_a_trace_leads_to_it_and_back() {
    let mut console = Console::new(&NAMES, FULL);
    let line = LogLine {
        at_ns: NOW.0 * 1_000_000,
        labels: Labels::from_pairs([("namespace", "shop"), ("pod", "pay-0")]),
        line: format!("level=error msg=\"pool exhausted\" trace_id={ID}").into(),
        level: Level::Error,
    };
    let batch = LogBatch {
        lines: vec![line],
        dropped: 0,
        live: true,
    };
    console.tell(0, SourceKind::Loki, Body::Logs(batch));
    console.keys("4xt").has(SHORT);
    console.keys("<esc>");
    console.has("pool exhausted");
}

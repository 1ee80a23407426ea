//! A console whose incidents are those of the watchers: one cluster is heard here as well, one is not
//! and its watcher is heard, and of one the watcher is late.

use std::collections::BTreeSet;
use std::sync::Arc;

use farwatch::incident::{Incident, IncidentState};
use farwatch::message::Msg;
use farwatch::model::alert::Severity;
use farwatch::model::finding::{Finding, FindingKind, Subject};
use farwatch::model::health::SourceKind;
use farwatch::model::id::{ClusterId, IncidentId};
use farwatch::model::news::{Change, Event, Found};
use farwatch::model::telemetry::Body;
use farwatch::model::time::Timestamp;
use farwatch::model::unit::Unit;

use crate::SIZES;
use crate::scenario::{Console, NAMES, NOW, kinds, live};

fn told(cluster: &str, by: &str, severity: Severity, (node, text): (&str, &str)) -> Change {
    let since = Timestamp(NOW.0 - 600_000);
    let finding = Finding {
        cluster: ClusterId(0),
        subject: Subject::Node(node.into()),
        key: text.into(),
        kind: FindingKind::LevelShift,
        severity,
        score: 0.9,
        since,
        earlier: false,
        at: Timestamp(NOW.0 - 20_000),
        over: false,
        signal: "openshift_ptp_offset_ns".into(),
        unit: Unit::Nanoseconds,
        seen: Some(4_123.0),
        expected: Some((-20.0, 20.0)),
        method: "median/MAD of 60 min".into(),
        text: text.into(),
        evidence: Vec::new(),
    };
    let incident = Incident {
        id: IncidentId::of(cluster),
        number: 17,
        cluster: ClusterId(0),
        severity,
        state: IncidentState::Open,
        title: format!("{text} on {node}"),
        opened: since,
        changed: Timestamp(NOW.0 - 20_000),
        closed: None,
        score: 0.9,
        subjects: vec![finding.subject.clone()],
        nodes: BTreeSet::from([node.into()]),
        findings: vec![finding],
        desk: Default::default(),
        reopened: 0,
        revision: 0,
        awaited: None,
        handed: None,
    };
    let event = Event::IncidentOpened;
    let mut change = Change::new(
        event,
        cluster.into(),
        by.into(),
        1,
        Arc::new(incident),
        since,
    );
    change.cut = by == "w2";
    change
}

fn find(console: &mut Console, found: Found) {
    console.update(Msg::Found(Box::new(found)));
}

fn watched(console: &mut Console, cluster: &str, by: &str, ago_s: i64) {
    let found = Found::Watched {
        cluster: cluster.into(),
        by: by.into(),
        at: Timestamp(NOW.0 - ago_s * 1_000),
        life_ms: 20_000,
    };
    find(console, found);
}

fn console(size: (u16, u16)) -> Console {
    let mut console = Console::of_watchers(size);
    for kind in kinds() {
        console.tell(1, kind, Body::Health(live()));
    }
    assert_eq!(kinds()[0], SourceKind::Prometheus);
    let changes = vec![
        told(NAMES[0], "w1", Severity::Critical, ("n-07-b", "PTP lost")),
        told(
            NAMES[2],
            "w2",
            Severity::Warning,
            ("n-01-a", "memory grows"),
        ),
    ];
    find(&mut console, Found::Changes(changes));
    watched(&mut console, NAMES[0], "w1", 3);
    watched(&mut console, NAMES[1], "w1", 4);
    watched(&mut console, NAMES[2], "w2", 42);
    console.update(Msg::Tick(NOW));
    console
}

fn shot(name: &str, console: &Console, size: (u16, u16)) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    let name = format!("watched_{name}_{}x{}", size.0, size.1);
    settings.bind(|| insta::assert_snapshot!(name, console.screen()));
}

#[test]
fn clusters_stand_as_their_watchers_tell() {
    for size in SIZES {
        let console = console(size);
        shot("fleet", &console, size);
    }
}

#[test]
fn an_incident_says_who_found_it_and_whether_he_is_heard() {
    for size in SIZES {
        let mut console = console(size);
        // The one whose watcher is late, and whose evidence was left out.
        console.keys("8j<enter>");
        shot("incident", &console, size);
    }
}

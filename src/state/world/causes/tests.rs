//! From what the world knows to a ranking.

use super::*;
use crate::config::{Cluster, Config};
use crate::incident::IncidentState;
use crate::model::alert::Severity;
use crate::model::change::{ChangeKind, Told};
use crate::model::id::{ClusterId, IncidentId};
use crate::model::sample::SeriesKey;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;

const NOW: i64 = 1_800_000_000_000;

fn world(clusters: &[&str]) -> World {
    let named = |name: &&str| Cluster {
        name: (*name).into(),
        ..Cluster::default()
    };
    let config = Config {
        clusters: clusters.iter().map(named).collect(),
        ..Config::default()
    };
    World::new(&config, Timestamp(NOW))
}

fn finding(subject: Subject, text: &str, after_s: i64, kind: FindingKind) -> Finding {
    Finding {
        cluster: ClusterId(0),
        key: format!("{subject} {text}").into(),
        subject,
        kind,
        severity: Severity::Critical,
        score: 0.9,
        since: Timestamp(NOW - 600_000 + after_s * 1000),
        earlier: false,
        at: Timestamp(NOW),
        over: false,
        signal: "signal".into(),
        unit: Unit::None,
        seen: None,
        expected: None,
        method: "a test".into(),
        text: text.into(),
        evidence: vec![Evidence::Series(SeriesKey::new(
            "signal",
            crate::model::label::Labels::from_pairs([("node", "n1")]),
        ))],
    }
}

fn incident(cluster: u16, findings: Vec<Finding>) -> Incident {
    Incident {
        id: IncidentId(u64::from(cluster)),
        number: 1,
        cluster: ClusterId(cluster),
        severity: Severity::Critical,
        state: IncidentState::Open,
        title: "something is wrong".into(),
        opened: Timestamp(NOW - 600_000),
        changed: Timestamp(NOW),
        closed: None,
        score: 0.9,
        subjects: findings.iter().map(|f| f.subject.clone()).collect(),
        nodes: BTreeSet::new(),
        desk: Default::default(),
        reopened: 0,
        revision: 0,
        awaited: None,
        findings,
    }
}

fn gpu() -> Subject {
    Subject::Gpu {
        node: "n1".into(),
        gpu: "3".into(),
    }
}

#[test]
fn a_device_is_named_with_its_query_before_what_needs_it() {
    let world = world(&["a"]);
    let node = Subject::Node("n1".into());
    let all = vec![
        finding(node, "jobs fail", 90, FindingKind::Spike),
        finding(gpu(), "XID 79: fallen off the bus", 0, FindingKind::State),
    ];
    let causes = world.causes(&incident(0, all));
    let place = causes.ranking.place().expect("evidence");
    assert_eq!(causes.name(place), "n1 gpu 3");
    let query = place.confirm.as_deref();
    assert_eq!(
        query,
        Some("max_over_time(DCGM_FI_DEV_XID_ERRORS{Hostname=\"n1\"}[30m])")
    );
    assert!(
        causes.words().contains("confirm by max_over_time"),
        "{}",
        causes.words()
    );
}

#[test]
fn a_device_is_what_its_node_shows_unless_the_node_is_gone() {
    let world = world(&["a"]);
    let node = || Subject::Node("n1".into());
    let named = |of_node: &str| {
        let all = vec![
            finding(node(), of_node, 0, FindingKind::State),
            finding(gpu(), "no more samples", 0, FindingKind::State),
        ];
        let causes = world.causes(&incident(0, all));
        causes.ranking.place().map(|place| causes.name(place))
    };
    assert_eq!(named("clock class 248").as_deref(), Some("n1 gpu 3"));
    assert_eq!(named("node is not Ready").as_deref(), Some("node n1"));
}

#[test]
fn nothing_known_is_nothing_named() {
    let world = world(&["a"]);
    let causes = world.causes(&incident(0, Vec::new()));
    assert!(causes.ranking.place().is_none() && causes.blamed().is_none());
    // Of a cluster that is not there.
    let causes = world.causes(&incident(7, Vec::new()));
    assert!(causes.ranking.places.is_empty());
}

#[test]
fn a_change_right_before_is_weighed_against_none() {
    let mut world = world(&["a"]);
    let workload = Subject::Workload {
        namespace: "shop".into(),
        name: "web".into(),
    };
    let change = |before_s: i64, name: &str| Change {
        at: Timestamp(NOW - 600_000 - before_s * 1000),
        kind: ChangeKind::Rollout,
        subject: ("Deployment".into(), name.into()),
        namespace: "shop".into(),
        what: "image web:1 -> web:2".into(),
        by: None,
        told: Told::Object,
        symptom: false,
        unwatched: None,
    };
    for change in [change(120, "web"), change(60, "other")] {
        world.clusters[0].note_change(change);
    }
    let late = finding(workload, "answers late", 0, FindingKind::Spike);
    let causes = world.causes(&incident(0, vec![late]));
    let names: Vec<String> = causes
        .ranking
        .changes
        .iter()
        .map(|c| causes.name(c))
        .collect();
    assert_eq!(names.len(), 3);
    // On the object itself, and not the one that is nearer in time.
    let web = names.iter().position(|n| n.contains(" web:"));
    let other = names.iter().position(|n| n.contains(" other:"));
    assert!(web < other, "{names:?}");
    assert!(names.iter().any(|n| n == "none of these"));
}

#[test]
fn the_same_onset_in_several_clusters_points_above_them() {
    let mut world = world(&["a", "b", "c"]);
    let of = |cluster: u16| {
        let mut lost = finding(gpu(), "clock is in holdover", 0, FindingKind::Spike);
        lost.cluster = ClusterId(cluster);
        incident(cluster, vec![lost])
    };
    world.incidents = vec![of(0), of(1)];
    let causes = world.causes(&world.incidents[0]);
    assert!(!causes.words().contains("share"), "{}", causes.words());
    world.incidents.push(of(2));
    let causes = world.causes(&world.incidents[0]);
    let place = causes.ranking.place().expect("evidence");
    assert_eq!(causes.name(place), "what these clusters share");
    assert!(
        causes.words().contains("within 0 s in a, b, c"),
        "{}",
        causes.words()
    );
    // Minutes apart is each its own.
    world.incidents[1].opened = Timestamp(NOW - 600_000 - 500_000);
    let causes = world.causes(&world.incidents[0]);
    assert!(!causes.words().contains("share"), "{}", causes.words());
}

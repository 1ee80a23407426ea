//! From what the world knows to a ranking.

use std::collections::BTreeSet;

mod clusters;

use super::*;
use crate::config::{Cluster, Config};
use crate::incident::IncidentState;
use crate::model::alert::Severity;
use crate::model::change::{ChangeKind, Told};
use crate::model::finding::{Evidence, Finding, FindingKind};
use crate::model::health::{SourceHealth, SourceKind};
use crate::model::id::ClusterId;
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::signal::Group;
use crate::model::telemetry::{Body, SampleBatch, Telemetry};
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
        handed: None,
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
    assert!(causes.ranking.place().is_none() && causes.likely_change().is_none());
    // Of a cluster that is not there.
    let causes = world.causes(&incident(7, Vec::new()));
    assert!(!causes.is_known());
}

fn workload(name: &str) -> Subject {
    Subject::Workload {
        namespace: "shop".into(),
        name: name.into(),
    }
}

/// A rollout so many seconds before the first sign.
fn change(before_s: i64, name: &str) -> Change {
    Change {
        at: Timestamp(NOW - 600_000 - before_s * 1000),
        kind: ChangeKind::Rollout,
        subject: ("Deployment".into(), name.into()),
        namespace: "shop".into(),
        what: "image web:1 -> web:2".into(),
        by: None,
        told: Told::Object,
        symptom: false,
        unwatched: None,
    }
}

#[test]
fn a_change_right_before_is_weighed_against_none() {
    let mut world = world(&["a"]);
    for change in [change(120, "web"), change(60, "other")] {
        world.clusters[0].note_change(change);
    }
    let late = finding(workload("web"), "answers late", 0, FindingKind::Spike);
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
    let (cause, change) = causes.likely_change().expect("likely");
    assert_eq!(change.subject.1, "web");
    assert!(causes.ranking.change().is_some(), "{cause:?}");
}

/// Series of the node that the signs are read from, each so many seconds.
fn read_each(world: &mut World, interval_s: u32) {
    let key = SeriesKey::new(
        "signal",
        crate::model::label::Labels::from_pairs([("node", "n1")]),
    );
    let batch = SampleBatch {
        group: Group::Workload,
        name: "signal".into(),
        query: "".into(),
        at: Timestamp(NOW),
        interval_ms: interval_s * 1000,
        backfill: false,
        series: vec![SeriesSamples {
            key,
            kind: SampleKind::Gauge,
            points: [Sample {
                at: Timestamp(NOW),
                value: 1.0,
            }]
            .into(),
        }],
        cut_from: None,
    };
    world.ingest(Telemetry {
        cluster: ClusterId(0),
        source: SourceKind::Prometheus,
        received: Timestamp(NOW),
        body: Body::Samples(batch),
    });
}

#[test]
fn what_was_changed_after_the_first_sign_did_not_begin_it() {
    let told = |interval_s: u32| {
        let mut world = world(&["a"]);
        read_each(&mut world, interval_s);
        world.clusters[0].note_change(change(-23, "web"));
        let signs = vec![
            finding(workload("web"), "fails", 0, FindingKind::State),
            finding(workload("web"), "answers late", 43, FindingKind::Spike),
        ];
        let causes = world.causes(&incident(0, signs));
        let likely = causes.likely_change().is_some();
        (likely, causes.words())
    };
    // Looked at each minute it may have been before; each quarter of one it was not.
    let (likely, words) = told(60);
    assert!(
        likely && words.contains("0 s before the first sign"),
        "{words}"
    );
    let (likely, words) = told(15);
    assert!(!likely, "{words}");
    assert!(
        words.contains("after the first sign, 20 s before"),
        "{words}"
    );
}

#[test]
fn a_changed_clock_configuration_reaches_the_clocks_of_its_nodes() {
    let mut world = world(&["a"]);
    let config = crate::model::ptp::PtpConfig {
        namespace: "openshift-ptp".into(),
        name: "grandmaster".into(),
        generation: 1,
        profiles: Vec::new(),
        matches: vec![("n1".into(), "gm".into())],
    };
    let key = (config.namespace.clone(), config.name.clone());
    world.clusters[0].ptp_configs.insert(key, config);
    let mut set = change(60, "grandmaster");
    (set.kind, set.subject.0) = (ChangeKind::Config, "PtpConfig".into());
    set.namespace = "openshift-ptp".into();
    world.clusters[0].note_change(set);
    let clock = |node: &str| Subject::Clock {
        node: node.into(),
        interface: "ens1f0".into(),
    };
    let mut lost = incident(
        0,
        vec![finding(clock("n1"), "is in FREERUN", 0, FindingKind::State)],
    );
    lost.nodes = BTreeSet::from(["n1".into()]);
    let says = world.causes(&lost).words();
    assert!(
        says.contains("went live on n1 clock ens1f0, which is ill"),
        "{says}"
    );
}

#[test]
fn another_change_is_another_basis_also_when_the_oldest_gives_way() {
    let mut world = world(&["a"]);
    let late = finding(workload("web"), "answers late", 0, FindingKind::Spike);
    let incident = incident(0, vec![late]);
    for before in 0..2_000 {
        world.clusters[0].note_change(change(800_000 - before, "batch"));
    }
    let before = world.causes_basis(&incident);
    assert_eq!(before, world.causes_basis(&incident));
    world.clusters[0].note_change(change(60, "web"));
    assert_eq!(world.clusters[0].changes.len(), 2_000);
    assert_ne!(before, world.causes_basis(&incident));
    let causes = world.causes(&incident);
    assert!(
        causes
            .likely_change()
            .is_some_and(|(_, c)| c.subject.1 == "web")
    );
}

#[test]
fn a_workload_stands_where_its_own_pods_are() {
    let mut world = world(&["a"]);
    let pod = |name: &str, set: &str, node: &str| -> crate::model::object::Pod {
        serde_json::from_value(serde_json::json!({
            "namespace": "shop", "name": name, "node": node, "phase": "Running", "reason": null,
            "message": null, "ready": 1, "containers": 1, "restarts": 0,
            "owner": ["ReplicaSet", set], "started": null, "since": null}))
        .expect("a pod")
    };
    for pod in [
        pod("web-6d4-x", "web-6d4", "n1"),
        pod("web-api-7f-y", "web-api-7f", "n2"),
    ] {
        let key = (pod.namespace.clone(), pod.name.clone());
        world.clusters[0].pods.insert(key, pod);
    }
    let nodes = |name: &str| world.clusters[0].nodes_of(&workload(name));
    assert_eq!(nodes("web"), ["n1".into()]);
    assert_eq!(nodes("web-api"), ["n2".into()]);
}

#[test]
fn a_node_that_does_not_report_is_a_known_way_and_takes_its_devices_with_it() {
    let node = |ready: Option<bool>| -> crate::model::object::Node {
        serde_json::from_value(serde_json::json!({
            "name": "n1", "roles": [], "ready": ready, "unschedulable": false, "problems": [],
            "kubelet_version": "", "labels": [], "allocatable": []}))
        .expect("a node")
    };
    let world = world(&["a"]);
    for ready in [Some(false), None] {
        let told = crate::detect::nodes([node(ready)].iter());
        let [told] = told.as_slice() else {
            panic!("{told:?}");
        };
        let all = vec![
            finding(told.subject.clone(), &told.text, 0, FindingKind::State),
            finding(gpu(), "no more samples", 0, FindingKind::State),
        ];
        let causes = world.causes(&incident(0, all));
        let place = causes.ranking.place().expect("evidence");
        assert_eq!(causes.name(place), "node n1", "{}", told.text);
        let way = "a node that is not ready takes its pods with it";
        assert!(causes.words().contains(way), "{}", causes.words());
    }
}

#[test]
fn of_many_signs_the_ranking_is_made_elsewhere() {
    let world = world(&["a"]);
    let late = |pod: usize| {
        let subject = Subject::Pod {
            namespace: "shop".into(),
            pod: format!("web-{pod}"),
        };
        finding(subject, "answers late", 0, FindingKind::Spike)
    };
    let asked = |many: usize| world.ask_causes(&incident(0, (0..many).map(late).collect()));
    assert!(asked(2).is_some_and(|a| a.is_little()));
    let much = asked(200).expect("known");
    assert!(!much.is_little());
    let ranked = std::thread::spawn(move || much.ranked())
        .join()
        .expect("ranked");
    assert!(ranked.is_known());
}

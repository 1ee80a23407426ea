use super::*;
use crate::config::{Cluster, Config, Endpoint};
use crate::model::desk::Desk;
use crate::model::finding::Subject;
use crate::model::unit::Unit;

pub const NOW: i64 = 1_800_000_000_000;

/// A turn of two clusters that are ours, `alpha` and `beta`.
pub fn turn(at_ms: i64, incidents: Vec<IncidentTold>) -> Told {
    let cluster = |name: &str, score| ClusterTold {
        name: name.into(),
        environment: Some("production".into()),
        region: None,
        sources: vec![Heard::Live],
        score,
    };
    Told {
        at: Timestamp(NOW + at_ms),
        turned: clock::instant(),
        clusters: vec![cluster("alpha", Some(80)), cluster("beta", None)],
        incidents: incidents.into_iter().map(Arc::new).collect(),
        gauges: Gauges {
            clusters: 3,
            watched: 2,
            ..Gauges::default()
        },
    }
}

pub fn incident(id: u64, cluster: &str) -> IncidentTold {
    IncidentTold {
        id: IncidentId(id),
        cluster: cluster.into(),
        number: 3,
        severity: Severity::Warning,
        state: IncidentState::Open,
        opened: Timestamp(NOW - 60_000),
        score: 0.75,
        title: "gpu 3 of n1 is hot".into(),
        subjects: "n1 gpu 3".into(),
        acknowledged: None,
        assigned: None,
        findings: vec![FindingTold {
            signal: "gpu_temperature".into(),
            subject: "n1 gpu 3".into(),
            kind: FindingKind::Threshold,
            severity: Severity::Warning,
            score: 0.75,
            text: "91 C, limit 85 C".into(),
        }],
    }
}

fn world() -> World {
    let cluster = |name: &str| Cluster {
        name: name.into(),
        prometheus: Some(Endpoint::default()),
        ..Cluster::default()
    };
    let config = Config {
        clusters: vec![cluster("alpha"), cluster("beta")],
        ..Config::default()
    };
    World::new(&config, Timestamp(NOW))
}

fn held(id: u64, cluster: u16, text: &str) -> Incident {
    let finding = |key: &str, severity, score, over| Finding {
        cluster: ClusterId(cluster),
        subject: Subject::Node("n1".into()),
        key: key.into(),
        kind: FindingKind::Spike,
        severity,
        score,
        since: Timestamp(NOW),
        earlier: false,
        at: Timestamp(NOW),
        over,
        signal: "cpu".into(),
        unit: Unit::None,
        seen: None,
        expected: None,
        method: String::new(),
        text: format!("{key}: {text}"),
        evidence: Vec::new(),
    };
    Incident {
        id: IncidentId(id),
        number: 1,
        cluster: ClusterId(cluster),
        severity: Severity::Critical,
        state: IncidentState::Open,
        title: text.into(),
        opened: Timestamp(NOW),
        changed: Timestamp(NOW),
        closed: None,
        score: 0.9,
        subjects: vec![Subject::Node("n1".into())],
        nodes: Default::default(),
        findings: vec![
            finding("mild", Severity::Warning, 0.9, false),
            finding("over", Severity::Critical, 1.0, true),
            finding("bad", Severity::Critical, 0.5, false),
        ],
        desk: Desk::default(),
        reopened: 0,
        revision: 1,
        awaited: None,
        handed: None,
    }
}

#[test]
fn what_is_ours_and_goes_on_is_told_and_nothing_else() {
    let mut world = world();
    let closed = Incident {
        state: IncidentState::Resolved,
        ..held(2, 0, "over")
    };
    world.incidents = vec![held(1, 0, "here"), closed, held(3, 1, "elsewhere")];
    let told = Teller::default().tell(&world, |id| id.0 == 0, Gauges::default());
    let names: Vec<&str> = told.clusters.iter().map(|c| c.name.as_ref()).collect();
    assert_eq!(names, ["alpha"]);
    let titles: Vec<&str> = told.incidents.iter().map(|i| i.title.as_str()).collect();
    assert_eq!(titles, ["here"]);
    let texts = told.incidents[0].findings.iter().map(|f| f.text.as_str());
    assert_eq!(texts.collect::<Vec<_>>(), ["bad: here", "mild: here"]);
    assert_eq!(told.clusters[0].sources, [Heard::Connecting]);
    assert_eq!(told.clusters[0].score, None, "nothing was heard: no number");
}

#[test]
fn no_secret_and_no_escape_leaves() {
    let mut world = world();
    let bad = "login failed: password=hunter2hunter2 \u{1b}[31mred";
    world.incidents = vec![held(1, 0, bad)];
    let told = Teller::default().tell(&world, |_| true, Gauges::default());
    let whole = format!("{told:?}");
    assert!(
        !whole.contains("hunter2") && whole.contains("redacted"),
        "{whole}"
    );
    assert!(
        !whole.contains('\u{1b}') && !whole.contains("[31m"),
        "{whole}"
    );
}

#[test]
fn what_did_not_change_is_not_written_again() {
    let mut world = world();
    world.incidents = vec![held(1, 0, "one"), held(2, 0, "two")];
    let mut teller = Teller::default();
    let first = teller.tell(&world, |_| true, Gauges::default());
    world.incidents[1].revision += 1;
    world.incidents[1].title = "more".into();
    let second = teller.tell(&world, |_| true, Gauges::default());
    assert!(Arc::ptr_eq(&first.incidents[0], &second.incidents[0]));
    assert_eq!(second.incidents[1].title, "more");
    world.incidents.clear();
    teller.tell(&world, |_| true, Gauges::default());
    assert!(teller.kept.is_empty());
}

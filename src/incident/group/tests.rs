//! What belongs together, and what does not.

use super::*;
use crate::model::id::ClusterId;

fn finding(cluster: u16, subject: Subject, key: &str, minute: i64) -> Finding {
    let at = Timestamp(minute * 60_000);
    Finding {
        cluster: ClusterId(cluster),
        subject,
        since: at,
        at,
        ..Finding::bare(key)
    }
}

fn gpu(node: &str) -> Subject {
    Subject::Gpu {
        node: node.into(),
        gpu: "0".into(),
    }
}

fn model() -> Subject {
    Subject::Model {
        namespace: "ml".into(),
        model: "q".into(),
    }
}

fn nodes(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|n| Arc::from(*n)).collect()
}

/// Groups and returns how many findings each incident has.
fn group(findings: Vec<(Finding, Vec<Arc<str>>)>) -> Vec<usize> {
    let (mut grouper, mut incidents) = (Grouper::default(), Vec::new());
    for (finding, nodes) in findings {
        grouper.take(&mut incidents, finding, &nodes);
    }
    incidents.iter().map(|i| i.findings.len()).collect()
}

#[test]
fn one_node_and_near_in_time_is_one() {
    let n1 = nodes(&["n1"]);
    let together = vec![
        (finding(0, gpu("n1"), "xid", 10), n1.clone()),
        (finding(0, model(), "latency", 13), nodes(&["n1", "n2"])),
        (
            finding(0, Subject::Node("n2".into()), "cpu", 14),
            nodes(&["n2"]),
        ),
    ];
    assert_eq!(group(together), [3]);
    let apart = vec![
        (finding(0, gpu("n1"), "xid", 10), n1.clone()),
        (finding(0, gpu("n3"), "xid of n3", 11), nodes(&["n3"])),
        (finding(1, gpu("n1"), "xid", 10), n1.clone()),
        (finding(0, model(), "late", 60), n1),
    ];
    assert_eq!(
        group(apart),
        [1, 1, 1, 1],
        "other node, other cluster, other time"
    );
}

#[test]
fn a_device_that_is_ill_has_one_story_however_long() {
    let n1 = nodes(&["n1"]);
    let story = vec![
        (finding(0, gpu("n1"), "hot", 10), n1.clone()),
        (finding(0, gpu("n1"), "xid", 60), n1.clone()),
        (finding(1, gpu("n1"), "xid", 60), n1.clone()),
        (finding(0, Subject::Node("n1".into()), "cpu", 90), n1),
    ];
    assert_eq!(group(story), [2, 1, 1]);
}

#[test]
fn what_shows_two_to_be_one_merges_them() {
    let merged = vec![
        (finding(0, gpu("n1"), "xid", 10), nodes(&["n1"])),
        (finding(0, gpu("n2"), "hot", 11), nodes(&["n2"])),
        (finding(0, model(), "latency", 12), nodes(&["n1", "n2"])),
    ];
    assert_eq!(group(merged), [3]);
}

#[test]
fn opens_recovers_and_closes_after_the_cool_down() {
    let (mut grouper, mut incidents) = (Grouper::default(), Vec::new());
    let bad = finding(0, gpu("n1"), "xid", 10);
    let mut over = bad.clone();
    (over.over, over.at) = (true, Timestamp(20 * 60_000));
    grouper.take(&mut incidents, bad.clone(), &nodes(&["n1"]));
    let id = incidents[0].id;
    assert_eq!(incidents[0].state, IncidentState::Open);
    grouper.take(&mut incidents, over.clone(), &nodes(&["n1"]));
    assert_eq!(incidents[0].state, IncidentState::Recovering);
    grouper.take(&mut incidents, bad.clone(), &nodes(&["n1"]));
    assert_eq!(
        (incidents.len(), incidents[0].state),
        (1, IncidentState::Open),
        "not a second one"
    );
    grouper.take(&mut incidents, over, &nodes(&["n1"]));
    assert!(!grouper.tick(&mut incidents, Timestamp(24 * 60_000)));
    assert!(grouper.tick(&mut incidents, Timestamp(25 * 60_000)));
    assert_eq!(incidents[0].state, IncidentState::Resolved);
    assert_eq!(incidents[0].closed, Some(Timestamp(20 * 60_000)));
    let mut again = bad;
    again.since = Timestamp(40 * 60_000);
    grouper.take(&mut incidents, again, &nodes(&["n1"]));
    assert_eq!(incidents.len(), 2);
    assert_ne!(incidents[1].id, id);
}

#[test]
fn a_weak_sign_opens_nothing_but_two_do() {
    let weak = |subject: Subject, key: &str| Finding {
        severity: Severity::Info,
        kind: FindingKind::Spike,
        ..finding(0, subject, key, 10)
    };
    let n1 = nodes(&["n1"]);
    assert!(group(vec![(weak(gpu("n1"), "power"), n1.clone())]).is_empty());
    let both = vec![
        (weak(gpu("n1"), "power"), n1.clone()),
        (weak(gpu("n1"), "temp"), n1),
    ];
    assert_eq!(group(both), [2]);
}

#[test]
fn an_alert_about_the_same_is_evidence_not_another_sign() {
    let (mut grouper, mut incidents) = (Grouper::default(), Vec::new());
    let n1 = nodes(&["n1"]);
    grouper.take(&mut incidents, finding(0, gpu("n1"), "XID 79", 10), &n1);
    let mut alert = finding(0, gpu("n1"), "alert/f1", 11);
    alert.kind = FindingKind::Alert;
    alert.evidence = vec![Evidence::Alert("f1".into())];
    grouper.take(&mut incidents, alert.clone(), &n1);
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].findings[0].evidence, alert.evidence);
    assert_eq!(incidents[0].title, "n1 gpu 0: XID 79 (rule)");
}

#[test]
fn sources_and_other_cluster_wide_signs_are_two_stories() {
    let mut deaf = finding(0, Subject::Cluster, "source/prometheus", 10);
    deaf.kind = FindingKind::Unreachable;
    let other = finding(0, Subject::Cluster, "apiserver", 10);
    assert_eq!(group(vec![(deaf, vec![]), (other, vec![])]), [1, 1]);
}

#[test]
fn what_comes_back_soon_is_the_same_incident() {
    let (mut grouper, mut incidents) = (Grouper::default(), Vec::new());
    let n1 = nodes(&["n1"]);
    let ends = |minute| Finding {
        over: true,
        ..finding(0, gpu("n1"), "xid", minute)
    };
    let minute = |n: i64| Timestamp(n * 60_000);
    grouper.take(&mut incidents, finding(0, gpu("n1"), "xid", 10), &n1);
    grouper.take(&mut incidents, ends(11), &n1);
    grouper.tick(&mut incidents, minute(20));
    assert_eq!(incidents[0].state, IncidentState::Resolved);
    grouper.take(&mut incidents, finding(0, gpu("n1"), "xid", 24), &n1);
    assert_eq!(incidents.len(), 1);
    let back = &incidents[0];
    assert_eq!((back.state, back.closed), (IncidentState::Open, None));
    assert_eq!(back.word(minute(60)), "reopened");
    // Much later it is another one.
    grouper.take(&mut incidents, ends(31), &n1);
    grouper.tick(&mut incidents, minute(40));
    grouper.take(&mut incidents, finding(0, gpu("n1"), "xid", 120), &n1);
    assert_eq!(incidents.len(), 2);
}

#[test]
fn a_sign_that_says_it_never_ended_is_no_second_incident() {
    let (mut grouper, mut incidents) = (Grouper::default(), Vec::new());
    let n1 = nodes(&["n1"]);
    let alert = finding(0, gpu("n1"), "alert", 10);
    grouper.take(&mut incidents, alert.clone(), &n1);
    let silenced = Finding {
        over: true,
        at: Timestamp(11 * 60_000),
        ..alert.clone()
    };
    grouper.take(&mut incidents, silenced, &n1);
    grouper.tick(&mut incidents, Timestamp(20 * 60_000));
    // The silence ends hours later: it fires with its former begin.
    let again = Finding {
        at: Timestamp(300 * 60_000),
        ..alert
    };
    grouper.take(&mut incidents, again, &n1);
    let ids: Vec<_> = incidents.iter().map(|i| i.id).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert!(incidents[0].is_live());
}

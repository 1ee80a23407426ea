//! What is told once, and what is not told again.

use super::*;
use crate::incident::Grouper;
use crate::model::alert::Severity;

const MINUTE: i64 = 60_000;

fn finding(key: &str, minute: i64) -> Finding {
    let at = Timestamp(minute * MINUTE);
    Finding {
        since: at,
        at,
        ..Finding::bare(key)
    }
}

/// One run of a watcher of one cluster.
struct Run {
    grouper: Grouper,
    incidents: Vec<Incident>,
    told: Told,
    now: Timestamp,
}

impl Run {
    fn new(minute: i64, before: &[Change]) -> Self {
        let now = Timestamp(minute * MINUTE);
        let mut told = Told::new("lyon-1".into(), "w1".into(), Clone::clone, now);
        before.iter().for_each(|change| told.adopt(change));
        let (mut grouper, mut incidents) = (Grouper::default(), Vec::new());
        let past: Vec<Incident> = told.adopted().map(|i| i.as_ref().clone()).collect();
        grouper.restore(&mut incidents, past, 0, now.plus_ms(10 * MINUTE));
        Self {
            grouper,
            incidents,
            told,
            now,
        }
    }

    /// Time goes on to this minute; then these signs are seen.
    fn see(&mut self, minute: i64, findings: Vec<Finding>) -> Vec<Change> {
        self.now = Timestamp(minute * MINUTE);
        for finding in findings {
            self.grouper
                .take(&mut self.incidents, finding, &["n1".into()]);
        }
        self.grouper.tick(&mut self.incidents, self.now);
        self.told.news(&self.incidents, self.now)
    }
}

fn events(changes: &[Change]) -> Vec<&'static str> {
    changes.iter().map(|c| c.event.as_str()).collect()
}

fn over(mut finding: Finding, minute: i64) -> Finding {
    (finding.over, finding.at) = (true, Timestamp(minute * MINUTE));
    finding
}

#[test]
fn a_story_is_told_once_from_begin_to_end() {
    let mut run = Run::new(0, &[]);
    let first = run.see(1, vec![finding("a", 1)]);
    assert_eq!(events(&first), ["incident_opened", "finding_begun"]);
    assert_eq!(first[0].subject(), "ai.farwatch.lyon-1.incident_opened");
    assert!(run.see(1, vec![]).is_empty());
    let second = run.see(2, vec![finding("b", 2)]);
    assert_eq!(events(&second), ["incident_changed", "finding_begun"]);
    assert_eq!(second[1].found().map(|f| f.key.as_ref()), Some("b"));
    let third = run.see(3, vec![over(finding("a", 1), 3)]);
    assert_eq!(events(&third), ["incident_changed", "finding_ended"]);
    let fourth = run.see(4, vec![over(finding("b", 2), 4)]);
    assert_eq!(events(&fourth), ["incident_changed", "finding_ended"]);
    let last = run.see(10, vec![]);
    assert_eq!(events(&last), ["incident_resolved"]);
    let all = [first, second, third, fourth, last].concat();
    let ids: BTreeSet<&str> = all.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(ids.len(), all.len(), "each has an id of its own");
    let revisions: Vec<u32> = all
        .iter()
        .filter(|c| c.event.is_of_incident())
        .map(|c| c.revision)
        .collect();
    assert_eq!(revisions, [1, 2, 3, 4, 5]);
}

#[test]
fn another_run_goes_on_where_one_was_killed() {
    let mut run = Run::new(0, &[]);
    let mut told = run.see(1, vec![finding("a", 1), finding("b", 1)]);
    told.extend(run.see(2, vec![finding("c", 2)]));
    let mut next = Run::new(3, &told);
    assert!(next.see(3, vec![]).is_empty(), "nothing was seen yet");
    // One sign is back: the others may yet come.
    assert!(
        next.see(
            4,
            vec![Finding {
                at: Timestamp(4 * MINUTE),
                ..finding("a", 1)
            }]
        )
        .is_empty()
    );
    // A new one goes to the same incident, with the next revision.
    let new = next.see(5, vec![finding("d", 5)]);
    assert_eq!(events(&new), ["incident_changed", "finding_begun"]);
    assert_eq!(
        (new[0].revision, new[0].incident.id),
        (3, told[0].incident.id)
    );
    assert_eq!(
        new[0].incident.findings.iter().filter(|f| f.over).count(),
        0
    );
    // One is over by what this run saw.
    let ended = next.see(6, vec![over(finding("b", 1), 6)]);
    assert_eq!(events(&ended), ["incident_changed", "finding_ended"]);
    assert_eq!(ended[1].found().map(|f| f.key.as_ref()), Some("b"));
    // What was not seen in time is over.
    let late = next.see(14, vec![]);
    assert_eq!(events(&late), ["incident_changed", "finding_ended"]);
    assert_eq!(late[1].found().map(|f| f.key.as_ref()), Some("c"));
}

#[test]
fn signs_that_do_not_come_back_end_the_incident() {
    let told = Run::new(0, &[]).see(1, vec![finding("a", 1)]);
    let mut next = Run::new(3, &told);
    assert!(next.see(8, vec![]).is_empty());
    let ended = next.see(14, vec![]);
    assert_eq!(events(&ended), ["incident_resolved", "finding_ended"]);
    assert!(
        Run::new(15, &[told, ended].concat())
            .see(40, vec![])
            .is_empty()
    );
}

#[test]
fn words_alone_are_told_now_and_then() {
    let mut run = Run::new(0, &[]);
    run.see(1, vec![finding("a", 1)]);
    let louder = |score| Finding {
        score,
        ..finding("a", 1)
    };
    let first = run.see(1, vec![louder(0.8)]);
    assert!(first.is_empty());
    assert_eq!(events(&run.see(2, vec![])), ["incident_changed"]);
    assert!(run.see(9, vec![]).is_empty());
    let worse = Finding {
        severity: Severity::Critical,
        ..louder(0.9)
    };
    assert_eq!(events(&run.see(9, vec![worse])), ["incident_changed"]);
}

#[test]
fn what_another_one_took_in_is_told_with_its_name() {
    let mut run = Run::new(0, &[]);
    run.see(1, vec![finding("a", 1)]);
    let mut twin = run.incidents[0].clone();
    twin.id = IncidentId(7);
    run.incidents.push(twin);
    assert_eq!(
        events(&run.see(1, vec![])),
        ["incident_opened", "finding_begun"]
    );
    run.incidents.retain(|i| i.id != IncidentId(7));
    let merged = run.see(2, vec![]);
    assert_eq!(events(&merged), ["incident_merged"]);
    assert_eq!(merged[0].into, Some(run.incidents[0].id));
    assert!(run.see(3, vec![]).is_empty());
    let next = Run::new(4, &merged);
    assert!(next.incidents.is_empty(), "it does not come back");
}

#[test]
fn what_ended_before_anybody_told_it_is_not_news() {
    let mut run = Run::new(0, &[]);
    run.see(1, vec![finding("a", 1)]);
    let told = run.see(1, vec![over(finding("a", 1), 1)]);
    assert_eq!(events(&told), ["incident_changed", "finding_ended"]);
    run.see(10, vec![]);
    let mut late = Run::new(30, &[]);
    late.incidents = run.incidents.clone();
    assert!(late.see(31, vec![]).is_empty());
    let mut short = Run::new(0, &[]);
    short.incidents = run.incidents;
    let told = short.see(10, vec![]);
    assert_eq!(
        events(&told),
        [
            "incident_opened",
            "finding_begun",
            "incident_resolved",
            "finding_ended"
        ]
    );
}

use serde_json::Value;

use super::super::told::tests::{NOW, incident, turn};
use super::*;

const MINUTE: i64 = 60_000;

fn told(book: &Book, at_ms: i64) -> Vec<Value> {
    let now = Timestamp(NOW + at_ms);
    let keys: Vec<Key> = book.due(now).cloned().collect();
    let body = book.body(&keys, now);
    serde_json::from_slice(&body).expect("JSON")
}

fn settle(book: &mut Book, at_ms: i64) {
    let now = Timestamp(NOW + at_ms);
    let keys: Vec<Key> = book.due(now).cloned().collect();
    book.settle(&keys, now);
}

#[test]
fn an_incident_is_told_again_and_again_and_once_when_it_ends() {
    let mut book = Book::new(EVERY);
    let open = || vec![incident(7, "alpha")];
    book.hear(&turn(0, open()));
    let first = told(&book, 0);
    assert_eq!(first.len(), 1);
    assert_eq!(first[0]["labels"]["alertname"], "FarwatchIncident");
    assert_eq!(first[0]["labels"]["incident"], "0000000000000007");
    assert_eq!(first[0]["labels"]["severity"], "warning");
    assert_eq!(first[0]["labels"]["environment"], "production");
    assert_eq!(first[0]["annotations"]["summary"], "gpu 3 of n1 is hot");
    assert_eq!(first[0]["annotations"]["description"], "91 C, limit 85 C");
    assert_eq!(first[0]["startsAt"], Timestamp(NOW - MINUTE).rfc3339());
    let until = Timestamp(NOW + 4 * MINUTE).rfc3339();
    assert_eq!(first[0]["endsAt"], until, "it ends by itself if we die");
    settle(&mut book, 0);
    book.hear(&turn(MINUTE - 1, open()));
    assert!(told(&book, MINUTE - 1).is_empty(), "told a moment ago");
    book.hear(&turn(MINUTE, open()));
    let again = told(&book, MINUTE);
    assert_eq!(
        again[0]["labels"], first[0]["labels"],
        "labels are its identity"
    );
    settle(&mut book, MINUTE);
    book.hear(&turn(MINUTE + 5, Vec::new()));
    book.hear(&turn(MINUTE + 9, Vec::new()));
    let end = told(&book, MINUTE + 9);
    assert_eq!(end[0]["endsAt"], Timestamp(NOW + MINUTE + 5).rfc3339());
    settle(&mut book, MINUTE + 9);
    book.hear(&turn(9 * MINUTE, Vec::new()));
    assert!(told(&book, 9 * MINUTE).is_empty() && book.entries.is_empty());
}

#[test]
fn another_severity_ends_the_one_and_begins_the_other() {
    let mut book = Book::new(EVERY);
    book.hear(&turn(0, vec![incident(7, "alpha")]));
    settle(&mut book, 0);
    let worse = IncidentTold {
        severity: Severity::Critical,
        ..incident(7, "alpha")
    };
    book.hear(&turn(1, vec![worse]));
    let both = told(&book, 1);
    let ends: Vec<(&str, &str)> = both
        .iter()
        .map(|a| {
            (
                a["labels"]["severity"].as_str().unwrap(),
                a["endsAt"].as_str().unwrap(),
            )
        })
        .collect();
    let (over, until) = (
        Timestamp(NOW + 1).rfc3339(),
        Timestamp(NOW + 1 + 4 * MINUTE).rfc3339(),
    );
    assert_eq!(
        ends,
        [("warning", over.as_str()), ("critical", until.as_str())]
    );
}

#[test]
fn a_cluster_that_another_watches_is_not_said_to_be_well() {
    let mut book = Book::new(EVERY);
    book.hear(&turn(0, vec![incident(7, "alpha"), incident(8, "beta")]));
    settle(&mut book, 0);
    let mut next = turn(1, vec![incident(8, "beta")]);
    next.clusters.remove(0);
    book.hear(&next);
    assert!(told(&book, 1).is_empty());
    assert_eq!(book.entries.len(), 1);
}

#[test]
fn what_comes_back_before_its_end_was_told_is_told_as_open() {
    let mut book = Book::new(EVERY);
    book.hear(&turn(0, vec![incident(7, "alpha")]));
    settle(&mut book, 0);
    book.hear(&turn(1, Vec::new()));
    book.hear(&turn(2, vec![incident(7, "alpha")]));
    let open = told(&book, 2);
    assert_eq!(open[0]["endsAt"], Timestamp(NOW + 2 + 4 * MINUTE).rfc3339());
}

#[test]
fn there_is_an_end_to_what_is_kept() {
    let mut book = Book::new(EVERY);
    let many = (0..MOST as u64 + 5).map(|id| incident(id, "alpha"));
    book.hear(&turn(0, many.collect()));
    assert_eq!((book.entries.len(), book.take_dropped()), (MOST, 5));
    book.hear(&turn(1, Vec::new()));
    book.hear(&turn(16 * MINUTE, Vec::new()));
    assert_eq!(
        (book.entries.len(), book.take_dropped()),
        (0, MOST),
        "nobody took the ends"
    );
}

#[test]
fn an_alert_never_ends_before_it_begins() {
    let mut book = Book::new(EVERY);
    let late = IncidentTold {
        opened: Timestamp(NOW + MINUTE),
        ..incident(7, "alpha")
    };
    book.hear(&turn(0, vec![late]));
    book.hear(&turn(1, Vec::new()));
    let end = told(&book, 1);
    assert_eq!(end[0]["endsAt"], Timestamp(NOW + MINUTE + 1).rfc3339());
}

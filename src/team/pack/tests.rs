//! What is left out of a change that is too large, and what never is.

use super::*;
use crate::model::alert::Severity;
use crate::model::finding::{Evidence, Finding};
use crate::model::news::Event;
use crate::model::time::Timestamp;

fn change(findings: Vec<Finding>) -> Change {
    let incident = Incident {
        findings,
        title: "t".repeat(500),
        ..Incident::bare(1)
    };
    let incident = Arc::new(incident);
    Change::new(
        Event::FindingBegun,
        "lyon-1".into(),
        "w1".into(),
        3,
        incident,
        Timestamp(0),
    )
}

fn finding(n: usize, over: bool) -> Finding {
    Finding {
        over,
        evidence: vec![Evidence::Text("e".repeat(400))],
        text: "x".repeat(400),
        ..Finding::bare(&format!("f{n:03}"))
    }
}

fn fit(change: &Change, most: usize) -> Change {
    let packed = pack(change, most).expect("packed");
    assert!(packed.body.len() <= most, "{} > {most}", packed.body.len());
    assert!(packed.cut);
    let read: Change = rmp_serde::from_slice(&packed.body).expect("a change");
    assert!(read.cut);
    assert_eq!((&read.id, read.event), (&change.id, change.event));
    read
}

#[test]
fn what_fits_is_whole() {
    let change = change(vec![finding(0, false)]);
    let packed = pack(&change, 64 << 10).expect("packed");
    assert!(!packed.cut);
    let read: Change = rmp_serde::from_slice(&packed.body).expect("a change");
    assert_eq!(read, change);
}

#[test]
fn evidence_goes_first_and_what_is_over_before_what_goes_on() {
    let all: Vec<Finding> = (0..100).map(|n| finding(n, n % 2 == 0)).collect();
    let change = change(all);
    let whole = pack(&change, usize::MAX).expect("packed").body.len();
    let first = fit(&change, whole - 10_000);
    let evident = |c: &Change, over| {
        let findings = c.incident.findings.iter().filter(move |f| f.over == over);
        findings.filter(|f| !f.evidence.is_empty()).count()
    };
    assert_eq!((evident(&first, true), evident(&first, false)), (0, 50));
    let second = fit(&change, whole - 30_000);
    assert_eq!(evident(&second, false), 0);
    assert_eq!(second.incident.findings[3].text.len(), 400);
    let third = fit(&change, whole - 52_000);
    assert_eq!(third.incident.findings.len(), 100);
    assert!(third.incident.title.len() < 250);
}

#[test]
fn the_worst_stay_and_the_one_it_is_about() {
    let mut all: Vec<Finding> = (0..500).map(|n| finding(n, n % 3 == 0)).collect();
    all[400].severity = Severity::Critical;
    let change = change(all.clone()).about(&all[0]);
    let small = fit(&change, 8_000);
    let keys: Vec<&str> = small
        .incident
        .findings
        .iter()
        .map(|f| f.key.as_ref())
        .collect();
    assert_eq!(keys.len(), 8);
    assert!(keys.contains(&"f400"), "{keys:?}");
    assert_eq!(small.found().map(|f| f.key.as_ref()), Some("f000"));
    let others = small
        .incident
        .findings
        .iter()
        .filter(|f| f.key.as_ref() != "f000");
    assert!(others.clone().all(|f| !f.over));
    // Once more for a server that takes less: it is counted once.
    let packed = pack(&change, 60_000).expect("packed");
    let second = again(&packed.body, 8_000).expect("a change of ours");
    assert!(second.body.len() <= 8_000 && !second.cut);
    assert!(again(b"junk", 10).is_none());
}

//! What signs tell by their order and place, and known ways.

use super::*;

#[test]
fn signs_are_ordered_by_time_and_place() {
    let mut seen = picture(&["pod a", "pod b", "node 1"]);
    seen.calls = vec![(0, 2), (1, 2)];
    seen.signs = vec![
        sign(0, "answers late", 90.0),
        sign(1, "answers late", 100.0),
        sign(2, "its disk is slow", 0.0),
    ];
    assert_eq!(first(&seen), Some("node 1"));
    let ranking = rank(&seen);
    let pod = ranking
        .places
        .iter()
        .find(|c| c.what == What::Object(0))
        .expect("ranked");
    let against = pod
        .evidence
        .iter()
        .find(|e| e.weight < 0.0 && e.says.contains("node 1"));
    assert!(against.is_some(), "{:?}", pod.evidence);
}

/// The evidence of an object in words, and its sum.
fn says(picture: &Picture, object: usize) -> (String, f64) {
    let ranking = rank(picture);
    let mut causes = ranking.places.iter();
    let cause = causes.find(|c| c.what == What::Object(object));
    let cause = cause.expect("ranked");
    let says: Vec<&str> = cause.evidence.iter().map(|e| e.says.as_str()).collect();
    (says.join("; "), cause.score)
}

#[test]
fn within_a_step_nothing_is_first() {
    let mut seen = picture(&["a", "b", "late"]);
    seen.signs = vec![
        sign(0, "slow", 0.0),
        sign(1, "slow", 30.0),
        sign(2, "slow", 600.0),
    ];
    let (first, near, late) = (says(&seen, 0), says(&seen, 1), says(&seen, 2));
    assert_eq!(first, near);
    assert!(first.0.contains("among the first signs"), "{first:?}");
    assert!(
        late.0
            .contains("its first sign came 600 s after the earliest"),
        "{late:?}"
    );
    assert!(late.1 < first.1 - 1.5, "{first:?} {late:?}");
}

#[test]
fn each_sign_has_a_step_of_its_own() {
    let mut seen = picture(&["pod", "node"]);
    seen.calls = vec![(0, 1)];
    seen.signs = vec![sign(0, "slow", 0.0), sign(1, "is not Ready", 40.0)];
    // Looked at each minute it may have been first; each ten seconds it was not.
    assert!(
        says(&seen, 0)
            .0
            .contains("needs node, which was ill no later")
    );
    assert!(says(&seen, 1).0.contains("among the first signs"));
    seen.signs[1].step = 10.0;
    assert!(!says(&seen, 0).0.contains("needs"));
    assert!(says(&seen, 1).0.contains("came 40 s after the earliest"));
}

#[test]
fn what_began_before_our_data_is_neither_first_nor_late() {
    let mut seen = picture(&["alert", "clock", "later"]);
    let mut clock = sign(1, "is in FREERUN", 240.0);
    clock.before = true;
    seen.signs = vec![sign(0, "is told", 0.0), clock, sign(2, "is slow", 300.0)];
    seen.calls = vec![(0, 1)];
    let (alert, clock, later) = (says(&seen, 0), says(&seen, 1), says(&seen, 2));
    assert!(!clock.0.contains("first sign"), "{clock:?}");
    // Nor is the other known to have been first; what came after both still is later.
    assert!(!alert.0.contains("among the first"), "{alert:?}");
    assert!(later.0.contains("300 s after the earliest"), "{later:?}");
    let needs = "needs clock, which is ill too; which was first is not known";
    assert!(alert.0.contains(needs), "{alert:?}");
    // What came after it was seen ill is not what made it ill.
    seen.calls = vec![(1, 2)];
    seen.signs[2].since = BEGINS + 900.0;
    assert!(!says(&seen, 1).0.contains("needs"), "{:?}", says(&seen, 1));
}

#[test]
fn what_stands_below_all_is_named_without_a_sign_of_its_own() {
    let mut seen = picture(&["pod a", "pod b", "pod c", "switch"]);
    seen.calls = vec![(0, 3), (1, 3), (2, 3)];
    seen.signs = (0..3)
        .map(|pod| sign(pod, "packets are lost", 0.0))
        .collect();
    let ranking = rank(&seen);
    let switch = ranking
        .places
        .iter()
        .find(|c| c.what == What::Object(3))
        .expect("ranked");
    let says = switch.evidence.first().map(|e| e.says.as_str());
    assert_eq!(says, Some("3 of 3 others that are ill need it"));
}

#[test]
fn a_known_way_brings_its_query_and_its_fix() {
    let mut seen = picture(&["gpu 3", "model"]);
    seen.calls = vec![(1, 0)];
    seen.signs = vec![
        sign(0, "XID 79: GPU has fallen off the bus", 0.0),
        sign(1, "time to first token is late", 30.0),
    ];
    let ranking = rank(&seen);
    let cause = ranking.place().expect("one");
    // What NVIDIA advises stands in the finding: it is not the same for all.
    assert_eq!((cause.what, cause.fix), (What::Object(0), None));
    assert!(
        cause.confirm.as_deref().is_some_and(|q| q.contains("XID")),
        "{cause:?}"
    );
    assert!(cause.probability > 0.7, "{}", cause.probability);
}

#[test]
fn the_strongest_of_the_known_ways_names_query_and_fix() {
    let mut seen = picture(&["web"]);
    seen.signs = vec![
        sign(0, "CrashLoopBackOff, 5 restarts", 0.0),
        sign(0, "OOMKilled, 5 restarts", 0.0),
    ];
    for turn in 0..2 {
        seen.signs.rotate_left(turn);
        let ranking = rank(&seen);
        let cause = ranking.place().expect("one");
        assert_eq!(cause.fix, Some(Fix::RaiseLimit));
        let query = cause.confirm.as_deref();
        assert!(
            query.is_some_and(|q| q.contains("working_set")),
            "{query:?}"
        );
    }
}

#[test]
fn signs_alone_make_wider_probabilities_than_what_was_measured() {
    let mut seen = picture(&["web", "db"]);
    seen.series = vec![series(1, "cpu_pct", 10.0, 90.0)];
    let measured = rank(&seen).places;
    let odds = |places: &[Cause]| {
        let (first, second) = (&places[0], &places[1]);
        (first.probability / second.probability).ln() / (first.score - second.score)
    };
    assert!((odds(&measured) - 1.0).abs() < 1e-9);
    seen.signs = vec![sign(0, "answers late", 0.0)];
    assert!((odds(&rank(&seen).places) - 0.5).abs() < 1e-9);
}

#[test]
fn a_probability_is_shown_as_neither_certain_nor_impossible() {
    let mut cause = Cause::of(What::None, Vec::new());
    for (probability, shown) in [
        (0.0, "<1 %"),
        (0.004, "<1 %"),
        (0.007, "1 %"),
        (0.5, "50 %"),
        (0.994, "99 %"),
        (0.996, ">99 %"),
        (1.0, ">99 %"),
    ] {
        cause.probability = probability;
        assert_eq!(cause.percent(), shown);
    }
}

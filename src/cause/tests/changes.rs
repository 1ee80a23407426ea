//! Which change is to blame.

use super::*;

fn change(id: &str, before: f64, live: &[usize]) -> Change {
    Change {
        id: id.to_owned(),
        at: BEGINS - before,
        live: live.iter().map(|o| (Some(*o), BEGINS - before)).collect(),
        ..Change::default()
    }
}

fn to_blame(picture: &Picture) -> Option<&str> {
    match rank(picture).change()?.what {
        What::Change(at) => picture.changes.get(at).map(|c| c.id.as_str()),
        _ => None,
    }
}

/// A service that panics about a map, with a change that takes its lock away.
fn panic() -> Picture {
    let mut seen = picture(&["shop", "mail"]);
    seen.symptom = Some((0, Aspect::Failures));
    seen.told = vec!["shop 5xx ratio".to_owned()];
    seen.series = vec![series(0, "http_5xx_ratio", 0.001, 0.4)];
    seen.counts = vec![
        lines(0, "INFO handled", 50.0, 20.0),
        lines(
            0,
            "ERROR concurrent map writes in limiter counts",
            0.0,
            40.0,
        ),
    ];
    let mut unlock = change("unlock", 300.0, &[0]);
    unlock.text = "refactor: simplify the limiter".to_owned();
    unlock.files = vec!["services/shop/limiter.go".to_owned()];
    unlock.diff = "-\tl.mu.Lock()\n-\tdefer l.mu.Unlock()\n \tl.counts[id]++".to_owned();
    seen.changes = vec![unlock];
    seen
}

#[test]
fn the_change_that_can_do_it_is_to_blame() {
    let mut seen = panic();
    assert_eq!(to_blame(&seen), Some("unlock"));
    let mut words = change("words", 60.0, &[0]);
    words.text = "docs: limiter counts and map writes".to_owned();
    words.files = vec!["docs/limiter.md".to_owned()];
    let mut log = change("log", 60.0, &[0]);
    log.text = "log the limiter counts".to_owned();
    log.files = vec!["services/shop/limiter.go".to_owned()];
    log.diff = "-\tlog.Print(counts)\n+\tlog.Print(counts, limiter)".to_owned();
    seen.changes.extend([words, log]);
    assert_eq!(to_blame(&seen), Some("unlock"));
}

#[test]
fn what_came_later_is_not_to_blame() {
    let mut seen = panic();
    for change in &mut seen.changes {
        change.at = BEGINS + 120.0;
        change.live = vec![(Some(0), BEGINS + 130.0)];
    }
    assert_eq!(to_blame(&seen), None);
}

#[test]
fn demand_and_hosts_outside_clear_the_changes() {
    let mut seen = panic();
    seen.series.extend([
        series(0, "requests_per_sec", 100.0, 700.0),
        series(1, "requests_per_sec", 50.0, 350.0),
    ]);
    let mut plain = change("plain", 300.0, &[0]);
    plain.text = "tidy".to_owned();
    seen.changes = vec![plain];
    let ranking = rank(&seen);
    let none = ranking.changes.first().expect("ranked");
    assert_eq!(none.what, What::None);
    let says = |none: &Cause, what: &str| none.evidence.iter().any(|e| e.says.contains(what));
    assert!(says(none, "7.00 times"), "{none:?}");
    assert!(!says(none, "hosts outside"), "{none:?}");
    // A host of the world fails, and then one of this cluster.
    for (host, outside) in [
        ("api.pay.example.com", true),
        ("pay.shop.svc.cluster.local", false),
    ] {
        let text = format!("ERROR dial {host}: refused");
        seen.counts = vec![
            lines(0, "INFO handled", 50.0, 50.0),
            lines(0, &text, 0.0, 40.0),
        ];
        let ranking = rank(&seen);
        let mut causes = ranking.changes.iter();
        let none = causes.find(|c| c.what == What::None).expect("ranked");
        assert_eq!(
            says(none, "1 objects fail at hosts outside"),
            outside,
            "{none:?}"
        );
    }
}

/// A workload that is ill by its signs alone, with a change of which nobody tells what it does.
fn bare(change: Change) -> Picture {
    let mut seen = picture(&["web", "node"]);
    seen.calls = vec![(0, 1)];
    seen.signs = vec![sign(0, "CrashLoopBackOff", 0.0)];
    seen.changes = vec![change];
    seen
}

fn says(picture: &Picture) -> String {
    let ranking = rank(picture);
    let mut causes = ranking.changes.iter();
    let cause = causes.find(|c| c.what != What::None).expect("ranked");
    let says: Vec<&str> = cause.evidence.iter().map(|e| e.says.as_str()).collect();
    says.join("; ")
}

#[test]
fn a_bare_change_right_before_on_what_is_ill_is_to_blame() {
    assert_eq!(to_blame(&bare(change("web:2", 60.0, &[0]))), Some("web:2"));
    // And of the node that it stands on; not one of which nobody knows where it went.
    assert_eq!(to_blame(&bare(change("drain", 60.0, &[1]))), Some("drain"));
    let nowhere = bare(change("other", 60.0, &[]));
    assert_eq!(to_blame(&nowhere), None);
}

#[test]
fn what_came_between_two_signs_may_have_made_it_worse() {
    let mut seen = bare(change("web:2", -180.0, &[0]));
    assert!(says(&seen).contains("came after the first sign"));
    seen.signs.push(sign(0, "OOMKilled", 240.0));
    let told = says(&seen);
    assert!(
        told.contains("after the first sign, 60 s before one of its objects"),
        "{told}"
    );
    let ranking = rank(&seen);
    let web = ranking.changes.iter().find(|c| c.what != What::None);
    assert!(web.is_some_and(|c| c.probability > 0.3), "{web:?}");
    let share = |seen: &Picture| {
        let mut changes = rank(seen).changes.into_iter();
        let web = changes.find(|c| c.what != What::None);
        web.map_or(f64::NAN, |c| c.probability)
    };
    // The more so the less there was before it; never as likely as one before.
    let beside = share(&seen);
    seen.signs[0].hard = true;
    assert!(share(&seen) < 0.25, "{}", share(&seen));
    (seen.signs[0].hard, seen.signs[0].score) = (false, 0.3);
    assert!(share(&seen) > beside && share(&seen) < 0.5);
    let mut first = change("web:1", 180.0, &[0]);
    std::mem::swap(&mut first, &mut seen.changes[0]);
    assert!(share(&seen) > 0.5);
    seen.changes[0] = first;
    // A sign of what it did not reach is no sign of it, nor one that began nobody knows when.
    seen.signs[1].object = 1;
    assert!(says(&seen).contains("came after the first sign"));
    (seen.signs[1].object, seen.signs[1].before) = (0, true);
    assert!(says(&seen).contains("came after the first sign"));
}

#[test]
fn of_what_nobody_watched_it_is_said_when_at_the_earliest() {
    let mut seen = bare(change("web:2", 300.0, &[0]));
    assert!(
        says(&seen).contains("; 300 s before the first sign"),
        "{}",
        says(&seen)
    );
    seen.changes[0].seen = Some(BEGINS - 10.0);
    assert!(says(&seen).contains("up to 300 s before the first sign"));
}

#[test]
fn a_limit_that_is_lowered_does_more_than_one_that_is_raised() {
    let harm = |diff: &str| super::diff::harm("tune", &["a.go".to_owned()], diff).weight;
    let lower = harm("-\tTTL: 15 * time.Minute,\n+\tTTL: 15 * time.Second,");
    let raised = harm("-\tTTL: 15 * time.Second,\n+\tTTL: 15 * time.Minute,");
    assert!(lower > 2.0 && raised <= 0.0, "{lower} {raised}");
    assert!(harm("-const maxConns = 50\n+const maxConns = 10") > 1.0);
    let renamed = harm("-\tA string `json:\"meta\"`\n+\tA string `json:\"metadata\"`");
    assert!(renamed > 0.0, "{renamed}");
    let patch = harm("-\tgrpc v1.62.0\n+\tgrpc v1.62.1");
    let major = harm("-\tgrpc v1.62.0\n+\tgrpc v2.0.0");
    assert!(patch < 0.0 && major > 0.0, "{patch} {major}");
}

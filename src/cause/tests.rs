//! Each kind of evidence by itself, and what holds for any picture.

use proptest::prelude::*;

use super::aspect::Aspect;
use super::picture::*;
use super::*;

const BEGINS: f64 = 6000.0;

/// Objects by name; a minute is a step, the incident lasts four.
fn picture(objects: &[&str]) -> Picture {
    Picture {
        objects: objects.iter().map(|o| (*o).to_owned()).collect(),
        window: Window {
            begins: BEGINS,
            ends: BEGINS + 240.0,
            step: 60.0,
            others: Vec::new(),
        },
        ..Picture::default()
    }
}

/// A series at `quiet` (a hundredth of noise), and at `during` from the begin on.
fn series(object: usize, name: &str, quiet: f64, during: f64) -> Series {
    let points = (0..105).map(|step| {
        let at = f64::from(step) * 60.0;
        let noise = 1.0 + 0.01 * f64::from(step % 3 - 1);
        (at, if at >= BEGINS { during } else { quiet * noise })
    });
    Series {
        place: Place::Object(object),
        name: name.to_owned(),
        points: points.collect(),
    }
}

fn lines(object: usize, text: &str, quiet: f64, during: f64) -> Count {
    let points = (90..104).map(|step| {
        let at = f64::from(step) * 60.0;
        (at, if at >= BEGINS { during } else { quiet }, None)
    });
    Count {
        object,
        what: Counted::Lines,
        text: text.to_owned(),
        points: points.filter(|(_, n, _)| *n > 0.0).collect(),
    }
}

fn spans(object: usize, text: &str, quiet: f64, during: f64) -> Count {
    let mut count = lines(object, text, 10.0, 10.0);
    count.what = Counted::Spans;
    for (at, _, duration) in &mut count.points {
        *duration = Some(if *at >= BEGINS { during } else { quiet });
    }
    count
}

fn sign(object: usize, text: &str, after: f64) -> Sign {
    Sign {
        object,
        name: "signal".to_owned(),
        text: text.to_owned(),
        score: 0.8,
        since: BEGINS + after,
        origin: "a test".to_owned(),
        ..Sign::default()
    }
}

fn first(picture: &Picture) -> Option<&str> {
    match rank(picture).place()?.what {
        What::Object(at) => picture.objects.get(at).map(String::as_str),
        _ => None,
    }
}

#[test]
fn nothing_seen_is_not_enough_evidence() {
    let mut quiet = picture(&["a", "b"]);
    assert_eq!(first(&quiet), None);
    quiet.series = vec![
        series(0, "cpu_pct", 10.0, 10.2),
        series(1, "cpu_pct", 10.0, 10.1),
    ];
    let ranking = rank(&quiet);
    assert!(ranking.place().is_none() && ranking.change().is_none());
    assert!(ranking.places.iter().all(|c| c.probability < 0.5));
}

#[test]
fn a_shift_counts_only_beyond_what_matters() {
    let mut seen = picture(&["steady", "busy"]);
    // A hundred times its noise, and nothing to anybody; a core full.
    seen.series = vec![
        series(0, "cpu_pct", 1.0, 2.0),
        series(1, "cpu_pct", 60.0, 95.0),
    ];
    assert_eq!(first(&seen), Some("busy"));
    let ranking = rank(&seen);
    let shown = &ranking.place().expect("one").evidence;
    let says: Vec<&str> = shown.iter().map(|e| e.says.as_str()).collect();
    assert_eq!(says, ["cpu_pct 60.0 -> 95.0"]);
    assert_eq!(ranking.series.first(), Some(&1));
}

#[test]
fn units_do_not_change_the_order() {
    for scale in [1.0, 1e6] {
        let mut seen = picture(&["small", "large"]);
        seen.series = vec![
            series(0, "mem_bytes", 100.0 * scale, 104.0 * scale),
            series(1, "mem_bytes", 50.0 * scale, 100.0 * scale),
        ];
        assert_eq!(first(&seen), Some("large"), "{scale}");
    }
}

#[test]
fn a_fault_that_quiet_times_show_too_is_none() {
    let mut seen = picture(&["restless", "struck"]);
    let mut restless = series(0, "cpu_pct", 10.0, 90.0);
    for (step, (at, value)) in restless.points.iter_mut().enumerate() {
        if *at < BEGINS && step % 4 == 0 {
            *value = 92.0;
        }
    }
    seen.series = vec![restless, series(1, "cpu_pct", 10.0, 22.0)];
    assert_eq!(first(&seen), Some("struck"));
}

#[test]
fn waiting_is_laid_on_whom_it_begins_at() {
    let mut seen = picture(&["web", "shop", "db"]);
    seen.calls = vec![(0, 1), (1, 2)];
    seen.symptom = Some((0, Aspect::Latency));
    seen.series = vec![
        series(0, "latency_avg", 0.2, 1.2),
        series(1, "latency_avg", 0.1, 1.1),
        series(2, "latency_avg", 0.3, 1.25),
    ];
    assert_eq!(first(&seen), Some("db"));
    // Not below the symptom: another story.
    seen.calls = vec![(0, 1)];
    assert_eq!(first(&seen), Some("shop"));
}

#[test]
fn times_when_the_symptom_shows_are_compared() {
    let mut seen = picture(&["web", "a", "b"]);
    seen.calls = vec![(0, 1), (0, 2)];
    seen.symptom = Some((0, Aspect::Success));
    let dip = |object, when: std::ops::Range<usize>| {
        let mut series = series(object, "availability", 100.0, 100.0);
        for (at, (_, value)) in series.points.iter_mut().enumerate() {
            *value = if when.contains(&at) { 60.0 } else { 100.0 };
        }
        series
    };
    // Both fall for one of five rows; one of them with the symptom.
    seen.series = vec![dip(0, 102..103), dip(1, 100..101), dip(2, 102..103)];
    assert_eq!(first(&seen), Some("b"));
}

#[test]
fn lines_that_went_together_and_do_not_any_more() {
    let mut seen = picture(&["busier", "broken"]);
    seen.counts = vec![
        lines(1, "INFO asked", 10.0, 12.0),
        lines(1, "INFO answered", 10.0, 0.0),
        lines(1, "ERROR no answer", 0.0, 12.0),
        // More of everything is load.
        lines(0, "INFO asked", 10.0, 40.0),
        lines(0, "INFO done", 10.0, 40.0),
    ];
    assert_eq!(first(&seen), Some("broken"));
    let ranking = rank(&seen);
    let busier = ranking.places.iter().find(|c| c.what == What::Object(0));
    assert!(busier.expect("ranked").score < 0.5, "{busier:?}");
}

#[test]
fn a_line_that_many_write_tells_less() {
    let mut seen = picture(&["frame", "program", "other", "third"]);
    seen.counts = vec![
        lines(0, "ERROR servlet threw", 0.0, 10.0),
        lines(2, "ERROR servlet threw", 0.0, 0.0),
        lines(3, "ERROR servlet threw", 0.0, 0.0),
        lines(1, "ERROR no contact of that id", 0.0, 10.0),
    ];
    assert_eq!(first(&seen), Some("program"));
}

#[test]
fn lost_time_that_nobody_owns_up_to_is_the_way() {
    let mut seen = picture(&["a", "b", "slow way", "fine"]);
    seen.calls = vec![(0, 2), (1, 2), (0, 3)];
    seen.counts = vec![
        spans(0, "HTTP GET", 0.02, 2.0),
        spans(1, "HTTP GET", 0.02, 2.0),
        spans(2, "/contacts", 0.01, 0.01),
        spans(3, "/orders", 0.01, 0.01),
    ];
    // Both callers wait for one, and one of them calls another too.
    assert_eq!(first(&seen), Some("slow way"));
}

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

#[test]
fn within_a_step_nothing_is_first() {
    let mut seen = picture(&["a", "b"]);
    seen.signs = vec![sign(0, "late", 0.0), sign(1, "late", 30.0)];
    let ranking = rank(&seen);
    let scores: Vec<f64> = ranking.places.iter().take(2).map(|c| c.score).collect();
    assert_eq!(scores.first(), scores.get(1));
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
    assert_eq!(
        (cause.what, cause.fix),
        (What::Object(0), Some(Fix::Replace))
    );
    assert!(
        cause.confirm.as_deref().is_some_and(|q| q.contains("XID")),
        "{cause:?}"
    );
    assert!(cause.probability > 0.7, "{}", cause.probability);
}

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
    assert!(
        none.evidence.iter().any(|e| e.says.contains("7.00 times")),
        "{none:?}"
    );
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

/// Numbers as they come from outside.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -1e3..1e3_f64,
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
        1 => Just(-0.0),
        1 => Just(f64::MAX),
        1 => Just(f64::MIN_POSITIVE),
    ]
}

fn any_picture() -> impl Strategy<Value = Picture> {
    let names = [
        "cpu_pct",
        "latency_avg",
        "availability",
        "requests",
        "net_tx",
        "mem",
        "x",
    ];
    let series = (
        0..6_usize,
        0..names.len(),
        prop::collection::vec((-100.0..8000.0_f64, number()), 0..40),
    );
    let series = series.prop_map(move |(object, name, points)| Series {
        place: if name == 1 {
            Place::Call(object, 0)
        } else {
            Place::Object(object)
        },
        name: names.get(name).copied().unwrap_or_default().to_owned(),
        points,
    });
    let count = (
        0..6_usize,
        ".{0,12}",
        prop::collection::vec((0.0..8000.0_f64, number()), 0..10),
    );
    let count = count.prop_map(|(object, text, points)| Count {
        object,
        what: if object % 2 == 0 {
            Counted::Lines
        } else {
            Counted::Spans
        },
        text,
        points: points.into_iter().map(|(at, n)| (at, n, Some(n))).collect(),
    });
    let sign =
        (0..6_usize, ".{0,12}", number(), number()).prop_map(|(object, text, score, since)| Sign {
            object,
            text,
            score,
            since,
            ..Sign::default()
        });
    let change =
        (0..6_usize, number(), "[-+ a-z0-9\n]{0,60}").prop_map(|(object, at, diff)| Change {
            id: "c".to_owned(),
            at,
            live: vec![(Some(object), at)],
            diff,
            ..Change::default()
        });
    let calls = prop::collection::vec((0..6_usize, 0..6_usize), 0..12);
    (
        prop::collection::vec(series, 0..12),
        prop::collection::vec(count, 0..12),
        prop::collection::vec(sign, 0..8),
        prop::collection::vec(change, 0..4),
        calls,
        prop::option::of(0..6_usize),
    )
        .prop_map(|(series, counts, signs, changes, calls, symptom)| {
            // One object fewer than is named: indexes from outside may be wrong.
            let mut seen = picture(&["a", "b", "c", "d", "e"]);
            seen.symptom = symptom.map(|at| (at, Aspect::Latency));
            (seen.series, seen.counts, seen.signs) = (series, counts, signs);
            (seen.changes, seen.calls) = (changes, calls);
            seen
        })
}

/// What is said of each object, whatever the order.
fn told(ranking: &Ranking) -> Vec<(What, String)> {
    let told = |c: &Cause| (c.what, format!("{:.9} {:.9}", c.score, c.probability));
    let mut told: Vec<_> = ranking.places.iter().map(told).collect();
    told.sort();
    told
}

proptest! {
    #[test]
    fn any_picture_has_one_ranking(seen in any_picture()) {
        let ranking = rank(&seen);
        prop_assert_eq!(told(&ranking), told(&rank(&seen)));
        for list in [&ranking.places, &ranking.changes] {
            let all: f64 = list.iter().map(|c| c.probability).sum();
            prop_assert!(list.is_empty() || (all - 1.0).abs() < 1e-9, "{}", all);
            prop_assert!(list.windows(2).all(|w| w[0].score >= w[1].score));
            let none = list.iter().filter(|c| c.what == What::None).count();
            prop_assert!(none == usize::from(!list.is_empty()));
        }
    }

    #[test]
    fn the_order_of_what_comes_in_does_not_matter(seen in any_picture()) {
        let mut turned = seen.clone();
        turned.series.reverse();
        turned.counts.reverse();
        turned.signs.reverse();
        turned.calls.reverse();
        prop_assert_eq!(told(&rank(&seen)), told(&rank(&turned)));
    }
}

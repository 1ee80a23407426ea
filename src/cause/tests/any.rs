//! What holds for any picture.

use proptest::prelude::*;

use super::*;

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
            before: object == 3,
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

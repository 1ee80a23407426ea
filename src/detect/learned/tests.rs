//! What is told of noise (nothing), of faults (soon, once, until they are over) and of their return.

use super::*;
use crate::detect::Abnormal;
use crate::detect::ensemble::tests::noise::{Noise, healthy};
use crate::model::alert::Severity;

const STEP: i64 = 15_000;
const DAY: i64 = 5_760;

/// Episodes per day of a generated series, over three days.
fn flags(bad: Bad, floor: f64, mut make: impl FnMut(&mut Noise, i64) -> f64) -> f64 {
    let mut total = 0;
    for seed in 1..=4u64 {
        let mut noise = Noise::new(seed);
        let mut learned = Learned::new(bad, floor);
        let mut on = false;
        for i in 0..3 * DAY {
            let value = make(&mut noise, i);
            let now = learned.observe(Timestamp(i * STEP), value).abnormal;
            total += i32::from(now.is_some() && !on);
            on = now.is_some();
        }
    }
    f64::from(total) / (4.0 * 3.0)
}

#[test]
fn quiet_noise_is_not_flagged() {
    let heavy = flags(Bad::High, 0.0, |n, _| {
        10.0 + 1.0 / n.uniform().max(1e-4).sqrt()
    });
    let bursts = flags(Bad::High, 0.0, |n, _| {
        if n.uniform() < 0.02 {
            20.0 * n.uniform()
        } else {
            0.0
        }
    });
    let counts = flags(Bad::High, 0.0, |n, _| (n.uniform() * 4.0).floor());
    let mut rates = vec![("heavy", heavy), ("bursts", bursts), ("counts", counts)];
    for (kind, name) in [(0, "white"), (1, "auto"), (2, "daily"), (3, "daily counts")] {
        let mut walk = 0.0;
        let rate = flags(Bad::Both, 0.0, |n, i| {
            healthy(kind, n, &mut walk, i as f64 / DAY as f64)
        });
        rates.push((name, rate));
    }
    for (name, rate) in rates {
        println!("{name}: {rate:.2} a day");
        assert!(rate <= 0.2, "{name}: {rate} flags a day");
    }
}

/// An hour of the usual, 0.2, then these with the same noise.
fn after_noise(bad: Bad, seed: u64, values: impl IntoIterator<Item = f64>) -> Vec<Verdict> {
    let mut noise = Noise::new(seed);
    let mut learned = Learned::new(bad, 0.05);
    let usual = std::iter::repeat_n(0.2, 240);
    let all = usual.chain(values).enumerate();
    let verdicts = all.map(|(i, v)| {
        let value = v + 0.01 * noise.normal();
        learned.observe(Timestamp(i as i64 * STEP), value)
    });
    verdicts.skip(240).collect()
}

/// Where something begins to be told, and where it ends.
fn spans(verdicts: &[Verdict]) -> Vec<(usize, usize)> {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    let told = verdicts
        .iter()
        .enumerate()
        .filter(|(_, v)| v.abnormal.is_some());
    for (i, _) in told {
        match spans.last_mut() {
            Some((_, end)) if *end + 1 == i => *end = i,
            _ => spans.push((i, i)),
        }
    }
    spans
}

fn first(verdicts: &[Verdict]) -> &Abnormal {
    let told = verdicts.iter().find_map(|v| v.abnormal.as_ref());
    told.expect("told")
}

#[test]
fn a_threefold_level_is_told_within_a_minute_and_once() {
    let values = std::iter::repeat_n(0.6, 60).chain(std::iter::repeat_n(0.2, 20));
    let verdicts = after_noise(Bad::High, 7, values);
    let spans = spans(&verdicts);
    assert!(
        matches!(spans.as_slice(), [(0..=3, 60..=72)]),
        "{spans:?}: from its first points to some after it"
    );
    let told = first(&verdicts);
    assert_eq!(
        (told.kind, told.severity),
        (FindingKind::Spike, Severity::Warning)
    );
    assert_eq!(
        told.since,
        Timestamp(240 * STEP),
        "since the first bad point"
    );
    let (_, high) = told.expected.expect("range");
    assert!(high > 0.2 && high < 0.45, "{high}");
    assert!(told.method.contains("told from 10^5.8"), "{}", told.method);
    let late = verdicts[55].abnormal.as_ref().map(|a| a.kind);
    assert_eq!(late, Some(FindingKind::LevelShift));
}

#[test]
fn one_bad_point_and_immaterial_change_are_not_told() {
    let spike = std::iter::once(5.0).chain(std::iter::repeat_n(0.2, 30));
    let spike = after_noise(Bad::High, 3, spike);
    assert!(spike.iter().all(|v| v.abnormal.is_none()));
    assert!(spike[0].score > 0.7, "but ranked: {}", spike[0].score);
    let small = after_noise(Bad::High, 5, std::iter::repeat_n(0.235, 60));
    assert_eq!(spans(&small), [], "below the floor");
    let good = after_noise(Bad::High, 9, std::iter::repeat_n(0.05, 60));
    assert_eq!(spans(&good), [], "the good direction");
    let bad = after_noise(Bad::Low, 9, std::iter::repeat_n(0.05, 60));
    assert_eq!(first(&bad).kind, FindingKind::Dip);
}

/// The engine itself takes the new level for the usual one long before.
#[test]
fn it_stays_open_while_it_lasts_and_becomes_the_usual_after_six_hours() {
    let hours = |n: usize| n * 240;
    let values = std::iter::repeat_n(0.6, hours(5)).chain(std::iter::repeat_n(0.2, 60));
    let lasting = spans(&after_noise(Bad::Both, 11, values));
    let (begun, over) = lasting[0];
    assert!(lasting.len() == 1 && begun <= 3, "{lasting:?}");
    assert!((hours(5)..hours(5) + 12).contains(&over), "{lasting:?}");
    let adopted = spans(&after_noise(
        Bad::Both,
        11,
        std::iter::repeat_n(0.6, hours(8)),
    ));
    assert_eq!(adopted.len(), 1, "{adopted:?}");
    assert!(
        (hours(6) - 3..=hours(6)).contains(&adopted[0].1),
        "{adopted:?}"
    );
}

#[test]
fn what_comes_again_is_told_again_but_not_each_time() {
    let hour =
        |fault: usize| std::iter::repeat_n(0.6, fault).chain(std::iter::repeat_n(0.2, 240 - fault));
    let quiet = || (0..2).flat_map(move |_| hour(0));
    let twice = hour(40).chain(quiet()).chain(hour(40));
    let told = spans(&after_noise(Bad::High, 7, twice));
    assert_eq!(told.len(), 2, "three hours later: {told:?}");
    let hourly = (0..12).flat_map(move |_| hour(20));
    let told = spans(&after_noise(Bad::High, 7, hourly));
    assert!((2..=4).contains(&told.len()), "each hour: {told:?}");
}

#[test]
fn gaps_change_nothing_and_a_flat_line_is_told() {
    let gaps = after_noise(Bad::High, 11, std::iter::repeat_n(f64::NAN, 50));
    assert!(gaps.iter().all(|v| v.abnormal.is_none()));
    let mut learned = Learned::new(Bad::High, 1.0);
    let mut noise = Noise::new(1);
    let mut say = |i: i64, value| learned.observe(Timestamp(i * STEP), value);
    for i in 0..240 {
        assert_eq!(say(i, noise.normal()).abnormal, None);
    }
    let flat: Vec<Verdict> = (240..320).map(|i| say(i, 0.5)).collect();
    let told = first(&flat);
    assert_eq!(told.kind, FindingKind::FlatLine);
    let since = (told.since.0 - 240 * STEP).abs();
    assert!(since <= 4 * STEP, "{since} ms beside its begin");
    let back: Vec<Verdict> = (320..330).map(|i| say(i, noise.normal())).collect();
    assert!(back[9].abnormal.is_none());
}

#[test]
fn what_is_in_doubt_is_taken_back() {
    let mut learned = Learned::new(Bad::High, 0.05);
    let mut noise = Noise::new(7);
    let mut say = |i: i64, doubt: i64, level: f64| {
        let value = level + 0.01 * noise.normal();
        learned.doubt(Timestamp(doubt * STEP));
        learned.observe(Timestamp(i * STEP), value).abnormal
    };
    for i in 0..250 {
        say(i, 999, if i >= 240 { 0.6 } else { 0.2 });
    }
    assert!(say(250, 245, 0.6).is_some(), "it began before");
    assert_eq!(say(251, 239, f64::NAN), None);
}

#[test]
fn state_is_bounded() {
    assert!(size_of::<Learned>() <= 600, "{}", size_of::<Learned>());
    assert!(size_of::<Beside>() <= 700, "{}", size_of::<Beside>());
}

#[test]
fn the_band_is_that_of_the_engine_and_in_an_episode_that_of_the_onset() {
    let range = (Timestamp(200 * STEP), Timestamp(280 * STEP));
    let mut learned = Learned::new(Bad::High, 0.05);
    let mut noise = Noise::new(7);
    let mut say = |learned: &mut Learned, i: i64, level: f64| {
        let value = level + 0.01 * noise.normal();
        learned.observe(Timestamp(i * STEP), value).abnormal
    };
    for i in 0..40 {
        say(&mut learned, i, 0.2);
    }
    let early = learned.usual(range, 80);
    assert_eq!(early.words(), "learning, 40 of 40 points");
    for i in 40..240 {
        say(&mut learned, i, 0.2);
    }
    let Usual::Known { steps, onset: None } = learned.usual(range, 80) else {
        panic!("known, and nothing is told");
    };
    let told = learned.engine.band(range.0).expect("known");
    assert_eq!((steps[0].low, steps[0].high), told);
    assert!(told.0 == f64::NEG_INFINITY && (0.21..0.45).contains(&told.1));
    let mut last = None;
    for i in 240..280 {
        last = say(&mut learned, i, 0.6);
    }
    let expected = last.and_then(|a| a.expected).expect("told, by its values");
    let Usual::Known { steps, onset } = learned.usual(range, 80) else {
        panic!("known");
    };
    assert_eq!(onset, Some(Timestamp(240 * STEP)));
    assert_eq!(steps.len(), 1, "{steps:?}");
    assert_eq!((steps[0].low, steps[0].high), expected);
}

/// An outage, or a snapshot of yesterday: where the series is by then nobody knows.
#[test]
fn after_six_hours_of_silence_the_level_is_learned_anew() {
    let after = |silent: i64, level: f64| {
        let mut noise = Noise::new(7);
        let mut learned = Learned::new(Bad::High, 0.05);
        let mut say = |i: i64, level: f64| {
            let value = level + 0.01 * noise.normal();
            learned.observe(Timestamp(i * STEP), value).abnormal
        };
        for i in 0..240 {
            assert_eq!(say(i, 0.2), None);
        }
        let back = 240 + silent;
        let told = (back..back + 240)
            .filter(|i| say(*i, level).is_some())
            .count();
        let fault = (back + 240..back + 270)
            .filter(|i| say(*i, 4.0 * level).is_some())
            .count();
        (told, fault)
    };
    let hours = |n: i64| n * 240;
    let (told, _) = after(hours(1), 0.6);
    assert!(told > 200, "one hour: it is another than it was: {told}");
    let (told, fault) = after(hours(7), 0.6);
    assert_eq!(told, 0, "seven hours");
    assert!(fault > 20, "and a fault is told again: {fault}");
    assert_eq!(after(hours(7), 0.2).0, 0);
}

//! What the engine says of noise (next to nothing), of faults (soon, once) and of nonsense.

use proptest::prelude::*;

use super::*;
use noise::{Noise, healthy};

pub(in crate::detect) mod noise;

/// Told points a day of each kind of healthy series.
fn told_a_day(series: u64, days: i64, step_s: i64) -> [f64; 5] {
    let mut told = [0.0; 5];
    for n in 0..series {
        let mut noise = Noise::new(n + 1);
        let mut walk = 0.0;
        let mut ensemble = Ensemble::default();
        for i in 0..days * 86_400 / step_s {
            let day = (i * step_s % 86_400) as f64 / 86_400.0;
            let value = healthy(n, &mut noise, &mut walk, day);
            let onset = ensemble.observe(Timestamp(i * step_s * 1000), value).onset;
            told[(n % 5) as usize] += f64::from(u8::from(onset));
        }
    }
    told.map(|t| t / (series as f64 / 5.0) / days as f64)
}

#[test]
fn healthy_series_are_told_of_at_most_once_a_day() {
    for step_s in [15, 300, 3600] {
        let days = if step_s < 60 { 2 } else { 7 };
        let told = told_a_day(100, days, step_s);
        println!("onsets a day, a point each {step_s} s: {told:.2?}");
        for (kind, rate) in told.iter().enumerate() {
            assert!(*rate <= 1.0, "kind {kind} each {step_s} s: {rate} a day");
        }
    }
}

/// 600 usual points a minute apart, then these: what is said of them.
fn after_noise(values: &[f64]) -> Vec<Reading> {
    let mut noise = Noise::new(7);
    let mut ensemble = Ensemble::default();
    let mut say = |i: usize, value| ensemble.observe(Timestamp(i as i64 * 60_000), value);
    for i in 0..600 {
        say(i, 20.0 + noise.normal());
    }
    let values = values.iter().enumerate();
    values
        .map(|(i, v)| say(600 + i, v + noise.normal()))
        .collect()
}

fn told(readings: &[Reading]) -> Vec<(usize, Option<FindingKind>)> {
    let told = readings.iter().enumerate().filter(|(_, r)| r.onset);
    told.map(|(i, r)| (i, r.kind)).collect()
}

#[test]
fn a_fault_is_told_at_once_and_once() {
    let spike = after_noise(&[90.0, 20.0, 20.0, 20.0]);
    assert_eq!(told(&spike), [(0, Some(FindingKind::Spike))]);
    assert!(spike[0].score > 0.5 && spike[3].score > 0.4, "{spike:?}");
    let level = after_noise(&[60.0; 60]);
    let onsets = told(&level);
    assert!(onsets[0].0 <= 1 && onsets.len() <= 2, "{onsets:?}");
    let dip = after_noise(&[-30.0, 20.0, 20.0]);
    assert_eq!(told(&dip), [(0, Some(FindingKind::Dip))]);
}

#[test]
fn the_second_time_is_less_of_news() {
    let mut values = vec![20.0; 200];
    for i in [10, 60, 110, 160] {
        values[i] = 60.0;
    }
    assert_eq!(told(&after_noise(&values)).len(), 1);
    values[160] = 400.0;
    assert_eq!(told(&after_noise(&values)).len(), 2, "much worse is news");
}

#[test]
fn only_what_is_bad_and_matters_is_told() {
    let run = |bad, floor, value: f64| {
        let mut noise = Noise::new(3);
        let mut ensemble = Ensemble::new(bad, floor);
        (0..400)
            .map(|i| {
                let value = if i == 390 {
                    value
                } else {
                    20.0 + noise.normal()
                };
                ensemble.observe(Timestamp(i * 60_000), value).onset
            })
            .filter(|told| *told)
            .count()
    };
    assert_eq!(run(Bad::High, 0.0, 60.0), 1);
    assert_eq!(run(Bad::Low, 0.0, 60.0), 0);
    assert_eq!(run(Bad::Low, 0.0, -60.0), 1);
    assert_eq!(run(Bad::Both, 100.0, 60.0), 0);
    assert_eq!(run(Bad::None, 0.0, 60.0), 0);
}

#[test]
fn what_is_expected_holds_the_usual_and_not_the_fault() {
    let mut noise = Noise::new(5);
    let mut ensemble = Ensemble::default();
    assert_eq!(ensemble.band(Timestamp(0)), None);
    let mut inside = 0;
    for i in 0..1000 {
        let (at, value) = (Timestamp(i * 60_000), 20.0 + noise.normal());
        let band = ensemble.band(at);
        inside += u32::from(band.is_some_and(|(low, high)| low < value && value < high));
        ensemble.observe(at, value);
    }
    assert!(inside > 950, "{inside}");
    let (low, high) = ensemble.band(Timestamp(60_000_000)).expect("known");
    assert!(low > 0.0 && high < 40.0, "{low} {high}");
}

#[test]
fn state_is_bounded() {
    assert!(
        size_of::<Ensemble>() <= 600,
        "{} bytes",
        size_of::<Ensemble>()
    );
}

fn onsets(values: &[f64], step_ms: i64) -> (Vec<bool>, Vec<f32>) {
    let mut ensemble = Ensemble::default();
    let read = values.iter().enumerate();
    read.map(|(i, v)| ensemble.observe(Timestamp(i as i64 * step_ms), *v))
        .map(|r| (r.onset, r.score))
        .unzip()
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -100.0..100.0,
        1 => any::<f64>(),
        1 => prop::sample::select(vec![
            f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, f64::MIN_POSITIVE,
            5e-324, -0.0, 0.0,
        ]),
    ]
}

proptest! {
    #[test]
    fn nonsense_does_no_harm(
        points in prop::collection::vec((any::<i64>(), any_value()), 0..600)
    ) {
        let mut ensemble = Ensemble::default();
        let mut again = Ensemble::default();
        for (at, value) in points {
            let said = ensemble.observe(Timestamp(at), value);
            prop_assert!((0.0..=1.0).contains(&said.score), "{said:?}");
            prop_assert!(said.surprise.is_finite());
            prop_assert_eq!(said, again.observe(Timestamp(at), value));
            if let Some((low, high)) = ensemble.band(Timestamp(at)) {
                prop_assert!(low <= high, "{} {}", low, high);
            }
        }
    }

    /// Powers of two and whole numbers: no rounding comes in between.
    #[test]
    fn shifted_and_scaled_it_is_judged_the_same(
        values in prop::collection::vec(-1000..1000_i32, 100..500),
        shift in -1_000_000..1_000_000_i32,
        power in -20..20_i32,
    ) {
        let plain: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
        let shifted: Vec<f64> = plain.iter().map(|v| v + f64::from(shift)).collect();
        let scaled: Vec<f64> = plain.iter().map(|v| v * 2_f64.powi(power)).collect();
        let said = onsets(&plain, 60_000);
        for other in [onsets(&shifted, 60_000), onsets(&scaled, 60_000)] {
            prop_assert_eq!(&said.0, &other.0);
            for (a, b) in said.1.iter().zip(&other.1) {
                prop_assert!((a - b).abs() < 1e-3, "{} {}", a, b);
            }
        }
    }
}

#[test]
fn what_began_constant_is_learned_too() {
    let mut noise = Noise::new(9);
    let mut ensemble = Ensemble::default();
    let mut say = |i: i64, value| ensemble.observe(Timestamp(i * 60_000), value).onset;
    for i in 0..12 {
        say(i, 0.0);
    }
    for i in 12..3_000 {
        say(i, 100.0 + 2.0 * noise.normal());
    }
    let told = (3_000..3_005).any(|i| say(i, 0.0));
    assert!(told, "an outage is a fall to what it began with");
}

#[test]
fn the_first_move_after_a_day_of_one_value_is_told() {
    for step_s in [15, 60, 300] {
        let mut ensemble = Ensemble::default();
        let mut say = |i: i64, v| ensemble.observe(Timestamp(i * step_s * 1000), v).onset;
        let day = 86_400 / step_s;
        let quiet = (0..day).filter(|i| say(*i, 3.0)).count();
        assert_eq!(quiet, 0, "each {step_s} s");
        let told = (day..day + 3).any(|i| say(i, 5.0));
        assert!(told, "each {step_s} s");
    }
}

#[test]
fn an_old_point_before_all_others_lowers_no_bar() {
    for gap_s in [600, 86_400, 604_800] {
        let mut told = 0;
        for n in 0..20 {
            let mut noise = Noise::new(n + 1);
            let mut ensemble = Ensemble::default();
            ensemble.observe(Timestamp(0), 20.0);
            for i in 0..600 {
                let at = Timestamp((gap_s + i * 15) * 1000);
                told += u32::from(ensemble.observe(at, 20.0 + noise.normal()).onset);
            }
        }
        assert_eq!(told, 0, "told of noise {gap_s} s after one point");
    }
}

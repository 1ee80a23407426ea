//! TDEV and MTIE against their definitions, and against what is known of pure noises.

use proptest::prelude::*;

use super::*;
use crate::model::time::Timestamp;

fn samples(values: &[f64]) -> Vec<Sample> {
    let each = (0..).zip(values);
    each.map(|(at, value)| Sample {
        at: Timestamp(at * 15_000),
        value: *value,
    })
    .collect()
}

/// The definition, word by word.
fn plain_tdev(x: &[f64], n: usize) -> Option<f64> {
    let count = (x.len() + 1).checked_sub(3 * n).filter(|c| *c > 0)?;
    let mut outer = 0.0;
    for j in 0..count {
        let inner: f64 = (j..j + n)
            .map(|i| x[i + 2 * n] - 2.0 * x[i + n] + x[i])
            .sum();
        outer += inner * inner;
    }
    let n = n as f64;
    Some((outer / (6.0 * n * n * count as f64)).sqrt())
}

fn plain_mtie(x: &[f64], n: usize) -> f64 {
    let swing = |w: &[f64]| {
        let high = w.iter().copied().fold(f64::MIN, f64::max);
        high - w.iter().copied().fold(f64::MAX, f64::min)
    };
    x.windows((n + 1).min(x.len()))
        .map(swing)
        .fold(0.0, f64::max)
}

proptest! {
    #[test]
    fn both_are_what_they_are_defined_to_be(
        x in prop::collection::vec(-1e4..1e4_f64, 1..120),
        n in 1..60_usize,
    ) {
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * (1.0 + b.abs());
        match (tdev(&x, n), plain_tdev(&x, n)) {
            (Some(a), Some(b)) => prop_assert!(close(a, b), "{a} {b}"),
            (a, b) => prop_assert_eq!(a, b),
        }
        prop_assert!(close(mtie(&x, n), plain_mtie(&x, n)));
    }

    #[test]
    fn any_samples_are_taken(
        steps in prop::collection::vec((0..1_000_000_i64, any::<f64>()), 0..80),
    ) {
        let mut at = 0;
        let samples: Vec<Sample> = steps
            .into_iter()
            .map(|(step, value)| {
                at += step;
                Sample { at: Timestamp(at), value }
            })
            .collect();
        if let Some(told) = Stability::of(&samples) {
            prop_assert!(told.samples >= LEAST);
            prop_assert!(told.points.windows(2).all(|w| w[0].mtie_ns <= w[1].mtie_ns));
        }
    }
}

#[test]
fn a_steady_drift_has_no_deviation_and_a_growing_interval_error() {
    let drift: Vec<f64> = (0..200).map(f64::from).collect();
    let told = Stability::of(&samples(&drift)).expect("enough");
    assert_eq!((told.step_s, told.samples), (15.0, 200));
    assert!(
        told.points
            .iter()
            .all(|p| p.tdev_ns.is_none_or(|t| t < 1e-9))
    );
    let at = |tau: f64| told.points.iter().find(|p| p.tau_s == tau);
    assert_eq!(at(15.0).map(|p| p.mtie_ns), Some(1.0));
    assert_eq!(at(1_500.0).map(|p| p.mtie_ns), Some(100.0));
}

#[test]
fn of_alternating_offsets_little_is_left_over_longer_times() {
    let swing: Vec<f64> = (0..300)
        .map(|i| if i % 2 == 0 { 3.0 } else { -3.0 })
        .collect();
    let told = Stability::of(&samples(&swing)).expect("enough");
    let first = told.points.first().and_then(|p| p.tdev_ns).expect("some");
    assert!((first - (144.0_f64 / 6.0).sqrt()).abs() < 1e-9, "{first}");
    let longer = told.points.iter().find(|p| p.tau_s == 300.0);
    assert_eq!(longer.and_then(|p| p.tdev_ns), Some(0.0));
    let limit = |class: &str| limits().iter().find(|l| l.class == class);
    assert_eq!(limit("A").and_then(|l| told.within(l)), Some(false));
    let quiet: Vec<f64> = swing.iter().map(|v| v / 3.0).collect();
    let quiet = Stability::of(&samples(&quiet)).expect("enough");
    assert_eq!(limit("C").and_then(|l| quiet.within(l)), Some(true));
}

#[test]
fn a_gap_parts_what_is_measured() {
    let mut held = samples(&[1.0; 60]);
    for sample in &mut held[20..] {
        sample.at = sample.at.plus_ms(120_000);
        sample.value = 2.0;
    }
    held[50].value = f64::NAN;
    let told = Stability::of(&held).expect("enough");
    assert_eq!((told.samples, told.filled, told.mean_ns), (40, 1, 2.0));
    assert_eq!(Stability::of(&held[..11]), None);
    assert_eq!(Stability::of(&[]), None);
}

#[test]
fn the_limits_are_read_widest_first() {
    assert!(toml::from_str::<File>(LIMITS).is_ok() && source().contains("G.8273.2"));
    let classes: Vec<&str> = limits().iter().map(|l| l.class.as_str()).collect();
    assert_eq!(classes, ["A", "B", "C"]);
    assert!(
        limits()
            .windows(2)
            .all(|w| w[0].max_te_ns > w[1].max_te_ns && w[0].mtie_ns >= w[1].mtie_ns)
    );
}

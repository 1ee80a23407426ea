//! What the baseline says of noise (nothing) and of faults (soon, once).

use super::*;

/// xorshift: the same noise in every run.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let u = self.uniform().max(1e-12);
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

const STEP: i64 = 15_000;
const DAY: i64 = 5_760;

/// Episodes per day of a generated series, over three days.
fn flags(bad: Bad, floor: f64, mut make: impl FnMut(&mut Noise, i64) -> f64) -> f64 {
    let mut total = 0;
    for seed in 1..=8u64 {
        let mut noise = Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut detector = Baseline::new(bad, floor);
        let mut on = false;
        for i in 0..3 * DAY {
            let value = make(&mut noise, i);
            let now = detector
                .observe(Timestamp(i * STEP), value)
                .abnormal
                .is_some();
            total += i32::from(now && !on);
            on = now;
        }
    }
    f64::from(total) / (8.0 * 3.0)
}

#[test]
fn quiet_noise_is_not_flagged() {
    let white = flags(Bad::Both, 0.0, |n, _| 50.0 + n.normal());
    let mut walk = 0.0;
    let auto = flags(Bad::Both, 0.0, |n, _| {
        walk = 0.9 * walk + n.normal();
        50.0 + walk
    });
    let heavy = flags(Bad::High, 0.0, |n, _| {
        10.0 + 1.0 / n.uniform().max(1e-4).sqrt()
    });
    let daily = flags(Bad::High, 0.0, |n, i| {
        100.0 + 60.0 * (i as f64 / DAY as f64 * std::f64::consts::TAU).sin() + 3.0 * n.normal()
    });
    let bursts = flags(Bad::High, 0.0, |n, _| {
        if n.uniform() < 0.02 {
            20.0 * n.uniform()
        } else {
            0.0
        }
    });
    let counts = flags(Bad::High, 0.0, |n, _| (n.uniform() * 4.0).floor());
    for (name, rate) in [
        ("white", white),
        ("auto", auto),
        ("heavy", heavy),
        ("daily", daily),
        ("bursts", bursts),
        ("counts", counts),
    ] {
        println!("{name}: {rate:.2} a day");
        assert!(rate <= 1.0, "{name}: {rate} flags a day");
    }
}

fn after_noise(seed: u64, values: impl IntoIterator<Item = f64>) -> Vec<Verdict> {
    let mut noise = Noise(seed);
    let mut detector = Baseline::new(Bad::High, 0.05);
    for i in 0..240 {
        detector.observe(Timestamp(i * STEP), 0.20 + 0.01 * noise.normal());
    }
    let faulty = values.into_iter().enumerate();
    faulty
        .map(|(i, v)| {
            detector.observe(
                Timestamp((240 + i as i64) * STEP),
                v + 0.01 * noise.normal(),
            )
        })
        .collect()
}

#[test]
fn a_threefold_level_is_told_within_a_minute_and_once() {
    let values = std::iter::repeat_n(0.6, 60).chain(std::iter::repeat_n(0.2, 20));
    let verdicts = after_noise(7, values);
    let first = verdicts
        .iter()
        .position(|v| v.abnormal.is_some())
        .expect("found");
    assert!(first <= 4, "after {first} points");
    let told = verdicts[first].abnormal.as_ref().expect("found");
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
    let late = verdicts[55].abnormal.as_ref().map(|a| a.kind);
    assert_eq!(late, Some(FindingKind::LevelShift));
    assert!(verdicts[79].abnormal.is_none(), "over when it is back");
    let starts = verdicts
        .windows(2)
        .filter(|w| w[0].abnormal.is_none() && w[1].abnormal.is_some());
    assert_eq!(starts.count(), 1);
}

#[test]
fn one_bad_point_and_immaterial_change_are_not_told() {
    let spike = after_noise(3, std::iter::once(5.0).chain(std::iter::repeat_n(0.2, 30)));
    assert!(spike.iter().all(|v| v.abnormal.is_none()));
    assert!(spike[0].score > 0.8, "but ranked: {}", spike[0].score);
    let small = after_noise(5, std::iter::repeat_n(0.235, 60));
    assert!(
        small.iter().all(|v| v.abnormal.is_none()),
        "below the floor"
    );
    let good = after_noise(9, std::iter::repeat_n(0.05, 60));
    assert!(
        good.iter().all(|v| v.abnormal.is_none()),
        "the good direction"
    );
}

#[test]
fn gaps_change_nothing_and_a_flat_line_is_told() {
    let verdicts = after_noise(11, std::iter::repeat_n(f64::NAN, 50));
    assert!(verdicts.iter().all(|v| v.abnormal.is_none()));
    let mut noise = Noise(1);
    let mut detector = Baseline::new(Bad::Both, 1.0);
    for i in 0..240 {
        detector.observe(Timestamp(i * STEP), noise.normal());
    }
    let flat = (240..320)
        .map(|i| detector.observe(Timestamp(i * STEP), 0.5))
        .last();
    let kind = flat.and_then(|v| v.abnormal).map(|a| a.kind);
    assert_eq!(kind, Some(FindingKind::MissingData));
}

//! What is held, and what goes.

use super::super::tests::{raw, scrape};
use super::*;

const SPAN: (i64, i64) = (i64::MIN, i64::MAX);

fn held(window: &Window, name: &str) -> Vec<(i64, f64)> {
    let all = window.select(SPAN, |key| key.to_string().contains(name));
    let samples = all.iter().flat_map(|found| found.read(SPAN));
    samples.map(|s| (s.at.0, s.value)).collect()
}

fn all_of(numbers: &[usize], at: i64, value: f64) -> Told {
    Told::All(numbers.iter().map(|n| raw(*n, at, value)).collect())
}

#[test]
fn samples_come_back_as_they_went_in() {
    let mut window = Window::new(1 << 20);
    for n in 0..1_000 {
        window.put(&scrape(
            0,
            n * 15_000 + n % 3,
            all_of(&[0, 1], n * 15_000 + n % 3, n as f64 * 0.37),
        ));
    }
    let expected: Vec<_> = (0..1_000_i64)
        .map(|n| (n * 15_000 + n % 3, n as f64 * 0.37))
        .collect();
    assert_eq!(held(&window, "node_cpu_seconds_0"), expected);
    assert_eq!(held(&window, "DCGM"), expected);
    let cut = window.select((15_000, 30_005), |key| key.name.starts_with("DCGM"));
    assert_eq!(cut[0].read((15_000, 30_005)).len(), 2);
    assert_eq!(window.standing().since, Some(Timestamp(0)));
}

#[test]
fn what_ends_is_marked_and_who_does_not_answer_is_down() {
    let mut window = Window::new(1 << 20);
    window.put(&scrape(0, 0, all_of(&[0, 1], 0, 1.0)));
    window.put(&scrape(0, 1, all_of(&[1], 1, 1.0)));
    window.put(&scrape(0, 2, Told::Some(Vec::new())));
    window.put(&scrape(0, 3, Told::Nothing));
    window.put(&scrape(0, 4, Told::Nothing));
    let cpu = held(&window, "node_cpu");
    assert_eq!(cpu.len(), 2);
    assert!(cpu[1].0 == 1 && has_ended(cpu[1].1));
    let gpu = held(&window, "DCGM");
    assert_eq!(gpu.iter().map(|s| s.0).collect::<Vec<_>>(), [0, 1, 3]);
    assert!(has_ended(gpu[2].1));
    let up: Vec<f64> = held(&window, "up{").iter().map(|s| s.1).collect();
    assert_eq!(up, [1.0, 1.0, 1.0, 0.0, 0.0]);
}

#[test]
fn the_oldest_goes_first_and_the_bound_holds() {
    let mut window = Window::new(200_000);
    let many: Vec<usize> = (0..100).collect();
    for n in 0..2_000_i64 {
        window.put(&scrape(0, n, all_of(&many, n, (n * 7919) as f64 / 13.0)));
        assert!(window.standing().bytes <= 200_000);
    }
    let standing = window.standing();
    let since = standing.since.expect("some").0;
    assert!(since > 0 && since < 1_990, "{since}");
    assert!(standing.bytes > 100_000, "{}", standing.bytes);
    for n in 0..4 {
        let name = format!("n=\"{n}\"");
        let held: Vec<_> = held(&window, &name)
            .into_iter()
            .filter(|s| s.0 >= since)
            .collect();
        let expected: Vec<_> = (since..2_000)
            .map(|n| (n, (n * 7919) as f64 / 13.0))
            .collect();
        assert_eq!(held, expected, "from there on all of it");
    }
}

#[test]
fn a_flood_of_series_is_refused_and_counted() {
    let mut window = Window::new(200_000);
    for n in 0..2_000 {
        window.put(&scrape(0, n as i64, all_of(&[n], n as i64, 1.0)));
        assert!(window.standing().bytes <= 200_000);
    }
    let many: Vec<usize> = (0..2_000).collect();
    window.put(&scrape(0, 5_000, all_of(&many, 5_000, 1.0)));
    let standing = window.standing();
    assert!(
        standing.refused > 0 && standing.bytes <= 200_000,
        "{standing:?}"
    );
}

#[test]
fn late_samples_are_counted_and_gaps_are_remembered() {
    let mut window = Window::new(1 << 20);
    window.put(&scrape(0, 10, all_of(&[0], 10, 1.0)));
    window.put(&scrape(0, 5, all_of(&[0], 5, 2.0)));
    assert_eq!(held(&window, "node_cpu"), [(10, 1.0)]);
    assert!(window.standing().late > 0);
    let gap = |from, to| Gap {
        from: Timestamp(from),
        to: Timestamp(to),
        scrapes: 1,
        messages: 0,
    };
    window.gap(gap(0, 5));
    window.gap(gap(5, 9));
    window.gap(gap(20, 30));
    let told: Vec<_> = window
        .standing()
        .gaps
        .iter()
        .map(|g| (g.from.0, g.to.0, g.scrapes))
        .collect();
    assert_eq!(told, [(0, 9, 2), (20, 30, 1)]);
}

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

/// Of a former watcher's spool: it is left out whole, and ends nothing.
#[test]
fn late_scrapes_are_left_out_and_counted() {
    let mut window = Window::new(1 << 20);
    window.put(&scrape(0, 10, all_of(&[0, 1], 10, 1.0)));
    window.put(&scrape(0, 5, all_of(&[0], 5, 2.0)));
    window.put(&scrape(0, 6, Told::Nothing));
    window.put(&scrape(1, 7, all_of(&[0], 7, 3.0)));
    assert_eq!(held(&window, "DCGM"), [(10, 1.0)]);
    assert_eq!(window.standing().late, 2);
    window.put(&scrape(0, 20, all_of(&[0], 20, 4.0)));
    let gpu = held(&window, "DCGM");
    assert!(gpu.len() == 2 && has_ended(gpu[1].1), "{gpu:?}");
    let up: Vec<i64> = held(&window, "up{").iter().map(|s| s.0).collect();
    assert_eq!(up, [10, 20, 7]);
}

/// A sample that says it is of the future would keep out all that comes before then.
#[test]
fn samples_far_ahead_of_their_scrape_are_left_out_and_counted() {
    let mut window = Window::new(1 << 20);
    let at = 1_000_000;
    let raws = [at + 600_000, at + 600_001, i64::MAX, i64::MIN];
    let raws = raws.iter().enumerate().map(|(n, at)| raw(n * 4, *at, 1.0));
    window.put(&scrape(0, at, Told::All(raws.collect())));
    assert_eq!(window.standing().ahead, 2);
    let times: Vec<i64> = held(&window, "node_cpu").iter().map(|s| s.0).collect();
    assert_eq!(times, [at + 600_000, i64::MIN]);
    // What makes room comes to an end.
    let mut small = Window::new(30_000);
    for n in 0..200 {
        let raws = [at + n, i64::MAX, i64::MIN + n].into_iter().enumerate();
        let raws = raws.map(|(m, time)| raw(m * 4, time, n as f64 * 1.1));
        small.put(&scrape(0, at + n, Told::All(raws.collect())));
        assert!(small.standing().bytes <= 30_000);
    }
}

/// Another address in the place of the former one: what the former one told has ended.
#[test]
fn an_exporter_that_moved_is_up_once() {
    let mut window = Window::new(1 << 20);
    window.put(&scrape(0, 0, all_of(&[0], 0, 1.0)));
    let mut moved = scrape(0, 1, all_of(&[0], 1, 1.0));
    moved.instance = "h:2".into();
    window.put(&moved);
    let up = window.select(SPAN, |key| &*key.name == "up");
    let last = |n: usize| up[n].read(SPAN).last().map(|s| (s.at.0, s.value));
    let (former, now) = (last(0).expect("some"), last(1).expect("some"));
    assert!(former.0 == 1 && has_ended(former.1), "{former:?}");
    assert_eq!(now, (1, 1.0));
}

#[test]
fn gaps_are_remembered() {
    let mut window = Window::new(1 << 20);
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

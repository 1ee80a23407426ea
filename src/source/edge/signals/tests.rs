//! Which signals, of which times, and what they are worth.

use super::*;
use crate::config::Config;
use crate::model::label::Labels;
use crate::model::sample::SeriesKey;
use crate::model::scrape::{Class, Raw, Scrape, Told};

const START: i64 = 1_795_227_000_000;
const SCRAPES: Duration = Duration::from_secs(15);

fn catalogue() -> Vec<Signal> {
    Config::default().signals.to_vec()
}

fn raw(name: &str, class: Class, at: i64, value: f64, own: &[(&str, &str)]) -> Raw {
    let pairs = own.iter().copied().chain([("instance", "n-1:9100")]);
    Raw {
        key: SeriesKey::new(name, Labels::from_pairs(pairs)),
        class,
        at: Timestamp(at),
        value,
    }
}

/// A node that is idle three quarters of the time, with 1 of 4 GiB left.
fn scrape(held: &Held, after_s: i64) {
    let at = START + after_s * 1_000;
    let gauge = |name, value| raw(name, Class::Gauge, at, value, &[]);
    let raws = vec![
        gauge("node_memory_MemTotal_bytes", 4.0),
        gauge("node_memory_MemAvailable_bytes", 1.0),
        gauge("vllm:num_requests_running", 1.0),
        raw(
            "node_cpu_seconds_total",
            Class::Counter,
            at,
            after_s as f64 * 0.75,
            &[("cpu", "0"), ("mode", "idle")],
        ),
    ];
    held.put(Scrape {
        exporter: 0,
        url: "http://n-1:9100/metrics".into(),
        instance: "n-1:9100".into(),
        interval_ms: 15_000,
        at: Timestamp(at),
        told: Told::All(raws),
    });
}

fn site() -> (Arc<Held>, Signals) {
    let held = Held::new("far-1", 8 << 20);
    let signals = Signals::new(held.clone(), &catalogue(), SCRAPES, 1_000);
    (held, signals)
}

/// Those of one signal: times, newest values, and whether it is told afterwards.
fn of(batches: &[SampleBatch], name: &str) -> Vec<(Vec<i64>, f64, bool)> {
    let ours = batches.iter().filter(|b| *b.name == *name);
    let points = ours.flat_map(|b| b.series.iter().map(move |s| (b, s)));
    points
        .map(|(b, s)| {
            assert_eq!(
                *s.key.name, *name,
                "the series bears the name of its signal"
            );
            let times = s.points.iter().map(|p| (p.at.0 - START) / 1_000).collect();
            (times, s.points.last().unwrap().value, b.backfill)
        })
        .collect()
}

fn at(after_s: i64) -> Timestamp {
    Timestamp(START + after_s * 1_000)
}

#[test]
fn a_site_without_prometheus_has_the_signals_of_its_nodes() {
    let (held, mut signals) = site();
    assert!(signals.look(at(0)).is_empty(), "nothing was scraped");
    (0..=20).for_each(|n| scrape(&held, n * 15));
    let first = signals.look(at(301));
    let busy = of(&first, "node_cpu_busy");
    let past: Vec<i64> = (1..=9).map(|n| n * 30).collect();
    assert_eq!(busy.len(), 2, "{busy:?}");
    assert_eq!((&busy[0].0, busy[0].2), (&past, true));
    assert_eq!((&busy[1].0, busy[1].2), (&vec![300], false));
    assert!((busy[1].1 - 0.25).abs() < 1e-9, "{busy:?}");
    let used = of(&first, "node_memory_used");
    assert_eq!(used.last().map(|u| u.1), Some(0.75));

    assert!(signals.look(at(302)).is_empty(), "nothing came since");
    scrape(&held, 315);
    scrape(&held, 330);
    let next = of(&signals.look(at(331)), "node_cpu_busy");
    assert_eq!(next, [(vec![330], next[0].1, false)]);
}

#[test]
fn what_scrapes_tell_by_themselves_is_not_told_twice() {
    let (held, mut signals) = site();
    (0..=20).for_each(|n| scrape(&held, n * 15));
    let told = signals.look(at(301));
    let groups = |b: &SampleBatch| matches!(b.group, Group::Cluster | Group::Workload);
    assert!(!told.is_empty() && told.iter().all(groups));
    // Without their metrics nothing is told of them, not even that there are none.
    assert!(of(&told, "node_ready").is_empty());
    assert!(!told.iter().any(|b| &*b.name == "node_ready"));
}

#[test]
fn an_outage_is_told_afterwards_and_late_samples_raise_nothing() {
    let (held, mut signals) = site();
    (0..=8).for_each(|n| scrape(&held, n * 15));
    signals.look(at(121));
    // They were kept at the site for a while, and came all at once.
    (9..=40).for_each(|n| scrape(&held, n * 15));
    let told = of(&signals.look(at(601)), "node_memory_used");
    let times: Vec<i64> = told.iter().flat_map(|t| t.0.clone()).collect();
    assert_eq!(times, (5..=20).map(|n| n * 30).collect::<Vec<_>>());
    assert_eq!(told.iter().map(|t| t.2).collect::<Vec<_>>(), [true, false]);
    scrape(&held, 630);
    let late = of(&signals.look(at(3_000)), "node_memory_used");
    assert!(late.iter().all(|t| t.2), "{late:?}");
}

#[test]
fn what_is_gone_is_told_to_be_gone() {
    let (held, mut signals) = site();
    (0..=8).for_each(|n| scrape(&held, n * 15));
    signals.look(at(121));
    held.put(Scrape {
        exporter: 0,
        url: "http://n-1:9100/metrics".into(),
        instance: "n-1:9100".into(),
        interval_ms: 15_000,
        at: at(150),
        told: Told::Nothing,
    });
    let told = signals.look(at(151));
    let used = told
        .iter()
        .find(|b| &*b.name == "node_memory_used" && !b.backfill);
    assert!(used.is_some_and(|b| b.series.is_empty()), "{used:?}");
}

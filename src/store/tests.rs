//! What the store keeps, finds and lets go.

use super::*;

fn origin(cluster: u16) -> Origin {
    Origin {
        cluster: ClusterId(cluster),
        group: Group::Gpu,
        kind: SampleKind::Gauge,
        interval_ms: 15_000,
    }
}

fn at(ms: i64, value: f64) -> Sample {
    Sample {
        at: Timestamp(ms),
        value,
    }
}

fn key(name: &str, gpu: usize) -> SeriesKey {
    let gpu = gpu.to_string();
    SeriesKey::new(
        name,
        Labels::from_pairs([
            ("Hostname", "gpu-worker-01.cell7.example.net"),
            ("UUID", &format!("GPU-eee65f53-e942-1ce5-0211-{gpu:0>12}")),
            ("device", &format!("nvidia{gpu}")),
            ("gpu", &gpu),
            ("modelName", "NVIDIA A100-SXM4-80GB"),
            ("namespace", "ml-prod"),
            ("pod", &format!("vllm-{gpu}")),
        ]),
    )
}

fn fill(store: &mut Store, cluster: u16, k: &SeriesKey, points: i64) -> Option<SeriesId> {
    let id = store.series(origin(cluster), k, at(0, 0.0))?;
    for i in 0..points {
        store.put(id, at(i * 15_000, i as f64));
    }
    Some(id)
}

#[test]
fn finds_by_key_and_by_name_within_the_cluster() {
    let mut store = Store::new(0, 0, 3_600_000);
    let b = fill(&mut store, 0, &key("temp", 1), 2);
    let a = fill(&mut store, 0, &key("temp", 0), 1);
    let other = fill(&mut store, 1, &key("temp", 0), 1);
    assert_ne!(a, other);
    assert_eq!(store.lookup(ClusterId(0), &key("temp", 1)), b);
    assert_eq!(store.lookup(ClusterId(2), &key("temp", 1)), None);
    let found: Vec<_> = store
        .find(ClusterId(0), "temp")
        .map(|(id, _)| Some(id))
        .collect();
    assert_eq!(found, [a, b]);
    assert_eq!(store.names(ClusterId(0)), [Arc::from("temp")]);
    let last = b.and_then(|b| store.last(b));
    assert_eq!(last, Some(at(15_000, 1.0)));
}

#[test]
fn an_hour_of_a_labelled_series_fits() {
    let mut store = Store::new(0, 0, 3_600_000);
    for gpu in 0..500 {
        for name in ["util", "temp", "power", "clock"] {
            fill(&mut store, 0, &key(name, gpu), 240);
        }
    }
    let (series, bytes, _) = store.usage();
    assert_eq!(series, 2000);
    assert!(bytes / 2000 <= 2_400, "{} bytes a series", bytes / 2000);
}

#[test]
fn evicts_what_was_not_viewed_and_counts() {
    let mut store = Store::new(100_000, 0, 3_600_000);
    let mut ids = Vec::new();
    for gpu in 0..30 {
        ids.extend(fill(&mut store, 0, &key("temp", gpu), 240));
    }
    store.tick(Timestamp(3_600_000));
    let kept = ids[0];
    assert_eq!(
        store.points(kept, Timestamp(0), Timestamp(30_000)).count(),
        3
    );
    for gpu in 30..60 {
        fill(&mut store, 0, &key("temp", gpu), 240);
    }
    store.enforce();
    let (held, bytes, evicted) = store.usage();
    assert!(bytes <= 100_000, "{bytes}");
    assert_eq!(held as u64 + evicted, 60);
    assert!(store.last(kept).is_some(), "the viewed one stays");
    assert_eq!(store.take_removed().len() as u64, evicted);
    assert_eq!(store.find(ClusterId(0), "temp").count(), held);
}

#[test]
fn refuses_over_the_limit_of_a_cluster() {
    let mut store = Store::new(0, 2, 3_600_000);
    for gpu in 0..3 {
        fill(&mut store, 0, &key("temp", gpu), 1);
    }
    assert_eq!((store.usage().0, store.refused()), (2, 1));
    assert!(fill(&mut store, 1, &key("temp", 9), 1).is_some());
}

#[test]
fn forgets_the_silent_and_uses_the_place_again() {
    let mut store = Store::new(0, 0, 3_600_000);
    let id = fill(&mut store, 0, &key("temp", 0), 1);
    store.tick(Timestamp(3_700_000));
    assert_eq!(store.usage().0, 0);
    assert_eq!(store.usage().1, 0, "nothing is left behind");
    assert_eq!(store.lookup(ClusterId(0), &key("temp", 0)), None);
    assert_eq!(fill(&mut store, 0, &key("power", 0), 1), id);
}

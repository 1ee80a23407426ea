//! Scrapes there and back.

mod hostile;

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::model::label::Labels;
use crate::model::sample::SeriesKey;
use crate::model::scrape::{Class, Raw, Scrape, Told};
use crate::model::time::Timestamp;

/// Series that come and go; some are of each priority.
pub(super) fn raw(n: usize, at: i64, value: f64) -> Raw {
    let (name, class) = match n % 4 {
        0 => (format!("node_cpu_seconds_{n}_total"), Class::Counter),
        1 => (format!("DCGM_FI_DEV_GPU_TEMP_{n}"), Class::Gauge),
        2 => ("http_bucket".to_owned(), Class::Bucket),
        _ => ("go_goroutines".to_owned(), Class::Unknown),
    };
    let n = n.to_string();
    Raw {
        key: SeriesKey::new(name, Labels::from_pairs([("instance", "h:1"), ("n", &n)])),
        class,
        at: Timestamp(at),
        value,
    }
}

pub(super) fn scrape(exporter: u16, at: i64, told: Told) -> Scrape {
    Scrape {
        exporter,
        url: format!("http://h:{exporter}/metrics").into(),
        instance: Arc::from("h:1"),
        interval_ms: 15_000,
        at: Timestamp(at),
        told,
    }
}

/// Exporter, time, and each series with time and bits.
type Seen = (u16, i64, Option<Vec<(String, i64, u64)>>);

fn seen(scrape: &Scrape) -> Seen {
    let raws = scrape.raws().iter();
    let raws = raws.map(|r| (r.key.to_string(), r.at.0, r.value.to_bits()));
    let mut raws: Vec<_> = raws.collect();
    raws.sort();
    let told = (!matches!(scrape.told, Told::Nothing)).then_some(raws);
    (scrape.exporter, scrape.at.0, told)
}

fn scrapes(heard: Heard) -> Vec<Scrape> {
    let Heard::Told(events) = heard else {
        return Vec::new();
    };
    let only = |event| match event {
        Event::Scrape(scrape) => Some(scrape),
        Event::Gap(_) => None,
    };
    events.into_iter().filter_map(only).collect()
}

fn gaps(heard: &Heard) -> Vec<Gap> {
    let Heard::Told(events) = heard else {
        return Vec::new();
    };
    let only = |event: &Event| match event {
        Event::Gap(gap) => Some(*gap),
        Event::Scrape(_) => None,
    };
    events.iter().filter_map(only).collect()
}

fn any_scrapes() -> impl Strategy<Value = Vec<Scrape>> {
    let value = prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        (0..2_000_u32).prop_map(|n| f64::from(n) / 10.0),
        Just(1.0),
        Just(f64::NAN),
    ];
    let series = prop::collection::vec((0..12_usize, value, prop::option::of(-9_i64..9)), 0..12);
    let one = (0..3_u16, series, 0..10_u8, -20_000_i64..60_000);
    prop::collection::vec(one, 1..30).prop_map(|all| {
        let mut at = 1_700_000_000_000;
        let told = all.into_iter().map(|(exporter, series, kind, after)| {
            at += after;
            let mut raws: Vec<Raw> = Vec::new();
            for (n, value, off) in series {
                let value = if has_ended(value) { 0.0 } else { value };
                let raw = raw(n, at + off.unwrap_or(0), value);
                if raws.iter().all(|r| r.key != raw.key) {
                    raws.push(raw);
                }
            }
            scrape(
                exporter,
                at,
                match kind {
                    0 => Told::Nothing,
                    1 => Told::Some(raws),
                    _ => Told::All(raws),
                },
            )
        });
        told.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_told_is_heard_to_the_last_bit(all in any_scrapes(), each in 1..5_usize) {
        let (mut encoder, mut decoder) = (Encoder::new(7), Decoder::default());
        let mut heard = Vec::new();
        for some in all.chunks(each) {
            some.iter().for_each(|scrape| encoder.put(scrape, Level::default()));
            for packed in encoder.pack() {
                heard.extend(scrapes(decoder.take(&packed.bytes).expect("whole")));
            }
        }
        let told: Vec<Seen> = all.iter().map(seen).collect();
        prop_assert_eq!(heard.iter().map(seen).collect::<Vec<_>>(), told);
    }

    #[test]
    fn what_is_left_out_is_not_made_up(all in any_scrapes(), level in 0..8_u8) {
        let (mut encoder, mut decoder) = (Encoder::new(7), Decoder::default());
        let mut heard = Vec::new();
        for scrape in &all {
            encoder.put(scrape, Level::new(level));
            for packed in encoder.pack() {
                heard.extend(scrapes(decoder.take(&packed.bytes).expect("whole")));
            }
        }
        let told: Vec<Seen> = all.iter().map(seen).collect();
        let mut rest = told.iter();
        for one in heard.iter().map(seen) {
            let same = |told: &&Seen| (told.0, told.1, told.2.is_some()) == (one.0, one.1, one.2.is_some());
            let from = rest.find(same).expect("told, and in this order");
            for (key, at, bits) in one.2.iter().flatten() {
                let held = from.2.iter().flatten().any(|t| (&t.0, t.1, t.2) == (key, *at, *bits));
                prop_assert!(held || has_ended(f64::from_bits(*bits)), "{key} {at}");
            }
        }
    }

    #[test]
    fn hostile_messages_are_refused(bytes: Vec<u8>, at in 0..400_usize, with: u8, cut in prop_oneof![3 => Just(0), 1 => 0..400_usize]) {
        let mut decoder = Decoder::default();
        let _ = decoder.take(&bytes);
        let mut encoder = Encoder::new(7);
        for time in 0..3 {
            let raws = (0..8).map(|n| raw(n, time, n as f64)).collect();
            encoder.put(&scrape(0, time, Told::All(raws)), Level::default());
        }
        for packed in encoder.pack() {
            let whole = packed.bytes;
            let mut bytes = whole.clone();
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= with;
            }
            bytes.truncate(bytes.len().saturating_sub(cut));
            prop_assert_eq!(decoder.take(&bytes).is_ok(), bytes == whole, "damage is seen");
        }
    }
}

/// Messages of five scrapes, a generation of three and one of two.
fn five() -> Vec<Packed> {
    let mut encoder = Encoder::new(9);
    let mut all = Vec::new();
    for time in 0..5_i64 {
        if time == 3 {
            encoder.begin();
        }
        let told = Told::All(vec![raw(0, time, time as f64), raw(1, time, 40.0)]);
        encoder.put(&scrape(0, time, told), Level::default());
        all.extend(encoder.pack());
    }
    all
}

#[test]
fn messages_are_numbered_and_each_is_heard_once() {
    let all = five();
    let heads: Vec<_> = all
        .iter()
        .map(|p| (p.head.sequence, p.head.first))
        .collect();
    assert_eq!(
        heads,
        [(1, true), (2, false), (3, false), (4, true), (5, false)]
    );
    let mut decoder = Decoder::default();
    let mut told = 0;
    for n in [0, 0, 1, 0, 1, 2, 3, 4, 4] {
        told += scrapes(decoder.take(&all[n].bytes).expect("whole")).len();
    }
    assert_eq!(told, 5);
}

#[test]
fn what_is_missing_is_a_gap() {
    let all = five();
    let mut decoder = Decoder::default();
    assert_eq!(scrapes(decoder.take(&all[0].bytes).unwrap()).len(), 1);
    // The second never came: the third is of a generation of which a part is missing.
    let heard = decoder.take(&all[2].bytes).unwrap();
    let lost: Vec<_> = gaps(&heard)
        .iter()
        .map(|g| (g.messages, g.scrapes))
        .collect();
    assert_eq!(lost, [(1, 0), (0, 1)]);
    assert!(scrapes(heard).is_empty());
    let heard = decoder.take(&all[3].bytes).unwrap();
    assert!(gaps(&heard).is_empty());
    assert_eq!(scrapes(heard).len(), 1);
    assert!(
        matches!(decoder.take(&all[1].bytes), Ok(Heard::Again)),
        "too late"
    );
    assert_eq!(scrapes(decoder.take(&all[4].bytes).unwrap()).len(), 1);
}

/// However many are missing, each is counted.
#[test]
fn what_is_missing_is_counted() {
    let all = five();
    let mut decoder = Decoder::default();
    decoder.take(&all[0].bytes).unwrap();
    let heard = decoder.take(&all[3].bytes).unwrap();
    let lost: Vec<_> = gaps(&heard)
        .iter()
        .map(|g| (g.messages, g.from.0, g.to.0))
        .collect();
    assert_eq!(lost, [(2, 0, 3)]);
    assert_eq!(scrapes(heard).len(), 1, "a generation begins");
}

#[test]
fn who_comes_later_waits_for_a_beginning() {
    let all = five();
    let mut decoder = Decoder::default();
    assert!(matches!(decoder.take(&all[1].bytes), Ok(Heard::Early)));
    assert!(matches!(decoder.take(&all[2].bytes), Ok(Heard::Early)));
    assert_eq!(scrapes(decoder.take(&all[3].bytes).unwrap()).len(), 1);
}

#[test]
fn foreign_messages_and_later_versions_are_told_apart() {
    let mut decoder = Decoder::default();
    assert!(matches!(decoder.take(b"{\"a\":1}"), Err(Wrong::Foreign)));
    assert!(matches!(
        decoder.take(b"FS\x02\0\0\0\0\0\0\0\0\x01"),
        Err(Wrong::Version(2))
    ));
}

/// A level that leaves scrapes out: that nobody answers is told of each time all the same.
#[test]
fn who_does_not_answer_is_told_of_at_once() {
    let (mut encoder, mut decoder) = (Encoder::new(7), Decoder::default());
    let mut down = Vec::new();
    for n in 0..8 {
        let told = match n {
            3 | 5 => Told::Nothing,
            _ => Told::All(vec![raw(0, n, 1.0)]),
        };
        encoder.put(&scrape(0, n, told), Level::LAST);
        for packed in encoder.pack() {
            let heard = scrapes(decoder.take(&packed.bytes).expect("whole"));
            let nothing = heard.iter().filter(|s| matches!(s.told, Told::Nothing));
            down.extend(nothing.map(|s| s.at.0));
        }
    }
    assert_eq!(down, [3, 5]);
}

/// What stands still takes next to no bytes: a message ends before it tells more than is read.
#[test]
fn no_message_tells_more_than_is_read() {
    let (mut encoder, mut decoder) = (Encoder::new(7), Decoder::default());
    let many = |at| (0..5_000).map(|n| raw(n, at, 1.0)).collect();
    for at in 0..450 {
        encoder.put(&scrape(0, at, Told::All(many(at))), Level::default());
    }
    let heard: usize = encoder
        .pack()
        .iter()
        .map(|packed| scrapes(decoder.take(&packed.bytes).expect("read")).len())
        .sum();
    assert_eq!(heard, 450);
}

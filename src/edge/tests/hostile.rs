//! Messages that are made to harm: refused, or held within bounds.

use super::super::head::Head;
use super::*;
use crate::bundle::wire::{put_bytes, put_len, put_u64};

const TEXT: u8 = 1;
const TARGET: u8 = 2;
const SERIES: u8 = 3;
const SCRAPE: u8 = 4;
const GAP: u8 = 5;
/// All of it is told, of all priorities; nobody answered.
const ALL: u8 = 0b111;
const NOTHING: u8 = 2 << 4;

/// A message in good form that says this.
fn message(run: u64, body: &[u8]) -> Vec<u8> {
    let head = Head {
        run,
        sequence: 1,
        first: true,
        scrapes: 1,
        from: Timestamp(0),
        to: Timestamp(0),
    };
    head.seal(body).expect("sealed").bytes
}

fn heard(body: &[u8]) -> Result<Heard, Wrong> {
    Decoder::default().take(&message(1, body))
}

/// Two texts and an exporter.
fn begun() -> Vec<u8> {
    let mut body = Vec::new();
    for text in ["a", "b"] {
        body.push(TEXT);
        put_bytes(&mut body, text.as_bytes());
    }
    body.extend([TARGET, 0, 0, 1, 100]);
    body
}

/// So many labels of one series, no two of a name where there are texts enough.
fn series(body: &mut Vec<u8>, labels: usize) {
    body.extend([SERIES, 0, 0, 0, 0]);
    put_len(body, labels);
    for n in 0..labels {
        put_len(body, n);
        put_len(body, 1);
    }
}

/// What is inside the compressed part, damaged there: the outer form is right.
#[test]
fn damage_inside_is_refused_too() {
    let mut seed = 1_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut encoder = Encoder::new(7);
    for time in 0..3 {
        let raws = (0..8).map(|n| raw(n, time, n as f64 * 1.1)).collect();
        encoder.put(&scrape(0, time, Told::All(raws)), Level::default());
    }
    let packed = encoder.pack().pop().expect("one");
    let (head, size, rest) = Head::read(&packed.bytes).expect("whole");
    let mut body = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::DeflateDecoder::new(rest), &mut body).unwrap();
    assert_eq!(body.len(), size);
    assert!(head.first);
    for _ in 0..5_000 {
        let mut body = body.clone();
        for _ in 0..=random() % 3 {
            let at = random() as usize % body.len();
            body[at] = random() as u8;
        }
        let _ = heard(&body);
    }
}

#[test]
fn a_message_that_grows_without_end_is_refused() {
    let whole = message(1, &vec![0; 64 << 20]);
    assert!(matches!(
        Decoder::default().take(&whole),
        Err(Wrong::TooMuch)
    ));
    // It says that it is small.
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut deflate, &vec![0; 64 << 20]).unwrap();
    let rest = deflate.finish().unwrap();
    let small = message(1, &[]);
    let (_, _, empty) = Head::read(&small).expect("whole");
    let head = &small[..small.len() - empty.len() - 4];
    let mut crc = flate2::Crc::new();
    crc.update(head);
    crc.update(&rest);
    let bytes = [head, &crc.sum().to_be_bytes(), &rest].concat();
    assert!(matches!(
        Decoder::default().take(&bytes),
        Err(Wrong::Damaged)
    ));
}

#[test]
fn numbers_without_end_and_counts_beyond_reason_are_damage() {
    let long = [&[TEXT][..], &[0xff; 11]].concat();
    let mut large = vec![TEXT];
    put_u64(&mut large, u64::from(u32::MAX));
    let mut labels = begun();
    labels.extend([SERIES, 0, 0, 0, 0]);
    put_u64(&mut labels, u64::from(u32::MAX));
    let mut places = begun();
    series(&mut places, 1);
    // Two changed of one.
    places.extend([SCRAPE, 0, ALL, 0, 2, 0, 0, 3, 3, 0]);
    let nobody = [&begun()[..], &[SCRAPE, 9, ALL, 0, 0, 0]].concat();
    for body in [long, large, labels, places, nobody] {
        assert!(matches!(heard(&body), Err(Wrong::Damaged)), "{body:?}");
    }
}

/// Small messages that stand for much: labels that are only numbers, series that are only
/// repeated, exporters that say nothing.
#[test]
fn small_messages_that_stand_for_much_are_refused() {
    let mut labels = begun();
    for n in 0..128_u32 {
        labels.push(TEXT);
        put_bytes(&mut labels, &n.to_be_bytes());
    }
    for _ in 0..28_000 {
        series(&mut labels, 128);
    }
    let mut repeated = begun();
    for _ in 0..10_000 {
        series(&mut repeated, 1);
    }
    for _ in 0..200 {
        repeated.extend([SCRAPE, 0, ALL, 2, 0, 0]);
    }
    let silent = [begun(), [SCRAPE, 0, NOTHING, 2].repeat(600_000)].concat();
    let gaps = [GAP, 0, 0, 0].repeat(600_000);
    let mut more = begun();
    series(&mut more, 129);
    for (what, body) in [
        ("labels", labels),
        ("repeated", repeated),
        ("silent", silent),
        ("gaps", gaps),
        ("one series", more),
    ] {
        assert!(body.len() < 8 << 20);
        assert!(matches!(heard(&body), Err(Wrong::TooMuch)), "{what}");
    }
}

/// Each within its bound, all together beyond what is held.
#[test]
fn many_publishers_share_what_is_held() {
    let mut body = begun();
    for n in 0..128_u32 {
        body.push(TEXT);
        put_bytes(&mut body, &n.to_be_bytes());
    }
    for _ in 0..20_000 {
        series(&mut body, 128);
    }
    let mut decoder = Decoder::default();
    for run in 0..8 {
        assert!(decoder.take(&message(run, &body)).is_ok());
    }
    assert!(decoder.held() <= 128 << 20, "{}", decoder.held());
    assert!(decoder.held() > 64 << 20);
}

#[test]
fn gaps_as_large_as_numbers_go_are_added_up() {
    let mut body = Vec::new();
    for _ in 0..3 {
        body.push(GAP);
        body.extend([0, 0]);
        put_u64(&mut body, u64::MAX);
    }
    let mut window = Window::new(100_000);
    for gap in gaps(&heard(&body).expect("read")) {
        window.gap(gap);
    }
    let far = Head {
        run: 5,
        sequence: u64::MAX,
        first: false,
        scrapes: u64::MAX,
        from: Timestamp(i64::MIN),
        to: Timestamp(i64::MAX),
    };
    let mut decoder = Decoder::default();
    decoder.take(&message(5, &begun())).expect("read");
    let far = far.seal(&[]).expect("sealed").bytes;
    for gap in gaps(&decoder.take(&far).expect("read")) {
        window.gap(gap);
        window.gap(gap);
    }
    assert!(window.standing().gaps.iter().any(|g| g.scrapes == u64::MAX));
}

/// One entry, with numbers as they come.
fn entry() -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof![
        8 => 0..4_u64,
        2 => 0..200_u64,
        1 => any::<u64>(),
        1 => Just(u64::MAX),
    ];
    let numbers = prop::collection::vec(number, 0..12);
    let text = "[a-z\\x1b]{0,5}".prop_map(|text| {
        let mut out = vec![TEXT];
        put_bytes(&mut out, text.as_bytes());
        out
    });
    let other = (0..7_u8, numbers).prop_map(|(kind, numbers)| {
        let mut out = vec![kind];
        numbers.iter().for_each(|n| put_u64(&mut out, *n));
        out
    });
    let whole = prop_oneof![
        Just(vec![TARGET, 0, 0, 0, 100]),
        Just(vec![SERIES, 0, 0, 0, 0, 0]),
        Just(vec![SERIES, 0, 1, 1, 0, 1, 0, 0]),
        (0..4_u8, 0..2_i64).prop_map(|(value, at)| {
            let mut out = vec![SCRAPE, 0, ALL];
            crate::bundle::wire::put_i64(&mut out, at * i64::MAX);
            out.extend([1, 0, value, 0]);
            out
        }),
        Just(vec![SCRAPE, 0, NOTHING, 2]),
    ];
    prop_oneof![2 => text, 4 => whole, 1 => other]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn hostile_entries_are_refused_or_held_within_bounds(all in prop::collection::vec(entry(), 0..40)) {
        let body = all.concat();
        let mut window = Window::new(100_000);
        if let Ok(Heard::Told(events)) = heard(&body) {
            for event in events {
                match event {
                    Event::Scrape(scrape) => window.put(&scrape),
                    Event::Gap(gap) => window.gap(gap),
                }
            }
        }
        prop_assert!(window.standing().bytes <= 100_000);
        let span = (i64::MIN, i64::MAX);
        for found in window.select(span, |_| true) {
            prop_assert!(found.read(span).len() <= found.samples);
        }
    }
}

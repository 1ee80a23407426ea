use std::sync::Arc;

use super::*;
use crate::model::desk::{Desk as Said, Hand, What};
use crate::model::id::IncidentId;

const NOW: Timestamp = Timestamp(1_000);

fn doc() -> Doc {
    let hand = Hand {
        by: "ana".into(),
        console: "c1".into(),
    };
    let mut desk = Said::default();
    desk.write(What::Note("seen".into()), &hand, Timestamp(1));
    Doc {
        about: About::Finding {
            cluster: "alpha".into(),
            key: "k".into(),
        },
        desk,
    }
}

#[test]
fn what_is_written_is_read_and_nothing_else() {
    let (doc, key) = (doc(), doc().key());
    let bytes = encode(&doc).expect("written");
    let read = decode(key.as_str(), &bytes, NOW).expect("read");
    assert_eq!((&read.doc, read.long, read.ahead), (&doc, 0, 0));
    assert!(
        decode("verdict.0000000000000000", &bytes, NOW).is_err(),
        "another key"
    );
    let cut = &bytes[..bytes.len() - 3];
    for broken in [&b""[..], b"{\"version\":1}", &[0xc1; 64], cut] {
        assert!(decode(key.as_str(), broken, NOW).is_err());
    }
    let mut large = bytes.clone();
    large.resize(LARGEST + 1, 0);
    let why = decode(key.as_str(), &large, NOW).expect_err("too large");
    assert!(why.contains("1048577 bytes"), "{why}");
}

#[test]
fn a_newer_version_is_left_alone_and_says_so() {
    let newer = Body {
        version: VERSION + 1,
        about: doc().about,
        edits: Vec::new(),
    };
    let bytes = rmp_serde::to_vec_named(&newer).expect("written");
    let why = decode(doc().key().as_str(), &bytes, NOW).expect_err("newer");
    assert_eq!(why, "version 2; this farwatch knows 1");
}

#[test]
fn the_largest_desk_that_can_be_written_fits() {
    let mut doc = doc();
    let hand = Hand {
        by: "x".repeat(60).into(),
        console: Arc::from("0123456789abcdef"),
    };
    for n in 0..400 {
        let text = format!("{n:04}{}", "y".repeat(1_990));
        doc.desk
            .write(What::Note(text.clone()), &hand, Timestamp(n));
        let pin = What::Pinned {
            text: text[..400].to_owned(),
            on: true,
        };
        doc.desk.write(pin, &hand, Timestamp(n));
    }
    assert!(encode(&doc).is_some());
}

/// A console whose clock is a year ahead: its edits are left out, and what it says of the incident
/// does not make next week's of the same sign the same.
#[test]
fn a_clock_a_year_ahead_decides_nothing() {
    let year = 365 * 86_400_000;
    let about = |id: u64, opened: i64, until: i64| About::Incident {
        id: IncidentId(id),
        cluster: "alpha".into(),
        keys: BTreeSet::from(["k".into()]),
        opened: Timestamp(opened),
        until: Timestamp(until),
    };
    let mut ahead = doc();
    ahead.about = about(1, NOW.0, NOW.0 + year);
    let hand = Hand {
        by: "ben".into(),
        console: "c2".into(),
    };
    let later = Timestamp(NOW.0 + year);
    ahead.desk.write(What::Acknowledged(true), &hand, later);
    let bytes = encode(&ahead).expect("written");
    let read = decode(ahead.key().as_str(), &bytes, NOW).expect("read");
    assert_eq!((read.ahead, read.doc.desk.edits().len()), (1, 1));
    let week = NOW.0 + 7 * 86_400_000;
    assert!(ahead.about.is_same(&about(2, week, week)));
    assert!(!read.doc.about.is_same(&about(2, week, week)));
}

/// Whatever the types, the times and the numbers: taken within bounds, or refused.
#[test]
fn what_nobody_writes_harms_nobody() {
    let key = doc().key();
    let about = serde_json::json!({"finding": {"cluster": "alpha", "key": "k"}});
    let mark = |ms: i64, count: u32| serde_json::json!({"ms": ms, "count": count, "by": "e", "console": "c"});
    let read = |edits: serde_json::Value| {
        let body = serde_json::json!({"version": 1, "about": about, "edits": edits});
        let bytes = rmp_serde::to_vec_named(&body).expect("written");
        decode(key.as_str(), &bytes, NOW)
    };
    for wrong in [
        serde_json::json!("no list"),
        serde_json::json!([{"mark": mark(1, 0), "at": "noon", "what": {"note": "n"}}]),
        serde_json::json!([{"mark": mark(1, 0), "at": 1, "what": {"note": 7}}]),
        serde_json::json!([{"mark": mark(1, 0), "at": 1, "what": {"unheard": "of"}}]),
        serde_json::json!([{"mark": 3, "at": 1, "what": {"note": "n"}}]),
    ] {
        assert!(read(wrong.clone()).is_err(), "{wrong}");
    }
    // Times before all times, and the last of all counts: the next edit stands above them.
    let edge = serde_json::json!([
        {"mark": mark(i64::MIN, 0), "at": i64::MIN, "what": {"note": "first"}},
        {"mark": mark(900, u32::MAX), "at": i64::MAX, "what": {"assigned": "eve"}},
        {"mark": mark(-5, 1), "at": -5, "seen": mark(i64::MIN, u32::MAX), "what": {"muted": -9}},
        {"mark": mark(-5, 2), "at": -5, "what": {"muted": i64::MAX}},
        {"mark": mark(1, 0), "at": 1, "what": {"verdict": ["true", 1e300]}},
    ]);
    let mut said = read(edge).expect("taken").doc.desk;
    assert_eq!(
        said.muted().map(|(until, _)| until),
        Some(Timestamp(-9)),
        "for ever is nobody's"
    );
    assert_eq!(said.verdict().map(|v| v.score), Some(1.0));
    let hand = Hand::default();
    said.write(What::Assigned(Some("ana".into())), &hand, Timestamp(900));
    assert_eq!(said.assigned().map(|(who, _)| who), Some("ana"));
    // As many notes as a value takes, the newest first.
    let many = (0..12_000).rev();
    let many: Vec<_> = many
        .map(|n| serde_json::json!({"mark": mark(n, 0), "at": n, "what": {"note": "n"}}))
        .collect();
    let said = read(many.into()).expect("taken").doc.desk;
    assert_eq!(said.notes().count(), 200);
}

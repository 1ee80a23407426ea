use std::sync::Arc;

use super::*;
use crate::model::desk::{Desk as Said, Hand, What};
use crate::model::time::Timestamp;

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
    assert_eq!(decode(key.as_str(), &bytes), Ok((doc.clone(), 0)));
    assert!(
        decode("verdict.0000000000000000", &bytes).is_err(),
        "another key"
    );
    let cut = &bytes[..bytes.len() - 3];
    for broken in [&b""[..], b"{\"version\":1}", &[0xc1; 64], cut] {
        assert!(decode(key.as_str(), broken).is_err());
    }
    let mut large = bytes.clone();
    large.resize(LARGEST + 1, 0);
    let why = decode(key.as_str(), &large).expect_err("too large");
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
    let why = decode(doc().key().as_str(), &bytes).expect_err("newer");
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

use proptest::prelude::*;

use super::*;

fn whole(payload: &[u8]) -> Content {
    decode(payload, payload.len() as u64)
}

fn lines(content: &Content) -> Vec<String> {
    let rows = content.rows.iter().enumerate();
    rows.map(|(i, row)| format!("{} {} {}", content.path(i), row.shape.as_str(), row.value))
        .collect()
}

#[test]
fn messagepack_is_a_tree() {
    // { "kind": "ptp.state", "n": [1, -2, 1.5, nil, true], 3: bin }
    let mut payload = vec![0x83, 0xa4];
    payload.extend(b"kind\xa9ptp.state\xa1n\x95\x01\xfe");
    payload.extend([0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0xc3]);
    payload.extend([0x03, 0xc4, 0x02, 0x00, 0xff]);
    let content = whole(&payload);
    assert_eq!(content.encoding, Encoding::MessagePack);
    assert!(!content.cut);
    assert_eq!(
        lines(&content),
        [
            ". map 3",
            ".kind text ptp.state",
            ".n list 5",
            ".n[0] int 1",
            ".n[1] int -2",
            ".n[2] float 1.5",
            ".n[3] nil nil",
            ".n[4] bool true",
            ".3 bytes 2 bytes: 00 ff",
        ]
    );
}

#[test]
fn times_and_extensions_are_named() {
    let time = whole(&[0xd6, 0xff, 0x65, 0x53, 0xf1, 0x00]);
    assert_eq!(lines(&time), [". time 2023-11-14T22:13:20.000Z"]);
    let other = whole(&[0xd4, 0x05, 0xaa]);
    assert_eq!(lines(&other), [". ext type 5, 1 bytes: aa"]);
}

#[test]
fn messagepack_must_be_whole() {
    // A map and one byte more: no MessagePack.
    let content = whole(&[0x81, 0xa1, b'a', 0x01, 0x00]);
    assert_eq!(content.encoding, Encoding::Binary);
    // It claims four thousand million values and brings none.
    assert_eq!(
        whole(&[0xdd, 0xff, 0xff, 0xff, 0xff]).encoding,
        Encoding::Binary
    );
    assert_eq!(whole(&[0xc1]).encoding, Encoding::Binary);
}

#[test]
fn words_are_no_numbers() {
    assert_eq!(whole(b"A").encoding, Encoding::Text);
    assert_eq!(whole(b"7").encoding, Encoding::Json);
    assert_eq!(whole("й".as_bytes()).encoding, Encoding::Text);
    assert_eq!(whole(b"ping").encoding, Encoding::Text);
    assert_eq!(
        whole(&[0xa4, b'p', b'i', b'n', b'g']).encoding,
        Encoding::MessagePack
    );
    assert_eq!(whole(b"").encoding, Encoding::Empty);
}

#[test]
fn json_keeps_order_and_digits() {
    let content =
        whole(br#"{"z":12345678901234567890123,"a":[0.10,null,"x\n\u001b[31my"],"z":{}}"#);
    assert_eq!(content.encoding, Encoding::Json);
    assert_eq!(
        lines(&content),
        [
            ". map 3",
            ".z int 12345678901234567890123",
            ".a list 3",
            ".a[0] float 0.10",
            ".a[1] nil nil",
            ".a[2] text x y",
            ".z map 0",
        ]
    );
}

#[test]
fn a_large_message_is_cut_and_says_so() {
    let mut payload = vec![0xdd, 0x00, 0x7f, 0xff, 0xff];
    payload.resize(8 << 20, 0x01);
    let content = decode(&payload, payload.len() as u64);
    assert_eq!(content.encoding, Encoding::MessagePack);
    assert!(content.cut);
    assert_eq!(content.rows.len(), ROWS);
    let text = "x".repeat(8 << 20);
    let content = decode(text.as_bytes(), text.len() as u64);
    assert_eq!((content.encoding, content.cut), (Encoding::Text, true));
    assert!(content.rows[0].value.contains("65536 bytes"));
}

#[test]
fn what_nests_too_deep_is_not_read() {
    let deep = vec![0x91; 10_000];
    assert_eq!(whole(&deep).encoding, Encoding::Binary);
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    assert_eq!(whole(deep.as_bytes()).encoding, Encoding::Text);
}

fn is_bounded(content: &Content) -> bool {
    let texts = content.rows.iter().flat_map(|row| {
        let name = match &row.part {
            Part::Key(key) => key.clone(),
            Part::Root | Part::Index(_) => "".into(),
        };
        [row.value.clone(), name]
    });
    let mut texts = texts.collect::<Vec<_>>().into_iter();
    content.rows.len() <= ROWS
        && content.head.len() <= HEAD
        && texts.all(|t| t.len() < VALUE + 64 && !t.chars().any(text::is_unsafe))
}

#[test]
fn bytes_that_were_cut_are_told_as_many_as_they_were() {
    let content = decode(&[0xc1; KEPT], 8 << 20);
    assert_eq!(content.encoding, Encoding::Binary);
    let value = &*content.rows[0].value;
    assert!(value.starts_with("8388608 bytes: c1 c1"), "{value}");
}

proptest! {
    #[test]
    fn garbage_is_bounded(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(is_bounded(&whole(&bytes)));
        prop_assert!(is_bounded(&decode(&bytes, 1 << 23)));
    }

    #[test]
    fn what_others_write_is_read(tree in any_tree()) {
        let packed = rmp_serde::to_vec(&tree).expect("written");
        let content = whole(&packed);
        prop_assert!(is_bounded(&content));
        if msgpack::holds_others(&packed) {
            prop_assert_eq!(content.encoding, Encoding::MessagePack);
        }
        // Cut anywhere it is never taken for a whole one.
        let half = packed.get(..packed.len() / 2).unwrap_or_default();
        prop_assert!(half.is_empty() || whole(half).encoding != Encoding::MessagePack || !msgpack::holds_others(&packed));
        let text = serde_json::to_string(&tree).expect("written");
        prop_assert!(is_bounded(&whole(text.as_bytes())));
        if text.starts_with(['{', '[']) {
            prop_assert_eq!(whole(text.as_bytes()).encoding, Encoding::Json);
        }
    }

    #[test]
    fn mutations_are_bounded(tree in any_tree(), at in any::<usize>(), byte in any::<u8>()) {
        let mut packed = rmp_serde::to_vec(&tree).expect("written");
        let at = at % packed.len();
        packed[at] = byte;
        prop_assert!(is_bounded(&whole(&packed)));
    }
}

fn any_tree() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_map(|f| serde_json::Number::from_f64(f).map_or(Value::Null, Value::Number)),
        "\\PC{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 128, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::btree_map("\\PC{0,12}", inner, 0..8)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

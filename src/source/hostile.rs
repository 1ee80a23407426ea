//! Documents as no server should give them, for the properties of every reader: one value of a
//! good one replaced by something else, or the end cut off.

use proptest::prelude::*;
use serde_json::{Value, json};

/// Stands in values that must never be quoted, written, or kept.
pub const EVIL: &str = "\u{1b}[31m\u{202e}\0evil\n";

/// Of every type, and of sizes that nobody expects.
pub fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!(EVIL)),
        Just(json!("9".repeat(400))),
        Just(json!("x".repeat(100_000))),
        Just(json!(-1)),
        Just(json!(u64::MAX)),
        Just(json!(1e308)),
        Just(json!([])),
        Just(json!({})),
        Just(json!([null, {}, [], "a", 7])),
        Just(json!(true)),
        "\\PC{0,20}".prop_map(Value::from),
    ]
}

/// Puts a value at the n-th place of the tree, counted over all.
fn spoil(tree: &mut Value, n: &mut usize, with: &Value) {
    if *n == 0 {
        *tree = with.clone();
    }
    *n = n.wrapping_sub(1);
    match tree {
        Value::Object(fields) => fields.values_mut().for_each(|v| spoil(v, n, with)),
        Value::Array(list) => list.iter_mut().for_each(|v| spoil(v, n, with)),
        _ => {}
    }
}

fn places(tree: &Value) -> usize {
    1 + match tree {
        Value::Object(fields) => fields.values().map(places).sum(),
        Value::Array(list) => list.iter().map(places).sum(),
        _ => 0,
    }
}

/// This document with any one of its values replaced.
pub fn spoilt(good: &Value) -> impl Strategy<Value = Value> + use<> {
    let good = good.clone();
    (0..places(&good), any_value()).prop_map(move |(mut at, with)| {
        let mut bad = good.clone();
        spoil(&mut bad, &mut at, &with);
        bad
    })
}

/// This document without its end.
pub fn cut(good: &Value) -> impl Strategy<Value = Vec<u8>> + use<> {
    let good = good.to_string().into_bytes();
    (0..good.len()).prop_map(move |at| good[..at].to_vec())
}

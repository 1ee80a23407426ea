//! JSON, value by value: keys in their order, numbers as they were written.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{DEPTH, Tree, key};
use crate::model::bus::{Part, Shape};

/// The tree; `None`: this is no JSON, or deeper than is read.
pub(super) fn read(payload: &str) -> Option<Tree> {
    let mut tree = Tree::default();
    let root: &RawValue = serde_json::from_str(payload).ok()?;
    walk(&mut tree, 0, Part::Root, root)?;
    Some(tree)
}

fn walk(tree: &mut Tree, depth: u8, part: Part, value: &RawValue) -> Option<()> {
    if depth > DEPTH {
        return None;
    }
    let raw = value.get();
    match raw.as_bytes().first()? {
        b'{' => {
            let held: Members = serde_json::from_str(raw).ok()?;
            tree.push(depth, part, Shape::Map, &held.0.len().to_string());
            for (name, value) in held.0 {
                walk(tree, depth + 1, key(&name), value)?;
            }
        }
        b'[' => {
            let held: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
            tree.push(depth, part, Shape::List, &held.len().to_string());
            for (index, value) in (0..).zip(held) {
                walk(tree, depth + 1, Part::Index(index), value)?;
            }
        }
        b'"' => {
            let words: Words = serde_json::from_str(raw).ok()?;
            tree.push(depth, part, Shape::Text, &words.0);
        }
        b't' | b'f' => tree.push(depth, part, Shape::Bool, raw),
        b'n' => tree.push(depth, part, Shape::Nil, "nil"),
        _ if raw.contains(['.', 'e', 'E']) => tree.push(depth, part, Shape::Float, raw),
        _ => tree.push(depth, part, Shape::Int, raw),
    }
    Some(())
}

#[derive(Deserialize)]
struct Words<'a>(#[serde(borrow)] Cow<'a, str>);

/// What an object holds, in its order, names that come twice twice.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut held = Vec::new();
                while let Some(member) = map.next_entry()? {
                    held.push(member);
                }
                Ok(Members(held))
            }
        }
        from.deserialize_map(Each)
    }
}

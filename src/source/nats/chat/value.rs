//! A value of which nothing is known beforehand, from MessagePack or JSON.
//!
//! Bounded in depth and breadth: what goes beyond is read over and left out.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Deepest value that is kept, entries of one map and items of one list.
const DEPTH: u8 = 12;
const ENTRIES: usize = 128;
const ITEMS: usize = 1_024;
/// Deepest value that is read over.
const READ: usize = 64;

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Bool(bool),
    Whole(u64),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    /// Nil, and what nobody here asks for: negative and broken numbers, bytes that are no text,
    /// extensions, and what lies too deep.
    Other,
}

impl Value {
    /// `None`: the bytes are not one whole value of MessagePack.
    pub fn from_msgpack(bytes: &[u8]) -> Option<Self> {
        let mut reader = rmp_serde::Deserializer::new(std::io::Cursor::new(bytes));
        reader.set_max_depth(READ);
        let value = Kept(DEPTH).deserialize(&mut reader).ok()?;
        (reader.position() == bytes.len() as u64).then_some(value)
    }

    /// `None`: the bytes are no JSON.
    pub fn from_json(bytes: &[u8]) -> Option<Self> {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let value = Kept(DEPTH).deserialize(&mut reader).ok()?;
        reader.end().ok().map(|()| value)
    }

    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Map(entries) = self else {
            return None;
        };
        let named = entries.iter().find(|(key, _)| key == name);
        named.map(|(_, value)| value)
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Also where it was written as text.
    pub fn whole(&self) -> Option<u64> {
        match self {
            Self::Whole(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    pub fn list(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }
}

/// Reads a value that may be so deep.
#[derive(Clone, Copy)]
struct Kept(u8);

impl<'de> DeserializeSeed<'de> for Kept {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        match self.0 {
            0 => from
                .deserialize_ignored_any(IgnoredAny)
                .map(|_| Value::Other),
            _ => from.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Kept {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Whole(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(u64::try_from(value).map_or(Value::Other, Value::Whole))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    /// Old clients write texts as bytes.
    fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
        let text = std::str::from_utf8(value);
        Ok(text.map_or(Value::Other, |text| Value::Text(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }

    /// An extension of MessagePack.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        inner.deserialize_any(IgnoredAny).map(|_| Value::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < ITEMS {
            match items.next_element_seed(Self(self.0 - 1))? {
                Some(item) => kept.push(item),
                None => return Ok(Value::List(kept)),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::List(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        while let Some(key) = entries.next_key_seed(Self(1))? {
            match key {
                Value::Text(name) if kept.len() < ENTRIES => {
                    kept.push((name, entries.next_value_seed(Self(self.0 - 1))?));
                }
                _ => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Value::Map(kept))
    }
}

/// Numbers and texts are copied, so that nothing borrows from the message.
impl<'de> de::Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Kept(DEPTH).deserialize(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_forms_read_alike() {
        let json = br#"{"9": "n", "a": [1, "x", null, -3, 2.5], "b": {"c": true}}"#;
        let value: serde_json::Value = serde_json::from_slice(json).expect("JSON");
        let packed = rmp_serde::to_vec_named(&value).expect("packed");
        let read = Value::from_msgpack(&packed).expect("MessagePack");
        assert_eq!(Value::from_json(json).as_ref(), Some(&read));
        assert_eq!(
            read.get("b").and_then(|b| b.get("c")),
            Some(&Value::Bool(true))
        );
        assert_eq!(read.get("a").map(|a| a.list().len()), Some(5));
    }

    #[test]
    fn bytes_extensions_and_foreign_keys_do_no_harm() {
        // {"t": ext -1 of 4 bytes, 7: 1, "b": bytes "hi", "x": bytes ff}
        let packed = b"\x84\xa1t\xd6\xff\0\0\0\x01\x07\x01\xa1b\xc4\x02hi\xa1x\xc4\x01\xff";
        let read = Value::from_msgpack(packed).expect("a map");
        assert_eq!(read.get("t"), Some(&Value::Other));
        assert_eq!(read.get("b").and_then(Value::text), Some("hi"));
        assert_eq!(read.get("x"), Some(&Value::Other));
    }

    #[test]
    fn only_one_whole_value_counts() {
        assert_eq!(Value::from_msgpack(b"\x81\xa1a"), None);
        assert_eq!(Value::from_msgpack(b"\xa1ab"), None, "something follows");
        assert_eq!(
            Value::from_msgpack(b"\xdf\xff\xff\xff\xff"),
            None,
            "a map that never comes"
        );
        assert_eq!(Value::from_msgpack(b"\xdb\xff\xff\xff\xffabc"), None);
        assert_eq!(Value::from_json(b"{} x"), None);
    }

    #[test]
    fn depth_is_bounded() {
        let deep = [vec![0x91; 40], vec![0xc0]].concat();
        let mut value = &Value::from_msgpack(&deep).expect("one value");
        let mut depth = 0;
        while let Value::List(items) = value {
            value = &items[0];
            depth += 1;
        }
        assert_eq!((depth, value), (usize::from(DEPTH), &Value::Other));
        assert_eq!(Value::from_msgpack(&vec![0x91; 100_000]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (Value::from_msgpack(&bytes), Value::from_json(&bytes));
        }
    }
}

//! JSON read as it comes: a cursor over the body that borrows its texts and builds no tree.
//!
//! For the answers that are large (matrices, log lines); small ones are read with serde. It is as
//! strict as its callers need: what serde_json reads it reads alike (and rounds better), and it
//! forgives raw control characters in texts, which are cleaned later.

use std::borrow::Cow;
use std::fmt;

use crate::source::decimal;
use crate::source::scan::{copy, stop};

/// Deepest nesting that is skipped.
const DEPTH: usize = 128;

/// What is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    pub what: &'static str,
    /// Bytes before it.
    pub at: usize,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

impl std::error::Error for Error {}

pub type Result<T> = std::result::Result<T, Error>;

/// A place in a body. A copy of it is a mark to come back to.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a> {
    text: &'a str,
    /// The same.
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Json<'a> {
    pub fn new(body: &'a [u8]) -> Result<Self> {
        match std::str::from_utf8(body) {
            Ok(text) => Ok(Self {
                text,
                bytes: body,
                at: 0,
            }),
            Err(e) => Err(Error {
                what: "not UTF-8",
                at: e.valid_up_to(),
            }),
        }
    }

    pub fn fail<T>(&self, what: &'static str) -> Result<T> {
        Err(Error { what, at: self.at })
    }

    /// Next byte that is no white space; it stays.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<()> {
        if self.take(byte) {
            Ok(())
        } else {
            self.fail(what)
        }
    }

    /// Nothing may follow.
    pub fn end(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.fail("something follows the document"),
        }
    }

    /// Takes `null` if it is next.
    pub fn null(&mut self) -> bool {
        self.peek();
        self.word("null")
    }

    fn word(&mut self, word: &str) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.starts_with(word.as_bytes());
        self.at += if taken { word.len() } else { 0 };
        taken
    }

    /// Gives each name to `each`, which takes the value.
    pub fn object(
        &mut self,
        mut each: impl FnMut(&mut Self, Cow<'a, str>) -> Result<()>,
    ) -> Result<()> {
        self.expect(b'{', "expected an object")?;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let name = self.text()?;
            self.expect(b':', "expected `:`")?;
            each(self, name)?;
            if !self.take(b',') {
                return self.expect(b'}', "expected `,` or `}`");
            }
        }
    }

    /// The beginning of a list that has elements; after each one ask for [`Json::more`].
    pub fn list(&mut self) -> Result<()> {
        self.expect(b'[', "expected a list")
    }

    /// Whether another element follows in the list.
    pub fn more(&mut self) -> Result<bool> {
        if self.take(b',') {
            return Ok(true);
        }
        self.expect(b']', "expected `,` or `]`").map(|()| false)
    }

    /// Calls `each` before every element, which takes it.
    pub fn array(&mut self, mut each: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.list()?;
        if self.take(b']') {
            return Ok(());
        }
        loop {
            each(self)?;
            if !self.more()? {
                return Ok(());
            }
        }
    }

    /// A text; borrowed where it holds no escape.
    pub fn text(&mut self) -> Result<Cow<'a, str>> {
        let mut room = Vec::new();
        match self.text_in(&mut room)? {
            Some(plain) => Ok(Cow::Borrowed(plain)),
            None => match String::from_utf8(room) {
                Ok(text) => Ok(Cow::Owned(text)),
                Err(_) => self.fail("not UTF-8"),
            },
        }
    }

    /// A text for the moment: `None` where it held escapes and was written to `room`.
    #[inline]
    pub fn text_in(&mut self, room: &mut Vec<u8>) -> Result<Option<&'a str>> {
        let plain = self.plain()?;
        if self.bytes.get(self.at - 1) == Some(&b'"') {
            return Ok(Some(plain));
        }
        room.clear();
        room.extend_from_slice(plain.as_bytes());
        self.escaped(room)?;
        Ok(None)
    }

    /// A text up to and with the quote that ends it or its first backslash.
    #[inline]
    fn plain(&mut self) -> Result<&'a str> {
        self.expect(b'"', "expected a text")?;
        let Some(end) = self.bytes.get(self.at..).and_then(stop) else {
            return self.fail("a text without end");
        };
        let start = self.at;
        self.at += end + 1;
        Ok(self.text.get(start..start + end).unwrap_or_default())
    }

    /// The rest of a text after its first backslash.
    fn escaped(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let bytes = self.bytes;
        loop {
            let byte = bytes.get(self.at).copied();
            self.at += 1;
            match byte {
                Some(c @ (b'"' | b'\\' | b'/')) => out.push(c),
                Some(b'n') => out.push(b'\n'),
                Some(b't') => out.push(b'\t'),
                Some(b'r') => out.push(b'\r'),
                Some(b'b') => out.push(0x8),
                Some(b'f') => out.push(0xc),
                Some(b'u') => {
                    let c = self.unicode()?;
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => return self.fail("a wrong escape"),
            }
            let Some(end) = bytes.get(self.at..).and_then(|rest| copy(rest, out)) else {
                return self.fail("a text without end");
            };
            self.at += end + 1;
            if bytes.get(self.at - 1) == Some(&b'"') {
                return Ok(());
            }
        }
    }

    /// Four digits after `\u`, or two such in a pair; half a pair is the replacement character.
    fn unicode(&mut self) -> Result<char> {
        let high = self.hex()?;
        if !(0xd800..0xdc00).contains(&high) {
            return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let before = self.at;
        if self.word("\\u") {
            let low = self.hex()?;
            if (0xdc00..0xe000).contains(&low) {
                let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Result<u32> {
        let digits = self.text.get(self.at..self.at + 4).unwrap_or_default();
        if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return self.fail("a wrong escape");
        }
        self.at += 4;
        Ok(u32::from_str_radix(digits, 16).unwrap_or(0xfffd))
    }

    /// Lets `read` take a value from the bytes that come next; it says how many it took. For
    /// shapes so frequent that they are worth a reader of their own.
    pub fn shape<T>(&mut self, read: impl FnOnce(&'a [u8]) -> Option<(T, usize)>) -> Option<T> {
        self.peek();
        let (value, taken) = read(self.bytes.get(self.at..)?)?;
        self.at += taken;
        Some(value)
    }

    pub fn number(&mut self) -> Result<f64> {
        self.peek();
        let start = self.at;
        while let Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
        }
        let word = self.text.get(start..self.at).unwrap_or_default();
        match decimal::parse(word) {
            Some(number) => Ok(number),
            None => Err(Error {
                what: "expected a number",
                at: start,
            }),
        }
    }

    /// Passes over one value of any kind.
    pub fn skip(&mut self) -> Result<()> {
        self.skip_at(DEPTH)
    }

    fn skip_at(&mut self, depth: usize) -> Result<()> {
        let Some(deeper) = depth.checked_sub(1) else {
            return self.fail("nested too deep");
        };
        match self.peek() {
            Some(b'{') => self.object(|json, _| json.skip_at(deeper)),
            Some(b'[') => self.array(|json| json.skip_at(deeper)),
            Some(b'"') => self.text().map(drop),
            Some(b't') if self.word("true") => Ok(()),
            Some(b'f') if self.word("false") => Ok(()),
            Some(b'n') if self.word("null") => Ok(()),
            _ => self.number().map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// The same tree as serde_json makes, by way of the cursor.
    fn tree(json: &mut Json) -> Result<Value> {
        Ok(match json.peek() {
            Some(b'{') => {
                let mut map = serde_json::Map::new();
                json.object(|json, name| {
                    map.insert(name.into_owned(), tree(json)?);
                    Ok(())
                })?;
                Value::Object(map)
            }
            Some(b'[') => {
                let mut list = Vec::new();
                json.array(|json| {
                    list.push(tree(json)?);
                    Ok(())
                })?;
                Value::Array(list)
            }
            Some(b'"') => Value::String(json.text()?.into_owned()),
            Some(b't' | b'f') => {
                let yes = json.peek() == Some(b't');
                json.skip()?;
                Value::Bool(yes)
            }
            Some(b'n') if json.null() => Value::Null,
            _ => Value::from(json.number()?),
        })
    }

    fn read(text: &str) -> Result<Value> {
        let mut json = Json::new(text.as_bytes())?;
        let value = tree(&mut json)?;
        json.end()?;
        Ok(value)
    }

    /// Whole numbers are floats here.
    fn floats(value: Value) -> Value {
        match value {
            Value::Number(n) => Value::from(n.as_f64().unwrap_or(f64::NAN)),
            Value::Array(list) => list.into_iter().map(floats).collect(),
            Value::Object(map) => map.into_iter().map(|(k, v)| (k, floats(v))).collect(),
            other => other,
        }
    }

    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn reads_what_serde_writes(value in document(), pretty in any::<bool>()) {
            let text = if pretty {
                serde_json::to_string_pretty(&value).unwrap()
            } else {
                serde_json::to_string(&value).unwrap()
            };
            prop_assert_eq!(read(&text), Ok(floats(value)));
            let mut json = Json::new(text.as_bytes()).unwrap();
            prop_assert_eq!(json.skip().and_then(|()| json.end()), Ok(()));
        }

        #[test]
        fn noise_never_panics(body in prop::collection::vec(prop::sample::select(
            &b"{}[]:,\"\\u0dD8eE+-.1 ntrfalse\n\xc3\xa9"[..]), 0..80)) {
            if let Ok(mut json) = Json::new(&body) {
                let _ = tree(&mut json);
            }
        }
    }

    #[test]
    fn escapes() {
        let text = r#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00 \ud83d.\udc00é""#;
        let told = "a\"\\/\u{8}\u{c}\n\r\té😀 \u{fffd}.\u{fffd}é";
        assert_eq!(read(text), Ok(Value::from(told)));
    }

    #[test]
    fn says_where_it_is_wrong() {
        for (text, at) in [
            ("", 0),
            ("{\"a\":}", 5),
            ("[1,]", 3),
            ("[1 2]", 3),
            ("{\"a\" 1}", 5),
            ("\"abc", 1),
            ("1 2", 2),
            ("nul", 0),
        ] {
            assert_eq!(read(text).map_err(|e| e.at), Err(at), "{text}");
        }
        let deep = "[".repeat(100_000);
        let error = Json::new(deep.as_bytes()).and_then(|mut j| j.skip());
        assert_eq!(error.map_err(|e| e.what), Err("nested too deep"));
    }
}

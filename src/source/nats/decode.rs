//! A payload without its schema: MessagePack first, then JSON, then text, else bytes.
//!
//! Whatever comes, the work and the result are bounded, and no escape reaches the terminal.

use std::fmt::Write;
use std::sync::Arc;

use crate::model::bus::{Content, Encoding, Part, Row, Shape};
use crate::model::text;

mod json;
mod msgpack;

/// So much of a payload is looked at, bytes; what is longer is cut.
pub const KEPT: usize = 64 * 1024;
/// Values shown of one message.
const ROWS: usize = 400;
/// Deepest value that is read.
const DEPTH: u8 = 32;
/// Longest value and longest key, bytes.
const VALUE: usize = 400;
const KEY: usize = 80;
/// First bytes kept as they came.
const HEAD: usize = 512;
/// Bytes of a binary value that are shown.
const BYTES: usize = 24;

/// Reads `payload`, which is the beginning of a payload of `whole` bytes, or all of it.
pub fn decode(payload: &[u8], whole: u64) -> Content {
    let kept = payload.get(..KEPT).unwrap_or(payload);
    let is_whole = kept.len() as u64 == whole;
    let read = read(kept, whole);
    Content {
        encoding: read.0,
        cut: !is_whole || read.1.cut,
        rows: read.1.rows,
        head: kept.get(..HEAD).unwrap_or(kept).into(),
    }
}

fn read(payload: &[u8], whole: u64) -> (Encoding, Tree) {
    let is_whole = payload.len() as u64 == whole;
    if payload.is_empty() {
        return (Encoding::Empty, Tree::default());
    }
    let plain = plain_text(payload, is_whole);
    // A number alone may as well be a letter or two.
    let is_word = plain.is_some() && !msgpack::holds_others(payload);
    if !is_word && let Some(tree) = msgpack::read(payload, is_whole) {
        return (Encoding::MessagePack, tree);
    }
    if let Some(tree) = plain.filter(|_| is_whole).and_then(json::read) {
        return (Encoding::Json, tree);
    }
    let mut tree = Tree::default();
    match plain {
        Some(words) => {
            for line in words.lines() {
                tree.push(0, Part::Root, Shape::Text, line);
            }
            (Encoding::Text, tree)
        }
        None => {
            tree.push(0, Part::Root, Shape::Bytes, &hex(payload, whole));
            (Encoding::Binary, tree)
        }
    }
}

/// The payload as text, if it is nothing else; where it was cut, up to the last whole character.
fn plain_text(payload: &[u8], is_whole: bool) -> Option<&str> {
    let words = match std::str::from_utf8(payload) {
        Ok(words) => words,
        Err(error) if !is_whole && error.error_len().is_none() => {
            std::str::from_utf8(payload.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let binary = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{7}' | '\u{1b}');
    (!words.chars().any(binary)).then_some(words)
}

/// `12 bytes: 00 ff 1b …`; `whole`: how many there were.
fn hex(bytes: &[u8], whole: u64) -> String {
    let mut out = format!("{whole} bytes:");
    for byte in bytes.iter().take(BYTES) {
        let _ = write!(out, " {byte:02x}");
    }
    if bytes.len() > BYTES {
        out.push_str(" …");
    }
    out
}

/// The rows read so far.
#[derive(Default)]
struct Tree {
    rows: Vec<Row>,
    cut: bool,
}

impl Tree {
    fn push(&mut self, depth: u8, part: Part, shape: Shape, value: &str) {
        if self.rows.len() >= ROWS {
            self.cut = true;
            return;
        }
        self.rows.push(Row {
            depth,
            part,
            shape,
            value: clean(value, VALUE),
        });
    }
}

/// Only what will be kept is looked at, with the true length told.
fn clean(value: &str, limit: usize) -> Arc<str> {
    text::shared(value, limit)
}

fn key(text: &str) -> Part {
    Part::Key(clean(text, KEY))
}

#[cfg(test)]
mod tests;

//! A trace as protobuf, for servers and gateways that give nothing else. The few messages of
//! OpenTelemetry that make a trace are read by hand: unknown fields are passed over.

use super::collect::{self, Collected, Sender};
use super::otlp;
use crate::model::trace::{Attributes, Event, Link, Span};

/// Deepest list or map within an attribute.
const DEPTH: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the protobuf message is broken at byte {0}")]
pub struct Broken(usize);

/// One field: its number and what it holds.
#[derive(Clone, Copy, Debug)]
enum Held<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Held<'a> {
    fn number(self) -> u64 {
        match self {
            Self::Number(n) => n,
            Self::Bytes(_) => 0,
        }
    }

    fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Number(_) => &[],
        }
    }

    fn text(self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }
}

/// The fields of one message.
struct Fields<'a> {
    whole: &'a [u8],
    at: usize,
}

fn fields(whole: &[u8]) -> Fields<'_> {
    Fields { whole, at: 0 }
}

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.whole.get(self.at)?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.whole.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn field(&mut self) -> Option<(u64, Held<'a>)> {
        let tag = self.varint()?;
        let held = match tag & 7 {
            0 => Held::Number(self.varint()?),
            1 => Held::Number(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Held::Bytes(self.take(length)?)
            }
            5 => Held::Number(u32::from_le_bytes(self.take(4)?.try_into().ok()?).into()),
            _ => return None,
        };
        Some((tag >> 3, held))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Held<'a>), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        let begin = self.at;
        if begin >= self.whole.len() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.at = self.whole.len();
        }
        Some(field.ok_or(Broken(begin)))
    }
}

/// `TraceByIDResponse` of v2: the trace, and whether it is whole.
pub fn read_v2(body: &[u8]) -> Result<(Collected, Vec<String>), Broken> {
    let mut out = Collected::default();
    let (mut partial, mut message) = (false, String::new());
    for field in fields(body) {
        match field? {
            (1, held) => batches(held.bytes(), &mut out)?,
            (3, held) => partial = held.number() == 1,
            (4, held) => message = held.text(),
            _ => {}
        }
    }
    let warning = partial.then(|| otlp::incomplete(&message));
    Ok((out, warning.into_iter().collect()))
}

/// `Trace` of v1.
pub fn read_v1(body: &[u8]) -> Result<(Collected, Vec<String>), Broken> {
    let mut out = Collected::default();
    batches(body, &mut out)?;
    Ok((out, Vec::new()))
}

fn batches(trace: &[u8], out: &mut Collected) -> Result<(), Broken> {
    for field in fields(trace) {
        if let (1, held) = field? {
            batch(held.bytes(), out)?;
        }
    }
    Ok(())
}

/// `ResourceSpans`.
fn batch(message: &[u8], out: &mut Collected) -> Result<(), Broken> {
    let mut sender = Sender::default();
    for field in fields(message) {
        if let (1, held) = field? {
            let pairs = repeated(held.bytes(), 1)?;
            sender = Sender::new(attributes(pairs, &mut 0)?);
        }
    }
    for scope in repeated(message, 2)? {
        for wire in repeated(scope, 2)? {
            let mut trace = None;
            let span = span(wire, &mut trace)?;
            out.add(trace, &sender, span);
        }
    }
    Ok(())
}

/// All messages in the field of this number.
fn repeated(message: &[u8], number: u64) -> Result<Vec<&[u8]>, Broken> {
    let mut found = Vec::new();
    for field in fields(message) {
        match field? {
            (n, Held::Bytes(bytes)) if n == number => found.push(bytes),
            _ => {}
        }
    }
    Ok(found)
}

fn span(message: &[u8], trace: &mut Option<crate::model::trace::TraceId>) -> Result<Span, Broken> {
    let mut span = Span::default();
    let (mut pairs, mut events, mut links) = (Vec::new(), Vec::new(), Vec::new());
    for field in fields(message) {
        let (number, held) = field?;
        match number {
            1 => *trace = collect::trace_id(held.bytes()),
            2 => span.id = collect::span_id(held.bytes()).unwrap_or_default(),
            4 => span.parent = collect::span_id(held.bytes()),
            5 => span.operation = collect::name(&held.text()),
            6 => span.kind = collect::kind(held.number().min(9) as i64),
            7 => span.start_ns = collect::time(held.number()),
            8 => span.end_ns = collect::time(held.number()),
            9 => pairs.push(held.bytes()),
            10 | 12 | 14 => span.dropped = span.dropped.saturating_add(held.number()),
            11 => events.push(held.bytes()),
            13 => links.push(held.bytes()),
            15 => {
                for field in fields(held.bytes()) {
                    match field? {
                        (2, held) => span.message = collect::value(&held.text()),
                        (3, held) => span.status = collect::status(held.number().min(9) as i64),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    span.attributes = attributes(pairs, &mut span.dropped)?;
    let events = collect::some(events, &mut span.dropped, event);
    span.events = events.into_iter().collect::<Result<_, _>>()?;
    let links = collect::some(links, &mut span.dropped, link);
    let links: Vec<Option<Link>> = links.into_iter().collect::<Result<_, _>>()?;
    span.links = links.into_iter().flatten().collect();
    Ok(span)
}

fn event(message: &[u8]) -> Result<Event, Broken> {
    let (mut at, mut name, mut pairs) = (0, String::new(), Vec::new());
    for field in fields(message) {
        match field? {
            (1, held) => at = held.number(),
            (2, held) => name = held.text(),
            (3, held) => pairs.push(held.bytes()),
            _ => {}
        }
    }
    Ok(collect::event(at, &name, attributes(pairs, &mut 0)?))
}

fn link(message: &[u8]) -> Result<Option<Link>, Broken> {
    let (mut trace, mut span, mut pairs): (&[u8], &[u8], _) = (&[], &[], Vec::new());
    for field in fields(message) {
        match field? {
            (1, held) => trace = held.bytes(),
            (2, held) => span = held.bytes(),
            (4, held) => pairs.push(held.bytes()),
            _ => {}
        }
    }
    Ok(collect::link(trace, span, attributes(pairs, &mut 0)?))
}

fn attributes(pairs: Vec<&[u8]>, dropped: &mut u64) -> Result<Attributes, Broken> {
    let read = |pair| {
        let mut text = String::new();
        let key = key_value(pair, 0, &mut text)?;
        Ok((collect::name(&key), collect::value(&text)))
    };
    collect::some(pairs, dropped, read).into_iter().collect()
}

/// `KeyValue`: gives the key, writes the value.
fn key_value(message: &[u8], depth: usize, out: &mut String) -> Result<String, Broken> {
    let mut key = String::new();
    for field in fields(message) {
        match field? {
            (1, held) => key = held.text(),
            (2, held) => write(held.bytes(), depth, out)?,
            _ => {}
        }
    }
    Ok(key)
}

/// `AnyValue` as text, as the JSON reader writes it.
fn write(value: &[u8], depth: usize, out: &mut String) -> Result<(), Broken> {
    if depth > DEPTH {
        out.push('…');
        return Ok(());
    }
    for field in fields(value) {
        match field? {
            (1, held) => out.push_str(&held.text()),
            (2, held) => out.push_str(if held.number() == 0 { "false" } else { "true" }),
            (3, held) => out.push_str(&held.number().cast_signed().to_string()),
            (4, held) => out.push_str(&f64::from_bits(held.number()).to_string()),
            (5, held) => {
                out.push('[');
                for (n, item) in repeated(held.bytes(), 1)?.into_iter().enumerate() {
                    out.push_str(if n > 0 { ", " } else { "" });
                    write(item, depth + 1, out)?;
                }
                out.push(']');
            }
            (6, held) => {
                out.push('{');
                for (n, pair) in repeated(held.bytes(), 1)?.into_iter().enumerate() {
                    out.push_str(if n > 0 { ", " } else { "" });
                    let mut text = String::new();
                    let key = key_value(pair, depth + 1, &mut text)?;
                    out.push_str(&format!("{key}={text}"));
                }
                out.push('}');
            }
            (7, held) => out.push_str(&format!("{} bytes", held.bytes().len())),
            _ => {}
        }
    }
    Ok(())
}

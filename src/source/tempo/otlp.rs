//! A trace as JSON: `{"trace":{"resourceSpans":…}}` of v2 and `{"batches":…}` of v1. Ids are
//! base64 there, hex where another program wrote it; numbers of 64 bits are texts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::collect::{self, Collected, Sender};
use crate::model::trace::{Attributes, Span};

/// Deepest list or map within an attribute that is written out.
const DEPTH: usize = 8;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    trace: Option<Batches>,
    #[serde(default, alias = "resourceSpans")]
    batches: Option<Vec<Batch>>,
    #[serde(default)]
    status: Option<Value>,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Default, Deserialize)]
struct Batches {
    #[serde(default, alias = "resourceSpans")]
    batches: Option<Vec<Batch>>,
}

#[derive(Deserialize)]
struct Batch {
    #[serde(default)]
    resource: Option<Resource>,
    #[serde(default, rename = "scopeSpans", alias = "instrumentationLibrarySpans")]
    scopes: Option<Vec<Scope>>,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(default)]
    attributes: Option<Vec<Pair>>,
}

#[derive(Deserialize)]
struct Scope {
    #[serde(default)]
    spans: Option<Vec<WireSpan>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct WireSpan {
    trace_id: String,
    span_id: String,
    parent_span_id: Option<String>,
    name: String,
    kind: Value,
    start_time_unix_nano: Value,
    end_time_unix_nano: Value,
    attributes: Option<Vec<Pair>>,
    events: Option<Vec<WireEvent>>,
    links: Option<Vec<WireLink>>,
    status: Option<WireStatus>,
    dropped_attributes_count: u64,
    dropped_events_count: u64,
    dropped_links_count: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireStatus {
    code: Value,
    message: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireEvent {
    time_unix_nano: Value,
    name: String,
    attributes: Option<Vec<Pair>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireLink {
    trace_id: String,
    span_id: String,
    attributes: Option<Vec<Pair>>,
}

#[derive(Deserialize)]
struct Pair {
    #[serde(default)]
    key: String,
    #[serde(default)]
    value: Value,
}

/// The spans, and what the server said about them being incomplete.
pub fn read(body: &[u8]) -> Result<(Collected, Vec<String>), serde_json::Error> {
    let answer: Answer = serde_json::from_slice(body)?;
    let mut out = Collected::default();
    let own = answer.batches.into_iter();
    let batches = own.chain(answer.trace.and_then(|t| t.batches)).flatten();
    for batch in batches {
        let resource = batch.resource.and_then(|r| r.attributes);
        let sender = Sender::new(attributes(resource, &mut 0));
        let scopes = batch.scopes.into_iter().flatten();
        for wire in scopes.flat_map(|s| s.spans.unwrap_or_default()) {
            let trace = bytes(&wire.trace_id).and_then(|b| collect::trace_id(&b));
            out.add(trace, &sender, span(wire));
        }
    }
    let partial = answer.status.is_some_and(|s| s == "PARTIAL" || s == 1);
    let warnings = partial.then(|| incomplete(answer.message.as_deref().unwrap_or("")));
    Ok((out, warnings.into_iter().collect()))
}

/// What is said of a trace of which the server gave a part only.
pub fn incomplete(message: &str) -> String {
    match message {
        "" => "the server sent a part of the trace only".to_owned(),
        told => format!(
            "the server sent a part of the trace only: {}",
            collect::name(told)
        ),
    }
}

fn span(wire: WireSpan) -> Span {
    let mut dropped =
        wire.dropped_attributes_count + wire.dropped_events_count + wire.dropped_links_count;
    let status = wire.status.unwrap_or_default();
    let events = wire.events.unwrap_or_default();
    let links = wire.links.unwrap_or_default();
    let id = |text: &str| bytes(text).and_then(|b| collect::span_id(&b));
    let events = collect::some(events, &mut dropped, |e| {
        let held = attributes(e.attributes, &mut 0);
        collect::event(number(&e.time_unix_nano), &e.name, held)
    });
    let links = collect::some(links, &mut dropped, |l| {
        let held = attributes(l.attributes, &mut 0);
        collect::link(&bytes(&l.trace_id)?, &bytes(&l.span_id)?, held)
    });
    Span {
        id: id(&wire.span_id).unwrap_or_default(),
        parent: wire.parent_span_id.as_deref().and_then(id),
        operation: collect::name(&wire.name),
        kind: collect::kind(code(&wire.kind, KINDS)),
        start_ns: collect::time(number(&wire.start_time_unix_nano)),
        end_ns: collect::time(number(&wire.end_time_unix_nano)),
        status: collect::status(code(&status.code, STATUSES)),
        message: collect::value(status.message.as_deref().unwrap_or("")),
        attributes: attributes(wire.attributes, &mut dropped),
        events,
        links: links.into_iter().flatten().collect(),
        dropped,
        ..Span::default()
    }
}

const KINDS: [&str; 6] = [
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];
const STATUSES: [&str; 3] = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

/// By its name or its number.
fn code<const N: usize>(value: &Value, names: [&str; N]) -> i64 {
    let named = |text: &str| names.iter().position(|n| *n == text);
    match value {
        Value::String(text) => named(text)
            .and_then(|at| i64::try_from(at).ok())
            .unwrap_or(0),
        other => other.as_i64().unwrap_or(0),
    }
}

/// A number, written as one or as text; 0 where it is none.
pub(super) fn number(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.parse().unwrap_or(0),
        other => other.as_u64().unwrap_or(0),
    }
}

fn attributes(pairs: Option<Vec<Pair>>, dropped: &mut u64) -> Attributes {
    collect::some(pairs.unwrap_or_default(), dropped, |pair| {
        let mut text = String::new();
        write(&pair.value, 0, &mut text);
        (collect::name(&pair.key), collect::value(&text))
    })
}

/// A typed value (`{"stringValue":"x"}`) as text; an unknown type as the JSON it is.
fn write(value: &Value, depth: usize, out: &mut String) {
    let Some((kind, held)) = value.as_object().and_then(|o| o.iter().next()) else {
        return;
    };
    let list = held.get("values").and_then(Value::as_array);
    match (kind.as_str(), held, list) {
        _ if depth > DEPTH => out.push('…'),
        ("arrayValue", _, Some(items)) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                out.push_str(if n > 0 { ", " } else { "" });
                write(item, depth + 1, out);
            }
            out.push(']');
        }
        ("kvlistValue", _, Some(pairs)) => {
            out.push('{');
            for (n, pair) in pairs.iter().enumerate() {
                out.push_str(if n > 0 { ", " } else { "" });
                out.push_str(pair.get("key").and_then(Value::as_str).unwrap_or(""));
                out.push('=');
                write(pair.get("value").unwrap_or(&Value::Null), depth + 1, out);
            }
            out.push('}');
        }
        ("arrayValue", ..) => out.push_str("[]"),
        ("kvlistValue", ..) => out.push_str("{}"),
        (_, Value::String(text), _) => out.push_str(text),
        (_, other, _) => out.push_str(&other.to_string()),
    }
}

/// An id: base64, or hex.
fn bytes(text: &str) -> Option<Vec<u8>> {
    if !matches!(text.len(), 16 | 32) {
        return STANDARD.decode(text).ok();
    }
    let digit = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(digit).collect()
}

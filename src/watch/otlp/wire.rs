//! What travels: `ExportTraceServiceRequest` in OTLP's JSON (ids in hex, 64-bit numbers as texts).

use serde::{Deserialize, Serialize};

use crate::model::redact::redact;
use crate::model::text::clean;

/// Longest text of a value, bytes.
const TEXT: usize = 512;
/// `SPAN_KIND_INTERNAL`, `SPAN_KIND_CLIENT`.
const INTERNAL: u8 = 1;
const CLIENT: u8 = 3;
/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

/// A span that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    pub trace: u128,
    pub id: u64,
    pub parent: Option<u64>,
    pub name: &'static str,
    /// Since 1970.
    pub start_ns: i128,
    pub took_ns: i128,
    pub values: Vec<(&'static str, Told)>,
}

/// A value of a span.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    Text(String),
    Whole(i64),
    Number(f64),
    Truth(bool),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    resource_spans: [ResourceSpans<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans<'a> {
    resource: Resource,
    scope_spans: [ScopeSpans<'a>; 1],
}

#[derive(Serialize)]
struct Resource {
    attributes: Vec<Attribute>,
}

#[derive(Serialize)]
struct ScopeSpans<'a> {
    scope: Scope,
    spans: Vec<Span<'a>>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Span<'a> {
    trace_id: String,
    span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    name: &'a str,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

#[derive(Serialize)]
struct Status {
    code: u8,
    message: String,
}

#[derive(Serialize)]
struct Attribute {
    key: &'static str,
    value: Value,
}

#[derive(Serialize)]
enum Value {
    #[serde(rename = "stringValue")]
    Text(String),
    /// As a text: JSON's numbers do not hold 64 bits.
    #[serde(rename = "intValue")]
    Whole(String),
    #[serde(rename = "doubleValue")]
    Number(f64),
    #[serde(rename = "boolValue")]
    Truth(bool),
}

pub fn body(spans: &[Finished]) -> Vec<u8> {
    let version = env!("CARGO_PKG_VERSION");
    let named = |key, text: &str| Attribute {
        key,
        value: Value::Text(text.to_owned()),
    };
    let request = Request {
        resource_spans: [ResourceSpans {
            resource: Resource {
                attributes: vec![
                    named("service.name", "farwatch"),
                    named("service.version", version),
                ],
            },
            scope_spans: [ScopeSpans {
                scope: Scope {
                    name: "farwatch",
                    version,
                },
                spans: spans.iter().map(span).collect(),
            }],
        }],
    };
    serde_json::to_vec(&request).unwrap_or_default()
}

fn span(done: &Finished) -> Span<'_> {
    let error = done.values.iter().find(|(name, _)| *name == "error");
    let values = done.values.iter().filter(|(name, _)| *name != "error");
    Span {
        trace_id: format!("{:032x}", done.trace),
        span_id: format!("{:016x}", done.id),
        parent_span_id: done.parent.map(|id| format!("{id:016x}")),
        name: done.name,
        kind: match done.name {
            "request" | "post" => CLIENT,
            _ => INTERNAL,
        },
        start_time_unix_nano: done.start_ns.to_string(),
        end_time_unix_nano: (done.start_ns + done.took_ns).to_string(),
        attributes: values
            .map(|(key, told)| Attribute {
                key,
                value: value(told),
            })
            .collect(),
        status: error.map(|(_, told)| Status {
            code: ERROR,
            message: match told {
                Told::Text(text) => safe(text),
                _ => String::new(),
            },
        }),
    }
}

fn value(told: &Told) -> Value {
    match told {
        Told::Text(text) => Value::Text(safe(text)),
        Told::Whole(number) => Value::Whole(number.to_string()),
        // JSON has no word for these.
        Told::Number(number) if !number.is_finite() => Value::Text(number.to_string()),
        Told::Number(number) => Value::Number(*number),
        Told::Truth(truth) => Value::Truth(*truth),
    }
}

/// Addresses and errors may hold what nobody else should read.
fn safe(text: &str) -> String {
    clean(&redact(text), TEXT)
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Response {
    partial_success: Option<Partial>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Partial {
    /// A text, or a number where the server is lax.
    rejected_spans: serde_json::Value,
}

/// How many spans the server did not want. What cannot be read says nothing.
pub fn refused(answer: &[u8]) -> usize {
    let response: Response = serde_json::from_slice(answer).unwrap_or_default();
    let rejected = response.partial_success.map(|p| p.rejected_spans);
    let number = match rejected {
        Some(serde_json::Value::String(text)) => text.parse().ok(),
        Some(serde_json::Value::Number(number)) => number.as_u64(),
        _ => None,
    };
    number.and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests;

//! An object as YAML for reading: managed fields folded, secrets hidden, long values cut.

use std::fmt::Write;

use serde_json::{Map, Value};

use crate::model::api::ApiKind;
use crate::model::ask::ObjectText;
use crate::model::text;

mod hide;

/// Longest text written, bytes: deep nesting makes a small answer long.
const LIMIT: usize = 16 << 20;
/// Longest single value shown, bytes.
const VALUE: usize = 8 * 1024;
/// Longest key shown, bytes.
const KEY: usize = 512;
/// Stands where the managed fields stood until the line is known.
const MARK: &str = "farwatch.managed.fields";

/// The object as text. `bytes`: size of the answer.
pub fn text(mut value: Value, asked: &ApiKind, bytes: u64) -> ObjectText {
    let managed = fold(&mut value);
    hide::secrets(&mut value, asked.kind == "Secret");
    let facts = facts(&value);
    let owners = owners(&value);
    let mut yaml = written(&cleaned(value));
    let managed = managed.and_then(|(line, whole)| {
        let at = line_of_mark(&yaml)?;
        yaml = yaml.replacen(MARK, &line, 1);
        Some((at, whole))
    });
    ObjectText {
        yaml,
        managed,
        facts,
        owners,
        bytes,
    }
}

/// Takes the managed fields out: one line that tells of them, and their own text.
fn fold(value: &mut Value) -> Option<(String, String)> {
    let metadata = value.get_mut("metadata")?.as_object_mut()?;
    let place = metadata.get_mut("managedFields")?;
    let held = std::mem::replace(place, Value::from(MARK));
    let told: Vec<String> = held
        .as_array()
        .into_iter()
        .flatten()
        .take(20)
        .map(|entry| {
            let said = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or("?");
            let time = said("time");
            text::clean(&format!("{} {time}", said("manager")), 120)
        })
        .collect();
    let count = held.as_array().map_or(0, Vec::len);
    let line = format!("‹{count} managers, z unfolds: {}›", told.join(", "));
    let alone = Map::from_iter([("managedFields".to_owned(), held)]);
    let whole: String = written(&cleaned(Value::Object(alone)))
        .lines()
        .map(|line| format!("  {line}\n"))
        .collect();
    Some((line, whole))
}

/// Number of the line that stands for the managed fields: below `metadata`, nowhere else.
fn line_of_mark(yaml: &str) -> Option<usize> {
    let wanted = format!("  managedFields: {MARK}");
    let mut inside = false;
    for (at, line) in yaml.lines().enumerate() {
        if !line.starts_with(' ') {
            inside = line.starts_with("metadata:");
        }
        if inside && line == wanted {
            return Some(at);
        }
    }
    None
}

/// Every text made safe and no longer than is read.
fn cleaned(value: Value) -> Value {
    match value {
        Value::String(long) => Value::String(short(&long)),
        Value::Array(items) => Value::Array(items.into_iter().map(cleaned).collect()),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            Value::Object(
                fields
                    .map(|(key, value)| (text::clean(&key, KEY), cleaned(value)))
                    .collect(),
            )
        }
        other => other,
    }
}

fn short(value: &str) -> String {
    if value.len() <= VALUE {
        // One byte may become several: the limit is that of the way out.
        return text::clean_lines(value, 2 * VALUE);
    }
    let mut end = VALUE;
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    let begin = text::clean_lines(value.get(..end).unwrap_or_default(), 2 * VALUE);
    format!("{begin}\n‹cut, {} bytes in all›", value.len())
}

fn written(value: &Value) -> String {
    let options = serde_saphyr::ser_options! {
        // Long words are not folded into lines they never had.
        folded_wrap_chars: VALUE * 2,
    };
    let mut out = Limited(String::new());
    match serde_saphyr::to_fmt_writer_with_options(&mut out, value, options) {
        Ok(()) => out.0,
        Err(_) if out.0.len() >= LIMIT => {
            out.0.push_str("\n‹cut: the text is too long›\n");
            out.0
        }
        Err(error) => format!(
            "‹cannot be written as YAML: {}›\n",
            text::clean(&error.to_string(), 200)
        ),
    }
}

/// A text that takes no more than it may.
struct Limited(String);

impl Write for Limited {
    fn write_str(&mut self, part: &str) -> std::fmt::Result {
        if self.0.len() >= LIMIT {
            return Err(std::fmt::Error);
        }
        self.0.push_str(part);
        Ok(())
    }
}

fn facts(value: &Value) -> Vec<(String, String)> {
    let Some(metadata) = value.get("metadata") else {
        return Vec::new();
    };
    let mut facts = Vec::new();
    let named = [
        ("namespace", "namespace"),
        ("creationTimestamp", "created"),
        ("deletionTimestamp", "deleted at"),
        ("uid", "uid"),
        ("resourceVersion", "version"),
        ("generation", "generation"),
        ("generateName", "made by name"),
        ("finalizers", "finalizers"),
        ("labels", "labels"),
    ];
    for (field, key) in named {
        let told = match metadata.get(field) {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(items)) => {
                let items = items.iter().filter_map(Value::as_str);
                items.collect::<Vec<_>>().join(", ")
            }
            Some(Value::Object(fields)) => {
                let pair = |(k, v): (&String, &Value)| format!("{k}={}", v.as_str().unwrap_or("?"));
                fields.iter().map(pair).collect::<Vec<_>>().join(", ")
            }
            Some(other) => other.to_string(),
        };
        facts.push((key.to_owned(), text::clean(&told, 2_000)));
    }
    facts
}

fn owners(value: &Value) -> Vec<(String, String)> {
    let all = value.pointer("/metadata/ownerReferences");
    let said = |owner: &Value, key: &str| {
        let text = owner.get(key).and_then(Value::as_str)?;
        Some(text::clean(text, 300))
    };
    all.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .take(100)
        .filter_map(|owner| Some((said(owner, "kind")?, said(owner, "name")?)))
        .collect()
}

#[cfg(test)]
mod tests;

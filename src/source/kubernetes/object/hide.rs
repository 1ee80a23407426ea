//! Values of Secrets are never shown, wherever a Secret stands and whatever shape it has. What is
//! not known to be harmless is hidden.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Hides in place. `is_secret`: a Secret was asked for, whatever the answer calls itself.
pub fn secrets(value: &mut Value, is_secret: bool) {
    let told = value.get("kind").and_then(Value::as_str);
    let is_secret = is_secret || told.is_some_and(|kind| kind.eq_ignore_ascii_case("Secret"));
    match value {
        Value::Object(fields) if is_secret => secret(fields),
        Value::Object(fields) => {
            last_applied(fields);
            variable(fields);
            for inner in fields.values_mut() {
                secrets(inner, false);
            }
        }
        Value::Array(items) => {
            for item in items {
                secrets(item, is_secret);
            }
        }
        other if is_secret => *other = hidden(other),
        _ => {}
    }
}

fn secret(fields: &mut Map<String, Value>) {
    for (key, value) in fields.iter_mut() {
        match (key.as_str(), &mut *value) {
            ("apiVersion" | "kind" | "type", Value::String(_)) | ("immutable", Value::Bool(_)) => {}
            ("metadata", Value::Object(metadata)) => self::metadata(metadata),
            // A list of Secrets.
            ("items", Value::Array(items)) => {
                for item in items {
                    secrets(item, true);
                }
            }
            ("data" | "stringData", Value::Object(data)) => {
                let plain = key == "stringData";
                for value in data.values_mut() {
                    *value = match plain {
                        true => hidden(value),
                        false => hidden_data(value),
                    };
                }
            }
            (_, value) => *value = hidden(value),
        }
    }
}

/// Annotations hold whole tokens (`openshift.io/token-secret.value`).
fn metadata(fields: &mut Map<String, Value>) {
    const SHOWN: [&str; 12] = [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generateName",
        "selfLink",
        "finalizers",
        // One line of text by now: names and times of the managers.
        "managedFields",
    ];
    for (key, value) in fields.iter_mut() {
        match (key.as_str(), &mut *value) {
            ("annotations", Value::Object(all)) => {
                all.values_mut().for_each(|value| *value = hidden(value));
            }
            ("labels" | "ownerReferences", _) => {}
            (key, Value::String(_) | Value::Number(_)) if SHOWN.contains(&key) => {}
            ("finalizers", Value::Array(_)) => {}
            (_, value) => *value = hidden(value),
        }
    }
}

/// The text that was last applied repeats the object, with all its values.
fn last_applied(fields: &mut Map<String, Value>) {
    if let Some(value) = fields.get_mut(LAST_APPLIED) {
        *value = hidden(value);
    }
}

/// A variable whose name says that its value is a secret: `{name: DB_PASSWORD, value: …}`.
fn variable(fields: &mut Map<String, Value>) {
    const WORDS: [&str; 8] = [
        "PASSWORD",
        "PASSWD",
        "TOKEN",
        "SECRET",
        "API_KEY",
        "APIKEY",
        "CREDENTIAL",
        "PRIVATE_KEY",
    ];
    let Some(name) = fields.get("name").and_then(Value::as_str) else {
        return;
    };
    let name = name.to_ascii_uppercase().replace('-', "_");
    let tells = WORDS.iter().any(|word| name.contains(word));
    if let Some(value) = fields.get_mut("value").filter(|v| tells && v.is_string()) {
        *value = hidden(value);
    }
}

/// How long the value is, and no more.
fn hidden(value: &Value) -> Value {
    let bytes = match value {
        Value::String(text) => text.len(),
        other => other.to_string().len(),
    };
    Value::from(format!("‹hidden, {bytes} bytes›"))
}

/// Values under `data` are base64: the length is that of what they stand for.
fn hidden_data(value: &Value) -> Value {
    let decoded = value.as_str().and_then(|text| STANDARD.decode(text).ok());
    match decoded {
        Some(bytes) => Value::from(format!("‹hidden, {} bytes›", bytes.len())),
        None => hidden(value),
    }
}

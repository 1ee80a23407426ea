//! Arguments as models write them -> one JSON value that can be checked.
//!
//! Seen on real servers: raw control characters inside strings, one brace too many at the end, the
//! whole object as a string, no arguments at all.

use serde_json::Value;

/// The first JSON value in `text`; nothing at all counts as no arguments.
pub fn first_value(text: &str) -> Result<Value, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let parsed = leading_value(text)
        .or_else(|first| leading_value(&escape_controls(text)).map_err(|_| first))
        .or_else(|first| match text.find(['{', '[']) {
            Some(at) if at > 0 => {
                leading_value(&escape_controls(text.get(at..).unwrap_or_default()))
                    .map_err(|_| first)
            }
            _ => Err(first),
        })?;
    match parsed {
        Value::String(inner) if inner.trim_start().starts_with('{') => {
            leading_value(&escape_controls(inner.trim()))
        }
        Value::Null => Ok(Value::Object(serde_json::Map::new())),
        other => Ok(other),
    }
}

/// All JSON values that stand one after another at the start of `text`.
pub fn values(text: &str) -> Vec<Value> {
    let escaped = escape_controls(text.trim());
    serde_json::Deserializer::from_str(&escaped)
        .into_iter::<Value>()
        .map_while(Result::ok)
        .collect()
}

fn leading_value(text: &str) -> Result<Value, String> {
    match serde_json::Deserializer::from_str(text)
        .into_iter::<Value>()
        .next()
    {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(format!("not valid JSON: {error}")),
        None => Err("not valid JSON: empty".into()),
    }
}

/// Raw control characters inside JSON strings become escapes.
fn escape_controls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut inside, mut escaped) = (false, false);
    for c in text.chars() {
        if inside && c.is_control() && u32::from(c) < 0x20 {
            match c {
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                c => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            }
            escaped = false;
            continue;
        }
        match c {
            '"' if !escaped => inside = !inside,
            '\\' if inside && !escaped => {
                escaped = true;
                out.push(c);
                continue;
            }
            _ => {}
        }
        escaped = false;
        out.push(c);
    }
    out
}

/// Small mistakes that have one meaning are put right: a lone name where a list is wanted, a number
/// as a string, `null` or an empty string for what may be left out.
pub fn coerce(value: &mut Value, schema: &Value) {
    let Value::Object(fields) = value else {
        return;
    };
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    fields.retain(|name, field| {
        let empty = field.is_null() || field.as_str().is_some_and(|text| text.trim().is_empty());
        !empty || required.contains(&name.as_str())
    });
    for (name, field) in fields.iter_mut() {
        let wanted = schema
            .pointer(&format!("/properties/{name}/type"))
            .and_then(Value::as_str);
        match (wanted, &*field) {
            (Some("array"), Value::String(text)) => {
                *field = text
                    .split(',')
                    .map(|part| Value::String(part.trim().to_owned()))
                    .collect();
            }
            (Some("integer" | "number"), Value::String(text)) => {
                if let Ok(number) = text.trim().parse::<i64>() {
                    *field = Value::from(number);
                }
            }
            (Some("string"), Value::Number(number)) => *field = Value::String(number.to_string()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_servers_really_sent() {
        assert_eq!(first_value("").expect("none"), json!({}));
        assert_eq!(first_value("{\"a\": 1}}").expect("brace"), json!({"a": 1}));
        assert_eq!(
            first_value("{\"a\": \"x\ny\u{1}\"}").expect("control"),
            json!({"a": "x\ny\u{1}"})
        );
        assert_eq!(
            first_value(r#""{\"a\": 1}""#).expect("string"),
            json!({"a": 1})
        );
        assert_eq!(first_value("true").expect("bare"), json!(true));
        assert_eq!(
            first_value("Sure: {\"a\": 1} ok").expect("talk"),
            json!({"a": 1})
        );
        assert!(first_value("{\"a\": ").is_err());
        assert_eq!(values("{\"a\":1}\n{\"b\":2} tail").len(), 2);
    }

    #[test]
    fn puts_small_mistakes_right() {
        let schema = json!({"required": ["query"], "properties": {
            "query": {"type": "string"}, "clusters": {"type": "array"},
            "limit": {"type": "integer"}, "start": {"type": "string"}}});
        let mut value =
            json!({"query": "up", "clusters": "a, b", "limit": "5", "start": "", "end": null});
        coerce(&mut value, &schema);
        assert_eq!(
            value,
            json!({"query": "up", "clusters": ["a", "b"], "limit": 5})
        );
    }
}

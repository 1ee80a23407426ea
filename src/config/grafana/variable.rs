//! Template variables of Grafana.

use serde_json::Value;

use super::source::Kind;
use super::{Import, word};
use crate::model::dashboard::{Choices, Source, Variable, fill};

/// Grafana's word for all values.
const ALL: &str = "$__all";

impl Import {
    pub(super) fn variables(&mut self, root: &Value) {
        let list = root.pointer("/templating/list").and_then(Value::as_array);
        for entry in list.into_iter().flatten() {
            self.variable(entry);
        }
    }

    fn variable(&mut self, entry: &Value) {
        let name = word(entry, "name");
        let kind = word(entry, "type");
        if fill::is_global(&name) {
            return self.note(format!(
                "variable ${name}: left out, the name means something else"
            ));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            return self.note(format!("variable \"{name}\": left out, for its name"));
        }
        let choices = match kind.as_str() {
            // The clusters of the scope take its place.
            "datasource" => return,
            "query" => self.of_query(entry, &name),
            "custom" | "interval" => Choices::Values(listed(entry)),
            "constant" => Choices::Values(vec![text_of(entry.get("query"))]),
            "textbox" => Choices::Text,
            _ => {
                return self.note(format!(
                    "variable ${name}: left out, its kind is \"{kind}\""
                ));
            }
        };
        let flag = |field: &str| entry.get(field).and_then(Value::as_bool) == Some(true);
        let all = flag("includeAll").then(|| match word(entry, "allValue") {
            value if value.is_empty() => ".*".to_owned(),
            value => value,
        });
        let regex = self.regex(entry, &name);
        self.variables.push(Variable {
            default: default(entry, &choices, all.is_some()),
            label: word(entry, "label"),
            choices,
            regex,
            multi: flag("multi"),
            all,
            name,
        });
    }

    fn of_query(&mut self, entry: &Value, name: &str) -> Choices {
        let loki = self.sources.kind(entry.get("datasource")) == Kind::Known(Source::Loki);
        let query = entry.get("query");
        // Loki's variables are made of fields.
        if let Some(label) = query.and_then(|q| q.get("label")).and_then(Value::as_str)
            && !label.is_empty()
        {
            return Choices::Label {
                of: query
                    .and_then(|q| q.get("stream"))
                    .map(|s| text_of(Some(s)))
                    .unwrap_or_default(),
                label: label.to_owned(),
                loki: true,
            };
        }
        let text = match text_of(query.and_then(|q| q.get("query")).or(query)) {
            text if text.is_empty() => text_of(entry.get("definition")),
            text => text,
        };
        Choices::read(&text, loki).unwrap_or_else(|| {
            self.note(format!(
                "variable ${name}: its values cannot be asked for ({}), it is typed instead",
                crate::model::text::clean(&text, 80)
            ));
            Choices::Text
        })
    }

    /// Grafana writes it between slashes, or as it is.
    fn regex(&mut self, entry: &Value, name: &str) -> String {
        let text = text_of(entry.get("regex"));
        let inner = text.strip_prefix('/').and_then(|t| t.strip_suffix('/'));
        let text = inner.unwrap_or(&text).to_owned();
        match regex::Regex::new(&text) {
            Ok(_) => text,
            Err(_) => {
                self.note(format!(
                    "variable ${name}: its regex is not applied, it cannot be read here"
                ));
                String::new()
            }
        }
    }
}

fn text_of(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Values of a list: its options, else the words between commas.
fn listed(entry: &Value) -> Vec<String> {
    let options = entry.get("options").and_then(Value::as_array);
    let of_options = options.into_iter().flatten();
    let values: Vec<String> = of_options
        .map(|o| text_of(o.get("value")))
        .filter(|v| !v.is_empty() && v != ALL && !v.starts_with("$__auto"))
        .collect();
    if !values.is_empty() {
        return values;
    }
    let query = text_of(entry.get("query"));
    let words = query.split(',').map(|w| {
        // "name : value" shows one and means the other.
        let (_, value) = w.split_once(" : ").unwrap_or(("", w));
        value.trim().to_owned()
    });
    words.filter(|w| !w.is_empty()).collect()
}

/// What the file has chosen, as far as it holds elsewhere: a value that servers told does not.
fn default(entry: &Value, choices: &Choices, all: bool) -> Vec<String> {
    if matches!(choices, Choices::Label { .. }) {
        return Vec::new();
    }
    let current = entry.pointer("/current/value");
    let values = match current {
        Some(Value::Array(values)) => values.iter().map(|v| text_of(Some(v))).collect(),
        Some(value) => vec![text_of(Some(value))],
        // A text box holds its first text in the place of a query.
        None if word(entry, "type") == "textbox" => vec![text_of(entry.get("query"))],
        None => Vec::new(),
    };
    let is_offered = |v: &String| match choices {
        Choices::Values(offered) => offered.contains(v),
        _ => true,
    };
    let fits = |v: &String| !v.is_empty() && v != ALL && is_offered(v);
    let values: Vec<String> = values.into_iter().filter(fits).collect();
    match all && values.is_empty() {
        true => Vec::new(),
        false => values,
    }
}

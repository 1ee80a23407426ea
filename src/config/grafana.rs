//! A Grafana dashboard as one of ours: its Prometheus and Loki panels with their variables, and a
//! list of what could not be taken over.
//!
//! Read is the classic JSON model (schema versions up to 42) as "Export" and the HTTP API give it;
//! in Grafana's documentation: "JSON model", "Variables", "Panel JSON". What is not known there is
//! told, never guessed.

mod panel;
mod source;
mod unit;
mod variable;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::dashboard::{Dashboard, Origin, Panel, fill};
use crate::model::text;
use source::Sources;

/// Deepest nesting of rows in rows.
const DEPTH: usize = 4;
/// Panels that are looked at.
const PANELS: usize = 500;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GrafanaError {
    #[error("not JSON: {0}")]
    NotJson(String),
    #[error("no dashboard: it has neither \"panels\" nor \"rows\"")]
    NoDashboard,
    #[error(
        "a dashboard of Grafana's schema v2, which is not read: in Grafana choose Export, Classic"
    )]
    NewSchema,
}

/// What became of a dashboard.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    pub dashboard: Dashboard,
    /// Panels in the file that show data.
    pub panels: usize,
    /// What was left out or is shown otherwise, one sentence each.
    pub notes: Vec<String>,
}

/// Reads Grafana's JSON.
pub fn import(json: &str) -> Result<Imported, GrafanaError> {
    let value: Value =
        serde_json::from_str(json).map_err(|e| GrafanaError::NotJson(e.to_string()))?;
    // The HTTP API wraps it.
    let root = value.get("dashboard").unwrap_or(&value);
    let is_new = root.get("elements").is_some() || root.pointer("/spec/elements").is_some();
    if is_new {
        return Err(GrafanaError::NewSchema);
    }
    let root = root.get("spec").unwrap_or(root);
    let list = |name: &str| root.get(name).and_then(Value::as_array);
    let Some(panels) = list("panels").or_else(|| list("rows")) else {
        return Err(GrafanaError::NoDashboard);
    };
    let mut import = Import {
        sources: Sources::of(root),
        ..Import::default()
    };
    import.variables(root);
    import.walk(panels, String::new(), 0);
    import.unknown_variables();
    import.around(root);
    let title = word(root, "title");
    let name = match title.trim() {
        "" => "imported".to_owned(),
        title => title.to_owned(),
    };
    Ok(Imported {
        dashboard: Dashboard {
            name: name.into(),
            about: word(root, "description"),
            variables: import.variables,
            panels: import.panels,
            origin: Origin::File(String::new()),
        },
        panels: import.seen,
        notes: import.notes,
    })
}

#[derive(Default)]
struct Import {
    sources: Sources,
    variables: Vec<crate::model::dashboard::Variable>,
    panels: Vec<Panel>,
    seen: usize,
    notes: Vec<String>,
}

impl Import {
    fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Panels in the order in which they stand; rows are headings.
    fn walk(&mut self, panels: &[Value], mut section: String, depth: usize) {
        let mut sorted: Vec<&Value> = panels.iter().collect();
        let at = |p: &Value, axis: &str| p.pointer(axis).and_then(Value::as_i64).unwrap_or(0);
        sorted.sort_by_key(|p| (at(p, "/gridPos/y"), at(p, "/gridPos/x")));
        for panel in sorted {
            if self.seen >= PANELS {
                self.note(format!("panels after the first {PANELS} were left out"));
                return;
            }
            let inner = panel.get("panels").and_then(Value::as_array);
            let is_row = word(panel, "type") == "row" || panel.get("type").is_none();
            match inner {
                Some(inner) if is_row && depth < DEPTH => {
                    let title = word(panel, "title");
                    self.repeated(panel, &format!("row \"{title}\""));
                    self.walk(inner, title.clone(), depth + 1);
                    // Panels beside an open row stand under it.
                    section = title;
                }
                _ if is_row => {
                    section = word(panel, "title");
                    self.repeated(panel, &format!("row \"{section}\""));
                }
                _ => self.panel(panel, &section),
            }
        }
    }

    /// References to variables that are not there: the query cannot be asked as it is.
    fn unknown_variables(&mut self) {
        let known: BTreeSet<&str> = self.variables.iter().map(|v| v.name.as_str()).collect();
        let mut notes = Vec::new();
        self.panels.retain(|panel| {
            let names = panel.queries.iter().flat_map(|q| fill::names(&q.text));
            let mut unknown: Vec<&str> = names
                .filter(|n| !known.contains(n) && !fill::is_global(n))
                .collect();
            unknown.dedup();
            if unknown.is_empty() {
                return true;
            }
            notes.push(format!(
                "panel \"{}\": left out, it needs ${}, which is not known here",
                panel.title,
                unknown.join(", $")
            ));
            false
        });
        self.notes.append(&mut notes);
    }

    /// What stands around the panels.
    fn around(&mut self, root: &Value) {
        let count = |pointer: &str| root.pointer(pointer).and_then(Value::as_array);
        let own = |a: &&Value| a.get("builtIn").and_then(Value::as_i64) != Some(1);
        let annotations = count("/annotations/list").map_or(0, |l| l.iter().filter(own).count());
        if annotations > 0 {
            self.note(format!(
                "{annotations} annotation queries: not taken over; changes and alerts are drawn anyway"
            ));
        }
        let links = count("/links").map_or(0, Vec::len);
        if links > 0 {
            self.note(format!("{links} links: not taken over"));
        }
    }
}

/// A text of the file, cleaned.
fn word(value: &Value, name: &str) -> String {
    let text = value.get(name).and_then(Value::as_str).unwrap_or_default();
    text::clean(text, 400)
}

#[cfg(test)]
mod tests;

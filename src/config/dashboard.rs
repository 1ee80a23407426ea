//! Dashboards as TOML: those that are part of the program, and the operator's own in the folder
//! `dashboards` beside the configuration file.

mod folder;
mod write;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::load::{ConfigError, explain, invalid};
use crate::model::dashboard::{
    COLUMNS, Choices, Dashboard, Form, Limits, Origin, Panel, PanelQuery, Source, Variable, fill,
};
use crate::model::unit::Unit;
pub use folder::load;
pub use write::write;

/// The dashboards of the program, by file name.
pub const BUILT_IN: &[(&str, &str)] = &[
    (
        "cluster",
        include_str!("../../assets/dashboards/cluster.toml"),
    ),
    ("node", include_str!("../../assets/dashboards/node.toml")),
    (
        "namespace",
        include_str!("../../assets/dashboards/namespace.toml"),
    ),
    ("gpu", include_str!("../../assets/dashboards/gpu.toml")),
    ("vllm", include_str!("../../assets/dashboards/vllm.toml")),
    ("ptp", include_str!("../../assets/dashboards/ptp.toml")),
    ("sriov", include_str!("../../assets/dashboards/sriov.toml")),
    ("loki", include_str!("../../assets/dashboards/loki.toml")),
    (
        "prometheus",
        include_str!("../../assets/dashboards/prometheus.toml"),
    ),
];

/// Panels of one dashboard, and queries of one panel.
const PANELS: usize = 200;
const QUERIES: usize = 20;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Spanned<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    about: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    variables: Vec<Spanned<VariableEntry>>,
    #[serde(default)]
    panels: Vec<Spanned<PanelEntry>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct VariableEntry {
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    label: String,
    /// `label_values(…)`.
    query: Option<String>,
    source: Option<Source>,
    values: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    regex: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    multi: bool,
    all: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    default: Vec<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct PanelEntry {
    title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    section: String,
    #[serde(default)]
    form: Form,
    source: Option<Source>,
    #[serde(default, skip_serializing_if = "is_none")]
    unit: Unit,
    #[serde(default, skip_serializing_if = "Limits::is_empty")]
    limits: Limits,
    width: Option<u8>,
    height: Option<u16>,
    query: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    legend: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    queries: Vec<QueryEntry>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct QueryEntry {
    query: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    legend: String,
}

fn is_none(unit: &Unit) -> bool {
    *unit == Unit::None
}

/// Reads one dashboard; mistakes name `file` and the line.
pub fn parse(text: &str, file: &str, origin: Origin) -> Result<Dashboard, ConfigError> {
    let read: File =
        toml::from_str(text).map_err(|e| invalid(text, file, e.span(), explain(e.message())))?;
    let wrong = |span, what: String| invalid(text, file, Some(span), (what, String::new()));
    let name = read.name.get_ref().trim();
    if name.is_empty() {
        return Err(wrong(read.name.span(), "the name is empty".into()));
    }
    let mut variables: Vec<Variable> = Vec::new();
    for entry in read.variables {
        let span = entry.span();
        let variable = variable(entry.into_inner()).map_err(|w| wrong(span.clone(), w))?;
        if variables.iter().any(|v| v.name == variable.name) {
            let what = format!("there are two variables \"{}\"", variable.name);
            return Err(wrong(span, what));
        }
        variables.push(variable);
    }
    if read.panels.len() > PANELS {
        let what = format!("{} panels are more than {PANELS}", read.panels.len());
        return Err(wrong(read.name.span(), what));
    }
    let mut panels = Vec::with_capacity(read.panels.len());
    for entry in read.panels {
        let span = entry.span();
        panels.push(panel(entry.into_inner(), &variables).map_err(|w| wrong(span, w))?);
    }
    Ok(Dashboard {
        name: name.into(),
        about: read.about,
        variables,
        panels,
        origin,
    })
}

fn variable(entry: VariableEntry) -> Result<Variable, String> {
    let name = entry.name;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit())
    {
        return Err(format!(
            "\"{name}\" is no name of a variable: letters, digits and _, no digit first"
        ));
    }
    if fill::is_global(&name) {
        return Err(format!("${name} means something else already"));
    }
    if let Err(error) = regex::Regex::new(&entry.regex) {
        return Err(format!(
            "variable \"{name}\": its regex cannot be read: {error}"
        ));
    }
    let loki = entry.source == Some(Source::Loki);
    let choices = match (entry.query, entry.values) {
        (Some(query), None) => Choices::read(&query, loki).ok_or_else(|| {
            format!(
                "variable \"{name}\": its query is not label_values(LABEL) or label_values(SERIES, LABEL)"
            )
        })?,
        (None, Some(values)) => Choices::Values(values),
        (None, None) => Choices::Text,
        (Some(_), Some(_)) => {
            return Err(format!("variable \"{name}\" has both a query and values"));
        }
    };
    Ok(Variable {
        name,
        label: entry.label,
        choices,
        regex: entry.regex,
        multi: entry.multi,
        all: entry.all,
        default: entry.default,
    })
}

fn panel(entry: PanelEntry, variables: &[Variable]) -> Result<Panel, String> {
    let title = entry.title;
    let mut queries: Vec<PanelQuery> = Vec::new();
    if let Some(text) = entry.query {
        queries.push(PanelQuery {
            text,
            legend: entry.legend,
        });
    } else if !entry.legend.is_empty() {
        return Err(format!(
            "panel \"{title}\": a legend needs a query beside it"
        ));
    }
    queries.extend(entry.queries.into_iter().map(|q| PanelQuery {
        text: q.query,
        legend: q.legend,
    }));
    if queries.is_empty() || queries.iter().any(|q| q.text.trim().is_empty()) {
        return Err(format!("panel \"{title}\" has no query"));
    }
    if queries.len() > QUERIES {
        return Err(format!("panel \"{title}\" has more than {QUERIES} queries"));
    }
    let known = |name: &str| fill::is_global(name) || variables.iter().any(|v| v.name == name);
    for query in &queries {
        if let Some(name) = fill::names(&query.text).into_iter().find(|n| !known(n)) {
            return Err(format!("panel \"{title}\": there is no variable ${name}"));
        }
    }
    let width = entry.width.unwrap_or(COLUMNS / 2);
    if !(1..=COLUMNS).contains(&width) {
        return Err(format!("panel \"{title}\": width is 1 to {COLUMNS}"));
    }
    let source = match (entry.form, entry.source) {
        (Form::Logs, Some(Source::Prometheus)) => {
            return Err(format!("panel \"{title}\": logs come from loki"));
        }
        (Form::Logs, _) => Source::Loki,
        (_, source) => source.unwrap_or_default(),
    };
    Ok(Panel {
        title,
        section: entry.section,
        form: entry.form,
        source,
        unit: entry.unit,
        limits: Limits::new(entry.limits.values().iter().copied()),
        width,
        height: entry.height.map(|h| h.clamp(3, 60)),
        queries,
    })
}

/// The dashboards of the program. That each can be read is held by a test.
pub fn built_in() -> Vec<Arc<Dashboard>> {
    let read = |(file, text): &(&str, &str)| parse(text, file, Origin::BuiltIn).ok();
    BUILT_IN.iter().filter_map(read).map(Arc::new).collect()
}

#[cfg(test)]
mod tests;

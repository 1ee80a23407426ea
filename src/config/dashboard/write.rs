//! A dashboard as TOML.

use toml::Spanned;

use super::{File, PanelEntry, QueryEntry, VariableEntry};
use crate::model::dashboard::{Choices, Dashboard, Form, Panel, Source, Variable};

/// [`super::parse`] reads it.
pub fn write(dashboard: &Dashboard) -> Result<String, toml::ser::Error> {
    let spanned = |value| Spanned::new(0..0, value);
    let file = File {
        name: Spanned::new(0..0, dashboard.name.to_string()),
        about: dashboard.about.clone(),
        variables: dashboard
            .variables
            .iter()
            .map(|v| Spanned::new(0..0, variable_entry(v)))
            .collect(),
        panels: dashboard
            .panels
            .iter()
            .map(|p| spanned(panel_entry(p)))
            .collect(),
    };
    toml::to_string_pretty(&file)
}

fn variable_entry(variable: &Variable) -> VariableEntry {
    VariableEntry {
        name: variable.name.clone(),
        label: variable.label.clone(),
        query: variable.choices.write(),
        source: matches!(variable.choices, Choices::Label { loki: true, .. })
            .then_some(Source::Loki),
        values: match &variable.choices {
            Choices::Values(values) => Some(values.clone()),
            Choices::Label { .. } | Choices::Text => None,
        },
        regex: variable.regex.clone(),
        multi: variable.multi,
        all: variable.all.clone(),
        default: variable.default.clone(),
    }
}

fn panel_entry(panel: &Panel) -> PanelEntry {
    let mut entry = PanelEntry {
        title: panel.title.clone(),
        section: panel.section.clone(),
        form: panel.form,
        source: (panel.source == Source::Loki && panel.form != Form::Logs).then_some(Source::Loki),
        unit: panel.unit,
        limits: panel.limits.clone(),
        width: Some(panel.width),
        height: panel.height,
        ..PanelEntry::default()
    };
    if let [one] = panel.queries.as_slice() {
        entry.query = Some(one.text.clone());
        entry.legend = one.legend.clone();
    } else {
        let each = panel.queries.iter().map(|q| QueryEntry {
            query: q.text.clone(),
            legend: q.legend.clone(),
        });
        entry.queries = each.collect();
    }
    entry
}

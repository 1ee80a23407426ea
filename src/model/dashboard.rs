//! Dashboards: panels of queries, with variables that the operator chooses.

pub mod fill;
pub mod variable;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::label::Labels;
use super::unit::Unit;
pub use variable::{Choices, Variable};

/// Columns of the grid that panels stand in.
pub const COLUMNS: u8 = 12;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dashboard {
    /// Short, unique: what it is called by.
    pub name: Arc<str>,
    pub about: String,
    pub variables: Vec<Variable>,
    pub panels: Vec<Panel>,
    pub origin: Origin,
}

/// Where a dashboard came from, as shown beside its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    #[default]
    BuiltIn,
    /// A file of the operator.
    File(String),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Panel {
    pub title: String,
    /// The heading it stands under; empty: none.
    pub section: String,
    pub form: Form,
    pub source: Source,
    pub unit: Unit,
    /// Values at which lines are drawn: what is beyond them is out of order.
    pub limits: Limits,
    /// Of [`COLUMNS`].
    pub width: u8,
    /// Rows on screen; `None`: as its form needs.
    pub height: Option<u16>,
    pub queries: Vec<PanelQuery>,
}

/// Finite values, ascending.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Limits(Vec<f64>);

impl Eq for Limits {}

impl Limits {
    /// What is not finite is left out.
    pub fn new(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        Self(values)
    }

    pub fn values(&self) -> &[f64] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PanelQuery {
    /// PromQL or LogQL, with variables.
    pub text: String,
    /// How its series are called: words with `{{label}}`; empty: by all their labels.
    pub legend: String,
}

/// How a panel shows its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    #[default]
    Lines,
    Stacked,
    /// Buckets of a histogram over time.
    Heat,
    Table,
    /// The last value, large, with its curve.
    Stat,
    Logs,
}

impl Form {
    pub fn word(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Stacked => "stacked",
            Self::Heat => "heat",
            Self::Table => "table",
            Self::Stat => "stat",
            Self::Logs => "logs",
        }
    }

    /// Rows that a panel of this form takes with its border.
    pub fn rows(self) -> u16 {
        match self {
            Self::Stat => 5,
            Self::Lines | Self::Stacked | Self::Heat => 12,
            Self::Table | Self::Logs => 14,
        }
    }
}

/// Which source of a cluster answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    #[default]
    Prometheus,
    Loki,
}

impl PanelQuery {
    /// What a series of the answer is called, if the legend says so.
    pub fn name(&self, labels: &Labels) -> Option<String> {
        if self.legend.is_empty() {
            return None;
        }
        let mut out = String::new();
        let mut rest = self.legend.as_str();
        while let Some((before, after)) = rest.split_once("{{") {
            out.push_str(before);
            let Some((label, after)) = after.split_once("}}") else {
                out.push_str("{{");
                rest = after;
                continue;
            };
            out.push_str(labels.get(label.trim()).unwrap_or_default());
            rest = after;
        }
        out.push_str(rest);
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legend_is_filled_with_labels() {
        let labels = Labels::from_pairs([("pod", "api-0"), ("node", "n1")]);
        let name = |legend: &str| {
            let query = PanelQuery {
                legend: legend.into(),
                ..PanelQuery::default()
            };
            query.name(&labels)
        };
        assert_eq!(name(""), None);
        assert_eq!(name("{{pod}} on {{ node }}"), Some("api-0 on n1".into()));
        assert_eq!(name("{{zone}}!"), Some("!".into()));
        assert_eq!(name("{{pod"), Some("{{pod".into()));
        assert_eq!(name("all"), Some("all".into()));
    }
}

//! Which data source a panel asks.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::dashboard::Source;

/// What a reference to a data source leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Known(Source),
    /// Several in one panel: each query has its own.
    Mixed,
    /// Grafana's own arithmetic over other queries.
    Expression,
    Other(String),
    /// The default of that Grafana, or a name that tells nothing.
    Unsaid,
}

/// Names of the file that stand for kinds of data sources.
#[derive(Debug, Default)]
pub struct Sources {
    named: BTreeMap<String, String>,
}

impl Sources {
    pub fn of(root: &Value) -> Self {
        let mut named = BTreeMap::new();
        let texts = |v: &Value, a: &str, b: &str| {
            let a = v.get(a)?.as_str()?.to_owned();
            Some((a, v.get(b)?.as_str()?.to_owned()))
        };
        let list = |pointer: &str| root.pointer(pointer).and_then(Value::as_array);
        for input in list("/__inputs").into_iter().flatten() {
            named.extend(texts(input, "name", "pluginId"));
        }
        for variable in list("/templating/list").into_iter().flatten() {
            if variable.get("type").and_then(Value::as_str) == Some("datasource") {
                named.extend(texts(variable, "name", "query"));
            }
        }
        Self { named }
    }

    /// Of a `datasource` field: a name, `{type, uid}`, `${variable}` or nothing.
    pub fn kind(&self, reference: Option<&Value>) -> Kind {
        let (kind, name) = match reference {
            Some(Value::String(name)) => ("", name.as_str()),
            Some(Value::Object(fields)) => {
                let text = |name: &str| fields.get(name).and_then(Value::as_str);
                (
                    text("type").unwrap_or_default(),
                    text("uid").unwrap_or_default(),
                )
            }
            _ => return Kind::Unsaid,
        };
        let variable = name
            .trim_start_matches("${")
            .trim_start_matches('$')
            .trim_end_matches('}');
        let kind = match kind {
            "" => self.named.get(variable).map_or(name, String::as_str),
            kind => kind,
        };
        match kind.to_ascii_lowercase().as_str() {
            _ if name == "-- Mixed --" => Kind::Mixed,
            "__expr__" => Kind::Expression,
            "datasource" if name == "-- Mixed --" => Kind::Mixed,
            "" | "default" | "-- default --" => Kind::Unsaid,
            kind if kind.contains("prometheus")
                || kind.contains("mimir")
                || kind.contains("thanos")
                || kind.contains("victoriametrics-metrics") =>
            {
                Kind::Known(Source::Prometheus)
            }
            kind if kind.contains("loki") => Kind::Known(Source::Loki),
            // A name that somebody gave, of which the kind is not told.
            kind if reference.is_some_and(Value::is_string) && !is_plugin(kind) => Kind::Unsaid,
            kind => Kind::Other(kind.to_owned()),
        }
    }
}

/// Ids of data sources that dashboards name most, beside the two that are taken over.
fn is_plugin(kind: &str) -> bool {
    const PLUGINS: [&str; 14] = [
        "-- dashboard --",
        "-- grafana --",
        "cloudwatch",
        "elasticsearch",
        "grafana",
        "graphite",
        "influxdb",
        "jaeger",
        "mssql",
        "mysql",
        "postgres",
        "tempo",
        "testdata",
        "zipkin",
    ];
    PLUGINS.contains(&kind)
}

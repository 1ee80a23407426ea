//! The tools of the agent: what they take, and the check of what a model gives them.
//!
//! All of them read, but those that propose: these ask the operator. Schemas come from the Rust types of the arguments, so that what is told to the
//! model and what is accepted cannot part.

pub mod args;
pub mod digest;
pub mod fetch;
mod table;
pub mod whole;

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::lenient;
use crate::model::id::ClusterId;

/// One tool: name, words for the model, schema of its arguments.
#[derive(Debug)]
pub struct Tool {
    pub name: &'static str,
    pub about: &'static str,
    pub schema: Value,
    /// Answered by asking sources; the others are answered from what the console holds.
    pub asks: bool,
    pub needs: Needs,
    check: fn(&Value) -> Result<(), String>,
}

/// What clusters must have for a tool to be of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    Kubernetes,
    Loki,
    Tempo,
    Gpus,
    Serving,
    Ptp,
    Sriov,
    Functions,
    Dpdk,
    GitOps,
    Bus,
    /// Results of the same run.
    Results,
    /// The console with its screen and archive.
    Console,
    /// An operator before the screen who may act, and who is asked each time.
    Operator,
}

/// A call whose arguments are right.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    pub tool: &'static str,
    pub arguments: Value,
    /// The clusters meant; all when the call named none.
    pub clusters: Vec<ClusterId>,
    /// Answered by asking sources.
    pub asks: bool,
}

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(table::tools);

pub fn all() -> &'static [Tool] {
    &TOOLS
}

pub fn is_known(name: &str) -> bool {
    find(name).is_some()
}

pub fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

/// Whether one of these asks the operator to let something be done.
pub fn may_propose(names: &[&str]) -> bool {
    let mut proposing = TOOLS.iter().filter(|tool| tool.proposes());
    proposing.any(|tool| names.contains(&tool.name))
}

/// The tools of these names as the API wants them told.
pub fn specs(names: &[&str]) -> Vec<Value> {
    let wanted = TOOLS.iter().filter(|tool| names.contains(&tool.name));
    wanted
        .map(|tool| {
            json!({"type": "function", "function": {
                "name": tool.name, "description": tool.about, "parameters": tool.schema}})
        })
        .collect()
}

/// The tools in words, for servers that take no tools.
pub fn in_words(specs: &[Value]) -> String {
    let told = specs.iter().filter_map(|spec| spec.get("function"));
    told.map(|tool| {
        let text = |name: &str| tool.get(name).and_then(Value::as_str).unwrap_or_default();
        let schema = tool.get("parameters");
        let part = |name: &str, none: Value| {
            let part = schema.and_then(|schema| schema.get(name));
            part.cloned().unwrap_or(none)
        };
        format!(
            "- {}: {} arguments: {} required: {}\n",
            text("name"),
            text("description"),
            part("properties", json!({})),
            part("required", json!([]))
        )
    })
    .collect()
}

/// Checks a call of one of the `offered` tools. The error is for the model: it says what to write
/// instead.
pub fn check(
    name: &str,
    arguments: &str,
    clusters: &[String],
    offered: &[&str],
) -> Result<Checked, String> {
    let Some(tool) = find(name.trim()).filter(|tool| offered.contains(&tool.name)) else {
        return Err(format!(
            "there is no tool `{name}`; the tools are {}",
            offered.join(", ")
        ));
    };
    let mut value = lenient::first_value(arguments)?;
    if !value.is_object() {
        return Err(format!(
            "the arguments must be one JSON object, not {value}; schema: {}",
            tool.schema
        ));
    }
    lenient::coerce(&mut value, &tool.schema);
    (tool.check)(&value).map_err(|what| format!("{what}; schema: {}", tool.schema))?;
    let ids = resolve(&value, clusters)?;
    Ok(Checked {
        tool: tool.name,
        arguments: value,
        clusters: ids,
        asks: tool.asks,
    })
}

fn resolve(arguments: &Value, clusters: &[String]) -> Result<Vec<ClusterId>, String> {
    let id = |position: usize| u16::try_from(position).ok().map(ClusterId);
    let listed = arguments.get("clusters").and_then(Value::as_array);
    let single = ["cluster", "cluster_1", "cluster_2"];
    let single = single.iter().filter_map(|field| arguments.get(*field));
    let named = listed.into_iter().flatten().chain(single);
    let named: Vec<&str> = named.filter_map(Value::as_str).collect();
    if named.is_empty() || named == ["all"] || named == ["*"] {
        return Ok((0..clusters.len()).filter_map(id).collect());
    }
    let mut ids = Vec::new();
    for name in named {
        let found = clusters
            .iter()
            .position(|known| known == name)
            .or_else(|| clusters.iter().position(|k| k.eq_ignore_ascii_case(name)));
        match found.and_then(id) {
            Some(id) if ids.contains(&id) => {}
            Some(id) => ids.push(id),
            None => {
                return Err(format!(
                    "CLUSTER_NOT_FOUND: there is no cluster `{name}`; the clusters are {}",
                    clusters.join(", ")
                ));
            }
        }
    }
    Ok(ids)
}

impl Tool {
    fn of<T: JsonSchema + DeserializeOwned + args::Rules>(
        name: &'static str,
        about: &'static str,
    ) -> Self {
        Self {
            name,
            about,
            schema: simple(schemars::schema_for!(T).to_value()),
            asks: false,
            needs: Needs::Nothing,
            check: |value| {
                T::deserialize(value)
                    .map_err(|e| e.to_string())
                    .and_then(|args| args.rules())
            },
        }
    }

    fn asking(mut self) -> Self {
        self.asks = true;
        self
    }

    /// Whoever has sources can answer it: no run of the agent and no screen is needed.
    pub fn stands_alone(&self) -> bool {
        !matches!(
            self.needs,
            Needs::Results | Needs::Console | Needs::Operator
        )
    }

    /// It reads nothing: the operator is asked to let one request through.
    pub fn proposes(&self) -> bool {
        self.needs == Needs::Operator
    }

    fn needing(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }
}

/// What small models misread is taken out: titles, formats, `null` as a type.
fn simple(mut schema: Value) -> Value {
    simplify(&mut schema);
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("$schema");
        fields.remove("description");
        fields.entry("properties").or_insert_with(|| json!({}));
    }
    schema
}

fn simplify(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("title");
            fields.remove("format");
            fields.remove("default");
            if fields.get("minimum").is_some_and(|least| *least == 0) {
                fields.remove("minimum");
            }
            if let Some(Value::Array(types)) = fields.get("type")
                && let Some(first) = types.iter().find(|t| t.as_str() != Some("null")).cloned()
            {
                fields.insert("type".into(), first);
            }
            if let Some(Value::Array(choices)) = fields.remove("anyOf")
                && let Some(Value::Object(first)) = choices.into_iter().next()
            {
                fields.extend(first);
            }
            fields.values_mut().for_each(simplify);
        }
        Value::Array(items) => items.iter_mut().for_each(simplify),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, arguments: &str, clusters: &[String]) -> Result<Checked, String> {
        let offered: Vec<&str> = all().iter().map(|tool| tool.name).collect();
        super::check(name, arguments, clusters, &offered)
    }

    fn every() -> Vec<Value> {
        let names: Vec<&str> = all().iter().map(|tool| tool.name).collect();
        specs(&names)
    }

    fn names() -> Vec<String> {
        vec!["alpha".into(), "edge-1".into()]
    }

    #[test]
    fn schemas_are_plain() {
        for spec in every() {
            let text = spec.to_string();
            assert_eq!(spec["function"]["parameters"]["type"], "object", "{text}");
            assert_eq!(
                spec["function"]["parameters"]["additionalProperties"],
                json!(false),
                "{text}"
            );
            for word in ["\"null\"", "$ref", "anyOf", "$defs"] {
                assert!(!text.contains(word), "{word} in {text}");
            }
        }
        let metrics = &find("query_metrics").expect("there").schema;
        assert_eq!(metrics["required"], json!(["query"]));
        assert_eq!(metrics["properties"]["clusters"]["type"], "array");
    }

    #[test]
    fn only_what_is_offered_can_be_called() {
        let offered = ["list_alerts"];
        assert!(super::check("list_alerts", "{}", &names(), &offered).is_ok());
        let error = super::check("query_metrics", r#"{"query": "up"}"#, &names(), &offered);
        assert!(error.is_err_and(|e| e.ends_with("the tools are list_alerts")));
        assert_eq!(specs(&offered).len(), 1);
    }

    #[test]
    fn clusters_are_named_alone_or_in_lists() {
        let one = check("get_cluster_status", r#"{"cluster": "edge-1"}"#, &names());
        assert_eq!(one.expect("fine").clusters, [ClusterId(1)]);
        let two = r#"{"cluster_1": "edge-1", "cluster_2": "alpha"}"#;
        let two = check("compare_clusters", two, &names());
        assert_eq!(two.expect("fine").clusters, [ClusterId(1), ClusterId(0)]);
        assert!(check("get_cluster_status", r#"{"cluster": "nowhere"}"#, &names()).is_err());
    }

    #[test]
    fn refusals_can_be_acted_on() {
        let error = check("get_gpus", "{}", &names()).expect_err("unknown tool");
        assert!(error.contains("get_gpu_summary"), "{error}");
        let error = check("query_metrics", r#"{"expr": "up"}"#, &names()).expect_err("field");
        assert!(
            error.contains("`expr`") && error.contains("query"),
            "{error}"
        );
        let error = check(
            "query_metrics",
            r#"{"query": "up", "start": "soon"}"#,
            &names(),
        )
        .expect_err("time");
        assert!(error.contains("soon") && error.contains("-1h"), "{error}");
        let error = check("list_alerts", r#"{"clusters": ["beta"]}"#, &names()).expect_err("name");
        assert!(error.contains("alpha, edge-1"), "{error}");
        assert!(check("list_alerts", "true", &names()).is_err());
        assert!(check("list_alerts", r#"{"severity": "bad"}"#, &names()).is_err());
    }

    #[test]
    fn fine_calls_pass() {
        let fine = check(
            "query_metrics",
            r#"{"query": "up", "clusters": "ALPHA", "start": "-30m", "step": "30s"}}"#,
            &names(),
        )
        .expect("fine");
        assert_eq!(fine.clusters, [ClusterId(0)]);
        assert_eq!(
            check("time_now", "", &names())
                .expect("fine")
                .clusters
                .len(),
            2
        );
    }
}

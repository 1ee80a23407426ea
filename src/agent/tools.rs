//! The tools of the agent: what they take, and the check of what a model gives them.
//!
//! All of them read. Schemas come from the Rust types of the arguments, so that what is told to the
//! model and what is accepted cannot part.

pub mod args;
pub mod digest;
pub mod fetch;

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::lenient;
use crate::model::id::ClusterId;
use args::{
    Alerts, Changes, Clusters, Dpdk, Events, GitOps, Incidents, ListClusters, PodLogsArgs,
    QueryLogs, QueryMetrics, TimeNow,
};

/// One tool: name, words for the model, schema of its arguments.
#[derive(Debug)]
pub struct Tool {
    pub name: &'static str,
    pub about: &'static str,
    pub schema: Value,
    check: fn(&Value) -> Result<(), String>,
}

/// A call whose arguments are right.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    pub tool: &'static str,
    pub arguments: Value,
    /// The clusters meant; all when the call named none.
    pub clusters: Vec<ClusterId>,
}

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| {
    vec![
        tool::<ListClusters>(
            "list_clusters",
            "Clusters with status, sources, nodes, alerts and open incidents. Start here.",
        ),
        tool::<QueryMetrics>(
            "query_metrics",
            "Run PromQL on clusters. With start or step: a range; else the value now. Results are digested: last, min, max, mean, step change, some points.",
        ),
        tool::<Alerts>("list_alerts", "Alerts of clusters, worst and newest first."),
        tool::<QueryLogs>(
            "query_logs",
            "Run LogQL (a log query with a selector such as {namespace=\"x\"} |= \"error\") on clusters. Results: counts by level, origin and pattern, and sample lines.",
        ),
        tool::<PodLogsArgs>(
            "get_pod_logs",
            "Log of one pod from the API server, where query_logs has no Loki.",
        ),
        tool::<Clusters>(
            "get_gpu_summary",
            "GPUs: use, memory, temperature, power, throttling, XID errors, and served models.",
        ),
        tool::<Clusters>(
            "get_ptp_status",
            "PTP clocks: state, offset, clock class, GNSS, per node and interface.",
        ),
        tool::<Clusters>(
            "get_sriov_status",
            "SR-IOV: sync state, physical functions, configured and possible VFs.",
        ),
        tool::<Dpdk>(
            "get_dpdk_stats",
            "DPDK ports of pods: packets, losses, memory, cores.",
        ),
        tool::<GitOps>(
            "get_gitops_status",
            "Argo CD and Flux applications: sync, health, revision, last operation, flags, whether a version has arrived; bad ones in full.",
        ),
        tool::<Changes>(
            "get_changes",
            "What was changed, newest first: rollouts, syncs, scaling, nodes, config, upgrades.",
        ),
        tool::<Events>("get_events", "Kubernetes events, newest first."),
        tool::<Incidents>(
            "list_incidents",
            "Incidents the console found: severity, since when, findings in numbers.",
        ),
        tool::<TimeNow>("time_now", "The time now (UTC), as the console counts it."),
    ]
});

pub fn all() -> &'static [Tool] {
    &TOOLS
}

pub fn is_known(name: &str) -> bool {
    find(name).is_some()
}

pub fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

/// Tools answered by asking sources; the others are answered from what the console holds.
pub fn asks_sources(name: &str) -> bool {
    matches!(name, "query_metrics" | "query_logs" | "get_pod_logs")
}

/// The tools as the API wants them told.
pub fn specs() -> Vec<Value> {
    TOOLS
        .iter()
        .map(|tool| {
            json!({"type": "function", "function": {
                "name": tool.name, "description": tool.about, "parameters": tool.schema}})
        })
        .collect()
}

/// The tools in words, for servers that take no tools.
pub fn in_words() -> String {
    TOOLS
        .iter()
        .map(|tool| {
            let fields = tool.schema.get("properties").cloned().unwrap_or(json!({}));
            let required = tool.schema.get("required").cloned().unwrap_or(json!([]));
            format!(
                "- {}: {} arguments: {fields} required: {required}\n",
                tool.name, tool.about
            )
        })
        .collect()
}

/// Checks a call. The error is for the model: it says what to write instead.
pub fn check(name: &str, arguments: &str, clusters: &[String]) -> Result<Checked, String> {
    let Some(tool) = find(name.trim()) else {
        let names: Vec<_> = TOOLS.iter().map(|tool| tool.name).collect();
        return Err(format!(
            "there is no tool `{name}`; the tools are {}",
            names.join(", ")
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
    })
}

fn resolve(arguments: &Value, clusters: &[String]) -> Result<Vec<ClusterId>, String> {
    let id = |position: usize| u16::try_from(position).ok().map(ClusterId);
    let named: Vec<&str> = arguments
        .get("clusters")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
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

fn tool<T: JsonSchema + DeserializeOwned + args::Rules>(
    name: &'static str,
    about: &'static str,
) -> Tool {
    Tool {
        name,
        about,
        schema: simple(schemars::schema_for!(T).to_value()),
        check: |value| {
            T::deserialize(value)
                .map_err(|e| e.to_string())
                .and_then(|args| args.rules())
        },
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

    fn names() -> Vec<String> {
        vec!["alpha".into(), "edge-1".into()]
    }

    #[test]
    fn schemas_are_plain() {
        for spec in specs() {
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
        let all: usize = specs().iter().map(|s| s.to_string().len()).sum();
        assert!(all < 6_300, "the schemas take {all} characters");
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

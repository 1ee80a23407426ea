//! Answers of searches: traces found, names of tags and their values.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::otlp::number;
use crate::model::text;
use crate::model::trace::{Counts, Summary, TraceId};

/// Longest name or value that is kept, bytes.
const NAME: usize = 300;
/// What Tempo writes where the root span did not come.
const NO_ROOT: &str = "<root span not yet received>";

#[derive(Deserialize)]
pub struct Found {
    #[serde(default)]
    traces: Option<Vec<WireTrace>>,
    #[serde(default)]
    metrics: Option<Work>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTrace {
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(default)]
    root_service_name: String,
    #[serde(default)]
    root_trace_name: String,
    #[serde(default)]
    start_time_unix_nano: Value,
    #[serde(default)]
    duration_ms: u64,
    #[serde(default)]
    span_set: Option<SpanSet>,
    #[serde(default)]
    span_sets: Option<Vec<SpanSet>>,
    #[serde(default)]
    service_stats: Option<BTreeMap<String, Stats>>,
}

#[derive(Deserialize)]
struct SpanSet {
    #[serde(default)]
    matched: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    #[serde(default)]
    span_count: u64,
    #[serde(default)]
    error_count: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Work {
    #[serde(default)]
    completed_jobs: Option<u64>,
    #[serde(default)]
    total_jobs: Option<u64>,
}

impl Found {
    /// Newest first, with what the server said of its search. A trace whose id cannot be read is
    /// counted, as it cannot be opened.
    pub fn into_facts(self) -> (Vec<Summary>, Vec<String>) {
        let mut warnings = Vec::new();
        if let Some(Work {
            completed_jobs: Some(done),
            total_jobs: Some(all),
        }) = self.metrics
            && done < all
        {
            warnings.push(format!(
                "the search is partial: {done} of {all} parts were read"
            ));
        }
        let wire = self.traces.unwrap_or_default();
        let all = wire.len();
        let mut found: Vec<Summary> = wire.into_iter().filter_map(summary).collect();
        if found.len() < all {
            let odd = all - found.len();
            warnings.push(format!("{odd} traces have no readable id and are left out"));
        }
        found.sort_by_key(|s| std::cmp::Reverse(s.start_ns));
        (found, warnings)
    }
}

fn summary(wire: WireTrace) -> Option<Summary> {
    let counts = wire
        .service_stats
        .filter(|s| !s.is_empty())
        .map(|stats| Counts {
            spans: stats
                .values()
                .map(|s| s.span_count)
                .fold(0, u64::saturating_add),
            services: stats.len() as u64,
            errors: stats
                .values()
                .map(|s| s.error_count)
                .fold(0, u64::saturating_add),
        });
    let sets = wire.span_sets.filter(|s| !s.is_empty());
    let sets = sets.or_else(|| wire.span_set.map(|s| vec![s]));
    let root = |name: String| match name.as_str() {
        NO_ROOT => String::new(),
        name => text::clean(name, NAME),
    };
    Some(Summary {
        id: TraceId::parse(&wire.trace_id)?,
        service: root(wire.root_service_name),
        operation: root(wire.root_trace_name),
        start_ns: i64::try_from(number(&wire.start_time_unix_nano)).unwrap_or(0),
        duration_ms: wire.duration_ms,
        counts,
        matched: sets.map(|s| s.iter().map(|s| s.matched).fold(0, u64::saturating_add)),
    })
}

/// Names of tags: by scope in v2, bare in v1.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tags {
    #[serde(default)]
    scopes: Option<Vec<Scope>>,
    #[serde(default)]
    tag_names: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Scope {
    #[serde(default)]
    name: String,
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Tags {
    /// As TraceQL wants them: `resource.service.name`, `duration`, `.http.route` of any scope.
    pub fn into_names(self) -> Vec<String> {
        let mut names = Vec::new();
        for scope in self.scopes.unwrap_or_default() {
            for tag in scope.tags.unwrap_or_default() {
                names.push(match scope.name.as_str() {
                    "intrinsic" | "" => text::clean(&tag, NAME),
                    scope => text::clean(&format!("{scope}.{tag}"), NAME),
                });
            }
        }
        let bare = self.tag_names.into_iter().flatten();
        names.extend(bare.map(|tag| text::clean(&format!(".{tag}"), NAME)));
        names
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Values {
    #[serde(default)]
    tag_values: Option<Vec<TagValue>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TagValue {
    Bare(String),
    Typed {
        value: String,
        #[serde(default, rename = "type")]
        kind: String,
    },
}

impl Values {
    /// Each with what it is; v1 does not tell.
    pub fn into_values(self) -> Vec<(String, String)> {
        let values = self.tag_values.into_iter().flatten();
        values
            .map(|value| match value {
                TagValue::Bare(value) => (text::clean(&value, NAME), String::new()),
                TagValue::Typed { value, kind } => {
                    (text::clean(&value, NAME), text::clean(&kind, NAME))
                }
            })
            .collect()
    }
}

//! Model-server (vLLM) readings of one cluster.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::condition::ObjectCondition;
use super::label::Labels;
use super::sample::{Sample, SeriesKey};

/// One served model of one namespace, summed over its pods.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Serving {
    pub namespace: String,
    pub model: String,
    pub running: Option<Sample>,
    pub waiting: Option<Sample>,
    /// 0 to 1, worst of its engines.
    pub kv_cache: Option<Sample>,
    pub prompt_tokens_per_s: Option<Sample>,
    pub generation_tokens_per_s: Option<Sample>,
    /// 95th percentiles, seconds; NaN on an idle server.
    pub ttft_p95_s: Option<Sample>,
    pub itl_p95_s: Option<Sample>,
    pub e2e_p95_s: Option<Sample>,
    pub preemptions_per_s: Option<Sample>,
}

impl Serving {
    /// Requests wait and the cache is full.
    pub fn is_saturated(&self) -> bool {
        self.waiting.is_some_and(|w| w.value > 0.0) && self.kv_cache.is_some_and(|c| c.value >= 0.9)
    }
}

const NAMES: &[&str] = &[
    "vllm:num_requests_running",
    "vllm:num_requests_waiting",
    "vllm:kv_cache_usage_perc",
    "vllm:gpu_cache_usage_perc",
    "vllm_prompt_tokens",
    "vllm_generation_tokens",
    "vllm_ttft_p95",
    "vllm_itl_p95",
    "vllm_e2e_p95",
    "vllm_preemptions",
];

/// Names under which series of model servers are found in a store: vLLM's own and the catalogue's.
pub fn names() -> impl Iterator<Item = String> {
    NAMES.iter().map(|n| (*n).to_owned())
}

/// Namespace and model that a series tells of.
pub fn subject_of(labels: &Labels) -> Option<(String, String)> {
    let model = labels.first_of(&["model_name", "model"])?;
    let namespace = labels
        .first_of(&["exported_namespace", "namespace"])
        .unwrap_or("");
    Some((namespace.to_owned(), model.to_owned()))
}

/// Makes model servers from the newest samples. Sorted by namespace and model.
pub fn read<'a>(series: impl Iterator<Item = (&'a SeriesKey, Sample)>) -> Vec<Serving> {
    let mut all: BTreeMap<(String, String), Serving> = BTreeMap::new();
    for (key, sample) in series {
        let Some(subject) = subject_of(&key.labels) else {
            continue;
        };
        let serving = all.entry(subject.clone()).or_insert_with(|| Serving {
            namespace: subject.0,
            model: subject.1,
            ..Serving::default()
        });
        match key.name.as_ref() {
            "vllm:num_requests_running" => add(&mut serving.running, sample),
            "vllm:num_requests_waiting" => add(&mut serving.waiting, sample),
            "vllm:kv_cache_usage_perc" | "vllm:gpu_cache_usage_perc" => {
                worst(&mut serving.kv_cache, sample);
            }
            "vllm_prompt_tokens" => add(&mut serving.prompt_tokens_per_s, sample),
            "vllm_generation_tokens" => add(&mut serving.generation_tokens_per_s, sample),
            "vllm_ttft_p95" => worst(&mut serving.ttft_p95_s, sample),
            "vllm_itl_p95" => worst(&mut serving.itl_p95_s, sample),
            "vllm_e2e_p95" => worst(&mut serving.e2e_p95_s, sample),
            "vllm_preemptions" => add(&mut serving.preemptions_per_s, sample),
            _ => {}
        }
    }
    all.into_values().collect()
}

/// Sums what is told by several engines; the time is the newest.
fn add(place: &mut Option<Sample>, sample: Sample) {
    *place = Some(match *place {
        Some(held) => Sample {
            at: held.at.max(sample.at),
            value: held.value + sample.value,
        },
        None => sample,
    });
}

fn worst(place: &mut Option<Sample>, sample: Sample) {
    // A NaN loses against a number and stays where there is none.
    if place.is_none_or(|held| held.value.is_nan() || sample.value > held.value) {
        *place = Some(sample);
    }
}

/// InferenceService (serving.kserve.io/v1beta1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InferenceService {
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    /// `None`: KServe has not said yet.
    pub ready: Option<bool>,
    pub url: Option<String>,
    pub runtime: Option<String>,
    /// `storageUri` without credentials.
    pub model: Option<String>,
    /// `UpToDate`, `InProgress`, `BlockedByFailedLoad` …
    pub transition: Option<String>,
    /// Reason and message of the last failed load.
    pub failure: Option<String>,
    pub gpus: u32,
    pub conditions: Vec<ObjectCondition>,
}

#[cfg(test)]
mod tests;

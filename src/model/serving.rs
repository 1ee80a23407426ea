//! Model-server (vLLM) readings of one cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::condition::ObjectCondition;
use super::gpu::Gpu;
use super::label::Labels;
use super::sample::{Sample, SeriesKey};

mod bound;

pub use bound::{Bound, CACHE_FULL};

/// Percentiles over the last two minutes, seconds; NaN on an idle server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Latency {
    pub p50: Option<Sample>,
    pub p95: Option<Sample>,
    pub p99: Option<Sample>,
}

/// One served model of one namespace, summed over its pods.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Serving {
    pub namespace: String,
    pub model: String,
    /// Namespace and name of the pods that serve it, as far as the series name them; sorted.
    pub pods: Vec<(String, String)>,
    /// Data-parallel engines; 0: the server does not number them.
    pub engines: usize,
    pub running: Option<Sample>,
    pub waiting: Option<Sample>,
    /// Moved out to the host's memory (vLLM V0 only).
    pub swapped: Option<Sample>,
    /// 0 to 1, worst of its engines.
    pub kv_cache: Option<Sample>,
    /// What an engine sleeps in, if one does.
    pub asleep: Option<String>,
    /// Share of prompt tokens found in the prefix cache.
    pub prefix_hits: Option<Sample>,
    pub prompt_tokens_per_s: Option<Sample>,
    pub generation_tokens_per_s: Option<Sample>,
    /// First token.
    pub ttft: Latency,
    /// Between tokens.
    pub itl: Latency,
    /// Whole request.
    pub e2e: Latency,
    /// In the queue.
    pub queue_p95_s: Option<Sample>,
    pub preemptions_per_s: Option<Sample>,
    pub rejected_per_s: Option<Sample>,
    /// Requests that ended per second, by reason; sorted.
    pub finished: Vec<(String, Sample)>,
}

impl Serving {
    /// Requests wait and the cache is full.
    pub fn is_saturated(&self) -> bool {
        self.waiting.is_some_and(|w| w.value > 0.0)
            && self.kv_cache.is_some_and(|c| c.value >= CACHE_FULL)
    }

    /// The GPUs that its pods hold.
    pub fn gpus<'a>(&self, all: &'a [Gpu]) -> Vec<&'a Gpu> {
        let own = |gpu: &&Gpu| gpu.holders.iter().any(|p| self.pods.contains(p));
        all.iter().filter(own).collect()
    }
}

const NAMES: &[&str] = &[
    "vllm:num_requests_running",
    "vllm:num_requests_waiting",
    "vllm:num_requests_swapped",
    "vllm:kv_cache_usage_perc",
    "vllm:gpu_cache_usage_perc",
    "vllm:engine_sleep_state",
    "vllm_prompt_tokens",
    "vllm:prompt_tokens_total:rate",
    "vllm_generation_tokens",
    "vllm:generation_tokens_total:rate",
    "vllm_ttft_p95",
    "vllm_ttft_spread",
    "vllm_itl_p95",
    "vllm_itl_spread",
    "vllm_e2e_p95",
    "vllm_e2e_spread",
    "vllm_queue_p95",
    "vllm_preemptions",
    "vllm:num_preemptions_total:rate",
    "vllm_rejected",
    "vllm:admission_rejections_total:rate",
    "vllm_finished",
    "vllm:request_success_total:rate",
    "vllm_prefix_hits",
    "vllm:prefix_cache_hits_total:rate",
    "vllm:prefix_cache_queries_total:rate",
];

/// Names under which series of model servers are found in a store: vLLM's own, the catalogue's, and
/// the rates of a server that is scraped directly.
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

/// A model in the making.
#[derive(Default)]
struct Made {
    serving: Serving,
    /// By server and number: each server counts from 0.
    engines: BTreeSet<(String, String)>,
    prefix_found: Option<Sample>,
    prefix_asked: Option<Sample>,
    finished: BTreeMap<String, Option<Sample>>,
}

/// Makes model servers from the newest samples. Sorted by namespace and model.
pub fn read<'a>(series: impl Iterator<Item = (&'a SeriesKey, Sample)>) -> Vec<Serving> {
    let mut all: BTreeMap<(String, String), Made> = BTreeMap::new();
    for (key, sample) in series {
        if let Some(subject) = subject_of(&key.labels) {
            all.entry(subject).or_default().take(key, sample);
        }
    }
    let each = all.into_iter();
    each.map(|((namespace, model), made)| Serving {
        namespace,
        model,
        ..made.finish()
    })
    .collect()
}

impl Made {
    fn take(&mut self, key: &SeriesKey, sample: Sample) {
        let s = &mut self.serving;
        match key.name.as_ref() {
            "vllm:num_requests_running" => {
                add(&mut s.running, sample);
                self.locate(&key.labels);
            }
            "vllm:num_requests_waiting" => add(&mut s.waiting, sample),
            "vllm:num_requests_swapped" => add(&mut s.swapped, sample),
            "vllm:kv_cache_usage_perc" | "vllm:gpu_cache_usage_perc" => {
                worst(&mut s.kv_cache, sample);
            }
            "vllm:engine_sleep_state" if sample.value >= 0.5 => {
                let state = key.labels.get("sleep_state").filter(|s| *s != "awake");
                s.asleep = state.map(str::to_owned).or(s.asleep.take());
            }
            "vllm_prompt_tokens" | "vllm:prompt_tokens_total:rate" => {
                add(&mut s.prompt_tokens_per_s, sample);
            }
            "vllm_generation_tokens" | "vllm:generation_tokens_total:rate" => {
                add(&mut s.generation_tokens_per_s, sample);
            }
            "vllm_ttft_p95" => worst(&mut s.ttft.p95, sample),
            "vllm_ttft_spread" => s.ttft.take(&key.labels, sample),
            "vllm_itl_p95" => worst(&mut s.itl.p95, sample),
            "vllm_itl_spread" => s.itl.take(&key.labels, sample),
            "vllm_e2e_p95" => worst(&mut s.e2e.p95, sample),
            "vllm_e2e_spread" => s.e2e.take(&key.labels, sample),
            "vllm_queue_p95" => worst(&mut s.queue_p95_s, sample),
            _ => self.take_rate(key, sample),
        }
    }

    fn take_rate(&mut self, key: &SeriesKey, sample: Sample) {
        let s = &mut self.serving;
        match key.name.as_ref() {
            "vllm_preemptions" | "vllm:num_preemptions_total:rate" => {
                add(&mut s.preemptions_per_s, sample);
            }
            "vllm_rejected" | "vllm:admission_rejections_total:rate" => {
                add(&mut s.rejected_per_s, sample);
            }
            "vllm_finished" | "vllm:request_success_total:rate" => {
                let reason = key.labels.get("finished_reason").unwrap_or("?");
                add(self.finished.entry(reason.to_owned()).or_default(), sample);
            }
            "vllm_prefix_hits" => worst(&mut s.prefix_hits, sample),
            "vllm:prefix_cache_hits_total:rate" => add(&mut self.prefix_found, sample),
            "vllm:prefix_cache_queries_total:rate" => add(&mut self.prefix_asked, sample),
            _ => {}
        }
    }

    /// Where it runs: the target's pod, which is the server's own.
    fn locate(&mut self, labels: &Labels) {
        let server = labels.first_of(&["exported_pod", "pod", "instance"]);
        let engine = labels.get("engine").map(str::to_owned);
        let numbered = engine.map(|number| (server.unwrap_or("").to_owned(), number));
        self.engines.extend(numbered);
        let Some(pod) = labels.first_of(&["exported_pod", "pod"]) else {
            return;
        };
        let namespace = labels.first_of(&["exported_namespace", "namespace"]);
        let place = (namespace.unwrap_or("").to_owned(), pod.to_owned());
        if let Err(at) = self.serving.pods.binary_search(&place) {
            self.serving.pods.insert(at, place);
        }
    }

    fn finish(self) -> Serving {
        let mut serving = self.serving;
        serving.engines = self.engines.len();
        if let (None, Some(found), Some(asked)) =
            (serving.prefix_hits, self.prefix_found, self.prefix_asked)
        {
            let value = found.value / asked.value;
            serving.prefix_hits = Some(Sample { value, ..found });
        }
        let finished = self.finished.into_iter();
        serving.finished = finished
            .filter_map(|(reason, rate)| Some((reason, rate?)))
            .collect();
        serving
    }
}

impl Latency {
    fn take(&mut self, labels: &Labels, sample: Sample) {
        match labels.get("quantile") {
            Some("0.5") => worst(&mut self.p50, sample),
            Some("0.99") => worst(&mut self.p99, sample),
            _ => {}
        }
    }
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

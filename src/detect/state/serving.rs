//! Model servers that are pressed: a full cache, a queue, a sleeping engine.

use crate::detect::Condition;
use crate::model::alert::Severity;
use crate::model::finding::Subject;
use crate::model::gpu::Gpu;
use crate::model::serving::{CACHE_FULL, Serving};
use crate::model::unit::Unit;

/// What is wrong with each model; `gpus`: all of the cluster.
pub fn serving(all: &[Serving], gpus: &[Gpu]) -> Vec<Condition> {
    all.iter().filter_map(|s| pressed(s, gpus)).collect()
}

fn condition(s: &Serving, what: &str, text: String) -> Condition {
    let subject = Subject::Model {
        namespace: s.namespace.clone(),
        model: s.model.clone(),
    };
    let key = format!("vllm/{}/{}/{what}", s.namespace, s.model);
    let mut condition = Condition::state(subject, key, Severity::Warning, text);
    condition.signal = "vllm:num_requests_waiting";
    condition.unit = Unit::None;
    condition.seen = s.waiting.map(|w| w.value);
    condition.for_ms = 60_000;
    condition
}

fn pressed(s: &Serving, gpus: &[Gpu]) -> Option<Condition> {
    let waiting = s.waiting.map(|w| w.value).filter(|w| *w > 0.0);
    let cache = s.kv_cache.map(|c| c.value);
    let bound = s.bound(&s.gpus(gpus));
    let because = bound
        .as_ref()
        .map(|(bound, why)| format!(": {} ({why})", bound.word()))
        .unwrap_or_default();
    if let (Some(waiting), Some(state)) = (waiting, &s.asleep) {
        let text = format!("{waiting:.0} requests wait while an engine sleeps ({state})");
        let mut c = condition(s, "asleep", text);
        c.method = "waiting > 0 and an engine not awake for 60 s".into();
        return Some(c);
    }
    if s.is_saturated() {
        let write = |v: Option<f64>, unit: Unit| v.map_or("?".into(), |v| unit.write(v));
        let text = format!(
            "saturated: {} requests wait, KV cache {} full: memory-bound",
            write(waiting, Unit::None),
            write(cache, Unit::Ratio)
        );
        let mut c = condition(s, "saturated", text);
        c.method = "waiting > 0 and cache >= 90% for 60 s".into();
        return Some(c);
    }
    // Before anyone waits.
    if let Some(cache) = cache.filter(|c| *c >= CACHE_FULL) {
        let text = format!(
            "KV cache {} full, no request waits yet: the next ones will",
            Unit::Ratio.write(cache)
        );
        let mut c = condition(s, "cache", text);
        c.signal = "vllm:kv_cache_usage_perc";
        c.unit = Unit::Ratio;
        c.seen = Some(cache);
        c.expected = Some((0.0, CACHE_FULL));
        c.for_ms = 120_000;
        c.method = "cache >= 90% for 2 min".into();
        return Some(c);
    }
    // What makes them wait is told as far as it is known.
    if let Some(waiting) = waiting {
        let text = format!("{waiting:.0} requests wait{because}");
        let mut c = condition(s, "queue", text);
        c.method = "waiting > 0 for 60 s".into();
        return Some(c);
    }
    None
}

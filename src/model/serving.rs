//! Model-server (vLLM) readings of one cluster.

use super::sample::Sample;

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

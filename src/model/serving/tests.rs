//! Model servers from what vLLM really writes.

use super::*;
use crate::model::exposed::exporter;

fn servers(series: &[(SeriesKey, Sample)]) -> Vec<Serving> {
    read(series.iter().map(|(k, s)| (k, *s)))
}

fn value(sample: Option<Sample>) -> Option<f64> {
    sample.map(|s| s.value)
}

#[test]
fn sums_engines_and_takes_the_fullest_cache() {
    let all = servers(&exporter!("vllm_dp2_overloaded.prom"));
    assert_eq!(all.len(), 1);
    assert_eq!(
        (value(all[0].running), value(all[0].waiting)),
        (Some(132.0), Some(54.0))
    );
    assert_eq!(value(all[0].kv_cache), Some(0.976));
    assert!(all[0].is_saturated());
}

#[test]
fn reads_old_names_and_calm_servers() {
    let old = servers(&exporter!("vllm_v0_legacy.prom"));
    assert_eq!(old[0].model, "meta-llama/Llama-3.1-8B-Instruct");
    assert!(old[0].kv_cache.is_some(), "gpu_cache_usage_perc");
    let calm = servers(&exporter!("vllm_single.prom"));
    assert!(!calm[0].is_saturated());
    assert_eq!(calm[0].ttft, Latency::default(), "not told is not zero");
}

#[test]
fn each_server_numbers_its_engines_from_nought() {
    let of = |pod: &'static str, engine: &'static str| {
        let labels = [
            ("model_name", "qwen"),
            ("exported_pod", pod),
            ("engine", engine),
        ];
        let key = SeriesKey::new("vllm:num_requests_running", Labels::from_pairs(labels));
        let at = crate::model::time::Timestamp(0);
        (key, Sample { at, value: 1.0 })
    };
    let told = servers(&[of("a", "0"), of("b", "0"), of("b", "1")]);
    assert_eq!((told[0].pods.len(), told[0].engines), (2, 3));
}

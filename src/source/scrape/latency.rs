//! Latencies of vLLM from its histograms: the same signals that the catalogue asks Prometheus for.

use std::collections::{BTreeMap, VecDeque};

/// Width of the window, as the catalogue's queries have it.
const WINDOW_MS: i64 = 120_000;

/// Histogram and the signal made of it; the first that a server has is taken.
const SIGNALS: [(&str, &str); 5] = [
    ("vllm:time_to_first_token_seconds", "vllm_ttft_p95"),
    ("vllm:inter_token_latency_seconds", "vllm_itl_p95"),
    ("vllm:time_per_output_token_seconds", "vllm_itl_p95"),
    ("vllm:e2e_request_latency_seconds", "vllm_e2e_p95"),
    ("vllm:request_queue_time_seconds", "vllm_queue_p95"),
];

/// Upper bounds and cumulative counts, by bound.
type Buckets = Vec<(f64, f64)>;

/// Buckets of the last two minutes, by histogram and model.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    now: BTreeMap<(usize, String), Buckets>,
    past: BTreeMap<(usize, String), VecDeque<(i64, Buckets)>>,
}

impl Latencies {
    /// Which histogram this is, if one of ours.
    pub(super) fn which(name: &str) -> Option<usize> {
        let family = name.strip_suffix("_bucket")?;
        SIGNALS.iter().position(|(name, _)| *name == family)
    }

    /// One bucket of one engine; engines of one model are added up.
    pub(super) fn add(&mut self, which: usize, model: &str, bound: f64, count: f64) {
        if bound.is_nan() || !count.is_finite() {
            return;
        }
        let buckets = self.now.entry((which, model.to_owned())).or_default();
        match buckets.iter_mut().find(|(b, _)| *b == bound) {
            Some((_, sum)) => *sum += count,
            None => buckets.push((bound, count)),
        }
    }

    /// Closes a scrape: (signal, model, 95th percentile in seconds).
    pub(super) fn close(&mut self, at_ms: i64) -> Vec<(&'static str, String, f64)> {
        let now = std::mem::take(&mut self.now);
        self.past.retain(|key, _| now.contains_key(key));
        let mut out: Vec<(&'static str, String, f64)> = Vec::new();
        for ((which, model), mut buckets) in now {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            let past = self.past.entry((which, model.clone())).or_default();
            while past.len() > 1 && past.get(1).is_some_and(|(at, _)| at_ms - at >= WINDOW_MS) {
                past.pop_front();
            }
            let grown = past.front().and_then(|(_, old)| grown(old, &buckets));
            if grown.is_none() {
                past.clear();
            }
            past.push_back((at_ms, buckets));
            let value = grown.and_then(|g| quantile(0.95, &g));
            if let (Some((_, signal)), Some(value)) = (SIGNALS.get(which), value)
                && !out.iter().any(|(s, m, _)| s == signal && *m == model)
            {
                out.push((signal, model, value));
            }
        }
        out
    }
}

/// Growth of each bucket; `None` if the server began anew.
fn grown(old: &Buckets, new: &Buckets) -> Option<Buckets> {
    if old.len() != new.len() {
        return None;
    }
    old.iter()
        .zip(new)
        .map(|((b, before), (bound, after))| {
            (b == bound && after >= before).then_some((*bound, after - before))
        })
        .collect()
}

/// As `histogram_quantile`: linear within the bucket; `None` where nothing was observed.
fn quantile(q: f64, buckets: &Buckets) -> Option<f64> {
    let (top, total) = buckets.last().copied()?;
    if top != f64::INFINITY || total <= 0.0 {
        return None;
    }
    let rank = q * total;
    let (mut lower, mut below) = (0.0, 0.0);
    for (bound, count) in buckets {
        if *count >= rank {
            if bound.is_infinite() {
                return Some(lower);
            }
            let share = if *count > below {
                (rank - below) / (count - below)
            } else {
                1.0
            };
            return Some(lower + (bound - lower) * share);
        }
        (lower, below) = (*bound, *count);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrape(l: &mut Latencies, at: i64, counts: [f64; 3]) -> Vec<(&'static str, String, f64)> {
        let which = Latencies::which("vllm:time_to_first_token_seconds_bucket").unwrap();
        for (bound, count) in [0.1, 0.5, f64::INFINITY].into_iter().zip(counts) {
            l.add(which, "m", bound, count);
        }
        l.close(at)
    }

    #[test]
    fn percentiles_of_growth_and_resets() {
        let mut l = Latencies::default();
        assert!(scrape(&mut l, 0, [10.0, 10.0, 10.0]).is_empty());
        let told = scrape(&mut l, 15_000, [60.0, 110.0, 110.0]);
        // 100 new: 50 below 0.1, 50 to 0.5; rank 95 is 45/50 of the second bucket.
        assert_eq!(told[0].0, "vllm_ttft_p95");
        assert!((told[0].2 - 0.46).abs() < 1e-9, "{told:?}");
        // Nothing new: the window still holds the growth; after it, no value.
        assert!(!scrape(&mut l, 30_000, [60.0, 110.0, 110.0]).is_empty());
        assert!(scrape(&mut l, 300_000, [60.0, 110.0, 110.0]).is_empty());
        // The server began anew.
        assert!(scrape(&mut l, 315_000, [1.0, 1.0, 1.0]).is_empty());
        assert!(!scrape(&mut l, 330_000, [2.0, 2.0, 2.0]).is_empty());
    }

    #[test]
    fn the_last_bucket_gives_its_lower_bound() {
        assert_eq!(
            quantile(0.95, &vec![(1.0, 1.0), (f64::INFINITY, 10.0)]),
            Some(1.0)
        );
        assert_eq!(quantile(0.95, &vec![(1.0, 1.0)]), None);
    }
}

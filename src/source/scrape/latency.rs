//! Latencies of vLLM from its histograms: the same signals that the catalogue asks Prometheus for.

use std::collections::{BTreeMap, VecDeque};

/// Width of the window, as the catalogue's queries have it.
const WINDOW_MS: i64 = 120_000;

/// Histogram, the signal made of its 95th percentile and, if one is, of its median and its 99th;
/// the first histogram that a server has is taken.
const SIGNALS: [(&str, &str, Option<&str>); 5] = [
    (
        "vllm:time_to_first_token_seconds",
        "vllm_ttft_p95",
        Some("vllm_ttft_spread"),
    ),
    (
        "vllm:inter_token_latency_seconds",
        "vllm_itl_p95",
        Some("vllm_itl_spread"),
    ),
    (
        "vllm:time_per_output_token_seconds",
        "vllm_itl_p95",
        Some("vllm_itl_spread"),
    ),
    (
        "vllm:e2e_request_latency_seconds",
        "vllm_e2e_p95",
        Some("vllm_e2e_spread"),
    ),
    ("vllm:request_queue_time_seconds", "vllm_queue_p95", None),
];

/// One percentile of one model.
#[derive(Debug, PartialEq)]
pub(super) struct Told {
    pub(super) signal: &'static str,
    pub(super) model: String,
    /// Which percentile, where the signal's name does not say it.
    pub(super) quantile: Option<&'static str>,
    pub(super) seconds: f64,
}

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
        SIGNALS.iter().position(|(name, ..)| *name == family)
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

    /// Closes a scrape.
    pub(super) fn close(&mut self, at_ms: i64) -> Vec<Told> {
        let now = std::mem::take(&mut self.now);
        self.past.retain(|key, _| now.contains_key(key));
        let mut out: Vec<Told> = Vec::new();
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
            let (Some((_, signal, spread)), Some(grown)) = (SIGNALS.get(which), grown) else {
                continue;
            };
            if out.iter().any(|t| t.signal == *signal && t.model == model) {
                continue;
            }
            let mut tell = |signal, name, q| {
                out.extend(quantile(q, &grown).map(|seconds| Told {
                    signal,
                    model: model.clone(),
                    quantile: name,
                    seconds,
                }));
            };
            tell(signal, None, 0.95);
            if let Some(spread) = spread {
                tell(spread, Some("0.5"), 0.5);
                tell(spread, Some("0.99"), 0.99);
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

    fn scrape(l: &mut Latencies, at: i64, counts: [f64; 3]) -> Vec<Told> {
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
        assert_eq!(told[0].signal, "vllm_ttft_p95");
        assert!((told[0].seconds - 0.46).abs() < 1e-9, "{told:?}");
        let spread: Vec<_> = told[1..].iter().map(|t| (t.quantile, t.seconds)).collect();
        assert_eq!(spread[0], (Some("0.5"), 0.1));
        assert!(spread[1].0 == Some("0.99") && (spread[1].1 - 0.492).abs() < 1e-9);
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

//! What a model server is limited by when it is pressed, and what tells so.

use super::Serving;
use crate::model::gpu::Gpu;
use crate::model::sample::Sample;
use crate::model::unit::Unit;

/// From this share on the cache is full (domain reference: waiting > 0 and cache use >= 0.9).
pub const CACHE_FULL: f64 = 0.9;
/// Below this share the cache is no reason to wait (ours).
const CACHE_FREE: f64 = 0.5;
/// DRAM activity that limits, with little tensor work beside it (ours).
const DRAM_BUSY: f64 = 0.6;
const TENSOR_LOW: f64 = 0.3;
/// Per cent from which on GPUs have no room for more (ours).
const GPU_BUSY: f64 = 95.0;

/// What more of would help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Compute,
    Memory,
    Queue,
}

impl Bound {
    pub fn word(self) -> &'static str {
        match self {
            Self::Compute => "compute-bound",
            Self::Memory => "memory-bound",
            Self::Queue => "queue-bound",
        }
    }
}

fn over(sample: Option<Sample>, limit: f64) -> Option<f64> {
    sample.map(|s| s.value).filter(|v| *v > limit)
}

/// Mean of what the GPUs tell; `None`: none of them does.
fn mean(gpus: &[&Gpu], read: impl Fn(&Gpu) -> Option<Sample>) -> Option<f64> {
    let told = gpus.iter().filter_map(|g| read(g)).map(|s| s.value);
    let (sum, count) = told
        .filter(|v| v.is_finite())
        .fold((0.0, 0), |(sum, count), v| (sum + v, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

impl Serving {
    /// By what it is limited and why; `None`: it is not pressed, or nothing tells by what. `gpus`:
    /// those that serve it.
    pub fn bound(&self, gpus: &[&Gpu]) -> Option<(Bound, String)> {
        let cache = self.kv_cache.map(|s| s.value);
        let waiting = over(self.waiting, 0.0);
        let share = |v: f64| Unit::Ratio.write(v);
        let preempting = over(self.preemptions_per_s, 0.0);
        if let Some(cache) = cache.filter(|c| *c >= CACHE_FULL) {
            let waits = waiting.map_or("none waits yet".into(), |n| format!("{n:.0} wait"));
            let why = format!("the KV cache is {} full, {waits}", share(cache));
            return Some((Bound::Memory, why));
        }
        if let Some(rate) = preempting {
            let rate = Unit::PerSecond.write(rate);
            let why = format!("requests are thrown out of the KV cache, {rate}");
            return Some((Bound::Memory, why));
        }
        if let (Some(waiting), Some(cache)) = (waiting, cache.filter(|c| *c < CACHE_FREE)) {
            let why = format!(
                "{waiting:.0} wait while the KV cache is {} full: max_num_seqs or the batch's tokens limit, not memory",
                share(cache)
            );
            return Some((Bound::Queue, why));
        }
        let busy = mean(gpus, |g| g.utilisation).filter(|u| *u >= GPU_BUSY)?;
        let busy = Unit::Percent.write(busy);
        let tensor = mean(gpus, |g| g.tensor_active);
        let dram = mean(gpus, |g| g.dram_active);
        match (dram, tensor) {
            (Some(dram), Some(tensor)) if dram > DRAM_BUSY && tensor < TENSOR_LOW => {
                let why = format!(
                    "its GPUs are {busy} busy: memory bandwidth {}, tensor cores {}",
                    share(dram),
                    share(tensor)
                );
                Some((Bound::Memory, why))
            }
            (_, tensor) => {
                let tensor =
                    tensor.map_or(String::new(), |t| format!(", tensor cores {}", share(t)));
                Some((Bound::Compute, format!("its GPUs are {busy} busy{tensor}")))
            }
        }
    }
}

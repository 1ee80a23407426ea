//! GPUs that are held and not used.

use std::collections::BTreeMap;

use super::Gpu;
use crate::model::time::Timestamp;

/// What one pod holds and does not use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waste {
    /// GPUs it holds, and those of them that stand idle.
    pub held: usize,
    pub idle: usize,
    /// Since when all of these stand idle.
    pub since: Timestamp,
    pub gpu_hours: f64,
}

/// By namespace and pod; only pods that hold an idle GPU.
pub fn waste(all: &[Gpu], at: Timestamp) -> BTreeMap<(&str, &str), Waste> {
    let mut pods: BTreeMap<(&str, &str), Waste> = BTreeMap::new();
    for gpu in all {
        let Some((namespace, pod)) = gpu.pod.as_ref().filter(|_| gpu.pods == 1) else {
            continue;
        };
        let held = pods.entry((namespace, pod)).or_insert(Waste {
            held: 0,
            idle: 0,
            since: Timestamp(i64::MIN),
            gpu_hours: 0.0,
        });
        held.held += 1;
        if let Some(since) = gpu.idle_since {
            held.idle += 1;
            held.since = held.since.max(since);
            held.gpu_hours += at.age_since_ms(since) as f64 / 3_600_000.0;
        }
    }
    pods.retain(|_, waste| waste.idle > 0);
    pods
}

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
    /// For how long, as far as it was seen, milliseconds.
    pub idle_ms: u64,
    /// A part of a card counts as that part of an hour.
    pub gpu_hours: f64,
}

/// By namespace and pod; only pods that hold an idle GPU.
pub fn waste(all: &[Gpu], at: Timestamp) -> BTreeMap<(&str, &str), Waste> {
    let mut pods: BTreeMap<(&str, &str), Waste> = BTreeMap::new();
    for gpu in all {
        let [(namespace, pod)] = gpu.holders.as_slice() else {
            continue;
        };
        let held = pods.entry((namespace, pod)).or_insert(Waste {
            held: 0,
            idle: 0,
            since: Timestamp(i64::MIN),
            idle_ms: u64::MAX,
            gpu_hours: 0.0,
        });
        held.held += 1;
        if let Some(idle_ms) = gpu.idle_ms(at) {
            held.idle += 1;
            held.since = held.since.max(gpu.idle_since.unwrap_or(at));
            held.idle_ms = held.idle_ms.min(idle_ms);
            held.gpu_hours += share_of_card(gpu, all) * idle_ms as f64 / 3_600_000.0;
        }
    }
    pods.retain(|_, waste| waste.idle > 0);
    pods
}

/// How much of its card a device is: `1g.10gb` has one of seven slices; AMD's parts are alike.
fn share_of_card(gpu: &Gpu, all: &[Gpu]) -> f64 {
    let Some(part) = &gpu.partition else {
        return 1.0;
    };
    if gpu.vendor == "nvidia" {
        let slices = part
            .split_once('g')
            .and_then(|(n, _)| n.parse::<f64>().ok());
        return slices.map_or(1.0, |n| (n / 7.0).clamp(0.0, 1.0));
    }
    let own = |g: &&Gpu| g.node == gpu.node && g.uuid == gpu.uuid;
    1.0 / all.iter().filter(own).count().max(1) as f64
}

impl Gpu {
    /// How long next to nothing has run on it, milliseconds. What came after its last sample nobody
    /// saw.
    pub fn idle_ms(&self, now: Timestamp) -> Option<u64> {
        let seen = self.utilisation?.at.min(now);
        Some(seen.age_since_ms(self.idle_since?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sample::Sample;

    const HOUR: i64 = 3_600_000;

    /// Idle for two hours, seen for one of them.
    fn idle(index: &str, vendor: &'static str, partition: Option<&str>) -> Gpu {
        Gpu {
            node: "n1".into(),
            index: index.into(),
            vendor,
            uuid: Some("card".into()),
            partition: partition.map(str::to_owned),
            holders: vec![("ml".into(), "notebook-0".into())],
            utilisation: Some(Sample {
                at: Timestamp(HOUR),
                value: 0.0,
            }),
            idle_since: Some(Timestamp(0)),
            ..Gpu::default()
        }
    }

    fn wasted(all: &[Gpu]) -> Option<(usize, u64, f64)> {
        let found = waste(all, Timestamp(2 * HOUR));
        let one = found.values().next()?;
        Some((one.idle, one.idle_ms, (one.gpu_hours * 1e3).round() / 1e3))
    }

    #[test]
    fn only_what_was_seen_is_wasted() {
        assert_eq!(
            wasted(&[idle("0", "nvidia", None)]),
            Some((1, HOUR as u64, 1.0))
        );
    }

    #[test]
    fn a_part_wastes_a_part() {
        let part = |name| idle("0", "nvidia", Some(name));
        let hours = |all: &[Gpu]| wasted(all).map(|w| w.2);
        assert_eq!(hours(&[part("3g.40gb#1")]), Some(0.429));
        assert_eq!(hours(&[part("1g.10gb+me#1")]), Some(0.143));
        let seven: Vec<Gpu> = (0..7).map(|_| part("1g.10gb#7")).collect();
        assert_eq!(hours(&seven), Some(1.0));
        let amd = ["cpx#0", "cpx#1", "cpx#2", "cpx#3"].map(|p| idle("0", "amd", Some(p)));
        assert_eq!(hours(&amd), Some(1.0));
        assert_eq!(hours(&[part("of another make")]), Some(1.0));
    }
}

//! Pools of virtual functions: what a node's device plugin offers, and what its pods ask for.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::sample::{Sample, SeriesKey};

/// Signals of kube-state-metrics, for clusters whose objects are not read.
pub const OFFERED: &str = "sriov_pool_offered";
pub const ASKED: &str = "sriov_pool_asked";

/// One pool on one node.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    pub node: Arc<str>,
    /// By its full name: `openshift.io/fh_dpdk`; as kube-state-metrics writes it where only that
    /// tells: `openshift_io_fh_dpdk`.
    pub resource: Arc<str>,
    /// Virtual functions that the operator made for it; `None`: nobody tells.
    pub configured: Option<u64>,
    /// `None`: the node does not know the resource.
    pub allocatable: Option<u64>,
    /// Of pods on this node that run or start; `None`: pods are not known.
    pub requested: Option<u64>,
}

/// A share from which on a pool is called almost taken.
const ALMOST: f64 = 0.9;

impl Pool {
    /// Left for pods that come; `None`: nobody tells.
    pub fn free(&self) -> Option<u64> {
        Some(self.allocatable?.saturating_sub(self.requested?))
    }

    /// What is wrong, and whether it is grave.
    pub fn problem(&self) -> Option<(String, bool)> {
        let offered = self.allocatable.unwrap_or(0);
        if let Some(requested) = self.requested.filter(|asked| *asked > offered) {
            let text = format!("{requested} requested, {offered} offered");
            return Some((text, true));
        }
        if let Some(made) = self.configured.filter(|made| *made > offered) {
            let text = format!("the device plugin offers {offered} of {made} VFs");
            return Some((text, offered == 0));
        }
        let free = self.free().filter(|_| offered > 0)?;
        let share = 1.0 - free as f64 / offered as f64;
        match free {
            0 => Some(("all taken".into(), false)),
            _ if share >= ALMOST => Some(("almost all taken".into(), false)),
            _ => None,
        }
    }
}

/// Name of the pool within the full name of its resource.
pub fn pool_of(resource: &str) -> &str {
    resource.rsplit_once('/').map_or(resource, |(_, pool)| pool)
}

/// Pools from the newest samples of kube-state-metrics. Sorted by node and resource.
pub fn of_series<'a>(series: impl Iterator<Item = (&'a SeriesKey, Sample)>) -> Vec<Pool> {
    // Offered and asked for, by node and resource.
    type Counts = (Option<u64>, Option<u64>);
    let mut pools: BTreeMap<(&str, &str), Counts> = BTreeMap::new();
    for (key, sample) in series {
        let place = key.labels.get("node").zip(key.labels.get("resource"));
        let Some(place) = place.filter(|_| sample.value >= 0.0) else {
            continue;
        };
        let count = Some(sample.value.round() as u64);
        let known = pools.entry(place).or_default();
        match &*key.name {
            OFFERED => known.0 = count,
            ASKED => known.1 = count,
            _ => {}
        }
    }
    // Pods are known as soon as one of them asks for anything.
    let pods = pools.values().any(|(_, asked)| asked.is_some());
    let pool =
        |((node, resource), (allocatable, requested)): ((&str, &str), (_, Option<u64>))| Pool {
            node: node.into(),
            resource: resource.into(),
            configured: None,
            allocatable,
            requested: requested.or(pods.then_some(0)),
        };
    pools.into_iter().map(pool).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::label::Labels;
    use crate::model::time::Timestamp;

    fn pool(configured: Option<u64>, allocatable: Option<u64>, requested: Option<u64>) -> Pool {
        Pool {
            node: "n1".into(),
            resource: "openshift.io/fh".into(),
            configured,
            allocatable,
            requested,
        }
    }

    #[test]
    fn what_is_wrong_with_a_pool() {
        let told = |pool: Pool| pool.problem();
        let say = |text: &str, grave| Some((text.to_owned(), grave));
        assert_eq!(told(pool(Some(8), Some(8), Some(3))), None);
        assert_eq!(told(pool(None, None, None)), None, "nobody tells");
        assert_eq!(told(pool(None, Some(8), None)), None, "pods are not known");
        assert_eq!(
            told(pool(Some(8), Some(0), Some(0))),
            say("the device plugin offers 0 of 8 VFs", true)
        );
        assert_eq!(
            told(pool(Some(8), Some(6), Some(0))),
            say("the device plugin offers 6 of 8 VFs", false)
        );
        assert_eq!(
            told(pool(Some(8), Some(0), Some(2))),
            say("2 requested, 0 offered", true)
        );
        assert_eq!(told(pool(None, Some(8), Some(8))), say("all taken", false));
        let almost = pool(None, Some(32), Some(29));
        assert_eq!(almost.free(), Some(3));
        assert_eq!(told(almost), say("almost all taken", false));
        assert_eq!(told(pool(None, Some(32), Some(28))), None);
    }

    #[test]
    fn pools_of_kube_state_metrics() {
        let series = |name: &str, node: &str, resource: &str, value| {
            let labels = Labels::from_pairs([("node", node), ("resource", resource)]);
            let at = Timestamp(0);
            (SeriesKey::new(name, labels), Sample { at, value })
        };
        let all = [
            series(OFFERED, "n1", "openshift_io_fh", 8.0),
            series(OFFERED, "n2", "openshift_io_fh", 8.0),
            series(ASKED, "n1", "openshift_io_fh", 3.0),
            series(OFFERED, "n3", "openshift_io_fh", f64::NAN),
        ];
        let read = |all: &[(SeriesKey, Sample)]| of_series(all.iter().map(|(k, s)| (k, *s)));
        let found = read(&all);
        let told: Vec<_> = found
            .iter()
            .map(|p| (&*p.node, p.allocatable, p.requested))
            .collect();
        assert_eq!(told, [("n1", Some(8), Some(3)), ("n2", Some(8), Some(0))]);
        assert_eq!(read(&all[..2])[0].requested, None, "no pod is told of");
    }
}

//! Who shall watch what: the same answer on every replica that knows the same others.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Shares the clusters out as evenly as they go: each goes to the replica that suits it best and has
/// room. When one comes or goes, little else moves.
pub fn share(replicas: &[Arc<str>], clusters: &[Arc<str>]) -> BTreeMap<Arc<str>, Arc<str>> {
    let mut out = BTreeMap::new();
    if replicas.is_empty() {
        return out;
    }
    let least = clusters.len() / replicas.len();
    let mut larger = clusters.len() % replicas.len();
    let mut load: BTreeMap<&Arc<str>, usize> = replicas.iter().map(|r| (r, 0)).collect();
    let mut order: Vec<&Arc<str>> = clusters.iter().collect();
    order.sort_by_cached_key(|name| (hash(&[name]), (*name).clone()));
    for cluster in order {
        let room = |held: usize| held < least || held == least && larger > 0;
        let free = load.iter().filter(|(_, held)| room(**held));
        let best = free.max_by_key(|(replica, _)| (hash(&[replica, cluster]), Arc::clone(replica)));
        let Some(best) = best.map(|(replica, _)| (*replica).clone()) else {
            continue;
        };
        if let Some(held) = load.get_mut(&best) {
            *held += 1;
            larger -= usize::from(*held > least);
        }
        out.insert(cluster.clone(), best);
    }
    out
}

/// FNV-1a, then stirred: neighbours in name are no neighbours in number.
fn hash(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(prefix: &str, count: usize) -> Vec<Arc<str>> {
        (0..count).map(|n| format!("{prefix}-{n}").into()).collect()
    }

    fn loads(shared: &BTreeMap<Arc<str>, Arc<str>>) -> Vec<usize> {
        let mut loads: BTreeMap<&str, usize> = BTreeMap::new();
        for replica in shared.values() {
            *loads.entry(replica).or_default() += 1;
        }
        loads.into_values().collect()
    }

    #[test]
    fn each_cluster_has_one_and_the_load_is_even() {
        for (replicas, clusters) in [(1, 7), (2, 7), (3, 7), (3, 100), (7, 3), (10, 10_000)] {
            let shared = share(&names("w", replicas), &names("c", clusters));
            assert_eq!(shared.len(), clusters);
            let loads = loads(&shared);
            let (least, most) = (loads.iter().min(), loads.iter().max());
            assert!(
                most.zip(least).is_some_and(|(m, l)| m - l <= 1),
                "{loads:?}"
            );
        }
        assert!(share(&[], &names("c", 3)).is_empty());
    }

    #[test]
    fn the_order_of_names_does_not_matter() {
        let (mut replicas, mut clusters) = (names("w", 4), names("c", 50));
        let shared = share(&replicas, &clusters);
        replicas.reverse();
        clusters.rotate_left(7);
        assert_eq!(share(&replicas, &clusters), shared);
    }

    #[test]
    fn little_moves_when_one_goes() {
        let clusters = names("c", 1_000);
        let (four, three) = (
            share(&names("w", 4), &clusters),
            share(&names("w", 3), &clusters),
        );
        let moved = clusters.iter().filter(|c| four[*c] != three[*c]).count();
        // A quarter must; a plain division would move three quarters.
        assert!((250..500).contains(&moved), "{moved}");
    }
}

//! Which watcher each cluster goes to: the rule of `src/team/share.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Each cluster goes to the watcher that suits it best (the greatest hash of both) and has room.
pub fn share(replicas: &[Arc<str>], clusters: &[Arc<str>]) -> BTreeMap<Arc<str>, Arc<str>> {
    let mut out = BTreeMap::new();
    if replicas.is_empty() {
        return out;
    }
    let least = clusters.len() / replicas.len();
    let mut larger = clusters.len() % replicas.len();
    let mut load: BTreeMap<&Arc<str>, usize> = replicas.iter().map(|r| (r, 0)).collect();
    let mut order: Vec<&Arc<str>> = clusters.iter().collect();
    order.sort_by_cached_key(|name| (hash(&[name]), Arc::clone(name)));
    for cluster in order {
        let room = |held: usize| held < least || held == least && larger > 0;
        let free = load.iter_mut().filter(|(_, held)| room(**held));
        let best = free.max_by_key(|(replica, _)| (hash(&[replica, cluster]), Arc::clone(replica)));
        if let Some((replica, held)) = best {
            *held += 1;
            larger -= usize::from(*held > least);
            out.insert(Arc::clone(cluster), Arc::clone(replica));
        }
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

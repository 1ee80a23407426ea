//! What each replica could watch, and so among whom each cluster is shared out.
//!
//! Replicas need not name the same clusters: a watcher at a far site names that one only, a centre
//! names many. A cluster goes to one of those that name it; where a site publishes its own samples, to
//! one of those that do: nobody else can ask its exporters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::team::share::share;

/// What a replica could watch, as it stands in the bucket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Duty {
    pub instance: Arc<str>,
    pub clusters: BTreeSet<Arc<str>>,
    /// Those of them whose samples it publishes.
    pub publishes: BTreeSet<Arc<str>>,
}

/// What follows for one replica.
#[derive(Debug, Default, PartialEq)]
pub struct Turns {
    /// Its own turn.
    pub ours: BTreeSet<Arc<str>>,
    /// Clusters it names that another live replica could watch too.
    pub shared: BTreeSet<Arc<str>>,
}

/// The same answer on every replica that knows the same others: of the clusters that the same
/// replicas could watch each gets its part.
pub fn turns(own: &Duty, others: &[&Duty]) -> Turns {
    let all = || others.iter().copied().chain([own]);
    let mut groups: BTreeMap<BTreeSet<Arc<str>>, Vec<Arc<str>>> = BTreeMap::new();
    for cluster in &own.clusters {
        let who = |of: fn(&Duty) -> &BTreeSet<Arc<str>>| -> BTreeSet<Arc<str>> {
            let able = all().filter(|duty| of(duty).contains(cluster));
            able.map(|duty| duty.instance.clone()).collect()
        };
        let mut able = who(|duty| &duty.publishes);
        if able.is_empty() {
            able = who(|duty| &duty.clusters);
        }
        groups.entry(able).or_default().push(cluster.clone());
    }
    let mut out = Turns::default();
    for (able, clusters) in groups {
        if able.iter().any(|instance| *instance != own.instance) {
            out.shared.extend(clusters.iter().cloned());
        }
        let able: Vec<Arc<str>> = able.into_iter().collect();
        let shared = share(&able, &clusters).into_iter();
        let ours = shared.filter(|(_, whose)| *whose == own.instance);
        out.ours.extend(ours.map(|(cluster, _)| cluster));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duty(instance: &str, clusters: &[&str], publishes: &[&str]) -> Duty {
        let set = |names: &[&str]| names.iter().map(|n| Arc::from(*n)).collect();
        Duty {
            instance: instance.into(),
            clusters: set(clusters),
            publishes: set(publishes),
        }
    }

    fn all(duties: &[Duty]) -> BTreeMap<Arc<str>, Vec<Arc<str>>> {
        let mut by: BTreeMap<Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
        for own in duties {
            let others: Vec<&Duty> = duties.iter().filter(|d| *d != own).collect();
            for cluster in turns(own, &others).ours {
                by.entry(cluster).or_default().push(own.instance.clone());
            }
        }
        by
    }

    #[test]
    fn each_cluster_is_the_turn_of_one_that_names_it() {
        let four = ["c-1", "c-2", "c-3", "c-4"];
        for duties in [
            vec![duty("a", &four, &[]), duty("b", &four, &[])],
            vec![duty("a", &["c-1"], &[]), duty("b", &four, &[])],
            vec![
                duty("a", &["c-1", "c-2"], &[]),
                duty("b", &["c-2", "c-3"], &[]),
                duty("c", &["c-3", "c-4", "c-1"], &[]),
            ],
        ] {
            let by = all(&duties);
            let named: BTreeSet<_> = duties.iter().flat_map(|d| &d.clusters).collect();
            assert_eq!(by.keys().collect::<BTreeSet<_>>(), named);
            for (cluster, who) in &by {
                let [one] = who.as_slice() else {
                    panic!("{cluster}: {who:?}");
                };
                let one = duties.iter().find(|d| d.instance == *one).expect("there");
                assert!(one.clusters.contains(cluster));
            }
        }
    }

    #[test]
    fn a_site_that_publishes_its_samples_is_watched_there() {
        let site = duty("site", &["far-1"], &["far-1"]);
        let centre = duty("centre", &["far-1", "hub"], &[]);
        let at_site = turns(&site, &[&centre]);
        assert!(at_site.ours.contains("far-1"));
        assert!(at_site.shared.is_empty(), "nobody else could");
        let at_centre = turns(&centre, &[&site]);
        assert_eq!(at_centre.ours, [Arc::from("hub")].into());
        // It is gone: who else names it tells at least that nothing comes.
        assert!(turns(&centre, &[]).ours.contains("far-1"));
    }

    #[test]
    fn what_a_replica_has_that_did_not_say_is_not_shared_with_it() {
        let own = duty("a", &["c-1"], &[]);
        let silent = duty("b", &[], &[]);
        assert_eq!(turns(&own, &[&silent]), turns(&own, &[]));
    }
}

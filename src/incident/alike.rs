//! Whether two incidents are of the same kind: which signals, on what sort of thing, on which one.

use std::collections::BTreeSet;

use super::Incident;
use crate::model::finding::Subject;

/// Findings that are looked at, the lead first: more of one incident tell nothing new.
const FINDINGS: usize = 32;
/// What the ends of generated names are made of (`rand.SafeEncodeString` of Kubernetes).
const SAFE: &str = "bcdfghjklmnpqrstvwxz2456789";

/// What an incident shows: of each finding the signal with the sort of its subject, and the same
/// with the subject by a name that outlives it.
pub fn signs(incident: &Incident) -> Vec<String> {
    let mut signs = BTreeSet::new();
    let lead = incident.lead().into_iter();
    for finding in lead.chain(&incident.findings).take(FINDINGS) {
        let (sort, name) = lasting(&finding.subject);
        signs.insert(format!("{} of {sort}", finding.signal));
        signs.insert(format!("{} of {sort} {name}", finding.signal));
    }
    signs.into_iter().collect()
}

/// Share of the signs of both that both show, 0 to 1.
pub fn alike(a: &[String], b: &[String]) -> f64 {
    let (a, b): (BTreeSet<_>, BTreeSet<_>) = (a.iter().collect(), b.iter().collect());
    match a.union(&b).count() {
        0 => 0.0,
        all => a.intersection(&b).count() as f64 / all as f64,
    }
}

/// The sort of a subject, and a name by which it is known again when it was made anew.
fn lasting(subject: &Subject) -> (&'static str, String) {
    match subject {
        Subject::Gpu { node, gpu } => ("gpu", format!("{node} {gpu}")),
        Subject::Clock { node, interface } => ("clock", format!("{node} {interface}")),
        Subject::Nic { node, interface } => ("nic", format!("{node} {interface}")),
        Subject::Pod { namespace, pod } => ("pod", format!("{namespace}/{}", without_hash(pod))),
        Subject::Model { namespace, model } => ("model", format!("{namespace}/{model}")),
        Subject::Workload { namespace, name } => ("workload", format!("{namespace}/{name}")),
        Subject::App {
            namespace, name, ..
        } => ("app", format!("{namespace}/{name}")),
        Subject::Node(node) => ("node", node.clone()),
        Subject::Namespace(namespace) => ("namespace", namespace.clone()),
        Subject::Cluster => ("cluster", String::new()),
    }
}

/// The name of a pod without what its controller put behind its own name.
fn without_hash(pod: &str) -> &str {
    let safe = |part: &str| part.chars().all(|c| SAFE.contains(c));
    let Some((front, last)) = pod.rsplit_once('-') else {
        return pod;
    };
    if !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()) && last.len() < 5 {
        return front;
    }
    if last.len() != 5 || !safe(last) {
        return pod;
    }
    match front.rsplit_once('-') {
        Some((owner, hash)) if (6..=10).contains(&hash.len()) && safe(hash) => owner,
        _ => front,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_are_known_by_their_owner() {
        for (pod, name) in [
            ("cart-7d9f8b6c5-x2x9z", "cart"),
            ("node-exporter-x2x9z", "node-exporter"),
            ("db-0", "db"),
            ("cart", "cart"),
            ("my-shop", "my-shop"),
            ("a-", "a-"),
        ] {
            assert_eq!(without_hash(pod), name, "{pod}");
        }
    }

    #[test]
    fn the_share_of_signs_tells_how_alike() {
        let of = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let (a, b) = (of(&["x", "y"]), of(&["y", "z"]));
        assert_eq!(alike(&a, &a), 1.0);
        assert_eq!(alike(&a, &b), 1.0 / 3.0);
        assert_eq!(alike(&a, &[]), 0.0);
        assert_eq!(alike(&[], &[]), 0.0);
    }
}

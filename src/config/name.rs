//! Cluster names made from the names of kubeconfig contexts.
//!
//! A name stays what it is when other contexts come and go, as long as none of them is like it.

use std::collections::{HashMap, HashSet};

/// Longest DNS label; also of clusters, see `build::is_cluster_name`.
const LONGEST: usize = 63;

/// One name for each context, in their order: short where that is enough to tell them apart, else
/// from the whole context name, else with a suffix. None of `taken` is used.
pub fn names(contexts: &[&str], taken: &HashSet<String>) -> Vec<String> {
    let mut wanted: HashMap<String, usize> = HashMap::new();
    for context in contexts {
        *wanted.entry(short(context)).or_default() += 1;
    }
    let mut used = taken.clone();
    contexts
        .iter()
        .map(|context| {
            let short = short(context);
            let alone = wanted.get(&short) == Some(&1);
            let name = if alone && !used.contains(&short) {
                short
            } else {
                free(context, &used)
            };
            used.insert(name.clone());
            name
        })
        .collect()
}

/// The part of a context name by which people know the cluster.
fn short(context: &str) -> String {
    let parts: Vec<&str> = context.split('/').collect();
    let part = match parts.as_slice() {
        // `oc login`: namespace/api-host:port/user.
        [_, server, _, ..] | [_, server] if is_server(server) => {
            let host = server.rsplit_once(':').map_or(*server, |(host, _)| host);
            host.strip_prefix("api-").unwrap_or(host)
        }
        // EKS: arn:aws:eks:region:account:cluster/name.
        [arn, name] if arn.starts_with("arn:") => name,
        _ => match context.strip_prefix("gke_") {
            // GKE: gke_project_zone_name.
            Some(rest) => rest.splitn(3, '_').nth(2).unwrap_or(rest),
            None => context,
        },
    };
    sanitized(part)
}

fn is_server(part: &str) -> bool {
    part.rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

/// From the whole context name; with a suffix made of it where that is taken, then with numbers.
fn free(context: &str, used: &HashSet<String>) -> String {
    let whole = sanitized(context);
    if !used.contains(&whole) {
        return whole;
    }
    let mark = format!("{:04x}", hash(context) & 0xffff);
    (0..)
        .map(|n: u32| match n {
            0 => with_suffix(&whole, &mark),
            n => with_suffix(&whole, &format!("{mark}-{n}")),
        })
        .find(|name| !used.contains(name))
        .unwrap_or(whole)
}

fn with_suffix(name: &str, suffix: &str) -> String {
    let room = LONGEST.saturating_sub(suffix.len() + 1);
    let kept = name.get(..room.min(name.len())).unwrap_or(name);
    format!("{}-{suffix}", kept.trim_end_matches('-'))
}

/// `admin@Prod_1` becomes `admin-prod-1`; what is too short gets `cluster-` before it.
fn sanitized(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if name.len() >= LONGEST {
            break;
        }
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-');
    if name.len() < 3 {
        format!("cluster-{name}").trim_end_matches('-').to_owned()
    } else {
        name.to_owned()
    }
}

/// FNV-1a: the same on every machine and in every version.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A DNS label, as names of namespaces, services and ports are.
pub fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=LONGEST).contains(&text.len())
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Whether a pattern with `*` and `?` fits the whole text.
pub fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where the last `*` stood and how much of the text it has swallowed.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || Some(c) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, swallowed)) => {
                    star = Some((at, swallowed + 1));
                    p = at + 1;
                    t = swallowed + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::build::is_cluster_name;
    use proptest::prelude::*;

    fn made(contexts: &[&str]) -> Vec<String> {
        names(contexts, &HashSet::new())
    }

    #[test]
    fn short_and_recognisable() {
        let contexts = [
            "default/api-ocp-example-com:6443/kube:admin",
            "admin@Prod_1",
            "arn:aws:eks:eu-west-1:123456789012:cluster/payments",
            "gke_my-project_europe-west1-b_edge-1",
            "kind-lab",
            "x",
            "äöü",
        ];
        assert_eq!(
            made(&contexts),
            [
                "ocp-example-com",
                "admin-prod-1",
                "payments",
                "edge-1",
                "kind-lab",
                "cluster-x",
                "cluster"
            ]
        );
    }

    #[test]
    fn likes_are_told_apart_whatever_their_order() {
        let (west, east) = (
            "arn:aws:eks:west:1:cluster/prod",
            "arn:aws:eks:east:1:cluster/prod",
        );
        assert_eq!(
            made(&[west, east]),
            [
                "arn-aws-eks-west-1-cluster-prod",
                "arn-aws-eks-east-1-cluster-prod"
            ]
        );
        assert_eq!(made(&[east])[0], "prod");
        let same = made(&["a_b_c", "a.b.c"]);
        assert_ne!(same[0], same[1]);
        assert!(same[1].starts_with("a-b-c"), "{same:?}");
        let taken = HashSet::from(["kind-lab".to_owned()]);
        let name = names(&["kind-lab"], &taken).remove(0);
        assert!(name.starts_with("kind-lab-"), "{name}");
    }

    #[test]
    fn patterns() {
        for (pattern, text, wanted) in [
            ("prod-*", "prod-1", true),
            ("prod-*", "preprod-1", false),
            ("*", "", true),
            ("*-eu-?", "prod-eu-1", true),
            ("*-eu-?", "prod-eu-12", false),
            ("a*b*c", "a--b--b--c", true),
            ("", "x", false),
        ] {
            assert_eq!(fits(pattern, text), wanted, "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn any_contexts_get_valid_names_of_their_own(
            contexts in prop::collection::hash_set("[a-zA-Z0-9@:/_.ä-]{0,90}", 0..30),
            taken in prop::collection::hash_set("[a-z0-9]{3,8}", 0..5),
        ) {
            let contexts: Vec<&str> = contexts.iter().map(String::as_str).collect();
            let made = names(&contexts, &taken);
            prop_assert_eq!(made.len(), contexts.len());
            let mut seen = taken.clone();
            for name in &made {
                prop_assert!(is_cluster_name(name), "{}", name);
                prop_assert!(seen.insert(name.clone()), "{} twice", name);
            }
        }

        #[test]
        fn everything_fits_itself_and_the_star(text in "[a-z*?/]{0,20}") {
            prop_assert!(fits("*", &text));
            prop_assert!(fits(&text, &text));
        }
    }
}

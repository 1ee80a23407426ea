//! What tells the series of a graph apart: the labels in which they differ, most telling first.

use super::Shown;
use crate::model::label::Labels;
use crate::model::sample::SeriesKey;

/// Names of the labels in which the series differ.
pub fn differing(shown: &[&Shown]) -> Vec<String> {
    let Some((first, rest)) = shown.split_first() else {
        return Vec::new();
    };
    let mut names: Vec<&str> = shown
        .iter()
        .flat_map(|s| s.id.key.labels.iter())
        .map(|(n, _)| n)
        .collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|n| {
        let value = first.id.key.labels.get(n);
        rest.iter().any(|s| s.id.key.labels.get(n) != value)
    });
    // One label that tells them apart says enough; an id only where nothing else does.
    let tells = |names: &[&str]| {
        let values = |s: &Shown| -> Vec<Option<String>> {
            let get = |n: &&str| s.id.key.labels.get(n).map(str::to_owned);
            names.iter().map(get).collect()
        };
        let all: std::collections::BTreeSet<_> =
            shown.iter().map(|s| (s.id.cluster, values(s))).collect();
        all.len() == shown.len()
    };
    names.sort_by_key(|n| rank(n));
    // Most readable first; an id is not readable, however well it tells them apart.
    let alone = names.iter().find(|n| rank(n) < 100 && tells(&[n]));
    if let Some(name) = alone {
        return vec![(*name).to_owned()];
    }
    for count in 1..names.len() {
        if let Some(few) = names.get(..count).filter(|few| tells(few)) {
            return few.iter().map(|n| (*n).to_owned()).collect();
        }
    }
    names.into_iter().map(str::to_owned).collect()
}

/// All labels in which the series differ, most telling first.
pub fn all(shown: &[&Shown]) -> Vec<String> {
    let mut names: Vec<&str> = shown
        .iter()
        .flat_map(|s| s.id.key.labels.iter())
        .map(|(n, _)| n)
        .collect();
    names.sort_unstable();
    names.dedup();
    names.sort_by_key(|n| rank(n));
    names.into_iter().map(str::to_owned).collect()
}

/// Labels as people tell things apart, most telling first; ids and addresses last.
fn rank(label: &str) -> usize {
    const FIRST: [&str; 15] = [
        "Hostname",
        "hostname",
        "node",
        "gpu",
        "model_name",
        "namespace",
        "pod",
        "container",
        "process",
        "iface",
        "from",
        "device",
        "phase",
        "severity",
        "alertname",
    ];
    const LAST: [&str; 7] = [
        "instance",
        "endpoint",
        "job",
        "UUID",
        "uuid",
        "pci_bus_id",
        "uid",
    ];
    let first = FIRST.iter().position(|n| *n == label);
    let last = LAST.iter().position(|n| *n == label);
    match (first, last) {
        (Some(at), _) => at,
        (_, Some(at)) => 200 + at,
        _ => 100,
    }
}

/// Labels whose values say themselves what they are.
const SPEAKING: [&str; 6] = [
    "Hostname",
    "hostname",
    "node",
    "pod",
    "model_name",
    "process",
];

pub fn label(key: &SeriesKey, own: &[String]) -> String {
    let parts: Vec<String> = own
        .iter()
        .filter_map(|n| key.labels.get(n).map(|v| (n.as_str(), v)))
        .map(|(name, value)| match SPEAKING.contains(&name) {
            true => value.to_owned(),
            false => format!("{name}={value}"),
        })
        .collect();
    if parts.is_empty() && key.labels == Labels::default() {
        return key.name.to_string();
    }
    if parts.is_empty() {
        return key.to_string();
    }
    parts.join(" ")
}

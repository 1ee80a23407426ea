//! Domain rules of SR-IOV: sync, virtual functions wanted and there, links, drops, exhaustion.

use std::collections::BTreeMap;

use crate::detect::Condition;
use crate::model::alert::Severity;
use crate::model::finding::Subject;
use crate::model::id::ClusterId;
use crate::model::sriov::SriovNodeState;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::store::Store;

pub fn sriov<'a>(all: impl Iterator<Item = &'a SriovNodeState>) -> Vec<Condition> {
    let mut found = Vec::new();
    for state in all {
        let subject = Subject::Node(state.node.to_string());
        let key = |what: &str| format!("sriov/{}/{what}", state.node);
        let status = state.sync_status.as_deref().unwrap_or("");
        if status == "Failed" {
            let cause = state.last_sync_error.as_deref().unwrap_or("no cause given");
            let text = format!("SR-IOV sync failed: {cause}");
            found.push(Condition::state(
                subject.clone(),
                key("sync"),
                Severity::Critical,
                text,
            ));
        } else if status == "InProgress" {
            let text = "SR-IOV sync in progress for more than 10 min".to_owned();
            let mut c = Condition::state(subject.clone(), key("progress"), Severity::Warning, text);
            c.for_ms = 600_000;
            found.push(c);
        }
        for port in &state.interfaces {
            let wanted = port.desired_vfs.unwrap_or(port.num_vfs);
            let have = port
                .num_vfs
                .min(port.vfs.max(if port.vfs == 0 { port.num_vfs } else { 0 }));
            let nic = Subject::Nic {
                node: state.node.to_string(),
                interface: port.name.clone(),
            };
            if have < wanted && status != "InProgress" {
                let text = format!("{have} of {wanted} virtual functions on {}", port.name);
                let place = key(&format!("vfs/{}", port.pci_address));
                let mut c = Condition::state(nic.clone(), place, Severity::Warning, text);
                c.seen = Some(f64::from(have));
                c.expected = Some((f64::from(wanted), f64::from(wanted)));
                c.for_ms = 60_000;
                found.push(c);
            }
            if port.link_speed.is_none() && port.num_vfs > 0 {
                let text = format!(
                    "link of {} is down, {} virtual functions on it",
                    port.name, port.num_vfs
                );
                let place = key(&format!("link/{}", port.pci_address));
                let mut c = Condition::state(nic, place, Severity::Warning, text);
                c.for_ms = 30_000;
                found.push(c);
            }
        }
    }
    for condition in &mut found {
        condition.signal = "SriovNetworkNodeState";
        condition.method = "status of the SR-IOV operator".into();
    }
    found
}

/// Packets a second that one function drops before it is told.
const DROPS: f64 = 1.0;
/// A rate older than this is of the past, milliseconds.
const RATE_MS: u64 = 90_000;

/// One virtual function drops packets and its neighbours on the same port do not: its pod or its
/// rings, not the link.
pub fn sriov_drops(store: &Store, cluster: ClusterId, now: Timestamp) -> Vec<Condition> {
    let mut ports: BTreeMap<(&str, &str), BTreeMap<&str, f64>> = BTreeMap::new();
    for name in ["sriov_vf_rx_dropped", "sriov_vf_tx_dropped"] {
        for (id, key) in store.find(cluster, name) {
            let labels = &key.labels;
            let node = labels.first_of(&["node", "nodename", "instance"]);
            let place = (node, labels.get("pf"), labels.get("vf"));
            let (Some(node), Some(port), Some(function)) = place else {
                continue;
            };
            let fresh = |s: &crate::model::sample::Sample| {
                now.age_since_ms(s.at) <= RATE_MS && s.value.is_finite()
            };
            if let Some(last) = store.last(id).filter(fresh) {
                let functions = ports.entry((node, port)).or_default();
                *functions.entry(function).or_default() += last.value;
            }
        }
    }
    let mut found = Vec::new();
    for ((node, port), functions) in ports {
        let dropping = functions.iter().filter(|(_, rate)| **rate >= DROPS);
        let dropping: Vec<_> = dropping.collect();
        let [(function, rate)] = dropping.as_slice() else {
            continue;
        };
        if functions.len() < 3 {
            continue;
        }
        let text = format!(
            "vf {function} of {port} drops {}, the other {} of the port nothing",
            Unit::PerSecond.write(**rate),
            functions.len() - 1
        );
        let subject = Subject::Nic {
            node: node.to_owned(),
            interface: format!("{port} vf {function}"),
        };
        let key = format!("sriov/{node}/drops/{port}/{function}");
        let mut condition = Condition::state(subject, key, Severity::Warning, text);
        condition.signal = "sriov_vf_dropped";
        condition.unit = Unit::PerSecond;
        condition.seen = Some(**rate);
        condition.expected = Some((0.0, DROPS));
        condition.for_ms = 60_000;
        condition.method = "drops of one virtual function against the others of its port".into();
        found.push(condition);
    }
    found
}

/// All virtual functions of a pool are asked for and a pod waits for one. `pools`: resource, what
/// the nodes have, what the pods ask for, and the pods that ask and wait.
pub fn sriov_exhausted<'a>(
    pools: impl Iterator<Item = (&'a str, u64, u64, Vec<String>)>,
) -> Vec<Condition> {
    let full = pools.filter(|(_, has, asked, waiting)| asked > has && !waiting.is_empty());
    full.map(|(resource, has, asked, waiting)| {
        let first = waiting.first().map_or("", String::as_str);
        let more = match waiting.len() {
            1 => String::new(),
            n => format!(" and {} more", n - 1),
        };
        let text = format!("{resource}: {asked} asked for, {has} there; {first}{more} waits");
        let key = format!("sriov/pool/{resource}");
        let mut condition = Condition::state(Subject::Cluster, key, Severity::Warning, text);
        condition.signal = "allocatable";
        condition.seen = Some(asked as f64);
        condition.expected = Some((0.0, has as f64));
        condition.for_ms = 60_000;
        condition.method = "requests of pods against what device plugins offer".into();
        condition
    })
    .collect()
}

#[cfg(test)]
mod tests;

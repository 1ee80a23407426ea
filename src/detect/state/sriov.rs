//! Domain rules of SR-IOV: sync, virtual functions wanted and there, links, drops, exhaustion.

use std::collections::BTreeMap;

use crate::detect::Condition;
use crate::model::alert::Severity;
use crate::model::finding::Subject;
use crate::model::sample::Sample;
use crate::model::sriov::{Function, Pool, SriovNodeState};
use crate::model::time::Timestamp;
use crate::model::unit::Unit;

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
            if port.is_down() && port.num_vfs > 0 {
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
pub fn sriov_drops(functions: &[Function], now: Timestamp) -> Vec<Condition> {
    let mut ports: BTreeMap<(&str, &str), BTreeMap<u32, f64>> = BTreeMap::new();
    for function in functions {
        let fresh = |s: &Sample| now.age_since_ms(s.at) <= RATE_MS;
        if let Some(rate) = function.dropped().filter(fresh) {
            let port = ports.entry((&function.node, &function.port)).or_default();
            port.insert(function.index, rate.value);
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

/// All virtual functions of a pool are asked for and a pod waits for one. `waiting`: pods that ask
/// for a resource and have no node, and for how much of it.
pub fn sriov_exhausted(
    pools: &[Pool],
    waiting: impl Fn(&str) -> Vec<(String, u64)>,
) -> Vec<Condition> {
    let mut whole: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for pool in pools {
        if let (Some(has), Some(held)) = (pool.allocatable, pool.requested) {
            let sum = whole.entry(&pool.resource).or_default();
            *sum = (sum.0.saturating_add(has), sum.1.saturating_add(held));
        }
    }
    let mut found = Vec::new();
    for (resource, (has, held)) in whole {
        let waiting = waiting(resource);
        let asked = waiting
            .iter()
            .fold(held, |n, (_, count)| n.saturating_add(*count));
        let Some((first, _)) = waiting.first().filter(|_| asked > has) else {
            continue;
        };
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
        found.push(condition);
    }
    found
}

#[cfg(test)]
mod tests;

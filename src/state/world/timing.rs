//! Whether a network function can meet its timing now: what is known of its pod, its node's clock,
//! its virtual functions, huge pages and processors, put side by side.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::cnf::CnfKind;
use crate::model::object::Pod;
use crate::model::ptp::{ClockState, PtpNode};
use crate::model::sample::Sample;
use crate::model::signal::Group;
use crate::model::sriov::{Readings, pool_of};
use crate::model::time::Timestamp;
use crate::model::unit::Unit;

use super::ClusterState;

/// Packets a second that a function may lose.
const DROPS: f64 = 1.0;

/// The answer; the worst of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timing {
    Met,
    /// Something that counts is not known.
    Unknown,
    NotMet,
}

impl Timing {
    pub fn word(self) -> &'static str {
        match self {
            Self::Met => "yes",
            Self::Unknown => "unknown",
            Self::NotMet => "no",
        }
    }
}

/// One thing that counts, and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    pub what: &'static str,
    pub timing: Timing,
    pub text: String,
}

/// A network function and all that its timing hangs on.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload<'a> {
    pub kind: CnfKind,
    pub pod: &'a Pod,
    pub needs: Vec<Need>,
}

impl Workload<'_> {
    pub fn timing(&self) -> Timing {
        let worst = self.needs.iter().map(|n| n.timing).max();
        worst.unwrap_or(Timing::Unknown)
    }
}

impl ClusterState {
    /// All network functions among the pods, those in trouble first.
    pub fn network_functions(&self, now: Timestamp) -> Vec<Workload<'_>> {
        let functions = Functions::of(&self.vfs, now, self.current_ms(Group::Sriov));
        let pods = self.pods.values().filter(|p| p.phase != "Succeeded");
        let mut found: Vec<Workload<'_>> = pods
            .filter_map(|pod| {
                let kind = CnfKind::of(pod)?;
                let needs = self.needs(&functions, kind, pod, now);
                Some(Workload { kind, pod, needs })
            })
            .collect();
        found.sort_by_key(|w| {
            let pod = (Arc::clone(&w.pod.namespace), Arc::clone(&w.pod.name));
            (std::cmp::Reverse(w.timing()), w.kind, pod)
        });
        found
    }

    fn needs(
        &self,
        functions: &Functions<'_>,
        kind: CnfKind,
        pod: &Pod,
        now: Timestamp,
    ) -> Vec<Need> {
        let mut needs = vec![running(pod)];
        let Some(node) = pod.node.as_deref() else {
            needs.push(need("node", Timing::NotMet, "has no node yet".into()));
            return needs;
        };
        needs.push(self.node_ready(node));
        if kind.is_timed() {
            let place = self.ptp.binary_search_by(|n| (*n.node).cmp(node));
            let node = place.ok().and_then(|at| self.ptp.get(at));
            needs.push(clock(node, now, self.current_ms(Group::Ptp)));
        }
        needs.extend(self.functions(functions, pod, node));
        needs.extend(self.data_path(pod, now));
        needs.extend(memory(pod));
        if kind.is_timed() {
            needs.push(processors(pod));
        }
        needs
    }

    fn node_ready(&self, node: &str) -> Need {
        let state = self.nodes.get(node).and_then(|n| n.ready);
        match state {
            Some(true) => need("node", Timing::Met, format!("{node} is ready")),
            Some(false) => need("node", Timing::NotMet, format!("{node} is not ready")),
            None => need("node", Timing::Unknown, format!("{node}: state unknown")),
        }
    }

    /// Its virtual functions: held, synced, with a link, without drops.
    fn functions(&self, told: &Functions<'_>, pod: &Pod, node: &str) -> Option<Need> {
        let asked: u64 = self.asked_functions(pod);
        let held = told.held_by(pod);
        if asked == 0 && held.is_empty() {
            return None;
        }
        let what = "VFs";
        let state = self.sriov.get(node);
        if let Some(status) = state.and_then(|s| s.sync_status.as_deref())
            && status == "Failed"
        {
            let text = format!("SR-IOV sync of {node} failed");
            return Some(need(what, Timing::NotMet, text));
        }
        let ports = state.iter().flat_map(|s| &s.interfaces);
        let own = ports.filter(|p| {
            let mut functions = p.functions.iter();
            functions.any(|f| held.contains(&f.pci_address.as_str()))
        });
        let down: Vec<&str> = own
            .filter(|p| p.is_down())
            .map(|p| p.name.as_str())
            .collect();
        if !down.is_empty() {
            let text = format!("link of {} is down", down.join(", "));
            return Some(need(what, Timing::NotMet, text));
        }
        Some(match told.dropped(node, held) {
            Some(rate) if rate >= DROPS => {
                let text = format!(
                    "{} held, {} dropped",
                    held.len(),
                    Unit::PerSecond.write(rate)
                );
                need(what, Timing::NotMet, text)
            }
            Some(rate) if rate > 0.0 => {
                let rate = Unit::PerSecond.write(rate);
                need(
                    what,
                    Timing::Met,
                    format!("{} held, {rate} dropped", held.len()),
                )
            }
            Some(_) => need(what, Timing::Met, format!("{} held, no drops", held.len())),
            None if held.is_empty() => {
                let text = format!("{asked} asked for; no exporter tells which ones");
                need(what, Timing::Unknown, text)
            }
            None => {
                let text = format!("{} held; their drops are not told", held.len());
                need(what, Timing::Unknown, text)
            }
        })
    }

    /// Virtual functions that the pod asks for.
    fn asked_functions(&self, pod: &Pod) -> u64 {
        let names = self.pool_names();
        let own = |name: &str| names.contains(pool_of(name));
        let asked = pod.requests.extended.iter().filter(|(n, _)| own(n));
        asked.map(|(_, count)| count).sum()
    }
}

fn need(what: &'static str, timing: Timing, text: String) -> Need {
    Need { what, timing, text }
}

fn running(pod: &Pod) -> Need {
    let text = match &pod.reason {
        Some(reason) => format!("{} of {} ready, {reason}", pod.ready, pod.containers),
        None => format!("{}, {} of {} ready", pod.phase, pod.ready, pod.containers),
    };
    let timing = match pod.is_bad() {
        true => Timing::NotMet,
        false => Timing::Met,
    };
    need("pod", timing, text)
}

/// `current_ms`: a state told longer ago says nothing of now.
fn clock(node: Option<&PtpNode>, now: Timestamp, current_ms: u64) -> Need {
    let what = "clock";
    let Some((node, state)) = node.and_then(|n| Some((n, n.state?))) else {
        let text = "no PTP state is known of its node".to_owned();
        return need(what, Timing::Unknown, text);
    };
    let newest = node.clocks.iter().filter_map(|c| c.state).map(|s| s.1.at);
    let age_ms = newest.max().map_or(u64::MAX, |at| now.age_since_ms(at));
    if age_ms > current_ms {
        let age = crate::model::unit::age(age_ms);
        let text = format!("{} as told {age} ago", state.word());
        return need(what, Timing::Unknown, text);
    }
    if state != ClockState::Locked {
        return need(
            what,
            Timing::NotMet,
            format!("{} is {}", node.node, state.word()),
        );
    }
    match node.worst_offset() {
        Some((_, offset)) => {
            let text = format!("LOCKED, offset {}", Unit::Nanoseconds.write(offset.value));
            let timing = match node.is_inside(offset.value) {
                true => Timing::Met,
                false => Timing::NotMet,
            };
            need(what, timing, text)
        }
        None => need(what, Timing::Unknown, "LOCKED, offset not told".into()),
    }
}

/// Huge pages that the pod asks for are set aside before it starts: asked for and running is enough.
fn memory(pod: &Pod) -> Option<Need> {
    let pages = pod.requests.extended.iter();
    let pages = pages.filter(|(n, _)| n.starts_with("hugepages-"));
    let told: Vec<String> = pages
        .map(|(name, bytes)| format!("{} {}", name, Unit::Bytes.write(*bytes as f64)))
        .collect();
    (!told.is_empty()).then(|| need("huge pages", Timing::Met, told.join(", ")))
}

fn processors(pod: &Pod) -> Need {
    let what = "CPUs";
    match pod.requests.exclusive_cpus {
        Some(0) => {
            let text = "shared: not Guaranteed, or no container asks for whole ones".to_owned();
            need(what, Timing::NotMet, text)
        }
        Some(count) => {
            let text = format!("{count} of its own where the node's CPU policy is static");
            need(what, Timing::Met, text)
        }
        None => need(what, Timing::Unknown, "quality of service not told".into()),
    }
}

/// What the exporter of virtual functions tells, by whom it is about.
#[derive(Default)]
struct Functions<'a> {
    /// PCI addresses by namespace and pod.
    held: HashMap<(&'a str, &'a str), Vec<&'a str>>,
    /// Packets dropped a second, by node and address: an address is one of its node only.
    drops: HashMap<(&'a str, &'a str), f64>,
}

impl<'a> Functions<'a> {
    fn of(told: &'a Readings, now: Timestamp, current_ms: u64) -> Self {
        let mut functions = Self::default();
        for holder in &told.holders {
            let pod = (&*holder.namespace, &*holder.pod);
            functions.held.entry(pod).or_default().push(&holder.address);
        }
        for function in &told.functions {
            let fresh = |s: &Sample| now.age_since_ms(s.at) <= current_ms;
            let last = function.dropped().filter(fresh);
            if let (Some(address), Some(last)) = (function.address.as_deref(), last) {
                let place = (&*function.node, address);
                functions.drops.insert(place, last.value);
            }
        }
        functions
    }

    fn held_by<'s>(&'s self, pod: &'s Pod) -> &'s [&'s str] {
        let held = self.held.get(&(&*pod.namespace, &*pod.name));
        held.map_or(&[], Vec::as_slice)
    }

    /// Of these functions together; `None`: not all are told, and those that are drop next to nothing.
    fn dropped(&self, node: &str, addresses: &[&str]) -> Option<f64> {
        let each = addresses.iter();
        let told: Vec<f64> = each
            .filter_map(|address| self.drops.get(&(node, *address)).copied())
            .collect();
        let sum: f64 = told.iter().sum();
        let whole = !told.is_empty() && told.len() == addresses.len();
        (whole || sum >= DROPS).then_some(sum)
    }
}

#[cfg(test)]
mod tests;

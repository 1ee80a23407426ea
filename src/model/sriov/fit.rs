//! Whether nodes have what a policy asks for, and if not, why.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{PhysicalFunction, SriovNodeState, SriovPolicy};
use crate::model::object::Node;

/// From good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    Met,
    /// The node has no such port, and others have: it is not about that node.
    Apart,
    /// Nobody tells.
    Unknown,
    /// The operator is at it, or it is so on purpose.
    Pending,
    Missed,
}

impl Grade {
    pub fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Apart => "not concerned",
            Self::Unknown => "unknown",
            Self::Pending => "not yet",
            Self::Missed => "not met",
        }
    }
}

/// A policy against one port of one node; without a port: against the node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeFit {
    pub node: Arc<str>,
    pub port: Option<String>,
    pub grade: Grade,
    pub text: String,
}

/// A policy against all nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    pub grade: Grade,
    /// What is to be said of the policy as a whole.
    pub text: Option<String>,
    /// Nodes that it matches and that have such a port; `None`: nodes are not known.
    pub nodes: Option<usize>,
    pub each: Vec<NodeFit>,
}

impl Fit {
    fn whole(grade: Grade, nodes: Option<usize>, text: impl Into<String>) -> Self {
        Self {
            grade,
            text: Some(text.into()),
            nodes,
            each: Vec::new(),
        }
    }

    /// Nodes that have all that is asked of them.
    pub fn met(&self) -> usize {
        let mut bad: Vec<&str> = Vec::new();
        for fit in self.each.iter().filter(|f| f.grade > Grade::Apart) {
            if !bad.contains(&&*fit.node) {
                bad.push(&fit.node);
            }
        }
        self.nodes.unwrap_or(0).saturating_sub(bad.len())
    }

    /// The worst thing, in words; `None`: all is as asked.
    pub fn problem(&self) -> Option<String> {
        if let Some(text) = &self.text {
            return Some(text.clone());
        }
        let mut bad = self.each.iter().filter(|f| f.grade == self.grade);
        let first = bad.next().filter(|_| self.grade > Grade::Apart)?;
        let rest = self.each.iter().filter(|f| f.grade > Grade::Apart).count() - 1;
        let more = match rest {
            0 => String::new(),
            n => format!(" (and {n} more)"),
        };
        Some(format!("{}: {}{more}", first.node, first.text))
    }
}

type ByName<T> = BTreeMap<Arc<str>, T>;

/// Holds every policy against the cluster; in their order. Without the nodes or their states
/// (`None`: they were not listed) nothing is said of them.
pub fn fits(
    policies: &[&SriovPolicy],
    nodes: Option<&ByName<Node>>,
    states: Option<&ByName<SriovNodeState>>,
) -> Vec<Fit> {
    let mut each: Vec<Vec<NodeFit>> = vec![Vec::new(); policies.len()];
    let mut matched = vec![0; policies.len()];
    for node in nodes.into_iter().flat_map(|n| n.values()) {
        let own: Vec<usize> = (0..policies.len())
            .filter(|at| {
                policies
                    .get(*at)
                    .is_some_and(|p| p.counts() && p.matches(node))
            })
            .collect();
        let state = states.map(|s| s.get(&node.name));
        for (at, fit) in on_node(policies, &own, state) {
            if let Some(found) = each.get_mut(at) {
                let node = Arc::clone(&node.name);
                found.push(NodeFit { node, ..fit });
            }
        }
        for at in own {
            matched.get_mut(at).into_iter().for_each(|n| *n += 1);
        }
    }
    let found = policies.iter().zip(each).zip(matched);
    found
        .map(|((policy, each), matched)| whole(policy, nodes.map(|_| matched), each))
        .collect()
}

fn whole(policy: &SriovPolicy, nodes: Option<usize>, mut each: Vec<NodeFit>) -> Fit {
    if policy.is_default() {
        let text = "the operator passes over the policy named default";
        return Fit::whole(Grade::Unknown, None, text);
    }
    if policy.num_vfs == 0 {
        return Fit::whole(Grade::Unknown, None, "asks for no VFs");
    }
    if policy.ports.is_empty() {
        let text = "selects no port: its nicSelector is empty";
        return Fit::whole(Grade::Missed, None, text);
    }
    match nodes {
        None => {
            let text = "the nodes of the cluster are not known";
            Fit::whole(Grade::Unknown, None, text)
        }
        Some(0) => {
            let text = format!("no node matches {}", labels(policy));
            Fit::whole(Grade::Missed, Some(0), text)
        }
        Some(_) => {
            if !policy.ports.is_named() && each.iter().all(|f| f.grade == Grade::Apart) {
                let text = format!("no node has a port of {}", policy.ports.words());
                return Fit::whole(Grade::Missed, nodes, text);
            }
            each.sort_by(|a, b| (b.grade, &a.node, &a.port).cmp(&(a.grade, &b.node, &b.port)));
            let about = each.iter().filter(|f| f.grade != Grade::Apart);
            let grade = about.map(|f| f.grade).max();
            let apart = each.iter().filter(|f| f.grade == Grade::Apart).count();
            Fit {
                grade: grade.unwrap_or(Grade::Unknown),
                text: None,
                nodes: nodes.map(|n| n.saturating_sub(apart)),
                each,
            }
        }
    }
}

/// The labels a node must have, as `kubectl` writes them.
pub fn labels(policy: &SriovPolicy) -> String {
    let all = policy.nodes.iter();
    let all: Vec<String> = all.map(|(name, value)| format!("{name}={value}")).collect();
    match all.is_empty() {
        true => "any node".into(),
        false => all.join(" "),
    }
}

/// What is to be said of the policies (by their places) on one node, which is left out of it.
/// `state`: outer `None`: states are not known; inner: this node has none.
fn on_node(
    policies: &[&SriovPolicy],
    own: &[usize],
    state: Option<Option<&SriovNodeState>>,
) -> Vec<(usize, NodeFit)> {
    let mut found = Vec::new();
    let mut say = |at: usize, port: Option<&PhysicalFunction>, (grade, text): (Grade, String)| {
        let fit = NodeFit {
            node: Arc::default(),
            port: port.map(|p| p.name.clone()),
            grade,
            text,
        };
        found.push((at, fit));
    };
    let state = match state {
        Some(Some(state)) => state,
        other => {
            let told = match other {
                None => (Grade::Unknown, "its SR-IOV state is not known"),
                Some(_) => (
                    Grade::Missed,
                    "no SriovNetworkNodeState: the operator does not look after this node",
                ),
            };
            own.iter()
                .for_each(|at| say(*at, None, (told.0, told.1.to_owned())));
            return found;
        }
    };
    let named = |at: &usize| Some((*at, *policies.get(*at)?));
    let own: Vec<(usize, &SriovPolicy)> = own.iter().filter_map(named).collect();
    let mut placed: BTreeSet<usize> = BTreeSet::new();
    for port in &state.interfaces {
        let selects = |(_, p): &&(usize, &SriovPolicy)| p.ports.refusal(port).is_none();
        let claims: Vec<&(usize, &SriovPolicy)> = own.iter().filter(selects).collect();
        for (at, policy) in &claims {
            let rivals = claims.iter().filter(|(other, _)| other != at);
            let rivals: Vec<&SriovPolicy> = rivals.map(|(_, p)| *p).collect();
            say(*at, Some(port), on_port(policy, port, state, &rivals));
            placed.insert(*at);
        }
    }
    for (at, policy) in own.iter().filter(|(at, _)| !placed.contains(at)) {
        say(*at, None, not_found(policy, state));
    }
    found
}

/// Why no port of a node is one of the policy's.
fn not_found(policy: &SriovPolicy, state: &SriovNodeState) -> (Grade, String) {
    if state.interfaces.is_empty() {
        return (Grade::Pending, "the node has told no port yet".into());
    }
    if !policy.ports.is_named() {
        let text = format!("no port of {}", policy.ports.words());
        return (Grade::Apart, text);
    }
    let named = |p: &&PhysicalFunction| policy.ports.names_port(p);
    if let Some(port) = state.interfaces.iter().find(named)
        && let Some(why) = policy.ports.refusal(port)
    {
        return (Grade::Missed, format!("{} {why}", port.name));
    }
    let told: Vec<String> = state
        .interfaces
        .iter()
        .take(4)
        .map(|p| {
            let device = p.device_id.as_deref().unwrap_or("");
            format!("{} {} {device}", p.name, p.vendor)
                .trim_end()
                .to_owned()
        })
        .collect();
    let more = match state.interfaces.len() - told.len() {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let text = format!(
        "PF not found: wants {}, the node has {}{more}",
        policy.ports.words(),
        told.join(", ")
    );
    (Grade::Missed, text)
}

fn on_port(
    policy: &SriovPolicy,
    port: &PhysicalFunction,
    state: &SriovNodeState,
    rivals: &[&SriovPolicy],
) -> (Grade, String) {
    let (name, wanted) = (&port.name, policy.num_vfs);
    let range = policy.range(port);
    let overlaps = |p: &&&SriovPolicy| {
        let other = p.range(port);
        other.start() <= range.end() && range.start() <= other.end()
    };
    let claims: Vec<&&SriovPolicy> = rivals.iter().filter(overlaps).collect();
    if let Some(winner) = claims.iter().find(|p| p.beats(policy)) {
        let by = match winner.priority == policy.priority {
            true => format!("of the same priority {}", policy.priority),
            false => format!("priority {} before {}", winner.priority, policy.priority),
        };
        let text = format!(
            "two policies claim {name} VFs {}-{}: {} wins ({by})",
            range.start(),
            range.end(),
            winner.name
        );
        return (Grade::Missed, text);
    }
    if wanted > port.total_vfs {
        let text = format!(
            "wants {wanted} VFs on {name}, which can have {}",
            port.total_vfs
        );
        return (Grade::Missed, text);
    }
    let grade = match state.sync_status.as_deref() {
        Some("InProgress") => Grade::Pending,
        _ => Grade::Missed,
    };
    if port.num_vfs < wanted {
        let text = format!("wants {wanted} VFs on {name}, node has {}", port.num_vfs);
        return (grade, text);
    }
    let taken = |g: &super::VfGroup| g.policy.as_deref() == Some(&*policy.name);
    if !port.groups.iter().any(taken) {
        let text = format!("the operator has not put it into the node's state for {name}");
        return (Grade::Pending, text);
    }
    if let Some(text) = different(policy, port) {
        return (grade, text);
    }
    if claims.iter().any(|p| p.priority == policy.priority) {
        let others: Vec<&str> = claims.iter().map(|p| &*p.name).collect();
        let text = format!(
            "{wanted} VFs on {name}; {} claims them too",
            others.join(", ")
        );
        return (Grade::Pending, text);
    }
    let text = format!("{wanted} of {wanted} VFs on {name}");
    (Grade::Met, text)
}

/// VFs are there, but not as asked.
fn different(policy: &SriovPolicy, port: &PhysicalFunction) -> Option<String> {
    let name = &port.name;
    if let (Some(wanted), Some(has)) = (policy.mtu, port.mtu)
        && has < wanted
    {
        return Some(format!("wants MTU {wanted} on {name}, port has {has}"));
    }
    if let (Some(wanted), Some(has)) = (&policy.eswitch, &port.eswitch)
        && wanted != has
    {
        return Some(format!("wants {wanted} on {name}, port is {has}"));
    }
    let range = policy.range(port);
    let other = |driver: &str| (policy.device_type == "vfio-pci") != (driver == "vfio-pci");
    let own = port.functions.iter().filter(|f| range.contains(&f.index));
    let drivers = own.filter_map(|f| f.driver.as_deref());
    let wrong: Vec<&str> = drivers.filter(|d| other(d)).collect();
    let first = wrong.first()?;
    Some(format!(
        "wants {} on {name}, {} VFs are on {first}",
        policy.device_type,
        wrong.len()
    ))
}

#[cfg(test)]
mod tests;

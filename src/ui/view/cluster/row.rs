//! Nodes and pods as rows: what series and pods tell of a node, ranks, orders, filter fields.

use std::collections::HashMap;

use ratatui::text::Line;

use crate::model::object::{Node, Pod, Requests};
use crate::model::ptp::ClockState;
use crate::state::world::{ClusterState, NodeValue, World, holds_room, is_gpu};
use crate::ui::Ctx;
use crate::ui::widget::badge;

/// What pods ask for on a node.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub pods: usize,
    pub requests: Requests,
    pub gpus: u64,
}

/// What series and pods tell of nodes, looked up once a frame.
#[derive(Debug, Default)]
pub struct NodeFacts {
    cpu: HashMap<String, NodeValue>,
    memory: HashMap<String, NodeValue>,
    asked: HashMap<String, Asked>,
    ptp: HashMap<String, Option<ClockState>>,
    ptp_old: bool,
    pods_listed: bool,
}

impl NodeFacts {
    pub fn new(world: &World, c: &ClusterState) -> Self {
        let mut asked: HashMap<String, Asked> = HashMap::new();
        for pod in c.pods.values().filter(|p| holds_room(p)) {
            let Some(node) = pod.node.as_deref() else {
                continue;
            };
            let sum = match asked.get_mut(node) {
                Some(sum) => sum,
                None => asked.entry(node.to_owned()).or_default(),
            };
            sum.pods += 1;
            sum.requests.cpu_milli += pod.requests.cpu_milli;
            sum.requests.memory_bytes += pod.requests.memory_bytes;
            let gpus = pod
                .requests
                .extended
                .iter()
                .filter(|(name, _)| is_gpu(name));
            sum.gpus += gpus.map(|(_, count)| count).sum::<u64>();
        }
        let ptp = c.ptp.iter().map(|n| (n.node.to_string(), n.state));
        Self {
            cpu: world.node_values(c, "node_cpu_busy").into_iter().collect(),
            memory: world
                .node_values(c, "node_memory_used")
                .into_iter()
                .collect(),
            asked,
            ptp: ptp.collect(),
            ptp_old: world.is_old(c.ptp_until),
            pods_listed: c.is_listed(crate::model::object::ObjectKind::Pod),
        }
    }

    fn asked(&self, node: &Node) -> Option<Asked> {
        let asked = self.asked.get(node.name.as_ref()).cloned();
        asked.or_else(|| self.pods_listed.then(Asked::default))
    }

    fn pods(&self, node: &Node) -> String {
        let held = self.asked(node).map(|a| a.pods);
        match (held, node.room.pods) {
            (Some(held), Some(most)) => format!("{held}/{most}"),
            (Some(held), None) => held.to_string(),
            (None, _) => "?".into(),
        }
    }

    /// What is asked of what there is, in per cent.
    fn share(&self, node: &Node, of: fn(&Asked) -> u64, all: Option<u64>) -> String {
        match (self.asked(node), all.filter(|all| *all > 0)) {
            (Some(asked), Some(all)) => {
                format!("{:.0}%", of(&asked) as f64 * 100.0 / all as f64)
            }
            _ => "n/a".into(),
        }
    }

    fn gpus(&self, node: &Node) -> String {
        let offered = node.allocatable.iter().filter(|(name, _)| is_gpu(name));
        let offered: u64 = offered.map(|(_, count)| *count).sum();
        match (offered, self.asked(node)) {
            (0, _) => "—".into(),
            (all, Some(asked)) => format!("{}/{all}", asked.gpus),
            (all, None) => format!("?/{all}"),
        }
    }
}

/// Worse nodes first.
pub fn node_rank(n: &Node) -> u8 {
    match (n.ready, n.problems.is_empty(), n.unschedulable) {
        (Some(false), _, _) => 4,
        (None, _, _) => 3,
        (_, false, _) => 2,
        (_, _, true) => 1,
        _ => 0,
    }
}

pub fn node<'a>(ctx: &Ctx, held: &NodeFacts, n: &'a Node, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let (glyph, style) = match node_rank(n) {
        4 => ("✗", theme.crit),
        3 => ("?", theme.unknown),
        1 | 2 => ("▲", theme.warn),
        _ => ("●", theme.ok),
    };
    let ratio = |map: &HashMap<String, NodeValue>| match map.get(n.name.as_ref()) {
        Some(told) if ctx.world.is_old(told.until) => {
            Line::styled(format!("{:.0}%~", told.value * 100.0), theme.muted)
        }
        Some(told) => Line::styled(format!("{:.0}%", told.value * 100.0), theme.base),
        None => Line::styled("n/a", theme.base),
    };
    match column {
        0 => Line::styled(glyph, style),
        1 => Line::styled(n.name.as_ref(), theme.base),
        2 => Line::styled(n.roles.join(","), theme.muted),
        3 => ratio(&held.cpu),
        4 => ratio(&held.memory),
        5 => Line::styled(held.pods(n), theme.muted),
        6 => Line::styled(node_note(n), style),
        7 => {
            let cpu = held.share(n, |a| a.requests.cpu_milli, n.room.cpu_milli);
            Line::styled(cpu, theme.muted)
        }
        8 => {
            let memory = held.share(n, |a| a.requests.memory_bytes, n.room.memory_bytes);
            Line::styled(memory, theme.muted)
        }
        9 => Line::styled(held.gpus(n), theme.muted),
        10 => match held.ptp.get(n.name.as_ref()) {
            None => Line::styled("—", theme.muted),
            Some(None) => Line::styled("?", theme.unknown),
            Some(Some(state)) if held.ptp_old => {
                Line::styled(format!("{}~", state.word()), theme.muted)
            }
            Some(Some(state)) => {
                let style = match state {
                    ClockState::Locked => theme.ok,
                    ClockState::Holdover => theme.warn,
                    ClockState::Freerun => theme.crit,
                };
                Line::styled(state.word(), style)
            }
        },
        11 => Line::styled(n.kubelet_version.as_str(), theme.muted),
        12 => {
            let age = n.created.map(|at| badge::age(ctx.world.age_ms(at)));
            Line::styled(age.unwrap_or_else(|| "?".into()), theme.muted)
        }
        _ => Line::styled(n.taints.join(" "), theme.muted),
    }
}

pub fn node_note(n: &Node) -> String {
    let mut notes = Vec::new();
    match n.ready {
        Some(false) => notes.push("not ready".to_owned()),
        None => notes.push("readiness unknown".to_owned()),
        Some(true) => {}
    }
    if n.unschedulable {
        notes.push("cordoned".to_owned());
    }
    notes.extend(n.problems.iter().cloned());
    notes.join(", ")
}

pub fn pod_fields(p: &Pod) -> Vec<(&str, &str)> {
    let mut fields: Vec<(&str, &str)> = vec![
        ("name", &p.name),
        ("namespace", &p.namespace),
        ("ns", &p.namespace),
        ("phase", &p.phase),
    ];
    if let Some(node) = &p.node {
        fields.push(("node", node));
    }
    if let Some(reason) = &p.reason {
        fields.push(("reason", reason));
    }
    if let Some((_, owner)) = &p.owner {
        fields.push(("owner", owner));
    }
    fields
}

/// Bad pods first, the most restarts first; they come by name, and so they stay where all else is
/// the same.
pub fn pod_key(p: &Pod, column: Option<usize>) -> (std::cmp::Reverse<u64>, &str) {
    let restarts = u64::from(p.restarts);
    let (weight, text) = match column {
        None => (u64::from(p.is_bad()) << 40 | restarts, ""),
        Some(2) => (0, p.standing()),
        Some(3) => (restarts, ""),
        Some(_) => (0, ""),
    };
    (std::cmp::Reverse(weight), text)
}

//! Rows of the cluster screen, and what is known of each in full.

use std::collections::HashMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::config::ClusterKind;
use crate::model::health::SourceKind;
use crate::model::object::{Event, Node, Pod};
use crate::model::unit::Unit;
use crate::state::world::{ClusterState, World};
use crate::ui::Ctx;
use crate::ui::widget::badge;

/// Two rows on top: who the cluster is, and how it is.
pub fn facts(ctx: &Ctx, area: Rect, buf: &mut Buffer, c: &ClusterState) {
    let (status, why) = ctx.world.standing(c.id);
    let (glyph, word, style) = badge::status(ctx.theme, status);
    let x = ctx.put(
        buf,
        (area.x, area.y),
        area.width,
        &format!("{glyph} {word} "),
        style,
    );
    let x = ctx.put(
        buf,
        (x, area.y),
        area.right().saturating_sub(x),
        &c.name,
        ctx.theme.title,
    );
    let kind = match c.kind {
        ClusterKind::Hub => "hub",
        ClusterKind::Spoke => "spoke",
        ClusterKind::Edge => "edge",
        ClusterKind::FarEdge => "far-edge",
    };
    let facts = &c.facts;
    let mut parts = vec![format!("  {kind}")];
    parts.extend(c.environment.clone());
    parts.extend(c.region.clone());
    let versions = [
        ("OpenShift", &facts.openshift_version),
        ("Kubernetes", &facts.kubernetes_version),
        ("Prometheus", &facts.prometheus_version),
    ];
    let known = versions
        .iter()
        .filter_map(|(n, v)| v.as_ref().map(|v| format!("{n} {v}")));
    parts.extend(known);
    if facts.openshift_version.is_none() && facts.kubernetes_version.is_none() {
        parts.push("version unknown".into());
    }
    let text = parts.join(" · ");
    ctx.put(
        buf,
        (x, area.y),
        area.right().saturating_sub(x),
        &text,
        ctx.theme.muted,
    );
    if area.height > 1 {
        ctx.put(buf, (area.x, area.y + 1), area.width, &why, ctx.theme.base);
    }
}

/// `3`, or `3 of 40`.
pub fn shown(rows: usize, all: usize) -> String {
    if rows == all {
        format!("{all}")
    } else {
        format!("{rows} of {all}")
    }
}

/// Says why a list that comes from the Kubernetes API is empty. True: it did.
pub fn nothing(ctx: &Ctx, area: Rect, buf: &mut Buffer, c: &ClusterState, empty: bool) -> bool {
    if !empty {
        return false;
    }
    let text = match c.sources.get(&SourceKind::Kubernetes) {
        None => "unknown: no kube context is configured for this cluster",
        Some(h) if h.fault().is_some() => "unknown: the Kubernetes API is not heard",
        Some(h) if h.last_ok.is_none() => "not heard yet",
        Some(_) => "none",
    };
    ctx.put(buf, (area.x, area.y), area.width, text, ctx.theme.muted);
    true
}

/// What series and pods tell of nodes, looked up once a frame.
pub struct NodeFacts {
    cpu: HashMap<String, f64>,
    memory: HashMap<String, f64>,
    pods: HashMap<String, usize>,
}

impl NodeFacts {
    pub fn new(world: &World, c: &ClusterState) -> Self {
        let mut pods = HashMap::new();
        for node in c.pods.values().filter_map(|p| p.node.as_deref()) {
            *pods.entry(node.to_owned()).or_insert(0) += 1;
        }
        Self {
            cpu: newest(world, c, "node_cpu_busy"),
            memory: newest(world, c, "node_memory_used"),
            pods,
        }
    }
}

fn newest(world: &World, c: &ClusterState, signal: &str) -> HashMap<String, f64> {
    let names = ["node", "nodename", "instance", "kubernetes_node"];
    world
        .store
        .find(c.id, signal)
        .filter_map(|(id, key)| {
            let sample = world.store.last(id)?;
            let node = key.labels.first_of(&names)?;
            // An address with a port stands for its host.
            let host = node.rsplit_once(':').map_or(node, |(host, _)| host);
            Some((host.to_owned(), sample.value))
        })
        .collect()
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
    let ratio = |map: &HashMap<String, f64>| match map.get(n.name.as_ref()) {
        Some(value) => Unit::Ratio.write((value * 100.0).round() / 100.0),
        None => "n/a".into(),
    };
    match column {
        0 => Line::styled(glyph, style),
        1 => Line::styled(n.name.as_ref(), theme.base),
        2 => Line::styled(n.roles.join(","), theme.muted),
        3 => Line::styled(ratio(&held.cpu), theme.base),
        4 => Line::styled(ratio(&held.memory), theme.base),
        5 => Line::styled(
            held.pods
                .get(n.name.as_ref())
                .copied()
                .unwrap_or(0)
                .to_string(),
            theme.muted,
        ),
        6 => Line::styled(n.kubelet_version.as_str(), theme.muted),
        _ => Line::styled(node_note(n), style),
    }
}

fn node_note(n: &Node) -> String {
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
    fields
}

/// Bad pods first, the most restarts first, then by name.
pub fn pod_key(p: &Pod, column: Option<usize>) -> (std::cmp::Reverse<u64>, String) {
    let name = format!("{}/{}", p.namespace, p.name);
    let restarts = u64::from(p.restarts);
    let (weight, text) = match column {
        None => (u64::from(p.is_bad()) << 40 | restarts, name),
        Some(2) => (0, format!("{} {name}", state(p))),
        Some(3) => (restarts, name),
        Some(_) => (0, name),
    };
    (std::cmp::Reverse(weight), text)
}

fn state(p: &Pod) -> &str {
    p.reason.as_deref().unwrap_or(&p.phase)
}

pub fn pod<'a>(ctx: &Ctx, p: &'a Pod, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let (glyph, style) = match (p.is_bad(), p.reason.is_some(), p.phase.as_str()) {
        (true, true, _) | (_, _, "Failed") => ("✗", theme.crit),
        (true, false, _) | (false, true, _) => ("▲", theme.warn),
        (false, false, _) => ("●", theme.ok),
    };
    match column {
        0 => Line::styled(glyph, style),
        1 => Line::styled(format!("{}/{}", p.namespace, p.name), theme.base),
        2 => Line::styled(state(p), style),
        3 => Line::styled(p.restarts.to_string(), theme.base),
        4 => Line::styled(format!("{}/{}", p.ready, p.containers), theme.base),
        5 => Line::styled(
            p.since
                .map_or("?".into(), |at| badge::age(ctx.world.age_ms(at))),
            theme.muted,
        ),
        _ => Line::styled(p.node.as_deref().unwrap_or("none"), theme.muted),
    }
}

pub fn event<'a>(ctx: &Ctx, e: &'a Event, column: usize) -> Line<'a> {
    let style = if e.warning {
        ctx.theme.warn
    } else {
        ctx.theme.base
    };
    match column {
        0 => Line::styled(ctx.clock(e.at), ctx.theme.muted),
        1 => Line::styled(e.reason.as_str(), style),
        2 => Line::styled(format!("{}/{}", e.about.0, e.about.1), ctx.theme.base),
        3 => Line::styled(e.count.to_string(), ctx.theme.muted),
        _ => Line::styled(e.message.as_str(), ctx.theme.base),
    }
}

pub fn explain_node(n: &Node) -> String {
    let resources: Vec<String> = n
        .allocatable
        .iter()
        .map(|(k, v)| format!("{k} {v}"))
        .collect();
    format!(
        "node {}  kubelet {}\n{}\nextended resources: {}",
        n.name,
        n.kubelet_version,
        node_note(n),
        if resources.is_empty() {
            "none".into()
        } else {
            resources.join(", ")
        }
    )
}

pub fn explain_pod(p: &Pod) -> String {
    let owner = p
        .owner
        .as_ref()
        .map_or("no owner".into(), |(k, n)| format!("{k} {n}"));
    format!(
        "{}/{}  {}  {} of {} ready, {} restarts\nnode {}  {owner}\n{}",
        p.namespace,
        p.name,
        state(p),
        p.ready,
        p.containers,
        p.restarts,
        p.node.as_deref().unwrap_or("none"),
        p.message.as_deref().unwrap_or("")
    )
}

pub fn explain_event(e: &Event) -> String {
    format!(
        "{}  {} {}/{} ×{} by {}\n{}",
        e.at.rfc3339(),
        e.reason,
        e.about.0,
        e.about.1,
        e.count,
        e.reporter,
        e.message
    )
}

pub fn brief(ctx: &Ctx, c: &ClusterState) -> String {
    let (status, why) = ctx.world.standing(c.id);
    let (_, word, _) = badge::status(ctx.theme, status);
    let bad: Vec<String> = c
        .unhealthy_pods()
        .take(20)
        .map(|p| {
            format!(
                "- {}/{} {} restarts {}",
                p.namespace,
                p.name,
                state(p),
                p.restarts
            )
        })
        .collect();
    format!(
        "Cluster screen of {}: {word}, {why}. {} nodes, {} pods, {} unhealthy:\n{}",
        c.name,
        c.nodes.len(),
        c.pods.len(),
        c.unhealthy_pods().count(),
        bad.join("\n")
    )
}

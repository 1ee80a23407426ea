//! Everything known of a row of the cluster screen, in full.

use super::problem::Problem;
use super::rows::{Repeated, Row};
use super::{cell, row, source};
use crate::model::condition::ObjectCondition;
use crate::model::discovery::Probe;
use crate::model::object::{Event, Node, Pod};
use crate::model::openshift::ClusterVersion;
use crate::model::time::Timestamp;
use crate::model::workload::Workload;
use crate::state::world::ClusterState;

pub fn row(c: &ClusterState, row: &Row, now: Timestamp) -> String {
    match row {
        Row::Problem(p) => of_problem(c, p),
        Row::Node(n) => of_node(n),
        Row::Pod(p) => of_pod(p),
        Row::Workload(w) => of_workload(w),
        Row::Event(e) => of_event(e),
        Row::Repeated(r) => of_repeated(r),
        Row::Version(v) => of_version(v),
        Row::Operator(o) => format!(
            "operator {}  {}\n{}",
            o.name,
            o.version.as_deref().unwrap_or("version unknown"),
            conditions(&o.conditions)
        ),
        Row::Room(r) => r.explain(now),
        Row::Probe(p) => of_probe(p),
        Row::Source(kind, health) => source::explain(*kind, health, now),
    }
}

fn conditions(all: &[ObjectCondition]) -> String {
    let each = all.iter().map(|c| {
        let status = match c.status {
            Some(true) => "True",
            Some(false) => "False",
            None => "Unknown",
        };
        let since = c
            .since
            .map_or(String::new(), |at| format!(" since {}", at.rfc3339()));
        format!("{} {status}{since} {} {}", c.kind, c.reason, c.message)
    });
    each.collect::<Vec<_>>().join("\n")
}

fn of_problem(c: &ClusterState, p: &Problem) -> String {
    let key = (p.namespace.clone(), p.name.clone());
    let whole = match p.word {
        "pod" => c.pods.get(&key).map(of_pod),
        "node" => c.nodes.get(&p.name).map(of_node),
        _ => {
            let mut all = c.workloads.values();
            let own = |w: &&Workload| {
                crate::model::object::ObjectKind::of_workload(w.kind) == p.kind
                    && (&w.namespace, &w.name) == (&p.namespace, &p.name)
            };
            all.find(own).map(of_workload)
        }
    };
    let whole = whole.unwrap_or_else(|| format!("{} {}  {}", p.word, p.place(), p.state));
    format!("{whole}\nfirst look: {}", p.remedy)
}

fn of_node(n: &Node) -> String {
    let resources: Vec<String> = n
        .allocatable
        .iter()
        .map(|(k, v)| format!("{k} {v}"))
        .collect();
    let list = |all: &[String]| match all.is_empty() {
        true => "none".to_owned(),
        false => all.join(", "),
    };
    let known = |value: Option<String>| value.unwrap_or_else(|| "n/a".into());
    format!(
        "node {}  kubelet {}  {}\n{}\nallocatable: cpu {}, memory {}, pods {}\nextended resources: {}\ntaints: {}",
        n.name,
        n.kubelet_version,
        n.os_image,
        row::node_note(n),
        known(
            n.room
                .cpu_milli
                .map(|m| format!("{} cores", m as f64 / 1000.0))
        ),
        known(
            n.room
                .memory_bytes
                .map(|b| crate::model::unit::Unit::Bytes.write(b as f64))
        ),
        known(n.room.pods.map(|p| p.to_string())),
        list(&resources),
        list(&n.taints),
    )
}

fn of_pod(p: &Pod) -> String {
    let owner = p
        .owner
        .as_ref()
        .map_or("no owner".into(), |(k, n)| format!("{k} {n}"));
    format!(
        "{}/{}  {}  {} of {} ready, {} restarts\nnode {}  {owner}\n{}",
        p.namespace,
        p.name,
        p.standing(),
        p.ready,
        p.containers,
        p.restarts,
        p.node.as_deref().unwrap_or("none"),
        p.message.as_deref().unwrap_or("")
    )
}

fn of_workload(w: &Workload) -> String {
    let policies: Vec<&str> = w.policies.iter().map(|p| p.words()).collect();
    format!(
        "{} {}/{}  {}  {} of {} ready, {} updated, {} available\nimages: {}\nfindings of policy: {}\n{}",
        w.kind.as_str(),
        w.namespace,
        w.name,
        cell::rollout(w),
        w.ready,
        w.desired,
        w.updated,
        w.available,
        w.images.join(", "),
        match policies.is_empty() {
            true => "none".to_owned(),
            false => policies.join(", "),
        },
        conditions(&w.conditions)
    )
}

fn of_event(e: &Event) -> String {
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

fn of_repeated(r: &Repeated) -> String {
    format!(
        "{} ×{} about {} {}, from {} to {}\nthe newest:\n{}",
        r.newest.reason,
        r.count,
        r.kind,
        r.owner,
        r.first.rfc3339(),
        r.newest.at.rfc3339(),
        of_event(r.newest)
    )
}

fn of_version(v: &ClusterVersion) -> String {
    let updates = match &v.available_updates {
        None => "unknown: the update service could not be asked".to_owned(),
        Some(all) if all.is_empty() => "none".into(),
        Some(all) => all.join(", "),
    };
    let history = v.history.iter().take(5).map(|u| {
        let time =
            |at: Option<Timestamp>| at.map_or_else(|| "under way".to_owned(), |at| at.rfc3339());
        format!(
            "{} {} from {} to {}",
            u.version,
            u.state,
            time(u.started),
            time(u.completed)
        )
    });
    let history: Vec<String> = history.collect();
    format!(
        "cluster version {}  channel {}\nupdates offered: {updates}\n{}\n{}",
        v.desired,
        v.channel.as_deref().unwrap_or("none"),
        history.join("\n"),
        conditions(&v.conditions)
    )
}

fn of_probe(p: &Probe) -> String {
    let mut lines = vec![format!(
        "{}: {}",
        p.component.word(),
        cell::outcome(p.outcome)
    )];
    lines.push(p.reason.clone());
    lines.extend(p.place.iter().map(|place| format!("at {place}")));
    lines.extend(p.via.iter().map(|via| format!("via {via}")));
    lines.extend(p.version.iter().map(|version| format!("version {version}")));
    lines.push(match p.used {
        true => "it is one of the sources here".into(),
        false => "it is not used as a source".into(),
    });
    lines.push(format!("looked at {}", p.at.rfc3339()));
    lines.join("\n")
}

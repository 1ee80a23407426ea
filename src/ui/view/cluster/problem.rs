//! All that is not well in a cluster in one list, worst first, each with what to look at first.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::condition::{ObjectCondition, find, is_true};
use crate::model::object::{Node, ObjectKind, Pod};
use crate::model::openshift::ClusterOperator;
use crate::model::time::Timestamp;
use crate::model::workload::{Claim, Workload, WorkloadKind};
use crate::state::world::{ClusterState, Status};
use crate::ui::widget::filter::Filter;

#[derive(Clone, Debug)]
pub struct Problem {
    pub status: Status,
    /// Order among those of one status: what others hang on comes first.
    pub rank: u8,
    pub word: &'static str,
    pub kind: ObjectKind,
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    pub state: String,
    pub remedy: String,
    pub since: Option<Timestamp>,
    /// Of a pod: what runs it, and its state. Those that share both are one row.
    group: Option<(String, String)>,
}

impl Problem {
    pub fn place(&self) -> String {
        match self.namespace.as_ref() {
            "" => self.name.to_string(),
            namespace => format!("{namespace}/{}", self.name),
        }
    }
}

fn said(condition: &ObjectCondition) -> String {
    match condition.message.is_empty() {
        true => condition.reason.clone(),
        false => condition.message.clone(),
    }
}

pub fn all(c: &ClusterState, filter: &Filter) -> Vec<Problem> {
    let mut found: Vec<Problem> = Vec::new();
    found.extend(c.nodes.values().filter_map(node));
    found.extend(version(c));
    found.extend(c.operators.values().filter(|o| o.is_bad()).map(operator));
    let down = c.nodes.len() - c.capacity.ready_nodes.min(c.nodes.len());
    let short = c.workloads.values().filter_map(|w| workload(w, down));
    found.extend(short);
    let bad = c.pods.values().filter(|p| p.is_bad() || p.reason.is_some());
    found.extend(bad.map(pod));
    let waiting = c.waiting_namespaces();
    let claims = c.claims.values();
    found.extend(claims.filter_map(|k| claim(k, waiting.contains(&k.namespace))));
    found.extend(c.autoscalers.values().filter(|a| a.is_degraded()).map(|a| {
        let bad = a.conditions.iter().find(|c| c.status == Some(false));
        Problem {
            status: Status::Warning,
            rank: 5,
            word: "hpa",
            kind: ObjectKind::Autoscaler,
            namespace: a.namespace.clone(),
            name: a.name.clone(),
            state: bad.map_or("degraded".into(), |c| format!("{} False", c.kind)),
            remedy: bad.map_or_else(String::new, said),
            since: bad.and_then(|c| c.since),
            group: None,
        }
    }));
    found.retain(|p| {
        filter.is_empty()
            || filter.matches(&[
                ("name", &p.name),
                ("namespace", &p.namespace),
                ("ns", &p.namespace),
                ("kind", p.word),
                ("state", &p.state),
                ("remedy", &p.remedy),
            ])
    });
    let bad = |s: Status| match s {
        Status::Critical => 0,
        Status::Unknown => 1,
        Status::Warning => 2,
        Status::Ok => 3,
    };
    // What began last is what somebody just did; of one age by name.
    found.sort_by(|a, b| {
        let key = |p: &Problem| (bad(p.status), p.rank, std::cmp::Reverse(p.since));
        key(a)
            .cmp(&key(b))
            .then_with(|| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)))
    });
    fold(&mut found);
    found
}

/// Pods of one controller in one state are one row: that of the first of them.
fn fold(found: &mut Vec<Problem>) {
    let key = |p: &Problem| Some((p.status, p.namespace.clone(), p.group.clone()?));
    let mut counts = HashMap::new();
    found.retain(|p| {
        let count = key(p).map(|key| counts.entry(key).or_insert(0));
        count.is_none_or(|count| {
            *count += 1;
            *count == 1
        })
    });
    for problem in found {
        let count = key(problem).and_then(|key| counts.get(&key).copied());
        if let (Some((owner, _)), Some(count @ 2..)) = (&problem.group, count) {
            problem.state = format!("{}, {count} pods of {owner}", problem.state);
        }
    }
}

fn node(n: &Node) -> Option<Problem> {
    let (status, state, remedy) = match (n.ready, n.problems.first()) {
        (Some(false), _) => (
            Status::Critical,
            "NotReady".to_owned(),
            "kubelet, runtime or network of the node: its events",
        ),
        (None, _) => (
            Status::Unknown,
            "Ready unknown".to_owned(),
            "the kubelet no longer reports: is the node up and reachable?",
        ),
        (_, Some(first)) => (
            Status::Warning,
            first.clone(),
            "free what is short on the node; its biggest pods",
        ),
        _ => return None,
    };
    let more = match (n.ready, n.problems.first()) {
        (Some(false), Some(first)) => format!(": {first}"),
        _ => String::new(),
    };
    Some(Problem {
        status,
        rank: 0,
        word: "node",
        kind: ObjectKind::Node,
        namespace: Arc::from(""),
        name: n.name.clone(),
        state: format!("{state}{more}"),
        remedy: remedy.to_owned(),
        since: None,
        group: None,
    })
}

fn version(c: &ClusterState) -> Option<Problem> {
    let v = c
        .version
        .as_ref()
        .filter(|v| is_true(&v.conditions, "Failing"))?;
    let failing = find(&v.conditions, "Failing")?;
    Some(Problem {
        status: Status::Warning,
        rank: 1,
        word: "update",
        kind: ObjectKind::ClusterVersion,
        namespace: Arc::from(""),
        name: v.name.clone(),
        state: format!("update to {} fails", v.desired),
        remedy: said(failing),
        since: failing.since,
        group: None,
    })
}

fn operator(o: &ClusterOperator) -> Problem {
    let gone = find(&o.conditions, "Available").filter(|c| c.status == Some(false));
    let cause = gone.or_else(|| find(&o.conditions, "Degraded"));
    Problem {
        status: if gone.is_some() {
            Status::Critical
        } else {
            Status::Warning
        },
        rank: 1,
        word: "co",
        kind: ObjectKind::ClusterOperator,
        namespace: Arc::from(""),
        name: o.name.clone(),
        state: if gone.is_some() {
            "not Available".into()
        } else {
            "Degraded".into()
        },
        remedy: cause.map_or_else(String::new, said),
        since: cause.and_then(|c| c.since),
        group: None,
    }
}

/// A DaemonSet that lacks no more pods than nodes are down is the nodes' trouble.
fn workload(w: &Workload, nodes_down: usize) -> Option<Problem> {
    if !w.is_short() {
        return None;
    }
    let missing = w.desired.saturating_sub(w.ready);
    let excused = w.kind == WorkloadKind::DaemonSet && missing as usize <= nodes_down;
    let bad = ["Failed", "ReplicaFailure", "Progressing", "Available"];
    let cause = bad.iter().find_map(|kind| {
        let wrong = *kind == "Failed" || *kind == "ReplicaFailure";
        find(&w.conditions, kind).filter(|c| c.status == Some(wrong))
    });
    let (word, state) = match w.kind {
        WorkloadKind::Deployment => ("deploy", ready(w)),
        WorkloadKind::StatefulSet => ("sts", ready(w)),
        WorkloadKind::DaemonSet => ("ds", ready(w)),
        WorkloadKind::Job => ("job", format!("{} pods failed", w.failed)),
    };
    let remedy = match cause.map(said).filter(|s| !s.is_empty()) {
        Some(said) => said,
        None if excused => "nodes that are not ready; see there".into(),
        None if w.is_rolling() => "a rollout is on its way; its new pods".into(),
        None if w.kind == WorkloadKind::Job => "log of the failed pod".into(),
        None => "its pods below: why they are not ready".into(),
    };
    let failed = w.kind != WorkloadKind::Job && !excused && !w.is_rolling();
    Some(Problem {
        status: if failed {
            Status::Critical
        } else {
            Status::Warning
        },
        rank: 2,
        word,
        kind: ObjectKind::of_workload(w.kind),
        namespace: w.namespace.clone(),
        name: w.name.clone(),
        state,
        remedy,
        since: cause.and_then(|c| c.since),
        group: None,
    })
}

fn ready(w: &Workload) -> String {
    format!("{} of {} ready", w.ready, w.desired)
}

fn pod(p: &Pod) -> Problem {
    let status = match (p.is_bad(), p.reason.is_some(), p.phase.as_str()) {
        (true, true, _) | (_, _, "Failed") => Status::Critical,
        (_, _, "Unknown") => Status::Unknown,
        _ => Status::Warning,
    };
    let word = p.standing();
    let counted = match p.restarts {
        0 => word.to_owned(),
        n => format!("{word} ×{n}"),
    };
    Problem {
        status,
        rank: 3,
        word: "pod",
        kind: ObjectKind::Pod,
        namespace: p.namespace.clone(),
        name: p.name.clone(),
        state: counted,
        remedy: p.first_look().to_owned(),
        since: p.since,
        group: p
            .controller()
            .map(|(_, name)| (name.to_owned(), word.to_owned())),
    }
}

fn claim(claim: &Claim, pods_wait: bool) -> Option<Problem> {
    let class = claim.class.as_deref().unwrap_or("none");
    let (status, remedy) = match claim.phase.as_str() {
        "Lost" => (
            Status::Critical,
            "its volume is gone: restore it or the data".to_owned(),
        ),
        "Pending" if pods_wait => (
            Status::Warning,
            format!("class {class}: no volume fits; provisioner's events"),
        ),
        "Pending" => (
            Status::Warning,
            format!("class {class}: may wait for the first pod that uses it"),
        ),
        _ => return None,
    };
    Some(Problem {
        status,
        rank: 4,
        word: "pvc",
        kind: ObjectKind::Claim,
        namespace: claim.namespace.clone(),
        name: claim.name.clone(),
        state: claim.phase.clone(),
        remedy,
        since: claim.created,
        group: None,
    })
}

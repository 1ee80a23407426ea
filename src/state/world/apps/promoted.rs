//! Has the new version arrived? Four questions, each with its answer and the reason.

use std::collections::BTreeSet;

use crate::model::gitops::{App, Sync};
use crate::model::image;
use crate::model::object::{ObjectKind, Pod};
use crate::model::workload::{Workload, WorkloadKind};
use crate::state::world::{ClusterState, World};

/// One question; `None`: it cannot be answered from what is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    pub name: &'static str,
    pub fine: Option<bool>,
    pub why: String,
}

fn check(name: &'static str, fine: Option<bool>, why: impl Into<String>) -> Check {
    Check {
        name,
        fine,
        why: why.into(),
    }
}

/// All are fine: promoted. One is not: not. Else unknown.
pub fn verdict(checks: &[Check]) -> Option<bool> {
    if checks.iter().any(|c| c.fine == Some(false)) {
        return Some(false);
    }
    checks.iter().all(|c| c.fine == Some(true)).then_some(true)
}

pub fn checks(world: &World, cluster: &ClusterState, app: &App) -> Vec<Check> {
    let mut found = vec![synced(app)];
    let target = match (app.deploys_here(), app.destination.as_deref()) {
        (true, _) => Some(cluster),
        (false, name) => name.and_then(|n| world.cluster_by_name(n)),
    };
    let Some(target) = target else {
        let elsewhere = app.destination.as_deref().unwrap_or("another cluster");
        let why = format!("deploys to {elsewhere}, which is no cluster of this console");
        let names = ["pods", "autoscalers", "rollout"];
        found.extend(names.map(|name| check(name, None, why.clone())));
        return found;
    };
    let own = workloads(target, app);
    if own.is_empty() {
        let why = no_workloads(target, app);
        let names = ["pods", "autoscalers", "rollout"];
        found.extend(names.map(|name| check(name, None, why.clone())));
        return found;
    }
    found.push(pods(target, &own));
    found.push(autoscalers(target, &own));
    found.push(rollout(&own));
    found
}

fn synced(app: &App) -> Check {
    let at = app.revision.as_deref().map(image::revision);
    let at = at.unwrap_or_else(|| "no revision yet".into());
    let wanted = app.attempted.as_deref().map(image::revision);
    match app.sync {
        Sync::OutOfSync => {
            let why = match wanted {
                Some(wanted) => format!("at {at}, wanted {wanted}"),
                None => format!("OutOfSync, at {at}"),
            };
            check("synced", Some(false), why)
        }
        Sync::Unknown => check("synced", None, "the tool does not tell"),
        // What it says is of what was wanted before.
        Sync::Synced if app.suspended => {
            check("synced", None, format!("suspended, synced to {at} before"))
        }
        Sync::Synced if !app.observed => {
            let why = format!("synced to {at}; the controller has not seen the newest spec");
            check("synced", None, why)
        }
        Sync::Synced => check("synced", Some(true), format!("synced to {at}")),
    }
}

fn no_workloads(cluster: &ClusterState, app: &App) -> String {
    let listed = [WorkloadKind::Deployment, WorkloadKind::StatefulSet]
        .map(|k| cluster.is_listed(ObjectKind::of_workload(k)));
    match listed.contains(&true) {
        true => format!(
            "no workload of {} names {} as its application",
            cluster.name, app.name
        ),
        false => format!("the workloads of {} are not known", cluster.name),
    }
}

/// Workloads of the application, without Jobs.
pub fn workloads<'a>(cluster: &'a ClusterState, app: &App) -> Vec<&'a Workload> {
    let namespace = app.destination_namespace.as_deref().or(app.runs_in());
    let all = cluster.workloads.values();
    all.filter(|w| w.kind != WorkloadKind::Job)
        .filter(|w| w.instance.as_deref() == Some(app.name.as_ref()))
        // An application may put things into several namespaces: its own name decides, but a
        // release of the same name elsewhere is another one.
        .filter(|w| namespace.is_none_or(|n| n == w.namespace.as_ref()))
        .collect()
}

/// The pod is one of the workload's.
pub(super) fn belongs(pod: &Pod, workload: &Workload) -> bool {
    let own = Some((workload.kind.as_str(), workload.name.as_ref()));
    pod.controller() == own && pod.namespace == workload.namespace
}

/// Pods of one workload that run on the images of its template, and the images of the others.
/// `None`: a pod does not tell its images.
fn arrived(cluster: &ClusterState, workload: &Workload) -> Option<(u32, BTreeSet<String>)> {
    let (mut on_new, mut old) = (0, BTreeSet::new());
    for pod in cluster.pods.values().filter(|p| belongs(p, workload)) {
        if pod.images.is_empty() {
            return None;
        }
        // Injected containers are not in the template; what counts is that the template's are.
        if workload.images.iter().all(|i| pod.images.contains(i)) {
            on_new += u32::from(pod.phase == "Running");
        } else if pod.phase != "Succeeded" {
            // The same image with another tag is the old one, whatever was injected beside it.
            let own = |i: &str| {
                let mut template = workload.images.iter();
                template.any(|w| image::parts(w).0 == image::parts(i).0)
            };
            let mut strange = pod.images.iter().filter(|i| !workload.images.contains(i));
            let other = strange.clone().find(|i| own(i));
            let strange = other.or_else(|| strange.next());
            old.extend(strange.map(|i| image::short(i)));
        }
    }
    Some((on_new, old))
}

fn pods(cluster: &ClusterState, own: &[&Workload]) -> Check {
    if !cluster.is_listed(ObjectKind::Pod) {
        let why = format!("pods of {} are not known", cluster.name);
        return check("pods", None, why);
    }
    let (mut on_new, mut surplus, mut missing) = (0, 0, false);
    let mut old = BTreeSet::new();
    for workload in own {
        let Some((new, others)) = arrived(cluster, workload) else {
            return check("pods", None, "the pods do not tell their images");
        };
        on_new += new;
        missing |= new < workload.desired;
        surplus += new.saturating_sub(workload.desired);
        old.extend(others);
    }
    let wanted: u32 = own.iter().map(|w| w.desired).sum();
    let images = own.iter().flat_map(|w| &w.images);
    let images: BTreeSet<String> = images.map(|i| image::short(i)).collect();
    let images: Vec<String> = images.into_iter().take(3).collect();
    let mut why = format!("{on_new} of {wanted} pods on {}", images.join(", "));
    if !old.is_empty() {
        let still: Vec<String> = old.into_iter().take(3).collect();
        why.push_str(&format!("; still on {}", still.join(", ")));
        return check("pods", Some(false), why);
    }
    if surplus > 0 {
        // Only the configuration differs: those of the former template run yet.
        why.push_str(&format!("; {surplus} more than wanted"));
        return check("pods", Some(false), why);
    }
    match wanted {
        0 => check("pods", None, "no pod is wanted: nothing runs"),
        _ => check("pods", Some(!missing), why),
    }
}

fn autoscalers(cluster: &ClusterState, own: &[&Workload]) -> Check {
    if !cluster.is_listed(ObjectKind::Autoscaler) {
        let why = format!("autoscalers of {} are not known", cluster.name);
        return check("autoscalers", None, why);
    }
    let theirs: Vec<_> = cluster
        .autoscalers
        .values()
        .filter(|a| {
            own.iter().any(|w| {
                a.namespace == w.namespace
                    && (a.target.0.as_str(), a.target.1.as_str()) == (w.kind.as_str(), &w.name)
            })
        })
        .collect();
    let bad = theirs.iter().find(|a| a.is_degraded());
    match (bad, theirs.len()) {
        (Some(a), _) => {
            let cause = a.conditions.iter().find(|c| {
                c.status == Some(false) && ["AbleToScale", "ScalingActive"].contains(&&*c.kind)
            });
            let cause = cause.map_or_else(String::new, |c| format!(": {}", c.reason));
            check(
                "autoscalers",
                Some(false),
                format!("{} cannot scale{cause}", a.name),
            )
        }
        (None, 0) => check("autoscalers", Some(true), "it has none"),
        (None, n) => check("autoscalers", Some(true), format!("{n} well")),
    }
}

fn rollout(own: &[&Workload]) -> Check {
    let late = own.iter().find(|w| w.is_rolling() || w.is_short());
    let Some(late) = late else {
        let why = match own.len() {
            1 => "done".to_owned(),
            n => format!("done in {n} workloads"),
        };
        return check("rollout", Some(true), why);
    };
    let mut why = format!(
        "{} {}: {} updated, {} ready, {} wanted",
        late.kind.as_str(),
        late.name,
        late.updated,
        late.ready,
        late.desired
    );
    let stuck = late.conditions.iter().find(|c| {
        (c.kind == "Progressing" && c.status == Some(false)) || c.kind == "ReplicaFailure"
    });
    if let Some(cause) = stuck {
        why.push_str(&format!("; {}", cause.reason));
    }
    if late.paused {
        why.push_str("; paused");
    }
    check("rollout", Some(false), why)
}

//! What was changed, from an object's former and present self.
//!
//! Pure: the same objects give the same changes, live and in a replay. What a server dates itself
//! (history of an application, of the cluster's version) is told of the time before us too.

use crate::model::change::{Change, ChangeKind, Told};
use crate::model::image;
use crate::model::object::{Node, Object};
use crate::model::time::Timestamp;
use crate::model::workload::{Autoscaler, Workload, WorkloadKind};

mod apps;
mod config;
mod events;
mod upgrades;

pub(super) use apps::asked_by;
pub(super) use events::of_event;

/// What the news is about, for those who tell it.
#[derive(Clone, Copy)]
struct About<'a> {
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    /// When the news came: the time of what no server dates.
    seen: Timestamp,
}

impl About<'_> {
    fn change(&self, kind: ChangeKind, at: Timestamp, what: impl Into<String>) -> Change {
        Change {
            at,
            kind,
            subject: (self.kind.to_owned(), self.name.to_owned()),
            namespace: self.namespace.to_owned(),
            what: what.into(),
            by: None,
            told: Told::Object,
            symptom: false,
            unwatched: None,
        }
    }

    fn now(&self, kind: ChangeKind, what: impl Into<String>) -> Change {
        self.change(kind, self.seen, what)
    }
}

/// Puts the changes between `old` and `new` into `found`. `known`: the kind was listed before, so
/// an object without a former self is new; else it was there before us. `seen`: when the news came.
pub(super) fn between(
    old: Option<&Object>,
    new: Option<&Object>,
    known: bool,
    seen: Timestamp,
    found: &mut Vec<Change>,
) {
    match (old, new) {
        (Some(Object::Node(old)), Some(Object::Node(new))) => node(old, new, seen, found),
        (None, Some(Object::Node(new))) if known => {
            found.push(of_node(new, seen).now(ChangeKind::Node, "joined the cluster"));
        }
        (Some(Object::Node(old)), None) => {
            found.push(of_node(old, seen).now(ChangeKind::Node, "left the cluster"));
        }
        (old, Some(Object::Workload(new))) => {
            let old = match old {
                Some(Object::Workload(old)) => Some(old),
                _ => None,
            };
            workload(old, new, known, seen, found);
        }
        (Some(Object::Workload(old)), None) if old.kind != WorkloadKind::Job => {
            found.push(of_workload(old, seen).now(ChangeKind::Rollout, "deleted"));
        }
        (Some(Object::Autoscaler(old)), Some(Object::Autoscaler(new))) => {
            autoscaler(old, new, seen, found);
        }
        (old, Some(Object::App(new))) => {
            let old = match old {
                Some(Object::App(old)) => Some(old.as_ref()),
                _ => None,
            };
            apps::between(old, new, known, seen, found);
        }
        (Some(Object::App(old)), None) => apps::gone(old, seen, found),
        (old, Some(Object::ClusterVersion(new))) => {
            let old = match old {
                Some(Object::ClusterVersion(old)) => Some(old),
                _ => None,
            };
            upgrades::version(old, new, seen, found);
        }
        (Some(Object::ClusterOperator(old)), Some(Object::ClusterOperator(new))) => {
            upgrades::operator(old, new, seen, found);
        }
        (old, new) => config::between(old, new, known, seen, found),
    }
}

fn node(old: &Node, new: &Node, seen: Timestamp, found: &mut Vec<Change>) {
    let about = of_node(new, seen);
    let mut say = |what: String| found.push(about.now(ChangeKind::Node, what));
    if old.unschedulable != new.unschedulable {
        let word = if new.unschedulable {
            "cordoned"
        } else {
            "uncordoned"
        };
        say(word.to_owned());
    }
    if old.kubelet_version != new.kubelet_version {
        say(format!(
            "kubelet {} → {}",
            old.kubelet_version, new.kubelet_version
        ));
    }
    if old.ready != new.ready {
        let word = |ready| match ready {
            Some(true) => "Ready",
            Some(false) => "NotReady",
            None => "unknown",
        };
        let what = format!("{} → {}", word(old.ready), word(new.ready));
        found.push(Change {
            // A node that went away was not changed by anybody.
            symptom: new.ready != Some(true),
            ..about.now(ChangeKind::Node, what)
        });
    }
}

fn of_node(node: &Node, seen: Timestamp) -> About<'_> {
    About {
        kind: "Node",
        namespace: "",
        name: &node.name,
        seen,
    }
}

fn of_workload(workload: &Workload, seen: Timestamp) -> About<'_> {
    About {
        kind: workload.kind.as_str(),
        namespace: &workload.namespace,
        name: &workload.name,
        seen,
    }
}

fn workload(
    old: Option<&Workload>,
    new: &Workload,
    known: bool,
    seen: Timestamp,
    found: &mut Vec<Change>,
) {
    // A Job is work, not a change of what works.
    if new.kind == WorkloadKind::Job {
        return;
    }
    let about = of_workload(new, seen);
    let Some(old) = old else {
        if known {
            let images: Vec<String> = new.images.iter().map(|i| image::short(i)).collect();
            let what = format!("created with {}", images.join(", "));
            found.push(about.now(ChangeKind::Rollout, what));
        }
        return;
    };
    let mut say = |kind, what: String| found.push(about.now(kind, what));
    // A DaemonSet counts its nodes: nobody scales it.
    if old.desired != new.desired && new.kind != WorkloadKind::DaemonSet {
        let what = format!("replicas {} → {}", old.desired, new.desired);
        say(ChangeKind::Scale, what);
    }
    if old.paused != new.paused {
        let word = if new.paused { "paused" } else { "resumed" };
        say(ChangeKind::Rollout, format!("rollout {word}"));
    }
    if let Some(what) = image::difference(&old.images, &new.images) {
        say(ChangeKind::Rollout, what);
        return;
    }
    match (&old.revision, &new.revision) {
        (Some(was), Some(is)) if was != is => {
            let what = format!("new template, revision {was} → {is}");
            found.push(Change {
                told: Told::Vague,
                ..about.now(ChangeKind::Rollout, what)
            });
        }
        (None, None) if old.generation != new.generation => {
            let what = format!(
                "spec changed, generation {} → {}",
                old.generation, new.generation
            );
            say(ChangeKind::Rollout, what);
        }
        _ => {}
    }
}

fn autoscaler(old: &Autoscaler, new: &Autoscaler, seen: Timestamp, found: &mut Vec<Change>) {
    if (old.min, old.max) == (new.min, new.max) {
        return;
    }
    let about = About {
        kind: "HorizontalPodAutoscaler",
        namespace: &new.namespace,
        name: &new.name,
        seen,
    };
    let what = format!(
        "replicas allowed {}-{} → {}-{}",
        old.min, old.max, new.min, new.max
    );
    found.push(about.now(ChangeKind::Config, what));
}

/// The same story told twice: a workload's new template after its images, an event after what the
/// objects themselves told.
pub(super) fn is_retold(change: &Change, held: &Change) -> bool {
    const NEAR_MS: i64 = 120_000;
    use ChangeKind::{Rollout, Scale};
    let kinds = match change.kind {
        Rollout | Scale => matches!(held.kind, Rollout | Scale),
        kind => held.kind == kind,
    };
    kinds
        && held.subject == change.subject
        && held.namespace == change.namespace
        && (held.at.0 - change.at.0).abs() <= NEAR_MS
}

#[cfg(test)]
mod tests;

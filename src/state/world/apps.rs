//! What Argo CD and Flux tell, put in order: what is wrong with an application and since when,
//! and whether a cluster has them at all.

use std::sync::Arc;

use crate::model::discovery::{Component, Outcome};
use crate::model::gitops::{App, AppHealth, AppKind, DRIFT_MS, STUCK_MS, Sync};
use crate::model::id::ClusterId;
use crate::model::object::ObjectKind;
use crate::model::time::Timestamp;
use crate::model::unit::age;

use super::{ClusterState, Status, World};

pub mod matrix;
pub mod promoted;

/// Kind, namespace and name.
pub type AppKey = (AppKind, Arc<str>, Arc<str>);

/// Since when an application is out of sync, as far as we saw: the tools do not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drift {
    pub since: Timestamp,
    /// It was so when we first looked.
    pub earlier: bool,
}

/// Whether a cluster has a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    Found,
    Absent,
    /// With the right that is missing.
    Denied(String),
    /// Not yet looked, or it could not be asked.
    Unknown,
}

impl ClusterState {
    pub fn drift(&self, app: &App) -> Option<Drift> {
        self.drift.get(&key(app)).copied()
    }

    /// Keeps the time of the first sight of a drift. `earlier`: it may have begun before. A tool
    /// that cannot compare for a while ends none.
    pub(super) fn note_drift(&mut self, app: &App, earlier: bool, seen: Timestamp) {
        let place = key(app);
        match app.sync {
            Sync::Synced => drop(self.drift.remove(&place)),
            Sync::Unknown => {}
            Sync::OutOfSync => {
                let begun = Drift {
                    since: seen,
                    earlier,
                };
                self.drift.entry(place).or_insert(begun);
            }
        }
    }

    /// Applications and Flux's objects that deploy, without the sources.
    pub fn deployments(&self) -> impl Iterator<Item = &App> {
        self.apps.values().filter(|a| !a.kind.is_source())
    }

    pub fn presence(&self, tool: Component) -> Presence {
        let (kinds, resource, group): (&[AppKind], _, _) = match tool {
            Component::ArgoCd => (&[AppKind::Application], "applications", "argoproj.io"),
            _ => (
                &[AppKind::Kustomization, AppKind::HelmRelease],
                "kustomizations",
                "kustomize.toolkit.fluxcd.io",
            ),
        };
        if self.apps.keys().any(|(kind, ..)| kinds.contains(kind)) {
            return Presence::Found;
        }
        let probe = self.probes.iter().find(|p| p.component == tool);
        match probe.map(|p| (p.outcome, &p.reason)) {
            Some((Outcome::NotFound, _)) => return Presence::Absent,
            Some((Outcome::NoPermission, reason)) => return Presence::Denied(reason.clone()),
            _ => {}
        }
        let absent = |kind: &AppKind| self.is_absent(ObjectKind::of_app(*kind));
        if kinds.iter().all(absent) {
            return Presence::Absent;
        }
        let listed = |kind: &AppKind| self.is_listed(ObjectKind::of_app(*kind));
        if kinds.iter().any(listed) {
            return Presence::Found;
        }
        let review = self.identity.as_ref().and_then(|i| {
            let mut reviews = i.reviews.iter();
            reviews.find(|r| r.right.resource == resource && r.right.verb == "list")
        });
        match review.and_then(|r| r.allowed) {
            Some(false) => Presence::Denied(format!("list {resource}.{group}")),
            _ => Presence::Unknown,
        }
    }
}

fn key(app: &App) -> AppKey {
    (app.kind, app.namespace.clone(), app.name.clone())
}

/// How an application is, in one of the four states. What is deployed being ill is a warning, as in
/// the findings: how bad it is, its pods tell.
pub fn status(app: &App, now: Timestamp) -> Status {
    if app.is_bad() || app.suspended || is_stuck(app, now) || !errors(app).is_empty() {
        return Status::Warning;
    }
    let unsure = app.sync == Sync::Unknown && !app.kind.is_source();
    match unsure || app.health == AppHealth::Unknown {
        true => Status::Unknown,
        false => Status::Ok,
    }
}

fn is_stuck(app: &App, now: Timestamp) -> bool {
    let since = app.health_since.map(|s| now.age_since_ms(s));
    app.health == AppHealth::Progressing && since.is_some_and(|ms| ms > STUCK_MS)
}

/// Conditions of Argo CD that are errors: their being there says it.
pub fn errors(app: &App) -> Vec<&crate::model::condition::ObjectCondition> {
    let told = app.conditions.iter();
    told.filter(|c| c.kind.ends_with("Error") && c.status != Some(false))
        .collect()
}

/// What an operator should look at, worst first, each in words.
pub fn flags(world: &World, cluster: &ClusterState, app: &App) -> Vec<String> {
    let mut found = Vec::new();
    let now = world.now;
    if let Some(o) = app.operation.as_ref().filter(|_| app.has_failed()) {
        let retried = match o.retries {
            0 => String::new(),
            n => format!(" after {n} retries"),
        };
        found.push(format!("last operation {}{retried}", o.phase));
    }
    if matches!(app.health, AppHealth::Degraded | AppHealth::Missing) {
        found.push(format!(
            "{}{}",
            app.health.word(),
            for_long(app.health_since, now)
        ));
    }
    found.extend(errors(app).into_iter().map(|c| c.kind.clone()));
    if let Some(drift) = cluster.drift(app) {
        let ms = now.age_since_ms(drift.since);
        let least = if drift.earlier { "at least " } else { "" };
        let long = if ms > DRIFT_MS { ", more than 1 h" } else { "" };
        let how = match ms {
            // It has just been looked at for the first time.
            0..20_000 => "OutOfSync".to_owned(),
            _ => format!("OutOfSync for {least}{}{long}", age(ms)),
        };
        let how = match app.sync {
            Sync::Unknown => format!("{how}; it cannot be compared now"),
            _ => how,
        };
        found.push(how);
    }
    if is_stuck(app, now) {
        let long = for_long(app.health_since, now);
        found.push(format!("Progressing{long}, more than 30 min"));
    }
    if app.suspended {
        found.push("suspended".into());
    }
    if !app.observed {
        found.push("the controller has not seen the newest spec".into());
    }
    found
}

fn for_long(since: Option<Timestamp>, now: Timestamp) -> String {
    since.map_or_else(String::new, |s| {
        format!(" for {}", age(now.age_since_ms(s)))
    })
}

/// Which clusters of the scope have no tool, may not be asked, or are not known yet; `None`: all
/// have one.
pub fn absent(world: &World, scope: Option<ClusterId>) -> Option<String> {
    let mut neither = 0;
    let mut unknown = Vec::new();
    let mut denied: Vec<String> = Vec::new();
    let mut total = 0;
    for cluster in world
        .clusters
        .iter()
        .filter(|c| scope.is_none_or(|s| s == c.id))
    {
        total += 1;
        let both = [Component::ArgoCd, Component::Flux].map(|t| cluster.presence(t));
        if both.contains(&Presence::Found) {
            continue;
        }
        let refused = both.iter().find_map(|p| match p {
            Presence::Denied(right) => Some(right),
            _ => None,
        });
        match refused {
            Some(right) => denied.push(format!("{}: {right}", cluster.name)),
            None if both.contains(&Presence::Unknown) => unknown.push(cluster.name.as_ref()),
            None => neither += 1,
        }
    }
    let mut parts = Vec::new();
    if neither > 0 {
        parts.push(format!(
            "no Argo CD and no Flux in {neither} of {}",
            clusters(total)
        ));
    }
    if !denied.is_empty() {
        parts.push(format!(
            "not permitted in {}: {}",
            denied.len(),
            some(&denied)
        ));
    }
    if !unknown.is_empty() {
        parts.push(format!("unknown in {}: {}", unknown.len(), some(&unknown)));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn clusters(count: usize) -> String {
    match count {
        1 => "1 cluster".into(),
        n => format!("{n} clusters"),
    }
}

/// The first of many.
fn some<T: AsRef<str>>(names: &[T]) -> String {
    let first: Vec<&str> = names.iter().take(3).map(AsRef::as_ref).collect();
    match names.len().checked_sub(3).filter(|n| *n > 0) {
        Some(more) => format!("{} and {more} more", first.join(", ")),
        None => first.join(", "),
    }
}

/// The application whose workload the pod is of, as the workload's labels name it.
pub fn of_pod<'a>(cluster: &'a ClusterState, namespace: &str, pod: &str) -> Option<&'a App> {
    let pod = cluster.pods.get(&(namespace.into(), pod.into()))?;
    let owns = |w: &&crate::model::workload::Workload| promoted::belongs(pod, w);
    let workload = cluster.workloads.values().find(owns)?;
    let wanted = workload.instance.as_deref()?;
    let named = |a: &&App| a.name.as_ref() == wanted;
    let mut apps = cluster.deployments().filter(named);
    let here = |a: &&App| a.runs_in().is_none_or(|n| n == namespace);
    apps.find(here)
}

#[cfg(test)]
mod tests;

//! The changes of all clusters, for timelines, charts and causes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::incident::Incident;
use crate::model::change::{Change, ChangeKind, Told};
use crate::model::finding::Subject;
use crate::model::gitops::{App, AppKind};
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;

use super::{ClusterState, World, changes};

/// Change events kept for a cluster.
const CHANGES: usize = 2_000;
/// A change so long before the first sign may have to do with it, milliseconds.
pub const BLAME_MS: i64 = 900_000;

impl World {
    /// Changes of the scope since then, newest first, at most so many.
    pub fn changes_since(
        &self,
        scope: Option<ClusterId>,
        since: Timestamp,
        most: usize,
    ) -> Vec<(ClusterId, &Change)> {
        let clusters = self.clusters.iter();
        let mut found: Vec<(ClusterId, &Change)> = clusters
            .filter(|c| scope.is_none_or(|s| s == c.id))
            .flat_map(|c| {
                let newest = c.changes.iter().rev().take_while(move |n| n.at >= since);
                newest.take(most).map(|change| (c.id, change))
            })
            .collect();
        found.sort_by_key(|(cluster, change)| (std::cmp::Reverse(change.at), *cluster));
        found.truncate(most);
        found
    }
}

impl ClusterState {
    /// In time order, each once; a weak one only where no other tells the same.
    pub(super) fn note_change(&mut self, mut change: Change) {
        let weak = change.told.is_weak();
        let same = |held: &Change| {
            (held.at, held.kind, &held.subject) == (change.at, change.kind, &change.subject)
                && (&held.namespace, &held.what) == (&change.namespace, &change.what)
        };
        let mut held = self.changes.iter();
        if held.any(|c| same(c) || weak && changes::is_retold(&change, c)) {
            return;
        }
        if !weak {
            let (change, event) = (&change, Told::WeakEvent);
            self.changes
                .retain(|c| !(c.told == event && changes::is_retold(c, change)));
        }
        if change.by.is_none() {
            change.by = self.asked_by(&change);
        }
        let place = self.changes.partition_point(|c| c.at <= change.at);
        self.changes.insert(place, change);
        self.changes_told += 1;
        while self.changes.len() > CHANGES {
            self.changes.pop_front();
        }
    }

    /// Who did it: of a deployment who asked for it, of a scaling the autoscaler.
    fn asked_by(&self, change: &Change) -> Option<String> {
        match change.kind {
            ChangeKind::Sync => changes::asked_by(self.changed_app(change)?, change),
            ChangeKind::Scale => {
                let scales = self.autoscalers.values().find(|a| {
                    a.namespace.as_ref() == change.namespace && a.target == change.subject
                });
                scales.map(|a| format!("autoscaler {}", a.name))
            }
            _ => None,
        }
    }

    /// The application that a change is about.
    pub fn changed_app(&self, change: &Change) -> Option<&App> {
        let kind = AppKind::named(&change.subject.0)?;
        let key = (
            kind,
            change.namespace.as_str().into(),
            change.subject.1.as_str().into(),
        );
        self.apps.get(&key)
    }

    /// Changes from `from` to `to`, oldest first.
    pub fn changes_between(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl DoubleEndedIterator<Item = &Change> {
        let first = self.changes.partition_point(|c| c.at < from);
        let end = self.changes.partition_point(|c| c.at <= to);
        self.changes.range(first..end.max(first))
    }

    /// Whether a change can have to do with what an incident is about.
    fn concerns(&self, change: &Change, incident: &Incident) -> bool {
        let (kind, name) = (change.subject.0.as_str(), change.subject.1.as_str());
        let on = |node: &str| incident.nodes.iter().any(|n| n.as_ref() == node);
        let mut namespaces = incident.subjects.iter().filter_map(Subject::namespace);
        if !change.namespace.is_empty() && namespaces.any(|n| n == change.namespace) {
            return true;
        }
        match kind {
            "Node" | "SriovNetworkNodeState" => on(name),
            // What touches the whole cluster touches this too.
            "ClusterVersion" | "ClusterOperator" => true,
            "SriovNetworkNodePolicy" => {
                let key = (change.namespace.as_str().into(), name.into());
                let nodes = self.nodes.values().filter(|n| on(&n.name));
                let policy = self.sriov_policies.get(&key);
                policy.is_some_and(|p| nodes.into_iter().any(|n| p.matches(n)))
            }
            "PtpConfig" => self.configured(change).any(on),
            _ if AppKind::named(kind).is_some() => self.deploys_to(change, incident),
            _ => {
                let first = (change.namespace.as_str().into(), "".into());
                let pods = self.pods.range(first..);
                let pods = pods.take_while(|((ns, _), _)| ns.as_ref() == change.namespace);
                pods.filter(|(_, p)| p.controller().is_some_and(|(_, owner)| owner == name))
                    .any(|(_, p)| p.node.as_deref().is_some_and(on))
            }
        }
    }

    /// Nodes that a changed PtpConfig is for.
    fn configured<'a>(&'a self, change: &Change) -> impl Iterator<Item = &'a str> {
        let (namespace, name) = (change.namespace.as_str(), change.subject.1.as_str());
        let config = self.ptp_configs.get(&(namespace.into(), name.into()));
        let matches = config.into_iter().flat_map(|c| &c.matches);
        matches.map(|(node, _)| node.as_ref())
    }

    /// What of these a change was made on: the object itself, what it runs, what stands on it (on
    /// which nodes each stands is given), what it deploys. Empty where it only is near.
    pub(super) fn touched<'a>(
        &self,
        change: &Change,
        standing: &BTreeMap<&'a Subject, Vec<Arc<str>>>,
    ) -> impl Iterator<Item = &'a Subject> {
        let (kind, name) = (change.subject.0.as_str(), change.subject.1.as_str());
        let app = AppKind::named(kind).is_some();
        let runs_in = self.changed_app(change).and_then(App::runs_in);
        let changed: Option<Vec<&str>> = match kind {
            "Node" | "SriovNetworkNodeState" => Some(vec![name]),
            "PtpConfig" => Some(self.configured(change).collect()),
            _ => None,
        };
        let stands_on = |nodes: &[Arc<str>], changed: &[&str]| {
            let mut nodes = nodes.iter();
            nodes.any(|node| changed.contains(&node.as_ref()))
        };
        let on = |subject: &Subject, nodes: &[Arc<str>]| match subject {
            _ if changed.is_some() => changed.as_ref().is_some_and(|c| stands_on(nodes, c)),
            Subject::App {
                namespace, name, ..
            } => (namespace, name) == (&change.namespace, &change.subject.1),
            other if app => runs_in.is_some() && other.namespace() == runs_in,
            Subject::Pod { namespace, pod } if *namespace == change.namespace => {
                let key = (namespace.as_str().into(), pod.as_str().into());
                let owner = self.pods.get(&key).and_then(|p| p.controller());
                owner.is_some_and(|(_, owner)| owner == name)
            }
            Subject::Workload {
                namespace,
                name: own,
            }
            | Subject::Model {
                namespace,
                model: own,
            } => *namespace == change.namespace && own == name,
            _ => false,
        };
        let touched = standing.iter().filter(|(s, nodes)| on(s, nodes));
        touched.map(|(s, _)| *s).collect::<Vec<_>>().into_iter()
    }

    /// An application that deploys to a namespace of the incident, or that is in it itself.
    fn deploys_to(&self, change: &Change, incident: &Incident) -> bool {
        let runs_in = self.changed_app(change).and_then(App::runs_in);
        incident.subjects.iter().any(|s| match s {
            Subject::App {
                namespace, name, ..
            } => (namespace, name) == (&change.namespace, &change.subject.1),
            other => runs_in.is_some() && other.namespace() == runs_in,
        })
    }
}

/// Changes that can have led to an incident, for the ranking: of its cluster, of what it is about,
/// in the quarter of an hour before its first sign; or what somebody set up before one of its later
/// signs. Oldest first. What happened while nobody watched counts where all of that time is near
/// enough.
pub(super) fn near<'a>(world: &'a World, incident: &Incident) -> Vec<&'a Change> {
    let Some(cluster) = world.cluster(incident.cluster) else {
        return Vec::new();
    };
    let signs = || incident.findings.iter().map(|f| f.since);
    let first = signs().min().unwrap_or(incident.opened);
    let last = signs().max().unwrap_or(first);
    let leads = |change: &Change| {
        use ChangeKind::{Config, Rollout, Sync, Upgrade};
        // While it goes on, nodes fall out and autoscalers answer: these follow from it.
        let set_up = matches!(change.kind, Config | Rollout | Sync | Upgrade);
        let close = |sign: Timestamp| {
            let to = change.unwatched.unwrap_or(change.at).plus_ms(BLAME_MS);
            change.at <= sign && sign <= to
        };
        close(first) || set_up && signs().any(|s| change.at < s && close(s))
    };
    cluster
        .changes_between(first.plus_ms(-BLAME_MS), last)
        .filter(|change| !change.symptom && leads(change))
        .filter(|change| cluster.concerns(change, incident))
        .collect()
}

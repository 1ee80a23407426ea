//! The changes of all clusters, for timelines, charts and causes.

use crate::incident::Incident;
use crate::model::change::{Change, ChangeKind};
use crate::model::finding::Subject;
use crate::model::gitops::App;
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;

use super::{ClusterState, World, changes};

/// Change events kept for a cluster.
const CHANGES: usize = 2_000;
/// A change so long before the first sign may have to do with it, milliseconds.
const BLAME_MS: i64 = 900_000;

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
    /// In time order, each once. `weak`: left out where another change tells the same better.
    pub(super) fn note_change(&mut self, mut change: Change, weak: bool) {
        let same = |held: &Change| {
            (held.at, held.kind, &held.subject) == (change.at, change.kind, &change.subject)
                && (&held.namespace, &held.what) == (&change.namespace, &change.what)
        };
        let mut held = self.changes.iter();
        if held.any(|c| same(c) || weak && changes::is_retold(&change, c)) {
            return;
        }
        if !weak {
            let change = &change;
            self.changes
                .retain(|c| !(changes::is_of_event(c) && changes::is_retold(c, change)));
        }
        if change.by.is_none() {
            change.by = self.asked_by(&change);
        }
        let later = self.changes.iter().rev();
        let place = self.changes.len() - later.take_while(|c| c.at > change.at).count();
        self.changes.insert(place, change);
        while self.changes.len() > CHANGES {
            self.changes.pop_front();
        }
    }

    /// Who did it: of a deployment who asked for it, of a scaling the autoscaler.
    fn asked_by(&self, change: &Change) -> Option<String> {
        let (kind, name) = (&change.subject.0, &change.subject.1);
        match change.kind {
            ChangeKind::Sync => {
                let app = self.apps.values().find(|a| {
                    a.kind.as_str() == kind
                        && a.namespace.as_ref() == change.namespace
                        && a.name.as_ref() == name
                });
                changes::asked_by(app?, change).map(str::to_owned)
            }
            ChangeKind::Scale => {
                let scales = self.autoscalers.values().find(|a| {
                    a.namespace.as_ref() == change.namespace && a.target == change.subject
                });
                scales.map(|a| format!("autoscaler {}", a.name))
            }
            _ => None,
        }
    }

    /// Changes from `from` to `to`, oldest first.
    pub fn changes_between(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl DoubleEndedIterator<Item = &Change> {
        let held = self.changes.iter().skip_while(move |c| c.at < from);
        let held: Vec<&Change> = held.take_while(move |c| c.at <= to).collect();
        held.into_iter()
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
            "PtpConfig" => {
                let key = (change.namespace.as_str().into(), name.into());
                let config = self.ptp_configs.get(&key);
                config.is_some_and(|c| c.matches.iter().any(|(node, _)| on(node)))
            }
            _ if changes::is_app(kind) => self.deploys_to(change, incident),
            _ => {
                let own = |owner: &str| {
                    let head = owner.rsplit_once('-').map(|(head, _)| head);
                    owner == name || head == Some(name)
                };
                let first = (change.namespace.as_str().into(), "".into());
                let pods = self.pods.range(first..);
                let pods = pods.take_while(|((ns, _), _)| ns.as_ref() == change.namespace);
                pods.filter(|(_, p)| p.owner.as_ref().is_some_and(|(_, o)| own(o)))
                    .any(|(_, p)| p.node.as_deref().is_some_and(on))
            }
        }
    }

    /// An application that deploys to a namespace of the incident, or that is in it itself.
    fn deploys_to(&self, change: &Change, incident: &Incident) -> bool {
        let app = self.apps.values().find(|a| {
            a.kind.as_str() == change.subject.0
                && a.namespace.as_ref() == change.namespace
                && a.name.as_ref() == change.subject.1
        });
        let runs_in = app.and_then(App::runs_in);
        incident.subjects.iter().any(|s| match s {
            Subject::App {
                namespace, name, ..
            } => (namespace, name) == (&change.namespace, &change.subject.1),
            other => runs_in.is_some() && other.namespace() == runs_in,
        })
    }
}

/// Changes that may have led to an incident: of its cluster, of what it is about, in the quarter of
/// an hour before its first sign; or what somebody set up before one of its later signs. Oldest
/// first.
pub fn blamed<'a>(world: &'a World, incident: &Incident) -> Vec<&'a Change> {
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
        let to = change.at.plus_ms(BLAME_MS);
        change.at <= first || set_up && signs().any(|s| change.at < s && s <= to)
    };
    cluster
        .changes_between(first.plus_ms(-BLAME_MS), last)
        .filter(|change| leads(change) && !is_symptom(change))
        .filter(|change| cluster.concerns(change, incident))
        .collect()
}

/// A node that went away was not changed by anybody.
fn is_symptom(change: &Change) -> bool {
    let gone = ["→ NotReady", "→ unknown"];
    change.kind == ChangeKind::Node && gone.iter().any(|end| change.what.ends_with(end))
}

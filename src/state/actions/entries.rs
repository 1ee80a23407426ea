//! What can be done with a thing, and why not.

use crate::model::action::{Action, ActionRequest, NEEDED, Server};
use crate::model::gitops::{App, AppKind};
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::identity::Role;
use crate::state::State;
use crate::ui::view::Focus;
use crate::ui::view::actions::{Entry, Mute, Step};
use crate::ui::widget::field::Field;

const REFRESH: &str = "Argo CD looks at the repository again";
const HARD: &str = "and renders all manifests anew";
const SYNC: &str = "Argo CD deploys what is wanted; nothing is pruned";
const RECONCILE: &str = "Flux looks and applies now, not at its next interval";
const MUTE: &str = "a silence: nobody is paged for it";
const END: &str = "what it hushed pages again";

impl State {
    pub(super) fn entries(&self, focus: &Focus) -> Vec<Entry> {
        match focus {
            Focus::App {
                cluster,
                kind,
                namespace,
                name,
            } => self.on_app(*cluster, *kind, namespace, name),
            Focus::Alert {
                cluster,
                fingerprint,
            } => self.on_alert(*cluster, fingerprint),
            Focus::Silence { cluster, id } => vec![self.end_of_silence(*cluster, id)],
            _ => Vec::new(),
        }
    }

    pub(super) fn on_app(
        &self,
        cluster: ClusterId,
        kind: AppKind,
        namespace: &str,
        name: &str,
    ) -> Vec<Entry> {
        let known = self.world.cluster(cluster);
        let key = (kind, namespace.into(), name.into());
        let Some(app) = known.and_then(|c| c.apps.get(&key)) else {
            return Vec::new();
        };
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        if kind != AppKind::Application {
            let at = self.world.now;
            let action = Action::Reconcile {
                kind,
                namespace,
                name,
                at,
            };
            let idle = app
                .suspended
                .then_some("it is suspended: Flux does not act on it");
            return vec![self.entry(cluster, action, RECONCILE, idle)];
        }
        let refresh = |hard| Action::Refresh {
            namespace: namespace.clone(),
            name: name.clone(),
            hard,
        };
        let sync = Action::Sync {
            namespace: namespace.clone(),
            name: name.clone(),
            revision: tracked(app),
        };
        let phase = app.operation.as_ref().map(|o| o.phase.as_str());
        let busy = matches!(phase, Some("Running" | "Terminating"));
        let busy = busy.then_some("an operation is under way");
        vec![
            self.entry(cluster, refresh(false), REFRESH, None),
            self.entry(cluster, refresh(true), HARD, None),
            self.entry(cluster, sync, SYNC, busy),
        ]
    }

    fn on_alert(&self, cluster: ClusterId, fingerprint: &str) -> Vec<Entry> {
        let known = self.world.cluster(cluster);
        let Some(alert) = known.and_then(|c| c.alerts.get(fingerprint)) else {
            return Vec::new();
        };
        let labels = alert.labels.iter();
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let labels: Vec<_> = labels.filter(|(_, value)| !value.is_empty()).collect();
        let step = self.standing(cluster, Server::Alertmanager).map(|by| {
            Step::Mute(Mute {
                cluster,
                fingerprint: fingerprint.to_owned(),
                by,
                labels,
                wide: false,
                hours: 1,
                comment: Field::new(""),
                error: None,
            })
        });
        let mut entries = vec![Entry {
            label: format!("mute {}", alert.name),
            does: MUTE,
            note: None,
            step,
        }];
        let silences = alert.silenced_by.iter();
        entries.extend(silences.map(|id| self.end_of_silence(cluster, id)));
        entries
    }

    fn end_of_silence(&self, cluster: ClusterId, id: &str) -> Entry {
        let known = self.world.cluster(cluster);
        let silence = known.and_then(|c| c.silences.get(id));
        let note = silence.map(|s| format!("{} by {}: {}", s.matchers, s.by, s.comment));
        let action = Action::Expire { id: id.to_owned() };
        Entry {
            note,
            ..self.entry(cluster, action, END, None)
        }
    }

    fn entry(
        &self,
        cluster: ClusterId,
        action: Action,
        does: &'static str,
        idle: Option<&str>,
    ) -> Entry {
        let server = match &action {
            Action::Silence { .. } | Action::Expire { .. } => Server::Alertmanager,
            _ => Server::Kubernetes,
        };
        let standing = self.standing(cluster, server);
        let standing = match idle {
            Some(why) => standing.and(Err(why.to_owned())),
            None => standing,
        };
        Entry {
            label: action.word().to_owned(),
            does,
            note: self.not_everywhere(cluster, &action),
            step: standing.map(|by| Step::Ask(ActionRequest::new(cluster, action, &by))),
        }
    }

    /// The last review refused it for the whole cluster; a namespace of its own may still allow it.
    fn not_everywhere(&self, cluster: ClusterId, action: &Action) -> Option<String> {
        let mut right = action.right()?;
        let namespace = right.namespace.take()?;
        let identity = self.world.cluster(cluster)?.identity.as_ref()?;
        let review = identity.reviews.iter().find(|r| r.right == right)?;
        (review.allowed == Some(false)).then(|| {
            format!("not permitted cluster-wide: {right}; asked again for namespace {namespace}")
        })
    }

    /// Under which name the operator may act there, or why not.
    pub(super) fn standing(&self, cluster: ClusterId, server: Server) -> Result<String, String> {
        if self.world.replay.is_some() {
            return Err("this is a recording: nothing can be changed".into());
        }
        let name = self.name_of(&Focus::Cluster(cluster));
        if !self.config.may_act(cluster) {
            let own = self.config.clusters.get(usize::from(cluster.0));
            return Err(match own.and_then(|c| c.actions) {
                Some(_) => format!("actions are off for {name}: `actions = false` in the file"),
                None => "actions are off: start with --allow-actions, or set `enabled = true` \
                         under [actions]"
                    .into(),
            });
        }
        let (role, by, from) = self.role_there(cluster)?;
        if role < NEEDED {
            let from = match from.as_str() {
                "" => "no group of the role map fits".to_owned(),
                group => format!("by group {group}"),
            };
            let (role, needed) = (role.word(), NEEDED.word());
            return Err(format!(
                "your role on {name} is {role} ({from}); {needed} is needed"
            ));
        }
        let fits = |kind: &SourceKind| match server {
            Server::Kubernetes => *kind == SourceKind::Kubernetes,
            Server::Alertmanager => kind.is_alertmanager(),
        };
        let known = self.world.cluster(cluster);
        let what = match server {
            Server::Kubernetes => "kubernetes",
            Server::Alertmanager => "alertmanager",
        };
        match known.is_some_and(|c| c.sources.keys().any(fits)) {
            true => Ok(by),
            false => Err(format!("{name} has no {what} configured")),
        }
    }

    pub(in crate::state) fn role_there(
        &self,
        cluster: ClusterId,
    ) -> Result<(Role, String, String), String> {
        let known = self.world.cluster(cluster);
        let asked = known.is_some_and(|c| c.sources.contains_key(&SourceKind::Kubernetes));
        match known.and_then(|c| c.identity.as_ref()) {
            Some(identity) => {
                let by = match identity.user.as_str() {
                    "" => "farwatch",
                    user => user,
                };
                Ok((identity.role, by.to_owned(), identity.role_from.clone()))
            }
            None if asked => {
                let name = self.name_of(&Focus::Cluster(cluster));
                Err(format!("who you are on {name} is not known (yet)"))
            }
            None => {
                let role = self.config.roles(cluster).default;
                Ok((role, "farwatch".into(), String::new()))
            }
        }
    }
}

/// What a single source tracks; of several each has its own.
fn tracked(app: &App) -> Option<String> {
    match app.sources.as_slice() {
        [source] if !source.target.is_empty() => Some(source.target.clone()),
        _ => None,
    }
}

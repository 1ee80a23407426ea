//! `x`: from any row to another screen, about the same thing, in the same scope and time.

use super::State;
use crate::command::{Command, Jump, ScreenId};
use crate::detect::subject_of_alert;
use crate::message::Effect;
use crate::model::ask::Ask;
use crate::model::id::{ClusterId, IncidentId};
use crate::model::object::ObjectKind;
use crate::model::trace::{TraceId, mention};
use crate::state::world::apps;
use crate::ui::view::incident::subject_focus;
use crate::ui::view::object::{focus_on, key_of};
use crate::ui::view::{Focus, Goto};

fn asks_pod(effect: &Effect) -> bool {
    matches!(effect, Effect::Ask(question) if matches!(question.ask, Ask::PodLogs(_)))
}

impl State {
    pub(super) fn jump(&mut self, to: Jump) -> Vec<Effect> {
        if let Some(goto) = self.screen.view().leads(to, &self.world) {
            return self.drill(goto);
        }
        let Some(row) = self.screen.view().focus(&self.world) else {
            self.notice(false, "there is no row here to jump from");
            return Vec::new();
        };
        let cluster = self.cluster_under(&row);
        let thing = self.thing(&row).unwrap_or_else(|| row.clone());
        let goto = |screen, focus| {
            Some(Goto {
                screen,
                cluster,
                focus,
                ..Goto::default()
            })
        };
        let target = match to {
            Jump::Logs => goto(ScreenId::Logs, Some(thing.clone())),
            Jump::Metrics => goto(ScreenId::Metrics, None).map(|goto| Goto {
                query: self.query_of(&row),
                ..goto
            }),
            Jump::Alerts => match &row {
                Focus::Alert { .. } => goto(ScreenId::Alerts, Some(row.clone())),
                _ => goto(ScreenId::Alerts, Some(thing.clone())),
            },
            Jump::Incidents => self
                .incident_about(&row, &thing)
                .and_then(|id| goto(ScreenId::Incidents, Some(Focus::Incident(id)))),
            Jump::Pods => self
                .pod_of(&thing)
                .and_then(|pod| goto(ScreenId::Cluster, Some(pod))),
            Jump::Node => self
                .node_of(&thing)
                .and_then(|node| goto(ScreenId::Cluster, Some(node))),
            Jump::Gpu => match &thing {
                Focus::Gpu { .. } => goto(ScreenId::Gpu, Some(thing.clone())),
                _ => goto(ScreenId::Gpu, self.node_of(&thing)),
            },
            Jump::Cnf => goto(ScreenId::Cnf, self.node_of(&thing)),
            Jump::GitOps => match &thing {
                Focus::Cluster(_) => goto(ScreenId::GitOps, None),
                thing => self
                    .app_of(thing)
                    .or_else(|| self.node_of(thing))
                    .and_then(|found| goto(ScreenId::GitOps, Some(found))),
            },
            Jump::Object => {
                key_of(&thing).and_then(|_| goto(ScreenId::Object, Some(thing.clone())))
            }
            Jump::PodLog => self
                .pod_of(&thing)
                .and_then(|pod| goto(ScreenId::Logs, Some(pod))),
            Jump::Traces => self.traces_of(&row, &thing).and_then(|query| {
                goto(ScreenId::Traces, None).map(|goto| Goto {
                    query: Some(query),
                    ..goto
                })
            }),
            Jump::Owner => self
                .owner_of(&thing)
                .and_then(|owner| goto(ScreenId::Object, Some(owner))),
        };
        match target {
            Some(goto) => {
                let mut effects = self.drill(goto);
                // Without Loki it was asked for on arrival.
                if to == Jump::PodLog && !effects.iter().any(asks_pod) {
                    effects = self.tell_view(Command::PodLog);
                    self.screen.arrived = self.screen.view().depth();
                }
                effects
            }
            None => {
                let name: String = self.name_of(&thing).chars().take(80).collect();
                self.notice(false, format!("no {} known of {name}", to.word()));
                Vec::new()
            }
        }
    }

    fn cluster_under(&self, row: &Focus) -> Option<ClusterId> {
        match row {
            Focus::Incident(id) => self.world.incident(*id).map(|i| i.cluster),
            other => super::places::cluster_of(other),
        }
    }

    /// What an alert or an incident is about: its first sign.
    fn thing(&self, row: &Focus) -> Option<Focus> {
        match row {
            Focus::Alert {
                cluster,
                fingerprint,
            } => {
                let known = self.world.cluster(*cluster)?;
                let alert = known.alerts.get(fingerprint.as_str())?;
                subject_focus(*cluster, &subject_of_alert(&alert.labels))
            }
            Focus::Incident(id) => {
                let incident = self.world.incident(*id)?;
                let mut subjects = incident.findings.iter().map(|f| &f.subject);
                subjects.find_map(|s| subject_focus(incident.cluster, s))
            }
            _ => None,
        }
    }

    /// The expression of an alert, else nothing: the series are listed.
    fn query_of(&self, row: &Focus) -> Option<String> {
        let Focus::Alert {
            cluster,
            fingerprint,
        } = row
        else {
            return None;
        };
        let alert = self
            .world
            .cluster(*cluster)?
            .alerts
            .get(fingerprint.as_str())?;
        Some(alert.expression.as_ref()?.to_string())
    }

    fn incident_about(&self, row: &Focus, thing: &Focus) -> Option<IncidentId> {
        if let Focus::Incident(id) = row {
            return Some(*id);
        }
        let cluster = self.cluster_under(row)?;
        // Those that are open, the worst first, come before those that are over.
        let mut about = self.world.incidents.iter().filter(|i| i.cluster == cluster);
        let found = about.find(|i| {
            let subjects = i.findings.iter().map(|f| &f.subject);
            let mut focused = subjects.filter_map(|s| subject_focus(cluster, s));
            match thing {
                Focus::Cluster(_) | Focus::Text { .. } => true,
                Focus::Node { node, .. } => i.nodes.iter().any(|n| n.as_ref() == node.as_str()),
                thing => focused.any(|f| f == *thing),
            }
        });
        found.map(|i| i.id)
    }

    fn owner_of(&self, thing: &Focus) -> Option<Focus> {
        let (cluster, key) = key_of(thing)?;
        let owner = self.world.cluster(cluster)?.owner(&key)?;
        Some(focus_on(cluster, &owner))
    }

    /// The trace that an alert names in its labels or annotations.
    fn trace_of_alert(&self, row: &Focus) -> Option<TraceId> {
        let Focus::Alert {
            cluster,
            fingerprint,
        } = row
        else {
            return None;
        };
        let known = self.world.cluster(*cluster)?;
        let alert = known.alerts.get(fingerprint.as_str())?;
        let mut texts = alert.annotations.iter().map(|(_, text)| text);
        mention::of_labels(&alert.labels)
            .or_else(|| mention::of_labels(&alert.annotations))
            .or_else(|| texts.find_map(mention::in_text))
    }

    /// The id of a trace that it tells of, else a search for its own traces.
    fn traces_of(&self, row: &Focus, thing: &Focus) -> Option<String> {
        if let Some(id) = self.trace_of_alert(row) {
            return Some(id.to_string());
        }
        match thing {
            Focus::Text { text, .. } => mention::in_text(text).map(|id| id.to_string()),
            Focus::Cluster(_) => Some(String::new()),
            Focus::Node { node, .. } => Some(format!("node=\"{node}\"")),
            thing => match self.pod_of(thing)? {
                Focus::Pod { namespace, pod, .. } => {
                    Some(format!("namespace=\"{namespace}\" pod=\"{pod}\""))
                }
                _ => None,
            },
        }
    }

    /// The pod itself, the one that holds the GPU, or the first of the object's own.
    fn pod_of(&self, thing: &Focus) -> Option<Focus> {
        match thing {
            Focus::Object { .. } => {
                let (cluster, key) = key_of(thing)?;
                let (parts, _) = self.world.cluster(cluster)?.below(&key);
                let mut keys = parts.into_iter().filter_map(|part| part.key);
                let pod = keys.find(|key| key.kind == ObjectKind::Pod)?;
                Some(focus_on(cluster, &pod))
            }
            Focus::Pod { .. } => Some(thing.clone()),
            Focus::Gpu { cluster, node, gpu } => {
                let gpus = &self.world.cluster(*cluster)?.gpus;
                let held = gpus
                    .iter()
                    .find(|g| g.node.as_ref() == node.as_str() && g.is_called(gpu))?;
                let (namespace, pod) = held.pod.clone()?;
                Some(Focus::Pod {
                    cluster: *cluster,
                    namespace,
                    pod,
                })
            }
            _ => None,
        }
    }

    /// The application itself, or the one that the pod's workload names.
    fn app_of(&self, thing: &Focus) -> Option<Focus> {
        let (cluster, namespace, pod) = match thing {
            Focus::App { .. } => return Some(thing.clone()),
            Focus::Pod {
                cluster,
                namespace,
                pod,
            } => (*cluster, namespace, pod),
            _ => return None,
        };
        let known = self.world.cluster(cluster)?;
        let app = apps::of_pod(known, namespace, pod)?;
        Some(Focus::App {
            cluster,
            kind: app.kind,
            namespace: app.namespace.to_string(),
            name: app.name.to_string(),
        })
    }

    /// The node itself, or the one that the thing stands on.
    fn node_of(&self, thing: &Focus) -> Option<Focus> {
        let (cluster, node) = match thing {
            Focus::Node { cluster, node } | Focus::Gpu { cluster, node, .. } => {
                (*cluster, node.clone())
            }
            Focus::Pod {
                cluster,
                namespace,
                pod,
            } => {
                let pods = &self.world.cluster(*cluster)?.pods;
                let held = pods.values().find(|p| {
                    p.namespace.as_ref() == namespace.as_str() && p.name.as_ref() == pod.as_str()
                })?;
                (*cluster, held.node.as_ref()?.to_string())
            }
            Focus::Object {
                cluster,
                kind: ObjectKind::SriovNodeState | ObjectKind::PtpDevices,
                name,
                ..
            } => (*cluster, name.clone()),
            _ => return None,
        };
        Some(Focus::Node { cluster, node })
    }
}

//! One object by its key, and what stands around it: owner, parts, node.

use std::sync::Arc;

use crate::model::gitops::App;
use crate::model::object::{Event, Node, ObjectKey, ObjectKind, Pod};
use crate::model::openshift::{ClusterOperator, ClusterVersion};
use crate::model::ptp::{PtpConfig, PtpDevices};
use crate::model::serving::InferenceService;
use crate::model::sriov::{SriovNetwork, SriovNodeState, SriovPolicy};
use crate::model::workload::{Autoscaler, Claim, Service, Workload};

use super::{ClusterState, objects};

/// Parts of an object listed; more are counted.
pub const MOST_RELATED: usize = 500;

/// An object that the cluster's watches told of.
#[derive(Clone, Copy, Debug)]
pub enum Known<'a> {
    Node(&'a Node),
    Pod(&'a Pod),
    Event(&'a Event),
    SriovNodeState(&'a SriovNodeState),
    Workload(&'a Workload),
    Autoscaler(&'a Autoscaler),
    Claim(&'a Claim),
    Service(&'a Service),
    ClusterOperator(&'a ClusterOperator),
    ClusterVersion(&'a ClusterVersion),
    App(&'a App),
    PtpConfig(&'a PtpConfig),
    PtpDevices(&'a PtpDevices),
    InferenceService(&'a InferenceService),
    SriovPolicy(&'a SriovPolicy),
    SriovNetwork(&'a SriovNetwork),
}

/// How another object belongs to the one looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    OwnedBy,
    PartOf,
    ScaledBy,
    RunsOn,
    Owns,
    Holds,
}

impl Relation {
    pub fn words(self) -> &'static str {
        match self {
            Self::OwnedBy => "owned by",
            Self::PartOf => "part of",
            Self::ScaledBy => "scaled by",
            Self::RunsOn => "runs on",
            Self::Owns => "owns",
            Self::Holds => "holds",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Related {
    pub relation: Relation,
    /// As the API writes it, also where the kind is not watched.
    pub kind: String,
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    /// `None`: of a kind that is not watched.
    pub key: Option<ObjectKey>,
}

impl ClusterState {
    /// The object of this key, as far as the watches told of it.
    pub fn known(&self, key: &ObjectKey) -> Option<Known<'_>> {
        let named = (key.namespace.clone(), key.name.clone());
        let name = &key.name;
        if let Some(kind) = objects::workload_kind(key.kind) {
            let held = self.workloads.get(&(kind, named.0, named.1));
            return held.map(Known::Workload);
        }
        if let Some(kind) = objects::app_kind(key.kind) {
            return self.apps.get(&(kind, named.0, named.1)).map(Known::App);
        }
        match key.kind {
            ObjectKind::Node => self.nodes.get(name).map(Known::Node),
            ObjectKind::Pod => self.pods.get(&named).map(Known::Pod),
            ObjectKind::Event => {
                let same = |e: &&Event| e.namespace == named.0 && e.name == named.1;
                self.events.iter().find(same).map(Known::Event)
            }
            ObjectKind::SriovNodeState => self.sriov.get(name).map(Known::SriovNodeState),
            ObjectKind::Autoscaler => self.autoscalers.get(&named).map(Known::Autoscaler),
            ObjectKind::Claim => self.claims.get(&named).map(Known::Claim),
            ObjectKind::Service => self.services.get(&named).map(Known::Service),
            ObjectKind::ClusterOperator => self.operators.get(name).map(Known::ClusterOperator),
            ObjectKind::ClusterVersion => {
                let same = |v: &&ClusterVersion| v.name == *name;
                self.version
                    .as_ref()
                    .filter(same)
                    .map(Known::ClusterVersion)
            }
            ObjectKind::PtpConfig => self.ptp_configs.get(&named).map(Known::PtpConfig),
            ObjectKind::PtpDevices => self.ptp_devices.get(name).map(Known::PtpDevices),
            ObjectKind::SriovPolicy => self.sriov_policies.get(&named).map(Known::SriovPolicy),
            ObjectKind::SriovNetwork => self.sriov_networks.get(&named).map(Known::SriovNetwork),
            ObjectKind::InferenceService => self.inference.get(&named).map(Known::InferenceService),
            _ => None,
        }
    }

    /// Events about the object, oldest first.
    pub fn events_about(&self, key: &ObjectKey) -> impl Iterator<Item = &Event> {
        let kind = key.kind.word();
        let of_node = |e: &Event| {
            // Events of cluster-wide objects stand in whatever namespace the reporter chose.
            key.namespace.is_empty() || e.namespace == key.namespace
        };
        let name = key.name.clone();
        self.events
            .iter()
            .filter(move |e| e.about.0 == kind && e.about.1 == *name && of_node(e))
    }

    /// The object that owns this one: the controller of a pod, the application of a workload.
    pub fn owner(&self, key: &ObjectKey) -> Option<ObjectKey> {
        let related = self.above(key);
        let up = |r: &&Related| matches!(r.relation, Relation::OwnedBy | Relation::PartOf);
        let mut owners = related.iter().filter(up).filter_map(|r| r.key.clone());
        owners.find(|owner| self.known(owner).is_some())
    }

    /// What the object belongs to, nearest first.
    pub fn above(&self, key: &ObjectKey) -> Vec<Related> {
        let mut found = Vec::new();
        match self.known(key) {
            Some(Known::Pod(pod)) => {
                self.owners_of(pod, &mut found);
                if let Some(node) = &pod.node {
                    found.push(of(Relation::RunsOn, ObjectKind::Node, "", node));
                }
            }
            Some(Known::Workload(workload)) => self.around(workload, &mut found),
            Some(Known::Autoscaler(a)) => {
                if let Some(kind) = ObjectKind::named(&a.target.0) {
                    found.push(of(Relation::PartOf, kind, &a.namespace, &a.target.1));
                }
            }
            Some(Known::SriovNodeState(s)) => {
                found.push(of(Relation::PartOf, ObjectKind::Node, "", &s.node));
            }
            Some(Known::PtpDevices(d)) => {
                found.push(of(Relation::PartOf, ObjectKind::Node, "", &d.node));
            }
            _ => {}
        }
        found
    }

    fn owners_of(&self, pod: &Pod, found: &mut Vec<Related>) {
        let Some((kind, name)) = &pod.owner else {
            return;
        };
        let mut direct = Related {
            relation: Relation::OwnedBy,
            kind: kind.clone(),
            namespace: pod.namespace.clone(),
            name: Arc::from(name.as_str()),
            key: None,
        };
        if let Some(known) = ObjectKind::named(kind) {
            direct.key = Some(key(known, &pod.namespace, name));
        }
        let above = self.controller(pod);
        found.push(direct.clone());
        if let Some(above) = above {
            if direct.key.is_none() {
                found.push(of(
                    Relation::OwnedBy,
                    above.kind,
                    &above.namespace,
                    &above.name,
                ));
            }
            if let Some(Known::Workload(workload)) = self.known(&above) {
                self.around(workload, found);
            }
        }
    }

    /// The watched object that runs the pod; a ReplicaSet may have no Deployment.
    fn controller(&self, pod: &Pod) -> Option<ObjectKey> {
        let (kind, name) = pod.controller()?;
        let key = key(ObjectKind::named(kind)?, &pod.namespace, name);
        let direct = pod.owner.as_ref().is_some_and(|(own, _)| own == kind);
        (direct || self.known(&key).is_some()).then_some(key)
    }

    fn around(&self, workload: &Workload, found: &mut Vec<Related>) {
        if let Some(instance) = &workload.instance {
            let apps = self.apps.values();
            let app = apps
                .filter(|a| a.name.as_ref() == instance.as_str())
                .map(|a| (ObjectKind::of_app(a.kind), a));
            found.extend(app.map(|(kind, a)| of(Relation::PartOf, kind, &a.namespace, &a.name)));
        }
        let scaled = self.autoscalers.values().filter(|a| {
            a.namespace == workload.namespace
                && a.target.0 == workload.kind.as_str()
                && a.target.1 == *workload.name
        });
        found.extend(scaled.map(|a| {
            of(
                Relation::ScaledBy,
                ObjectKind::Autoscaler,
                &a.namespace,
                &a.name,
            )
        }));
    }

    /// What belongs to the object: pods of a workload or a node, workloads of an application. At
    /// most [`MOST_RELATED`] of them, and how many there are.
    pub fn below(&self, wanted: &ObjectKey) -> (Vec<Related>, usize) {
        let mut found = Vec::new();
        let mut count = 0;
        let mut push = |related: Related| {
            count += 1;
            if found.len() < MOST_RELATED {
                found.push(related);
            }
        };
        match self.known(wanted) {
            Some(Known::Workload(_)) => {
                let pods = self.pods.range((wanted.namespace.clone(), Arc::from(""))..);
                for (_, pod) in pods.take_while(|((ns, _), _)| *ns == wanted.namespace) {
                    if self.controller(pod).as_ref() == Some(wanted) {
                        push(of_pod(Relation::Owns, pod));
                    }
                }
            }
            Some(Known::Node(node)) => {
                if self.sriov.contains_key(&node.name) {
                    push(of(
                        Relation::Holds,
                        ObjectKind::SriovNodeState,
                        "",
                        &node.name,
                    ));
                }
                if self.ptp_devices.contains_key(&node.name) {
                    push(of(Relation::Holds, ObjectKind::PtpDevices, "", &node.name));
                }
                let pods = self.pods.values();
                for pod in pods.filter(|p| p.node.as_ref() == Some(&node.name)) {
                    push(of_pod(Relation::Holds, pod));
                }
            }
            Some(Known::App(app)) => {
                for r in &app.resources {
                    push(Related {
                        relation: Relation::Owns,
                        kind: r.kind.clone(),
                        namespace: Arc::from(r.namespace.as_str()),
                        name: Arc::from(r.name.as_str()),
                        key: ObjectKind::named(&r.kind)
                            .map(|kind| key(kind, &r.namespace, &r.name)),
                    });
                }
                for w in self.workloads.values() {
                    let ours = w.instance.as_deref() == Some(app.name.as_ref());
                    let told = app.resources.iter().any(|r| {
                        r.kind == w.kind.as_str()
                            && r.name == *w.name
                            && r.namespace == *w.namespace
                    });
                    if ours && !told {
                        let kind = ObjectKind::of_workload(w.kind);
                        push(of(Relation::Owns, kind, &w.namespace, &w.name));
                    }
                }
            }
            Some(Known::SriovPolicy(policy)) => {
                for node in self.nodes.values().filter(|n| policy.matches(n)) {
                    push(of(Relation::Holds, ObjectKind::Node, "", &node.name));
                }
            }
            Some(Known::PtpConfig(config)) => {
                for (node, _) in &config.matches {
                    push(of(Relation::Holds, ObjectKind::Node, "", node));
                }
            }
            _ => {}
        }
        (found, count)
    }
}

fn key(kind: ObjectKind, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey {
        kind,
        namespace: Arc::from(namespace),
        name: Arc::from(name),
    }
}

fn of(relation: Relation, kind: ObjectKind, namespace: &str, name: &str) -> Related {
    let key = key(kind, namespace, name);
    Related {
        relation,
        kind: kind.word().to_owned(),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        key: Some(key),
    }
}

fn of_pod(relation: Relation, pod: &Pod) -> Related {
    of(relation, ObjectKind::Pod, &pod.namespace, &pod.name)
}

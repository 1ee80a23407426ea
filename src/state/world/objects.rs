//! Kubernetes objects into the world, and what their difference to the former ones tells.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::gitops::AppKind;
use crate::model::object::{Event, Object, ObjectKey, ObjectKind};
use crate::model::telemetry::ObjectBatch;
use crate::model::time::Timestamp;
use crate::model::workload::WorkloadKind;

use super::{ClusterState, changes};

impl ClusterState {
    /// The kind was listed whole at least once: what is not there does not exist.
    pub fn is_listed(&self, kind: ObjectKind) -> bool {
        self.listed.contains_key(&kind)
    }

    /// The server said that it does not have this kind.
    pub fn is_absent(&self, kind: ObjectKind) -> bool {
        self.absent.contains(&kind)
    }

    /// The object is there, but not as its schema says: nothing is known of it.
    pub fn is_unread(&self, key: &ObjectKey) -> bool {
        self.unread.contains(key)
    }

    /// How many objects of a kind there are, of which so many are known; `None`: not known yet.
    pub fn listed_count(&self, kind: ObjectKind, known: usize) -> Option<usize> {
        (known > 0 || self.is_listed(kind)).then_some(known)
    }

    pub(super) fn take_objects(
        &mut self,
        batch: ObjectBatch,
        seen: Timestamp,
        events_most: usize,
    ) -> bool {
        let kind = batch.kind;
        let changed = !batch.is_empty();
        let (mut former, heard) = self.begin(&batch, seen);
        // A list after others shows what came to pass since, not when.
        let unwatched = heard.filter(|_| batch.reset);
        let known = heard.is_some();
        let mut found = Vec::new();
        for object in batch.upserts {
            if let Object::Event(event) = object {
                self.take_event(event, events_most);
                continue;
            }
            let key = object.key();
            let old = former.remove(&key).or_else(|| self.take(&key));
            // What it was before it could not be read is not known: no change is told.
            if !self.unread.remove(&key) {
                changes::between(old.as_ref(), Some(&object), known, seen, &mut found);
            }
            if let Object::App(app) = &object {
                self.note_drift(app, !known || unwatched.is_some(), seen);
            }
            if let Object::SriovNodeState(state) = &object {
                self.note_sync(state, known && unwatched.is_none(), seen);
            }
            self.put(object);
        }
        for key in batch.deletes {
            self.unread.remove(&key);
            if let Some(old) = self.take(&key) {
                changes::between(Some(&old), None, known, seen, &mut found);
            }
        }
        for old in former.values() {
            changes::between(Some(old), None, known, seen, &mut found);
        }
        for mut change in found {
            // What the server dates itself is dated otherwise.
            if let Some(since) = unwatched.filter(|_| change.at == seen) {
                change.unwatched = Some(since);
                change.what.push_str(" (while not watched)");
            }
            self.note_change(change);
        }
        match kind {
            ObjectKind::Node => self.count_capacity(),
            ObjectKind::Pod if batch.reset => self.count_capacity(),
            ObjectKind::Pod => self.capacity_due = true,
            _ => {}
        }
        self.note_fits(kind, batch.reset);
        if app_kind(kind).is_some() {
            let Self { drift, apps, .. } = self;
            drift.retain(|key, _| apps.contains_key(key));
        }
        changed
    }

    /// What the batch says of its kind as a whole; gives what a fresh list replaces, and when the
    /// kind was heard of last. `None`: what is told was there before.
    fn begin(
        &mut self,
        batch: &ObjectBatch,
        seen: Timestamp,
    ) -> (BTreeMap<ObjectKey, Object>, Option<Timestamp>) {
        let kind = batch.kind;
        let mut heard = self.listed.get(&kind).copied().flatten();
        let mut former = BTreeMap::new();
        if batch.reset {
            former = self.take_kind(kind);
            if heard.is_some() && is_another(kind, &former, &batch.upserts) {
                self.begin_anew(kind);
                heard = None;
            }
            if heard.is_none() {
                former.clear();
            }
            self.absent.remove(&kind);
            let upserts: BTreeSet<ObjectKey> = batch.upserts.iter().map(Object::key).collect();
            let unread = |k: &ObjectKey| k.kind != kind || upserts.contains(k);
            self.unread.retain(unread);
        }
        if batch.gone {
            self.absent.insert(kind);
            self.listed.remove(&kind);
        } else if batch.reset || self.is_listed(kind) {
            self.listed.insert(kind, Some(seen));
        }
        for key in &batch.unread {
            former.remove(key);
            drop(self.take(key));
            self.unread.insert(key.clone());
        }
        (former, heard)
    }

    /// Behind the place of the former server is another: what it has is no change, in any kind.
    fn begin_anew(&mut self, kind: ObjectKind) {
        self.listed.values_mut().for_each(|heard| *heard = None);
        self.drift
            .retain(|(app, ..), _| ObjectKind::of_app(*app) != kind);
    }

    fn put(&mut self, object: Object) {
        match object {
            Object::Node(o) => drop(self.nodes.insert(o.name.clone(), o)),
            Object::Pod(o) => drop(self.pods.insert((o.namespace.clone(), o.name.clone()), o)),
            Object::Event(_) => {}
            Object::SriovNodeState(o) => drop(self.sriov.insert(o.node.clone(), o)),
            Object::Workload(o) => {
                let key = (o.kind, o.namespace.clone(), o.name.clone());
                self.workloads.insert(key, o);
            }
            Object::Autoscaler(o) => {
                let key = (o.namespace.clone(), o.name.clone());
                self.autoscalers.insert(key, o);
            }
            Object::Claim(o) => drop(self.claims.insert((o.namespace.clone(), o.name.clone()), o)),
            Object::Service(o) => {
                let key = (o.namespace.clone(), o.name.clone());
                self.services.insert(key, o);
            }
            Object::ClusterOperator(o) => drop(self.operators.insert(o.name.clone(), o)),
            Object::ClusterVersion(o) => {
                let installed = o.installed().map(str::to_owned);
                let held = self.facts.openshift_version.take();
                self.facts.openshift_version = installed.or(held);
                self.version = Some(o);
            }
            Object::App(o) => {
                let key = (o.kind, o.namespace.clone(), o.name.clone());
                self.apps.insert(key, *o);
            }
            Object::PtpConfig(o) => {
                let key = (o.namespace.clone(), o.name.clone());
                self.ptp_configs.insert(key, o);
            }
            Object::PtpDevices(o) => drop(self.ptp_devices.insert(o.node.clone(), o)),
            Object::SriovPolicy(o) => {
                let key = (o.namespace.clone(), o.name.clone());
                self.sriov_policies.insert(key, o);
            }
            Object::SriovNetwork(o) => {
                let key = (o.namespace.clone(), o.name.clone());
                self.sriov_networks.insert(key, o);
            }
            Object::InferenceService(o) => {
                let key = (o.namespace.clone(), o.name.clone());
                self.inference.insert(key, o);
            }
        }
    }

    /// Takes one object out.
    fn take(&mut self, key: &ObjectKey) -> Option<Object> {
        let named = (key.namespace.clone(), key.name.clone());
        let name = &key.name;
        if let Some(kind) = workload_kind(key.kind) {
            let taken = self.workloads.remove(&(kind, named.0, named.1));
            return taken.map(Object::Workload);
        }
        if let Some(kind) = app_kind(key.kind) {
            let taken = self.apps.remove(&(kind, named.0, named.1));
            return taken.map(|app| Object::App(Box::new(app)));
        }
        match key.kind {
            ObjectKind::Node => self.nodes.remove(name).map(Object::Node),
            ObjectKind::Pod => self.pods.remove(&named).map(Object::Pod),
            ObjectKind::SriovNodeState => self.sriov.remove(name).map(Object::SriovNodeState),
            ObjectKind::Autoscaler => self.autoscalers.remove(&named).map(Object::Autoscaler),
            ObjectKind::Claim => self.claims.remove(&named).map(Object::Claim),
            ObjectKind::Service => self.services.remove(&named).map(Object::Service),
            ObjectKind::ClusterOperator => self.operators.remove(name).map(Object::ClusterOperator),
            ObjectKind::ClusterVersion => self.version.take().map(Object::ClusterVersion),
            ObjectKind::PtpConfig => self.ptp_configs.remove(&named).map(Object::PtpConfig),
            ObjectKind::PtpDevices => self.ptp_devices.remove(name).map(Object::PtpDevices),
            ObjectKind::SriovPolicy => self.sriov_policies.remove(&named).map(Object::SriovPolicy),
            ObjectKind::SriovNetwork => {
                self.sriov_networks.remove(&named).map(Object::SriovNetwork)
            }
            ObjectKind::InferenceService => {
                self.inference.remove(&named).map(Object::InferenceService)
            }
            // Events expire on the server; what was seen stays known.
            _ => None,
        }
    }

    /// Takes all objects of a kind out.
    fn take_kind(&mut self, kind: ObjectKind) -> BTreeMap<ObjectKey, Object> {
        let keys: Vec<ObjectKey> = self.keys(kind);
        let taken = keys
            .into_iter()
            .filter_map(|key| Some((key.clone(), self.take(&key)?)));
        taken.collect()
    }

    fn keys(&self, kind: ObjectKind) -> Vec<ObjectKey> {
        let key = |namespace: &Arc<str>, name: &Arc<str>| ObjectKey {
            kind,
            namespace: namespace.clone(),
            name: name.clone(),
        };
        let none: Arc<str> = Arc::from("");
        let plain = |name: &Arc<str>| key(&none, name);
        if let Some(wanted) = workload_kind(kind) {
            let all = self.workloads.keys().filter(|(k, ..)| *k == wanted);
            return all.map(|(_, ns, name)| key(ns, name)).collect();
        }
        if let Some(wanted) = app_kind(kind) {
            let all = self.apps.keys().filter(|(k, ..)| *k == wanted);
            return all.map(|(_, ns, name)| key(ns, name)).collect();
        }
        match kind {
            ObjectKind::Node => self.nodes.keys().map(plain).collect(),
            ObjectKind::Pod => self.pods.keys().map(|(ns, name)| key(ns, name)).collect(),
            ObjectKind::SriovNodeState => self.sriov.keys().map(plain).collect(),
            ObjectKind::Autoscaler => self.autoscalers.keys().map(|(a, b)| key(a, b)).collect(),
            ObjectKind::Claim => self.claims.keys().map(|(a, b)| key(a, b)).collect(),
            ObjectKind::Service => self.services.keys().map(|(a, b)| key(a, b)).collect(),
            ObjectKind::ClusterOperator => self.operators.keys().map(plain).collect(),
            ObjectKind::ClusterVersion => self.version.iter().map(|v| plain(&v.name)).collect(),
            ObjectKind::PtpConfig => self.ptp_configs.keys().map(|(a, b)| key(a, b)).collect(),
            ObjectKind::PtpDevices => self.ptp_devices.keys().map(plain).collect(),
            ObjectKind::SriovPolicy => self.sriov_policies.keys().map(|(a, b)| key(a, b)).collect(),
            ObjectKind::SriovNetwork => {
                self.sriov_networks.keys().map(|(a, b)| key(a, b)).collect()
            }
            ObjectKind::InferenceService => self.inference.keys().map(|(a, b)| key(a, b)).collect(),
            _ => Vec::new(),
        }
    }

    /// In time order; an event that repeats (same name) replaces its former self.
    fn take_event(&mut self, event: Event, most: usize) {
        if let Some(change) = changes::of_event(&event) {
            self.note_change(change);
        }
        let named = |e: &Event| (e.namespace.clone(), e.name.clone());
        if !self.event_names.insert(named(&event)) {
            let same = |e: &Event| (&e.namespace, &e.name) == (&event.namespace, &event.name);
            if let Some(place) = self.events.iter().rposition(same) {
                self.events.remove(place);
            }
        }
        let place = self.events.partition_point(|e| e.at <= event.at);
        self.events.insert(place, event);
        while self.events.len() > most.max(1) {
            if let Some(oldest) = self.events.pop_front() {
                self.event_names.remove(&named(&oldest));
            }
        }
    }
}

/// Whether a list is of another server than the former one: not one object is what it was, by its
/// name and birth. A few objects may all have been made anew; all nodes are not.
fn is_another(kind: ObjectKind, former: &BTreeMap<ObjectKey, Object>, new: &[Object]) -> bool {
    const FEW: usize = 3;
    let least = if kind == ObjectKind::Node { 1 } else { FEW };
    let same = |o: &Object| {
        let born = former.get(&o.key()).map(Object::created);
        born.is_some_and(|born| born == o.created())
    };
    let told = new.iter().any(|o| o.created().is_some());
    told && former.len() >= least && !new.iter().any(same)
}

pub(super) fn workload_kind(kind: ObjectKind) -> Option<WorkloadKind> {
    WorkloadKind::ALL
        .into_iter()
        .find(|k| ObjectKind::of_workload(*k) == kind)
}

pub(super) fn app_kind(kind: ObjectKind) -> Option<AppKind> {
    AppKind::ALL
        .into_iter()
        .find(|k| ObjectKind::of_app(*k) == kind)
}

#[cfg(test)]
mod tests;

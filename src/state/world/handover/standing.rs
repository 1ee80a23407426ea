//! How a cluster stands now, as deliveries: sources, facts, objects, alerts. Where the past is told
//! by the facts themselves (when an alert began and ended) it is told at that time.

use std::collections::BTreeSet;

use crate::model::alert::{Alert, AlertState};
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::object::{Object, ObjectKind};
use crate::model::telemetry::{Body, ObjectBatch, Telemetry};
use crate::model::time::Timestamp;
use crate::state::world::ClusterState;
use crate::state::world::objects::{app_kind, workload_kind};

/// Times at which alerts began or ended that are told one by one; of more, only how it ended.
const TURNS: usize = 200;
/// And as many alerts at most in all these tellings: they are copied between two frames.
const TOLD: usize = 20_000;

impl ClusterState {
    /// In the order of time.
    pub(super) fn standing(
        &self,
        at: ClusterId,
        from: Timestamp,
        now: Timestamp,
    ) -> Vec<Telemetry> {
        let told = |source, received, body| Telemetry {
            cluster: at,
            source,
            received,
            body,
        };
        let mut out = self.alerts_told(from, now, &told);
        let speaker = self.sources.keys().next().copied();
        let speaker = speaker.unwrap_or(SourceKind::Kubernetes);
        let facts = Body::Facts(self.facts.clone());
        out.push(told(speaker, now, facts));
        if !self.probes.is_empty() {
            out.push(told(speaker, now, Body::Discovery(self.probes.clone())));
        }
        for (kind, health) in &self.sources {
            out.push(told(*kind, now, Body::Health(health.clone())));
        }
        for kind in self.listed.keys() {
            let batch = ObjectBatch {
                reset: true,
                upserts: self.all_of(*kind),
                ..ObjectBatch::empty(*kind)
            };
            out.push(told(SourceKind::Kubernetes, now, Body::Objects(batch)));
        }
        for kind in self.absent.iter().filter(|k| !self.listed.contains_key(k)) {
            let batch = ObjectBatch {
                reset: true,
                gone: true,
                ..ObjectBatch::empty(*kind)
            };
            out.push(told(SourceKind::Kubernetes, now, Body::Objects(batch)));
        }
        for (source, (heard, states)) in &self.clocks_told {
            out.push(told(
                *source,
                (*heard).max(from),
                Body::Clocks(states.clone()),
            ));
        }
        out.sort_by_key(|t| t.received);
        out
    }

    /// Lists of alerts at each time that one began or ended, as the alerts tell it.
    fn alerts_told(
        &self,
        from: Timestamp,
        now: Timestamp,
        told: &dyn Fn(SourceKind, Timestamp, Body) -> Telemetry,
    ) -> Vec<Telemetry> {
        let managers = || self.sources.keys().find(|k| k.is_alertmanager());
        let source = managers().copied().unwrap_or(SourceKind::Prometheus);
        let heard = managers().is_some() || self.sources.contains_key(&SourceKind::Prometheus);
        if !heard {
            return Vec::new();
        }
        let turns = self
            .alerts
            .values()
            .flat_map(|a| [Some(a.starts_at), a.ends_at]);
        let mut turns: BTreeSet<Timestamp> = turns
            .flatten()
            .map(|at| at.max(from))
            .filter(|at| *at < now)
            .collect();
        if turns.len() > TURNS || turns.len() * self.alerts.len() > TOLD {
            turns.clear();
        }
        turns.insert(now);
        let mut out: Vec<Telemetry> = turns
            .into_iter()
            .map(|at| {
                let stands = self.alerts.values().filter_map(|a| stood(a, at, now));
                told(source, at, Body::Alerts(stands.collect()))
            })
            .collect();
        if managers().is_some() {
            let silences = self.silences.values().cloned().collect();
            out.push(told(source, now, Body::Silences(silences)));
        }
        out
    }

    fn all_of(&self, kind: ObjectKind) -> Vec<Object> {
        if let Some(wanted) = workload_kind(kind) {
            let all = self.workloads.iter().filter(|((k, ..), _)| *k == wanted);
            return all.map(|(_, w)| Object::Workload(w.clone())).collect();
        }
        if let Some(wanted) = app_kind(kind) {
            let all = self.apps.iter().filter(|((k, ..), _)| *k == wanted);
            return all.map(|(_, a)| Object::App(Box::new(a.clone()))).collect();
        }
        macro_rules! all {
            ($held:expr, $object:expr) => {
                $held.values().cloned().map($object).collect()
            };
        }
        match kind {
            ObjectKind::Node => all!(self.nodes, Object::Node),
            ObjectKind::Pod => all!(self.pods, Object::Pod),
            ObjectKind::Event => self.events.iter().cloned().map(Object::Event).collect(),
            ObjectKind::SriovNodeState => all!(self.sriov, Object::SriovNodeState),
            ObjectKind::SriovPolicy => all!(self.sriov_policies, Object::SriovPolicy),
            ObjectKind::SriovNetwork => all!(self.sriov_networks, Object::SriovNetwork),
            ObjectKind::Autoscaler => all!(self.autoscalers, Object::Autoscaler),
            ObjectKind::Claim => all!(self.claims, Object::Claim),
            ObjectKind::Service => all!(self.services, Object::Service),
            ObjectKind::ClusterOperator => all!(self.operators, Object::ClusterOperator),
            ObjectKind::ClusterVersion => self
                .version
                .iter()
                .cloned()
                .map(Object::ClusterVersion)
                .collect(),
            ObjectKind::PtpConfig => all!(self.ptp_configs, Object::PtpConfig),
            ObjectKind::PtpDevices => all!(self.ptp_devices, Object::PtpDevices),
            ObjectKind::InferenceService => all!(self.inference, Object::InferenceService),
            // Workloads and applications are told above.
            _ => Vec::new(),
        }
    }
}

/// The alert as it stood then, as far as it tells; `None`: it did not.
fn stood(alert: &Alert, at: Timestamp, now: Timestamp) -> Option<Alert> {
    if alert.starts_at > at || alert.ends_at.is_some_and(|end| end <= at) {
        return None;
    }
    let mut alert = alert.clone();
    if alert.state == AlertState::Resolved {
        // It fired then; how it ended is told at its time.
        alert.state = AlertState::Firing;
        alert.ends_at = None;
    } else if at < now {
        alert.value = None;
    }
    Some(alert)
}

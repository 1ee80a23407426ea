//! Deployments, StatefulSets, DaemonSets and Jobs, with what good practice would change in them.

use std::sync::Arc;

use serde::Deserialize;

use super::common::{Condition, List, Map, Meta, NAME, Scalar, Text};
use super::common::{conditions, number, read, some};
use crate::model::object::Object;
use crate::model::text::clean;
use crate::model::workload::{Policy, Workload, WorkloadKind};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    metadata: Meta,
    spec: Option<Spec>,
    status: Option<Status>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    replicas: Option<i64>,
    completions: Option<i64>,
    paused: Option<bool>,
    suspend: Option<bool>,
    template: Option<Template>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Template {
    spec: Option<PodSpec>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodSpec {
    containers: List<Container>,
    security_context: Option<Security>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Container {
    image: Text,
    liveness_probe: Option<serde::de::IgnoredAny>,
    readiness_probe: Option<serde::de::IgnoredAny>,
    resources: Option<Resources>,
    security_context: Option<Security>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resources {
    limits: Map<Scalar>,
    requests: Map<Scalar>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Security {
    run_as_user: Option<i64>,
    run_as_non_root: Option<bool>,
    privileged: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    observed_generation: Option<i64>,
    ready_replicas: Option<i64>,
    updated_replicas: Option<i64>,
    available_replicas: Option<i64>,
    update_revision: Text,
    desired_number_scheduled: Option<i64>,
    number_ready: Option<i64>,
    updated_number_scheduled: Option<i64>,
    number_available: Option<i64>,
    active: Option<i64>,
    succeeded: Option<i64>,
    failed: Option<i64>,
    conditions: List<Condition>,
}

pub fn deployment(json: &[u8]) -> Option<Object> {
    workload(WorkloadKind::Deployment, json)
}

pub fn stateful_set(json: &[u8]) -> Option<Object> {
    workload(WorkloadKind::StatefulSet, json)
}

pub fn daemon_set(json: &[u8]) -> Option<Object> {
    workload(WorkloadKind::DaemonSet, json)
}

pub fn job(json: &[u8]) -> Option<Object> {
    workload(WorkloadKind::Job, json)
}

/// Wanted, ready, of the newest template, available.
fn replicas(kind: WorkloadKind, spec: &Spec, status: &Status) -> [Option<i64>; 4] {
    match kind {
        WorkloadKind::Deployment | WorkloadKind::StatefulSet => [
            // The API server fills in 1 where nothing is said.
            spec.replicas.or(Some(1)),
            status.ready_replicas,
            status.updated_replicas,
            status.available_replicas,
        ],
        WorkloadKind::DaemonSet => [
            status.desired_number_scheduled,
            status.number_ready,
            status.updated_number_scheduled,
            status.number_available,
        ],
        WorkloadKind::Job => [
            spec.completions.or(Some(1)),
            status.succeeded,
            None,
            status.active,
        ],
    }
}

fn workload(kind: WorkloadKind, json: &[u8]) -> Option<Object> {
    let fields: Fields = read(json)?;
    let meta = fields.metadata;
    let name = meta.name()?;
    let spec = fields.spec.unwrap_or_default();
    let status = fields.status.unwrap_or_default();
    let [desired, ready, updated, available] = replicas(kind, &spec, &status);
    let paused = spec.paused == Some(true) || spec.suspend == Some(true);
    let pod = spec.template.and_then(|t| t.spec).unwrap_or_default();
    let notes = meta.annotations.as_ref();
    let revision = match kind {
        WorkloadKind::StatefulSet => some(&status.update_revision, NAME),
        _ => notes.and_then(|n| some(&n.revision, NAME)),
    };
    // `APP:GROUP/KIND:NAMESPACE/NAME`
    let tracked = notes.and_then(|n| n.tracking.as_deref()?.split(':').next());
    let instance = tracked.or_else(|| meta.label("app.kubernetes.io/instance"));
    let images = pod.containers.iter().flatten().take(64);
    Some(Object::Workload(Workload {
        kind,
        namespace: meta.namespace(),
        name,
        desired: number(desired),
        ready: number(ready),
        updated: number(updated),
        available: number(available),
        failed: number(status.failed),
        paused,
        observed: kind == WorkloadKind::Job
            || meta.is_observed(status.observed_generation.or(Some(0))),
        generation: meta.generation(),
        images: images
            .filter_map(|c| Some(Arc::from(clean(c.image.as_deref()?, 500))))
            .collect(),
        conditions: conditions(status.conditions.iter().flatten()),
        revision,
        instance: instance.filter(|i| !i.is_empty()).map(|i| clean(i, NAME)),
        policies: policies(kind, number(desired), &pod),
        created: meta.created(),
    }))
}

fn policies(kind: WorkloadKind, desired: u32, pod: &PodSpec) -> Vec<Policy> {
    let containers = pod.containers.as_deref().unwrap_or_default();
    let any = |bad: &dyn Fn(&Container) -> bool| containers.iter().any(bad);
    let serves = kind != WorkloadKind::Job;
    let memory = |r: &Resources| r.limits.as_ref().is_some_and(|l| l.contains_key("memory"));
    let asks = |r: &Resources| r.requests.as_ref().is_some_and(|r| !r.is_empty());
    let single = matches!(kind, WorkloadKind::Deployment | WorkloadKind::StatefulSet);
    let found = [
        (Policy::LatestTag, any(&|c| is_latest(c.image.as_deref()))),
        (
            Policy::NoLivenessProbe,
            serves && any(&|c| c.liveness_probe.is_none()),
        ),
        (
            Policy::NoReadinessProbe,
            serves && any(&|c| c.readiness_probe.is_none()),
        ),
        (
            Policy::NoLimits,
            any(&|c| !c.resources.as_ref().is_some_and(memory)),
        ),
        (
            Policy::NoRequests,
            any(&|c| !c.resources.as_ref().is_some_and(asks)),
        ),
        (Policy::SingleReplica, single && desired == 1),
        (Policy::RootUser, any(&|c| may_be_root(pod, c))),
    ];
    let found = found.into_iter().filter(|(_, bad)| *bad);
    found.map(|(policy, _)| policy).collect()
}

/// No tag, or `latest`, and no digest.
fn is_latest(image: Option<&str>) -> bool {
    let Some(image) = image.filter(|i| !i.is_empty() && !i.contains('@')) else {
        return false;
    };
    // A colon before the last slash is that of a port.
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

/// The container's word counts before the pod's.
fn may_be_root(pod: &PodSpec, container: &Container) -> bool {
    let own = container.security_context.as_ref();
    let shared = pod.security_context.as_ref();
    let user = own
        .and_then(|s| s.run_as_user)
        .or(shared.and_then(|s| s.run_as_user));
    let non_root = own.and_then(|s| s.run_as_non_root);
    let non_root = non_root.or(shared.and_then(|s| s.run_as_non_root));
    let privileged = own.and_then(|s| s.privileged) == Some(true);
    privileged || user == Some(0) || (user.is_none() && non_root != Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_move() {
        for moving in ["nginx", "r.example:5000/nginx", "nginx:latest"] {
            assert!(is_latest(Some(moving)), "{moving}");
        }
        for fixed in ["nginx:1.2", "r.example:5000/a/nginx:1", "nginx@sha256:aa"] {
            assert!(!is_latest(Some(fixed)), "{fixed}");
        }
        assert!(!is_latest(None));
    }
}

//! Services, claims and autoscalers.

use serde::Deserialize;

use super::common::{Condition, List, Map, Meta, NAME, SHORT, Scalar, Text};
use super::common::{arc, conditions, number, read, some, text, word};
use crate::model::object::Object;
use crate::model::workload::{Autoscaler, Claim, Service};

#[derive(Default, Deserialize)]
#[serde(default)]
struct ServiceFields {
    metadata: Meta,
    spec: Option<ServiceSpec>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ServiceSpec {
    selector: Map<String>,
    ports: List<Port>,
    #[serde(rename = "clusterIP")]
    cluster_ip: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Port {
    name: Text,
    port: Option<i64>,
    target_port: Option<Scalar>,
}

pub fn service(json: &[u8]) -> Option<Object> {
    let fields: ServiceFields = read(json)?;
    let meta = fields.metadata;
    let spec = fields.spec.unwrap_or_default();
    let ports = spec.ports.iter().flatten().take(256);
    Some(Object::Service(Service {
        name: meta.name()?,
        namespace: meta.namespace(),
        selector: spec
            .selector
            .iter()
            .flatten()
            .map(|(name, value)| (arc(name), arc(value)))
            .collect(),
        ports: ports
            .map(|p| {
                let target = p
                    .target_port
                    .as_ref()
                    .map_or_else(String::new, Scalar::shown);
                (word(&p.name), number(p.port), target)
            })
            .collect(),
        headless: spec.cluster_ip.as_deref() == Some("None"),
        labels: meta.labels(),
    }))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ClaimFields {
    metadata: Meta,
    spec: Option<ClaimSpec>,
    status: Option<ClaimStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ClaimSpec {
    storage_class_name: Text,
    resources: Option<ClaimResources>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ClaimResources {
    requests: Map<Scalar>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ClaimStatus {
    phase: Text,
    capacity: Map<Scalar>,
}

pub fn claim(json: &[u8]) -> Option<Object> {
    let fields: ClaimFields = read(json)?;
    let meta = fields.metadata;
    let spec = fields.spec.unwrap_or_default();
    let status = fields.status.unwrap_or_default();
    let storage = |of: &Map<Scalar>| Some(of.as_ref()?.get("storage")?.shown());
    let wanted = spec.resources.and_then(|r| storage(&r.requests));
    Some(Object::Claim(Claim {
        name: meta.name()?,
        namespace: meta.namespace(),
        phase: some(&status.phase, SHORT).unwrap_or_else(|| "Unknown".into()),
        class: some(&spec.storage_class_name, NAME),
        capacity: storage(&status.capacity).or(wanted),
        created: meta.created(),
    }))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ScalerFields {
    metadata: Meta,
    spec: Option<ScalerSpec>,
    status: Option<ScalerStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ScalerSpec {
    scale_target_ref: Option<Target>,
    min_replicas: Option<i64>,
    max_replicas: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Target {
    kind: Text,
    name: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ScalerStatus {
    current_replicas: Option<i64>,
    desired_replicas: Option<i64>,
    conditions: List<Condition>,
}

pub fn autoscaler(json: &[u8]) -> Option<Object> {
    let fields: ScalerFields = read(json)?;
    let meta = fields.metadata;
    let spec = fields.spec.unwrap_or_default();
    let status = fields.status.unwrap_or_default();
    let target = spec.scale_target_ref.unwrap_or_default();
    Some(Object::Autoscaler(Autoscaler {
        name: meta.name()?,
        namespace: meta.namespace(),
        target: (text(&target.kind, NAME), text(&target.name, NAME)),
        // Where nothing is said, the API's own default.
        min: number(spec.min_replicas.or(Some(1))),
        max: number(spec.max_replicas),
        current: number(status.current_replicas),
        desired: number(status.desired_replicas),
        conditions: conditions(status.conditions.iter().flatten()),
    }))
}

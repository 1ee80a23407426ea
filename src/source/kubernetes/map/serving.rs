//! InferenceServices of KServe.

use serde::Deserialize;

use super::common::{Condition, List, MESSAGE, Map, Meta, NAME, SHORT, Scalar, Text};
use super::common::{conditions, place, read, some, units};
use crate::model::condition::find;
use crate::model::object::Object;
use crate::model::serving::InferenceService;
use crate::model::text::clean;

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
    predictor: Option<Predictor>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Predictor {
    model: Option<Model>,
    containers: List<Model>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Model {
    runtime: Text,
    storage_uri: Text,
    resources: Option<Resources>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resources {
    limits: Map<Scalar>,
    requests: Map<Scalar>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    url: Text,
    conditions: List<Condition>,
    model_status: Option<ModelStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ModelStatus {
    transition_status: Text,
    last_failure_info: Option<Failure>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Failure {
    reason: Text,
    message: Text,
}

pub fn inference_service(json: &[u8]) -> Option<Object> {
    let fields: Fields = read(json)?;
    let meta = fields.metadata;
    let predictor = fields.spec.and_then(|s| s.predictor).unwrap_or_default();
    let status = fields.status.unwrap_or_default();
    let counted = status.conditions.iter().flatten().filter(|c| !c.is_info());
    let conditions = conditions(counted);
    let model = predictor.model.as_ref();
    let told = status.model_status.unwrap_or_default();
    let parts = model
        .into_iter()
        .chain(predictor.containers.iter().flatten());
    Some(Object::InferenceService(InferenceService {
        name: meta.name()?,
        namespace: meta.namespace(),
        ready: find(&conditions, "Ready").and_then(|c| c.status),
        url: some(&status.url, 500),
        runtime: model.and_then(|m| some(&m.runtime, NAME)),
        model: model
            .filter(|m| m.storage_uri.is_some())
            .map(|m| place(&m.storage_uri)),
        transition: some(&told.transition_status, SHORT),
        failure: told.last_failure_info.as_ref().and_then(failure),
        gpus: parts.map(gpus).fold(0, u32::saturating_add),
        conditions,
    }))
}

fn failure(told: &Failure) -> Option<String> {
    match (&told.reason, &told.message) {
        (Some(reason), Some(message)) => Some(clean(&format!("{reason}: {message}"), MESSAGE)),
        (reason, message) => some(reason, MESSAGE).or_else(|| some(message, MESSAGE)),
    }
}

fn gpus(model: &Model) -> u32 {
    let Some(resources) = &model.resources else {
        return 0;
    };
    let of = |all: &Map<Scalar>| {
        let all = all.iter().flatten();
        let ours = all.filter(|(name, _)| *name == "nvidia.com/gpu" || *name == "amd.com/gpu");
        ours.filter_map(|(_, amount)| u32::try_from(units(amount.quantity()?)).ok())
            .fold(0, u32::saturating_add)
    };
    of(&resources.limits).max(of(&resources.requests))
}

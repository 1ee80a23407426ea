//! Models served: those that tell of themselves, and InferenceServices of KServe that do not.

use crate::model::gpu::Gpu;
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::object::Pod;
use crate::model::serving::{InferenceService, Serving};
use crate::state::world::ClusterState;

/// One row of the models, and its page.
#[derive(Clone, Copy)]
pub enum Served<'a> {
    Model(&'a Serving),
    /// None of its pods tells what it does.
    Silent(&'a InferenceService),
}

pub type Row<'a> = (ClusterId, Served<'a>);

impl<'a> Served<'a> {
    pub fn namespace(self) -> &'a str {
        match self {
            Self::Model(model) => &model.namespace,
            Self::Silent(service) => &service.namespace,
        }
    }

    pub fn name(self) -> &'a str {
        match self {
            Self::Model(model) => &model.model,
            Self::Silent(service) => &service.name,
        }
    }
}

/// Of one cluster: models first, then the services of which no model is known.
pub fn all(cluster: &ClusterState) -> impl Iterator<Item = Served<'_>> {
    let models = cluster.serving.iter().map(Served::Model);
    let silent = cluster
        .inference
        .values()
        .filter(|service| !cluster.serving.iter().any(|model| serves(service, model)));
    models.chain(silent.map(Served::Silent))
}

/// Whether pods of the service serve the model.
pub fn serves(service: &InferenceService, model: &Serving) -> bool {
    let mut pods = model.pods.iter();
    pods.any(|(namespace, pod)| is_predictor(service, namespace, pod))
}

/// KServe names the pods of a service so, with and without Knative.
fn is_predictor(service: &InferenceService, namespace: &str, pod: &str) -> bool {
    let rest = pod.strip_prefix(&*service.name);
    let rest = rest.and_then(|rest| rest.strip_prefix("-predictor"));
    *service.namespace == *namespace && rest.is_some_and(|r| r.is_empty() || r.starts_with('-'))
}

/// Its pods, as the API server tells them.
pub fn pods<'a>(cluster: &'a ClusterState, service: &InferenceService) -> Vec<&'a Pod> {
    let own = |pod: &&Pod| is_predictor(service, &pod.namespace, &pod.name);
    cluster.pods.values().filter(own).collect()
}

/// The GPUs that its pods hold, as exporters tell.
pub fn gpus<'a>(cluster: &'a ClusterState, service: &InferenceService) -> Vec<&'a Gpu> {
    let own = |gpu: &&Gpu| {
        let mut pods = gpu.holders.iter();
        pods.any(|(namespace, pod)| is_predictor(service, namespace, pod))
    };
    cluster.gpus.iter().filter(own).collect()
}

/// Why nothing is known of what it does.
pub fn why_silent(cluster: &ClusterState, service: &InferenceService) -> String {
    let metrics = |kind: &SourceKind| kind.answers_for(SourceKind::Prometheus);
    if !cluster.sources.keys().any(metrics) {
        return "no source of metrics is known here".into();
    }
    if cluster.last_sample.is_none() {
        return "no source of metrics has answered yet".into();
    }
    match service.runtime.as_deref() {
        Some(runtime) => format!(
            "no vLLM series name its pods: runtime {runtime} may have none, or is not scraped"
        ),
        None => "no vLLM series name its pods: its runtime may have none, or is not scraped".into(),
    }
}

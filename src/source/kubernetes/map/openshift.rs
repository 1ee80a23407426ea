//! OpenShift's operators and version.

use serde::Deserialize;

use super::common::{Condition, List, Meta, NAME, SHORT, Text};
use super::common::{conditions, read, some, text, time};
use crate::model::object::Object;
use crate::model::openshift::{ClusterOperator, ClusterVersion, Update};

#[derive(Default, Deserialize)]
#[serde(default)]
struct OperatorFields {
    metadata: Meta,
    status: Option<OperatorStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OperatorStatus {
    conditions: List<Condition>,
    versions: List<Version>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Version {
    name: Text,
    version: Text,
}

pub fn cluster_operator(json: &[u8]) -> Option<Object> {
    let fields: OperatorFields = read(json)?;
    let status = fields.status.unwrap_or_default();
    let mut versions = status.versions.iter().flatten();
    let own = versions.find(|v| v.name.as_deref() == Some("operator"));
    Some(Object::ClusterOperator(ClusterOperator {
        name: fields.metadata.name()?,
        version: own.and_then(|v| some(&v.version, SHORT)),
        conditions: conditions(status.conditions.iter().flatten()),
    }))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct VersionFields {
    metadata: Meta,
    spec: Option<VersionSpec>,
    status: Option<VersionStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct VersionSpec {
    channel: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct VersionStatus {
    desired: Option<Version>,
    history: List<History>,
    conditions: List<Condition>,
    available_updates: List<Version>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct History {
    version: Text,
    state: Text,
    started_time: Text,
    completion_time: Text,
}

pub fn cluster_version(json: &[u8]) -> Option<Object> {
    let fields: VersionFields = read(json)?;
    let status = fields.status.unwrap_or_default();
    let desired = status.desired.unwrap_or_default();
    let history = status.history.iter().flatten().take(100);
    Some(Object::ClusterVersion(ClusterVersion {
        name: fields.metadata.name()?,
        channel: fields.spec.and_then(|s| some(&s.channel, NAME)),
        desired: text(&desired.version, SHORT),
        history: history
            .map(|h| Update {
                version: text(&h.version, SHORT),
                state: text(&h.state, SHORT),
                started: time(&h.started_time),
                completed: time(&h.completion_time),
            })
            .collect(),
        conditions: conditions(status.conditions.iter().flatten()),
        available_updates: status.available_updates.map(|all| {
            all.iter()
                .take(100)
                .map(|v| text(&v.version, SHORT))
                .collect()
        }),
    }))
}

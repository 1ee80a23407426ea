//! Nodes.

use serde::Deserialize;

use super::common::{Condition, List, MESSAGE, Map, Meta, NAME, SHORT, Scalar, Text};
use super::common::{conditions, read, text, units};
use crate::model::condition::ObjectCondition;
use crate::model::object::{Node, Object, Room};
use crate::model::text::clean;

const ROLE: &str = "node-role.kubernetes.io/";

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
    unschedulable: Option<bool>,
    taints: List<Taint>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Taint {
    key: Text,
    value: Text,
    effect: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    conditions: List<Condition>,
    allocatable: Map<Scalar>,
    node_info: Option<Info>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Info {
    kubelet_version: Text,
    os_image: Text,
}

pub fn node(json: &[u8]) -> Option<Object> {
    let fields: Fields = read(json)?;
    let meta = fields.metadata;
    let name = meta.name()?;
    let spec = fields.spec.unwrap_or_default();
    let status = fields.status.unwrap_or_default();
    let conditions = conditions(status.conditions.iter().flatten());
    let info = status.node_info.unwrap_or_default();
    let room = |name: &str| status.allocatable.as_ref()?.get(name)?.quantity();
    let mut roles: Vec<String> = meta
        .labels
        .iter()
        .flatten()
        .filter_map(|(name, _)| name.strip_prefix(ROLE))
        .map(|r| clean(r, NAME))
        .collect();
    roles.sort();
    Some(Object::Node(Node {
        name,
        roles,
        ready: conditions
            .iter()
            .find(|c| c.kind == "Ready")
            .map(|c| c.status == Some(true)),
        unschedulable: spec.unschedulable == Some(true),
        problems: conditions.iter().filter_map(problem).collect(),
        kubelet_version: text(&info.kubelet_version, SHORT),
        marks: meta.marks(),
        labels: meta.labels(),
        allocatable: status
            .allocatable
            .iter()
            .flatten()
            .filter(|(name, _)| name.contains('/'))
            .filter_map(|(name, q)| Some((clean(name, NAME), units(q.quantity()?))))
            .collect(),
        room: Room {
            cpu_milli: room("cpu").map(|q| units(q * 1_000.0)),
            memory_bytes: room("memory").map(units),
            pods: room("pods").and_then(|q| u32::try_from(units(q)).ok()),
        },
        taints: spec.taints.iter().flatten().map(taint).collect(),
        os_image: text(&info.os_image, 200),
        created: meta.created(),
    }))
}

fn taint(taint: &Taint) -> String {
    let (key, effect) = (text(&taint.key, NAME), text(&taint.effect, SHORT));
    match text(&taint.value, NAME) {
        value if value.is_empty() => format!("{key}:{effect}"),
        value => format!("{key}={value}:{effect}"),
    }
}

/// A condition that says something bad: not ready, or a pressure that is on.
fn problem(condition: &ObjectCondition) -> Option<String> {
    let (good, kind) = match condition.kind.as_str() {
        "Ready" => (true, "NotReady"),
        // Of k3s and RKE2: a member of etcd that has a vote.
        "EtcdIsVoter" => (true, "etcd member without a vote"),
        kind => (false, kind),
    };
    let bad = (condition.status == Some(true)) != good;
    // A pressure that the node does not know of is told by `Ready` already.
    bad.then(|| match condition.message.as_str() {
        "" => kind.to_owned(),
        message => clean(&format!("{kind}: {message}"), MESSAGE),
    })
}

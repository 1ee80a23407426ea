//! Pods.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::common::{List, MESSAGE, Map, Meta, SHORT, Scalar, Text};
use super::common::{arc, number, read, time, units, word};
use crate::model::object::{Object, Pod, Requests};
use crate::model::text::clean;
use crate::model::time::Timestamp;

/// Containers of one pod that are kept.
const MOST: usize = 64;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    metadata: Meta,
    spec: Option<Spec>,
    status: Option<Status>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    node_name: Text,
    containers: List<Container>,
    init_containers: List<Container>,
    resources: Option<Resources>,
    overhead: Map<Scalar>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Container {
    name: Text,
    image: Text,
    resources: Option<Resources>,
    restart_policy: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resources {
    requests: Map<Scalar>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    phase: Text,
    reason: Text,
    message: Text,
    start_time: Text,
    qos_class: Text,
    conditions: List<Condition>,
    container_statuses: List<ContainerStatus>,
    init_container_statuses: List<ContainerStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Condition {
    #[serde(rename = "type")]
    kind: Text,
    status: Text,
    reason: Text,
    message: Text,
    last_transition_time: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ContainerStatus {
    ready: Option<bool>,
    restart_count: Option<i64>,
    state: Option<State>,
    last_state: Option<State>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct State {
    waiting: Option<Waiting>,
    terminated: Option<Terminated>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Waiting {
    reason: Text,
    message: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Terminated {
    exit_code: Option<i64>,
    reason: Text,
    message: Text,
}

type Trouble = (String, Text);

pub fn pod(json: &[u8]) -> Option<Object> {
    let fields: Fields = read(json)?;
    let meta = fields.metadata;
    let name = meta.name()?;
    let spec = fields.spec.unwrap_or_default();
    let status = fields.status.unwrap_or_default();
    let states = || status.container_statuses.iter().flatten();
    let starting = status.init_container_statuses.iter().flatten();
    let (reason, message) = states()
        .chain(starting)
        .find_map(trouble)
        .or_else(|| unscheduled(&status))
        .or_else(|| Some((status.reason.clone()?, status.message.clone())))
        .map_or((None, None), |(r, m)| (Some(r), m));
    let owner = meta.owner_references.iter().flatten();
    let owner = owner.into_iter().find(|o| o.controller == Some(true));
    let phase = match meta.deletion_timestamp {
        Some(_) => "Terminating",
        None => status.phase.as_deref().unwrap_or("Unknown"),
    };
    let containers = spec.containers.as_deref().unwrap_or_default();
    let first = spec.init_containers.iter().flatten();
    Some(Object::Pod(Pod {
        namespace: meta.namespace(),
        name,
        node: spec.node_name.as_deref().filter(|n| !n.is_empty()).map(arc),
        phase: clean(phase, SHORT),
        reason: reason.map(|r| clean(&r, 200)),
        message: message.map(|m| clean(&m, MESSAGE)),
        ready: count(states().filter(|s| s.ready == Some(true)).count()),
        containers: count(match containers.len() {
            0 => states().count(),
            some => some,
        }),
        restarts: states()
            .map(|s| number(s.restart_count))
            .fold(0, u32::saturating_add),
        owner: owner.map(|o| (word(&o.kind), word(&o.name))),
        started: time(&status.start_time),
        since: since(&status),
        images: images(containers),
        names: containers
            .iter()
            .chain(first)
            .take(MOST)
            .filter_map(|c| c.name.as_deref().map(arc))
            .collect(),
        requests: requests(&spec, status.qos_class.as_deref()),
    }))
}

fn images(containers: &[Container]) -> Vec<Arc<str>> {
    let named = containers.iter().take(MOST);
    let named = named.filter_map(|c| c.image.as_deref());
    named.map(|i| Arc::from(clean(i, 500))).collect()
}

/// Amounts by resource.
type Amounts<'a> = BTreeMap<&'a str, f64>;

fn amounts(requests: &Map<Scalar>) -> impl Iterator<Item = (&str, f64)> {
    let all = requests.iter().flatten();
    all.map(|(name, amount)| (name.as_str(), amount.quantity().unwrap_or(0.0)))
}

fn add<'a>(sums: &mut Amounts<'a>, more: impl Iterator<Item = (&'a str, f64)>) {
    for (name, amount) in more {
        *sums.entry(name).or_default() += amount;
    }
}

/// What the scheduler sets aside for the pod: all containers and sidecars together, or more where
/// one that runs before them wants more; then the overhead of its runtime.
fn effective(spec: &Spec) -> Amounts<'_> {
    let mut all = Amounts::new();
    for container in spec.containers.iter().flatten() {
        add(&mut all, container.requests());
    }
    let (mut sidecars, mut most) = (Amounts::new(), Amounts::new());
    for first in spec.init_containers.iter().flatten() {
        let mut now = sidecars.clone();
        add(&mut now, first.requests());
        if first.restart_policy.as_deref() == Some("Always") {
            add(&mut all, first.requests());
            sidecars.clone_from(&now);
        }
        for (name, amount) in now {
            let most: &mut f64 = most.entry(name).or_default();
            *most = most.max(amount);
        }
    }
    for (name, amount) in most {
        let all = all.entry(name).or_default();
        *all = all.max(amount);
    }
    // What the pod asks for as a whole stands for what its containers do.
    let whole = spec.resources.iter().flat_map(|r| amounts(&r.requests));
    all.extend(whole);
    add(&mut all, amounts(&spec.overhead));
    all
}

impl Container {
    fn requests(&self) -> impl Iterator<Item = (&str, f64)> {
        self.resources.iter().flat_map(|r| amounts(&r.requests))
    }
}

fn requests(spec: &Spec, quality: Option<&str>) -> Requests {
    let sums = effective(spec);
    let sum = |name: &str| sums.get(name).copied().unwrap_or(0.0);
    Requests {
        // Sums of tenths must not be rounded up.
        cpu_milli: units((sum("cpu") * 1e6).round() / 1e3),
        memory_bytes: units(sum("memory")),
        extended: sums
            .iter()
            .filter(|(name, _)| name.contains('/') || name.starts_with("hugepages-"))
            .map(|(name, amount)| (arc(name), units(*amount)))
            .collect(),
        exclusive_cpus: quality.map(|q| match q {
            "Guaranteed" => whole_cpus(spec),
            _ => 0,
        }),
    }
}

/// The policy looks at each container: a sidecar with half a processor takes none from the others.
fn whole_cpus(spec: &Spec) -> u64 {
    let sidecars = spec.init_containers.iter().flatten();
    let sidecars = sidecars.filter(|c| c.restart_policy.as_deref() == Some("Always"));
    let all = spec.containers.iter().flatten().chain(sidecars);
    let cpus = all.filter_map(|c| c.requests().find(|(name, _)| *name == "cpu"));
    let whole = cpus.map(|(_, n)| n).filter(|n| n.fract() == 0.0);
    whole.map(units).fold(0, u64::saturating_add)
}

/// Why a container does not run, worst first within it.
fn trouble(status: &ContainerStatus) -> Option<Trouble> {
    let state = status.state.as_ref();
    if let Some(waiting) = state.and_then(|s| s.waiting.as_ref())
        && let Some(reason) = &waiting.reason
        && reason != "ContainerCreating"
        && reason != "PodInitializing"
    {
        return Some((reason.clone(), waiting.message.clone()));
    }
    if let Some(ended) = state.and_then(|s| s.terminated.as_ref())
        && let Some(code) = ended.exit_code.filter(|c| *c != 0)
    {
        let reason = ended.reason.clone().unwrap_or_else(|| "Error".into());
        let code = format!("exit code {code}");
        return Some((reason, ended.message.clone().or(Some(code))));
    }
    let last = status
        .last_state
        .as_ref()
        .and_then(|s| s.terminated.as_ref());
    if status.ready != Some(true)
        && let Some(last) = last
        && let Some(reason) = &last.reason
        && reason != "Completed"
    {
        return Some((reason.clone(), last.message.clone()));
    }
    None
}

fn unscheduled(status: &Status) -> Option<Trouble> {
    let mut all = status.conditions.iter().flatten();
    let found = all.find(|c| {
        c.kind.as_deref() == Some("PodScheduled") && c.status.as_deref() != Some("True")
    })?;
    let reason = found.reason.clone();
    Some((
        reason.unwrap_or_else(|| "Unschedulable".into()),
        found.message.clone(),
    ))
}

fn since(status: &Status) -> Option<Timestamp> {
    let find = |kind: &str| {
        let mut all = status.conditions.iter().flatten();
        all.find(|c| c.kind.as_deref() == Some(kind))
    };
    let told = |kind| time(&find(kind)?.last_transition_time);
    told("Ready").or_else(|| told("PodScheduled"))
}

fn count(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

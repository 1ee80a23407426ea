//! Applications of Argo CD. `status` may be missing altogether.

use serde::Deserialize;

use super::common::{Condition, List, MESSAGE, Meta, NAME, SHORT, Text};
use super::common::{conditions, number, place, read, some, text, time, word};
use crate::model::gitops::{
    App, AppHealth, AppKind, AppResource, AppSource, Automation, Deployed, Operation, Sync,
};
use crate::model::object::Object;

/// Of each list that an application carries.
const MOST: usize = 200;
const REVISION: usize = 200;

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
    project: Text,
    source: Option<Source>,
    sources: List<Source>,
    destination: Option<Destination>,
    sync_policy: Option<Policy>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Source {
    #[serde(rename = "repoURL")]
    repository: Text,
    path: Text,
    chart: Text,
    target_revision: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Destination {
    server: Text,
    name: Text,
    namespace: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Policy {
    automated: Option<Automated>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Automated {
    prune: Option<bool>,
    self_heal: Option<bool>,
    enabled: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    sync: Option<SyncStatus>,
    health: Option<Health>,
    operation_state: Option<OperationState>,
    resources: List<Resource>,
    conditions: List<Condition>,
    history: List<History>,
    reconciled_at: Text,
    summary: Option<Summary>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SyncStatus {
    status: Text,
    revision: Text,
    revisions: List<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Health {
    status: Text,
    message: Text,
    last_transition_time: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct OperationState {
    phase: Text,
    message: Text,
    started_at: Text,
    finished_at: Text,
    retry_count: Option<i64>,
    operation: Option<Begun>,
    sync_result: Option<SyncResult>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Begun {
    initiated_by: Option<By>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct By {
    username: Text,
    automated: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SyncResult {
    resources: List<Resource>,
}

/// Of `status.resources` and of the result of a sync, which have different fields.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Resource {
    group: Text,
    kind: Text,
    namespace: Text,
    name: Text,
    status: Text,
    message: Text,
    health: Option<Health>,
    requires_pruning: Option<bool>,
    hook_phase: Text,
    hook_type: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct History {
    revision: Text,
    revisions: List<String>,
    deployed_at: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Summary {
    images: List<String>,
}

pub fn application(json: &[u8]) -> Option<Object> {
    let fields: Fields = read(json)?;
    let meta = fields.metadata;
    let name = meta.name()?;
    let spec = fields.spec.unwrap_or_default();
    let status = fields.status.unwrap_or_default();
    let told = status.sync.as_ref();
    let sync = sync_of(told.and_then(|s| s.status.as_deref()));
    let health = status.health.as_ref();
    let wanted = told.and_then(|s| revision(&s.revision, &s.revisions));
    let history = history(&status);
    // What Argo CD compares with is what runs only where both agree.
    let applied = match sync {
        Sync::Synced => wanted.clone(),
        _ => history.first().map(|d| d.revision.clone()),
    };
    let operation = status.operation_state.as_ref().map(operation);
    let health_word = health.map_or(AppHealth::Unknown, health_of);
    let sources = sources(&spec);
    let destination = spec.destination.unwrap_or_default();
    let images = status.summary.as_ref().and_then(|s| s.images.as_ref());
    let count = status.resources.as_ref().map(Vec::len);
    Some(Object::App(Box::new(App {
        kind: AppKind::Application,
        namespace: meta.namespace(),
        name,
        project: some(&spec.project, NAME),
        chart: sources.iter().find_map(|(_, chart)| chart.clone()),
        sources: sources.into_iter().map(|(source, _)| source).collect(),
        destination: somewhere(&destination),
        destination_namespace: some(&destination.namespace, NAME),
        sync,
        health: health_word,
        state: state(&status, operation.as_ref(), health_word),
        message: message(&status, operation.as_ref()),
        health_since: health.and_then(|h| time(&h.last_transition_time)),
        attempted: wanted.filter(|w| applied.as_ref() != Some(w)),
        revision: applied,
        operation,
        automation: spec.sync_policy.and_then(|p| automation(p.automated?)),
        suspended: health_word == AppHealth::Suspended,
        conditions: conditions(status.conditions.iter().flatten()),
        resources: unwell(&status),
        resource_count: count.and_then(|n| u32::try_from(n).ok()),
        images: images
            .into_iter()
            .flatten()
            .take(MOST)
            .map(|i| crate::model::text::clean(i, 500))
            .collect(),
        reconciled: time(&status.reconciled_at),
        history,
        generation: meta.generation(),
        // Argo CD writes status into the object itself; its generation tells nothing.
        observed: true,
        created: meta.created(),
    })))
}

fn sync_of(word: Option<&str>) -> Sync {
    match word {
        Some("Synced") => Sync::Synced,
        Some("OutOfSync") => Sync::OutOfSync,
        _ => Sync::Unknown,
    }
}

fn health_of(health: &Health) -> AppHealth {
    match health.status.as_deref() {
        Some("Healthy") => AppHealth::Healthy,
        Some("Suspended") => AppHealth::Suspended,
        Some("Progressing") => AppHealth::Progressing,
        Some("Missing") => AppHealth::Missing,
        Some("Degraded") => AppHealth::Degraded,
        _ => AppHealth::Unknown,
    }
}

/// Of several sources joined by commas.
fn revision(one: &Text, several: &List<String>) -> Option<String> {
    match several.as_deref() {
        Some(several) if !several.is_empty() => Some(text(&Some(several.join(",")), REVISION)),
        _ => some(one, REVISION),
    }
}

/// With the chart, where it is one of a Helm repository.
fn sources(spec: &Spec) -> Vec<(AppSource, Option<(String, String)>)> {
    let several = spec.sources.as_deref().filter(|s| !s.is_empty());
    let all: Vec<&Source> = match several {
        Some(several) => several.iter().take(MOST).collect(),
        None => spec.source.iter().collect(),
    };
    let one = |source: &Source| {
        let target = text(&source.target_revision, REVISION);
        let chart = some(&source.chart, NAME);
        let found = AppSource {
            repository: place(&source.repository),
            path: chart.clone().unwrap_or_else(|| text(&source.path, 500)),
            target: target.clone(),
        };
        (found, chart.map(|chart| (chart, target)))
    };
    all.into_iter().map(one).collect()
}

fn somewhere(destination: &Destination) -> Option<String> {
    let name = some(&destination.name, NAME);
    let server = some(&destination.server, NAME);
    name.filter(|n| n != "in-cluster")
        .or_else(|| server.filter(|s| s != "https://kubernetes.default.svc"))
}

fn automation(automated: Automated) -> Option<Automation> {
    (automated.enabled != Some(false)).then(|| Automation {
        prune: automated.prune == Some(true),
        self_heal: automated.self_heal == Some(true),
    })
}

fn operation(state: &OperationState) -> Operation {
    let by = state
        .operation
        .as_ref()
        .and_then(|o| o.initiated_by.as_ref());
    Operation {
        phase: text(&state.phase, SHORT),
        message: text(&state.message, MESSAGE),
        started: time(&state.started_at),
        finished: time(&state.finished_at),
        by: by.and_then(|by| match by.automated {
            Some(true) => Some("automated".into()),
            _ => some(&by.username, NAME),
        }),
        retries: number(state.retry_count),
    }
}

fn is_error(condition: &crate::model::condition::ObjectCondition) -> bool {
    condition.kind.ends_with("Error")
}

fn state(status: &Status, operation: Option<&Operation>, health: AppHealth) -> String {
    if let Some(operation) = operation
        && matches!(operation.phase.as_str(), "Running" | "Terminating")
    {
        return operation.phase.clone();
    }
    let errors = conditions(status.conditions.iter().flatten());
    let error = errors.into_iter().find(is_error).map(|c| c.kind);
    error.unwrap_or_else(|| health.word().into())
}

/// Why it is as it is: the error, the failed operation, or the health.
fn message(status: &Status, operation: Option<&Operation>) -> Option<String> {
    let errors = conditions(status.conditions.iter().flatten());
    let error = errors.into_iter().find(is_error).map(|c| c.message);
    let failed = operation.filter(|o| matches!(o.phase.as_str(), "Failed" | "Error"));
    error
        .or_else(|| failed.map(|o| o.message.clone()))
        .or_else(|| some(&status.health.as_ref()?.message, MESSAGE))
        .filter(|m| !m.is_empty())
}

fn history(status: &Status) -> Vec<Deployed> {
    let all = status.history.as_deref().unwrap_or_default();
    let one = |entry: &History| Deployed {
        revision: revision(&entry.revision, &entry.revisions).unwrap_or_default(),
        at: time(&entry.deployed_at),
    };
    // Argo CD has the newest last.
    all.iter().rev().take(MOST).map(one).collect()
}

/// What is not as wanted or not well, with what the last sync said of it.
fn unwell(status: &Status) -> Vec<AppResource> {
    let mut found: Vec<AppResource> = status
        .resources
        .iter()
        .flatten()
        .map(resource)
        .filter(|r| {
            r.requires_pruning
                || !matches!(r.status.as_str(), "Synced" | "")
                || r.health.is_some_and(|h| h != AppHealth::Healthy)
        })
        .take(MOST)
        .collect();
    let result = status.operation_state.as_ref();
    let result = result.and_then(|o| o.sync_result.as_ref());
    for told in result
        .into_iter()
        .flat_map(|r| r.resources.iter().flatten())
    {
        let mut said = resource(told);
        let hook_failed = matches!(told.hook_phase.as_deref(), Some("Failed" | "Error"));
        let failed = matches!(said.status.as_str(), "SyncFailed" | "PruneSkipped");
        if !(failed || hook_failed && told.hook_type.is_some()) {
            continue;
        }
        if !failed {
            said.status = word(&told.hook_phase);
        }
        let same = |r: &&mut AppResource| {
            r.group == said.group
                && r.kind == said.kind
                && r.namespace == said.namespace
                && r.name == said.name
        };
        if let Some(known) = found.iter_mut().find(same) {
            known.status = said.status;
            known.message = said.message;
        } else if found.len() < MOST {
            found.push(said);
        }
    }
    found
}

fn resource(told: &Resource) -> AppResource {
    let health = told.health.as_ref();
    let message = some(&told.message, MESSAGE);
    AppResource {
        group: word(&told.group),
        kind: word(&told.kind),
        namespace: word(&told.namespace),
        name: word(&told.name),
        status: text(&told.status, SHORT),
        health: health.map(health_of),
        message: message
            .or_else(|| some(&health?.message, MESSAGE))
            .unwrap_or_default(),
        requires_pruning: told.requires_pruning == Some(true),
    }
}

//! Flux: Kustomizations, HelmReleases and the sources they are made from.

use serde::Deserialize;

use super::common::{Condition, List, MESSAGE, Meta, NAME, SHORT, Text};
use super::common::{conditions, number, place, read, some, text, time, word};
use crate::model::condition::{ObjectCondition, find, is_true};
use crate::model::gitops::{
    App, AppHealth, AppKind, AppSource, Automation, Deployed, Operation, Sync,
};
use crate::model::object::Object;

const REVISION: usize = 200;
const MOST: usize = 100;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    metadata: Meta,
    spec: Option<Spec>,
    status: Option<Status>,
}

/// Of all kinds together: each has some.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    suspend: Option<bool>,
    path: Text,
    prune: Option<bool>,
    source_ref: Option<Ref>,
    chart_ref: Option<Ref>,
    chart: Option<Chart>,
    version: Text,
    target_namespace: Text,
    kube_config: Option<KubeConfig>,
    drift_detection: Option<Drift>,
    url: Text,
    #[serde(rename = "ref")]
    reference: Option<Reference>,
    endpoint: Text,
    bucket_name: Text,
    #[serde(rename = "type")]
    kind: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Ref {
    kind: Text,
    name: Text,
    namespace: Text,
}

/// A HelmChart has a name here, a HelmRelease a template.
#[derive(Deserialize)]
#[serde(untagged)]
enum Chart {
    Name(String),
    Template { spec: Option<ChartSpec> },
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ChartSpec {
    chart: Text,
    version: Text,
    source_ref: Option<Ref>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct KubeConfig {
    secret_ref: Option<Ref>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Drift {
    mode: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reference {
    branch: Text,
    tag: Text,
    semver: Text,
    commit: Text,
    digest: Text,
    name: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    observed_generation: Option<i64>,
    conditions: List<Condition>,
    last_applied_revision: Text,
    last_attempted_revision: Text,
    last_attempted_release_action: Text,
    failures: Option<i64>,
    inventory: Option<Inventory>,
    artifact: Option<Artifact>,
    history: Option<History>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Inventory {
    entries: List<serde::de::IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Artifact {
    revision: Text,
    last_update_time: Text,
}

/// Other kinds have histories of other shapes.
#[derive(Deserialize)]
#[serde(untagged)]
enum History {
    Past(Vec<Past>),
    Other(serde::de::IgnoredAny),
}

/// A release of Helm, or what a Kustomization applied.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Past {
    status: Text,
    chart_name: Text,
    chart_version: Text,
    last_deployed: Text,
    last_reconciled: Text,
    metadata: Option<Applied>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Applied {
    revision: Text,
}

pub fn kustomization(json: &[u8]) -> Option<Object> {
    app(AppKind::Kustomization, json)
}

pub fn helm_release(json: &[u8]) -> Option<Object> {
    app(AppKind::HelmRelease, json)
}

pub fn git_repository(json: &[u8]) -> Option<Object> {
    app(AppKind::GitRepository, json)
}

pub fn oci_repository(json: &[u8]) -> Option<Object> {
    app(AppKind::OciRepository, json)
}

pub fn helm_repository(json: &[u8]) -> Option<Object> {
    app(AppKind::HelmRepository, json)
}

pub fn helm_chart(json: &[u8]) -> Option<Object> {
    app(AppKind::HelmChart, json)
}

pub fn bucket(json: &[u8]) -> Option<Object> {
    app(AppKind::Bucket, json)
}

fn app(kind: AppKind, json: &[u8]) -> Option<Object> {
    let fields: Fields = read(json)?;
    let meta = fields.metadata;
    let name = meta.name()?;
    let spec = fields.spec.unwrap_or_default();
    let status = fields.status.unwrap_or_default();
    let conditions = conditions(status.conditions.iter().flatten());
    // A Helm repository of this type is only a name: nothing is fetched, no controller tells of it.
    let named = kind == AppKind::HelmRepository && spec.kind.as_deref() == Some("oci");
    let observed = named || meta.is_observed(status.observed_generation.or(Some(0)));
    let suspended = spec.suspend == Some(true);
    let (health, state) = match named && !suspended && conditions.is_empty() {
        true => (AppHealth::Healthy, "not fetched (oci)"),
        false => state(suspended, observed, &conditions),
    };
    let ready = find(&conditions, "Ready");
    let told = find(&conditions, "Stalled").filter(|c| c.status == Some(true));
    let applied = applied(kind, &status);
    let attempted = some(&status.last_attempted_revision, REVISION);
    let entries = status.inventory.as_ref().and_then(|i| i.entries.as_ref());
    Some(Object::App(Box::new(App {
        kind,
        namespace: meta.namespace(),
        name,
        project: None,
        sources: vec![source(kind, &spec)],
        destination: elsewhere(&spec),
        destination_namespace: some(&spec.target_namespace, NAME),
        sync: sync(kind, applied.as_deref(), attempted.as_deref(), &conditions),
        health,
        state: state.into(),
        message: told
            .or(ready)
            .map(|c| c.message.clone())
            .filter(|m| !m.is_empty()),
        health_since: ready.and_then(|c| c.since),
        attempted: attempted.filter(|a| !is_same(Some(a), applied.as_deref())),
        revision: applied,
        operation: operation(&status, &conditions),
        automation: (!kind.is_source()).then(|| automation(kind, &spec)),
        suspended,
        conditions,
        resources: Vec::new(),
        resource_count: entries.and_then(|e| u32::try_from(e.len()).ok()),
        images: Vec::new(),
        chart: chart(&spec, &status),
        reconciled: status
            .artifact
            .as_ref()
            .and_then(|a| time(&a.last_update_time)),
        history: history(&status),
        generation: meta.generation(),
        observed,
        created: meta.created(),
    })))
}

/// In the order of Flux' own library: what does not move any more comes before what fails.
fn state(
    suspended: bool,
    observed: bool,
    conditions: &[ObjectCondition],
) -> (AppHealth, &'static str) {
    let ready = find(conditions, "Ready").and_then(|c| c.status);
    let reconciling = find(conditions, "Reconciling").filter(|c| c.status == Some(true));
    if suspended {
        (AppHealth::Suspended, "suspended")
    } else if !observed {
        (AppHealth::Progressing, "progressing")
    } else if is_true(conditions, "Stalled") {
        (AppHealth::Degraded, "stalled")
    } else if reconciling.is_some() && ready != Some(false) {
        (AppHealth::Progressing, "progressing")
    } else if ready == Some(false) {
        match reconciling.is_some_and(|c| c.reason == "ProgressingWithRetry") {
            true => (AppHealth::Degraded, "failing, retrying"),
            false => (AppHealth::Degraded, "failed"),
        }
    } else if ready == Some(true) {
        (AppHealth::Healthy, "ready")
    } else {
        (AppHealth::Unknown, "unknown")
    }
}

fn past(status: &Status) -> &[Past] {
    match &status.history {
        Some(History::Past(all)) => all,
        Some(History::Other(_)) | None => &[],
    }
}

/// What runs, or what was fetched.
fn applied(kind: AppKind, status: &Status) -> Option<String> {
    match kind {
        AppKind::Kustomization => some(&status.last_applied_revision, REVISION),
        AppKind::HelmRelease => {
            let mut all = past(status).iter();
            let deployed = all.find(|r| r.status.as_deref() == Some("deployed"));
            // Older controllers tell only the revision.
            deployed
                .and_then(|r| some(&r.chart_version, REVISION))
                .or_else(|| some(&status.last_applied_revision, REVISION))
        }
        _ => some(&status.artifact.as_ref()?.revision, REVISION),
    }
}

/// Charts of OCI repositories have a piece of the digest after a plus.
fn is_same(a: Option<&str>, b: Option<&str>) -> bool {
    let plain = |r: &str| r.split('+').next().unwrap_or(r).to_owned();
    a.map(plain) == b.map(plain)
}

fn sync(
    kind: AppKind,
    applied: Option<&str>,
    attempted: Option<&str>,
    conditions: &[ObjectCondition],
) -> Sync {
    let ready = is_true(conditions, "Ready");
    if kind.is_source() {
        let old = ["FetchFailed", "ArtifactOutdated", "StorageOperationFailed"];
        return match old.iter().any(|c| is_true(conditions, c)) {
            true => Sync::OutOfSync,
            false if ready && applied.is_some() => Sync::Synced,
            false => Sync::Unknown,
        };
    }
    match (applied, attempted) {
        (Some(_), Some(_)) if is_same(applied, attempted) => Sync::Synced,
        (_, Some(_)) => Sync::OutOfSync,
        (Some(_), None) if ready => Sync::Synced,
        _ => Sync::Unknown,
    }
}

/// `GitRepository/fleet`, with the namespace where it is another.
fn named(reference: &Ref) -> String {
    let name = match some(&reference.namespace, NAME) {
        Some(namespace) => format!("{namespace}/{}", word(&reference.name)),
        None => word(&reference.name),
    };
    format!("{}/{name}", word(&reference.kind))
}

fn source(kind: AppKind, spec: &Spec) -> AppSource {
    let of = |reference: &Option<Ref>| reference.as_ref().map(named).unwrap_or_default();
    match (kind, &spec.chart) {
        (AppKind::HelmRelease, Some(Chart::Template { spec: Some(chart) })) => AppSource {
            repository: of(&chart.source_ref),
            path: word(&chart.chart),
            target: text(&chart.version, REVISION),
        },
        (AppKind::HelmRelease, _) => AppSource {
            repository: of(&spec.chart_ref),
            ..AppSource::default()
        },
        (AppKind::HelmChart, Some(Chart::Name(chart))) => AppSource {
            repository: of(&spec.source_ref),
            path: word(&Some(chart.clone())),
            target: text(&spec.version, REVISION),
        },
        (AppKind::Kustomization | AppKind::HelmChart, _) => AppSource {
            repository: of(&spec.source_ref),
            path: text(&spec.path, 500),
            target: String::new(),
        },
        (AppKind::Bucket, _) => AppSource {
            repository: place(&spec.endpoint),
            path: word(&spec.bucket_name),
            target: String::new(),
        },
        _ => AppSource {
            repository: place(&spec.url),
            path: String::new(),
            target: target(spec.reference.as_ref()),
        },
    }
}

/// In the order in which Flux heeds them.
fn target(reference: Option<&Reference>) -> String {
    let Some(r) = reference else {
        return String::new();
    };
    let all = [&r.commit, &r.digest, &r.name, &r.semver, &r.tag, &r.branch];
    let first = all.into_iter().find_map(|t| some(t, REVISION));
    first.unwrap_or_default()
}

fn elsewhere(spec: &Spec) -> Option<String> {
    let secret = spec.kube_config.as_ref()?.secret_ref.as_ref()?;
    some(&secret.name, NAME)
}

fn automation(kind: AppKind, spec: &Spec) -> Automation {
    let drift = spec.drift_detection.as_ref();
    Automation {
        prune: spec.prune == Some(true),
        // A Kustomization is applied again with every interval; a release only if told so.
        self_heal: kind == AppKind::Kustomization
            || drift.is_some_and(|d| d.mode.as_deref() == Some("enabled")),
    }
}

fn operation(status: &Status, conditions: &[ObjectCondition]) -> Option<Operation> {
    let phase = some(&status.last_attempted_release_action, SHORT)?;
    let released = find(conditions, "Released");
    Some(Operation {
        phase,
        message: released.map_or_else(String::new, |c| text(&Some(c.message.clone()), MESSAGE)),
        started: None,
        finished: released.and_then(|c| c.since),
        by: None,
        retries: number(status.failures),
    })
}

fn chart(spec: &Spec, status: &Status) -> Option<(String, String)> {
    if let Some(release) = past(status).first()
        && let Some(name) = some(&release.chart_name, NAME)
    {
        return Some((name, text(&release.chart_version, REVISION)));
    }
    match spec.chart.as_ref()? {
        Chart::Template { spec } => {
            let chart = spec.as_ref()?;
            Some((some(&chart.chart, NAME)?, text(&chart.version, REVISION)))
        }
        Chart::Name(name) => Some((word(&Some(name.clone())), text(&spec.version, REVISION))),
    }
}

/// Newest first, as Flux has them.
fn history(status: &Status) -> Vec<Deployed> {
    let one = |past: &Past| {
        let applied = past.metadata.as_ref();
        let applied = applied.and_then(|a| some(&a.revision, REVISION));
        Deployed {
            revision: applied.unwrap_or_else(|| text(&past.chart_version, REVISION)),
            at: time(&past.last_deployed).or_else(|| time(&past.last_reconciled)),
        }
    };
    past(status).iter().take(MOST).map(one).collect()
}

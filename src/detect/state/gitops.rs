//! Domain rules of what is deployed: applications of Argo CD and objects of Flux, and model servers
//! that KServe cannot bring up.

use crate::detect::Condition;
use crate::model::alert::Severity;
use crate::model::condition::find;
use crate::model::finding::Subject;
use crate::model::gitops::{App, AppHealth, DRIFT_MS, STUCK_MS};
use crate::model::serving::InferenceService;
use crate::model::time::Timestamp;

const MINUTE_MS: u64 = 60_000;
/// Longest message in a finding.
const MESSAGE: usize = 200;

/// Applications, each with the time since when it is out of sync and whether it was so before our
/// first look.
pub fn apps<'a>(all: impl Iterator<Item = (&'a App, Option<(Timestamp, bool)>)>) -> Vec<Condition> {
    let mut found = Vec::new();
    for (app, drift) in all.filter(|(app, _)| !app.suspended) {
        health(app, &mut found);
        operation(app, &mut found);
        if let Some((since, earlier)) = drift {
            let text = format!(
                "OutOfSync for more than 1 h{}",
                said(app.message.as_deref())
            );
            let mut c = condition(app, "drift", Severity::Warning, text);
            (c.since, c.earlier) = (Some(since), earlier);
            c.for_ms = DRIFT_MS;
            c.weight = 0.6;
            c.method = "out of sync for 1 h, as far as seen".into();
            found.push(c);
        }
    }
    found
}

fn condition(app: &App, what: &str, severity: Severity, text: String) -> Condition {
    let kind = app.kind.as_str();
    let subject = Subject::App {
        kind: app.kind,
        namespace: app.namespace.to_string(),
        name: app.name.to_string(),
        runs_in: app.runs_in().map(str::to_owned),
    };
    let key = format!("app/{kind}/{}/{}/{what}", app.namespace, app.name);
    let mut c = Condition::state(subject, key, severity, text);
    c.signal = kind;
    c.method = match app.kind.tool() {
        "argo" => "health and sync as Argo CD says".into(),
        _ => "conditions of the Flux object".into(),
    };
    // What is deployed is ill; why, its pods tell.
    c.weight = 0.8;
    c
}

fn health(app: &App, found: &mut Vec<Condition>) {
    let message = said(app.message.as_deref());
    match app.health {
        AppHealth::Degraded | AppHealth::Missing => {
            let word = match app.state.as_str() {
                "" => app.health.word().to_owned(),
                state => state.to_owned(),
            };
            let text = format!("{word}{message}");
            let mut c = condition(app, "health", Severity::Warning, text);
            c.since = app.health_since;
            c.for_ms = 2 * MINUTE_MS;
            found.push(c);
        }
        AppHealth::Progressing => {
            let text = format!("Progressing for more than 30 min{message}");
            let mut c = condition(app, "progress", Severity::Warning, text);
            c.since = app.health_since;
            c.for_ms = STUCK_MS;
            found.push(c);
        }
        _ => {}
    }
}

fn operation(app: &App, found: &mut Vec<Condition>) {
    let Some(operation) = app.operation.as_ref().filter(|_| app.has_failed()) else {
        return;
    };
    let wanted = app.attempted.as_ref().or(app.revision.as_ref());
    let wanted = wanted.map(|r| format!(" of {}", crate::model::image::revision(r)));
    let text = format!(
        "sync{} {}{}",
        wanted.unwrap_or_default(),
        operation.phase,
        said(Some(&operation.message))
    );
    let mut c = condition(app, "operation", Severity::Warning, text);
    c.since = operation.finished;
    found.push(c);
}

fn said(message: Option<&str>) -> String {
    match message {
        None | Some("") => String::new(),
        Some(message) => {
            let cut: String = message.chars().take(MESSAGE).collect();
            format!(": {cut}")
        }
    }
}

pub fn inference<'a>(all: impl Iterator<Item = &'a InferenceService>) -> Vec<Condition> {
    let bad = all.filter(|s| s.ready == Some(false) || s.failure.is_some());
    bad.map(|s| {
        let subject = Subject::Workload {
            namespace: s.namespace.to_string(),
            name: s.name.to_string(),
        };
        let ready = find(&s.conditions, "Ready");
        let cause = s.failure.clone().or_else(|| {
            let told = ready.map(|c| [c.reason.as_str(), c.message.as_str()].join(" "));
            told.map(|t| t.trim().to_owned())
        });
        let text = format!("model server is not ready{}", said(cause.as_deref()));
        let key = format!("kserve/{}/{}/ready", s.namespace, s.name);
        let mut c = Condition::state(subject, key, Severity::Warning, text);
        c.signal = "InferenceService";
        c.since = ready.and_then(|c| c.since);
        // A model takes minutes to load.
        c.for_ms = if s.failure.is_some() {
            0
        } else {
            10 * MINUTE_MS
        };
        c.method = "conditions of the InferenceService".into();
        c
    })
    .collect()
}

#[cfg(test)]
mod tests;

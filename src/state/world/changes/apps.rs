//! Syncs of Argo CD and Flux, and changes of what they follow.

use crate::model::change::{Change, ChangeKind};
use crate::model::gitops::{App, AppHealth, Deployed};
use crate::model::image;
use crate::model::time::Timestamp;

use super::About;

/// Entries of an application's history that are told when it is first seen.
const HISTORY: usize = 10;
/// Longest part of a message in a change.
const MESSAGE: usize = 160;

fn about(app: &App, seen: Timestamp) -> About<'_> {
    About {
        kind: app.kind.as_str(),
        namespace: &app.namespace,
        name: &app.name,
        seen,
    }
}

pub(super) fn between(
    old: Option<&App>,
    new: &App,
    known: bool,
    seen: Timestamp,
    found: &mut Vec<Change>,
) {
    // What a source fetched shows when somebody applies it.
    if new.kind.is_source() {
        followed(old, new, seen, found);
        return;
    }
    let former = old.map_or_else(Vec::new, dated);
    found.extend(dated(new).into_iter().filter(|c| !former.contains(c)));
    match old {
        None if known => found.push(about(new, seen).now(ChangeKind::Config, "application added")),
        None => {}
        Some(old) => {
            applied(old, new, seen, found);
            stopped(old, new, seen, found);
            followed(Some(old), new, seen, found);
        }
    }
}

pub(super) fn gone(old: &App, seen: Timestamp, found: &mut Vec<Change>) {
    found.push(about(old, seen).now(ChangeKind::Config, "application removed"));
}

/// What the tool dates itself: revisions that were deployed, and an operation that failed.
fn dated(app: &App) -> Vec<Change> {
    let about = about(app, Timestamp::default());
    let mut told: Vec<Change> = app
        .history
        .iter()
        .take(HISTORY)
        .filter_map(|entry| Some((entry, entry.at?)))
        .map(|(entry, at)| {
            let what = format!("deployed {}", image::revision(&entry.revision));
            about.change(ChangeKind::Sync, at, what)
        })
        .collect();
    if let Some((operation, at)) = app
        .operation
        .as_ref()
        .filter(|_| app.has_failed())
        .and_then(|o| Some((o, o.finished?)))
    {
        let wanted = app.attempted.as_ref().or(app.revision.as_ref());
        let wanted = wanted.map_or_else(String::new, |r| format!(" of {}", image::revision(r)));
        let message: String = operation.message.chars().take(MESSAGE).collect();
        let what = format!("sync{wanted} {}: {message}", operation.phase);
        let mut change = about.change(ChangeKind::Sync, at, what);
        change.by.clone_from(&operation.by);
        change.symptom = true;
        told.push(change);
    }
    told
}

/// Who asked for the newest deployment, where the operation that made it is known.
pub(in crate::state::world) fn asked_by(app: &App, change: &Change) -> Option<String> {
    let operation = app.operation.as_ref()?;
    let newest = app.history.first()?.at?;
    let within = operation.started.is_none_or(|s| s <= newest.plus_ms(5_000));
    let own = change.at == newest && change.kind == ChangeKind::Sync;
    (own && within).then_some(operation.by.clone()?)
}

/// A revision that came without an entry in the history.
fn applied(old: &App, new: &App, seen: Timestamp, found: &mut Vec<Change>) {
    let (was, is) = (&old.revision, &new.revision);
    let Some(is) = is.as_ref().filter(|_| was != is) else {
        return;
    };
    let entered = |d: &&Deployed| d.at.is_some() && !old.history.contains(d);
    if new.history.iter().any(|d| entered(&d)) {
        return;
    }
    let what = match was {
        Some(was) => format!(
            "revision {} → {}",
            image::revision(was),
            image::revision(is)
        ),
        None => format!("deployed {}", image::revision(is)),
    };
    // The condition's time is when it was done, unless it is from before.
    let done = new.health_since.filter(|at| Some(*at) > old.health_since);
    let at = done.filter(|at| *at <= seen).unwrap_or(seen);
    found.push(about(new, seen).change(ChangeKind::Sync, at, what));
}

/// Flux dates no operation: it failed when its state says so for the first time.
fn stopped(old: &App, new: &App, seen: Timestamp, found: &mut Vec<Change>) {
    let bad = |app: &App| app.health == AppHealth::Degraded;
    if new.kind.tool() != "flux" || bad(old) || !bad(new) {
        return;
    }
    let message = new.message.as_deref().unwrap_or_default();
    let message: String = message.chars().take(MESSAGE).collect();
    let what = format!("reconciliation {}: {message}", new.state);
    let at = new.health_since.filter(|at| *at <= seen).unwrap_or(seen);
    found.push(Change {
        symptom: true,
        ..about(new, seen).change(ChangeKind::Sync, at, what)
    });
}

/// What is followed, where to, and whether by itself.
fn followed(old: Option<&App>, new: &App, seen: Timestamp, found: &mut Vec<Change>) {
    let Some(old) = old else {
        return;
    };
    let mut say = |what: String| found.push(about(new, seen).now(ChangeKind::Config, what));
    for (was, is) in old.sources.iter().zip(&new.sources) {
        if was.target != is.target {
            say(format!(
                "tracks {} → {}",
                or_none(&was.target),
                or_none(&is.target)
            ));
        }
        if (&was.repository, &was.path) != (&is.repository, &is.path) {
            let place =
                |s: &crate::model::gitops::AppSource| format!("{} {}", s.repository, s.path);
            say(format!(
                "source {} → {}",
                place(was).trim(),
                place(is).trim()
            ));
        }
    }
    if old.sources.len() != new.sources.len() {
        say(format!(
            "sources {} → {}",
            old.sources.len(),
            new.sources.len()
        ));
    }
    let place = |app: &App| {
        let parts = [&app.destination, &app.destination_namespace];
        let parts: Vec<&str> = parts.into_iter().filter_map(|p| p.as_deref()).collect();
        parts.join("/")
    };
    if place(old) != place(new) {
        say(format!(
            "destination {} → {}",
            or_none(&place(old)),
            or_none(&place(new))
        ));
    }
    if old.suspended != new.suspended {
        say(if new.suspended {
            "suspended"
        } else {
            "resumed"
        }
        .to_owned());
    }
    if old.automation != new.automation {
        let word = |app: &App| match app.automation {
            None => "by hand".to_owned(),
            Some(a) => format!("automatic prune={} self-heal={}", a.prune, a.self_heal),
        };
        say(format!("sync policy {} → {}", word(old), word(new)));
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "(none)" } else { text }
}

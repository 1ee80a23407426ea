//! Applications and changes in words.

use super::{ROWS, Told, chosen, hearing, or_na, since};
use crate::agent::tools::args;
use crate::model::discovery::Component;
use crate::model::gitops::App;
use crate::model::id::ClusterId;
use crate::model::text::clean;
use crate::state::world::apps::{self, Presence, promoted};
use crate::state::world::{ClusterState, Status, World};

/// Longest message told.
const MESSAGE: usize = 240;

pub(super) fn apps(world: &World, ids: &[ClusterId], args: &args::GitOps, told: &mut Told) {
    for c in chosen(world, ids) {
        let wanted = |a: &&App| args.name.as_deref().is_none_or(|n| a.name.contains(n));
        let mut all: Vec<(Status, &App)> = c
            .apps
            .values()
            .filter(wanted)
            .map(|app| (apps::status(app, world.now), app))
            .collect();
        all.sort_by_key(|(status, _)| match status {
            Status::Critical => 0,
            Status::Warning => 1,
            Status::Unknown => 2,
            Status::Ok => 3,
        });
        told.line(format!(
            "cluster {}{}: {} applications match; Argo CD {}, Flux {}",
            c.name,
            hearing(world, c),
            all.len(),
            presence(&c.presence(Component::ArgoCd)),
            presence(&c.presence(Component::Flux)),
        ));
        let full = args.name.is_some();
        let rows = all
            .into_iter()
            .map(|(status, app)| row(world, c, app, status, full));
        told.rows(rows, ROWS);
    }
}

fn presence(presence: &Presence) -> String {
    match presence {
        Presence::Found => "found".into(),
        Presence::Absent => "not installed".into(),
        Presence::Denied(right) => format!("not permitted ({right})"),
        Presence::Unknown => "unknown".into(),
    }
}

fn row(world: &World, c: &ClusterState, app: &App, status: Status, full: bool) -> String {
    let mut out = format!(
        "  {} {}/{} {} {} revision {}",
        app.kind.as_str(),
        app.namespace,
        app.name,
        app.sync.word(),
        app.health.word(),
        or_na(app.revision.as_deref()),
    );
    if let Some(attempted) = &app.attempted {
        out.push_str(&format!(" attempted {attempted}"));
    }
    if status == Status::Ok && !full {
        return out;
    }
    for flag in apps::flags(world, c, app) {
        out.push_str(&format!("; {flag}"));
    }
    if let Some(message) = &app.message {
        out.push_str(&format!("; says {:?}", clean(message, MESSAGE)));
    }
    if let Some(o) = &app.operation {
        let finished = o.finished.map_or("n/a".into(), |at| since(world, at));
        let by = or_na(o.by.as_deref());
        out.push_str(&format!(
            "; last operation {} by {by}, finished {finished}",
            o.phase
        ));
        if !o.message.is_empty() {
            out.push_str(&format!(" {:?}", clean(&o.message, MESSAGE)));
        }
    }
    for source in app.sources.iter().take(3) {
        let parts = [&source.repository, &source.path, &source.target].map(String::as_str);
        out.push_str(&format!("; source {}", parts.join(" ").trim()));
    }
    for r in app.resources.iter().take(6) {
        let health = r.health.map_or("health n/a", |h| h.word());
        out.push_str(&format!(
            "; {} {}/{} {} {health}",
            r.kind, r.namespace, r.name, r.status
        ));
    }
    if !app.kind.is_source() {
        for check in promoted::checks(world, c, app) {
            let word = match check.fine {
                Some(true) => "yes",
                Some(false) => "NO",
                None => "unknown",
            };
            out.push_str(&format!("; {} {word} ({})", check.name, check.why));
        }
    }
    out
}

pub(super) fn changes(world: &World, ids: &[ClusterId], args: &args::Changes, told: &mut Told) {
    let minutes = i64::from(args.minutes.unwrap_or(120));
    let from = world.now.plus_ms(-minutes * 60_000);
    for c in chosen(world, ids) {
        let rows: Vec<_> = c
            .changes_between(from, world.now)
            .rev()
            .filter(|n| args.namespace.as_deref().is_none_or(|ns| ns == n.namespace))
            .filter(|n| args.kind.as_deref().is_none_or(|k| k == n.kind.word()))
            .collect();
        told.line(format!(
            "cluster {}{}: {} changes in {minutes} minutes match, {} known in all",
            c.name,
            hearing(world, c),
            rows.len(),
            c.changes.len()
        ));
        let lines = rows.into_iter().map(|n| {
            format!(
                "  {} {} {} {}/{}: {:?} by {}",
                n.at.rfc3339(),
                n.kind.word(),
                n.subject.0,
                n.namespace,
                n.subject.1,
                clean(&n.what, MESSAGE),
                or_na(n.by.as_deref())
            )
        });
        told.rows(lines, ROWS);
    }
}

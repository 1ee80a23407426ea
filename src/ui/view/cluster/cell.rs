//! What each cell of the cluster screen's lists says.

use ratatui::text::Line;

use super::problem::Problem;
use super::row::{self, NodeFacts};
use super::rows::{Repeated, Row};
use super::{capacity, source};
use crate::model::condition::{find, is_true};
use crate::model::discovery::{Outcome, Probe};
use crate::model::object::{Event, Pod};
use crate::model::openshift::{ClusterOperator, ClusterVersion};
use crate::model::time::Timestamp;
use crate::model::workload::{Workload, WorkloadKind};
use crate::state::world::Status;
use crate::ui::Ctx;
use crate::ui::widget::badge;

pub fn cell<'a>(ctx: &Ctx, held: &NodeFacts, row: &'a Row<'a>, column: usize) -> Line<'a> {
    match row {
        Row::Problem(p) => of_problem(ctx, p, column),
        Row::Node(n) => row::node(ctx, held, n, column),
        Row::Pod(p) => of_pod(ctx, p, column),
        Row::Workload(w) => of_workload(ctx, w, column),
        Row::Event(e) => of_event(ctx, e, column),
        Row::Repeated(r) => of_repeated(ctx, r, column),
        Row::Version(v) => of_version(ctx, v, column),
        Row::Operator(o) => of_operator(ctx, o, column),
        Row::Room(r) => capacity::cell(ctx, r, column),
        Row::Probe(p) => of_probe(ctx, p, column),
        Row::Source(kind, health) => source::cell(ctx, *kind, health, column),
    }
}

fn since<'a>(ctx: &Ctx, at: Option<Timestamp>) -> Line<'a> {
    let text = at.map_or("?".into(), |at| badge::age(ctx.world.age_ms(at)));
    Line::styled(text, ctx.theme.muted)
}

fn of_problem<'a>(ctx: &Ctx, p: &'a Problem, column: usize) -> Line<'a> {
    let (glyph, _, style) = badge::status(ctx.theme, p.status);
    match column {
        0 => Line::styled(glyph, style),
        1 => Line::styled(p.word, ctx.theme.muted),
        2 => Line::styled(p.place(), ctx.theme.base),
        3 => Line::styled(p.state.as_str(), style),
        4 => since(ctx, p.since),
        _ => Line::styled(p.remedy.as_str(), ctx.theme.base),
    }
}

fn of_pod<'a>(ctx: &Ctx, p: &'a Pod, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let (glyph, style) = match (p.is_bad(), p.reason.is_some(), p.phase.as_str()) {
        (true, true, _) | (_, _, "Failed") => ("✗", theme.crit),
        (true, false, _) | (false, true, _) => ("▲", theme.warn),
        (false, false, _) => ("●", theme.ok),
    };
    match column {
        0 => Line::styled(glyph, style),
        1 => Line::styled(format!("{}/{}", p.namespace, p.name), theme.base),
        2 => Line::styled(p.standing(), style),
        3 => Line::styled(p.restarts.to_string(), theme.base),
        4 => Line::styled(format!("{}/{}", p.ready, p.containers), theme.base),
        5 => since(ctx, p.since),
        6 => Line::styled(p.node.as_deref().unwrap_or("none"), theme.muted),
        _ => {
            let owner = p.owner.as_ref();
            let text = owner.map_or("none".into(), |(kind, name)| format!("{kind} {name}"));
            Line::styled(text, theme.muted)
        }
    }
}

/// How far the newest template has come.
pub fn rollout(w: &Workload) -> String {
    if w.kind == WorkloadKind::Job {
        return match (find(&w.conditions, "Failed"), w.ready >= w.desired) {
            (Some(c), _) if c.status == Some(true) => "failed".into(),
            (_, true) => "complete".into(),
            _ if w.failed > 0 => format!("{} failed, is retried", w.failed),
            _ => "running".into(),
        };
    }
    if w.paused {
        return "paused".into();
    }
    if !w.observed {
        return "waits for its controller".into();
    }
    if w.is_rolling() {
        let stuck = find(&w.conditions, "Progressing").is_some_and(|c| c.status == Some(false));
        let word = if stuck { "stuck" } else { "rolling" };
        return format!("{word} {} of {}", w.updated, w.desired);
    }
    match w.is_short() {
        true => format!("{} missing", w.desired.saturating_sub(w.ready)),
        false if w.desired == 0 => "scaled to 0".into(),
        false => "whole".into(),
    }
}

fn of_workload<'a>(ctx: &Ctx, w: &'a Workload, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let (glyph, style) = match (w.is_short(), w.is_rolling()) {
        (true, false) if w.kind != WorkloadKind::Job => ("✗", theme.crit),
        (true, _) | (false, true) => ("▲", theme.warn),
        (false, false) => ("●", theme.ok),
    };
    match column {
        0 => Line::styled(glyph, style),
        1 => Line::styled(w.kind.as_str(), theme.muted),
        2 => Line::styled(format!("{}/{}", w.namespace, w.name), theme.base),
        3 => Line::styled(format!("{}/{}", w.ready, w.desired), style),
        4 if w.kind == WorkloadKind::Job => Line::default(),
        4 => Line::styled(format!("{}/{}", w.updated, w.desired), theme.base),
        5 => Line::styled(rollout(w), style),
        6 => since(ctx, w.created),
        _ => Line::styled(w.images.join(" "), theme.muted),
    }
}

fn event_style(ctx: &Ctx, e: &Event) -> ratatui::style::Style {
    if e.warning {
        ctx.theme.warn
    } else {
        ctx.theme.base
    }
}

fn of_event<'a>(ctx: &Ctx, e: &'a Event, column: usize) -> Line<'a> {
    match column {
        0 => Line::styled(ctx.clock_or_day(e.at), ctx.theme.muted),
        1 => Line::default(),
        2 => Line::styled(e.count.to_string(), ctx.theme.muted),
        3 => Line::styled(e.reason.as_str(), event_style(ctx, e)),
        4 => Line::styled(format!("{}/{}", e.about.0, e.about.1), ctx.theme.base),
        _ => Line::styled(e.message.as_str(), ctx.theme.base),
    }
}

fn of_repeated<'a>(ctx: &Ctx, r: &'a Repeated<'a>, column: usize) -> Line<'a> {
    match column {
        1 if r.first == r.newest.at => Line::default(),
        1 => Line::styled(ctx.clock_or_day(r.first), ctx.theme.muted),
        2 => Line::styled(r.count.to_string(), ctx.theme.muted),
        4 => Line::styled(format!("{} {}", r.kind, r.owner), ctx.theme.base),
        column => of_event(ctx, r.newest, column),
    }
}

fn of_version<'a>(ctx: &Ctx, v: &'a ClusterVersion, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let (status, word, kind) = match v {
        v if is_true(&v.conditions, "Failing") => (Status::Critical, "update fails", "Failing"),
        v if v.is_updating() => (Status::Warning, "updating", "Progressing"),
        _ => (Status::Ok, "at its version", "Available"),
    };
    let (glyph, _, style) = badge::status(theme, status);
    let cause = find(&v.conditions, kind);
    match column {
        0 => Line::styled(glyph, style),
        1 => Line::styled("cluster version", theme.title),
        2 => Line::styled(v.desired.as_str(), theme.base),
        3 => Line::styled(word, style),
        4 => since(ctx, cause.and_then(|c| c.since)),
        _ => {
            let from = v.installed().filter(|i| *i != v.desired);
            let from = from.map_or(String::new(), |i| format!("from {i}: "));
            let said = cause.map_or("", |c| c.message.as_str());
            let updates = match &v.available_updates {
                None => "updates unknown".to_owned(),
                Some(all) if all.is_empty() => "no update offered".into(),
                Some(all) => format!("{} updates offered", all.len()),
            };
            Line::styled(format!("{from}{said} ({updates})"), theme.base)
        }
    }
}

fn of_operator<'a>(ctx: &Ctx, o: &'a ClusterOperator, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let gone = find(&o.conditions, "Available").and_then(|c| c.status) == Some(false);
    let (status, word, kind) = match o {
        _ if gone => (Status::Critical, "not Available", "Available"),
        o if o.is_bad() => (Status::Warning, "Degraded", "Degraded"),
        o if o.is_progressing() => (Status::Warning, "Progressing", "Progressing"),
        o if find(&o.conditions, "Available")
            .and_then(|c| c.status)
            .is_none() =>
        {
            (Status::Unknown, "unknown", "Available")
        }
        _ => (Status::Ok, "Available", "Available"),
    };
    let (glyph, _, style) = badge::status(theme, status);
    let cause = find(&o.conditions, kind);
    match column {
        0 => Line::styled(glyph, style),
        1 => Line::styled(o.name.as_ref(), theme.base),
        2 => Line::styled(o.version.as_deref().unwrap_or("?"), theme.muted),
        3 => Line::styled(word, style),
        4 => since(ctx, cause.and_then(|c| c.since)),
        _ => Line::styled(cause.map_or("", |c| c.message.as_str()), theme.base),
    }
}

pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Found => "found",
        Outcome::NotFound => "not found",
        Outcome::NoPermission => "no permission",
        Outcome::Error => "error",
    }
}

fn of_probe<'a>(ctx: &Ctx, p: &'a Probe, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let (glyph, style) = match p.outcome {
        Outcome::Found => ("●", theme.ok),
        Outcome::NotFound => ("∅", theme.muted),
        Outcome::NoPermission => ("⊘", theme.warn),
        Outcome::Error => ("✗", theme.crit),
    };
    match column {
        0 => Line::styled(glyph, style),
        1 => Line::styled(p.component.word(), theme.base),
        2 => Line::styled(outcome(p.outcome), style),
        3 => Line::styled(if p.used { "yes" } else { "" }, theme.muted),
        4 => Line::styled(p.place.as_deref().unwrap_or(""), theme.base),
        5 => Line::styled(p.via.as_deref().unwrap_or(""), theme.muted),
        6 => Line::styled(p.version.as_deref().unwrap_or(""), theme.muted),
        _ => Line::styled(p.reason.as_str(), theme.base),
    }
}

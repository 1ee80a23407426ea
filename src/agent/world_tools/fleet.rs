//! Clusters, alerts, incidents and events in words.

use std::cmp::Reverse;

use super::{ROWS, Told, chosen, hearing, or_na, since};
use crate::agent::tools::args::{self, AlertStateArg, SeverityArg};
use crate::incident::Incident;
use crate::model::alert::{Alert, AlertState, Severity};
use crate::model::health::Health;
use crate::model::id::ClusterId;
use crate::model::text::clean;
use crate::model::unit::age;
use crate::state::world::{ClusterState, World};

/// Longest name and note told, characters, and notes told of an incident.
const NAME: usize = 60;
const NOTE: usize = 240;
const NOTES: usize = 3;

pub(super) fn clusters(world: &World, args: &args::ListClusters, told: &mut Told) {
    let same = |wanted: &Option<String>, is: &str| {
        wanted.as_ref().is_none_or(|w| w.eq_ignore_ascii_case(is))
    };
    let rows: Vec<String> = world
        .clusters
        .iter()
        .filter(|c| same(&args.environment, c.environment.as_deref().unwrap_or("")))
        .filter(|c| same(&args.cluster_type, c.kind.as_str()))
        .filter(|c| same(&args.state, world.status(c.id).word()))
        .map(|c| cluster(world, c))
        .collect();
    if rows.is_empty() {
        told.line(format!(
            "no cluster matches; {} are configured",
            world.clusters.len()
        ));
    }
    told.rows(rows, 100);
}

fn cluster(world: &World, c: &ClusterState) -> String {
    let (status, why) = world.standing(c.id);
    let counts = c.alert_counts();
    let open = world
        .incidents
        .iter()
        .filter(|i| i.cluster == c.id && i.is_live())
        .count();
    let ready = c.capacity.ready_nodes;
    let sources: Vec<String> = c
        .sources
        .iter()
        .map(|(kind, s)| match &s.health {
            Health::Live => format!("{kind} live"),
            Health::Connecting => format!("{kind} not heard yet"),
            Health::Failing { fault, since, .. } => format!(
                "{kind} FAILING for {}: {}",
                age(world.now.age_since_ms(*since)),
                fault.what
            ),
            Health::Denied { fault, .. } => format!("{kind} DENIED: {}", fault.what),
        })
        .collect();
    let nodes = if c.nodes.is_empty() {
        "nodes n/a".to_owned()
    } else {
        format!("nodes {ready} of {} ready", c.nodes.len())
    };
    format!(
        "{} type={} environment={} region={} status={} ({why}); health {}; {nodes}; unhealthy pods {}; alerts critical {} warning {} info {} pending {} suppressed {}; open incidents {open}; last sample {}; version {}; sources: {}",
        c.name,
        c.kind.as_str(),
        or_na(c.environment.as_deref()),
        or_na(c.region.as_deref()),
        status.word(),
        health(world, c),
        c.capacity.bad_pods,
        counts.critical,
        counts.warning,
        counts.info,
        counts.pending,
        counts.suppressed,
        c.last_sample
            .map_or_else(|| "never".to_owned(), |at| since(world, at)),
        or_na(
            c.facts
                .openshift_version
                .as_deref()
                .or(c.facts.kubernetes_version.as_deref())
        ),
        if sources.is_empty() {
            "none configured".to_owned()
        } else {
            sources.join(", ")
        },
    )
}

/// How well it is reached: score, state, and what cost points.
pub(in crate::agent) fn health(world: &World, c: &ClusterState) -> String {
    let score = c.score(world.now);
    let points = score
        .points
        .map_or_else(|| "n/a".to_owned(), |p| format!("{p} of 100"));
    let reasons: Vec<String> = world
        .reach_reasons(c)
        .into_iter()
        .map(|(cost, text)| format!("-{cost} {text}"))
        .collect();
    let why = match reasons.is_empty() {
        true => String::new(),
        false => format!(" ({})", reasons.join(", ")),
    };
    format!("{points} {}{why}", score.reach.word())
}

pub(super) fn alerts(world: &World, ids: &[ClusterId], args: &args::Alerts, told: &mut Told) {
    for c in chosen(world, ids) {
        let mut rows: Vec<&Alert> = c
            .alerts
            .values()
            .filter(|a| !a.is_watchdog() && wanted(a, args))
            .collect();
        rows.sort_by_key(|a| (Reverse(a.severity), Reverse(a.starts_at)));
        told.line(format!(
            "cluster {}{}: {} alerts match",
            c.name,
            hearing(world, c),
            rows.len()
        ));
        told.rows(rows.into_iter().map(|a| alert(world, a)), ROWS);
    }
}

fn wanted(a: &Alert, args: &args::Alerts) -> bool {
    let state = match args.state {
        None => a.state != AlertState::Resolved,
        Some(AlertStateArg::Firing) => a.state == AlertState::Firing,
        Some(AlertStateArg::Pending) => a.state == AlertState::Pending,
        Some(AlertStateArg::Suppressed) => a.state == AlertState::Suppressed,
        Some(AlertStateArg::Resolved) => a.state == AlertState::Resolved,
    };
    let severity = match args.severity {
        None => true,
        Some(SeverityArg::Critical) => a.severity == Severity::Critical,
        Some(SeverityArg::Warning) => a.severity == Severity::Warning,
        Some(SeverityArg::Info) => a.severity == Severity::Info,
    };
    state && severity
}

fn alert(world: &World, a: &Alert) -> String {
    let state = match a.state {
        AlertState::Pending => "pending",
        AlertState::Firing => "firing",
        AlertState::Suppressed => "suppressed",
        AlertState::Resolved => "resolved",
    };
    let labels = a.labels.without(&["alertname", "severity", "prometheus"]);
    let value = a.value.map_or(String::new(), |v| format!(" value {v}"));
    format!(
        "  {} {} {state} since {}{value} {labels} {:?}",
        a.severity.word(),
        a.name,
        since(world, a.starts_at),
        crate::model::text::clean(a.summary(), 300)
    )
}

pub(super) fn incidents(world: &World, ids: &[ClusterId], args: &args::Incidents, told: &mut Told) {
    let closed = args.closed.unwrap_or(false);
    let rows: Vec<&Incident> = world
        .incidents
        .iter()
        .filter(|i| ids.contains(&i.cluster))
        .filter(|i| closed || i.is_live())
        .collect();
    if rows.is_empty() {
        told.line("no incident; the console found nothing abnormal in what it hears");
    }
    for c in chosen(world, ids).filter(|c| !c.is_heard(world.now)) {
        told.line(format!("cluster {}{}", c.name, hearing(world, c)));
    }
    told.rows(rows.into_iter().map(|i| incident(world, i)), ROWS);
}

/// One incident with its findings.
pub(in crate::agent) fn incident(world: &World, i: &Incident) -> String {
    let state = i.word(world.now);
    let cluster = world.name_of(i.cluster);
    let subjects: Vec<String> = i.subjects.iter().take(8).map(ToString::to_string).collect();
    let mut out = format!(
        "INC-{} {} {state} cluster={cluster} opened {}{} score {:.2} about {}: {}",
        i.number,
        i.severity.word(),
        since(world, i.opened),
        i.closed
            .map_or(String::new(), |at| format!(" closed {}", at.rfc3339())),
        i.score,
        subjects.join(", "),
        i.title
    );
    out.push_str(&world.causes(i).words().replace('\n', "\n    "));
    for finding in i.findings.iter().take(12) {
        let over = if finding.over { ", over now" } else { "" };
        out.push_str(&format!(
            "\n    {} {} {} on {}: {} (method: {}{over})",
            finding.severity.word(),
            finding.begun(),
            finding.since.rfc3339(),
            finding.subject,
            finding.text,
            finding.method
        ));
    }
    if i.findings.len() > 12 {
        out.push_str(&format!("\n    ({} more findings)", i.findings.len() - 12));
    }
    people(world, i, &mut out);
    out
}

/// What people did about it: on this console, and on those of the team.
fn people(world: &World, i: &Incident, out: &mut String) {
    let desk = &i.desk;
    let mut line = |what: String| out.push_str(&format!("\n    {what}"));
    if let Some(stamp) = desk.acknowledged() {
        let by = clean(&stamp.by, NAME);
        line(format!("acknowledged by {by}, {}", since(world, stamp.at)));
    }
    if let Some((who, _)) = desk.assigned() {
        line(format!("assigned to {}", clean(who, NAME)));
    }
    let last: Vec<_> = desk.notes().rev().take(NOTES).collect();
    for (stamp, text) in last.into_iter().rev() {
        let (by, text) = (clean(&stamp.by, NAME), clean(text, NOTE));
        line(format!(
            "note of {by}, {}: {text:?}",
            since(world, stamp.at)
        ));
    }
}

pub(super) fn events(world: &World, ids: &[ClusterId], args: &args::Events, told: &mut Told) {
    let warnings = args.warnings.unwrap_or(false);
    for c in chosen(world, ids) {
        let rows: Vec<_> = c
            .events
            .iter()
            .rev()
            .filter(|e| !warnings || e.warning)
            .filter(|e| {
                args.namespace
                    .as_deref()
                    .is_none_or(|n| n == e.namespace.as_ref())
            })
            .collect();
        told.line(format!(
            "cluster {}{}: {} events match",
            c.name,
            hearing(world, c),
            rows.len()
        ));
        let lines = rows.into_iter().map(|e| {
            format!(
                "  {} {} {} x{} {} {}/{}: {:?}",
                e.at.rfc3339(),
                if e.warning { "WARNING" } else { "normal" },
                e.reason,
                e.count,
                e.namespace,
                e.about.0,
                e.about.1,
                crate::model::text::clean(&e.message, 240)
            )
        });
        told.rows(lines, ROWS);
    }
}
